"""What a person gives wrongly, to the finished binaries: one line that says so, and a code."""
import os
import shutil
import struct
import subprocess
import sys
import unittest

from federation import SOURCE, Federation

BINARIES = sys.argv.pop(1)
PROGRAMS = ("sotto-admin", "sotto-coordinator", "sotto-participant", "sotto-pretrain",
            "sotto-simulate")
SITE_COMMANDS = ("enrol", "run", "status", "predict", "audit", "evaluate", "train", "export")


class Inputs(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=0)
        self.addCleanup(self.federation.close)

    def refused(self, *command, code):
        """The one line of a command that has to end with `code`."""
        told = self.federation.run(*command, code=code).stderr
        self.assertEqual(len(told.splitlines()), 1, told)
        return told


class Console(Inputs):
    def fill(self, program, *arguments, code=74):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(self.federation.command(program, *arguments), stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_output__that_cannot_be_written__is_told(self):
        commands = [(program, "--help") for program in PROGRAMS]
        commands += [("sotto-participant", command, "--help") for command in SITE_COMMANDS]
        commands += [("sotto-admin", "token", "issue", "--help"), ("sotto-simulate", "parameters",
                      "--cohort", "9", "--corrupt", "0", "--dropout", "0")]
        for command in commands:
            told = self.fill(*command)
            self.assertEqual(len(told.splitlines()), 1, told)
            self.assertIn("cannot write to standard output", told)

    def test_output__missing_after_a_failure__leaves_its_code_and_line(self):
        told = self.fill("sotto-participant", "evaluate", "--model", "/none", "--adapter", "/none",
                         "--examples", "/none", code=66)
        self.assertIn("/none", told)
        self.assertEqual(len(told.splitlines()), 1, told)

    def test_names__with_control_characters__do_not_reach_the_terminal(self):
        name = "a\x1b[31m\nb"
        shown = "a\\x1b[31m\\x0ab"
        for command, code in (
            (("sotto-participant", "evaluate", "--model", name, "--adapter", "x", "--examples",
              "x"), 66),
            (("sotto-participant", name), 2),
            (("sotto-participant", "train", "--rank", name), 2),
            (("sotto-simulate", name), 66),
            (("sotto-simulate", "parameters", name), 2),
            (("sotto-coordinator", name), 2),
            (("sotto-admin", name), 2),
            (("sotto-pretrain", name), 2),
        ):
            self.assertIn(shown, self.refused(*command, code=code))


def vector(*parts):
    return os.path.join(SOURCE, "tests/vectors", *parts)


def make_huge(path):
    """Sets every float32 of a safetensors file to 3e38, which is finite, but for little more."""
    with open(path, "r+b") as file:
        file.seek(8 + struct.unpack("<Q", file.read(8))[0])
        first = file.tell()
        length = file.seek(0, os.SEEK_END) - first
        file.seek(first)
        file.write(struct.pack("<f", 3e38) * (length // 4))


class Examples(Inputs):
    def write(self, name, text):
        path = self.federation.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def evaluate(self, model, examples, *options, adapter=None):
        return ("sotto-participant", "evaluate", "--model", vector(model), "--adapter",
                adapter or vector(model, "adapter"), "--examples", examples, *options)

    def test_texts__options_without_a_use__are_refused(self):
        texts = self.write("a.jsonl", '{"text": "a", "label": 0}\n')
        for command, word in (
            (self.evaluate("vit", self.federation.folder, "--chat", "chatml"), "for pictures"),
            (self.evaluate("vit", self.federation.folder, "--text-length", "9"), "for pictures"),
            (self.evaluate("bert", texts, "--chat", "chatml"), "leave out --chat"),
        ):
            self.assertIn(word, self.refused(*command, code=76))

    def test_evaluate__no_finite_score__names_the_example(self):
        texts = self.write("a.jsonl", '{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n')
        adapter = self.federation.path("adapter")
        shutil.copytree(vector("bert/adapter"), adapter)
        self.federation.run(*self.evaluate("bert", texts, adapter=adapter))
        make_huge(os.path.join(adapter, "adapter_model.safetensors"))
        told = self.refused(*self.evaluate("bert", texts, adapter=adapter), code=65)
        self.assertIn("a.jsonl: example 1: the model gives no finite score", told)
        told = self.refused("sotto-trainer", "predict", "--model", vector("bert"), "--adapter",
                            adapter, "abc", code=65)
        self.assertIn("abc: the model gives no finite score", told)

    def test_evaluate__help__tells_what_is_counted(self):
        told = self.federation.run("sotto-participant", "evaluate", "--help").stdout
        self.assertIn("of a language model,\nhow many tokens of their answers", told)

    def test_train__out_of_finite_numbers__names_the_rate(self):
        texts = self.write("a.jsonl", '{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n')
        told = self.refused("sotto-participant", "train", "--model", vector("bert"), "--examples",
                            texts, "--labels", "x,y", "--learning-rate", "1e30", "--out",
                            self.federation.path("none"), code=65)
        self.assertIn("lower --learning-rate", told)

    def test_count__of_no_idx_file__is_a_usage_error(self):
        told = self.refused(*self.evaluate("bert", "a.jsonl", "--count", "3"), code=2)
        self.assertIn("--count is for --images alone", told)

    def test_targets__of_another_family__are_refused(self):
        told = self.refused("sotto-participant", "train", "--model", vector("vit"), "--examples",
                            self.federation.folder, "--labels", "x,y", "--targets", "q_proj",
                            "--out", self.federation.path("none"), code=65)
        self.assertIn('"q_proj" is no layer of this base model; its layers are query, key', told)

    def test_alpha__zero__is_a_usage_error(self):
        told = self.refused("sotto-participant", "train", "--alpha", "0", code=2)
        self.assertIn("--alpha must be a number above 0", told)

    def test_export__gguf__makes_folders_and_replaces_nothing(self):
        path = self.federation.path("new/deep.gguf")
        export = ("sotto-participant", "export", "--model", vector("llama"), "--adapter",
                  vector("llama/adapter"), "--gguf", path)
        self.federation.run(*export)
        self.assertIn("exists and is not replaced", self.refused(*export, code=74))


if __name__ == "__main__":
    unittest.main(verbosity=2)
