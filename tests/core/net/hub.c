#include "tests/core/net/hub.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a request has brought; hangs on it. */
struct visit {
    struct hub *hub;
    uint8_t *body;
    size_t length;
    bool answered;
};

uint64_t hub_now_s(void)
{
    return (uint64_t)time(NULL);
}

struct hub_setup hub_defaults(void)
{
    struct hub_setup setup = {.name = "127.0.0.1", .certificates_from_s = hub_now_s()};

    sotto_server_limits_init(&setup.limits);
    return setup;
}

static void count_up(struct hub *hub, size_t *count)
{
    pthread_mutex_lock(&hub->lock);
    ++*count;
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

static void await(struct hub *hub, const size_t *value, size_t count)
{
    pthread_mutex_lock(&hub->lock);
    while (*value < count)
        pthread_cond_wait(&hub->changed, &hub->lock);
    pthread_mutex_unlock(&hub->lock);
}

void hub_await_begun(struct hub *hub, size_t count)
{
    await(hub, &hub->begun_count, count);
}

void hub_await_waiting(struct hub *hub, size_t count)
{
    await(hub, &hub->waiting_count, count);
}

void hub_await_gone(struct hub *hub, size_t count)
{
    await(hub, &hub->gone_count, count);
}

static struct visit *visit_of(struct sotto_request *request)
{
    return *sotto_request_user(request);
}

static void answer(struct sotto_request *request, struct sotto_view body)
{
    struct sotto_answer out = {.status = 200, .content_type = "text/plain", .body = body};

    visit_of(request)->answered = true;
    sotto_request_answer(request, &out);
}

static int on_begin(void *context, struct sotto_request *request)
{
    struct hub *hub = context;
    struct visit *visit = calloc(1, sizeof *visit);

    assert(visit);
    visit->hub = hub;
    *sotto_request_user(request) = visit;
    count_up(hub, &hub->begun_count);
    if (strcmp(sotto_request_path(request), "/refused") == 0)
        return 403;
    if (strcmp(sotto_request_path(request), "/early") != 0)
        return 0;
    sotto_request_answer_problem(request, 409, "too early");
    return 409;
}

static int on_body(void *context, struct sotto_request *request, struct sotto_view piece)
{
    struct visit *visit = visit_of(request);

    (void)context;
    assert(piece.length > 0);
    if (strcmp(sotto_request_path(request), "/echo") == 0) {
        visit->body = realloc(visit->body, visit->length + piece.length);
        assert(visit->body);
        memcpy(visit->body + visit->length, piece.at, piece.length);
    }
    visit->length += piece.length;
    return 0;
}

static void answer_bytes(struct sotto_request *request)
{
    size_t count = strtoul(sotto_request_query(request, "count"), NULL, 10);
    uint8_t *bytes = malloc(count + 1);
    struct sotto_answer out = {.status = 200,
                               .content_type = "application/octet-stream",
                               .body = sotto_view_of(bytes, count),
                               .release = free,
                               .owner = bytes};

    assert(bytes);
    memset(bytes, 'x', count);
    visit_of(request)->answered = true;
    sotto_request_answer(request, &out);
}

static void answer_who(struct sotto_request *request)
{
    const struct sotto_caller *caller = sotto_request_caller(request);
    char text[160];

    snprintf(text, sizeof text, "%s/%s", caller->common_name, caller->organisational_unit);
    answer(request, sotto_view_text(caller->has_certificate ? text : "nobody"));
}

static void answer_count(struct sotto_request *request)
{
    char text[32];

    snprintf(text, sizeof text, "%zu", visit_of(request)->length);
    answer(request, sotto_view_text(text));
}

static void wake(struct hub *hub, struct sotto_request *request)
{
    if (hub->waiting)
        answer(hub->waiting, sotto_view_text("woken"));
    hub->waiting = NULL;
    answer(request, sotto_view_text("done"));
}

static void on_end(void *context, struct sotto_request *request)
{
    struct hub *hub = context;
    const char *path = sotto_request_path(request);

    if (strcmp(path, "/echo") == 0) {
        answer(request, sotto_view_of(visit_of(request)->body, visit_of(request)->length));
    } else if (strcmp(path, "/count") == 0) {
        answer_count(request);
    } else if (strcmp(path, "/who") == 0) {
        answer_who(request);
    } else if (strcmp(path, "/bytes") == 0) {
        answer_bytes(request);
    } else if (strcmp(path, "/wake") == 0) {
        wake(hub, request);
    } else if (strcmp(path, "/wait") == 0) {
        hub->waiting = request;
        count_up(hub, &hub->waiting_count);
    } else {
        visit_of(request)->answered = true;
        sotto_request_answer_problem(request, 404, "no such \"thing\"");
    }
}

static void on_gone(void *context, struct sotto_request *request)
{
    struct hub *hub = context;
    struct visit *visit = visit_of(request);

    if (hub->waiting == request)
        hub->waiting = NULL;
    if (!visit->answered)
        count_up(hub, &hub->unanswered_count);
    free(visit->body);
    free(visit);
    count_up(hub, &hub->gone_count);
}

static void on_closed(void *context)
{
    struct hub *hub = context;

    pthread_mutex_lock(&hub->lock);
    hub->closed = true;
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

static void on_stop(uv_async_t *stopper)
{
    struct hub *hub = stopper->data;

    sotto_server_stop(hub->server, hub->grace_ms, on_closed, hub);
    uv_close((uv_handle_t *)stopper, NULL);
}

static void *run(void *argument)
{
    struct hub *hub = argument;

    uv_run(&hub->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void write_certificate(struct hub *hub, const char *name,
                              const struct sotto_certificate *certificate)
{
    char pem[SOTTO_CERTIFICATE_PEM_MAX];

    sotto_certificate_to_pem(pem, certificate);
    folder_write(&hub->folder, name, sotto_view_text(pem));
}

/* A certificate that the hub's authority has not issued, with that authority behind it. */
static void write_false_chain(struct hub *hub, const struct sotto_certificate *certificate)
{
    char pem[2 * SOTTO_CERTIFICATE_PEM_MAX];

    sotto_certificate_to_pem(pem, certificate);
    sotto_certificate_to_pem(pem + strlen(pem), &hub->authority.certificate);
    folder_write(&hub->folder, "server.pem", sotto_view_text(pem));
}

static void make_certificates(struct hub *hub, const struct hub_setup *setup)
{
    struct sotto_server_subject subject = {
        .names = &setup->name, .name_count = 1, .now_s = setup->certificates_from_s};
    struct sotto_authority other;
    struct sotto_certificate certificate;
    struct sotto_key key;
    enum sotto_status status =
        sotto_authority_make(&hub->authority, "Test", setup->certificates_from_s, NULL);

    assert(status == SOTTO_OK);
    status = sotto_authority_make(&other, "Test", setup->certificates_from_s, NULL);
    assert(status == SOTTO_OK);
    status = sotto_authority_issue_server(setup->is_impostor ? &other : &hub->authority,
                                          &certificate, &key, &subject, NULL);
    assert(status == SOTTO_OK);
    write_certificate(hub, "ca.pem", &hub->authority.certificate);
    if (setup->is_impostor)
        write_false_chain(hub, &certificate);
    else
        write_certificate(hub, "server.pem", &certificate);
    folder_write(&hub->folder, "server.key", sotto_view_text(key.pem));
}

void hub_issue(struct hub *hub, const char *name, const char *unit, uint64_t now_s)
{
    struct sotto_client_subject subject = {
        .common_name = name, .organisational_unit = unit, .now_s = now_s};
    struct sotto_certificate certificate;
    struct sotto_key key;
    uint8_t der[SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer request = sotto_buffer_of(der, sizeof der);
    enum sotto_status status = sotto_certificate_request_make(&key, &request, SOTTO_KEY_P256, NULL);
    char file[64];

    assert(status == SOTTO_OK);
    status = sotto_authority_issue_client(&hub->authority, &certificate,
                                          sotto_view_buffer(&request), &subject, NULL);
    assert(status == SOTTO_OK);
    snprintf(file, sizeof file, "%s.pem", name);
    write_certificate(hub, file, &certificate);
    snprintf(file, sizeof file, "%s.key", name);
    folder_write(&hub->folder, file, sotto_view_text(key.pem));
}

void hub_open(struct hub *hub, const struct hub_setup *setup)
{
    struct folder_path certificate, key, authority;
    struct sotto_server_setup server = {.loop = &hub->loop,
                                        .address = "127.0.0.1",
                                        .limits = setup->limits,
                                        .routes = {on_begin, on_body, on_end, on_gone, hub}};
    struct sotto_fault fault;

    memset(hub, 0, sizeof *hub);
    folder_open(&hub->folder);
    make_certificates(hub, setup);
    certificate = folder_path(&hub->folder, "server.pem");
    key = folder_path(&hub->folder, "server.key");
    authority = folder_path(&hub->folder, "ca.pem");
    server.certificate_path = certificate.text;
    server.key_path = key.text;
    server.client_authority_path = authority.text;
    pthread_mutex_init(&hub->lock, NULL);
    pthread_cond_init(&hub->changed, NULL);
    uv_loop_init(&hub->loop);
    uv_async_init(&hub->loop, &hub->stopper, on_stop);
    hub->stopper.data = hub;
    if (sotto_server_open(&hub->server, &server, &fault) != SOTTO_OK)
        abort();
    hub->port = sotto_server_port(hub->server);
    snprintf(hub->url, sizeof hub->url, "https://127.0.0.1:%u", hub->port);
    pthread_create(&hub->thread, NULL, run, hub);
}

void hub_stop(struct hub *hub, uint64_t grace_ms)
{
    hub->stopping = true;
    hub->grace_ms = grace_ms;
    uv_async_send(&hub->stopper);
}

void hub_await_closed(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    while (!hub->closed)
        pthread_cond_wait(&hub->changed, &hub->lock);
    pthread_mutex_unlock(&hub->lock);
}

struct sotto_server_counters hub_counters(struct hub *hub)
{
    struct sotto_server_counters counters;

    hub_await_closed(hub);
    sotto_server_counters(hub->server, &counters);
    return counters;
}

void hub_close(struct hub *hub)
{
    int left_handles = 0;

    if (!hub->stopping)
        hub_stop(hub, 0);
    pthread_join(hub->thread, NULL);
    sotto_server_close(hub->server);
    left_handles = uv_loop_close(&hub->loop);
    assert(left_handles == 0);
    pthread_cond_destroy(&hub->changed);
    pthread_mutex_destroy(&hub->lock);
    folder_close(&hub->folder);
    sotto_authority_wipe(&hub->authority);
}
