#include "participant/supervisor/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "participant/supervisor/board.h"
#include "participant/supervisor/team.h"

enum {
    RESTARTS_MAX = 8,
    HEALTHY_MS = 60000,
    PAUSE_FIRST_MS = 500,
    PAUSE_MAX_MS = 30000,
    DRAIN_MS = 1000
};
enum { EXIT_INTERRUPTED = 130, EXIT_FAILED = 1 };

struct run {
    const struct sotto_state_folder *folder;
    struct sotto_site_config site;
    struct sotto_team team;
    struct sotto_board board;
    struct sotto_log log;
    struct sotto_clock clock;
    int lock;
    int signals;
    uint64_t started_ms;
    uint32_t failures; /* in a row */
    bool is_over;
    int exit_code;
};

static uint64_t now_ms(const struct run *run)
{
    return sotto_clock_steady_ns(&run->clock) / 1000000;
}

/* Input that is wrong, or a kernel that lacks something, is not mended by another try. */
static bool is_lasting(int exit_code)
{
    switch (exit_code) {
    case 65:
    case 66:
    case 69:
    case 77:
    case 78: return true;
    }
    return false;
}

static void take_notes(struct run *run, struct sotto_worker *worker)
{
    struct sotto_letter letter;
    struct sotto_note note;

    while (sotto_channel_receive(&worker->channel, &letter, 0) == SOTTO_OK)
        if (sotto_note_decode(&note, letter.body) == SOTTO_OK)
            sotto_board_take(&run->board, worker->role, &note);
}

static int exit_code_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_FAILED;
}

static void tell_end(const struct run *run, const struct sotto_worker *worker, int wait_status)
{
    if (WIFSIGNALED(wait_status))
        sotto_log_write(&run->log, SOTTO_LOG_WARNING, "the %s was ended by signal %d",
                        sotto_worker_name(worker), WTERMSIG(wait_status));
    else
        sotto_log_write(&run->log, SOTTO_LOG_WARNING, "the %s ended with exit code %d",
                        sotto_worker_name(worker), WEXITSTATUS(wait_status));
}

/* A lasting failure of one shows before the echo of its end in the others. */
static int team_reap(struct run *run)
{
    int worst = -1;

    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++) {
        struct sotto_worker *worker = &run->team.workers[index];
        int wait_status = 0;

        if (worker->child <= 0 || waitpid(worker->child, &wait_status, WNOHANG) <= 0)
            continue;
        take_notes(run, worker);
        tell_end(run, worker, wait_status);
        worker->child = 0;
        if (worst < 0 || is_lasting(exit_code_of(wait_status)))
            worst = exit_code_of(wait_status);
    }
    return worst;
}

static void watch(struct run *run, int timeout_ms);

/*
 * The others notice a loss by themselves, and the one that was lost first may be the last to be
 * seen: while its descriptors close, the echo of its end is already there. Waits for the causes,
 * so that they are told; returns the worst exit code.
 */
static int team_drain(struct run *run, int exit_code)
{
    uint64_t until_ms = now_ms(run) + DRAIN_MS;
    uint64_t now = now_ms(run);

    for (; sotto_team_is_alive(&run->team) && now < until_ms; now = now_ms(run)) {
        int other = team_reap(run);

        if (other < 0)
            watch(run, (int)(until_ms - now));
        else if (is_lasting(other) && !is_lasting(exit_code))
            exit_code = other;
    }
    return exit_code;
}

static void team_lose(struct run *run, int exit_code)
{
    exit_code = team_drain(run, exit_code);

    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++)
        take_notes(run, &run->team.workers[index]);
    sotto_team_stop(&run->team, SIGKILL);
    sotto_board_lose_round(&run->board, "lost: a process of this site ended");
    if (now_ms(run) - run->started_ms > HEALTHY_MS)
        run->failures = 0;
    run->failures++;
    run->is_over = is_lasting(exit_code) || run->failures > RESTARTS_MAX;
    run->exit_code = is_lasting(exit_code) ? exit_code : EXIT_FAILED;
    if (run->is_over)
        sotto_log_write(&run->log, SOTTO_LOG_ERROR, "giving up: %s",
                        is_lasting(exit_code) ? "another try would end the same way"
                                              : "too many failures in a row");
    sotto_board_publish(&run->board);
}

static void take_signal(struct run *run)
{
    struct signalfd_siginfo signal_read;

    if (read(run->signals, &signal_read, sizeof signal_read) != (ssize_t)sizeof signal_read ||
        signal_read.ssi_signo == SIGCHLD)
        return;
    run->is_over = true;
    run->exit_code = signal_read.ssi_signo == SIGINT ? EXIT_INTERRUPTED : 0;
}

/* Until the team is lost, the run is over, or timeout_ms (-1: none) have passed. */
static void watch(struct run *run, int timeout_ms)
{
    struct pollfd ready[1 + SOTTO_TEAM_SIZE] = {{.fd = run->signals, .events = POLLIN}};

    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++)
        ready[1 + index] =
            (struct pollfd){.fd = run->team.workers[index].channel.descriptor, .events = POLLIN};
    if (poll(ready, 1 + SOTTO_TEAM_SIZE, timeout_ms) < 0 && errno != EINTR)
        return;
    for (size_t index = 0; index < SOTTO_TEAM_SIZE; index++) {
        if ((ready[1 + index].revents & POLLIN) != 0)
            take_notes(run, &run->team.workers[index]);
        /* A peer that hung up would keep poll awake; its end comes as a signal. */
        if ((ready[1 + index].revents & POLLHUP) != 0) {
            close(run->team.workers[index].channel.descriptor);
            run->team.workers[index].channel.descriptor = -1;
        }
    }
    if (ready[0].revents != 0)
        take_signal(run);
}

static void pause_before_restart(struct run *run)
{
    uint64_t pause_ms = (uint64_t)PAUSE_FIRST_MS << (run->failures - 1);
    uint64_t until_ms = 0;

    if (pause_ms > PAUSE_MAX_MS)
        pause_ms = PAUSE_MAX_MS;
    until_ms = now_ms(run) + pause_ms;
    sotto_log_write(&run->log, SOTTO_LOG_INFO, "starting the site's processes anew in %.1f s",
                    (double)pause_ms / 1000);
    for (uint64_t now = now_ms(run); !run->is_over && now < until_ms; now = now_ms(run))
        watch(run, (int)(until_ms - now));
    run->board.restart_count++;
}

static enum sotto_status keep_alive(struct run *run, struct sotto_fault *fault)
{
    while (!run->is_over) {
        int exit_code = -1;
        enum sotto_status status = sotto_team_start(&run->team, run->folder, &run->site, fault);

        if (status != SOTTO_OK)
            return status;
        run->started_ms = now_ms(run);
        sotto_board_publish(&run->board);
        while (!run->is_over && (exit_code = team_reap(run)) < 0)
            watch(run, -1);
        if (exit_code < 0)
            break;
        team_lose(run, exit_code);
        if (!run->is_over)
            pause_before_restart(run);
    }
    return SOTTO_OK;
}

static enum sotto_status prepare(struct run *run, struct sotto_fault *fault)
{
    sigset_t wanted;
    enum sotto_status status = sotto_folder_lock(&run->lock, run->folder->root, fault);

    if (status == SOTTO_OK)
        status = sotto_site_load(&run->site, run->folder->site, fault);
    if (status != SOTTO_OK)
        return status;
    prctl(PR_SET_DUMPABLE, 0);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) != 0)
        return sotto_fault_set(fault, SOTTO_IO, "cannot block signals: %s", strerror(errno));
    run->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signals < 0)
        return sotto_fault_set(fault, SOTTO_IO, "cannot watch signals: %s", strerror(errno));
    return SOTTO_OK;
}

enum sotto_status sotto_site_run(int *exit_code, const struct sotto_state_folder *folder,
                                 struct sotto_fault *fault)
{
    struct run run = {.folder = folder, .lock = -1, .signals = -1};
    enum sotto_status status = SOTTO_OK;

    sotto_log_init(&run.log, stderr, "sotto-participant");
    sotto_clock_init_system(&run.clock);
    sotto_team_init(&run.team);
    status = prepare(&run, fault);
    if (status == SOTTO_OK) {
        sotto_board_init(&run.board, folder, &run.site, &run.log, &run.clock);
        sotto_log_write(&run.log, SOTTO_LOG_INFO, "site %s, coordinator %s", run.site.name,
                        run.site.url);
        status = keep_alive(&run, fault);
        sotto_team_stop(&run.team, SIGTERM);
        sotto_board_lose_round(&run.board, "lost: the site was stopped");
        run.board.is_running = false;
        sotto_board_publish(&run.board);
        sotto_log_write(&run.log, SOTTO_LOG_INFO, "stopped");
    }
    if (run.signals >= 0)
        close(run.signals);
    if (run.lock >= 0)
        close(run.lock);
    *exit_code = status == SOTTO_OK ? run.exit_code : sotto_status_exit_code(status);
    return status;
}
