#include "coordinator/admin/watch.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/round/round.h"
#include "core/base/clock.h"
#include "core/console/console.h"

enum {
    OPTION_ROUND = 256,
    OPTION_PHASE,
    OPTION_TIMEOUT,
    POLL_MS = 100,
    TIMEOUT_MAX_S = 1000000000
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static double seconds_sum(const json_t *phases)
{
    double sum = 0;
    const char *phase;
    json_t *seconds;

    json_object_foreach((json_t *)phases, phase, seconds) sum += json_number_value(seconds);
    return sum;
}

static void privacy_print(const json_t *privacy)
{
    if (!json_is_object(privacy))
        return;
    printf("privacy: noise %.4g; epsilon %.4g at delta %g after %lld rounds, %.4g at the end\n",
           json_number_value(json_object_get(privacy, "noise_multiplier")),
           json_number_value(json_object_get(privacy, "epsilon")),
           json_number_value(json_object_get(privacy, "delta")),
           (long long)number_of(privacy, "rounds"),
           json_number_value(json_object_get(privacy, "epsilon_end")));
}

static void start_print(const json_t *definition)
{
    const json_t *seed = json_object_get(definition, "seed");

    printf("began with adapter %.16s, ", text_of(definition, "adapter"));
    if (json_is_integer(seed))
        printf("drawn from seed %lld\n", (long long)json_integer_value(seed));
    else
        printf("uploaded: it has no seed\n");
}

static void campaign_print(const json_t *campaign)
{
    const json_t *round;
    size_t index;

    printf("%s: %s%s%s\n", text_of(campaign, "name"), text_of(campaign, "state"),
           text_of(campaign, "reason")[0] == '\0' ? "" : ": ", text_of(campaign, "reason"));
    start_print(json_object_get(campaign, "definition"));
    privacy_print(json_object_get(campaign, "privacy"));
    printf("%5s  %-10s %6s %9s %8s  %s\n", "ROUND", "PHASE", "COHORT", "SURVIVORS", "SECONDS",
           "ADAPTER OR REASON");
    json_array_foreach(json_object_get(campaign, "rounds"), index, round)
    {
        const char *reason = text_of(round, "reason");

        printf("%5lld  %-10s %6lld %9lld %8.1f  %.*s\n", (long long)number_of(round, "round"),
               text_of(round, "phase"), (long long)number_of(round, "cohort"),
               (long long)number_of(round, "survivors"),
               seconds_sum(json_object_get(round, "phase_seconds")), reason[0] == '\0' ? 16 : 80,
               reason[0] == '\0' ? text_of(round, "adapter") : reason);
    }
}

static enum sotto_status campaign_get(struct sotto_session *session, const char *name,
                                      json_t **campaign, struct sotto_fault *fault)
{
    char path[256];
    enum sotto_status status = sotto_command_path(path, "campaigns", name, "", fault);

    *campaign = NULL;
    return status == SOTTO_OK ? sotto_session_ask(session, campaign, "GET", path, NULL, fault)
                              : status;
}

enum sotto_status sotto_command_campaign_show(struct sotto_session *session,
                                              const struct sotto_command_line *line,
                                              struct sotto_fault *fault)
{
    const char *name = NULL;
    bool json = false;
    json_t *campaign;
    enum sotto_status status;

    sotto_command_parse(line, "NAME", &name, &json, "Shows where a campaign stands.");
    status = campaign_get(session, name, &campaign, fault);
    if (status != SOTTO_OK)
        return status;
    if (json)
        sotto_command_print(campaign);
    else
        campaign_print(campaign);
    json_decref(campaign);
    return SOTTO_OK;
}

struct wait_wish {
    const char *name;
    json_int_t round; /* 0: the whole campaign, or its newest round if a phase is named */
    int phase;        /* enum sotto_round_phase; -1: to the end */
    double timeout_s; /* 0: for ever */
};

static int phase_parse(const char *name)
{
    for (int phase = 0; phase < SOTTO_ROUND_PHASE_COUNT; phase++)
        if (strcmp(sotto_round_phase_name((enum sotto_round_phase)phase), name) == 0)
            return phase;
    return -1;
}

static error_t wait_parse(int key, char *argument, struct argp_state *state)
{
    struct wait_wish *wish = state->input;
    char *end = argument;

    switch (key) {
    case OPTION_ROUND:
        wish->round = strtoll(argument, &end, 10);
        if (*end != '\0' || end == argument || wish->round < 1)
            sotto_console_refuse(state, "--round %s: give a number from 1", argument);
        return 0;
    case OPTION_TIMEOUT:
        wish->timeout_s = strtod(argument, &end);
        if (*end != '\0' || end == argument ||
            !(wish->timeout_s > 0 && wish->timeout_s <= TIMEOUT_MAX_S))
            sotto_console_refuse(state, "--timeout %s: give a number of seconds", argument);
        return 0;
    case OPTION_PHASE:
        wish->phase = phase_parse(argument);
        if (wish->phase < 0)
            sotto_console_refuse(state,
                                 "--phase %s: phases are gathering, sharing, uploading, including, "
                                 "revealing, unmasking, applying, finished and abandoned",
                                 argument);
        return 0;
    case ARGP_KEY_ARG:
        if (wish->name != NULL)
            sotto_console_refuse(state, "one campaign at a time");
        wish->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (wish->name == NULL)
            sotto_console_refuse(state, "name the campaign");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/*
 * Has the round come to the phase, or gone beyond it? A round that ended has been through every
 * phase.
 */
static bool round_is_there(const struct wait_wish *wish, const json_t *round)
{
    int phase = phase_parse(text_of(round, "phase"));
    bool is_over = strcmp(text_of(round, "outcome"), "running") != 0;

    return is_over || (wish->phase >= 0 && phase >= wish->phase);
}

enum wait_verdict { WAIT_ON, WAIT_DONE, WAIT_VAIN };

static enum wait_verdict rounds_judge(const struct wait_wish *wish, const json_t *campaign)
{
    const json_t *rounds = json_object_get(campaign, "rounds");
    const json_t *round;
    size_t index;
    json_int_t wanted = wish->round;

    if (wanted == 0 && json_array_size(rounds) > 0)
        wanted = number_of(json_array_get(rounds, json_array_size(rounds) - 1), "round");
    json_array_foreach(rounds, index, round)
    {
        if (number_of(round, "round") < wanted)
            continue;
        if (wish->phase < 0 && strcmp(text_of(round, "outcome"), "abandoned") == 0)
            return WAIT_VAIN;
        if (number_of(round, "round") > wanted || round_is_there(wish, round))
            return WAIT_DONE;
    }
    return WAIT_ON;
}

static enum wait_verdict campaign_judge(const struct wait_wish *wish, const json_t *campaign)
{
    const char *state = text_of(campaign, "state");
    bool is_over = strcmp(state, "running") != 0 && strcmp(state, "created") != 0;
    bool is_whole = wish->round == 0 && wish->phase < 0;
    enum wait_verdict verdict = is_whole ? WAIT_ON : rounds_judge(wish, campaign);

    if (verdict != WAIT_ON || !is_over)
        return verdict;
    return is_whole && strcmp(state, "finished") == 0 ? WAIT_DONE : WAIT_VAIN;
}

/* One look. An unreachable coordinator may be starting: it is asked again. */
static enum sotto_status campaign_look(struct sotto_session *session, const struct wait_wish *wish,
                                       enum wait_verdict *verdict, struct sotto_fault *fault)
{
    json_t *campaign;
    enum sotto_status status = campaign_get(session, wish->name, &campaign, fault);

    *verdict = WAIT_ON;
    if (status != SOTTO_OK)
        return session->is_unreachable && wish->timeout_s > 0 ? SOTTO_OK : status;
    *verdict = campaign_judge(wish, campaign);
    if (*verdict == WAIT_VAIN)
        sotto_fault_set(fault, SOTTO_REFUSED, "%s did not get there: it is %s: %s", wish->name,
                        text_of(campaign, "state"), text_of(campaign, "reason"));
    json_decref(campaign);
    return SOTTO_OK;
}

enum sotto_status sotto_command_campaign_wait(struct sotto_session *session,
                                              const struct sotto_command_line *line,
                                              struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"round", OPTION_ROUND, "N", 0, "Wait for this round (default: for the campaign)", 0},
        {"phase", OPTION_PHASE, "NAME", 0, "Wait until it has come to this phase", 0},
        {"timeout", OPTION_TIMEOUT, "SECONDS", 0, "Give up after this time (default: never)", 0},
        {0}};
    static const struct argp parser = {
        .options = options,
        .parser = wait_parse,
        .args_doc = "NAME",
        .doc =
            "Waits until a campaign has finished, or a round has come somewhere. Exit code 3: it "
            "paused, stopped or was abandoned instead; 75: the time is over."};
    struct wait_wish wish = {.phase = -1};
    struct sotto_clock clock;
    uint64_t end_ns;
    enum wait_verdict verdict = WAIT_ON;
    enum sotto_status status;

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &wish);
    sotto_clock_init_system(&clock);
    end_ns = sotto_clock_steady_ns(&clock) + (uint64_t)(wish.timeout_s * 1e9);
    for (;;) {
        status = campaign_look(session, &wish, &verdict, fault);
        if (status != SOTTO_OK || verdict == WAIT_DONE)
            return status;
        if (verdict == WAIT_VAIN)
            return SOTTO_REFUSED;
        if (wish.timeout_s > 0 && sotto_clock_steady_ns(&clock) >= end_ns)
            return sotto_fault_set(fault, SOTTO_BUSY, "%s is not there after %g seconds", wish.name,
                                   wish.timeout_s);
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

static void status_print(const json_t *answer)
{
    const json_t *round = json_object_get(answer, "round");
    const json_t *campaign;
    size_t index;

    printf("%lld sites, %lld entries in the journal\n", (long long)number_of(answer, "sites"),
           (long long)number_of(answer, "journal_entries"));
    if (json_is_object(round))
        printf("%s round %lld: %s\n", text_of(round, "campaign"),
               (long long)number_of(round, "round"), text_of(round, "phase"));
    json_array_foreach(json_object_get(answer, "campaigns"), index, campaign)
    {
        printf("campaign %s: %s %s\n", text_of(campaign, "name"), text_of(campaign, "state"),
               text_of(campaign, "reason"));
    }
}

enum sotto_status sotto_command_status(struct sotto_session *session,
                                       const struct sotto_command_line *line,
                                       struct sotto_fault *fault)
{
    bool json = false;
    json_t *answer;
    enum sotto_status status;

    sotto_command_parse(line, "", NULL, &json, "Says what the coordinator is doing.");
    status = sotto_session_ask(session, &answer, "GET", "/v1/admin/status", NULL, fault);
    if (status != SOTTO_OK)
        return status;
    if (json)
        sotto_command_print(answer);
    else
        status_print(answer);
    json_decref(answer);
    return SOTTO_OK;
}
