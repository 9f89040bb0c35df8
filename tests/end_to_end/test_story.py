"""The main job in small: a site is killed after sharing its keys, the hub in mid-round."""
import glob
import json
import os
import sys
import unittest

from federation import Federation

BINARIES = sys.argv.pop(1)


class Story(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=4)
        self.addCleanup(self.federation.close)
        f = self.federation
        f.pretrain()
        f.partition(
            "sites=4",
            "cohort_max=4",
            "cohort_min=3",
            "survivors_min=3",
            "examples_min=200",
            "examples_max=200",
        )
        f.init_hub()
        f.serve()
        for name in f.names:
            f.enrol(name, "--policy", "epochs_max=100")
            f.edit_site(name, "threads: 1", "threads: 2")
            f.join(name)

    def create(self, *options):
        self.federation.create_campaign(
            "bridges",
            "--cohort-min",
            3,
            "--cohort-max",
            4,
            "--survivors-min",
            3,
            "--gathering-deadline",
            3,
            "--uploading-deadline",
            30,
            *options,
        )
        self.federation.admin("campaign", "start", "bridges")

    def test_campaign__site_and_hub_killed__finishes_and_comes_home(self):
        f = self.federation
        self.create("--rounds", 4, "--epochs", 100, "--batch", 1)
        f.admin(
            "campaign", "wait", "bridges", "--round", 1, "--phase", "uploading", "--timeout", 60
        )
        f.kill("site-2")
        f.admin(
            "campaign", "wait", "bridges", "--round", 2, "--phase", "uploading", "--timeout", 60
        )
        f.kill("hub")
        f.serve()
        f.join("site-2")
        f.admin("campaign", "wait", "bridges", "--timeout", 120)

        campaign = f.campaign("bridges")
        finished = [r for r in campaign["rounds"] if r["outcome"] == "finished"]
        self.assertEqual(len(finished), 4)
        for r in finished:
            self.assertGreaterEqual(r["survivors"], 3)
            for site in r["sites"]:
                if site["survived"]:
                    self.assertLess(site["chi2"], 400, "masked lanes must look uniform")
        self.assertTrue(any(r["survivors"] == 3 for r in campaign["rounds"]))
        self.check_home(finished[-1])
        self.check_overlap()

    def check_home(self, last):
        f = self.federation
        f.wait(
            lambda: all(
                os.path.realpath(f.path(name, "adapters/current")).endswith(
                    f"round-{last['round']}"
                )
                for name in f.names
            ),
            "the adapter to come home",
        )
        f.admin("adapter", "export", "bridges", "--out", f.path("exported"))
        with open(f.path("exported/adapter_model.safetensors"), "rb") as exported:
            hub_bytes = exported.read()
        for name in f.names:
            with open(f.path(name, "adapters/current/adapter_model.safetensors"), "rb") as own:
                self.assertEqual(own.read(), hub_bytes, f"{name} has another adapter than the hub")
        photo = glob.glob(f.path("photos/site-1/*/*.png"))[0]
        done = f.run("sotto-participant", "predict", "--state", f.path("site-1"), photo)
        self.assertIn(os.path.basename(photo), done.stdout)

    def check_overlap(self):
        """The masks are made while the trainer works; what is left after it is short."""
        with open(self.federation.path("site-1", "rounds.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        finished = [line for line in lines if line["outcome"] == "finished"]
        overlapped = [line for line in finished if line["expanding_seconds"] > 0]
        self.assertTrue(overlapped, lines)
        for line in finished:
            self.assertGreater(line["masking_seconds"], 0)
            self.assertGreater(line["uploading_seconds"], 0)

    def test_revoked_site__is_not_in_the_next_round(self):
        f = self.federation
        f.admin("site", "revoke", "site-4")
        self.create("--rounds", 1)
        f.admin("campaign", "wait", "bridges", "--timeout", 60)
        names = [s["name"] for s in f.campaign("bridges")["rounds"][-1]["sites"] if s["survived"]]
        self.assertEqual(sorted(names), ["site-1", "site-2", "site-3"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
