/*
 * How evenly lanes fill the ring: chi-square statistic of their top 8 bits over 256 equal bins, 255
 * degrees of freedom. Masked lanes are uniform (about 200 .. 310); a sum in the clear is not.
 * Public values only.
 */
#ifndef SOTTO_COORDINATOR_APPLY_BINS_H
#define SOTTO_COORDINATOR_APPLY_BINS_H

#include <stddef.h>
#include <stdint.h>

struct sotto_bins {
    uint64_t counts[256];
};

/* Counts lanes[lane_count] of Z_2^ring_bits, ring_bits at least 8. */
void sotto_bins_add(struct sotto_bins *bins, const uint32_t *lanes, size_t lane_count,
                    unsigned ring_bits);
/* 0 for no lanes. */
double sotto_bins_chi2(const struct sotto_bins *bins);

#endif
