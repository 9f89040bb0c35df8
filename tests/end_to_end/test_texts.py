"""Sites with texts: three of them adapt a tiny BERT, which then names the labels at one."""
import json
import os
import random
import shutil
import sys
import unittest

from federation import SOURCE, Federation

sys.path.insert(0, os.path.join(SOURCE, "tests/vectors"))
import manifest  # noqa: E402

BINARIES = sys.argv.pop(1)
LABELS = "early,late"
LANGUAGE_MODEL = os.path.join(SOURCE, "tests/vectors/llama")


def texts(seed, count):
    """Words of the first or of the last letters that the model's tokeniser knows."""
    chance = random.Random(seed)
    for index in range(count):
        letters = "abcdefg" if index % 2 == 0 else "mnopqrstu"
        words = " ".join(chance.choice(letters) for _ in range(chance.randrange(4, 12)))
        yield {"text": words, "label": LABELS.split(",")[index % 2]}


class Texts(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=3)
        self.addCleanup(self.federation.close)
        f = self.federation
        os.mkdir(f.path("base"))
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            shutil.copy(os.path.join(SOURCE, "tests/vectors/bert", name), f.path("base"))

    def write(self, name, rows):
        path = self.federation.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        return path

    def evaluate(self, adapter, examples, *options):
        return self.federation.run("sotto-participant", "evaluate", "--model",
                                   self.federation.path("base"), "--adapter", adapter,
                                   "--examples", examples, "--json", *options)

    def train(self, examples, out, *options, code=0):
        f = self.federation
        return f.run("sotto-participant", "train", "--model", f.path("base"), "--examples",
                     examples, "--labels", LABELS, "--rank", 2, "--epochs", 20,
                     "--learning-rate", 0.02, "--out", out, *options, code=code)

    def test_campaign__of_texts__comes_home_and_names_labels(self):
        f = self.federation
        f.init_hub()
        f.serve()
        for name in f.names:
            rows = list(texts(name, 40)) + [{"text": "a b " * 20, "label": "early"}]
            f.enrol(name, "--examples", self.write(f"{name}.jsonl", rows))
            f.join(name)
        f.create_campaign("letters", "--labels", LABELS, "--rounds", 2, "--epochs", 10,
                          "--learning-rate", 0.02, "--cohort-min", 3, "--cohort-max", 3,
                          "--survivors-min", 3, "--gathering-deadline", 3)
        done = f.run("sotto-admin", "--credential", f.path("hub/admin"), "campaign", "start",
                     "letters", "--new-moments", code=76)
        self.assertIn("has no moments", done.stderr)
        told = f.admin("adapter", "verify", "letters", "--model", f.path("base"))
        self.assertRegex(told, "^campaign letters begins with what seed [0-9]+ draws: [0-9a-f]{64}")
        seed = f.campaign("letters")["definition"]["seed"]
        self.assertIn(f"what seed {seed} draws", told)
        self.assertIn(f"drawn from seed {seed}", f.admin("campaign", "show", "letters"))
        f.admin("campaign", "start", "letters")
        f.admin("campaign", "wait", "letters", "--timeout", 120)
        f.admin("adapter", "export", "letters", "--out", f.path("adapter"))
        score = json.loads(self.evaluate(f.path("adapter"),
                                         self.write("test.jsonl", texts("test", 60))).stdout)
        self.assertEqual(score["count"], 60)
        self.assertGreater(score["accuracy"], 0.9)
        told = f.run("sotto-participant", "predict", "--state", f.path("site-1"), "--json",
                     "a b c d e", "q r s t u").stdout
        self.assertEqual([row["label"] for row in json.loads(told)], LABELS.split(","))
        self.assertIn("1 of 41 texts are too long", f.tails())
        self.check_manifest()
        self.check_merged()

    def check_manifest(self):
        """The digests are those of a second implementation, over what was exported as PEFT."""
        f = self.federation
        rows = json.loads(f.admin("adapter", "manifest", "letters", "--json"))
        with open(f.path("adapter/adapter_model.safetensors"), "rb") as file:
            content = file.read()
        end = 8 + int.from_bytes(content[:8], "little")
        stored = json.loads(content[8:end])
        for row in rows:
            begin, finish = stored[row["name"]]["data_offsets"]
            line = manifest.line(row["name"], *row["shape"], content[end + begin:end + finish])
            self.assertEqual((row["dtype"], row["digest"]), ("F32", line.hex()))
        self.assertEqual(rows[-1]["name"], "base_model.model.classifier.bias")
        first = f.admin("adapter", "manifest", "letters").splitlines()[0]
        self.assertEqual(first, f"{rows[0]['digest']}  F32 {rows[0]['shape']}  {rows[0]['name']}")

    def check_merged(self):
        """The hub's adapter goes into the campaign's own base model, and into no other."""
        f = self.federation
        shutil.copytree(f.path("base"), f.path("other"))
        with open(f.path("other/config.json"), "a", encoding="utf-8") as config:
            config.write(" ")
        export = ("adapter", "export", "letters", "--merged", f.path("merged"), "--model")
        done = f.run("sotto-admin", "--credential", f.path("hub/admin"), *export, f.path("other"),
                     code=76)
        self.assertRegex(done.stderr, "letters is for the base model [0-9a-f]{12}.*other is "
                                      "[0-9a-f]{12}.*give the model that it was made for")
        self.assertFalse(os.path.exists(f.path("merged")))
        f.admin(*export, f.path("base"))
        self.assertTrue(os.path.exists(f.path("merged/model.safetensors")))

    def test_train__a_language_model__takes_texts_and_no_labels(self):
        f = self.federation
        examples = self.write("plain.jsonl", [{"text": "the cat sat"}, {"text": "a dog ran"}])
        run = ("sotto-participant", "train", "--model", LANGUAGE_MODEL, "--examples", examples,
               "--epochs", 4, "--batch", 2, "--learning-rate", 0.01, "--json", "--out")
        done = json.loads(f.run(*run, f.path("spoken/")).stdout)
        self.assertLess(done["loss_last"], done["loss_first"])
        self.assertTrue(os.path.exists(f.path("spoken/adapter_model.safetensors")))
        self.assertIn("leave them out",
                      f.run(*run, f.path("none"), "--labels", LABELS, code=65).stderr)
        os.mkdir(f.path("busy"))
        self.assertIn("is not replaced", f.run(*run, f.path("busy"), code=74).stderr)

    def test_train__texts_for_classes__need_names_and_a_file(self):
        f = self.federation
        run = ("sotto-participant", "train", "--model", f.path("base"), "--out", f.path("none"))
        few = self.write("few.jsonl", texts("few", 4))
        self.assertIn("give the names of its classes",
                      f.run(*run, "--examples", few, code=65).stderr)
        self.assertIn("name a file of texts",
                      f.run(*run, "--examples", f.path("base"), "--labels", LABELS,
                            code=76).stderr)

    def test_train__long_texts__are_counted(self):
        told = self.train(self.write("long.jsonl", texts("long", 4)), self.federation.path("local"),
                          "--text-length", 3).stderr
        self.assertIn("of 4 texts are too long", told)

    def test_texts__bad_line__is_named(self):
        f = self.federation
        rows = list(texts("bad", 4)) + [{"text": "a b", "label": "never"}]
        told = self.train(self.write("bad.jsonl", rows), f.path("none"), code=76).stderr
        self.assertIn("bad.jsonl: line 5: the label 'never'", told)

    def test_texts__csv_and_length__are_used(self):
        f = self.federation
        rows = "".join(f'"{row["text"]}, {row["text"]}",{row["label"]}\n'
                       for row in texts("csv", 40))
        with open(f.path("table.csv"), "w", encoding="utf-8") as file:
            file.write("text,label\n" + rows)
        self.train(f.path("table.csv"), f.path("local"), "--text-length", 8, "--top-blocks", 1)
        done = self.evaluate(f.path("local"), self.write("test.jsonl", texts("test", 40)))
        self.assertGreater(json.loads(done.stdout)["accuracy"], 0.9)

    def test_evaluate__with_a_mix__expects_its_labels(self):
        f = self.federation
        self.train(self.write("few.jsonl", texts("few", 4)), f.path("local"), "--epochs", 1,
                   "--learning-rate", 0)
        seldom = [{"text": "q r s", "label": "late"}] + [{"text": "a", "label": "early"}] * 99
        examples = self.write("test.jsonl", texts("test", 40))
        done = self.evaluate(f.path("local"), examples, "--mix", self.write("mix.jsonl", seldom))
        self.assertEqual(json.loads(done.stdout)["correct"], 20)
        self.assertGreater(json.loads(done.stdout)["loss"], 1.5)

    def test_predict__empty_text__is_refused(self):
        f = self.federation
        self.train(self.write("few.jsonl", texts("few", 4)), f.path("local"))
        done = f.run("sotto-trainer", "predict", "--model", f.path("base"), "--adapter",
                     f.path("local"), " ", code=65)
        self.assertIn("the text is empty", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
