/*
 * The survivor set: whose uploads are in the sum. Coordinator to every survivor; there is one for a
 * context, for ever.
 *
 *     0               set        ceil(n/8)
 *     ceil(n/8)       count      u32          bits set
 *     ceil(n/8) + 4   signature  64           Ed25519 over label || ctx1 || set || count
 *     ceil(n/8) + 68  receipts   64 each      in a ring: by seat, of the receiver's neighbours in
 *                                             the set (receipt.h)
 *
 * The label is "sotto/1 survivors".
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_SURVIVORS_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_SURVIVORS_H

#include "crypto/secagg/secaggplus/messages/seats.h"

struct sotto_survivors {
    struct sotto_seats seats;
    uint32_t count;
    struct sotto_signature signature;
};

/* Fills in count and signature. */
void sotto_survivors_sign(struct sotto_survivors *survivors, const struct sotto_secret *signing,
                          const struct sotto_digest *context, uint32_t cohort);
SOTTO_CHECKED enum sotto_status sotto_survivors_verify(
    const struct sotto_survivors *survivors, const struct sotto_ed25519_public *coordinator,
    const struct sotto_digest *context, uint32_t cohort);

/* SOTTO_OVER_LIMIT: out is too small and then unspecified. */
SOTTO_CHECKED enum sotto_status sotto_survivors_encode(struct sotto_buffer *out,
                                                       const struct sotto_survivors *survivors,
                                                       uint32_t cohort);
/*
 * The part that is the same for every receiver; what follows it is left in `rest`.
 *
 * SOTTO_MALFORMED: too short, a bit beyond the cohort, or another count than bits; survivors
 * untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_survivors_decode(struct sotto_survivors *survivors,
                                                       struct sotto_view *rest,
                                                       struct sotto_view bytes, uint32_t cohort);

#endif
