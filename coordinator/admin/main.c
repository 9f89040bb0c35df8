/* sotto-admin: what an administrator does with a coordinator, from anywhere. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "coordinator/admin/authority.h"
#include "coordinator/admin/campaign.h"
#include "coordinator/admin/export.h"
#include "coordinator/admin/roster.h"
#include "coordinator/admin/sites.h"
#include "coordinator/admin/start.h"
#include "coordinator/admin/watch.h"
#include "core/console/console.h"

enum { EXIT_USAGE = 2, EXIT_NO_QUORUM = 3, OPTION_CREDENTIAL = 256 };

const char *argp_program_version = "sotto-admin " SOTTO_VERSION;

struct command {
    const char *first;
    const char *second; /* NULL: one word */
    enum sotto_status (*run)(struct sotto_session *session, const struct sotto_command_line *line,
                             struct sotto_fault *fault);
};

static const struct command commands[] = {
    {"token", "issue", sotto_command_token_issue},
    {"site", "list", sotto_command_site_list},
    {"site", "revoke", sotto_command_site_revoke},
    {"roster", "key", sotto_command_roster_key},
    {"roster", "export", sotto_command_roster_export},
    {"roster", "sign", sotto_command_roster_sign},
    {"roster", "import", sotto_command_roster_import},
    {"roster", "release", sotto_command_roster_release},
    {"roster", "show", sotto_command_roster_show},
    {"campaign", "create", sotto_command_campaign_create},
    {"campaign", "start", sotto_command_campaign_start},
    {"campaign", "stop", sotto_command_campaign_stop},
    {"campaign", "show", sotto_command_campaign_show},
    {"campaign", "wait", sotto_command_campaign_wait},
    {"adapter", "export", sotto_command_adapter_export},
    {"adapter", "manifest", sotto_command_adapter_manifest},
    {"adapter", "verify", sotto_command_adapter_verify},
    {"status", NULL, sotto_command_status},
};

struct arguments {
    const char *credential;
    const struct command *command;
    int first; /* of the command's own arguments; its last word comes before */
};

static const struct command *command_find(const char *first, const char *second)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].first, first) == 0 &&
            (commands[i].second == NULL ||
             (second != NULL && strcmp(commands[i].second, second) == 0)))
            return &commands[i];
    return NULL;
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    const char *second;

    switch (key) {
    case OPTION_CREDENTIAL: arguments->credential = argument; return 0;
    case ARGP_KEY_ARG:
        second = state->next < state->argc ? state->argv[state->next] : NULL;
        arguments->command = command_find(argument, second);
        if (arguments->command == NULL)
            sotto_console_refuse(state, "there is no command '%s%s%s'", argument,
                                 second == NULL ? "" : " ", second == NULL ? "" : second);
        arguments->first = state->next + (arguments->command->second != NULL);
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (arguments->command == NULL)
            sotto_console_refuse(state, "say what to do");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
    {"credential", OPTION_CREDENTIAL, "DIR", 0,
     "The folder admin/ that the coordinator's init made (default: $XDG_CONFIG_HOME/sotto, or the "
     "present folder)",
     0},
    {0}};

static const struct argp parser = {
    .options = options,
    .parser = option_parse,
    .args_doc =
        "token issue SITE\nsite list\nsite revoke SITE\nroster key FILE\n"
        "roster export FILE\nroster sign ROSTER\nroster import FILE\nroster release\n"
        "roster show\ncampaign create NAME\n"
        "campaign start NAME\ncampaign stop NAME\ncampaign show NAME\ncampaign wait NAME\n"
        "adapter export CAMPAIGN\nadapter manifest CAMPAIGN\nadapter verify CAMPAIGN\nstatus",
    .doc = "Invites sites and runs campaigns at a coordinator.\v"
           "Every command has its own --help. Results are on stdout, messages on stderr."};

static enum sotto_status command_run(const struct arguments *arguments, int argc, char **argv,
                                     struct sotto_session *session, struct sotto_fault *fault)
{
    const struct command *command = arguments->command;
    struct sotto_command_line line = {.argc = argc - arguments->first + 1,
                                      .argv = argv + arguments->first - 1};
    char name[64];

    snprintf(name, sizeof name, "sotto-admin %s%s%s", command->first,
             command->second == NULL ? "" : " ", command->second == NULL ? "" : command->second);
    line.argv[0] = name;
    return command->run(session, &line, fault);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct sotto_session session;
    struct sotto_fault fault = {0};
    enum sotto_status status;
    bool is_waiting;
    int code;

    sotto_console_open("sotto-admin");
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &arguments) != 0)
        return EXIT_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = sotto_session_open(&session, arguments.credential, &fault);
    if (status == SOTTO_OK)
        status = command_run(&arguments, argc, argv, &session, &fault);
    is_waiting = arguments.command->run == sotto_command_campaign_wait;
    code = sotto_status_exit_code(status);
    if (session.is_unreachable && status == SOTTO_IO)
        code = EX_UNAVAILABLE;
    else if (status == SOTTO_REFUSED && is_waiting)
        code = EXIT_NO_QUORUM;
    if (status != SOTTO_OK)
        sotto_console_say("sotto-admin: %s", fault.text);
    sotto_session_close(&session);
    return code;
}
