"""An attack is a script that lies to a finished site and returns what it gained. Each becomes two
tests: the shipped site refuses, for the reason that is expected, and forgets; the site without that
one defence lets the attacker have it."""
import os
import sys
import unittest

from coordinator import Refused
from play import Play
from stage import Stage

BINARIES, SABOTAGED = (os.path.abspath(path) for path in sys.argv[1:3])


class Attacks(unittest.TestCase):
    """The tests that `attack` makes share one stage."""
    stage = None

    @classmethod
    def setUpClass(cls):
        cls.stage = Stage(BINARIES, SABOTAGED)
        cls.addClassCleanup(cls.stage.close)

    def play(self, sabotage=None, **setup):
        play = Play(self.stage, sabotage, **setup)
        self.addCleanup(play.close)
        return play

    def check_refused(self, script, refusal, **setup):
        play = self.play(**setup)
        try:
            gain = script(play)
        except Refused as refused:
            self.check_forgotten(play, refused, refusal)
        else:
            self.fail(f"the attacker gained {gain!r}\n{play.victim.log()}")

    def check_forgotten(self, play, refused, refusal):
        """The reason is in the ledger, no secret is left, and nothing of the round is answered."""
        self.assertIs(refused.desk, play.victim.desk, "another site refused")
        last = play.victim.audit()[-1]
        self.assertEqual((last["record"], last.get("refusal")), ("refused", refusal))
        self.stage.federation.wait(lambda: f"({refusal})" in play.victim.log(),
                                   "the site to tell its people")
        if play.lied is not None:
            self.assertEqual(play.victim.sealer(), play.lied[0], "the sealer is another one")
        self.assertEqual(play.remembered(), set())
        play.check_silent()

    def check_succeeds(self, script, sabotage, **setup):
        play = self.play(sabotage, **setup)
        try:
            gain = script(play)
        except Refused as refused:
            self.fail(f"refused all the same: {refused}\n{refused.desk.name}: "
                      f"{play.victim.audit()[-1]}")
        self.assertTrue(gain, "the attacker gained nothing")


def attack(refusal, sabotage, **setup):
    """Decorates a script unit__situation. Setup is that of Play. No sabotage: another defence of
    the same list would refuse as well, so that switching one off gains nothing."""
    def make(script):
        def refused(self):
            self.check_refused(script, refusal, **setup)

        def succeeds(self):
            self.check_succeeds(script, sabotage, **setup)

        setattr(Attacks, f"test_{script.__name__}__is_refused", refused)
        if sabotage is not None:
            setattr(Attacks, f"test_{script.__name__}__succeeds_without_{sabotage}", succeeds)
        return script
    return make


def story(script):
    """Decorates a test unit__situation__outcome that fits no other form; it gets the test case."""
    setattr(Attacks, f"test_{script.__name__}", script)
    return script


def main():
    if os.geteuid() != 0:
        print("SKIP looking into the memory of a confined process needs root")
        sys.exit(0)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Attacks)
    done = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(not done.wasSuccessful())
