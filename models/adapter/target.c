#include "models/adapter/target.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A module in a block: its path is prefix and name. Without a name the family lacks it. */
struct module {
    const char *prefix;
    const char *name;
};

static const struct module vit_targets[SOTTO_TARGET_COUNT] = {
    [SOTTO_TARGET_QUERY] = {"attention.attention.", "query"},
    [SOTTO_TARGET_KEY] = {"attention.attention.", "key"},
    [SOTTO_TARGET_VALUE] = {"attention.attention.", "value"},
    [SOTTO_TARGET_ATTENTION_OUT] = {"", "attention.output.dense"},
    [SOTTO_TARGET_MLP_IN] = {"", "intermediate.dense"},
    [SOTTO_TARGET_MLP_OUT] = {"", "output.dense"},
};

static const struct module bert_targets[SOTTO_TARGET_COUNT] = {
    [SOTTO_TARGET_QUERY] = {"attention.self.", "query"},
    [SOTTO_TARGET_KEY] = {"attention.self.", "key"},
    [SOTTO_TARGET_VALUE] = {"attention.self.", "value"},
    [SOTTO_TARGET_ATTENTION_OUT] = {"", "attention.output.dense"},
    [SOTTO_TARGET_MLP_IN] = {"", "intermediate.dense"},
    [SOTTO_TARGET_MLP_OUT] = {"", "output.dense"},
};

static const struct module llama_targets[SOTTO_TARGET_COUNT] = {
    [SOTTO_TARGET_QUERY] = {"self_attn.", "q_proj"},
    [SOTTO_TARGET_KEY] = {"self_attn.", "k_proj"},
    [SOTTO_TARGET_VALUE] = {"self_attn.", "v_proj"},
    [SOTTO_TARGET_ATTENTION_OUT] = {"self_attn.", "o_proj"},
    [SOTTO_TARGET_MLP_IN] = {"mlp.", "up_proj"},
    [SOTTO_TARGET_MLP_OUT] = {"mlp.", "down_proj"},
    [SOTTO_TARGET_MLP_GATE] = {"mlp.", "gate_proj"},
};

static const struct family_row {
    const char *before; /* the block's number */
    const char *head;
    const struct module *targets; /* [SOTTO_TARGET_COUNT] */
    const char *norms[SOTTO_NORM_COUNT];
} rows[SOTTO_FAMILY_COUNT] = {
    [SOTTO_FAMILY_VIT] = {"vit.encoder.layer.",
                          "classifier",
                          vit_targets,
                          {"layernorm_before", "layernorm_after"}},
    [SOTTO_FAMILY_DEIT] = {"deit.encoder.layer.",
                           "classifier",
                           vit_targets,
                           {"layernorm_before", "layernorm_after"}},
    [SOTTO_FAMILY_BERT] = {"bert.encoder.layer.",
                           "classifier",
                           bert_targets,
                           {"attention.output.LayerNorm", "output.LayerNorm"}},
    [SOTTO_FAMILY_LLAMA] = {"model.layers.",
                            NULL,
                            llama_targets,
                            {"input_layernorm", "post_attention_layernorm"}},
};

static const struct family_row *row_of(enum sotto_family family)
{
    assert(family < SOTTO_FAMILY_COUNT);
    return &rows[family];
}

uint32_t sotto_family_targets(enum sotto_family family)
{
    uint32_t set = 0;

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        if (row_of(family)->targets[target].name != NULL)
            set |= 1u << target;
    }
    return set;
}

const char *sotto_target_name(enum sotto_family family, enum sotto_target target)
{
    assert(target < SOTTO_TARGET_COUNT);
    return row_of(family)->targets[target].name;
}

const char *sotto_norm_name(enum sotto_family family, enum sotto_norm_place place)
{
    assert(place < SOTTO_NORM_COUNT);
    return row_of(family)->norms[place];
}

const char *sotto_family_head(enum sotto_family family)
{
    return row_of(family)->head;
}

static void module_write(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                         uint32_t block, struct module module)
{
    assert(module.name != NULL);
    snprintf(out, SOTTO_MODULE_TEXT_MAX + 1, "%s%u.%s%s", row_of(family)->before, block,
             module.prefix, module.name);
}

void sotto_target_module(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                         uint32_t block, enum sotto_target target)
{
    assert(target < SOTTO_TARGET_COUNT);
    module_write(out, family, block, row_of(family)->targets[target]);
}

void sotto_norm_module(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                       uint32_t block, enum sotto_norm_place place)
{
    assert(place < SOTTO_NORM_COUNT);
    module_write(out, family, block, (struct module){"", row_of(family)->norms[place]});
}

/* The target of a name of `length` bytes in any family, or SOTTO_TARGET_COUNT. */
static enum sotto_target target_named(const char *name, size_t length)
{
    for (size_t family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
            const char *known = rows[family].targets[target].name;

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

    if (strcmp(text, "all-linear") == 0) {
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
