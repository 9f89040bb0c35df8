"""A real coordinator and sites in Python, the first of which is evil: it takes part in honest
rounds, but for the messages that a test replaces."""
import os
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
from cryptography.exceptions import InvalidTag  # noqa: E402
from federation import Federation  # noqa: E402

from liars import secagg  # noqa: E402
from site_client import LEAVE, Site  # noqa: E402

SITES = 5
PROGRAMS = ("sotto-admin", "sotto-pretrain")
DEADLINES = ("gathering", "sharing", "uploading", "including", "revealing")
LONG_S = 60
SHORT_S = 0.5


def programs_in(federation, binaries, sabotaged, sabotage):
    """The shipped programs, or some of them around a coordinator that lacks one defence."""
    if sabotage is None:
        return binaries
    folder = federation.path("programs")
    os.makedirs(folder)
    for name in PROGRAMS:
        shutil.copy2(os.path.join(binaries, name), folder)
    shutil.copy2(os.path.join(sabotaged, f"sotto-coordinator-{sabotage}"),
                 os.path.join(folder, "sotto-coordinator"))
    return folder


class Choir:
    def __init__(self, binaries, sabotaged, sabotage=None):
        self.federation = f = Federation(binaries, sites=SITES)
        self.count = 0
        self.sites = []
        try:
            f.binaries = programs_in(f, binaries, sabotaged, sabotage)
            f.pretrain()
            f.init_hub()
            f.serve()
            self.sites = [Site(f.path(name), f.admin("token", "issue", name)) for name in f.names]
        except BaseException:
            self.close()
            raise
        self.evil, *self.honest = self.sites
        self.evil.choir = self

    def close(self):
        for site in self.sites:
            site.close()
        self.federation.close()

    def log(self):
        with open(self.federation.path("hub.log"), encoding="utf-8") as log:
            return log.read()

    def play(self, lies, short=()):
        """One round of a campaign of its own. Lies are {message: function(evil site, honest body)};
        what it returns is said instead, None is silence. Stages in `short` end soon by themselves,
        the others when everybody has answered."""
        self.count += 1
        name = f"campaign-{self.count}"
        options = [part for stage in DEADLINES
                   for part in (f"--{stage}-deadline", SHORT_S if stage in short else LONG_S)]
        self.federation.create_campaign(name, "--method", "fedit", "--rounds", 1,
                                        "--cohort-min", 4, "--cohort-max", SITES,
                                        "--survivors-min", 4, *options)
        self.federation.admin("campaign", "start", name)
        played = Played(self, name, lies)
        played.sing()
        self.federation.try_admin("campaign", "stop", name)
        return played


class Played:
    """A round and what came of it."""

    def __init__(self, choir, campaign, lies):
        self.choir = choir
        self.campaign = campaign
        self.lies = lies
        self.statuses = {}
        self.left = set()
        self.outcome = None

    def say(self, site, what, body):
        """The coordinator's status, or None after silence."""
        if site is self.choir.evil and what in self.lies:
            body = self.lies[what](site, body)
        if body is None:
            return None
        status = site.put(body)[0] if what == "upload" else site.say(what, body)
        if site is self.choir.evil:
            self.statuses[what] = status
        return status

    def step(self, singers, kind, what, answer):
        """Everybody reads a mail and answers it, the evil site last; those whose answer was taken
        are returned. An honest site that finds a lie leaves."""
        taken = []
        for site in sorted(singers, key=lambda site: site is self.choir.evil):
            body = site.read_plan(self.campaign) if kind == "plan" else site.read(kind)
            if body is None:
                continue
            try:
                content = answer(site, body)
            except (secagg.Refusal, InvalidTag):
                site.say("leave", LEAVE)
                self.left.add(site.name)
                continue
            if self.say(site, what, content) in (200, 204):
                taken.append(site)
        return taken

    def sing(self):
        def advert(site, body):
            site.begin(body)
            return site.member.advert()

        singers = self.step(self.choir.sites, "plan", "advert", advert)
        singers = self.step(singers, "cohort", "shares",
                            lambda site, body: site.member.shares(body))
        singers = self.step(singers, "inbox", "upload",
                            lambda site, body: site.mask(body))
        singers = self.step(singers, "survivors", "inclusion",
                            lambda site, body: site.member.inclusion(body))
        self.step(singers, "inclusions", "reveal", lambda site, body: site.member.reveal(body))
        self.choir.federation.wait(self.is_over, "the round to end")

    def shown(self):
        """The campaign's first round, as its administrator sees it."""
        return self.choir.federation.campaign(self.campaign)["rounds"][0]

    def is_over(self):
        self.outcome = self.shown()
        return self.outcome["outcome"] in ("finished", "abandoned")

    @property
    def is_finished(self):
        return self.outcome["outcome"] == "finished"

    def survivors(self):
        names = [site["name"] for site in self.outcome["sites"] if site["survived"]]
        return [site for site in self.choir.sites if site.name in names]

    def floats(self, name):
        """The lanes, without the manifest behind them; a round of this campaign moves them all."""
        count = self.choir.evil.plan["lane_count"] - 1
        return struct.unpack_from(f"<{count}f", self.choir.evil.item("adapter", name))

    def expected(self):
        """The mean of what the survivors say that they sent."""
        plan = self.choir.evil.plan
        half = 1 << plan["ring_bits"] - 1
        total = [sum(column) for column in zip(*(
            [(lane + half) % (2 * half) - half for lane in site.lanes]
            for site in self.survivors()))]
        step = plan["lane_range"] / ((1 << plan["value_bits"] - 1) - 1)
        return [lane * step / total[-1] for lane in total[:-1]]

    def is_exact(self):
        """Whether the next adapter is the last one and that mean."""
        plan = self.choir.evil.plan
        before = self.floats(plan["adapter"])
        after = self.floats(bytes.fromhex(self.outcome["adapter"]))
        return all(abs(new - old - mean) <= 1e-5 * (1 + abs(mean) + abs(old))
                   for new, old, mean in zip(after, before, self.expected(), strict=True))

    def named(self):
        """Which sites the coordinator says revealed a wrong share."""
        return [site for site in self.choir.sites
                if f"site {site.id} revealed a share that is wrong" in self.choir.log()]


def flipped(body, at):
    content = bytearray(body)
    content[at] ^= 1
    return bytes(content)
