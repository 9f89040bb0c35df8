#include "tests/chaos/deed.h"

#include <unistd.h>

#include "crypto/primitives/hash.h"
#include "crypto/secagg/secaggplus/member.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "tests/chaos/play.h"

enum { FRAME_HEAD_BYTES = 8 }; /* participant/ledger/ledger.h */

static struct watch_deed deed_of(const struct site *site)
{
    return (struct watch_deed){.place = site->place,
                               .life = site->life,
                               .context = &site->turn->context,
                               .plan = &site->turn->plan};
}

static uint32_t set_of(const uint32_t *ids, size_t count)
{
    uint32_t set = 0;

    for (size_t i = 0; i < count; i++)
        set |= 1u << (ids[i] - 1);
    return set;
}

static uint32_t cohort_of(const struct site *site)
{
    uint32_t ids[SOTTO_COHORT_MAX];

    return set_of(ids, sotto_secaggplus.member_cohort(site->turn->member, ids));
}

/* Seats of the cohort as sites. */
static uint32_t set_of_seats(const struct site *site, struct sotto_view seats)
{
    uint32_t ids[SOTTO_COHORT_MAX], set = 0;
    size_t count = sotto_secaggplus.member_cohort(site->turn->member, ids);

    for (size_t seat = 0; seat < count && seat / 8 < seats.length; seat++)
        set |= (uint32_t)(seats.at[seat / 8] >> seat % 8 & 1) << (ids[seat] - 1);
    return set;
}

void deed_heard(struct play *play, const struct site *site, const struct sotto_mail *mail)
{
    struct watch_deed deed = deed_of(site);

    if (site->turn->member == NULL || mail->round != deed.plan->round)
        return;
    if (mail->kind == SOTTO_MAIL_COHORT)
        watch_cohort(&play->watch, &deed, cohort_of(site));
    if (mail->kind == SOTTO_MAIL_INBOX && site->turn->is_ready_to_mask)
        watch_sharers(&play->watch, &deed, set_of_seats(site, mail->body));
}

/* The record that this life wrote last, read back from the file. */
static const struct sotto_record *newest(const struct site *site, struct sotto_record *record,
                                         uint8_t bytes[FRAME_HEAD_BYTES + SOTTO_RECORD_BYTES_MAX])
{
    ssize_t got = 0;
    uint32_t length = 0;

    if (site->newest_at < 0)
        return NULL;
    got = pread(site->file, bytes, FRAME_HEAD_BYTES + SOTTO_RECORD_BYTES_MAX, site->newest_at);
    length = got < FRAME_HEAD_BYTES ? UINT32_MAX : sotto_load_u32(bytes);
    if (got < FRAME_HEAD_BYTES || length > (uint32_t)got - FRAME_HEAD_BYTES ||
        sotto_record_decode(record, sotto_view_of(bytes + FRAME_HEAD_BYTES, length)) != SOTTO_OK)
        return NULL;
    return record;
}

static void record_check(struct play *play, const struct site *site,
                         const struct sotto_record *expected)
{
    uint8_t bytes[FRAME_HEAD_BYTES + SOTTO_RECORD_BYTES_MAX];
    struct watch_deed deed = deed_of(site);
    struct sotto_record record;

    watch_record(&play->watch, &deed, newest(site, &record, bytes), expected);
}

static uint32_t survivors_of(const struct site *site)
{
    uint32_t ids[SOTTO_COHORT_MAX];

    return set_of(ids, sotto_secaggplus.member_survivors(site->turn->member, ids));
}

static uint32_t owners_of(struct sotto_view reveal)
{
    struct sotto_cursor cursor = sotto_cursor_of(reveal);
    struct sotto_revealed revealed;
    uint32_t owners = 0;

    while (cursor.rest.length > 0) {
        sotto_revealed_decode(&revealed, &cursor);
        owners |= 1u << (revealed.owner - 1);
    }
    return owners;
}

/* What the record of an answer says: for the protocol, in its own bytes. */
static void set_record_check(struct play *play, const struct site *site,
                             enum sotto_record_kind kind)
{
    uint8_t bytes[FRAME_HEAD_BYTES + SOTTO_RECORD_BYTES_MAX];
    uint32_t note_kind =
        kind == SOTTO_RECORD_REVEALED ? SOTTO_MEMBER_RECORD_REVEAL : SOTTO_MEMBER_RECORD_SURVIVORS;
    struct sotto_record record;
    const struct sotto_record *found = newest(site, &record, bytes);

    record_check(play, site, &(struct sotto_record){.kind = kind});
    if (found == NULL || found->note.length != SOTTO_MEMBER_RECORD_BYTES ||
        sotto_load_u32(found->note.at) != note_kind)
        watch_tell(&play->watch, VIOLATION_UNRECORDED,
                   "site %u sends, and its record does not say which set", site->place + 1);
    if (found != NULL && kind == SOTTO_RECORD_REVEALED &&
        set_of(found->members, found->member_count) != survivors_of(site))
        watch_tell(&play->watch, VIOLATION_UNRECORDED,
                   "site %u reveals another sum than it recorded", site->place + 1);
}

void deed_answer(struct play *play, const struct site *site,
                 const struct sotto_turn_effects *effects)
{
    struct watch_deed deed = deed_of(site);

    switch (effects->answers) {
    case SOTTO_MAIL_PLAN:
        record_check(play, site,
                     &(struct sotto_record){.kind = SOTTO_RECORD_JOINED, .digest = *deed.context});
        watch_advert(&play->watch, &deed);
        return;
    case SOTTO_MAIL_SURVIVORS:
        set_record_check(play, site, SOTTO_RECORD_ANSWERED);
        watch_set(&play->watch, &deed, survivors_of(site));
        return;
    case SOTTO_MAIL_INCLUSIONS:
        set_record_check(play, site, SOTTO_RECORD_REVEALED);
        play->tally.reveals++;
        watch_reveal(&play->watch, &deed, owners_of(effects->send), survivors_of(site));
        return;
    case SOTTO_MAIL_COHORT:
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_INBOX:
    case SOTTO_MAIL_OUTCOME: return;
    }
}

void deed_upload(struct play *play, const struct site *site,
                 const struct sotto_turn_effects *effects)
{
    struct sotto_view packed = sotto_view_of(site->packed, site->packed_length);
    struct watch_deed deed = deed_of(site);
    struct sotto_digest digest;

    sotto_hash(&digest, &packed, 1);
    record_check(play, site,
                 &(struct sotto_record){.kind = SOTTO_RECORD_UPLOADED, .digest = effects->digest});
    if (!sotto_digest_equal(&digest, &effects->digest))
        watch_tell(&play->watch, VIOLATION_UNRECORDED,
                   "site %u uploads other lanes than it recorded", site->place + 1);
    watch_vector(&play->watch, &deed, &digest);
}

void deed_plain(struct play *play, const struct site *site, const uint32_t plain[CHAOS_LANES])
{
    struct watch_deed deed = deed_of(site);

    watch_plain(&play->watch, &deed, plain);
}
