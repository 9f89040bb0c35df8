"""Model directories of the jobs in jobs.json: a Hugging Face config and random float32 weights."""
import array
import json
import math
import os
import random
import struct

NOISE = 1 << 16
# Texts come as numbers here: a tokeniser is only there because a model has one.
LETTERS = {chr(letter): letter - 33 for letter in range(33, 127)}


def vit_tensors(job):
    width, wide, patch = job["width"], job["mlp_width"], job["patch_side"]
    yield "vit.embeddings.cls_token", (1, 1, width)
    yield "vit.embeddings.position_embeddings", (1, job["rows"], width)
    yield "vit.embeddings.patch_embeddings.projection.weight", (width, 3, patch, patch)
    yield "vit.embeddings.patch_embeddings.projection.bias", (width,)
    for block in range(job["blocks"]):
        at = f"vit.encoder.layer.{block}."
        for norm in ("layernorm_before", "layernorm_after"):
            yield at + norm + ".weight", (width,)
            yield at + norm + ".bias", (width,)
        for name, rows, columns in (
                ("attention.attention.query", width, width),
                ("attention.attention.key", width, width),
                ("attention.attention.value", width, width),
                ("attention.output.dense", width, width),
                ("intermediate.dense", wide, width), ("output.dense", width, wide)):
            yield f"{at}{name}.weight", (rows, columns)
            yield f"{at}{name}.bias", (rows,)
    yield "vit.layernorm.weight", (width,)
    yield "vit.layernorm.bias", (width,)


def bert_tensors(job):
    width, wide = job["width"], job["mlp_width"]
    yield "bert.embeddings.word_embeddings.weight", (job["vocabulary"], width)
    yield "bert.embeddings.position_embeddings.weight", (512, width)
    yield "bert.embeddings.token_type_embeddings.weight", (2, width)
    yield "bert.embeddings.LayerNorm.weight", (width,)
    yield "bert.embeddings.LayerNorm.bias", (width,)
    for block in range(job["blocks"]):
        at = f"bert.encoder.layer.{block}."
        for name, rows, columns in (
                ("attention.self.query", width, width), ("attention.self.key", width, width),
                ("attention.self.value", width, width), ("attention.output.dense", width, width),
                ("intermediate.dense", wide, width), ("output.dense", width, wide)):
            yield f"{at}{name}.weight", (rows, columns)
            yield f"{at}{name}.bias", (rows,)
        for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
            yield f"{at}{norm}.weight", (width,)
            yield f"{at}{norm}.bias", (width,)
    yield "bert.pooler.dense.weight", (width, width)
    yield "bert.pooler.dense.bias", (width,)


def llama_tensors(job):
    width, wide = job["width"], job["mlp_width"]
    narrow = width // job["heads"] * job["kv_heads"]
    yield "model.embed_tokens.weight", (job["vocabulary"], width)
    for block in range(job["blocks"]):
        at = f"model.layers.{block}."
        for name, rows, columns in (
                ("self_attn.q_proj", width, width), ("self_attn.k_proj", narrow, width),
                ("self_attn.v_proj", narrow, width), ("self_attn.o_proj", width, width),
                ("mlp.gate_proj", wide, width), ("mlp.up_proj", wide, width),
                ("mlp.down_proj", width, wide)):
            yield f"{at}{name}.weight", (rows, columns)
        yield at + "input_layernorm.weight", (width,)
        yield at + "post_attention_layernorm.weight", (width,)
    yield "model.norm.weight", (width,)


def config_of(job):
    shape = {"hidden_size": job["width"], "intermediate_size": job["mlp_width"],
             "num_hidden_layers": job["blocks"], "num_attention_heads": job["heads"]}
    if job["family"] == "vit":
        return shape | {"model_type": "vit", "hidden_act": "gelu", "image_size": job["image_side"],
                        "patch_size": job["patch_side"], "num_channels": 3,
                        "layer_norm_eps": 1e-12, "qkv_bias": True}
    if job["family"] == "bert":
        return shape | {"model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12,
                        "vocab_size": job["vocabulary"], "max_position_embeddings": 512,
                        "type_vocab_size": 2, "position_embedding_type": "absolute"}
    return shape | {"model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5,
                    "num_key_value_heads": job["kv_heads"], "vocab_size": job["vocabulary"],
                    "max_position_embeddings": 2048, "rope_theta": 10000.0,
                    "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False}


def tensors_of(job):
    return {"vit": vit_tensors, "bert": bert_tensors, "llama": llama_tensors}[job["family"]](job)


def noise(generator, scale, mean):
    return array.array("f", [generator.gauss(mean, scale) for _ in range(NOISE)]).tobytes()


def write_weights(path, job):
    """A matrix is N(0, 1 / columns), a gain near 1, a bias near 0; a piece of noise, repeated."""
    generator = random.Random(1)
    entries, sizes, offset = {}, [], 0
    for name, shape in tensors_of(job):
        size = 4 * math.prod(shape)
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        sizes.append((name, shape, size))
        offset += size
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    known = {}
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for name, shape, size in sizes:
            is_gain = len(shape) == 1 and name.endswith("weight")
            key = (math.prod(shape[1:]) if len(shape) > 1 else 25, is_gain)
            if key not in known:
                known[key] = noise(generator, key[0] ** -0.5, 1.0 if is_gain else 0.0)
            file.write(known[key] * (size // len(known[key])) + known[key][:size % len(known[key])])


def write(folder, job):
    """The directory, unless it is there."""
    if os.path.exists(os.path.join(folder, "config.json")):
        return
    os.makedirs(folder, exist_ok=True)
    write_weights(os.path.join(folder, "model.safetensors"), job)
    inputs = {"model": {"type": "BPE", "vocab": LETTERS, "merges": []},
              "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
              "decoder": {"type": "ByteLevel"}}
    if job["family"] == "vit":
        inputs = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
                  "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    name = "preprocessor_config.json" if job["family"] == "vit" else "tokenizer.json"
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(inputs, file)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config_of(job), file)
