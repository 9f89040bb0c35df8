/*
 * The CPU's table of kernels with a device of its own: memory that nobody can touch but an entry
 * while it runs. A host that looks there crashes.
 *
 * While an entry runs, everybody may: other threads are watched in between. Entries run one at a
 * time.
 */
#ifndef SOTTO_TESTS_MODELS_WALL_H
#define SOTTO_TESTS_MODELS_WALL_H

#include "models/kernels/kernels.h"

/* What has crossed the wall so far, and what ran behind it. */
struct wall_tally {
    size_t uploads;
    size_t downloads;      /* of floats */
    size_t loss_downloads; /* of the sums of a loss */
    size_t updates;        /* of an optimiser, and of what packs */
    size_t launches;       /* of all else that computes */
    size_t reserves;
    size_t releases;
    size_t launches_at_loss; /* when the last loss came down */
};

const struct sotto_kernels *wall_kernels(void);
struct wall_tally wall_tally(void);

/* Bytes that are reserved and not yet released. */
size_t wall_bytes(void);

#endif
