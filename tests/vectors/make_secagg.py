#!/usr/bin/env python3
"""Makes tests/vectors/secagg with secagg.py, or compares what is there with what it would make.

    make_secagg.py            writes the files
    make_secagg.py --check    writes nothing; exit code 1 and a line for each file that differs
"""
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree

import graph
import secagg
import vectors
from vectors import drawn

PLAN = b'any bytes that everybody has alike'
ALL_WIDTHS = range(1, 33)


def drawn_lanes(name, count, ring_bits):
    words = secagg.mask_lanes(drawn(name), count, 32)
    return [word & (1 << ring_bits) - 1 for word in words]


def secrets_vector(name):
    seed, ctx0 = drawn(name, 'seed'), secagg.plan_context(PLAN)
    secrets = secagg.secrets_of(seed, ctx0)
    return {'seed': seed, **vars(secrets),
            'mask_public': secagg.x25519_public(secrets.mask_key),
            'share_public': secagg.x25519_public(secrets.share_key)}


def pair_vector(one, other):
    """Everything between two participants, from the point of view of `one`."""
    ctx1 = drawn('ctx1')
    ours, theirs = (secrets_vector(('member', id)) for id in (one, other))
    share = (ours['share_key'], theirs['share_public'], ctx1)
    return {
        'self': one, 'peer': other,
        'share_key': ours['share_key'], 'peer_share_public': theirs['share_public'],
        'mask_key': ours['mask_key'], 'peer_mask_public': theirs['mask_public'],
        'seal': secagg.share_seal_key(*share, one, other),
        'open': secagg.share_seal_key(*share, other, one),
        'confirm': secagg.inclusion_key(*share, one, other),
        'verify': secagg.inclusion_key(*share, other, one),
        'mask': secagg.pair_mask_key(ours['mask_key'], theirs['mask_public'], ctx1, one, other),
        'self_mask': ours['self_mask'],
        'self_stream': secagg.self_mask_key(ours['self_mask'], ctx1, one)}


def leaf_vector(id):
    terms = secagg.Terms(secagg.plan_context(PLAN), 1, 32, 3, 128, 3, 0.05)
    secrets = secagg.secrets_of(drawn(('member', id), 'seed'), terms.ctx0)
    advert = secagg.make_advert(terms, id, drawn('identity', id), secrets)
    certificate = drawn('certificate', id)
    return {'identity': drawn('identity', id), 'certificate': certificate, 'advert': advert,
            'leaf': secagg.leaf_of(advert, certificate)}


def tree_vector(count):
    ctx0 = secagg.plan_context(PLAN)
    leaves = [drawn('leaf', seat) for seat in range(count)]
    return {'leaves': leaves, 'root': secagg.merkle_root(leaves),
            'context': secagg.cohort_context(ctx0, leaves)}


def derivation():
    ids = [1, 2, 77, 4_294_967_295]
    return {
        'plan': PLAN, 'ctx0': secagg.plan_context(PLAN), 'ctx1': drawn('ctx1'),
        'secrets': [secrets_vector(('member', id)) for id in ids],
        'leaves': [leaf_vector(id) for id in ids],
        'trees': [tree_vector(count) for count in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 128)],
        'pairs': [pair_vector(one, other) for one in ids for other in ids if one != other]}


def sharing_vector(name, secret, threshold, count):
    seed = drawn('split', name)
    shares = secagg.split(secret, seed, threshold, count)
    holders = sorted(range(count), key=lambda holder: drawn('order', name, holder))[:threshold]
    assert secagg.join({holder: shares[holder] for holder in holders}) == secret
    return {'secret': secret, 'seed': seed, 'threshold': threshold, 'count': count,
            'coefficients': secagg.coefficients_of(seed, threshold), 'shares': shares,
            'join': holders}


def sharing():
    cases = [(1, 1), (1, 4), (2, 2), (2, 3), (3, 5), (4, 4), (6, 9), (11, 20)]
    return {'splits': [
        *(sharing_vector(at, drawn('secret', at), *case) for at, case in enumerate(cases)),
        sharing_vector('zeros', bytes(32), 3, 4), sharing_vector('ones', b'\xff' * 32, 3, 4)]}


def mask_vector(ring_bits, first, count):
    key = drawn('mask', ring_bits)
    return {'key': key, 'ring_bits': ring_bits, 'first': first,
            'lanes': secagg.mask_lanes(key, count, ring_bits, first)}


def long_mask_vector(ring_bits, first, count):
    """SHA-256 of the packed lanes instead of the lanes."""
    key = drawn('mask', ring_bits)
    lanes = secagg.mask_lanes(key, count, ring_bits, first)
    return {'key': key, 'ring_bits': ring_bits, 'first': first, 'count': count,
            'packed_digest': secagg.sha256(secagg.pack(lanes, ring_bits))}


def packing_vector(ring_bits, count):
    lanes = drawn_lanes(('pack', ring_bits), count, ring_bits)
    assert secagg.unpack(secagg.pack(lanes, ring_bits), count, ring_bits) == lanes
    return {'ring_bits': ring_bits, 'lanes': lanes, 'packed': secagg.pack(lanes, ring_bits)}


def masks():
    windows = [(0, 1), (0, 19), (8, 24), (65_528, 9), (2**28 - 8, 8)]
    return {'masks': [mask_vector(ring_bits, *window)
                      for ring_bits in (1, 8, 13, 16, 17, 24, 26, 32) for window in windows],
            'long_masks': [long_mask_vector(ring_bits, *window)
                           for ring_bits in (13, 16, 26, 32)
                           for window in ((0, 1021), (40, 8192), (65_528, 70_001))],
            'packings': [packing_vector(ring_bits, count)
                         for ring_bits in ALL_WIDTHS for count in (1, 8, 11)]}


def proofs():
    """Seals, MACs and signatures, each with everything that it is made from."""
    ctx1, key, identity = drawn('ctx1'), drawn('key'), drawn('identity', 1)
    seats = secagg.seat_set([0, 2, 3, 8], 11)
    survivors = secagg.sha256(seats)
    signed = {'sotto/1 advert': drawn('ctx0') + drawn('body') + drawn('body')[:20],
              'sotto/1 cohort': ctx1,
              'sotto/1 survivors': ctx1 + seats + secagg.u32(4),
              'sotto/1 inclusion': ctx1 + survivors}
    return {
        'ctx1': ctx1, 'key': key, 'seats': seats, 'survivors_digest': survivors,
        'plain': drawn('plain') * 2 + drawn('plain')[:16],
        'sealed': secagg.seal(key, ctx1, drawn('plain') * 2 + drawn('plain')[:16]),
        'mac': secagg.inclusion_mac(key, ctx1, survivors),
        'identity': identity, 'identity_public': secagg.ed25519_public(identity),
        'signatures': [{'label': label, 'message': message,
                        'signature': secagg.sign(identity, label.encode(), message)}
                       for label, message in signed.items()]}


def parameters_vector(count, survivors_min, corrupt_fraction):
    terms = secagg.Terms(bytes(32), 1, 32, 3, 128, survivors_min, corrupt_fraction)
    found = graph.parameters(count, terms)
    return {'count': count, 'survivors_min': survivors_min, 'corrupt_fraction': corrupt_fraction,
            **vars(found), 'floor': secagg.floor_of(found, terms)}


def parameters():
    """Of complete graphs; those of rings are in rings.json."""
    return {'parameters': [parameters_vector(count, floor, fraction)
                           for count in (3, 4, 5, 6, 8, 10, 20, 50, 100, 127, 128)
                           for floor, fraction in ((3, 0.0), (3, 0.05), (min(count, 40), 0.2))]}


def ring_vector(count, neighbours):
    """Everybody's neighbours, by seat."""
    leaves, ctx1 = [drawn('ring leaf', seat) for seat in range(count)], drawn('ring', count)
    positions = [secagg.ring_position(ctx1, leaf) for leaf in leaves]
    return {'ctx1': ctx1, 'leaves': leaves, 'neighbours': neighbours,
            'order': sorted(range(count), key=lambda seat: positions[seat]),
            'rows': [graph.neighbours_of(seat, positions, neighbours) for seat in range(count)]}


def neighbours():
    return {'rings': [ring_vector(*case) for case in ((5, 2), (6, 4), (12, 6), (13, 12), (40, 8))]}


class Round:
    """A whole round, and everything that was said in it."""

    def __init__(self, count, ring_bits, lane_count, dropout_fraction=0.0):
        name = ('round', count)
        self.ids = [11 + 7 * place for place in range(count)]
        self.terms = secagg.Terms(drawn(name, 'ctx0'), lane_count, ring_bits, 3, count, 3, 0.05,
                                  dropout_fraction)
        self.identities = {id: drawn(name, 'identity', id) for id in self.ids}
        self.seeds = {id: drawn(name, 'seed', id) for id in self.ids}
        self.signing = drawn(name, 'signing')
        self.roster = {id: secagg.Entry(secagg.ed25519_public(self.identities[id]),
                                        drawn(name, 'certificate', id)) for id in self.ids}
        self.hub = secagg.Coordinator(self.terms, self.roster, self.signing)
        self.members = {id: secagg.Member(self.terms, self.roster, id, self.identities[id],
                                          secagg.ed25519_public(self.signing), self.seeds[id])
                        for id in self.ids}
        self.lanes = {id: [(0x9e3779b9 * (place + 1) + 0x85ebca6b * lane) % 2**ring_bits
                           for lane in range(lane_count)] for place, id in enumerate(self.ids)}
        self.said = {}

    def stage(self, name, present, told, answer):
        """Everybody in `present` is told, then all answers are in; both go on record."""
        answers = {}
        for id in present:
            mail = told(id)
            answers[id] = answer(self.members[id], mail)
            self.said.setdefault(name, []).append({'id': id, 'told': mail, 'said': answers[id]})
        return answers

    def play(self, sharing, uploading, including, revealing):
        """Who takes part in each stage."""
        hub, stage = self.hub, self.stage
        hub.adverts = stage('gathering', self.ids, lambda id: b'',
                            lambda member, mail: member.advert())
        hub.fix_cohort()
        hub.shares = stage('sharing', sharing, hub.cohort,
                           lambda member, mail: member.shares(mail))
        hub.uploads = stage('uploading', uploading, hub.inbox,
                            lambda member, mail: member.mask(mail, self.lanes[member.id]))
        hub.receipts = {id: self.members[id].receipt() for id in uploading
                        if self.members[id].is_ring()}
        hub.inclusions = stage('including', including, hub.survivors,
                               lambda member, mail: member.inclusion(mail))
        hub.reveals = stage('revealing', revealing, hub.confirmations,
                            lambda member, mail: member.reveal(mail))
        total = hub.unmask()
        assert total == [sum(column) % 2**self.terms.ring_bits
                         for column in zip(*(self.lanes[id] for id in uploading))]
        return {**vars(self.terms), 'signing': self.signing, 'ctx1': hub.ctx1, 'sum': total,
                'members': [{'id': id, 'identity': self.identities[id], 'seed': self.seeds[id],
                             'certificate': self.roster[id].certificate, 'lanes': self.lanes[id]}
                            for id in self.ids],
                **self.said}


def round_of_five():
    """One drops out after it shared."""
    five = Round(5, 26, 11)
    rest = [id for id in five.ids if id != five.ids[3]]
    return five.play(five.ids, rest, rest, rest)


def round_of_eleven():
    """One more is lost in each stage."""
    eleven = Round(11, 16, 13)
    ids = eleven.ids
    return eleven.play(ids[1:], ids[1:10], ids[2:10], ids[3:10])


def round_of_many():
    """A ring, each message by its digest: every tenth shares and is gone, some later ones, too."""
    many = Round(132, 26, 9, 0.15)
    ids = many.ids
    survivors = [id for place, id in enumerate(ids) if place % 10 != 4]
    told = many.play(ids[1:], survivors[1:], survivors[1:-2], survivors[3:-2])
    for stage in many.said:
        told[stage] = [{'id': exchange['id'],
                        'digest': secagg.sha256(exchange['told'], exchange['said'])}
                       for exchange in told[stage]]
    return told


FILES = (derivation, sharing, masks, proofs, parameters, neighbours, round_of_five, round_of_eleven,
         round_of_many)

if __name__ == '__main__':
    vectors.main('secagg', FILES, __doc__)
