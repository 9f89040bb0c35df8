/* Every event in every phase of a turn: what it leads to is a table, printed when it differs. */
#include <stdio.h>
#include <string.h>

#include "tests/participant/sealer/circle.h"
#include "tests/support/cmocka.h"

enum trial {
    TRIAL_READY,
    TRIAL_NEWER_PLAN,
    TRIAL_MESSAGE,
    TRIAL_OUTCOME,
    TRIAL_FETCHED,
    TRIAL_NOT_FETCHED,
    TRIAL_LOADED,
    TRIAL_UPDATE,
    TRIAL_MASKED,
    TRIAL_ADOPTED,
    TRIAL_LOST,
    TRIAL_NOISE, /* a mail that does not parse */
    TRIAL_COUNT
};

static const enum sotto_turn_phase phases[] = {
    SOTTO_PHASE_IDLE,      SOTTO_PHASE_FETCHING,  SOTTO_PHASE_LOADING,
    SOTTO_PHASE_WORKING,   SOTTO_PHASE_MASKING,   SOTTO_PHASE_CLOSING,
    SOTTO_PHASE_RETURNING, SOTTO_PHASE_RELOADING, SOTTO_PHASE_ADOPTING};

enum { PHASES = sizeof phases / sizeof *phases };

/*
 * A row a phase, a column a trial, as above: the letter of the phase that follows, in upper case if
 * something was refused; a dot where nothing but the count of ignored events changed.
 *     idle, fetching, loading, working, masking, closing, returning, reloading, adopting =
 *     iflwmcrea
 */
static const char expected[PHASES][TRIAL_COUNT + 1] = {
    "if.r......i.", /* idle */
    ".f.rfI....I.", /* fetching */
    ".f.r..I...I.", /* loading */
    ".fIr...w..I.", /* working */
    ".f.r....I.m.", /* masking */
    "cfIr......c.", /* closing */
    ".r.rii....i.", /* returning */
    ".e.e..i...i.", /* reloading */
    ".a.a.....ii.", /* adopting */
};

static struct sotto_view mail_bytes(struct circle *circle, enum trial trial, uint8_t *bytes)
{
    struct sotto_signature signature = {{0}};

    switch (trial) {
    case TRIAL_NEWER_PLAN:
        circle->plan.round = 5;
        circle->plan.adapter.bytes[0] ^= 1;
        circle_begin(circle);
        return circle_plan_mail(circle, bytes);
    case TRIAL_MESSAGE:
        return circle_mail_of(circle, bytes, SOTTO_MAIL_SURVIVORS, sotto_view_text("forged"),
                              &signature);
    case TRIAL_OUTCOME: return circle_outcome_mail(circle, bytes, SOTTO_OUTCOME_FINISHED);
    case TRIAL_NOISE: return sotto_view_text("no mail at all");
    case TRIAL_READY:
    case TRIAL_FETCHED:
    case TRIAL_NOT_FETCHED:
    case TRIAL_LOADED:
    case TRIAL_UPDATE:
    case TRIAL_MASKED:
    case TRIAL_ADOPTED:
    case TRIAL_LOST:
    case TRIAL_COUNT: break;
    }
    return (struct sotto_view){0};
}

static struct sotto_turn_event event_of(struct circle *circle, enum trial trial, uint8_t *bytes)
{
    static const enum sotto_turn_event_kind kinds[TRIAL_COUNT] = {
        [TRIAL_READY] = SOTTO_TURN_TRAINER_READY, [TRIAL_NEWER_PLAN] = SOTTO_TURN_MAIL,
        [TRIAL_MESSAGE] = SOTTO_TURN_MAIL,        [TRIAL_OUTCOME] = SOTTO_TURN_MAIL,
        [TRIAL_FETCHED] = SOTTO_TURN_FETCHED,     [TRIAL_NOT_FETCHED] = SOTTO_TURN_NOT_FETCHED,
        [TRIAL_LOADED] = SOTTO_TURN_LOADED,       [TRIAL_UPDATE] = SOTTO_TURN_UPDATE,
        [TRIAL_MASKED] = SOTTO_TURN_MASKED,       [TRIAL_ADOPTED] = SOTTO_TURN_ADOPTED,
        [TRIAL_LOST] = SOTTO_TURN_TRAINER_LOST,   [TRIAL_NOISE] = SOTTO_TURN_MAIL,
    };
    struct sotto_turn_event event = {.kind = kinds[trial],
                                     .item = SOTTO_ITEM_ADAPTER,
                                     .base_model = circle->plan.base_model,
                                     .values = circle->sites[0].values,
                                     .value_count = CIRCLE_VALUES,
                                     .weight = 1,
                                     .is_kept = true};

    event.bytes = mail_bytes(circle, trial, bytes);
    if (trial == TRIAL_FETCHED)
        event.bytes = sotto_view_of(circle->adapter, sizeof circle->adapter);
    return event;
}

static char outcome_of(const struct circle_site *site, uint64_t ignored_before)
{
    static const char letters[] = "iflwmcrea";
    char letter = letters[site->turn->phase];

    if (site->turn->ignored_count > ignored_before)
        return '.';
    return site->last.refusal != SOTTO_REFUSAL_NONE ? (char)(letter - 'a' + 'A') : letter;
}

static char attempt(enum sotto_turn_phase phase, enum trial trial)
{
    struct circle *circle = circle_open();
    struct circle_site *site = &circle->sites[0];
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event event;
    uint64_t ignored = 0;
    char outcome = '?';

    circle_bring(circle, phase);
    event = event_of(circle, trial, bytes);
    ignored = site->turn->ignored_count;
    circle_step(site, &event);
    outcome = outcome_of(site, ignored);
    circle_close(circle);
    return outcome;
}

static void turn__every_event_in_every_phase__follows_the_table(void **state)
{
    char seen[PHASES][TRIAL_COUNT + 1] = {{0}};

    (void)state;
    for (size_t row = 0; row < PHASES; row++)
        for (unsigned trial = 0; trial < TRIAL_COUNT; trial++)
            seen[row][trial] = attempt(phases[row], (enum trial)trial);
    for (size_t row = 0; row < PHASES; row++)
        print_message("%s\n", seen[row]);
    for (size_t row = 0; row < PHASES; row++)
        assert_string_equal(seen[row], expected[row]);
}

/* Cut at any length, a mail changes nothing in any phase; nor does one with a byte too many. */
static void turn__mail_of_any_other_length__is_ignored(void **state)
{
    struct circle *circle = circle_open();
    struct circle_site *site = &circle->sites[0];
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL};
    struct sotto_view whole;

    (void)state;
    circle_bring(circle, SOTTO_PHASE_WORKING);
    circle->plan.round = 2;
    circle_begin(circle);
    whole = circle_plan_mail(circle, bytes);
    bytes[whole.length] = 0;
    for (size_t length = 0; length <= whole.length + 1; length++) {
        site->trace[0] = '\0';
        event.bytes = sotto_view_of(bytes, length);
        if (length == whole.length)
            continue;
        circle_step(site, &event);
        assert_string_equal(site->trace, "\n");
        assert_int_equal(site->turn->phase, SOTTO_PHASE_WORKING);
    }
    circle_close(circle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turn__every_event_in_every_phase__follows_the_table),
        cmocka_unit_test(turn__mail_of_any_other_length__is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
