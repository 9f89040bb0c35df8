"""One site's update told apart from a sum: by another model for it than for the others, or by two
sums that differ by it."""
from attack import attack, main
from liars import secagg


@attack("neighbour-signature", "plan-context", sites=2)
def models__different_for_different_sites(play):
    """The second site's plan lets it train at a rate of zero, so that it sends nothing but its
    weight, and the sum of both is the first one's update."""
    played = play.round()
    other = play.round(round=played.plan["round"], nonce=played.plan["nonce"],
                       learning_rate_start=0, learning_rate_end=0)
    if play.sabotage is not None:
        played.begin_as(secagg.sha256(b"sotto/1 plan"))
    played.tell_plan(play.sites[0])
    other.tell_plan(play.sites[1])
    played.take_adverts()
    for step in (played.share, played.upload, played.confirm, played.reveal):
        step()
    betas, _ = played.reconstruct()
    rest = played.remainder(played.unmask(sorted(betas), betas, {}), played.members)
    return any(played.is_update(rest[:-1] + [rest[-1] - weight]) for weight in range(1, rest[-1]))


def open_sum(play, numbers, **changes):
    """A whole round over these members."""
    play.others = [identity for identity in play.others if identity.id in numbers]
    played = play.round(**changes).up_to("reveal")
    betas, keys = played.reconstruct()
    total = played.unmask(sorted(betas), betas, keys)
    return played.is_update(played.remainder(total, played.members))


@attack("differencing", "differencing", cohort=6)
def cohort__less_one_in_the_next_round(play):
    """Two sums over all but one the same members, from the same adapter."""
    return open_sum(play, {3, 4, 5, 6, 7}) and open_sum(play, {3, 4, 5, 6})


@attack("differencing", "differencing", cohort=6)
def survivors__less_one_in_the_next_round(play):
    """The cohort is the same; the coordinator says that one of it dropped out."""
    if not open_sum(play, {3, 4, 5, 6, 7}):
        return None
    played = play.round().up_to("upload")
    play.lie(played)
    few = [0, 1, 2, 3, 4]
    played.confirm({seat: few for seat in few})
    played.reveal()
    betas, keys = played.reconstruct()
    total = played.unmask(few, betas, keys)
    return played.is_update(played.remainder(total, list(played.members)[:4]))


if __name__ == "__main__":
    main()
