#include "crypto/secagg/secaggplus/member.h"

#include <string.h>

#include "crypto/secagg/secaggplus/keys/keyring.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/receipt.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "crypto/secagg/secaggplus/messages/survivors.h"

/* Where a participant stands, each phase named for what was done last. */
enum phase {
    PHASE_FRESH,
    PHASE_ADVERTISED,
    PHASE_SHARED,
    PHASE_READY,  /* masks are known; the job may run */
    PHASE_MASKED, /* the job has run */
    PHASE_UPLOADED,
    PHASE_INCLUDED,
    PHASE_REVEALED,
    PHASE_REFUSED,
};

struct sotto_member {
    enum phase phase;
    enum sotto_refusal refusal;
    struct sotto_terms terms;
    const struct sotto_roster *roster;
    const struct sotto_secret *identity;
    struct sotto_ed25519_public coordinator;

    struct sotto_advert advert;
    struct sotto_secrets secrets; /* until they are shared */
    struct sotto_cohort cohort;
    struct sotto_keyring keyring;
    struct sotto_seats sharers;
    struct sotto_digest sharers_digest;
    struct sotto_seats survivors;
    struct sotto_digest survivors_digest;

    uint8_t record[SOTTO_MEMBER_RECORD_BYTES];
    uint8_t *out; /* room for the longest message that a participant sends, its shares */
};

static size_t out_bytes(const struct sotto_member *member)
{
    size_t shares =
        SOTTO_DIGEST_BYTES + (size_t)member->cohort.neighbour_capacity * SOTTO_SEALED_BYTES;

    return shares > SOTTO_ADVERT_BYTES ? shares : SOTTO_ADVERT_BYTES;
}

/* Everything is asked for, so that a counting arena adds it up. */
static enum sotto_status take_memory(struct sotto_member *member, struct sotto_arena *arena,
                                     const struct sotto_member_setup *setup)
{
    enum sotto_status status =
        sotto_cohort_init(&member->cohort, arena, setup->terms, setup->roster);

    if (sotto_keyring_init(&member->keyring, arena, member->cohort.neighbour_capacity) != SOTTO_OK)
        status = SOTTO_NO_MEMORY;
    member->out = sotto_arena_take(arena, out_bytes(member), 1);
    if (member->out == NULL)
        status = SOTTO_NO_MEMORY;
    return status;
}

enum sotto_status sotto_member_open(struct sotto_member **member, struct sotto_arena *arena,
                                    const struct sotto_member_setup *setup)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(setup->roster, setup->id);
    struct sotto_ed25519_public identity;
    struct sotto_member memory = {0};
    struct sotto_member *opened;

    sotto_ed25519_public_of(&identity, setup->identity);
    if (sotto_parameters_check(setup->terms) != SOTTO_OK || entry == NULL ||
        memcmp(&entry->identity, &identity, sizeof identity) != 0)
        return SOTTO_MISMATCH;
    opened = sotto_arena_take(arena, 1, sizeof *opened);
    if (take_memory(&memory, arena, setup) != SOTTO_OK || opened == NULL)
        return SOTTO_NO_MEMORY;
    *opened = memory;
    opened->phase = PHASE_FRESH;
    opened->terms = *setup->terms;
    opened->roster = setup->roster;
    opened->identity = setup->identity;
    opened->coordinator = setup->coordinator;
    opened->advert.id = setup->id;
    sotto_secrets_derive(&opened->secrets, setup->seed, &setup->terms->context);
    *member = opened;
    return SOTTO_OK;
}

/* The pointers stay, so that a second time is harmless. */
void sotto_member_wipe(struct sotto_member *member)
{
    enum sotto_refusal refusal = member->refusal;

    sotto_keyring_wipe(&member->keyring);
    sotto_wipe(member->out, out_bytes(member));
    sotto_wipe(&member->secrets, sizeof member->secrets);
    sotto_wipe(member->record, sizeof member->record);
    member->cohort.parameters = (struct sotto_parameters){0};
    member->survivors = (struct sotto_seats){0};
    member->sharers = (struct sotto_seats){0};
    member->phase = PHASE_REFUSED;
    member->refusal = refusal == SOTTO_REFUSAL_NONE ? SOTTO_REFUSAL_SECOND_MESSAGE : refusal;
}

size_t sotto_member_cohort(const struct sotto_member *member, uint32_t *ids)
{
    for (uint32_t seat = 0; seat < member->cohort.parameters.cohort; seat++)
        ids[seat] = member->cohort.ids[seat];
    return member->cohort.parameters.cohort;
}

size_t sotto_member_survivors(const struct sotto_member *member, uint32_t *ids)
{
    size_t count = 0;

    for (uint32_t seat = 0; seat < member->cohort.parameters.cohort; seat++) {
        if (sotto_seats_has(&member->survivors, seat))
            ids[count++] = member->cohort.ids[seat];
    }
    return count;
}

uint32_t sotto_member_sum_min(const struct sotto_member *member)
{
    return sotto_parameters_floor(&member->cohort.parameters, member->terms.survivors_min);
}

static bool is_neighbour_in(const struct sotto_member *member, const struct sotto_seats *seats,
                            uint32_t slot)
{
    return sotto_seats_has(seats, member->cohort.circle.neighbours[slot]);
}

static void store(struct sotto_member *member, struct sotto_member_effects *effects,
                  enum sotto_member_record kind, const struct sotto_digest *digest)
{
    sotto_store_u32(member->record, kind);
    memcpy(member->record + 4, member->cohort.context.bytes, SOTTO_DIGEST_BYTES);
    memcpy(member->record + 4 + SOTTO_DIGEST_BYTES, digest->bytes, SOTTO_DIGEST_BYTES);
    effects->store = sotto_view_of(member->record, sizeof member->record);
}

static enum sotto_refusal begin(struct sotto_member *member, const struct sotto_member_event *event,
                                struct sotto_member_effects *effects)
{
    struct sotto_advert *advert = &member->advert;

    (void)event;
    sotto_x25519_public_of(&advert->mask_key, &member->secrets.mask_key);
    sotto_x25519_public_of(&advert->share_key, &member->secrets.share_key);
    memcpy(advert->nonce, member->secrets.nonce.bytes, sizeof advert->nonce);
    sotto_advert_sign(advert, member->identity, &member->terms.context);
    sotto_advert_encode(member->out, advert);
    effects->send = sotto_view_of(member->out, SOTTO_ADVERT_BYTES);
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal share(struct sotto_member *member, const struct sotto_member_event *event,
                                struct sotto_member_effects *effects)
{
    const struct sotto_cohort_check check = {.terms = &member->terms,
                                             .roster = member->roster,
                                             .coordinator = &member->coordinator,
                                             .own = &member->advert};
    enum sotto_refusal refusal = sotto_cohort_accept(&member->cohort, &check, event->bytes);

    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    if (sotto_keyring_derive(&member->keyring, &member->cohort, &member->secrets,
                             member->advert.id) != SOTTO_OK)
        return SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER;
    sotto_keyring_seal(member->out, &member->keyring, &member->cohort, &member->secrets);
    sotto_wipe(&member->secrets, sizeof member->secrets);
    effects->send = sotto_view_of(
        member->out, SOTTO_DIGEST_BYTES + (size_t)member->cohort.circle.count * SOTTO_SEALED_BYTES);
    return SOTTO_REFUSAL_NONE;
}

/* Do enough take part for the terms, and enough of them hold shares of this participant's? */
static bool are_enough(const struct sotto_member *member, const struct sotto_seats *seats)
{
    return sotto_seats_count(seats) >= member->terms.survivors_min &&
           sotto_circle_count(&member->cohort.circle, seats) >= member->cohort.parameters.threshold;
}

static bool is_ring(const struct sotto_member *member)
{
    return !sotto_parameters_is_complete(&member->cohort.parameters);
}

static struct sotto_view give_receipt(struct sotto_member *member)
{
    const struct sotto_receipt_claim claim = {.context = &member->cohort.context,
                                              .sharers = &member->sharers_digest};

    sotto_seats_digest(&member->sharers_digest, &member->sharers, member->cohort.circle.cohort);
    sotto_receipt_sign(member->out, member->identity, &claim);
    return sotto_view_of(member->out, SOTTO_RECEIPT_BYTES);
}

static enum sotto_refusal receive_shares(struct sotto_member *member,
                                         const struct sotto_member_event *event,
                                         struct sotto_member_effects *effects)
{
    struct sotto_inbox inbox;

    if (sotto_inbox_decode(&inbox, event->bytes, &member->cohort.circle) != SOTTO_OK)
        return SOTTO_REFUSAL_INBOX_MALFORMED;
    if (!are_enough(member, &inbox.senders))
        return SOTTO_REFUSAL_TOO_FEW_SHARED;
    if (sotto_keyring_open(&member->keyring, &member->cohort, &inbox) != SOTTO_OK)
        return SOTTO_REFUSAL_SHARE_SEALED;
    member->sharers = inbox.senders;
    if (is_ring(member))
        effects->send = give_receipt(member);
    sotto_keyring_choose(&member->keyring, &member->cohort.circle, &member->sharers);
    effects->is_ready_to_mask = true;
    return SOTTO_REFUSAL_NONE;
}

enum sotto_status sotto_member_mask(struct sotto_member *member, uint32_t *lanes, size_t lane_count)
{
    const struct sotto_lane_window all = {.first = 0, .count = lane_count};
    enum sotto_status status;

    if (member->phase != PHASE_READY)
        return SOTTO_UNEXPECTED;
    if (lane_count != member->terms.lane_count)
        return SOTTO_MISMATCH;
    status = sotto_streams_apply(lanes, all, member->keyring.streams,
                                 (size_t)member->cohort.circle.count + 1, member->terms.ring_bits);
    if (status != SOTTO_OK)
        return status;
    sotto_keyring_wipe_streams(&member->keyring);
    member->phase = PHASE_MASKED;
    return SOTTO_OK;
}

static enum sotto_refusal bind_upload(struct sotto_member *member,
                                      const struct sotto_member_event *event,
                                      struct sotto_member_effects *effects)
{
    store(member, effects, SOTTO_MEMBER_RECORD_UPLOAD, &event->digest);
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal check_survivors(const struct sotto_member *member,
                                          const struct sotto_survivors *survivors)
{
    const struct sotto_parameters *parameters = &member->cohort.parameters;

    if (sotto_survivors_verify(survivors, &member->coordinator, &member->cohort.context,
                               parameters->cohort) != SOTTO_OK)
        return SOTTO_REFUSAL_SURVIVORS_SIGNATURE;
    if (!sotto_seats_has(&survivors->seats, member->cohort.circle.owner))
        return SOTTO_REFUSAL_OWN_BIT;
    if (!sotto_seats_within(&survivors->seats, &member->sharers))
        return SOTTO_REFUSAL_SURVIVOR_STRANGER;
    if (!are_enough(member, &survivors->seats))
        return SOTTO_REFUSAL_TOO_FEW_SURVIVORS;
    return SOTTO_REFUSAL_NONE;
}

static size_t receipts_bytes(const struct sotto_member *member, const struct sotto_seats *survivors)
{
    if (!is_ring(member))
        return 0;
    return (size_t)sotto_circle_count(&member->cohort.circle, survivors) * SOTTO_RECEIPT_BYTES;
}

/* Every neighbour whose self mask may be told has made its masks with the same participants. */
static enum sotto_refusal check_receipts(const struct sotto_member *member,
                                         const struct sotto_seats *survivors,
                                         struct sotto_view receipts)
{
    const struct sotto_receipt_claim claim = {.context = &member->cohort.context,
                                              .sharers = &member->sharers_digest};
    const struct sotto_circle *circle = &member->cohort.circle;
    const uint8_t *receipt = receipts.at;

    for (uint32_t slot = 0; slot < circle->count && receipts.length > 0; slot++) {
        uint32_t seat = circle->neighbours[slot];

        if (!sotto_seats_has(survivors, seat))
            continue;
        if (sotto_receipt_verify(receipt, &member->cohort.entries[seat]->identity, &claim) !=
            SOTTO_OK)
            return SOTTO_REFUSAL_RECEIPT;
        receipt += SOTTO_RECEIPT_BYTES;
    }
    return SOTTO_REFUSAL_NONE;
}

/* A signature and a MAC for each surviving neighbour over the set just accepted. */
static struct sotto_view confirm(struct sotto_member *member)
{
    const struct sotto_inclusion_claim claim = {.context = &member->cohort.context,
                                                .survivors = &member->survivors_digest};
    struct sotto_signature signature;
    size_t length = sizeof signature.bytes;

    sotto_inclusion_sign(&signature, member->identity, &claim);
    memcpy(member->out, signature.bytes, sizeof signature.bytes);
    for (uint32_t slot = 0; slot < member->cohort.circle.count; slot++) {
        if (!is_neighbour_in(member, &member->survivors, slot))
            continue;
        sotto_inclusion_mac(member->out + length, &member->keyring.neighbours[slot].keys.confirm,
                            &claim);
        length += SOTTO_INCLUSION_MAC_BYTES;
    }
    return sotto_view_of(member->out, length);
}

static enum sotto_refusal include(struct sotto_member *member,
                                  const struct sotto_member_event *event,
                                  struct sotto_member_effects *effects)
{
    uint32_t cohort = member->cohort.parameters.cohort;
    struct sotto_survivors survivors;
    struct sotto_view receipts;
    enum sotto_refusal refusal;

    if (sotto_survivors_decode(&survivors, &receipts, event->bytes, cohort) != SOTTO_OK ||
        receipts.length != receipts_bytes(member, &survivors.seats))
        return SOTTO_REFUSAL_SURVIVORS_MALFORMED;
    refusal = check_survivors(member, &survivors);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_receipts(member, &survivors.seats, receipts);
    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    member->survivors = survivors.seats;
    sotto_seats_digest(&member->survivors_digest, &member->survivors, cohort);
    store(member, effects, SOTTO_MEMBER_RECORD_SURVIVORS, &member->survivors_digest);
    effects->send = confirm(member);
    return SOTTO_REFUSAL_NONE;
}

/* Valid MACs from surviving neighbours; others count for nothing. */
static uint32_t count_confirmations(const struct sotto_member *member,
                                    const struct sotto_inclusions *inclusions)
{
    const struct sotto_inclusion_claim claim = {.context = &member->cohort.context,
                                                .survivors = &member->survivors_digest};
    const uint8_t *mac = inclusions->macs.at;
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < member->cohort.circle.count; slot++) {
        if (!is_neighbour_in(member, &inclusions->senders, slot))
            continue;
        if (is_neighbour_in(member, &member->survivors, slot) &&
            sotto_inclusion_check(mac, &member->keyring.neighbours[slot].keys.verify, &claim) ==
                SOTTO_OK)
            count++;
        mac += SOTTO_INCLUSION_MAC_BYTES;
    }
    return count;
}

/*
 * One share of every neighbour that shared, of the kind that the survivor set decides; then nothing
 * is left to tell.
 */
static struct sotto_view reveal_shares(struct sotto_member *member)
{
    size_t length = 0;

    for (uint32_t slot = 0; slot < member->cohort.circle.count; slot++) {
        const struct sotto_share_pair *held = &member->keyring.neighbours[slot].held;
        struct sotto_revealed revealed = {.owner =
                                              sotto_cohort_neighbour(&member->cohort, slot)->id};

        if (!is_neighbour_in(member, &member->sharers, slot))
            continue;
        revealed.share =
            is_neighbour_in(member, &member->survivors, slot) ? held->self : held->mask;
        sotto_revealed_encode(member->out + length, &revealed);
        length += SOTTO_REVEALED_BYTES;
    }
    sotto_keyring_wipe(&member->keyring);
    return sotto_view_of(member->out, length);
}

static enum sotto_refusal reveal(struct sotto_member *member,
                                 const struct sotto_member_event *event,
                                 struct sotto_member_effects *effects)
{
    struct sotto_inclusions inclusions;

    if (sotto_inclusions_decode(&inclusions, event->bytes, &member->cohort.circle) != SOTTO_OK ||
        count_confirmations(member, &inclusions) < member->cohort.parameters.threshold)
        return SOTTO_REFUSAL_INCLUSION;
    store(member, effects, SOTTO_MEMBER_RECORD_REVEAL, &member->survivors_digest);
    effects->send = reveal_shares(member);
    effects->is_done = true;
    return SOTTO_REFUSAL_NONE;
}

struct rule {
    enum phase phase;
    enum sotto_member_event_kind event;
    enum sotto_refusal (*action)(struct sotto_member *member,
                                 const struct sotto_member_event *event,
                                 struct sotto_member_effects *effects);
    enum phase next;
};

/* PHASE_READY is left by the masking job. What has no row is refused. */
static const struct rule rules[] = {
    {PHASE_FRESH, SOTTO_MEMBER_BEGIN, begin, PHASE_ADVERTISED},
    {PHASE_ADVERTISED, SOTTO_MEMBER_COHORT, share, PHASE_SHARED},
    {PHASE_SHARED, SOTTO_MEMBER_INBOX, receive_shares, PHASE_READY},
    {PHASE_MASKED, SOTTO_MEMBER_MASKED, bind_upload, PHASE_UPLOADED},
    {PHASE_UPLOADED, SOTTO_MEMBER_SURVIVORS, include, PHASE_INCLUDED},
    {PHASE_INCLUDED, SOTTO_MEMBER_INCLUSIONS, reveal, PHASE_REVEALED},
};

static const struct rule *find_rule(enum phase phase, enum sotto_member_event_kind event)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].phase == phase && rules[i].event == event)
            return &rules[i];
    }
    return NULL;
}

static enum sotto_refusal out_of_order(const struct sotto_member *member)
{
    if (member->phase == PHASE_REFUSED)
        return member->refusal;
    return member->phase == PHASE_REVEALED ? SOTTO_REFUSAL_AFTER_REVEAL
                                           : SOTTO_REFUSAL_SECOND_MESSAGE;
}

void sotto_member_step(struct sotto_member *member, const struct sotto_member_event *event,
                       struct sotto_member_effects *effects)
{
    const struct rule *rule = find_rule(member->phase, event->kind);
    enum sotto_refusal refusal;

    *effects = (struct sotto_member_effects){0};
    refusal = rule != NULL ? rule->action(member, event, effects) : out_of_order(member);
    if (refusal == SOTTO_REFUSAL_NONE) {
        member->phase = rule->next;
        return;
    }
    member->refusal = refusal;
    sotto_member_wipe(member);
    *effects = (struct sotto_member_effects){.refusal = refusal};
}
