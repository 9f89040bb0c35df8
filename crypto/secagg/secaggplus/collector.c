#include "crypto/secagg/secaggplus/collector.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/secagg/secaggplus/intake.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/outbox.h"
#include "crypto/secagg/secaggplus/unmasking.h"

struct sotto_collector {
    enum sotto_stage stage;
    struct sotto_terms terms;
    const struct sotto_roster *roster;
    const struct sotto_secret *signing;
    bool *gone;          /* by place in the roster: not waited for any more */
    uint32_t waited_for; /* a place in the roster: one that has yet to answer, if anybody has */
    struct sotto_collection collection;
    struct sotto_stream *streams; /* what takes the masks off, once unmasked */
    size_t stream_count;
};

enum sotto_status sotto_collector_open(struct sotto_collector **collector,
                                       struct sotto_arena *arena,
                                       const struct sotto_collector_setup *setup)
{
    struct sotto_extent extent;
    struct sotto_collection collection;
    struct sotto_collector *opened;
    enum sotto_status status;
    bool *gone;

    if (sotto_parameters_check(setup->terms) != SOTTO_OK ||
        setup->roster->entry_count > SOTTO_COHORT_MAX)
        return SOTTO_MISMATCH;
    sotto_parameters_extent(&extent, setup->terms, setup->roster->entry_count);
    opened = sotto_arena_take(arena, 1, sizeof *opened);
    gone = sotto_arena_take(arena, setup->roster->entry_count, sizeof *gone);
    status = sotto_collection_init(&collection, arena, &extent, setup);
    if (opened == NULL || gone == NULL || status != SOTTO_OK)
        return SOTTO_NO_MEMORY;
    assert(sotto_unmasking_streams_max(&extent) * sizeof *opened->streams <= collection.late_bytes);
    *opened = (struct sotto_collector){.stage = SOTTO_STAGE_GATHERING,
                                       .terms = *setup->terms,
                                       .roster = setup->roster,
                                       .signing = setup->signing,
                                       .gone = gone,
                                       .collection = collection,
                                       .streams = (void *)collection.late_room};
    *collector = opened;
    return SOTTO_OK;
}

void sotto_collector_wipe(struct sotto_collector *collector)
{
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

/* Whom a stage after gathering waits for. */
static const struct sotto_seats *invited(const struct sotto_collector *collector)
{
    const struct sotto_collection *collection = &collector->collection;

    switch (collector->stage) {
    case SOTTO_STAGE_UPLOADING: return &collection->sharers;
    case SOTTO_STAGE_INCLUDING: return &collection->survivors.seats;
    case SOTTO_STAGE_REVEALING: return &collection->confirmers;
    case SOTTO_STAGE_GATHERING:
    case SOTTO_STAGE_SHARING:
    case SOTTO_STAGE_UNMASKED:
    case SOTTO_STAGE_FAILED: break;
    }
    return &collection->heard[SOTTO_STAGE_GATHERING].who;
}

static const struct sotto_seats *heard(const struct sotto_collector *collector)
{
    return &collector->collection.heard[collector->stage].who;
}

static bool has_answered(const struct sotto_collector *collector, uint32_t seat)
{
    return is_live(collector) && seat != SOTTO_SEAT_NONE && sotto_seats_has(heard(collector), seat);
}

bool sotto_collector_has_answered(const struct sotto_collector *collector, uint32_t id)
{
    return has_answered(collector, sotto_collection_seat(&collector->collection, id));
}

static bool is_expected(const struct sotto_collector *collector,
                        const struct sotto_roster_entry *entry, uint32_t seat)
{
    const struct sotto_collection *collection = &collector->collection;

    if (has_answered(collector, seat))
        return true;
    if (!is_live(collector) || is_gone(collector, entry))
        return false;
    if (collector->stage == SOTTO_STAGE_GATHERING)
        return collection->count < collection->capacity &&
               !sotto_quota_is_full(&collection->quota, entry);
    return seat != SOTTO_SEAT_NONE && sotto_seats_has(invited(collector), seat);
}

bool sotto_collector_expects(const struct sotto_collector *collector, uint32_t id)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(collector->roster, id);

    return entry != NULL &&
           is_expected(collector, entry, sotto_collection_seat(&collector->collection, id));
}

bool sotto_collector_survived(const struct sotto_collector *collector, uint32_t id)
{
    uint32_t seat = sotto_collection_seat(&collector->collection, id);

    return seat != SOTTO_SEAT_NONE && sotto_seats_has(&collector->collection.survivors.seats, seat);
}

/* Goes on from the one that was waited for last, so that a stage looks at each place about once. */
static bool is_complete(struct sotto_collector *collector)
{
    size_t count = collector->roster->entry_count;

    if (!is_live(collector))
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t line = (collector->waited_for + i) % count;
        uint32_t seat = collector->collection.seats[line];

        if (is_expected(collector, &collector->roster->entries[line], seat) &&
            !has_answered(collector, seat)) {
            collector->waited_for = (uint32_t)line;
            return false;
        }
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
    case SOTTO_STAGE_SHARING: return sotto_outbox_cohort(collection, seat, out);
    case SOTTO_STAGE_UPLOADING: return sotto_outbox_shares(collection, seat, out);
    case SOTTO_STAGE_INCLUDING: return sotto_outbox_survivors(collection, seat, out);
    case SOTTO_STAGE_REVEALING: return sotto_outbox_inclusions(collection, seat, out);
    case SOTTO_STAGE_GATHERING:
    case SOTTO_STAGE_UNMASKED:
    case SOTTO_STAGE_FAILED: break;
    }
    return SOTTO_NOT_FOUND;
}

struct answer_rule {
    enum sotto_collector_event_kind event;
    enum sotto_stage stage; /* the only one in which it is taken */
    size_t heard;           /* where it is noted */
    enum sotto_status (*take)(struct sotto_collection *collection,
                              const struct sotto_answer *answer);
};

static const struct answer_rule answer_rules[] = {
    {SOTTO_COLLECTOR_ADVERT, SOTTO_STAGE_GATHERING, SOTTO_STAGE_GATHERING, sotto_intake_advert},
    {SOTTO_COLLECTOR_SHARES, SOTTO_STAGE_SHARING, SOTTO_STAGE_SHARING, sotto_intake_shares},
    {SOTTO_COLLECTOR_RECEIPT, SOTTO_STAGE_UPLOADING, SOTTO_HEARD_RECEIPTS, sotto_intake_receipt},
    {SOTTO_COLLECTOR_UPLOAD, SOTTO_STAGE_UPLOADING, SOTTO_STAGE_UPLOADING, sotto_intake_upload},
    {SOTTO_COLLECTOR_INCLUSION, SOTTO_STAGE_INCLUDING, SOTTO_STAGE_INCLUDING,
     sotto_intake_inclusion},
    {SOTTO_COLLECTOR_REVEAL, SOTTO_STAGE_REVEALING, SOTTO_STAGE_REVEALING, sotto_intake_reveal},
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
    struct sotto_heard *heard_then = &collector->collection.heard[rule->heard];
    struct sotto_answer given = {.bytes = event->bytes,
                                 .plan = &collector->terms.context,
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
    verdict = rule->take(&collector->collection, &given);
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
    if (sotto_collection_settle(collection, &collector->terms.context) != SOTTO_OK)
        return false;
    sotto_cohort_sign(&collection->signature, collector->signing, &collection->context);
    return true;
}

/*
 * Who has too few neighbours that shared would refuse, so that it is left out like those who did
 * not share, and with it whoever has too few without it.
 */
static bool close_sharing(struct sotto_collector *collector, struct sotto_seats *liars)
{
    struct sotto_collection *collection = &collector->collection;

    (void)liars;
    sotto_table_core(&collection->sharers, &collection->table, heard(collector),
                     collection->parameters.threshold);
    return sotto_seats_count(&collection->sharers) >= collector->terms.survivors_min;
}

/* Of everybody that shared a key is needed, from t of its neighbours. */
static bool can_be_had(const struct sotto_collection *collection, const struct sotto_seats *holders)
{
    return sotto_table_is_held(&collection->table, &collection->sharers, holders,
                               collection->parameters.threshold);
}

static bool close_uploading(struct sotto_collector *collector, struct sotto_seats *liars)
{
    struct sotto_collection *collection = &collector->collection;

    (void)liars;
    if (sotto_seats_count(heard(collector)) < collector->terms.survivors_min ||
        !can_be_had(collection, heard(collector)))
        return false;
    collection->survivors.seats = *heard(collector);
    sotto_survivors_sign(&collection->survivors, collector->signing, &collection->context,
                         collection->count);
    return true;
}

/* A participant reveals after t MACs from its neighbours; of the others nothing is to be had. */
static bool close_including(struct sotto_collector *collector, struct sotto_seats *liars)
{
    struct sotto_collection *collection = &collector->collection;

    (void)liars;
    sotto_table_well_connected(&collection->confirmers, &collection->table, heard(collector),
                               collection->parameters.threshold);
    return can_be_had(collection, &collection->confirmers);
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
        if (sotto_seats_has(&liars, seat) && effects->liar_count < SOTTO_LIARS_MAX)
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
    case SOTTO_COLLECTOR_RECEIPT:
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
