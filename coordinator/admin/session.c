#include "coordinator/admin/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/config.h"
#include "core/base/file.h"

enum { TIMEOUT_MS = 60000, CONNECT_MS = 5000 };

static const size_t answer_max = (size_t)1 << 30;

struct credential {
    char *url;
};

static const cyaml_schema_field_t credential_fields[] = {
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct credential, url, 1, 255),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t credential_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct credential, credential_fields),
};

static bool holds_credential(const char *folder)
{
    char path[SOTTO_SESSION_PATH_MAX];

    return sotto_path_join(path, sizeof path, folder, "admin.yaml") == SOTTO_OK &&
           access(path, R_OK) == 0;
}

static void folder_find(char out[SOTTO_SESSION_PATH_MAX])
{
    const char *configuration = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (configuration != NULL)
        snprintf(out, SOTTO_SESSION_PATH_MAX, "%s/sotto", configuration);
    else
        snprintf(out, SOTTO_SESSION_PATH_MAX, "%s/.config/sotto", home == NULL ? "" : home);
    if (!holds_credential(out))
        snprintf(out, SOTTO_SESSION_PATH_MAX, ".");
}

enum sotto_status sotto_session_open(struct sotto_session *session, const char *folder,
                                     struct sotto_fault *fault)
{
    *session = (struct sotto_session){0};
    if (folder == NULL)
        folder_find(session->folder);
    else if (snprintf(session->folder, sizeof session->folder, "%s", folder) >=
             (int)sizeof session->folder)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    return SOTTO_OK;
}

void sotto_session_close(struct sotto_session *session)
{
    if (session->client != NULL)
        sotto_client_close(session->client);
    *session = (struct sotto_session){0};
}

static enum sotto_status client_open(struct sotto_session *session, const char *url,
                                     struct sotto_fault *fault)
{
    const char *folder = session->folder;
    char certificate[SOTTO_SESSION_PATH_MAX], key[SOTTO_SESSION_PATH_MAX];
    char authority[SOTTO_SESSION_PATH_MAX];
    struct sotto_client_setup setup = {.url = url,
                                       .authority_path = authority,
                                       .certificate_path = certificate,
                                       .key_path = key,
                                       .connect_timeout_ms = CONNECT_MS};

    if (sotto_path_join(certificate, sizeof certificate, folder, "admin.pem") != SOTTO_OK ||
        sotto_path_join(key, sizeof key, folder, "admin.key") != SOTTO_OK ||
        sotto_path_join(authority, sizeof authority, folder, "ca.pem") != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    return sotto_client_open(&session->client, &setup, fault);
}

static enum sotto_status credential_open(struct sotto_session *session, struct sotto_fault *fault)
{
    char path[SOTTO_SESSION_PATH_MAX];
    const struct credential *credential;
    void *loaded;
    enum sotto_status status;

    if (sotto_path_join(path, sizeof path, session->folder, "admin.yaml") != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long",
                               session->folder);
    if (!holds_credential(session->folder) && errno != EACCES)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "%s is not there: name the folder that the coordinator's init made "
                               "with --credential DIR",
                               path);
    status = sotto_config_load(&loaded, path, &credential_schema, NULL, fault);
    if (status != SOTTO_OK)
        return status;
    credential = loaded;
    status = client_open(session, credential->url, fault);
    sotto_config_free(loaded, &credential_schema);
    return status;
}

static enum sotto_status status_of_http(int status)
{
    switch (status) {
    case 400:
    case 413: return SOTTO_MALFORMED;
    case 403: return SOTTO_REFUSED;
    case 404: return SOTTO_NOT_FOUND;
    case 409: return SOTTO_UNEXPECTED;
    }
    return status >= 200 && status < 300 ? SOTTO_OK : SOTTO_IO;
}

/* The sentence in a problem document. */
static enum sotto_status problem_read(const struct sotto_exchange *exchange,
                                      struct sotto_fault *fault)
{
    enum sotto_status status = status_of_http(exchange->status);
    json_t *problem = json_loadb((const char *)exchange->answer, exchange->answer_length, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    if (detail == NULL)
        detail = "the coordinator gave no reason";
    sotto_fault_set(fault, status, "%s (HTTP %d)", detail, exchange->status);
    json_decref(problem);
    return status;
}

enum sotto_status sotto_session_exchange(struct sotto_session *session,
                                         struct sotto_session_call *call, struct sotto_fault *fault)
{
    struct sotto_exchange exchange = {.method = call->method,
                                      .path = call->path,
                                      .body = call->body,
                                      .content_type = "application/json",
                                      .timeout_ms = TIMEOUT_MS,
                                      .answer_max = answer_max};
    enum sotto_status status = SOTTO_OK;

    call->answer = NULL;
    if (session->client == NULL)
        status = credential_open(session, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_client_exchange(session->client, &exchange, fault);
    session->is_unreachable = status == SOTTO_IO;
    if (status != SOTTO_OK)
        return status;
    if (status_of_http(exchange.status) != SOTTO_OK) {
        status = problem_read(&exchange, fault);
        free(exchange.answer);
        return status;
    }
    call->answer = exchange.answer;
    call->answer_length = exchange.answer_length;
    return SOTTO_OK;
}

enum sotto_status sotto_session_ask(struct sotto_session *session, json_t **answer,
                                    const char *method, const char *path, const json_t *body,
                                    struct sotto_fault *fault)
{
    struct sotto_session_call call = {.method = method, .path = path};
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    enum sotto_status status;

    *answer = NULL;
    if (text != NULL)
        call.body = sotto_view_text(text);
    status = sotto_session_exchange(session, &call, fault);
    free(text);
    if (status != SOTTO_OK)
        return status;
    *answer = json_loadb((const char *)call.answer, call.answer_length, 0, NULL);
    free(call.answer);
    if (*answer == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the coordinator's answer is not JSON: is it of another version?");
    return SOTTO_OK;
}
