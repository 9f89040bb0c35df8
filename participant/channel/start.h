/*
 * START: the first letter to each process, from the supervisor, which alone reads the site's
 * configuration.
 */
#ifndef SOTTO_PARTICIPANT_CHANNEL_START_H
#define SOTTO_PARTICIPANT_CHANNEL_START_H

#include "core/base/bytes.h"

enum {
    SOTTO_START_PATH_MAX = 1024,
    SOTTO_START_BYTES_MAX = 16 * 1024,
    SOTTO_START_THREADS_MAX = 64,
    SOTTO_START_CHAT_MAX = 16,
};

struct sotto_trainer_start {
    bool is_degraded_allowed; /* go on where the kernel lacks a layer of confinement */
    uint32_t thread_count;    /* that train, 1 .. SOTTO_START_THREADS_MAX */
    bool has_half_weights;    /* the base model's matrices are rounded to bfloat16 */
    char model[SOTTO_START_PATH_MAX];
    char examples[SOTTO_START_PATH_MAX]; /* a folder of labels' folders, a file of texts or IDX */
    char labels[SOTTO_START_PATH_MAX];   /* the IDX labels; "" with anything else */
    char chat[SOTTO_START_CHAT_MAX];     /* the format of conversations, or "" */
    uint32_t text_length;                /* tokens of a text; 0: as the model takes */
    char adapters[SOTTO_START_PATH_MAX];
};

/* Comes with the ledger's descriptor. */
struct sotto_sealer_start {
    bool is_degraded_allowed;
    uint32_t id;
    struct sotto_secret identity; /* wiped by whoever holds the struct */
    uint8_t coordinator[32];
    struct sotto_view policy; /* sotto_policy_encode; borrowed */
};

struct sotto_courier_start {
    bool is_degraded_allowed;
    char url[SOTTO_START_PATH_MAX];
    char authority[SOTTO_START_PATH_MAX];
    char certificate[SOTTO_START_PATH_MAX];
    char key[SOTTO_START_PATH_MAX];
};

/*
 * Encoders: SOTTO_OVER_LIMIT. Decoders: SOTTO_MALFORMED, also for trailing bytes; the struct is
 * then untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_start_encode(struct sotto_buffer *out,
                                                           const struct sotto_trainer_start *start);
SOTTO_CHECKED enum sotto_status sotto_trainer_start_decode(struct sotto_trainer_start *start,
                                                           struct sotto_view bytes);
SOTTO_CHECKED enum sotto_status sotto_sealer_start_encode(struct sotto_buffer *out,
                                                          const struct sotto_sealer_start *start);
SOTTO_CHECKED enum sotto_status sotto_sealer_start_decode(struct sotto_sealer_start *start,
                                                          struct sotto_view bytes);
SOTTO_CHECKED enum sotto_status sotto_courier_start_encode(struct sotto_buffer *out,
                                                           const struct sotto_courier_start *start);
SOTTO_CHECKED enum sotto_status sotto_courier_start_decode(struct sotto_courier_start *start,
                                                           struct sotto_view bytes);

#endif
