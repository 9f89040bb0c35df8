#!/usr/bin/env python3
"""Answers of a language model: `sotto-trainer predict` beside transformers' generate with peft.

    answers.py BUILD

A tiny Llama with random weights, fine-tuned by Sotto on two conversations; then both go on with
texts, and answer questions, always with the most probable token. The same text has to come out, by
PyPI tokenizers at the other side.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import peft
import torch
import transformers
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/bench/train"))
import model

TINY = {"family": "llama", "width": 64, "mlp_width": 128, "blocks": 3, "heads": 4, "kv_heads": 2,
        "vocabulary": 448}
LEARNT = {"What is the sky?": "The sky is blue, na\u00efve and \U0001f600.",
          "What is the grass?": "The grass is green."}
TEXTS = ["The", "What is", "def f(x):\n    return", "na\u00efve caf\u00e9s \u4f60\u597d", "a" * 40]
QUESTIONS = [*LEARNT, "Who is it?", "12 + 30"]
TOKENS = 40


def prepare(build, folder):
    model.write(str(folder / "base"), TINY)
    shutil.copy(ROOT / "tests/vectors/tokenise/smollm.json", folder / "base/tokenizer.json")
    with open(folder / "chat.jsonl", "w", encoding="utf-8") as file:
        for question, answer in LEARNT.items():
            file.write(json.dumps({"messages": [{"role": "user", "content": question},
                                                {"role": "assistant", "content": answer}]}) + "\n")
    subprocess.run([f"{build}/bin/sotto-participant", "train", "--model", folder / "base",
                    "--examples", folder / "chat.jsonl", "--chat", "chatml", "--epochs", "60",
                    "--batch", "2", "--learning-rate", "0.02", "--out", folder / "adapter"],
                   check=True, capture_output=True)


def said(build, folder, texts, *options):
    done = subprocess.run([f"{build}/bin/sotto-trainer", "predict", "--model", folder / "base",
                           "--adapter", folder / "adapter", "--json", "--tokens", str(TOKENS),
                           *options, "--", *texts], check=True, capture_output=True, text=True)
    return [row["answer"] for row in json.loads(done.stdout)]


def expected(folder, texts, end):
    tokenizer = Tokenizer.from_file(str(folder / "base/tokenizer.json"))
    base = transformers.AutoModelForCausalLM.from_pretrained(folder / "base",
                                                             torch_dtype=torch.float32)
    adapted = peft.PeftModel.from_pretrained(base, folder / "adapter").eval()
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            whole = adapted.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS,
                do_sample=False, pad_token_id=0,
                eos_token_id=None if end is None else tokenizer.token_to_id(end))
        yield tokenizer.decode(whole[0, ids.shape[1]:].tolist())


def check(name, found, known):
    known = list(known)
    print(f"{name}: {sum(a == b for a, b in zip(found, known))} of {len(known)} answers the same")
    if found != known:
        sys.exit(f"{found}\n{known}")


def main():
    build = sys.argv[1]
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        prepare(build, folder)
        check("texts", said(build, folder, TEXTS), expected(folder, TEXTS, None))
        asked = [f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
                 for question in QUESTIONS]
        check("questions", said(build, folder, QUESTIONS, "--chat", "chatml"),
              expected(folder, asked, "<|im_end|>"))


main()
