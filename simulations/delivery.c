#include "simulations/delivery.h"

#include <stdlib.h>

#include "crypto/primitives/hash.h"

static enum sotto_status hub_step(struct sotto_world *world, const struct sotto_round_event *event,
                                  struct sotto_view packed);
static enum sotto_status site_step(struct sotto_world *world, struct sotto_virtual_site *site,
                                   const struct sotto_turn_event *event);

static uint64_t latency_ms(struct sotto_world *world)
{
    return 1 + sotto_entropy_below(&world->entropy, world->scenario->latency_ms);
}

static enum sotto_status send_to(struct sotto_world *world, enum sotto_post_kind kind,
                                 const struct sotto_virtual_site *site, uint32_t number,
                                 struct sotto_view bytes)
{
    struct sotto_post post = {.at_ms = world->now_ms + latency_ms(world),
                              .kind = kind,
                              .site = site->setup.id,
                              .round = world->hub.round_number,
                              .number = number};

    return sotto_timeline_add(&world->timeline, &post, bytes);
}

/* --- hub -------------------------------------------------------------------------------------------------------- */

/* Puts the site's next mail on its way, if there is one. */
static enum sotto_status mail_offer(struct sotto_world *world, struct sotto_virtual_site *site)
{
    uint8_t body_bytes[SOTTO_MAIL_BYTES_MAX], mail_bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(body_bytes, sizeof body_bytes);
    struct sotto_buffer encoded = sotto_buffer_of(mail_bytes, sizeof mail_bytes);
    struct sotto_mail mail;
    enum sotto_mail_kind seen =
        site->offered_round == world->hub.round_number ? site->offered : SOTTO_MAIL_NONE;
    enum sotto_status status;

    if (!site->turn)
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
    return send_to(world, SOTTO_POST_MAIL, site, mail.kind, sotto_view_buffer(&encoded));
}

static enum sotto_status phase_changed(struct sotto_world *world)
{
    enum sotto_round_phase phase = sotto_round_phase(world->hub.round);
    enum sotto_status status = SOTTO_OK;

    for (uint32_t i = 0; i < world->scenario->sites && status == SOTTO_OK; i++) {
        struct sotto_virtual_site *site = &world->sites[i];

        if (site->turn && site->fate == phase && phase != SOTTO_ROUND_FINISHED)
            sotto_virtual_site_kill(site);
        status = mail_offer(world, site);
    }
    return status;
}

/* The plain sum over the survivors, lane by lane against the unmasked one. */
static enum sotto_status oracle_check(struct sotto_world *world)
{
    uint32_t differing = 0;

    for (size_t lane = 0; lane <= world->hub.value_count; lane++) {
        uint32_t plain = 0;

        for (uint32_t i = 0; i < world->scenario->sites; i++)
            if (sotto_secaggplus.collector_survived(sotto_round_collector(world->hub.round), i + 1))
                plain += world->sites[i].plain[lane];
        differing += plain != world->hub.sum[lane];
    }
    world->oracle_mismatches += differing;
    return differing ? SOTTO_MISMATCH : SOTTO_OK;
}

static enum sotto_status job_unmask(struct sotto_world *world)
{
    struct sotto_round_event ready = {.kind = SOTTO_ROUND_SUM_READY, .at_ms = world->now_ms};
    enum sotto_status status = sotto_virtual_hub_unmask(&world->hub);

    if (status == SOTTO_OK)
        status = oracle_check(world);
    return status == SOTTO_OK ? hub_step(world, &ready, (struct sotto_view){0}) : status;
}

static enum sotto_status job_apply(struct sotto_world *world)
{
    struct sotto_round_event applied = {.kind = SOTTO_ROUND_APPLIED, .at_ms = world->now_ms};
    enum sotto_status status = sotto_virtual_hub_apply(&world->hub);

    if (status == SOTTO_MALFORMED) {
        applied.kind = SOTTO_ROUND_BROKEN;
        applied.bytes = sotto_view_text("the sum is no sum of honest uploads");
    } else if (status != SOTTO_OK) {
        return status;
    }
    applied.digest = world->hub.adapter_digest;
    return hub_step(world, &applied, (struct sotto_view){0});
}

enum sotto_status sotto_delivery_hub_effects(struct sotto_world *world,
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
    case SOTTO_ROUND_JOB_ADD: return sotto_virtual_hub_add(&world->hub, packed);
    case SOTTO_ROUND_JOB_UNMASK: return job_unmask(world);
    case SOTTO_ROUND_JOB_APPLY: return job_apply(world);
    }
    return SOTTO_OK;
}

static enum sotto_status hub_step(struct sotto_world *world, const struct sotto_round_event *event,
                                  struct sotto_view packed)
{
    struct sotto_round_effects effects;

    sotto_round_step(world->hub.round, event, &effects);
    return sotto_delivery_hub_effects(world, &effects, packed);
}

static enum sotto_round_event_kind answer_kind(enum sotto_mail_kind answered)
{
    switch (answered) {
    case SOTTO_MAIL_PLAN: return SOTTO_ROUND_ADVERT;
    case SOTTO_MAIL_COHORT: return SOTTO_ROUND_SHARES;
    case SOTTO_MAIL_SURVIVORS: return SOTTO_ROUND_INCLUSION;
    case SOTTO_MAIL_INCLUSIONS: return SOTTO_ROUND_REVEAL;
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_INBOX:
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

/* --- site ------------------------------------------------------------------------------------------------------- */

enum sotto_status sotto_delivery_greet(struct sotto_world *world, struct sotto_virtual_site *site)
{
    struct sotto_turn_event ready = {.kind = SOTTO_TURN_TRAINER_READY,
                                     .base_model = site->setup.base_model,
                                     .weight = (uint32_t)site->dataset.count};

    return site_step(world, site, &ready);
}

static enum sotto_status order_load(struct sotto_world *world, struct sotto_virtual_site *site)
{
    struct sotto_view layout = sotto_turn_layout_bytes(site->turn);
    struct sotto_view adapter[] = {layout, sotto_turn_adapter_bytes(site->turn)};
    struct sotto_turn_event loaded = {.kind = SOTTO_TURN_LOADED};

    sotto_hash_list(&loaded.layout, "sotto/1 layout", &layout, 1);
    sotto_hash_list(&loaded.adapter, "sotto/1 adapter", adapter, 2);
    return site_step(world, site, &loaded);
}

static enum sotto_status order_train(struct sotto_world *world, struct sotto_virtual_site *site)
{
    const struct sotto_recipe *recipe = &sotto_turn_plan(site->turn)->recipe;
    uint64_t batches = (site->dataset.count + recipe->batch - 1) / recipe->batch;
    struct sotto_post trained = {.at_ms = world->now_ms +
                                          batches * recipe->epochs * world->scenario->step_ms,
                                 .kind = SOTTO_POST_TRAINED,
                                 .site = site->setup.id,
                                 .round = world->hub.round_number};

    site->is_training = true;
    site->has_update = false;
    return sotto_timeline_add(&world->timeline, &trained, (struct sotto_view){0});
}

static enum sotto_status order_carry(struct sotto_world *world, struct sotto_virtual_site *site,
                                     enum sotto_turn_order order)
{
    struct sotto_turn_event adopted = {.kind = SOTTO_TURN_ADOPTED};

    switch (order) {
    case SOTTO_ORDER_NONE: return SOTTO_OK;
    case SOTTO_ORDER_LOAD: return order_load(world, site);
    case SOTTO_ORDER_TRAIN: return order_train(world, site);
    case SOTTO_ORDER_ADOPT: return site_step(world, site, &adopted);
    }
    return SOTTO_OK;
}

static enum sotto_status contribute(struct sotto_world *world, struct sotto_virtual_site *site)
{
    struct sotto_turn_event masked = {.kind = SOTTO_TURN_MASKED};
    enum sotto_status status = sotto_virtual_site_contribute(site, &masked.digest);

    if (status != SOTTO_OK && status != SOTTO_MALFORMED)
        return status;
    return site_step(world, site, &masked);
}

static enum sotto_status effects_send(struct sotto_world *world, struct sotto_virtual_site *site,
                                      const struct sotto_turn_effects *effects)
{
    struct sotto_view packed = sotto_view_of(site->packed, site->packed_length);

    if (effects->is_refusal_notice) {
        world->refusal_count++;
        return send_to(world, SOTTO_POST_LEAVE, site, effects->refusal, effects->send);
    }
    if (effects->is_upload) {
        site->bytes_up += packed.length;
        return send_to(world, SOTTO_POST_UPLOAD, site, 0, packed);
    }
    if (effects->answers == SOTTO_MAIL_NONE)
        return SOTTO_OK;
    site->bytes_up += effects->send.length;
    return send_to(world, SOTTO_POST_ANSWER, site, effects->answers, effects->send);
}

static enum sotto_status effects_fetch(struct sotto_world *world, struct sotto_virtual_site *site,
                                       const struct sotto_turn_effects *effects)
{
    enum sotto_status status = SOTTO_OK;

    for (unsigned i = 0; i < effects->fetch_count && status == SOTTO_OK; i++)
        status = send_to(world, SOTTO_POST_FETCHED, site, effects->fetch[i].item,
                         sotto_view_digest(&effects->fetch[i].digest));
    return status;
}

static enum sotto_status site_step(struct sotto_world *world, struct sotto_virtual_site *site,
                                   const struct sotto_turn_event *event)
{
    struct sotto_turn_effects effects;
    enum sotto_status status = SOTTO_OK;

    sotto_turn_step(site->turn, event, &effects);
    if (effects.store.length)
        status = sotto_virtual_site_store(site, effects.store);
    if (status == SOTTO_OK)
        status = effects_send(world, site, &effects);
    if (status == SOTTO_OK)
        status = effects_fetch(world, site, &effects);
    if (status == SOTTO_OK)
        status = order_carry(world, site, effects.order);
    if (status == SOTTO_OK && effects.run_contribute)
        status = contribute(world, site);
    return status;
}

/* What was asked for by digest; looked up on arrival, so that 500 copies of an adapter need not wait in the queue. */
static enum sotto_status take_item(struct sotto_world *world, struct sotto_virtual_site *site,
                                   const struct sotto_post *post)
{
    struct sotto_cursor cursor = sotto_cursor_of(sotto_view_of(post->bytes, post->length));
    struct sotto_turn_event event = {.kind = SOTTO_TURN_FETCHED,
                                     .item = (enum sotto_item_kind)post->number};
    struct sotto_digest digest;

    sotto_cursor_copy(&cursor, digest.bytes, sizeof digest.bytes);
    event.bytes = sotto_virtual_hub_item(&world->hub, event.item, &digest);
    if (event.bytes.length == 0)
        event.kind = SOTTO_TURN_NOT_FETCHED;
    site->bytes_down += event.bytes.length;
    return site_step(world, site, &event);
}

static bool is_in_cohort(const struct sotto_world *world, const struct sotto_virtual_site *site)
{
    return sotto_secaggplus.collector_expects(sotto_round_collector(world->hub.round),
                                              site->setup.id);
}

static bool awaits_training(const struct sotto_world *world, const struct sotto_virtual_site *site)
{
    return site->turn && site->is_training && !site->has_update && sotto_turn_plan(site->turn) &&
           is_in_cohort(world, site);
}

static void task_of(struct sotto_training_task *task, const struct sotto_world *world,
                    struct sotto_virtual_site *site)
{
    const struct sotto_recipe *recipe = &sotto_turn_plan(site->turn)->recipe;

    *task = (struct sotto_training_task){
        .start = (const float *)(const void *)sotto_turn_adapter_bytes(site->turn).at,
        .dataset = &site->dataset,
        .fit = {.epochs = recipe->epochs,
                .batch = recipe->batch,
                .learning_rate_start = recipe->learning_rate_start,
                .learning_rate_end = recipe->learning_rate_end,
                .weight_decay = recipe->weight_decay,
                .seed = world->scenario->seed * 1000003 + world->hub.round_number * 1009 +
                        site->setup.id},
        .trained = site->update};
    site->has_update = true;
}

/* Trains, in parallel, every site of the cohort that was told to and has not yet. */
static enum sotto_status train_waiting(struct sotto_world *world)
{
    struct sotto_training_task *tasks = calloc(world->scenario->sites, sizeof *tasks);
    size_t count = 0;
    enum sotto_status status;

    if (!tasks)
        return SOTTO_NO_MEMORY;
    for (uint32_t i = 0; i < world->scenario->sites; i++)
        if (awaits_training(world, &world->sites[i]))
            task_of(&tasks[count++], world, &world->sites[i]);
    status = sotto_training_run(&world->crew, tasks, count, &world->fault);
    for (size_t i = 0; i < count && status == SOTTO_OK; i++)
        for (size_t value = 0; value < world->hub.value_count; value++)
            tasks[i].trained[value] -= tasks[i].start[value];
    free(tasks);
    return status;
}

static enum sotto_status take_trained(struct sotto_world *world, struct sotto_virtual_site *site,
                                      const struct sotto_post *post)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_UPDATE,
                                     .values = site->update,
                                     .value_count = world->hub.value_count,
                                     .weight = (uint32_t)site->dataset.count};
    struct sotto_post later = *post;
    enum sotto_status status = SOTTO_OK;

    if (!site->is_training)
        return SOTTO_OK;
    if (sotto_round_phase(world->hub.round) == SOTTO_ROUND_GATHERING) {
        later.at_ms = world->hub.deadline_ms + 1;
        return sotto_timeline_add(&world->timeline, &later, (struct sotto_view){0});
    }
    if (!site->has_update && awaits_training(world, site))
        status = train_waiting(world);
    site->is_training = false;
    return status == SOTTO_OK && site->has_update ? site_step(world, site, &event) : status;
}

static enum sotto_status take_mail(struct sotto_world *world, struct sotto_virtual_site *site,
                                   const struct sotto_post *post)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL,
                                     .bytes = sotto_view_of(post->bytes, post->length)};
    enum sotto_status status = site_step(world, site, &event);

    return status == SOTTO_OK ? mail_offer(world, site) : status;
}

/* --- posts ------------------------------------------------------------------------------------------------------ */

static enum sotto_status take_deadline(struct sotto_world *world)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_DEADLINE, .at_ms = world->now_ms};

    return hub_step(world, &event, (struct sotto_view){0});
}

enum sotto_status sotto_delivery_post(struct sotto_world *world, const struct sotto_post *post)
{
    struct sotto_virtual_site *site = post->site ? &world->sites[post->site - 1] : NULL;
    bool is_dead = site && !site->turn;

    if (post->round != world->hub.round_number)
        return SOTTO_OK;
    switch (post->kind) {
    case SOTTO_POST_DEADLINE: return take_deadline(world);
    case SOTTO_POST_ANSWER:
        return hub_take(world, post, answer_kind((enum sotto_mail_kind)post->number));
    case SOTTO_POST_UPLOAD: return hub_take(world, post, SOTTO_ROUND_UPLOAD);
    case SOTTO_POST_LEAVE: return hub_take(world, post, SOTTO_ROUND_LEAVE);
    case SOTTO_POST_MAIL: return is_dead ? SOTTO_OK : take_mail(world, site, post);
    case SOTTO_POST_FETCHED: return is_dead ? SOTTO_OK : take_item(world, site, post);
    case SOTTO_POST_TRAINED: return is_dead ? SOTTO_OK : take_trained(world, site, post);
    }
    return SOTTO_OK;
}
