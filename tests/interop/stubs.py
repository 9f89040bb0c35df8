#!/usr/bin/env python3
"""Makes stubs of the CUDA libraries that PyPI's torch is linked against: a CPU calls none of them.

    stubs.py FOLDER/torch/lib

torch for x86_64 comes from PyPI with CUDA alone, and its Python module does not load without the
libraries that it names: 2.5 GB of packages, none of which a CPU executes. Each becomes a library of
its name and version in which every function aborts. The CUDA runtime is the real one: it is called
at the start, is small, and says itself that there is no device.
"""
import collections
import pathlib
import subprocess
import sys

# Libraries whose symbols carry no version, by the prefix of their functions.
UNVERSIONED = {"libcurand.so.10": "curand", "libnccl.so.2": "nccl",
               "libcusparseLt.so.0": "cusparseLt"}


def undefined_symbols(folder):
    """(symbol, version) of everything that torch's own libraries leave to others."""
    for library in sorted(folder.glob("libtorch*.so")) + sorted(folder.glob("libc10*.so")):
        lines = subprocess.run(["nm", "-D", "--undefined-only", library], capture_output=True,
                               text=True, check=True).stdout.splitlines()
        for line in lines:
            symbol, _, version = line.split()[-1].partition("@")
            yield symbol, version


def symbols_by_library(folder):
    wanted = collections.defaultdict(set, {library: set() for library in UNVERSIONED})
    for symbol, version in undefined_symbols(folder):
        if version.startswith(("libcu", "libnv")) and not version.startswith("libcudart"):
            wanted[version].add(symbol)
        for library, prefix in UNVERSIONED.items():
            if not version and symbol.startswith(prefix):
                wanted[library].add(symbol)
    return wanted


def make_stub(folder, library, symbols):
    code = "extern void abort(void);\n" + "".join(
        f"void {symbol}(void) {{ abort(); }}\n" for symbol in sorted(symbols))
    versions = folder / "stub.map"
    versions.write_text(f"{library} {{ global: *; }};\n")
    subprocess.run(["cc", "-x", "c", "-shared", "-fPIC", "-fno-builtin", f"-Wl,-soname,{library}",
                    f"-Wl,--version-script={versions}", "-o", folder / library, "-"],
                   input=code, text=True, check=True)
    versions.unlink()


def main():
    folder = pathlib.Path(sys.argv[1])
    for library, symbols in symbols_by_library(folder).items():
        make_stub(folder, library, symbols)


if __name__ == "__main__":
    main()
