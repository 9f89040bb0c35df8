"""What an update goes through before it is masked, a second time: rotation, rounding and noise as
docs/protocol.md tells them. Integers and fractions where the page asks for exact ones; floats are
IEEE doubles, as there."""
import math
import struct
from dataclasses import dataclass
from fractions import Fraction

import secagg

WORD = 2**64
TRIALS = 16
WHOLE_WORDS = 107
REST_WORDS = 20
TRIAL_WORDS = 1 + WHOLE_WORDS + REST_WORDS
SECOND_SIGNS = 2**25
ROUNDING_TRIES = 16
TAIL_BITS = 65


def words(stream):
    return struct.unpack(f'<{len(stream) // 8}Q', stream)


def top_of(value_bits):
    return 2**(value_bits - 1) - 1


def quantise(values, weight, value_bits, lane_range, dither):
    """Signed lanes of the values, and the weight."""
    top = top_of(value_bits)
    scale = 1.0 / (lane_range / top)
    draws = words(secagg.prg(dither, 8 * len(values)))
    lanes = []
    for value, draw in zip(values, draws):
        y = max(-float(top), min(float(top), value * scale))
        whole = math.floor(y)
        lanes.append(weight * (whole + ((draw >> 11) * 2.0**-53 < y - whole)))
    return [*lanes, weight]


def rotation_signs(seed, count, first):
    """+1 or -1 for each of `count` values, from stream byte `first` on."""
    stream = secagg.prg(seed, (count + 7) // 8, first)
    return [1 - 2 * (stream[at // 8] >> at % 8 & 1) for at in range(count)]


def hadamard(values):
    """H x / sqrt(n) by its definition: entry (i, j) is -1 to the number of common bits."""
    count = len(values)
    return [math.fsum(value if (row & column).bit_count() % 2 == 0 else -value
                      for column, value in enumerate(values)) / math.sqrt(count)
            for row in range(count)]


def rotate(values, context):
    """The first n values, then the last n, n the largest power of two in their number."""
    seed = secagg.hkdf(context, b'', b'rotate')
    size = 1 << len(values).bit_length() - 1
    spans = [(0, 0)] if size == len(values) else [(0, 0), (len(values) - size, SECOND_SIGNS)]
    values = list(values)
    for begin, first in spans:
        signs = rotation_signs(seed, size, first)
        span = values[begin:begin + size]
        values[begin:begin + size] = hadamard([sign * value for sign, value in zip(signs, span)])
    return values


@dataclass
class Noise:
    square_max: int
    variance: int
    honest_min: int
    tail: int


def noise_of(multiplier, clip_norm, step, count, cohort_max, survivors_min, corrupt_fraction):
    """How much noise each site adds."""
    c = clip_norm / step
    honest_min = survivors_min - max(1, math.ceil(corrupt_fraction * cohort_max))
    square_max = math.floor(c * c + count / 4 + c + math.sqrt(count) / 2)
    variance = math.ceil(multiplier * multiplier * square_max / honest_min)
    tail = math.ceil(math.sqrt(2 * variance * cohort_max * TAIL_BITS * math.log(2)))
    return Noise(square_max, variance, honest_min, tail)


def rounding_try(values, value_bits, lane_range, seed, at):
    return quantise(values, 1, value_bits, lane_range, secagg.prg(seed, 32, 32 * at))


def square_of(lanes):
    """Of all but the last, the weight."""
    return sum(lane * lane for lane in lanes[:-1])


def round_bounded(values, value_bits, lane_range, square_max, seed):
    """Lanes of weight 1 whose square is at most square_max."""
    for at in range(ROUNDING_TRIES):
        lanes = rounding_try(values, value_bits, lane_range, seed, at)
        if square_of(lanes) <= square_max:
            return lanes
    step = lane_range / top_of(value_bits)
    return [*(math.trunc(value * (1.0 / step)) for value in values), 1]


class Undecided(Exception):
    """A coin that its word does not decide: once in 2^57 trials, and in none of the vectors."""


def is_below(word, chance):
    """Is a real number below `chance`, whose first 64 bits are the word?"""
    if Fraction(word + 1, WORD) <= chance:
        return True
    if Fraction(word, WORD) < chance:
        raise Undecided
    return False


def exponential_coin(supply, rest, first):
    """Chance exp(-rest): the first k whose coin of chance rest / k fails is odd."""
    k = first
    while is_below(next(supply), rest / k):
        k += 1
    return k % 2 == 1


def run_length(supply):
    """Coins of chance 1/e that succeed before the first that fails. That of k = 1 never does."""
    length = 0
    while exponential_coin(supply, Fraction(1), 2):
        length += 1
    return length


def trial(drawn, variance):
    """A sample of the discrete Gaussian, or None where it is rejected."""
    stride = math.isqrt(2 * variance - 1) + 1
    place, low = divmod(drawn[0] * 2 * stride, WORD)
    wholes, rests = iter(drawn[1:1 + WHOLE_WORDS]), iter(drawn[1 + WHOLE_WORDS:])
    steps, wholes_passed = run_length(wholes), run_length(wholes)
    size = steps * stride + (place >> 1)
    is_negative = place & 1
    if low < WORD % (2 * stride) or (size == 0 and is_negative):
        return None
    wanted, rest = divmod(size * size - 2 * variance * steps, 2 * variance)
    if wanted > wholes_passed or not exponential_coin(rests, Fraction(rest, 2 * variance), 1):
        return None
    return -size if is_negative else size


def gaussian(seed, count, variance):
    """The first `count` samples of a seed."""
    samples, offset = [], 0
    while len(samples) < count:
        size = 8 * TRIAL_WORDS * TRIALS
        batch = words(secagg.prg(seed, size, offset))
        offset += size
        found = (trial(batch[at::TRIALS], variance) for at in range(TRIALS))
        samples += [sample for sample in found if sample is not None]
    return samples[:count]


COHORT_MAX, SURVIVORS_MIN, CORRUPT_FRACTION = 5, 4, 0.05


def encode(values, context, seed, *, clip_norm, lane_range, value_bits, ring_bits, weight,
           is_rotated, multiplier):
    """Lanes of values that need no clipping, in a cohort of the constants above."""
    assert math.fsum(value * value for value in values) <= clip_norm**2
    if is_rotated:
        values = rotate(values, context)
    rounding = secagg.hkdf(seed, b'', b'round')
    if multiplier == 0:
        lanes = quantise(values, weight, value_bits, lane_range, rounding)
    else:
        step = lane_range / top_of(value_bits)
        noise = noise_of(multiplier, clip_norm, step, len(values), COHORT_MAX, SURVIVORS_MIN,
                         CORRUPT_FRACTION)
        lanes = round_bounded(values, value_bits, lane_range, noise.square_max, rounding)
        samples = gaussian(secagg.hkdf(seed, b'', b'noise'), len(values), noise.variance)
        lanes = [lane + sample for lane, sample in zip(lanes, [*samples, 0])]
    return [lane % 2**ring_bits for lane in lanes]
