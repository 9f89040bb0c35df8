#!/usr/bin/env python3
"""A language model's answer by Sotto and by transformers' generate, in turn, in one run; what is
compared stands in docs/benchmarks.md.

    tests/bench/answer/compare.py --torch PYTHON [--build BUILD] [--prompt N] [--tokens N]
                                  [--rounds N]

The 135M Llama of tests/bench/train with random weights. PYTHON has torch and transformers, as
tests/interop/setup makes one. One thread each; times are the processor's.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TRAIN = os.path.join(os.path.dirname(HERE), "train")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, TRAIN)
import model


def result_of(command):
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True,
                          env=os.environ | one)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", required=True, help="a Python with torch and transformers")
    parser.add_argument("--build", default=os.path.join(TOP, "build/release"))
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=129)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = os.path.join(options.build, "bench/llama")
    with open(os.path.join(TRAIN, "jobs.json"), encoding="utf-8") as file:
        model.write(folder, json.load(file)["llama"])
    sides = {f"{name} {dtype}": command + [folder, options.prompt, options.tokens, dtype]
             for dtype in ("f32", "bf16")
             for name, command in (
                 ("Sotto", [os.path.join(options.build, "bin/bench_answer")]),
                 ("torch", [options.torch, "-W", "ignore", os.path.join(HERE, "torch_side.py")]))}
    results = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side, command in sides.items():
            results[side].append(result_of(command))
    versions = {(r["torch"], r["transformers"]) for rs in results.values() for r in rs
                if "torch" in r}
    print(f"prompt of {options.prompt} tokens, answer of {options.tokens}; torch, transformers: "
          f"{versions}\n\n| | prompt, ms | a token, ms | tokens a second | peak, MiB |\n"
          "|---|---|---|---|---|")
    for side, rows in results.items():
        prompt, token = (statistics.median(r[key] for r in rows)
                         for key in ("prompt_ms", "token_ms"))
        print(f"| {side} | {prompt:.0f} | {token:.1f} | {1e3 / token:.0f} | "
              f"{max(r['peak_mib'] for r in rows):.0f} |")


if __name__ == "__main__":
    main()
