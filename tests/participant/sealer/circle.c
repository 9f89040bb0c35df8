#include "tests/participant/sealer/circle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "participant/sealer/veil.h"
#include "tests/support/cmocka.h"
#include "tests/support/plan.h"

static const struct sotto_arch arch = {.width = 8,
                                       .mlp_width = 16,
                                       .block_count = 1,
                                       .head_count = 2,
                                       .kv_head_count = 2,
                                       .head_width = 4,
                                       .image_side = 8,
                                       .patch_side = 4,
                                       .channels = 1,
                                       .norm_epsilon = 1e-6,
                                       .has_qkv_bias = true,
                                       .has_out_bias = true,
                                       .has_mlp_bias = true};

/* Writes the manifest behind the lanes. */
static void adapter_finish(const struct circle *circle, struct sotto_digest *out,
                           float adapter[CIRCLE_ADAPTER])
{
    struct sotto_view bytes = sotto_view_of(adapter, CIRCLE_ADAPTER * sizeof *adapter);
    const struct sotto_view parts[] = {sotto_view_of(circle->layout_bytes, circle->layout_length),
                                       sotto_manifest_of(bytes, &circle->layout)};

    sotto_manifest_write(adapter, &circle->layout, sotto_hash);
    sotto_hash_list(out, "sotto/1 adapter", parts, 2);
}

static void layout_make(struct circle *circle)
{
    struct sotto_adapter_choice choice = {
        .alpha = 1, .label_count = 2, .labels = {"left", "right"}};
    struct sotto_buffer buffer = sotto_buffer_of(circle->layout_bytes, SOTTO_LAYOUT_BYTES_MAX);
    struct sotto_view bytes;

    assert_int_equal(sotto_layout_derive(&circle->layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(circle->layout.lane_count, CIRCLE_VALUES);
    assert_int_equal(sotto_layout_encode(&buffer, &circle->layout), SOTTO_OK);
    circle->layout_length = buffer.length;
    bytes = sotto_view_buffer(&buffer);
    sotto_hash_list(&circle->plan.layout, "sotto/1 layout", &bytes, 1);
    for (size_t lane = 0; lane < CIRCLE_VALUES; lane++)
        circle->next_adapter[lane] = 0.5f;
    adapter_finish(circle, &circle->plan.adapter, circle->adapter);
    adapter_finish(circle, &circle->next, circle->next_adapter);
}

void circle_publish_roster(struct circle *circle)
{
    struct sotto_buffer buffer = sotto_buffer_of(circle->roster_bytes, SOTTO_ROSTER_BYTES_MAX);
    struct sotto_view bytes;

    assert_int_equal(sotto_roster_encode(&buffer, &circle->roster_message), SOTTO_OK);
    circle->roster_length = buffer.length;
    bytes = sotto_view_buffer(&buffer);
    sotto_hash(&circle->plan.roster, &bytes, 1);
}

static void roster_make(struct circle *circle)
{
    circle->roster_message = (struct sotto_roster_message){
        .epoch = 7, .organisation_count = CIRCLE_SITES, .count = CIRCLE_SITES};
    for (uint32_t place = 0; place < CIRCLE_SITES; place++) {
        struct sotto_roster_line *line = &circle->roster_message.lines[place];

        line->id = place + 1;
        memset(&line->certificate, (int)place + 1, sizeof line->certificate);
        sotto_ed25519_public_of(&circle->entries[place].identity, &circle->sites[place].identity);
        memcpy(line->identity, circle->entries[place].identity.bytes, sizeof line->identity);
        circle->entries[place].id = line->id;
        circle->entries[place].certificate = line->certificate;
        circle->entries[place].organisation = line->organisation = place;
        snprintf(circle->roster_message.organisations[place], SOTTO_ORGANISATION_MAX + 1,
                 "organisation-%u", place);
    }
    circle->roster =
        (struct sotto_roster){.epoch = 7, .entries = circle->entries, .entry_count = CIRCLE_SITES};
    circle_publish_roster(circle);
}

static void turn_make(struct circle *circle, uint32_t place)
{
    struct circle_site *site = &circle->sites[place];
    struct sotto_turn_setup setup = {
        .protocol = &sotto_secaggplus,
        .policy = &site->policy,
        .id = place + 1,
        .identity = &site->identity,
        .coordinator = circle->coordinator,
        .entropy = &site->entropy,
        .arena = &site->arena,
        .rest = &site->rest,
    };

    if (site->arena_bytes == 0)
        site->arena_bytes = sotto_turn_bytes(CIRCLE_VALUES, CIRCLE_LANES);
    assert_int_equal(sotto_arena_open(&site->arena, site->arena_bytes), SOTTO_OK);
    assert_int_equal(sotto_arena_open(&site->rest, sotto_turn_rest_bytes(CIRCLE_LANES)), SOTTO_OK);
    assert_int_equal(sotto_turn_open(&site->turn, &setup), SOTTO_OK);
}

static void site_make(struct circle *circle, uint32_t place)
{
    struct circle_site *site = &circle->sites[place];

    sotto_entropy_init_seeded(&site->entropy, place + 1);
    sotto_entropy_fill(&site->entropy, &site->identity, sizeof site->identity);
    sotto_policy_init(&site->policy);
    site->policy.cohort_min = CIRCLE_SITES;
    site->policy.survivors_min = CIRCLE_SITES;
    site->stop_at = SOTTO_PHASE_COUNT;
    site->weight = place + 1;
    for (size_t lane = 0; lane < CIRCLE_VALUES; lane++)
        site->values[lane] = 0.25f * (float)(place + 1);
    turn_make(circle, place);
}

struct circle *circle_open(void)
{
    struct circle *circle = calloc(1, sizeof *circle);

    assert_non_null(circle);
    memset(&circle->signing, 0x77, sizeof circle->signing);
    sotto_ed25519_public_of(&circle->coordinator, &circle->signing);
    plan_sample(&circle->plan);
    circle->plan.round = 1;
    circle->plan.lane_count = CIRCLE_LANES;
    circle->plan.cohort_min = CIRCLE_SITES;
    circle->plan.cohort_max = CIRCLE_SITES;
    circle->plan.survivors_min = CIRCLE_SITES;
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        site_make(circle, place);
    layout_make(circle);
    roster_make(circle);
    return circle;
}

static void round_close(struct circle *circle)
{
    if (circle->round != NULL)
        sotto_round_wipe(circle->round);
    sotto_arena_close(&circle->arena);
    circle->round = NULL;
}

void circle_close(struct circle *circle)
{
    for (uint32_t place = 0; place < CIRCLE_SITES; place++) {
        sotto_turn_close(circle->sites[place].turn);
        sotto_arena_close(&circle->sites[place].arena);
        sotto_arena_close(&circle->sites[place].rest);
    }
    round_close(circle);
    free(circle);
}

void circle_begin(struct circle *circle)
{
    struct sotto_buffer buffer = sotto_buffer_of(circle->plan_bytes, sizeof circle->plan_bytes);
    struct sotto_round_effects effects;
    struct sotto_round_setup setup = {.protocol = &sotto_secaggplus,
                                      .plan_signature = circle->plan_signature.bytes,
                                      .roster = &circle->roster,
                                      .signing = &circle->signing,
                                      .opened_ms = CIRCLE_OPENED_MS};

    round_close(circle);
    assert_int_equal(sotto_plan_encode(&buffer, &circle->plan), SOTTO_OK);
    circle->plan_length = buffer.length;
    setup.plan_bytes = sotto_view_buffer(&buffer);
    sotto_sign(&circle->plan_signature, &circle->signing, "sotto/1 plan", setup.plan_bytes);
    assert_int_equal(
        sotto_arena_open(&circle->arena,
                         sotto_round_bytes(setup.protocol, &circle->plan, setup.roster)),
        SOTTO_OK);
    assert_int_equal(sotto_round_open(&circle->round, &circle->arena, &setup, &effects), SOTTO_OK);
    circle->now_ms = CIRCLE_OPENED_MS;
    circle->deadline_ms = effects.deadline_ms;
    memset(circle->sum, 0, sizeof circle->sum);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle->sites[place].seen = SOTTO_MAIL_NONE;
}

struct sotto_view circle_mail_of(const struct circle *circle, uint8_t *out,
                                 enum sotto_mail_kind kind, struct sotto_view body,
                                 const struct sotto_signature *signature)
{
    struct sotto_mail mail = {.kind = kind, .round = circle->plan.round, .body = body};
    struct sotto_buffer buffer = sotto_buffer_of(out, SOTTO_MAIL_BYTES_MAX);

    memcpy(mail.campaign, circle->plan.campaign, sizeof mail.campaign);
    if (signature != NULL)
        memcpy(mail.signature, signature->bytes, sizeof mail.signature);
    assert_int_equal(sotto_mail_encode(&buffer, &mail), SOTTO_OK);
    return sotto_view_buffer(&buffer);
}

struct sotto_view circle_plan_mail(const struct circle *circle, uint8_t *out)
{
    return circle_mail_of(circle, out, SOTTO_MAIL_PLAN,
                          sotto_view_of(circle->plan_bytes, circle->plan_length),
                          &circle->plan_signature);
}

struct sotto_view circle_outcome_mail(const struct circle *circle, uint8_t *out,
                                      enum sotto_outcome_kind kind)
{
    struct sotto_outcome outcome = {.kind = kind,
                                    .round = circle->plan.round,
                                    .adapter = circle->next,
                                    .layout = circle->plan.layout,
                                    .survivors = CIRCLE_SITES};
    uint8_t bytes[SOTTO_OUTCOME_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_signature signature;

    memcpy(outcome.campaign, circle->plan.campaign, sizeof outcome.campaign);
    if (kind == SOTTO_OUTCOME_ABANDONED)
        snprintf(outcome.reason, sizeof outcome.reason, "too few");
    assert_int_equal(sotto_outcome_encode(&buffer, &outcome), SOTTO_OK);
    sotto_sign(&signature, &circle->signing, "sotto/1 outcome", sotto_view_buffer(&buffer));
    return circle_mail_of(circle, out, SOTTO_MAIL_OUTCOME, sotto_view_buffer(&buffer), &signature);
}

/* What a step did, in the order in which a driver does it. */
static void trace_add(struct circle_site *site, const struct sotto_turn_effects *effects)
{
    static const char *const orders[] = {"", " load", " train", " adopt"};
    size_t length = strlen(site->trace);
    char *at = site->trace + length;
    size_t room = sizeof site->trace - length;
    struct sotto_record record;

    if (effects->store.length > 0) {
        assert_int_equal(sotto_record_decode(&record, effects->store), SOTTO_OK);
        at += snprintf(at, room, " store-%s", sotto_record_name(record.kind));
    }
    if (effects->send.length > 0)
        at += snprintf(at, room, " send-%s-%d",
                       effects->is_refusal_notice ? sotto_refusal_name(effects->refusal) : "answer",
                       (int)effects->answers);
    at +=
        snprintf(at, room, "%s%.*s%s%s%s%s\n", effects->is_upload ? " upload" : "",
                 (int)(2 * effects->fetch_count), " f f f", orders[effects->order],
                 effects->run_expand ? " expand" : "", effects->run_contribute ? " contribute" : "",
                 effects->is_finished ? " finished" : "");
    assert_in_range(at - site->trace, 1, CIRCLE_TRACE_BYTES - 128);
}

void circle_step(struct circle_site *site, const struct sotto_turn_event *event)
{
    sotto_turn_step(site->turn, event, &site->last);
    trace_add(site, &site->last);
    if (site->last.detail[0] != '\0')
        snprintf(site->detail, sizeof site->detail, "%s", site->last.detail);
    if (site->last.refusal != SOTTO_REFUSAL_NONE)
        site->refused = site->last.refusal;
    if (site->last.store.length > 0) {
        assert_in_range(site->record_count, 0, CIRCLE_RECORDS_MAX - 1);
        memcpy(site->records[site->record_count].bytes, site->last.store.at,
               site->last.store.length);
        site->records[site->record_count++].length = site->last.store.length;
    }
}

static void round_step(struct circle *circle, struct sotto_round_event event)
{
    struct sotto_round_effects effects;

    event.at_ms = ++circle->now_ms;
    sotto_round_step(circle->round, &event, &effects);
    if (effects.deadline_ms != 0)
        circle->deadline_ms = effects.deadline_ms;
    if (effects.job == SOTTO_ROUND_JOB_ADD)
        sotto_lanes_unpack_add(circle->sum, CIRCLE_LANES, circle->plan.ring_bits,
                               circle->sites[effects.job_site - 1].packed);
}

static void deliver_answer(struct circle *circle, uint32_t place,
                           const struct sotto_turn_effects *effects)
{
    static const enum sotto_round_event_kind kinds[] = {
        [SOTTO_MAIL_PLAN] = SOTTO_ROUND_ADVERT,
        [SOTTO_MAIL_COHORT] = SOTTO_ROUND_SHARES,
        [SOTTO_MAIL_SURVIVORS] = SOTTO_ROUND_INCLUSION,
        [SOTTO_MAIL_INCLUSIONS] = SOTTO_ROUND_REVEAL,
    };
    struct sotto_round_event event = {.site = place + 1, .bytes = effects->send};

    if (effects->is_upload)
        round_step(circle, (struct sotto_round_event){.kind = SOTTO_ROUND_UPLOAD,
                                                      .site = place + 1,
                                                      .digest = effects->digest});
    if (effects->send.length == 0)
        return;
    event.kind = effects->is_refusal_notice ? SOTTO_ROUND_LEAVE : kinds[effects->answers];
    event.reason = (uint32_t)effects->refusal;
    round_step(circle, event);
}

static struct sotto_view item_bytes(const struct circle *circle, enum sotto_item_kind kind,
                                    const struct sotto_digest *digest)
{
    const float *adapter =
        sotto_digest_equal(digest, &circle->next) ? circle->next_adapter : circle->adapter;

    switch (kind) {
    case SOTTO_ITEM_ROSTER: return sotto_view_of(circle->roster_bytes, circle->roster_length);
    case SOTTO_ITEM_LAYOUT: return sotto_view_of(circle->layout_bytes, circle->layout_length);
    case SOTTO_ITEM_ADAPTER: break;
    }
    return sotto_view_of(adapter, sizeof circle->adapter - circle->adapter_cut);
}

static void fetch(struct circle *circle, uint32_t place, const struct sotto_turn_effects *effects)
{
    struct sotto_turn_effects wanted = *effects;

    for (unsigned index = 0; index < wanted.fetch_count; index++) {
        struct sotto_turn_event event = {.kind = SOTTO_TURN_FETCHED,
                                         .item = wanted.fetch[index].item};

        event.bytes = item_bytes(circle, event.item, &wanted.fetch[index].digest);
        circle_drive(circle, place, &event);
    }
}

static void loaded(struct circle *circle, uint32_t place)
{
    struct circle_site *site = &circle->sites[place];
    struct sotto_view parts[] = {
        sotto_turn_layout_bytes(site->turn),
        sotto_manifest_of(sotto_turn_adapter_bytes(site->turn), &circle->layout)};
    struct sotto_turn_event event = {.kind = SOTTO_TURN_LOADED};

    sotto_hash_list(&event.layout, "sotto/1 layout", parts, 1);
    sotto_hash_list(&event.adapter, "sotto/1 adapter", parts, 2);
    circle_drive(circle, place, &event);
}

static void trained(struct circle *circle, uint32_t place)
{
    struct circle_site *site = &circle->sites[place];
    struct sotto_turn_event update = {.kind = SOTTO_TURN_UPDATE,
                                      .values = site->values,
                                      .value_count = CIRCLE_VALUES,
                                      .weight = site->weight};

    site->is_training = false;
    circle_drive(circle, place, &update);
}

static void order(struct circle *circle, uint32_t place, enum sotto_turn_order what)
{
    struct circle_site *site = &circle->sites[place];
    struct sotto_turn_event adopted = {.kind = SOTTO_TURN_ADOPTED, .is_kept = true};

    switch (what) {
    case SOTTO_ORDER_NONE: return;
    case SOTTO_ORDER_LOAD: loaded(circle, place); return;
    case SOTTO_ORDER_TRAIN:
        site->is_training = site->trains_long;
        if (!site->is_training)
            trained(circle, place);
        return;
    case SOTTO_ORDER_ADOPT: circle_drive(circle, place, &adopted); return;
    }
}

static void contribute(struct circle *circle, uint32_t place)
{
    struct circle_site *site = &circle->sites[place];
    struct sotto_buffer packed = sotto_buffer_of(site->packed, sizeof site->packed);
    uint32_t lanes[CIRCLE_LANES];
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MASKED};

    assert_int_equal(sotto_turn_encode(site->turn, lanes), SOTTO_OK);
    memcpy(site->plain, lanes, sizeof lanes);
    assert_int_equal(sotto_turn_hide(site->turn, lanes, &packed, &event.digest), SOTTO_OK);
    site->uploaded = event.digest;
    circle_drive(circle, place, &event);
}

void circle_drive(struct circle *circle, uint32_t place, const struct sotto_turn_event *event)
{
    struct circle_site *site = &circle->sites[place];
    struct sotto_turn_effects effects;

    circle_step(site, event);
    effects = site->last;
    deliver_answer(circle, place, &effects);
    if (site->turn->phase == site->stop_at)
        return;
    fetch(circle, place, &effects);
    order(circle, place, effects.order);
    if (effects.run_expand)
        assert_int_equal(sotto_veil_expand(site->turn), SOTTO_OK);
    if (effects.run_contribute)
        contribute(circle, place);
}

void circle_ready(struct circle *circle, uint32_t place)
{
    circle_drive(circle, place,
                 &(struct sotto_turn_event){.kind = SOTTO_TURN_TRAINER_READY,
                                            .base_model = circle->plan.base_model});
}

bool circle_deliver(struct circle *circle, uint32_t place)
{
    uint8_t body[SOTTO_MAIL_BYTES_MAX];
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer body_buffer = sotto_buffer_of(body, sizeof body);
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL};
    struct sotto_mail mail;

    if (sotto_round_mail(circle->round, place + 1, circle->sites[place].seen, &mail,
                         &body_buffer) != SOTTO_OK)
        return false;
    circle->sites[place].seen = mail.kind;
    assert_int_equal(sotto_mail_encode(&buffer, &mail), SOTTO_OK);
    event.bytes = sotto_view_buffer(&buffer);
    circle_drive(circle, place, &event);
    return true;
}

static void finish_round(struct circle *circle)
{
    if (sotto_round_phase(circle->round) == SOTTO_ROUND_UNMASKING) {
        assert_int_equal(
            sotto_secaggplus.collector_unmask(sotto_round_collector(circle->round), circle->sum,
                                              (struct sotto_lane_range){.count = CIRCLE_LANES}),
            SOTTO_OK);
        round_step(circle, (struct sotto_round_event){.kind = SOTTO_ROUND_SUM_READY});
        round_step(circle,
                   (struct sotto_round_event){.kind = SOTTO_ROUND_APPLIED, .digest = circle->next});
    }
}

static bool has_made_masks(const struct circle_site *site)
{
    return site->is_training && site->turn->is_ready_to_mask;
}

/* A site that trains long and is to stop before it masks stops when its masks are made. */
static bool is_stopped(const struct circle_site *site)
{
    return site->turn->phase == site->stop_at ||
           (site->stop_at == SOTTO_PHASE_MASKING && has_made_masks(site));
}

void circle_play(struct circle *circle)
{
    bool moves = true;

    while (moves) {
        moves = false;
        for (uint32_t place = 0; place < CIRCLE_SITES; place++)
            if (!is_stopped(&circle->sites[place]))
                moves = circle_deliver(circle, place) || moves;
        for (uint32_t place = 0; place < CIRCLE_SITES; place++)
            if (has_made_masks(&circle->sites[place]) && !is_stopped(&circle->sites[place]))
                trained(circle, place);
        if (sotto_round_phase(circle->round) < SOTTO_ROUND_UNMASKING)
            round_step(circle, (struct sotto_round_event){.kind = SOTTO_ROUND_DEADLINE});
        finish_round(circle);
    }
}

void circle_bring(struct circle *circle, enum sotto_turn_phase phase)
{
    circle->sites[0].stop_at = phase;
    circle_begin(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle_ready(circle, place);
    if (phase != SOTTO_PHASE_IDLE)
        circle_play(circle);
    circle->sites[0].stop_at = SOTTO_PHASE_COUNT;
    assert_int_equal(circle->sites[0].turn->phase, phase);
}

void circle_restart(struct circle *circle, uint32_t place)
{
    struct circle_site *site = &circle->sites[place];

    sotto_turn_close(site->turn);
    sotto_arena_close(&site->arena);
    sotto_arena_close(&site->rest);
    turn_make(circle, place);
    site->seen = SOTTO_MAIL_NONE;
    for (size_t index = 0; index < site->record_count; index++)
        assert_int_equal(sotto_turn_replay(site->turn, sotto_view_of(site->records[index].bytes,
                                                                     site->records[index].length)),
                         SOTTO_OK);
}
