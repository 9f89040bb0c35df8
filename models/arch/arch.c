#include "models/arch/arch.h"

#include <jansson.h>
#include <string.h>

/* The largest number each count may have; far above any known model, far below an overflow. */
enum {
    WIDTH_MAX = 16384,
    MLP_WIDTH_MAX = 65536,
    BLOCKS_MAX = 256,
    SIDE_MAX = 4096,
    TOKENS_MAX = 16385,
};

uint32_t sotto_arch_token_count(const struct sotto_arch *arch)
{
    uint32_t grid = arch->image_side / arch->patch_side;

    return grid * grid + 1;
}

/* One file being read: its object, and where its faults go. */
struct reading {
    json_t *object;
    const char *path;
    struct sotto_fault *fault;
};

struct count_rule {
    const char *key;
    size_t offset; /* in struct sotto_arch */
    uint32_t max;
    uint32_t absent; /* the value where the key is absent; 0: it must be there */
};

static const struct count_rule count_rules[] = {
    {"hidden_size", offsetof(struct sotto_arch, width), WIDTH_MAX, 0},
    {"intermediate_size", offsetof(struct sotto_arch, mlp_width), MLP_WIDTH_MAX, 0},
    {"num_hidden_layers", offsetof(struct sotto_arch, block_count), BLOCKS_MAX, 0},
    {"num_attention_heads", offsetof(struct sotto_arch, head_count), WIDTH_MAX, 0},
    {"image_size", offsetof(struct sotto_arch, image_side), SIDE_MAX, 0},
    {"patch_size", offsetof(struct sotto_arch, patch_side), SIDE_MAX, 0},
    {"num_channels", offsetof(struct sotto_arch, channels), 3, 3},
};

static enum sotto_status decode_count(struct sotto_arch *arch, const struct reading *reading,
                                      const struct count_rule *rule)
{
    json_t *value = json_object_get(reading->object, rule->key);
    uint32_t count = rule->absent;

    if (value == NULL && rule->absent == 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: the key %s is missing",
                               reading->path, rule->key);
    if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 1))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: %s must be a whole number of at least 1", reading->path,
                               rule->key);
    if (value != NULL && json_integer_value(value) > rule->max)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT, "%s: %s is above the limit of %u",
                               reading->path, rule->key, rule->max);
    if (value != NULL)
        count = (uint32_t)json_integer_value(value);
    memcpy((char *)arch + rule->offset, &count, sizeof count);
    return SOTTO_OK;
}

/* A text key that must have the one value that is computed here; that is also its default. */
static enum sotto_status check_text(const struct reading *reading, const char *key,
                                    const char *known, bool is_required)
{
    json_t *value = json_object_get(reading->object, key);

    if (value == NULL && !is_required)
        return SOTTO_OK;
    if (value == NULL || !json_is_string(value))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: %s must be there and be text",
                               reading->path, key);
    if (strcmp(json_string_value(value), known) != 0)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED, "%s: %s is '%.60s'; known is: %s",
                               reading->path, key, json_string_value(value), known);
    return SOTTO_OK;
}

static enum sotto_status decode_epsilon(struct sotto_arch *arch, const struct reading *reading)
{
    json_t *value = json_object_get(reading->object, "layer_norm_eps");

    arch->norm_epsilon = 1e-12;
    if (value == NULL)
        return SOTTO_OK;
    if (!json_is_number(value) || !(json_number_value(value) > 0.0) ||
        !(json_number_value(value) <= 1.0))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: layer_norm_eps must be a number above 0 and at most 1",
                               reading->path);
    arch->norm_epsilon = json_number_value(value);
    return SOTTO_OK;
}

static enum sotto_status decode_qkv_bias(struct sotto_arch *arch, const struct reading *reading)
{
    json_t *value = json_object_get(reading->object, "qkv_bias");

    if (value != NULL && !json_is_boolean(value))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: qkv_bias must be true or false", reading->path);
    arch->has_qkv_bias = value == NULL || json_is_true(value);
    return SOTTO_OK;
}

static enum sotto_status check_shape(const struct sotto_arch *arch, const struct reading *reading)
{
    if (arch->width % arch->head_count != 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: num_attention_heads %u does not divide hidden_size %u",
                               reading->path, arch->head_count, arch->width);
    if (arch->image_side % arch->patch_side != 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: patch_size %u does not divide image_size %u", reading->path,
                               arch->patch_side, arch->image_side);
    if (arch->channels == 2)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: num_channels is 2; known are: 1, 3", reading->path);
    if (sotto_arch_token_count(arch) > TOKENS_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT,
                               "%s: image_size and patch_size make %u tokens, above the limit %d",
                               reading->path, sotto_arch_token_count(arch), TOKENS_MAX);
    return SOTTO_OK;
}

static enum sotto_status decode_object(struct sotto_arch *arch, const struct reading *reading)
{
    enum sotto_status status = check_text(reading, "model_type", "vit", true);

    if (status == SOTTO_OK)
        status = check_text(reading, "hidden_act", "gelu", false);
    for (size_t i = 0; i < sizeof count_rules / sizeof count_rules[0] && status == SOTTO_OK; i++)
        status = decode_count(arch, reading, &count_rules[i]);
    if (status == SOTTO_OK)
        status = decode_epsilon(arch, reading);
    if (status == SOTTO_OK)
        status = decode_qkv_bias(arch, reading);
    if (status == SOTTO_OK)
        status = check_shape(arch, reading);
    return status;
}

enum sotto_status sotto_arch_decode(struct sotto_arch *arch, struct sotto_view json,
                                    const char *path, struct sotto_fault *fault)
{
    json_error_t error;
    struct sotto_arch decoded = {0};
    struct reading reading = {
        json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES, &error), path,
        fault};
    enum sotto_status status;

    if (reading.object == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: line %d: %s", path, error.line,
                               error.text);
    if (json_is_object(reading.object))
        status = decode_object(&decoded, &reading);
    else
        status = sotto_fault_set(fault, SOTTO_MALFORMED, "%s: not a JSON object", path);
    json_decref(reading.object);
    if (status == SOTTO_OK)
        *arch = decoded;
    return status;
}
