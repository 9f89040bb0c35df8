#include "models/adapter/peft_tensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/adapter/naming.h"
#include "models/arch/arch.h"

static const char no_place[] =
    "has no place in an adapter of this base model: give one that was made for it";

/* Refuses a tensor for what is wrong with it, with the remedy. */
static enum sotto_status refuse_tensor(const struct sotto_peft_source *source,
                                       enum sotto_status status, const char *name, const char *why)
{
    return sotto_fault_set(source->fault, status, "%s/%s: tensor %.160s %s", source->folder,
                           source->file_name, name, why);
}

/* What the tensors of a file are, before it is known whether they make a layout. */
struct survey {
    uint32_t ranks[SOTTO_TARGET_COUNT]; /* 0: none seen */
    uint32_t first_block;
    bool has_lora;
    bool has_values; /* of norms and biases */
};

/* The path of the module that a LoRA tensor belongs to: the name without what PEFT adds. */
static void module_of(char out[SOTTO_TENSOR_NAME_MAX + 1], const char *name)
{
    static const char begin[] = "base_model.model.", end[] = ".lora_A.weight";
    size_t length = strlen(name) - strlen(begin) - strlen(end);

    memcpy(out, name + strlen(begin), length);
    out[length] = 0;
}

static enum sotto_status survey_lora(struct survey *survey, const struct sotto_peft_source *source,
                                     const struct sotto_stored_tensor *stored,
                                     const struct sotto_layout_tensor *tensor)
{
    uint64_t rank = tensor->role == SOTTO_ROLE_LORA_A ? stored->shape[0] : stored->shape[1];
    uint32_t *known = &survey->ranks[tensor->target];
    char module[SOTTO_TENSOR_NAME_MAX + 1];
    char why[160];

    if (stored->rank != 2 || rank < 1 || rank > SOTTO_RANK_MAX)
        return refuse_tensor(source, SOTTO_MISMATCH, stored->name,
                             "is no matrix of rank 1 to 256: get the adapter anew");
    if (*known != 0 && *known != rank)
        return refuse_tensor(source, SOTTO_UNSUPPORTED, stored->name,
                             "has another rank than in the blocks before: give an adapter with "
                             "one rank a layer");
    module_of(module, stored->name);
    if (rank != sotto_peft_config_rank(&source->config, module)) {
        snprintf(why, sizeof why, "is [%llu, %llu] where %s says rank %u: get the adapter anew",
                 (unsigned long long)stored->shape[0], (unsigned long long)stored->shape[1],
                 "adapter_config.json", sotto_peft_config_rank(&source->config, module));
        return refuse_tensor(source, SOTTO_MISMATCH, stored->name, why);
    }
    *known = (uint32_t)rank;
    survey->has_lora = true;
    return SOTTO_OK;
}

static enum sotto_status survey_tensor(struct survey *survey,
                                       const struct sotto_peft_source *source,
                                       const struct sotto_stored_tensor *stored)
{
    struct sotto_layout_tensor tensor = {.role = SOTTO_ROLE_HEAD};
    bool is_of_bias_kind = source->config.kind == SOTTO_ADAPTER_NORM_BIAS;
    bool is_lora;

    if (!sotto_naming_parse(&tensor, stored->name, source->arch->family))
        return refuse_tensor(source, SOTTO_MISMATCH, stored->name, no_place);
    if (tensor.role == SOTTO_ROLE_HEAD || tensor.role == SOTTO_ROLE_HEAD_BIAS)
        return SOTTO_OK;
    is_lora = tensor.role == SOTTO_ROLE_LORA_A || tensor.role == SOTTO_ROLE_LORA_B;
    if (is_lora == is_of_bias_kind)
        return refuse_tensor(source, SOTTO_UNSUPPORTED, stored->name,
                             "is there beside tensors of another kind: give an adapter of LoRA "
                             "alone, or of norms and biases alone");
    if (tensor.block >= source->arch->block_count)
        return refuse_tensor(source, SOTTO_MISMATCH, stored->name,
                             "is of a block that this base model does not have: give an adapter "
                             "that was made for it");
    if (tensor.block < survey->first_block)
        survey->first_block = tensor.block;
    return is_lora ? survey_lora(survey, source, stored, &tensor) : SOTTO_OK;
}

enum sotto_status sotto_peft_survey(struct sotto_adapter_choice *choice,
                                    const struct sotto_peft_source *source)
{
    struct survey survey = {.first_block = source->arch->block_count};
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < source->file.tensor_count && status == SOTTO_OK; i++)
        status = survey_tensor(&survey, source, &source->file.tensors[i]);
    if (status != SOTTO_OK)
        return status;
    choice->kind = source->config.kind;
    choice->alpha = source->config.alpha;
    choice->is_rank_stabilised = source->config.is_rank_stabilised;
    choice->rank = survey.has_lora ? source->config.rank : 0;
    choice->target_set = 0;
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        choice->ranks[target] = survey.ranks[target];
        if (survey.ranks[target] != 0)
            choice->target_set |= 1u << target;
    }
    choice->top_blocks = source->arch->block_count - survey.first_block;
    return SOTTO_OK;
}

/* The place of a named tensor in a layout that has one for it, or tensor_count. */
static size_t find_place(const struct sotto_layout *layout, const char *name)
{
    struct sotto_layout_tensor wanted = {.role = SOTTO_ROLE_HEAD};
    size_t i = 0;

    if (!sotto_naming_parse(&wanted, name, layout->base.family))
        return layout->tensor_count;
    while (i < layout->tensor_count &&
           (layout->tensors[i].role != wanted.role || layout->tensors[i].block != wanted.block ||
            layout->tensors[i].target != wanted.target || layout->tensors[i].norm != wanted.norm))
        i++;
    return i;
}

/* One alpha is the layout's; what alpha_pattern has beside it goes into B. */
static void scale_lanes(float *lanes, const struct sotto_layout_tensor *tensor, const char *name,
                        const struct sotto_peft_config *config)
{
    char module[SOTTO_TENSOR_NAME_MAX + 1];
    double alpha;

    if (tensor->role != SOTTO_ROLE_LORA_B)
        return;
    module_of(module, name);
    alpha = sotto_peft_config_alpha(config, module);
    for (size_t lane = 0; lane < (size_t)tensor->rows * tensor->columns; lane++)
        lanes[lane] = (float)(lanes[lane] * (alpha / config->alpha));
}

/* The values of a stored tensor as lanes. */
static enum sotto_status read_tensor(float *lanes, const struct sotto_peft_source *source,
                                     const struct sotto_stored_tensor *stored,
                                     const struct sotto_layout_tensor *tensor)
{
    uint64_t shape[2] = {tensor->rows, tensor->columns};
    size_t count = (size_t)tensor->rows * tensor->columns;
    struct sotto_fault cause = {0};
    bool is_matrix = tensor->role == SOTTO_ROLE_LORA_A || tensor->role == SOTTO_ROLE_LORA_B ||
                     tensor->role == SOTTO_ROLE_HEAD;
    enum sotto_status status =
        sotto_stored_tensor_read(lanes, stored, shape, is_matrix ? 2 : 1, &cause);

    if (status != SOTTO_OK)
        return sotto_fault_set(source->fault, status, "%s/%s: %s", source->folder,
                               source->file_name, cause.text);
    scale_lanes(lanes, tensor, stored->name, &source->config);
    for (size_t lane = 0; lane < count; lane++) {
        if (!isfinite(lanes[lane]))
            return refuse_tensor(source, SOTTO_MALFORMED, stored->name,
                                 "is beyond all numbers with its alpha: get the adapter anew");
    }
    return SOTTO_OK;
}

/* SOTTO_MISMATCH: the values are not those that its other name had. */
static enum sotto_status compare_tensor(const float *lanes, const struct sotto_peft_source *source,
                                        const struct sotto_stored_tensor *stored,
                                        const struct sotto_layout_tensor *tensor)
{
    size_t bytes = (size_t)tensor->rows * tensor->columns * sizeof *lanes;
    float *again = malloc(bytes);
    enum sotto_status status;

    if (again == NULL)
        return refuse_tensor(source, SOTTO_NO_MEMORY, stored->name, "does not fit into memory");
    status = read_tensor(again, source, stored, tensor);
    if (status == SOTTO_OK && memcmp(again, lanes, bytes) != 0)
        status = refuse_tensor(source, SOTTO_MISMATCH, stored->name,
                               "is there under another name with other values: get the adapter "
                               "anew");
    free(again);
    return status;
}

static enum sotto_status load_tensor(float *lanes, bool *filled, const struct sotto_layout *layout,
                                     const struct sotto_peft_source *source,
                                     const struct sotto_stored_tensor *stored)
{
    size_t place = find_place(layout, stored->name);
    const struct sotto_layout_tensor *tensor = &layout->tensors[place];

    if (place == layout->tensor_count)
        return refuse_tensor(source, SOTTO_MISMATCH, stored->name, no_place);
    if (filled[place])
        return compare_tensor(lanes + tensor->first, source, stored, tensor);
    filled[place] = true;
    return read_tensor(lanes + tensor->first, source, stored, tensor);
}

enum sotto_status sotto_peft_load(float *lanes, const struct sotto_layout *layout,
                                  const struct sotto_peft_source *source)
{
    bool filled[SOTTO_LAYOUT_TENSORS_MAX] = {false};
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < source->file.tensor_count && status == SOTTO_OK; i++)
        status = load_tensor(lanes, filled, layout, source, &source->file.tensors[i]);
    for (size_t i = 0; i < layout->tensor_count && status == SOTTO_OK; i++) {
        if (filled[i])
            continue;
        sotto_layout_tensor_name(name, layout, i);
        status = refuse_tensor(source, SOTTO_MISMATCH, name,
                               "is missing: give an adapter of this base model");
    }
    return status;
}
