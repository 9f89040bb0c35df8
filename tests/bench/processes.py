"""Start-up time and resident memory of every process of a hub and a site, idle and after a round.

    python3 tests/bench/processes.py build/release/bin [MODEL]
"""
import glob
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../end_to_end"))
from federation import SOURCE, Federation

PROGRAMS = ("coordinator", "admin", "participant", "pretrain", "simulate")


def resident_mib(process):
    with open(f"/proc/{process}/status", encoding="utf-8") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024


def name_of(process):
    with open(f"/proc/{process}/comm", encoding="utf-8") as name:
        return name.read().strip()


def family(process):
    """A process and its children, as process numbers."""
    children = []
    for path in glob.glob(f"/proc/{process}/task/*/children"):
        with open(path, encoding="utf-8") as listed:
            children += [int(child) for child in listed.read().split()]
    return [process] + [member for child in children for member in family(child)]


def start_seconds(federation, program):
    best = 1e9
    for _ in range(7):
        began = time.perf_counter()
        federation.run(f"sotto-{program}", "--version")
        best = min(best, time.perf_counter() - began)
    return best


def memory_table(federation, when):
    print(f"\nresident now and at most, MiB, {when}")
    for root in ("hub", "site-1"):
        for process in family(federation.running[root].pid):
            now, most = resident_mib(process)
            print(f"  {name_of(process):18} {now:8.1f} {most:8.1f}")


def ready_seconds(federation):
    began = time.perf_counter()
    federation.serve()
    print(f"\nhub: serve until it answers {1000 * (time.perf_counter() - began):8.0f} ms")
    for name in federation.names:
        federation.enrol(name)
    began = time.perf_counter()
    for name in federation.names:
        federation.join(name)
    log = federation.path("site-1.log")
    federation.wait(lambda: "trainer ready" in open(log, encoding="utf-8").read(), "a site")
    print(f"site: run until the model is read {1000 * (time.perf_counter() - began):8.0f} ms")


def main():
    federation = Federation(sys.argv[1], sites=3)
    model = sys.argv[2] if len(sys.argv) > 2 else os.path.join(SOURCE, "models/base/fashion-vit")
    try:
        os.symlink(os.path.abspath(model), federation.path("base"))
        print("start-up, --version, best of 7")
        for program in PROGRAMS:
            print(f"  sotto-{program:12} {1000 * start_seconds(federation, program):8.1f} ms")
        federation.partition("sites=3", "cohort_max=3", "cohort_min=3", "survivors_min=3")
        federation.init_hub()
        ready_seconds(federation)
        memory_table(federation, "idle")
        federation.create_campaign(
            "bench", "--rounds", 1, "--cohort-min", 3, "--cohort-max", 3, "--survivors-min", 3
        )
        federation.admin("campaign", "start", "bench")
        federation.admin("campaign", "wait", "bench", "--timeout", 120)
        memory_table(federation, "after a round")
    finally:
        federation.close()


main()
