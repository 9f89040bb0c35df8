/*
 * Rounds over a network that drops, repeats, delays and reorders what participants send, delivers
 * mail late or never, and ends stages whenever it likes. Nobody lies, so nobody may refuse; and a
 * sum, if there is one, is exact.
 */
#include <stdio.h>
#include <string.h>

#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

enum { ROUNDS = 1000, COUNT_MAX = 6, POST_MAX = 64 };

/* An answer on its way, in memory of its own. */
struct letter {
    struct sotto_collector_event event;
    uint8_t bytes[2048];
};

struct network {
    struct chorus *chorus;
    struct sotto_entropy *entropy;
    int seen[COUNT_MAX]; /* the last stage whose mail the participant took; -1: none */
    struct letter post[POST_MAX];
    size_t post_count;
    bool is_complete; /* everybody that was waited for has answered */
    uint32_t uploads; /* places whose upload was acknowledged */
};

struct tally {
    uint32_t sums;
    uint32_t failures;
    uint32_t late;
    uint32_t repeats;
};

static bool chance(struct network *network, uint64_t percent)
{
    return sotto_entropy_below(network->entropy, 100) < percent;
}

static void post(struct network *network, const struct sotto_collector_event *event)
{
    struct letter *letter = &network->post[network->post_count];

    if (network->post_count == POST_MAX)
        return;
    letter->event = *event;
    assert_true(event->bytes.length <= sizeof letter->bytes);
    if (event->bytes.length > 0)
        memcpy(letter->bytes, event->bytes.at, event->bytes.length);
    network->post_count++;
}

/* A participant asks for mail, takes what is new to it, and answers. */
static void visit(struct network *network, uint32_t place)
{
    struct chorus *chorus = network->chorus;
    int stage = (int)chorus->protocol->collector_stage(chorus->collector);
    struct sotto_collector_event answer;

    if (network->seen[place] >= stage)
        return;
    if (stage != SOTTO_STAGE_GATHERING && chorus_mail(chorus, place).length == 0)
        return;
    network->seen[place] = stage;
    answer = chorus_answer(chorus, place);
    if (!chance(network, 4))
        post(network, &answer);
    if (chance(network, 20))
        post(network, &answer);
}

/* Delivers any letter, which may have become late. */
static void deliver(struct network *network, struct tally *tally)
{
    size_t pick = (size_t)sotto_entropy_below(network->entropy, network->post_count);
    struct letter letter = network->post[pick];
    struct sotto_collector_effects effects;

    network->post[pick] = network->post[--network->post_count];
    letter.event.bytes.at = letter.bytes;
    effects = chorus_deliver(network->chorus, &letter.event);
    if (effects.verdict == SOTTO_OK && letter.event.kind == SOTTO_COLLECTOR_UPLOAD)
        network->uploads |= 1u << (letter.event.id - chorus_id(0)) / 7;
    /* One that missed the end of gathering is no member of the cohort. */
    assert_true(effects.verdict == SOTTO_OK || effects.verdict == SOTTO_UNEXPECTED ||
                (effects.verdict == SOTTO_FORGED && letter.event.kind != SOTTO_COLLECTOR_ADVERT));
    network->is_complete = network->is_complete || effects.is_complete;
    tally->late += effects.verdict == SOTTO_UNEXPECTED;
    tally->repeats += effects.is_repeat;
}

static void leave(struct network *network)
{
    uint32_t place = (uint32_t)sotto_entropy_below(network->entropy, network->chorus->count);
    const struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_LEAVE,
                                                .id = chorus_id(place)};
    struct sotto_collector_effects effects = chorus_deliver(network->chorus, &event);

    assert_int_equal(effects.verdict, SOTTO_OK);
    network->is_complete = network->is_complete || effects.is_complete;
}

static void end_stage(struct network *network)
{
    struct sotto_collector_effects effects;

    (void)chorus_end_stage(network->chorus, &effects);
    network->is_complete = effects.is_complete;
}

static bool is_over(const struct chorus *chorus)
{
    return chorus->protocol->collector_stage(chorus->collector) >= SOTTO_STAGE_UNMASKED;
}

static void act(struct network *network, struct tally *tally)
{
    uint64_t action = sotto_entropy_below(network->entropy, 1000);

    if (action < 1)
        leave(network);
    else if (action < 6 || (network->is_complete && action < 100))
        end_stage(network);
    else if (action < 500)
        visit(network, (uint32_t)sotto_entropy_below(network->entropy, network->chorus->count));
    else if (network->post_count > 0)
        deliver(network, tally);
}

/* Every acknowledged upload is in the sum, nothing else is, and the sum is exact. */
static void check_end(struct network *network, struct tally *tally)
{
    struct chorus *chorus = network->chorus;

    if (chorus->protocol->collector_stage(chorus->collector) == SOTTO_STAGE_FAILED) {
        tally->failures++;
        return;
    }
    for (uint32_t place = 0; place < chorus->count; place++)
        assert_int_equal(chorus->protocol->collector_survived(chorus->collector, chorus_id(place)),
                         network->uploads >> place & 1);
    chorus_check_sum(chorus);
    tally->sums++;
}

static void round__any_schedule__ends_in_an_exact_sum_or_a_failure(void **state)
{
    static struct network network;
    struct sotto_entropy entropy;
    struct tally tally = {0};

    (void)state;
    seed_open(&entropy, "secagg_schedule");
    for (int round = 0; round < ROUNDS; round++) {
        struct chorus_setup setup =
            chorus_setup_of(5 + (uint32_t)sotto_entropy_below(&entropy, COUNT_MAX - 4),
                            sotto_entropy_u64(&entropy));

        network = (struct network){.chorus = chorus_open(&setup), .entropy = &entropy};
        for (uint32_t place = 0; place < COUNT_MAX; place++)
            network.seen[place] = -1;
        while (!is_over(network.chorus))
            act(&network, &tally);
        check_end(&network, &tally);
        chorus_close(network.chorus);
    }
    printf("# %d rounds: %u exact sums, %u failures, %u late answers, %u repeats\n", ROUNDS,
           tally.sums, tally.failures, tally.late, tally.repeats);
    assert_int_equal(tally.sums + tally.failures, ROUNDS);
    assert_true(tally.sums > ROUNDS / 10);
    assert_true(tally.failures > ROUNDS / 10);
    assert_true(tally.late > 0 && tally.repeats > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round__any_schedule__ends_in_an_exact_sum_or_a_failure),
    };

    return cmocka_run_group_tests_name("secagg_schedule", tests, NULL, NULL);
}
