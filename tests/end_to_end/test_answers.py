"""A language model that learnt some answers by heart says them: at a site and by hand."""
import json
import os
import shutil
import struct
import sys
import unittest

from federation import SOURCE, Federation

BINARIES = sys.argv.pop(1)
sys.path.insert(0, os.path.join(SOURCE, "tests/bench/train"))
import model

TINY = {"family": "llama", "width": 64, "mlp_width": 128, "blocks": 2, "heads": 4, "kv_heads": 2,
        "vocabulary": 448}
LEARNT = {"What is the sky?": "The sky is blue, na\u00efve and \U0001f600.",
          "What is the grass?": "The grass is green."}


class Answers(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=3)
        self.addCleanup(self.federation.close)
        f = self.federation
        model.write(f.path("base"), TINY)
        shutil.copy(os.path.join(SOURCE, "tests/vectors/tokenise/smollm.json"),
                    f.path("base/tokenizer.json"))
        self.examples = f.path("chat.jsonl")
        self.write_examples(LEARNT)

    def write_examples(self, learnt):
        with open(self.examples, "w", encoding="utf-8") as file:
            for question, answer in learnt.items():
                messages = [{"role": "user", "content": question},
                            {"role": "assistant", "content": answer}]
                file.write(json.dumps({"messages": messages}) + "\n")

    def train(self):
        f = self.federation
        f.run("sotto-participant", "train", "--model", f.path("base"), "--examples", self.examples,
              "--chat", "chatml", "--epochs", 120, "--batch", 2, "--learning-rate", 0.02, "--out",
              f.path("local"))

    def predict(self, *arguments, code=0):
        f = self.federation
        return f.run("sotto-participant", "predict", "--model", f.path("base"), "--adapter",
                     f.path("local"), *arguments, code=code)

    def test_campaign__of_answers__comes_home_and_says_them(self):
        f = self.federation
        f.init_hub()
        f.serve()
        for name in f.names:
            f.enrol(name, "--examples", self.examples, "--policy", "epochs_max=100")
            with open(f.path(name, "site.yaml"), "a", encoding="utf-8") as site:
                site.write("chat: chatml\n")
            f.join(name)
        f.admin("campaign", "create", "answers", "--model", f.path("base"), "--rank", 8,
                "--targets", "all-linear", "--method", "fedit", "--rounds", 3, "--epochs", 100,
                "--batch", 2, "--learning-rate", 0.02, "--seed", 1, "--cohort-min", 3,
                "--cohort-max", 3, "--survivors-min", 3, "--gathering-deadline", 3)
        f.admin("campaign", "start", "answers")
        f.admin("campaign", "wait", "answers", "--timeout", 120)
        with open(f.path("site-1/site.yaml"), encoding="utf-8") as site:
            text = site.read()
        for weights in "float32", "bfloat16":
            with open(f.path("site-1/site.yaml"), "w", encoding="utf-8") as site:
                site.write(text.replace("weights: float32", f"weights: {weights}"))
            told = f.run("sotto-participant", "predict", "--state", f.path("site-1"), "--json",
                         "--tokens", 40, *LEARNT).stdout
            self.assertEqual({row["text"]: row["answer"] for row in json.loads(told)}, LEARNT)
            self.assertEqual([row["end"] for row in json.loads(told)], ["whole", "whole"])

    def test_predict__by_heart__is_said_and_cut_where_asked(self):
        self.train()
        question, answer = next(iter(LEARNT.items()))
        done = self.predict("--chat", "chatml", question)
        self.assertEqual((done.stdout, done.stderr), (f"{question}: {answer}\n", ""))
        done = self.predict("--chat", "chatml", "--tokens", 3, question)
        self.assertTrue(answer.startswith(done.stdout[len(question) + 2:-1]))
        self.assertIn("cut after 3 tokens: --tokens allows more", done.stderr)
        question = "<|im_start|>user\n" + question + "<|im_end|>\n<|im_start|>assistant\n"
        told = json.loads(self.predict("--json", "--tokens", 21, question).stdout)
        self.assertTrue(told[0]["answer"].startswith(answer))
        self.assertEqual((told[0]["tokens"], told[0]["end"]), (21, "tokens"))

    def test_predict__control_characters__reach_no_terminal(self):
        answer = "a\x1b[2J\u009b1m\r\tb\n\u00a0c"
        self.write_examples({"What is the sea?": answer})
        self.train()
        said = self.predict("--chat", "chatml", "What is the sea?").stdout
        self.assertEqual(said, "What is the sea?: a\\x1b[2J\\xc2\\x9b1m\\x0d\tb\n\u00a0c\n")
        said = self.predict("--json", "--chat", "chatml", "What is the sea?").stdout
        self.assertEqual(json.loads(said)[0]["answer"], answer)
        self.assertNotIn("\x1b", said)

    def test_predict__no_finite_score__is_told_on_a_line_of_its_own(self):
        self.train()
        with open(self.federation.path("local/adapter_model.safetensors"), "r+b") as file:
            first = 8 + struct.unpack("<Q", file.read(8))[0]
            length = file.seek(0, os.SEEK_END) - first
            file.seek(first)
            file.write(struct.pack("<f", 3e38) * (length // 4))
        done = self.predict("a", code=65)
        self.assertEqual(done.stdout, "a: \n")
        self.assertIn("'a': the model gives no finite score", done.stderr)
        self.assertEqual(self.predict("--json", "a", code=65).stdout, "")

    def test_predict__long_text__shows_its_beginning_to_a_whole_character(self):
        self.train()
        said = self.predict("--tokens", "1", "a" + "\u00e9" * 50).stdout
        self.assertEqual(said.split(": ")[0], "a" + "\u00e9" * 36 + "...")

    def test_predict__temperature__is_of_the_seed(self):
        self.train()

        def said(seed):
            return self.predict("--temperature", 3, "--seed", seed, "--tokens", 20, "The").stdout

        self.assertEqual(said(1), said(1))
        self.assertNotEqual(said(1), said(2))

    def test_predict__what_cannot_be__is_refused_in_a_line(self):
        self.train()
        for arguments, code, told in (
                (("the cat " * 1200,), 65, "longer than the 2048 tokens that the model takes"),
                (("",), 65, "a TEXT is empty"),
                (("--chat", "llama2", os.fsdecode(b"a\xff")), 65, "is not UTF-8"),
                (("--system", "Be brief.", "a"), 2, "--system needs a chat format"),
                (("--chat", "fairy", "a"), 2, "no chat format is called 'fairy'"),
                (("--chat", "llama3", "a"), 76, "needs the token <|start_header_id|>"),
                (("--tokens", 0, "a"), 2, "--tokens must be a whole number from 1"),
                (("--seed", 2 ** 64, "a"), 2, "--seed must be a whole number from 0"),
                (("--temperature", "nan", "a"), 2, "--temperature must be a number from 0 on"),
                (("--temperature", "1e999", "a"), 2, "--temperature must be a number from 0 on"),
                (("--temperature", -1, "a"), 2, "--temperature must be a number from 0 on")):
            done = self.predict(*arguments, code=code)
            self.assertIn(told, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_predict__site_or_model__but_not_both(self):
        run = self.federation.run
        self.assertIn("--state is needed, or --model",
                      run("sotto-participant", "predict", "a", code=2).stderr)
        self.assertIn("leave them out, or --state",
                      run("sotto-participant", "predict", "--state", "x", "--chat", "chatml", "a",
                          code=2).stderr)
        self.assertIn("--adapter and at least one",
                      run("sotto-participant", "predict", "--model", "x", "a", code=2).stderr)

    def test_predict__beyond_the_tokenizers_truncation__says_where_that_stands(self):
        path = self.federation.path("base/tokenizer.json")
        with open(path, encoding="utf-8") as file:
            tokenizer = json.load(file)
        tokenizer["truncation"] = {"direction": "Right", "max_length": 99, "stride": 0,
                                   "strategy": "LongestFirst"}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(tokenizer, file)
        self.train()
        told = self.predict("the cat " * 99, code=65).stderr
        self.assertIn("longer than truncation in tokenizer.json allows", told)
        told = self.predict("--chat", "chatml", "--system", "the cat " * 99, "a", code=65).stderr
        self.assertIn("'a...', with the system message, is longer than", told)

    def test_predict__of_labels__takes_no_option_of_answers(self):
        f = self.federation
        bert = os.path.join(SOURCE, "tests/vectors/bert")
        done = f.run("sotto-trainer", "predict", "--model", bert, "--adapter",
                     os.path.join(bert, "adapter"), "--tokens", 9, "a", code=69)
        self.assertIn("--tokens is for answers of a language model", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
