"""Prints the demo's closing tables from what the hub and the sites wrote down."""
import glob
import json
import os
import sys

FOLDER = sys.argv[1]
PHASES = ("gathering", "sharing", "uploading", "including", "revealing", "unmasking", "applying")


def load(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return json.load(file)


def load_lines(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def percent(part):
    return f"{100 * part:6.2f} %"


def accuracies():
    alone = {
        os.path.basename(path)[len("score-alone-") : -len(".json")]: load(os.path.basename(path))[
            "accuracy"
        ]
        for path in sorted(glob.glob(os.path.join(FOLDER, "score-alone-*.json")))
    }
    federated = load("score-federated.json")
    mean = sum(alone.values()) / len(alone)
    print(f"accuracy on {federated['count']} held-out photos")
    for name, accuracy in alone.items():
        print(f"  head trained by {name} alone".ljust(46), percent(accuracy))
    print("  head trained alone, mean of the sites".ljust(46), percent(mean))
    print("  federated adapter".ljust(46), percent(federated["accuracy"]))
    print(
        "  adapter trained on the pooled photos".ljust(46),
        percent(load("score-pooled.json")["accuracy"]),
    )


def rounds(campaign):
    print("\nseconds in each phase at the hub (uploading contains the local training)")
    print("round outcome    cohort survived " + " ".join(f"{phase:>9}" for phase in PHASES))
    for r in campaign["rounds"]:
        seconds = " ".join(f"{r['phase_seconds'].get(phase, 0):9.2f}" for phase in PHASES)
        print(
            f"{r['round']:5} {r['outcome']:10} {r['cohort']:6} {r['survivors']:8} {seconds}"
            + (f"  {r['reason']}" if r["reason"] else "")
        )


def cost(campaign):
    """What of the rounds' time is secure aggregation: all that a plain sum would not need."""
    finished = [r for r in campaign["rounds"] if r["outcome"] == "finished"]
    whole = sum(sum(r["phase_seconds"].values()) for r in finished)
    waiting = sum(r["phase_seconds"].get("gathering", 0) for r in finished)
    extra = sum(
        r["phase_seconds"].get(phase, 0)
        for r in finished
        for phase in ("sharing", "including", "revealing", "unmasking")
    )
    sites = [line for name in site_names(campaign) for line in load_lines(f"rounds-{name}.jsonl")]
    training = sum(line["training_seconds"] for line in sites)
    masking = sum(line["masking_seconds"] for line in sites)
    print(
        f"\nsecure aggregation (sharing, including, revealing, unmasking): {extra:.2f} s "
        f"of {whole - waiting:.2f} s "
        f"of the finished rounds after gathering, {100 * extra / (whole - waiting):.1f} %"
    )
    print(
        f"at the sites: {training:.1f} s of training, "
        f"{masking:.2f} s of clipping, quantising and masking, "
        f"{100 * masking / (training + masking):.1f} %"
    )


def site_names(campaign):
    return sorted({site["name"] for r in campaign["rounds"] for site in r["sites"]})


def bytes_of_sites(campaign):
    names = site_names(campaign)
    print("\nbytes from / to each site and round, at the hub")
    print("round " + " ".join(f"{name:>19}" for name in names))
    for r in campaign["rounds"]:
        sites = {site["name"]: site for site in r["sites"]}
        cells = (
            f"{sites[name]['bytes_in']:>9} {sites[name]['bytes_out']:>9}"
            if name in sites
            else " " * 19
            for name in names
        )
        print(f"{r['round']:5} " + " ".join(cells))


def uniformity(campaign):
    names = site_names(campaign)
    print(
        "\nwhat the hub could see: χ² of the top 8 bits of the lanes over 256 bins"
        " (uniform: 200 to 310)"
    )
    print("round " + " ".join(f"{name:>9}" for name in names) + "   the sum")
    for r in campaign["rounds"]:
        if r["outcome"] != "finished":
            continue
        sites = {site["name"]: site["chi2"] for site in r["sites"]}
        cells = (
            f"{sites[name]:9.1f}" if sites.get(name) is not None else " " * 8 + "-"
            for name in names
        )
        print(f"{r['round']:5} " + " ".join(cells) + f" {r['chi2_sum']:11.0f}")


def main():
    campaign = load("campaign.json")
    accuracies()
    rounds(campaign)
    cost(campaign)
    bytes_of_sites(campaign)
    uniformity(campaign)


if __name__ == "__main__":
    main()
