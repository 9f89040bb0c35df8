"""Makes tests/vectors/secagg/rings.json: the parameters of large cohorts, in whole numbers.

    make_rings.py            writes the file
    make_rings.py --check    exits with 1 unless the file is what docs/protocol.md gives

Every chance is a fraction of two integers and compared as such: no logarithm, no rounding.
"""
import itertools
import json
import math
import pathlib
import sys
from fractions import Fraction

PATH = pathlib.Path(__file__).parent / 'secagg' / 'rings.json'
NEIGHBOURS_MAX = 1022
LIVENESS_BITS = 20


def tails(total, marked, drawn):
    """[x] -> ways to draw more than x marked ones; and all ways."""
    most = min(marked, drawn)
    least = max(0, marked + drawn - total)
    ways = [0] * (most + 1)
    ways[least] = math.comb(marked, least) * math.comb(total - marked, drawn - least)
    for x in range(least, most):
        ways[x + 1] = (ways[x] * (marked - x) * (drawn - x)
                       // ((x + 1) * (total - marked - drawn + x + 1)))
    above = list(itertools.accumulate(reversed(ways), initial=0))[-2::-1]
    return above, sum(ways)


def quantile(count, marked, drawn, half_bits):
    """The smallest x with Pr[more than x] <= 2^-(half_bits / 2) / n, squared to be whole."""
    above, ways = tails(count - 1, marked, drawn)
    return next(x for x, more in enumerate(above)
                if more**2 * 2**half_bits * count**2 <= ways**2)


def whole(fraction, count):
    return math.floor(Fraction(fraction) * count)


def fewest(count, k, threshold, half, colluders):
    """Of how few a sum in a ring can be if sites are told different sets."""
    m = threshold - Fraction(min(k - threshold + half, k // 2), 2) - 1
    if m <= 0:
        return 0
    return math.floor(((count - k) * m - colluders * (threshold - m)) / (k - threshold + m))


def threshold_of(count, k, colluders, floor, bits):
    corrupt = quantile(count, colluders, k, 2 * (bits + 1))
    half = quantile(count, colluders, k // 2, bits + 1)
    threshold = max((k + corrupt) // 2 + 1, k // 2 + half + 1)
    while threshold <= k and floor > max(
            threshold + 1, fewest(count, k, threshold, half, colluders)):
        threshold += 1
    return corrupt, threshold


def ring(count, corrupt_fraction, dropout_fraction, floor, bits):
    colluders = max(1, whole(corrupt_fraction, count))
    dropouts = whole(dropout_fraction, count)
    for k in range(2, min(NEIGHBOURS_MAX, count - 2) + 1, 2):
        corrupt, threshold = threshold_of(count, k, colluders, floor, bits)
        if threshold <= k and (quantile(count, dropouts, k, 2 * LIVENESS_BITS)
                               <= k - threshold):
            return k, corrupt, threshold
    return None


def complete(count, corrupt_fraction):
    k = count - 1
    corrupt = max(1, math.ceil(Fraction(corrupt_fraction) * count))
    threshold = (k + corrupt) // 2 + 1
    return (k, corrupt, threshold) if k <= NEIGHBOURS_MAX and threshold <= k else None


def vector(count, corrupt_fraction, dropout_fraction, floor=3, bits=104):
    found = (ring(count, corrupt_fraction, dropout_fraction, floor, bits)
             or complete(count, corrupt_fraction) or (0, 0, 0))
    return {'count': count, 'corrupt_fraction': float(Fraction(corrupt_fraction)),
            'dropout_fraction': float(Fraction(dropout_fraction)), 'survivors_min': floor,
            'security_bits': bits, 'neighbours': found[0], 'colluders': found[1],
            'threshold': found[2]}


def vectors():
    for count in (129, 130, 200, 333, 500, 1000, 1024, 2000, 5000, 10000):
        for fractions in (('0', '0'), ('0.01', '0.05'), ('0.05', '0.1'), ('0.1', '0.1')):
            yield vector(count, *fractions)
        yield vector(count, '0.05', '0.1', bits=40)
        yield vector(count, '0.05', '0.1', floor=count // 2)
        yield vector(count, '0.05', '0.1', floor=count * 6 // 10)
    for count in (150, 400, 1023, 1024, 4000):
        yield vector(count, '0.05', '0.3')
        yield vector(count, '0.2', '0.1')
        yield vector(count, '0.33', '0.3')


def main():
    if sys.argv[1:] not in ([], ['--check']):
        sys.exit(__doc__)
    text = '{"rings": [\n  ' + ',\n  '.join(map(json.dumps, vectors())) + ']}\n'
    if not sys.argv[1:]:
        PATH.write_text(text)
    elif PATH.read_text() != text:
        sys.exit(f'{PATH}: not what docs/protocol.md gives; make_rings.py writes it anew')


if __name__ == '__main__':
    main()
