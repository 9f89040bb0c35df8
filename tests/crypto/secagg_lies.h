/*
 * A lie for every reason for which a participant refuses what comes after its advert: an otherwise
 * honest message, altered in one point and signed by the coordinator where it signs.
 */
#ifndef TESTS_CRYPTO_SECAGG_LIES_H
#define TESTS_CRYPTO_SECAGG_LIES_H

#include "tests/crypto/secagg_chorus.h"

enum { LIES = 20, LIED_TO = 2 };

/* A chorus, and what its coordinator knows of the cohort from the beginning on. */
struct lie_scene {
    struct chorus *chorus;
    struct sotto_digest context; /* ctx1 */
};

struct lie {
    enum sotto_refusal refusal;
    enum sotto_stage stage; /* when it is told */
    enum sotto_member_event_kind kind;
    struct sotto_view (*tell)(struct lie_scene *scene); /* in chorus->wire */
};

extern const struct lie lies[LIES];

/* Six that have advertised; the one at LIED_TO is to be lied to. */
void lies_open(struct lie_scene *scene);
void lies_close(struct lie_scene *scene);
/*
 * Plays up to `stage`: one shares nothing, so that there is somebody who may not survive, and the
 * others are honest.
 */
void lies_play_until(struct lie_scene *scene, enum sotto_stage stage);

#endif
