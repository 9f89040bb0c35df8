/*
 * The server optimiser's moments beside one version of a campaign: those of every part that its
 * method trains, behind one another. A campaign's first version has none on the disk: they start as
 * the optimiser says.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_MOMENTUM_H
#define SOTTO_COORDINATOR_DRIVE_MOMENTUM_H

#include "coordinator/schedule/definition.h"

/* All borrowed. */
struct sotto_momentum {
    const char *folder; /* of the coordinator's state */
    const struct sotto_definition *definition;
    uint32_t round; /* that made the version; 0: the campaign began with it */
    const struct sotto_digest *adapter;
};

/* Where a part's moments begin; of SOTTO_TRAINED_COUNT, how many there are: 0 with FedAvg. */
size_t sotto_momentum_first(const struct sotto_definition *definition, uint32_t trained);

/*
 *   values  out  from malloc, [sotto_momentum_first of all parts]; the caller frees; NULL after a
 *                failure
 *
 * The statuses of sotto_moments_read.
 */
SOTTO_CHECKED enum sotto_status sotto_momentum_read(float **values,
                                                    const struct sotto_momentum *momentum,
                                                    struct sotto_fault *fault);

/* Durable when it returns. The statuses of sotto_moments_store. */
SOTTO_CHECKED enum sotto_status sotto_momentum_store(const struct sotto_momentum *momentum,
                                                     const float *values,
                                                     struct sotto_fault *fault);

/*
 * Puts the values that a campaign starts with in the place of whatever is there; its first version
 * has them anyway. SOTTO_UNEXPECTED: the campaign's optimiser has no moments; else the statuses of
 * sotto_moments_store.
 */
SOTTO_CHECKED enum sotto_status sotto_momentum_renew(const struct sotto_momentum *momentum,
                                                     struct sotto_fault *fault);

#endif
