#!/usr/bin/env python3
"""Makes tests/vectors/vit: a tiny random vision transformer, and what an independent implementation computes with it.

Run once by hand, from the root of the tree; the suite reads the committed files and needs none of this.
    python3 -m venv --system-site-packages venv     # Debian 12: python3-torch 1.13, python3-numpy
    venv/bin/pip install transformers==4.30.2
    venv/bin/python tests/vectors/make_vit.py

The model is transformers' ViTForImageClassification; the adapters are forward hooks, the gradients autograd's.
golden.safetensors (float32):
    pictures [5, 3, 12, 12]  bytes 0..255
    labels   [5]             indices
    features [5, 32]         class token after the final norm, without adapters
    lanes    [n]             an adapter of rank 2, alpha 3 on all linear layers, and a head of 3 labels
    logits   [5, 3], loss [1], gradient [n]  with that adapter; cross-entropy, mean over the pictures
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import ViTConfig, ViTForImageClassification

FOLDER = pathlib.Path("tests/vectors/vit")
RANK, ALPHA, LABELS, PICTURES = 2, 3.0, 3, 5
MEAN, DEVIATION = [0.5, 0.4, 0.3], [0.25, 0.5, 0.3]
MODULES = [
    "attention.attention.query",
    "attention.attention.key",
    "attention.attention.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
]


def make_model():
    config = ViTConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        image_size=12, patch_size=4, num_channels=3, layer_norm_eps=1e-6, num_labels=LABELS,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model = ViTForImageClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.5 if parameter.dim() == 1 else 1.5 / parameter[0].numel() ** 0.5
            parameter.add_(scale * torch.randn_like(parameter))
    return model


def make_adapter(model):
    """The trained tensors in the order of a layout, and the hooks that put them to work."""
    tensors = []
    for block in range(model.config.num_hidden_layers):
        for module in MODULES:
            linear = model.vit.encoder.layer[block].get_submodule(module)
            a = (0.3 * torch.randn(RANK, linear.in_features)).requires_grad_()
            b = (0.3 * torch.randn(linear.out_features, RANK)).requires_grad_()
            tensors += [a, b]
            linear.register_forward_hook(
                lambda _, inputs, output, a=a, b=b: output + ALPHA / RANK * inputs[0] @ a.T @ b.T)
    return tensors + [model.classifier.weight, model.classifier.bias]


def lanes_of(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).contiguous()


def main():
    torch.manual_seed(20)
    torch.set_num_threads(1)
    model = make_model()
    FOLDER.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(FOLDER, safe_serialization=True)
    (FOLDER / "preprocessor_config.json").write_text(json.dumps({
        "do_resize": True, "size": {"height": 12, "width": 12}, "resample": 2,
        "do_rescale": True, "rescale_factor": 1.0 / 255.0,
        "do_normalize": True, "image_mean": MEAN, "image_std": DEVIATION}, indent=2) + "\n")

    pictures = torch.randint(0, 256, (PICTURES, 3, 12, 12)).float()
    labels = torch.tensor([0, 1, 2, 1, 0])
    pixels = (pictures / 255.0 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(
        DEVIATION).view(3, 1, 1)
    with torch.no_grad():
        features = model.vit(pixels).last_hidden_state[:, 0]
    tensors = make_adapter(model)
    logits = model(pixels).logits
    loss = torch.nn.functional.cross_entropy(logits, labels)
    gradients = torch.autograd.grad(loss, tensors)
    save_file({
        "pictures": pictures, "labels": labels.float(), "features": features.contiguous(),
        "lanes": lanes_of(tensors), "logits": logits.detach(), "loss": loss.detach().view(1),
        "gradient": lanes_of(gradients)}, FOLDER / "golden.safetensors")


if __name__ == "__main__":
    main()
