/*
 * Every phase of a role against every event: what has no rule is refused by a participant, and told
 * UNEXPECTED by the coordinator, which then is byte for byte as before. The matrices are printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"

enum { COUNT = 6, ACTOR = 1, MEMBER_EVENTS = 6, COLLECTOR_EVENTS = 7, ALL = (1 << COUNT) - 1 };

/* The machines as they were, to be put back. */
struct copy {
    uint8_t *memory;
    size_t bytes;
};

static struct copy copy_take(const struct chorus *chorus)
{
    struct copy copy = {.memory = malloc(chorus->arena.capacity), .bytes = chorus->arena.capacity};

    assert_non_null(copy.memory);
    memcpy(copy.memory, chorus->arena.memory, copy.bytes);
    return copy;
}

static void copy_put_back(const struct copy *copy, struct chorus *chorus)
{
    memcpy(chorus->arena.memory, copy->memory, copy->bytes);
}

/* Where the actor stands when it has done this much. */
enum actor_phase {
    ACTOR_FRESH,
    ACTOR_ADVERTISED,
    ACTOR_SHARED,
    ACTOR_READY,
    ACTOR_MASKED,
    ACTOR_UPLOADED,
    ACTOR_INCLUDED,
    ACTOR_REVEALED,
    ACTOR_REFUSED,
    ACTOR_PHASES,
};

static const char *const phase_names[ACTOR_PHASES] = {"fresh",    "advertised", "shared",
                                                      "ready",    "masked",     "uploaded",
                                                      "included", "revealed",   "refused"};
static const char *const event_names[MEMBER_EVENTS] = {"begin",  "cohort",    "inbox",
                                                       "masked", "survivors", "inclusions"};

/* The one event that each phase takes; -1: none. */
static const int member_rule[ACTOR_PHASES] = {[ACTOR_FRESH] = SOTTO_MEMBER_BEGIN,
                                              [ACTOR_ADVERTISED] = SOTTO_MEMBER_COHORT,
                                              [ACTOR_SHARED] = SOTTO_MEMBER_INBOX,
                                              [ACTOR_READY] = -1,
                                              [ACTOR_MASKED] = SOTTO_MEMBER_MASKED,
                                              [ACTOR_UPLOADED] = SOTTO_MEMBER_SURVIVORS,
                                              [ACTOR_INCLUDED] = SOTTO_MEMBER_INCLUSIONS,
                                              [ACTOR_REVEALED] = -1,
                                              [ACTOR_REFUSED] = -1};

/* Honest mail for every event of the actor, collected from a round that runs beside. */
struct mails {
    uint8_t bytes[MEMBER_EVENTS][SOTTO_PROTOCOL_MESSAGE_MAX];
    size_t length[MEMBER_EVENTS];
};

static void collect_mails(struct mails *mails)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 9);
    struct chorus *chorus = chorus_open(&setup);
    enum sotto_stage stage;

    memset(mails, 0, sizeof *mails);
    while ((stage = chorus->protocol->collector_stage(chorus->collector)) != SOTTO_STAGE_UNMASKED) {
        enum sotto_member_event_kind kind = chorus_mail_kind(stage);
        struct sotto_view mail = chorus_mail(chorus, ACTOR);

        mails->length[kind] = mail.length;
        if (mail.length > 0)
            memcpy(mails->bytes[kind], mail.at, mail.length);
        (void)chorus_play(chorus, ALL);
    }
    chorus_close(chorus);
}

static struct sotto_member_effects tell(struct chorus *chorus, const struct mails *mails, int kind)
{
    return chorus_tell(chorus, ACTOR, (enum sotto_member_event_kind)kind,
                       sotto_view_of(mails->bytes[kind], mails->length[kind]));
}

/* Brings the actor to a phase along the only way there is. */
static void advance(struct chorus *chorus, const struct mails *mails, enum actor_phase phase)
{
    uint32_t lanes[8] = {0};

    for (int at = ACTOR_FRESH; at < (int)phase && at < ACTOR_REVEALED; at++) {
        if (at == ACTOR_READY)
            assert_int_equal(chorus->protocol->member_mask(chorus->members[ACTOR], lanes, 8),
                             SOTTO_OK);
        else
            assert_int_equal(tell(chorus, mails, member_rule[at]).refusal, SOTTO_REFUSAL_NONE);
    }
    if (phase == ACTOR_REFUSED)
        (void)tell(chorus, mails, SOTTO_MEMBER_BEGIN);
}

static void member__every_phase_and_event__follows_the_one_way_or_is_refused(void **state)
{
    static struct mails mails;
    struct chorus_setup setup = chorus_setup_of(COUNT, 9);
    struct chorus *chorus = chorus_open(&setup);
    struct copy fresh = copy_take(chorus);

    (void)state;
    collect_mails(&mails);
    printf("# %-11s", "member");
    for (int event = 0; event < MEMBER_EVENTS; event++)
        printf(" %-15s", event_names[event]);
    for (int phase = 0; phase < ACTOR_PHASES; phase++) {
        printf("\n# %-11s", phase_names[phase]);
        for (int event = 0; event < MEMBER_EVENTS; event++) {
            enum sotto_refusal expected =
                phase >= ACTOR_REVEALED ? SOTTO_REFUSAL_AFTER_REVEAL : SOTTO_REFUSAL_SECOND_MESSAGE;
            struct sotto_member_effects effects;

            copy_put_back(&fresh, chorus);
            advance(chorus, &mails, (enum actor_phase)phase);
            effects = tell(chorus, &mails, event);
            if (event == member_rule[phase])
                expected = SOTTO_REFUSAL_NONE;
            printf(" %-15s",
                   expected == SOTTO_REFUSAL_NONE ? "ok" : sotto_refusal_name(effects.refusal));
            assert_int_equal(effects.refusal, expected);
        }
    }
    printf("\n");
    free(fresh.memory);
    chorus_close(chorus);
}

static const char *const collector_event_names[COLLECTOR_EVENTS] = {
    "advert", "shares", "upload", "inclusion", "reveal", "leave", "close"};

/* What the actor honestly answers in each stage; bytes are copied, as it goes on afterwards. */
struct answers {
    struct sotto_collector_event events[SOTTO_STAGE_UNMASKED];
    uint8_t bytes[SOTTO_STAGE_UNMASKED][SOTTO_PROTOCOL_MESSAGE_MAX];
};

static void collect_answers(struct answers *answers)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 9);
    struct chorus *chorus = chorus_open(&setup);

    for (int stage = 0; stage < SOTTO_STAGE_UNMASKED; stage++) {
        struct copy before = copy_take(chorus);
        struct sotto_collector_event *event = &answers->events[stage];

        *event = chorus_answer(chorus, ACTOR);
        if (event->bytes.length > 0)
            memcpy(answers->bytes[stage], event->bytes.at, event->bytes.length);
        event->bytes.at = answers->bytes[stage];
        copy_put_back(&before, chorus);
        free(before.memory);
        (void)chorus_play(chorus, ALL);
    }
    chorus_close(chorus);
}

static bool is_allowed(enum sotto_stage stage, int event)
{
    bool is_live = stage < SOTTO_STAGE_UNMASKED;

    return event == SOTTO_COLLECTOR_LEAVE || event == SOTTO_COLLECTOR_CLOSE ? is_live
                                                                            : event == (int)stage;
}

/* To the beginning of a stage; UNMASKED without the actor's reveal, FAILED by too few. */
static void reach(struct chorus *chorus, enum sotto_stage stage)
{
    if (stage == SOTTO_STAGE_FAILED) {
        assert_int_equal(chorus_play(chorus, 1), SOTTO_STAGE_FAILED);
    } else if (stage == SOTTO_STAGE_UNMASKED) {
        chorus_play_until(chorus, SOTTO_STAGE_REVEALING);
        assert_int_equal(chorus_play(chorus, ALL & ~(1u << ACTOR)), SOTTO_STAGE_UNMASKED);
    } else {
        chorus_play_until(chorus, stage);
    }
}

static enum sotto_status step_cell(struct chorus *chorus, const struct answers *answers, int event)
{
    struct sotto_collector_event alone = {.kind = (enum sotto_collector_event_kind)event,
                                          .id = chorus_id(ACTOR)};

    if (event <= SOTTO_COLLECTOR_REVEAL)
        alone = answers->events[event];
    return chorus_deliver(chorus, &alone).verdict;
}

static void check_row(enum sotto_stage stage, const struct answers *answers)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 9);
    struct chorus *chorus = chorus_open(&setup);
    struct copy before;

    reach(chorus, stage);
    before = copy_take(chorus);
    printf("\n# %-11s", sotto_stage_name(stage));
    for (int event = 0; event < COLLECTOR_EVENTS; event++) {
        enum sotto_status verdict = step_cell(chorus, answers, event);
        /* What was sent in an earlier stage is acknowledged again. */
        bool is_repeat =
            event < (int)stage && event < SOTTO_COLLECTOR_REVEAL && stage != SOTTO_STAGE_FAILED;

        printf(" %-11s", is_repeat ? "repeat" : sotto_status_name(verdict));
        if (is_allowed(stage, event)) {
            assert_int_equal(verdict, SOTTO_OK);
        } else {
            assert_true(is_repeat ? verdict == SOTTO_OK : verdict != SOTTO_OK);
            assert_memory_equal(chorus->arena.memory, before.memory, before.bytes);
        }
        copy_put_back(&before, chorus);
    }
    free(before.memory);
    chorus_close(chorus);
}

static void collector__every_stage_and_event__moves_on_or_stays_as_it_was(void **state)
{
    static struct answers answers;

    (void)state;
    collect_answers(&answers);
    printf("# %-11s", "collector");
    for (int event = 0; event < COLLECTOR_EVENTS; event++)
        printf(" %-11s", collector_event_names[event]);
    for (int stage = 0; stage <= SOTTO_STAGE_FAILED; stage++)
        check_row((enum sotto_stage)stage, &answers);
    printf("\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member__every_phase_and_event__follows_the_one_way_or_is_refused),
        cmocka_unit_test(collector__every_stage_and_event__moves_on_or_stays_as_it_was),
    };

    return cmocka_run_group_tests_name("secagg_matrix", tests, NULL, NULL);
}
