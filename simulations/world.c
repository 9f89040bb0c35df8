#include "simulations/world.h"

#include <stdlib.h>

#include "crypto/primitives/hash.h"
#include "simulations/hub_delivery.h"
#include "simulations/pool.h"
#include "simulations/site_delivery.h"

/* Layers are named as the base model's family names them. */
static enum sotto_status names_check(const struct sotto_world *world, struct sotto_fault *fault)
{
    const struct sotto_scenario *scenario = world->scenario;
    enum sotto_family family = sotto_model_arch(world->model)->family;
    enum sotto_status status = sotto_target_names_check(scenario->targets, family, fault);

    if (status == SOTTO_OK && scenario->rank_pattern != NULL)
        status = sotto_target_names_check(scenario->rank_pattern, family, fault);
    return status;
}

static enum sotto_status layout_open(struct sotto_world *world, struct sotto_fault *fault)
{
    struct sotto_adapter_choice *choice = malloc(sizeof *choice);
    enum sotto_status status =
        choice != NULL ? sotto_scenario_choice(choice, world->scenario, fault) : SOTTO_NO_MEMORY;

    if (status == SOTTO_OK)
        status = names_check(world, fault);
    if (status == SOTTO_OK)
        status = sotto_layout_derive(&world->layout, sotto_model_arch(world->model), choice, fault);
    free(choice);
    world->crew = (struct sotto_training_crew){.model = world->model,
                                               .layout = &world->layout,
                                               .threads = world->scenario->threads,
                                               .batch_max = world->scenario->batch};
    return status;
}

/* A site's policy that asks for just what the scenario's campaign offers. */
static void policy_open(struct sotto_world *world)
{
    const struct sotto_scenario *scenario = world->scenario;

    sotto_policy_init(&world->policy);
    world->policy.cohort_min = scenario->cohort_min;
    world->policy.survivors_min = scenario->survivors_min;
    world->policy.corrupt_fraction_min = scenario->corrupt_fraction;
    world->policy.clip_norm_max = scenario->clip_norm;
    world->policy.epsilon_max = scenario->epsilon_max;
    world->policy.epochs_max = scenario->epochs;
    world->policy.rank_max = scenario->rank > 0 ? scenario->rank : 1; /* norms and biases count 1 */
}

static enum sotto_status site_open(struct sotto_world *world, uint32_t index,
                                   const struct sotto_virtual_site_setup *setup)
{
    struct sotto_roster_entry *entry = &world->entries[index];
    enum sotto_status status = sotto_virtual_site_open(&world->sites[index], setup);

    if (status != SOTTO_OK)
        return status;
    entry->id = setup->id;
    entry->organisation = index; /* each is its own */
    sotto_ed25519_public_of(&entry->identity, &world->sites[index].identity);
    /* There are no certificates here; the leaf only needs distinct digests. */
    sotto_hash(&entry->certificate, &(struct sotto_view){entry->identity.bytes, 32}, 1);
    return SOTTO_OK;
}

static enum sotto_status sites_open(struct sotto_world *world, const struct sotto_dataset *pool,
                                    const struct sotto_partition *partition,
                                    const struct sotto_virtual_site_setup *likeness)
{
    enum sotto_status status = SOTTO_OK;

    for (uint32_t i = 0; i < world->scenario->sites && status == SOTTO_OK; i++) {
        struct sotto_virtual_site_setup setup = *likeness;

        setup.id = i + 1;
        setup.seed = sotto_entropy_u64(&world->entropy);
        status = site_open(world, i, &setup);
        if (status == SOTTO_OK)
            status = sotto_dataset_open_subset(&world->sites[i].dataset, pool,
                                               partition->indices + partition->first[i],
                                               partition->first[i + 1] - partition->first[i]);
    }
    return status;
}

static enum sotto_status fleet_open(struct sotto_world *world,
                                    const struct sotto_virtual_site_setup *likeness,
                                    struct sotto_fault *fault)
{
    struct sotto_partition partition;
    struct sotto_dataset pool;
    enum sotto_status status = sotto_pool_open(&pool, &partition, world->scenario, fault);

    if (status != SOTTO_OK)
        return status;
    status = sites_open(world, &pool, &partition, likeness);
    sotto_partition_close(&partition);
    sotto_dataset_close(&pool);
    return status;
}

enum sotto_status sotto_world_open(struct sotto_world *world, const struct sotto_scenario *scenario,
                                   const struct sotto_model *model, struct sotto_fault *fault)
{
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    struct sotto_virtual_site_setup likeness = {.policy = &world->policy};
    struct sotto_virtual_hub_setup hub = {
        .scenario = scenario, .layout = &world->layout, .model = model};
    struct sotto_secret signing;
    enum sotto_status status;

    *world = (struct sotto_world){.scenario = scenario, .model = model, .now_ms = 1000};
    sotto_entropy_init_seeded(&world->entropy, scenario->seed);
    sotto_hash_list(&hub.base_model, "sotto/1 model", parts, sotto_model_parts(model, parts));
    policy_open(world);
    status = layout_open(world, fault);
    world->entries = calloc(scenario->sites, sizeof *world->entries);
    world->sites = calloc(scenario->sites, sizeof *world->sites);
    if (status == SOTTO_OK && (world->entries == NULL || world->sites == NULL))
        status = SOTTO_NO_MEMORY;
    likeness.base_model = hub.base_model;
    likeness.lane_count = (uint32_t)world->layout.lane_count + 1;
    sotto_virtual_hub_key(&signing, &likeness.coordinator, scenario->seed);
    sotto_wipe(&signing, sizeof signing);
    if (status == SOTTO_OK)
        status = fleet_open(world, &likeness, fault);
    hub.entries = world->entries;
    if (status == SOTTO_OK)
        status = sotto_virtual_hub_open(&world->hub, &hub, fault);
    for (uint32_t i = 0; i < scenario->sites && status == SOTTO_OK; i++)
        status = sotto_site_greet(world, &world->sites[i]);
    if (status != SOTTO_OK)
        sotto_world_close(world);
    return status;
}

void sotto_world_close(struct sotto_world *world)
{
    for (uint32_t i = 0; world->sites != NULL && i < world->scenario->sites; i++)
        sotto_virtual_site_close(&world->sites[i]);
    sotto_virtual_hub_close(&world->hub);
    sotto_timeline_close(&world->timeline);
    free(world->sites);
    free(world->entries);
    world->sites = NULL;
    world->entries = NULL;
}

/* What the scenario and chance have in store for a site in this round. */
static void fate_draw(struct sotto_world *world, struct sotto_virtual_site *site, uint32_t round)
{
    const struct sotto_scenario *scenario = world->scenario;

    site->fate = SOTTO_ROUND_FINISHED;
    if (sotto_entropy_unit(&world->entropy) < scenario->dropout_rate) {
        site->fate =
            (enum sotto_round_phase)sotto_entropy_below(&world->entropy, SOTTO_ROUND_REVEALING + 1);
        site->back_round = round + 1;
    }
    for (unsigned i = 0; i < scenario->dropouts_count; i++) {
        const struct sotto_scenario_dropout *dropout = &scenario->dropouts[i];

        if (dropout->round == round && dropout->site == site->setup.id) {
            site->fate = dropout->phase;
            site->back_round = dropout->back ? dropout->back : round + 1;
        }
    }
}

static enum sotto_status sites_begin(struct sotto_world *world, uint32_t round)
{
    enum sotto_status status = SOTTO_OK;

    for (uint32_t i = 0; i < world->scenario->sites && status == SOTTO_OK; i++) {
        struct sotto_virtual_site *site = &world->sites[i];

        site->bytes_up = 0;
        site->bytes_down = 0;
        site->is_training = false;
        site->has_update = false;
        if (site->turn == NULL && site->back_round <= round) {
            status = sotto_virtual_site_start(site);
            if (status == SOTTO_OK)
                status = sotto_site_greet(world, site);
        }
        fate_draw(world, site, round);
    }
    return status;
}

enum sotto_status sotto_world_send(struct sotto_world *world, enum sotto_post_kind kind,
                                   struct sotto_virtual_site *site, uint32_t number,
                                   struct sotto_view bytes)
{
    uint64_t latency_ms = 1 + sotto_entropy_below(&world->entropy, world->scenario->latency_ms);
    struct sotto_post post = {.at_ms = world->now_ms + latency_ms,
                              .kind = kind,
                              .site = site->setup.id,
                              .round = world->hub.round_number,
                              .number = number};

    if (kind == SOTTO_POST_ANSWER || kind == SOTTO_POST_UPLOAD || kind == SOTTO_POST_LEAVE) {
        if (post.at_ms < site->said_until_ms)
            post.at_ms = site->said_until_ms;
        site->said_until_ms = post.at_ms;
    }
    return sotto_timeline_add(&world->timeline, &post, bytes);
}

/* Posts of an earlier round come too late for anybody. */
static enum sotto_status post_deliver(struct sotto_world *world, const struct sotto_post *post)
{
    bool is_for_site = post->kind == SOTTO_POST_MAIL || post->kind == SOTTO_POST_FETCHED ||
                       post->kind == SOTTO_POST_TRAINED;

    if (post->round != world->hub.round_number)
        return SOTTO_OK;
    return is_for_site ? sotto_site_deliver(world, post) : sotto_hub_deliver(world, post);
}

static enum sotto_status posts_deliver(struct sotto_world *world)
{
    struct sotto_post post;
    enum sotto_status status = SOTTO_OK;

    while (status == SOTTO_OK && sotto_timeline_take(&world->timeline, &post) == SOTTO_OK) {
        world->now_ms = post.at_ms;
        status = post_deliver(world, &post);
        free(post.bytes);
    }
    return status;
}

static void tell(const struct sotto_world *world, struct sotto_world_round *told)
{
    const struct sotto_round *round = world->hub.round;
    enum sotto_round_phase end = sotto_round_phase(round);

    *told = (struct sotto_world_round){
        .round = world->hub.round_number,
        .is_finished = end == SOTTO_ROUND_FINISHED,
        .reason = sotto_round_reason(round),
        .cohort = sotto_secaggplus.collector_cohort_count(sotto_round_collector(round)),
        .survivors = sotto_round_survivor_count(round),
        .duration_ms = sotto_round_phase_began_ms(round, end) -
                       sotto_round_phase_began_ms(round, SOTTO_ROUND_GATHERING),
        .adapter = world->hub.adapter_digest,
        .spans = world->spans};
    if (told->is_finished) {
        told->mean_norm = world->hub.applied.mean_norm;
        told->weight_sum = world->hub.applied.weight_sum;
    }
    for (uint32_t i = 0; i < world->scenario->sites; i++) {
        told->bytes_up += world->sites[i].bytes_up;
        told->bytes_down += world->sites[i].bytes_down;
    }
}

enum sotto_status sotto_world_round(struct sotto_world *world, struct sotto_world_round *told,
                                    struct sotto_fault *fault)
{
    struct sotto_round_effects effects;
    enum sotto_status status;

    world->spans = (struct sotto_spans){0};
    status = sites_begin(world, world->hub.round_number + 1);
    if (status == SOTTO_OK)
        status = sotto_virtual_hub_begin(&world->hub, world->now_ms, &effects);
    if (status == SOTTO_OK)
        status = sotto_hub_carry(world, &effects, (struct sotto_view){0});
    if (status == SOTTO_OK)
        status = posts_deliver(world);
    if (status == SOTTO_MISMATCH && world->oracle_mismatches)
        return sotto_fault_set(fault, status,
                               "round %u: the unmasked sum differs from the plain sum over the "
                               "survivors in %u lanes: this is a bug, report it with seed %llu",
                               world->hub.round_number, world->oracle_mismatches,
                               (unsigned long long)world->scenario->seed);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "round %u: %s", world->hub.round_number,
                               world->fault.text[0] ? world->fault.text
                                                    : sotto_status_name(status));
    tell(world, told);
    sotto_virtual_hub_end(&world->hub);
    return SOTTO_OK;
}
