#include "models/adapter/choice.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool label_is_clean(const char label[SOTTO_LABEL_TEXT_MAX + 1])
{
    size_t length = strnlen(label, SOTTO_LABEL_TEXT_MAX + 1);
    size_t at = 0;

    if (length == 0 || length > SOTTO_LABEL_TEXT_MAX || label[0] == '.')
        return false;
    while (at < length) {
        unsigned char byte = (unsigned char)label[at];
        size_t sequence = sotto_utf8_length(label + at);

        if (sequence == 0 || byte < 0x20 || byte == 0x7f || byte == '/')
            return false;
        at += sequence;
    }
    return true;
}

static enum sotto_status check_labels(const struct sotto_adapter_choice *choice,
                                      enum sotto_task task, struct sotto_fault *fault)
{
    if (task == SOTTO_TASK_CAUSAL_LM && choice->label_count != 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "labels: a language model has none, leave them out");
    if (task == SOTTO_TASK_CAUSAL_LM)
        return SOTTO_OK;
    if (choice->label_count < 2 || choice->label_count > SOTTO_LABELS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "labels: %u of them, give 2 to %d",
                               choice->label_count, SOTTO_LABELS_MAX);
    for (uint32_t label = 0; label < choice->label_count; label++) {
        if (!label_is_clean(choice->labels[label]))
            return sotto_fault_set(
                fault, SOTTO_MALFORMED,
                "labels: number %u must be 1 to %d bytes of UTF-8 without control "
                "characters, '/' and a leading '.'",
                label + 1, SOTTO_LABEL_TEXT_MAX);
        for (uint32_t other = 0; other < label; other++) {
            if (strcmp(choice->labels[label], choice->labels[other]) == 0)
                return sotto_fault_set(fault, SOTTO_MALFORMED, "labels: \"%s\" is there twice",
                                       choice->labels[label]);
        }
    }
    return SOTTO_OK;
}

static enum sotto_status check_targets(const struct sotto_adapter_choice *choice,
                                       enum sotto_family family, struct sotto_fault *fault)
{
    if (choice->target_set == 0 || choice->target_set > SOTTO_TARGETS_ALL)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "targets: give at least one, and only known ones");
    if (choice->target_set != SOTTO_TARGETS_ALL &&
        (choice->target_set & ~sotto_family_targets(family)) != 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "targets: gate_proj is no layer of this base model, leave it out");
    return SOTTO_OK;
}

static const double alpha_max = 1e9;

static enum sotto_status check_lora(const struct sotto_adapter_choice *choice,
                                    enum sotto_family family, struct sotto_fault *fault)
{
    if (choice->rank > SOTTO_RANK_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "rank: %u is above %d", choice->rank,
                               SOTTO_RANK_MAX);
    if (choice->rank == 0)
        return SOTTO_OK;
    if (!(choice->alpha > 0 && choice->alpha <= alpha_max))
        return sotto_fault_set(fault, SOTTO_MALFORMED, "alpha: %g is no positive number up to %g",
                               choice->alpha, alpha_max);
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        if (choice->ranks[target] > SOTTO_RANK_MAX)
            return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "rank pattern: %u is above %d",
                                   choice->ranks[target], SOTTO_RANK_MAX);
        if (choice->ranks[target] != 0 && (choice->target_set & 1u << target) == 0)
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "rank pattern: it names a layer that is not among the targets");
    }
    return check_targets(choice, family, fault);
}

static enum sotto_status check_choice(const struct sotto_adapter_choice *choice,
                                      const struct sotto_adapter_base *base,
                                      struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    if (choice->kind >= SOTTO_ADAPTER_KIND_COUNT)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "adapter: its kind is unknown");
    if (choice->top_blocks > base->block_count)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "top blocks: %u of them, the base model has %u", choice->top_blocks,
                               base->block_count);
    if (choice->kind == SOTTO_ADAPTER_LORA)
        status = check_lora(choice, base->family, fault);
    if (status == SOTTO_OK && choice->kind == SOTTO_ADAPTER_LORA && choice->rank == 0 &&
        base->task == SOTTO_TASK_CAUSAL_LM)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "rank: with 0 nothing of a language model is trained, give 1 or "
                               "more");
    return status == SOTTO_OK ? check_labels(choice, base->task, fault) : status;
}

static void settle_lora(struct sotto_adapter_choice *plain,
                        const struct sotto_adapter_choice *choice, enum sotto_family family)
{
    plain->rank = choice->rank;
    plain->alpha = choice->alpha;
    plain->is_rank_stabilised = choice->is_rank_stabilised;
    plain->target_set = choice->target_set & sotto_family_targets(family);
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        bool has_own =
            (plain->target_set & 1u << target) != 0 && choice->ranks[target] != choice->rank;

        plain->ranks[target] = has_own ? choice->ranks[target] : 0;
    }
}

enum sotto_status sotto_adapter_choice_settle(struct sotto_adapter_choice *plain,
                                              const struct sotto_adapter_choice *choice,
                                              const struct sotto_adapter_base *base,
                                              struct sotto_fault *fault)
{
    struct sotto_adapter_choice settled = {.kind = choice->kind};
    enum sotto_status status = check_choice(choice, base, fault);
    bool is_in_blocks = choice->kind == SOTTO_ADAPTER_NORM_BIAS || choice->rank > 0;

    if (status != SOTTO_OK)
        return status;
    if (choice->kind == SOTTO_ADAPTER_LORA && choice->rank > 0)
        settle_lora(&settled, choice, base->family);
    if (is_in_blocks && choice->top_blocks != base->block_count)
        settled.top_blocks = choice->top_blocks;
    settled.label_count = choice->label_count;
    for (uint32_t label = 0; label < choice->label_count; label++)
        snprintf(settled.labels[label], sizeof settled.labels[label], "%s", choice->labels[label]);
    *plain = settled;
    return SOTTO_OK;
}

uint32_t sotto_adapter_choice_rank(const struct sotto_adapter_choice *choice,
                                   enum sotto_target target)
{
    assert(target < SOTTO_TARGET_COUNT);
    if ((choice->target_set & 1u << target) == 0)
        return 0;
    return choice->ranks[target] != 0 ? choice->ranks[target] : choice->rank;
}
