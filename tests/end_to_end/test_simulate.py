"""sotto-simulate: same seed, same bytes; drop-outs end well; bad input gives one line."""
import filecmp
import json
import os
import sys
import unittest

from federation import SCENARIO, Federation

BINARIES = sys.argv.pop(1)
SMALL = [
    "rounds=2",
    "examples_min=20",
    "examples_max=40",
    "test_count=200",
    "rank=2",
    "epochs=1",
    "batch=16",
]


class Simulate(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=0)
        self.addCleanup(self.federation.close)
        self.federation.pretrain()

    def simulate(self, *overrides, options=(), code=0):
        f = self.federation
        settings = [
            part
            for pair in (f"model={f.path('base')}", *SMALL, *overrides)
            for part in ("--set", pair)
        ]
        return f.run("sotto-simulate", SCENARIO, *settings, *options, code=code)

    def test_seed__twice__same_bytes(self):
        f = self.federation
        for run, threads in (("first", 1), ("again", 2)):
            self.simulate(f"threads={threads}", options=("--out", f.path(run)))
        for name in (
            "summary.json",
            "rounds.jsonl",
            "adapter/adapter_model.safetensors",
            "adapter/adapter_config.json",
        ):
            self.assertTrue(
                filecmp.cmp(f.path("first", name), f.path("again", name), shallow=False), name
            )
        self.simulate("seed=2", options=("--out", f.path("other")))
        self.assertFalse(
            filecmp.cmp(f.path("first/rounds.jsonl"), f.path("other/rounds.jsonl"), shallow=False)
        )

    def test_summary__json__has_the_promised_keys(self):
        summary = json.loads(self.simulate(options=("--json",)).stdout)
        for key in (
            "seed",
            "sites",
            "rounds_finished",
            "rounds_abandoned",
            "accuracy_alone_mean",
            "accuracy_federated",
            "accuracy_pooled",
            "bytes_up_per_round",
            "bytes_down_per_round",
            "oracle_mismatches",
        ):
            self.assertIn(key, summary)
        self.assertEqual(summary["rounds_finished"], 2)
        self.assertEqual(summary["oracle_mismatches"], 0)

    def test_trace__asked_for__tells_every_part_of_a_round(self):
        path = self.federation.path("trace.jsonl")
        told = self.simulate(options=("--trace", path)).stderr
        self.assertIn("secure aggregation adds", told)
        with open(path) as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([line["round"] for line in lines], [1, 2])
        for line in lines:
            for part in ("training", "joining", "expanding", "encoding", "hiding", "unmasking"):
                self.assertGreater(line["seconds"][part], 0, part)
            self.assertGreater(line["overlapped"], 0)

    def test_dropouts__many_seeds__sums_are_exact_or_the_round_is_abandoned(self):
        finished = abandoned = 0
        for seed in range(1, 9):
            summary = json.loads(
                self.simulate(
                    f"seed={seed}",
                    "sites=9",
                    "cohort_min=4",
                    "cohort_max=8",
                    "survivors_min=3",
                    "dropout_rate=0.35",
                    "rounds=4",
                    "alone_sites=0",
                    "pooled=false",
                    "examples_min=5",
                    "examples_max=10",
                    options=("--json",),
                ).stdout
            )
            self.assertEqual(summary["oracle_mismatches"], 0)
            finished += summary["rounds_finished"]
            abandoned += summary["rounds_abandoned"]
        self.assertGreater(finished, 0)
        self.assertGreater(abandoned, 0, "the schedule must also contain rounds that fail")

    def test_too_few_sites_left__every_round__exit_3(self):
        self.simulate("dropout_rate=1", "alone_sites=0", "pooled=false", code=3)

    def test_bad_input__one_line_and_its_exit_code(self):
        f = self.federation
        for override, code, word in (
            ("model=/nonexistent", 66, "/nonexistent"),
            ("cohort_min=2", 65, "cohort_min"),
            ("train_images=/etc/hostname", 65, "/etc/hostname"),
            ("dropouts=[{round: 1, site: 1, phase: lunch}]", 65, "lunch"),
            ("examples_max=9000", 65, "examples_max"),
            ("kind=bias", 65, "norm-bias"),
            ("targets=v_proj", 65, "v_proj"),
            ("rank_pattern=q_proj=4", 65, "q_proj"),
        ):
            done = self.simulate(
                override,
                "alone_sites=0",
                "pooled=false",
                options=("--out", f.path("none")),
                code=code,
            )
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(word, done.stderr)
            self.assertFalse(os.path.exists(f.path("none")))
        done = self.simulate("rounds=1", options=("--out", "/proc/none"), code=66)
        self.assertNotIn("round 1", done.stderr)
        f.run("sotto-simulate", code=2)
        f.run("sotto-simulate", f.path("missing.yaml"), code=66)

    def test_noise__campaign__costs_what_the_planner_says(self):
        noised = ("noise_multiplier=2", "rotate=1", "value_bits=8", "ring_bits=20", "rounds=3")
        told = json.loads(self.simulate(*noised, options=("--json",)).stdout)
        self.assertEqual((told["rounds_finished"], told["oracle_mismatches"]), (3, 0))
        planned = self.privacy(
            "--rounds", "3", "--cohort", "5", "--delta", "1e-6", "--noise", "2", "--json"
        )
        self.assertAlmostEqual(told["epsilon"], json.loads(planned.stdout)["epsilon"], places=6)

    def test_noise__budget_of_two_rounds__no_third(self):
        noised = ("noise_multiplier=2", "rounds=3", "epsilon_max=3.6", "dropouts=[]")
        told = json.loads(self.simulate(*noised, options=("--json",)).stdout)
        self.assertEqual(told["rounds_finished"], 2)
        self.assertEqual(told["refusals"], 5 * 10)
        self.assertLess(told["epsilon"], 3.6)

    def test_eight_bits__rotated_with_feedback__halve_the_bytes(self):
        lanes = ("rotate=1", "feedback=1", "value_bits=8", "ring_bits=16", "weight_max=50",
                 "method=fedit")
        told = json.loads(self.simulate(*lanes, options=("--json",)).stdout)
        plain = json.loads(self.simulate("method=fedit", options=("--json",)).stdout)
        self.assertEqual(told["oracle_mismatches"], 0)
        saved = plain["bytes_up_per_round"] - told["bytes_up_per_round"]
        self.assertEqual(saved, 5 * 2 * told["lane_count"])
        self.assertAlmostEqual(told["accuracy_federated"], plain["accuracy_federated"], delta=0.1)

    def test_norms_and_biases__as_kind__are_what_is_trained(self):
        f = self.federation
        told = json.loads(self.simulate("kind=norm-bias", options=("--json", "--out",
                                                                   f.path("norms"))).stdout)
        self.assertEqual((told["rounds_finished"], told["oracle_mismatches"]), (2, 0))
        with open(f.path("norms/adapter/adapter_config.json"), encoding="utf-8") as file:
            config = json.load(file)
        self.assertEqual((config["bias"], config["target_modules"]),
                         ("all", "dummy-target-modules"))

    def test_lanes__that_do_not_fit__one_line(self):
        for lanes, word in (
            (("ring_bits=16",), "could wrap"),
            (("noise_multiplier=1", "weight_max=2"), "weight_max"),
            (("noise_multiplier=0.001", "value_bits=2"), "variance"),
        ):
            done = self.simulate(*lanes, code=76)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(word, done.stderr)

    def parameters(self, *options, code=0):
        return self.federation.run("sotto-simulate", "parameters", *options, code=code)

    def test_parameters__json__has_the_promised_keys(self):
        cohort = ("--cohort", "100", "--corrupt", "0.05", "--dropout", "0.1")
        told = json.loads(self.parameters(*cohort, "--json").stdout)
        self.assertEqual((told["neighbours"], told["threshold"]), (99, 53))
        self.assertEqual(told["tolerated_dropouts"], 46)
        self.assertGreater(told["bytes_up"], 99 * (96 + 16 + 44))
        self.assertGreater(told["bytes_down"], told["bytes_up"])
        self.assertIn("threshold            53\n", self.parameters(*cohort).stdout)

    def test_parameters__bad_input__one_line(self):
        for options, word in (
            (("--cohort", "2", "--corrupt", "0", "--dropout", "0"), "--cohort 2"),
            (("--cohort", "9x", "--corrupt", "0", "--dropout", "0"), "--cohort 9x"),
            (("--cohort", "9", "--corrupt", "1", "--dropout", "0"), "--corrupt 1"),
            (("--cohort", "9", "--corrupt", "0", "--dropout", "nan"), "--dropout nan"),
            (("--cohort", "9", "--corrupt", "0"), "--dropout"),
            (("--cohort", "4", "--corrupt", "0.9", "--dropout", "0"), "lower"),
            (("more",), "more"),
        ):
            done = self.parameters(*options, code=2)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(word, done.stderr)

    def privacy(self, *options, code=0):
        return self.federation.run("sotto-simulate", "privacy", *options, code=code)

    def test_privacy__noise_and_epsilon__are_each_others_inverse(self):
        rounds = ("--rounds", "10", "--cohort", "50", "--delta", "1e-6", "--json")
        told = json.loads(self.privacy(*rounds, "--noise", "1").stdout)
        self.assertAlmostEqual(told["epsilon"], 20.551949, places=6)
        self.assertAlmostEqual(told["rho"], 5)
        self.assertAlmostEqual(told["site_noise"], 47**-0.5)
        back = json.loads(self.privacy(*rounds, "--epsilon", "20.552").stdout)
        self.assertAlmostEqual(back["noise"], 1, places=3)
        self.assertLessEqual(back["epsilon"], 20.552)
        self.assertIn("noise                1.0000\n", self.privacy(*rounds[:-1], "-z1").stdout)
        least = json.loads(self.privacy(*rounds, "--epsilon", "1e6", "--rounds", "1").stdout)
        self.assertEqual(least["noise"], 0.001)

    def test_privacy__bad_input__one_line(self):
        given = ("--rounds", "10", "--cohort", "50", "--delta", "1e-6")
        for options, word in (
            (given, "either"),
            ((*given, "--noise", "1", "--epsilon", "1"), "either"),
            ((*given, "--noise", "nan"), "--noise nan"),
            ((*given, "--noise", "1", "--rounds", "1.5"), "--rounds 1.5"),
            ((*given, "--noise", "1", "--delta", "0"), "--delta 0"),
            ((*given, "--noise", "1", "--survivors-min", "51"), "--survivors-min 51"),
            ((*given, "--noise", "1", "--survivors-min", "3"), "nobody"),
            ((*given, "--epsilon", "0.001", "--rounds", "1000000"), "raise --epsilon"),
            (("--noise", "1"), "--rounds"),
            (("more",), "more"),
        ):
            done = self.privacy(*options, code=2)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
