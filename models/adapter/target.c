#include "models/adapter/target.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/arch/family.h"

_Static_assert((int)SOTTO_TARGET_COUNT == (int)SOTTO_BLOCK_LINEAR_COUNT &&
                   (int)SOTTO_TARGET_MLP_IN == (int)SOTTO_BLOCK_MLP_IN &&
                   (int)SOTTO_TARGET_MLP_GATE == (int)SOTTO_BLOCK_MLP_GATE,
               "a target is a linear layer of a block");

static const char all_linear[] = "all-linear";

enum { NAMES_TEXT_MAX = 256 };

/* A layer's path in a block; NULL: the family has none such. */
static const char *path_of(enum sotto_family family, enum sotto_target target)
{
    assert(target < SOTTO_TARGET_COUNT);
    return sotto_family_names(family)->linears[target][SOTTO_NAMING_4];
}

uint32_t sotto_family_targets(enum sotto_family family)
{
    uint32_t set = 0;

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        if (path_of(family, (enum sotto_target)target) != NULL)
            set |= 1u << target;
    }
    return set;
}

/* The last word of its path says which layer it is, but for "dense", which several are called. */
const char *sotto_target_name(enum sotto_family family, enum sotto_target target)
{
    const char *path = path_of(family, target);
    const char *word = path == NULL ? NULL : strrchr(path, '.') + 1;

    return word == NULL || strcmp(word, "dense") == 0 ? path : word;
}

const char *sotto_norm_name(enum sotto_family family, enum sotto_norm_place place)
{
    const struct sotto_family_names *names = sotto_family_names(family);

    assert(place < SOTTO_NORM_COUNT);
    return place == SOTTO_NORM_OF_ATTENTION ? names->attention_norm[SOTTO_NAMING_4]
                                            : names->mlp_norm[SOTTO_NAMING_4];
}

const char *sotto_family_head(enum sotto_family family)
{
    return sotto_family_names(family)->head;
}

static void module_write(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                         uint32_t block, const char *path)
{
    assert(path != NULL);
    snprintf(out, SOTTO_MODULE_TEXT_MAX + 1, "%s%u.%s",
             sotto_family_names(family)->blocks[SOTTO_NAMING_4], block, path);
}

void sotto_target_module(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                         uint32_t block, enum sotto_target target)
{
    module_write(out, family, block, path_of(family, target));
}

void sotto_norm_module(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                       uint32_t block, enum sotto_norm_place place)
{
    module_write(out, family, block, sotto_norm_name(family, place));
}

/* The target of a name of `length` bytes in any family, or SOTTO_TARGET_COUNT. */
static enum sotto_target target_named(const char *name, size_t length)
{
    for (uint32_t family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
            const char *known =
                sotto_target_name((enum sotto_family)family, (enum sotto_target)target);

            if (known != NULL && strlen(known) == length && memcmp(known, name, length) == 0)
                return (enum sotto_target)target;
        }
    }
    return SOTTO_TARGET_COUNT;
}

static enum sotto_status refuse_name(const char *list, const char *name, size_t length,
                                     struct sotto_fault *fault)
{
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "%s: \"%.*s\" is unknown or repeated; known are all-linear, query, key, "
                           "value, "
                           "attention.output.dense, intermediate.dense, output.dense, and for "
                           "Llama q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
                           list, (int)(length < 64 ? length : 64), name);
}

enum sotto_status sotto_target_set_parse(uint32_t *set, const char *text, struct sotto_fault *fault)
{
    uint32_t found = 0;
    const char *at = text;

    if (strcmp(text, all_linear) == 0) {
        *set = SOTTO_TARGETS_ALL;
        return SOTTO_OK;
    }
    for (;;) {
        size_t length = strcspn(at, ",");
        enum sotto_target target = target_named(at, length);

        if (target == SOTTO_TARGET_COUNT || (found & 1u << target) != 0)
            return refuse_name("targets", at, length, fault);
        found |= 1u << target;
        at += length;
        if (*at == 0)
            break;
        at++;
    }
    *set = found;
    return SOTTO_OK;
}

enum sotto_status sotto_rank_pattern_parse(uint32_t ranks[SOTTO_TARGET_COUNT], const char *text,
                                           struct sotto_fault *fault)
{
    uint32_t found[SOTTO_TARGET_COUNT] = {0};
    const char *at = text;

    while (*at != 0) {
        size_t length = strcspn(at, "=,");
        enum sotto_target target = target_named(at, length);
        char *end = NULL;
        unsigned long rank;

        if (target == SOTTO_TARGET_COUNT || found[target] != 0)
            return refuse_name("rank pattern", at, length, fault);
        rank = at[length] == '=' ? strtoul(at + length + 1, &end, 10) : 0;
        if (end == NULL || (*end != 0 && *end != ',') || rank < 1 || rank > SOTTO_RANK_MAX)
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "rank pattern: give \"%.*s\" a rank of 1 to %d, as in query=4",
                                   (int)length, at, SOTTO_RANK_MAX);
        found[target] = (uint32_t)rank;
        at = *end == ',' ? end + 1 : end;
    }
    memcpy(ranks, found, sizeof found);
    return SOTTO_OK;
}

static bool is_name_of(enum sotto_family family, const char *name, size_t length)
{
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        const char *known = sotto_target_name(family, (enum sotto_target)target);

        if (known != NULL && strlen(known) == length && memcmp(known, name, length) == 0)
            return true;
    }
    return length == strlen(all_linear) && memcmp(all_linear, name, length) == 0;
}

/* The family's names as a list. */
static void list_names(char text[NAMES_TEXT_MAX], enum sotto_family family)
{
    size_t length = 0;

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        const char *known = sotto_target_name(family, (enum sotto_target)target);

        if (known != NULL)
            length += (size_t)snprintf(text + length, NAMES_TEXT_MAX - length, "%s%s",
                                       length == 0 ? "" : ", ", known);
    }
}

enum sotto_status sotto_target_names_check(const char *text, enum sotto_family family,
                                           struct sotto_fault *fault)
{
    char names[NAMES_TEXT_MAX] = "";

    list_names(names, family);
    while (*text != 0) {
        size_t length = strcspn(text, "=,");

        if (!is_name_of(family, text, length))
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "targets: \"%.*s\" is no layer of this base model; its layers "
                                   "are %s, or all-linear",
                                   (int)(length < 64 ? length : 64), text, names);
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return SOTTO_OK;
}
