#include "coordinator/schedule/definition.h"

#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "crypto/privacy/mechanism.h"
#include "crypto/ring/lanes.h"
#include "crypto/ring/rotate.h"
#include "crypto/secagg/secaggplus/parameters.h"

/* A seed is a whole number or null, which is -1 in the struct. */
enum field_kind { FIELD_TEXT, FIELD_DIGEST, FIELD_SEED, FIELD_WHOLE, FIELD_REAL, FIELD_NAMED };

/*
 * The list of keys exists once. For texts, max is the longest length; for names it is the last of
 * `names`.
 */
struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    double min;
    double max;
    const char *const *names;
};

#define FIELD(kind, member, min, max)                                                              \
    {                                                                                              \
#member, kind, offsetof(struct sotto_definition, member), min, max, NULL                   \
    }
#define NAMED(member, names, count)                                                                \
    {                                                                                              \
#member, FIELD_NAMED, offsetof(struct sotto_definition, member), 0, (count)-1, names       \
    }

static const struct field fields[] = {
    FIELD(FIELD_TEXT, name, 1, SOTTO_CAMPAIGN_NAME_MAX),
    FIELD(FIELD_TEXT, base_name, 1, 127),
    FIELD(FIELD_DIGEST, base_model, 0, 0),
    FIELD(FIELD_DIGEST, layout, 0, 0),
    FIELD(FIELD_DIGEST, adapter, 0, 0),
    FIELD(FIELD_SEED, seed, -1, UINT32_MAX),
    FIELD(FIELD_WHOLE, lane_count, 1, SOTTO_LANES_MAX - 1),
    FIELD(FIELD_WHOLE, lanes_a, 1, SOTTO_LANES_MAX - 1),
    FIELD(FIELD_WHOLE, lanes_b, 1, SOTTO_LANES_MAX - 1),
    NAMED(method, sotto_method_names, SOTTO_METHOD_COUNT),
    NAMED(server, sotto_server_names, SOTTO_SERVER_KIND_COUNT),
    FIELD(FIELD_REAL, server_rate, 1e-9, 1000),
    FIELD(FIELD_REAL, server_beta1, 0, 0.9999),
    FIELD(FIELD_REAL, server_beta2, 0, 0.9999),
    FIELD(FIELD_REAL, server_tau, 1e-9, 1),
    FIELD(FIELD_WHOLE, rounds, 1, 100000),
    FIELD(FIELD_WHOLE, cohort_min, SOTTO_COHORT_MIN, SOTTO_COHORT_MAX),
    FIELD(FIELD_WHOLE, cohort_max, SOTTO_COHORT_MIN, SOTTO_COHORT_MAX),
    FIELD(FIELD_WHOLE, survivors_min, SOTTO_COHORT_MIN, SOTTO_COHORT_MAX),
    FIELD(FIELD_REAL, corrupt_fraction, 0, 0.5),
    FIELD(FIELD_REAL, dropout_fraction, 0, 0.9),
    FIELD(FIELD_WHOLE, organisation_max, 0, SOTTO_COHORT_MAX),
    FIELD(FIELD_WHOLE, ring_bits, 8, 32),
    FIELD(FIELD_WHOLE, value_bits, 2, 24),
    FIELD(FIELD_WHOLE, weight_max, 1, 1 << 24),
    FIELD(FIELD_REAL, clip_norm, 1e-9, 1e9),
    FIELD(FIELD_REAL, lane_range, 0, 1e9),
    FIELD(FIELD_WHOLE, rotate, 0, 1),
    FIELD(FIELD_WHOLE, feedback, 0, 1),
    FIELD(FIELD_REAL, noise_multiplier, 0, SOTTO_NOISE_MAX),
    FIELD(FIELD_REAL, privacy_delta, 1e-15, 0.1),
    FIELD(FIELD_WHOLE, epochs, 1, 100),
    FIELD(FIELD_WHOLE, batch, 1, 1024),
    FIELD(FIELD_REAL, learning_rate, 1e-12, 100),
    FIELD(FIELD_REAL, weight_decay, 0, 10),
    FIELD(FIELD_REAL, proximal, 0, 1000),
    FIELD(FIELD_REAL, dropout, 0, 0.9),
    FIELD(FIELD_REAL, gathering_s, 0.1, 604800),
    FIELD(FIELD_REAL, sharing_s, 0.1, 604800),
    FIELD(FIELD_REAL, uploading_s, 0.1, 604800),
    FIELD(FIELD_REAL, including_s, 0.1, 604800),
    FIELD(FIELD_REAL, revealing_s, 0.1, 604800),
};

/* Deviations of a rotated value that a lane holds: beyond them is one in 5 * 10^8. */
enum { SPREADS = 6 };

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

void sotto_definition_init(struct sotto_definition *definition)
{
    *definition = (struct sotto_definition){.seed = -1,
                                            .method = SOTTO_METHOD_ROLORA,
                                            .server_rate = 1,
                                            .server_beta1 = 0.9,
                                            .server_beta2 = 0.99,
                                            .server_tau = 1e-3,
                                            .rounds = 10,
                                            .cohort_min = 8,
                                            .cohort_max = 128,
                                            .survivors_min = 6,
                                            .corrupt_fraction = 0.05,
                                            .dropout_fraction = 0.1,
                                            .ring_bits = 32,
                                            .value_bits = 16,
                                            .weight_max = 512,
                                            .clip_norm = 10,
                                            .privacy_delta = 1e-6,
                                            .epochs = 1,
                                            .batch = 32,
                                            .learning_rate = 3e-3,
                                            .weight_decay = 0.01,
                                            .gathering_s = 60,
                                            .sharing_s = 30,
                                            .uploading_s = 3600,
                                            .including_s = 30,
                                            .revealing_s = 30};
}

static double number_of(const struct sotto_definition *definition, const struct field *field)
{
    const char *at = (const char *)definition + field->offset;
    int64_t seed;
    uint32_t whole;
    double real;

    if (field->kind == FIELD_TEXT)
        return (double)strlen(at);
    if (field->kind == FIELD_SEED) {
        memcpy(&seed, at, sizeof seed);
        return (double)seed;
    }
    if (field->kind == FIELD_REAL) {
        memcpy(&real, at, sizeof real);
        return real;
    }
    memcpy(&whole, at, sizeof whole);
    return (double)whole;
}

static enum sotto_status range_check(const struct sotto_definition *definition,
                                     struct sotto_fault *fault)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        double value = number_of(definition, &fields[i]);

        if (fields[i].kind == FIELD_DIGEST)
            continue;
        if (!(value >= fields[i].min && value <= fields[i].max))
            return sotto_fault_set(fault, SOTTO_MALFORMED, "%s%s has to be from %g to %g, not %g",
                                   fields[i].kind == FIELD_TEXT ? "the length of " : "",
                                   fields[i].key, fields[i].min, fields[i].max, value);
    }
    return SOTTO_OK;
}

void sotto_definition_lanes_set(struct sotto_definition *definition,
                                const struct sotto_layout *layout)
{
    definition->lane_count = (uint32_t)layout->lane_count;
    definition->lanes_a = (uint32_t)sotto_subset_count(layout, SOTTO_TRAINED_A);
    definition->lanes_b = (uint32_t)sotto_subset_count(layout, SOTTO_TRAINED_B);
}

enum sotto_status sotto_definition_lanes_check(const struct sotto_definition *definition,
                                               const struct sotto_layout *layout,
                                               struct sotto_fault *fault)
{
    static const char *const parts[SOTTO_TRAINED_COUNT] = {"it", "a round of A", "a round of B"};

    for (uint32_t trained = 0; trained < SOTTO_TRAINED_COUNT; trained++) {
        size_t count = sotto_subset_count(layout, (enum sotto_trained)trained);
        uint32_t told = sotto_definition_lanes(definition, (enum sotto_trained)trained);

        if (count != told)
            return sotto_fault_set(fault, SOTTO_MISMATCH,
                                   "layout mismatch: %s has %zu lanes, the definition says %u",
                                   parts[trained], count, told);
    }
    if (definition->method != SOTTO_METHOD_FEDIT && sotto_layout_rank_max(layout) == 0)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "method %s is about the pairs of a LoRA, and this adapter has none; "
                               "choose fedit",
                               sotto_method_names[definition->method]);
    return SOTTO_OK;
}

uint32_t sotto_definition_lanes(const struct sotto_definition *definition,
                                enum sotto_trained trained)
{
    switch (trained) {
    case SOTTO_TRAINED_A: return definition->lanes_a;
    case SOTTO_TRAINED_B: return definition->lanes_b;
    case SOTTO_TRAINED_ALL:
    case SOTTO_TRAINED_COUNT: break;
    }
    return definition->lane_count;
}

double sotto_definition_lane_range(const struct sotto_definition *definition,
                                   enum sotto_trained trained)
{
    uint32_t count = sotto_definition_lanes(definition, trained);
    double part = definition->rotate ? SPREADS * sotto_rotation_spread(count) : 1;

    return definition->lane_range > 0 ? definition->lane_range
                                      : definition->clip_norm * fmin(1, part);
}

static enum sotto_status mechanism_check(const struct sotto_definition *definition,
                                         enum sotto_trained trained, struct sotto_fault *fault)
{
    struct sotto_mechanism mechanism;

    switch (sotto_definition_mechanism(&mechanism, definition, trained)) {
    case SOTTO_FLAW_NONE: return SOTTO_OK;
    case SOTTO_FLAW_WEIGHT:
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "noise hides a site whatever its examples: with noise_multiplier %g "
                               "weight_max has to be 1, not %u",
                               definition->noise_multiplier, definition->weight_max);
    case SOTTO_FLAW_NOISE:
        return sotto_fault_set(
            fault, SOTTO_MISMATCH,
            "noise_multiplier %g cannot be made: it has to be from %g to %g, survivors_min %u "
            "above "
            "what corrupt_fraction takes of cohort_max %u, and steps fine enough for a variance of "
            "at least 9 (raise value_bits or lower lane_range) but not finer than 2^49 allows",
            definition->noise_multiplier, SOTTO_NOISE_MIN, SOTTO_NOISE_MAX,
            definition->survivors_min, definition->cohort_max);
    case SOTTO_FLAW_WRAP: break;
    }
    return sotto_fault_set(
        fault, SOTTO_MISMATCH,
        "cohort_max %u times weight_max %u times 2^%u%s does not fit into half "
        "of ring_bits %u: a sum could wrap; lower value_bits or weight_max, "
        "or raise %s",
        definition->cohort_max, definition->weight_max, definition->value_bits - 1,
        definition->noise_multiplier > 0 ? ", with noise," : "", definition->ring_bits,
        definition->noise_multiplier > 0 ? "ring_bits or lane_range" : "ring_bits");
}

enum sotto_mechanism_flaw sotto_definition_mechanism(struct sotto_mechanism *mechanism,
                                                     const struct sotto_definition *definition,
                                                     enum sotto_trained trained)
{
    const struct sotto_mechanism_terms terms = {
        .value_count = sotto_definition_lanes(definition, trained),
        .clip_norm = definition->clip_norm,
        .lane_range = sotto_definition_lane_range(definition, trained),
        .is_rotated = definition->rotate != 0,
        .value_bits = definition->value_bits,
        .ring_bits = definition->ring_bits,
        .weight_max = definition->weight_max,
        .cohort_max = definition->cohort_max,
        .survivors_min = definition->survivors_min,
        .corrupt_fraction = definition->corrupt_fraction,
        .noise_multiplier = definition->noise_multiplier};

    return sotto_mechanism_of(mechanism, &terms);
}

struct sotto_server_rule sotto_definition_server(const struct sotto_definition *definition)
{
    return (struct sotto_server_rule){.kind = definition->server,
                                      .rate = definition->server_rate,
                                      .beta1 = definition->server_beta1,
                                      .beta2 = definition->server_beta2,
                                      .tau = definition->server_tau};
}

/* Other factors of the same products make what is kept of B in the old ones worthless. */
static enum sotto_status method_check(const struct sotto_definition *definition,
                                      struct sotto_fault *fault)
{
    if (definition->lanes_a > definition->lane_count ||
        definition->lanes_b > definition->lane_count)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "lanes_a %u and lanes_b %u are part of lane_count %u",
                               definition->lanes_a, definition->lanes_b, definition->lane_count);
    if (definition->method != SOTTO_METHOD_FFA_SVD)
        return SOTTO_OK;
    if (definition->server != SOTTO_SERVER_FEDAVG)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "method ffa-svd changes the basis of B after each round, which the "
                               "moments of server %s would not follow; choose fedavg, or method "
                               "ffa or rolora",
                               sotto_server_names[definition->server]);
    if (definition->feedback)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "method ffa-svd changes the basis of B after each round, which "
                               "feedback would not follow; choose feedback 0, or method ffa or "
                               "rolora");
    return SOTTO_OK;
}

/* What rounds would find out. */
static bool has_graphs(const struct sotto_definition *definition)
{
    const struct sotto_terms terms = {.lane_count = 1,
                                      .ring_bits = 32,
                                      .cohort_min = definition->cohort_min,
                                      .cohort_max = definition->cohort_max,
                                      .survivors_min = definition->survivors_min,
                                      .corrupt_fraction = definition->corrupt_fraction,
                                      .dropout_fraction = definition->dropout_fraction};

    return sotto_parameters_check(&terms) == SOTTO_OK;
}

enum sotto_status sotto_definition_check(const struct sotto_definition *definition,
                                         struct sotto_fault *fault)
{
    enum sotto_status status = range_check(definition, fault);

    if (status != SOTTO_OK)
        return status;
    if (!sotto_name_is_valid(definition->name, SOTTO_CAMPAIGN_NAME_MAX))
        return sotto_fault_set(
            fault, SOTTO_MALFORMED,
            "a campaign's name is made of a-z, 0-9 and -, which it does not begin with");
    if (definition->survivors_min > definition->cohort_min ||
        definition->cohort_min > definition->cohort_max)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "survivors_min %u, cohort_min %u and cohort_max %u have to ascend",
                               definition->survivors_min, definition->cohort_min,
                               definition->cohort_max);
    if (definition->lane_range > definition->clip_norm)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "lane_range %g is above clip_norm %g, which no value is",
                               definition->lane_range, definition->clip_norm);
    if (!has_graphs(definition))
        return sotto_fault_set(
            fault, SOTTO_MISMATCH,
            "cohorts of %u to %u have no graph of up to %d neighbours that keeps survivors_min %u "
            "with these parts of colluders and dropouts; lower survivors_min, corrupt_fraction or "
            "dropout_fraction (sotto-simulate parameters)",
            definition->cohort_min, definition->cohort_max, SOTTO_NEIGHBOURS_MAX,
            definition->survivors_min);
    status = method_check(definition, fault);
    for (uint32_t trained = 0; trained < SOTTO_TRAINED_COUNT && status == SOTTO_OK; trained++)
        if (sotto_method_uses(definition->method, (enum sotto_trained)trained))
            status = mechanism_check(definition, (enum sotto_trained)trained, fault);
    return status;
}

static enum sotto_status text_decode(char *at, const struct field *field, const json_t *value,
                                     struct sotto_fault *fault)
{
    size_t length = json_string_length(value);

    if (!json_is_string(value) || length > (size_t)field->max ||
        strlen(json_string_value(value)) != length)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s has to be a text of at most %g bytes",
                               field->key, field->max);
    memcpy(at, json_string_value(value), length + 1);
    return SOTTO_OK;
}

static enum sotto_status number_decode(char *at, const struct field *field, const json_t *value,
                                       struct sotto_fault *fault)
{
    double real = json_number_value(value);
    uint32_t whole;

    if (!json_is_number(value) || (field->kind == FIELD_WHOLE && !json_is_integer(value)) ||
        !(real >= field->min && real <= field->max))
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s has to be a number from %g to %g",
                               field->key, field->min, field->max);
    if (field->kind == FIELD_REAL) {
        memcpy(at, &real, sizeof real);
        return SOTTO_OK;
    }
    whole = (uint32_t)json_integer_value(value);
    memcpy(at, &whole, sizeof whole);
    return SOTTO_OK;
}

static enum sotto_status seed_decode(char *at, const struct field *field, const json_t *value,
                                     struct sotto_fault *fault)
{
    int64_t seed = json_is_null(value) ? -1 : json_integer_value(value);

    if (!json_is_null(value) && (!json_is_integer(value) || seed < 0 || seed > UINT32_MAX))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s has to be a whole number up to %u, or null where the adapter "
                               "was not drawn",
                               field->key, UINT32_MAX);
    memcpy(at, &seed, sizeof seed);
    return SOTTO_OK;
}

static enum sotto_status named_decode(char *at, const struct field *field, const json_t *value,
                                      struct sotto_fault *fault)
{
    const char *text = json_string_value(value);

    for (uint32_t number = 0; text != NULL && number <= (uint32_t)field->max; number++) {
        if (strcmp(field->names[number], text) != 0)
            continue;
        memcpy(at, &number, sizeof number);
        return SOTTO_OK;
    }
    return sotto_fault_set(fault, SOTTO_MALFORMED, "%s is none of %s, ..., %s", field->key,
                           field->names[0], field->names[(uint32_t)field->max]);
}

static enum sotto_status field_decode(struct sotto_definition *definition,
                                      const struct field *field, const json_t *value,
                                      struct sotto_fault *fault)
{
    char *at = (char *)definition + field->offset;

    if (field->kind == FIELD_TEXT)
        return text_decode(at, field, value, fault);
    if (field->kind == FIELD_NAMED)
        return named_decode(at, field, value, fault);
    if (field->kind == FIELD_SEED)
        return seed_decode(at, field, value, fault);
    if (field->kind != FIELD_DIGEST)
        return number_decode(at, field, value, fault);
    if (!json_is_string(value) ||
        sotto_hex_decode((uint8_t *)at, SOTTO_DIGEST_BYTES, json_string_value(value)) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s has to be 64 hexadecimal digits",
                               field->key);
    return SOTTO_OK;
}

static enum sotto_status fields_decode(struct sotto_definition *definition, json_t *root,
                                       struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    if (!json_is_object(root))
        return sotto_fault_set(fault, SOTTO_MALFORMED, "the definition is not a JSON object");
    if (json_object_size(root) != FIELD_COUNT)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the definition has %zu keys where it should have %d: another "
                               "version of Sotto wrote it, create the campaign anew with this one",
                               json_object_size(root), FIELD_COUNT);
    for (size_t i = 0; i < FIELD_COUNT && status == SOTTO_OK; i++) {
        const json_t *value = json_object_get(root, fields[i].key);

        if (value == NULL)
            return sotto_fault_set(fault, SOTTO_MALFORMED, "the definition lacks %s",
                                   fields[i].key);
        status = field_decode(definition, &fields[i], value, fault);
    }
    return status;
}

enum sotto_status sotto_definition_decode(struct sotto_definition *definition,
                                          struct sotto_view json, struct sotto_fault *fault)
{
    struct sotto_definition decoded = {0};
    json_error_t error;
    json_t *root = json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES, &error);
    enum sotto_status status;

    if (root == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "the definition is not JSON: line %d: %s",
                               error.line, error.text);
    status = fields_decode(&decoded, root, fault);
    json_decref(root);
    if (status == SOTTO_OK)
        status = sotto_definition_check(&decoded, fault);
    if (status == SOTTO_OK)
        *definition = decoded;
    return status;
}

static json_t *field_encode(const struct sotto_definition *definition, const struct field *field)
{
    const char *at = (const char *)definition + field->offset;
    char hex[SOTTO_DIGEST_HEX];

    switch (field->kind) {
    case FIELD_TEXT: return json_string(at);
    case FIELD_DIGEST: sotto_hex_encode(hex, sotto_view_of(at, SOTTO_DIGEST_BYTES)); break;
    case FIELD_SEED:
        return definition->seed < 0 ? json_null() : json_integer((json_int_t)definition->seed);
    case FIELD_WHOLE: return json_integer((json_int_t)number_of(definition, field));
    case FIELD_REAL: return json_real(number_of(definition, field));
    case FIELD_NAMED: return json_string(field->names[(uint32_t)number_of(definition, field)]);
    }
    return json_string(hex);
}

char *sotto_definition_encode(const struct sotto_definition *definition)
{
    json_t *root = json_object();
    char *text = NULL;
    int failed = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++)
        failed |= json_object_set_new(root, fields[i].key, field_encode(definition, &fields[i]));
    if (!failed)
        text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    return text;
}
