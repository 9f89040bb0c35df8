/* The round's machine: its table, one golden trace, and the journal as the whole of its state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ring/lanes.h"
#include "tests/coordinator/rehearsal.h"
#include "tests/support/cmocka.h"

static const char golden_trace[] = "advert 1 +1: ok, gathering\n"
                                   "advert 2 +2: ok, gathering\n"
                                   "advert 3 +3: ok, gathering\n"
                                   "advert 4 +4: ok, gathering\n"
                                   "advert 5 +5: ok, gathering\n"
                                   "deadline 0 +5: ok, sharing\n"
                                   "shares 1 +6: ok, sharing\n"
                                   "shares 2 +7: ok, sharing\n"
                                   "shares 3 +8: ok, sharing\n"
                                   "shares 4 +9: ok, sharing\n"
                                   "shares 5 +10: ok, sharing\n"
                                   "deadline 0 +10: ok, uploading\n"
                                   "upload 1 +11: ok, uploading\n"
                                   "upload 3 +12: ok, uploading\n"
                                   "upload 4 +13: ok, uploading\n"
                                   "upload 5 +14: ok, uploading\n"
                                   "deadline 0 +60010: ok, including\n"
                                   "inclusion 1 +60011: ok, including\n"
                                   "inclusion 3 +60012: ok, including\n"
                                   "inclusion 4 +60013: ok, including\n"
                                   "inclusion 5 +60014: ok, including\n"
                                   "deadline 0 +60014: ok, revealing\n"
                                   "reveal 1 +60015: ok, revealing\n"
                                   "reveal 3 +60016: ok, revealing\n"
                                   "reveal 4 +60017: ok, revealing\n"
                                   "reveal 5 +60018: ok, revealing\n"
                                   "deadline 0 +60018: ok, unmasking\n"
                                   "sum-ready 0 +60019: ok, applying\n"
                                   "applied 0 +60020: ok, finished\n";

static const struct rehearsal_script everybody_speaks;

static struct rehearsal_script silent_from(uint32_t places, enum sotto_mail_kind mail)
{
    struct rehearsal_script script = {0};

    script.silent_at[mail] = places;
    return script;
}

static void check_sum(const struct rehearsal *rehearsal, uint32_t places)
{
    uint32_t sum[COHORT_LANES];

    cohort_sum(rehearsal->cohort, places, sum);
    assert_memory_equal(rehearsal->sum, sum, sizeof sum);
}

static void round__site_silent_before_its_upload__leaves_the_golden_trace(void **state)
{
    struct cohort *cohort = cohort_open(5, 4, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    struct rehearsal_script script = silent_from(1u << 1, SOTTO_MAIL_INBOX);

    (void)state;
    rehearsal_play(rehearsal, &script, SOTTO_ROUND_PHASE_COUNT);
    assert_string_equal(rehearsal->trace, golden_trace);
    check_sum(rehearsal, 0x1d);
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

/* Every dropout of one or two of six sites at every stage: the exact sum, or a clean end. */
static void round__any_two_sites_vanish_anywhere__sum_is_exact_or_round_is_abandoned(void **state)
{
    (void)state;
    for (uint32_t pair = 0; pair < 36; pair++)
        for (int mail = SOTTO_MAIL_PLAN; mail < SOTTO_MAIL_OUTCOME; mail++) {
            uint32_t places = 1u << pair % 6 | 1u << pair / 6;
            struct cohort *cohort = cohort_open(6, 5, 3);
            struct rehearsal *rehearsal = rehearsal_open(cohort);
            struct rehearsal_script script = silent_from(places, (enum sotto_mail_kind)mail);
            bool is_one = pair % 6 == pair / 6;

            rehearsal_play(rehearsal, &script, SOTTO_ROUND_PHASE_COUNT);
            if (sotto_round_phase(rehearsal->round) == SOTTO_ROUND_FINISHED)
                check_sum(rehearsal, mail <= SOTTO_MAIL_INBOX ? 0x3f & ~places : 0x3f);
            else
                assert_int_not_equal(strlen(sotto_round_reason(rehearsal->round)), 0);
            if (is_one)
                assert_int_equal(sotto_round_phase(rehearsal->round), SOTTO_ROUND_FINISHED);
            rehearsal_close(rehearsal);
            cohort_close(cohort);
        }
}

/* Tells the first `count` events again. */
static struct rehearsal *told_again(const struct rehearsal *first, size_t count)
{
    struct rehearsal *again = rehearsal_open(first->cohort);

    for (size_t i = 0; i < count; i++)
        assert_true(rehearsal_step(again, &first->events[i].event).store);
    return again;
}

/* Goes on from where it was told to, with the jobs that a restart runs again. */
static void go_on(struct rehearsal *again, const struct rehearsal *first)
{
    for (size_t i = again->event_count; i < first->event_count; i++) {
        if (first->events[i].event.kind == SOTTO_ROUND_SUM_READY)
            assert_int_equal(
                sotto_secaggplus.collector_unmask(sotto_round_collector(again->round), again->sum,
                                                  (struct sotto_lane_range){.count = COHORT_LANES}),
                SOTTO_OK);
        assert_true(rehearsal_step(again, &first->events[i].event).store);
    }
}

static void round__told_again_from_every_prefix__looks_and_ends_the_same(void **state)
{
    struct cohort *cohort = cohort_open(5, 4, 9);
    struct rehearsal *first = rehearsal_open(cohort);
    struct rehearsal_script script = silent_from(1u << 4, SOTTO_MAIL_INBOX);

    (void)state;
    rehearsal_play(first, &script, SOTTO_ROUND_PHASE_COUNT);
    assert_int_equal(sotto_round_phase(first->round), SOTTO_ROUND_FINISHED);
    for (size_t count = 0; count <= first->event_count; count++) {
        struct rehearsal *again = told_again(first, count);
        struct rehearsal *twin = told_again(first, count);
        struct sotto_digest seen = rehearsal_look(again), same = rehearsal_look(twin);

        assert_true(sotto_digest_equal(&seen, &same));
        assert_int_equal(again->deadline_ms, twin->deadline_ms);
        go_on(again, first);
        seen = rehearsal_look(again);
        same = rehearsal_look(first);
        assert_true(sotto_digest_equal(&seen, &same));
        if (count < first->event_count - 1)
            check_sum(again, 0xf);
        rehearsal_close(twin);
        rehearsal_close(again);
    }
    rehearsal_close(first);
    cohort_close(cohort);
}

static struct sotto_round_event event_of(const struct rehearsal *rehearsal,
                                         enum sotto_round_event_kind kind)
{
    return (struct sotto_round_event){.kind = kind,
                                      .at_ms = rehearsal->now_ms,
                                      .site = 1,
                                      .reason = SOTTO_REFUSAL_UPDATE,
                                      .bytes = sotto_view_text("reason")};
}

/*
 * Rows: phases; columns: events. '+' taken, 'r' refused by the protocol because the bytes are none
 * of its messages or the site has spoken, '.' no row in the table.
 */
static void round__every_event_in_every_phase__matches_the_matrix(void **state)
{
    static const char *const matrix[SOTTO_ROUND_PHASE_COUNT] = {
        [SOTTO_ROUND_GATHERING] = "r....+...+.", [SOTTO_ROUND_SHARING] = ".r...+...+.",
        [SOTTO_ROUND_UPLOADING] = "..+..+...+.", [SOTTO_ROUND_INCLUDING] = "...r.+...+.",
        [SOTTO_ROUND_REVEALING] = "....r+...+.", [SOTTO_ROUND_UNMASKING] = ".......+.+.",
        [SOTTO_ROUND_APPLYING] = "........++.",  [SOTTO_ROUND_FINISHED] = "...........",
        [SOTTO_ROUND_ABANDONED] = "...........",
    };

    (void)state;
    for (int phase = 0; phase < SOTTO_ROUND_PHASE_COUNT; phase++)
        for (int kind = 0; kind <= SOTTO_ROUND_RECEIPT; kind++) {
            struct cohort *cohort = cohort_open(4, 3, 5);
            struct rehearsal *rehearsal = rehearsal_open(cohort);
            struct sotto_round_event event;
            struct sotto_round_effects effects;
            char seen;

            if (phase == SOTTO_ROUND_ABANDONED)
                rehearsal_expire(rehearsal);
            else
                rehearsal_play(rehearsal, &everybody_speaks, (enum sotto_round_phase)phase);
            event = event_of(rehearsal, (enum sotto_round_event_kind)kind);
            effects = rehearsal_step(rehearsal, &event);
            seen = effects.verdict == SOTTO_OK           ? '+'
                   : effects.verdict == SOTTO_UNEXPECTED ? '.'
                                                         : 'r';
            if (seen != matrix[phase][kind])
                fail_msg("%s, event %d: %s", sotto_round_phase_name((enum sotto_round_phase)phase),
                         kind, sotto_status_name(effects.verdict));
            rehearsal_close(rehearsal);
            cohort_close(cohort);
        }
}

static void round__deadline_before_the_armed_time__changes_nothing(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    struct sotto_round_event early = {.kind = SOTTO_ROUND_DEADLINE,
                                      .at_ms = rehearsal->deadline_ms - 1};

    (void)state;
    assert_int_equal(rehearsal_step(rehearsal, &early).verdict, SOTTO_UNEXPECTED);
    assert_int_equal(sotto_round_phase(rehearsal->round), SOTTO_ROUND_GATHERING);
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

static void round__too_few_join__is_abandoned_and_says_how_many(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    struct rehearsal_script script = silent_from(0xc, SOTTO_MAIL_PLAN);

    (void)state;
    rehearsal_play(rehearsal, &script, SOTTO_ROUND_PHASE_COUNT);
    assert_int_equal(sotto_round_phase(rehearsal->round), SOTTO_ROUND_ABANDONED);
    assert_string_equal(sotto_round_reason(rehearsal->round),
                        "gathering: 2 sites joined, at least 3 are needed");
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

static void round__too_few_shares_for_the_cohort__is_abandoned_and_says_so(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    struct rehearsal_script script = silent_from(1u << 1, SOTTO_MAIL_INBOX);

    (void)state;
    rehearsal_play(rehearsal, &script, SOTTO_ROUND_PHASE_COUNT);
    assert_string_equal(
        sotto_round_reason(rehearsal->round),
        "uploading: 3 sites uploaded, too few for a cohort of this size to unmask a sum");
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

static void round__same_advert_twice__is_acknowledged_and_not_stored(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    struct sotto_round_event event;
    struct sotto_round_effects effects;

    (void)state;
    assert_true(cohort_answer(cohort, 0, rehearsal->round, &event));
    event.at_ms = COHORT_OPENED_MS + 1;
    assert_true(rehearsal_step(rehearsal, &event).store);
    effects = rehearsal_step(rehearsal, &event);
    assert_int_equal(effects.verdict, SOTTO_OK);
    assert_true(effects.is_repeat);
    assert_false(effects.store);
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

static void round__finished__gives_everybody_a_signed_outcome(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    uint8_t bytes[SOTTO_OUTCOME_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_ed25519_public signer;
    struct sotto_signature signature;
    struct sotto_outcome outcome;
    struct sotto_mail mail;

    (void)state;
    rehearsal_play(rehearsal, &everybody_speaks, SOTTO_ROUND_PHASE_COUNT);
    assert_int_equal(sotto_round_mail(rehearsal->round, 99, SOTTO_MAIL_NONE, &mail, &body),
                     SOTTO_OK);
    assert_int_equal(mail.kind, SOTTO_MAIL_OUTCOME);
    sotto_ed25519_public_of(&signer, &cohort->signing);
    memcpy(signature.bytes, mail.signature, sizeof signature.bytes);
    assert_int_equal(sotto_verify(&signature, &signer, "sotto/1 outcome", mail.body), SOTTO_OK);
    assert_int_equal(sotto_outcome_decode(&outcome, mail.body), SOTTO_OK);
    assert_int_equal(outcome.kind, SOTTO_OUTCOME_FINISHED);
    assert_int_equal(outcome.survivors, 4);
    assert_int_equal(outcome.adapter.bytes[0], 0xab);
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

static void round__job_broke__is_abandoned_with_the_reason(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct rehearsal *rehearsal = rehearsal_open(cohort);
    struct sotto_round_event event = {.kind = SOTTO_ROUND_BROKEN,
                                      .bytes = sotto_view_text("the disk is gone")};

    (void)state;
    rehearsal_play(rehearsal, &everybody_speaks, SOTTO_ROUND_UNMASKING);
    rehearsal_step(rehearsal, &event);
    assert_int_equal(sotto_round_phase(rehearsal->round), SOTTO_ROUND_ABANDONED);
    assert_string_equal(sotto_round_reason(rehearsal->round), "the disk is gone");
    rehearsal_close(rehearsal);
    cohort_close(cohort);
}

static void round__roster_of_another_epoch__does_not_open(void **state)
{
    struct cohort *cohort = cohort_open(4, 3, 1);
    struct sotto_round_setup setup = {.protocol = &sotto_secaggplus,
                                      .plan_bytes =
                                          sotto_view_of(cohort->plan_bytes, cohort->plan_length),
                                      .plan_signature = cohort->plan_signature.bytes,
                                      .roster = &cohort->roster,
                                      .signing = &cohort->signing};
    struct sotto_round_effects effects;
    struct sotto_round *round;
    struct sotto_arena arena;

    (void)state;
    cohort->roster.epoch++;
    assert_int_equal(
        sotto_arena_open(&arena, sotto_round_bytes(&sotto_secaggplus, &cohort->plan, setup.roster)),
        SOTTO_OK);
    assert_int_equal(sotto_round_open(&round, &arena, &setup, &effects), SOTTO_MISMATCH);
    sotto_arena_close(&arena);
    cohort_close(cohort);
}

/* As many sites as a roster can hold; a cohort of each size. */
static void round__every_cohort_size__opens_in_the_announced_memory(void **state)
{
    static struct sotto_roster_entry entries[512];
    struct sotto_roster roster = {.epoch = 1, .entries = entries, .entry_count = 512};
    struct cohort *cohort = cohort_open(4, 3, 1);

    (void)state;
    for (uint32_t i = 0; i < 512; i++)
        entries[i].id = i + 1;
    for (uint32_t size = SOTTO_COHORT_MIN; size <= 128; size++) {
        struct sotto_buffer out = sotto_buffer_of(cohort->plan_bytes, sizeof cohort->plan_bytes);
        struct sotto_round_setup setup = {.protocol = &sotto_secaggplus,
                                          .plan_signature = cohort->plan_signature.bytes,
                                          .roster = &roster,
                                          .signing = &cohort->signing};
        struct sotto_round_effects effects;
        struct sotto_round *round;
        struct sotto_arena arena;

        cohort->plan.cohort_max = size;
        assert_int_equal(sotto_plan_encode(&out, &cohort->plan), SOTTO_OK);
        setup.plan_bytes = sotto_view_buffer(&out);
        assert_int_equal(sotto_arena_open(&arena, sotto_round_bytes(&sotto_secaggplus,
                                                                    &cohort->plan, setup.roster)),
                         SOTTO_OK);
        assert_int_equal(sotto_round_open(&round, &arena, &setup, &effects), SOTTO_OK);
        sotto_round_wipe(round);
        sotto_arena_close(&arena);
    }
    cohort_close(cohort);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round__site_silent_before_its_upload__leaves_the_golden_trace),
        cmocka_unit_test(round__any_two_sites_vanish_anywhere__sum_is_exact_or_round_is_abandoned),
        cmocka_unit_test(round__told_again_from_every_prefix__looks_and_ends_the_same),
        cmocka_unit_test(round__every_event_in_every_phase__matches_the_matrix),
        cmocka_unit_test(round__deadline_before_the_armed_time__changes_nothing),
        cmocka_unit_test(round__too_few_join__is_abandoned_and_says_how_many),
        cmocka_unit_test(round__too_few_shares_for_the_cohort__is_abandoned_and_says_so),
        cmocka_unit_test(round__same_advert_twice__is_acknowledged_and_not_stored),
        cmocka_unit_test(round__finished__gives_everybody_a_signed_outcome),
        cmocka_unit_test(round__job_broke__is_abandoned_with_the_reason),
        cmocka_unit_test(round__every_cohort_size__opens_in_the_announced_memory),
        cmocka_unit_test(round__roster_of_another_epoch__does_not_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
