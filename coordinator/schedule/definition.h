/*
 * What an administrator schedules: base model, adapter, cohort rules, recipe, timetable. JSON
 * between sotto-admin and the coordinator, kept as such in the journal.
 */
#ifndef SOTTO_COORDINATOR_SCHEDULE_DEFINITION_H
#define SOTTO_COORDINATOR_SCHEDULE_DEFINITION_H

#include "coordinator/schedule/method.h"
#include "core/wire/plan.h"
#include "crypto/privacy/mechanism.h"

struct sotto_definition {
    char name[SOTTO_CAMPAIGN_NAME_MAX + 1];
    char base_name[128]; /* of the base model, for people and adapter_config.json */
    struct sotto_digest base_model;
    struct sotto_digest layout;
    struct sotto_digest adapter; /* the version that round 1 starts from */
    int64_t seed;                /* public: sotto_layout_start drew it from this; -1: uploaded */
    uint32_t lane_count;         /* the layout's, without the weight */
    uint32_t lanes_a;            /* of them, those that a round trains when it trains A */
    uint32_t lanes_b;            /* the same for B */
    enum sotto_method method;
    enum sotto_server_kind server; /* with the four below, struct sotto_server_rule */
    double server_rate;
    double server_beta1;
    double server_beta2;
    double server_tau;
    uint32_t rounds;
    uint32_t cohort_min;
    uint32_t cohort_max;
    uint32_t survivors_min;
    double corrupt_fraction;
    double dropout_fraction;
    uint32_t organisation_max; /* 0: no cap */
    uint32_t ring_bits;
    uint32_t value_bits;
    uint32_t weight_max;
    double clip_norm;
    double lane_range; /* 0: see sotto_definition_lane_range */
    uint32_t rotate;
    uint32_t feedback;
    double noise_multiplier; /* 0: no noise */
    double privacy_delta;    /* at which epsilon is told; sites have their own */
    uint32_t epochs;
    uint32_t batch;
    double learning_rate;
    double weight_decay;
    double proximal;
    double dropout;
    double gathering_s; /* each deadline from 0.1 to 604,800 s, a week */
    double sharing_s;
    double uploading_s;
    double including_s;
    double revealing_s;
};

/* Everything that has a default; names, digests and lane_count are empty, and there is no seed. */
void sotto_definition_init(struct sotto_definition *definition);

/*
 * SOTTO_MALFORMED, SOTTO_MISMATCH: the fault names the key and what it may be; *definition is as
 * before.
 */
SOTTO_CHECKED enum sotto_status sotto_definition_decode(struct sotto_definition *definition,
                                                        struct sotto_view json,
                                                        struct sotto_fault *fault);
/* JSON with a terminating zero, from malloc; NULL: no memory. */
char *sotto_definition_encode(const struct sotto_definition *definition);

/* Sets the three counts of lanes to those of a layout. */
void sotto_definition_lanes_set(struct sotto_definition *definition,
                                const struct sotto_layout *layout);
/*
 * Whether they are those of a layout, and whether it has the pairs that the method is about.
 * SOTTO_MISMATCH: the fault names both numbers.
 */
SOTTO_CHECKED enum sotto_status sotto_definition_lanes_check(
    const struct sotto_definition *definition, const struct sotto_layout *layout,
    struct sotto_fault *fault);

/* Lanes of a round that trains this part, without the weight. */
uint32_t sotto_definition_lanes(const struct sotto_definition *definition,
                                enum sotto_trained trained);

/*
 * The range that a value of a round is quantised within: lane_range, or clip_norm, or of that what
 * six deviations of a rotated value need.
 */
double sotto_definition_lane_range(const struct sotto_definition *definition,
                                   enum sotto_trained trained);

/* How updates become lanes in a round; a flaw: not to be used. */
SOTTO_CHECKED enum sotto_mechanism_flaw sotto_definition_mechanism(
    struct sotto_mechanism *mechanism, const struct sotto_definition *definition,
    enum sotto_trained trained);

struct sotto_server_rule sotto_definition_server(const struct sotto_definition *definition);

/* Each field against its range and the others; what decode does after parsing. */
SOTTO_CHECKED enum sotto_status sotto_definition_check(const struct sotto_definition *definition,
                                                       struct sotto_fault *fault);

#endif
