#include "participant/trainer/train.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/console/console.h"
#include "core/threads/threads.h"
#include "models/adapter/peft.h"
#include "participant/trainer/base.h"
#include "participant/trainer/bench.h"
#include "participant/trainer/examples.h"

/* The rate falls to this share of its start, as it does over a campaign. */
static const double rate_end_share = 0.05;

struct options {
    const char *model;
    const char *out;
    const char *targets;   /* as they were given */
    const char *lora_only; /* the last option that was given and only a LoRA has; NULL: none */
    struct sotto_examples_place place;
    struct sotto_adapter_choice choice;
    struct sotto_fit fit;
    uint32_t thread_count;
    bool has_half_weights;
    bool as_json;
};

/* All that a run opens. */
struct run {
    struct sotto_threads *threads;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_examples examples;
    struct sotto_trainer *trainer;
    float *lanes;
};

enum {
    KEY_KIND = 256,
    KEY_RANK,
    KEY_ALPHA,
    KEY_TARGETS,
    KEY_TOP,
    KEY_EPOCHS,
    KEY_BATCH,
    KEY_RATE,
    KEY_DECAY,
    KEY_SEED,
    KEY_THREADS,
    KEY_WEIGHTS,
    KEY_IMAGES,
    KEY_IMAGE_LABELS,
    KEY_CHAT,
    KEY_LENGTH
};

static const struct argp_option option_table[] = {
    {"model", 'm', "DIR", 0, "Base model directory", 1},
    {"examples", 'e', "DIR", 0, "Folder with one folder of pictures a label, or a file of texts",
     1},
    {"images", KEY_IMAGES, "IDX", 0, "Or: IDX file of pictures, plain or gzip", 1},
    {"image-labels", KEY_IMAGE_LABELS, "IDX", 0, "And the IDX file of their labels", 1},
    {"chat", KEY_CHAT, "FORMAT", 0, "Of conversations: chatml, llama2, llama3, mistral, zephyr", 1},
    {"text-length", KEY_LENGTH, "N", 0, "Tokens of a text that are used (as the model takes)", 1},
    {"labels", 'l', "A,B,...", 0, "The labels' names, in order; a language model has none", 1},
    {"out", 'o', "DIR", 0, "Adapter directory to write (PEFT); an earlier one is replaced", 1},
    {"kind", KEY_KIND, "KIND", 0, "lora, or norm-bias: norms and biases (lora)", 2},
    {"rank", KEY_RANK, "N", 0, "Rank of LoRA, 0: the classifier head alone (8)", 2},
    {"alpha", KEY_ALPHA, "X", 0, "Of LoRA, above 0: scaled by alpha / rank (16)", 2},
    {"targets", KEY_TARGETS, "NAMES", 0, "Layers that get LoRA: all-linear or a list (all-linear)",
     2},
    {"top-blocks", KEY_TOP, "K", 0, "Adapt the last K blocks alone (0, all)", 2},
    {"epochs", KEY_EPOCHS, "N", 0, "Passes over the examples (10)", 2},
    {"batch", KEY_BATCH, "N", 0, "Examples a step (32)", 2},
    {"learning-rate", KEY_RATE, "X", 0, "At the start; it falls to a twentieth (0.003)", 2},
    {"weight-decay", KEY_DECAY, "X", 0, "Of AdamW (0.01)", 2},
    {"seed", KEY_SEED, "N", 0, "Of the start and of the shuffle (1)", 2},
    {"threads", KEY_THREADS, "N", 0, "Processors to use; the result is the same (1)", 2},
    {"weights", KEY_WEIGHTS, "KIND", 0, "Base in memory: float32, or bfloat16, faster (float32)",
     2},
    {"json", 'j', NULL, 0, "Print JSON", 3},
    {0},
};

/* A number above 0. */
static double positive(struct argp_state *state, const char *name, const char *text)
{
    double value = sotto_console_real(state, name, text);

    if (!(value > 0))
        sotto_console_refuse(state, "--%s must be a number above 0, not '%s'", name, text);
    return value;
}

static void take_labels(struct argp_state *state, struct sotto_adapter_choice *choice,
                        const char *text)
{
    choice->label_count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");

        if (length == 0 || length > SOTTO_LABEL_TEXT_MAX || choice->label_count == SOTTO_LABELS_MAX)
            sotto_console_refuse(state, "--labels takes 1 to %d names of 1 to %d characters",
                                 SOTTO_LABELS_MAX, SOTTO_LABEL_TEXT_MAX);
        memcpy(choice->labels[choice->label_count], text, length);
        choice->labels[choice->label_count++][length] = '\0';
        text += length + (text[length] == ',');
    }
}

static void take_targets(struct argp_state *state, struct sotto_adapter_choice *choice,
                         const char *text)
{
    struct sotto_fault fault;

    if (sotto_target_set_parse(&choice->target_set, text, &fault) != SOTTO_OK)
        sotto_console_refuse(state, "--targets: %s", fault.text);
}

static enum sotto_adapter_kind kind_of(struct argp_state *state, const char *text)
{
    if (strcmp(text, "lora") != 0 && strcmp(text, "norm-bias") != 0)
        sotto_console_refuse(state, "--kind must be lora or norm-bias, not '%s'", text);
    return strcmp(text, "lora") == 0 ? SOTTO_ADAPTER_LORA : SOTTO_ADAPTER_NORM_BIAS;
}

static bool is_half(struct argp_state *state, const char *text)
{
    if (strcmp(text, "float32") != 0 && strcmp(text, "bfloat16") != 0)
        sotto_console_refuse(state, "--weights must be float32 or bfloat16, not '%s'", text);
    return strcmp(text, "bfloat16") == 0;
}

static error_t parse_number(int key, const char *text, struct argp_state *state)
{
    struct options *options = state->input;
    struct sotto_fit *fit = &options->fit;

    switch (key) {
    case KEY_RANK:
        options->lora_only = "rank";
        options->choice.rank =
            (uint32_t)sotto_console_whole(state, "rank", text, 0, SOTTO_RANK_MAX);
        return 0;
    case KEY_ALPHA:
        options->lora_only = "alpha";
        options->choice.alpha = positive(state, "alpha", text);
        return 0;
    case KEY_TOP:
        options->choice.top_blocks =
            (uint32_t)sotto_console_whole(state, "top-blocks", text, 0, UINT32_MAX);
        return 0;
    case KEY_EPOCHS:
        fit->epochs = (uint32_t)sotto_console_whole(state, "epochs", text, 1, 10000);
        return 0;
    case KEY_BATCH:
        fit->batch = (uint32_t)sotto_console_whole(state, "batch", text, 1, 1024);
        return 0;
    case KEY_RATE:
        fit->learning_rate_start = sotto_console_real(state, "learning-rate", text);
        return 0;
    case KEY_DECAY: fit->weight_decay = sotto_console_real(state, "weight-decay", text); return 0;
    case KEY_THREADS:
        options->thread_count =
            (uint32_t)sotto_console_whole(state, "threads", text, 1, SOTTO_THREADS_WIDTH_MAX);
        return 0;
    case KEY_LENGTH:
        options->place.text_length =
            (uint32_t)sotto_console_whole(state, "text-length", text, 1, SOTTO_TEXT_LENGTH_MAX);
        return 0;
    case KEY_SEED: fit->seed = sotto_console_whole(state, "seed", text, 0, UINT64_MAX); return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static bool is_complete(const struct options *options)
{
    bool has_examples = options->place.folder[0] != '\0' ||
                        (options->place.images != NULL && options->place.labels != NULL);

    return options->model != NULL && options->out != NULL && has_examples;
}

/* The same folder, as one that can be renamed to. */
static const char *without_slashes(char *path)
{
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    return path;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'm': options->model = text; return 0;
    case 'e': options->place.folder = text; return 0;
    case KEY_IMAGES: options->place.images = text; return 0;
    case KEY_IMAGE_LABELS: options->place.labels = text; return 0;
    case KEY_CHAT: options->place.chat = text; return 0;
    case 'l': take_labels(state, &options->choice, text); return 0;
    case 'o': options->out = without_slashes(text); return 0;
    case KEY_KIND: options->choice.kind = kind_of(state, text); return 0;
    case KEY_WEIGHTS: options->has_half_weights = is_half(state, text); return 0;
    case KEY_TARGETS:
        options->lora_only = "targets";
        take_targets(state, &options->choice, text);
        options->targets = text;
        return 0;
    case 'j': options->as_json = true; return 0;
    case ARGP_KEY_END:
        if (options->choice.kind == SOTTO_ADAPTER_NORM_BIAS && options->lora_only != NULL)
            sotto_console_refuse(state, "--%s is of a LoRA: leave it out with --kind norm-bias",
                                 options->lora_only);
        if (options->place.folder[0] != '\0' && options->place.images != NULL)
            sotto_console_refuse(state, "give --examples or --images, not both");
        if (!is_complete(options))
            sotto_console_refuse(
                state, "--model, --out, and --examples or --images with --image-labels are "
                       "needed");
        return 0;
    }
    return parse_number(key, text, state);
}

static enum sotto_status run_open(struct run *run, const struct options *options,
                                  struct sotto_fault *fault)
{
    struct sotto_entropy entropy;
    enum sotto_status status = sotto_peft_check(options->out, fault);

    if (status == SOTTO_OK)
        status = sotto_model_open_on(
            &run->model, options->model, NULL,
            options->has_half_weights ? SOTTO_WEIGHTS_BFLOAT16 : SOTTO_WEIGHTS_FLOAT32, fault);
    if (status == SOTTO_OK && options->choice.label_count == 0 &&
        sotto_model_arch(run->model)->task != SOTTO_TASK_CAUSAL_LM)
        status = sotto_fault_set(fault, SOTTO_MALFORMED,
                                 "%s classifies: give the names of its classes with --labels",
                                 options->model);
    if (status == SOTTO_OK)
        status =
            sotto_target_names_check(options->targets, sotto_model_arch(run->model)->family, fault);
    if (status == SOTTO_OK && sotto_threads_open(&run->threads, options->thread_count) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "the system gives no %u threads",
                                 options->thread_count);
    if (status == SOTTO_OK)
        status = sotto_layout_derive(&run->layout, sotto_model_arch(run->model), &options->choice,
                                     fault);
    if (status == SOTTO_OK)
        status = sotto_examples_open(&run->examples, &options->place, &options->choice, run->model,
                                     fault);
    if (status == SOTTO_OK && run->examples.note[0] != '\0')
        sotto_console_say("%s: %s", options->place.folder, run->examples.note);
    if (status == SOTTO_OK)
        status = sotto_trainer_open(&run->trainer, run->model, &run->layout, options->fit.batch,
                                    run->threads, fault);
    if (status != SOTTO_OK)
        return status;
    run->lanes = malloc(run->layout.lane_count * sizeof *run->lanes);
    if (run->lanes == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the adapter");
    sotto_entropy_init_seeded(&entropy, options->fit.seed);
    status = sotto_model_start(run->lanes, run->model, &run->layout, &entropy, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_trainer_load(run->trainer, run->lanes, run->layout.lane_count);
}

static void run_close(struct run *run)
{
    free(run->lanes);
    if (run->trainer != NULL)
        sotto_trainer_close(run->trainer);
    sotto_threads_close(run->threads);
    sotto_examples_close(&run->examples);
    if (run->model != NULL)
        sotto_model_close(run->model);
}

static void print_result(const struct run *run, const struct options *options,
                         const struct sotto_fit_result *result, double seconds)
{
    json_t *report = NULL;

    if (!options->as_json) {
        printf("%zu examples, %zu steps in %.1f s, loss %.4f to %.4f: %s\n",
               run->examples.dataset.count, result->step_count, seconds, result->loss_first,
               result->loss_last, options->out);
        return;
    }
    report = json_pack(
        "{s:I, s:I, s:f, s:f, s:f, s:o}", "examples", (json_int_t)run->examples.dataset.count,
        "steps", (json_int_t)result->step_count, "loss_first", result->loss_first, "loss_last",
        result->loss_last, "seconds", seconds, "adapter", sotto_bench_path(options->out));
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(report);
}

static enum sotto_status train(struct run *run, struct options *options, struct sotto_fault *fault)
{
    struct sotto_clock clock;
    struct sotto_fit_result result;
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    struct sotto_digest digest;
    const struct sotto_peft_base base = {options->model, &digest};
    uint64_t start_ns = 0;
    enum sotto_status status = SOTTO_OK;

    sotto_clock_init_system(&clock);
    start_ns = sotto_clock_steady_ns(&clock);
    options->fit.learning_rate_end = options->fit.learning_rate_start * rate_end_share;
    status = sotto_trainer_fit(run->trainer, &run->examples.dataset, &options->fit, &result);
    if (status == SOTTO_MALFORMED)
        return sotto_fault_set(fault, status,
                               "training left the finite numbers: lower --learning-rate");
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "no memory to train: lower --batch or --threads, or give fewer "
                               "examples");
    sotto_trainer_save(run->trainer, run->lanes);
    sotto_base_digest(&digest, parts, sotto_model_parts(run->model, parts));
    status = sotto_peft_write(options->out, run->lanes, &run->layout, &base, fault);
    if (status == SOTTO_OK)
        print_result(run, options, &result,
                     (double)(sotto_clock_steady_ns(&clock) - start_ns) / 1e9);
    return status;
}

enum sotto_status sotto_command_train(int argument_count, char **arguments,
                                      struct sotto_fault *fault)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .doc = "Trains an adapter on local examples alone, without any federation."};
    struct options options = {
        .place = {.folder = ""},
        .targets = "all-linear",
        .choice = {.rank = 8, .alpha = 16},
        .fit = {.epochs = 10, .batch = 32, .learning_rate_start = 3e-3, .weight_decay = 0.01},
    };
    struct run run = {0};
    enum sotto_status status =
        sotto_target_set_parse(&options.choice.target_set, "all-linear", fault);

    if (status != SOTTO_OK)
        return status;
    options.fit.seed = 1;
    options.thread_count = 1;
    argp_parse(&argp, argument_count, arguments, 0, NULL, &options);
    status = run_open(&run, &options, fault);
    if (status == SOTTO_OK)
        status = train(&run, &options, fault);
    run_close(&run);
    return status;
}
