"""Rounds that a script leads sites and invented members through, honestly until it lies."""
import os
import random

import liars
import memory
import wire
from coordinator import Refused
from liars import secagg

COHORT = 5
FIRST_INVENTED = 3
STAGES = ("advert", "shares", "upload", "inclusion", "reveal")


class Play:
    """Some finished sites of a stage, a roster with invented ones, and any number of rounds."""

    def __init__(self, stage, sabotage=None, sites=1, cohort=COHORT, **setup):
        """Setup: policy {key: value} of the sites, organisation of all invented members."""
        self.stage = stage
        self.sabotage = sabotage
        self.sites = [stage.site(f"site-{index + 1}", sabotage, setup.get("policy"))
                      for index in range(sites)]
        self.others = [liars.Identity(FIRST_INVENTED + index,
                                      organisation=setup.get("organisation"))
                       for index in range(cohort - sites)]
        self.number = 0
        self.last = None
        self.lied = None
        for site in self.sites:
            site.start()

    @property
    def victim(self):
        return self.sites[0]

    def identities(self):
        return [site.identity for site in self.sites] + self.others

    def roster(self, epoch=1):
        return wire.roster(epoch, [identity.line() for identity in self.identities()])

    def round(self, **changes):
        """Opens the next round; `changes` replace fields of its plan."""
        self.number += 1
        self.last = Round(self, self.plan_fields(**changes))
        return self.last

    def plan_fields(self, **changes):
        definition = self.stage.campaign["definition"]
        fields = {name: definition.get(name, 0) for name, _ in wire.PLAN_FIELDS}
        count = len(self.identities())
        fields.update(
            protocol="secaggplus", campaign=definition["name"], round=self.number,
            base_model=bytes.fromhex(definition["base_model"]),
            adapter=self.stage.put("adapter", self.stage.adapter),
            layout=self.stage.put("layout", self.stage.layout),
            lane_count=definition["lane_count"] + 1, lane_range=definition["clip_norm"],
            cohort_min=count, cohort_max=count,
            survivors_min=count - 1, roster=self.stage.put("roster", self.roster()),
            roster_epoch=1, roster_signature=bytes(64), nonce=os.urandom(32),
            learning_rate_start=definition["learning_rate"],
            learning_rate_end=definition["learning_rate"])
        fields.update({name: 600000 for name, _ in wire.PLAN_FIELDS if name.endswith("_ms")})
        fields.update(changes)
        for name, kind in wire.PLAN_FIELDS:
            if kind == "real":
                fields[name] = float(fields[name])
        return fields

    def lie(self, played):
        """Just before a lie: the victim's sealer remembers what a refusal has to wipe."""
        pid = self.victim.sealer()
        self.lied = pid, played.secrets_of(self.victim)
        if not memory.found_in(*self.lied):
            raise AssertionError("the sealer remembers no secret of the round before the lie")

    def remembered(self):
        """What the victim's sealer still knows of what it knew before the lie, and has not told
        the coordinator since."""
        if self.lied is None:
            return set()
        told = b"".join(answers.get(self.victim.identity.id, b"")
                        for answers in self.last.messages.values())
        pid, secrets = self.lied
        return {name for name in memory.found_in(pid, secrets) if secrets[name] not in told}

    def check_silent(self):
        """Whatever comes for a refused round, the victim's next word is about another one."""
        for kind in wire.KINDS[2:-1]:
            self.victim.desk.send(wire.mail(kind, self.last.plan["campaign"],
                                            self.last.plan["round"], self.last.told.get(kind, b"")))
        self.last = self.round(round=self.last.plan["round"] + 100)
        self.last.tell_plan(self.victim)
        try:
            self.last.hear(self.victim, "advert")
        except Refused as refused:
            return refused.code
        return None

    def close(self):
        for site in self.sites:
            site.kill()


class Round:
    def __init__(self, play, fields):
        self.play = play
        self.plan = fields
        self.bytes = wire.plan(fields)
        self.context = secagg.plan_context(self.bytes)
        self.members = {identity.id: liars.Member(identity, self.context, fields)
                        for identity in play.others}
        self.adverts = {}
        self.cohort = None
        self.told = {}
        self.messages = {stage: {} for stage in STAGES}
        self.lanes = {}
        self.survivors = []

    def begin_as(self, context):
        """Everybody invented takes part in another context than the plan's own."""
        self.context = context
        for identity in self.play.others:
            self.members[identity.id] = liars.Member(identity, context, self.plan)

    def admit(self, identity):
        """One more invented member, perhaps with the number of somebody else."""
        self.members[identity.id] = liars.Member(identity, self.context, self.plan)
        self.adverts[identity.id] = self.members[identity.id].advert()

    # One mail to a site, one answer from it.

    def tell(self, site, kind, body, signature=bytes(64)):
        self.told[kind] = body
        site.desk.send(wire.mail(kind, self.plan["campaign"], self.plan["round"], body, signature))

    def tell_plan(self, site, signing=None, content=None):
        content = content or self.bytes
        self.tell(site, "plan", content,
                  secagg.sign(signing or self.play.stage.signing, b"sotto/1 plan", content))

    def hear(self, site, what):
        body = site.desk.expect(what, self.plan["round"])
        self.messages[what][site.identity.id] = body
        return body

    # Whole stages, honest unless told otherwise.

    def up_to(self, stage):
        steps = (self.advertise, self.share, self.upload, self.confirm, self.reveal)
        for step in steps[:STAGES.index(stage) + 1]:
            step()
        return self

    def advertise(self):
        for site in self.play.sites:
            self.tell_plan(site)
        self.take_adverts()

    def take_adverts(self):
        for site in self.play.sites:
            self.adverts[site.identity.id] = secagg.read_advert(self.hear(site, "advert"))
        for number, member in self.members.items():
            self.adverts[number] = member.advert()

    def cohort_message(self, adverts=None, **lies):
        certificates = {identity.id: identity.certificate for identity in self.play.identities()}
        adverts = [self.adverts[number] for number in sorted(self.adverts)] \
            if adverts is None else adverts
        return liars.cohort_message(
            self.play.stage.signing, self.context, adverts,
            [certificates.get(advert.id, bytes(32)) for advert in adverts],
            corrupt_fraction=self.plan["corrupt_fraction"], **lies)

    def share(self, message=None):
        message = message or self.cohort_message()
        self.cohort = liars.Cohort(message, self.context)
        for site in self.play.sites:
            self.tell(site, "cohort", message)
        for number, member in self.members.items():
            self.messages["shares"][number] = member.take_cohort(message)
        for site in self.play.sites:
            self.hear(site, "shares")

    def seat(self, who):
        """Of an identity's number or a site."""
        return self.cohort.seat_of(who if isinstance(who, int) else who.identity.id)

    def by_seat(self, stage, numbers=None):
        return {self.seat(number): message for number, message in self.messages[stage].items()
                if numbers is None or number in numbers}

    def inbox(self, receiver, sharers=None):
        return liars.inbox_message(self.by_seat("shares", sharers), self.seat(receiver),
                                    self.cohort.count)

    def upload(self, sharers=None):
        """`sharers`: whom finished sites are told to have shared."""
        for site in self.play.sites:
            self.tell(site, "inbox", self.inbox(site, sharers))
        for number, member in self.members.items():
            member.take_inbox(self.inbox(number))
            self.lanes[number] = self.update()
            self.messages["upload"][number] = member.upload(self.lanes[number])
        for site in self.play.sites:
            self.hear(site, "upload")

    def update(self):
        """Lanes as an honest site's quantiser would make them."""
        weight = random.randint(1, self.plan["weight_max"])
        top = (1 << self.plan["value_bits"] - 1) - 1
        modulus = 1 << self.plan["ring_bits"]
        return [weight * random.randint(-top, top) % modulus
                for _ in range(self.plan["lane_count"] - 1)] + [weight]

    def survivors_message(self, survivors, **lies):
        """Of seats."""
        return liars.survivors_message(lies.pop("signing", self.play.stage.signing),
                                        lies.pop("context", self.cohort.context),
                                        sorted(survivors), self.cohort.count, **lies)

    def everybody(self):
        return list(range(self.cohort.count))

    def confirm(self, survivors_of=None):
        """Everybody is told a survivor set; survivors_of: {seat: set}, of who is told another."""
        told = {seat: sorted((survivors_of or {}).get(seat, self.everybody()))
                for seat in self.everybody()}
        self.survivors = told
        for site in self.play.sites:
            self.tell(site, "survivors", self.survivors_message(told[self.seat(site)]))
        for number, member in self.members.items():
            self.messages["inclusion"][number] = member.confirm(told[member.seat])
        for site in self.play.sites:
            self.hear(site, "inclusion")

    def inclusions(self, receiver):
        return liars.inclusions_message(self.by_seat("inclusion"), self.survivors,
                                         self.seat(receiver), self.cohort.count)

    def reveal(self):
        for site in self.play.sites:
            self.tell(site, "inclusions", self.inclusions(site))
        for number, member in self.members.items():
            self.messages["reveal"][number] = member.reveal(self.survivors[member.seat])
        for site in self.play.sites:
            self.hear(site, "reveal")

    # What the coordinator makes of it.

    def secrets_of(self, site):
        """Everything that invented members have in common with a site, and their shares in it."""
        secrets = {}
        if self.cohort is None:
            return secrets
        seat = self.seat(site)
        for number, member in self.members.items():
            secrets[f"s {number}"] = member.pair(secagg.pair_mask_key, seat)
            for name, derive in (("K", secagg.share_seal_key), ("A", secagg.inclusion_key)):
                secrets[f"{name} from {number}"] = member.pair(derive, seat)
                secrets[f"{name} to {number}"] = member.pair(derive, seat, incoming=True)
            if member.dealt:
                secrets[f"share of beta {number}"], secrets[f"share of m {number}"] = \
                    member.dealt[seat]
        return secrets

    def shares_told(self):
        """({owner: {holder: share}} of betas, the same of mask keys), by seats, as revealed."""
        betas, keys = {}, {}
        for holder, message in self.by_seat("reveal").items():
            for number, share in liars.read_reveal(message).items():
                owner = self.seat(number)
                kind = betas if owner in self.survivors[holder] else keys
                kind.setdefault(owner, {})[holder] = share
        return betas, keys

    def joined(self, shares, is_right):
        secrets = {}
        for owner, told in shares.items():
            if len(told) >= self.cohort.threshold:
                secret = secagg.join(dict(sorted(told.items())[:self.cohort.threshold]))
                if is_right(owner, secret):
                    secrets[owner] = secret
        return secrets

    def reconstruct(self):
        """({seat: beta}, {seat: mask key}) of whoever at least t told the same kind of share of."""
        commitments = {seat: message[:32] for seat, message in self.by_seat("shares").items()}
        betas, keys = self.shares_told()
        return (self.joined(betas, lambda owner, secret:
                            secagg.sha256(secret) == commitments[owner]),
                self.joined(keys, lambda owner, secret:
                            secagg.x25519_public(secret) == self.cohort.adverts[owner].mask_key))

    def unmask(self, alive, betas, keys):
        """The sum over the seats `alive`, with the masks that they share with the owners of
        `keys` taken off as well."""
        bits, count = self.plan["ring_bits"], self.plan["lane_count"]
        uploads = self.by_seat("upload")
        total = [0] * count
        for seat in alive:
            total = self.plus(total, secagg.unpack(uploads[seat], count, bits))
            if betas[seat] is not None:
                total = secagg.add_mask(total, secagg.self_mask_key(
                    betas[seat], self.cohort.context, self.cohort.adverts[seat].id), bits, -1)
            for other in set(keys) - set(alive):
                total = self.without_pair(total, keys[other], other, seat)
        return total

    def plus(self, lanes, other, sign_of=1):
        return [(a + sign_of * b) % (1 << self.plan["ring_bits"]) for a, b in zip(lanes, other)]

    def without_pair(self, lanes, key, owner, seat):
        """Takes off the mask that the upload of `seat` has because of the owner of `key`."""
        one, other = self.cohort.adverts[owner], self.cohort.adverts[seat]
        mask = secagg.pair_mask_key(key, other.mask_key, self.cohort.context, one.id, other.id)
        return secagg.add_mask(lanes, mask, self.plan["ring_bits"], -1 if owner > seat else 1)

    def strip(self, seat, beta, key):
        """One upload without its masks, from its owner's two secrets; no beta: no self mask."""
        lanes = self.unmask([seat], {seat: beta}, {})
        for other in self.by_seat("shares"):
            if other != seat:
                one, peer = self.cohort.adverts[seat], self.cohort.adverts[other]
                mask = secagg.pair_mask_key(key, peer.mask_key, self.cohort.context, one.id,
                                            peer.id)
                lanes = secagg.add_mask(lanes, mask, self.plan["ring_bits"],
                                        -1 if other > seat else 1)
        return lanes

    def remainder(self, total, numbers):
        """A sum less what invented members contributed."""
        for number in numbers:
            total = self.plus(total, self.lanes[number], -1)
        return total

    def is_update(self, lanes):
        """Whether lanes are one site's quantised update; masked ones are not, but for 2^-700."""
        half = 1 << self.plan["ring_bits"] - 1
        weight = lanes[-1]
        top = weight * ((1 << self.plan["value_bits"] - 1) - 1)
        centred = [(lane + half) % (2 * half) - half for lane in lanes[:-1]]
        return (1 <= weight <= self.plan["weight_max"] and
                all(abs(lane) <= top and lane % weight == 0 for lane in centred))
