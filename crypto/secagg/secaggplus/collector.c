#include "crypto/secagg/secaggplus/collector.h"

#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/secagg/secaggplus/collection.h"
#include "crypto/secagg/secaggplus/context.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "crypto/secagg/secaggplus/outbox.h"
#include "crypto/secagg/secaggplus/unmasking.h"

struct sotto_collector {
    enum sotto_stage stage;
    struct sotto_terms terms;
    const struct sotto_roster *roster;
    const struct sotto_secret *signing;
    bool *gone; /* by place in the roster: not waited for any more */
    struct sotto_collection collection;
    struct sotto_stream *streams; /* what takes the masks off, once unmasked */
    size_t stream_count;
};

/* An event of one participant that is allowed in the present stage. */
struct answer {
    const struct sotto_collector_event *event;
    const struct sotto_roster_entry *entry;
    uint32_t seat; /* SOTTO_SEAT_NONE for an advert */
    struct sotto_digest digest;
};

enum sotto_status sotto_collector_open(struct sotto_collector **collector,
                                       struct sotto_arena *arena,
                                       const struct sotto_collector_setup *setup)
{
    size_t capacity = setup->terms->cohort_max;
    struct sotto_collection collection;
    struct sotto_collector *opened;
    struct sotto_stream *streams;
    enum sotto_status status;
    bool *gone;

    if (sotto_parameters_check(setup->terms) != SOTTO_OK)
        return SOTTO_MISMATCH;
    if (setup->roster->entry_count < capacity)
        capacity = setup->roster->entry_count;
    opened = sotto_arena_take(arena, 1, sizeof *opened);
    gone = sotto_arena_take(arena, setup->roster->entry_count, sizeof *gone);
    streams =
        sotto_arena_take(arena, sotto_unmasking_streams_max((uint32_t)capacity), sizeof *streams);
    status = sotto_collection_init(&collection, arena, (uint32_t)capacity, setup);
    if (opened == NULL || gone == NULL || streams == NULL || status != SOTTO_OK)
        return SOTTO_NO_MEMORY;
    *opened = (struct sotto_collector){.stage = SOTTO_STAGE_GATHERING,
                                       .terms = *setup->terms,
                                       .roster = setup->roster,
                                       .signing = setup->signing,
                                       .gone = gone,
                                       .collection = collection,
                                       .streams = streams};
    *collector = opened;
    return SOTTO_OK;
}

void sotto_collector_wipe(struct sotto_collector *collector)
{
    sotto_wipe(collector->streams, sotto_unmasking_streams_max(collector->collection.capacity) *
                                       sizeof collector->streams[0]);
    sotto_collection_wipe(&collector->collection);
    collector->stream_count = 0;
    collector->stage = SOTTO_STAGE_FAILED;
}

enum sotto_stage sotto_collector_stage(const struct sotto_collector *collector)
{
    return collector->stage;
}

uint32_t sotto_collector_cohort_count(const struct sotto_collector *collector)
{
    return collector->collection.count;
}

static bool is_live(const struct sotto_collector *collector)
{
    return collector->stage <= SOTTO_STAGE_REVEALING;
}

static bool is_gone(const struct sotto_collector *collector, const struct sotto_roster_entry *entry)
{
    return collector->gone[entry - collector->roster->entries];
}

/* After gathering a stage waits for exactly those that answered in the one before. */
static const struct sotto_seats *invited(const struct sotto_collector *collector)
{
    return &collector->collection.heard[collector->stage - 1].who;
}

static const struct sotto_seats *heard(const struct sotto_collector *collector)
{
    return &collector->collection.heard[collector->stage].who;
}

bool sotto_collector_has_answered(const struct sotto_collector *collector, uint32_t id)
{
    uint32_t seat = sotto_collection_seat(&collector->collection, id);

    return is_live(collector) && seat != SOTTO_SEAT_NONE && sotto_seats_has(heard(collector), seat);
}

bool sotto_collector_expects(const struct sotto_collector *collector, uint32_t id)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(collector->roster, id);
    uint32_t seat = sotto_collection_seat(&collector->collection, id);

    if (entry == NULL || !is_live(collector))
        return false;
    if (seat != SOTTO_SEAT_NONE && sotto_seats_has(heard(collector), seat))
        return true;
    if (is_gone(collector, entry))
        return false;
    if (collector->stage == SOTTO_STAGE_GATHERING)
        return collector->collection.count < collector->collection.capacity &&
               !sotto_quota_is_full(&collector->collection.quota, entry);
    return seat != SOTTO_SEAT_NONE && sotto_seats_has(invited(collector), seat);
}

bool sotto_collector_survived(const struct sotto_collector *collector, uint32_t id)
{
    uint32_t seat = sotto_collection_seat(&collector->collection, id);

    return seat != SOTTO_SEAT_NONE && sotto_seats_has(&collector->collection.survivors.seats, seat);
}

static bool is_complete(const struct sotto_collector *collector)
{
    if (!is_live(collector))
        return false;
    for (size_t i = 0; i < collector->roster->entry_count; i++) {
        uint32_t id = collector->roster->entries[i].id;

        if (sotto_collector_expects(collector, id) && !sotto_collector_has_answered(collector, id))
            return false;
    }
    return true;
}

enum sotto_status sotto_collector_message(const struct sotto_collector *collector, uint32_t id,
                                          struct sotto_buffer *out)
{
    const struct sotto_collection *collection = &collector->collection;
    uint32_t seat = sotto_collection_seat(collection, id);

    if (seat == SOTTO_SEAT_NONE || is_gone(collector, collection->entries[seat]) ||
        !sotto_collector_expects(collector, id))
        return SOTTO_NOT_FOUND;
    switch (collector->stage) {
    case SOTTO_STAGE_SHARING: return sotto_outbox_cohort(collection, out);
    case SOTTO_STAGE_UPLOADING: return sotto_outbox_shares(collection, seat, out);
    case SOTTO_STAGE_INCLUDING: return sotto_outbox_survivors(collection, out);
    case SOTTO_STAGE_REVEALING: return sotto_outbox_inclusions(collection, seat, out);
    case SOTTO_STAGE_GATHERING:
    case SOTTO_STAGE_UNMASKED:
    case SOTTO_STAGE_FAILED: break;
    }
    return SOTTO_NOT_FOUND;
}

/*
 * Participants refuse a cohort with an unusable key, or with a key or an identity twice: nobody may
 * end the round for all that way.
 */
static bool is_usable(const struct sotto_collection *collection,
                      const struct sotto_x25519_public *key)
{
    if (!sotto_x25519_is_usable(key))
        return false;
    for (uint32_t seat = 0; seat < collection->count; seat++) {
        const struct sotto_advert *other = &collection->adverts[seat];

        if (memcmp(key, &other->mask_key, sizeof *key) == 0 ||
            memcmp(key, &other->share_key, sizeof *key) == 0)
            return false;
    }
    return true;
}

static enum sotto_status take_advert(struct sotto_collector *collector, const struct answer *answer)
{
    struct sotto_collection *collection = &collector->collection;
    struct sotto_advert advert;

    if (collection->count == collection->capacity)
        return SOTTO_UNEXPECTED;
    if (sotto_advert_decode(&advert, answer->event->bytes) != SOTTO_OK)
        return SOTTO_MALFORMED;
    if (advert.id != answer->entry->id ||
        sotto_advert_verify(&advert, &answer->entry->identity, &collector->terms.context) !=
            SOTTO_OK ||
        memcmp(&advert.mask_key, &advert.share_key, sizeof advert.mask_key) == 0 ||
        sotto_collection_has(collection, answer->entry) ||
        !is_usable(collection, &advert.mask_key) || !is_usable(collection, &advert.share_key))
        return SOTTO_FORGED;
    sotto_collection_seat_take(collection, answer->entry, &advert, &answer->digest);
    return SOTTO_OK;
}

static enum sotto_status take_shares(struct sotto_collector *collector, const struct answer *answer)
{
    struct sotto_collection *collection = &collector->collection;
    struct sotto_shares_message message;

    if (sotto_shares_decode(&message, answer->event->bytes, collection->count) != SOTTO_OK)
        return SOTTO_MALFORMED;
    memcpy(collection->commitments[answer->seat].bytes, message.commitment.at, SOTTO_DIGEST_BYTES);
    for (uint32_t slot = 0; slot < collection->count - 1; slot++) {
        uint32_t to = sotto_seat_at_slot(answer->seat, slot);

        memcpy(sotto_collection_sealed(collection, answer->seat, to),
               message.sealed.at + (size_t)slot * SOTTO_SEALED_BYTES, SOTTO_SEALED_BYTES);
    }
    return SOTTO_OK;
}

/* The lanes travel beside the protocol; whose they are is all that is to be known here. */
static enum sotto_status take_upload(struct sotto_collector *collector, const struct answer *answer)
{
    (void)collector;
    (void)answer;
    return SOTTO_OK;
}

static enum sotto_status take_inclusion(struct sotto_collector *collector,
                                        const struct answer *answer)
{
    struct sotto_collection *collection = &collector->collection;
    const struct sotto_survivors *survivors = &collection->survivors;
    struct sotto_inclusion inclusion;
    struct sotto_digest digest;
    const uint8_t *mac;

    if (sotto_inclusion_decode(&inclusion, answer->event->bytes, survivors->count) != SOTTO_OK)
        return SOTTO_MALFORMED;
    sotto_seats_digest(&digest, &survivors->seats, collection->count);

    const struct sotto_inclusion_claim claim = {.context = &collection->context,
                                                .survivors = &digest};

    if (sotto_inclusion_verify(&inclusion.signature, &answer->entry->identity, &claim) != SOTTO_OK)
        return SOTTO_FORGED;
    mac = inclusion.macs.at;
    for (uint32_t to = 0; to < collection->count; to++) {
        if (to == answer->seat || !sotto_seats_has(&survivors->seats, to))
            continue;
        memcpy(sotto_collection_mac(collection, answer->seat, to), mac, SOTTO_INCLUSION_MAC_BYTES);
        mac += SOTTO_INCLUSION_MAC_BYTES;
    }
    return SOTTO_OK;
}

/* Is it one share of each sharer but the sender, by seat, and nothing else? */
static bool is_whole_reveal(const struct sotto_collection *collection, const struct answer *answer)
{
    struct sotto_cursor cursor = sotto_cursor_of(answer->event->bytes);
    struct sotto_revealed revealed;

    for (uint32_t owner = 0; owner < collection->count; owner++) {
        if (owner == answer->seat ||
            !sotto_seats_has(&collection->heard[SOTTO_STAGE_SHARING].who, owner))
            continue;
        sotto_revealed_decode(&revealed, &cursor);
        if (revealed.owner != collection->adverts[owner].id)
            return false;
    }
    return sotto_cursor_finish(&cursor) == SOTTO_OK;
}

static enum sotto_status take_reveal(struct sotto_collector *collector, const struct answer *answer)
{
    struct sotto_collection *collection = &collector->collection;
    struct sotto_cursor cursor = sotto_cursor_of(answer->event->bytes);
    struct sotto_revealed revealed;

    if (!is_whole_reveal(collection, answer))
        return SOTTO_MALFORMED;
    for (uint32_t owner = 0; owner < collection->count; owner++) {
        if (owner == answer->seat ||
            !sotto_seats_has(&collection->heard[SOTTO_STAGE_SHARING].who, owner))
            continue;
        sotto_revealed_decode(&revealed, &cursor);
        memcpy(sotto_collection_share(collection, answer->seat, owner), revealed.share.bytes,
               SOTTO_SHARE_BYTES);
    }
    return SOTTO_OK;
}

struct answer_rule {
    enum sotto_collector_event_kind event;
    enum sotto_stage stage; /* the only one in which it is taken */
    enum sotto_status (*take)(struct sotto_collector *collector, const struct answer *answer);
};

static const struct answer_rule answer_rules[] = {
    {SOTTO_COLLECTOR_ADVERT, SOTTO_STAGE_GATHERING, take_advert},
    {SOTTO_COLLECTOR_SHARES, SOTTO_STAGE_SHARING, take_shares},
    {SOTTO_COLLECTOR_UPLOAD, SOTTO_STAGE_UPLOADING, take_upload},
    {SOTTO_COLLECTOR_INCLUSION, SOTTO_STAGE_INCLUDING, take_inclusion},
    {SOTTO_COLLECTOR_REVEAL, SOTTO_STAGE_REVEALING, take_reveal},
};

static const struct answer_rule *find_answer_rule(enum sotto_collector_event_kind event)
{
    for (size_t i = 0; i < sizeof answer_rules / sizeof answer_rules[0]; i++) {
        if (answer_rules[i].event == event)
            return &answer_rules[i];
    }
    return NULL;
}

/* An upload is known by the digest of its lanes, everything else by that of its bytes. */
static void digest_answer(struct sotto_digest *out, const struct sotto_collector_event *event)
{
    if (event->kind == SOTTO_COLLECTOR_UPLOAD)
        *out = event->digest;
    else
        sotto_hash(out, &event->bytes, 1);
}

static enum sotto_status take_answer(struct sotto_collector *collector,
                                     const struct sotto_collector_event *event,
                                     struct sotto_collector_effects *effects)
{
    const struct answer_rule *rule = find_answer_rule(event->kind);
    struct sotto_heard *heard_then = &collector->collection.heard[rule->stage];
    struct answer given = {.event = event,
                           .entry = sotto_roster_find(collector->roster, event->id),
                           .seat = sotto_collection_seat(&collector->collection, event->id)};
    bool is_seated = given.seat != SOTTO_SEAT_NONE;
    enum sotto_status verdict;

    digest_answer(&given.digest, event);
    if (is_seated && sotto_seats_has(&heard_then->who, given.seat)) {
        effects->is_repeat = sotto_digest_equal(&heard_then->answers[given.seat], &given.digest);
        return effects->is_repeat ? SOTTO_OK : SOTTO_UNEXPECTED;
    }
    if (given.entry == NULL || (!is_seated && rule->stage != SOTTO_STAGE_GATHERING))
        return SOTTO_FORGED;
    if (collector->stage != rule->stage || !sotto_collector_expects(collector, event->id))
        return !is_seated && sotto_quota_is_full(&collector->collection.quota, given.entry)
                   ? SOTTO_REFUSED
                   : SOTTO_UNEXPECTED;
    verdict = rule->take(collector, &given);
    if (verdict == SOTTO_OK && is_seated) {
        sotto_seats_add(&heard_then->who, given.seat);
        heard_then->answers[given.seat] = given.digest;
    }
    return verdict;
}

static enum sotto_status leave(struct sotto_collector *collector,
                               const struct sotto_collector_event *event,
                               struct sotto_collector_effects *effects)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(collector->roster, event->id);
    uint32_t seat = sotto_collection_seat(&collector->collection, event->id);

    if (entry == NULL)
        return SOTTO_FORGED;
    if (!is_live(collector))
        return SOTTO_UNEXPECTED;
    effects->is_repeat = is_gone(collector, entry);
    collector->gone[entry - collector->roster->entries] = true;
    if (seat != SOTTO_SEAT_NONE && collector->stage == SOTTO_STAGE_GATHERING)
        sotto_collection_seat_leave(&collector->collection, seat);
    return SOTTO_OK;
}

static bool close_gathering(struct sotto_collector *collector, struct sotto_seats *liars)
{
    struct sotto_collection *collection = &collector->collection;

    (void)liars;
    if (collection->count < collector->terms.cohort_min ||
        sotto_parameters_of(&collection->parameters, collection->count, &collector->terms) !=
            SOTTO_OK)
        return false;
    for (uint32_t seat = 0; seat < collection->count; seat++)
        sotto_advert_leaf(&collection->leaves[seat], &collection->adverts[seat],
                          &collection->entries[seat]->certificate);
    sotto_context_of(&collection->context, &collector->terms.context, collection->leaves,
                     collection->count);
    sotto_cohort_sign(&collection->signature, collector->signing, &collection->context);
    return true;
}

static uint32_t floor_of(const struct sotto_collector *collector)
{
    return sotto_parameters_floor(&collector->collection.parameters,
                                  collector->terms.survivors_min);
}

static bool close_sharing(struct sotto_collector *collector, struct sotto_seats *liars)
{
    (void)liars;
    return sotto_seats_count(heard(collector)) >= floor_of(collector);
}

static bool close_uploading(struct sotto_collector *collector, struct sotto_seats *liars)
{
    struct sotto_collection *collection = &collector->collection;

    (void)liars;
    if (sotto_seats_count(heard(collector)) < floor_of(collector))
        return false;
    collection->survivors.seats = *heard(collector);
    sotto_survivors_sign(&collection->survivors, collector->signing, &collection->context,
                         collection->count);
    return true;
}

/* A participant reveals after t MACs from others: with fewer than t + 1 in all nobody would. */
static bool close_including(struct sotto_collector *collector, struct sotto_seats *liars)
{
    (void)liars;
    return sotto_seats_count(heard(collector)) > collector->collection.parameters.threshold;
}

static bool close_revealing(struct sotto_collector *collector, struct sotto_seats *liars)
{
    return sotto_unmasking_derive(collector->streams, &collector->stream_count, liars,
                                  &collector->collection) == SOTTO_OK;
}

struct close_rule {
    enum sotto_stage stage;
    bool (*close)(struct sotto_collector *collector, struct sotto_seats *liars);
    enum sotto_stage next; /* else SOTTO_STAGE_FAILED */
};

static const struct close_rule close_rules[] = {
    {SOTTO_STAGE_GATHERING, close_gathering, SOTTO_STAGE_SHARING},
    {SOTTO_STAGE_SHARING, close_sharing, SOTTO_STAGE_UPLOADING},
    {SOTTO_STAGE_UPLOADING, close_uploading, SOTTO_STAGE_INCLUDING},
    {SOTTO_STAGE_INCLUDING, close_including, SOTTO_STAGE_REVEALING},
    {SOTTO_STAGE_REVEALING, close_revealing, SOTTO_STAGE_UNMASKED},
};

static enum sotto_status close_stage(struct sotto_collector *collector,
                                     struct sotto_collector_effects *effects)
{
    struct sotto_seats liars = {0};

    if (!is_live(collector))
        return SOTTO_UNEXPECTED;

    const struct close_rule *rule = &close_rules[collector->stage];

    collector->stage = rule->close(collector, &liars) ? rule->next : SOTTO_STAGE_FAILED;
    for (uint32_t seat = 0; seat < collector->collection.count; seat++) {
        if (sotto_seats_has(&liars, seat))
            effects->liars[effects->liar_count++] = collector->collection.adverts[seat].id;
    }
    return SOTTO_OK;
}

void sotto_collector_step(struct sotto_collector *collector,
                          const struct sotto_collector_event *event,
                          struct sotto_collector_effects *effects)
{
    *effects = (struct sotto_collector_effects){0};
    switch (event->kind) {
    case SOTTO_COLLECTOR_ADVERT:
    case SOTTO_COLLECTOR_SHARES:
    case SOTTO_COLLECTOR_UPLOAD:
    case SOTTO_COLLECTOR_INCLUSION:
    case SOTTO_COLLECTOR_REVEAL: effects->verdict = take_answer(collector, event, effects); break;
    case SOTTO_COLLECTOR_LEAVE: effects->verdict = leave(collector, event, effects); break;
    case SOTTO_COLLECTOR_CLOSE: effects->verdict = close_stage(collector, effects); break;
    }
    effects->is_complete = effects->verdict == SOTTO_OK && is_complete(collector);
}

enum sotto_status sotto_collector_unmask(const struct sotto_collector *collector, uint32_t *sum,
                                         struct sotto_lane_range range)
{
    const struct sotto_lane_window window = {.first = range.first, .count = range.count};

    if (collector->stage != SOTTO_STAGE_UNMASKED || range.first % 8 != 0 ||
        range.first > collector->terms.lane_count ||
        range.count > collector->terms.lane_count - range.first)
        return SOTTO_UNEXPECTED;
    return sotto_streams_apply(sum, window, collector->streams, collector->stream_count,
                               collector->terms.ring_bits);
}
