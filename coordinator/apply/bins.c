#include "coordinator/apply/bins.h"

enum { BIN_COUNT = 256, BIN_BITS = 8 };

void sotto_bins_add(struct sotto_bins *bins, const uint32_t *lanes, size_t lane_count,
                    unsigned ring_bits)
{
    unsigned shift = ring_bits - BIN_BITS;

    for (size_t lane = 0; lane < lane_count; lane++)
        bins->counts[(lanes[lane] >> shift) % BIN_COUNT]++;
}

double sotto_bins_chi2(const struct sotto_bins *bins)
{
    double total = 0, chi2 = 0;

    for (size_t bin = 0; bin < BIN_COUNT; bin++)
        total += (double)bins->counts[bin];
    if (total == 0)
        return 0;
    for (size_t bin = 0; bin < BIN_COUNT; bin++) {
        double off = (double)bins->counts[bin] - total / BIN_COUNT;

        chi2 += off * off / (total / BIN_COUNT);
    }
    return chi2;
}
