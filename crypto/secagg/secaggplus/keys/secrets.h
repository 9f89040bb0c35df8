/*
 * A participant's own secrets of one round. All of them derive from one seed that is used for this
 * round only:
 *
 *     HKDF-SHA-256(seed, salt = ctx0, info = purpose)
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_KEYS_SECRETS_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_KEYS_SECRETS_H

#include "core/base/bytes.h"

struct sotto_secrets {
    struct sotto_secret mask_key;   /* m_i, X25519 */
    struct sotto_secret share_key;  /* c_i, X25519 */
    struct sotto_secret self_mask;  /* beta_i */
    struct sotto_secret nonce;      /* first half goes into the advert */
    struct sotto_secret split_mask; /* seeds of the two sharing polynomials */
    struct sotto_secret split_self;
};

/* `seed` is uniform and new; `plan` is ctx0. The caller wipes `out`. */
void sotto_secrets_derive(struct sotto_secrets *out, const struct sotto_secret *seed,
                          const struct sotto_digest *plan);

#endif
