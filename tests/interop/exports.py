#!/usr/bin/env python3
"""What `sotto-participant export` writes, read by other people's code.

    exports.py BUILD

Merged models: transformers loads them without a missing or unexpected tensor; every weight is the
one that peft merges in float64, rounded once to the base model's type; and with float32 the logits
are those of golden.safetensors within 1e-4. The same with a base model without a head, whose names
lack the prefix. GGUF adapters: the reader of PyPI's gguf finds what llama.cpp asks for, and scale,
A and B are the adapter's, with the rows of query and key where neighbours turn together.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import gguf
import golden
import numpy
import torch
import transformers
from safetensors.torch import load_file

# Half a unit in the last place, as a part of the value.
ROUNDING = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}
MODULES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
           "attn_output": "self_attn.o_proj", "ffn_up": "mlp.up_proj",
           "ffn_down": "mlp.down_proj", "ffn_gate": "mlp.gate_proj"}


def export(build, model, adapter, kind, out):
    subprocess.run([f"{build}/bin/sotto-participant", "export", "--model", model, "--adapter",
                    adapter, kind, out], check=True, stdout=subprocess.DEVNULL)


def load_merged(name, folder):
    """As it is on disk, and strictly."""
    kind = getattr(transformers, golden.MODELS[name][1])
    config = golden.load_config(name, folder)
    model, report = kind.from_pretrained(folder, config=config, torch_dtype="auto",
                                         output_loading_info=True)
    if report["missing_keys"] or report["unexpected_keys"] or report["mismatched_keys"]:
        sys.exit(f"{name}: {report}")
    return model.eval()


def check_weights(name, merged):
    exact = golden.load_adapted(name).merge_and_unload().state_dict()
    worst = 0.0
    for key, value in merged.state_dict().items():
        allowed = ROUNDING[golden.MODELS[name][3]] * exact[key].abs() + 2.0**-25
        worst = max(worst, float(((value.double() - exact[key]).abs() / allowed).max()))
    return worst


def check_merged(build, name, base, scratch):
    folder = scratch / f"{base.name}-merged"
    export(build, base, golden.VECTORS / name / "adapter", "--merged", folder)
    for path in folder.glob("*.safetensors"):
        load_file(path)
    merged = load_merged(name, folder)
    known = load_file(golden.VECTORS / name / "golden.safetensors")
    inputs = {key: value.long() for key, value in known.items() if key in golden.IS_BYTES}
    worst = check_weights(name, merged)
    with torch.no_grad():
        logits, _ = golden.forward(merged.double(), inputs)
    difference = float((logits - known["logits"]).abs().max())
    print(f"{base.name}: merged model, {worst:.2f} of the rounding allowed, logits differ by "
          f"{difference:.1e}")
    if worst > 1.01 or (golden.MODELS[name][3] is torch.float32 and difference > 1e-4):
        sys.exit(f"{base.name}: the merged model is another one")


def make_bare(name, scratch):
    """The golden base model as one without a head is saved."""
    folder = scratch / f"{name}-bare"
    model = golden.load_model(name).base_model.to(golden.MODELS[name][3])
    model.save_pretrained(folder, safe_serialization=True)
    for file in ("tokenizer.json", "preprocessor_config.json"):
        if (golden.VECTORS / name / file).exists():
            shutil.copy(golden.VECTORS / name / file, folder)
    return folder


def rotate(rows, head_width, neighbours):
    """Rotary positions on [positions, heads * head_width]: of neighbours, or of halves."""
    positions, width = rows.shape
    heads = rows.reshape(positions, width // head_width, head_width)
    angles = numpy.outer(numpy.arange(positions),
                         10000.0 ** (-2 * numpy.arange(head_width // 2) / head_width))[:, None]
    half = head_width // 2
    one, two = (heads[..., 0::2], heads[..., 1::2]) if neighbours else (
        heads[..., :half], heads[..., half:])
    turned = numpy.stack([one * numpy.cos(angles) - two * numpy.sin(angles),
                          one * numpy.sin(angles) + two * numpy.cos(angles)])
    return turned.reshape(2, positions, -1)


def check_turning(name, ours, theirs, head_width):
    """The same turned pairs, whichever elements of a head make one."""
    steps = numpy.random.default_rng(1).normal(size=(3, ours.shape[1]))
    same = numpy.allclose(rotate(steps @ ours.T, head_width, False),
                          rotate(steps @ theirs.T, head_width, True))
    if not same:
        sys.exit(f"{name}: query and key do not turn as they should")


def check_gguf(build, name, scratch):
    path = scratch / f"{name}.gguf"
    export(build, golden.VECTORS / name, golden.VECTORS / name / "adapter", "--gguf", path)
    reader = gguf.GGUFReader(path)
    fields = {key: field.contents() for key, field in reader.fields.items()}
    architecture = "qwen2" if name == "qwen2" else "llama"
    wanted = {"general.architecture": architecture, "general.type": "adapter",
              "adapter.type": "lora"}
    if any(fields.get(key) != value for key, value in wanted.items()):
        sys.exit(f"{name}: {fields}")
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    model = golden.load_adapted(name)
    head_width = golden.load_config(name, golden.VECTORS / name).head_dim if name != "qwen2" else 8
    stored = load_file(golden.VECTORS / name / "adapter" / "adapter_model.safetensors")
    if len(tensors) != len(stored):
        sys.exit(f"{name}: {len(tensors)} tensors, the adapter has {len(stored)}")
    for key in [key for key in tensors if key.endswith("lora_a")]:
        _, block, module, _, _ = key.split(".")
        layer = model.base_model.model.model.layers[int(block)].get_submodule(MODULES[module])
        a, b = tensors[key], tensors[key[:-1] + "b"]
        scaled = b.astype(float) * fields["adapter.lora.alpha"] / b.shape[1]
        ours = layer.scaling["default"] * layer.lora_B["default"].weight.detach().numpy()
        if module in ("attn_q", "attn_k") and architecture == "llama":
            check_turning(name, ours, scaled, head_width)
            heads = ours.reshape(-1, 2, head_width // 2, ours.shape[1])
            ours = heads.swapaxes(1, 2).reshape(ours.shape)
        if not (numpy.array_equal(a, layer.lora_A["default"].weight.detach().float().numpy())
                and numpy.allclose(scaled, ours, rtol=1e-6)):
            sys.exit(f"{name}: {key} is not the adapter's")
    print(f"{name}: GGUF adapter, {len(tensors)} tensors")


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as text:
        scratch = pathlib.Path(text)
        for name in golden.MODELS:
            check_merged(sys.argv[1], name, golden.VECTORS / name, scratch)
            if "task_type" in golden.MODELS[name][4] and name != "bert":
                check_gguf(sys.argv[1], name, scratch)
            else:
                check_merged(sys.argv[1], name, make_bare(name, scratch), scratch)


if __name__ == "__main__":
    main()
