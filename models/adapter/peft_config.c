#include "models/adapter/peft_config.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/adapter/naming.h"

/* What PEFT takes as "no module at all", for an adapter without LoRA. */
static const char no_targets[] = "dummy-target-modules";

/* The name of one module; alone it may be the end of another's, so in `block` it is whole. */
static void append_name(json_t *list, const char *name)
{
    size_t index;
    json_t *known;

    json_array_foreach(list, index, known)
    {
        if (strcmp(json_string_value(known), name) == 0)
            return;
    }
    json_array_append_new(list, json_string(name));
}

/*
 * PEFT takes a module whose name ends in a target. "output.dense" alone would also hit
 * attention.output.dense, so where only the MLP's is meant it is named block by block.
 */
static void append_target(json_t *list, const struct sotto_layout *layout, enum sotto_target target,
                          enum sotto_naming naming)
{
    enum sotto_family family = layout->base.family;
    const char *name = sotto_naming_target(family, target, naming);

    if (strcmp(name, "output.dense") != 0 ||
        (layout->choice.target_set & 1u << SOTTO_TARGET_ATTENTION_OUT) != 0) {
        append_name(list, name);
        return;
    }
    for (uint32_t block = layout->first_block; block < layout->base.block_count; block++) {
        json_t *path = json_sprintf("layer.%u.%s", block, name);

        append_name(list, json_string_value(path));
        json_decref(path);
    }
}

static json_t *targets_to_store(const struct sotto_layout *layout)
{
    json_t *list = json_array();

    for (uint32_t naming = 0; naming < SOTTO_NAMING_COUNT; naming++) {
        for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
            if ((layout->choice.target_set & 1u << target) != 0)
                append_target(list, layout, (enum sotto_target)target, (enum sotto_naming)naming);
        }
    }
    return list;
}

/*
 * The first key that fits a module's name counts, and "output.dense" fits attention.output.dense
 * too: the longer one, which comes first, gets a rank where either has one.
 */
static json_t *ranks_to_store(const struct sotto_layout *layout)
{
    const struct sotto_adapter_choice *choice = &layout->choice;
    json_t *ranks = json_object();

    for (uint32_t naming = 0; naming < SOTTO_NAMING_COUNT; naming++) {
        for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
            bool is_other =
                choice->ranks[target] != 0 ||
                (target == SOTTO_TARGET_ATTENTION_OUT && choice->ranks[SOTTO_TARGET_MLP_OUT] != 0);

            if (is_other && (choice->target_set & 1u << target) != 0)
                json_object_set_new(
                    ranks,
                    sotto_naming_target(layout->base.family, (enum sotto_target)target,
                                        (enum sotto_naming)naming),
                    json_integer(sotto_adapter_choice_rank(choice, (enum sotto_target)target)));
        }
    }
    return ranks;
}

static json_t *blocks_to_store(const struct sotto_layout *layout)
{
    json_t *blocks = json_array();

    for (uint32_t block = layout->first_block; block < layout->base.block_count; block++)
        json_array_append_new(blocks, json_integer(block));
    return blocks;
}

/* The classifier, and of a norm and bias adapter every norm by its path. */
static json_t *modules_to_store(const struct sotto_layout *layout)
{
    enum sotto_family family = layout->base.family;
    json_t *modules = json_array();

    if (layout->base.task != SOTTO_TASK_CAUSAL_LM)
        append_name(modules, sotto_family_head(family));
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];

        for (uint32_t naming = 0; naming < SOTTO_NAMING_COUNT; naming++) {
            char module[SOTTO_MODULE_TEXT_MAX + 1];

            if (tensor->role != SOTTO_ROLE_NORM_GAIN)
                continue;
            sotto_naming_norm_module(module, tensor, family, (enum sotto_naming)naming);
            append_name(modules, module);
        }
    }
    if (json_array_size(modules) > 0)
        return modules;
    json_decref(modules);
    return json_null();
}

static json_t *alpha_to_store(double alpha)
{
    if (alpha == floor(alpha) && alpha < 1e9)
        return json_integer((json_int_t)alpha);
    return json_real(alpha);
}

/* PEFT has no rank 0: an adapter without LoRA is rank 1 on no module. */
static json_t *core_to_store(const struct sotto_layout *layout, const char *base_name)
{
    static const char *const tasks[] = {[SOTTO_TASK_PICTURE_CLASS] = NULL,
                                        [SOTTO_TASK_TEXT_CLASS] = "SEQ_CLS",
                                        [SOTTO_TASK_CAUSAL_LM] = "CAUSAL_LM"};
    const struct sotto_adapter_choice *choice = &layout->choice;
    bool has_lora = choice->rank > 0;

    return json_pack("{s:s, s:s?, s:s, s:i, s:o, s:f, s:s, s:o, s:o, s:b, s:b}", "peft_type",
                     "LORA", "task_type", tasks[layout->base.task], "base_model_name_or_path",
                     base_name, "r", has_lora ? (int)choice->rank : 1, "lora_alpha",
                     alpha_to_store(has_lora ? choice->alpha : 1.0), "lora_dropout", 0.0, "bias",
                     choice->kind == SOTTO_ADAPTER_NORM_BIAS ? "all" : "none", "target_modules",
                     has_lora ? targets_to_store(layout) : json_string(no_targets),
                     "modules_to_save", modules_to_store(layout), "fan_in_fan_out", 0,
                     "inference_mode", 1);
}

/* Keys that old releases of PEFT refuse are there only where they say something. */
char *sotto_peft_config_encode(const struct sotto_layout *layout, const char *base_name)
{
    json_t *config = core_to_store(layout, base_name);
    json_t *ranks = ranks_to_store(layout);
    char *text;

    if (layout->choice.is_rank_stabilised)
        json_object_set_new(config, "use_rslora", json_true());
    if (json_object_size(ranks) > 0)
        json_object_set(config, "rank_pattern", ranks);
    if (layout->choice.kind == SOTTO_ADAPTER_LORA && layout->choice.top_blocks > 0)
        json_object_set_new(config, "layers_to_transform", blocks_to_store(layout));
    json_decref(ranks);
    text = json_dumps(config, JSON_INDENT(2));
    json_decref(config);
    return text;
}

/* A config being read, and where it is from. */
struct reading {
    const json_t *object;
    const char *path;
    struct sotto_fault *fault;
};

/* Keys that are read here, or that say nothing about what the adapter computes. */
static bool is_known(const char *key)
{
    static const char *const known[] = {
        "peft_type",
        "r",
        "lora_alpha",
        "use_rslora",
        "bias",
        "rank_pattern",
        "alpha_pattern",
        "init_lora_weights",
        "lora_dropout",
        "target_modules",
        "exclude_modules",
        "modules_to_save",
        "task_type",
        "layers_to_transform",
        "layers_pattern",
        "inference_mode",
        "revision",
        "base_model_name_or_path",
        "auto_mapping",
        "peft_version",
        "megatron_core",
        "megatron_config",
        "loftq_config",
        "eva_config",
        "corda_config",
        "lora_ga_config",
        "runtime_config",
        "qalora_group_size",
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], key) == 0)
            return true;
    }
    return false;
}

/* null, false, 0, "", [] and {}: the key asks for nothing. */
static bool is_unset(const json_t *value)
{
    return json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static enum sotto_status check_keys(const struct reading *reading)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)reading->object, key, value)
    {
        if (!is_known(key) && !is_unset(value))
            return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                                   "%s: %.64s is set: give a plain LoRA adapter", reading->path,
                                   key);
    }
    return SOTTO_OK;
}

/*
 * How A and B began does not matter once they are trained, but some ways of it have changed the
 * base model too.
 */
static enum sotto_status check_start(const struct reading *reading)
{
    static const char *const harmless[] = {"gaussian", "eva", "orthogonal", "true", "false"};
    const char *start = json_string_value(json_object_get(reading->object, "init_lora_weights"));

    for (size_t i = 0; start != NULL && i < sizeof harmless / sizeof harmless[0]; i++) {
        if (strcmp(start, harmless[i]) == 0)
            return SOTTO_OK;
    }
    if (start == NULL)
        return SOTTO_OK;
    return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                           "%s: init_lora_weights is %.32s, which changes the base model: convert "
                           "it to a plain LoRA adapter",
                           reading->path, start);
}

static enum sotto_status read_kind(enum sotto_adapter_kind *kind, const struct reading *reading)
{
    const char *type = json_string_value(json_object_get(reading->object, "peft_type"));
    const char *bias = json_string_value(json_object_get(reading->object, "bias"));

    if (type == NULL || strcmp(type, "LORA") != 0)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: peft_type is not LORA: give a LoRA adapter", reading->path);
    *kind = SOTTO_ADAPTER_LORA;
    if (bias == NULL || strcmp(bias, "none") == 0)
        return SOTTO_OK;
    *kind = SOTTO_ADAPTER_NORM_BIAS;
    if (strcmp(bias, "all") == 0)
        return SOTTO_OK;
    return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                           "%s: bias is not none: give an adapter without trained biases",
                           reading->path);
}

/* A key is a module's path or the end of one, as PEFT's (.*\.)?KEY$ has it; '^': all of it. */
static enum sotto_status check_pattern(const char *name, bool is_whole, double lowest,
                                       double highest, const struct reading *reading)
{
    json_t *pattern = json_object_get(reading->object, name);
    const char *key;
    json_t *value;

    if (pattern == NULL || json_is_null(pattern))
        return SOTTO_OK;
    if (!json_is_object(pattern))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: %s is no object",
                               reading->path, name);
    json_object_foreach(pattern, key, value)
    {
        if (strpbrk(key + (key[0] == '^'), "\\*+?[](){}|^$") != NULL)
            return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                                   "%s: %s has \"%.64s\": give modules by their names",
                                   reading->path, name, key);
        if (!(is_whole ? json_is_integer(value) : json_is_number(value)) ||
            !(json_number_value(value) >= lowest && json_number_value(value) <= highest))
            return sotto_fault_set(
                reading->fault, SOTTO_MALFORMED, "%s: %s gives \"%.64s\" no %snumber from %g to %g",
                reading->path, name, key, is_whole ? "whole " : "", lowest, highest);
    }
    return SOTTO_OK;
}

static enum sotto_status read_numbers(struct sotto_peft_config *config,
                                      const struct reading *reading)
{
    const json_t *rank = json_object_get(reading->object, "r");
    const json_t *alpha = json_object_get(reading->object, "lora_alpha");
    const json_t *rslora = json_object_get(reading->object, "use_rslora");

    if (!json_is_integer(rank) || json_integer_value(rank) < 1 ||
        json_integer_value(rank) > SOTTO_RANK_MAX || !json_is_number(alpha))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: r must be 1 to %d and lora_alpha a number", reading->path,
                               SOTTO_RANK_MAX);
    config->rank = (uint32_t)json_integer_value(rank);
    config->alpha = json_number_value(alpha);
    if (rslora != NULL && !json_is_boolean(rslora) && !json_is_null(rslora))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: use_rslora must be true or false", reading->path);
    config->is_rank_stabilised = json_is_true(rslora);
    return SOTTO_OK;
}

enum sotto_status sotto_peft_config_decode(struct sotto_peft_config *config, struct sotto_view json,
                                           const char *path, struct sotto_fault *fault)
{
    struct sotto_peft_config read = {
        .object = json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES, NULL)};
    const struct reading reading = {.object = read.object, .path = path, .fault = fault};
    enum sotto_status status = SOTTO_OK;

    if (!json_is_object(read.object))
        status = sotto_fault_set(fault, SOTTO_MALFORMED, "%s: no JSON object: get the adapter anew",
                                 path);
    if (status == SOTTO_OK)
        status = read_kind(&read.kind, &reading);
    if (status == SOTTO_OK)
        status = check_keys(&reading);
    if (status == SOTTO_OK)
        status = check_start(&reading);
    if (status == SOTTO_OK)
        status = read_numbers(&read, &reading);
    if (status == SOTTO_OK)
        status = check_pattern("rank_pattern", true, 1, SOTTO_RANK_MAX, &reading);
    if (status == SOTTO_OK)
        status = check_pattern("alpha_pattern", false, -1e9, 1e9, &reading);
    if (status != SOTTO_OK) {
        json_decref(read.object);
        return status;
    }
    *config = read;
    return SOTTO_OK;
}

void sotto_peft_config_close(struct sotto_peft_config *config)
{
    json_decref(config->object);
    config->object = NULL;
}

bool sotto_peft_key_fits(const char *key, const char *module)
{
    size_t key_length = strlen(key), length = strlen(module);

    if (key[0] == '^')
        return strcmp(key + 1, module) == 0;
    return key_length <= length && strcmp(module + length - key_length, key) == 0 &&
           (key_length == length || module[length - key_length - 1] == '.');
}

static double number_of(const struct sotto_peft_config *config, const char *pattern,
                        const char *module, double otherwise)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(config->object, pattern), key, value)
    {
        if (sotto_peft_key_fits(key, module))
            return json_number_value(value);
    }
    return otherwise;
}

uint32_t sotto_peft_config_rank(const struct sotto_peft_config *config, const char *module)
{
    return (uint32_t)number_of(config, "rank_pattern", module, config->rank);
}

double sotto_peft_config_alpha(const struct sotto_peft_config *config, const char *module)
{
    return number_of(config, "alpha_pattern", module, config->alpha);
}
