#include "participant/trainer/predict.h"

#include <argp.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"
#include "participant/trainer/answer/answer.h"
#include "participant/trainer/bench.h"
#include "participant/trainer/examples.h"

enum { KEY_CHAT = 256, KEY_SYSTEM, KEY_TOKENS, KEY_TEMPERATURE, KEY_SEED, KEY_WEIGHTS };

struct options {
    const char *model;
    const char *adapter;
    bool as_json;
    bool has_half_weights;
    const char *answers_only; /* an option that only a language model has, or NULL */
    struct sotto_answer_wish wish;
    char **examples; /* paths of photos, or texts */
    size_t example_count;
};

struct prediction {
    uint32_t label;
    float probability;
};

static const struct argp_option option_table[] = {
    {"model", 'm', "DIR", 0, "Base model directory", 0},
    {"adapter", 'a', "DIR", 0, "Adapter directory (PEFT)", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {"weights", KEY_WEIGHTS, "KIND", 0, "Base in memory: float32, or bfloat16, faster (float32)",
     0},
    {NULL, 0, NULL, 0, "Of a language model's answers:", 1},
    {"chat", KEY_CHAT, "FORMAT", 0,
     "Put each TEXT as a question: chatml, llama2, llama3, mistral, zephyr (go on with it as it "
     "stands)",
     1},
    {"system", KEY_SYSTEM, "TEXT", 0, "System message before each question; with --chat", 1},
    {"tokens", KEY_TOKENS, "N", 0, "Tokens of an answer, at most (256)", 1},
    {"temperature", KEY_TEMPERATURE, "X", 0,
     "Draw tokens by their probabilities at X, 0: the most probable each time (0)", 1},
    {"seed", KEY_SEED, "N", 0, "Of the draws: the same gives the same answer (1)", 1},
    {0},
};

static bool is_half(struct argp_state *state, const char *text)
{
    if (strcmp(text, "float32") != 0 && strcmp(text, "bfloat16") != 0)
        sotto_console_refuse(state, "--weights must be float32 or bfloat16, not '%s'", text);
    return strcmp(text, "bfloat16") == 0;
}

static enum sotto_chat chat_of(struct argp_state *state, const char *text)
{
    enum sotto_chat chat = SOTTO_CHAT_NONE;
    struct sotto_fault fault;

    if (sotto_chat_parse(&chat, text, &fault) != SOTTO_OK)
        sotto_console_refuse(state, "--chat: %s", fault.text);
    return chat;
}

static error_t parse_wish(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;
    struct sotto_answer_wish *wish = &options->wish;

    switch (key) {
    case KEY_CHAT:
        options->answers_only = "chat";
        wish->chat = chat_of(state, text);
        return 0;
    case KEY_SYSTEM:
        options->answers_only = "system";
        wish->system = text;
        return 0;
    case KEY_TOKENS:
        options->answers_only = "tokens";
        wish->token_max =
            (uint32_t)sotto_console_whole(state, "tokens", text, 1, SOTTO_ANSWER_TOKENS_MAX);
        return 0;
    case KEY_TEMPERATURE:
        options->answers_only = "temperature";
        wish->temperature = sotto_console_real(state, "temperature", text);
        return 0;
    case KEY_SEED:
        options->answers_only = "seed";
        wish->seed = sotto_console_whole(state, "seed", text, 0, UINT64_MAX);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'm': options->model = text; return 0;
    case 'a': options->adapter = text; return 0;
    case 'j': options->as_json = options->wish.as_json = true; return 0;
    case KEY_WEIGHTS: options->has_half_weights = is_half(state, text); return 0;
    case ARGP_KEY_ARGS:
        options->examples = state->argv + state->next;
        options->example_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (options->model == NULL || options->adapter == NULL || options->example_count == 0)
            sotto_console_refuse(state,
                                 "--model, --adapter and at least one PHOTO or TEXT are needed");
        if (options->wish.system != NULL && options->wish.chat == SOTTO_CHAT_NONE)
            sotto_console_refuse(
                state, "--system needs a chat format to be said in: name it with --chat (chat "
                       "in site.yaml)");
        return 0;
    }
    return parse_wish(key, text, state);
}

/* Reads a photo as a dataset of one. */
static enum sotto_status open_photo(struct sotto_dataset *one, const struct sotto_bench *bench,
                                    const char *path, struct sotto_fault *fault)
{
    struct sotto_picture_form form = sotto_model_picture_form(bench->model);
    enum sotto_status status;

    *one = (struct sotto_dataset){.count = 1, .channels = form.channels, .side = form.side};
    one->pixels = malloc((size_t)form.channels * form.side * form.side);
    if (one->pixels == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory", path);
    status = sotto_picture_read(one->pixels, form, path, fault);
    if (status != SOTTO_OK)
        sotto_dataset_close(one);
    return status;
}

static enum sotto_status open_text(struct sotto_dataset *one, const struct sotto_bench *bench,
                                   const char *text, struct sotto_fault *fault)
{
    const struct sotto_examples_place place = {.folder = ""};
    struct sotto_text_form form;
    struct sotto_label_names labels;
    enum sotto_status status =
        sotto_examples_form(&form, &labels, &place, &bench->layout.choice, bench->model, fault);

    if (status == SOTTO_OK)
        status = sotto_dataset_open_text(one, sotto_view_text(text), "the text", &form, fault);
    return status;
}

static enum sotto_status predict(const struct sotto_bench *bench, const char *example,
                                 struct prediction *best, struct sotto_fault *fault)
{
    float probabilities[SOTTO_LABELS_MAX];
    struct sotto_dataset one;
    enum sotto_status status = sotto_model_tokeniser(bench->model) != NULL
                                   ? open_text(&one, bench, example, fault)
                                   : open_photo(&one, bench, example, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_trainer_predict(bench->trainer, probabilities, &one, 0);
    sotto_dataset_close(&one);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the example does not fit the model");
    if (!isfinite(probabilities[0]))
        return sotto_fault_set(
            fault, SOTTO_MALFORMED,
            "%.300s: the model gives no finite score: the weights of the adapter, "
            "or of the model, are too large, use others",
            example);
    *best = (struct prediction){0, probabilities[0]};
    for (uint32_t label = 1; label < bench->layout.choice.label_count; label++)
        if (probabilities[label] > best->probability)
            *best = (struct prediction){label, probabilities[label]};
    return SOTTO_OK;
}

static enum sotto_status predict_all(const struct sotto_bench *bench, const struct options *options,
                                     json_t *rows, struct sotto_fault *fault)
{
    bool is_text = sotto_model_tokeniser(bench->model) != NULL;

    for (size_t index = 0; index < options->example_count; index++) {
        const char *example = options->examples[index];
        struct prediction best = {0};
        enum sotto_status status = predict(bench, example, &best, fault);
        const char *label = bench->layout.choice.labels[best.label];

        if (status != SOTTO_OK)
            return status;
        if (options->as_json) {
            json_array_append_new(rows, json_pack("{s:o, s:s, s:f}", is_text ? "text" : "photo",
                                                  sotto_bench_path(example), "label", label,
                                                  "probability", (double)best.probability));
            continue;
        }
        sotto_console_show(example, is_text ? SOTTO_TEXT_SHOWN : SIZE_MAX);
        printf(": %s %.3f\n", label, (double)best.probability);
    }
    return SOTTO_OK;
}

/* Labels with their probabilities. */
static enum sotto_status classify(struct sotto_bench *bench, const struct options *options,
                                  struct sotto_fault *fault)
{
    json_t *rows;
    enum sotto_status status;

    if (options->answers_only != NULL)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "--%s is for answers of a language model, and %s names labels: "
                               "leave it out",
                               options->answers_only, options->model);
    status = sotto_bench_open_trainer(bench, fault);
    if (status != SOTTO_OK)
        return status;
    rows = json_array();
    status = predict_all(bench, options, rows, fault);
    if (status == SOTTO_OK && options->as_json) {
        json_dumpf(rows, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        printf("\n");
    }
    json_decref(rows);
    return status;
}

enum sotto_status sotto_command_predict(int argument_count, char **arguments,
                                        struct sotto_fault *fault)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "PHOTO|TEXT...",
        .doc = "Names the label of each photo, or text, with its probability; a language model "
               "answers each text instead."};
    struct options options = {.wish = {.token_max = SOTTO_ANSWER_TOKENS, .seed = 1}};
    struct sotto_bench bench;
    enum sotto_status status;

    argp_parse(&argp, argument_count, arguments, 0, NULL, &options);
    status = sotto_bench_open_adapter(&bench, options.model,
                                      options.has_half_weights ? SOTTO_WEIGHTS_BFLOAT16
                                                               : SOTTO_WEIGHTS_FLOAT32,
                                      options.adapter, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_model_arch(bench.model)->task == SOTTO_TASK_CAUSAL_LM
                 ? sotto_answer_texts(&bench, &options.wish, options.examples,
                                      options.example_count, fault)
                 : classify(&bench, &options, fault);
    sotto_bench_close(&bench);
    return status;
}
