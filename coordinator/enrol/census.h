/*
 * The roster of a round: every enrolled, unrevoked site at one epoch, as the message that sites
 * fetch.
 */
#ifndef SOTTO_COORDINATOR_ENROL_CENSUS_H
#define SOTTO_COORDINATOR_ENROL_CENSUS_H

#include "coordinator/ledger/sites.h"
#include "crypto/secagg/terms.h"

struct sotto_census {
    uint8_t bytes[SOTTO_ROSTER_BYTES_MAX]; /* the message */
    size_t length;
    struct sotto_digest digest; /* SHA-256 of it */
    struct sotto_roster_entry entries[SOTTO_ROSTER_MAX];
    struct sotto_roster roster; /* borrows from entries */
};

/* Of now. */
SOTTO_CHECKED enum sotto_status sotto_census_take(struct sotto_census *census,
                                                  struct sotto_ledger *ledger,
                                                  struct sotto_fault *fault);
/* Of a roster message that was kept. SOTTO_MALFORMED. */
SOTTO_CHECKED enum sotto_status sotto_census_read(struct sotto_census *census,
                                                  struct sotto_view bytes);

#endif
