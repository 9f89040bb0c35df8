/*
 * Whole rounds, message by message and byte by byte, against those that a second implementation
 * played from docs/protocol.md alone (tests/vectors/secagg/round_*.json).
 */
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"
#include "tests/support/vector.h"

enum { LANES_MAX = 32 };

static const char *const stages[] = {"gathering", "sharing", "uploading", "including", "revealing"};

static uint32_t member_count(const json_t *vector)
{
    return (uint32_t)json_array_size(vector_member(vector, "members"));
}

static void compare_lanes(const struct chorus *chorus, uint32_t place, const json_t *member)
{
    uint32_t ring_mask = (uint32_t)(UINT64_MAX >> (64 - chorus->terms.ring_bits));
    uint32_t lanes[LANES_MAX];

    assert_int_equal(vector_lanes(lanes, LANES_MAX, member, "lanes"), chorus->terms.lane_count);
    for (uint32_t lane = 0; lane < chorus->terms.lane_count; lane++)
        assert_int_equal(lanes[lane], chorus_lane(place, lane) & ring_mask);
}

/* The keys of the vector in the place of drawn ones. */
static void take_keys(struct chorus *chorus, const json_t *vector)
{
    chorus->terms.context = vector_digest(vector, "ctx0");
    vector_bytes(chorus->signing.bytes, sizeof chorus->signing.bytes, vector, "signing");
    sotto_ed25519_public_of(&chorus->coordinator, &chorus->signing);
    for (uint32_t place = 0; place < chorus->count; place++) {
        const json_t *member = json_array_get(vector_member(vector, "members"), place);

        assert_int_equal(vector_number(member, "id"), chorus_id(place));
        vector_bytes(chorus->identities[place].bytes, 32, member, "identity");
        vector_bytes(chorus->seeds[place].bytes, 32, member, "seed");
        chorus->entries[place].certificate = vector_digest(member, "certificate");
        sotto_ed25519_public_of(&chorus->entries[place].identity, &chorus->identities[place]);
        compare_lanes(chorus, place, member);
    }
}

static struct chorus *open_round(const json_t *vector)
{
    struct chorus_setup setup = chorus_setup_of(member_count(vector), 1);
    struct chorus *chorus;

    setup.lane_count = vector_number(vector, "lane_count");
    setup.ring_bits = vector_number(vector, "ring_bits");
    setup.survivors_min = vector_number(vector, "survivors_min");
    setup.corrupt_fraction = json_number_value(vector_member(vector, "corrupt_fraction"));
    setup.dropout_fraction = json_number_value(vector_member(vector, "dropout_fraction"));
    chorus = chorus_prepare(&setup);
    take_keys(chorus, vector);
    chorus_start(chorus);
    return chorus;
}

static uint32_t place_of(const struct chorus *chorus, uint32_t id)
{
    uint32_t place = 0;

    while (place < chorus->count && chorus_id(place) != id)
        place++;
    assert_true(place < chorus->count);
    return place;
}

/* What one participant is told and says in the present stage: its bytes, or a digest of both. */
static void compare_exchange(struct chorus *chorus, const json_t *exchange)
{
    const struct sotto_terms *terms = &chorus->terms;
    bool is_uploading =
        chorus->protocol->collector_stage(chorus->collector) == SOTTO_STAGE_UPLOADING;
    uint32_t place = place_of(chorus, vector_number(exchange, "id"));
    struct sotto_view mail = chorus_mail(chorus, place);
    struct sotto_collector_event answer = chorus_answer(chorus, place);
    struct sotto_view said =
        is_uploading ? sotto_view_of(chorus->scratch,
                                     sotto_lanes_packed_bytes(terms->lane_count, terms->ring_bits))
                     : answer.bytes;

    if (json_object_get(exchange, "digest") != NULL) {
        struct sotto_digest digest;

        sotto_hash(&digest, (struct sotto_view[]){mail, said}, 2);
        assert_vector(exchange, "digest", digest.bytes, sizeof digest.bytes);
    } else {
        assert_vector(exchange, "told", mail.at, mail.length);
        assert_vector(exchange, "said", said.at, said.length);
    }
    assert_int_equal(chorus_deliver(chorus, &answer).verdict, SOTTO_OK);
}

static void compare_sum(const struct chorus *chorus, const json_t *vector)
{
    uint32_t lane_count = chorus->terms.lane_count;
    uint32_t ring_mask = (uint32_t)(UINT64_MAX >> (64 - chorus->terms.ring_bits));
    const struct sotto_lane_range all = {.first = 0, .count = lane_count};
    uint32_t sum[LANES_MAX] = {0};
    uint32_t expected[LANES_MAX];

    assert_int_equal(vector_lanes(expected, LANES_MAX, vector, "sum"), lane_count);
    for (uint32_t place = 0; place < chorus->count; place++)
        if (chorus->protocol->collector_survived(chorus->collector, chorus_id(place)))
            sotto_lanes_add(sum, chorus->masked + (size_t)place * lane_count, lane_count);
    assert_int_equal(chorus->protocol->collector_unmask(chorus->collector, sum, all), SOTTO_OK);
    for (uint32_t lane = 0; lane < lane_count; lane++)
        assert_int_equal(sum[lane] & ring_mask, expected[lane]);
}

/* The coordinator's signature under a cohort is over ctx1. */
static void compare_context(struct chorus *chorus, const json_t *vector)
{
    const json_t *exchange = json_array_get(vector_member(vector, "sharing"), 0);
    const struct sotto_digest context = vector_digest(vector, "ctx1");
    uint32_t place = place_of(chorus, vector_number(exchange, "id"));
    struct sotto_view cohort = chorus_mail(chorus, place);
    struct sotto_signature signature;

    assert_true(cohort.length > sizeof signature.bytes);
    memcpy(signature.bytes, cohort.at + cohort.length - sizeof signature.bytes,
           sizeof signature.bytes);
    assert_int_equal(sotto_verify(&signature, &chorus->coordinator, "sotto/1 cohort",
                                  sotto_view_digest(&context)),
                     SOTTO_OK);
}

static void play_vector(const char *path)
{
    json_t *vector = vector_open(path);
    struct chorus *chorus = open_round(vector);

    for (size_t stage = 0; stage < sizeof stages / sizeof *stages; stage++) {
        const json_t *exchanges = vector_member(vector, stages[stage]);
        struct sotto_collector_effects effects;

        assert_int_equal(chorus->protocol->collector_stage(chorus->collector), stage);
        assert_true(json_array_size(exchanges) > 0);
        if (stage == SOTTO_STAGE_SHARING)
            compare_context(chorus, vector);
        for (size_t at = 0; at < json_array_size(exchanges); at++)
            compare_exchange(chorus, json_array_get(exchanges, at));
        (void)chorus_end_stage(chorus, &effects);
    }
    compare_sum(chorus, vector);
    chorus_check_sum(chorus);
    chorus_close(chorus);
    json_decref(vector);
}

static void round__five_of_whom_one_drops_out__has_these_bytes(void **state)
{
    (void)state;
    play_vector("tests/vectors/secagg/round_of_five.json");
}

static void round__eleven_one_fewer_each_stage__has_these_bytes(void **state)
{
    (void)state;
    play_vector("tests/vectors/secagg/round_of_eleven.json");
}

/* A ring: everybody has its own neighbours. */
static void round__of_many_with_dropouts__has_these_digests(void **state)
{
    (void)state;
    play_vector("tests/vectors/secagg/round_of_many.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round__five_of_whom_one_drops_out__has_these_bytes),
        cmocka_unit_test(round__eleven_one_fewer_each_stage__has_these_bytes),
        cmocka_unit_test(round__of_many_with_dropouts__has_these_digests),
    };

    return cmocka_run_group_tests_name("secagg_rounds", tests, NULL, NULL);
}
