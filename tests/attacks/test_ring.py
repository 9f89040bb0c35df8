"""Cohorts so large that members have neighbours in a ring, which a coordinator would rather choose.
What it gains from a lax site is both of its secrets: the update lies bare with the upload."""
from attack import attack, main
from liars import secagg
from secagg import SEALED_BYTES, SHARE_BYTES, u32

COHORT = 129


def parameters_of(played):
    plan = played.plan
    terms = secagg.Terms(played.context, plan["lane_count"], plan["ring_bits"], plan["cohort_min"],
                         plan["cohort_max"], plan["survivors_min"], plan["corrupt_fraction"],
                         plan["dropout_fraction"])
    return secagg.graph.parameters(COHORT, terms)


def begin(play):
    return play.round(survivors_min=20, dropout_fraction=0.1, weight_max=100).up_to("advert")


def ring_of(play, played):
    """(ids, leaves, ctx1) of everybody."""
    certificates = {identity.id: identity.certificate for identity in play.identities()}
    ids = sorted(played.adverts)
    leaves = [secagg.leaf_of(played.adverts[number].encoded, certificates[number])
              for number in ids]
    return ids, leaves, secagg.cohort_context(played.context, leaves, ids)


def tell(play, played, parameters, neighbours, threshold=None):
    """The victim's shares for these neighbours, which are members by id."""
    ids, leaves, context = ring_of(play, played)
    known = sorted([play.victim.identity.id, *neighbours])
    played.tell(play.victim, "cohort", b"".join((
        u32(COHORT), u32(parameters.neighbours), u32(threshold or parameters.threshold),
        *map(u32, ids), *leaves, *(played.adverts[number].encoded for number in known),
        secagg.sign(play.stage.signing, b"sotto/1 cohort", context))))
    return played.hear(play.victim, "shares")


def honest_neighbours(play, played, parameters):
    ids, leaves, context = ring_of(play, played)
    positions = [secagg.ring_position(context, leaf) for leaf in leaves]
    seats = secagg.graph.neighbours_of(ids.index(play.victim.identity.id), positions,
                                       parameters.neighbours)
    return [ids[seat] for seat in seats]


def are_both_secrets_told(play, played, shares, colluders, threshold):
    """Opens the shares of colluders, and joins what is in them."""
    ids, _, context = ring_of(play, played)
    victim = played.adverts[play.victim.identity.id]
    opened = {}
    for place, number in enumerate(sorted(colluders)[:threshold]):
        member = played.members[number]
        key = secagg.share_seal_key(member.secrets.share_key, victim.share_key, context, victim.id,
                                    number)
        box = shares[32 + SEALED_BYTES * place:][:SEALED_BYTES]
        opened[ids.index(number)] = secagg.unseal(key, context, box)
    beta = secagg.join({seat: pair[:SHARE_BYTES] for seat, pair in opened.items()})
    key = secagg.join({seat: pair[SHARE_BYTES:] for seat, pair in opened.items()})
    return secagg.sha256(beta) == shares[:32] and secagg.x25519_public(key) == victim.mask_key


@attack("neighbour-set", "neighbours-chosen", cohort=COHORT)
def neighbours__chosen_by_the_coordinator(play):
    """All share holders of the victim collude."""
    played = begin(play)
    parameters = parameters_of(played)
    honest = honest_neighbours(play, played, parameters)
    colluders = sorted(set(played.members) - set(honest[:5]))[:parameters.neighbours]
    shares = tell(play, played, parameters, colluders)
    return are_both_secrets_told(play, played, shares, colluders, parameters.threshold)


@attack("neighbour-set", "neighbour-set", cohort=COHORT)
def threshold__lower_than_the_ring_demands(play):
    """Six of 38 holders may collude; two are enough here."""
    played = begin(play)
    parameters = parameters_of(played)
    holders = honest_neighbours(play, played, parameters)
    shares = tell(play, played, parameters, holders, threshold=2)
    return are_both_secrets_told(play, played, shares, holders, 2)


@attack("neighbour-set", None, cohort=COHORT)
def neighbours__of_a_smaller_ring(play):
    played = begin(play)
    parameters = parameters_of(played)
    parameters.neighbours -= 2
    return tell(play, played, parameters, honest_neighbours(play, played, parameters))


if __name__ == "__main__":
    main()
