#include "participant/supervisor/team.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "participant/supervisor/spawn.h"

enum { TRAINER, SEALER, COURIER };
enum { STOP_STEP_MS = 10, STOP_STEPS = 100 };

/* Both ends of every channel, until the children have theirs. */
struct wiring {
    int supervisor[SOTTO_TEAM_SIZE][2]; /* [0]: own end */
    int training[2];                    /* [0]: the sealer's end */
    int posting[2];
};

void sotto_team_init(struct sotto_team *team)
{
    static const enum sotto_peer roles[] = {SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER,
                                            SOTTO_PEER_COURIER};

    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++) {
        team->workers[index].role = roles[index];
        team->workers[index].child = 0;
        sotto_channel_init(&team->workers[index].channel, -1, SOTTO_PEER_SUPERVISOR, roles[index]);
    }
}

const char *sotto_worker_name(const struct sotto_worker *worker)
{
    switch (worker->role) {
    case SOTTO_PEER_TRAINER: return "trainer";
    case SOTTO_PEER_SEALER: return "sealer";
    case SOTTO_PEER_COURIER: return "courier";
    case SOTTO_PEER_SUPERVISOR: break;
    }
    return "supervisor";
}

static void close_pair(int pair[2])
{
    for (size_t end = 0; end < 2; end++) {
        if (pair[end] >= 0)
            close(pair[end]);
        pair[end] = -1;
    }
}

static enum sotto_status wiring_open(struct wiring *wiring, struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    memset(wiring, -1, sizeof *wiring);
    for (size_t index = 0; index < SOTTO_TEAM_SIZE && status == SOTTO_OK; index++)
        status = sotto_channel_pair(wiring->supervisor[index]);
    if (status == SOTTO_OK)
        status = sotto_channel_pair(wiring->training);
    if (status == SOTTO_OK)
        status = sotto_channel_pair(wiring->posting);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "no descriptors left for the site's processes");
    return SOTTO_OK;
}

static void wiring_close(struct wiring *wiring)
{
    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++)
        close_pair(wiring->supervisor[index]);
    close_pair(wiring->training);
    close_pair(wiring->posting);
}

static enum sotto_status send_start(struct sotto_worker *worker, const struct sotto_buffer *body,
                                    int descriptor, struct sotto_fault *fault)
{
    struct sotto_letter letter = {
        .kind = SOTTO_LETTER_START, .body = sotto_view_buffer(body), .descriptor = descriptor};

    if (sotto_channel_send(&worker->channel, &letter) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_IO, "the %s ended before it was told what to do",
                               sotto_worker_name(worker));
    return SOTTO_OK;
}

static enum sotto_status start_trainer(struct sotto_team *team,
                                       const struct sotto_state_folder *folder,
                                       const struct sotto_site_config *site,
                                       struct sotto_fault *fault)
{
    struct sotto_trainer_start start = {.is_degraded_allowed = site->is_degraded_allowed,
                                        .thread_count = site->thread_count,
                                        .has_half_weights = site->has_half_weights};
    uint8_t bytes[SOTTO_START_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    enum sotto_status status = SOTTO_OK;

    memcpy(start.model, site->model, sizeof start.model);
    memcpy(start.examples, site->examples, sizeof start.examples);
    memcpy(start.labels, site->labels, sizeof start.labels);
    memcpy(start.chat, site->chat, sizeof start.chat);
    start.text_length = site->text_length;
    memcpy(start.adapters, folder->adapters, sizeof start.adapters);
    status = sotto_trainer_start_encode(&buffer, &start);
    return status == SOTTO_OK ? send_start(&team->workers[TRAINER], &buffer, -1, fault) : status;
}

static enum sotto_status sealer_letter(struct sotto_buffer *out,
                                       const struct sotto_state_folder *folder,
                                       const struct sotto_site_config *site,
                                       struct sotto_fault *fault)
{
    struct sotto_sealer_start start = {.is_degraded_allowed = site->is_degraded_allowed,
                                       .id = site->id};
    uint8_t policy[SOTTO_POLICY_BYTES_MAX];
    struct sotto_buffer policy_buffer = sotto_buffer_of(policy, sizeof policy);
    enum sotto_status status = sotto_policy_encode(&policy_buffer, &site->policy);

    start.policy = sotto_view_buffer(&policy_buffer);
    if (status == SOTTO_OK)
        status = sotto_hex_file_read(start.coordinator, folder->coordinator, fault);
    if (status == SOTTO_OK)
        status = sotto_hex_file_read(start.identity.bytes, folder->identity, fault);
    if (status == SOTTO_OK)
        status = sotto_sealer_start_encode(out, &start);
    sotto_wipe(&start, sizeof start);
    return status;
}

static enum sotto_status start_sealer(struct sotto_team *team,
                                      const struct sotto_state_folder *folder,
                                      const struct sotto_site_config *site,
                                      struct sotto_fault *fault)
{
    uint8_t bytes[SOTTO_START_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    int ledger = open(folder->ledger, O_RDWR | O_APPEND | O_CLOEXEC);
    enum sotto_status status = SOTTO_OK;

    if (ledger < 0)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "cannot open %s: %s; without it the site could repeat a round: "
                               "restore it from a backup, or enrol anew",
                               folder->ledger, strerror(errno));
    status = sealer_letter(&buffer, folder, site, fault);
    if (status == SOTTO_OK)
        status = send_start(&team->workers[SEALER], &buffer, ledger, fault);
    sotto_wipe(bytes, sizeof bytes);
    close(ledger);
    return status;
}

static enum sotto_status start_courier(struct sotto_team *team,
                                       const struct sotto_state_folder *folder,
                                       const struct sotto_site_config *site,
                                       struct sotto_fault *fault)
{
    struct sotto_courier_start start = {.is_degraded_allowed = site->is_degraded_allowed};
    uint8_t bytes[SOTTO_START_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    enum sotto_status status = SOTTO_OK;

    memcpy(start.url, site->url, sizeof site->url);
    memcpy(start.authority, folder->authority, sizeof start.authority);
    memcpy(start.certificate, folder->certificate, sizeof start.certificate);
    memcpy(start.key, folder->key, sizeof start.key);
    status = sotto_courier_start_encode(&buffer, &start);
    return status == SOTTO_OK ? send_start(&team->workers[COURIER], &buffer, -1, fault) : status;
}

static enum sotto_status spawn_all(struct sotto_team *team, const struct wiring *wiring,
                                   struct sotto_fault *fault)
{
    const int trainer[] = {wiring->supervisor[TRAINER][1], wiring->training[1]};
    const int sealer[] = {wiring->supervisor[SEALER][1], wiring->training[0], wiring->posting[0]};
    const int courier[] = {wiring->supervisor[COURIER][1], wiring->posting[1]};
    enum sotto_status status =
        sotto_spawn(&team->workers[TRAINER].child, "sotto-trainer", trainer, 2, fault);

    if (status == SOTTO_OK)
        status = sotto_spawn(&team->workers[SEALER].child, "sotto-sealer", sealer, 3, fault);
    if (status == SOTTO_OK)
        status = sotto_spawn(&team->workers[COURIER].child, "sotto-courier", courier, 2, fault);
    return status;
}

enum sotto_status sotto_team_start(struct sotto_team *team, const struct sotto_state_folder *folder,
                                   const struct sotto_site_config *site, struct sotto_fault *fault)
{
    struct wiring wiring;
    enum sotto_status status = wiring_open(&wiring, fault);

    if (status == SOTTO_OK)
        status = spawn_all(team, &wiring, fault);
    for (size_t index = 0; index < SOTTO_TEAM_SIZE && status == SOTTO_OK; index++) {
        team->workers[index].channel.descriptor = wiring.supervisor[index][0];
        wiring.supervisor[index][0] = -1;
    }
    wiring_close(&wiring);
    if (status == SOTTO_OK)
        status = start_trainer(team, folder, site, fault);
    if (status == SOTTO_OK)
        status = start_sealer(team, folder, site, fault);
    if (status == SOTTO_OK)
        status = start_courier(team, folder, site, fault);
    if (status != SOTTO_OK)
        sotto_team_stop(team, SIGKILL);
    return status;
}

static void reap(struct sotto_worker *worker)
{
    const struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};

    for (int tries = 0; tries < STOP_STEPS; tries++) {
        pid_t gone = waitpid(worker->child, NULL, WNOHANG);

        if (gone != 0)
            return;
        nanosleep(&step, NULL);
    }
    kill(worker->child, SIGKILL);
    while (waitpid(worker->child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

bool sotto_team_is_alive(const struct sotto_team *team)
{
    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++)
        if (team->workers[index].child > 0)
            return true;
    return false;
}

void sotto_team_stop(struct sotto_team *team, int signal_number)
{
    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++)
        if (team->workers[index].child > 0)
            kill(team->workers[index].child, signal_number);
    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++) {
        struct sotto_worker *worker = &team->workers[index];

        if (worker->child > 0)
            reap(worker);
        if (worker->channel.descriptor >= 0)
            close(worker->channel.descriptor);
        worker->child = 0;
        worker->channel.descriptor = -1;
    }
}
