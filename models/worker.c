#include "models/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "models/arch/base.h"
#include "models/binding.h"
#include "models/ops/dropout.h"
#include "models/ops/language_loss.h"

/*
 * Products over fewer rows reach less of a core's rate; more rows take more memory and leave fewer
 * groups to share out. A block of the wide ones comes from main memory for every group.
 */
enum { WIDE = 512, ROWS = 256, ROWS_WIDE = 400 };
_Static_assert((int)ROWS_WIDE <= (int)SOTTO_SAMPLES_MAX, "a sample has a row at least");

static uint32_t group_rows(const struct sotto_arch *arch)
{
    return arch->width < WIDE ? ROWS : ROWS_WIDE;
}

static bool has_texts(const struct sotto_arch *arch)
{
    return arch->task != SOTTO_TASK_PICTURE_CLASS;
}

static uint32_t least(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

uint32_t sotto_example_length(const struct sotto_arch *arch, const struct sotto_dataset *dataset,
                              uint32_t example)
{
    if (!has_texts(arch))
        return sotto_arch_token_count(arch);
    return (uint32_t)(dataset->starts[example + 1] - dataset->starts[example]);
}

uint32_t sotto_example_targets(const struct sotto_dataset *dataset, uint32_t example)
{
    uint32_t targets = 0;

    if (dataset->is_answer == NULL)
        return 1;
    for (size_t at = dataset->starts[example] + 1; at < dataset->starts[example + 1]; at++)
        targets += dataset->is_answer[at];
    return targets;
}

struct sotto_network_room sotto_group_room(const struct sotto_arch *arch, uint32_t batch_max,
                                           uint32_t length_max)
{
    uint32_t rows = group_rows(arch);
    struct sotto_network_room room = {.sample_max = least(batch_max, rows),
                                      .length_max = length_max};

    if (!has_texts(arch)) {
        room.length_max = sotto_arch_token_count(arch);
        room.sample_max = room.length_max < rows ? least(batch_max, rows / room.length_max) : 1;
    }
    if (room.length_max <= rows / room.sample_max)
        room.row_max = room.sample_max * room.length_max;
    else
        room.row_max = room.length_max > rows ? room.length_max : rows;
    return room;
}

uint32_t sotto_group_cut(const struct sotto_arch *arch, const struct sotto_dataset *dataset,
                         const uint32_t *examples, uint32_t count)
{
    uint32_t most = group_rows(arch);
    uint32_t rows = sotto_example_length(arch, dataset, examples[0]);
    uint32_t cut = 1;

    while (cut < count && rows + sotto_example_length(arch, dataset, examples[cut]) <= most) {
        rows += sotto_example_length(arch, dataset, examples[cut]);
        cut++;
    }
    return cut;
}

static bool is_language_model(const struct sotto_worker *worker)
{
    return sotto_model_arch(worker->workshop->model)->task == SOTTO_TASK_CAUSAL_LM;
}

static size_t logits_of(const struct sotto_worker *worker, const struct sotto_network_room *room)
{
    const struct sotto_arch *arch = sotto_model_arch(worker->workshop->model);

    return is_language_model(worker)
               ? sotto_language_loss_scratch(arch->vocabulary, room->row_max)
               : (size_t)room->sample_max * worker->workshop->layout->choice.label_count;
}

/* What the kernels compute on. */
static bool take_device(struct sotto_worker *worker, struct sotto_device_arena *arena)
{
    const struct sotto_layout *layout = worker->workshop->layout;
    struct sotto_network_room room = worker->workshop->room;
    size_t width = layout->base.width;
    size_t targets = is_language_model(worker) ? room.row_max : room.sample_max;

    return sotto_device_floats_take(&worker->gradients, arena, layout->lane_count) &&
           sotto_device_floats_take(&worker->features, arena, targets * width) &&
           sotto_device_floats_take(&worker->features_gradient, arena, room.sample_max * width) &&
           sotto_device_floats_take(&worker->logits, arena, logits_of(worker, &room)) &&
           sotto_device_losses_take(&worker->loss, arena, 1);
}

static void *take(struct sotto_arena *arena, bool *is_full, size_t count, size_t size)
{
    void *taken = sotto_arena_take(arena, count, size);

    *is_full = *is_full || (taken == NULL && !arena->counting);
    return taken;
}

/* What says where the examples lie. */
static bool take_host(struct sotto_worker *worker, struct sotto_arena *arena)
{
    struct sotto_network_room room = worker->workshop->room;
    size_t targets = is_language_model(worker) ? room.row_max : room.sample_max;
    bool is_full = false;

    worker->pictures = take(arena, &is_full, room.sample_max, sizeof *worker->pictures);
    worker->texts = take(arena, &is_full, room.sample_max, sizeof *worker->texts);
    worker->lengths = take(arena, &is_full, room.sample_max, sizeof *worker->lengths);
    worker->prefixes = take(arena, &is_full, room.sample_max, sizeof *worker->prefixes);
    worker->picks = take(arena, &is_full, targets, sizeof *worker->picks);
    worker->labels = take(arena, &is_full, targets, sizeof *worker->labels);
    return !is_full;
}

static enum sotto_status take_memory(struct sotto_worker *worker, struct sotto_workspace *workspace)
{
    if (!take_device(worker, &workspace->device) || !take_host(worker, &workspace->host))
        return SOTTO_NO_MEMORY;
    return sotto_network_pass_take(&worker->pass, &worker->network, worker->workshop->room,
                                   workspace);
}

void sotto_worker_bind(struct sotto_worker *worker)
{
    const struct sotto_workshop *workshop = worker->workshop;
    struct sotto_binding binding = {.lanes = workshop->lanes,
                                    .gradients = worker->gradients,
                                    .trained = workshop->trained,
                                    .dropout = workshop->dropout};

    sotto_layout_bind(worker->network.blocks, &worker->head, workshop->layout, &binding);
}

enum sotto_status sotto_worker_open(struct sotto_worker *worker,
                                    const struct sotto_workshop *workshop,
                                    struct sotto_workspace *workspace)
{
    const struct sotto_base *base = sotto_model_base(workshop->model);
    enum sotto_status status;

    *worker = (struct sotto_worker){.workshop = workshop};
    worker->network = (struct sotto_network){
        .kernels = sotto_model_kernels(workshop->model),
        .arch = &base->arch,
        .weights = sotto_model_weights(workshop->model),
        .packed = sotto_model_packed(workshop->model),
        .pixel_map = base->pixel_map,
        .rotary = workshop->rotary,
        .blocks = calloc(base->arch.block_count, sizeof *worker->network.blocks),
        .adapted_first = workshop->layout->first_block,
    };
    if (worker->network.blocks == NULL)
        return SOTTO_NO_MEMORY;
    sotto_network_bind(&worker->network);
    if (is_language_model(worker))
        worker->head = sotto_network_lm_head(&worker->network);
    sotto_worker_bind(worker);
    status = take_memory(worker, workspace);
    if (status == SOTTO_OK)
        sotto_worker_bind(worker);
    return status;
}

void sotto_worker_drop(struct sotto_worker *worker, uint64_t seed, uint64_t step)
{
    const struct sotto_layout *layout = worker->workshop->layout;

    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];

        if (tensor->role == SOTTO_ROLE_LORA_A)
            worker->network.blocks[tensor->block].lora[tensor->target].dropout.key =
                sotto_dropout_key(seed, step, tensor->block, tensor->target);
    }
}

void sotto_worker_close(struct sotto_worker *worker)
{
    free(worker->network.blocks);
    worker->network.blocks = NULL;
}

/* Tokens of an answer, and the rows that foretell them. */
static void pick_answers(struct sotto_worker *worker, struct sotto_samples *samples,
                         const struct sotto_group *group)
{
    const struct sotto_dataset *dataset = group->dataset;
    uint32_t row = 0;

    for (uint32_t i = 0; i < group->count; i++) {
        size_t first = dataset->starts[group->examples[i]];

        for (uint32_t token = 1; token < worker->lengths[i]; token++) {
            if (dataset->is_answer == NULL || !dataset->is_answer[first + token])
                continue;
            worker->picks[samples->pick_count] = row + token - 1;
            worker->labels[samples->pick_count] = dataset->tokens[first + token];
            samples->pick_count++;
        }
        row += worker->lengths[i];
    }
}

static struct sotto_samples samples_of(struct sotto_worker *worker, const struct sotto_group *group)
{
    const struct sotto_dataset *dataset = group->dataset;
    const struct sotto_arch *arch = worker->network.arch;
    size_t picture = (size_t)dataset->channels * dataset->side * dataset->side;
    size_t width = arch->width;
    struct sotto_samples samples = {.count = group->count,
                                    .lengths = worker->lengths,
                                    .picks = worker->picks,
                                    .sample_first = group->sample_first};

    assert(group->count >= 1 && group->count <= worker->workshop->room.sample_max);
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t example = group->examples[i];

        worker->lengths[i] = sotto_example_length(arch, dataset, example);
        if (group->known != NULL)
            worker->prefixes[i] = group->known->rows + group->known->starts[example] * width;
        if (has_texts(arch))
            worker->texts[i] = dataset->tokens + dataset->starts[example];
        else
            worker->pictures[i] = dataset->pixels + example * picture;
    }
    samples.texts = has_texts(arch) ? worker->texts : NULL;
    samples.pictures = has_texts(arch) ? NULL : worker->pictures;
    samples.prefixes = group->known != NULL ? worker->prefixes : NULL;
    return samples;
}

const struct sotto_device_float *sotto_worker_prefix(struct sotto_worker *worker,
                                                     const struct sotto_group *group)
{
    struct sotto_samples samples = samples_of(worker, group);

    return sotto_network_prefix(&worker->network, &worker->pass, &samples);
}

struct sotto_matrix sotto_worker_classify(struct sotto_worker *worker,
                                          const struct sotto_group *group)
{
    const struct sotto_layout *layout = worker->workshop->layout;
    struct sotto_samples samples = samples_of(worker, group);
    struct sotto_matrix logits =
        sotto_matrix_of(worker->logits, group->count, layout->choice.label_count);
    struct sotto_matrix_view none = {NULL, 0, 0, 0};

    sotto_network_forward(&worker->network, &worker->pass, worker->features, &samples);
    sotto_linear_forward(worker->network.kernels, &worker->head, logits,
                         sotto_matrix_view_of(worker->features, group->count, layout->base.width),
                         none);
    if (group->log_shares != NULL)
        worker->network.kernels->add_rows(
            logits, (struct sotto_matrix_view){group->log_shares, logits.rows, logits.columns, 0});
    return logits;
}

struct sotto_matrix sotto_worker_foretell(struct sotto_worker *worker,
                                          const struct sotto_group *group)
{
    struct sotto_samples samples = samples_of(worker, group);
    struct sotto_matrix logits = sotto_matrix_of(worker->logits, 1, worker->head.out);
    size_t width = worker->network.arch->width;
    struct sotto_matrix_view none = {NULL, 0, 0, 0};

    assert(group->count == 1);
    worker->picks[0] = worker->lengths[0] - 1;
    samples.pick_count = 1;
    sotto_network_forward(&worker->network, &worker->pass, worker->features, &samples);
    sotto_linear_forward(worker->network.kernels, &worker->head, logits,
                         sotto_matrix_view_of(worker->features, 1, width), none);
    return logits;
}

/* The logits become the gradient of the loss. */
static struct sotto_matrix lose(struct sotto_worker *worker, const struct sotto_group *group)
{
    struct sotto_matrix logits = sotto_worker_classify(worker, group);

    for (uint32_t i = 0; i < group->count; i++)
        worker->labels[i] = group->dataset->labels[group->examples[i]];
    worker->network.kernels->clear_loss(worker->loss);
    worker->network.kernels->cross_entropy(logits, worker->labels, group->weight, worker->loss);
    return logits;
}

static void classify_backward(struct sotto_worker *worker, const struct sotto_group *group)
{
    size_t width = worker->network.arch->width;
    struct sotto_matrix logits = lose(worker, group);

    sotto_linear_backward(worker->network.kernels, &worker->head,
                          sotto_matrix_of(worker->features_gradient, group->count, width),
                          sotto_matrix_read(logits),
                          sotto_matrix_view_of(worker->features, group->count, width));
    sotto_network_backward(&worker->network, &worker->pass, worker->features_gradient);
}

/* The features of a language model, one for each target; none: nothing is computed. */
static struct sotto_matrix read_on(struct sotto_worker *worker, const struct sotto_group *group)
{
    struct sotto_samples samples = samples_of(worker, group);

    worker->network.kernels->clear_loss(worker->loss);
    pick_answers(worker, &samples, group);
    if (samples.pick_count > 0)
        sotto_network_forward(&worker->network, &worker->pass, worker->features, &samples);
    return sotto_matrix_of(worker->features, samples.pick_count, worker->network.arch->width);
}

static struct sotto_language_loss language_loss_of(const struct sotto_worker *worker,
                                                   const struct sotto_group *group)
{
    return (struct sotto_language_loss){group->weight, worker->logits, worker->loss};
}

static void language_score(struct sotto_worker *worker, const struct sotto_group *group)
{
    struct sotto_language_loss loss = language_loss_of(worker, group);
    struct sotto_matrix hidden = read_on(worker, group);

    if (hidden.rows > 0)
        sotto_language_loss_forward(worker->network.kernels, &worker->head,
                                    sotto_matrix_read(hidden), worker->labels, &loss);
}

static void language_backward(struct sotto_worker *worker, const struct sotto_group *group)
{
    struct sotto_language_loss loss = language_loss_of(worker, group);
    struct sotto_matrix hidden = read_on(worker, group);

    if (hidden.rows == 0)
        return;
    sotto_language_loss_backward(worker->network.kernels, &worker->head, hidden, worker->labels,
                                 &loss);
    sotto_network_backward(&worker->network, &worker->pass, worker->features);
}

void sotto_worker_score(struct sotto_worker *worker, const struct sotto_group *group)
{
    if (is_language_model(worker))
        language_score(worker, group);
    else
        lose(worker, group);
}

void sotto_worker_differentiate(struct sotto_worker *worker, const struct sotto_group *group)
{
    size_t lane_count = worker->workshop->layout->lane_count;

    worker->network.kernels->clear(worker->gradients, lane_count);
    if (is_language_model(worker))
        language_backward(worker, group);
    else
        classify_backward(worker, group);
}
