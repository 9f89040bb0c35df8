"""One job of tests/bench/train on PyTorch; prints one line of JSON.

    torch_side.py JOB DTYPE STEPS      DTYPE: f32, bf16

Plain torch modules; the adapters are PEFT's formula, W x + B (A x) alpha / r, beside frozen
weights. Where this torch has scaled_dot_product_attention it is used. One thread, unless
OMP_NUM_THREADS says otherwise. In bf16 everything is: weights, adapters, activations.
"""
import json
import os
import resource
import sys
import time

BEGAN = float(os.environ.get("BENCH_BEGAN", time.time()))

import torch
import torch.nn.functional as F
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
RANK, ALPHA, LABELS = 8, 16, 10


class Lora(nn.Module):
    def __init__(self, inner, outer, bias):
        super().__init__()
        self.base = nn.Linear(inner, outer, bias=bias)
        self.a = nn.Linear(inner, RANK, bias=False)
        self.b = nn.Linear(RANK, outer, bias=False)
        nn.init.zeros_(self.b.weight)
        self.adapter = True

    def forward(self, x):
        return self.base(x) + self.b(self.a(x)) * (ALPHA / RANK)


class Rms(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


def turn(x, rotary):
    cosines, sines = rotary
    half = x.shape[-1] // 2
    return x * cosines + torch.cat((-x[..., half:], x[..., :half]), -1) * sines


class Block(nn.Module):
    def __init__(self, job):
        super().__init__()
        width, kv = job["width"], job["kv_heads"] * job["width"] // job["heads"]
        self.job, self.is_llama = job, job["family"] == "llama"
        bias = not self.is_llama
        norm = Rms if self.is_llama else nn.LayerNorm
        self.norm1, self.norm2 = norm(width), norm(width)
        self.query, self.value = Lora(width, width, bias), Lora(width, kv, bias)
        self.key = nn.Linear(width, kv, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.up = nn.Linear(width, job["mlp_width"], bias=bias)
        self.down = nn.Linear(job["mlp_width"], width, bias=bias)
        if self.is_llama:
            self.gate = nn.Linear(width, job["mlp_width"], bias=False)

    def attend(self, x, rotary):
        batch, rows, width = x.shape
        heads, kv_heads = self.job["heads"], self.job["kv_heads"]
        q, k, v = (y.view(batch, rows, -1, width // heads).transpose(1, 2)
                   for y in (self.query(x), self.key(x), self.value(x)))
        if self.is_llama:
            q, k = turn(q, rotary), turn(k, rotary)
            k, v = (y.repeat_interleave(heads // kv_heads, 1) for y in (k, v))
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.is_llama)
        else:
            scores = (q @ k.transpose(-1, -2)) * (width // heads) ** -0.5
            if self.is_llama:
                scores = scores + torch.full((rows, rows), float("-inf"), dtype=x.dtype).triu(1)
            y = F.softmax(scores, -1) @ v
        return self.out(y.transpose(1, 2).reshape(batch, rows, width))

    def mlp(self, x):
        if self.is_llama:
            return self.down(F.silu(self.gate(x)) * self.up(x))
        return self.down(F.gelu(self.up(x)))

    def forward(self, x, rotary):
        if self.job["family"] == "bert":
            x = self.norm1(x + self.attend(x, rotary))
            return self.norm2(x + self.mlp(x))
        x = x + self.attend(self.norm1(x), rotary)
        return x + self.mlp(self.norm2(x))


class Model(nn.Module):
    def __init__(self, job):
        super().__init__()
        width, rows = job["width"], job["rows"]
        self.job = job
        if job["family"] == "vit":
            self.patches = nn.Conv2d(3, width, job["patch_side"], job["patch_side"])
            self.first = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        else:
            self.words = nn.Embedding(job["vocabulary"], width)
            self.words.weight.data.mul_(0.02)
        if job["family"] != "llama":
            self.positions = nn.Parameter(torch.randn(1, rows, width) * 0.02)
            self.classifier = nn.Linear(width, LABELS)
        self.blocks = nn.ModuleList(Block(job) for _ in range(job["blocks"]))
        self.norm = Rms(width) if job["family"] == "llama" else nn.LayerNorm(width)
        if job["family"] == "bert":
            self.pooler = nn.Linear(width, width)
        for name, parameter in self.named_parameters():
            parameter.requires_grad = ".a." in name or ".b." in name or "classifier" in name

    def rotary(self, rows, dtype):
        head = self.job["width"] // self.job["heads"]
        angles = torch.outer(torch.arange(rows), 10000.0 ** -(torch.arange(0, head, 2) / head))
        angles = torch.cat((angles, angles), -1)
        return angles.cos().to(dtype), angles.sin().to(dtype)

    def forward(self, x):
        family, rotary = self.job["family"], None
        if family == "vit":
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat((self.first.expand(x.shape[0], -1, -1), x), 1) + self.positions
        else:
            x = self.words(x)
        if family == "bert":
            x = self.norm(x + self.positions)
        if family == "llama":
            rotary = self.rotary(x.shape[1], x.dtype)
        for block in self.blocks:
            x = block(x, rotary)
        if family == "llama":
            return F.linear(self.norm(x), self.words.weight)
        if family == "bert":
            return self.classifier(torch.tanh(self.pooler(x[:, 0])))
        return self.classifier(self.norm(x)[:, 0])


def example(job, dtype):
    torch.manual_seed(1)
    if job["family"] == "vit":
        shape = (job["batch"], 3, job["image_side"], job["image_side"])
        return torch.randn(shape).to(dtype), torch.randint(LABELS, (job["batch"],))
    x = torch.randint(job["vocabulary"], (job["batch"], job["rows"]))
    return x, x if job["family"] == "llama" else torch.randint(LABELS, (job["batch"],))


def lose(job, logits, y):
    if job["family"] == "llama":
        return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), y[:, 1:].flatten())
    return F.cross_entropy(logits.float(), y)


def main():
    with open(os.path.join(HERE, "jobs.json"), encoding="utf-8") as file:
        job = json.load(file)[sys.argv[1]]
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[2]]
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    model = Model(job).to(dtype)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-4)
    x, y = example(job, dtype)
    ready = time.time() - BEGAN
    steps, processor = [], []
    for _ in range(int(sys.argv[3])):
        start, start_cpu = time.perf_counter(), time.process_time()
        optimiser.zero_grad(set_to_none=True)
        loss = lose(job, model(x), y)
        loss.backward()
        optimiser.step()
        float(loss.detach())
        steps.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.process_time() - start_cpu))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    model.eval()
    latencies = []
    with torch.inference_mode():
        for _ in range(3):
            start = time.process_time()
            model(x[:1])
            latencies.append(1e3 * (time.process_time() - start))
    print(json.dumps({"torch": torch.__version__.split("+")[0], "step_ms": steps,
                      "step_cpu_ms": processor, "peak_mib": peak, "ready_s": ready,
                      "predict_ms": min(latencies)}))


if __name__ == "__main__":
    main()
