/*
 * The server optimiser's state beside each version of a campaign's adapter: files
 * `moments/<campaign>/<round that made the version>`, float32 and the SHA-256 over "sotto/1
 * moments", that round, the adapter's digest and them. By round, because two versions may be the
 * same adapter while their moments differ. Stored before the version is, so that a version that
 * holds has its own. Nobody can fetch them.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_MOMENTS_H
#define SOTTO_COORDINATOR_LEDGER_MOMENTS_H

#include "core/base/bytes.h"

/* Whose state: a version of a campaign, in the coordinator's folder. */
struct sotto_moments_key {
    const char *folder;
    const char *campaign;
    uint32_t round; /* that made it */
    const struct sotto_digest *adapter;
};

/* Durable when it returns. values [count]. SOTTO_IO, SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY. */
SOTTO_CHECKED enum sotto_status sotto_moments_store(const struct sotto_moments_key *key,
                                                    const float *values, size_t count,
                                                    struct sotto_fault *fault);

/*
 * SOTTO_NOT_FOUND, SOTTO_FORGED (damaged, or of another version or count), SOTTO_IO,
 * SOTTO_NO_MEMORY: the fault names the file below the folder; values unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_moments_read(float *values, size_t count,
                                                   const struct sotto_moments_key *key,
                                                   struct sotto_fault *fault);

/*
 * Removes those of the campaign's other versions; that of round `also` stays. What cannot be
 * removed stays.
 */
void sotto_moments_sweep(const struct sotto_moments_key *key, uint32_t also);

#endif
