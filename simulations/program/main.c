/* sotto-simulate: plays a campaign, or answers a question about one, without sockets. */
#include <argp.h>
#include <string.h>

#include "core/console/console.h"
#include "simulations/program/parameters.h"
#include "simulations/program/play.h"
#include "simulations/program/privacy.h"

enum { EXIT_USAGE = 2 };

const char *argp_program_version = "sotto-simulate " SOTTO_VERSION;

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
};

/* By the first word of the command line; without one of these it plays a scenario. */
static const struct command commands[] = {
    {"parameters", sotto_program_parameters},
    {"privacy", sotto_program_privacy},
};

int main(int argc, char **argv)
{
    sotto_console_open("sotto-simulate");
    argp_err_exit_status = EXIT_USAGE;
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return sotto_program_play(argc, argv);
}
