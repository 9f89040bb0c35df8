"""Survivor sets, and how a coordinator would use them to have shares that open one update. What an
attacker gains from a lax site is a confirmation, a share, or an update in the clear."""
import os

import memory
from attack import attack, main, story

COLLUDER = 5


def confirm(play, played, message):
    """The victim's confirmation of a survivors message."""
    play.lie(played)
    played.tell(play.victim, "survivors", message)
    return played.hear(play.victim, "inclusion")


@attack("survivors-malformed", "survivors-count")
def survivors__that_are_fewer_than_counted(play):
    played = play.round().up_to("upload")
    return confirm(play, played, played.survivors_message([0, 1], count=5))


@attack("survivors-malformed", None)
def survivors__with_a_bit_beyond_the_cohort(play):
    played = play.round().up_to("upload")
    message = played.survivors_message(played.everybody())
    return confirm(play, played, bytes([message[0] | 0x80]) + message[1:])


@attack("survivors-malformed", None)
def survivors__two_sets_in_one_message(play):
    """Both shares of one member can be asked for in one request only so."""
    played = play.round().up_to("upload")
    message = (played.survivors_message(played.everybody()) +
               played.survivors_message(played.everybody()[:-1]))
    return confirm(play, played, message)


@attack("survivors-signature", "survivors-signature")
def survivors__signed_by_somebody_else(play):
    played = play.round().up_to("upload")
    return confirm(play, played,
                   played.survivors_message(played.everybody(), signing=os.urandom(32)))


@attack("survivors-signature", "survivors-signature")
def survivors__of_another_cohort(play):
    played = play.round().up_to("upload")
    return confirm(play, played,
                   played.survivors_message(played.everybody(), context=os.urandom(32)))


@attack("own-bit", "own-bit")
def survivors__without_the_victim(play):
    """Declared dead although it uploaded, so that the others tell its mask key."""
    played = play.round().up_to("upload")
    return confirm(play, played, played.survivors_message([1, 2, 3, 4]))


@attack("survivor-stranger", "survivor-stranger")
def survivors__with_one_that_did_not_share(play):
    played = play.round().up_to("shares")
    gone = play.others.pop().id
    del played.members[gone], played.messages["shares"][gone]
    played.upload()
    return confirm(play, played, played.survivors_message(played.everybody()))


@attack("too-few-survivors", "too-few-survivors", cohort=7)
def survivors__below_the_floor(play):
    """The sum of five where six were promised."""
    played = play.round().up_to("upload")
    play.lie(played)
    few = [0, 1, 2, 3, 4]
    played.confirm({seat: few for seat in few})
    played.reveal()
    betas, keys = played.reconstruct()
    total = played.unmask(few, betas, keys)
    return played.is_update(played.remainder(total, list(played.members)[:4]))


@attack("second-message", "second-survivors")
def survivors__a_second_set(play):
    """Confirmations of two sets, each of which half of the cohort could be shown."""
    played = play.round().up_to("inclusion")
    return confirm(play, played, played.survivors_message([0, 1, 2, 3]))


@attack("inclusion", "inclusion", sites=2)
def survivors__two_sets_to_two_halves(play):
    """Each honest member is told that one other is dead, so that a colluder and two of them tell
    the mask keys of two; what is left is the sum of two sites and the colluder, where at least four
    were promised."""
    played = play.round().up_to("upload")
    play.lie(played)
    everybody = set(played.everybody())
    played.confirm({0: everybody - {2}, 1: everybody - {3}, 2: everybody - {3},
                    3: everybody - {2}, 4: everybody - {2, 3}})
    played.reveal()
    betas, keys = played.reconstruct()
    total = played.unmask([0, 1, 4], betas, keys)
    rest = played.remainder(total, [COLLUDER])
    return set(keys) == {2, 3} and is_sum_of_two(played, rest)


def is_sum_of_two(played, lanes):
    """Whether lanes are near zero, as two small updates are and masked ones are not."""
    half = 1 << played.plan["ring_bits"] - 1
    top = lanes[-1] * (1 << played.plan["value_bits"] - 1)
    return 2 <= lanes[-1] <= 2 * played.plan["weight_max"] and \
        all(abs((lane + half) % (2 * half) - half) <= top for lane in lanes[:-1])


@attack("inclusion", "inclusion")
def inclusions__of_nobody(play):
    played = play.round().up_to("inclusion")
    play.lie(played)
    played.tell(play.victim, "inclusions", b"\0")
    return played.hear(play.victim, "reveal")


@attack("inclusion", "inclusion")
def inclusions__made_up(play):
    played = play.round().up_to("inclusion")
    play.lie(played)
    played.tell(play.victim, "inclusions", b"\x1e" + os.urandom(64))
    return played.hear(play.victim, "reveal")


def ask_again(play, played, survivors):
    """Everybody but the owner left out is asked for shares once more, for another set."""
    played.confirm({seat: survivors for seat in survivors})
    played.reveal()
    return played.reconstruct()


def open_update(play, first, second, between=None):
    """Asks the holders twice, once for each kind of share of the second site, and opens its
    update. Only the first site is asked for real; the invented ones answer whatever they are
    asked."""
    played = play.round().up_to("upload")
    target = play.sites.pop()
    target.kill()
    play.lie(played)
    betas, keys = ask_again(play, played, first)
    if between is not None:
        between(play)
    more_betas, more_keys = ask_again(play, played, second)
    seat = played.seat(target)
    beta, key = {**betas, **more_betas}.get(seat), {**keys, **more_keys}.get(seat)
    return beta and key and played.is_update(played.strip(seat, beta, key))


ALL, WITHOUT_TARGET = [0, 1, 2, 3, 4], [0, 2, 3, 4]


@attack("after-reveal", "after-reveal", sites=2)
def shares__both_kinds_in_two_requests(play):
    return open_update(play, ALL, WITHOUT_TARGET)


@attack("after-reveal", "after-reveal", sites=2)
def upload__late__accepted_and_unmasked(play):
    """The target is declared dead first; then its upload, which was late, is said to be in."""
    return open_update(play, WITHOUT_TARGET, ALL)


@attack("after-reveal", "after-reveal", sites=2)
def shares__both_kinds_after_a_reconnect(play):
    return open_update(play, ALL, WITHOUT_TARGET,
                       lambda play: play.stage.front.hang_up(play.victim.desk))


@story
def site__killed_before_it_reveals__answers_nothing_of_that_round(test):
    """Its secrets were in memory only: neither the disk nor the site that is started anew has
    them."""
    play = test.play()
    played = play.round().up_to("inclusion")
    secrets = played.secrets_of(play.victim)
    play.victim.restart()
    test.assertEqual(play.victim.written(secrets), set())
    play.check_silent()
    test.assertEqual(memory.found_in(play.victim.sealer(), secrets), set())


@attack("after-reveal", None)
def inclusions__a_second_time(play):
    played = play.round().up_to("reveal")
    played.tell(play.victim, "inclusions", played.inclusions(play.victim))
    return played.hear(play.victim, "reveal")


if __name__ == "__main__":
    main()
