/* How far a campaign has come, read from the ledger. */
#ifndef SOTTO_COORDINATOR_DRIVE_PROGRESS_H
#define SOTTO_COORDINATOR_DRIVE_PROGRESS_H

#include "coordinator/ledger/ledger.h"
#include "coordinator/schedule/timetable.h"
#include "crypto/primitives/ed25519.h"

/* SOTTO_FORGED: the newest version's signature does not verify; SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_progress_read(struct sotto_progress *progress,
                                                    struct sotto_ledger *ledger,
                                                    const struct sotto_definition *definition,
                                                    const struct sotto_ed25519_public *signer,
                                                    struct sotto_fault *fault);

#endif
