/*
 * sotto-trainer: holds the model and the examples, has no keys and no network. Started by the
 * supervisor, or, with a command, by `sotto-participant check`, `predict`, `evaluate`, `train` and
 * `export`.
 */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/console/console.h"
#include "participant/channel/channel.h"
#include "participant/confinement/filter.h"
#include "participant/trainer/check.h"
#include "participant/trainer/drive.h"
#include "participant/trainer/evaluate.h"
#include "participant/trainer/export.h"
#include "participant/trainer/predict.h"
#include "participant/trainer/train.h"

enum { EXIT_USAGE = 2 };

static const char name_of_site[] = "sotto-participant";

typedef enum sotto_status (*command)(int argument_count, char **arguments,
                                     struct sotto_fault *fault);

static command command_find(const char *name)
{
    static const struct {
        const char *name;
        command run;
    } commands[] = {
        {"check", sotto_command_check},       {"predict", sotto_command_predict},
        {"evaluate", sotto_command_evaluate}, {"train", sotto_command_train},
        {"export", sotto_command_export},
    };

    for (size_t index = 0; index < sizeof commands / sizeof *commands; index++)
        if (strcmp(commands[index].name, name) == 0)
            return commands[index].run;
    return NULL;
}

/*
 * Photos and models come from anywhere: also a one-shot mode can neither open a socket nor run a
 * program.
 */
static enum sotto_status run_once(command run, int argument_count, char **arguments)
{
    struct sotto_confinement confinement = {.role = SOTTO_ROLE_TRAINER};
    struct sotto_fault fault = {0};
    char program[64];
    enum sotto_status status = sotto_filter_install(&confinement);

    snprintf(program, sizeof program, "sotto-participant %.16s", arguments[1]);
    arguments[1] = program;
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version = "sotto-participant " SOTTO_VERSION;
    if (status != SOTTO_OK)
        sotto_fault_set(&fault, status, "this kernel takes no seccomp filter");
    else
        status = run(argument_count - 1, arguments + 1, &fault);
    if (status != SOTTO_OK)
        sotto_console_say("%s: %s", program, fault.text);
    return status;
}

int main(int argument_count, char **arguments)
{
    command run = argument_count > 1 ? command_find(arguments[1]) : NULL;
    enum sotto_status status = SOTTO_OK;

    if (run == NULL && (argument_count > 1 || !sotto_channel_is_seated())) {
        fprintf(stderr, "sotto-trainer %s: is started by sotto-participant\n", SOTTO_VERSION);
        return EXIT_USAGE;
    }
    sotto_console_open(name_of_site);
    status = run != NULL ? run_once(run, argument_count, arguments) : sotto_trainer_serve();
    _exit(sotto_console_close(name_of_site, sotto_status_exit_code(status)));
}
