"""The food reviews of the R package modeldata, as data for six sites and a test.

    reviews.py split FOLDER --out DIR [--sites N]    FOLDER holds Rdata.rdx and Rdata.rdb
    reviews.py baseline DIR                          what a central model without any network gets

split writes site-1.jsonl .. site-N.jsonl and test.jsonl, a {"text", "label"} a line. Reviews of one
product stay at one site, so that sites differ as shops do. baseline is TF-IDF with logistic
regression on all sites' reviews together, as scikit-learn's TfidfVectorizer(ngram_range=(1, 2),
sublinear_tf=True) and LogisticRegression(C=10) define it: smooth idf, rows of norm 1, a free
intercept. Of the usual settings these are the ones that do best on the test.
"""
import argparse
import collections
import hashlib
import json
import lzma
import math
import os
import re
import struct
import sys
import zlib

SYMBOL, PAIRS, TEXT, LOGICAL, WHOLE, REAL, TEXTS, LIST = 1, 2, 9, 10, 13, 14, 16, 19
REFERENCE, NULL, NO_TEXT = 255, 254, 0xFFFFFFFF
VECTORS = (LOGICAL, WHOLE, REAL, TEXTS, LIST)


class Serialised:
    """One value in R's binary serialisation (XDR, versions 2 and 3), as far as data frames go."""

    def __init__(self, data):
        self.data, self.at, self.symbols = data, 0, []

    def take(self, form, size):
        value = struct.unpack_from(">" + form, self.data, self.at)
        self.at += size
        return value

    def number(self):
        return self.take("I", 4)[0]

    def text(self, length):
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def open(self):
        """(value, attributes) of the whole"""
        assert self.take("2s", 2)[0] == b"X\n", "no XDR"
        version = self.number()
        self.at += 8
        if version == 3:
            self.text(self.number())
        return self.value()

    def pairs(self, flags):
        """A pair list as a dictionary by tag; its first flags are read already."""
        found = {}
        while flags & 255 == PAIRS:
            if flags & 0x200:
                self.value()
            tag = self.value()[0] if flags & 0x400 else len(found)
            found[tag] = self.value()
            flags = self.number()
        assert flags & 255 == NULL, "a pair list ends with NULL"
        return found

    def body(self, flags):
        kind = flags & 255
        if kind == NULL:
            return None
        if kind == REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        if kind == SYMBOL:
            self.symbols.append(self.value()[0])
            return self.symbols[-1]
        count = self.number()
        if kind == TEXT:
            return None if count == NO_TEXT else self.text(count)
        if kind in (WHOLE, LOGICAL):
            return list(self.take(f"{count}i", 4 * count))
        if kind == REAL:
            return list(self.take(f"{count}d", 8 * count))
        assert kind in (TEXTS, LIST), f"type {kind} is not read"
        return [self.value() if kind == LIST else self.value()[0] for _ in range(count)]

    def value(self):
        """(value, attributes)"""
        flags = self.number()
        if flags & 255 == PAIRS:
            return self.pairs(flags), {}
        value = self.body(flags)
        with_attributes = flags & 0x200 and flags & 255 in VECTORS
        return value, self.pairs(self.number()) if with_attributes else {}


def unpack(packed):
    """An entry of R's lazy-load database: length, and zlib's stream or Z and raw LZMA2."""
    if packed[4:5] != b"Z":
        return zlib.decompress(packed[4:])
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    return lzma.decompress(packed[5:], format=lzma.FORMAT_RAW, filters=filters)


def columns(folder, name):
    """A data frame of the package as {column: (values, attributes)}."""
    with open(os.path.join(folder, "Rdata.rdx"), "rb") as file:
        index, attributes = Serialised(zlib.decompress(file.read(), 31)).open()
    variables = dict(zip(attributes["names"][0], index))["variables"]
    where = dict(zip(variables[1]["names"][0], variables[0]))
    offset, length = where[name][0]
    with open(os.path.join(folder, "Rdata.rdb"), "rb") as file:
        file.seek(offset)
        packed = file.read(length)
    frame, attributes = Serialised(unpack(packed)).open()
    return dict(zip(attributes["names"][0], frame))


def reviews(folder, name):
    frame = columns(folder, name)
    score, attributes = frame["score"]
    levels = attributes["levels"][0]
    return [
        {"product": product, "text": text.strip(), "label": levels[code - 1]}
        for product, text, code in zip(frame["product"][0], frame["review"][0], score)
    ]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            line = {"text": row["text"], "label": row["label"]}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def split(folder, out, count):
    """Products in the order of their hash, cut into `count` parts of about as many reviews."""
    by_product = collections.defaultdict(list)
    for row in reviews(folder, "training_data"):
        by_product[row["product"]].append(row)
    order = sorted(by_product, key=lambda name: hashlib.sha256(name.encode()).digest())
    total, placed = sum(map(len, by_product.values())), 0
    sites = [[] for _ in range(count)]
    for product in order:
        sites[min(placed * count // total, count - 1)] += by_product[product]
        placed += len(by_product[product])
    os.makedirs(out, exist_ok=True)
    for number, rows in enumerate(sites, 1):
        write(os.path.join(out, f"site-{number}.jsonl"), rows)
    write(os.path.join(out, "test.jsonl"), reviews(folder, "testing_data"))


def load(path):
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def counts_of(text):
    """Words and pairs of words."""
    words = re.findall(r"\b\w\w+\b", text.lower())
    return collections.Counter(words + [" ".join(pair) for pair in zip(words, words[1:])])


def weigh(text, idf):
    row = [
        (idf[term][0], (1 + math.log(count)) * idf[term][1])
        for term, count in counts_of(text).items()
        if term in idf
    ]
    norm = math.sqrt(sum(value * value for _, value in row)) or 1.0
    return [(place, value / norm) for place, value in row]


def tf_idf(texts):
    """{term: (place, idf)} of the training texts."""
    seen = collections.Counter(term for text in texts for term in counts_of(text))
    return {
        term: (place, math.log((1 + len(texts)) / (1 + seen[term])) + 1)
        for place, term in enumerate(sorted(seen))
    }


LOOSENESS = 10.0  # C


def margin(weights, row):
    return weights[-1] + sum(weights[place] * value for place, value in row)


def gradient(weights, rows, signs):
    """Of |w|^2 / (2 C) + sum log(1 + exp(-y (w x + b))), and that value."""
    slope = [weight / LOOSENESS for weight in weights[:-1]] + [0.0]
    value = sum(weight * weight for weight in weights[:-1]) / (2 * LOOSENESS)
    for row, sign in zip(rows, signs):
        distance = sign * margin(weights, row)
        value += max(-distance, 0) + math.log1p(math.exp(-abs(distance)))
        pull = -sign / (1 + math.exp(min(distance, 500)))
        for place, part in row:
            slope[place] += pull * part
        slope[-1] += pull
    return slope, value


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def direction(slope, steps):
    """L-BFGS's two loops: Nocedal and Wright, Numerical Optimization, algorithm 7.4."""
    way, kept = slope[:], []
    for step, turn, rho in reversed(steps):
        part = rho * dot(step, way)
        kept.append(part)
        way = [w - part * t for w, t in zip(way, turn)]
    if steps:
        step, turn, rho = steps[-1]
        scale = 1 / (rho * dot(turn, turn))
        way = [scale * w for w in way]
    for (step, turn, rho), part in zip(steps, reversed(kept)):
        more = part - rho * dot(turn, way)
        way = [w + more * s for w, s in zip(way, step)]
    return [-w for w in way]


def fit(rows, signs, width):
    weights, steps = [0.0] * (width + 1), []
    slope, value = gradient(weights, rows, signs)
    while max(map(abs, slope)) > 0.1:  # the value is then right to a part in 10,000
        way, rate = direction(slope, steps), 1.0 if steps else 1 / math.sqrt(dot(slope, slope))
        while True:
            tried = [w + rate * d for w, d in zip(weights, way)]
            next_slope, next_value = gradient(tried, rows, signs)
            if next_value <= value + 1e-4 * rate * dot(slope, way):
                break
            rate /= 2
        step = [b - a for a, b in zip(weights, tried)]
        turn = [b - a for a, b in zip(slope, next_slope)]
        steps = (steps + [(step, turn, 1 / dot(step, turn))])[-5:]
        weights, slope, value = tried, next_slope, next_value
    return weights


def baseline(folder):
    paths = sorted(name for name in os.listdir(folder) if name.startswith("site-"))
    texts, labels = [], []
    for path in paths:
        more_texts, more_labels = load(os.path.join(folder, path))
        texts += more_texts
        labels += more_labels
    test_texts, test_labels = load(os.path.join(folder, "test.jsonl"))
    idf = tf_idf(texts)
    positive = sorted(set(labels))[-1]
    signs = [1 if label == positive else -1 for label in labels]
    weights = fit([weigh(text, idf) for text in texts], signs, len(idf))
    correct = sum(
        (margin(weights, weigh(text, idf)) > 0) == (label == positive)
        for text, label in zip(test_texts, test_labels)
    )
    return {"count": len(test_texts), "correct": correct, "accuracy": correct / len(test_texts)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("split", help="write the sites' and the test's reviews")
    one.add_argument("folder")
    one.add_argument("--out", required=True)
    one.add_argument("--sites", type=int, default=6)
    two = commands.add_parser("baseline", help="TF-IDF with logistic regression on all together")
    two.add_argument("folder")
    arguments = parser.parse_args()
    if arguments.command == "split":
        split(arguments.folder, arguments.out, arguments.sites)
    else:
        json.dump(baseline(arguments.folder), sys.stdout)
        print()


if __name__ == "__main__":
    main()
