"""Noised rounds of finished binaries: hub, sites and planner tell one epsilon; budgets end it."""
import json
import sys
import unittest

from federation import Federation

BINARIES = sys.argv.pop(1)
ROUNDS = 2


class Privacy(unittest.TestCase):
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
            "examples_min=20",
            "examples_max=20",
        )
        f.init_hub()
        f.serve()

    def planned(self, rounds):
        done = self.federation.run(
            "sotto-simulate", "privacy", "--rounds", rounds, "--cohort", 3, "--delta", "1e-6",
            "--noise", 2, "--json",
        )
        return json.loads(done.stdout)["epsilon"]

    def create(self, *options):
        self.federation.create_campaign(
            "quiet", "--cohort-min", 3, "--cohort-max", 3, "--survivors-min", 3,
            "--gathering-deadline", 5, *options,
        )
        self.federation.admin("campaign", "start", "quiet")

    def status(self, name):
        shown = self.federation.run(
            "sotto-participant", "status", "--state", self.federation.path(name), "--json"
        )
        return json.loads(shown.stdout)

    def is_counted_since(self, name, process):
        shown = self.status(name)
        return shown["process"] != process and shown["epsilon"] is not None

    def charges(self, name):
        audit = self.federation.run(
            "sotto-participant", "audit", "--state", self.federation.path(name), "--json"
        )
        records = [json.loads(line) for line in audit.stdout.splitlines()]
        return [record["rho"] for record in records if record["record"] == "uploaded"]

    def test_campaign__budget_of_two_rounds__ends_after_two(self):
        f = self.federation
        budget = self.planned(ROUNDS) + 0.01
        for name in f.names:
            f.enrol(name, "--policy", f"epsilon_max={budget}")
            f.join(name)
        self.create(
            "--rounds", ROUNDS + 1, "--noise", 2, "--weight-max", 1, "--rotate", 1,
            "--value-bits", 8, "--ring-bits", 20, "--feedback", 1,
        )
        f.admin("campaign", "wait", "quiet", "--timeout", 120, code=3)

        shown = f.campaign("quiet")
        finished = [r for r in shown["rounds"] if r["outcome"] == "finished"]
        self.assertEqual(len(finished), ROUNDS)
        self.assertEqual(shown["privacy"]["rounds"], ROUNDS)
        self.assertAlmostEqual(shown["privacy"]["epsilon"], self.planned(ROUNDS), places=6)
        self.assertAlmostEqual(shown["privacy"]["epsilon_end"], self.planned(ROUNDS + 1), places=6)
        self.assertIn("privacy: noise 2; epsilon", f.admin("campaign", "show", "quiet"))
        for name in f.names:
            self.assertEqual(set(f.refusals(name)), {"budget"})
            self.assertEqual(len(self.charges(name)), ROUNDS)
            self.assertAlmostEqual(sum(self.charges(name)), ROUNDS / 8, places=6)
            self.assertAlmostEqual(self.status(name)["epsilon"], self.planned(ROUNDS), places=6)

        # Another life and another campaign change nothing.
        before = self.status("site-1")["process"]
        f.kill("site-1")
        f.join("site-1")
        f.wait(lambda: self.is_counted_since("site-1", before), "site-1 to count again")
        self.assertAlmostEqual(self.status("site-1")["epsilon"], self.planned(ROUNDS), places=6)

    def test_campaign__without_noise__is_refused_by_a_site_with_a_budget(self):
        f = self.federation
        for name in f.names:
            f.enrol(name, *(("--policy", "epsilon_max=3") if name == "site-2" else ()))
            f.join(name)
        self.create("--rounds", 1)
        f.admin("campaign", "wait", "quiet", "--timeout", 120, code=3)
        self.assertEqual(set(f.refusals("site-2")), {"policy-noise"})
        self.assertIsNone(f.campaign("quiet")["privacy"])

    def test_campaign__without_noise_or_budget__is_not_told_as_free(self):
        f = self.federation
        for name in f.names:
            f.enrol(name)
            f.join(name)
        self.create("--rounds", 1)
        f.admin("campaign", "wait", "quiet", "--timeout", 120)
        f.wait(lambda: self.status("site-1")["uploads_without_noise"] == 1, "site-1 to count it")
        self.assertEqual(self.charges("site-1"), [None])
        audit = f.run("sotto-participant", "audit", "--state", f.path("site-1"))
        self.assertIn(", without noise", audit.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
