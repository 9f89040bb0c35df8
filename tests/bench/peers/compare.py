#!/usr/bin/env python3
"""One secure aggregation by Flower's SecAgg+ and by ours, in one run.

    tests/bench/peers/compare.py [BUILD]      default: build/release

Installs Flower from PyPI into BUILD/peers, a virtual environment. What is compared, and what is
not, stands in docs/benchmarks.md.
"""

import json
import os
import subprocess
import sys
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PARTICIPANTS, LANES, DROPOUTS = 100, 1000000, 10
ROWS = (
    ("participant, ms", "participant_s", 1e3, "{:.1f}"),
    ("of which masking, ms", "mask_s", 1e3, "{:.1f}"),
    ("hub, s", "hub_s", 1, "{:.2f}"),
    ("of which masks made and taken off, s", "unmask_s", 1, "{:.3f}"),
    ("sent by a participant, MB", "bytes_up", 1e-6, "{:.2f}"),
)


def environment(build):
    """The virtual environment's Python, with what requirements.txt says."""
    folder = os.path.join(build, "peers")
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
    requirements = os.path.join(HERE, "requirements.txt")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    return python


def result_of(*command):
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def flower(python, neighbours, threshold):
    return result_of(
        python,
        os.path.join(HERE, "flower.py"),
        *("--participants", PARTICIPANTS),
        *("--lanes", LANES),
        *("--dropouts", DROPOUTS),
        *("--neighbours", neighbours),
        *("--threshold", threshold),
    )


def print_table(titles, results):
    ours = results[0]
    print(f"n = {PARTICIPANTS}, d = {LANES}, {DROPOUTS} dropouts after sharing; processor time\n")
    print("| | " + " | ".join(titles) + " |")
    print("|---" * (len(titles) + 1) + "|")
    for name, key, factor, form in ROWS:
        cells = [form.format(ours[key] * factor)]
        cells += [
            f"{form.format(r[key] * factor)} ({r[key] / ours[key]:.0f} ×)" for r in results[1:]
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def main():
    default = os.path.join(TOP, "build/release")
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else default)
    python = environment(build)
    ours = result_of(
        os.path.join(build, "bin/bench_secagg"), "--json", PARTICIPANTS, LANES, DROPOUTS
    )
    k, t = ours["neighbours"], ours["threshold"]
    print_table(
        [f"Sotto, k = {k}, t = {t}", "Flower, k = 16, t = 9", f"Flower, k = {k}, t = {t}"],
        [ours, flower(python, 16, 9), flower(python, k, t)],
    )


if __name__ == "__main__":
    main()
