"""Participants and messages of secure aggregation that need not be honest. The protocol itself is
tests/vectors/secagg.py; what is here leaves its checks out."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors"))
import secagg  # noqa: E402
from secagg import MAC_BYTES, SEALED_BYTES, u32  # noqa: E402


class Identity:
    """A site as the roster knows it."""

    def __init__(self, number, seed=None, certificate=None, organisation=None):
        self.id = number
        self.seed = seed or os.urandom(32)
        self.certificate = certificate or os.urandom(32)
        self.organisation = organisation or f"invented {number}"

    def line(self):
        return self.id, secagg.ed25519_public(self.seed), self.certificate, self.organisation


def advert_of(identity, context, mask_key, share_key):
    """Any two public keys, signed by an identity."""
    body = u32(identity.id) + mask_key + share_key + os.urandom(16)
    return secagg.read_advert(
        body + secagg.sign(identity.seed, b"sotto/1 advert", context, body))


class Cohort:
    """What a cohort message says."""

    def __init__(self, message, context):
        self.count, self.neighbours, self.threshold = struct.unpack_from("<III", message)
        at = 12 + 32 * self.count
        leaves = [message[12 + 32 * i:44 + 32 * i] for i in range(self.count)]
        self.adverts = [secagg.read_advert(message[at + secagg.ADVERT_BYTES * i:]
                                           [:secagg.ADVERT_BYTES])
                        for i in range(self.neighbours + 1)]
        self.context = secagg.cohort_context(context, leaves)

    def seat_of(self, number):
        return [advert.id for advert in self.adverts].index(number)


class Member:
    """A participant that believes everything, and answers as often as it is asked."""

    def __init__(self, identity, context, plan):
        self.identity = identity
        self.plan = plan
        self.context = context
        self.secrets = secagg.secrets_of(os.urandom(32), context)
        self.cohort = None
        self.seat = None
        self.dealt = []
        self.sharers = []
        self.held = {}

    def advert(self):
        return advert_of(self.identity, self.context,
                         secagg.x25519_public(self.secrets.mask_key),
                         secagg.x25519_public(self.secrets.share_key))

    def others(self, seats):
        return [seat for seat in seats if seat != self.seat]

    def pair(self, derive, seat, incoming=False):
        """A key that only this member and the one at `seat` know."""
        peer = self.cohort.adverts[seat]
        is_mask = derive is secagg.pair_mask_key
        ends = (self.identity.id, peer.id)
        return derive(self.secrets.mask_key if is_mask else self.secrets.share_key,
                      peer.mask_key if is_mask else peer.share_key, self.cohort.context,
                      *(reversed(ends) if incoming else ends))

    def take_cohort(self, message):
        self.cohort = Cohort(message, self.context)
        self.seat = self.cohort.seat_of(self.identity.id)
        threshold, count = self.cohort.threshold, self.cohort.count
        self.dealt = list(zip(
            secagg.split(self.secrets.self_mask, self.secrets.split_self, threshold, count),
            secagg.split(self.secrets.mask_key, self.secrets.split_mask, threshold, count)))
        return secagg.sha256(self.secrets.self_mask) + b"".join(
            secagg.seal(self.pair(secagg.share_seal_key, seat), self.cohort.context,
                        b"".join(self.dealt[seat])) for seat in self.others(range(count)))

    def take_inbox(self, message):
        size = (self.cohort.count + 7) // 8
        self.sharers = secagg.seats_in(message[:size], self.cohort.count)
        for place, seat in enumerate(self.others(self.sharers)):
            plain = secagg.unseal(self.pair(secagg.share_seal_key, seat, incoming=True),
                                  self.cohort.context,
                                  message[size + SEALED_BYTES * place:][:SEALED_BYTES])
            self.held[seat] = plain[:secagg.SHARE_BYTES], plain[secagg.SHARE_BYTES:]

    def upload(self, lanes):
        bits = self.plan["ring_bits"]
        own = secagg.self_mask_key(self.secrets.self_mask, self.cohort.context, self.identity.id)
        lanes = secagg.add_mask(lanes, own, bits)
        for seat in self.others(self.sharers):
            lanes = secagg.add_mask(lanes, self.pair(secagg.pair_mask_key, seat), bits,
                                    1 if seat > self.seat else -1)
        return secagg.pack(lanes, bits)

    def confirm(self, survivors):
        """The inclusion message for a set of seats."""
        digest = secagg.sha256(secagg.seat_set(survivors, self.cohort.count))
        signature = secagg.sign(self.identity.seed, b"sotto/1 inclusion", self.cohort.context,
                                digest)
        return signature + b"".join(
            secagg.inclusion_mac(self.pair(secagg.inclusion_key, seat), self.cohort.context, digest)
            for seat in self.others(survivors))

    def reveal(self, survivors):
        return b"".join(u32(self.cohort.adverts[seat].id) +
                        self.held[seat][0 if seat in survivors else 1]
                        for seat in self.others(self.sharers))


# What a coordinator sends.

def cohort_message(signing, context, adverts, certificates, corrupt_fraction=0.0, **lies):
    """`lies` may replace neighbours, threshold, leaves or signature."""
    leaves = lies.get("leaves") or [secagg.leaf_of(advert.encoded, certificate)
                                    for advert, certificate in zip(adverts, certificates)]
    terms = secagg.Terms(context, 0, 0, 0, 0, 0, corrupt_fraction)
    computed = secagg.graph.parameters(len(leaves), terms)
    neighbours = lies.get("neighbours", computed.neighbours)
    ids = [] if neighbours == len(leaves) - 1 else [advert.id for advert in adverts]
    signature = lies.get("signature") or secagg.sign(
        signing, b"sotto/1 cohort", secagg.cohort_context(context, leaves, ids))
    return b"".join((u32(len(leaves)), u32(neighbours),
                     u32(lies.get("threshold", computed.threshold)), *map(u32, ids), *leaves,
                     *(advert.encoded for advert in adverts), signature))


def inbox_message(shares, receiver, count):
    """From {seat: shares message}, for the one at seat `receiver`."""
    sealed = b""
    for seat in sorted(shares):
        if seat != receiver:
            place = receiver if receiver < seat else receiver - 1
            sealed += shares[seat][32 + SEALED_BYTES * place:][:SEALED_BYTES]
    return secagg.seat_set(shares, count) + sealed


def survivors_message(signing, context, survivors, cohort, count=None):
    body = secagg.seat_set(survivors, cohort) + u32(len(survivors) if count is None else count)
    return body + secagg.sign(signing, b"sotto/1 survivors", context, body)


def inclusions_message(inclusions, survivors_of, receiver, cohort):
    """From {seat: inclusion message}; survivors_of: {seat: the set which that one confirmed}."""
    senders = [seat for seat in sorted(inclusions)
               if seat != receiver and receiver in survivors_of[seat]]
    macs = b""
    for seat in senders:
        place = [other for other in survivors_of[seat] if other != seat].index(receiver)
        macs += inclusions[seat][64 + MAC_BYTES * place:][:MAC_BYTES]
    return secagg.seat_set(senders, cohort) + macs


def read_reveal(message):
    """{owner's id: share}"""
    size = 4 + secagg.SHARE_BYTES
    return {struct.unpack_from("<I", message, at)[0]: message[at + 4:at + size]
            for at in range(0, len(message), size)}
