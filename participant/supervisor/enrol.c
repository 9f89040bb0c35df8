#include "participant/supervisor/enrol.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/entropy.h"
#include "core/base/file.h"
#include "core/net/certificate.h"
#include "core/net/client.h"
#include "crypto/primitives/ed25519.h"
#include "participant/supervisor/folder.h"
#include "participant/supervisor/trial.h"

enum { TIMEOUT_MS = 30000, HTTP_OK = 200, HTTP_REFUSED = 403, HTTP_CONFLICT = 409 };

/* Everything that an enrolment makes or gets, before it is written. */
struct enrolment {
    struct sotto_token token;
    struct sotto_site_config site;
    struct sotto_secret identity;
    struct sotto_key key;
    uint8_t request_bytes[SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer request;
    uint8_t coordinator[32];
    struct sotto_certificate certificate;
    struct sotto_certificate authority;
    char yaml[SOTTO_SITE_YAML_MAX];
};

static enum sotto_status check_token(struct enrolment *enrolment,
                                     const struct sotto_enrol_wish *wish, struct sotto_fault *fault)
{
    struct sotto_token *token = &enrolment->token;
    char when[32];
    time_t expires_s = 0;
    struct tm calendar;

    if (sotto_token_decode(token, wish->token) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the token does not parse: copy the whole line that the "
                               "administrator gave you");
    if (wish->name != NULL && strcmp(wish->name, token->site) != 0)
        return sotto_fault_set(fault, SOTTO_MISMATCH, "the token is for site %s, not %s",
                               token->site, wish->name);
    if (token->expires_s > wish->now_s)
        return SOTTO_OK;
    expires_s = (time_t)token->expires_s;
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&expires_s, &calendar));
    return sotto_fault_set(fault, SOTTO_REFUSED,
                           "the token expired at %s: ask the administrator for a new one, or set "
                           "this machine's clock",
                           when);
}

static enum sotto_status take_path(char out[SOTTO_START_PATH_MAX], const char *path,
                                   const char *what, struct sotto_fault *fault)
{
    char *absolute = realpath(path, NULL);
    bool fits = absolute != NULL && strlen(absolute) < SOTTO_START_PATH_MAX;

    if (fits)
        memcpy(out, absolute, strlen(absolute) + 1);
    free(absolute);
    if (absolute == NULL && sotto_path_is_link(path))
        return sotto_file_fault(fault, "open", path);
    if (absolute == NULL)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND, "no %s at %s: check the path", what, path);
    if (!fits)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the path %.80s... is too long", path);
    return SOTTO_OK;
}

/* new, or a folder with nothing in it */
static enum sotto_status check_state(const char *state, struct sotto_fault *fault)
{
    DIR *folder = opendir(state);
    const struct dirent *entry = NULL;
    bool is_empty = true;

    if (folder == NULL && errno == ENOENT && state[0] != '\0')
        return SOTTO_OK;
    if (folder == NULL)
        return sotto_fault_set(fault, SOTTO_IO, "cannot use the state folder '%s': %s", state,
                               strerror(errno));
    while ((entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_empty = false;
    closedir(folder);
    if (is_empty)
        return SOTTO_OK;
    return sotto_fault_set(
        fault, SOTTO_MISMATCH,
        "%s is in use already: name a new folder, or remove it if the site in it "
        "is to be given up",
        state);
}

static enum sotto_status prepare(struct enrolment *enrolment, const struct sotto_enrol_wish *wish,
                                 struct sotto_fault *fault)
{
    struct sotto_site_config *site = &enrolment->site;
    enum sotto_status status = check_token(enrolment, wish, fault);

    if (status == SOTTO_OK)
        status = check_state(wish->state, fault);
    if (status == SOTTO_OK)
        status = take_path(site->model, wish->model, "model", fault);
    if (status == SOTTO_OK)
        status = sotto_model_try(site->model, fault);
    if (status == SOTTO_OK)
        status = take_path(site->examples, wish->examples, "examples", fault);
    if (status == SOTTO_OK && wish->labels != NULL)
        status = take_path(site->labels, wish->labels, "labels", fault);
    if (status != SOTTO_OK)
        return status;
    memcpy(site->url, enrolment->token.url, sizeof site->url);
    memcpy(site->name, enrolment->token.site, sizeof site->name);
    /*
     * Tried here, so that a bad policy does not use the token up; written with the id that comes.
     */
    return sotto_site_compose(enrolment->yaml, site, &wish->policy, fault);
}

static enum sotto_status request_write(struct enrolment *enrolment, struct sotto_buffer *out)
{
    const struct sotto_token *token = &enrolment->token;
    uint8_t bytes[sizeof token->secret + SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer to_sign = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_enrol_request request = {.certificate_request =
                                              sotto_view_buffer(&enrolment->request)};
    struct sotto_ed25519_public identity;
    struct sotto_signature signature;
    enum sotto_status status =
        sotto_buffer_add(&to_sign, sotto_view_of(token->secret, sizeof token->secret));

    if (status == SOTTO_OK)
        status = sotto_buffer_add(&to_sign, request.certificate_request);
    if (status != SOTTO_OK)
        return status;
    sotto_ed25519_public_of(&identity, &enrolment->identity);
    sotto_sign(&signature, &enrolment->identity, "sotto/1 enrol", sotto_view_buffer(&to_sign));
    memcpy(request.token_secret, token->secret, sizeof request.token_secret);
    memcpy(request.identity, identity.bytes, sizeof request.identity);
    memcpy(request.signature, signature.bytes, sizeof request.signature);
    return sotto_enrol_request_encode(out, &request);
}

/* The coordinator's own words, from its problem document. */
static enum sotto_status refusal_of(const struct sotto_exchange *exchange,
                                    struct sotto_fault *fault)
{
    json_t *problem = json_loadb((const char *)exchange->answer, exchange->answer_length, 0, NULL);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    enum sotto_status status = SOTTO_UNEXPECTED;

    if (exchange->status == HTTP_REFUSED || exchange->status == HTTP_CONFLICT)
        status = SOTTO_REFUSED;
    status = sotto_fault_set(
        fault, status, "the coordinator does not enrol this site (HTTP status %d): %.300s",
        exchange->status, detail != NULL ? detail : "ask the administrator for a new token");
    json_decref(problem);
    return status;
}

static enum sotto_status response_verify(struct enrolment *enrolment,
                                         const struct sotto_enrol_response *response)
{
    uint8_t bytes[4 + 32 + SOTTO_CERTIFICATE_BYTES_MAX];
    struct sotto_ed25519_public identity;
    struct sotto_ed25519_public coordinator;
    struct sotto_signature signature;

    if (response->certificate.length > SOTTO_CERTIFICATE_BYTES_MAX)
        return SOTTO_MALFORMED;
    sotto_ed25519_public_of(&identity, &enrolment->identity);
    sotto_store_u32(bytes, response->id);
    memcpy(bytes + 4, identity.bytes, sizeof identity.bytes);
    memcpy(bytes + 36, response->certificate.at, response->certificate.length);
    memcpy(coordinator.bytes, response->coordinator, sizeof coordinator.bytes);
    memcpy(signature.bytes, response->signature, sizeof signature.bytes);
    return sotto_verify(&signature, &coordinator, "sotto/1 admitted",
                        sotto_view_of(bytes, 36 + response->certificate.length));
}

/* A certificate that names another organisation would count this site towards that one's cap. */
static enum sotto_status check_organisation(const struct enrolment *enrolment,
                                            struct sotto_fault *fault)
{
    char organisation[SOTTO_SUBJECT_ORGANISATION_MAX + 1];
    enum sotto_status status =
        sotto_certificate_organisation(organisation, &enrolment->certificate);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the certificate names no organisation");
    if (strcmp(organisation, enrolment->token.organisation) == 0)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_FORGED,
                           "the certificate is for a site of '%s', the token for one of '%s': do "
                           "not go on, and tell the administrator",
                           organisation, enrolment->token.organisation);
}

static enum sotto_status response_take(struct enrolment *enrolment, struct sotto_view bytes,
                                       uint64_t now_s, struct sotto_fault *fault)
{
    struct sotto_certificate_terms terms = {
        .key = &enrolment->key, .authority = &enrolment->authority, .now_s = now_s};
    struct sotto_enrol_response response;
    struct sotto_digest authority;
    enum sotto_status status = sotto_enrol_response_decode(&response, bytes);

    if (status == SOTTO_OK)
        status = sotto_certificate_from_der(&enrolment->certificate, response.certificate);
    if (status == SOTTO_OK)
        status = sotto_certificate_from_der(&enrolment->authority, response.authority);
    if (status == SOTTO_OK)
        status = response_verify(enrolment, &response);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "the coordinator's answer is not a good enrolment (%s)",
                               sotto_status_name(status));
    sotto_certificate_digest(&authority, &enrolment->authority);
    if (!sotto_digest_equal(&authority, &enrolment->token.authority))
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the certificate is of another authority than the token names: "
                               "do not go on, and tell the administrator");
    enrolment->site.id = response.id;
    memcpy(enrolment->coordinator, response.coordinator, sizeof enrolment->coordinator);
    status = sotto_certificate_check(&enrolment->certificate, &terms, fault);
    return status == SOTTO_OK ? check_organisation(enrolment, fault) : status;
}

static enum sotto_status ask(struct enrolment *enrolment, struct sotto_client *client,
                             uint64_t now_s, struct sotto_fault *fault)
{
    uint8_t bytes[SOTTO_ENROL_BYTES_MAX];
    struct sotto_buffer request = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_exchange exchange = {.method = "POST",
                                      .path = "/v1/enrol",
                                      .timeout_ms = TIMEOUT_MS,
                                      .answer_max = SOTTO_ENROL_BYTES_MAX};
    enum sotto_status status = request_write(enrolment, &request);

    exchange.body = sotto_view_buffer(&request);
    if (status == SOTTO_OK)
        status = sotto_client_exchange(client, &exchange, fault);
    if (status == SOTTO_OK && exchange.status != HTTP_OK)
        status = refusal_of(&exchange, fault);
    else if (status == SOTTO_OK)
        status = response_take(enrolment, sotto_view_of(exchange.answer, exchange.answer_length),
                               now_s, fault);
    free(exchange.answer);
    sotto_wipe(bytes, sizeof bytes);
    return status;
}

static enum sotto_status make_keys(struct enrolment *enrolment, struct sotto_fault *fault)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_system(&entropy);
    sotto_entropy_fill(&entropy, enrolment->identity.bytes, sizeof enrolment->identity.bytes);
    enrolment->request = sotto_buffer_of(enrolment->request_bytes, sizeof enrolment->request_bytes);
    return sotto_certificate_request_make(&enrolment->key, &enrolment->request, SOTTO_KEY_P256,
                                          fault);
}

static enum sotto_status call(struct enrolment *enrolment, uint64_t now_s,
                              struct sotto_fault *fault)
{
    struct sotto_client_setup setup = {.url = enrolment->token.url,
                                       .authority = &enrolment->token.authority,
                                       .connect_timeout_ms = TIMEOUT_MS};
    struct sotto_client *client = NULL;
    enum sotto_status status = sotto_client_open(&client, &setup, fault);

    if (status == SOTTO_OK)
        status = ask(enrolment, client, now_s, fault);
    sotto_client_close(client);
    return status;
}

static enum sotto_status write_certificate(const char *path,
                                           const struct sotto_certificate *certificate,
                                           struct sotto_fault *fault)
{
    char pem[SOTTO_CERTIFICATE_PEM_MAX];

    sotto_certificate_to_pem(pem, certificate);
    return sotto_file_replace(path, sotto_view_text(pem), 0600, fault);
}

/* What is there before the coordinator is asked: a disk that fails then uses no token up. */
static enum sotto_status write_keys(const struct enrolment *enrolment,
                                    const struct sotto_state_folder *folder,
                                    struct sotto_fault *fault)
{
    struct sotto_view nothing = {0};
    struct sotto_ed25519_public identity;
    enum sotto_status status = sotto_folder_make(folder->pki, fault);

    if (status == SOTTO_OK)
        status = sotto_folder_make(folder->adapters, fault);
    if (status == SOTTO_OK)
        status = sotto_file_replace(folder->key, sotto_view_text(enrolment->key.pem), 0600, fault);
    if (status == SOTTO_OK)
        status = sotto_hex_file_write(folder->identity, enrolment->identity.bytes, fault);
    sotto_ed25519_public_of(&identity, &enrolment->identity);
    if (status == SOTTO_OK)
        status = sotto_hex_file_write(folder->identity_public, identity.bytes, fault);
    if (status == SOTTO_OK)
        status = sotto_file_replace(folder->ledger, nothing, 0600, fault);
    if (status == SOTTO_OK)
        status = sotto_file_replace(folder->site, sotto_view_text(enrolment->yaml), 0600, fault);
    return status;
}

/* site.yaml is written again, with the id. */
static enum sotto_status write_answer(const struct enrolment *enrolment,
                                      const struct sotto_state_folder *folder,
                                      struct sotto_fault *fault)
{
    enum sotto_status status =
        write_certificate(folder->certificate, &enrolment->certificate, fault);

    if (status == SOTTO_OK)
        status = write_certificate(folder->authority, &enrolment->authority, fault);
    if (status == SOTTO_OK)
        status = sotto_hex_file_write(folder->coordinator, enrolment->coordinator, fault);
    if (status == SOTTO_OK)
        status = sotto_file_replace(folder->site, sotto_view_text(enrolment->yaml), 0600, fault);
    return status;
}

/* What write_keys and write_answer may have made, deepest first. */
static void remove_all(const struct sotto_state_folder *folder)
{
    const char *const paths[] = {folder->site,
                                 folder->ledger,
                                 folder->coordinator,
                                 folder->identity,
                                 folder->identity_public,
                                 folder->authority,
                                 folder->certificate,
                                 folder->key,
                                 folder->adapters,
                                 folder->pki,
                                 folder->root};

    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++)
        if (remove(paths[index]) != 0 && errno != ENOENT)
            return;
}

/* STATE.enrolling, which becomes the state folder by one rename. */
static enum sotto_status name_fresh(struct sotto_state_folder *folder, const char *state,
                                    struct sotto_fault *fault)
{
    char fresh[SOTTO_START_PATH_MAX];
    size_t length = strlen(state);

    while (length > 1 && state[length - 1] == '/')
        length--;
    if (snprintf(fresh, sizeof fresh, "%.*s.enrolling", (int)length, state) >= (int)sizeof fresh)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the path %.80s... is too long", state);
    return sotto_state_folder_name(folder, fresh, fault);
}

/* The rename replaces an empty folder. */
static enum sotto_status enrol_into(struct enrolment *enrolment,
                                    const struct sotto_state_folder *folder,
                                    const struct sotto_enrol_wish *wish, struct sotto_fault *fault)
{
    enum sotto_status status = make_keys(enrolment, fault);

    if (status == SOTTO_OK)
        status = write_keys(enrolment, folder, fault);
    if (status == SOTTO_OK)
        status = call(enrolment, wish->now_s, fault);
    if (status == SOTTO_OK)
        status = sotto_site_compose(enrolment->yaml, &enrolment->site, &wish->policy, fault);
    if (status == SOTTO_OK)
        status = write_answer(enrolment, folder, fault);
    if (status == SOTTO_OK && rename(folder->root, wish->state) != 0)
        status =
            sotto_fault_set(fault, SOTTO_IO, "cannot make %s: %s", wish->state, strerror(errno));
    return status;
}

enum sotto_status sotto_site_enrol(struct sotto_site_config *site,
                                   const struct sotto_enrol_wish *wish, struct sotto_fault *fault)
{
    struct enrolment *enrolment = calloc(1, sizeof *enrolment);
    struct sotto_state_folder folder;
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (enrolment == NULL)
        return sotto_fault_set(fault, status, "no memory to enrol");
    status = prepare(enrolment, wish, fault);
    if (status == SOTTO_OK)
        status = name_fresh(&folder, wish->state, fault);
    if (status == SOTTO_OK) {
        remove_all(&folder);
        status = enrol_into(enrolment, &folder, wish, fault);
        if (status == SOTTO_OK)
            *site = enrolment->site;
        else
            remove_all(&folder);
    }
    sotto_wipe(enrolment, sizeof *enrolment);
    free(enrolment);
    return status;
}
