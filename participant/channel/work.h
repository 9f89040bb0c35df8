/*
 * Letters between trainer and sealer: what to load, how to train, what came of it. Encoders say
 * SOTTO_OVER_LIMIT if `out` is too small; decoders say SOTTO_MALFORMED, also for trailing bytes,
 * and leave the struct untouched.
 */
#ifndef SOTTO_PARTICIPANT_CHANNEL_WORK_H
#define SOTTO_PARTICIPANT_CHANNEL_WORK_H

#include "core/base/bytes.h"
#include "core/wire/plan.h"

/* READY: the digest of the base model's bytes as loaded. */
SOTTO_CHECKED enum sotto_status sotto_ready_encode(struct sotto_buffer *out,
                                                   const struct sotto_digest *base_model);
SOTTO_CHECKED enum sotto_status sotto_ready_decode(struct sotto_digest *base_model,
                                                   struct sotto_view bytes);

/*
 * LOADED: digests of the bytes that the trainer now works with. LOAD's body is the layout itself.
 */
struct sotto_loaded {
    struct sotto_digest layout;
    struct sotto_digest adapter;
};
SOTTO_CHECKED enum sotto_status sotto_loaded_encode(struct sotto_buffer *out,
                                                    const struct sotto_loaded *loaded);
SOTTO_CHECKED enum sotto_status sotto_loaded_decode(struct sotto_loaded *loaded,
                                                    struct sotto_view bytes);

/* TRAIN */
struct sotto_train {
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    uint64_t seed;    /* of the shuffle */
    uint32_t trained; /* the plan's */
    struct sotto_recipe recipe;
};
SOTTO_CHECKED enum sotto_status sotto_train_encode(struct sotto_buffer *out,
                                                   const struct sotto_train *train);
SOTTO_CHECKED enum sotto_status sotto_train_decode(struct sotto_train *train,
                                                   struct sotto_view bytes);

/* UPDATE: the example count that was trained on. */
SOTTO_CHECKED enum sotto_status sotto_update_encode(struct sotto_buffer *out, uint32_t weight);
SOTTO_CHECKED enum sotto_status sotto_update_decode(uint32_t *weight, struct sotto_view bytes);

/* ADOPT. FAILED has no body; what a person needs to know goes into a note. */
struct sotto_adopt {
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
};
SOTTO_CHECKED enum sotto_status sotto_adopt_encode(struct sotto_buffer *out,
                                                   const struct sotto_adopt *adopt);
SOTTO_CHECKED enum sotto_status sotto_adopt_decode(struct sotto_adopt *adopt,
                                                   struct sotto_view bytes);

/* ADOPTED: is it on the disk and the current one? */
SOTTO_CHECKED enum sotto_status sotto_adopted_encode(struct sotto_buffer *out, bool is_kept);
SOTTO_CHECKED enum sotto_status sotto_adopted_decode(bool *is_kept, struct sotto_view bytes);

#endif
