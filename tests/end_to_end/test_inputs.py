"""What a person gives wrongly, to the finished binaries: one line that says so, and a code."""
import json
import os
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
