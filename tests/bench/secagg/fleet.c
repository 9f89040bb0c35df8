#include "tests/bench/secagg/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/entropy.h"
#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/receipt.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "crypto/secagg/secaggplus/messages/shares.h"
#include "crypto/secagg/secaggplus/streams.h"

static const struct sotto_protocol *const protocol = &sotto_secaggplus;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench_secagg: %s\n", what);
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *taken = calloc(count, size);

    require(taken != NULL, "out of memory");
    return taken;
}

double fleet_cpu_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool is_dropout(const struct fleet *fleet, uint32_t place)
{
    uint64_t dropouts = fleet->task.dropouts;

    return (place + 1) * dropouts / fleet->task.count > place * dropouts / fleet->task.count;
}

static const uint32_t plain_lane_step = 0x85ebca6bu;

static uint32_t plain_lane(uint32_t place, uint32_t lane)
{
    return 0x9e3779b9u * (place + 1) + plain_lane_step * lane;
}

/* NULL: not in the sample. */
static struct fleet_singer *singer_at(struct fleet *fleet, uint32_t place)
{
    for (size_t i = 0; i < FLEET_SAMPLE; i++)
        if (fleet->sample[i].place == place)
            return &fleet->sample[i];
    return NULL;
}

static void draw_keys(struct fleet *fleet)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 1);
    sotto_entropy_fill(&entropy, fleet->terms.context.bytes, SOTTO_DIGEST_BYTES);
    sotto_entropy_fill(&entropy, fleet->signing.bytes, sizeof fleet->signing.bytes);
    sotto_ed25519_public_of(&fleet->coordinator, &fleet->signing);
    for (uint32_t place = 0; place < fleet->task.count; place++) {
        struct sotto_roster_entry *entry = &fleet->entries[place];

        sotto_entropy_fill(&entropy, fleet->identities[place].bytes, 32);
        sotto_entropy_fill(&entropy, fleet->seeds[place].bytes, 32);
        sotto_entropy_fill(&entropy, entry->certificate.bytes, SOTTO_DIGEST_BYTES);
        sotto_ed25519_public_of(&entry->identity, &fleet->identities[place]);
        entry->id = place + 1;
        entry->organisation = place;
        sotto_secrets_derive(&fleet->secrets[place], &fleet->seeds[place], &fleet->terms.context);
    }
    fleet->roster = (struct sotto_roster){
        .epoch = 1, .entries = fleet->entries, .entry_count = fleet->task.count};
}

/* Counts what the role needs, then takes it. */
static void collector_start(struct fleet *fleet)
{
    const struct sotto_collector_setup setup = {
        .terms = &fleet->terms, .roster = &fleet->roster, .signing = &fleet->signing};
    struct sotto_arena *arena = &fleet->hub_arena;

    sotto_arena_init_counting(arena);
    require(protocol->collector_open(&fleet->collector, arena, &setup) == SOTTO_NO_MEMORY,
            "these terms are refused");
    require(sotto_arena_open(arena, arena->used) == SOTTO_OK, "out of memory");
    require(protocol->collector_open(&fleet->collector, arena, &setup) == SOTTO_OK,
            "the coordinator's role did not open");
}

static void singer_start(struct fleet *fleet, struct fleet_singer *singer)
{
    const struct sotto_member_setup setup = {.terms = &fleet->terms,
                                             .roster = &fleet->roster,
                                             .id = singer->place + 1,
                                             .identity = &fleet->identities[singer->place],
                                             .coordinator = fleet->coordinator,
                                             .seed = &fleet->seeds[singer->place]};

    sotto_arena_init_counting(&singer->arena);
    (void)!protocol->member_open(&singer->member, &singer->arena, &setup);
    require(sotto_arena_open(&singer->arena, singer->arena.used) == SOTTO_OK, "out of memory");
    require(protocol->member_open(&singer->member, &singer->arena, &setup) == SOTTO_OK,
            "a participant's role did not open");
    singer->lanes = room(fleet->task.lane_count, sizeof *singer->lanes);
}

/* The first, the last and one in the middle of those that stay. */
static void sample_choose(struct fleet *fleet)
{
    uint32_t wanted[FLEET_SAMPLE] = {0, fleet->task.count / 2, fleet->task.count - 3};

    for (size_t i = 0; i < FLEET_SAMPLE; i++) {
        while (is_dropout(fleet, wanted[i]) || (i > 0 && wanted[i] <= fleet->sample[i - 1].place))
            wanted[i]++;
        require(wanted[i] < fleet->task.count, "too few stay for the sample");
        fleet->sample[i].place = wanted[i];
        singer_start(fleet, &fleet->sample[i]);
    }
}

struct fleet *fleet_open(const struct fleet_task *task)
{
    struct fleet *fleet = room(1, sizeof *fleet);
    const struct sotto_plan plan = {.lane_count = task->lane_count, .ring_bits = 32};

    fleet->task = *task;
    fleet->terms = (struct sotto_terms){.lane_count = task->lane_count,
                                        .ring_bits = 32,
                                        .cohort_min = task->count,
                                        .cohort_max = task->count,
                                        .survivors_min = SOTTO_COHORT_MIN,
                                        .corrupt_fraction = 0.05,
                                        .dropout_fraction = task->dropout_fraction};
    fleet->entries = room(task->count, sizeof *fleet->entries);
    fleet->identities = room(task->count, sizeof *fleet->identities);
    fleet->seeds = room(task->count, sizeof *fleet->seeds);
    fleet->secrets = room(task->count, sizeof *fleet->secrets);
    fleet->adverts = room(task->count, sizeof *fleet->adverts);
    fleet->wire = room(1, SOTTO_PROTOCOL_MESSAGE_MAX);
    fleet->answer = room(1, SOTTO_PROTOCOL_ANSWER_MAX);
    draw_keys(fleet);
    collector_start(fleet);
    sample_choose(fleet);
    require(sotto_tally_open(&fleet->tally, &plan) == SOTTO_OK, "out of memory");
    return fleet;
}

void fleet_close(struct fleet *fleet)
{
    for (size_t i = 0; i < FLEET_SAMPLE; i++) {
        protocol->member_wipe(fleet->sample[i].member);
        sotto_arena_close(&fleet->sample[i].arena);
        free(fleet->sample[i].lanes);
    }
    protocol->collector_wipe(fleet->collector);
    sotto_arena_close(&fleet->hub_arena);
    sotto_arena_close(&fleet->graph);
    sotto_tally_close(&fleet->tally);
    free(fleet->shares);
    free(fleet->answer);
    free(fleet->wire);
    free(fleet->adverts);
    free(fleet->secrets);
    free(fleet->seeds);
    free(fleet->identities);
    free(fleet->entries);
    free(fleet);
}

static void hub_step(struct fleet *fleet, const struct sotto_collector_event *event)
{
    struct sotto_collector_effects effects;
    double start = fleet_cpu_s();

    protocol->collector_step(fleet->collector, event, &effects);
    fleet->step_s += fleet_cpu_s() - start;
    require(effects.verdict == SOTTO_OK, "the coordinator's role turned an answer down");
}

static void hub_close(struct fleet *fleet, enum sotto_stage next)
{
    const struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_CLOSE};
    double start = fleet_cpu_s();

    hub_step(fleet, &event);
    fleet->close_s = fleet_cpu_s() - start;
    require(protocol->collector_stage(fleet->collector) == next, "the round failed");
}

/* The hub writes everybody's mail, read by the sample alone. */
static struct sotto_view mail_of(struct fleet *fleet, uint32_t place)
{
    struct sotto_buffer out = sotto_buffer_of(fleet->wire, SOTTO_PROTOCOL_MESSAGE_MAX);
    double start = fleet_cpu_s();
    enum sotto_status status = protocol->collector_message(fleet->collector, place + 1, &out);

    fleet->step_s += fleet_cpu_s() - start;
    require(status == SOTTO_OK, "there is no mail");
    return sotto_view_buffer(&out);
}

static struct sotto_view sing(struct fleet_singer *singer, const struct sotto_member_event *event)
{
    struct sotto_member_effects effects;
    double start = fleet_cpu_s();

    protocol->member_step(singer->member, event, &effects);
    singer->keys_s += fleet_cpu_s() - start;
    if (effects.refusal != SOTTO_REFUSAL_NONE)
        fprintf(stderr, "bench_secagg: %s\n", sotto_refusal_sentence(effects.refusal));
    require(effects.refusal == SOTTO_REFUSAL_NONE, "a participant refused");
    singer->bytes_down += event->bytes.length;
    singer->bytes_up += effects.send.length;
    return effects.send;
}

static void advert_make(struct fleet *fleet, uint32_t place)
{
    struct sotto_advert *advert = &fleet->adverts[place];
    const struct sotto_secrets *secrets = &fleet->secrets[place];

    advert->id = place + 1;
    sotto_x25519_public_of(&advert->mask_key, &secrets->mask_key);
    sotto_x25519_public_of(&advert->share_key, &secrets->share_key);
    memcpy(advert->nonce, secrets->nonce.bytes, sizeof advert->nonce);
    sotto_advert_sign(advert, &fleet->identities[place], &fleet->terms.context);
}

static void gather(struct fleet *fleet)
{
    for (uint32_t place = 0; place < fleet->task.count; place++) {
        struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_ADVERT,
                                              .id = place + 1,
                                              .bytes =
                                                  sotto_view_of(fleet->answer, SOTTO_ADVERT_BYTES)};
        const struct sotto_member_event begin = {.kind = SOTTO_MEMBER_BEGIN};
        struct fleet_singer *singer = singer_at(fleet, place);

        advert_make(fleet, place);
        sotto_advert_encode(fleet->answer, &fleet->adverts[place]);
        if (singer != NULL)
            event.bytes = sing(singer, &begin);
        hub_step(fleet, &event);
    }
    hub_close(fleet, SOTTO_STAGE_SHARING);
}

/* Who is whose neighbour, computed as everybody computes it. */
static void graph_make(struct fleet *fleet)
{
    const uint32_t count = fleet->task.count;
    struct sotto_digest *leaves = room(count, sizeof *leaves);
    uint8_t *ids = room(count, sizeof(uint32_t));
    struct sotto_cohort_message message = {.leaves = leaves,
                                           .ids = sotto_view_of(ids, count * sizeof(uint32_t))};
    size_t cells;

    require(sotto_parameters_of(&fleet->parameters, count, &fleet->terms) == SOTTO_OK,
            "no graph for these terms");
    message.parameters = fleet->parameters;
    for (uint32_t place = 0; place < count; place++) {
        sotto_store_u32(ids + 4 * place, place + 1);
        sotto_advert_leaf(&leaves[place], &fleet->adverts[place],
                          &fleet->entries[place].certificate);
    }
    sotto_cohort_context(&fleet->context, &fleet->terms.context, &message);
    cells = (size_t)count * fleet->parameters.neighbours;
    require(sotto_arena_open(&fleet->graph, cells * 4 + (size_t)count * 64 + 4096) == SOTTO_OK &&
                sotto_ring_init(&fleet->ring, &fleet->graph, count) == SOTTO_OK &&
                sotto_table_init(&fleet->table, &fleet->graph, cells) == SOTTO_OK,
            "out of memory");
    sotto_ring_place(&fleet->ring, &fleet->context, leaves, count);
    require(sotto_table_fill(&fleet->table, &fleet->ring, fleet->parameters.neighbours) == SOTTO_OK,
            "the graph is larger than it is");
    free(ids);
    free(leaves);
}

/* The owner's neighbours, as holders of its shares; indices: [k]. */
static struct sotto_holders holders_of(const struct fleet *fleet, uint32_t owner, uint32_t *indices)
{
    const uint16_t *row = sotto_table_row(&fleet->table, owner);

    for (uint32_t slot = 0; slot < fleet->parameters.neighbours; slot++)
        indices[slot] = row[slot];
    return (struct sotto_holders){.indices = indices, .count = fleet->parameters.neighbours};
}

/* What the owner's holders will reveal: of its mask key if it drops out, else of its self mask. */
static void shares_make(struct fleet *fleet)
{
    const uint32_t k = fleet->parameters.neighbours;

    fleet->shares = room((size_t)fleet->task.count * k, sizeof *fleet->shares);
    for (uint32_t owner = 0; owner < fleet->task.count; owner++) {
        const struct sotto_secrets *secrets = &fleet->secrets[owner];
        uint32_t indices[SOTTO_NEIGHBOURS_MAX];
        const struct sotto_holders holders = holders_of(fleet, owner, indices);
        bool is_gone = is_dropout(fleet, owner);

        sotto_share_split_among(fleet->shares + (size_t)owner * k,
                                is_gone ? &secrets->mask_key : &secrets->self_mask,
                                is_gone ? &secrets->split_mask : &secrets->split_self,
                                fleet->parameters.threshold, &holders);
    }
}

static void pair_keys(const struct fleet *fleet, struct sotto_pair_keys *keys, uint32_t from,
                      uint32_t to)
{
    const struct sotto_pair pair = {.context = &fleet->context, .self = from + 1, .peer = to + 1};

    struct sotto_x25519_own own;

    sotto_x25519_open(&own, &fleet->secrets[from].share_key);
    require(sotto_pair_keys_derive(keys, &own, &fleet->adverts[to].share_key, &pair) == SOTTO_OK,
            "a key has low order");
    sotto_x25519_close(&own);
}

static struct sotto_share share_for(const struct fleet *fleet, const struct sotto_secret *secret,
                                    const struct sotto_secret *seed, const struct sotto_pair *pair)
{
    const uint32_t k = fleet->parameters.neighbours;
    uint32_t indices[SOTTO_NEIGHBOURS_MAX];
    const struct sotto_holders holders = holders_of(fleet, pair->self - 1, indices);
    struct sotto_share *shares = room(k, sizeof *shares);
    struct sotto_share share;
    uint32_t slot = 0;

    sotto_share_split_among(shares, secret, seed, fleet->parameters.threshold, &holders);
    while (holders.indices[slot] != pair->peer - 1)
        slot++;
    share = shares[slot];
    free(shares);
    return share;
}

/* Seals `from`'s share pair for a holder in the sample, who opens it. */
static void share_seal(struct fleet *fleet, uint8_t *out, uint32_t from, uint32_t to)
{
    const struct sotto_secrets *secrets = &fleet->secrets[from];
    const struct sotto_pair who = {.context = &fleet->context, .self = from + 1, .peer = to + 1};
    const struct sotto_share_pair pair = {
        .self = share_for(fleet, &secrets->self_mask, &secrets->split_self, &who),
        .mask = share_for(fleet, &secrets->mask_key, &secrets->split_mask, &who)};
    struct sotto_pair_keys keys;

    pair_keys(fleet, &keys, from, to);
    sotto_share_pair_seal(out, &pair, &keys.seal, &fleet->context);
}

static struct sotto_view shares_of(struct fleet *fleet, uint32_t place)
{
    const uint16_t *row = sotto_table_row(&fleet->table, place);
    const uint32_t k = fleet->parameters.neighbours;
    const struct sotto_view self_mask =
        sotto_view_of(fleet->secrets[place].self_mask.bytes, sizeof(struct sotto_secret));
    struct sotto_digest commitment;

    memset(fleet->answer, 0, SOTTO_DIGEST_BYTES + (size_t)k * SOTTO_SEALED_BYTES);
    sotto_hash(&commitment, &self_mask, 1);
    memcpy(fleet->answer, commitment.bytes, SOTTO_DIGEST_BYTES);
    for (uint32_t slot = 0; slot < k; slot++)
        if (singer_at(fleet, row[slot]) != NULL)
            share_seal(fleet, fleet->answer + SOTTO_DIGEST_BYTES + slot * SOTTO_SEALED_BYTES, place,
                       row[slot]);
    return sotto_view_of(fleet->answer, SOTTO_DIGEST_BYTES + (size_t)k * SOTTO_SEALED_BYTES);
}

static void share(struct fleet *fleet)
{
    for (uint32_t place = 0; place < fleet->task.count; place++) {
        struct fleet_singer *singer = singer_at(fleet, place);
        const struct sotto_member_event cohort = {.kind = SOTTO_MEMBER_COHORT,
                                                  .bytes = mail_of(fleet, place)};
        struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_SHARES, .id = place + 1};

        event.bytes = singer != NULL ? sing(singer, &cohort) : shares_of(fleet, place);
        hub_step(fleet, &event);
    }
    hub_close(fleet, SOTTO_STAGE_UPLOADING);
}

static void singer_mask(struct fleet *fleet, struct fleet_singer *singer)
{
    const struct sotto_member_event masked = {.kind = SOTTO_MEMBER_MASKED};
    double start;

    for (uint32_t lane = 0; lane < fleet->task.lane_count; lane++)
        singer->lanes[lane] = plain_lane(singer->place, lane);
    start = fleet_cpu_s();
    require(protocol->member_mask(singer->member, singer->lanes, fleet->task.lane_count) ==
                SOTTO_OK,
            "a participant did not mask");
    singer->mask_s = fleet_cpu_s() - start;
    (void)sing(singer, &masked);
    singer->bytes_up += sotto_lanes_packed_bytes(fleet->task.lane_count, 32);
}

/* The masks that a survivor has in common with dropouts. */
static size_t leftover_pairs(const struct fleet *fleet, uint32_t place,
                             struct sotto_stream *streams)
{
    const uint16_t *row = sotto_table_row(&fleet->table, place);
    struct sotto_x25519_own own;
    size_t count = 0;

    sotto_x25519_open(&own, &fleet->secrets[place].mask_key);
    for (uint32_t slot = 0; slot < fleet->parameters.neighbours; slot++) {
        const struct sotto_pair pair = {
            .context = &fleet->context, .self = place + 1, .peer = row[slot] + 1};

        if (!is_dropout(fleet, row[slot]))
            continue;
        require(sotto_pair_mask_derive(&streams[count].key, &own,
                                       &fleet->adverts[row[slot]].mask_key, &pair) == SOTTO_OK,
                "a key has low order");
        streams[count++].use = row[slot] > place ? SOTTO_STREAM_ADDED : SOTTO_STREAM_SUBTRACTED;
    }
    sotto_x25519_close(&own);
    return count;
}

/* The masks that survivors leave in the sum: their own, and those with the dropouts. */
static size_t leftovers(const struct fleet *fleet, struct sotto_stream *streams)
{
    size_t count = 0;

    for (uint32_t place = 0; place < fleet->task.count; place++) {
        if (is_dropout(fleet, place))
            continue;
        sotto_self_mask_derive(&streams[count].key, &fleet->secrets[place].self_mask,
                               &fleet->context, place + 1);
        streams[count++].use = SOTTO_STREAM_ADDED;
        count += leftover_pairs(fleet, place, streams + count);
    }
    return count;
}

/* The sum of the survivors' plain lanes. */
static void fill_plain_sum(const struct fleet *fleet, uint32_t *lanes)
{
    const uint32_t survivors = fleet->task.count - fleet->task.dropouts;
    uint32_t first = 0;

    for (uint32_t place = 0; place < fleet->task.count; place++)
        first += is_dropout(fleet, place) ? 0 : plain_lane(place, 0);
    for (uint32_t lane = 0; lane < fleet->task.lane_count; lane++)
        lanes[lane] = first + survivors * plain_lane_step * lane;
}

/* What is missing to the survivors' masked sum when the sample's uploads are in. */
static uint32_t *carried(struct fleet *fleet)
{
    const uint32_t lane_count = fleet->task.lane_count;
    const struct sotto_lane_window all = {0, lane_count};
    uint32_t *lanes = room(lane_count, sizeof *lanes);
    struct sotto_stream *streams = room(fleet_streams(fleet), sizeof *streams);
    size_t count = leftovers(fleet, streams);

    fill_plain_sum(fleet, lanes);
    require(sotto_streams_apply(lanes, all, streams, count, 32) == SOTTO_OK, "out of memory");
    for (size_t i = 0; i < FLEET_SAMPLE; i++)
        sotto_lanes_subtract(lanes, fleet->sample[i].lanes, lane_count);
    free(streams);
    return lanes;
}

/* A spooled upload and its digest. */
struct spooled {
    char path[64];
    struct sotto_digest digest;
};

static struct spooled spool(const struct fleet *fleet, const uint32_t *lanes, const char *name)
{
    size_t length = sotto_lanes_packed_bytes(fleet->task.lane_count, 32);
    uint8_t *packed = room(length, 1);
    struct sotto_view view = sotto_view_of(packed, length);
    struct spooled spooled;
    FILE *file;

    snprintf(spooled.path, sizeof spooled.path, "bench-secagg-%ld-%s", (long)getpid(), name);
    sotto_lanes_pack(packed, lanes, fleet->task.lane_count, 32);
    sotto_hash(&spooled.digest, &view, 1);
    file = fopen(spooled.path, "wb");
    require(file != NULL && fwrite(packed, 1, length, file) == length && fclose(file) == 0,
            "an upload cannot be spooled into this folder");
    free(packed);
    return spooled;
}

static void tally_add(struct fleet *fleet, const struct spooled *spooled)
{
    struct sotto_fault fault;
    double start = fleet_cpu_s();
    double chi2;

    require(sotto_tally_add(&fleet->tally, &chi2, spooled->path, &spooled->digest, &fault) ==
                SOTTO_OK,
            "an upload could not be added");
    fleet->add_s += fleet_cpu_s() - start;
}

static void add_all(struct fleet *fleet)
{
    uint32_t others = fleet->task.count - fleet->task.dropouts - FLEET_SAMPLE;
    uint32_t *lanes = carried(fleet);
    struct spooled spooled = spool(fleet, lanes, "carried");

    tally_add(fleet, &spooled);
    unlink(spooled.path);
    memset(lanes, 0, fleet->task.lane_count * sizeof *lanes);
    spooled = spool(fleet, lanes, "zeros");
    for (uint32_t i = 1; i < others; i++)
        tally_add(fleet, &spooled);
    unlink(spooled.path);
    for (size_t i = 0; i < FLEET_SAMPLE; i++) {
        spooled = spool(fleet, fleet->sample[i].lanes, "own");
        tally_add(fleet, &spooled);
        unlink(spooled.path);
    }
    free(lanes);
}

/* In a ring everybody that uploads signs first who has shared: here all have. */
static void receipt_give(struct fleet *fleet, uint32_t place, struct sotto_view sung)
{
    struct sotto_collector_event event = {
        .kind = SOTTO_COLLECTOR_RECEIPT, .id = place + 1, .bytes = sung};
    const struct sotto_receipt_claim claim = {.context = &fleet->context,
                                              .sharers = &fleet->shared};

    if (sotto_parameters_is_complete(&fleet->parameters))
        return;
    if (singer_at(fleet, place) == NULL) {
        sotto_receipt_sign(fleet->answer, &fleet->identities[place], &claim);
        event.bytes = sotto_view_of(fleet->answer, SOTTO_RECEIPT_BYTES);
    }
    hub_step(fleet, &event);
}

static void upload(struct fleet *fleet)
{
    struct sotto_seats sharers = {0};

    for (uint32_t place = 0; place < fleet->task.count; place++)
        sotto_seats_add(&sharers, place);
    sotto_seats_digest(&fleet->shared, &sharers, fleet->task.count);
    for (uint32_t place = 0; place < fleet->task.count; place++) {
        struct fleet_singer *singer = singer_at(fleet, place);
        const struct sotto_member_event inbox = {.kind = SOTTO_MEMBER_INBOX,
                                                 .bytes = mail_of(fleet, place)};
        const struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_UPLOAD,
                                                    .id = place + 1};

        struct sotto_view receipt = {0};

        if (singer != NULL) {
            receipt = sing(singer, &inbox);
            singer_mask(fleet, singer);
        }
        if (!is_dropout(fleet, place)) {
            receipt_give(fleet, place, receipt);
            sotto_seats_add(&fleet->survivors, place);
            hub_step(fleet, &event);
        }
    }
    add_all(fleet);
    hub_close(fleet, SOTTO_STAGE_INCLUDING);
    sotto_seats_digest(&fleet->confirmed, &fleet->survivors, fleet->task.count);
}

static struct sotto_view inclusion_of(struct fleet *fleet, uint32_t place)
{
    const struct sotto_inclusion_claim claim = {.context = &fleet->context,
                                                .survivors = &fleet->confirmed};
    const uint16_t *row = sotto_table_row(&fleet->table, place);
    struct sotto_signature signature;
    uint8_t *mac = fleet->answer + sizeof signature;

    sotto_inclusion_sign(&signature, &fleet->identities[place], &claim);
    memcpy(fleet->answer, signature.bytes, sizeof signature.bytes);
    for (uint32_t slot = 0; slot < fleet->parameters.neighbours; slot++) {
        struct sotto_pair_keys keys;

        if (is_dropout(fleet, row[slot]))
            continue;
        memset(mac, 0, SOTTO_INCLUSION_MAC_BYTES);
        if (singer_at(fleet, row[slot]) != NULL) {
            pair_keys(fleet, &keys, place, row[slot]);
            sotto_inclusion_mac(mac, &keys.confirm, &claim);
        }
        mac += SOTTO_INCLUSION_MAC_BYTES;
    }
    return sotto_view_of(fleet->answer, (size_t)(mac - fleet->answer));
}

static struct sotto_view reveal_of(struct fleet *fleet, uint32_t place)
{
    const uint16_t *row = sotto_table_row(&fleet->table, place);
    const uint32_t k = fleet->parameters.neighbours;
    uint8_t *at = fleet->answer;

    for (uint32_t slot = 0; slot < k; slot++) {
        size_t cell = sotto_table_cell(&fleet->table, row[slot], place);
        const struct sotto_revealed revealed = {.owner = row[slot] + 1,
                                                .share = fleet->shares[cell]};

        sotto_revealed_encode(at, &revealed);
        at += SOTTO_REVEALED_BYTES;
    }
    return sotto_view_of(fleet->answer, (size_t)(at - fleet->answer));
}

/* One of the last two stages, which only survivors answer. */
struct late_stage {
    enum sotto_member_event_kind asks;
    enum sotto_collector_event_kind answers;
    struct sotto_view (*answer)(struct fleet *fleet, uint32_t place);
    enum sotto_stage next;
};

static void answer_late(struct fleet *fleet, const struct late_stage *stage)
{
    for (uint32_t place = 0; place < fleet->task.count; place++) {
        struct fleet_singer *singer = singer_at(fleet, place);
        struct sotto_member_event ask = {.kind = stage->asks};
        struct sotto_collector_event event = {.kind = stage->answers, .id = place + 1};

        if (is_dropout(fleet, place))
            continue;
        ask.bytes = mail_of(fleet, place);
        event.bytes = singer != NULL ? sing(singer, &ask) : stage->answer(fleet, place);
        hub_step(fleet, &event);
    }
    hub_close(fleet, stage->next);
}

void fleet_play(struct fleet *fleet)
{
    static const struct late_stage including = {SOTTO_MEMBER_SURVIVORS, SOTTO_COLLECTOR_INCLUSION,
                                                inclusion_of, SOTTO_STAGE_REVEALING};
    static const struct late_stage revealing = {SOTTO_MEMBER_INCLUSIONS, SOTTO_COLLECTOR_REVEAL,
                                                reveal_of, SOTTO_STAGE_UNMASKED};

    gather(fleet);
    graph_make(fleet);
    shares_make(fleet);
    share(fleet);
    upload(fleet);
    answer_late(fleet, &including);
    answer_late(fleet, &revealing);
}

size_t fleet_streams(const struct fleet *fleet)
{
    size_t count = fleet->task.count - fleet->task.dropouts;

    for (uint32_t place = 0; place < fleet->task.count; place++) {
        const uint16_t *row = sotto_table_row(&fleet->table, place);

        for (uint32_t slot = 0; slot < fleet->parameters.neighbours; slot++)
            count += is_dropout(fleet, place) && !is_dropout(fleet, row[slot]);
    }
    return count;
}

void fleet_check(const struct fleet *fleet, const uint32_t *sum)
{
    uint32_t *expected = room(fleet->task.lane_count, sizeof *expected);

    fill_plain_sum(fleet, expected);
    require(memcmp(sum, expected, fleet->task.lane_count * sizeof *expected) == 0,
            "the sum is wrong");
    free(expected);
}

size_t fleet_hub_bytes(const struct fleet *fleet)
{
    return fleet->hub_arena.used + fleet->task.lane_count * sizeof(uint32_t);
}
