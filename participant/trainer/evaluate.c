#include "participant/trainer/evaluate.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/console/console.h"
#include "participant/trainer/bench.h"
#include "participant/trainer/examples.h"

struct options {
    const char *model;
    const char *adapter;
    struct sotto_examples_place place;
    const char *mix; /* or NULL */
    bool as_json;
};

enum { KEY_IMAGES = 256, KEY_LABELS, KEY_COUNT, KEY_CHAT, KEY_LENGTH, KEY_MIX };

static const struct argp_option option_table[] = {
    {"model", 'm', "DIR", 0, "Base model directory", 0},
    {"adapter", 'a', "DIR", 0, "Adapter directory (PEFT)", 0},
    {"examples", 'e', "DIR", 0, "Folder with one folder of pictures a label, or a file of texts",
     0},
    {"images", KEY_IMAGES, "IDX", 0, "Or: IDX file of pictures, plain or gzip", 0},
    {"labels", KEY_LABELS, "IDX", 0, "And the IDX file of their labels", 0},
    {"count", KEY_COUNT, "N", 0, "And how many of them, the first (all)", 0},
    {"chat", KEY_CHAT, "FORMAT", 0, "Of conversations: chatml, llama2, llama3, mistral, zephyr", 0},
    {"text-length", KEY_LENGTH, "N", 0, "Tokens of a text that are used (as the model takes)", 0},
    {"mix", KEY_MIX, "DIR", 0, "Expect labels as frequent as in these examples (all alike)", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0},
};

static bool is_complete(const struct options *options)
{
    bool has_folder = options->place.folder[0] != '\0';
    bool has_idx = options->place.images != NULL && options->place.labels != NULL;
    bool has_any_idx = options->place.images != NULL || options->place.labels != NULL;

    if (options->model == NULL || options->adapter == NULL)
        return false;
    return has_folder ? !has_any_idx : has_idx;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'm': options->model = text; return 0;
    case 'a': options->adapter = text; return 0;
    case 'e': options->place.folder = text; return 0;
    case KEY_IMAGES: options->place.images = text; return 0;
    case KEY_LABELS: options->place.labels = text; return 0;
    case KEY_COUNT:
        options->place.count = sotto_console_whole(state, "count", text, 1, SOTTO_DATASET_MAX);
        return 0;
    case KEY_MIX: options->mix = text; return 0;
    case KEY_CHAT: options->place.chat = text; return 0;
    case KEY_LENGTH:
        options->place.text_length =
            (uint32_t)sotto_console_whole(state, "text-length", text, 1, SOTTO_TEXT_LENGTH_MAX);
        return 0;
    case 'j': options->as_json = true; return 0;
    case ARGP_KEY_END:
        if (options->place.count > 0 && options->place.images == NULL)
            sotto_console_refuse(state, "--count is for --images alone");
        if (!is_complete(options))
            sotto_console_refuse(state,
                                 "--model, --adapter, and --examples or --images with --labels are "
                                 "needed");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static void print_score(const struct sotto_score *score, bool as_json)
{
    double accuracy = score->count == 0 ? 0 : (double)score->correct / (double)score->count;
    json_t *report = NULL;

    if (!as_json) {
        printf("%zu of %zu right: accuracy %.4f, mean loss %.4f\n", score->correct, score->count,
               accuracy, score->loss_mean);
        return;
    }
    report = json_pack("{s:I, s:I, s:f, s:f}", "count", (json_int_t)score->count, "correct",
                       (json_int_t)score->correct, "accuracy", accuracy, "loss", score->loss_mean);
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(report);
}

/* Makes the adapter expect the labels of --mix. */
static enum sotto_status expect(struct sotto_bench *bench, const struct options *options,
                                struct sotto_fault *fault)
{
    struct sotto_examples_place place = options->place;
    struct sotto_examples mix;
    enum sotto_status status;

    if (options->mix == NULL)
        return SOTTO_OK;
    place.folder = options->mix;
    status = sotto_examples_open(&mix, &place, &bench->layout.choice, bench->model, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_bench_expect(bench, &mix.dataset, fault);
    sotto_examples_close(&mix);
    return status;
}

/* Tells which example it is whose loss is no finite number. */
static enum sotto_status refuse_score(struct sotto_bench *bench,
                                      const struct sotto_examples *examples,
                                      const struct options *options, struct sotto_fault *fault)
{
    const char *name =
        options->place.images != NULL ? options->place.images : options->place.folder;
    uint32_t found = 0;
    enum sotto_status status = SOTTO_OK;

    for (uint32_t i = 0; i < examples->dataset.count && status == SOTTO_OK; i++) {
        struct sotto_dataset one;
        struct sotto_score score = {0};

        status = sotto_dataset_open_subset(&one, &examples->dataset, &i, 1);
        if (status != SOTTO_OK)
            break;
        status = sotto_trainer_evaluate(bench->trainer, &one, &score);
        sotto_dataset_close(&one);
        found = i;
        if (!isfinite(score.loss_mean))
            break;
    }
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "%s: example %" PRIu32
                           ": the model gives no finite score: the weights of "
                           "the adapter in %s, or of the model, are too large, use others",
                           name, found + 1, options->adapter);
}

static enum sotto_status evaluate(struct sotto_bench *bench, const struct options *options,
                                  struct sotto_fault *fault)
{
    struct sotto_examples examples;
    struct sotto_score score;
    enum sotto_status status =
        sotto_examples_open(&examples, &options->place, &bench->layout.choice, bench->model, fault);

    if (status != SOTTO_OK)
        return status;
    if (examples.note[0] != '\0')
        sotto_console_say("%s: %s", options->place.folder, examples.note);
    status = sotto_trainer_evaluate(bench->trainer, &examples.dataset, &score);
    if (status != SOTTO_OK)
        sotto_fault_set(fault, status,
                        "the examples do not fit the model, or there is no memory "
                        "to evaluate them");
    else if (!isfinite(score.loss_mean))
        status = refuse_score(bench, &examples, options, fault);
    else
        print_score(&score, options->as_json);
    sotto_examples_close(&examples);
    return status;
}

enum sotto_status sotto_command_evaluate(int argument_count, char **arguments,
                                         struct sotto_fault *fault)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .doc = "Counts how many of the examples an adapter gets right, or, "
               "of a language model, how many tokens of their answers."};
    struct options options = {.place = {.folder = ""}};
    struct sotto_bench bench;
    enum sotto_status status = SOTTO_OK;

    argp_parse(&argp, argument_count, arguments, 0, NULL, &options);
    status = sotto_bench_open(&bench, options.model, options.adapter, fault);
    if (status != SOTTO_OK)
        return status;
    status = expect(&bench, &options, fault);
    if (status == SOTTO_OK)
        status = evaluate(&bench, &options, fault);
    sotto_bench_close(&bench);
    return status;
}
