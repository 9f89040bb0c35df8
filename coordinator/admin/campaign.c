#include "coordinator/admin/campaign.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/admin/start.h"
#include "coordinator/admin/wish.h"
#include "crypto/primitives/hash.h"

enum { OPTION_NEW_MOMENTS = 256 };

/* What becomes of a wish once the model was read: the three things that are uploaded. */
struct draft {
    struct sotto_layout layout;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    float *adapter; /* lanes and manifest */
    size_t adapter_length;
};

/* The folder's own name stands for the model in adapter_config.json. */
static void base_name_set(struct sotto_definition *definition, const char *folder)
{
    size_t length = strlen(folder);
    size_t first;

    while (length > 1 && folder[length - 1] == '/')
        length--;
    for (first = length; first > 0 && folder[first - 1] != '/'; first--)
        ;
    snprintf(definition->base_name, sizeof definition->base_name, "%.*s", (int)(length - first),
             folder + first);
}

static enum sotto_status draft_fill(struct draft *draft, struct sotto_wish *wish,
                                    const struct sotto_model_files *files,
                                    struct sotto_fault *fault)
{
    struct sotto_definition *definition = &wish->definition;
    struct sotto_buffer out = sotto_buffer_of(draft->layout_bytes, sizeof draft->layout_bytes);
    struct sotto_view parts[2];
    enum sotto_status status;

    if (files->arch.task != SOTTO_TASK_CAUSAL_LM && wish->choice.label_count == 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "name the classes with --labels A,B,...");
    status = sotto_target_names_check(wish->targets, files->arch.family, fault);
    if (status == SOTTO_OK)
        status = sotto_target_names_check(wish->rank_pattern, files->arch.family, fault);
    if (status == SOTTO_OK)
        status = sotto_layout_derive(&draft->layout, &files->arch, &wish->choice, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_layout_encode(&out, &draft->layout);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the layout cannot be written");
    draft->adapter_length = sotto_manifest_adapter_bytes(&draft->layout);
    status =
        sotto_start_draw(&draft->adapter, &draft->layout, files, (uint32_t)definition->seed, fault);
    if (status != SOTTO_OK)
        return status;
    draft->layout_length = out.length;
    base_name_set(definition, wish->model);
    sotto_definition_lanes_set(definition, &draft->layout);
    parts[0] = sotto_view_of(draft->layout_bytes, draft->layout_length);
    parts[1] =
        sotto_manifest_of(sotto_view_of(draft->adapter, draft->adapter_length), &draft->layout);
    sotto_hash_list(&definition->layout, "sotto/1 layout", parts, 1);
    sotto_hash_list(&definition->adapter, "sotto/1 adapter", parts, 2);
    return sotto_definition_check(definition, fault);
}

static enum sotto_status draft_make(struct draft *draft, struct sotto_wish *wish,
                                    struct sotto_fault *fault)
{
    struct sotto_model_files files;
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    enum sotto_status status = sotto_model_files_open(&files, wish->model, fault);

    if (status != SOTTO_OK)
        return status;
    sotto_hash_list(&wish->definition.base_model, "sotto/1 model", parts,
                    sotto_model_files_parts(&files, parts));
    status = draft_fill(draft, wish, &files, fault);
    sotto_model_files_close(&files);
    return status;
}

static enum sotto_status put(struct sotto_session *session, const char *path,
                             struct sotto_view body, struct sotto_fault *fault)
{
    struct sotto_session_call call = {.method = "PUT", .path = path, .body = body};
    enum sotto_status status = sotto_session_exchange(session, &call, fault);

    if (status == SOTTO_OK)
        free(call.answer);
    return status;
}

static enum sotto_status draft_upload(struct sotto_session *session, const struct draft *draft,
                                      const struct sotto_definition *definition,
                                      struct sotto_fault *fault)
{
    char layout[SOTTO_DIGEST_HEX], adapter[SOTTO_DIGEST_HEX];
    char path[256];
    enum sotto_status status;

    sotto_digest_hex(layout, &definition->layout);
    sotto_digest_hex(adapter, &definition->adapter);
    snprintf(path, sizeof path, "/v1/admin/items/layout/%s", layout);
    status = put(session, path, sotto_view_of(draft->layout_bytes, draft->layout_length), fault);
    if (status != SOTTO_OK)
        return status;
    snprintf(path, sizeof path, "/v1/admin/items/adapter/%s?layout=%s", adapter, layout);
    return put(session, path, sotto_view_of(draft->adapter, draft->adapter_length), fault);
}

static enum sotto_status definition_post(struct sotto_session *session,
                                         const struct sotto_definition *definition,
                                         struct sotto_fault *fault)
{
    char *text = sotto_definition_encode(definition);
    struct sotto_session_call call = {.method = "POST", .path = "/v1/admin/campaigns"};
    enum sotto_status status;

    if (text == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the definition");
    call.body = sotto_view_text(text);
    status = sotto_session_exchange(session, &call, fault);
    free(text);
    if (status == SOTTO_OK)
        free(call.answer);
    return status;
}

enum sotto_status sotto_command_campaign_create(struct sotto_session *session,
                                                const struct sotto_command_line *line,
                                                struct sotto_fault *fault)
{
    struct sotto_wish *wish = malloc(sizeof *wish);
    struct draft *draft = calloc(1, sizeof *draft);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (wish == NULL || draft == NULL) {
        sotto_fault_set(fault, status, "no memory for a campaign");
        goto done;
    }
    sotto_wish_parse(wish, line);
    status = draft_make(draft, wish, fault);
    if (status == SOTTO_OK)
        status = draft_upload(session, draft, &wish->definition, fault);
    if (status == SOTTO_OK)
        status = definition_post(session, &wish->definition, fault);
    if (status == SOTTO_OK)
        fprintf(stderr,
                "campaign %s is made: %u lanes, method %s, seed %" PRId64
                "; start it with 'sotto-admin campaign start %s'\n",
                wish->definition.name, wish->definition.lane_count,
                sotto_method_names[wish->definition.method], wish->definition.seed,
                wish->definition.name);
    free(draft->adapter);
done:
    free(draft);
    free(wish);
    return status;
}

static enum sotto_status campaign_tell(struct sotto_session *session, const char *name,
                                       const char *rest, struct sotto_fault *fault)
{
    char path[256];
    json_t *answer = NULL;
    enum sotto_status status = sotto_command_path(path, "campaigns", name, rest, fault);

    if (status == SOTTO_OK)
        status = sotto_session_ask(session, &answer, "POST", path, NULL, fault);
    json_decref(answer);
    return status;
}

struct start_wish {
    const char *name;
    bool is_renewed;
};

static error_t start_parse(int key, char *argument, struct argp_state *state)
{
    struct start_wish *wish = state->input;

    switch (key) {
    case OPTION_NEW_MOMENTS: wish->is_renewed = true; return 0;
    case ARGP_KEY_ARG:
        if (wish->name != NULL)
            argp_error(state, "one campaign at a time");
        wish->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (wish->name == NULL)
            argp_error(state, "name the campaign");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

enum sotto_status sotto_command_campaign_start(struct sotto_session *session,
                                               const struct sotto_command_line *line,
                                               struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"new-moments", OPTION_NEW_MOMENTS, NULL, 0,
         "Begin the server optimiser's moments anew, as when they are lost", 0},
        {0}};
    static const struct argp parser = {
        .options = options,
        .parser = start_parse,
        .args_doc = "CAMPAIGN",
        .doc = "Starts a campaign, or goes on with one that was paused or stopped."};
    struct start_wish wish = {0};

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &wish);
    return campaign_tell(session, wish.name, wish.is_renewed ? "/start?moments=new" : "/start",
                         fault);
}

enum sotto_status sotto_command_campaign_stop(struct sotto_session *session,
                                              const struct sotto_command_line *line,
                                              struct sotto_fault *fault)
{
    const char *name = NULL;

    sotto_command_parse(line, "NAME", &name, NULL,
                        "Stops the running campaign; its present round is abandoned.");
    return campaign_tell(session, name, "/stop", fault);
}
