#include "coordinator/admin/start.h"

#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/admin/copy.h"
#include "core/console/console.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/origin.h"

enum { OPTION_MODEL = 256 };

/* Logarithms and cosines of another library may differ in their last bit. */
static const double rounding = 1e-6;

enum sotto_status sotto_start_draw(float **adapter, const struct sotto_layout *layout,
                                   const struct sotto_model_files *files, uint32_t seed,
                                   struct sotto_fault *fault)
{
    struct sotto_entropy entropy;
    float *drawn = malloc(sotto_manifest_adapter_bytes(layout));
    enum sotto_status status;

    *adapter = NULL;
    if (drawn == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the adapter");
    sotto_entropy_init_seeded(&entropy, seed);
    sotto_layout_start(drawn, layout, &entropy);
    status = sotto_origin_start(drawn, layout, &files->checkpoint, fault);
    if (status != SOTTO_OK) {
        free(drawn);
        return status;
    }
    sotto_manifest_write(drawn, layout, sotto_hash);
    *adapter = drawn;
    return SOTTO_OK;
}

struct verify_wish {
    const char *name;
    const char *model;
};

static error_t verify_parse(int key, char *argument, struct argp_state *state)
{
    struct verify_wish *wish = state->input;

    switch (key) {
    case OPTION_MODEL: wish->model = argument; return 0;
    case ARGP_KEY_ARG:
        if (wish->name != NULL)
            sotto_console_refuse(state, "one campaign at a time");
        wish->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (wish->name == NULL || wish->model == NULL)
            sotto_console_refuse(state, "name the campaign, and its base model with --model DIR");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* *largest is the largest difference in a tensor, the first in which it is more than rounding. */
static size_t compare(double *largest, const struct sotto_copy *copy, const float *drawn)
{
    *largest = 0;
    for (size_t i = 0; i < copy->layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &copy->layout.tensors[i];
        size_t end = tensor->first + (size_t)tensor->rows * tensor->columns;

        for (size_t lane = tensor->first; lane < end; lane++)
            *largest = fmax(*largest, fabs((double)drawn[lane] - copy->lanes[lane]));
        if (*largest > rounding)
            return i;
    }
    return copy->layout.tensor_count;
}

static enum sotto_status tell(const struct sotto_copy *copy, const float *drawn,
                              struct sotto_fault *fault)
{
    char hex[SOTTO_DIGEST_HEX], tensor[SOTTO_TENSOR_TEXT_MAX + 1];
    double largest;
    size_t first = compare(&largest, copy, drawn);

    if (first < copy->layout.tensor_count) {
        sotto_layout_tensor_name(tensor, &copy->layout, first);
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "campaign %s does not begin with what seed %" PRId64
                               " draws: tensor %s is another one",
                               copy->definition.name, copy->definition.seed, tensor);
    }
    sotto_digest_hex(hex, &copy->definition.adapter);
    printf("campaign %s begins with what seed %" PRId64 " draws%s: %s\n", copy->definition.name,
           copy->definition.seed, largest > 0 ? ", but for this machine's rounding" : "", hex);
    return SOTTO_OK;
}

static enum sotto_status verify(const struct sotto_copy *copy, const char *model,
                                struct sotto_fault *fault)
{
    struct sotto_model_files files;
    float *drawn = NULL;
    enum sotto_status status;

    if (copy->definition.seed < 0)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "campaign %s has no seed: what it begins with was uploaded, not "
                               "drawn",
                               copy->definition.name);
    status = sotto_model_files_open(&files, model, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_copy_check_base(copy, &files, model, fault);
    if (status == SOTTO_OK)
        status =
            sotto_start_draw(&drawn, &copy->layout, &files, (uint32_t)copy->definition.seed, fault);
    if (status == SOTTO_OK)
        status = tell(copy, drawn, fault);
    free(drawn);
    sotto_model_files_close(&files);
    return status;
}

enum sotto_status sotto_command_adapter_verify(struct sotto_session *session,
                                               const struct sotto_command_line *line,
                                               struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"model", OPTION_MODEL, "DIR", 0, "The campaign's base model directory", 0}, {0}};
    static const struct argp parser = {
        .options = options,
        .parser = verify_parse,
        .args_doc = "CAMPAIGN",
        .doc = "Draws the adapter that a campaign began with again, from the public seed in its "
               "definition, and compares."};
    struct verify_wish wish = {0};
    struct sotto_copy *copy;
    enum sotto_status status;

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &wish);
    status = sotto_copy_open(&copy, session, wish.name, SOTTO_COPY_FIRST, fault);
    if (status == SOTTO_OK)
        status = verify(copy, wish.model, fault);
    sotto_copy_close(copy);
    return status;
}
