#include "models/adapter/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file_prefix[] = "base_model.model.";

bool sotto_naming_is_double(enum sotto_family family)
{
    const struct sotto_family_names *names = sotto_family_names(family);

    return strcmp(names->blocks[SOTTO_NAMING_4], names->blocks[SOTTO_NAMING_5]) != 0;
}

/* The words of transformers 5 for a target, or NULL where they are those of 4. */
static const char *own_words(enum sotto_family family, enum sotto_target target,
                             enum sotto_naming naming)
{
    if (naming == SOTTO_NAMING_4 || !sotto_naming_is_double(family))
        return NULL;
    return sotto_family_names(family)->linears[target][SOTTO_NAMING_5];
}

const char *sotto_naming_target(enum sotto_family family, enum sotto_target target,
                                enum sotto_naming naming)
{
    const char *own = own_words(family, target, naming);

    return own == NULL ? sotto_target_name(family, target) : strrchr(own, '.') + 1;
}

void sotto_naming_target_module(char out[SOTTO_MODULE_TEXT_MAX + 1],
                                const struct sotto_layout_tensor *tensor, enum sotto_family family,
                                enum sotto_naming naming)
{
    const char *own = own_words(family, tensor->target, naming);

    if (own == NULL)
        sotto_target_module(out, family, tensor->block, tensor->target);
    else
        snprintf(out, SOTTO_MODULE_TEXT_MAX + 1, "%s%u.%s",
                 sotto_family_names(family)->blocks[naming], tensor->block, own);
}

void sotto_naming_norm_module(char out[SOTTO_MODULE_TEXT_MAX + 1],
                              const struct sotto_layout_tensor *tensor, enum sotto_family family,
                              enum sotto_naming naming)
{
    snprintf(out, SOTTO_MODULE_TEXT_MAX + 1, "%s%u.%s", sotto_family_names(family)->blocks[naming],
             tensor->block, sotto_norm_name(family, tensor->norm));
}

static bool is_of_norm(enum sotto_tensor_role role)
{
    return role == SOTTO_ROLE_NORM_GAIN || role == SOTTO_ROLE_NORM_BIAS;
}

static bool is_of_head(enum sotto_tensor_role role)
{
    return role == SOTTO_ROLE_HEAD || role == SOTTO_ROLE_HEAD_BIAS;
}

static void module_write(char out[SOTTO_MODULE_TEXT_MAX + 1],
                         const struct sotto_layout_tensor *tensor, enum sotto_family family,
                         enum sotto_naming naming)
{
    if (is_of_norm(tensor->role))
        sotto_naming_norm_module(out, tensor, family, naming);
    else
        sotto_naming_target_module(out, tensor, family, naming);
}

void sotto_naming_tensor(char out[SOTTO_TENSOR_TEXT_MAX + 1], const struct sotto_layout *layout,
                         size_t tensor, enum sotto_naming naming)
{
    const struct sotto_layout_tensor *named = &layout->tensors[tensor];
    enum sotto_family family = layout->base.family;
    char known[SOTTO_TENSOR_TEXT_MAX + 1];
    char module[SOTTO_MODULE_TEXT_MAX + 1];
    size_t ending;

    sotto_layout_tensor_name(out, layout, tensor);
    if (naming == SOTTO_NAMING_4 || !sotto_naming_is_double(family) || is_of_head(named->role))
        return;
    memcpy(known, out, sizeof known);
    module_write(module, named, family, SOTTO_NAMING_4);
    ending = strlen(file_prefix) + strlen(module);
    module_write(module, named, family, naming);
    snprintf(out, SOTTO_TENSOR_TEXT_MAX + 1, "%s%s%s", file_prefix, module, known + ending);
}

/* What follows `begin` in a name; NULL: the name does not begin so. */
static const char *after(const char *name, const char *begin)
{
    size_t length = strlen(begin);

    return strncmp(name, begin, length) == 0 ? name + length : NULL;
}

static bool parse_linear(struct sotto_layout_tensor *tensor, const char *name,
                         enum sotto_family family, enum sotto_naming naming)
{
    static const struct {
        const char *ending;
        enum sotto_tensor_role role;
    } rows[] = {{".lora_A.weight", SOTTO_ROLE_LORA_A},
                {".lora_B.weight", SOTTO_ROLE_LORA_B},
                {".bias", SOTTO_ROLE_LINEAR_BIAS}};

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        char module[SOTTO_MODULE_TEXT_MAX + 1];
        const char *ending;

        if (sotto_target_name(family, (enum sotto_target)target) == NULL)
            continue;
        tensor->target = (enum sotto_target)target;
        sotto_naming_target_module(module, tensor, family, naming);
        ending = after(name, module);
        for (size_t row = 0; ending != NULL && row < sizeof rows / sizeof rows[0]; row++) {
            tensor->role = rows[row].role;
            if (strcmp(ending, rows[row].ending) == 0)
                return true;
        }
    }
    return false;
}

static bool parse_norm(struct sotto_layout_tensor *tensor, const char *name,
                       enum sotto_family family, enum sotto_naming naming)
{
    for (uint32_t norm = 0; norm < SOTTO_NORM_COUNT; norm++) {
        char module[SOTTO_MODULE_TEXT_MAX + 1];
        const char *ending;

        tensor->norm = (enum sotto_norm_place)norm;
        sotto_naming_norm_module(module, tensor, family, naming);
        ending = after(name, module);
        if (ending == NULL || (strcmp(ending, ".weight") != 0 && strcmp(ending, ".bias") != 0))
            continue;
        tensor->role = ending[1] == 'w' ? SOTTO_ROLE_NORM_GAIN : SOTTO_ROLE_NORM_BIAS;
        return true;
    }
    return false;
}

static bool parse_in_block(struct sotto_layout_tensor *tensor, const char *name,
                           enum sotto_family family, enum sotto_naming naming)
{
    const char *number = after(name, sotto_family_names(family)->blocks[naming]);
    struct sotto_layout_tensor found = {.role = SOTTO_ROLE_HEAD};

    if (number == NULL || number[0] < '0' || number[0] > '9' || strspn(number, "0123456789") > 6)
        return false;
    found.block = (uint32_t)strtoul(number, NULL, 10);
    if (!parse_linear(&found, name, family, naming)) {
        found.target = (enum sotto_target)0;
        if (!parse_norm(&found, name, family, naming))
            return false;
    }
    tensor->role = found.role;
    tensor->block = found.block;
    tensor->target = found.target;
    tensor->norm = found.norm;
    return true;
}

static bool parse_head(struct sotto_layout_tensor *tensor, const char *name,
                       enum sotto_family family)
{
    const char *head = sotto_family_head(family);
    const char *ending = head == NULL ? NULL : after(name, head);

    if (ending == NULL || (strcmp(ending, ".weight") != 0 && strcmp(ending, ".bias") != 0))
        return false;
    tensor->role = ending[1] == 'w' ? SOTTO_ROLE_HEAD : SOTTO_ROLE_HEAD_BIAS;
    tensor->block = 0;
    tensor->target = (enum sotto_target)0;
    tensor->norm = (enum sotto_norm_place)0;
    return true;
}

bool sotto_naming_parse(struct sotto_layout_tensor *tensor, const char *name,
                        enum sotto_family family)
{
    const char *inner = after(name, file_prefix);

    if (inner == NULL)
        return false;
    return parse_head(tensor, inner, family) ||
           parse_in_block(tensor, inner, family, SOTTO_NAMING_4) ||
           parse_in_block(tensor, inner, family, SOTTO_NAMING_5);
}
