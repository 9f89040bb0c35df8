#include "coordinator/drive/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"

enum { TILE_LANES = 8192 }; /* a multiple of 8: every tile but the last is whole bytes */

enum sotto_status sotto_tally_open(struct sotto_tally *tally, const struct sotto_plan *plan)
{
    *tally = (struct sotto_tally){.lanes = calloc(plan->lane_count, sizeof(uint32_t)),
                                  .lane_count = plan->lane_count,
                                  .ring_bits = plan->ring_bits};
    return tally->lanes == NULL ? SOTTO_NO_MEMORY : SOTTO_OK;
}

void sotto_tally_close(struct sotto_tally *tally)
{
    free(tally->lanes);
    tally->lanes = NULL;
}

/* One tile from the file: into the digest, the bins and the sum. false: the file is too short. */
static bool tile_add(struct sotto_tally *tally, size_t first, FILE *file,
                     struct sotto_hasher *hasher, struct sotto_bins *bins)
{
    uint32_t lanes[TILE_LANES] = {0};
    uint8_t packed[TILE_LANES * sizeof(uint32_t)];
    size_t count = tally->lane_count - first < TILE_LANES ? tally->lane_count - first : TILE_LANES;
    size_t bytes = sotto_lanes_packed_bytes(count, tally->ring_bits);

    if (fread(packed, 1, bytes, file) != bytes)
        return false;
    sotto_hasher_add(hasher, sotto_view_of(packed, bytes));
    sotto_lanes_unpack_add(lanes, count, tally->ring_bits, packed);
    sotto_bins_add(bins, lanes, count, tally->ring_bits);
    sotto_lanes_add(tally->lanes + first, lanes, count);
    return true;
}

enum sotto_status sotto_tally_add(struct sotto_tally *tally, double *chi2, const char *path,
                                  const struct sotto_digest *digest, struct sotto_fault *fault)
{
    FILE *file = fopen(path, "rbe");
    struct sotto_hasher hasher;
    struct sotto_bins bins = {0};
    struct sotto_digest found;
    bool whole = true;

    if (file == NULL)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND, "the spooled upload %s is gone", path);
    sotto_hasher_init(&hasher);
    for (size_t first = 0; first < tally->lane_count && whole; first += TILE_LANES)
        whole = tile_add(tally, first, file, &hasher, &bins);
    whole = whole && fgetc(file) == EOF;
    fclose(file);
    sotto_hasher_finish(&hasher, &found);
    if (!whole || !sotto_digest_equal(&found, digest))
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the spooled upload %s is not what was acknowledged", path);
    *chi2 = sotto_bins_chi2(&bins);
    return SOTTO_OK;
}
