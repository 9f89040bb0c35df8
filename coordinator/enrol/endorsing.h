/*
 * A roster on its way to an offline authority and back: what was signed has to be the roster of
 * now, and rounds are then held over it, whoever enrols meanwhile.
 */
#ifndef SOTTO_COORDINATOR_ENROL_ENDORSING_H
#define SOTTO_COORDINATOR_ENROL_ENDORSING_H

#include "coordinator/enrol/census.h"
#include "coordinator/ledger/endorsements.h"

/*
 * Puts the roster of now on its shelf and keeps its signature, in the open transaction.
 *
 * SOTTO_MISMATCH: another roster was signed than that of now; SOTTO_FORGED: the signature is not
 * the authority's. The fault says which, and what to do.
 */
SOTTO_CHECKED enum sotto_status sotto_endorsing_keep(struct sotto_ledger *ledger,
                                                     const char *folder,
                                                     const struct sotto_endorsement *endorsement,
                                                     struct sotto_fault *fault);

/*
 * The roster of the next round: the signed one if one is held, else that of now.
 *
 *   endorsement  out  all zero if the roster is not signed
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_IO: the signed one is not on its shelf; the fault says
 * so.
 */
SOTTO_CHECKED enum sotto_status sotto_endorsing_choose(struct sotto_census *census,
                                                       struct sotto_endorsement *endorsement,
                                                       struct sotto_ledger *ledger,
                                                       const char *folder,
                                                       struct sotto_fault *fault);

#endif
