/*
 * Constant time of a participant: X25519, mask signs, MACs, clipping, and a member from its keys to
 * its reveal. Where a verdict on a secret becomes public (an all-zero X25519, a seal that opens, a
 * MAC that fits), the code branches once, and that is counted: one more is a leak.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/primitives/hash.h"
#include "crypto/primitives/x25519.h"
#include "crypto/privacy/clip.h"
#include "crypto/ring/lanes.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/streams.h"
#include "tests/crypto/secagg_chorus.h"
#include "tests/timing/taint.h"

enum { VALUES = 1031, LANES = 700, MEMBERS = 5, ACTOR = 2, OTHERS = MEMBERS - 1 };

static const uint8_t mac_of_nobody[SOTTO_INCLUSION_MAC_BYTES];

static void x25519__secret__is_compared_with_zero_only(void **state)
{
    const struct sotto_x25519_public peer = {{9}};
    struct sotto_secret secret = secret_of(0x42);
    struct sotto_x25519_public public;
    struct sotto_secret shared;

    sotto_x25519_public_of(&public, &secret);
    assert_no_trace(state);
    assert_int_equal(sotto_x25519(&shared, &secret, &peer), SOTTO_OK);
    assert_int_equal(traces(state), 1);
}

/* Which masks are added is public: it follows from the order of seats. */
static void streams__keys_lanes_and_both_signs__leave_no_trace(void **state)
{
    static const unsigned rings[] = {16, 26, 32};
    static uint32_t lanes[LANES];
    const struct sotto_lane_window all = {.first = 0, .count = LANES};
    struct sotto_stream streams[] = {{.use = SOTTO_STREAM_ADDED},
                                     {.use = SOTTO_STREAM_SUBTRACTED},
                                     {.use = SOTTO_STREAM_UNUSED},
                                     {.use = SOTTO_STREAM_ADDED}};

    for (size_t stream = 0; stream < sizeof streams / sizeof *streams; stream++)
        streams[stream].key = secret_of((uint8_t)stream);
    classify(lanes, sizeof lanes);
    for (size_t ring = 0; ring < sizeof rings / sizeof *rings; ring++)
        assert_int_equal(
            sotto_streams_apply(lanes, all, streams, sizeof streams / sizeof *streams, rings[ring]),
            SOTTO_OK);
    assert_no_trace(state);
}

/* The control: a comparison that stops where the MACs differ. */
static bool is_equal_slowly(const uint8_t *left, const uint8_t *right, size_t length)
{
    for (size_t at = 0; at < length; at++)
        if (*(const volatile uint8_t *)(left + at) != right[at])
            return false;
    return true;
}

static void control__mac_compared_byte_by_byte__is_noticed(void **state)
{
    const struct sotto_digest context = {{1}};
    const struct sotto_inclusion_claim claim = {.context = &context, .survivors = &context};
    struct sotto_secret key = secret_of(3);
    uint8_t mac[SOTTO_INCLUSION_MAC_BYTES];
    uint8_t same[SOTTO_INCLUSION_MAC_BYTES];

    sotto_inclusion_mac(mac, &key, &claim);
    sotto_inclusion_mac(same, &key, &claim);
    assert_no_trace(state);
    assert_true(is_equal_slowly(mac, same, sizeof mac));
    assert_true(traces(state) > 1);
}

static void mac__right_or_wrong__shows_its_verdict_only(void **state)
{
    const struct sotto_digest context = {{1}};
    const struct sotto_inclusion_claim claim = {.context = &context, .survivors = &context};
    struct sotto_secret key = secret_of(3);
    uint8_t mac[SOTTO_INCLUSION_MAC_BYTES];

    sotto_inclusion_mac(mac, &key, &claim);
    assert_int_equal(sotto_inclusion_check(mac, &key, &claim), SOTTO_OK);
    assert_true(traces(state) <= 1);
    assert_int_equal(sotto_inclusion_check(mac_of_nobody, &key, &claim), SOTTO_FORGED);
    assert_true(traces(state) <= 1);
}

/* The one verdict is that every value is finite. */
static void clip__values_within_and_beyond__show_that_they_are_finite(void **state)
{
    static const double bounds[] = {1e-40, 3.0, 1e9};

    for (size_t bound = 0; bound < sizeof bounds / sizeof *bounds; bound++) {
        float values[VALUES];
        double norm;

        for (size_t i = 0; i < VALUES; i++)
            values[i] = (float)i * 0.125F;
        classify(values, sizeof values);
        assert_int_equal(sotto_clip(values, &norm, VALUES, bounds[bound]), SOTTO_OK);
        assert_true(traces(state) <= 1);
    }
}

/* Where the first copy of a secret is in the memory of the chorus: the actor's own. */
static size_t find_copy(struct sotto_view memory, const struct sotto_secret *secret)
{
    size_t at = 0;

    while (at + sizeof *secret < memory.length &&
           memcmp(memory.at + at, secret, sizeof *secret) != 0)
        at++;
    assert_true(at + sizeof *secret < memory.length);
    return at;
}

/* Once its public keys are known, all that the actor has not told is secret. */
static void classify_actor(struct chorus *chorus)
{
    size_t length = chorus->arena.used;
    uint8_t *memory = malloc(length);
    struct sotto_secrets secrets;
    const struct sotto_secret *const hidden[] = {&secrets.mask_key, &secrets.share_key,
                                                 &secrets.self_mask, &secrets.split_mask,
                                                 &secrets.split_self};

    assert_non_null(memory);
    memcpy(memory, chorus->arena.memory, length);
    declassify(memory, length);
    sotto_secrets_derive(&secrets, &chorus->seeds[ACTOR], &chorus->terms.context);
    for (size_t at = 0; at < sizeof hidden / sizeof *hidden; at++)
        classify(chorus->arena.memory + find_copy(sotto_view_of(memory, length), hidden[at]),
                 sizeof(struct sotto_secret));
    classify(&chorus->identities[ACTOR], sizeof chorus->identities[ACTOR]);
    free(memory);
}

/* Everybody answers; returns how often memcheck saw the actor use a secret. */
static unsigned play_stage(struct chorus *chorus, void **state)
{
    unsigned seen = 0;
    struct sotto_collector_effects effects;

    for (uint32_t place = 0; place < MEMBERS; place++) {
        struct sotto_collector_event answer;

        assert_no_trace(state);
        answer = chorus_answer(chorus, place);
        if (place == ACTOR)
            seen = traces(state);
        declassify((void *)(uintptr_t)answer.bytes.at, answer.bytes.length);
        declassify(&answer.digest, sizeof answer.digest);
        assert_int_equal(chorus_deliver(chorus, &answer).verdict, SOTTO_OK);
    }
    (void)chorus_end_stage(chorus, &effects);
    return seen;
}

/* Two exchanges and an opened seal for each neighbour, then a MAC that fits. */
static void member__whole_round__shows_its_verdicts_only(void **state)
{
    struct chorus_setup setup = chorus_setup_of(MEMBERS, 31);
    struct chorus *chorus;

    setup.lane_count = LANES;
    setup.ring_bits = 26;
    chorus = chorus_open(&setup);
    assert_int_equal(play_stage(chorus, state), 0);
    classify_actor(chorus);
    assert_int_equal(play_stage(chorus, state), 2 * OTHERS);
    assert_int_equal(play_stage(chorus, state), OTHERS);
    assert_int_equal(play_stage(chorus, state), 0);
    assert_true(play_stage(chorus, state) <= OTHERS);
    declassify(chorus->masked, (size_t)MEMBERS * LANES * sizeof *chorus->masked);
    chorus_check_sum(chorus);
    assert_no_trace(state);
    chorus_close(chorus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(x25519__secret__is_compared_with_zero_only, errors_counted),
        cmocka_unit_test_setup(streams__keys_lanes_and_both_signs__leave_no_trace, errors_counted),
        cmocka_unit_test_setup(control__mac_compared_byte_by_byte__is_noticed, errors_counted),
        cmocka_unit_test_setup(mac__right_or_wrong__shows_its_verdict_only, errors_counted),
        cmocka_unit_test_setup(clip__values_within_and_beyond__show_that_they_are_finite,
                               errors_counted),
        cmocka_unit_test_setup(member__whole_round__shows_its_verdicts_only, errors_counted),
    };

    if (!RUNNING_ON_VALGRIND) {
        puts("SKIP: constant time is checked under valgrind only");
        return TAINT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
