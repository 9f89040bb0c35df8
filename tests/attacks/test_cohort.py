"""Cohorts that a site must not share its secrets with. What an attacker gains from a lax site is
its sealed shares, or what follows from them."""
import os

from attack import attack, main
from liars import Identity, advert_of, secagg


def tell(play, played, **lies):
    """The victim alone is told a cohort; its shares are the gain."""
    played.tell(play.victim, "cohort", played.cohort_message(**lies))
    return played.hear(play.victim, "shares")


def adverts_of(played):
    return [played.adverts[number] for number in sorted(played.adverts)]


def fresh_advert(identity, played):
    return advert_of(identity, played.context, secagg.x25519_public(os.urandom(32)),
                     secagg.x25519_public(os.urandom(32)))


@attack("cohort-size", "cohort-size")
def cohort__below_the_floor(play):
    """A sum over fewer than the plan promised."""
    played = play.round().up_to("advert")
    gone = play.others.pop().id
    del played.adverts[gone], played.members[gone]
    for step in (played.share, played.upload, played.confirm, played.reveal):
        step()
    betas, _ = played.reconstruct()
    total = played.unmask(sorted(betas), betas, {})
    return played.is_update(played.remainder(total, played.members))


@attack("cohort-malformed", None)
def cohort__with_a_byte_after_it(play):
    played = play.round().up_to("advert")
    played.tell(play.victim, "cohort", played.cohort_message() + b"\0")
    return played.hear(play.victim, "shares")


@attack("cohort-malformed", "cohort-leaves")
def cohort__whose_leaves_are_of_other_keys(play):
    """Two halves of a cohort could be given other keys under one signed root."""
    played = play.round().up_to("advert")
    honest = played.cohort_message()
    own = sorted(played.adverts).index(play.victim.identity.id)
    leaves = [honest[12 + 32 * seat:][:32] if seat == own else os.urandom(32)
              for seat in range(len(played.adverts))]
    return tell(play, played, leaves=leaves)


@attack("cohort-signature", "cohort-signature")
def cohort__signed_by_somebody_else(play):
    played = play.round().up_to("advert")
    return tell(play, played, signature=os.urandom(64))


@attack("neighbour-set", "neighbour-set")
def threshold__lower_than_computed(play):
    """Two colluding members then hold enough shares of both secrets of the victim."""
    played = play.round().up_to("advert")
    played.share(played.cohort_message(threshold=2))
    played.upload()
    seat = played.seat(play.victim)
    colluders = list(played.members.values())[:2]
    beta, key = ({member.seat: member.held[seat][kind] for member in colluders}
                 for kind in range(2))
    return played.is_update(played.strip(seat, secagg.join(beta), secagg.join(key)))


@attack("neighbour-set", "neighbour-set")
def neighbours__more_than_computed(play):
    played = play.round().up_to("advert")
    message = played.cohort_message(neighbours=5)
    extra = fresh_advert(Identity(99), played)
    played.tell(play.victim, "cohort", message[:-64] + extra.encoded + message[-64:])
    return played.hear(play.victim, "shares")


@attack("neighbour-set", None)
def neighbours__fewer_than_computed(play):
    played = play.round().up_to("advert")
    message = played.cohort_message(neighbours=3)
    played.tell(play.victim, "cohort", message[:-64 - secagg.ADVERT_BYTES] + message[-64:])
    return played.hear(play.victim, "shares")


@attack("own-leaf", "own-leaf", cohort=6)
def cohort__without_the_victim(play):
    played = play.round(cohort_min=5, survivors_min=4).up_to("advert")
    return tell(play, played, adverts=adverts_of(played)[1:])


@attack("own-leaf", None)
def cohort__with_the_victim_twice(play):
    played = play.round().up_to("advert")
    adverts = adverts_of(played)
    return tell(play, played, adverts=[adverts[0], *adverts[:-1]])


@attack("own-leaf", None)
def cohort__with_other_keys_for_the_victim(play):
    played = play.round().up_to("advert")
    return tell(play, played, adverts=[fresh_advert(play.victim.identity, played),
                                       *adverts_of(played)[1:]])


@attack("neighbour-unknown", "neighbour-unknown")
def cohort__with_a_stranger(play):
    played = play.round().up_to("advert")
    adverts = adverts_of(played)[:-1] + [fresh_advert(Identity(99), played)]
    return tell(play, played, adverts=adverts)


@attack("organisation", "organisation", organisation="one and the same")
def cohort__of_one_organisation_but_for_the_victim(play):
    """Who enrols all others reads the victim's update off the sum."""
    played = play.round(organisation_max=2).up_to("reveal")
    betas, _ = played.reconstruct()
    total = played.unmask(sorted(betas), betas, {})
    return played.is_update(played.remainder(total, played.members))


@attack("known-members", "known-members",
        policy={"known_min": 1, "known_identities": "['" + "ab" * 32 + "']"})
def cohort__of_strangers(play):
    played = play.round().up_to("advert")
    return tell(play, played)


@attack("neighbour-duplicate", "neighbour-duplicate")
def cohort__with_one_key_at_two_seats(play):
    """One colluder that counts as two."""
    played = play.round().up_to("advert")
    adverts = adverts_of(played)
    last, other = play.others[-1], adverts[-2]
    adverts[-1] = advert_of(last, played.context, other.mask_key, other.share_key)
    return tell(play, played, adverts=adverts)


@attack("neighbour-signature", "neighbour-signature", sites=2)
def keys__put_in_another_sites_place(play):
    """The attacker plays everybody but the victim, and so reads the victim's update."""
    played = play.round().up_to("advert")
    other = play.sites.pop()
    other.kill()
    intruder = Identity(other.identity.id, certificate=other.identity.certificate)
    play.others.insert(0, intruder)
    played.admit(intruder)
    for step in (played.share, played.upload, played.confirm, played.reveal):
        step()
    betas, _ = played.reconstruct()
    total = played.unmask(sorted(betas), betas, {})
    return played.is_update(played.remainder(total, played.members))


@attack("neighbour-signature", None)
def keys__signed_for_another_plan(play):
    earlier = play.round().up_to("advert")
    played = play.round().up_to("advert")
    return tell(play, played, adverts=[*adverts_of(played)[:-1], adverts_of(earlier)[-1]])


def low_order(play, name):
    """Everybody but the victim shows a key of low order; anybody then knows what they share."""
    played = play.round().up_to("advert")
    adverts = adverts_of(played)
    for place, identity in enumerate(play.others, 1):
        keys = {"mask_key": adverts[place].mask_key, "share_key": adverts[place].share_key,
                name: bytes([place % 2]) + bytes(31) if place < 3 else LOW_ORDERS[place - 3]}
        adverts[place] = advert_of(identity, played.context, keys["mask_key"], keys["share_key"])
    return played, tell(play, played, adverts=adverts)


# Two of order 8 (RFC 7748, section 7; Bernstein's list), besides 0 and 1.
LOW_ORDERS = [
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


@attack("neighbour-low-order", "neighbour-low-order")
def mask_keys__of_low_order(play):
    return low_order(play, "mask_key")


@attack("neighbour-low-order", "neighbour-low-order")
def share_keys__of_low_order(play):
    """Without the check the sealing key is a constant, and the shares lie open."""
    played, shares = low_order(play, "share_key")
    count = len(played.adverts)
    leaves = played.told["cohort"][12:12 + 32 * count]
    cohort = secagg.cohort_context(played.context, [leaves[32 * i:][:32] for i in range(count)])
    box = shares[32:32 + secagg.SEALED_BYTES]
    return len(secagg.unseal(bytes(32), cohort, box)) == 2 * secagg.SHARE_BYTES


if __name__ == "__main__":
    main()
