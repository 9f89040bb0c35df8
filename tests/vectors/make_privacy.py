#!/usr/bin/env python3
"""Makes tests/vectors/privacy with privacy.py, or compares what is there with what it would make.

    make_privacy.py            writes the files
    make_privacy.py --check    writes nothing; exit code 1 and a line for each file that differs

Values are few bits long and orders of rotations are powers of four, so that floats of any width
give the same.
"""
import itertools
import struct
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree

import privacy
import secagg
import vectors
from vectors import drawn


def drawn_values(name, count, bits, unit):
    """Multiples of `unit` of up to `bits` bits, with signs."""
    words = secagg.mask_lanes(drawn('values', name), count, bits)
    return [(word - (1 << bits - 1)) * unit for word in words]


def narrow(value):
    """The float of 32 bits that is nearest."""
    return struct.unpack('<f', struct.pack('<f', value))[0]


def quantised_vector(value_bits, weight, lane_range):
    values = [narrow(value) for value in drawn_values(value_bits, 40, 12, lane_range / 1900)]
    dither = drawn('dither', value_bits)
    return {'value_bits': value_bits, 'weight': weight, 'lane_range': lane_range, 'dither': dither,
            'values': values,
            'lanes': privacy.quantise(values, weight, value_bits, lane_range, dither)}


def rounding_vector(chosen):
    """Half steps of 1/16 under a bound that try `chosen` meets and none before it."""
    terms = {'value_bits': 8, 'lane_range': 127 / 16}
    values = [value + 1 / 32 for value in drawn_values(('rounding', chosen), 40, 6, 1 / 16)]
    for at in itertools.count():
        seed = drawn('rounding', (chosen, at))
        squares = [privacy.square_of(privacy.rounding_try(values, **terms, seed=seed, at=try_))
                   for try_ in range(chosen + 1)]
        if all(square > squares[chosen] for square in squares[:chosen]):
            break
    return {**terms, 'square_max': squares[chosen], 'seed': seed, 'values': values,
            'lanes': privacy.round_bounded(values, **terms, square_max=squares[chosen], seed=seed)}


def rotation_vector(count):
    values = drawn_values(('rotation', count), count, 8, 0.5)
    context = drawn('context', count)
    return {'context': context, 'values': values, 'rotated': privacy.rotate(values, context)}


def noise_vector(variance):
    seed = drawn('noise', variance)
    return {'seed': seed, 'variance': variance, 'samples': privacy.gaussian(seed, 64, variance)}


def terms_vector(*terms):
    names = ('multiplier', 'clip_norm', 'step', 'value_count', 'cohort_max', 'survivors_min',
             'corrupt_fraction')
    return {**dict(zip(names, terms)), **vars(privacy.noise_of(*terms))}


def encoding_vector(name, count, **terms):
    """Within the clip norm, so that clipping changes nothing."""
    values = drawn_values(name, count, 5, 0.25)
    context, seed = drawn('context', name), drawn('seed', name)
    terms = {'clip_norm': 64.0, 'lane_range': 64.0, 'value_bits': 8, 'ring_bits': 20,
             'weight': 1, 'is_rotated': 0, 'multiplier': 0.0, **terms}
    return {**terms, 'context': context, 'seed': seed, 'values': values,
            'lanes': privacy.encode(values, context, seed, **terms)}


def lanes():
    return {
        'quantised': [quantised_vector(2, 1, 1.0), quantised_vector(8, 1, 3.5),
                      quantised_vector(12, 300, 10.0), quantised_vector(16, 7, 0.01),
                      quantised_vector(24, 1, 1000.0)],
        'roundings': [rounding_vector(chosen) for chosen in (0, 1, 6, 15, 16)],
        'rotations': [rotation_vector(count) for count in (1, 4, 5, 7, 16, 31, 64, 100)],
        'encodings': [encoding_vector('plain', 20, weight=9),
                      encoding_vector('rotated', 20, is_rotated=1),
                      encoding_vector('noised', 20, multiplier=2.0),
                      encoding_vector('both', 90, is_rotated=1, multiplier=0.5)]}


def noise():
    return {
        'samples': [noise_vector(variance)
                    for variance in (1, 2, 9, 100, 12_345, 2**31 + 11, 2**49)],
        'terms': [terms_vector(1.0, 10.0, 0.01, 40_000, 100, 45, 0.05),
                  terms_vector(0.5, 1.0, 2.0**-7, 1000, 20, 12, 0.0),
                  terms_vector(3.0, 4.0, 1 / 127, 2**20, 1000, 700, 0.1)]}


FILES = (lanes, noise)

if __name__ == '__main__':
    vectors.main('privacy', FILES, __doc__)
