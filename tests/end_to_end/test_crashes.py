"""The hub is killed in every phase that waits for sites; it starts again and goes on."""
import sys
import unittest

from federation import Federation

BINARIES = sys.argv.pop(1)
PHASES = ("gathering", "sharing", "uploading", "including", "revealing")


class Crashes(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=3)
        self.addCleanup(self.federation.close)
        f = self.federation
        f.pretrain()
        f.partition(
            "sites=3",
            "cohort_max=3",
            "cohort_min=3",
            "survivors_min=3",
            "examples_min=200",
            "examples_max=200",
        )
        f.init_hub()
        f.serve()
        for name in f.names:
            f.enrol(name, "--policy", "epochs_max=100")
            f.join(name)

    def test_hub__killed_in_each_phase__campaign_finishes(self):
        f = self.federation
        f.create_campaign(
            "bridges",
            "--rounds",
            len(PHASES) + 1,
            "--cohort-min",
            3,
            "--cohort-max",
            3,
            "--survivors-min",
            3,
            "--gathering-deadline",
            10,
            "--uploading-deadline",
            15,
            "--server",
            "fedadam",
            "--server-rate",
            0.01,
        )
        f.admin("campaign", "start", "bridges")
        for i, phase in enumerate(PHASES):
            f.admin(
                "campaign", "wait", "bridges", "--round", i + 1, "--phase", phase, "--timeout", 60
            )
            f.kill("hub")
            f.serve()
        f.admin("campaign", "wait", "bridges", "--timeout", 120)
        rounds = f.campaign("bridges")["rounds"]
        self.assertEqual(sum(r["outcome"] == "finished" for r in rounds), len(PHASES) + 1)
        for r in rounds:
            if r["outcome"] == "finished":
                self.assertEqual(r["survivors"], 3)
            else:
                self.assertEqual(r["outcome"], "abandoned")
                self.assertTrue(r["reason"])

    def test_sites__all_killed_at_once__next_round_finishes(self):
        f = self.federation
        f.create_campaign(
            "bridges",
            "--rounds",
            2,
            "--cohort-min",
            3,
            "--cohort-max",
            3,
            "--survivors-min",
            3,
            "--epochs",
            100,
            "--batch",
            1,
            "--gathering-deadline",
            10,
            "--uploading-deadline",
            20,
        )
        f.admin("campaign", "start", "bridges")
        f.admin(
            "campaign", "wait", "bridges", "--round", 1, "--phase", "uploading", "--timeout", 60
        )
        for name in f.names:
            f.kill(name)
        for name in f.names:
            f.join(name)
        f.admin("campaign", "wait", "bridges", "--timeout", 120)
        rounds = f.campaign("bridges")["rounds"]
        self.assertEqual(rounds[0]["outcome"], "abandoned")
        self.assertEqual([r["outcome"] for r in rounds[1:]], ["finished", "finished"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
