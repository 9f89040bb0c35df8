/*
 * The plan: all that one round agrees on. Immutable, signed by the coordinator; ctx0 =
 * SHA-256("sotto/1 plan" || bytes) enters every key derivation, so that a site which was given
 * another plan derives masks that never cancel.
 */
#ifndef SOTTO_CORE_WIRE_PLAN_H
#define SOTTO_CORE_WIRE_PLAN_H

#include "core/base/bytes.h"
#include "core/wire/message.h"

enum {
    SOTTO_PLAN_BYTES_MAX = 1024,
    SOTTO_CAMPAIGN_NAME_MAX = 32, /* a-z 0-9 - */
    SOTTO_PLAN_TRAINED_MAX = 2,
};

/*
 * How a site trains in this round. Learning rates go linearly from start to end over the local
 * steps.
 */
struct sotto_recipe {
    uint32_t epochs; /* 1 .. 100 */
    uint32_t batch;  /* 1 .. 1024 */
    double learning_rate_start;
    double learning_rate_end;
    double weight_decay;
    double proximal; /* FedProx: strength of the pull towards the round's start; 0: none */
    double dropout;  /* share of a LoRA's inputs that a step leaves out; 0: none */
};

/* Milliseconds from the opening of each stage to its end. */
struct sotto_deadlines {
    uint64_t gathering_ms;
    uint64_t sharing_ms;
    uint64_t uploading_ms; /* local training included */
    uint64_t including_ms;
    uint64_t revealing_ms;
};

struct sotto_plan {
    char protocol[16]; /* "secaggplus" */
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round; /* from 1; an abandoned round uses its number up */
    struct sotto_digest base_model;
    struct sotto_digest adapter; /* the version that training starts from */
    struct sotto_digest layout;
    uint32_t lane_count; /* the trained lanes of the layout and one for the weight */
    uint32_t trained;    /* enum sotto_trained of models/adapter/subset.h: the part that moves */
    uint32_t ring_bits;
    uint32_t value_bits;
    uint32_t weight_max;
    double clip_norm;
    double lane_range; /* a value is quantised within -range .. range; at most clip_norm */
    uint32_t rotate;   /* 1: values are rotated before they are quantised */
    uint32_t feedback; /* 1: a site adds to its update what quantising took from the last one */
    double noise_multiplier; /* of the sum's noise, in units of one site's sensitivity; 0: none */
    uint32_t cohort_min;
    uint32_t cohort_max;
    uint32_t survivors_min;
    double corrupt_fraction;    /* gamma: colluders that the parameters reckon with */
    double dropout_fraction;    /* delta: dropouts that they reckon with */
    uint32_t organisation_max;  /* members of one organisation in a cohort; 0: as many as come */
    struct sotto_digest roster; /* SHA-256 of the roster message */
    uint64_t roster_epoch;
    uint8_t roster_signature[64]; /* of an authority that sites may pin; all zero: not signed */
    struct sotto_recipe recipe;
    struct sotto_deadlines deadlines;
    uint8_t nonce[32];
};

/* Packs what is there, checked or not. SOTTO_OVER_LIMIT: out is too small. */
SOTTO_CHECKED enum sotto_status sotto_plan_encode(struct sotto_buffer *out,
                                                  const struct sotto_plan *plan);

/*
 * Checks every field against its own range and against the others:
 *
 *     3 <= survivors_min <= cohort_min <= cohort_max <= 10000
 *     cohort_max * weight_max * (2^(value_bits - 1) - 1) < 2^(ring_bits - 1): no sum can wrap
 *     lane_range <= clip_norm
 *
 * SOTTO_MALFORMED (a range; no NaN is in one), SOTTO_MISMATCH (two fields contradict one another);
 * the fault names the field.
 */
SOTTO_CHECKED enum sotto_status sotto_plan_check(const struct sotto_plan *plan,
                                                 struct sotto_fault *fault);

/*
 * Yields only plans that pass sotto_plan_check, with its statuses. Further: SOTTO_OVER_LIMIT (a
 * field is too long), SOTTO_UNSUPPORTED (another wire version), SOTTO_NO_MEMORY. After a failure
 * plan is untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_plan_decode(struct sotto_plan *plan, struct sotto_view bytes);

#endif
