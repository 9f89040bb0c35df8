#include "simulations/virtual_hub.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"

void sotto_virtual_hub_key(struct sotto_secret *signing, struct sotto_ed25519_public *signer,
                           uint64_t seed)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, seed);
    sotto_entropy_fill(&entropy, signing->bytes, sizeof signing->bytes);
    sotto_ed25519_public_of(signer, signing);
}

/* Lanes and manifest of the version that holds. */
static struct sotto_view adapter_bytes(const struct sotto_virtual_hub *hub)
{
    return sotto_view_of(hub->adapter, sotto_manifest_adapter_bytes(hub->layout));
}

static void adapter_digest(struct sotto_virtual_hub *hub)
{
    struct sotto_view parts[] = {sotto_view_of(hub->layout_bytes, hub->layout_length),
                                 sotto_manifest_of(adapter_bytes(hub), hub->layout)};

    sotto_manifest_write(hub->adapter, hub->layout, sotto_hash);
    sotto_hash_list(&hub->adapter_digest, "sotto/1 adapter", parts, 2);
}

static enum sotto_status layout_keep(struct sotto_virtual_hub *hub,
                                     const struct sotto_layout *layout)
{
    struct sotto_buffer bytes = sotto_buffer_of(hub->layout_bytes, sizeof hub->layout_bytes);
    enum sotto_status status = sotto_layout_encode(&bytes, layout);
    struct sotto_view parts[] = {sotto_view_buffer(&bytes)};

    hub->layout_length = bytes.length;
    sotto_hash_list(&hub->layout_digest, "sotto/1 layout", parts, 1);
    return status;
}

/* "organisation-00000" and on, as many as the entries are numbered. */
static size_t organisations_name(char (*names)[SOTTO_ORGANISATION_MAX + 1],
                                 const struct sotto_virtual_hub *hub)
{
    size_t count = 0;

    for (size_t i = 0; i < hub->roster.entry_count; i++)
        if (hub->entries[i].organisation >= count)
            count = (size_t)hub->entries[i].organisation + 1;
    for (size_t i = 0; i < count; i++)
        snprintf(names[i], sizeof names[i], "organisation-%05zu", i);
    return count;
}

static enum sotto_status roster_keep(struct sotto_virtual_hub *hub)
{
    struct sotto_roster_message *message = calloc(1, sizeof *message);
    struct sotto_buffer bytes = sotto_buffer_of(hub->roster_bytes, SOTTO_ROSTER_BYTES_MAX);
    enum sotto_status status;

    if (message == NULL)
        return SOTTO_NO_MEMORY;
    message->epoch = hub->roster.epoch;
    message->count = hub->roster.entry_count;
    message->organisation_count = organisations_name(message->organisations, hub);
    for (size_t i = 0; i < message->count; i++) {
        message->lines[i].id = hub->entries[i].id;
        message->lines[i].certificate = hub->entries[i].certificate;
        message->lines[i].organisation = hub->entries[i].organisation;
        memcpy(message->lines[i].identity, hub->entries[i].identity.bytes,
               sizeof message->lines[i].identity);
    }
    status = sotto_roster_encode(&bytes, message);
    hub->roster_length = bytes.length;
    sotto_hash(&hub->roster_digest, &(struct sotto_view){hub->roster_bytes, bytes.length}, 1);
    free(message);
    return status;
}

/* The scenario's campaign in the words of the schedule. */
/* How updates become lanes. */
static void lanes_set(struct sotto_definition *definition, const struct sotto_scenario *scenario)
{
    definition->noise_multiplier = scenario->noise_multiplier;
    definition->lane_range = scenario->lane_range;
    definition->rotate = scenario->rotate;
    definition->feedback = scenario->feedback;
    if (scenario->noise_multiplier > 0)
        definition->weight_max = 1;
    if (scenario->weight_max != 0)
        definition->weight_max = scenario->weight_max;
    if (scenario->value_bits != 0)
        definition->value_bits = scenario->value_bits;
    if (scenario->ring_bits != 0)
        definition->ring_bits = scenario->ring_bits;
}

/* The number of a name in a list; what it was where there is no name. */
static enum sotto_status named(uint32_t *number, const char *name, const char *const *names,
                               uint32_t count, struct sotto_fault *fault)
{
    for (uint32_t i = 0; i < count && name != NULL; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *number = i;
        return SOTTO_OK;
    }
    if (name == NULL)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_MALFORMED, "\"%s\" is none of %s, ..., %s", name, names[0],
                           names[count - 1]);
}

static void set_above_zero(double *number, double wish)
{
    if (wish > 0)
        *number = wish;
}

/* What is made of the sums. */
static enum sotto_status method_set(struct sotto_definition *definition,
                                    const struct sotto_virtual_hub_setup *setup,
                                    struct sotto_fault *fault)
{
    const struct sotto_scenario *scenario = setup->scenario;
    uint32_t method, server = SOTTO_SERVER_FEDAVG;
    enum sotto_status status =
        named(&server, scenario->server, sotto_server_names, SOTTO_SERVER_KIND_COUNT, fault);

    method = sotto_method_default(sotto_layout_rank_max(setup->layout) > 0,
                                  scenario->noise_multiplier > 0,
                                  scenario->feedback || server != SOTTO_SERVER_FEDAVG);
    if (status == SOTTO_OK)
        status = named(&method, scenario->method, sotto_method_names, SOTTO_METHOD_COUNT, fault);
    definition->method = (enum sotto_method)method;
    definition->server = (enum sotto_server_kind)server;
    set_above_zero(&definition->server_rate, scenario->server_rate);
    set_above_zero(&definition->server_beta1, scenario->server_beta1);
    set_above_zero(&definition->server_beta2, scenario->server_beta2);
    set_above_zero(&definition->server_tau, scenario->server_tau);
    definition->proximal = scenario->proximal;
    definition->dropout = scenario->dropout;
    return status;
}

static void definition_open(struct sotto_virtual_hub *hub,
                            const struct sotto_virtual_hub_setup *setup)
{
    struct sotto_definition *definition = &hub->definition;
    const struct sotto_scenario *scenario = setup->scenario;

    sotto_definition_init(definition);
    memcpy(definition->name, "simulated", sizeof "simulated");
    memcpy(definition->base_name, "base", sizeof "base");
    definition->base_model = setup->base_model;
    definition->layout = hub->layout_digest;
    definition->adapter = hub->adapter_digest;
    sotto_definition_lanes_set(definition, setup->layout);
    definition->rounds = scenario->rounds;
    definition->cohort_min = scenario->cohort_min;
    definition->cohort_max = scenario->cohort_max;
    definition->survivors_min = scenario->survivors_min;
    definition->corrupt_fraction = scenario->corrupt_fraction;
    definition->clip_norm = scenario->clip_norm;
    lanes_set(definition, scenario);
    definition->epochs = scenario->epochs;
    definition->batch = scenario->batch;
    definition->learning_rate = scenario->learning_rate;
    definition->weight_decay = scenario->weight_decay;
}

static enum sotto_status moments_open(struct sotto_virtual_hub *hub)
{
    const struct sotto_server_rule rule = sotto_definition_server(&hub->definition);

    for (uint32_t part = 0; part < SOTTO_TRAINED_COUNT; part++) {
        size_t lanes = sotto_definition_lanes(&hub->definition, (enum sotto_trained)part);
        size_t count = sotto_server_moment_count(rule.kind, lanes);

        if (count == 0 || !sotto_method_uses(hub->definition.method, (enum sotto_trained)part))
            continue;
        hub->moments[part] = calloc(count, sizeof *hub->moments[part]);
        if (hub->moments[part] == NULL)
            return SOTTO_NO_MEMORY;
        sotto_server_moments_start(hub->moments[part], &rule, lanes);
    }
    return SOTTO_OK;
}

enum sotto_status sotto_virtual_hub_open(struct sotto_virtual_hub *hub,
                                         const struct sotto_virtual_hub_setup *setup,
                                         struct sotto_fault *fault)
{
    enum sotto_status status;

    *hub = (struct sotto_virtual_hub){.scenario = setup->scenario,
                                      .entries = setup->entries,
                                      .layout = setup->layout,
                                      .value_count = setup->layout->lane_count};
    sotto_virtual_hub_key(&hub->signing, &hub->signer, setup->scenario->seed);
    sotto_entropy_init_seeded(&hub->entropy, setup->scenario->seed ^ 0x9e3779b97f4a7c15u);
    hub->roster = (struct sotto_roster){
        .epoch = 1, .entries = hub->entries, .entry_count = setup->scenario->sites};
    hub->roster_bytes = malloc(SOTTO_ROSTER_BYTES_MAX);
    hub->adapter = calloc(1, sotto_manifest_adapter_bytes(hub->layout));
    hub->sum = calloc(hub->value_count + 1, sizeof *hub->sum);
    status = hub->roster_bytes != NULL && hub->adapter != NULL && hub->sum != NULL
                 ? SOTTO_OK
                 : SOTTO_NO_MEMORY;
    if (status == SOTTO_OK)
        status = layout_keep(hub, setup->layout);
    if (status == SOTTO_OK)
        status = roster_keep(hub);
    if (status == SOTTO_OK)
        status = sotto_model_start(hub->adapter, setup->model, setup->layout, &hub->entropy, fault);
    if (status != SOTTO_OK) {
        sotto_virtual_hub_close(hub);
        return status;
    }
    adapter_digest(hub);
    definition_open(hub, setup);
    hub->progress.adapter = hub->adapter_digest;
    status = method_set(&hub->definition, setup, fault);
    if (status == SOTTO_OK)
        status = moments_open(hub);
    if (status == SOTTO_OK)
        status = sotto_definition_lanes_check(&hub->definition, setup->layout, fault);
    return status == SOTTO_OK ? sotto_definition_check(&hub->definition, fault) : status;
}

void sotto_virtual_hub_close(struct sotto_virtual_hub *hub)
{
    if (hub->round != NULL)
        sotto_round_wipe(hub->round);
    sotto_arena_close(&hub->arena);
    free(hub->roster_bytes);
    free(hub->adapter);
    free(hub->sum);
    for (uint32_t part = 0; part < SOTTO_TRAINED_COUNT; part++)
        free(hub->moments[part]);
    sotto_wipe(&hub->signing, sizeof hub->signing);
    *hub = (struct sotto_virtual_hub){0};
}

/* Plans, signs and keeps the next round's plan. */
static enum sotto_status plan_keep(struct sotto_virtual_hub *hub)
{
    uint8_t nonce[32];
    struct sotto_round_terms terms = {
        .roster = &hub->roster_digest, .roster_epoch = hub->roster.epoch, .nonce = nonce};
    struct sotto_buffer bytes = sotto_buffer_of(hub->plan_bytes, sizeof hub->plan_bytes);
    enum sotto_status status;

    sotto_entropy_fill(&hub->entropy, nonce, sizeof nonce);
    sotto_timetable_plan(&hub->plan, &hub->definition, &hub->progress, &terms);
    status = sotto_plan_encode(&bytes, &hub->plan);
    hub->plan_length = bytes.length;
    sotto_sign(&hub->plan_signature, &hub->signing, "sotto/1 plan", sotto_view_buffer(&bytes));
    return status;
}

enum sotto_status sotto_virtual_hub_begin(struct sotto_virtual_hub *hub, uint64_t now_ms,
                                          struct sotto_round_effects *effects)
{
    struct sotto_round_setup setup = {.protocol = &sotto_secaggplus,
                                      .plan_signature = hub->plan_signature.bytes,
                                      .roster = &hub->roster,
                                      .signing = &hub->signing,
                                      .opened_ms = now_ms};
    enum sotto_status status = plan_keep(hub);

    if (status != SOTTO_OK)
        return status;
    hub->round_number = hub->plan.round;
    setup.plan_bytes = sotto_view_of(hub->plan_bytes, hub->plan_length);
    setup.is_last = sotto_timetable_is_last(&hub->definition, &hub->progress);
    memset(hub->sum, 0, (hub->value_count + 1) * sizeof *hub->sum);
    if (hub->round != NULL)
        sotto_round_wipe(hub->round);
    hub->round = NULL;
    sotto_arena_close(&hub->arena);
    status =
        sotto_arena_open(&hub->arena, sotto_round_bytes(setup.protocol, &hub->plan, setup.roster));
    if (status != SOTTO_OK)
        return status;
    return sotto_round_open(&hub->round, &hub->arena, &setup, effects);
}

void sotto_virtual_hub_end(struct sotto_virtual_hub *hub)
{
    bool is_finished = sotto_round_phase(hub->round) == SOTTO_ROUND_FINISHED;

    hub->progress.round_newest = hub->round_number;
    hub->progress.finished += is_finished;
    hub->progress.abandoned_in_a_row = is_finished ? 0 : hub->progress.abandoned_in_a_row + 1;
    hub->progress.adapter = hub->adapter_digest;
}

struct sotto_view sotto_virtual_hub_item(const struct sotto_virtual_hub *hub,
                                         enum sotto_item_kind item,
                                         const struct sotto_digest *digest)
{
    struct sotto_view none = {0};

    switch (item) {
    case SOTTO_ITEM_ROSTER:
        return sotto_digest_equal(digest, &hub->roster_digest)
                   ? sotto_view_of(hub->roster_bytes, hub->roster_length)
                   : none;
    case SOTTO_ITEM_LAYOUT:
        return sotto_digest_equal(digest, &hub->layout_digest)
                   ? sotto_view_of(hub->layout_bytes, hub->layout_length)
                   : none;
    case SOTTO_ITEM_ADAPTER:
        return sotto_digest_equal(digest, &hub->adapter_digest) ? adapter_bytes(hub) : none;
    }
    return none;
}

enum sotto_status sotto_virtual_hub_add(struct sotto_virtual_hub *hub, struct sotto_view packed)
{
    size_t lane_count = hub->plan.lane_count;
    uint32_t *lanes = malloc(lane_count * sizeof *lanes);
    enum sotto_status status =
        lanes != NULL
            ? sotto_lanes_unpack(lanes, lane_count, sotto_round_plan(hub->round)->ring_bits, packed)
            : SOTTO_NO_MEMORY;

    if (status == SOTTO_OK)
        sotto_lanes_add(hub->sum, lanes, lane_count);
    free(lanes);
    return status;
}

enum sotto_status sotto_virtual_hub_unmask(struct sotto_virtual_hub *hub)
{
    struct sotto_lane_range all = {.first = 0, .count = hub->plan.lane_count};

    return sotto_secaggplus.collector_unmask(sotto_round_collector(hub->round), hub->sum, all);
}

enum sotto_status sotto_virtual_hub_apply(struct sotto_virtual_hub *hub)
{
    const struct sotto_apply_terms terms = {
        .plan = sotto_round_plan(hub->round),
        .layout = sotto_view_of(hub->layout_bytes, hub->layout_length),
        .survivors = sotto_round_survivor_count(hub->round),
        .server = sotto_definition_server(&hub->definition),
        .is_rebased = hub->definition.method == SOTTO_METHOD_FFA_SVD};
    enum sotto_status status = sotto_apply_sum(hub->adapter, hub->moments[terms.plan->trained],
                                               &hub->applied, hub->sum, &terms);

    if (status == SOTTO_OK)
        hub->adapter_digest = hub->applied.adapter;
    return status;
}
