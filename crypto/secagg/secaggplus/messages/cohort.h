/*
 * The cohort message: who takes part, with all keys. Coordinator to every participant of the
 * cohort.
 *
 *     0                 n          u32
 *     4                 k          u32
 *     8                 t          u32
 *     12                leaves     32 n          ascending by id
 *     12 + 32n          adverts    148 (k + 1)   receiver and neighbours, ascending by id
 *     12+32n+148(k+1)   signature  64            Ed25519 over "sotto/1 cohort" || ctx1
 *
 * k and t are there to be compared with what the receiver computes, never to be believed.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_COHORT_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_COHORT_H

#include "crypto/secagg/refusal.h"
#include "crypto/secagg/secaggplus/messages/advert.h"
#include "crypto/secagg/secaggplus/parameters.h"

struct sotto_cohort_place {
    uint32_t id;
    struct sotto_x25519_public mask_key;
    struct sotto_x25519_public share_key;
};

/* A cohort that passed every check; made by sotto_cohort_accept alone. */
struct sotto_cohort {
    struct sotto_parameters parameters;
    struct sotto_digest context; /* ctx1 */
    uint32_t own_seat;
    struct sotto_cohort_place places[SOTTO_COHORT_MAX]; /* [parameters.cohort], ascending by id */
};

/* What the coordinator sends; borrowed arrays of [parameters.cohort]. */
struct sotto_cohort_message {
    struct sotto_parameters parameters;
    const struct sotto_digest *leaves;
    const struct sotto_advert *adverts;
    struct sotto_signature signature;
};

/* What a participant judges a cohort by. */
struct sotto_cohort_check {
    const struct sotto_terms *terms;
    const struct sotto_roster *roster;
    const struct sotto_ed25519_public *coordinator;
    const struct sotto_advert *own;
};

void sotto_cohort_sign(struct sotto_signature *signature, const struct sotto_secret *signing,
                       const struct sotto_digest *context);

/* How long the message is. */
size_t sotto_cohort_bytes(const struct sotto_parameters *parameters);
/* SOTTO_OVER_LIMIT: out is too small and then unspecified. */
SOTTO_CHECKED enum sotto_status sotto_cohort_encode(struct sotto_buffer *out,
                                                    const struct sotto_cohort_message *message);

/*
 * Everything about a cohort that can be checked without secrets, in this order: shape, size, the
 * coordinator's signature over ctx1, neighbour set and threshold, own leaf, then each neighbour.
 * Returns the first refusal; then cohort is untouched.
 *
 * Work: n signatures verified.
 */
enum sotto_refusal sotto_cohort_accept(struct sotto_cohort *cohort,
                                       const struct sotto_cohort_check *check,
                                       struct sotto_view bytes);

#endif
