"""What a person gives wrongly, to the finished binaries: one line that says so, and a code."""
import json
import os
import shutil
import struct
import subprocess
import sys
import unittest
import zlib

from federation import SOURCE, Federation

BINARIES = sys.argv.pop(1)
PROGRAMS = ("sotto-admin", "sotto-coordinator", "sotto-participant", "sotto-pretrain",
            "sotto-simulate")
SITE_COMMANDS = ("enrol", "run", "status", "predict", "audit", "check", "evaluate", "train",
                 "export")


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

    def test_numbers__of_a_campaign__are_told_their_range(self):
        for number in "4294967296", "-1", "1.5":
            told = self.refused("sotto-admin", "campaign", "create", "c", "--seed", number, code=2)
            self.assertIn(f"--seed {number}: give a whole number from 0 to 4294967295", told)


def vector(*parts):
    return os.path.join(SOURCE, "tests/vectors", *parts)


def tensors(path):
    """The float32 tensors of a safetensors file by their names."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        first = file.tell()
        header.pop("__metadata__", None)
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            file.seek(first + begin)
            yield name, struct.unpack(f"<{(end - begin) // 4}f", file.read(end - begin))


def make_huge(path):
    """Sets every float32 of a safetensors file to 3e38, which is finite, but for little more."""
    with open(path, "r+b") as file:
        file.seek(8 + struct.unpack("<Q", file.read(8))[0])
        first = file.tell()
        length = file.seek(0, os.SEEK_END) - first
        file.seek(first)
        file.write(struct.pack("<f", 3e38) * (length // 4))


def png(side):
    """A picture of one colour, 8-bit RGB."""
    def chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check
    rows = (b"\0" + b"\x80\x40\x20" * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


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

    def test_predict__name_that_is_no_text__is_shown_in_every_form(self):
        path = os.path.join(os.fsencode(self.federation.folder), b"a\xff\x1b.png")
        with open(path, "wb") as file:
            file.write(png(12))
        predict = ("sotto-trainer", "predict", "--model", vector("vit"), "--adapter",
                   vector("vit/adapter"))
        told = self.federation.run(*predict, os.fsdecode(path)).stdout
        self.assertIn("a\\xff\\x1b.png: ", told)
        [row] = json.loads(self.federation.run(*predict, "--json", os.fsdecode(path)).stdout)
        self.assertTrue(row["photo"].endswith("a\\xff\\x1b.png"), row)

    def test_evaluate__help__tells_what_is_counted(self):
        told = self.federation.run("sotto-participant", "evaluate", "--help").stdout
        self.assertIn("of a language model,\nhow many tokens of their answers", told)

    def test_train__norms_and_biases__start_as_the_models(self):
        texts = self.write("a.jsonl", '{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n')
        adapter = self.federation.path("norms")
        self.federation.run("sotto-participant", "train", "--model", vector("bert"), "--examples",
                            texts, "--labels", "x,y", "--kind", "norm-bias", "--learning-rate", "0",
                            "--epochs", "1", "--out", adapter)
        base = dict(tensors(vector("bert/model.safetensors")))
        started = dict(tensors(os.path.join(adapter, "adapter_model.safetensors")))
        name = "bert.encoder.layer.1.output.LayerNorm.weight"
        self.assertEqual(started["base_model.model." + name], base[name])
        self.assertFalse([name for name in started if "lora" in name])
        told = self.refused("sotto-participant", "train", "--kind", "bias", code=2)
        self.assertIn("--kind must be lora or norm-bias", told)

    def test_norms_and_biases__with_an_option_of_a_lora__are_a_usage_error(self):
        for program in ("sotto-participant", "train"), ("sotto-admin", "campaign", "create", "c"):
            for option in ("rank", "4"), ("alpha", "2"), ("targets", "query"):
                told = self.refused(*program, "--model", "m", "--" + option[0], option[1],
                                    "--kind", "norm-bias", code=2)
                self.assertIn(f"--{option[0]} is of a LoRA: leave it out with --kind", told)

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


class Models(Inputs):
    def model(self, name, *files):
        """A folder with some files of a golden model."""
        folder = self.federation.path(name)
        os.mkdir(folder)
        for file in files:
            shutil.copy(vector("bert", file), folder)
        return folder

    def check(self, folder, code):
        return self.refused("sotto-participant", "check", "--model", folder, code=code)

    def test_check__good_model__tells_what_it_is(self):
        told = self.federation.run("sotto-participant", "check", "--model", vector("bert")).stdout
        self.assertRegex(told, "^names classes of texts, 2 blocks of width 32; digest [0-9a-f]{64}")

    def test_weights__in_another_form__name_the_remedy(self):
        folder = self.model("torch", "config.json", "tokenizer.json")
        self.assertIn("model.safetensors: No such file", self.check(folder, 66))
        for name in ("pytorch_model.bin", "tf_model.h5"):
            path = os.path.join(folder, name)
            open(path, "w", encoding="ascii").close()
            told = self.check(folder, 69)
            os.remove(path)
            self.assertIn(f"its weights are in {name}, which is not read", told)
            self.assertIn("safe_serialization=True", told)

    def test_adapter__in_another_form__names_the_remedy(self):
        folder = self.federation.path("adapter")
        shutil.copytree(vector("bert/adapter"), folder)
        os.rename(os.path.join(folder, "adapter_model.safetensors"),
                  os.path.join(folder, "adapter_model.bin"))
        told = self.refused("sotto-trainer", "predict", "--model", vector("bert"), "--adapter",
                            folder, "abc", code=69)
        self.assertIn("safe_serialization=True", told)

    def test_files__that_are_missing__name_the_remedy(self):
        folder = self.model("bare", "config.json", "model.safetensors")
        told = self.check(folder, 66)
        self.assertIn("bare/tokenizer.json is missing", told)
        self.assertIn("AutoTokenizer", told)
        self.assertIn("config.json is missing: name a Hugging Face model directory",
                      self.check(self.model("empty"), 66))
        self.assertIn("holds an adapter and no model", self.check(vector("bert/adapter"), 66))

    def test_link__that_leads_nowhere__tells_where(self):
        folder = self.model("linked", "config.json", "tokenizer.json")
        os.symlink("../../blobs/0123", os.path.join(folder, "model.safetensors"))
        told = self.check(folder, 66)
        self.assertIn("linked/model.safetensors: it is a link to ../../blobs/0123, which is", told)
        os.remove(os.path.join(folder, "tokenizer.json"))
        os.symlink("gone.json", os.path.join(folder, "tokenizer.json"))
        self.assertIn("it is a link to gone.json", self.check(folder, 66))
        os.remove(os.path.join(folder, "config.json"))
        os.symlink("../config.json", os.path.join(folder, "config.json"))
        self.assertIn("it is a link to ../config.json", self.check(folder, 66))
        os.mkdir(self.federation.path("photos"))
        os.symlink("/none/a.png", self.federation.path("photos/a"))
        told = self.refused("sotto-participant", "train", "--model", vector("vit"), "--labels",
                            "a,b", "--examples", self.federation.path("photos"), "--out",
                            self.federation.path("none"), code=66)
        self.assertIn("photos/a: it is a link to /none/a.png", told)
        os.symlink("/none/photos", self.federation.path("elsewhere"))
        told = self.refused("sotto-participant", "train", "--model", vector("vit"), "--labels",
                            "a,b", "--examples", self.federation.path("elsewhere"), "--out",
                            self.federation.path("none"), code=66)
        self.assertIn("elsewhere: it is a link to /none/photos", told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
