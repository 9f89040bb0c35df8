#include "models/crew.h"

#include <assert.h>
#include <stdlib.h>

#include "core/threads/threads.h"

/* The texts that there is room for before any was seen; longer ones make the room larger. */
enum { LENGTH_FIRST = 64 };

static const size_t known_bytes_max = (size_t)256 << 20;

static const struct sotto_arch *arch_of(const struct sotto_crew *crew)
{
    return sotto_model_arch(crew->workshop.model);
}

static void close_workspace(struct sotto_crew *crew)
{
    for (uint32_t i = 0; i < sotto_threads_width(crew->threads) && crew->workers != NULL; i++)
        sotto_worker_close(&crew->workers[i]);
    sotto_workspace_close(&crew->workspace);
    crew->workshop.room = (struct sotto_network_room){0};
}

/* Run once over a counting workspace for the size. */
static enum sotto_status take_workspace(struct sotto_crew *crew, struct sotto_workspace *workspace)
{
    enum sotto_status status = sotto_network_rotary_take(&crew->workshop.rotary, arch_of(crew),
                                                         sotto_model_kernels(crew->workshop.model),
                                                         crew->workshop.room.length_max, workspace);

    for (uint32_t i = 0; i < sotto_threads_width(crew->threads) && status == SOTTO_OK; i++) {
        sotto_worker_close(&crew->workers[i]);
        status = sotto_worker_open(&crew->workers[i], &crew->workshop, workspace);
    }
    return status;
}

/* Room for texts of up to length_max; what there was is closed before. */
static enum sotto_status open_workspace(struct sotto_crew *crew, uint32_t length_max)
{
    struct sotto_workspace counted;
    enum sotto_status status;

    close_workspace(crew);
    crew->workshop.room = sotto_group_room(arch_of(crew), crew->batch_max, length_max);
    sotto_workspace_init_counting(&counted);
    status = take_workspace(crew, &counted);
    if (status == SOTTO_OK)
        status = sotto_workspace_open(&crew->workspace, sotto_model_kernels(crew->workshop.model),
                                      &counted);
    if (status == SOTTO_OK)
        status = take_workspace(crew, &crew->workspace);
    crew->has_dropout_room = status == SOTTO_OK && crew->workshop.dropout > 0.0f;
    if (status != SOTTO_OK)
        close_workspace(crew);
    return status;
}

enum sotto_status sotto_crew_open(struct sotto_crew *crew)
{
    crew->workers = calloc(sotto_threads_width(crew->threads), sizeof *crew->workers);
    crew->examples = calloc(crew->batch_max, sizeof *crew->examples);
    crew->firsts = calloc((size_t)crew->batch_max + 1, sizeof *crew->firsts);
    if (crew->workers == NULL || crew->examples == NULL || crew->firsts == NULL)
        return SOTTO_NO_MEMORY;
    return open_workspace(crew, LENGTH_FIRST);
}

void sotto_crew_close(struct sotto_crew *crew)
{
    close_workspace(crew);
    sotto_crew_forget(crew);
    free(crew->workers);
    free(crew->examples);
    free(crew->firsts);
    crew->workers = NULL;
    crew->examples = crew->firsts = NULL;
}

static bool is_text_known(const struct sotto_arch *arch, const struct sotto_dataset *dataset,
                          size_t text)
{
    size_t length = dataset->starts[text + 1] - dataset->starts[text];
    bool is_known = length >= 1 && length <= arch->position_count;

    for (size_t at = dataset->starts[text]; at < dataset->starts[text + 1] && is_known; at++)
        is_known = dataset->tokens[at] < arch->vocabulary;
    return is_known;
}

static bool is_of_form(const struct sotto_arch *arch, const struct sotto_dataset *dataset)
{
    bool is_known = true;

    if (arch->task == SOTTO_TASK_PICTURE_CLASS)
        return dataset->kind == SOTTO_DATASET_PICTURES && dataset->channels == arch->channels &&
               dataset->side == arch->image_side;
    if (dataset->kind != SOTTO_DATASET_TEXTS)
        return false;
    for (size_t i = 0; i < dataset->count && is_known; i++)
        is_known = is_text_known(arch, dataset, i);
    return is_known;
}

enum sotto_status sotto_crew_prepare(struct sotto_crew *crew, const struct sotto_dataset *dataset)
{
    uint32_t longest = 1;

    if (!is_of_form(arch_of(crew), dataset))
        return SOTTO_MISMATCH;
    for (uint32_t i = 0; i < dataset->count; i++) {
        uint32_t length = sotto_example_length(arch_of(crew), dataset, i);

        longest = length > longest ? length : longest;
    }
    if (longest > crew->workshop.room.length_max)
        return open_workspace(crew, longest);
    return SOTTO_OK;
}

enum sotto_status sotto_crew_train(struct sotto_crew *crew, enum sotto_trained trained,
                                   double dropout)
{
    crew->workshop.trained = trained;
    crew->workshop.dropout = (float)dropout;
    if (dropout > 0 && !crew->has_dropout_room)
        return open_workspace(crew, crew->workshop.room.length_max);
    for (uint32_t i = 0; i < sotto_threads_width(crew->threads); i++)
        sotto_worker_bind(&crew->workers[i]);
    return SOTTO_OK;
}

void sotto_crew_drop(struct sotto_crew *crew, uint64_t seed, uint64_t step)
{
    for (uint32_t i = 0; i < sotto_threads_width(crew->threads); i++)
        sotto_worker_drop(&crew->workers[i], seed, step);
}

/* One pass over a batch. */
struct sweep {
    struct sotto_crew *crew;
    const struct sotto_dataset *dataset;
    uint32_t group_count; /* each begins at crew->firsts */
    struct sotto_batch_sums sums;
};

static struct sweep sweep_of(struct sotto_crew *crew, const struct sotto_batch *batch)
{
    struct sweep sweep = {.crew = crew, .dataset = batch->dataset};

    assert(batch->count >= 1 && batch->count <= crew->batch_max);
    for (uint32_t i = 0; i < batch->count; i++) {
        size_t place = batch->first + i;

        crew->examples[i] = batch->order == NULL ? (uint32_t)place : batch->order[place];
        sweep.sums.target_count += sotto_example_targets(batch->dataset, crew->examples[i]);
    }
    for (uint32_t at = 0; at < batch->count; sweep.group_count++) {
        crew->firsts[sweep.group_count] = at;
        at +=
            sotto_group_cut(arch_of(crew), batch->dataset, crew->examples + at, batch->count - at);
    }
    crew->firsts[sweep.group_count] = batch->count;
    return sweep;
}

static struct sotto_group group_of(const struct sweep *sweep, size_t task)
{
    const struct sotto_crew *crew = sweep->crew;
    uint32_t first = crew->firsts[task];
    size_t targets = sweep->sums.target_count;

    return (struct sotto_group){.dataset = sweep->dataset,
                                .examples = crew->examples + first,
                                .count = crew->firsts[task + 1] - first,
                                .known =
                                    crew->known.dataset == sweep->dataset ? &crew->known : NULL,
                                .log_shares = crew->log_shares,
                                .weight = targets > 0 ? 1.0f / (float)targets : 0.0f,
                                .sample_first = first};
}

static void run(struct sweep *sweep, void (*work)(void *, size_t, uint32_t),
                void (*after)(void *, size_t, uint32_t))
{
    struct sotto_threads_job job = {work, after, sweep};

    sotto_threads_run(sweep->crew->threads, &job, sweep->group_count);
}

/* Into crew->known, which no group reads before its dataset is set. */
static void know_group(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_crew *crew = sweep->crew;
    struct sotto_group group = group_of(sweep, task);
    size_t width = arch_of(crew)->width;
    const struct sotto_device_float *rows = sotto_worker_prefix(&crew->workers[worker], &group);

    for (uint32_t i = 0; i < group.count; i++) {
        const size_t *starts = crew->known.starts + group.examples[i];
        size_t count = (starts[1] - starts[0]) * width;

        crew->workers[worker].network.kernels->copy(crew->known.rows + starts[0] * width, rows,
                                                    count);
        rows += count;
    }
}

/* Where each example's rows will begin; the last number is how many there are. */
static void place_known(struct sotto_crew *crew, const struct sotto_dataset *dataset)
{
    size_t *starts = crew->known.starts;

    for (uint32_t i = 0; i < dataset->count; i++)
        starts[i + 1] =
            starts[i] + sotto_network_prefix_rows(&crew->workers[0].network,
                                                  sotto_example_length(arch_of(crew), dataset, i));
}

enum sotto_status sotto_crew_know(struct sotto_crew *crew, const struct sotto_dataset *dataset)
{
    size_t row_bytes = arch_of(crew)->width * sizeof *crew->known.rows;
    size_t row_count;

    if (crew->known.dataset == dataset || crew->workers[0].network.adapted_first == 0)
        return SOTTO_OK;
    sotto_crew_forget(crew);
    crew->known.starts = calloc(dataset->count + 1, sizeof *crew->known.starts);
    if (crew->known.starts == NULL)
        return SOTTO_NO_MEMORY;
    place_known(crew, dataset);
    row_count = crew->known.starts[dataset->count];
    if (row_count > known_bytes_max / row_bytes)
        return SOTTO_OK;
    if (sotto_device_arena_open(&crew->known.memory, sotto_model_kernels(crew->workshop.model),
                                row_count * row_bytes) != SOTTO_OK ||
        !sotto_device_floats_take(&crew->known.rows, &crew->known.memory,
                                  row_count * arch_of(crew)->width))
        return SOTTO_NO_MEMORY;
    for (size_t first = 0; first < dataset->count; first += crew->batch_max) {
        size_t left = dataset->count - first;
        struct sotto_batch batch = {dataset, NULL, first,
                                    left < crew->batch_max ? (uint32_t)left : crew->batch_max};
        struct sweep sweep = sweep_of(crew, &batch);

        run(&sweep, know_group, NULL);
    }
    crew->known.dataset = dataset;
    return SOTTO_OK;
}

void sotto_crew_forget(struct sotto_crew *crew)
{
    sotto_device_arena_close(&crew->known.memory);
    free(crew->known.starts);
    crew->known = (struct sotto_prefixes){0};
}

static void score_group(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_group group = group_of(sweep, task);

    sotto_worker_score(&sweep->crew->workers[worker], &group);
}

static void differentiate_group(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_group group = group_of(sweep, task);

    sotto_worker_differentiate(&sweep->crew->workers[worker], &group);
}

static void add_loss(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    const struct sotto_worker *from = &sweep->crew->workers[worker];

    (void)task;
    from->network.kernels->add_loss(sweep->crew->loss, from->loss);
}

static void add_gradients(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    const struct sotto_worker *from = &sweep->crew->workers[worker];

    add_loss(context, task, worker);
    from->network.kernels->add(sweep->crew->gradients, from->gradients,
                               sweep->crew->workshop.layout->lane_count);
}

/* Runs the sweep's groups; its sums are read once, after all of them. */
static struct sotto_batch_sums sum_up(struct sweep *sweep, void (*work)(void *, size_t, uint32_t),
                                      void (*after)(void *, size_t, uint32_t))
{
    const struct sotto_kernels *kernels = sotto_model_kernels(sweep->crew->workshop.model);
    struct sotto_loss loss;

    kernels->clear_loss(sweep->crew->loss);
    run(sweep, work, after);
    kernels->download_loss(&loss, sweep->crew->loss);
    sweep->sums.loss_sum = loss.sum;
    sweep->sums.correct_count = loss.correct_count;
    return sweep->sums;
}

struct sotto_batch_sums sotto_crew_score(struct sotto_crew *crew, const struct sotto_batch *batch)
{
    struct sweep sweep = sweep_of(crew, batch);

    return sum_up(&sweep, score_group, add_loss);
}

struct sotto_batch_sums sotto_crew_differentiate(struct sotto_crew *crew,
                                                 const struct sotto_batch *batch)
{
    struct sweep sweep = sweep_of(crew, batch);

    sotto_model_kernels(crew->workshop.model)
        ->clear(crew->gradients, crew->workshop.layout->lane_count);
    return sum_up(&sweep, differentiate_group, add_gradients);
}

void sotto_crew_predict(struct sotto_crew *crew, float *probabilities,
                        const struct sotto_batch *one)
{
    const struct sotto_kernels *kernels = sotto_model_kernels(crew->workshop.model);
    struct sweep sweep = sweep_of(crew, one);
    struct sotto_group group = group_of(&sweep, 0);
    struct sotto_worker *worker = &crew->workers[0];
    struct sotto_matrix logits = arch_of(crew)->task == SOTTO_TASK_CAUSAL_LM
                                     ? sotto_worker_foretell(worker, &group)
                                     : sotto_worker_classify(worker, &group);

    assert(one->count == 1);
    kernels->softmax_rows(logits);
    kernels->download(probabilities, logits.at, logits.columns);
}
