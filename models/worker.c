#include "models/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/arch/base.h"

_Static_assert((int)SOTTO_TARGET_COUNT == (int)SOTTO_BLOCK_LINEAR_COUNT &&
                   (int)SOTTO_TARGET_QUERY == (int)SOTTO_BLOCK_QUERY &&
                   (int)SOTTO_TARGET_MLP_GATE == (int)SOTTO_BLOCK_MLP_GATE,
               "a target of a layout is a linear layer of a block");

/* Products over fewer rows reach less of a core's rate; more rows take more memory. */
enum { GROUP_ROWS = 256 };

uint32_t sotto_group_example_max(const struct sotto_arch *arch)
{
    uint32_t tokens = sotto_arch_token_count(arch);

    return tokens < GROUP_ROWS ? GROUP_ROWS / tokens : 1;
}

static void *take(struct sotto_arena *arena, bool *is_full, size_t count, size_t size)
{
    void *taken = sotto_arena_take(arena, count, size);

    *is_full = *is_full || (taken == NULL && !arena->counting);
    return taken;
}

static enum sotto_status take_memory(struct sotto_worker *worker, struct sotto_arena *arena)
{
    const struct sotto_layout *layout = worker->workshop->layout;
    size_t count = worker->workshop->example_max;
    size_t features = count * layout->base.width;
    bool is_full = false;

    worker->gradients = take(arena, &is_full, layout->lane_count, sizeof(float));
    worker->features = take(arena, &is_full, features, sizeof(float));
    worker->features_gradient = take(arena, &is_full, features, sizeof(float));
    worker->logits = take(arena, &is_full, count * layout->choice.label_count, sizeof(float));
    worker->pictures = take(arena, &is_full, count, sizeof *worker->pictures);
    worker->labels = take(arena, &is_full, count, sizeof *worker->labels);
    if (is_full)
        return SOTTO_NO_MEMORY;
    return sotto_vit_pass_take(&worker->pass, &worker->vit, (uint32_t)count, arena);
}

static void bind_tensor(struct sotto_worker *worker, const struct sotto_layout_tensor *tensor)
{
    const float *shared = worker->workshop->lanes;
    struct sotto_lora *lora = &worker->vit.blocks[tensor->block].lora[tensor->target];
    const float *lanes = shared == NULL ? NULL : shared + tensor->first;
    float *gradients = worker->gradients == NULL ? NULL : worker->gradients + tensor->first;

    switch (tensor->role) {
    case SOTTO_ROLE_LORA_A:
        lora->rank = tensor->rows;
        lora->scale = (float)sotto_layout_scale(worker->workshop->layout, tensor->target);
        lora->a = lanes;
        lora->a_gradient = gradients;
        break;
    case SOTTO_ROLE_LORA_B:
        lora->b = lanes;
        lora->b_gradient = gradients;
        break;
    case SOTTO_ROLE_NORM_GAIN:
    case SOTTO_ROLE_NORM_BIAS:
    case SOTTO_ROLE_LINEAR_BIAS: assert(false && "refused at the opening"); break;
    case SOTTO_ROLE_HEAD:
        worker->head.in = tensor->columns;
        worker->head.out = tensor->rows;
        worker->head.weight = lanes;
        worker->head.weight_gradient = gradients;
        break;
    case SOTTO_ROLE_HEAD_BIAS:
        worker->head.bias = lanes;
        worker->head.bias_gradient = gradients;
        break;
    }
}

/* Points every adapter at its lanes; without any yet, sets the ranks that memory depends on. */
static void bind_adapter(struct sotto_worker *worker)
{
    const struct sotto_layout *layout = worker->workshop->layout;

    for (size_t i = 0; i < layout->tensor_count; i++)
        bind_tensor(worker, &layout->tensors[i]);
}

enum sotto_status sotto_worker_open(struct sotto_worker *worker,
                                    const struct sotto_workshop *workshop,
                                    struct sotto_arena *arena)
{
    const struct sotto_base *base = sotto_model_base(workshop->model);
    enum sotto_status status;

    *worker = (struct sotto_worker){.workshop = workshop};
    worker->vit = (struct sotto_vit){
        .kernels = sotto_model_kernels(workshop->model),
        .arch = &base->arch,
        .weights = base->weights,
        .pixel_map = base->pixel_map,
        .blocks = calloc(base->arch.block_count, sizeof *worker->vit.blocks),
    };
    if (worker->vit.blocks == NULL)
        return SOTTO_NO_MEMORY;
    sotto_vit_bind(&worker->vit);
    bind_adapter(worker);
    status = take_memory(worker, arena);
    if (status == SOTTO_OK)
        bind_adapter(worker);
    return status;
}

void sotto_worker_close(struct sotto_worker *worker)
{
    free(worker->vit.blocks);
    worker->vit.blocks = NULL;
}

void sotto_worker_see(struct sotto_worker *worker, const struct sotto_group *group)
{
    const struct sotto_dataset *dataset = group->dataset;
    size_t picture = (size_t)dataset->channels * dataset->side * dataset->side;
    size_t width = worker->workshop->layout->base.width;

    assert(group->count >= 1 && group->count <= worker->workshop->example_max);
    for (uint32_t i = 0; i < group->count && group->known != NULL; i++)
        memcpy(worker->features + i * width, group->known + group->examples[i] * width,
               width * sizeof *worker->features);
    if (group->known != NULL)
        return;
    for (uint32_t i = 0; i < group->count; i++)
        worker->pictures[i] = dataset->pixels + group->examples[i] * picture;
    sotto_vit_forward(&worker->vit, &worker->pass, worker->features, worker->pictures,
                      group->count);
}

struct sotto_matrix sotto_worker_classify(struct sotto_worker *worker,
                                          const struct sotto_group *group)
{
    const struct sotto_layout *layout = worker->workshop->layout;
    struct sotto_matrix logits =
        sotto_matrix_of(worker->logits, group->count, layout->choice.label_count);
    struct sotto_matrix_view none = {NULL, 0, 0, 0};

    sotto_worker_see(worker, group);
    sotto_linear_forward(worker->vit.kernels, &worker->head, logits,
                         sotto_matrix_view_of(worker->features, group->count, layout->base.width),
                         none);
    for (size_t row = 0; row < group->count && group->log_shares != NULL; row++)
        worker->vit.kernels->add(logits.at + row * logits.stride, group->log_shares,
                                 logits.columns);
    return logits;
}

/* The logits become the gradient of the loss. */
static struct sotto_matrix lose(struct sotto_worker *worker, const struct sotto_group *group)
{
    struct sotto_matrix logits = sotto_worker_classify(worker, group);

    for (uint32_t i = 0; i < group->count; i++)
        worker->labels[i] = group->dataset->labels[group->examples[i]];
    worker->loss =
        sotto_cross_entropy_backward(worker->vit.kernels, logits, worker->labels, group->weight);
    return logits;
}

void sotto_worker_score(struct sotto_worker *worker, const struct sotto_group *group)
{
    lose(worker, group);
}

void sotto_worker_differentiate(struct sotto_worker *worker, const struct sotto_group *group)
{
    const struct sotto_layout *layout = worker->workshop->layout;
    struct sotto_matrix logits = lose(worker, group);

    memset(worker->gradients, 0, layout->lane_count * sizeof *worker->gradients);
    sotto_linear_backward(
        worker->vit.kernels, &worker->head,
        sotto_matrix_of(worker->features_gradient, group->count, layout->base.width),
        sotto_matrix_read(logits),
        sotto_matrix_view_of(worker->features, group->count, layout->base.width));
    if (group->known == NULL)
        sotto_vit_backward(&worker->vit, &worker->pass, worker->features_gradient);
}
