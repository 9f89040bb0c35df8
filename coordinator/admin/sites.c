#include "coordinator/admin/sites.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"

enum { OPTION_TTL = 256, OPTION_ORGANISATION, TTL_DEFAULT_S = 24 * 3600 };

struct issue_input {
    const char *site;
    const char *organisation; /* NULL: its own */
    json_int_t ttl_s;
};

static error_t issue_parse(int key, char *argument, struct argp_state *state)
{
    struct issue_input *input = state->input;
    char *end;

    switch (key) {
    case OPTION_TTL:
        input->ttl_s = strtoll(argument, &end, 10);
        if (*end != '\0' || end == argument || input->ttl_s < 1)
            sotto_console_refuse(state, "--ttl %s: give a number of seconds", argument);
        return 0;
    case OPTION_ORGANISATION: input->organisation = argument; return 0;
    case ARGP_KEY_ARG:
        if (input->site != NULL)
            sotto_console_refuse(state, "one site at a time");
        input->site = argument;
        return 0;
    case ARGP_KEY_END:
        if (input->site == NULL)
            sotto_console_refuse(state, "name the site");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

enum sotto_status sotto_command_token_issue(struct sotto_session *session,
                                            const struct sotto_command_line *line,
                                            struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"ttl", OPTION_TTL, "SECONDS", 0, "How long the token is good (default: a day)", 0},
        {"organisation", OPTION_ORGANISATION, "NAME", 0,
         "Whom the site belongs to; campaigns may cap the members of one organisation (default: "
         "the "
         "site's own name)",
         0},
        {0}};
    static const struct argp parser = {
        .options = options,
        .parser = issue_parse,
        .args_doc = "SITE",
        .doc = "Prints a token with which SITE can enrol once. Hand it over on a trusted way."};
    struct issue_input input = {.ttl_s = TTL_DEFAULT_S};
    json_t *body, *answer;
    const char *token;
    enum sotto_status status;

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &input);
    body = json_pack("{s:s, s:I, s:s*}", "site", input.site, "ttl_s", input.ttl_s, "organisation",
                     input.organisation);
    status = sotto_session_ask(session, &answer, "POST", "/v1/admin/tokens", body, fault);
    json_decref(body);
    if (status != SOTTO_OK)
        return status;
    token = json_string_value(json_object_get(answer, "token"));
    if (token == NULL)
        status = sotto_fault_set(fault, SOTTO_MALFORMED, "the coordinator sent no token");
    else
        printf("%s\n", token);
    json_decref(answer);
    return status;
}

static void sites_print(const json_t *sites)
{
    const json_t *site;
    size_t index;

    printf("%5s  %-32s %-32s %-8s %s\n", "ID", "NAME", "ORGANISATION", "STATE", "CERTIFICATE");
    json_array_foreach(sites, index, site)
    {
        printf("%5lld  %-32s %-32s %-8s %.16s\n",
               (long long)json_integer_value(json_object_get(site, "id")),
               json_string_value(json_object_get(site, "name")),
               json_string_value(json_object_get(site, "organisation")),
               json_is_true(json_object_get(site, "revoked")) ? "revoked" : "enrolled",
               json_string_value(json_object_get(site, "certificate")));
    }
}

enum sotto_status sotto_command_site_list(struct sotto_session *session,
                                          const struct sotto_command_line *line,
                                          struct sotto_fault *fault)
{
    bool json = false;
    json_t *answer;
    enum sotto_status status;

    sotto_command_parse(line, "", NULL, &json, "Lists every site that was ever enrolled.");
    status = sotto_session_ask(session, &answer, "GET", "/v1/admin/sites", NULL, fault);
    if (status != SOTTO_OK)
        return status;
    if (json)
        sotto_command_print(answer);
    else
        sites_print(json_object_get(answer, "sites"));
    json_decref(answer);
    return SOTTO_OK;
}

enum sotto_status sotto_command_site_revoke(struct sotto_session *session,
                                            const struct sotto_command_line *line,
                                            struct sotto_fault *fault)
{
    const char *site = NULL;
    char path[256];
    json_t *answer;
    enum sotto_status status;

    sotto_command_parse(line, "SITE", &site, NULL,
                        "Ends a site's enrolment; a running round goes on without it.");
    status = sotto_command_path(path, "sites", site, "/revoke", fault);
    if (status == SOTTO_OK)
        status = sotto_session_ask(session, &answer, "POST", path, NULL, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_console_say("%s is revoked", site);
    json_decref(answer);
    return SOTTO_OK;
}
