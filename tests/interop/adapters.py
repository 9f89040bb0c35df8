#!/usr/bin/env python3
"""Adapters that Sotto wrote, loaded by peft and transformers of this environment's major.

    adapters.py BUILD

For each golden model, Sotto reads the adapter that peft wrote and writes it again: with that one
the logits are those of golden.safetensors, within 1e-4. Adapters of the other kinds (one block with
ranks of its own, classifier alone, norms and biases) load without a missing tensor, and what the
model holds then is what the file holds.
"""
import pathlib
import subprocess
import sys
import tempfile
import warnings

import golden
import peft
import torch
import transformers
from safetensors.torch import load_file


def sotto(build, *arguments):
    subprocess.run([f"{build}/tests/interop_adapter", *map(str, arguments)], check=True)


def load_strictly(name, folder):
    """Fails where peft warns of missing keys."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(golden.load_model(name).float(), folder)
    missing = [str(warning.message) for warning in caught if "adapter keys" in str(warning.message)]
    if missing:
        sys.exit(f"{name}: {missing[0]}")
    return model.eval()


def check_logits(build, name, scratch):
    folder = golden.VECTORS / name
    known = load_file(folder / "golden.safetensors")
    inputs = {key: value.long() for key, value in known.items() if key in golden.IS_BYTES}
    sotto(build, "rewrite", folder / "config.json", folder / "adapter", scratch / name)
    with torch.no_grad():
        logits, _ = golden.forward(load_strictly(name, scratch / name).double(), inputs)
    difference = float((logits - known["logits"]).abs().max())
    print(f"{name}: adapter written by Sotto, logits differ by {difference:.1e}")
    if difference > 1e-4:
        sys.exit(f"{name}: other logits")


def stored_name(name):
    """A parameter's name in the model as it is in the file."""
    return name.replace(".default.", ".").replace(".modules_to_save.", ".").replace(
        ".base_layer.", ".")


def check_kind(build, name, kind, scratch):
    """All that the file holds under this major's names is in the model, bit for bit."""
    folder = scratch / f"{name}-{kind.replace(',', '-')}"
    sotto(build, "make", golden.VECTORS / name / "config.json", kind, folder)
    stored = load_file(folder / "adapter_model.safetensors")
    model = load_strictly(name, folder)
    held = {stored_name(key): value for key, value in model.named_parameters()
            if ".original_module." not in key}
    own = [key for key in stored if key in held]
    wrong = [key for key in own if not torch.equal(held[key], stored[key])]
    twice = name in ("vit", "deit")  # all but the classifier, under the names of both majors
    expected = len(stored) - (len(stored) - 2) // 2 * twice
    print(f"{name}: {kind}: {len(own)} tensors")
    if wrong or len(own) != expected:
        sys.exit(f"{name}: {kind}: {wrong[:1] or expected}")


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        for name in golden.MODELS:
            check_logits(sys.argv[1], name, pathlib.Path(scratch))
            for kind in ("all-linear", "norms", "head"):
                if kind != "head" or "labels" in load_file(
                        golden.VECTORS / name / "golden.safetensors"):
                    check_kind(sys.argv[1], name, kind, pathlib.Path(scratch))


if __name__ == "__main__":
    main()
