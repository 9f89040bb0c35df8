#include "coordinator/admin/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/admin/command.h"
#include "crypto/primitives/hash.h"

/* Of the last round that finished; without any, the one that the campaign began with. */
static enum sotto_status newest_of(struct sotto_digest *digest, const json_t *campaign,
                                   struct sotto_fault *fault)
{
    const char *hex = NULL;
    const json_t *round;
    size_t index;

    json_array_foreach(json_object_get(campaign, "rounds"), index, round)
    {
        const char *outcome = json_string_value(json_object_get(round, "outcome"));

        if (outcome != NULL && strcmp(outcome, "finished") == 0)
            hex = json_string_value(json_object_get(round, "adapter"));
    }
    if (hex != NULL && sotto_hex_decode(digest->bytes, sizeof digest->bytes, hex) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the coordinator sent a round that names no adapter");
    return SOTTO_OK;
}

static enum sotto_status definition_take(struct sotto_copy *copy, const json_t *campaign,
                                         struct sotto_fault *fault)
{
    char *text = json_dumps(json_object_get(campaign, "definition"), 0);
    enum sotto_status status;

    if (text == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "the coordinator sent no definition");
    status = sotto_definition_decode(&copy->definition, sotto_view_text(text), fault);
    free(text);
    return status;
}

static enum sotto_status item_get(struct sotto_session *session, const char *kind,
                                  const struct sotto_digest *digest,
                                  struct sotto_session_call *call, struct sotto_fault *fault)
{
    char hex[SOTTO_DIGEST_HEX];
    char path[256];

    sotto_digest_hex(hex, digest);
    snprintf(path, sizeof path, "/v1/admin/items/%s/%s", kind, hex);
    *call = (struct sotto_session_call){.method = "GET", .path = path};
    return sotto_session_exchange(session, call, fault);
}

static struct sotto_view answer_of(const struct sotto_session_call *call)
{
    return sotto_view_of(call->answer, call->answer_length);
}

static enum sotto_status layout_take(struct sotto_copy *copy, struct sotto_session *session,
                                     struct sotto_fault *fault)
{
    struct sotto_view bytes;
    struct sotto_digest digest;
    enum sotto_status status =
        item_get(session, "layout", &copy->definition.layout, &copy->layout_call, fault);

    if (status != SOTTO_OK)
        return status;
    bytes = answer_of(&copy->layout_call);
    sotto_hash_list(&digest, "sotto/1 layout", &bytes, 1);
    if (!sotto_digest_equal(&digest, &copy->definition.layout))
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the coordinator sent another layout than the campaign's");
    if (sotto_layout_decode(&copy->layout, bytes) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the coordinator sent a layout that does not parse");
    return SOTTO_OK;
}

static enum sotto_status adapter_take(struct sotto_copy *copy, struct sotto_session *session,
                                      const struct sotto_digest *wanted, struct sotto_fault *fault)
{
    struct sotto_view bytes;
    struct sotto_view parts[2] = {answer_of(&copy->layout_call)};
    struct sotto_digest digest;
    enum sotto_status status = item_get(session, "adapter", wanted, &copy->adapter_call, fault);

    if (status != SOTTO_OK)
        return status;
    bytes = answer_of(&copy->adapter_call);
    status = sotto_manifest_check(bytes, &copy->layout, sotto_hash, fault);
    if (status != SOTTO_OK)
        return status;
    parts[1] = sotto_manifest_of(bytes, &copy->layout);
    sotto_hash_list(&digest, "sotto/1 adapter", parts, 2);
    if (!sotto_digest_equal(&digest, wanted))
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the coordinator sent another adapter than the campaign's");
    copy->lanes = (const float *)(const void *)bytes.at;
    return SOTTO_OK;
}

static enum sotto_status fetch(struct sotto_copy *copy, struct sotto_session *session,
                               const char *name, enum sotto_copy_version version,
                               struct sotto_fault *fault)
{
    char path[256];
    json_t *campaign = NULL;
    struct sotto_digest wanted;
    enum sotto_status status = sotto_command_path(path, "campaigns", name, "", fault);

    if (status == SOTTO_OK)
        status = sotto_session_ask(session, &campaign, "GET", path, NULL, fault);
    if (status == SOTTO_OK)
        status = definition_take(copy, campaign, fault);
    if (status == SOTTO_OK) {
        wanted = copy->definition.adapter;
        if (version == SOTTO_COPY_NEWEST)
            status = newest_of(&wanted, campaign, fault);
    }
    if (status == SOTTO_OK)
        status = layout_take(copy, session, fault);
    if (status == SOTTO_OK)
        status = adapter_take(copy, session, &wanted, fault);
    json_decref(campaign);
    return status;
}

enum sotto_status sotto_copy_open(struct sotto_copy **copy, struct sotto_session *session,
                                  const char *name, enum sotto_copy_version version,
                                  struct sotto_fault *fault)
{
    enum sotto_status status;

    *copy = calloc(1, sizeof **copy);
    if (*copy == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for an adapter");
    status = fetch(*copy, session, name, version, fault);
    if (status != SOTTO_OK) {
        sotto_copy_close(*copy);
        *copy = NULL;
    }
    return status;
}

void sotto_copy_close(struct sotto_copy *copy)
{
    if (copy == NULL)
        return;
    free(copy->layout_call.answer);
    free(copy->adapter_call.answer);
    free(copy);
}

enum sotto_status sotto_copy_check_base(const struct sotto_copy *copy,
                                        const struct sotto_model_files *files, const char *folder,
                                        struct sotto_fault *fault)
{
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    struct sotto_digest own;
    char base_hex[SOTTO_DIGEST_HEX];
    char own_hex[SOTTO_DIGEST_HEX];

    sotto_hash_list(&own, "sotto/1 model", parts, sotto_model_files_parts(files, parts));
    if (sotto_digest_equal(&own, &copy->definition.base_model))
        return SOTTO_OK;
    sotto_digest_hex(base_hex, &copy->definition.base_model);
    sotto_digest_hex(own_hex, &own);
    return sotto_fault_set(fault, SOTTO_MISMATCH,
                           "campaign %s is for the base model %.12s..., and %s is %.12s...: give "
                           "the model that it was made for",
                           copy->definition.name, base_hex, folder, own_hex);
}
