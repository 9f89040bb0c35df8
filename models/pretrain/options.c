#include "models/pretrain/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"
#include "models/pretrain/fit.h"

enum key {
    KEY_IMAGES = 'i',
    KEY_OUT = 'o',
    KEY_FIRST = 256,
    KEY_COUNT,
    KEY_WIDTH,
    KEY_BLOCKS,
    KEY_HEADS,
    KEY_PATCH,
    KEY_DECODER_WIDTH,
    KEY_DECODER_BLOCKS,
    KEY_MASK_RATIO,
    KEY_EPOCHS,
    KEY_BATCH,
    KEY_LEARNING_RATE,
    KEY_WEIGHT_DECAY,
    KEY_SHIFT,
    KEY_SEED,
    KEY_THREADS,
    KEY_DTYPE,
};

static const struct argp_option option_table[] = {
    {"images", KEY_IMAGES, "FILE", 0, "IDX file of pictures, plain or gzip", 1},
    {"first", KEY_FIRST, "N", 0, "First picture of the slice (0)", 1},
    {"count", KEY_COUNT, "N", 0, "Pictures in the slice (all from the first on)", 1},
    {"out", KEY_OUT, "DIR", 0, "Model directory to make; must not exist", 1},
    {"dtype", KEY_DTYPE, "TYPE", 0, "f32, f16 or bf16 (bf16)", 1},
    {"width", KEY_WIDTH, "N", 0, "Width of the encoder, a multiple of 4 (128)", 2},
    {"blocks", KEY_BLOCKS, "N", 0, "Transformer blocks of the encoder (6)", 2},
    {"heads", KEY_HEADS, "N", 0, "Attention heads, of the decoder too (4)", 2},
    {"patch", KEY_PATCH, "N", 0, "Side of a patch in pixels (4)", 2},
    {"decoder-width", KEY_DECODER_WIDTH, "N", 0, "Width of the decoder (64)", 2},
    {"decoder-blocks", KEY_DECODER_BLOCKS, "N", 0, "Transformer blocks of the decoder (1)", 2},
    {"epochs", KEY_EPOCHS, "N", 0, "Passes over the slice (20)", 3},
    {"batch", KEY_BATCH, "N", 0, "Pictures a step (256)", 3},
    {"mask-ratio", KEY_MASK_RATIO, "R", 0, "Share of hidden patches (0.75)", 3},
    {"learning-rate", KEY_LEARNING_RATE, "R", 0, "Highest rate, after the warm-up (0.0015)", 3},
    {"weight-decay", KEY_WEIGHT_DECAY, "R", 0, "Decay of the matrices (0.05)", 3},
    {"shift", KEY_SHIFT, "N", 0, "Pixels that pictures are moved by, at most (2)", 3},
    {"seed", KEY_SEED, "N", 0, "Seed of everything random (1)", 3},
    {"threads", KEY_THREADS, "N", 0, "Threads; part of the recipe as the seed is (1)", 3},
    {0},
};

static uint64_t parse_number(struct argp_state *state, const char *name, const char *text,
                             uint64_t min, uint64_t max)
{
    char *end;
    uint64_t value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || errno != 0 || value < min || value > max)
        sotto_console_refuse(state, "--%s: \"%s\" is no whole number from %llu to %llu", name, text,
                             (unsigned long long)min, (unsigned long long)max);
    return value;
}

static double parse_ratio(struct argp_state *state, const char *name, const char *text, double min,
                          double max)
{
    char *end;
    double value = strtod(text, &end);

    if (*text == 0 || *end != 0 || !(value >= min && value <= max))
        sotto_console_refuse(state, "--%s: \"%s\" is no number from %g to %g", name, text, min,
                             max);
    return value;
}

static enum sotto_dtype parse_dtype(struct argp_state *state, const char *text)
{
    if (strcmp(text, "f32") == 0)
        return SOTTO_DTYPE_F32;
    if (strcmp(text, "f16") == 0)
        return SOTTO_DTYPE_F16;
    if (strcmp(text, "bf16") != 0)
        sotto_console_refuse(state, "--dtype: \"%s\" is not f32, f16 or bf16", text);
    return SOTTO_DTYPE_BF16;
}

/* Whole numbers of 32 bits: where they go, and their limits. */
static const struct number_row {
    int key;
    const char *name;
    size_t offset;
    uint32_t min;
    uint32_t max;
} number_rows[] = {
    {KEY_WIDTH, "width", offsetof(struct sotto_pretrain_options, width), 4, 4096},
    {KEY_BLOCKS, "blocks", offsetof(struct sotto_pretrain_options, blocks), 1, 64},
    {KEY_HEADS, "heads", offsetof(struct sotto_pretrain_options, heads), 1, 64},
    {KEY_PATCH, "patch", offsetof(struct sotto_pretrain_options, patch), 1, 256},
    {KEY_DECODER_WIDTH, "decoder-width", offsetof(struct sotto_pretrain_options, decoder_width), 4,
     4096},
    {KEY_DECODER_BLOCKS, "decoder-blocks", offsetof(struct sotto_pretrain_options, decoder_blocks),
     1, 64},
    {KEY_EPOCHS, "epochs", offsetof(struct sotto_pretrain_options, epochs), 1, 100000},
    {KEY_BATCH, "batch", offsetof(struct sotto_pretrain_options, batch), 1, 65536},
    {KEY_SHIFT, "shift", offsetof(struct sotto_pretrain_options, shift), 0, 64},
    {KEY_THREADS, "threads", offsetof(struct sotto_pretrain_options, threads), 1,
     SOTTO_PRETRAIN_THREADS_MAX},
};

static error_t parse_small_number(int key, const char *text, struct argp_state *state)
{
    for (size_t i = 0; i < sizeof number_rows / sizeof number_rows[0]; i++) {
        const struct number_row *row = &number_rows[i];
        uint32_t value;

        if (row->key != key)
            continue;
        value = (uint32_t)parse_number(state, row->name, text, row->min, row->max);
        memcpy((char *)state->input + row->offset, &value, sizeof value);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static void check_whole(const struct sotto_pretrain_options *options, struct argp_state *state)
{
    if (options->images == NULL || options->out == NULL)
        sotto_console_refuse(state, "--images and --out are needed");
    if (options->width % 4 != 0 || options->width % options->heads != 0)
        sotto_console_refuse(state, "--width: %u is no multiple of 4 and of --heads %u",
                             options->width, options->heads);
    if (options->decoder_width % 4 != 0 || options->decoder_width % options->heads != 0)
        sotto_console_refuse(state, "--decoder-width: %u is no multiple of 4 and of --heads %u",
                             options->decoder_width, options->heads);
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct sotto_pretrain_options *options = state->input;

    switch (key) {
    case KEY_IMAGES: options->images = text; return 0;
    case KEY_OUT: options->out = text; return 0;
    case KEY_FIRST: options->first = parse_number(state, "first", text, 0, UINT32_MAX); return 0;
    case KEY_COUNT: options->count = parse_number(state, "count", text, 1, UINT32_MAX); return 0;
    case KEY_SEED: options->seed = parse_number(state, "seed", text, 0, UINT64_MAX); return 0;
    case KEY_MASK_RATIO:
        options->mask_ratio = parse_ratio(state, "mask-ratio", text, 0.05, 0.95);
        return 0;
    case KEY_LEARNING_RATE:
        options->learning_rate = parse_ratio(state, "learning-rate", text, 1e-8, 1);
        return 0;
    case KEY_WEIGHT_DECAY:
        options->weight_decay = parse_ratio(state, "weight-decay", text, 0, 1);
        return 0;
    case KEY_DTYPE: options->dtype = parse_dtype(state, text); return 0;
    case ARGP_KEY_ARG: sotto_console_refuse(state, "\"%s\" is no option", text); return 0;
    case ARGP_KEY_END: check_whole(options, state); return 0;
    }
    return parse_small_number(key, text, state);
}

void sotto_pretrain_options_parse(struct sotto_pretrain_options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse_option,
        .args_doc = "--images FILE --out DIR",
        .doc = "Pretrains a small vision transformer on unlabelled pictures by masked image "
               "modelling and writes a Hugging Face model directory.\v"
               "The directory appears whole or not at all. The same flags on the same machine give "
               "the same bytes.",
    };

    *options = (struct sotto_pretrain_options){
        .width = 128,
        .blocks = 6,
        .heads = 4,
        .patch = 4,
        .decoder_width = 64,
        .decoder_blocks = 1,
        .epochs = 20,
        .batch = 256,
        .shift = 2,
        .threads = 1,
        .seed = 1,
        .mask_ratio = 0.75,
        .learning_rate = 0.0015,
        .weight_decay = 0.05,
        .dtype = SOTTO_DTYPE_BF16,
    };
    argp_err_exit_status = 2;
    argp_program_version = "sotto-pretrain " SOTTO_VERSION;
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
