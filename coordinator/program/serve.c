#include "coordinator/program/serve.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/api/api.h"
#include "coordinator/api/poll.h"
#include "coordinator/program/capacity.h"
#include "coordinator/program/settings.h"
#include "core/base/entropy.h"
#include "core/base/file.h"

enum { STOP_GRACE_MS = 3000, SERVE_PATH_MAX = 512, THREADS_MAX = SOTTO_RANGES_MAX };

/* Everything that a serving coordinator has; closed in the opposite order. */
struct serving {
    const char *folder;
    const struct sotto_log *log;
    struct sotto_settings *settings;
    struct sotto_ledger ledger;
    struct sotto_keys keys;
    struct sotto_clock clock;
    struct sotto_entropy entropy;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct sotto_drive *drive;
    struct sotto_api api;
    struct sotto_server *server;
    int signal_number;
    bool is_broken;
    bool is_stopping;
};

static void on_drive_closed(void *context)
{
    struct serving *serving = context;

    serving->drive = NULL;
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&serving->signals[i], NULL);
}

static void on_server_closed(void *context)
{
    struct serving *serving = context;

    sotto_server_close(serving->server);
    serving->server = NULL;
    serving->api.server = NULL;
    sotto_drive_close(serving->drive, on_drive_closed, serving);
}

static void serving_stop(struct serving *serving)
{
    if (serving->is_stopping)
        return;
    serving->is_stopping = true;
    sotto_api_stop(&serving->api);
    sotto_server_stop(serving->server, STOP_GRACE_MS, on_server_closed, serving);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct serving *serving = handle->data;

    serving->signal_number = signal_number;
    sotto_log_write(serving->log, SOTTO_LOG_INFO, "stopping: %s",
                    signal_number == SIGINT ? "interrupted" : "terminated");
    serving_stop(serving);
}

static void on_mail(void *context)
{
    struct serving *serving = context;

    sotto_poll_wake(&serving->api);
}

/* Nobody may be answered from a state that was not kept: the loop ends at once. */
static void on_broken(void *context)
{
    struct serving *serving = context;

    serving->is_broken = true;
    uv_stop(&serving->loop);
}

static unsigned thread_count(const struct sotto_settings *settings)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (settings->threads != 0)
        return settings->threads;
    if (online < 1)
        return 1;
    return online > THREADS_MAX ? THREADS_MAX : (unsigned)online;
}

/* libuv reads the size of its pool when the first job comes. */
static void pool_size_set(unsigned threads)
{
    char text[16];

    snprintf(text, sizeof text, "%u", threads);
    setenv("UV_THREADPOOL_SIZE", text, 0);
}

static enum sotto_status drive_open(struct serving *serving, struct sotto_fault *fault)
{
    struct sotto_drive_setup setup = {.loop = &serving->loop,
                                      .folder = serving->folder,
                                      .ledger = &serving->ledger,
                                      .keys = &serving->keys,
                                      .protocol = &sotto_secaggplus,
                                      .clock = &serving->clock,
                                      .entropy = &serving->entropy,
                                      .log = serving->log,
                                      .range_count = thread_count(serving->settings),
                                      .on_mail = on_mail,
                                      .on_broken = on_broken,
                                      .context = serving};

    return sotto_drive_open(&serving->drive, &setup, fault);
}

static void api_open(struct serving *serving)
{
    struct sotto_api_setup setup = {.loop = &serving->loop,
                                    .folder = serving->folder,
                                    .url = serving->settings->url,
                                    .ledger = &serving->ledger,
                                    .drive = serving->drive,
                                    .keys = &serving->keys,
                                    .clock = &serving->clock,
                                    .entropy = &serving->entropy,
                                    .log = serving->log};

    sotto_api_init(&serving->api, &setup);
}

/* A coordinator that cannot count its sites has other troubles, which are told elsewhere. */
static void limits_set(struct serving *serving, struct sotto_server_limits *limits)
{
    uint64_t descriptors = sotto_capacity_raise();
    uint64_t sites = 0;
    struct sotto_capacity capacity;

    (void)!sotto_sites_active(&serving->ledger, &sites);
    sotto_capacity_plan(&capacity, serving->settings->connections,
                        serving->settings->connections_per_address, sites, descriptors);
    if (capacity.is_short)
        sotto_log_write(serving->log, SOTTO_LOG_WARNING,
                        "%" PRIu32 " connections need %" PRIu64 " open files and %" PRIu64
                        " are allowed: taking %" PRIu32
                        "; raise the hard limit (LimitNOFILE= of the unit, ulimit -Hn)",
                        capacity.connections_wanted,
                        (uint64_t)capacity.connections_wanted * SOTTO_DESCRIPTORS_EACH +
                            SOTTO_DESCRIPTORS_OWN,
                        descriptors, capacity.connections);
    sotto_server_limits_init(limits);
    limits->connections_max = capacity.connections;
    limits->connections_per_address_max = capacity.connections_per_address;
    limits->body_bytes_max = sotto_api_body_max();
}

static enum sotto_status server_open(struct serving *serving, struct sotto_fault *fault)
{
    char certificate[SERVE_PATH_MAX], key[SERVE_PATH_MAX], authority[SERVE_PATH_MAX];
    struct sotto_server_setup setup = {.loop = &serving->loop,
                                       .address = serving->settings->address,
                                       .port = serving->settings->port,
                                       .certificate_path = certificate,
                                       .key_path = key,
                                       .client_authority_path = authority,
                                       .routes = sotto_api_routes(&serving->api),
                                       .log = serving->log};
    enum sotto_status status;

    if (sotto_path_join(certificate, sizeof certificate, serving->folder, "pki/server.pem") !=
            SOTTO_OK ||
        sotto_path_join(key, sizeof key, serving->folder, "pki/server.key") != SOTTO_OK ||
        sotto_path_join(authority, sizeof authority, serving->folder, "pki/ca.pem") != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long",
                               serving->folder);
    limits_set(serving, &setup.limits);
    status = sotto_server_open(&serving->server, &setup, fault);
    serving->api.server = serving->server;
    return status;
}

static void signals_open(struct serving *serving)
{
    static const int numbers[2] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&serving->loop, &serving->signals[i]);
        serving->signals[i].data = serving;
        uv_signal_start(&serving->signals[i], on_signal, numbers[i]);
    }
}

/* The loop runs until everything on it is closed. */
static enum sotto_status loop_run(struct serving *serving, struct sotto_fault *fault)
{
    enum sotto_status status = server_open(serving, fault);

    signals_open(serving);
    if (status == SOTTO_OK) {
        sotto_log_write(serving->log, SOTTO_LOG_INFO, "serving %s on %s port %u",
                        serving->settings->url, serving->settings->address,
                        serving->settings->port);
        (void)!sotto_drive_settle(serving->drive);
    } else {
        serving->is_stopping = true;
        sotto_api_stop(&serving->api);
        sotto_drive_close(serving->drive, on_drive_closed, serving);
    }
    if (!serving->is_broken)
        uv_run(&serving->loop, UV_RUN_DEFAULT);
    if (serving->is_broken)
        return sotto_fault_set(fault, SOTTO_IO,
                               "stopped because the journal cannot be written; mend that and start "
                               "again: nothing that was acknowledged is lost");
    return status;
}

static enum sotto_status serving_run(struct serving *serving, struct sotto_fault *fault)
{
    enum sotto_status status = sotto_keys_read(&serving->keys, serving->folder, fault);

    if (status != SOTTO_OK)
        return status;
    pool_size_set(thread_count(serving->settings));
    uv_loop_init(&serving->loop);
    status = drive_open(serving, fault);
    if (status == SOTTO_OK) {
        api_open(serving);
        status = loop_run(serving, fault);
    }
    if (!serving->is_broken)
        uv_loop_close(&serving->loop);
    sotto_keys_wipe(&serving->keys);
    return status;
}

enum sotto_status sotto_serve_run(const char *folder, const struct sotto_log *log,
                                  int *signal_number, struct sotto_fault *fault)
{
    struct serving *serving = calloc(1, sizeof *serving);
    enum sotto_status status;

    if (serving == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to serve");
    serving->folder = folder;
    serving->log = log;
    sotto_clock_init_system(&serving->clock);
    sotto_entropy_init_system(&serving->entropy);
    status = sotto_ledger_open(&serving->ledger, folder, fault);
    if (status == SOTTO_OK) {
        status = sotto_settings_open(&serving->settings, folder, fault);
        if (status == SOTTO_OK) {
            status = serving_run(serving, fault);
            sotto_settings_close(serving->settings);
        }
        sotto_ledger_close(&serving->ledger);
    }
    *signal_number = serving->signal_number;
    free(serving);
    return status;
}
