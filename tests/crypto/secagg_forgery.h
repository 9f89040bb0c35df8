/*
 * The coordinator as the attacker: it takes an honest message apart, alters it, and signs it again
 * with its own key.
 */
#ifndef TESTS_CRYPTO_SECAGG_FORGERY_H
#define TESTS_CRYPTO_SECAGG_FORGERY_H

#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/messages/survivors.h"
#include "tests/crypto/secagg_chorus.h"

enum { FORGED_COHORT_MAX = 256 };

/* A cohort message with every part open to change. */
struct forged_cohort {
    struct sotto_parameters parameters;
    uint32_t ids[FORGED_COHORT_MAX]; /* in a ring, where they stand beside the adverts */
    struct sotto_digest leaves[FORGED_COHORT_MAX];
    struct sotto_advert adverts[FORGED_COHORT_MAX];
    uint32_t receiver; /* seat */
    uint32_t
        neighbours[FORGED_COHORT_MAX]; /* [parameters.neighbours] seats, its own if `is_told` */
    bool is_told; /* the neighbours are those given, not those that follow from the leaves */
};

/* The honest message of the chorus' present cohort, to its first participant. */
void forged_cohort_read(struct forged_cohort *forged, struct chorus *chorus);
/* Removes one seat, or puts a copy of seat `from` into a new seat after it; k and t follow. */
void forged_cohort_remove(struct forged_cohort *forged, uint32_t seat);
void forged_cohort_repeat(struct forged_cohort *forged, uint32_t from);
/* Signs seat's advert anew with the identity of `place`, for the chorus' plan. */
void forged_cohort_sign_advert(struct forged_cohort *forged, const struct chorus *chorus,
                               uint32_t seat, uint32_t place);
/*
 * Leaves as the adverts and the roster now give them; an id that is not in the roster keeps its
 * leaf.
 */
void forged_cohort_hash(struct forged_cohort *forged, const struct chorus *chorus);
/* The message, signed by the coordinator over the leaves as they are, in chorus->wire. */
struct sotto_view forged_cohort_write(const struct forged_cohort *forged, struct chorus *chorus);

/* ctx1 of the chorus' present cohort, as the coordinator knows it. */
struct sotto_digest forged_context(struct chorus *chorus);
/* A survivor set of the given places, signed, in chorus->wire. */
struct sotto_view forged_survivors(struct chorus *chorus, const struct sotto_digest *context,
                                   uint32_t places);

#endif
