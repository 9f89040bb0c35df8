/* Events of a round as entries of the journal, and back. */
#ifndef SOTTO_COORDINATOR_DRIVE_ENTRY_H
#define SOTTO_COORDINATOR_DRIVE_ENTRY_H

#include "coordinator/ledger/ledger.h"
#include "coordinator/round/round.h"

/* Borrows from plan and event. */
void sotto_entry_encode(struct sotto_ledger_entry *entry, const struct sotto_plan *plan,
                        const struct sotto_round_event *event);

/* SOTTO_NOT_FOUND: an entry about the round that is no event of it, such as its opening. */
SOTTO_CHECKED enum sotto_status sotto_entry_decode(struct sotto_round_event *event,
                                                   const struct sotto_ledger_entry *entry);

#endif
