#include "simulations/site_delivery.h"

#include <stdlib.h>

#include "crypto/primitives/hash.h"
#include "participant/sealer/veil.h"
#include "simulations/hub_delivery.h"

static enum sotto_status site_step(struct sotto_world *world, struct sotto_virtual_site *site,
                                   const struct sotto_turn_event *event);

enum sotto_status sotto_site_greet(struct sotto_world *world, struct sotto_virtual_site *site)
{
    struct sotto_turn_event ready = {.kind = SOTTO_TURN_TRAINER_READY,
                                     .base_model = site->setup.base_model,
                                     .weight = (uint32_t)site->dataset.count};

    return site_step(world, site, &ready);
}

static enum sotto_status order_load(struct sotto_world *world, struct sotto_virtual_site *site)
{
    struct sotto_view layout = sotto_turn_layout_bytes(site->turn);
    struct sotto_view adapter[] = {
        layout, sotto_manifest_of(sotto_turn_adapter_bytes(site->turn), &world->layout)};
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
    struct sotto_turn_event adopted = {.kind = SOTTO_TURN_ADOPTED, .is_kept = true};

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
    enum sotto_status status = sotto_virtual_site_contribute(site, &masked.digest, &world->spans);

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
        return sotto_world_send(world, SOTTO_POST_LEAVE, site, effects->refusal, effects->send);
    }
    if (effects->is_upload) {
        site->bytes_up += packed.length;
        return sotto_world_send(world, SOTTO_POST_UPLOAD, site, 0, packed);
    }
    if (effects->answers == SOTTO_MAIL_NONE)
        return SOTTO_OK;
    site->bytes_up += effects->send.length;
    return sotto_world_send(world, SOTTO_POST_ANSWER, site, effects->answers, effects->send);
}

static enum sotto_status effects_fetch(struct sotto_world *world, struct sotto_virtual_site *site,
                                       const struct sotto_turn_effects *effects)
{
    enum sotto_status status = SOTTO_OK;

    for (unsigned i = 0; i < effects->fetch_count && status == SOTTO_OK; i++)
        status = sotto_world_send(world, SOTTO_POST_FETCHED, site, effects->fetch[i].item,
                                  sotto_view_digest(&effects->fetch[i].digest));
    return status;
}

static void turn_step(struct sotto_world *world, struct sotto_virtual_site *site,
                      const struct sotto_turn_event *event, struct sotto_turn_effects *effects)
{
    bool is_after_upload = site->offered >= SOTTO_MAIL_SURVIVORS;
    uint64_t start_ns = sotto_spans_now_ns();

    sotto_turn_step(site->turn, event, effects);
    sotto_spans_add(&world->spans, is_after_upload ? SOTTO_SPAN_CLOSING : SOTTO_SPAN_JOINING,
                    start_ns);
}

static enum sotto_status expand(struct sotto_world *world, struct sotto_virtual_site *site)
{
    uint64_t start_ns = sotto_spans_now_ns();
    enum sotto_status status = sotto_veil_expand(site->turn);

    sotto_spans_add(&world->spans, SOTTO_SPAN_EXPANDING, start_ns);
    return status;
}

static enum sotto_status site_step(struct sotto_world *world, struct sotto_virtual_site *site,
                                   const struct sotto_turn_event *event)
{
    struct sotto_turn_effects effects;
    enum sotto_status status = SOTTO_OK;

    turn_step(world, site, event, &effects);
    if (effects.store.length)
        status = sotto_virtual_site_store(site, effects.store);
    if (status == SOTTO_OK)
        status = effects_send(world, site, &effects);
    if (status == SOTTO_OK)
        status = effects_fetch(world, site, &effects);
    if (status == SOTTO_OK)
        status = order_carry(world, site, effects.order);
    if (status == SOTTO_OK && effects.run_expand)
        status = expand(world, site);
    if (status == SOTTO_OK && effects.run_contribute)
        status = contribute(world, site);
    return status;
}

/*
 * What was asked for by digest; looked up on arrival, so that 500 copies of an adapter need not
 * wait in the queue.
 */
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
    return site->turn != NULL && site->is_training && !site->has_update &&
           sotto_turn_plan(site->turn) != NULL && is_in_cohort(world, site);
}

static void task_of(struct sotto_training_task *task, const struct sotto_world *world,
                    struct sotto_virtual_site *site)
{
    const struct sotto_recipe *recipe = &sotto_turn_plan(site->turn)->recipe;
    enum sotto_trained trained = (enum sotto_trained)sotto_turn_plan(site->turn)->trained;

    *task = (struct sotto_training_task){
        .start = (const float *)(const void *)sotto_turn_adapter_bytes(site->turn).at,
        .dataset = &site->dataset,
        .fit = {.epochs = recipe->epochs,
                .batch = recipe->batch,
                .learning_rate_start = recipe->learning_rate_start,
                .learning_rate_end = recipe->learning_rate_end,
                .weight_decay = recipe->weight_decay,
                .proximal = recipe->proximal,
                .dropout = recipe->dropout,
                .trained = trained,
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
    uint64_t start_ns = sotto_spans_now_ns();
    enum sotto_status status;

    if (tasks == NULL)
        return SOTTO_NO_MEMORY;
    for (uint32_t i = 0; i < world->scenario->sites; i++)
        if (awaits_training(world, &world->sites[i]))
            task_of(&tasks[count++], world, &world->sites[i]);
    status = sotto_training_run(&world->crew, tasks, count, &world->fault);
    sotto_spans_add(&world->spans, SOTTO_SPAN_TRAINING, start_ns);
    for (size_t i = 0; i < count && status == SOTTO_OK; i++) {
        for (size_t value = 0; value < world->hub.value_count; value++)
            tasks[i].trained[value] -= tasks[i].start[value];
        sotto_subset_gather(tasks[i].trained, tasks[i].trained, &world->layout,
                            tasks[i].fit.trained);
    }
    free(tasks);
    return status;
}

static enum sotto_status take_trained(struct sotto_world *world, struct sotto_virtual_site *site,
                                      const struct sotto_post *post)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_UPDATE,
                                     .values = site->update,
                                     .value_count = world->hub.plan.lane_count - 1,
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

    return status == SOTTO_OK ? sotto_hub_offer(world, site) : status;
}

enum sotto_status sotto_site_deliver(struct sotto_world *world, const struct sotto_post *post)
{
    struct sotto_virtual_site *site = &world->sites[post->site - 1];

    if (site->turn == NULL)
        return SOTTO_OK;
    switch (post->kind) {
    case SOTTO_POST_MAIL: return take_mail(world, site, post);
    case SOTTO_POST_FETCHED: return take_item(world, site, post);
    case SOTTO_POST_TRAINED: return take_trained(world, site, post);
    case SOTTO_POST_ANSWER:
    case SOTTO_POST_UPLOAD:
    case SOTTO_POST_LEAVE:
    case SOTTO_POST_DEADLINE: break;
    }
    return SOTTO_OK;
}
