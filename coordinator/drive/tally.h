/*
 * The running sum of a round, mod 2^w: uploads are added as they come, then the masks are taken
 * off. One vector, whatever the number of sites. Plain functions for worker threads; who runs them
 * when: coordinator/drive/jobs.h.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_TALLY_H
#define SOTTO_COORDINATOR_DRIVE_TALLY_H

#include "coordinator/apply/bins.h"
#include "core/wire/plan.h"

struct sotto_tally {
    uint32_t *lanes; /* [lane_count] */
    size_t lane_count;
    unsigned ring_bits;
};

/* SOTTO_NO_MEMORY. */
SOTTO_CHECKED enum sotto_status sotto_tally_open(struct sotto_tally *tally,
                                                 const struct sotto_plan *plan);
void sotto_tally_close(struct sotto_tally *tally);

/*
 * Adds the packed lanes in the file at `path`.
 *
 *   chi2  out  of this upload's lanes
 *
 * SOTTO_NOT_FOUND, SOTTO_IO: the file; SOTTO_FORGED: it does not hold what was acknowledged. The
 * tally is then spoilt.
 */
SOTTO_CHECKED enum sotto_status sotto_tally_add(struct sotto_tally *tally, double *chi2,
                                                const char *path, const struct sotto_digest *digest,
                                                struct sotto_fault *fault);

#endif
