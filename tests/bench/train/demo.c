/*
 * The time of a training step: the adapter of the demo's model (28 x 28, patches of 4, width 128,
 * 6 blocks, batch 32, rank 8 on all linear layers), and one block with gradients for all weights,
 * as pretraining uses it; both against the product rate that the same run measures. One thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/clock.h"
#include "core/base/entropy.h"
#include "models/arch/tensors.h"
#include "models/block/block.h"
#include "models/trainer.h"
#include "tests/support/device.h"
#include "tests/support/model_folder.h"

enum { BATCH = 32, STEPS = 8, RANK = 8, LABELS = 10, TOKENS = 50, REPEATS = 20, SQUARE = 768 };

static const struct sotto_arch shape = {.width = 128,
                                        .mlp_width = 512,
                                        .block_count = 6,
                                        .head_count = 4,
                                        .kv_head_count = 4,
                                        .head_width = 32,
                                        .image_side = 28,
                                        .patch_side = 4,
                                        .channels = 1,
                                        .norm_epsilon = 1e-6,
                                        .has_qkv_bias = true,
                                        .has_out_bias = true,
                                        .has_mlp_bias = true};

static double now_s(void)
{
    struct sotto_clock clock;

    sotto_clock_init_system(&clock);
    return 1e-9 * (double)sotto_clock_steady_ns(&clock);
}

static void require(enum sotto_status status)
{
    if (status == SOTTO_OK)
        return;
    fprintf(stderr, "bench_train: %s\n", sotto_status_name(status));
    exit(1);
}

static float *random_floats(size_t count, uint64_t seed)
{
    float *values = malloc(count * sizeof *values);
    struct sotto_entropy entropy;

    if (values == NULL)
        require(SOTTO_NO_MEMORY);
    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)sotto_entropy_normal(&entropy);
    return values;
}

/* Floating point operations a second of a square product, the best of several. */
static double product_rate(void)
{
    const struct sotto_kernels *kernels = sotto_kernels_cpu();
    size_t count = (size_t)SQUARE * SQUARE;
    float *a = random_floats(count, 1);
    float *b = random_floats(count, 2);
    float *c = random_floats(count, 3);
    double best = 1e9;

    for (int i = 0; i < REPEATS; i++) {
        double start = now_s();
        double spent;

        kernels->matmul(matrix_over(c, SQUARE, SQUARE),
                        sotto_factor_plain(view_over(a, SQUARE, SQUARE)),
                        sotto_factor_transposed(view_over(b, SQUARE, SQUARE)), 1.0f, 0.0f);
        spent = now_s() - start;
        best = spent < best ? spent : best;
    }
    free(a);
    free(b);
    free(c);
    return 2.0 * (double)count * SQUARE / best;
}

/* Multiplications and additions in parts of a block's forward; a backward takes twice as many. */
static double linear_operations(double rows)
{
    double width = shape.width;

    return 2.0 * rows * (4.0 * width * width + 2.0 * width * shape.mlp_width);
}

static double attention_operations(double rows)
{
    return 4.0 * rows * TOKENS * shape.width;
}

static double lora_operations(double rows)
{
    return 2.0 * rows * RANK * (10.0 * shape.width + 2.0 * shape.mlp_width);
}

/* Frozen layers have no gradient of their own. The last block, one token long, is left out. */
static double adapter_operations(double rows)
{
    return (shape.block_count - 1) * (2.0 * linear_operations(rows) +
                                      3.0 * (attention_operations(rows) + lora_operations(rows)));
}

static void fill_dataset(struct sotto_dataset *dataset)
{
    size_t pixels = (size_t)28 * 28 * BATCH;
    struct sotto_entropy entropy;

    *dataset = (struct sotto_dataset){.channels = 1, .side = 28, .count = BATCH};
    dataset->pixels = malloc(pixels);
    dataset->labels = malloc(BATCH * sizeof *dataset->labels);
    if (dataset->pixels == NULL || dataset->labels == NULL)
        require(SOTTO_NO_MEMORY);
    sotto_entropy_init_seeded(&entropy, 4);
    sotto_entropy_fill(&entropy, dataset->pixels, pixels);
    for (uint32_t i = 0; i < BATCH; i++)
        dataset->labels[i] = i % LABELS;
}

static void derive_layout(struct sotto_layout *layout)
{
    struct sotto_adapter_choice choice = {.rank = RANK,
                                          .alpha = 2.0 * RANK,
                                          .target_set = (1u << SOTTO_TARGET_COUNT) - 1,
                                          .label_count = LABELS};

    for (uint32_t i = 0; i < LABELS; i++)
        snprintf(choice.labels[i], sizeof choice.labels[i], "label-%" PRIu32, i);
    require(sotto_layout_derive(layout, &shape, &choice, NULL));
}

/* Seconds of one step: the mean over STEPS in the best of several fits. */
static double best_fit(struct sotto_trainer *trainer, const struct sotto_dataset *dataset)
{
    const struct sotto_fit fit = {.epochs = STEPS,
                                  .batch = BATCH,
                                  .learning_rate_start = 1e-3,
                                  .learning_rate_end = 1e-4,
                                  .weight_decay = 0.01,
                                  .seed = 7};
    struct sotto_fit_result result;
    double best = 1e9;

    for (int i = 0; i < REPEATS / 2; i++) {
        double start = now_s();
        double spent;

        require(sotto_trainer_fit(trainer, dataset, &fit, &result));
        spent = (now_s() - start) / STEPS;
        best = spent < best ? spent : best;
    }
    return best;
}

/* The same with a fresh adapter of the demo's kind. */
static double adapter_step(const struct sotto_model *model)
{
    static struct sotto_layout layout;
    struct sotto_trainer *trainer;
    struct sotto_dataset dataset;
    struct sotto_entropy entropy;
    float *lanes;
    double spent;

    derive_layout(&layout);
    lanes = random_floats(layout.lane_count, 5);
    sotto_entropy_init_seeded(&entropy, 6);
    sotto_layout_start(lanes, &layout, &entropy);
    fill_dataset(&dataset);
    require(sotto_trainer_open(&trainer, model, &layout, BATCH, NULL, NULL));
    require(sotto_trainer_load(trainer, lanes, layout.lane_count));
    spent = best_fit(trainer, &dataset);
    sotto_trainer_close(trainer);
    free(dataset.pixels);
    free(dataset.labels);
    free(lanes);
    return spent;
}

/* Seconds of one block's forward and backward with all gradients, the best of several. */
static double full_block(void)
{
    struct sotto_block_spec spec = sotto_arch_block_spec(&shape);
    size_t weights = sotto_block_weight_count(&spec);
    size_t values = (size_t)BATCH * TOKENS * shape.width;
    struct sotto_block block = {.kernels = sotto_kernels_cpu(),
                                .spec = spec,
                                .weights = device_view(random_floats(weights, 8)),
                                .weight_gradients = device_floats(random_floats(weights, 9))};
    struct sotto_block_shape all = {.batch = BATCH, .length_max = TOKENS};
    struct sotto_device_arena arena;
    struct sotto_block_pass pass;
    struct sotto_block_scratch scratch;
    float *x = random_floats(values, 10);
    float *y = random_floats(values, 11);
    double best = 1e9;

    require(sotto_device_arena_open(&arena, block.kernels, (size_t)256 << 20));
    require(sotto_block_pass_take(&pass, &block, all, &arena));
    require(sotto_block_scratch_take(&scratch, &block, all, &arena));
    for (int i = 0; i < REPEATS; i++) {
        double start = now_s();
        double spent;

        sotto_block_forward(&block, &pass, &scratch, device_floats(y), device_view(x), all);
        sotto_block_backward(&block, &pass, &scratch, device_floats(y), SOTTO_BLOCK_BELOW_TRAINED);
        spent = now_s() - start;
        best = spent < best ? spent : best;
    }
    sotto_device_arena_close(&arena);
    free((void *)block.weights);
    free(block.weight_gradients);
    free(x);
    free(y);
    return best;
}

static double resident_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

int main(void)
{
    float *weights = model_folder_weights(&shape, 12);
    double rate = product_rate();
    double rows = (double)BATCH * TOKENS;
    struct model_folder folder;
    struct sotto_model *model;
    struct sotto_fault fault = {0};
    double before;
    double memory;
    double adapter;
    double full;

    model_folder_open(&folder, &shape, weights);
    if (sotto_model_open(&model, folder.path, &fault) != SOTTO_OK) {
        fprintf(stderr, "bench_train: %s\n", fault.text);
        return 1;
    }
    before = resident_mib();
    adapter = adapter_step(model);
    memory = resident_mib();
    full = full_block();
    printf("product of %d x %d: %.1f GFLOP/s\n", SQUARE, SQUARE, 1e-9 * rate);
    printf("adapter step, batch %d: %.1f ms, %.0f tokens/s, %.0f %% of that rate\n", BATCH,
           1e3 * adapter, rows / adapter, 100.0 * adapter_operations(rows) / rate / adapter);
    printf("block with all gradients: %.2f ms, %.0f %% of that rate\n", 1e3 * full,
           300.0 * (linear_operations(rows) + attention_operations(rows)) / rate / full);
    printf("resident memory: %.1f MiB with the model, %.1f MiB with the trainer\n", before, memory);
    sotto_model_close(model);
    model_folder_close(&folder);
    free(weights);
    return 0;
}
