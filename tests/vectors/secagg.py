"""Secure aggregation a second time: docs/protocol.md in Python, written from that page alone.

Shares no code with the tree. tests/vectors/make_secagg.py makes the vectors with it; tests that need
honest participants, or almost honest ones, import it. Names are those of docs/protocol.md.

    member = Member(terms, roster, id, identity, coordinator, seed)
    member.advert()  .shares(cohort)  .mask(inbox, lanes)  .inclusion(survivors)  .reveal(inclusions)

    hub = Coordinator(terms, roster, signing)
    hub.adverts, .shares, .uploads, .inclusions, .reveals   {id: message}, filled by the caller
    hub.fix_cohort()   once the adverts are there
    hub.cohort(id)  .inbox(id)  .survivors(id)  .confirmations(id)  .unmask()
"""
import hashlib
import hmac
import struct
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey, Ed25519PublicKey)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import graph

PRIME = 2**61 - 1
LIMBS = 5
LIMB_BITS = 52
SHARE_BYTES = 8 * LIMBS
SEALED_BYTES = 2 * SHARE_BYTES + 16
ADVERT_BYTES = 148
MAC_BYTES = 16
RECEIPT_BYTES = 64
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


class Refusal(Exception):
    """What a participant says instead of an answer; the argument is the refusal's name."""


def require(holds, refusal):
    if not holds:
        raise Refusal(refusal)


def u32(value):
    return struct.pack('<I', value)


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


def hmac_sha256(key, *parts):
    return hmac.new(key, b''.join(parts), hashlib.sha256).digest()


def hkdf(key, salt, info):
    """RFC 5869 for 32 bytes: one block of the expansion."""
    return hmac_sha256(hmac_sha256(salt, key), info, b'\x01')


def prg(key, length, offset=0):
    """Bytes of the stream from `offset`, a multiple of 16."""
    counter = (offset // 16).to_bytes(16, 'big')
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(bytes(length))


@lru_cache(maxsize=1024)
def x25519_private(secret):
    """Slow to load: about a millisecond."""
    return X25519PrivateKey.from_private_bytes(secret)


def x25519_public(secret):
    return x25519_private(secret).public_key().public_bytes(*RAW)


def x25519(secret, public):
    """ValueError: the peer's key has low order."""
    return x25519_private(secret).exchange(X25519PublicKey.from_public_bytes(public))


def ed25519_public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(*RAW)


def sign(seed, *parts):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(b''.join(parts))


def is_signed(signature, public, *parts):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, b''.join(parts))
    except (InvalidSignature, ValueError):
        return False
    return True


def is_usable(public):
    """A canonical X25519 key that is not of low order."""
    try:
        x25519(bytes(32), public)
    except ValueError:
        return False
    return int.from_bytes(public, 'little') < 2**255 - 19


def seal(key, ctx1, plain):
    return AESGCM(key).encrypt(bytes(12), plain, ctx1)


def unseal(key, ctx1, sealed):
    """InvalidTag: not sealed with this key for this context."""
    return AESGCM(key).decrypt(bytes(12), sealed, ctx1)


def plan_context(plan):
    return sha256(b'sotto/1 plan', plan)


def leaf_of(advert, certificate):
    return sha256(b'\x00', advert[:4], certificate, advert[4:])


def merkle_root(leaves):
    row = list(leaves)
    while len(row) > 1:
        above = [sha256(b'\x01', *row[at:at + 2]) for at in range(0, len(row) - 1, 2)]
        row = above + row[len(row) & ~1:]
    return row[0]


def cohort_context(ctx0, leaves, ids=()):
    """`ids` only where not everybody is everybody's neighbour."""
    return sha256(b'sotto/1 cohort', ctx0, merkle_root(leaves), u32(len(leaves)), *map(u32, ids))


def ring_position(ctx1, leaf):
    return sha256(b'sotto/1 ring', ctx1, leaf)


@dataclass
class Secrets:
    mask_key: bytes
    share_key: bytes
    self_mask: bytes
    nonce: bytes
    split_mask: bytes
    split_self: bytes


def secrets_of(seed, ctx0):
    purposes = ('mask key', 'share key', 'self mask', 'nonce', 'split mask key', 'split self mask')
    drawn = [hkdf(seed, ctx0, b'sotto/1 ' + purpose.encode()) for purpose in purposes]
    drawn[3] = drawn[3][:16]
    return Secrets(*drawn)


def share_seal_key(secret, public, ctx1, sender, receiver):
    """K_ij: `sender` seals shares for `receiver`; either may compute it."""
    return hkdf(x25519(secret, public), ctx1, b'share' + u32(sender) + u32(receiver))


def inclusion_key(secret, public, ctx1, sender, receiver):
    """A_ij."""
    return hkdf(x25519(secret, public), ctx1, b'incl' + u32(sender) + u32(receiver))


def pair_mask_key(secret, public, ctx1, one, other):
    """s_ij, the same from either side."""
    return hkdf(x25519(secret, public), ctx1, b'mask' + u32(min(one, other)) + u32(max(one, other)))


def self_mask_key(self_mask, ctx1, owner):
    """p_i."""
    return hkdf(self_mask, ctx1, b'self' + u32(owner))


def limbs_of(secret):
    value = int.from_bytes(secret, 'little')
    return [value >> LIMB_BITS * limb & (1 << LIMB_BITS) - 1 for limb in range(LIMBS)]


def coefficients_of(seed, threshold):
    """[limb] -> coefficients of x, x^2, ...: the stream has the highest power first."""
    stream = prg(seed, 16 * LIMBS * (threshold - 1))
    drawn = [int.from_bytes(stream[at:at + 16], 'little') % PRIME
             for at in range(0, len(stream), 16)]
    return [drawn[limb::LIMBS][::-1] for limb in range(LIMBS)]


def split(secret, seed, threshold, count):
    """Shares for the holders 0 .. count - 1."""
    return split_among(secret, seed, threshold, range(count))


def split_among(secret, seed, threshold, holders):
    """Shares for these holders."""
    polynomials = [[limb, *rest]
                   for limb, rest in zip(limbs_of(secret), coefficients_of(seed, threshold))]
    return [b''.join(struct.pack('<Q', value_at(polynomial, holder + 1))
                     for polynomial in polynomials)
            for holder in holders]


def value_at(polynomial, x):
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * x + coefficient) % PRIME
    return value


def join(shares):
    """The secret behind {holder: share}. ValueError: no secret."""
    xs = {holder: holder + 1 for holder in shares}
    value = 0
    for limb in range(LIMBS):
        at_zero = 0
        for holder, share in shares.items():
            y = struct.unpack_from('<Q', share, 8 * limb)[0]
            if y >= PRIME:
                raise ValueError('a limb is outside the field')
            for other in shares:
                if other != holder:
                    y = y * xs[other] * pow(xs[other] - xs[holder], -1, PRIME) % PRIME
            at_zero = (at_zero + y) % PRIME
        if at_zero >> (LIMB_BITS if limb < LIMBS - 1 else 256 - LIMB_BITS * (LIMBS - 1)):
            raise ValueError('the limbs are wider than a secret')
        value |= at_zero << LIMB_BITS * limb
    return value.to_bytes(32, 'little')


def mask_lanes(key, count, ring_bits, first=0):
    """Lanes first .. first + count of a mask, mod 2^w."""
    size = 2 if ring_bits <= 16 else 4
    begin = first * size // 16 * 16
    stream = prg(key, (first + count) * size - begin, begin)[first * size - begin:]
    words = struct.unpack(f'<{count}{"H" if size == 2 else "I"}', stream)
    return [word & (1 << ring_bits) - 1 for word in words]


def add_mask(lanes, key, ring_bits, sign_of=1):
    mask = mask_lanes(key, len(lanes), ring_bits)
    return [(lane + sign_of * word) % (1 << ring_bits) for lane, word in zip(lanes, mask)]


def pack(lanes, ring_bits):
    """Eight lanes are `ring_bits` whole bytes."""
    out = bytearray()
    for at in range(0, len(lanes), 8):
        some = lanes[at:at + 8]
        value = sum((lane & (1 << ring_bits) - 1) << ring_bits * i for i, lane in enumerate(some))
        out += value.to_bytes((len(some) * ring_bits + 7) // 8, 'little')
    return bytes(out)


def unpack(packed, count, ring_bits):
    """ValueError: a wrong length, or bits beyond the last lane."""
    if len(packed) != (count * ring_bits + 7) // 8:
        raise ValueError('wrong length')
    lanes = []
    for at in range(0, len(packed), ring_bits):
        value = int.from_bytes(packed[at:at + ring_bits], 'little')
        some = min(8, count - len(lanes))
        lanes += [value >> ring_bits * i & (1 << ring_bits) - 1 for i in range(some)]
        if value >> ring_bits * some:
            raise ValueError('bits beyond the last lane')
    return lanes


def seat_set(seats, count):
    return sum(1 << seat for seat in seats).to_bytes((count + 7) // 8, 'little')


def seats_in(encoded, count):
    """ValueError: a bit beyond the last seat."""
    value = int.from_bytes(encoded, 'little')
    if value >> count:
        raise ValueError('a bit beyond the cohort')
    return [seat for seat in range(count) if value >> seat & 1]


@dataclass
class Terms:
    ctx0: bytes
    lane_count: int
    ring_bits: int
    cohort_min: int
    cohort_max: int
    survivors_min: int
    corrupt_fraction: float
    dropout_fraction: float = 0.0


def floor_of(parameters, terms):
    """Fewest participants with which a stage goes on."""
    return max(terms.survivors_min, parameters.threshold + 1)


@dataclass
class Entry:
    """One line of the roster."""
    identity: bytes
    certificate: bytes


def make_advert(terms, id, identity, secrets):
    body = (u32(id) + x25519_public(secrets.mask_key) + x25519_public(secrets.share_key)
            + secrets.nonce)
    return body + sign(identity, b'sotto/1 advert', terms.ctx0, body)


@dataclass
class Advert:
    id: int
    mask_key: bytes
    share_key: bytes
    nonce: bytes
    signature: bytes
    encoded: bytes


def read_advert(encoded):
    id, *rest = struct.unpack('<I32s32s16s64s', encoded)
    return Advert(id, *rest, encoded)


def make_cohort(terms, ids, leaves, adverts, signing):
    """`ids` and `leaves` of everybody, `adverts` of the receiver and its neighbours; all by id."""
    parameters = graph.parameters(len(ids), terms)
    told = [] if parameters.neighbours == len(ids) - 1 else ids
    ctx1 = cohort_context(terms.ctx0, leaves, told)
    return (u32(len(ids)) + u32(parameters.neighbours) + u32(parameters.threshold)
            + b''.join(map(u32, told)) + b''.join(leaves) + b''.join(adverts)
            + sign(signing, b'sotto/1 cohort', ctx1))


def make_survivors(ctx1, seats, count, signing):
    body = seat_set(seats, count) + u32(len(seats))
    return body + sign(signing, b'sotto/1 survivors', ctx1, body)


def inclusion_mac(key, ctx1, survivors_digest):
    return hmac_sha256(key, b'incl', ctx1, survivors_digest)[:MAC_BYTES]


class Member:
    """A participant. `roster` is {id: Entry}; a Refusal is for ever, which the caller sees to."""

    def __init__(self, terms, roster, id, identity, coordinator, seed):
        self.terms, self.roster, self.id = terms, roster, id
        self.identity, self.coordinator = identity, coordinator
        self.secrets = secrets_of(seed, terms.ctx0)
        self.ctx1 = None

    def advert(self):
        return make_advert(self.terms, self.id, self.identity, self.secrets)

    def check_adverts(self, adverts):
        """Those of the receiver and its neighbours."""
        entries = [self.roster.get(advert.id) for advert in adverts]
        keys = [key for advert in adverts for key in (advert.mask_key, advert.share_key)]
        require(all(entries), 'neighbour-unknown')
        require(len(set(keys)) == len(keys), 'neighbour-duplicate')
        for advert, entry in zip(adverts, entries):
            require(is_signed(advert.signature, entry.identity, b'sotto/1 advert', self.terms.ctx0,
                              advert.encoded[:84]), 'neighbour-signature')
        require(all(map(is_usable, keys)), 'neighbour-low-order')

    def check_company(self, ids, leaves):
        """Everybody in the cohort, seen or not."""
        entries = [self.roster.get(id) for id in ids]
        require(all(entries), 'neighbour-unknown')
        require(len(set(ids)) == len(ids), 'neighbour-duplicate')
        require(len({entry.identity for entry in entries}) == len(ids), 'neighbour-duplicate')
        require(len({entry.certificate for entry in entries}) == len(ids), 'neighbour-duplicate')
        require(ids == sorted(ids), 'cohort-malformed')
        require(ids.count(self.id) == 1 and leaves[ids.index(self.id)] == self.leaf(), 'own-leaf')

    def leaf(self):
        return leaf_of(self.advert(), self.roster[self.id].certificate)

    def read_cohort(self, message):
        terms = self.terms
        require(len(message) >= 12, 'cohort-malformed')
        count, neighbours, threshold = struct.unpack_from('<III', message)
        require(terms.cohort_min <= count <= terms.cohort_max, 'cohort-size')
        self.parameters = graph.parameters(count, terms)
        is_complete = neighbours == count - 1
        first = 12 if is_complete else 12 + 4 * count
        last = first + 32 * count
        require(len(message) == last + ADVERT_BYTES * (neighbours + 1) + 64, 'cohort-malformed')
        leaves = [message[first + 32 * seat:][:32] for seat in range(count)]
        adverts = [read_advert(message[last + ADVERT_BYTES * at:][:ADVERT_BYTES])
                   for at in range(neighbours + 1)]
        told = [] if is_complete else list(struct.unpack_from(f'<{count}I', message, 12))
        ids = told or [advert.id for advert in adverts]
        ctx1 = cohort_context(terms.ctx0, leaves, told)
        require(is_signed(message[-64:], self.coordinator, b'sotto/1 cohort', ctx1),
                'cohort-signature')
        require((neighbours, threshold)
                == (self.parameters.neighbours, self.parameters.threshold), 'neighbour-set')
        self.check_company(ids, leaves)
        self.ctx1, self.count, self.seat = ctx1, count, ids.index(self.id)
        self.others = graph.neighbours_of(
            self.seat, [ring_position(ctx1, leaf) for leaf in leaves], neighbours)
        seats = sorted([self.seat, *self.others])
        require([advert.id for advert in adverts] == [ids[seat] for seat in seats],
                'neighbour-set')
        self.check_adverts(adverts)
        require([leaves[seat] for seat in seats]
                == [leaf_of(advert.encoded, self.roster[advert.id].certificate)
                    for advert in adverts], 'cohort-malformed')
        self.adverts = dict(zip(seats, adverts))

    def pair(self, derive, seat, incoming=False):
        """K or A towards the neighbour at `seat`, or its own towards this participant."""
        ends = (self.id, self.adverts[seat].id)
        return derive(self.secrets.share_key, self.adverts[seat].share_key, self.ctx1,
                      *(reversed(ends) if incoming else ends))

    def own_shares(self):
        """{seat: share of beta, share of m} of each neighbour."""
        threshold = self.parameters.threshold
        return dict(zip(self.others, zip(
            split_among(self.secrets.self_mask, self.secrets.split_self, threshold, self.others),
            split_among(self.secrets.mask_key, self.secrets.split_mask, threshold, self.others))))

    def shares(self, cohort):
        self.read_cohort(cohort)
        own = self.own_shares()
        return sha256(self.secrets.self_mask) + b''.join(
            seal(self.pair(share_seal_key, seat), self.ctx1, b''.join(own[seat]))
            for seat in self.others)

    def floor(self):
        return floor_of(self.parameters, self.terms)

    def read_inbox(self, message):
        size = (self.count + 7) // 8
        try:
            shared = seats_in(message[:size], self.count)
        except ValueError:
            raise Refusal('inbox-malformed') from None
        senders = [seat for seat in self.others if seat in shared]
        require(self.seat in shared, 'inbox-malformed')
        require(len(message) == size + SEALED_BYTES * len(senders), 'inbox-malformed')
        require(len(shared) >= self.floor(), 'too-few-shared')
        require(len(senders) >= self.parameters.threshold, 'too-few-shared')
        self.shared, self.held = shared, {}
        self.shared_digest = sha256(message[:size])
        for at, seat in enumerate(senders):
            sealed = message[size + SEALED_BYTES * at:][:SEALED_BYTES]
            try:
                plain = unseal(self.pair(share_seal_key, seat, incoming=True), self.ctx1, sealed)
            except InvalidTag:
                raise Refusal('share-sealed') from None
            self.held[seat] = (plain[:SHARE_BYTES], plain[SHARE_BYTES:])

    def masks(self):
        """(key, sign) of every stream over the vector."""
        yield self_mask_key(self.secrets.self_mask, self.ctx1, self.id), 1
        for seat in self.held:
            peer = self.adverts[seat]
            yield (pair_mask_key(self.secrets.mask_key, peer.mask_key, self.ctx1, self.id, peer.id),
                   1 if peer.id > self.id else -1)

    def mask(self, inbox, lanes):
        """The upload: masked lanes, packed."""
        self.read_inbox(inbox)
        for key, sign_of in self.masks():
            lanes = add_mask(lanes, key, self.terms.ring_bits, sign_of)
        return pack(lanes, self.terms.ring_bits)

    def is_ring(self):
        return self.parameters.neighbours < self.count - 1

    def receipt(self):
        """After the inbox and before the upload, in a ring."""
        return sign(self.identity, b'sotto/1 receipt', self.ctx1, self.shared_digest)

    def check_receipts(self, receipts):
        given = [seat for seat in self.others if seat in self.survived] if self.is_ring() else []
        require(len(receipts) == RECEIPT_BYTES * len(given), 'survivors-malformed')
        for at, seat in enumerate(given):
            require(is_signed(receipts[RECEIPT_BYTES * at:][:RECEIPT_BYTES],
                              self.roster[self.adverts[seat].id].identity, b'sotto/1 receipt',
                              self.ctx1, self.shared_digest), 'receipt')

    def read_survivors(self, message):
        size = (self.count + 7) // 8
        require(len(message) >= size + 68, 'survivors-malformed')
        try:
            survivors = seats_in(message[:size], self.count)
        except ValueError:
            raise Refusal('survivors-malformed') from None
        require(message[size:size + 4] == u32(len(survivors)), 'survivors-malformed')
        require(is_signed(message[size + 4:size + 68], self.coordinator, b'sotto/1 survivors',
                          self.ctx1, message[:size + 4]), 'survivors-signature')
        require(self.seat in survivors, 'own-bit')
        require(set(survivors) <= set(self.shared), 'survivor-stranger')
        require(len(survivors) >= self.floor(), 'too-few-survivors')
        require(len([seat for seat in self.others if seat in survivors])
                >= self.parameters.threshold, 'too-few-survivors')
        self.survived = survivors
        self.check_receipts(message[size + 68:])
        self.survivors_digest = sha256(message[:size])

    def inclusion(self, survivors):
        self.read_survivors(survivors)
        return (sign(self.identity, b'sotto/1 inclusion', self.ctx1, self.survivors_digest)
                + b''.join(inclusion_mac(self.pair(inclusion_key, seat), self.ctx1,
                                         self.survivors_digest)
                           for seat in self.others if seat in self.survived))

    def read_inclusions(self, message):
        size = (self.count + 7) // 8
        try:
            senders = seats_in(message[:size], self.count)
        except ValueError:
            raise Refusal('inclusion') from None
        require(len(message) == size + MAC_BYTES * len(senders), 'inclusion')
        require(set(senders) <= set(self.survived) & set(self.others), 'inclusion')
        valid = [seat for at, seat in enumerate(senders)
                 if message[size + MAC_BYTES * at:][:MAC_BYTES] == inclusion_mac(
                     self.pair(inclusion_key, seat, incoming=True), self.ctx1,
                     self.survivors_digest)]
        require(len(valid) >= self.parameters.threshold, 'inclusion')

    def reveal(self, inclusions):
        self.read_inclusions(inclusions)
        return b''.join(u32(self.adverts[seat].id)
                        + self.held[seat][0 if seat in self.survived else 1] for seat in self.held)


class Coordinator:
    """The coordinator's side of an honest round; the caller puts messages in and takes them out."""

    def __init__(self, terms, roster, signing):
        self.terms, self.roster, self.signing = terms, roster, signing
        self.adverts, self.shares, self.uploads = {}, {}, {}
        self.inclusions, self.reveals = {}, {}
        self.receipts = {}  # in a ring

    def fix_cohort(self):
        """Once all adverts are there."""
        self.ids = sorted(self.adverts)
        self.parameters = graph.parameters(len(self.ids), self.terms)
        self.leaves = [leaf_of(self.adverts[id], self.roster[id].certificate) for id in self.ids]
        is_complete = self.parameters.neighbours == len(self.ids) - 1
        self.ctx1 = cohort_context(self.terms.ctx0, self.leaves, [] if is_complete else self.ids)
        positions = [ring_position(self.ctx1, leaf) for leaf in self.leaves]
        self.neighbours = {
            id: [self.ids[other] for other in graph.neighbours_of(
                seat, positions, self.parameters.neighbours)]
            for seat, id in enumerate(self.ids)}

    def seat_set(self, ids):
        return seat_set([self.ids.index(id) for id in ids], len(self.ids))

    def cohort(self, id):
        seen = sorted([id, *self.neighbours[id]])
        return make_cohort(self.terms, self.ids, self.leaves, [self.adverts[peer] for peer in seen],
                           self.signing)

    def pieces(self, messages, receiver, members, size):
        """What its neighbours wrote for `receiver`: one piece for each of theirs in `members`."""
        for sender in self.neighbours[receiver]:
            if sender in messages:
                slots = [id for id in self.neighbours[sender] if id in members]
                at = size * slots.index(receiver)
                yield messages[sender][at:at + size]

    def inbox(self, id):
        sealed = {sender: message[32:] for sender, message in self.shares.items()}
        return self.seat_set(self.shares) + b''.join(
            self.pieces(sealed, id, self.adverts, SEALED_BYTES))

    def survivors(self, id):
        seats = [self.ids.index(survivor) for survivor in self.uploads]
        return make_survivors(self.ctx1, seats, len(self.ids), self.signing) + b''.join(
            self.receipts[peer] for peer in self.neighbours[id]
            if peer in self.uploads and peer in self.receipts)

    def confirmations(self, id):
        macs = {sender: message[64:] for sender, message in self.inclusions.items()}
        senders = [sender for sender in self.neighbours[id] if sender in macs]
        return self.seat_set(senders) + b''.join(self.pieces(macs, id, self.uploads, MAC_BYTES))

    def revealed(self, owner):
        """{seat of the holder: share} of an owner's self mask or mask key."""
        found = {}
        for holder, message in self.reveals.items():
            for at in range(0, len(message), 4 + SHARE_BYTES):
                if message[at:at + 4] == u32(owner):
                    found[self.ids.index(holder)] = message[at + 4:at + 4 + SHARE_BYTES]
        return dict(sorted(found.items())[:self.parameters.threshold])

    def uncancelled(self):
        """(key, sign) of every mask that is still in the sum."""
        for owner in sorted(self.shares):
            secret = join(self.revealed(owner))
            if owner in self.uploads:
                assert sha256(secret) == self.shares[owner][:32]
                yield self_mask_key(secret, self.ctx1, owner), 1
                continue
            assert x25519_public(secret) == read_advert(self.adverts[owner]).mask_key
            for survivor in self.neighbours[owner]:
                if survivor in self.uploads:
                    public = read_advert(self.adverts[survivor]).mask_key
                    yield (pair_mask_key(secret, public, self.ctx1, owner, survivor),
                           1 if owner > survivor else -1)

    def unmask(self):
        """The sum of the survivors' lanes."""
        ring_bits, count = self.terms.ring_bits, self.terms.lane_count
        uploads = [unpack(packed, count, ring_bits) for packed in self.uploads.values()]
        lanes = [sum(column) % (1 << ring_bits) for column in zip(*uploads)]
        for key, sign_of in self.uncancelled():
            lanes = add_mask(lanes, key, ring_bits, -sign_of)
        return lanes
