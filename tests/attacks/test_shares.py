"""Sealed shares that a site must not mask with. What an attacker gains from a lax site is its
masked update, or its further answers."""
from attack import attack, main, story
from coordinator import Refused


@attack("share-sealed", "share-sealed")
def share__with_a_flipped_bit(play):
    played = play.round().up_to("shares")
    inbox = bytearray(played.inbox(play.victim))
    inbox[-20] ^= 1
    play.lie(played)
    played.tell(play.victim, "inbox", bytes(inbox))
    return played.hear(play.victim, "upload")


@story
def sealer__that_does_not_wipe__is_found_out(test):
    play = test.play("wipe")
    test.assertRaises(Refused, share__with_a_flipped_bit, play)
    test.assertTrue(play.remembered())


@attack("share-sealed", "share-sealed")
def shares__exchanged(play):
    played = play.round().up_to("shares")
    inbox = played.inbox(play.victim)
    play.lie(played)
    played.tell(play.victim, "inbox", inbox[:1] + inbox[97:193] + inbox[1:97] + inbox[193:])
    return played.hear(play.victim, "upload")


@attack("too-few-shared", "too-few-shared")
def sharers__below_the_floor(play):
    """The update is then hidden from two members alone, who may both collude."""
    played = play.round().up_to("shares")
    play.lie(played)
    played.tell(play.victim, "inbox", played.inbox(play.victim, sharers=[1, 3, 4]))
    return played.hear(play.victim, "upload")


@attack("inbox-malformed", "inbox-own")
def inbox__without_the_victim(play):
    """A site that thinks it did not share adds no self mask; declared dead, its mask key is told
    by the others, and its update lies bare."""
    played = play.round().up_to("shares")
    play.lie(played)
    played.upload(sharers=[3, 4, 5, 6])
    survivors = [1, 2, 3, 4]
    played.survivors = {seat: survivors for seat in survivors}
    for number, member in played.members.items():
        member.take_inbox(played.inbox(number))
        played.messages["reveal"][number] = member.reveal(survivors)
    _, keys = played.reconstruct()
    return played.is_update(played.strip(0, None, keys[0]))


@attack("inbox-malformed", None)
def inbox__too_short(play):
    played = play.round().up_to("shares")
    play.lie(played)
    played.tell(play.victim, "inbox", played.inbox(play.victim)[:-1])
    return played.hear(play.victim, "upload")


@attack("second-message", "second-cohort")
def cohort__a_second_time(play):
    """Shares of one secret for two cohorts, each of which may lack what the other has."""
    played = play.round().up_to("shares")
    play.lie(played)
    played.tell(play.victim, "cohort", played.cohort_message())
    return played.hear(play.victim, "shares")


@attack("second-message", "second-inbox")
def inbox__a_second_time(play):
    """Other shares in the place of those that the site has masked with."""
    played = play.round().up_to("upload")
    play.lie(played)
    played.tell(play.victim, "inbox", played.inbox(play.victim, sharers=[1, 3, 4, 5]))
    played.confirm({0: [0, 1, 2, 3]})
    return played.messages["inclusion"][1]


@attack("second-message", None)
def survivors__before_the_shares(play):
    played = play.round().up_to("shares")
    play.lie(played)
    played.tell(play.victim, "survivors", played.survivors_message(played.everybody()))
    return played.hear(play.victim, "inclusion")


if __name__ == "__main__":
    main()
