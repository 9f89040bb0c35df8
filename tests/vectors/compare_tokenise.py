#!/usr/bin/env python3
"""Holds the indices of real tokenizer.json files against PyPI tokenizers, on texts made at random, and where the file
has a decoder the text of those indices and of indices at random.

    tests/vectors/compare_tokenise.py build/release/bin/bench_tokenise FILE... [--texts N] [--seed S]

Needs PyPI tokenizers (0.23.3 was used), so it is no part of the suite. A third of the characters is ASCII, the
rest of all of Unicode 14, with pieces of tests/vectors/tokenise and tokens of the file between them. Not compared: characters
that the interpreter's Unicode does not know yet, and texts whose normal forms the reference makes by an older Unicode
than the interpreter does (about one in 500).
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

from tokenizers import Tokenizer, decoders, normalizers

HERE = os.path.dirname(os.path.abspath(__file__))


def pieces_of(path):
    with open(os.path.join(HERE, 'tokenise', 'gpt2.ids'), encoding='utf-8') as file:
        texts = [text for text, _ in json.load(file) if text]
    with open(path, encoding='utf-8') as file:
        added = [token['content'] for token in json.load(file).get('added_tokens') or []]
    return texts, added or ['[MASK]']


def piece(chance, texts, added):
    kind = chance.random()
    if kind < 0.35:
        return chr(chance.randrange(32, 127))
    if kind < 0.45:
        return chance.choice(' \n\r\t\'\u2019')
    if kind < 0.6:
        return chr(chance.randrange(0x80, 0x3000))
    if kind < 0.7:
        return chr(chance.randrange(0x3000, 0xd800))
    if kind < 0.75:
        return chr(chance.randrange(0xe000, 0x20000))
    if kind < 0.9:
        text = chance.choice(texts)
        first = chance.randrange(len(text))
        return text[first:first + chance.randrange(1, 8)]
    return chance.choice(added)


FORMS = {'NFC': normalizers.NFC(), 'NFD': normalizers.NFD(), 'NFKC': normalizers.NFKC(),
         'NFKD': normalizers.NFKD()}


def is_known(text):
    return all(unicodedata.category(c) != 'Cn' for c in text) and all(
        form.normalize_str(text) == unicodedata.normalize(name, text)
        for name, form in FORMS.items())


def said(reference, ids, chance):
    """What else is compared: the text of the indices, and a list of others with theirs."""
    if not isinstance(reference.decoder, (decoders.ByteLevel, decoders.Metaspace,
                                          decoders.Sequence)):
        return []
    size = reference.get_vocab_size(with_added_tokens=True)
    other = [chance.choice(ids or [0]) if chance.random() < 0.5 else chance.randrange(size)
             for _ in range(chance.randrange(30))]
    return [reference.decode(ids), other, reference.decode(other)]


def compare(program, path, count, seed):
    reference = Tokenizer.from_file(path)
    reference.no_padding()
    chance = random.Random(seed)
    texts, added = pieces_of(path)
    pairs = []
    while len(pairs) < count:
        text = ''.join(piece(chance, texts, added) for _ in range(chance.randrange(1, 60)))
        if is_known(text):
            ids = reference.encode(text).ids
            pairs.append([text, ids] + said(reference, ids, chance))
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump(pairs, file)
        file.flush()
        done = subprocess.run([program, path, file.name, 'compare'], capture_output=True,
                              text=True, check=False)
    print(f'{path}: {(done.stdout + done.stderr).strip().splitlines()[-1]}')
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('program')
    parser.add_argument('files', nargs='+')
    parser.add_argument('--texts', type=int, default=10000)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    same = [compare(options.program, path, options.texts, options.seed) for path in options.files]
    sys.exit(0 if all(same) else 1)


if __name__ == '__main__':
    main()
