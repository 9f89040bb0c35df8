/*
 * ctx1, the one hash that every key of a round hangs on.
 *
 *     root = Merkle tree over the leaf digests in order of id (RFC 6962, section 2.1)
 *     ctx1 = SHA-256("sotto/1 cohort" || ctx0 || root || n [|| ids])      n and ids as u32
 *
 * The ids are there where not everybody is everybody's neighbour: a participant sees the adverts of
 * its neighbours only, and of the others an id that no leaf it can open would vouch for.
 *
 * A participant that was given another plan or cohort derives other keys, which never cancel.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_CONTEXT_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_CONTEXT_H

#include "core/base/bytes.h"

/*
 *   context  out  ctx1 of a complete graph
 *   plan     in   ctx0
 *   leaves   in   [count][32]
 *   count    in   1 .. SOTTO_COHORT_MAX
 */
void sotto_context_of(struct sotto_digest *context, const struct sotto_digest *plan,
                      const struct sotto_digest *leaves, uint32_t count);

/* ids: [count] u32, as in the cohort message; empty for a complete graph. */
void sotto_context_of_ids(struct sotto_digest *context, const struct sotto_digest *plan,
                          const struct sotto_digest *leaves, uint32_t count, struct sotto_view ids);

#endif
