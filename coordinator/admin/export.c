#include "coordinator/admin/export.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "models/adapter/peft.h"
#include "models/arch/files.h"
#include "models/export/gguf.h"
#include "models/export/merged.h"

enum { OPTION_OUT = 256, OPTION_MERGED, OPTION_GGUF, OPTION_MODEL };

struct export_wish {
    const char *name;
    const char *out;    /* a PEFT directory */
    const char *merged; /* or a model directory, of `model` with the adapter */
    const char *gguf;   /* or a file */
    const char *model;
};

/* Exactly one form, and a base model where the form needs one. */
static bool is_complete(const struct export_wish *wish)
{
    int forms = (wish->out != NULL) + (wish->merged != NULL) + (wish->gguf != NULL);

    return wish->name != NULL && forms == 1 && (wish->model != NULL) == (wish->out == NULL);
}

static error_t export_parse(int key, char *argument, struct argp_state *state)
{
    struct export_wish *wish = state->input;

    switch (key) {
    case OPTION_OUT: wish->out = argument; return 0;
    case OPTION_MERGED: wish->merged = argument; return 0;
    case OPTION_GGUF: wish->gguf = argument; return 0;
    case OPTION_MODEL: wish->model = argument; return 0;
    case ARGP_KEY_ARG:
        if (wish->name != NULL)
            sotto_console_refuse(state, "one campaign at a time");
        wish->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (!is_complete(wish))
            sotto_console_refuse(
                state, "name the campaign, and --out DIR, or --model DIR with --merged DIR "
                       "or --gguf FILE");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/*
 * The digest of the newest adapter: of the last round that finished, else the one that the campaign
 * began with.
 */
static const char *adapter_of(const json_t *campaign)
{
    const char *adapter =
        json_string_value(json_object_get(json_object_get(campaign, "definition"), "adapter"));
    const json_t *round;
    size_t index;

    json_array_foreach(json_object_get(campaign, "rounds"), index, round)
    {
        const char *outcome = json_string_value(json_object_get(round, "outcome"));

        if (outcome != NULL && strcmp(outcome, "finished") == 0)
            adapter = json_string_value(json_object_get(round, "adapter"));
    }
    return adapter;
}

static enum sotto_status item_get(struct sotto_session *session, const char *kind, const char *hex,
                                  struct sotto_session_call *call, struct sotto_fault *fault)
{
    char path[256];

    snprintf(path, sizeof path, "/v1/admin/items/%s/%.64s", kind, hex == NULL ? "" : hex);
    *call = (struct sotto_session_call){.method = "GET", .path = path};
    return sotto_session_exchange(session, call, fault);
}

/* Whether --model is the campaign's base model, where that form needs one. */
static enum sotto_status base_check(const struct export_wish *wish, const struct sotto_digest *base,
                                    struct sotto_fault *fault)
{
    struct sotto_model_files files;
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    struct sotto_digest own;
    char base_hex[SOTTO_DIGEST_HEX];
    char own_hex[SOTTO_DIGEST_HEX];
    enum sotto_status status = SOTTO_OK;

    if (wish->model == NULL)
        return SOTTO_OK;
    status = sotto_model_files_open(&files, wish->model, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_hash_list(&own, "sotto/1 model", parts, sotto_model_files_parts(&files, parts));
    sotto_model_files_close(&files);
    if (sotto_digest_equal(&own, base))
        return SOTTO_OK;
    sotto_digest_hex(base_hex, base);
    sotto_digest_hex(own_hex, &own);
    return sotto_fault_set(fault, SOTTO_MISMATCH,
                           "campaign %s is for the base model %.12s..., and %s is %.12s...: give "
                           "the model that it was made for",
                           wish->name, base_hex, wish->model, own_hex);
}

/* The form that was asked for. */
static enum sotto_status form_write(const struct export_wish *wish, const float *lanes,
                                    const struct sotto_layout *layout,
                                    const struct sotto_peft_base *base, struct sotto_fault *fault)
{
    if (wish->merged != NULL)
        return sotto_merged_write(wish->merged, wish->model, layout, lanes, fault);
    if (wish->gguf != NULL)
        return sotto_gguf_write(wish->gguf, wish->model, layout, lanes, fault);
    return sotto_peft_write(wish->out, lanes, layout, base, fault);
}

/* What the coordinator sent is the adapter of this digest, every tensor of it. */
static enum sotto_status adapter_check(const struct sotto_session_call *adapter, const char *hex,
                                       const struct sotto_layout *layout,
                                       struct sotto_view layout_bytes, struct sotto_fault *fault)
{
    struct sotto_view bytes = sotto_view_of(adapter->answer, adapter->answer_length);
    struct sotto_view parts[2] = {layout_bytes};
    struct sotto_digest digest;
    char found[SOTTO_DIGEST_HEX];
    enum sotto_status status = sotto_manifest_check(bytes, layout, sotto_hash, fault);

    if (status != SOTTO_OK)
        return status;
    parts[1] = sotto_manifest_of(bytes, layout);
    sotto_hash_list(&digest, "sotto/1 adapter", parts, 2);
    sotto_digest_hex(found, &digest);
    if (hex != NULL && strcmp(found, hex) == 0)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_FORGED,
                           "the coordinator sent another adapter than the campaign's newest");
}

static enum sotto_status adapter_write(const struct export_wish *wish, const char *hex,
                                       const struct sotto_session_call *layout,
                                       const struct sotto_session_call *adapter,
                                       const struct sotto_peft_base *base,
                                       struct sotto_fault *fault)
{
    struct sotto_view bytes = sotto_view_of(layout->answer, layout->answer_length);
    struct sotto_layout *decoded = calloc(1, sizeof *decoded);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (decoded != NULL)
        status = sotto_layout_decode(decoded, bytes);
    if (status != SOTTO_OK)
        sotto_fault_set(fault, status, "the coordinator sent a layout that does not parse");
    else
        status = adapter_check(adapter, hex, decoded, bytes, fault);
    if (status == SOTTO_OK)
        status =
            form_write(wish, (const float *)(const void *)adapter->answer, decoded, base, fault);
    free(decoded);
    return status;
}

/* The base model that the campaign's definition names; borrows the name from it. */
static enum sotto_status base_read(struct sotto_peft_base *base, struct sotto_digest *digest,
                                   const json_t *definition, struct sotto_fault *fault)
{
    const char *name = json_string_value(json_object_get(definition, "base_name"));
    const char *hex = json_string_value(json_object_get(definition, "base_model"));

    if (name == NULL || hex == NULL ||
        sotto_hex_decode(digest->bytes, sizeof digest->bytes, hex) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the coordinator sent a definition that names no base model");
    *base = (struct sotto_peft_base){name, digest};
    return SOTTO_OK;
}

static enum sotto_status campaign_export(struct sotto_session *session, const json_t *campaign,
                                         const struct export_wish *wish, struct sotto_fault *fault)
{
    const json_t *definition = json_object_get(campaign, "definition");
    struct sotto_session_call layout = {0}, adapter = {0};
    struct sotto_digest digest;
    struct sotto_peft_base base;
    enum sotto_status status = base_read(&base, &digest, definition, fault);

    if (status == SOTTO_OK)
        status = base_check(wish, &digest, fault);
    if (status == SOTTO_OK)
        status = item_get(session, "layout",
                          json_string_value(json_object_get(definition, "layout")), &layout, fault);
    if (status == SOTTO_OK)
        status = item_get(session, "adapter", adapter_of(campaign), &adapter, fault);
    if (status == SOTTO_OK)
        status = adapter_write(wish, adapter_of(campaign), &layout, &adapter, &base, fault);
    free(layout.answer);
    free(adapter.answer);
    return status;
}

enum sotto_status sotto_command_adapter_export(struct sotto_session *session,
                                               const struct sotto_command_line *line,
                                               struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"out", OPTION_OUT, "DIR", 0, "Write a PEFT directory; one that is there is replaced", 0},
        {"merged", OPTION_MERGED, "DIR", 0, "Or a model directory with the adapter in its weights",
         0},
        {"gguf", OPTION_GGUF, "FILE", 0, "Or a GGUF adapter of a language model, for llama.cpp", 0},
        {"model", OPTION_MODEL, "DIR", 0, "And the base model directory that these two need", 0},
        {0}};
    static const struct argp parser = {
        .options = options,
        .parser = export_parse,
        .args_doc = "CAMPAIGN",
        .doc = "Writes a campaign's newest adapter: as a PEFT directory, in a whole model, or for "
               "llama.cpp."};
    struct export_wish wish = {0};
    char path[256];
    json_t *campaign = NULL;
    enum sotto_status status;

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &wish);
    status = sotto_command_path(path, "campaigns", wish.name, "", fault);
    if (status == SOTTO_OK)
        status = sotto_session_ask(session, &campaign, "GET", path, NULL, fault);
    if (status == SOTTO_OK)
        status = campaign_export(session, campaign, &wish, fault);
    json_decref(campaign);
    if (status == SOTTO_OK)
        printf("%s\n", wish.out != NULL ? wish.out : wish.merged != NULL ? wish.merged : wish.gguf);
    return status;
}
