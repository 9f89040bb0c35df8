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
} sabotages[SABOTAGE_COUNT] = {
    [SABOTAGE_NONE] = {"none", VIOLATION_COUNT},
    [SABOTAGE_NO_LEDGER] = {"no-ledger", VIOLATION_SECOND_ADVERT},
    [SABOTAGE_SEND_FIRST] = {"send-first", VIOLATION_UNRECORDED},
    [SABOTAGE_NO_SYNC] = {"no-sync", VIOLATION_SECOND_ADVERT},
    [SABOTAGE_NO_MASK] = {"no-mask", VIOLATION_WRONG_SUM},
    [SABOTAGE_FORGETS_UPLOAD] = {"forgets-upload", VIOLATION_SECOND_VECTOR},
    [SABOTAGE_FORGETS_SET] = {"forgets-set", VIOLATION_SECOND_SET},
    [SABOTAGE_FORGETS_REVEAL] = {"forgets-reveal", VIOLATION_SECOND_REVEAL},
    [SABOTAGE_FORGETS_BOTH] = {"forgets-both", VIOLATION_BOTH_KINDS},
    [SABOTAGE_LOW_FLOOR] = {"low-floor", VIOLATION_SMALL_SUM},
    [SABOTAGE_ANSWER_FIRST] = {"answer-first", VIOLATION_LOST},
    [SABOTAGE_LOSES_UPLOAD] = {"loses-upload", VIOLATION_WRONG_SUM},
    [SABOTAGE_LOSES_EVENT] = {"loses-event", VIOLATION_UNTOLD},
    [SABOTAGE_NO_TIMER] = {"no-timer", VIOLATION_STUCK},
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

void sabotage_bare(const struct play *play, struct site *site, const uint32_t plain[CHAOS_LANES],
                   struct sotto_digest *digest)
{
    struct sotto_view packed = sotto_view_of(site->packed, site->packed_length);

    if (play->sabotage != SABOTAGE_NO_MASK)
        return;
    sotto_lanes_pack(site->packed, plain, CHAOS_LANES, site->turn->plan.ring_bits);
    sotto_hash(digest, &packed, 1);
}

static bool is_forgotten(enum sabotage sabotage, const struct sotto_mail *mail)
{
    bool is_set = mail != NULL && mail->kind == SOTTO_MAIL_SURVIVORS;
    bool is_reveal = mail != NULL && mail->kind == SOTTO_MAIL_INCLUSIONS;

    switch (sabotage) {
    case SABOTAGE_FORGETS_UPLOAD: return mail == NULL;
    case SABOTAGE_FORGETS_SET: return is_set;
    case SABOTAGE_FORGETS_REVEAL: return is_reveal;
    case SABOTAGE_FORGETS_BOTH: return is_set || is_reveal;
    case SABOTAGE_NONE:
    case SABOTAGE_NO_LEDGER:
    case SABOTAGE_SEND_FIRST:
    case SABOTAGE_NO_SYNC:
    case SABOTAGE_NO_MASK:
    case SABOTAGE_LOW_FLOOR:
    case SABOTAGE_ANSWER_FIRST:
    case SABOTAGE_LOSES_UPLOAD:
    case SABOTAGE_LOSES_EVENT:
    case SABOTAGE_NO_TIMER:
    case SABOTAGE_COUNT: return false;
    }
    return false;
}

void sabotage_remember(const struct play *play, struct site *site, const struct sotto_mail *mail)
{
    if (play->is_calm || !is_forgotten(play->sabotage, mail))
        return;
    free(site->image);
    site->image_length = site->arena.used;
    site->image = malloc(site->image_length);
    assert(site->image != NULL);
    memcpy(site->image, site->arena.memory, site->image_length);
}

bool sabotage_forget(struct site *site, const struct sotto_turn_effects *effects)
{
    bool has_image = site->image != NULL;

    if (has_image && !effects->is_refusal_notice) {
        memcpy(site->arena.memory, site->image, site->image_length);
        site->arena.used = site->image_length;
    }
    free(site->image);
    site->image = NULL;
    return has_image && !effects->is_refusal_notice;
}
