/*
 * Keys that two participants have in common, and the key of a self mask. i is who derives, j its
 * peer.
 *
 *     K_ij = HKDF(X25519(c_i, C_j), salt = ctx1, info = "share" || i || j)       shares i to j
 *     A_ij = HKDF(X25519(c_i, C_j), salt = ctx1, info = "incl"  || i || j)       inclusion i to j
 *     s_ij = HKDF(X25519(m_i, M_j), salt = ctx1, info = "mask"  || min || max)   pairwise mask
 *     p_i  = HKDF(beta_i,           salt = ctx1, info = "self"  || i)            self mask
 *
 * Ids are u32. c_i and m_i come opened, since they are used with every neighbour.
 * Source: Bonawitz et al., CCS 2017, Fig. 4, with every key bound to the round's context.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_KEYS_PAIRWISE_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_KEYS_PAIRWISE_H

#include "crypto/primitives/x25519.h"

struct sotto_pair {
    const struct sotto_digest *context; /* ctx1 */
    uint32_t self;
    uint32_t peer;
};

struct sotto_pair_keys {
    struct sotto_secret seal;    /* K_ij */
    struct sotto_secret open;    /* K_ji */
    struct sotto_secret confirm; /* A_ij */
    struct sotto_secret verify;  /* A_ji */
};

/* SOTTO_FORGED: the peer's share key C_j has low order; keys are zeroed. */
SOTTO_CHECKED enum sotto_status sotto_pair_keys_derive(struct sotto_pair_keys *keys,
                                                       const struct sotto_x25519_own *share_key,
                                                       const struct sotto_x25519_public *peer_key,
                                                       const struct sotto_pair *pair);

/*
 * s_ij, the same from either side. SOTTO_FORGED: the peer's mask key M_j has low order; the key is
 * zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_pair_mask_derive(struct sotto_secret *key,
                                                       const struct sotto_x25519_own *mask_key,
                                                       const struct sotto_x25519_public *peer_key,
                                                       const struct sotto_pair *pair);

/* p_i of participant `id`. */
void sotto_self_mask_derive(struct sotto_secret *key, const struct sotto_secret *self_mask,
                            const struct sotto_digest *context, uint32_t id);

#endif
