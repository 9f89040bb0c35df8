/*
 * sotto-pretrain: unlabelled pictures in, a Hugging Face model directory out.
 */
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/console/console.h"
#include "models/kernels/kernels.h"
#include "models/pretrain/fit.h"
#include "models/pretrain/folder.h"
#include "models/pretrain/options.h"
#include "models/weights/staging.h"

enum { EXIT_INTERRUPTED = 130, BAR_CELLS = 40 };

#define WARM_UP         0.05
#define NORM_EPSILON    1e-6
#define DEVIATION_LEAST 1e-3

/* Set by a signal; the one thing that a handler can reach. */
static volatile sig_atomic_t is_stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopped = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static enum sotto_status describe(struct sotto_mae *mae,
                                  const struct sotto_pretrain_options *options,
                                  const struct sotto_dataset *dataset, struct sotto_fault *fault)
{
    uint32_t patches;

    if (dataset->side % options->patch != 0 || dataset->side == options->patch)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "--patch: %u does not divide the %u pixels of a picture's side",
                               options->patch, dataset->side);
    if (options->batch > dataset->count)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "--batch: %u is above the %zu pictures of the slice", options->batch,
                               dataset->count);
    *mae = (struct sotto_mae){
        .kernels = sotto_kernels_cpu(),
        .arch = {.width = options->width,
                 .mlp_width = 4 * options->width,
                 .block_count = options->blocks,
                 .head_count = options->heads,
                 .kv_head_count = options->heads,
                 .head_width = options->width / options->heads,
                 .image_side = dataset->side,
                 .patch_side = options->patch,
                 .channels = dataset->channels,
                 .norm_epsilon = NORM_EPSILON,
                 .has_qkv_bias = true,
                 .has_out_bias = true,
                 .has_mlp_bias = true},
        .decoder_width = options->decoder_width,
        .decoder_blocks = options->decoder_blocks,
        .decoder_heads = options->heads,
    };
    patches = sotto_mae_patch_count(mae);
    mae->visible_count = (uint32_t)((1.0 - options->mask_ratio) * patches);
    if (mae->visible_count == 0)
        mae->visible_count = 1;
    return SOTTO_OK;
}

/* Mean and deviation of all pixels scaled to 0 .. 1, to four digits so that files are short. */
static void measure_pixels(struct sotto_pretrained *pretrained, const struct sotto_dataset *dataset)
{
    size_t count = dataset->count * dataset->channels * dataset->side * dataset->side;
    double sum = 0;
    double squares = 0;
    double mean;
    double variance;

    for (size_t i = 0; i < count; i++) {
        sum += dataset->pixels[i];
        squares += (double)dataset->pixels[i] * dataset->pixels[i];
    }
    mean = sum / (double)count;
    variance = squares / (double)count - mean * mean;
    pretrained->pixel_mean = round(mean / 255.0 * 1e4) / 1e4;
    pretrained->pixel_deviation =
        fmax(round(sqrt(fmax(variance, 0)) / 255.0 * 1e4) / 1e4, DEVIATION_LEAST);
}

/* A bar that rewrites its line on a terminal, a line a report elsewhere. */
static void report(void *context, const struct sotto_pretrain_progress *progress)
{
    size_t filled = progress->step * BAR_CELLS / progress->step_count;

    (void)context;
    if (!isatty(STDERR_FILENO)) {
        fprintf(stderr, "step %zu of %zu, loss %.4f\n", progress->step, progress->step_count,
                progress->loss);
        return;
    }
    fprintf(stderr, "\r[");
    for (size_t cell = 0; cell < BAR_CELLS; cell++)
        fputc(cell < filled ? '#' : ' ', stderr);
    fprintf(stderr, "] %3zu %%  loss %.4f%s", progress->step * 100 / progress->step_count,
            progress->loss, progress->step == progress->step_count ? "\n" : "");
}

/* From malloc, or NULL. Nothing in it differs between two runs of one recipe. */
static char *recipe_of(const struct sotto_pretrain_options *options,
                       const struct sotto_dataset *dataset, double loss)
{
    json_t *recipe = json_pack(
        "{s:s, s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:i, s:i, s:f, s:f, s:i, s:i, "
        "s:I, s:s, s:f}",
        "program", "sotto-pretrain", "method", "masked image modelling", "first",
        (json_int_t)options->first, "count", (json_int_t)dataset->count, "width",
        (int)options->width, "blocks", (int)options->blocks, "heads", (int)options->heads, "patch",
        (int)options->patch, "decoder_width", (int)options->decoder_width, "decoder_blocks",
        (int)options->decoder_blocks, "mask_ratio", options->mask_ratio, "epochs",
        (int)options->epochs, "batch", (int)options->batch, "learning_rate", options->learning_rate,
        "weight_decay", options->weight_decay, "shift", (int)options->shift, "threads",
        (int)options->threads, "seed", (json_int_t)options->seed, "dtype",
        sotto_dtype_name(options->dtype), "final_loss", round(loss * 1e6) / 1e6);
    char *text = json_dumps(recipe, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

    json_decref(recipe);
    return text;
}

static struct sotto_pixel_map pixel_map_of(const struct sotto_pretrained *pretrained)
{
    struct sotto_pixel_map map;

    for (size_t channel = 0; channel < SOTTO_CHANNELS_MAX; channel++) {
        map.scale[channel] = (float)(1.0 / (255.0 * pretrained->pixel_deviation));
        map.shift[channel] = (float)(-pretrained->pixel_mean / pretrained->pixel_deviation);
    }
    return map;
}

static enum sotto_status pretrain(const struct sotto_pretrain_options *options,
                                  const struct sotto_mae *mae, const struct sotto_dataset *dataset,
                                  struct sotto_fault *fault)
{
    struct sotto_pretrained pretrained = {.arch = mae->arch, .dtype = options->dtype};
    struct sotto_pretrain_rule rule = {
        .epochs = options->epochs,
        .batch = options->batch,
        .thread_count = options->threads,
        .shift_max = options->shift,
        .learning_rate = options->learning_rate,
        .warm_up = WARM_UP,
        .weight_decay = options->weight_decay,
        .seed = options->seed,
        .is_stopped = &is_stopped,
        .report = report,
    };
    float *weights = calloc(sotto_mae_places(mae).count, sizeof *weights);
    char *recipe = NULL;
    double loss = 0;
    enum sotto_status status = SOTTO_NO_MEMORY;

    measure_pixels(&pretrained, dataset);
    rule.pixel_map = pixel_map_of(&pretrained);
    if (weights == NULL)
        sotto_fault_set(fault, status, "no memory for the weights: lower --width or --blocks");
    else
        status = sotto_pretrain_fit(weights, &loss, mae, dataset, &rule, fault);
    if (status == SOTTO_OK) {
        recipe = recipe_of(options, dataset, loss);
        pretrained.weights = weights;
        pretrained.recipe_json = recipe;
        status = sotto_pretrained_write(options->out, &pretrained, fault);
    }
    free(recipe);
    free(weights);
    return status;
}

static enum sotto_status run(const struct sotto_pretrain_options *options,
                             struct sotto_fault *fault)
{
    struct sotto_idx_slice slice = {options->images, NULL, options->first, options->count};
    struct sotto_dataset dataset;
    struct sotto_mae mae;
    enum sotto_status status = sotto_staging_check(options->out, NULL, fault);

    if (status == SOTTO_OK)
        status = sotto_dataset_open_idx(&dataset, &slice, fault);
    if (status != SOTTO_OK)
        return status;
    status = describe(&mae, options, &dataset, fault);
    if (status == SOTTO_OK)
        status = pretrain(options, &mae, &dataset, fault);
    sotto_dataset_close(&dataset);
    return status;
}

int main(int argc, char **argv)
{
    struct sotto_pretrain_options options;
    struct sotto_fault fault = {0};
    enum sotto_status status;

    sotto_console_open("sotto-pretrain");
    sotto_pretrain_options_parse(&options, argc, argv);
    catch_signals();
    status = run(&options, &fault);
    if (status == SOTTO_OK) {
        printf("%s\n", options.out);
        return 0;
    }
    if (is_stopped) {
        fprintf(stderr, "sotto-pretrain: interrupted, nothing was written\n");
        return EXIT_INTERRUPTED;
    }
    sotto_console_say("sotto-pretrain: %s", fault.text);
    return sotto_status_exit_code(status);
}
