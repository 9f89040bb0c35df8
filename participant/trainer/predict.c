#include "participant/trainer/predict.h"

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#include "participant/trainer/bench.h"

struct options {
    const char *model;
    const char *adapter;
    bool as_json;
    char **photos;
    size_t photo_count;
};

struct prediction {
    uint32_t label;
    float probability;
};

static const struct argp_option option_table[] = {
    {"model", 'm', "DIR", 0, "Base model directory", 0},
    {"adapter", 'a', "DIR", 0, "Adapter directory (PEFT)", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'm': options->model = text; return 0;
    case 'a': options->adapter = text; return 0;
    case 'j': options->as_json = true; return 0;
    case ARGP_KEY_ARGS:
        options->photos = state->argv + state->next;
        options->photo_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (options->model == NULL || options->adapter == NULL || options->photo_count == 0)
            argp_error(state, "--model, --adapter and at least one PHOTO are needed");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static enum sotto_status predict(const struct sotto_bench *bench, const char *photo,
                                 struct prediction *best, struct sotto_fault *fault)
{
    struct sotto_picture_form form = sotto_model_picture_form(bench->model);
    uint8_t *pixels = malloc((size_t)form.channels * form.side * form.side);
    float probabilities[SOTTO_LABELS_MAX];
    struct sotto_dataset one = {
        .count = 1, .channels = form.channels, .side = form.side, .pixels = pixels};
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (pixels != NULL)
        status = sotto_picture_read(pixels, form, photo, fault);
    if (status == SOTTO_OK)
        status = sotto_trainer_predict(bench->trainer, probabilities, &one, 0);
    if (status == SOTTO_OK) {
        *best = (struct prediction){0, probabilities[0]};
        for (uint32_t label = 1; label < bench->layout.choice.label_count; label++)
            if (probabilities[label] > best->probability)
                *best = (struct prediction){label, probabilities[label]};
    }
    free(pixels);
    return status;
}

static enum sotto_status predict_all(const struct sotto_bench *bench, const struct options *options,
                                     json_t *rows, struct sotto_fault *fault)
{
    for (size_t index = 0; index < options->photo_count; index++) {
        const char *photo = options->photos[index];
        struct prediction best = {0};
        enum sotto_status status = predict(bench, photo, &best, fault);
        const char *label = bench->layout.choice.labels[best.label];

        if (status != SOTTO_OK)
            return status;
        if (options->as_json)
            json_array_append_new(rows, json_pack("{s:s, s:s, s:f}", "photo", photo, "label", label,
                                                  "probability", (double)best.probability));
        else
            printf("%s: %s %.3f\n", photo, label, (double)best.probability);
    }
    return SOTTO_OK;
}

enum sotto_status sotto_command_predict(int argument_count, char **arguments,
                                        struct sotto_fault *fault)
{
    static const struct argp argp = {.options = option_table,
                                     .parser = parse,
                                     .args_doc = "PHOTO...",
                                     .doc = "Names the label of each photo, with its probability."};
    struct options options = {0};
    struct sotto_bench bench;
    json_t *rows = NULL;
    enum sotto_status status = SOTTO_OK;

    argp_parse(&argp, argument_count, arguments, 0, NULL, &options);
    status = sotto_bench_open(&bench, options.model, options.adapter, fault);
    if (status != SOTTO_OK)
        return status;
    rows = json_array();
    status = predict_all(&bench, &options, rows, fault);
    if (status == SOTTO_OK && options.as_json) {
        json_dumpf(rows, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        printf("\n");
    }
    json_decref(rows);
    sotto_bench_close(&bench);
    return status;
}
