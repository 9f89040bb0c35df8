/*
 * One job of tests/bench/train: LoRA of rank 8 on query and value, AdamW, over random examples.
 * Prints one line of JSON.
 *
 *     bench_train MODEL BATCH ROWS THREADS STEPS WEIGHTS
 *
 * ROWS are the tokens of a text, of no account to a ViT; WEIGHTS is f32 or bf16.
 * Times of a step are in milliseconds, of the wall and of all processors together; those of a
 * prediction of one processor.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/entropy.h"
#include "core/threads/threads.h"
#include "models/kernels/kernels.h"
#include "models/trainer.h"
#include "tests/support/device.h"

enum { RANK = 8, LABELS = 10, SQUARE = 768, REPEATS = 15, STEPS_MAX = 64, PREDICTIONS = 5 };

struct bench {
    const char *folder;
    uint32_t batch;
    uint32_t rows;
    uint32_t width; /* threads */
    uint32_t steps;
    bool is_packed; /* the weights are bfloat16 */
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_threads *threads;
    struct sotto_trainer *trainer;
    struct sotto_dataset dataset;
    float *lanes;
    double step_began;
    double step_began_cpu;
    double step_ms[STEPS_MAX];
    double step_cpu_ms[STEPS_MAX];
};

static double now_ms(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static void require(enum sotto_status status, const struct sotto_fault *fault)
{
    if (status == SOTTO_OK)
        return;
    fprintf(stderr, "bench_train: %s: %s\n", sotto_status_name(status), fault->text);
    exit(1);
}

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL)
        exit(1);
    return memory;
}

/* Floating point operations a second of a square product on one thread, the best of several. */
static double product_rate(void)
{
    const struct sotto_kernels *kernels = sotto_kernels_cpu();
    float *values = take((size_t)3 * SQUARE * SQUARE, sizeof *values);
    struct sotto_matrix c = matrix_over(values, SQUARE, SQUARE);
    struct sotto_matrix_view a = view_over(values + SQUARE * SQUARE, SQUARE, SQUARE);
    struct sotto_matrix_view b = view_over(values + 2 * SQUARE * SQUARE, SQUARE, SQUARE);
    double best = 1e9;

    for (int i = 0; i < REPEATS; i++) {
        double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);
        double spent;

        kernels->matmul(c, sotto_factor_plain(a), sotto_factor_transposed(b), 1.0f, 0.0f);
        spent = now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = spent < best ? spent : best;
    }
    free(values);
    return 2e3 * SQUARE * SQUARE * SQUARE / best;
}

static void fill_labels(struct bench *bench)
{
    struct sotto_dataset *dataset = &bench->dataset;

    dataset->count = (size_t)bench->batch * bench->steps;
    dataset->labels = take(dataset->count, sizeof *dataset->labels);
    for (uint32_t i = 0; i < dataset->count; i++)
        dataset->labels[i] = i % LABELS;
}

static bool is_language_model(const struct bench *bench)
{
    return sotto_model_arch(bench->model)->task == SOTTO_TASK_CAUSAL_LM;
}

/* Texts of one length; a language model learns every token but the first. */
static void fill_texts(struct bench *bench, struct sotto_entropy *entropy)
{
    struct sotto_dataset *dataset = &bench->dataset;
    size_t tokens = dataset->count * bench->rows;

    dataset->kind = SOTTO_DATASET_TEXTS;
    dataset->starts = take(dataset->count + 1, sizeof *dataset->starts);
    dataset->tokens = take(tokens, sizeof *dataset->tokens);
    for (size_t i = 0; i <= dataset->count; i++)
        dataset->starts[i] = i * bench->rows;
    for (size_t i = 0; i < tokens; i++)
        dataset->tokens[i] =
            (uint32_t)sotto_entropy_below(entropy, sotto_model_arch(bench->model)->vocabulary);
    if (!is_language_model(bench))
        return;
    dataset->is_answer = take(tokens, sizeof *dataset->is_answer);
    for (size_t i = 0; i < tokens; i++)
        dataset->is_answer[i] = i % bench->rows != 0;
}

static void fill_pictures(struct bench *bench, struct sotto_entropy *entropy)
{
    struct sotto_picture_form form = sotto_model_picture_form(bench->model);
    size_t pixels = bench->dataset.count * form.channels * form.side * form.side;

    bench->dataset.channels = form.channels;
    bench->dataset.side = form.side;
    bench->dataset.pixels = take(pixels, 1);
    sotto_entropy_fill(entropy, bench->dataset.pixels, pixels);
}

static void derive_layout(struct bench *bench)
{
    struct sotto_adapter_choice choice = {.rank = RANK,
                                          .alpha = 2.0 * RANK,
                                          .target_set =
                                              1u << SOTTO_TARGET_QUERY | 1u << SOTTO_TARGET_VALUE,
                                          .label_count = is_language_model(bench) ? 0 : LABELS};
    struct sotto_fault fault = {0};

    for (uint32_t i = 0; i < choice.label_count; i++)
        snprintf(choice.labels[i], sizeof choice.labels[i], "label-%" PRIu32, i);
    require(sotto_layout_derive(&bench->layout, sotto_model_arch(bench->model), &choice, &fault),
            &fault);
}

static void open_trainer(struct bench *bench)
{
    struct sotto_fault fault = {0};
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 4);
    derive_layout(bench);
    fill_labels(bench);
    if (sotto_model_arch(bench->model)->task == SOTTO_TASK_PICTURE_CLASS)
        fill_pictures(bench, &entropy);
    else
        fill_texts(bench, &entropy);
    bench->lanes = take(bench->layout.lane_count, sizeof *bench->lanes);
    sotto_layout_start(bench->lanes, &bench->layout, &entropy);
    require(sotto_threads_open(&bench->threads, bench->width), &fault);
    require(sotto_trainer_open(&bench->trainer, bench->model, &bench->layout, bench->batch,
                               bench->threads, &fault),
            &fault);
    require(sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count), &fault);
}

static void begin_step(struct bench *bench)
{
    bench->step_began = now_ms(CLOCK_MONOTONIC);
    bench->step_began_cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
}

static void end_step(void *context, size_t step, size_t step_count, double loss)
{
    struct bench *bench = context;

    (void)step_count;
    (void)loss;
    bench->step_ms[step - 1] = now_ms(CLOCK_MONOTONIC) - bench->step_began;
    bench->step_cpu_ms[step - 1] = now_ms(CLOCK_PROCESS_CPUTIME_ID) - bench->step_began_cpu;
    begin_step(bench);
}

static void fit(struct bench *bench)
{
    struct sotto_fit fit = {.epochs = 1,
                            .batch = bench->batch,
                            .learning_rate_start = 1e-4,
                            .learning_rate_end = 1e-4,
                            .weight_decay = 0.01,
                            .seed = 7,
                            .progress = end_step,
                            .context = bench};
    struct sotto_fit_result result;
    struct sotto_fault fault = {0};

    begin_step(bench);
    require(sotto_trainer_fit(bench->trainer, &bench->dataset, &fit, &result), &fault);
}

/* The best of several, on one example. */
static double predict_ms(struct bench *bench)
{
    size_t choices = is_language_model(bench) ? sotto_model_arch(bench->model)->vocabulary : LABELS;
    float *probabilities = take(choices, sizeof *probabilities);
    double best = 1e9;

    for (int i = 0; i < PREDICTIONS; i++) {
        double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);
        double spent;

        if (sotto_trainer_predict(bench->trainer, probabilities, &bench->dataset, 0) != SOTTO_OK)
            abort();
        spent = now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = spent < best ? spent : best;
    }
    free(probabilities);
    return best;
}

static double peak_mib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

static void print_list(const char *name, const double *values, size_t count)
{
    printf("\"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        printf("%s%.3f", i == 0 ? "" : ", ", values[i]);
    printf("], ");
}

int main(int count, char **arguments)
{
    static struct bench bench;
    struct sotto_fault fault = {0};
    double start = now_ms(CLOCK_MONOTONIC);
    double opened;
    double ready;
    double peak;

    if (count != 7) {
        fprintf(stderr, "usage: bench_train MODEL BATCH ROWS THREADS STEPS WEIGHTS\n");
        return 2;
    }
    bench.folder = arguments[1];
    bench.batch = (uint32_t)atoi(arguments[2]);
    bench.rows = (uint32_t)atoi(arguments[3]);
    bench.width = (uint32_t)atoi(arguments[4]);
    bench.steps = (uint32_t)atoi(arguments[5]);
    bench.is_packed = strcmp(arguments[6], "bf16") == 0;
    if (bench.steps > STEPS_MAX)
        return 2;
    require(sotto_model_open_on(&bench.model, bench.folder, NULL,
                                bench.is_packed ? SOTTO_WEIGHTS_BFLOAT16 : SOTTO_WEIGHTS_FLOAT32,
                                &fault),
            &fault);
    opened = now_ms(CLOCK_MONOTONIC) - start;
    open_trainer(&bench);
    ready = now_ms(CLOCK_MONOTONIC) - start;
    fit(&bench);
    peak = peak_mib();
    printf("{");
    print_list("step_ms", bench.step_ms, bench.steps);
    print_list("step_cpu_ms", bench.step_cpu_ms, bench.steps);
    printf("\"open_s\": %.4f, \"ready_s\": %.4f, \"peak_mib\": %.1f, \"predict_ms\": %.3f, "
           "\"product_gflops\": %.1f}\n",
           opened / 1e3, ready / 1e3, peak, predict_ms(&bench), product_rate() / 1e9);
    sotto_trainer_close(bench.trainer);
    sotto_threads_close(bench.threads);
    sotto_model_close(bench.model);
    sotto_dataset_close(&bench.dataset);
    free(bench.lanes);
    return 0;
}
