"""A site's programs as people meet them: real processes, one clear line for each mishap."""
import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
from federation import LABELS, Federation  # noqa: E402

BINARIES = sys.argv.pop(1)


class Site(unittest.TestCase):
    """One hub, one tiny model and the photos of three sites for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.federation = Federation(BINARIES, sites=3)
        cls.addClassCleanup(cls.federation.close)
        cls.federation.pretrain()
        cls.federation.partition("sites=3", "cohort_max=3", "cohort_min=3", "survivors_min=3",
                                 "examples_min=20", "examples_max=30")
        cls.federation.init_hub()
        cls.federation.serve()

    def setUp(self):
        self.names = set(self.federation.running)
        self.addCleanup(self.kill_new)

    def kill_new(self):
        for name in set(self.federation.running) - self.names:
            self.federation.kill(name)

    def fails(self, code, text, *arguments):
        """The command ends with this code and one line on stderr that holds the text."""
        done = self.federation.run("sotto-participant", *arguments, code=code)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(text, done.stderr)
        return done

    def enrol_arguments(self, state, token):
        f = self.federation
        return ("enrol", "--state", f.path(state), "--token", token, "--model", f.path("base"),
                "--examples", f.path("photos/site-1"))

    def token(self, site):
        return self.federation.admin("token", "issue", site)

    def log(self, name):
        with open(self.federation.path(f"{name}.log"), encoding="utf-8") as log:
            return log.read()

    def wait_log(self, name, text):
        self.federation.wait(lambda: text in self.log(name), f"{name} to say '{text}'",
                             timeout_s=30)


def token_bytes(token):
    return bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def token_text(content):
    return base64.urlsafe_b64encode(bytes(content)).decode().rstrip("=")


class Enrolment(Site):
    def check_nothing_written(self, state):
        for path in (state, state + ".enrolling"):
            self.assertFalse(os.path.exists(self.federation.path(path)), path)

    def test_token__not_whole__is_named(self):
        self.fails(65, "the token does not parse",
                   *self.enrol_arguments("cut", self.token("cut")[:-5]))
        self.check_nothing_written("cut")

    def test_token__expired__is_named_with_its_time(self):
        content = token_bytes(self.token("late"))
        for at in range(len(content) - 4):
            value = struct.unpack_from(">I", content, at + 1)[0]
            if content[at] == 0xCE and abs(value - time.time()) < 86400 * 60:
                struct.pack_into(">I", content, at + 1, 1700000000)
        self.fails(77, "expired at 2023-11-14T22:13:20Z",
                   *self.enrol_arguments("late", token_text(content)))
        self.check_nothing_written("late")

    def test_token__used_twice__is_refused_by_the_hub(self):
        token = self.token("twice")
        self.federation.run("sotto-participant", *self.enrol_arguments("twice", token))
        self.fails(77, "does not enrol this site", *self.enrol_arguments("again", token))
        self.check_nothing_written("again")

    def test_token__of_another_authority__is_not_trusted(self):
        content = token_bytes(self.token("other"))
        content[content.index(b"\xc4\x20") + 2] ^= 1
        self.fails(77, "authority", *self.enrol_arguments("other", token_text(content)))
        self.check_nothing_written("other")

    def test_token__for_another_site__is_named(self):
        self.fails(76, "the token is for site mine, not yours",
                   *self.enrol_arguments("mine", self.token("mine")), "--name", "yours")

    def test_token__in_a_file__is_read(self):
        path = self.federation.path("token")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.token("filed") + "\n")
        self.federation.run("sotto-participant", *self.enrol_arguments("filed", "@" + path))

    def test_policy__unknown_key__does_not_use_the_token_up(self):
        token = self.token("strict")
        arguments = self.enrol_arguments("strict", token)
        self.fails(65, "--policy cohort=3", *arguments, "--policy", "cohort=3")
        self.fails(65, "cohort_min is 2", *arguments, "--policy", "cohort_min=2")
        self.check_nothing_written("strict")
        self.federation.run("sotto-participant", *arguments, "--policy", "cohort_min=9")
        with open(self.federation.path("strict/site.yaml"), encoding="utf-8") as file:
            self.assertIn("cohort_min: 9", file.read())

    def test_state__cannot_be_written__does_not_use_the_token_up(self):
        token = self.token("late-disk")
        self.fails(66, "/proc/none", *self.enrol_arguments("/proc/none", token))
        self.fails(74, "''", "enrol", "--state", "", *self.enrol_arguments("x", token)[3:])
        self.federation.run("sotto-participant", *self.enrol_arguments("late-disk", token))

    def test_state__in_use__is_left_alone(self):
        os.mkdir(self.federation.path("used"))
        with open(self.federation.path("used/mine"), "w", encoding="utf-8") as file:
            file.write("mine")
        self.fails(76, "in use already", *self.enrol_arguments("used", self.token("used")))
        self.assertEqual(os.listdir(self.federation.path("used")), ["mine"])

    def test_model__not_there__is_named(self):
        f = self.federation
        self.fails(66, "no model at /nowhere", "enrol", "--state", f.path("homeless"), "--token",
                   self.token("homeless"), "--model", "/nowhere", "--examples",
                   f.path("photos/site-1"))

    def test_model__link_that_leads_nowhere__is_named_with_its_end(self):
        f = self.federation
        os.symlink("/gone/model", f.path("link"))
        self.fails(66, "link: it is a link to /gone/model, which is not there", "enrol", "--state",
                   f.path("linked"), "--token", self.token("linked"), "--model", f.path("link"),
                   "--examples", f.path("photos/site-1"))

    def test_model__of_unknown_family__does_not_use_the_token_up(self):
        token = self.token("strange")
        arguments = self.enrol_arguments("strange", token)
        model = self.federation.path("gpt")
        os.mkdir(model)
        with open(os.path.join(model, "config.json"), "w", encoding="utf-8") as file:
            file.write('{"model_type": "gpt2"}')
        self.fails(69, "model_type is 'gpt2'; known are: vit", *arguments, "--model", model)
        os.remove(os.path.join(model, "config.json"))
        self.fails(66, "config.json is missing", *arguments, "--model", model)
        self.check_nothing_written("strange")
        self.federation.run("sotto-participant", *arguments)

    def test_model__trainer_that_is_killed__does_not_use_the_token_up(self):
        token = self.token("starved")
        folder = self.federation.path("programs")
        os.mkdir(folder)
        shutil.copy(os.path.join(BINARIES, "sotto-participant"), folder)
        with open(os.path.join(folder, "sotto-trainer"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nkill -KILL $$\n")
        os.chmod(file.name, 0o700)
        arguments = self.enrol_arguments("starved", token)
        done = subprocess.run([os.path.join(folder, "sotto-participant"), *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 74)
        self.assertIn("ended without a word while it tried the model", done.stderr)
        self.check_nothing_written("starved")
        self.federation.run("sotto-participant", *arguments)

    def test_hub__not_there__is_named(self):
        content = token_bytes(self.token("far"))
        port = str(self.federation.port).encode()
        content[content.index(port):content.index(port) + len(port)] = b"1" * len(port)
        self.fails(74, "nobody listens at", *self.enrol_arguments("far", token_text(content)))
        self.check_nothing_written("far")

    def test_keys__after_enrolment__are_for_the_owner_alone(self):
        self.federation.run("sotto-participant",
                            *self.enrol_arguments("closed", self.token("closed")))
        for name in ("identity.key", "pki/tls.key", "site.yaml", "ledger"):
            mode = os.stat(self.federation.path("closed", name)).st_mode
            self.assertEqual(mode & 0o777, 0o600, name)
        self.assertEqual(os.stat(self.federation.path("closed")).st_mode & 0o777, 0o700)


class Running(Site):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.federation.enrol("site-1")

    def site_copy(self, name):
        """A state folder of its own for a test that spoils it."""
        shutil.copytree(self.federation.path("site-1"), self.federation.path(name))
        return self.federation.path(name)

    def edit_site(self, state, old, new):
        path = os.path.join(state, "site.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))

    def children(self, name):
        pid = self.federation.running[name].pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return {self.comm(child): int(child) for child in file.read().split()}

    @staticmethod
    def comm(pid):
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()

    def start(self, name):
        if not os.path.exists(self.federation.path(name)):
            self.site_copy(name)
        self.federation.join(name)
        for role in ("trainer", "sealer", "courier"):
            self.wait_log(name, f"{role} confined: no-new-privileges, no dumps")

    def test_processes__running__are_confined(self):
        self.start("confined")
        children = self.children("confined")
        self.assertEqual(set(children), {"sotto-trainer", "sotto-sealer", "sotto-courier"})
        for pid in children.values():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))

    def test_courier__running__holds_no_private_file(self):
        self.start("carried")
        pid = self.children("carried")["sotto-courier"]
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        self.assertFalse([path for path in held
                          if self.federation.folder in path and not path.endswith(".log")], held)

    def test_run__second_on_one_folder__is_refused(self):
        self.start("single")
        self.fails(75, "single", "run", "--state", self.federation.path("single"))

    def test_run__stopped__ends_all_and_says_how(self):
        for how, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
            name = f"stopped-{code}"
            self.start(name)
            children = self.children(name)
            self.assertEqual(self.federation.kill(name, how), code)
            for pid in children.values():
                self.assertFalse(os.path.exists(f"/proc/{pid}"))
            done = self.federation.run("sotto-participant", "status", "--state",
                                       self.federation.path(name), "--json")
            self.assertEqual(json.loads(done.stdout)["state"], "stopped")

    def test_supervisor__killed__takes_its_processes_along(self):
        self.start("orphaned")
        children = self.children("orphaned")
        self.federation.kill("orphaned", signal.SIGKILL)
        self.federation.wait(lambda: not any(os.path.exists(f"/proc/{p}")
                                             for p in children.values()),
                             "the processes to end", timeout_s=10)

    def test_process__killed__is_started_anew_with_the_others(self):
        self.start("mended")
        before = self.children("mended")
        os.kill(before["sotto-trainer"], signal.SIGKILL)
        self.wait_log("mended", "the trainer was ended by signal 9")
        self.federation.wait(lambda: len(self.children("mended")) == 3 and
                             not set(before.values()) & set(self.children("mended").values()),
                             "a new team")

    def test_config__unknown_key__is_named_with_its_line(self):
        state = self.site_copy("mistyped")
        self.edit_site(state, "sandbox: full", "sandbocks: full")
        self.fails_late(65, 'site.yaml:18: unknown key "sandbocks"', "run", "--state", state)

    def test_config__policy_out_of_range__is_named(self):
        state = self.site_copy("lax")
        self.edit_site(state, "survivors_min: 3", "survivors_min: 30")
        self.fails_late(65, "survivors_min is 30", "run", "--state", state)

    def fails_late(self, code, text, *arguments):
        """As `fails`, after log lines."""
        done = self.federation.run("sotto-participant", *arguments, code=code)
        self.assertIn(text, done.stderr)

    def test_model__cut_short__ends_the_run_with_its_name(self):
        state = self.site_copy("broken")
        model = self.federation.path("broken-model")
        shutil.copytree(self.federation.path("base"), model)
        with open(os.path.join(model, "model.safetensors"), "r+b") as file:
            file.truncate(100)
        self.edit_site(state, self.federation.path("base"), model)
        self.fails_late(65, "model.safetensors", "run", "--state", state)

    def test_identity__damaged__is_named(self):
        state = self.site_copy("anonymous")
        with open(os.path.join(state, "identity.key"), "w", encoding="ascii") as file:
            file.write("no key")
        self.fails_late(65, "identity.key", "run", "--state", state)

    def test_ledger__damaged__ends_the_run(self):
        state = self.site_copy("forgetful")
        with open(os.path.join(state, "ledger"), "wb") as file:
            file.write(b"x" * 100)
        self.fails_late(65, "the ledger is damaged at byte 0", "run", "--state", state)
        self.fails(65, "the ledger is damaged at byte 0", "audit", "--state", state)

    def test_ledger__gone__ends_the_run(self):
        state = self.site_copy("bookless")
        os.unlink(os.path.join(state, "ledger"))
        self.fails_late(66, "without it the site could repeat a round", "run", "--state", state)

    def test_folder__not_a_site__is_named(self):
        self.fails(66, "is not a site's state folder", "run", "--state", "/")
        self.fails(66, "is not a site's state folder", "status", "--state", "/nowhere")

    def test_hub__gone__is_said_once(self):
        state = self.site_copy("patient")
        tries = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=hang_up, args=(server, tries), daemon=True).start()
            self.edit_site(state, f":{self.federation.port}'", f":{server.getsockname()[1]}'")
            self.start("patient")
            self.federation.wait(lambda: len(tries) >= 4, "four tries")
        self.assertEqual(self.log("patient").count("still trying"), 1, self.log("patient"))

    def test_predict__before_an_adapter_came__says_so(self):
        self.fails(66, "no adapter has come home", "predict", "--state",
                   self.federation.path("site-1"), "photo.png")


def hang_up(server, tries):
    """Takes connections and closes them at once, until the server socket is closed."""
    try:
        while True:
            connection, _ = server.accept()
            connection.close()
            tries.append(1)
    except OSError:
        pass


class Models(Site):
    """The one-shot commands, which need no hub."""

    def train(self, examples, out, *options, code=0):
        f = self.federation
        return f.run("sotto-participant", "train", "--model", f.path("base"), "--examples",
                     examples, "--labels", LABELS, "--rank", 2, "--epochs", 1, "--out", f.path(out),
                     *options, code=code)

    def photos(self, name):
        """A copy of a site's photos to be spoilt."""
        path = self.federation.path(name)
        shutil.copytree(self.federation.path("photos/site-1"), path)
        return path

    def test_train_evaluate__local__tell_their_figures(self):
        f = self.federation
        told = json.loads(self.train(f.path("photos/site-1"), "deep/local", "--json").stdout)
        self.assertGreater(told["steps"], 0)
        done = f.run("sotto-participant", "evaluate", "--model", f.path("base"), "--adapter",
                     f.path("deep/local"), "--examples", f.path("photos/site-1"), "--json")
        score = json.loads(done.stdout)
        self.assertEqual(score["count"], told["examples"])
        self.assertAlmostEqual(score["accuracy"], score["correct"] / score["count"], 6)

    def test_train__same_seed__gives_the_same_adapter(self):
        for out in ("one", "two"):
            self.train(self.federation.path("photos/site-1"), out, "--seed", 5)
        with open(self.federation.path("one/adapter_model.safetensors"), "rb") as one:
            with open(self.federation.path("two/adapter_model.safetensors"), "rb") as two:
                self.assertEqual(one.read(), two.read())

    def test_examples__empty_class__is_named(self):
        photos = self.photos("empty")
        label = os.path.join(photos, "bag")
        shutil.rmtree(label, ignore_errors=True)
        os.mkdir(label)
        self.assertIn("bag", self.train(photos, "none", code=65).stderr)

    def test_examples__unknown_label__is_named(self):
        photos = self.photos("strange")
        os.mkdir(os.path.join(photos, "umbrella"))
        self.assertIn("umbrella", self.train(photos, "none", code=76).stderr)

    def test_examples__not_a_picture__is_named(self):
        photos = self.photos("spoilt")
        label = sorted(os.listdir(photos))[0]
        with open(os.path.join(photos, label, "notes.png"), "w", encoding="ascii") as file:
            file.write("no picture")
        self.assertIn("notes.png", self.train(photos, "none", code=65).stderr)
        self.assertFalse(os.path.exists(self.federation.path("none")))

    def test_model__with_nan__is_named(self):
        f = self.federation
        model = f.path("nan")
        shutil.copytree(f.path("base"), model)
        path = os.path.join(model, "model.safetensors")
        with open(path, "r+b") as file:
            file.seek(8 + struct.unpack("<Q", file.read(8))[0])
            file.write(b"\xff" * 8)
        done = f.run("sotto-participant", "train", "--model", model, "--examples",
                     f.path("photos/site-1"), "--labels", LABELS, "--out", f.path("none"), code=65)
        self.assertIn("holds NaN", done.stderr)

    def test_adapter__of_another_shape__is_named(self):
        f = self.federation
        self.train(f.path("photos/site-1"), "shaped")
        config = f.path("shaped/adapter_config.json")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace('"r": 2', '"r": 3'))
        done = f.run("sotto-participant", "evaluate", "--model", f.path("base"), "--adapter",
                     f.path("shaped"), "--examples", f.path("photos/site-1"), code=76)
        self.assertIn("lora_A", done.stderr)

    def other_base(self):
        """The base model with another last weight: every name and shape is the same."""
        model = self.federation.path("other")
        shutil.copytree(self.federation.path("base"), model)
        path = os.path.join(model, "model.safetensors")
        with open(path, "r+b") as file:
            file.seek(-4, os.SEEK_END)
            value = struct.unpack("<f", file.read(4))[0]
            file.seek(-4, os.SEEK_END)
            file.write(struct.pack("<f", value / 2 + 1))
        return model

    def test_adapter__of_another_base__is_refused(self):
        f = self.federation
        photos = f.path("photos/site-1")
        label = sorted(os.listdir(photos))[0]
        photo = os.path.join(photos, label, sorted(os.listdir(os.path.join(photos, label)))[0])
        self.train(photos, "own")
        other = self.other_base()
        for command in (("evaluate", "--examples", photos), ("predict", photo),
                        ("export", "--merged", f.path("merged"))):
            own = ("--adapter", f.path("own"), *command[1:])
            f.run("sotto-trainer", command[0], "--model", f.path("base"), *own)
            shutil.rmtree(f.path("merged"), ignore_errors=True)
            done = f.run("sotto-trainer", command[0], "--model", other, *own, code=76)
            self.assertRegex(done.stderr, "is for the base model [0-9a-f]{12}.*other is "
                                          "[0-9a-f]{12}.*give the model that it was made for")
            self.assertFalse(os.path.exists(f.path("merged")))
        with open(f.path("own/adapter_model.safetensors"), "r+b") as file:
            content = file.read()
            file.seek(content.index(b'"', content.index(b"sotto.base_model") + 17) + 1)
            file.write(b"z")
        done = f.run("sotto-trainer", "predict", "--model", f.path("base"), "--adapter",
                     f.path("own"), photo, code=65)
        self.assertIn("sotto.base_model in its metadata is no digest of a base", done.stderr)

    def test_usage__missing_option__ends_with_2(self):
        for arguments in ((), ("dance",), ("run",), ("train",), ("evaluate", "--count", "0"),
                          ("predict", "--state", "x")):
            done = self.federation.run("sotto-participant", *arguments, code=2)
            self.assertNotEqual(done.stderr, "")

    def test_train__wrong_numbers__end_with_2_and_name_the_option(self):
        for option in ("--batch", "--epochs"):
            done = self.federation.run("sotto-participant", "train", option, "0", code=2)
            self.assertIn(f"{option} must be a whole number from 1 to", done.stderr)
        done = self.federation.run("sotto-participant", "train", "--examples", "a", "--images",
                                   "b", code=2)
        self.assertIn("not both", done.stderr)


class Linking(unittest.TestCase):
    """What a program does not load, no flaw in it can reach."""

    FORBIDDEN = {
        "sotto-sealer": ("curl", "ssl", "blas", "jpeg", "spng", "jansson", "yaml"),
        "sotto-trainer": ("curl", "ssl", "yaml"),
        "sotto-courier": ("blas", "jpeg", "spng", "jansson", "yaml"),
        "sotto-participant": ("blas", "jpeg", "spng"),
    }

    def test_programs__load_only_what_their_role_needs(self):
        for program, words in self.FORBIDDEN.items():
            shown = subprocess.run(["readelf", "-d", os.path.join(BINARIES, program)],
                                   capture_output=True, text=True, check=True).stdout
            needed = [line for line in shown.splitlines() if "NEEDED" in line]
            self.assertTrue(needed)
            for word in words:
                loads = [line for line in needed if word in line]
                self.assertFalse(loads, f"{program} loads {word}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
