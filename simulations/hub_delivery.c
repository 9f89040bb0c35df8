#include "simulations/hub_delivery.h"

#include <stdlib.h>

#include "crypto/primitives/hash.h"

static enum sotto_status hub_step(struct sotto_world *world, const struct sotto_round_event *event,
                                  struct sotto_view packed);

/* Puts the site's next mail on its way, if there is one. */
enum sotto_status sotto_hub_offer(struct sotto_world *world, struct sotto_virtual_site *site)
{
    uint8_t body_bytes[SOTTO_MAIL_BYTES_MAX], mail_bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(body_bytes, sizeof body_bytes);
    struct sotto_buffer encoded = sotto_buffer_of(mail_bytes, sizeof mail_bytes);
    struct sotto_mail mail;
    enum sotto_mail_kind seen =
        site->offered_round == world->hub.round_number ? site->offered : SOTTO_MAIL_NONE;
    enum sotto_status status;

    if (site->turn == NULL)
        return SOTTO_OK;
    status = sotto_round_mail(world->hub.round, site->setup.id, seen, &mail, &body);
    if (status == SOTTO_NOT_FOUND)
        return SOTTO_OK;
    if (status == SOTTO_OK)
        status = sotto_mail_encode(&encoded, &mail);
    if (status != SOTTO_OK)
        return status;
    site->offered_round = mail.round;
    site->offered = mail.kind;
    site->bytes_down += encoded.length;
    return sotto_world_send(world, SOTTO_POST_MAIL, site, mail.kind, sotto_view_buffer(&encoded));
}

static enum sotto_status phase_changed(struct sotto_world *world)
{
    enum sotto_round_phase phase = sotto_round_phase(world->hub.round);
    enum sotto_status status = SOTTO_OK;

    for (uint32_t i = 0; i < world->scenario->sites && status == SOTTO_OK; i++) {
        struct sotto_virtual_site *site = &world->sites[i];

        if (site->turn != NULL && site->fate == phase && phase != SOTTO_ROUND_FINISHED)
            sotto_virtual_site_kill(site);
        status = sotto_hub_offer(world, site);
    }
    return status;
}

/* The plain sum over the survivors, lane by lane against the unmasked one, in the ring. */
static enum sotto_status oracle_check(struct sotto_world *world)
{
    const uint32_t beyond = 32 - sotto_round_plan(world->hub.round)->ring_bits;
    uint32_t differing = 0;

    for (size_t lane = 0; lane < world->hub.plan.lane_count; lane++) {
        uint32_t plain = 0;

        for (uint32_t i = 0; i < world->scenario->sites; i++)
            if (sotto_secaggplus.collector_survived(sotto_round_collector(world->hub.round), i + 1))
                plain += world->sites[i].plain[lane];
        differing += (plain ^ world->hub.sum[lane]) << beyond != 0;
    }
    world->oracle_mismatches += differing;
    return differing ? SOTTO_MISMATCH : SOTTO_OK;
}

static enum sotto_status job_add(struct sotto_world *world, struct sotto_view packed)
{
    uint64_t start_ns = sotto_spans_now_ns();
    enum sotto_status status = sotto_virtual_hub_add(&world->hub, packed);

    sotto_spans_add(&world->spans, SOTTO_SPAN_ADDING, start_ns);
    return status;
}

static enum sotto_status job_unmask(struct sotto_world *world)
{
    struct sotto_round_event ready = {.kind = SOTTO_ROUND_SUM_READY, .at_ms = world->now_ms};
    uint64_t start_ns = sotto_spans_now_ns();
    enum sotto_status status = sotto_virtual_hub_unmask(&world->hub);

    sotto_spans_add(&world->spans, SOTTO_SPAN_UNMASKING, start_ns);
    if (status == SOTTO_OK)
        status = oracle_check(world);
    return status == SOTTO_OK ? hub_step(world, &ready, (struct sotto_view){0}) : status;
}

static enum sotto_status job_apply(struct sotto_world *world)
{
    struct sotto_round_event applied = {.kind = SOTTO_ROUND_APPLIED, .at_ms = world->now_ms};
    uint64_t start_ns = sotto_spans_now_ns();
    enum sotto_status status = sotto_virtual_hub_apply(&world->hub);

    sotto_spans_add(&world->spans, SOTTO_SPAN_APPLYING, start_ns);
    if (status == SOTTO_MALFORMED) {
        applied.kind = SOTTO_ROUND_BROKEN;
        applied.bytes = sotto_view_text("the sum is no sum of honest uploads");
    } else if (status != SOTTO_OK) {
        return status;
    }
    applied.digest = world->hub.adapter_digest;
    return hub_step(world, &applied, (struct sotto_view){0});
}

enum sotto_status sotto_hub_carry(struct sotto_world *world,
                                  const struct sotto_round_effects *effects,
                                  struct sotto_view packed)
{
    enum sotto_status status = SOTTO_OK;
    struct sotto_post deadline = {.at_ms = effects->deadline_ms,
                                  .kind = SOTTO_POST_DEADLINE,
                                  .round = world->hub.round_number};

    if (effects->mail)
        status = phase_changed(world);
    if (effects->deadline_ms)
        world->hub.deadline_ms = effects->deadline_ms;
    if (effects->deadline_ms && status == SOTTO_OK)
        status = sotto_timeline_add(&world->timeline, &deadline, (struct sotto_view){0});
    if (status != SOTTO_OK)
        return status;
    switch (effects->job) {
    case SOTTO_ROUND_JOB_NONE: return SOTTO_OK;
    case SOTTO_ROUND_JOB_ADD: return job_add(world, packed);
    case SOTTO_ROUND_JOB_UNMASK: return job_unmask(world);
    case SOTTO_ROUND_JOB_APPLY: return job_apply(world);
    }
    return SOTTO_OK;
}

static enum sotto_status hub_step(struct sotto_world *world, const struct sotto_round_event *event,
                                  struct sotto_view packed)
{
    struct sotto_round_effects effects;
    uint64_t start_ns = sotto_spans_now_ns();

    sotto_round_step(world->hub.round, event, &effects);
    sotto_spans_add(&world->spans, SOTTO_SPAN_HUB, start_ns);
    return sotto_hub_carry(world, &effects, packed);
}

static enum sotto_round_event_kind answer_kind(enum sotto_mail_kind answered)
{
    switch (answered) {
    case SOTTO_MAIL_PLAN: return SOTTO_ROUND_ADVERT;
    case SOTTO_MAIL_COHORT: return SOTTO_ROUND_SHARES;
    case SOTTO_MAIL_INBOX: return SOTTO_ROUND_RECEIPT;
    case SOTTO_MAIL_SURVIVORS: return SOTTO_ROUND_INCLUSION;
    case SOTTO_MAIL_INCLUSIONS: return SOTTO_ROUND_REVEAL;
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_OUTCOME: break;
    }
    return SOTTO_ROUND_LEAVE;
}

static enum sotto_status hub_take(struct sotto_world *world, const struct sotto_post *post,
                                  enum sotto_round_event_kind kind)
{
    struct sotto_view bytes = sotto_view_of(post->bytes, post->length);
    struct sotto_round_event event = {
        .kind = kind, .at_ms = world->now_ms, .site = post->site, .reason = post->number};

    if (kind == SOTTO_ROUND_UPLOAD)
        sotto_hash(&event.digest, &bytes, 1);
    else
        event.bytes = bytes;
    return hub_step(world, &event, bytes);
}

static enum sotto_status take_deadline(struct sotto_world *world)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_DEADLINE, .at_ms = world->now_ms};

    return hub_step(world, &event, (struct sotto_view){0});
}

enum sotto_status sotto_hub_deliver(struct sotto_world *world, const struct sotto_post *post)
{
    switch (post->kind) {
    case SOTTO_POST_DEADLINE: return take_deadline(world);
    case SOTTO_POST_ANSWER:
        return hub_take(world, post, answer_kind((enum sotto_mail_kind)post->number));
    case SOTTO_POST_UPLOAD: return hub_take(world, post, SOTTO_ROUND_UPLOAD);
    case SOTTO_POST_LEAVE: return hub_take(world, post, SOTTO_ROUND_LEAVE);
    case SOTTO_POST_MAIL:
    case SOTTO_POST_FETCHED:
    case SOTTO_POST_TRAINED: break;
    }
    return SOTTO_OK;
}
