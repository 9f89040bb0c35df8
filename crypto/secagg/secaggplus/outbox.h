/*
 * The coordinator's messages to one seat, made from what was collected. Layouts: messages/.
 * SOTTO_OVER_LIMIT: out is too small and then unspecified.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_OUTBOX_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_OUTBOX_H

#include "crypto/secagg/secaggplus/collection.h"

/* The adverts in it are those of `seat` and its neighbours. */
SOTTO_CHECKED enum sotto_status sotto_outbox_cohort(const struct sotto_collection *collection,
                                                    uint32_t seat, struct sotto_buffer *out);
/* The shares that its neighbours have sealed for `seat`, itself one of those that shared. */
SOTTO_CHECKED enum sotto_status sotto_outbox_shares(const struct sotto_collection *collection,
                                                    uint32_t seat, struct sotto_buffer *out);
/* In a ring with the receipts of the seat's neighbours; else the same for every seat. */
SOTTO_CHECKED enum sotto_status sotto_outbox_survivors(const struct sotto_collection *collection,
                                                       uint32_t seat, struct sotto_buffer *out);
/* The MACs that its neighbours have made for `seat`. */
SOTTO_CHECKED enum sotto_status sotto_outbox_inclusions(const struct sotto_collection *collection,
                                                        uint32_t seat, struct sotto_buffer *out);

#endif
