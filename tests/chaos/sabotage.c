#include "tests/chaos/sabotage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "tests/chaos/play.h"

static const struct {
    const char *name;
    enum violation violation;
    bool needs_liar;
    uint32_t sites; /* with a floor of five; 0: whatever comes */
} sabotages[SABOTAGE_COUNT] = {
    [SABOTAGE_NONE] = {"none", VIOLATION_COUNT, false, 0},
    [SABOTAGE_NO_LEDGER] = {"no-ledger", VIOLATION_SECOND_ADVERT, false, 0},
    [SABOTAGE_SEND_FIRST] = {"send-first", VIOLATION_UNRECORDED, false, 0},
    [SABOTAGE_NO_SYNC] = {"no-sync", VIOLATION_SECOND_ADVERT, false, 0},
    [SABOTAGE_NO_MASK] = {"no-mask", VIOLATION_WRONG_SUM, false, 0},
    [SABOTAGE_FORGETS_UPLOAD] = {"forgets-upload", VIOLATION_SECOND_VECTOR, false, 0},
    [SABOTAGE_FORGETS_SET] = {"forgets-set", VIOLATION_SECOND_SET, true, 0},
    [SABOTAGE_FORGETS_REVEAL] = {"forgets-reveal", VIOLATION_SECOND_REVEAL, true, 0},
    [SABOTAGE_FORGETS_BOTH] = {"forgets-both", VIOLATION_BOTH_KINDS, true, 0},
    [SABOTAGE_FORGETS_REFUSAL] = {"forgets-refusal", VIOLATION_ANSWER_AGAIN, true, 0},
    [SABOTAGE_LOW_DISTANCE] = {"low-distance", VIOLATION_CLOSE_SUMS, true, 8},
    [SABOTAGE_LOW_FLOOR] = {"low-floor", VIOLATION_SMALL_SUM, true, 5},
    [SABOTAGE_NO_CHARGE] = {"no-charge", VIOLATION_UNCHARGED, false, 0},
    [SABOTAGE_NO_BUDGET] = {"no-budget", VIOLATION_OVERSPENT, false, 0},
    [SABOTAGE_ANSWER_FIRST] = {"answer-first", VIOLATION_LOST, false, 0},
    [SABOTAGE_LOSES_UPLOAD] = {"loses-upload", VIOLATION_WRONG_SUM, false, 0},
    [SABOTAGE_LOSES_EVENT] = {"loses-event", VIOLATION_UNTOLD, false, 0},
    [SABOTAGE_LOSES_SURVIVOR] = {"loses-survivor", VIOLATION_HUB_SETS, false, 0},
    [SABOTAGE_NO_TIMER] = {"no-timer", VIOLATION_STUCK, false, 0},
};

const char *sabotage_name(enum sabotage sabotage)
{
    return sabotages[sabotage].name;
}

enum sabotage sabotage_find(const char *name)
{
    enum sabotage found = SABOTAGE_NONE;

    while (found < SABOTAGE_COUNT && strcmp(sabotages[found].name, name) != 0)
        found++;
    return found;
}

enum violation sabotage_violation(enum sabotage sabotage)
{
    return sabotages[sabotage].violation;
}

void sabotage_weather(enum sabotage sabotage, struct weather *weather)
{
    uint32_t sites = sabotages[sabotage].sites;

    weather->is_lying = weather->is_lying || sabotages[sabotage].needs_liar;
    if (sites == 0)
        return;
    weather->sites = weather->cohort_max = sites;
    weather->cohort_min = weather->survivors_min = 5;
}

void sabotage_bare(const struct play *play, struct site *site, const uint32_t plain[CHAOS_LANES],
                   struct sotto_digest *digest)
{
    struct sotto_view packed = sotto_view_of(site->packed, site->packed_length);

    if (play->sabotage != SABOTAGE_NO_MASK)
        return;
    sotto_lanes_pack(site->packed, plain, site->turn->plan.lane_count, site->turn->plan.ring_bits);
    sotto_hash(digest, &packed, 1);
}

struct sotto_view sabotage_cheapen(const struct site *site, struct sotto_view record,
                                   uint8_t bytes[SOTTO_RECORD_BYTES_MAX])
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, SOTTO_RECORD_BYTES_MAX);
    struct sotto_record decoded;

    if (site->sabotage != SABOTAGE_NO_CHARGE || sotto_record_decode(&decoded, record) != SOTTO_OK)
        return record;
    decoded.charge = 0;
    return sotto_record_encode(&buffer, &decoded) == SOTTO_OK ? sotto_view_buffer(&buffer) : record;
}

bool sabotage_drops(const struct site *site, struct sotto_view record)
{
    struct sotto_record decoded;

    return site->sabotage == SABOTAGE_NO_BUDGET &&
           sotto_record_decode(&decoded, record) == SOTTO_OK &&
           decoded.kind == SOTTO_RECORD_UPLOADED;
}

static bool is_forgotten(enum sabotage sabotage, enum sotto_mail_kind kind)
{
    switch (sabotage) {
    case SABOTAGE_FORGETS_SET: return kind == SOTTO_MAIL_SURVIVORS;
    case SABOTAGE_FORGETS_REVEAL: return kind == SOTTO_MAIL_INCLUSIONS;
    case SABOTAGE_FORGETS_BOTH:
        return kind == SOTTO_MAIL_SURVIVORS || kind == SOTTO_MAIL_INCLUSIONS;
    case SABOTAGE_FORGETS_UPLOAD: return kind == SOTTO_MAIL_NONE;
    case SABOTAGE_NONE:
    case SABOTAGE_NO_LEDGER:
    case SABOTAGE_SEND_FIRST:
    case SABOTAGE_NO_SYNC:
    case SABOTAGE_NO_MASK:
    case SABOTAGE_FORGETS_REFUSAL:
    case SABOTAGE_LOW_DISTANCE:
    case SABOTAGE_LOW_FLOOR:
    case SABOTAGE_NO_CHARGE:
    case SABOTAGE_NO_BUDGET:
    case SABOTAGE_ANSWER_FIRST:
    case SABOTAGE_LOSES_UPLOAD:
    case SABOTAGE_LOSES_EVENT:
    case SABOTAGE_LOSES_SURVIVOR:
    case SABOTAGE_NO_TIMER:
    case SABOTAGE_COUNT: return false;
    }
    return false;
}

static void image_take(struct site *site, enum sotto_mail_kind before)
{
    struct site_image *image = &site->images[site->image_count];

    if (site->image_count == SITE_IMAGES_MAX)
        return;
    *image = (struct site_image){.before = before,
                                 .round = site->turn->round,
                                 .length = site->arena.used,
                                 .rest_used = site->rest.used};
    image->bytes = malloc(image->length);
    assert(image->bytes != NULL);
    memcpy(image->bytes, site->arena.memory, image->length);
    site->image_count++;
}

static void image_restore(struct site *site, const struct site_image *image)
{
    memcpy(site->arena.memory, image->bytes, image->length);
    site->arena.used = image->length;
    site->rest.used = image->rest_used;
}

void sabotage_images_free(struct site *site)
{
    for (size_t i = 0; i < site->image_count; i++)
        free(site->images[i].bytes);
    site->image_count = 0;
}

/* In this step? */
static bool is_at_work(const struct play *play, const struct site *site,
                       const struct sotto_mail *mail)
{
    bool is_running = sotto_turn_plan(site->turn) != NULL && mail->round == site->turn->round;

    if (play->is_calm || !is_running || mail->kind == SOTTO_MAIL_PLAN)
        return false;
    if (play->sabotage == SABOTAGE_FORGETS_REFUSAL)
        return true;
    return site->turn->phase == SOTTO_PHASE_CLOSING && is_forgotten(play->sabotage, mail->kind);
}

/* Back to what it was before it heard any mail of this kind, as long as it refuses. */
static void hear_again(struct site *site, const struct sotto_mail *mail,
                       const struct sotto_turn_event *event, struct sotto_turn_effects *effects)
{
    for (size_t i = 0; i < site->image_count && effects->is_refusal_notice; i++) {
        const struct site_image *image = &site->images[i];

        if (image->before != mail->kind || image->round != mail->round)
            continue;
        image_restore(site, image);
        sotto_turn_step(site->turn, event, effects);
    }
}

void sabotage_hear(const struct play *play, struct site *site, const struct sotto_mail *mail,
                   const struct sotto_turn_event *event, struct sotto_turn_effects *effects)
{
    bool is_image_due = is_at_work(play, site, mail);

    if (mail->kind == SOTTO_MAIL_PLAN || play->sabotage == SABOTAGE_FORGETS_REFUSAL)
        sabotage_images_free(site);
    if (is_image_due)
        image_take(site, mail->kind);
    sotto_turn_step(site->turn, event, effects);
    if (play->sabotage == SABOTAGE_FORGETS_REFUSAL)
        return;
    hear_again(site, mail, event, effects);
    if (is_image_due && mail->kind == SOTTO_MAIL_SURVIVORS && !effects->is_refusal_notice)
        image_take(site, SOTTO_MAIL_INCLUSIONS);
}

void sabotage_forget_refusal(const struct play *play, struct site *site,
                             const struct sotto_turn_effects *effects)
{
    if (play->sabotage == SABOTAGE_FORGETS_REFUSAL && effects->is_refusal_notice &&
        site->image_count > 0)
        image_restore(site, &site->images[0]);
}

void sabotage_remember_update(const struct play *play, struct site *site)
{
    if (play->is_calm || !is_forgotten(play->sabotage, SOTTO_MAIL_NONE))
        return;
    sabotage_images_free(site);
    image_take(site, SOTTO_MAIL_NONE);
}

bool sabotage_forget_upload(const struct play *play, struct site *site)
{
    bool has_image = is_forgotten(play->sabotage, SOTTO_MAIL_NONE) && site->image_count > 0;

    if (has_image)
        image_restore(site, &site->images[0]);
    sabotage_images_free(site);
    return has_image;
}
