#include "tests/bench/learning/fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/schedule/timetable.h"
#include "models/adapter/rebase.h"
#include "simulations/partition.h"

enum { ROUNDS = 10, EPOCHS = 2, BATCH = 32, JUDGE_BATCH = 64, LABELS = 10 };

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench_learning: %s\n", what);
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *taken = calloc(count, size);

    require(taken != NULL, "no memory");
    return taken;
}

/* Every linear layer of the last block, and the classifier. */
static void layout_make(struct fleet *fleet)
{
    struct sotto_adapter_choice choice = {.rank = fleet->task.rank,
                                          .alpha = 2.0 * fleet->task.rank,
                                          .target_set = SOTTO_TARGETS_ALL,
                                          .top_blocks = 1,
                                          .label_count = LABELS};
    struct sotto_fault fault;

    for (uint32_t label = 0; label < LABELS; label++)
        snprintf(choice.labels[label], sizeof choice.labels[label], "%u", label);
    require(sotto_layout_derive(&fleet->layout, sotto_model_arch(fleet->task.model), &choice,
                                &fault) == SOTTO_OK,
            fault.text);
}

static void site_open(struct fleet *fleet, struct fleet_site *site, const uint32_t *examples,
                      size_t count)
{
    const struct sotto_dataset *pool = fleet->task.pool;
    size_t picture = (size_t)pool->channels * pool->side * pool->side;

    site->dataset = *pool;
    site->dataset.count = count;
    site->dataset.labels = room(count, sizeof(uint32_t));
    site->dataset.pixels = room(count, picture);
    for (size_t i = 0; i < count; i++) {
        site->dataset.labels[i] = pool->labels[examples[i]];
        memcpy(site->dataset.pixels + i * picture, pool->pixels + examples[i] * picture, picture);
    }
    require(sotto_trainer_open(&site->trainer, fleet->task.model, &fleet->layout, BATCH, NULL,
                               NULL) == SOTTO_OK,
            "no trainer");
    site->lanes = room(fleet->layout.lane_count, sizeof(float));
    fleet->example_count += (double)count;
}

static void sites_open(struct fleet *fleet)
{
    size_t most = fleet->task.pool->count / fleet->task.sites;
    const struct sotto_partition_choice choice = {.site_count = fleet->task.sites,
                                                  .examples_min = most / 2 + 1,
                                                  .examples_max = most,
                                                  .label_count = LABELS,
                                                  .alpha = fleet->task.alpha,
                                                  .seed = fleet->task.seed};
    struct sotto_partition partition;
    struct sotto_fault fault;

    require(sotto_partition_open(&partition, fleet->task.pool, &choice, &fault) == SOTTO_OK,
            fault.text);
    fleet->sites = room(fleet->task.sites, sizeof *fleet->sites);
    for (uint32_t i = 0; i < fleet->task.sites; i++)
        site_open(fleet, &fleet->sites[i], partition.indices + partition.first[i],
                  partition.first[i + 1] - partition.first[i]);
    sotto_partition_close(&partition);
}

void fleet_open(struct fleet *fleet, const struct fleet_task *task)
{
    struct sotto_entropy entropy;
    float **const vectors[] = {&fleet->start, &fleet->adapter, &fleet->next, &fleet->mean,
                               &fleet->moved};

    *fleet = (struct fleet){.task = *task};
    layout_make(fleet);
    sites_open(fleet);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        *vectors[i] = room(fleet->layout.lane_count, sizeof(float));
    sotto_entropy_init_seeded(&entropy, task->seed);
    sotto_layout_start(fleet->start, &fleet->layout, &entropy);
    require(sotto_trainer_open(&fleet->judge, task->model, &fleet->layout, JUDGE_BATCH, NULL,
                               NULL) == SOTTO_OK,
            "no trainer");
}

void fleet_close(struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->task.sites; i++) {
        sotto_trainer_close(fleet->sites[i].trainer);
        free(fleet->sites[i].dataset.labels);
        free(fleet->sites[i].dataset.pixels);
        free(fleet->sites[i].lanes);
    }
    free(fleet->sites);
    sotto_trainer_close(fleet->judge);
    free(fleet->start);
    free(fleet->adapter);
    free(fleet->next);
    free(fleet->mean);
    free(fleet->moved);
}

static double share_of(const struct fleet *fleet, uint32_t site)
{
    return (double)fleet->sites[site].dataset.count / fleet->example_count;
}

static void sites_train(struct fleet *fleet, const struct sotto_plan *plan)
{
    struct sotto_fit fit = {.epochs = plan->recipe.epochs,
                            .batch = plan->recipe.batch,
                            .learning_rate_start = plan->recipe.learning_rate_start,
                            .learning_rate_end = plan->recipe.learning_rate_end,
                            .weight_decay = plan->recipe.weight_decay,
                            .keeps_rows = true,
                            .trained = (enum sotto_trained)plan->trained};
    struct sotto_fit_result result;

    for (uint32_t i = 0; i < fleet->task.sites; i++) {
        struct fleet_site *site = &fleet->sites[i];

        fit.seed = fleet->task.seed * 1000003 + plan->round * 1009 + i;
        require(sotto_trainer_load(site->trainer, fleet->adapter, fleet->layout.lane_count) ==
                        SOTTO_OK &&
                    sotto_trainer_fit(site->trainer, &site->dataset, &fit, &result) == SOTTO_OK,
                "training failed");
        sotto_trainer_save(site->trainer, site->lanes);
    }
}

/* next = adapter + the weighted mean delta of the trained lanes. */
static void mean_apply(struct fleet *fleet, enum sotto_trained trained)
{
    const struct sotto_server_rule plain = {.kind = SOTTO_SERVER_FEDAVG, .rate = 1};
    size_t count = sotto_subset_count(&fleet->layout, trained);

    memset(fleet->mean, 0, count * sizeof *fleet->mean);
    for (uint32_t i = 0; i < fleet->task.sites; i++) {
        for (size_t lane = 0; lane < fleet->layout.lane_count; lane++)
            fleet->moved[lane] = fleet->sites[i].lanes[lane] - fleet->adapter[lane];
        sotto_subset_gather(fleet->moved, fleet->moved, &fleet->layout, trained);
        for (size_t lane = 0; lane < count; lane++)
            fleet->mean[lane] += (float)(share_of(fleet, i) * fleet->moved[lane]);
    }
    memcpy(fleet->next, fleet->adapter, fleet->layout.lane_count * sizeof *fleet->next);
    sotto_subset_gather(fleet->moved, fleet->next, &fleet->layout, trained);
    sotto_server_step(fleet->moved, NULL, fleet->mean, count, &plain);
    sotto_subset_scatter(fleet->next, fleet->moved, &fleet->layout, trained);
}

/* product += factor B A of one pair, [out, in]. */
static void product_add(double *product, const float *lanes, const struct sotto_layout_tensor *pair,
                        double factor)
{
    size_t in = pair[0].columns, rank = pair[0].rows;

    for (size_t at = 0; at < pair[1].rows * rank; at++) {
        double b = factor * lanes[pair[1].first + at];
        const float *row = lanes + pair[0].first + at % rank * in;

        for (size_t i = 0; i < in; i++)
            product[at / rank * in + i] += b * row[i];
    }
}

static double squares_of(const double *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sum;
}

/* Of the round that led from adapter to next, before a rebasing. */
static double product_error(const struct fleet *fleet)
{
    double error = 0, way = 0;

    for (size_t i = 0; i < fleet->layout.tensor_count; i++) {
        const struct sotto_layout_tensor *pair = &fleet->layout.tensors[i];
        size_t size = (size_t)pair->columns * pair[1].rows;
        double *product;

        if (pair->role != SOTTO_ROLE_LORA_A)
            continue;
        product = room(2 * size, sizeof *product);
        for (uint32_t site = 0; site < fleet->task.sites; site++)
            product_add(product, fleet->sites[site].lanes, pair, share_of(fleet, site));
        memcpy(product + size, product, size * sizeof *product);
        product_add(product, fleet->next, pair, -1);
        product_add(product + size, fleet->adapter, pair, -1);
        error += squares_of(product, size);
        way += squares_of(product + size, size);
        free(product);
    }
    return way > 0 ? sqrt(error / way) : 0;
}

static struct sotto_definition definition_of(const struct fleet *fleet, enum sotto_method method,
                                             double learning_rate)
{
    struct sotto_definition definition;

    sotto_definition_init(&definition);
    sotto_definition_lanes_set(&definition, &fleet->layout);
    definition.method = method;
    definition.rounds = ROUNDS;
    definition.epochs = EPOCHS;
    definition.batch = BATCH;
    definition.learning_rate = learning_rate;
    return definition;
}

struct fleet_result fleet_learn(struct fleet *fleet, enum sotto_method method, double learning_rate)
{
    const struct sotto_definition definition = definition_of(fleet, method, learning_rate);
    const struct sotto_digest roster = {{0}};
    const uint8_t nonce[32] = {0};
    const struct sotto_round_terms terms = {.roster = &roster, .nonce = nonce};
    struct sotto_progress progress = {0};
    struct fleet_result result = {0};
    struct sotto_plan plan;

    memcpy(fleet->adapter, fleet->start, fleet->layout.lane_count * sizeof *fleet->adapter);
    for (; progress.finished < ROUNDS; progress.finished++) {
        sotto_timetable_plan(&plan, &definition, &progress, &terms);
        sites_train(fleet, &plan);
        mean_apply(fleet, (enum sotto_trained)plan.trained);
        result.product_error += product_error(fleet) / ROUNDS;
        result.lanes_sent += (double)plan.lane_count / ROUNDS;
        if (method == SOTTO_METHOD_FFA_SVD)
            require(sotto_adapter_rebase(fleet->next, &fleet->layout) == SOTTO_OK, "no memory");
        memcpy(fleet->adapter, fleet->next, fleet->layout.lane_count * sizeof *fleet->adapter);
        progress.round_newest++;
    }
    return result;
}

double fleet_score(struct fleet *fleet, const struct sotto_dataset *dataset)
{
    struct sotto_score score;

    require(sotto_trainer_load(fleet->judge, fleet->adapter, fleet->layout.lane_count) ==
                    SOTTO_OK &&
                sotto_trainer_evaluate(fleet->judge, dataset, &score) == SOTTO_OK,
            "scoring failed");
    return (double)score.correct / (double)score.count;
}
