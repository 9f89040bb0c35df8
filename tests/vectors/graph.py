"""Who is whose neighbour, and how many shares give a secret: the parameters and the ring of
docs/protocol.md, in exact integers."""
import math
from dataclasses import dataclass
from functools import lru_cache

COMPLETE_MAX = 128
NEIGHBOURS_MAX = 1022
SECURITY_BITS = 40
GRINDING_BITS = 64
LIVENESS_BITS = 20


@dataclass
class Parameters:
    neighbours: int
    colluders: int
    threshold: int


@lru_cache(maxsize=None)
def tail_counts(total, marked, drawn):
    """[x] -> in how many of the C(total, drawn) draws more than x are marked."""
    first = max(0, drawn - (total - marked))
    count = math.comb(marked, first) * math.comb(total - marked, drawn - first)
    counts = [0] * first
    for hit in range(first, min(marked, drawn) + 1):
        counts.append(count)
        count = (count * (marked - hit) * (drawn - hit)
                 // ((hit + 1) * (total - marked - drawn + hit + 1)))
    above, tails = 0, []
    for count in reversed(counts):
        tails.append(above)
        above += count
    return tails[::-1]


def quantile(cohort, marked, drawn, half_bits):
    """The smallest x with Pr[more than x of `drawn` others are marked] <= 2^-(half_bits/2) / n."""
    tails = tail_counts(cohort - 1, marked, drawn)
    everything = math.comb(cohort - 1, drawn)
    low, high = 0, len(tails) - 1
    while low < high:
        middle = (low + high) // 2
        # Squared, since half_bits may be odd.
        if (tails[middle] * cohort) ** 2 << half_bits <= everything**2:
            high = middle
        else:
            low = middle + 1
    return low


def part_of(cohort, fraction):
    """The floor, but for a product that misses a whole number by its own rounding."""
    return math.floor(fraction * cohort + 2.0**-20)


def complete(cohort, corrupt_fraction):
    colluders = max(1, math.ceil(corrupt_fraction * cohort))
    return Parameters(cohort - 1, colluders, (cohort - 1 + colluders) // 2 + 1)


def fewest_in_sum(cohort, neighbours, threshold, corrupt, half):
    """Of how few a ring's sum can be if sites far from one another are told different sets."""
    gap = min(neighbours - threshold + half, neighbours // 2)
    twice_m = 2 * threshold - gap - 2
    if twice_m <= 0:
        return 0
    return (((cohort - neighbours) * twice_m - corrupt * (2 * threshold - twice_m))
            // (2 * (neighbours - threshold) + twice_m))


def threshold_for(cohort, neighbours, corrupt, survivors_min, bits):
    """(c, t): the smallest t that meets every condition but liveness."""
    colluders = quantile(cohort, corrupt, neighbours, 2 * bits)
    half = quantile(cohort, corrupt, neighbours // 2, bits)
    threshold = max((neighbours + colluders) // 2 + 1, neighbours // 2 + half + 1)
    while threshold <= neighbours and survivors_min > max(
            threshold + 1, fewest_in_sum(cohort, neighbours, threshold, corrupt, half)):
        threshold += 1
    return colluders, threshold


def parameters(cohort, terms, bits=SECURITY_BITS + GRINDING_BITS):
    """None: no k up to NEIGHBOURS_MAX will do."""
    if cohort > COMPLETE_MAX:
        corrupt = max(1, part_of(cohort, terms.corrupt_fraction))
        dropouts = part_of(cohort, terms.dropout_fraction)
        for neighbours in range(2, min(NEIGHBOURS_MAX + 1, cohort - 1), 2):
            colluders, threshold = threshold_for(cohort, neighbours, corrupt, terms.survivors_min,
                                                 bits + 1)
            if threshold <= neighbours and quantile(
                    cohort, dropouts, neighbours, 2 * LIVENESS_BITS) <= neighbours - threshold:
                return Parameters(neighbours, colluders, threshold)
    found = complete(cohort, terms.corrupt_fraction)
    fits = found.neighbours <= NEIGHBOURS_MAX and found.threshold <= found.neighbours
    return found if fits else None


def neighbours_of(seat, positions, neighbours):
    """Seats of a seat's neighbours, ascending. `positions` are hashes, by seat."""
    count = len(positions)
    if neighbours == count - 1:
        return [other for other in range(count) if other != seat]
    order = sorted(range(count), key=lambda other: positions[other])
    place = order.index(seat)
    return sorted(order[(place + step) % count]
                  for step in range(-(neighbours // 2), neighbours // 2 + 1) if step != 0)
