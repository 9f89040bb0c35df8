#include "tests/coordinator/cohort.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/entropy.h"
#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "crypto/ring/quantise.h"
#include "models/adapter/manifest.h"
#include "tests/support/cmocka.h"
#include "tests/support/plan.h"

enum { MEMBER_BYTES = 1024 * 1024 };

static void keys_draw(struct cohort *cohort, struct sotto_entropy *entropy)
{
    sotto_entropy_fill(entropy, cohort->signing.bytes, sizeof cohort->signing.bytes);
    for (uint32_t place = 0; place < cohort->count; place++) {
        struct sotto_roster_entry *entry = &cohort->entries[place];

        entry->id = place + 1;
        sotto_entropy_fill(entropy, cohort->identities[place].bytes, 32);
        sotto_entropy_fill(entropy, cohort->seeds[place].bytes, 32);
        sotto_entropy_fill(entropy, entry->certificate.bytes, SOTTO_DIGEST_BYTES);
        sotto_ed25519_public_of(&entry->identity, &cohort->identities[place]);
    }
}

static void updates_draw(struct cohort *cohort, struct sotto_entropy *entropy)
{
    struct sotto_quantiser quantiser = {.range = cohort->plan.lane_range,
                                        .value_bits = cohort->plan.value_bits,
                                        .ring_bits = cohort->plan.ring_bits,
                                        .weight_max = cohort->plan.weight_max,
                                        .cohort_max = cohort->plan.cohort_max};
    struct sotto_secret dither;

    for (uint32_t place = 0; place < cohort->count; place++) {
        for (size_t i = 0; i < COHORT_VALUES; i++)
            cohort->values[place][i] = (float)(sotto_entropy_unit(entropy) - 0.5);
        sotto_entropy_fill(entropy, dither.bytes, sizeof dither.bytes);
        sotto_quantise(cohort->plain[place], cohort->values[place], COHORT_VALUES,
                       cohort_weight(place), &quantiser, &dither);
    }
}

static struct sotto_layout *layout_make(void)
{
    const struct sotto_arch arch = {.width = 15,
                                    .mlp_width = 15,
                                    .block_count = 1,
                                    .head_count = 1,
                                    .kv_head_count = 1,
                                    .head_width = 15};
    const struct sotto_adapter_choice choice = {.label_count = 4, .labels = {"a", "b", "c", "d"}};
    struct sotto_layout *layout = calloc(1, sizeof *layout);

    assert_non_null(layout);
    assert_int_equal(sotto_layout_derive(layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(layout->lane_count, COHORT_VALUES);
    return layout;
}

struct sotto_view cohort_layout(void)
{
    static uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_layout *layout = layout_make();
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_layout_encode(&out, layout), SOTTO_OK);
    free(layout);
    return sotto_view_buffer(&out);
}

struct sotto_view cohort_adapter(float adapter[COHORT_ADAPTER])
{
    struct sotto_layout *layout = layout_make();

    assert_int_equal(sotto_manifest_adapter_bytes(layout), COHORT_ADAPTER * sizeof *adapter);
    sotto_manifest_write(adapter, layout, sotto_hash);
    free(layout);
    return sotto_view_of(adapter, COHORT_ADAPTER * sizeof *adapter);
}

static void plan_write(struct cohort *cohort, uint32_t survivors_min)
{
    struct sotto_buffer out = sotto_buffer_of(cohort->plan_bytes, sizeof cohort->plan_bytes);

    plan_sample(&cohort->plan);
    cohort->plan.lane_count = COHORT_LANES;
    cohort->plan.cohort_min = survivors_min;
    cohort->plan.cohort_max = cohort->count;
    cohort->plan.survivors_min = survivors_min;
    cohort->plan.roster_epoch = 1;
    assert_int_equal(sotto_plan_encode(&out, &cohort->plan), SOTTO_OK);
    cohort->plan_length = out.length;
    sotto_sign(&cohort->plan_signature, &cohort->signing, "sotto/1 plan", sotto_view_buffer(&out));
}

static void members_open(struct cohort *cohort)
{
    struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"),
                                 sotto_view_of(cohort->plan_bytes, cohort->plan_length)};
    struct sotto_terms terms = {.lane_count = cohort->plan.lane_count,
                                .ring_bits = cohort->plan.ring_bits,
                                .cohort_min = cohort->plan.cohort_min,
                                .cohort_max = cohort->plan.cohort_max,
                                .survivors_min = cohort->plan.survivors_min,
                                .corrupt_fraction = cohort->plan.corrupt_fraction,
                                .dropout_fraction = cohort->plan.dropout_fraction};
    struct sotto_member_setup setup = {.terms = &terms, .roster = &cohort->roster};

    sotto_hash(&terms.context, parts, 2);
    sotto_ed25519_public_of(&setup.coordinator, &cohort->signing);
    for (uint32_t place = 0; place < cohort->count; place++) {
        setup.id = place + 1;
        setup.identity = &cohort->identities[place];
        setup.seed = &cohort->seeds[place];
        assert_int_equal(
            sotto_secaggplus.member_open(&cohort->members[place], &cohort->arena, &setup),
            SOTTO_OK);
    }
}

struct cohort *cohort_open(uint32_t count, uint32_t survivors_min, uint64_t seed)
{
    struct cohort *cohort = calloc(1, sizeof *cohort);
    struct sotto_entropy entropy;

    assert_non_null(cohort);
    cohort->count = count;
    sotto_entropy_init_seeded(&entropy, seed);
    keys_draw(cohort, &entropy);
    plan_write(cohort, survivors_min);
    updates_draw(cohort, &entropy);
    cohort->roster =
        (struct sotto_roster){.epoch = 1, .entries = cohort->entries, .entry_count = count};
    assert_int_equal(sotto_arena_open(&cohort->arena, MEMBER_BYTES), SOTTO_OK);
    members_open(cohort);
    return cohort;
}

void cohort_reopen(struct cohort *cohort)
{
    struct sotto_view plan = sotto_view_of(cohort->plan_bytes, cohort->plan_length);

    for (uint32_t place = 0; place < cohort->count; place++)
        sotto_secaggplus.member_wipe(cohort->members[place]);
    sotto_arena_release(&cohort->arena, 0);
    assert_int_equal(sotto_plan_decode(&cohort->plan, plan), SOTTO_OK);
    members_open(cohort);
}

void cohort_close(struct cohort *cohort)
{
    for (uint32_t place = 0; place < cohort->count; place++)
        sotto_secaggplus.member_wipe(cohort->members[place]);
    sotto_arena_close(&cohort->arena);
    free(cohort);
}

struct sotto_round *cohort_round(const struct cohort *cohort, struct sotto_arena *arena)
{
    struct sotto_round_setup setup = {.protocol = &sotto_secaggplus,
                                      .plan_bytes =
                                          sotto_view_of(cohort->plan_bytes, cohort->plan_length),
                                      .plan_signature = cohort->plan_signature.bytes,
                                      .roster = &cohort->roster,
                                      .signing = &cohort->signing,
                                      .opened_ms = COHORT_OPENED_MS};
    struct sotto_round_effects effects;
    struct sotto_round *round = NULL;

    assert_int_equal(
        sotto_arena_open(arena, sotto_round_bytes(setup.protocol, &cohort->plan, setup.roster)),
        SOTTO_OK);
    assert_int_equal(sotto_round_open(&round, arena, &setup, &effects), SOTTO_OK);
    assert_int_equal(effects.deadline_ms, COHORT_OPENED_MS + cohort->plan.deadlines.gathering_ms);
    return round;
}

static struct sotto_view member_tell(struct cohort *cohort, uint32_t place,
                                     enum sotto_member_event_kind kind, struct sotto_view bytes)
{
    struct sotto_member_event event = {.kind = kind, .bytes = bytes};
    struct sotto_member_effects effects;

    sotto_secaggplus.member_step(cohort->members[place], &event, &effects);
    assert_int_equal(effects.refusal, SOTTO_REFUSAL_NONE);
    return effects.send;
}

static struct sotto_digest upload_make(struct cohort *cohort, uint32_t place)
{
    uint32_t lanes[COHORT_LANES];
    struct sotto_view packed = sotto_view_of(cohort->packed[place], COHORT_PACKED_BYTES);
    struct sotto_member_event event = {.kind = SOTTO_MEMBER_MASKED};
    struct sotto_member_effects effects;

    memcpy(lanes, cohort->plain[place], sizeof lanes);
    assert_int_equal(sotto_secaggplus.member_mask(cohort->members[place], lanes, COHORT_LANES),
                     SOTTO_OK);
    sotto_lanes_pack(cohort->packed[place], lanes, COHORT_LANES, cohort->plan.ring_bits);
    sotto_hash(&event.digest, &packed, 1);
    sotto_secaggplus.member_step(cohort->members[place], &event, &effects);
    assert_int_equal(effects.refusal, SOTTO_REFUSAL_NONE);
    return event.digest;
}

static bool mail_answer(struct cohort *cohort, uint32_t place, const struct sotto_mail *mail,
                        struct sotto_round_event *event)
{
    static const struct sotto_view nothing;

    switch (mail->kind) {
    case SOTTO_MAIL_PLAN:
        event->kind = SOTTO_ROUND_ADVERT;
        event->bytes = member_tell(cohort, place, SOTTO_MEMBER_BEGIN, nothing);
        return true;
    case SOTTO_MAIL_COHORT:
        event->kind = SOTTO_ROUND_SHARES;
        event->bytes = member_tell(cohort, place, SOTTO_MEMBER_COHORT, mail->body);
        return true;
    case SOTTO_MAIL_INBOX:
        event->kind = SOTTO_ROUND_UPLOAD;
        member_tell(cohort, place, SOTTO_MEMBER_INBOX, mail->body);
        event->digest = upload_make(cohort, place);
        return true;
    case SOTTO_MAIL_SURVIVORS:
        event->kind = SOTTO_ROUND_INCLUSION;
        event->bytes = member_tell(cohort, place, SOTTO_MEMBER_SURVIVORS, mail->body);
        return true;
    case SOTTO_MAIL_INCLUSIONS:
        event->kind = SOTTO_ROUND_REVEAL;
        event->bytes = member_tell(cohort, place, SOTTO_MEMBER_INCLUSIONS, mail->body);
        return true;
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_OUTCOME: break;
    }
    return false;
}

bool cohort_answer(struct cohort *cohort, uint32_t place, const struct sotto_round *round,
                   struct sotto_round_event *event)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_mail mail;

    if (sotto_round_mail(round, place + 1, cohort->seen[place], &mail, &body) != SOTTO_OK)
        return false;
    cohort->seen[place] = mail.kind;
    *event = (struct sotto_round_event){.site = place + 1};
    return mail_answer(cohort, place, &mail, event);
}

uint32_t cohort_weight(uint32_t place)
{
    return place + 1;
}

void cohort_sum(const struct cohort *cohort, uint32_t places, uint32_t sum[COHORT_LANES])
{
    memset(sum, 0, COHORT_LANES * sizeof *sum);
    for (uint32_t place = 0; place < cohort->count; place++)
        if ((places >> place & 1) != 0)
            sotto_lanes_add(sum, cohort->plain[place], COHORT_LANES);
}
