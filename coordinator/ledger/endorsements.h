/*
 * Rosters that an offline authority has signed. The newest holds until another is kept or it is
 * released.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_ENDORSEMENTS_H
#define SOTTO_COORDINATOR_LEDGER_ENDORSEMENTS_H

#include "coordinator/ledger/ledger.h"
#include "crypto/secagg/endorsement.h"

struct sotto_endorsement {
    struct sotto_endorsed endorsed;
    struct sotto_ed25519_public authority;
    struct sotto_signature signature;
    uint64_t kept_ms;
};

/* Keeps one that was verified, in place of any other. */
SOTTO_CHECKED enum sotto_status sotto_endorsements_keep(struct sotto_ledger *ledger,
                                                        const struct sotto_endorsement *endorsement,
                                                        struct sotto_fault *fault);
/* SOTTO_NOT_FOUND: none holds. */
SOTTO_CHECKED enum sotto_status sotto_endorsements_newest(struct sotto_ledger *ledger,
                                                          struct sotto_endorsement *endorsement);
/* No signed roster holds any more. SOTTO_NOT_FOUND: none did. */
SOTTO_CHECKED enum sotto_status sotto_endorsements_release(struct sotto_ledger *ledger,
                                                           uint64_t at_ms,
                                                           struct sotto_fault *fault);

#endif
