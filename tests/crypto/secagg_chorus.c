#include "tests/crypto/secagg_chorus.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/entropy.h"
#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "tests/support/cmocka.h"

enum { FIRST_ID = 11, ID_STEP = 7 };

static const struct sotto_view nothing = {0};

struct chorus_setup chorus_setup_of(uint32_t count, uint64_t seed)
{
    return (struct chorus_setup){.count = count,
                                 .lane_count = 8,
                                 .ring_bits = 32,
                                 .survivors_min = SOTTO_COHORT_MIN,
                                 .corrupt_fraction = 0.05,
                                 .dropout_fraction = 0.1,
                                 .seed = seed};
}

uint32_t chorus_id(uint32_t place)
{
    return FIRST_ID + ID_STEP * place;
}

uint32_t chorus_lane(uint32_t place, uint32_t lane)
{
    return 0x9e3779b9u * (place + 1) + 0x85ebca6bu * lane;
}

static uint32_t plain_lane(const struct chorus *chorus, uint32_t place, uint32_t lane)
{
    return chorus->plain == NULL ? chorus_lane(place, lane)
                                 : chorus->plain[(size_t)place * chorus->terms.lane_count + lane];
}

static void draw_keys(struct chorus *chorus, uint64_t seed)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, seed);
    sotto_entropy_fill(&entropy, chorus->terms.context.bytes, SOTTO_DIGEST_BYTES);
    sotto_entropy_fill(&entropy, chorus->signing.bytes, sizeof chorus->signing.bytes);
    sotto_ed25519_public_of(&chorus->coordinator, &chorus->signing);
    for (uint32_t place = 0; place < chorus->count; place++) {
        struct sotto_roster_entry *entry = &chorus->entries[place];

        sotto_entropy_fill(&entropy, chorus->identities[place].bytes, 32);
        sotto_entropy_fill(&entropy, chorus->seeds[place].bytes, 32);
        sotto_entropy_fill(&entropy, entry->certificate.bytes, SOTTO_DIGEST_BYTES);
        sotto_ed25519_public_of(&entry->identity, &chorus->identities[place]);
        entry->id = chorus_id(place);
    }
    chorus->roster =
        (struct sotto_roster){.epoch = 1, .entries = chorus->entries, .entry_count = chorus->count};
}

/* Twice: once to count, once for good. */
static enum sotto_status open_machines(struct chorus *chorus)
{
    const struct sotto_collector_setup collector = {
        .terms = &chorus->terms, .roster = &chorus->roster, .signing = &chorus->signing};
    enum sotto_status status =
        chorus->protocol->collector_open(&chorus->collector, &chorus->arena, &collector);

    for (uint32_t place = 0; place < chorus->count; place++) {
        const struct sotto_member_setup member = {.terms = &chorus->terms,
                                                  .roster = &chorus->roster,
                                                  .id = chorus_id(place),
                                                  .identity = &chorus->identities[place],
                                                  .coordinator = chorus->coordinator,
                                                  .seed = &chorus->seeds[place]};

        status = chorus->protocol->member_open(&chorus->members[place], &chorus->arena, &member);
    }
    return status;
}

struct chorus *chorus_prepare(const struct chorus_setup *setup)
{
    struct chorus *chorus = calloc(1, sizeof *chorus);

    assert_non_null(chorus);
    chorus->protocol = &sotto_secaggplus;
    chorus->count = setup->count;
    chorus->terms = (struct sotto_terms){.lane_count = setup->lane_count,
                                         .ring_bits = setup->ring_bits,
                                         .cohort_min = setup->survivors_min,
                                         .cohort_max = setup->count,
                                         .survivors_min = setup->survivors_min,
                                         .corrupt_fraction = setup->corrupt_fraction,
                                         .dropout_fraction = setup->dropout_fraction};
    draw_keys(chorus, setup->seed);
    chorus->terms.context.bytes[0] ^= setup->is_other_plan;
    chorus->masked = calloc((size_t)setup->count * setup->lane_count, sizeof *chorus->masked);
    chorus->scratch = calloc(setup->lane_count, sizeof(uint32_t));
    assert_non_null(chorus->masked);
    assert_non_null(chorus->scratch);
    return chorus;
}

void chorus_start(struct chorus *chorus)
{
    size_t bytes;

    sotto_arena_init_counting(&chorus->arena);
    assert_int_equal(open_machines(chorus), SOTTO_NO_MEMORY);
    bytes = chorus->arena.used;
    assert_int_equal(sotto_arena_open(&chorus->arena, bytes), SOTTO_OK);
    assert_int_equal(open_machines(chorus), SOTTO_OK);
}

struct chorus *chorus_open(const struct chorus_setup *setup)
{
    struct chorus *chorus = chorus_prepare(setup);

    chorus_start(chorus);
    return chorus;
}

void chorus_close(struct chorus *chorus)
{
    for (uint32_t place = 0; place < chorus->count; place++)
        chorus->protocol->member_wipe(chorus->members[place]);
    chorus->protocol->collector_wipe(chorus->collector);
    sotto_arena_close(&chorus->arena);
    free(chorus->scratch);
    free(chorus->masked);
    free(chorus);
}

struct sotto_member_effects chorus_tell(struct chorus *chorus, uint32_t place,
                                        enum sotto_member_event_kind kind, struct sotto_view bytes)
{
    const struct sotto_member_event event = {.kind = kind, .bytes = bytes};
    struct sotto_member_effects effects;

    chorus->protocol->member_step(chorus->members[place], &event, &effects);
    return effects;
}

struct sotto_collector_effects chorus_deliver(struct chorus *chorus,
                                              const struct sotto_collector_event *event)
{
    struct sotto_collector_effects effects;

    chorus->protocol->collector_step(chorus->collector, event, &effects);
    return effects;
}

enum sotto_stage chorus_end_stage(struct chorus *chorus, struct sotto_collector_effects *effects)
{
    const struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_CLOSE};

    *effects = chorus_deliver(chorus, &event);
    assert_int_equal(effects->verdict, SOTTO_OK);
    return chorus->protocol->collector_stage(chorus->collector);
}

struct sotto_view chorus_mail(struct chorus *chorus, uint32_t place)
{
    struct sotto_buffer out = sotto_buffer_of(chorus->wire, sizeof chorus->wire);
    enum sotto_status status =
        chorus->protocol->collector_message(chorus->collector, chorus_id(place), &out);

    if (status == SOTTO_NOT_FOUND)
        return nothing;
    assert_int_equal(status, SOTTO_OK);
    return sotto_view_buffer(&out);
}

enum sotto_member_event_kind chorus_mail_kind(enum sotto_stage stage)
{
    switch (stage) {
    case SOTTO_STAGE_SHARING: return SOTTO_MEMBER_COHORT;
    case SOTTO_STAGE_UPLOADING: return SOTTO_MEMBER_INBOX;
    case SOTTO_STAGE_INCLUDING: return SOTTO_MEMBER_SURVIVORS;
    case SOTTO_STAGE_REVEALING: return SOTTO_MEMBER_INCLUSIONS;
    case SOTTO_STAGE_GATHERING:
    case SOTTO_STAGE_UNMASKED:
    case SOTTO_STAGE_FAILED: break;
    }
    return SOTTO_MEMBER_BEGIN;
}

/* The member masks its lanes into chorus->masked and reports their digest. */
static struct sotto_digest mask(struct chorus *chorus, uint32_t place)
{
    const struct sotto_terms *terms = &chorus->terms;
    uint32_t *lanes = chorus->masked + (size_t)place * terms->lane_count;
    struct sotto_view packed = sotto_view_of(
        chorus->scratch, sotto_lanes_packed_bytes(terms->lane_count, terms->ring_bits));
    struct sotto_member_event event = {.kind = SOTTO_MEMBER_MASKED};
    struct sotto_member_effects effects;

    for (uint32_t lane = 0; lane < terms->lane_count; lane++)
        lanes[lane] = plain_lane(chorus, place, lane);
    assert_int_equal(
        chorus->protocol->member_mask(chorus->members[place], lanes, terms->lane_count), SOTTO_OK);
    sotto_lanes_pack(chorus->scratch, lanes, terms->lane_count, terms->ring_bits);
    sotto_hash(&event.digest, &packed, 1);
    chorus->protocol->member_step(chorus->members[place], &event, &effects);
    assert_int_equal(effects.refusal, SOTTO_REFUSAL_NONE);
    assert_true(effects.store.length > 0);
    return event.digest;
}

/* In a ring it goes before the upload. */
static void give_receipt(struct chorus *chorus, uint32_t place, struct sotto_view receipt)
{
    const struct sotto_collector_event event = {
        .kind = SOTTO_COLLECTOR_RECEIPT, .id = chorus_id(place), .bytes = receipt};

    if (receipt.length > 0)
        assert_int_equal(chorus_deliver(chorus, &event).verdict, SOTTO_OK);
}

struct sotto_collector_event chorus_answer(struct chorus *chorus, uint32_t place)
{
    enum sotto_stage stage = chorus->protocol->collector_stage(chorus->collector);
    struct sotto_collector_event answer = {.kind = (enum sotto_collector_event_kind)stage,
                                           .id = chorus_id(place)};
    struct sotto_member_effects effects =
        chorus_tell(chorus, place, chorus_mail_kind(stage), chorus_mail(chorus, place));

    assert_int_equal(effects.refusal, SOTTO_REFUSAL_NONE);
    if (effects.is_ready_to_mask) {
        give_receipt(chorus, place, effects.send);
        answer.digest = mask(chorus, place);
        return answer;
    }
    answer.bytes = effects.send;
    return answer;
}

static void answer(struct chorus *chorus, uint32_t place)
{
    struct sotto_collector_event given = chorus_answer(chorus, place);

    assert_int_equal(chorus_deliver(chorus, &given).verdict, SOTTO_OK);
}

enum sotto_stage chorus_play(struct chorus *chorus, uint32_t places)
{
    struct sotto_collector_effects effects;

    for (uint32_t place = 0; place < chorus->count; place++) {
        if (place >= 32 || places >> place & 1)
            answer(chorus, place);
    }
    return chorus_end_stage(chorus, &effects);
}

enum sotto_stage chorus_play_where(struct chorus *chorus, bool (*answers)(uint32_t place))
{
    struct sotto_collector_effects effects;

    for (uint32_t place = 0; place < chorus->count; place++) {
        if (answers(place))
            answer(chorus, place);
    }
    return chorus_end_stage(chorus, &effects);
}

void chorus_play_until(struct chorus *chorus, enum sotto_stage stage)
{
    while (chorus->protocol->collector_stage(chorus->collector) != stage)
        (void)chorus_play(chorus, UINT32_MAX);
}

static bool survived(const struct chorus *chorus, uint32_t place)
{
    return chorus->protocol->collector_survived(chorus->collector, chorus_id(place));
}

void chorus_unmask(const struct chorus *chorus, uint32_t *sum)
{
    uint32_t lane_count = chorus->terms.lane_count;
    const struct sotto_lane_range all = {.first = 0, .count = lane_count};

    memset(sum, 0, lane_count * sizeof *sum);
    for (uint32_t place = 0; place < chorus->count; place++)
        if (survived(chorus, place))
            sotto_lanes_add(sum, chorus->masked + (size_t)place * lane_count, lane_count);
    assert_int_equal(chorus->protocol->collector_unmask(chorus->collector, sum, all), SOTTO_OK);
}

void chorus_check_sum(const struct chorus *chorus)
{
    uint32_t lane_count = chorus->terms.lane_count;
    uint32_t ring_mask = (uint32_t)(UINT64_MAX >> (64 - chorus->terms.ring_bits));
    uint32_t *sum = calloc(lane_count, sizeof *sum);

    assert_non_null(sum);
    chorus_unmask(chorus, sum);
    for (uint32_t lane = 0; lane < lane_count; lane++) {
        uint32_t expected = 0;

        for (uint32_t place = 0; place < chorus->count; place++)
            expected += survived(chorus, place) ? plain_lane(chorus, place, lane) : 0;
        assert_int_equal(sum[lane] & ring_mask, expected & ring_mask);
    }
    free(sum);
}
