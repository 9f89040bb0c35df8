/* sotto-coordinator: init, serve, recover. */
#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "coordinator/program/init.h"
#include "coordinator/program/recover.h"
#include "coordinator/program/serve.h"
#include "core/console/console.h"

enum {
    HOSTS_MAX = 16,
    PORT_DEFAULT = 7443,
    EXIT_USAGE = 2,
    EXIT_INTERRUPTED = 130,
    OPTION_HOST = 256
};

const char *argp_program_version = "sotto-coordinator " SOTTO_VERSION;

struct arguments {
    const char *command;
    const char *folder;
    const char *hosts[HOSTS_MAX];
    size_t host_count;
    uint16_t port;
};

static const struct argp_option options[] = {
    {"state", 's', "DIR", 0, "The coordinator's state folder", 0},
    {"host", OPTION_HOST, "NAME", 0,
     "init: a host name or address that sites use; may be repeated, the first goes into its URL "
     "(default: this machine's name)",
     0},
    {"port", 'p', "N", 0, "init: the port to serve on (default: 7443)", 0},
    {0}};

static uint16_t port_parse(const char *text, struct argp_state *state)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (*end != '\0' || end == text || port < 1 || port > UINT16_MAX)
        sotto_console_refuse(state, "--port %s: give a number from 1 to 65535", text);
    return (uint16_t)port;
}

static bool is_command(const char *word)
{
    return strcmp(word, "init") == 0 || strcmp(word, "serve") == 0 || strcmp(word, "recover") == 0;
}

static void arguments_check(const struct arguments *arguments, struct argp_state *state)
{
    if (arguments->command == NULL)
        sotto_console_refuse(state, "say what to do: init, serve or recover");
    if (arguments->folder == NULL)
        sotto_console_refuse(state, "name the state folder with --state DIR");
    if (strcmp(arguments->command, "init") != 0 &&
        (arguments->host_count > 0 || arguments->port != 0))
        sotto_console_refuse(state,
                             "--host and --port are for init; later on they are in config.yaml");
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 's': arguments->folder = argument; return 0;
    case 'p': arguments->port = port_parse(argument, state); return 0;
    case OPTION_HOST:
        if (arguments->host_count == HOSTS_MAX)
            sotto_console_refuse(state, "--host: at most %d", HOSTS_MAX);
        arguments->hosts[arguments->host_count++] = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->command != NULL || !is_command(argument))
            sotto_console_refuse(state, "%s is none of init, serve and recover", argument);
        arguments->command = argument;
        return 0;
    case ARGP_KEY_END: arguments_check(arguments, state); return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
    .options = options,
    .parser = option_parse,
    .args_doc = "init|serve|recover",
    .doc = "Schedules campaigns of federated fine-tuning and learns nothing but sums.\v"
           "init makes a state folder: a certificate authority, an administrator's credential, a "
           "config file and an empty journal. serve runs it until SIGTERM. recover goes on after "
           "the journal lost entries, at the price of the running round."};

static enum sotto_status init_run(struct arguments *arguments, struct sotto_fault *fault)
{
    char name[256];
    struct sotto_init init = {.folder = arguments->folder,
                              .hosts = arguments->hosts,
                              .host_count = arguments->host_count,
                              .port = arguments->port};
    enum sotto_status status;

    if (init.port == 0)
        init.port = PORT_DEFAULT;
    if (init.host_count == 0) {
        if (gethostname(name, sizeof name) != 0)
            snprintf(name, sizeof name, "localhost");
        name[sizeof name - 1] = '\0';
        arguments->hosts[init.host_count++] = name;
    }
    status = sotto_init_run(&init, fault);
    if (status == SOTTO_OK)
        printf("%s is ready: serve it with 'sotto-coordinator serve --state %s'; the "
               "administrator's credential is %s/admin\n",
               init.folder, init.folder, init.folder);
    return status;
}

static int exit_code(const struct arguments *arguments, enum sotto_status status)
{
    if (status == SOTTO_BUSY && strcmp(arguments->command, "init") == 0)
        return EX_CANTCREAT;
    return sotto_status_exit_code(status);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct sotto_fault fault = {0};
    struct sotto_log log;
    int signal_number = 0;
    enum sotto_status status;

    sotto_console_open("sotto-coordinator");
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &arguments) != 0)
        return EXIT_USAGE;
    umask(077);
    setvbuf(stdout, NULL, _IOLBF, 0);
    sotto_log_init(&log, stderr, "sotto-coordinator");
    if (strcmp(arguments.command, "init") == 0)
        status = init_run(&arguments, &fault);
    else if (strcmp(arguments.command, "recover") == 0)
        status = sotto_recover_run(arguments.folder, &log, &fault);
    else
        status = sotto_serve_run(arguments.folder, &log, &signal_number, &fault);
    if (status != SOTTO_OK) {
        sotto_log_write(&log, SOTTO_LOG_ERROR, "%s", fault.text);
        return exit_code(&arguments, status);
    }
    return signal_number == SIGINT ? EXIT_INTERRUPTED : 0;
}
