/*
 * What a participant knows of its neighbours beyond their public keys: the keys it has in common
 * with each, the masks that cancel with each, and the shares it holds for each. All of it secret.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_KEYRING_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_KEYRING_H

#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/messages/shares.h"
#include "crypto/secagg/secaggplus/streams.h"

struct sotto_neighbour {
    struct sotto_pair_keys keys;
    struct sotto_share_pair held;
};

struct sotto_keyring {
    uint32_t capacity;                  /* most neighbours */
    struct sotto_neighbour *neighbours; /* [capacity] by slot */
    struct sotto_stream *streams;       /* [capacity + 1] by slot, then the self mask */
    struct sotto_share *split;          /* [2 capacity] while shares are sealed */
};

/* SOTTO_NO_MEMORY: everything was asked for, so that a counting arena adds it up. */
SOTTO_CHECKED enum sotto_status sotto_keyring_init(struct sotto_keyring *keyring,
                                                   struct sotto_arena *arena, uint32_t capacity);
void sotto_keyring_wipe(struct sotto_keyring *keyring);
void sotto_keyring_wipe_streams(struct sotto_keyring *keyring); /* once they are used */

/*
 * The keys in common with every neighbour, and the masks. `id` is the participant's own.
 * SOTTO_FORGED: a neighbour's key has low order.
 */
SOTTO_CHECKED enum sotto_status sotto_keyring_derive(struct sotto_keyring *keyring,
                                                     const struct sotto_cohort *cohort,
                                                     const struct sotto_secrets *secrets,
                                                     uint32_t id);

/*
 * Splits the mask key and the self mask and seals a pair of shares for each neighbour.
 *
 *   out  out  [32 + 96 k] the shares message
 */
void sotto_keyring_seal(uint8_t *out, struct sotto_keyring *keyring,
                        const struct sotto_cohort *cohort, const struct sotto_secrets *secrets);
/* Opens the shares that the neighbours sealed. SOTTO_FORGED: one does not open. */
SOTTO_CHECKED enum sotto_status sotto_keyring_open(struct sotto_keyring *keyring,
                                                   const struct sotto_cohort *cohort,
                                                   const struct sotto_inbox *inbox);

/*
 * Says how each mask is used. Those who did not share get none: nobody could ever take it off.
 */
void sotto_keyring_choose(struct sotto_keyring *keyring, const struct sotto_circle *circle,
                          const struct sotto_seats *sharers);

#endif
