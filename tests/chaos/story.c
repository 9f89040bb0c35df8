#include "tests/chaos/story.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/round/round.h"
#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"

enum { COLLUDER_BYTES = 1024 * 1024, MESSAGE_BYTES = 16 * 1024 };

static struct sotto_terms terms_of(const struct story_setup *setup)
{
    const struct sotto_plan *plan = setup->plan;

    return (struct sotto_terms){.context = setup->context,
                                .lane_count = plan->lane_count,
                                .ring_bits = plan->ring_bits,
                                .cohort_min = setup->cohort_min,
                                .cohort_max = plan->cohort_max,
                                .survivors_min = setup->survivors_min,
                                .corrupt_fraction = plan->corrupt_fraction,
                                .dropout_fraction = plan->dropout_fraction,
                                .organisation_max = plan->organisation_max};
}

enum sotto_stage story_stage(const struct story *story)
{
    return sotto_secaggplus.collector_stage(story->collector);
}

enum sotto_status story_tell(const struct story *story, uint32_t site, struct sotto_buffer *out)
{
    return sotto_secaggplus.collector_message(story->collector, site, out);
}

static void feed(struct story *story, const struct sotto_collector_event *event)
{
    struct sotto_collector_effects effects;

    sotto_secaggplus.collector_step(story->collector, event, &effects);
}

/* Masked zeros; what becomes of them is the liar's own affair. */
static void colluder_upload(struct story *story, struct sotto_member_event *masked)
{
    uint32_t lanes[CHAOS_LANES] = {0};
    uint8_t bytes[CHAOS_PACKED_BYTES_MAX];
    unsigned ring_bits = story->setup.plan->ring_bits;
    uint32_t lane_count = story->setup.plan->lane_count;
    struct sotto_view packed =
        sotto_view_of(bytes, sotto_lanes_packed_bytes(lane_count, ring_bits));

    if (sotto_secaggplus.member_mask(story->colluder, lanes, lane_count) != SOTTO_OK)
        return;
    sotto_lanes_pack(bytes, lanes, lane_count, ring_bits);
    sotto_hash(&masked->digest, &packed, 1);
}

/* The colluder hears this and its answer goes into the same story. */
static void colluder_step(struct story *story, struct sotto_member_event *heard,
                          enum sotto_collector_event_kind kind)
{
    struct sotto_collector_event said = {.kind = kind, .id = story->setup.colluder};
    struct sotto_member_effects effects = {0};

    sotto_secaggplus.member_step(story->colluder, heard, &effects);
    if (effects.refusal == SOTTO_REFUSAL_NONE && effects.is_ready_to_mask) {
        *heard = (struct sotto_member_event){.kind = SOTTO_MEMBER_MASKED};
        colluder_upload(story, heard);
        sotto_secaggplus.member_step(story->colluder, heard, &effects);
        said.digest = heard->digest;
    }
    if (effects.refusal != SOTTO_REFUSAL_NONE) {
        story->colluder = NULL;
        return;
    }
    said.bytes = effects.send;
    feed(story, &said);
}

/* In the stage that has just begun. */
static void colluder_answer(struct story *story)
{
    static const struct {
        enum sotto_member_event_kind heard;
        enum sotto_collector_event_kind said;
    } turns[] = {
        [SOTTO_STAGE_GATHERING] = {SOTTO_MEMBER_BEGIN, SOTTO_COLLECTOR_ADVERT},
        [SOTTO_STAGE_SHARING] = {SOTTO_MEMBER_COHORT, SOTTO_COLLECTOR_SHARES},
        [SOTTO_STAGE_UPLOADING] = {SOTTO_MEMBER_INBOX, SOTTO_COLLECTOR_UPLOAD},
        [SOTTO_STAGE_INCLUDING] = {SOTTO_MEMBER_SURVIVORS, SOTTO_COLLECTOR_INCLUSION},
        [SOTTO_STAGE_REVEALING] = {SOTTO_MEMBER_INCLUSIONS, SOTTO_COLLECTOR_REVEAL},
    };
    enum sotto_stage stage = story_stage(story);
    uint8_t bytes[MESSAGE_BYTES];
    struct sotto_buffer message = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_member_event heard;

    if (story->colluder == NULL || stage > SOTTO_STAGE_REVEALING)
        return;
    heard = (struct sotto_member_event){.kind = turns[stage].heard};
    if (stage != SOTTO_STAGE_GATHERING) {
        if (story_tell(story, story->setup.colluder, &message) != SOTTO_OK)
            return;
        heard.bytes = sotto_view_buffer(&message);
    }
    colluder_step(story, &heard, turns[stage].said);
}

/* Its secrets follow from the plan, so that it says the same in every story of it. */
static void colluder_open(struct story *story, const struct sotto_terms *terms)
{
    const struct ground *ground = story->setup.ground;
    struct sotto_secret seed;
    enum sotto_status status;
    struct sotto_member_setup setup = {.terms = terms,
                                       .roster = story->setup.roster,
                                       .id = story->setup.colluder,
                                       .coordinator = ground->coordinator,
                                       .seed = &seed};

    if (setup.id == 0)
        return;
    setup.identity = &ground->identities[setup.id - 1];
    memcpy(seed.bytes, story->setup.context.bytes, sizeof seed.bytes);
    status = sotto_secaggplus.member_open(&story->colluder, &story->arena, &setup);
    assert(status == SOTTO_OK);
}

void story_open(struct story *story, const struct story_setup *setup)
{
    struct sotto_terms terms = terms_of(setup);
    struct sotto_collector_setup collector = {
        .terms = &terms, .roster = setup->roster, .signing = &setup->ground->signing};
    enum sotto_status status;

    *story = (struct story){.setup = *setup};
    status = sotto_arena_open(&story->arena,
                              sotto_round_bytes(&sotto_secaggplus, setup->plan, setup->roster) +
                                  COLLUDER_BYTES);
    if (status == SOTTO_OK)
        status = sotto_secaggplus.collector_open(&story->collector, &story->arena, &collector);
    assert(status == SOTTO_OK);
    colluder_open(story, &terms);
    colluder_answer(story);
}

void story_close(struct story *story)
{
    if (story->collector == NULL)
        return;
    sotto_secaggplus.collector_wipe(story->collector);
    sotto_arena_close(&story->arena);
    for (size_t i = 0; i < story->event_count; i++)
        free(story->events[i].bytes);
    story->collector = NULL;
}

bool story_is_complete(const struct story *story)
{
    for (size_t i = 0; i < story->setup.roster->entry_count; i++) {
        uint32_t id = story->setup.roster->entries[i].id;

        if (sotto_secaggplus.collector_expects(story->collector, id) &&
            !sotto_secaggplus.collector_has_answered(story->collector, id))
            return false;
    }
    return true;
}

static void event_keep(struct story *story, const struct sotto_collector_event *event)
{
    struct story_event *kept = &story->events[story->event_count++];

    assert(story->event_count <= STORY_EVENTS_MAX);
    kept->event = *event;
    kept->bytes = malloc(event->bytes.length + 1);
    assert(kept->bytes != NULL);
    if (event->bytes.length > 0)
        memcpy(kept->bytes, event->bytes.at, event->bytes.length);
    kept->event.bytes.at = kept->bytes;
}

void story_take(struct story *story, const struct sotto_collector_event *event)
{
    enum sotto_stage stage = story_stage(story);
    struct sotto_collector_effects effects;

    if (stage > SOTTO_STAGE_REVEALING)
        return;
    sotto_secaggplus.collector_step(story->collector, event, &effects);
    if (effects.verdict != SOTTO_OK || effects.is_repeat)
        return;
    event_keep(story, event);
    if (story_stage(story) != stage)
        colluder_answer(story);
}

void story_fork(struct story *story, const struct story *other, uint32_t without)
{
    size_t begun = 0;

    story_open(story, &other->setup);
    for (size_t i = 0; i < other->event_count; i++)
        if (other->events[i].event.kind == SOTTO_COLLECTOR_CLOSE)
            begun = i + 1;
    for (size_t i = 0; i < other->event_count; i++) {
        const struct sotto_collector_event *event = &other->events[i].event;

        if (i < begun || (without >> (event->id - 1) & 1) == 0)
            story_take(story, event);
    }
}
