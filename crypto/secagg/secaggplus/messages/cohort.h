/*
 * The cohort message: who takes part, with the keys that its receiver needs. Coordinator to every
 * participant of the cohort.
 *
 *     0    n          u32
 *     4    k          u32
 *     8    t          u32
 *     12   ids        4 n          only if k < n - 1; ascending
 *          leaves     32 n         ascending by id
 *          adverts    148 (k + 1)  receiver and neighbours, ascending by id
 *          signature  64           Ed25519 over "sotto/1 cohort" || ctx1
 *
 * k and t are there to be compared with what the receiver computes, never to be believed. Where
 * everybody is everybody's neighbour the adverts have all ids; elsewhere a site needs them to see
 * who takes part, and ctx1 binds them.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_COHORT_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_COHORT_H

#include "crypto/secagg/refusal.h"
#include "crypto/secagg/secaggplus/graph/ring.h"
#include "crypto/secagg/secaggplus/messages/advert.h"
#include "crypto/secagg/secaggplus/messages/seats.h"
#include "crypto/secagg/secaggplus/parameters.h"

/* A cohort that passed every check; made by sotto_cohort_accept alone. */
struct sotto_cohort {
    struct sotto_parameters parameters; /* all zero until then */
    struct sotto_digest context;        /* ctx1 */
    struct sotto_circle circle;         /* the receiver and its neighbours */
    uint32_t *ids;                      /* [parameters.cohort] by seat */
    uint32_t own_place;                 /* the own advert's in */
    struct sotto_advert *adverts;       /* [parameters.neighbours + 1] by seat */

    uint32_t capacity;
    uint32_t neighbour_capacity;
    struct sotto_ring ring;                    /* for the checks, as the next two */
    const struct sotto_roster_entry **entries; /* [capacity] by seat */
    uint32_t *sorting;                         /* [capacity + 2 neighbour_capacity + 2] */
};

/* What the coordinator sends to one seat; arrays by seat. */
struct sotto_cohort_message {
    struct sotto_parameters parameters;
    struct sotto_view ids;              /* [cohort] u32, also where the message has none */
    const struct sotto_digest *leaves;  /* [cohort] */
    const struct sotto_advert *adverts; /* [cohort] */
    uint32_t receiver;                  /* whose advert goes with those of */
    const uint16_t *neighbours;         /* [neighbours] seats, ascending */
    struct sotto_signature signature;
};

/* What a participant judges a cohort by. */
struct sotto_cohort_check {
    const struct sotto_terms *terms;
    const struct sotto_roster *roster;
    const struct sotto_ed25519_public *coordinator;
    const struct sotto_advert *own;
};

/* ctx1 of this cohort, as the coordinator computes it. */
void sotto_cohort_context(struct sotto_digest *context, const struct sotto_digest *plan,
                          const struct sotto_cohort_message *message);

void sotto_cohort_sign(struct sotto_signature *signature, const struct sotto_secret *signing,
                       const struct sotto_digest *context);

/* How long the message is. */
size_t sotto_cohort_bytes(const struct sotto_parameters *parameters);
/* SOTTO_OVER_LIMIT: out is too small and then unspecified. */
SOTTO_CHECKED enum sotto_status sotto_cohort_encode(struct sotto_buffer *out,
                                                    const struct sotto_cohort_message *message);

/*
 * Room for the largest cohort of these terms and this roster. SOTTO_NO_MEMORY: everything was asked
 * for, so that a counting arena adds it up.
 */
SOTTO_CHECKED enum sotto_status sotto_cohort_init(struct sotto_cohort *cohort,
                                                  struct sotto_arena *arena,
                                                  const struct sotto_terms *terms,
                                                  const struct sotto_roster *roster);

/* The advert of the neighbour at `slot`, whose seat is circle.neighbours[slot]. */
const struct sotto_advert *sotto_cohort_neighbour(const struct sotto_cohort *cohort, uint32_t slot);

/*
 * Everything about a cohort that can be checked without secrets, in this order: shape, size, the
 * coordinator's signature over ctx1, k and t, own leaf, every member's place in the roster, then
 * each neighbour. Returns the first refusal; then cohort->parameters is all zero.
 *
 *   cohort  inout  from sotto_cohort_init with check->terms and check->roster
 *
 * Work: k signatures verified, 3 n hashes, 3 sorts of n.
 */
enum sotto_refusal sotto_cohort_accept(struct sotto_cohort *cohort,
                                       const struct sotto_cohort_check *check,
                                       struct sotto_view bytes);

#endif
