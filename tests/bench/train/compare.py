#!/usr/bin/env python3
"""A training step of Sotto and of PyTorch, in turn, in one run; what is compared stands in
docs/benchmarks.md.

    tests/bench/train/compare.py [--build BUILD] [--newer PYTHON] [--rounds N] [--steps N]
                                 [--realtime] [JOB...]

Needs Debian's python3-torch. Fetches libopenblas0-openmp below BUILD without installing it: torch
calls BLAS from OpenMP, which the pthread build that Sotto uses slows down. Debian's OpenBLAS does
not know processors after 2021 and takes its AVX2 kernels there; torch is run as it comes and with
OPENBLAS_CORETYPE=SkylakeX, its AVX-512 kernels, where the processor has them. --newer names a
Python with another torch. OMP_NUM_THREADS is 1, Sotto is run on one and on two threads. --realtime
runs every side before all other processes (chrt, as root): wall times on a machine that is shared.
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import time

import model

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST = "Sotto f32, 1 thread"
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def openblas(build):
    """The OpenMP build of OpenBLAS, unpacked below the build folder."""
    folder = os.path.join(build, "bench", "openblas")
    pattern = os.path.join(folder, "usr/lib/*/openblas-openmp/libopenblas.so.0")
    if not glob.glob(pattern):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["apt-get", "download", "libopenblas0-openmp"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        package, = glob.glob(os.path.join(folder, "*.deb"))
        subprocess.run(["dpkg", "-x", package, folder], check=True)
    return glob.glob(pattern)[0]


def has_avx512():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        return " avx512bw " in file.read()


def result_of(command, options, **extra):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                                "BENCH_BEGAN": str(time.time())} | extra
    before = ["chrt", "-f", "1"] if options.realtime else []
    done = subprocess.run(before + list(map(str, command)), check=True, stdout=subprocess.PIPE,
                          text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def sides_of(options, name, job):
    """Name -> a function that runs one side once."""
    folder = os.path.join(options.build, "bench", name)
    model.write(folder, job)

    def sotto(threads, weights):
        return lambda: result_of([os.path.join(options.build, "bin/bench_train"), folder,
                                  job["batch"], job["rows"], threads, options.steps, weights],
                                 options)

    def torch(python, dtype, **extra):
        return lambda: result_of([python, os.path.join(HERE, "torch_side.py"), name, dtype,
                                  options.steps], options, **extra)

    preload = {"LD_PRELOAD": openblas(options.build)}
    sides = {FIRST: sotto(1, "f32"), "Sotto f32, 2 threads": sotto(2, "f32"),
             "Sotto bf16, 1 thread": sotto(1, "bf16"), "Sotto bf16, 2 threads": sotto(2, "bf16"),
             "torch f32 as it comes": torch("/usr/bin/python3", "f32", **preload)}
    if has_avx512():
        preload["OPENBLAS_CORETYPE"] = "SkylakeX"
    for dtype in ("f32", "bf16"):
        sides[f"torch {dtype}"] = torch("/usr/bin/python3", dtype, **preload)
        if options.newer:
            sides[f"newer torch {dtype}"] = torch(options.newer, dtype)
    return sides


def operations(job):
    """Multiplications and additions of a step's products that cannot be left out, adapters aside:
    a frozen layer has two, forward and dx; the first block's projections have no dx, and of a
    classifier's last block all but keys and values is of one row a sample."""
    width, wide, rows = job["width"], job["mlp_width"], job["rows"]
    kv = width // job["heads"] * job["kv_heads"]
    project = 2 * width * (width + 2 * kv)
    after = 2 * width * width + 2 * width * wide * (3 if job["family"] == "llama" else 2)
    attention = 4 * rows * width * (0.5 if job["family"] == "llama" else 1)
    whole = 2 * project + 2 * after + 3 * attention
    total = rows * (job["blocks"] * whole - project)
    if job["family"] == "llama":
        total += rows * 2 * 2 * width * job["vocabulary"]
    else:
        total -= (rows - 1) * (whole - 2 * 2 * width * 2 * kv)
    return job["batch"] * total


def row_of(results, first, job):
    """One side: medians over all its steps but the first of each run, ratios run by run."""
    steps = [t for r in results for t in r["step_ms"][1:]]
    cpu = [t for r in results for t in r["step_cpu_ms"][1:]]
    ratio = [statistics.median(r["step_cpu_ms"][1:]) / statistics.median(f["step_cpu_ms"][1:])
             for r, f in zip(results, first)]
    rate = operations(job) / statistics.median(cpu) / 1e6
    peak = statistics.median(f["product_gflops"] for f in first)
    return [f"{statistics.median(cpu):.0f}", f"{statistics.median(steps):.0f}",
            f"{statistics.median(ratio):.2f}", f"{max(r['peak_mib'] for r in results):.0f}",
            f"{statistics.median(r['ready_s'] for r in results):.2f}",
            f"{100 * rate / peak:.0f} %", f"{min(r['predict_ms'] for r in results):.1f}"]


def compare(options, name, job):
    sides = sides_of(options, name, job)
    results = {side: [] for side in sides}
    for _ in range(options.rounds):
        for side, run in sides.items():
            results[side].append(run())
    first = results[FIRST]
    versions = sorted({r[0]["torch"] for r in results.values() if "torch" in r[0]})
    print(f"\n{name}: {json.dumps(job)}; torch {', '.join(versions)}; product of 768 x 768 "
          f"{statistics.median(f['product_gflops'] for f in first):.0f} GFLOP/s; read in "
          f"{statistics.median(f['open_s'] for f in first):.2f} s\n")
    print("| | processor ms a step | wall ms | processor ÷ Sotto f32 | peak MiB | "
          "to first step, s | of product rate | predict one, ms |")
    print("|---|---|---|---|---|---|---|---|")
    for side, result in results.items():
        print(f"| {side} | " + " | ".join(row_of(result, first, job)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(TOP, "build/release"))
    parser.add_argument("--newer", help="a Python with a newer torch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="of a run; the first is not counted")
    parser.add_argument("--realtime", action="store_true", help="before all other processes")
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    with open(os.path.join(HERE, "jobs.json"), encoding="utf-8") as file:
        jobs = json.load(file)
    for name in options.jobs or jobs:
        if name not in jobs:
            sys.exit(f"compare.py: no job {name}; there are: {', '.join(jobs)}")
        compare(options, name, jobs[name])


if __name__ == "__main__":
    main()
