"""An evil site against the finished coordinator: refused with a status, named as a liar, done
without, or the end of a round without a sum. A wrong sum is noticed wherever it can be; a test says
where it cannot."""
import os
import sys
import unittest

from choir import Choir, flipped
from liars import secagg
import wire

BINARIES, SABOTAGED = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]
LATE_STAGES = ("uploading", "including", "revealing")
REVEALED_BYTES = 4 + secagg.SHARE_BYTES


# What the evil site says in the place of an honest message.

def copied(evil, _):
    return evil.choir.honest[0].last_upload


def random_lanes(_, body):
    return os.urandom(len(body))


def outside(evil, _):
    """The largest lane that there is, under the smallest weight."""
    half = 1 << evil.plan["ring_bits"] - 1
    return evil.upload([half - 1] * (evil.plan["lane_count"] - 1) + [1])


def longest(evil, _):
    """The largest update under the largest weight."""
    weight = evil.plan["weight_max"]
    return evil.upload([weight * top_of(evil)] * (evil.plan["lane_count"] - 1) + [weight])


def heavier(evil, _):
    """An update of weight 20 that says that it is one of weight 1."""
    return evil.upload([20 * top_of(evil)] * (evil.plan["lane_count"] - 1) + [1])


def of_wrong_length(evil, body):
    evil.answers = [evil.put(body[:-4])[0], evil.put(body + bytes(4))[0],
                    evil.put(body + bytes(4), length=len(body))[0]]


def of_wrong_digest(evil, body):
    evil.answers = [evil.put(body, digest=os.urandom(32))[0]]


def of_wrong_chunk_digest(evil, body):
    evil.answers = [evil.put(body, chunk_digest=os.urandom(32))[0]]


def twice(evil, body):
    evil.answers = [evil.put(body)[0], evil.put(os.urandom(len(body)))[0], evil.put(body)[0]]
    return body


def elsewhere(evil, body):
    evil.answers = [evil.say("advert", body, number=evil.plan["round"] + 1),
                    evil.say("advert", body, campaign="elsewhere"), evil.say("reveal", body)]
    return body


def of_another_layout(evil, _):
    """It trained what has the right length but is something else."""
    plan = wire.plan({**evil.plan, "layout": os.urandom(32)})
    evil.member.terms.ctx0 = secagg.plan_context(plan)
    return evil.member.advert()


def of_another_site(evil, _):
    return evil.choir.honest[0].member.advert()


def of_low_order(evil, body):
    signed = body[:4] + bytes(32) + body[36:84]
    return signed + secagg.sign(evil.identity, b"sotto/1 advert", evil.member.terms.ctx0, signed)


def one_flipped(_, body):
    return flipped(body, 40)


def all_flipped(_, body):
    return body[:32] + os.urandom(len(body) - 32)


def fitting_no_secret(evil, body):
    """Sealed as they should be, of another polynomial for each holder."""
    member = evil.member
    return body[:32] + b"".join(
        secagg.seal(member.pair(secagg.share_seal_key, seat), member.ctx1,
                    b"".join(secagg.split(os.urandom(32), os.urandom(32), 3, 5)[seat]
                             for _ in range(2)))
        for seat in member.others)


def silent(_, __):
    return None


def false_macs(_, body):
    return body[:64] + os.urandom(len(body) - 64)


def signed_by_nobody(_, body):
    return flipped(body, 0)


def of_exchanged_owners(_, body):
    return body[REVEALED_BYTES:2 * REVEALED_BYTES] + body[:REVEALED_BYTES] + \
        body[2 * REVEALED_BYTES:]


def all_shares_flipped(_, body):
    return b"".join(flipped(body[at:at + REVEALED_BYTES], 4)
                    for at in range(0, len(body), REVEALED_BYTES))


def top_of(site):
    return (1 << site.plan["value_bits"] - 1) - 1


class Shipped(unittest.TestCase):
    """Rounds of one choir around the shipped coordinator."""

    @classmethod
    def setUpClass(cls):
        cls.choir = Choir(BINARIES, SABOTAGED)
        cls.addClassCleanup(cls.choir.close)

    def check_abandoned(self, played):
        self.assertEqual(played.outcome["outcome"], "abandoned")
        self.assertTrue(played.outcome["reason"])

    def check_exact(self, played, survivors):
        self.assertEqual(played.outcome["outcome"], "finished", played.outcome["reason"])
        self.assertEqual(len(played.survivors()), survivors)
        self.assertTrue(played.is_exact())

    def check_done_without(self, status, what, lie, stage):
        """The message is refused with a status, and the others' sum is exact."""
        played = self.choir.play({what: lie}, short=[stage])
        self.assertEqual(played.statuses[what], status)
        self.check_exact(played, survivors=5 if stage in ("including", "revealing") else 4)

    def check_bounded(self, played):
        self.check_exact(played, survivors=5)
        self.assertLessEqual(max(map(abs, played.expected())), self.choir.evil.plan["lane_range"])


class Lanes(Shipped):
    def test_upload__of_another_site__ends_the_round_without_a_sum(self):
        self.check_abandoned(self.choir.play({"upload": copied}))

    def test_upload__random_lanes__ends_the_round_without_a_sum(self):
        self.check_abandoned(self.choir.play({"upload": random_lanes}))

    def test_upload__lanes_that_no_update_has__ends_the_round_without_a_sum(self):
        self.check_abandoned(self.choir.play({"upload": outside}))

    def test_upload__at_the_end_of_the_range__pulls_no_further_than_its_weight(self):
        """Malicious inputs are bounded, not prevented."""
        self.check_bounded(self.choir.play({"upload": longest}))

    def test_upload__heavier_than_its_weight__cannot_be_noticed_but_stays_in_the_range(self):
        """Only the sum is known: a lane may be as large as the sum of the weights allows."""
        for site in self.choir.sites:
            site.weight = 50
            self.addCleanup(setattr, site, "weight", None)
        self.check_bounded(self.choir.play({"upload": heavier}))

    def test_upload__of_a_wrong_length__is_refused_and_done_without(self):
        played = self.choir.play({"upload": of_wrong_length}, short=["uploading"])
        self.assertEqual(self.choir.evil.answers, [400, 400, 400])
        self.check_exact(played, survivors=4)

    def test_upload__with_a_wrong_digest__is_refused_and_done_without(self):
        played = self.choir.play({"upload": of_wrong_digest}, short=["uploading"])
        self.assertEqual(self.choir.evil.answers, [409])
        self.check_exact(played, survivors=4)

    def test_upload__in_a_chunk_with_a_wrong_digest__is_refused_and_done_without(self):
        played = self.choir.play({"upload": of_wrong_chunk_digest}, short=["uploading"])
        self.assertEqual(self.choir.evil.answers, [400])
        self.check_exact(played, survivors=4)

    def test_upload__a_second_one__is_refused_and_changes_nothing(self):
        played = self.choir.play({"upload": twice})
        self.assertEqual(self.choir.evil.answers, [200, 400, 200])
        self.check_exact(played, survivors=5)


class Adverts(Shipped):
    def test_message__of_another_round_campaign_or_stage__is_refused(self):
        played = self.choir.play({"advert": elsewhere})
        self.assertEqual(self.choir.evil.answers, [409, 409, 409])
        self.check_exact(played, survivors=5)

    def test_advert__under_another_layout__is_refused_and_done_without(self):
        self.check_done_without(403, "advert", of_another_layout, "gathering")

    def test_advert__in_another_sites_name__is_refused_and_done_without(self):
        self.check_done_without(403, "advert", of_another_site, "gathering")

    def test_advert__with_a_key_of_low_order__is_refused_and_done_without(self):
        self.check_done_without(403, "advert", of_low_order, "gathering")


class Shares(Shipped):
    def test_share__flipped_on_its_way__costs_its_receiver_alone(self):
        played = self.choir.play({"shares": one_flipped})
        self.assertEqual(played.left, {self.choir.honest[0].name})
        self.check_exact(played, survivors=4)

    def test_shares__all_flipped__end_the_round_without_a_sum(self):
        """Sharing is not verifiable: whoever seals nonsense costs everybody the round."""
        self.check_abandoned(self.choir.play({"shares": all_flipped}, short=["uploading"]))

    def test_shares__of_a_wrong_length__are_refused_and_done_without(self):
        self.check_done_without(400, "shares", lambda _, body: body[:-1], "sharing")

    def test_shares__that_fit_no_secret__end_the_round_without_a_sum(self):
        self.check_abandoned(self.choir.play({"shares": fitting_no_secret}))

    def test_inclusion__never_sent__is_done_without(self):
        played = self.choir.play({"inclusion": silent}, short=["including"])
        self.check_exact(played, survivors=5)

    def test_inclusion__with_false_macs__costs_nothing(self):
        self.check_exact(self.choir.play({"inclusion": false_macs}), survivors=5)

    def test_inclusion__signed_by_nobody__is_refused_and_done_without(self):
        self.check_done_without(403, "inclusion", signed_by_nobody, "including")

    def test_reveal__never_sent__is_done_without(self):
        played = self.choir.play({"reveal": silent}, short=["revealing"])
        self.check_exact(played, survivors=5)

    def test_reveal__of_exchanged_owners__is_refused_and_done_without(self):
        self.check_done_without(400, "reveal", of_exchanged_owners, "revealing")

    def test_reveal__with_flipped_shares__names_the_liar_and_finishes(self):
        self.assertNotIn("share that is wrong", self.choir.log())
        played = self.choir.play({"reveal": all_shares_flipped})
        self.check_exact(played, survivors=5)
        self.assertEqual(played.named(), [self.choir.evil])


class Lax(unittest.TestCase):
    """The same lies, told to a coordinator that lacks one defence."""

    def play(self, sabotage, lies, short=()):
        choir = Choir(BINARIES, SABOTAGED, sabotage)
        self.addCleanup(choir.close)
        return choir.play(lies, short)

    def check_wrong_sum(self, played):
        self.assertTrue(played.is_finished, played.outcome["reason"])
        self.assertFalse(played.is_exact())

    def check_accepted(self, sabotage, what, lie, short=()):
        played = self.play(sabotage, {what: lie}, short)
        self.assertIn(played.statuses.get(what) or played.choir.evil.answers[0], (200, 204))
        return played

    def test_upload__random_lanes__makes_a_wrong_sum_without_impossible_sum(self):
        self.check_wrong_sum(self.play("impossible-sum", {"upload": random_lanes}))

    def test_upload__of_another_site__makes_a_wrong_sum_without_impossible_sum(self):
        self.check_wrong_sum(self.play("impossible-sum", {"upload": copied}))

    def test_upload__with_a_wrong_digest__is_taken_without_upload_digest(self):
        self.check_accepted("upload-digest", "upload", of_wrong_digest, LATE_STAGES)

    def test_upload__in_a_chunk_with_a_wrong_digest__is_taken_without_chunk_digest(self):
        self.check_accepted("chunk-digest", "upload", of_wrong_chunk_digest, LATE_STAGES)

    def test_upload__of_a_wrong_length__is_taken_without_upload_length(self):
        self.check_accepted("upload-length", "upload", of_wrong_length, LATE_STAGES)

    def test_advert__under_another_layout__ends_the_round_without_advert_signature(self):
        played = self.check_accepted("advert-signature", "advert", of_another_layout)
        self.assertEqual(played.outcome["outcome"], "abandoned")

    def test_advert__with_a_key_of_low_order__ends_the_round_without_advert_usable(self):
        played = self.check_accepted("advert-usable", "advert", of_low_order)
        self.assertEqual(played.outcome["outcome"], "abandoned")

    def test_inclusion__signed_by_nobody__is_taken_without_inclusion_signature(self):
        self.check_accepted("inclusion-signature", "inclusion", signed_by_nobody)

    def test_reveal__with_flipped_shares__ends_the_round_without_liars(self):
        played = self.play("liars", {"reveal": all_shares_flipped})
        self.assertEqual((played.outcome["outcome"], played.named()), ("abandoned", []))

    def test_reveal__with_flipped_shares__makes_a_wrong_sum_without_commitments(self):
        self.check_wrong_sum(self.play("commitments", {"reveal": all_shares_flipped}))

    def test_reveal__of_exchanged_owners__is_taken_without_reveal_owners(self):
        self.check_accepted("reveal-owners", "reveal", of_exchanged_owners)


if __name__ == "__main__":
    unittest.main(verbosity=2)
