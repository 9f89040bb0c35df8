"""Organisations are capped, known members demanded, and rosters signed by a key kept offline."""
import json
import subprocess
import sys
import unittest

from federation import Federation

BINARIES = sys.argv.pop(1)
NORTH = "North Hospital"


class Organisations(unittest.TestCase):
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
            "examples_min=20",
            "examples_max=20",
        )
        f.init_hub()
        f.serve()

    def create(self, *options):
        f = self.federation
        f.create_campaign(
            "bridges",
            "--cohort-min",
            3,
            "--cohort-max",
            4,
            "--survivors-min",
            3,
            "--gathering-deadline",
            60,
            *options,
        )
        f.admin("campaign", "start", "bridges")

    def identity(self, name):
        with open(self.federation.path(name, "identity.pub"), encoding="ascii") as key:
            return key.read().strip()

    def sites(self):
        listed = json.loads(self.federation.admin("site", "list", "--json"))["sites"]
        return {site["name"]: site for site in listed}

    def members(self, campaign_round):
        return {site["name"] for site in campaign_round["sites"] if site["survived"]}

    def test_campaign__cap_of_two__third_of_an_organisation_stays_out(self):
        f = self.federation
        for name in ("site-1", "site-2", "site-3"):
            f.enrol(name, organisation=NORTH)
        known = f"known_identities=[{self.identity('site-2')}, {self.identity('site-3')}]"
        f.enrol("site-4", "--policy", "organisation_max=2", "--policy", known)
        self.assertEqual(self.sites()["site-1"]["organisation"], NORTH)
        self.assertEqual(self.sites()["site-1"]["identity"], self.identity("site-1"))
        self.assertEqual(self.sites()["site-4"]["organisation"], "site-4")
        subject = ("openssl", "x509", "-noout", "-subject", "-in", f.path("site-1/pki/tls.pem"))
        done = subprocess.run(subject, capture_output=True, text=True, timeout=60, check=True)
        self.assertIn(f"O = {NORTH}", done.stdout)
        for name in f.names:
            f.join(name)

        # Nobody waits for a third of the organisation, which has sixty seconds to come.
        self.create("--rounds", 1, "--organisation-max", 2)
        f.admin("campaign", "wait", "bridges", "--timeout", 50)
        members = self.members(f.campaign("bridges")["rounds"][-1])
        self.assertEqual(len(members), 3)
        self.assertIn("site-4", members)

    def test_campaign__laxer_than_a_site__is_refused_by_that_site(self):
        f = self.federation
        for name in ("site-1", "site-2"):
            f.enrol(name)
        f.enrol("site-3", "--policy", "organisation_max=1")
        known = f"known_identities=[{self.identity('site-3')}]"
        f.enrol("site-4", "--policy", known, "--policy", "known_min=1")
        for name in f.names:
            f.join(name)
        # Without the only site that it knows, site-4 does not take part either: too few are left.
        self.create("--rounds", 1)
        f.admin("campaign", "wait", "bridges", "--timeout", 60, code=3)
        self.assertEqual(set(f.refusals("site-3")), {"policy-organisation"})
        self.assertEqual(set(f.refusals("site-4")), {"known-members"})

    def sign(self, key):
        """From the hub to the authority and back; only the first and the last step are online."""
        f = self.federation
        f.admin("roster", "export", f.path("roster"))
        signature = f.run("sotto-admin", "roster", "sign", "--key", key, f.path("roster"))
        with open(f.path("signature"), "w", encoding="ascii") as text:
            text.write(signature.stdout)
        return signature

    def test_roster__pinned_authority__rounds_wait_for_its_signature(self):
        f = self.federation
        key = f.path("authority.key")
        authority = f.run("sotto-admin", "roster", "key", key).stdout.strip()
        f.run("sotto-admin", "roster", "key", key, code=76)
        for name in ("site-1", "site-2", "site-3"):
            f.enrol(name, "--policy", f"roster_authority={authority}")
            f.join(name)
        self.create("--rounds", 2)
        f.admin("campaign", "wait", "bridges", "--timeout", 60, code=3)
        self.assertEqual(set(f.refusals("site-1")), {"roster-authority"})

        f.enrol("site-4")
        shown = self.sign(key)
        self.assertIn(self.identity("site-1"), shown.stderr)
        f.admin("roster", "import", f.path("roster"), code=65)
        f.admin("roster", "import", f.path("signature"))
        held = json.loads(f.admin("roster", "show", "--json"))
        self.assertEqual(held["signed"]["authority"], authority)
        self.assertTrue(held["signed"]["is_current"])

        # Rounds stay with what was signed, and do not wait for whom was revoked since.
        f.admin("site", "revoke", "site-4")
        self.assertFalse(json.loads(f.admin("roster", "show", "--json"))["signed"]["is_current"])
        f.admin("roster", "import", f.path("signature"), code=76)
        f.kill("hub")
        f.serve()
        f.admin("campaign", "start", "bridges")
        f.admin("campaign", "wait", "bridges", "--timeout", 50)
        last = f.campaign("bridges")["rounds"][-1]
        self.assertEqual(self.members(last), {"site-1", "site-2", "site-3"})

        f.admin("roster", "release")
        f.admin("roster", "release", code=66)
        self.assertIsNone(json.loads(f.admin("roster", "show", "--json"))["signed"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
