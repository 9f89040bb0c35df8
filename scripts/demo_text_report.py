"""Prints the closing tables of the demo on text from what the hub and the sites wrote down."""
from demo_report import bytes_of_sites, cost, load, percent, rounds


def accuracies():
    names = ("central", "head", "alike", "federated")
    central, head, alike, federated = (load(f"score-{name}.json") for name in names)
    print(f"accuracy on {federated['count']} reviews that nobody learnt from")
    for name, score in (
        ("central TF-IDF with logistic regression", central),
        ("MiniLM, a head alone on the pooled reviews", head),
        ("MiniLM, federated adapter", federated),
        ("  the same, expecting each label alike", alike),
    ):
        print(f"  {name}".ljust(50), percent(score["accuracy"]))
    if federated["correct"] <= central["correct"]:
        print("  the federated adapter does not beat the central model: see docs/benchmarks.md")


def main():
    campaign = load("campaign.json")
    accuracies()
    rounds(campaign)
    cost(campaign)
    bytes_of_sites(campaign)


if __name__ == "__main__":
    main()
