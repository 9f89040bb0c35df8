#!/usr/bin/env python3
"""Makes the golden models of tests/vectors: tiny random models, and what transformers, peft and
autograd compute with them.

    golden.py make [NAME...]     those that this transformers' major writes (see MODELS)
    golden.py check [NAME...]    computes all of them anew from the committed files, and compares

A folder holds a model directory (config.json, model.safetensors or shards), in adapter/ an adapter
that peft wrote, LoRA on all linear layers of the blocks, and golden.safetensors (float32):

    pictures [count, channels, side, side]  bytes 0..255
    tokens [n], starts [count + 1]          of texts, one after another without padding
    is_answer [n]                           of a language model: 1 where a token is a target
    labels [count]                          of a classifier: indices
    features [count, width]                 of pictures: the class token after the last norm,
                                            without an adapter
    logits [count, labels] or [n, vocabulary], loss [1]
    NAME [..] for each tensor NAME of the adapter: the gradient of the loss

Texts are computed in a padded batch under an attention mask, all in float64. The loss is the mean
over examples, or over all targets of a language model.
"""
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import peft
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
MAJOR = int(transformers.__version__.split(".")[0])
LABELS, VOCABULARY = 3, 40
LENGTHS = [7, 1, 12, 4]
PICTURE_MEAN, PICTURE_DEVIATION = [0.5, 0.4, 0.3], [0.25, 0.5, 0.3]

BERT_TARGETS = ["query", "key", "value", "attention.output.dense", "intermediate.dense",
                "output.dense"]
PICTURE_TARGETS = {4: BERT_TARGETS, 5: ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"]}
PICTURE_PATHS = {
    4: ["encoder.layer.", "attention.attention.query", "attention.attention.key",
        "attention.attention.value", "attention.output.dense", "intermediate.dense",
        "output.dense"],
    5: ["layers.", "attention.q_proj", "attention.k_proj", "attention.v_proj", "attention.o_proj",
        "mlp.fc1", "mlp.fc2"]}
LLAMA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
         "num_attention_heads": 4}
PICTURES = {**SIZES, "image_size": 12, "patch_size": 4, "num_channels": 3, "layer_norm_eps": 1e-6,
            "num_labels": LABELS}
LLAMA = {**SIZES, "vocab_size": VOCABULARY, "max_position_embeddings": 64,
         "num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2}
LLAMA3_ROPE = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 32}

# name: (major that makes it, class, configuration, dtype on disk, adapter)
MODELS = {
    "vit": (4, "ViTForImageClassification", PICTURES, torch.float32,
            {"r": 2, "lora_alpha": 3, "target_modules": PICTURE_TARGETS[4],
             "modules_to_save": ["classifier"]}),
    # A second token before the patches; names of transformers 5 in the adapter.
    "deit": (5, "DeiTForImageClassification", PICTURES, torch.float32,
             {"r": 2, "lora_alpha": 3,
              "target_modules": PICTURE_TARGETS[5],
              "modules_to_save": ["classifier"]}),
    "bert": (5, "BertForSequenceClassification",
             {**SIZES, "vocab_size": VOCABULARY, "max_position_embeddings": 16,
              "type_vocab_size": 2, "num_labels": LABELS}, torch.float32,
             {"r": 3, "lora_alpha": 4, "target_modules": BERT_TARGETS, "use_rslora": True,
              "rank_pattern": {"query": 1, "intermediate.dense": 4}, "task_type": "SEQ_CLS"}),
    # Untied, grouped kv heads, plain rotary positions.
    "llama": (4, "LlamaForCausalLM", {**LLAMA, "rms_norm_eps": 1e-5}, torch.float32,
              {"r": 2, "lora_alpha": 4, "target_modules": LLAMA_TARGETS, "task_type": "CAUSAL_LM"}),
    # Tied, stretched rotary positions, bf16 in shards; adapters in the top block only.
    "llama3": (5, "LlamaForCausalLM",
               {**LLAMA, "rms_norm_eps": 1e-5, "tie_word_embeddings": True,
                "rope": (LLAMA3_ROPE, 500000.0)}, torch.bfloat16,
               {"r": 2, "lora_alpha": 2, "target_modules": LLAMA_TARGETS,
                "layers_to_transform": [1], "task_type": "CAUSAL_LM"}),
    # Biases at query, key and value; tied; f16.
    "qwen2": (4, "Qwen2ForCausalLM",
              {**LLAMA, "rms_norm_eps": 1e-6, "tie_word_embeddings": True,
               "use_sliding_window": False}, torch.float16,
              {"r": 2, "lora_alpha": 4, "target_modules": LLAMA_TARGETS, "task_type": "CAUSAL_LM"}),
    # Heads whose widths do not add up to the model's.
    "mistral": (5, "MistralForCausalLM",
                {**LLAMA, "rms_norm_eps": 1e-5, "head_dim": 12, "sliding_window": None},
                torch.float32,
                {"r": 2, "lora_alpha": 4, "target_modules": LLAMA_TARGETS,
                 "alpha_pattern": {"o_proj": 8}, "task_type": "CAUSAL_LM"}),
}
IS_BYTES = {"pictures", "tokens", "starts", "is_answer", "labels"}


def configuration(name):
    kind, values = MODELS[name][1], dict(MODELS[name][2])
    rope = values.pop("rope", None)
    if rope is not None and MAJOR >= 5:
        values["rope_parameters"] = {**rope[0], "rope_theta": rope[1]}
    elif rope is not None:
        values.update(rope_scaling=rope[0], rope_theta=rope[1])
    return getattr(transformers, kind).config_class(**values)


def perturb(parameters, scale):
    with torch.no_grad():
        for parameter in parameters:
            size = 0.5 if parameter.dim() == 1 else 1.5 / parameter[0].numel() ** 0.5
            parameter.add_(scale * size * torch.randn_like(parameter))


def make_model(name):
    """Writes the model directory."""
    folder = VECTORS / name
    model = getattr(transformers, MODELS[name][1])(configuration(name))
    perturb(model.parameters(), 1.0 if MODELS[name][2] is PICTURES else 0.5)
    model.tie_weights()
    size = "15KB" if MODELS[name][3] is torch.bfloat16 else "1GB"
    model.to(MODELS[name][3]).save_pretrained(folder, safe_serialization=True, max_shard_size=size)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if MODELS[name][2] is PICTURES:
        (folder / "preprocessor_config.json").write_text(json.dumps({
            "do_resize": True, "size": {"height": 12, "width": 12}, "resample": 2,
            "do_rescale": True, "rescale_factor": 1.0 / 255.0, "do_normalize": True,
            "image_mean": PICTURE_MEAN, "image_std": PICTURE_DEVIATION}, indent=2) + "\n")
    else:
        make_tokenizer().save(str(folder / "tokenizer.json"))


def make_tokenizer():
    """Of letters; the tokens of the golden texts are random and not made by it."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [chr(ord("a") + letter) for letter in range(VOCABULARY - len(words) - 14)]
    words += ["##" + chr(ord("a") + letter) for letter in range(VOCABULARY - len(words))]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(
        {word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.add_special_tokens(words[:5])
    return tokenizer


def load_config(name, folder):
    config = getattr(transformers, MODELS[name][1]).config_class.from_pretrained(folder)
    if MAJOR < 5 and "rope" in MODELS[name][2]:  # 4 passes over rope_parameters
        config.rope_scaling, config.rope_theta = MODELS[name][2]["rope"]
    return config


def load_model(name):
    """float64 and without dropout, whatever the directory says."""
    kind = getattr(transformers, MODELS[name][1])
    return kind.from_pretrained(VECTORS / name, config=load_config(name, VECTORS / name),
                                torch_dtype=torch.float64).eval()


def load_adapted(name):
    """peft finds a picture's modules only by the names of the transformers that it runs with."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(shutil.copytree(VECTORS / name / "adapter", scratch + "/adapter"))
        if MODELS[name][2] is PICTURES:
            tensors = load_file(folder / "adapter_model.safetensors")
            save_file({picture_name(key, MAJOR): value for key, value in tensors.items()},
                      folder / "adapter_model.safetensors")
            config = json.loads((folder / "adapter_config.json").read_text())
            config["target_modules"] = PICTURE_TARGETS[MAJOR]
            (folder / "adapter_config.json").write_text(json.dumps(config))
        return peft.PeftModel.from_pretrained(load_model(name), folder, is_trainable=True).double()


def picture_name(name, major):
    """A tensor's name in the words of a major version of transformers."""
    for words in zip(PICTURE_PATHS[4], PICTURE_PATHS[5]):
        old, new = words if major == 5 else reversed(words)
        name = re.sub(rf"(?<=[.\d]){re.escape(old)}(?=[.\d])", new, name)
    return name


def make_adapter(name):
    """Writes adapter/, by peft, with trained-looking values."""
    folder = VECTORS / name
    model = peft.get_peft_model(load_model(name), peft.LoraConfig(**MODELS[name][4]))
    trained = [(key, value) for key, value in model.named_parameters() if value.requires_grad]
    with torch.no_grad():
        for key, value in trained:
            value.copy_(0.3 * torch.randn_like(value) if "lora_" in key else
                        value + 0.1 * torch.randn_like(value))
    model.float().save_pretrained(folder / "adapter", save_embedding_layers=False)
    (folder / "adapter" / "README.md").unlink()
    path = folder / "adapter" / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = name
    config["target_modules"].sort()  # a set, in another order each time
    path.write_text(json.dumps(config, indent=2) + "\n")


def make_inputs(name):
    if MODELS[name][2] is PICTURES:
        return {"pictures": torch.randint(0, 256, (5, 3, 12, 12)),
                "labels": torch.tensor([0, 1, 2, 1, 0])}
    count = sum(LENGTHS)
    inputs = {"tokens": torch.randint(0, VOCABULARY, (count,)),
              "starts": torch.tensor([0] + list(numpy.cumsum(LENGTHS)))}
    if name == "bert":
        return {**inputs, "labels": torch.tensor([2, 0, 1, 1])}
    answers = torch.randint(0, 2, (count,))
    answers[inputs["starts"][:-1]] = 0
    return {**inputs, "is_answer": answers}


def padded(tokens, starts, value=0):
    texts = [tokens[first:last] for first, last in zip(starts[:-1], starts[1:])]
    return torch.nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=value)


def pixels(inputs):
    mean, deviation = (torch.tensor(values, dtype=torch.float64).view(3, 1, 1)
                       for values in (PICTURE_MEAN, PICTURE_DEVIATION))
    return (inputs["pictures"].double() / 255.0 - mean) / deviation


def forward(model, inputs):
    """Logits, one row an example or a token, and the loss."""
    if "pictures" in inputs:
        logits = model(pixel_values=pixels(inputs)).logits
        return logits, torch.nn.functional.cross_entropy(logits, inputs["labels"])
    tokens, starts = inputs["tokens"], inputs["starts"]
    mask = padded(torch.ones_like(tokens), starts)
    logits = model(input_ids=padded(tokens, starts), attention_mask=mask).logits
    if "labels" in inputs:
        return logits, torch.nn.functional.cross_entropy(logits, inputs["labels"])
    targets = padded(torch.where(inputs["is_answer"] == 1, tokens, -100), starts, -100)
    loss = torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), targets[:, 1:].reshape(-1))
    return logits[mask == 1], loss


def adapted(name, inputs):
    """Everything that golden.safetensors holds beside the inputs."""
    features = {}
    if "pictures" in inputs:
        with torch.no_grad():
            states = load_model(name).base_model(pixel_values=pixels(inputs)).last_hidden_state
        features["features"] = states[:, 0]
    model = load_adapted(name).eval()
    logits, loss = forward(model, inputs)
    loss.backward()
    for value in model.parameters():
        value.data = torch.zeros_like(value) if value.grad is None else value.grad
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch, save_embedding_layers=False)
        gradient = load_file(scratch + "/adapter_model.safetensors")
    if MODELS[name][2] is PICTURES:
        gradient = {picture_name(key, MODELS[name][0]): value for key, value in gradient.items()}
    return {"logits": logits.detach(), "loss": loss.detach().view(1), **features, **gradient}


def make(name):
    if MODELS[name][0] != MAJOR:
        return
    shutil.rmtree(VECTORS / name, ignore_errors=True)
    torch.manual_seed(20)
    make_model(name)
    make_adapter(name)
    inputs = make_inputs(name)
    values = {**inputs, **adapted(name, inputs)}
    save_file({key: value.float().contiguous() for key, value in values.items()},
              VECTORS / name / "golden.safetensors")
    for path in (VECTORS / name).rglob("*.*"):
        path.chmod(0o644)


def check(name):
    known = load_file(VECTORS / name / "golden.safetensors")
    inputs = {key: value.long() for key, value in known.items() if key in IS_BYTES}
    worst = 0.0
    found = adapted(name, inputs)
    if set(known) != set(found) | set(inputs):
        sys.exit(f"{name}: other tensors: {sorted(set(known) ^ (set(found) | set(inputs)))}")
    for key, value in found.items():
        scale = max(1.0, float(known[key].abs().max()))
        worst = max(worst, float((known[key] - value.float()).abs().max()) / scale)
    print(f"{name}: {len(found)} tensors, largest difference {worst:.1e}")
    if worst > 1e-6:
        sys.exit(f"{name}: golden.safetensors is not what this model computes")


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for name in sys.argv[2:] or MODELS:
        {"make": make, "check": check}[sys.argv[1]](name)


if __name__ == "__main__":
    main()
