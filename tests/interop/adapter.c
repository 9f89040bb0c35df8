/*
 * PEFT directories for the Python side, by the code that ships:
 *
 *     interop_adapter rewrite CONFIG ADAPTER OUT   reads an adapter and writes it again
 *     interop_adapter make CONFIG KIND OUT         writes one with values that count
 *
 * CONFIG is a model's config.json. KIND: "norms", "head", or a list of targets for rank 3 with an
 * own rank of 2 for the query, in the top block only, rank-stabilised.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/adapter/peft.h"
#include "models/arch/arch.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

static enum sotto_status arch_open(struct sotto_arch *arch, const char *path,
                                   struct sotto_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    enum sotto_status status = sotto_file_read(&bytes, &length, path, CONFIG_BYTES_MAX, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_arch_decode(arch, sotto_view_of(bytes, length), path, fault);
    free(bytes);
    return status;
}

static enum sotto_status choose(struct sotto_adapter_choice *choice, const struct sotto_arch *arch,
                                const char *kind, struct sotto_fault *fault)
{
    *choice = (struct sotto_adapter_choice){.alpha = 5.0, .is_rank_stabilised = true};
    choice->label_count = arch->task == SOTTO_TASK_CAUSAL_LM ? 0 : 3;
    for (uint32_t label = 0; label < choice->label_count; label++)
        snprintf(choice->labels[label], sizeof choice->labels[label], "label-%u", label);
    if (strcmp(kind, "norms") == 0)
        choice->kind = SOTTO_ADAPTER_NORM_BIAS;
    if (strcmp(kind, "norms") == 0 || strcmp(kind, "head") == 0)
        return SOTTO_OK;
    choice->rank = 3;
    choice->ranks[SOTTO_TARGET_QUERY] = 2;
    choice->top_blocks = 1;
    return sotto_target_set_parse(&choice->target_set, kind, fault);
}

/* Gains around 1, the others around 0. */
static float *count_lanes(const struct sotto_layout *layout)
{
    float *lanes = malloc(layout->lane_count * sizeof *lanes);

    for (size_t i = 0; lanes != NULL && i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];

        for (size_t lane = 0; lane < (size_t)tensor->rows * tensor->columns; lane++)
            lanes[tensor->first + lane] = (tensor->role == SOTTO_ROLE_NORM_GAIN ? 1.0f : 0.0f) +
                                          (float)((tensor->first + lane) * 7 % 31) / 64 - 0.25f;
    }
    return lanes;
}

static enum sotto_status make(float **lanes, struct sotto_layout *layout, const char *kind,
                              const struct sotto_arch *arch, struct sotto_fault *fault)
{
    struct sotto_adapter_choice choice;
    enum sotto_status status = choose(&choice, arch, kind, fault);

    if (status == SOTTO_OK)
        status = sotto_layout_derive(layout, arch, &choice, fault);
    if (status != SOTTO_OK)
        return status;
    *lanes = count_lanes(layout);
    return *lanes == NULL ? SOTTO_NO_MEMORY : SOTTO_OK;
}

int main(int argument_count, char **arguments)
{
    static struct sotto_layout layout;
    const struct sotto_digest digest = {{7}};
    const struct sotto_peft_base base = {"base", &digest};
    struct sotto_arch arch;
    struct sotto_fault fault = {0};
    float *lanes = NULL;
    enum sotto_status status;

    if (argument_count != 5)
        return 2;
    status = arch_open(&arch, arguments[2], &fault);
    if (status == SOTTO_OK && strcmp(arguments[1], "make") == 0)
        status = make(&lanes, &layout, arguments[3], &arch, &fault);
    else if (status == SOTTO_OK)
        status = sotto_peft_read(&lanes, &layout, arguments[3], &arch, &fault);
    if (status == SOTTO_OK)
        status = sotto_peft_write(arguments[4], lanes, &layout, &base, &fault);
    free(lanes);
    if (status != SOTTO_OK)
        fprintf(stderr, "interop_adapter: %s\n", fault.text);
    return status == SOTTO_OK ? 0 : 1;
}
