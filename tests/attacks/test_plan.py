"""Plans, rosters and models that a site must not take part with. What an attacker gains from a lax
site is its advert: the beginning of a round under the attacker's terms."""
import os

import wire
from attack import attack, main, story
from coordinator import Refused
from liars import Identity, secagg


def offer(play, **changes):
    """Tells the victim a plan; its advert is the gain."""
    played = play.round(**changes)
    played.tell_plan(play.victim)
    return played.hear(play.victim, "advert")


@attack("plan-signature", "plan-signature")
def plan__signed_by_somebody_else(play):
    played = play.round()
    played.tell_plan(play.victim, signing=os.urandom(32))
    return played.hear(play.victim, "advert")


@attack("plan-malformed", None)
def plan__with_a_byte_after_it(play):
    played = play.round()
    played.tell_plan(play.victim, content=played.bytes + b"\0")
    return played.hear(play.victim, "advert")


@attack("plan-malformed", None)
def plan__with_more_survivors_than_cohort(play):
    return offer(play, survivors_min=6)


@attack("plan-malformed", None)
def plan__whose_sum_could_wrap(play):
    return offer(play, ring_bits=19)


@attack("plan-malformed", "plan-check")
def plan__with_no_epoch(play):
    """An update of nothing, under which whatever else the sum holds would lie bare."""
    return offer(play, epochs=0)


@attack("round-not-new", "round-not-new")
def plan__replayed_after_a_restart(play):
    """The site could be made to mask another update under the same agreement."""
    played = play.round().up_to("shares")
    play.victim.restart()
    played.tell_plan(play.victim)
    return played.hear(play.victim, "advert")


@attack("round-not-new", "round-not-new")
def plan__of_an_earlier_round(play):
    first = play.round()
    second = play.round()
    second.tell_plan(play.victim)
    second.hear(play.victim, "advert")
    first.tell_plan(play.victim)
    return first.hear(play.victim, "advert")


@attack("base-model", "base-model")
def plan__for_another_base_model(play):
    return offer(play, base_model=os.urandom(32))


@attack("policy-cohort", "policy-cohort")
def plan__with_a_cohort_below_the_policy(play):
    return offer(play, cohort_min=4)


@attack("policy-survivors", "policy-survivors")
def plan__with_a_floor_below_the_policy(play):
    return offer(play, survivors_min=3)


@attack("policy-corrupt", "policy-corrupt")
def plan__with_fewer_colluders_than_the_policy(play):
    return offer(play, corrupt_fraction=0)


@attack("policy-clip", "policy-clip")
def plan__with_a_longer_clip_than_the_policy(play):
    return offer(play, clip_norm=10.5)


@attack("policy-quantiser", "policy-quantiser")
def plan__whose_sum_could_wrap_with_its_noise(play):
    return offer(play, ring_bits=19, weight_max=1, noise_multiplier=2)


@attack("policy-work", "policy-work")
def plan__with_more_epochs_than_the_policy(play):
    return offer(play, epochs=21)


@attack("policy-noise", "budget", policy={"epsilon_max": 3})
def plan__without_noise_for_a_site_with_a_budget(play):
    return offer(play)


@attack("policy-noise", "budget", policy={"epsilon_max": 3})
def plan__with_too_little_noise_for_the_budget(play):
    return offer(play, noise_multiplier=1, weight_max=1)


@attack("policy-noise", "budget-round", policy={"epsilon_max": 100, "epsilon_round_max": 3})
def plan__that_spends_too_much_of_the_budget_at_once(play):
    return offer(play, noise_multiplier=1, weight_max=1)


@attack("budget", "charge", policy={"epsilon_max": 3})
def plan__for_a_second_round_where_one_spends_the_budget(play):
    """The first one's coordinator never says how it ended: the upload is out, and paid for."""
    play.round(noise_multiplier=2, weight_max=1).up_to("upload")
    return offer(play, noise_multiplier=2, weight_max=1)


@attack("layout", "rank", policy={"rank_max": 1})
def plan__with_a_higher_rank_than_the_policy(play):
    return offer(play)


@attack("layout", "rank", policy={"targets": "query"})
def plan__for_layers_that_the_policy_does_not_allow(play):
    return offer(play)


@attack("policy-organisation", "policy-organisation", policy={"organisation_max": 2})
def plan__with_more_of_one_organisation_than_the_policy(play):
    return offer(play, organisation_max=3)


AUTHORITY = os.urandom(32)
PINNED = {"roster_authority": f"'{secagg.ed25519_public(AUTHORITY).hex()}'"}


def endorsed(play, epoch, seed=AUTHORITY):
    """The plan's fields for a roster of this epoch, signed as of epoch 1."""
    roster = play.stage.put("roster", play.roster(epoch))
    signature = secagg.sign(seed, b"sotto/1 roster", (1).to_bytes(8, "little"), roster)
    return {"roster": roster, "roster_epoch": epoch, "roster_signature": signature}


@attack("roster-authority", "roster-authority", policy=PINNED)
def roster__not_signed(play):
    return offer(play)


@attack("roster-authority", "roster-authority", policy=PINNED)
def roster__signed_by_somebody_else(play):
    return offer(play, **endorsed(play, 1, os.urandom(32)))


@attack("roster-authority", "roster-authority", policy=PINNED)
def roster__signed_for_another_epoch(play):
    return offer(play, **endorsed(play, 2))


@attack("roster-epoch", "roster-epoch", policy=PINNED)
def roster__signed_and_replayed_after_a_newer_one(play):
    """Members that were revoked since would be back."""
    newer = endorsed(play, 2)
    statement = (2).to_bytes(8, "little")
    newer["roster_signature"] = secagg.sign(AUTHORITY, b"sotto/1 roster", statement,
                                            newer["roster"])
    if not offer(play, **newer):
        return None
    play.victim.restart()
    return offer(play, **endorsed(play, 1))


@attack("roster", "roster-pin", policy={"roster": "'" + "ab" * 32 + "'"})
def roster__other_than_the_pinned_one(play):
    return offer(play)


@attack("roster", "roster")
def roster__of_an_earlier_epoch(play):
    return offer(play, roster_epoch=2)


@attack("roster", None)
def roster__with_another_identity_for_the_victim(play):
    stranger = Identity(play.victim.identity.id, certificate=play.victim.identity.certificate)
    lines = [identity.line() for identity in [stranger, *play.others]]
    return offer(play, roster=play.stage.put("roster", wire.roster(1, lines)))


@attack("roster", "items")
def roster__other_than_the_plan_names(play):
    """One site sees a list of members that the others do not."""
    play.victim.desk.items["roster"] = wire.roster(1, [i.line() for i in play.identities()[:-1]])
    return offer(play)


@attack("adapter", "items")
def adapter__other_than_the_plan_names(play):
    """Different models for different sites under one plan: updates can be told apart in a sum."""
    lanes = play.stage.lanes(play.stage.adapter)
    play.victim.desk.items["adapter"] = play.stage.whole(lanes[:-4] + b"\0\0\0\x3f")
    return offer(play)


@story
def adapter__altered_or_cut__is_refused_by_the_tensors_name(test):
    """Its people read which tensor is not the one that was meant, or in which it ends."""
    adapter = test.stage.adapter
    end = len(test.stage.lanes(adapter))
    for content, words in (
            (adapter[:end - 4] + b"\0\0\0\x3f" + adapter[end:],
             "tensor base_model.model.classifier.bias of the adapter is not the one"),
            (b"\0\0\0\x3f" + adapter[4:], "query.lora_A.weight of the adapter is not the one"),
            (adapter[:end - 4], "it ends at base_model.model.classifier.bias"),
            (adapter[:-1], "it ends at base_model.model.classifier.bias of the manifest")):
        play = test.play()
        play.victim.desk.items["adapter"] = content
        with test.assertRaises(Refused):
            offer(play)
        test.stage.federation.wait(lambda: words in play.victim.log(), "the tensor's name")


@attack("layout", None)
def layout__other_than_the_plan_names(play):
    play.victim.desk.items["layout"] = play.stage.layout.replace(b"dress", b"dross")
    return offer(play)


if __name__ == "__main__":
    main()
