#include "models/adapter/peft_scope.h"

#include <jansson.h>
#include <string.h>

#include "models/adapter/naming.h"

/* Names of a list. */
enum { MODULES_MAX = 4096 };

/* What PEFT calls every linear layer but the head's. */
static const char all_linear[] = "all-linear";

/* Refuses a key for what is wrong with it, with the remedy. */
static enum sotto_status refuse_key(const struct sotto_peft_source *source,
                                    enum sotto_status status, const char *key, const char *why)
{
    return sotto_fault_set(source->fault, status, "%s/adapter_config.json: %s %s", source->folder,
                           key, why);
}

/* The value of a key; NULL: it says nothing. */
static const json_t *value_of(const struct sotto_peft_source *source, const char *key)
{
    const json_t *value = json_object_get(source->config.object, key);

    return json_is_null(value) ? NULL : value;
}

/* Whether every element of a list is a text. */
static bool is_of_texts(const json_t *list)
{
    const json_t *element;
    size_t index;

    json_array_foreach(list, index, element)
    {
        if (!json_is_string(element))
            return false;
    }
    return json_is_array(list);
}

static bool is_of_numbers(const json_t *list)
{
    const json_t *element;
    size_t index;

    json_array_foreach(list, index, element)
    {
        if (!json_is_integer(element))
            return false;
    }
    return json_is_array(list);
}

/* A text without any letter that would make it an expression, or part of a path. */
static bool is_word(const char *text)
{
    return strpbrk(text, "\\*+?[](){}|^$.") == NULL;
}

static bool names_module(const json_t *list, const char *module)
{
    const json_t *element;
    size_t index;

    json_array_foreach(list, index, element)
    {
        if (sotto_peft_key_fits(json_string_value(element), module))
            return true;
    }
    return false;
}

/* Whether a block is among layers_to_transform. */
static bool has_block(const json_t *blocks, uint32_t block)
{
    const json_t *element;
    size_t index;

    if (blocks == NULL || (json_is_array(blocks) && json_array_size(blocks) == 0))
        return true;
    if (json_is_integer(blocks))
        return json_integer_value(blocks) == (json_int_t)block;
    json_array_foreach(blocks, index, element)
    {
        if (json_integer_value(element) == (json_int_t)block)
            return true;
    }
    return false;
}

/* Whether a layer of a block is adapted by the keys, of which target_modules says something. */
static bool is_targeted(const struct sotto_peft_source *source, const struct sotto_layout *layout,
                        uint32_t block, enum sotto_target target)
{
    const struct sotto_layout_tensor wanted = {.block = block, .target = target};
    const json_t *targets = value_of(source, "target_modules");
    const json_t *excluded = value_of(source, "exclude_modules");
    bool is_all = json_is_string(targets) && strcmp(json_string_value(targets), all_linear) == 0;
    char module[SOTTO_MODULE_TEXT_MAX + 1];

    if (!has_block(value_of(source, "layers_to_transform"), block))
        return false;
    for (uint32_t naming = 0; naming < SOTTO_NAMING_COUNT; naming++) {
        sotto_naming_target_module(module, &wanted, layout->base.family, (enum sotto_naming)naming);
        if ((is_all || names_module(targets, module)) && !names_module(excluded, module))
            return true;
    }
    return false;
}

static enum sotto_status check_kinds(const struct sotto_peft_source *source)
{
    const json_t *targets = value_of(source, "target_modules");
    const json_t *excluded = value_of(source, "exclude_modules");
    const json_t *blocks = value_of(source, "layers_to_transform");

    if (targets != NULL && !json_is_string(targets) && !is_of_texts(targets))
        return refuse_key(source, SOTTO_MALFORMED, "target_modules",
                          "must be a list of names: get the adapter anew");
    if (json_array_size(targets) > MODULES_MAX || json_array_size(excluded) > MODULES_MAX)
        return refuse_key(source, SOTTO_OVER_LIMIT, "target_modules or exclude_modules",
                          "has more than 4,096 names: give the ends of names that modules share");
    if (json_is_string(excluded) && json_string_length(excluded) > 0)
        return refuse_key(source, SOTTO_UNSUPPORTED, "exclude_modules",
                          "is an expression: give modules by their names, in a list");
    if (excluded != NULL && !json_is_string(excluded) && !is_of_texts(excluded))
        return refuse_key(source, SOTTO_MALFORMED, "exclude_modules",
                          "must be a list of names: get the adapter anew");
    if (blocks != NULL && !json_is_integer(blocks) && !is_of_numbers(blocks))
        return refuse_key(source, SOTTO_MALFORMED, "layers_to_transform",
                          "must be a number or a list of numbers: get the adapter anew");
    return SOTTO_OK;
}

static enum sotto_status check_targets(const struct sotto_peft_source *source,
                                       const struct sotto_layout *layout)
{
    const json_t *targets = value_of(source, "target_modules");
    enum sotto_family family = layout->base.family;
    bool has_lora = layout->choice.kind == SOTTO_ADAPTER_LORA && layout->choice.rank > 0;

    if (targets == NULL || (json_is_string(targets) && !is_word(json_string_value(targets))))
        return SOTTO_OK;
    for (uint32_t i = 0; i < layout->base.block_count * SOTTO_TARGET_COUNT; i++) {
        uint32_t block = i / SOTTO_TARGET_COUNT;
        enum sotto_target target = (enum sotto_target)(i % SOTTO_TARGET_COUNT);
        bool has = has_lora && block >= layout->first_block &&
                   (layout->choice.target_set & 1u << target) != 0;

        if (sotto_target_name(family, target) != NULL &&
            has != is_targeted(source, layout, block, target))
            return sotto_fault_set(source->fault, SOTTO_MISMATCH,
                                   "%s/adapter_config.json: by target_modules %s of block %u is "
                                   "%sadapted, by the tensors it is%s: get the adapter anew",
                                   source->folder, sotto_target_name(family, target), block,
                                   has ? "not " : "", has ? "" : " not");
    }
    return SOTTO_OK;
}

/* Norms and biases, and a head alone, have no say in blocks. */
static enum sotto_status check_blocks(const struct sotto_peft_source *source,
                                      const struct sotto_layout *layout)
{
    const json_t *blocks = value_of(source, "layers_to_transform");
    size_t count = json_is_array(blocks) ? json_array_size(blocks) : 1;
    bool has_lora = layout->choice.kind == SOTTO_ADAPTER_LORA && layout->choice.rank > 0;
    bool has_all = has_lora && count == layout->base.block_count - layout->first_block;

    if (blocks == NULL || count == 0)
        return SOTTO_OK;
    for (uint32_t block = layout->first_block; block < layout->base.block_count; block++)
        has_all = has_all && has_block(blocks, block);
    return has_all ? SOTTO_OK
                   : refuse_key(source, SOTTO_MISMATCH, "layers_to_transform",
                                "names other blocks than the tensors are of: get the adapter anew");
}

/* The word before the number of a block, such as "layer" or "layers". */
static enum sotto_status check_pattern(const struct sotto_peft_source *source,
                                       const struct sotto_layout *layout)
{
    const json_t *pattern = value_of(source, "layers_pattern");
    bool is_found = false;

    if (pattern == NULL || (json_is_array(pattern) && json_array_size(pattern) == 0))
        return SOTTO_OK;
    for (uint32_t naming = 0; naming < SOTTO_NAMING_COUNT; naming++) {
        const char *blocks = sotto_family_names(layout->base.family)->blocks[naming];
        char path[SOTTO_MODULE_TEXT_MAX + 1] = "";

        memcpy(path, blocks, strlen(blocks) - 1);
        is_found = is_found || (json_is_string(pattern) &&
                                sotto_peft_key_fits(json_string_value(pattern), path));
        is_found = is_found || (is_of_texts(pattern) && names_module(pattern, path));
    }
    return is_found ? SOTTO_OK
                    : refuse_key(source, SOTTO_MISMATCH, "layers_pattern",
                                 "is not what the blocks of this base model are called: give an "
                                 "adapter that was made for it");
}

static enum sotto_status check_task(const struct sotto_peft_source *source)
{
    static const char *const tasks[] = {[SOTTO_TASK_PICTURE_CLASS] = "SEQ_CLS",
                                        [SOTTO_TASK_TEXT_CLASS] = "SEQ_CLS",
                                        [SOTTO_TASK_CAUSAL_LM] = "CAUSAL_LM"};
    const char *wanted = tasks[source->arch->task];
    const json_t *task = value_of(source, "task_type");

    if (task == NULL || (json_is_string(task) && strcmp(json_string_value(task), wanted) == 0))
        return SOTTO_OK;
    return sotto_fault_set(
        source->fault, SOTTO_MISMATCH,
        "%s/adapter_config.json: task_type is %.32s, of this base model it is %s "
        "or null: give an adapter that was made for it",
        source->folder, json_is_string(task) ? json_string_value(task) : "no text", wanted);
}

enum sotto_status sotto_peft_scope_check(const struct sotto_peft_source *source,
                                         const struct sotto_layout *layout)
{
    enum sotto_status status = check_kinds(source);

    if (status == SOTTO_OK)
        status = check_task(source);
    if (status == SOTTO_OK)
        status = check_blocks(source, layout);
    if (status == SOTTO_OK)
        status = check_targets(source, layout);
    if (status == SOTTO_OK)
        status = check_pattern(source, layout);
    return status;
}
