#include "participant/supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "participant/channel/channel.h"

enum { SEAT_SAFE = 16, EXIT_NO_PROGRAM = 127 };

enum sotto_status sotto_program_path(char out[1024], const char *program, struct sotto_fault *fault)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = NULL;
    int wanted = -1;

    if (length > 0) {
        self[length] = '\0';
        slash = strrchr(self, '/');
    }
    if (slash != NULL) {
        *slash = '\0';
        wanted = snprintf(out, 1024, "%s/%s", self, program);
    }
    if (wanted < 0 || wanted >= 1024)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the folder of this program has no path");
    if (access(out, X_OK) != 0)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "%s is missing: install all of Sotto's programs in one folder", out);
    return SOTTO_OK;
}

/* Moves the seats out of the way first: one of them may lie where another is to go. */
static bool seats_take(const int *seats, size_t seat_count)
{
    int moved[SOTTO_SEATS_MAX];

    for (size_t index = 0; index < seat_count; index++) {
        moved[index] = fcntl(seats[index], F_DUPFD, SEAT_SAFE);
        if (moved[index] < 0)
            return false;
    }
    for (size_t index = 0; index < seat_count; index++)
        if (dup2(moved[index], SOTTO_SEAT_SUPERVISOR + (int)index) < 0)
            return false;
    return syscall(SYS_close_range, SOTTO_SEAT_SUPERVISOR + (unsigned)seat_count, UINT_MAX, 0) == 0;
}

static bool streams_take(void)
{
    int nothing = open("/dev/null", O_RDWR);

    return nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0;
}

static bool harden(pid_t parent)
{
    struct rlimit none = {0, 0};
    sigset_t nothing;

    sigemptyset(&nothing);
    umask(077);
    return sigprocmask(SIG_SETMASK, &nothing, NULL) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           getppid() == parent && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           setrlimit(RLIMIT_CORE, &none) == 0;
}

enum sotto_status sotto_spawn(pid_t *child, const char *program, const int *seats,
                              size_t seat_count, struct sotto_fault *fault)
{
    char path[1024];
    char *arguments[] = {path, NULL};
    pid_t parent = getpid();
    enum sotto_status status = sotto_program_path(path, program, fault);

    if (status != SOTTO_OK)
        return status;
    *child = fork();
    if (*child < 0)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to start %s", program);
    if (*child > 0)
        return SOTTO_OK;
    /*
     * A library that brought threads of its own would keep them outside Landlock: none unless it is
     * asked for.
     */
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    if (harden(parent) && streams_take() && seats_take(seats, seat_count))
        execv(path, arguments);
    _exit(EXIT_NO_PROGRAM);
}

enum sotto_status sotto_trainer_become(char **arguments, struct sotto_fault *fault)
{
    char path[1024];
    enum sotto_status status = sotto_program_path(path, "sotto-trainer", fault);

    if (status != SOTTO_OK)
        return status;
    execv(path, arguments);
    return sotto_fault_set(fault, SOTTO_IO, "cannot start %s: %s", path, strerror(errno));
}
