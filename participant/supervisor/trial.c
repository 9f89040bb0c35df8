#include "participant/supervisor/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "participant/supervisor/spawn.h"

enum { EXIT_NO_PROGRAM = 127 };

/* What every line of the trainer's begins with. */
static const char prefix[] = "sotto-participant check: ";

static void become(const char *path, const char *model, int errors)
{
    char *arguments[] = {(char *)(uintptr_t) "sotto-participant", (char *)(uintptr_t) "check",
                         (char *)(uintptr_t) "--model", (char *)(uintptr_t)model, NULL};
    int nothing = open("/dev/null", O_RDWR);

    if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0 &&
        dup2(errors, STDERR_FILENO) >= 0)
        execv(path, arguments);
    _exit(EXIT_NO_PROGRAM);
}

/* The first line of what comes, until the other end is closed. */
static void read_line(char line[SOTTO_FAULT_TEXT_MAX], int errors)
{
    size_t length = 0;
    char rest[512];
    ssize_t got;

    while ((got = read(errors, rest, sizeof rest)) > 0 || (got < 0 && errno == EINTR)) {
        size_t room = SOTTO_FAULT_TEXT_MAX - 1 - length;
        size_t taken = got < 0 ? 0 : (size_t)got < room ? (size_t)got : room;

        memcpy(line + length, rest, taken);
        length += taken;
    }
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* The first status that ends with a code; SOTTO_IO: none does. */
static enum sotto_status status_of(int code)
{
    for (int status = SOTTO_OK; status <= SOTTO_IO; status++)
        if (sotto_status_exit_code((enum sotto_status)status) == code)
            return (enum sotto_status)status;
    return SOTTO_IO;
}

static enum sotto_status judge(pid_t child, const char *line, struct sotto_fault *fault)
{
    bool has_prefix = strncmp(line, prefix, strlen(prefix)) == 0;
    int code = 0;
    enum sotto_status status;

    while (waitpid(child, &code, 0) < 0 && errno == EINTR)
        continue;
    status = WIFEXITED(code) ? status_of(WEXITSTATUS(code)) : SOTTO_IO;
    if (status == SOTTO_OK)
        return SOTTO_OK;
    if (line[0] == '\0')
        return sotto_fault_set(fault, status,
                               "sotto-trainer ended without a word while it tried the model: is "
                               "there memory for it?");
    return sotto_fault_set(fault, status, "%s", line + (has_prefix ? strlen(prefix) : 0));
}

enum sotto_status sotto_model_try(const char *model, struct sotto_fault *fault)
{
    char path[1024];
    char line[SOTTO_FAULT_TEXT_MAX];
    int ends[2];
    pid_t child;
    enum sotto_status status = sotto_program_path(path, "sotto-trainer", fault);

    if (status != SOTTO_OK)
        return status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return sotto_fault_set(fault, SOTTO_IO, "cannot make a pipe: %s", strerror(errno));
    child = fork();
    if (child == 0)
        become(path, model, ends[1]);
    close(ends[1]);
    if (child > 0)
        read_line(line, ends[0]);
    close(ends[0]);
    if (child < 0)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to start sotto-trainer");
    return judge(child, line, fault);
}
