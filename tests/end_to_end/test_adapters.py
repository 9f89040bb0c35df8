"""Campaigns of every kind of adapter, method and server optimiser finish over real sites."""
import sys
import unittest

from federation import Federation

BINARIES = sys.argv.pop(1)
CAMPAIGNS = {
    "vectors": ("--kind", "norm-bias"),
    "head": ("--rank", 0),
    "plain": ("--method", "fedit", "--server", "fedavgm"),
    "mixed": ("--rank-pattern", "query=2", "--rank-stabilised", "--top-blocks", 1,
              "--dropout", 0.1, "--proximal", 0.01, "--server", "fedyogi", "--server-rate", 0.01),
    "rebased": ("--method", "ffa-svd"),
}


class Adapters(unittest.TestCase):
    def setUp(self):
        f = self.federation = Federation(BINARIES, sites=3)
        self.addCleanup(f.close)
        f.pretrain()
        f.partition("sites=3", "cohort_max=3", "cohort_min=3", "survivors_min=3",
                    "examples_min=40", "examples_max=60")
        f.init_hub()
        f.serve()
        for name in f.names:
            f.enrol(name)
            f.join(name)

    def test_campaigns__of_every_kind__finish_and_are_refused_by_nobody(self):
        f = self.federation
        lanes = {}
        for name, options in CAMPAIGNS.items():
            f.create_campaign(name, "--rounds", 2, "--cohort-min", 3, "--cohort-max", 3,
                              "--survivors-min", 3, *options)
            f.admin("campaign", "start", name)
            f.admin("campaign", "wait", name, "--timeout", 120)
            rounds = f.campaign(name)["rounds"]
            self.assertEqual([r["outcome"] for r in rounds if r["survivors"] == 3],
                             ["finished"] * 2, name)
            lanes[name] = [r["lane_count"] for r in rounds][-1]
        self.assertLess(lanes["rebased"], 0.7 * lanes["plain"])
        for name in f.names:
            self.assertEqual(f.refusals(name), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
