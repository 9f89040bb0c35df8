/*
 * What the coordinator takes from one participant in each stage, into its collection. The answer is
 * allowed in the present stage and new. SOTTO_MALFORMED: does not parse; SOTTO_FORGED: a signature
 * is wrong, or a key is unusable or taken; the collection is as before then.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_INTAKE_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_INTAKE_H

#include "crypto/secagg/secaggplus/collection.h"

struct sotto_answer {
    struct sotto_view bytes;
    const struct sotto_digest *plan; /* ctx0 */
    const struct sotto_roster_entry *entry;
    uint32_t seat; /* SOTTO_SEAT_NONE for an advert */
    struct sotto_digest digest;
};

/* Takes a seat. SOTTO_UNEXPECTED: all are taken. */
SOTTO_CHECKED enum sotto_status sotto_intake_advert(struct sotto_collection *collection,
                                                    const struct sotto_answer *answer);
/* What is sealed for the neighbours stays sealed. */
SOTTO_CHECKED enum sotto_status sotto_intake_shares(struct sotto_collection *collection,
                                                    const struct sotto_answer *answer);
/* One signature over the set of sharers. SOTTO_UNEXPECTED: this cohort has no receipts. */
SOTTO_CHECKED enum sotto_status sotto_intake_receipt(struct sotto_collection *collection,
                                                     const struct sotto_answer *answer);
/* The lanes travel beside the protocol; whose they are is all that is to be known here.
 * SOTTO_UNEXPECTED: before its receipt. */
SOTTO_CHECKED enum sotto_status sotto_intake_upload(struct sotto_collection *collection,
                                                    const struct sotto_answer *answer);
/* One MAC for each neighbour that survived. */
SOTTO_CHECKED enum sotto_status sotto_intake_inclusion(struct sotto_collection *collection,
                                                       const struct sotto_answer *answer);
/* One share of each neighbour that shared. */
SOTTO_CHECKED enum sotto_status sotto_intake_reveal(struct sotto_collection *collection,
                                                    const struct sotto_answer *answer);

#endif
