/*
 * bench_learning [FASHION-MNIST-FOLDER [SITES...]]: how well each method of aggregation learns, by
 * number of sites, rank and skew. Every method has its own learning rate in every cell: the best of
 * four on the first seed, by pictures that no site has and the test does not use. Prints a line a
 * cell and method, then in how many cells the published order shows.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/learning/fleet.h"

enum { SEEDS = 3, POOL = 600, CHECKED = 500, TESTED = 1000, NAME_MAX_BYTES = 512 };

static const double rates[] = {3e-3, 1e-2, 3e-2, 1e-1};

struct pictures {
    struct sotto_dataset pool;
    struct sotto_dataset checked;
    struct sotto_dataset tested;
};

struct outcome {
    double rate;
    double mean;
    double deviation;
    double product_error;
    double lanes_sent;
};

static void pictures_read(struct sotto_dataset *out, const char *folder, const char *part,
                          size_t first, size_t count)
{
    char images[NAME_MAX_BYTES], labels[NAME_MAX_BYTES];
    const struct sotto_idx_slice slice = {images, labels, first, count};
    struct sotto_fault fault;

    snprintf(images, sizeof images, "%s/%s-images-idx3-ubyte.gz", folder, part);
    snprintf(labels, sizeof labels, "%s/%s-labels-idx1-ubyte.gz", folder, part);
    if (sotto_dataset_open_idx(out, &slice, &fault) == SOTTO_OK)
        return;
    fprintf(stderr, "bench_learning: %s: fetch it with scripts/setup, or name its folder\n",
            fault.text);
    exit(1);
}

/* The first seed's validation decides the rate; the test sees the adapters of that rate alone. */
static struct outcome measure(struct fleet fleets[SEEDS], const struct pictures *pictures,
                              enum sotto_method method)
{
    struct outcome outcome = {0};
    double best = -1, squares = 0;

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        double score;

        fleet_learn(&fleets[0], method, rates[i]);
        score = fleet_score(&fleets[0], &pictures->checked);
        if (score > best) {
            best = score;
            outcome.rate = rates[i];
        }
    }
    for (size_t seed = 0; seed < SEEDS; seed++) {
        struct fleet_result result = fleet_learn(&fleets[seed], method, outcome.rate);
        double score = fleet_score(&fleets[seed], &pictures->tested);

        outcome.mean += score / SEEDS;
        squares += score * score / SEEDS;
        outcome.product_error += result.product_error / SEEDS;
        outcome.lanes_sent = result.lanes_sent;
    }
    outcome.deviation = sqrt(fmax(0, squares - outcome.mean * outcome.mean) * SEEDS / (SEEDS - 1));
    return outcome;
}

/* One deviation of the difference of two means is the least that counts as a difference. */
static bool is_above(const struct outcome *left, const struct outcome *right)
{
    double noise =
        sqrt((left->deviation * left->deviation + right->deviation * right->deviation) / SEEDS);

    return left->mean - right->mean > noise;
}

static const char *order_of(const struct outcome outcomes[SOTTO_METHOD_COUNT])
{
    const struct outcome *plain = &outcomes[SOTTO_METHOD_FEDIT];
    const struct outcome *frozen = &outcomes[SOTTO_METHOD_FFA];
    const struct outcome *turns = &outcomes[SOTTO_METHOD_ROLORA];

    if (is_above(frozen, turns) || is_above(plain, frozen) || is_above(plain, turns))
        return "reversed somewhere";
    return is_above(turns, plain) ? "as published" : "a tie";
}

static void cell_measure(const struct fleet_task *task, const struct pictures *pictures)
{
    struct fleet *fleets = calloc(SEEDS, sizeof *fleets);
    struct outcome outcomes[SOTTO_METHOD_COUNT];
    struct fleet_task own = *task;

    if (fleets == NULL)
        exit(1);
    for (size_t seed = 0; seed < SEEDS; seed++) {
        own.seed = seed + 1;
        fleet_open(&fleets[seed], &own);
    }
    for (uint32_t method = 0; method < SOTTO_METHOD_COUNT; method++) {
        struct outcome *outcome = &outcomes[method];

        *outcome = measure(fleets, pictures, (enum sotto_method)method);
        printf("| %u | %u | %g | %s | %g | %.1f ± %.1f %% | %.1e | %.0f |\n", task->sites,
               task->rank, task->alpha, sotto_method_names[method], outcome->rate,
               100 * outcome->mean, 100 * outcome->deviation, outcome->product_error,
               outcome->lanes_sent);
        fflush(stdout);
    }
    printf("alternation >= frozen A >= plain, %u sites, rank %u, alpha %g: %s\n", task->sites,
           task->rank, task->alpha, order_of(outcomes));
    for (size_t seed = 0; seed < SEEDS; seed++)
        fleet_close(&fleets[seed]);
    free(fleets);
}

static void cells_measure(uint32_t sites, const struct sotto_model *model,
                          const struct pictures *pictures)
{
    static const uint32_t ranks[] = {2, 8};
    static const double alphas[] = {0.1, 1};

    for (size_t cell = 0; cell < 4; cell++) {
        const struct fleet_task task = {.model = model,
                                        .pool = &pictures->pool,
                                        .sites = sites,
                                        .rank = ranks[cell / 2],
                                        .alpha = alphas[cell % 2]};

        cell_measure(&task, pictures);
    }
}

int main(int argc, char **argv)
{
    const char *folder =
        argc > 1 ? argv[1] : ".deps/fashion-mnist/usr/share/datasets/fashion-mnist";
    static const uint32_t counts[] = {3, 20, 50};
    struct sotto_model *model;
    struct sotto_fault fault;
    struct pictures pictures;
    time_t began = time(NULL);

    if (sotto_model_open(&model, "models/base/fashion-vit", &fault) != SOTTO_OK) {
        fprintf(stderr, "bench_learning: %s\n", fault.text);
        return 1;
    }
    pictures_read(&pictures.pool, folder, "train", 50000, POOL);
    pictures_read(&pictures.checked, folder, "train", 51000, CHECKED);
    pictures_read(&pictures.tested, folder, "t10k", 0, TESTED);
    printf("| sites | rank | alpha | method | rate | accuracy | product error | lanes sent |\n"
           "|---|---|---|---|---|---|---|---|\n");
    for (int i = 2; i < argc; i++)
        cells_measure((uint32_t)strtoul(argv[i], NULL, 10), model, &pictures);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && argc <= 2; i++)
        cells_measure(counts[i], model, &pictures);
    printf("%.0f s\n", difftime(time(NULL), began));
    sotto_dataset_close(&pictures.pool);
    sotto_dataset_close(&pictures.checked);
    sotto_dataset_close(&pictures.tested);
    sotto_model_close(model);
    return 0;
}
