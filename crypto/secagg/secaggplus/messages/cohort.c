#include "crypto/secagg/secaggplus/messages/cohort.h"

#include <string.h>

#include "crypto/secagg/secaggplus/context.h"

enum { HEADER_BYTES = 12 };

static const char cohort_label[] = "sotto/1 cohort";

/* The message as it lies on the wire; nothing in it is believed yet. */
struct claim {
    uint32_t cohort;
    uint32_t neighbours;
    uint32_t threshold;
    struct sotto_view leaves;
    struct sotto_view adverts;
    struct sotto_signature signature;
};

/* The adverts of a message that parsed, and the roster entries that belong to them. */
struct company {
    uint32_t count;
    struct sotto_advert adverts[SOTTO_COHORT_MAX];
    struct sotto_digest leaves[SOTTO_COHORT_MAX];
    const struct sotto_roster_entry *entries[SOTTO_COHORT_MAX];
};

void sotto_cohort_sign(struct sotto_signature *signature, const struct sotto_secret *signing,
                       const struct sotto_digest *context)
{
    sotto_sign(signature, signing, cohort_label, sotto_view_digest(context));
}

size_t sotto_cohort_bytes(const struct sotto_parameters *parameters)
{
    return HEADER_BYTES + (size_t)parameters->cohort * SOTTO_DIGEST_BYTES +
           ((size_t)parameters->neighbours + 1) * SOTTO_ADVERT_BYTES +
           sizeof(struct sotto_signature);
}

enum sotto_status sotto_cohort_encode(struct sotto_buffer *out,
                                      const struct sotto_cohort_message *message)
{
    const struct sotto_parameters *parameters = &message->parameters;
    uint8_t header[HEADER_BYTES];

    sotto_store_u32(header, parameters->cohort);
    sotto_store_u32(header + 4, parameters->neighbours);
    sotto_store_u32(header + 8, parameters->threshold);
    if (sotto_buffer_add(out, sotto_view_of(header, sizeof header)) != SOTTO_OK)
        return SOTTO_OVER_LIMIT;
    for (uint32_t seat = 0; seat < parameters->cohort; seat++) {
        if (sotto_buffer_add(out, sotto_view_digest(&message->leaves[seat])) != SOTTO_OK)
            return SOTTO_OVER_LIMIT;
    }
    for (uint32_t seat = 0; seat <= parameters->neighbours; seat++) {
        uint8_t bytes[SOTTO_ADVERT_BYTES];

        sotto_advert_encode(bytes, &message->adverts[seat]);
        if (sotto_buffer_add(out, sotto_view_of(bytes, sizeof bytes)) != SOTTO_OK)
            return SOTTO_OVER_LIMIT;
    }
    return sotto_buffer_add(
        out, sotto_view_of(message->signature.bytes, sizeof message->signature.bytes));
}

/* Counts are u32, so that no product below can wrap a size_t. */
static enum sotto_status decode(struct claim *claim, struct sotto_view bytes)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);

    claim->cohort = sotto_cursor_u32(&cursor);
    claim->neighbours = sotto_cursor_u32(&cursor);
    claim->threshold = sotto_cursor_u32(&cursor);
    claim->leaves = sotto_cursor_take(&cursor, (size_t)claim->cohort * SOTTO_DIGEST_BYTES);
    claim->adverts =
        sotto_cursor_take(&cursor, ((size_t)claim->neighbours + 1) * SOTTO_ADVERT_BYTES);
    sotto_cursor_copy(&cursor, claim->signature.bytes, sizeof claim->signature.bytes);
    return sotto_cursor_finish(&cursor);
}

static void read_company(struct company *company, const struct claim *claim)
{
    struct sotto_cursor leaves = sotto_cursor_of(claim->leaves);

    company->count = claim->cohort;
    for (uint32_t seat = 0; seat < claim->cohort; seat++)
        sotto_cursor_copy(&leaves, company->leaves[seat].bytes, SOTTO_DIGEST_BYTES);
}

/* The graph is complete: as many adverts as leaves, all read once k is known to be n - 1. */
static enum sotto_refusal read_adverts(struct company *company, const struct claim *claim,
                                       const struct sotto_parameters *parameters)
{
    struct sotto_cursor adverts = sotto_cursor_of(claim->adverts);

    if (claim->neighbours != parameters->neighbours || claim->threshold != parameters->threshold)
        return SOTTO_REFUSAL_NEIGHBOUR_SET;
    for (uint32_t seat = 0; seat < company->count; seat++) {
        struct sotto_view bytes = sotto_cursor_take(&adverts, SOTTO_ADVERT_BYTES);

        if (sotto_advert_decode(&company->adverts[seat], bytes) != SOTTO_OK)
            return SOTTO_REFUSAL_COHORT_MALFORMED;
    }
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal find_own(uint32_t *own_seat, const struct company *company,
                                   const struct sotto_advert *own)
{
    uint8_t expected[SOTTO_ADVERT_BYTES];
    uint8_t given[SOTTO_ADVERT_BYTES];
    uint32_t found = 0;

    sotto_advert_encode(expected, own);
    for (uint32_t seat = 0; seat < company->count; seat++) {
        if (company->adverts[seat].id != own->id)
            continue;
        found++;
        *own_seat = seat;
        sotto_advert_encode(given, &company->adverts[seat]);
        if (memcmp(given, expected, sizeof expected) != 0)
            return SOTTO_REFUSAL_OWN_LEAF;
    }
    return found == 1 ? SOTTO_REFUSAL_NONE : SOTTO_REFUSAL_OWN_LEAF;
}

static enum sotto_refusal find_entries(struct company *company, const struct sotto_roster *roster)
{
    for (uint32_t seat = 0; seat < company->count; seat++) {
        company->entries[seat] = sotto_roster_find(roster, company->adverts[seat].id);
        if (company->entries[seat] == NULL)
            return SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN;
    }
    return SOTTO_REFUSAL_NONE;
}

static bool is_same_key(const struct sotto_x25519_public *left,
                        const struct sotto_x25519_public *right)
{
    return memcmp(left->bytes, right->bytes, sizeof left->bytes) == 0;
}

static bool do_collide(const struct company *company, uint32_t left, uint32_t right)
{
    const struct sotto_advert *a = &company->adverts[left];
    const struct sotto_advert *b = &company->adverts[right];
    const struct sotto_roster_entry *of_a = company->entries[left];
    const struct sotto_roster_entry *of_b = company->entries[right];

    return a->id == b->id || is_same_key(&a->mask_key, &b->mask_key) ||
           is_same_key(&a->share_key, &b->share_key) || is_same_key(&a->mask_key, &b->share_key) ||
           is_same_key(&a->share_key, &b->mask_key) ||
           memcmp(&of_a->identity, &of_b->identity, sizeof of_a->identity) == 0 ||
           sotto_digest_equal(&of_a->certificate, &of_b->certificate);
}

static enum sotto_refusal check_distinct(const struct company *company)
{
    for (uint32_t right = 0; right < company->count; right++) {
        if (is_same_key(&company->adverts[right].mask_key, &company->adverts[right].share_key))
            return SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE;
        for (uint32_t left = 0; left < right; left++) {
            if (do_collide(company, left, right))
                return SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE;
        }
    }
    return SOTTO_REFUSAL_NONE;
}

/* After check_distinct no id comes twice, so that anything but ascending is merely out of order. */
static enum sotto_refusal check_leaves(const struct company *company,
                                       const struct sotto_digest *plan)
{
    for (uint32_t seat = 0; seat < company->count; seat++) {
        const struct sotto_advert *advert = &company->adverts[seat];
        const struct sotto_roster_entry *entry = company->entries[seat];
        struct sotto_digest leaf;

        if (seat > 0 && advert->id < company->adverts[seat - 1].id)
            return SOTTO_REFUSAL_COHORT_MALFORMED;
        if (sotto_advert_verify(advert, &entry->identity, plan) != SOTTO_OK)
            return SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE;
        if (!sotto_x25519_is_usable(&advert->mask_key) ||
            !sotto_x25519_is_usable(&advert->share_key))
            return SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER;
        sotto_advert_leaf(&leaf, advert, &entry->certificate);
        if (!sotto_digest_equal(&leaf, &company->leaves[seat]))
            return SOTTO_REFUSAL_COHORT_MALFORMED;
    }
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal check_company(struct company *company, uint32_t *own_seat,
                                        const struct sotto_cohort_check *check)
{
    enum sotto_refusal refusal = find_own(own_seat, company, check->own);

    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = find_entries(company, check->roster);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_distinct(company);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_leaves(company, &check->terms->context);
    return refusal;
}

enum sotto_refusal sotto_cohort_accept(struct sotto_cohort *cohort,
                                       const struct sotto_cohort_check *check,
                                       struct sotto_view bytes)
{
    const struct sotto_terms *terms = check->terms;
    struct sotto_cohort accepted = {0};
    struct company company;
    struct claim claim;
    enum sotto_refusal refusal;

    if (decode(&claim, bytes) != SOTTO_OK)
        return SOTTO_REFUSAL_COHORT_MALFORMED;
    if (claim.cohort < terms->cohort_min || claim.cohort > terms->cohort_max)
        return SOTTO_REFUSAL_COHORT_SIZE;
    read_company(&company, &claim);
    sotto_context_of(&accepted.context, &terms->context, company.leaves, company.count);
    if (sotto_verify(&claim.signature, check->coordinator, cohort_label,
                     sotto_view_digest(&accepted.context)) != SOTTO_OK)
        return SOTTO_REFUSAL_COHORT_SIGNATURE;
    if (sotto_parameters_of(&accepted.parameters, company.count, terms) != SOTTO_OK)
        return SOTTO_REFUSAL_COHORT_SIZE;
    refusal = read_adverts(&company, &claim, &accepted.parameters);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_company(&company, &accepted.own_seat, check);
    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    for (uint32_t seat = 0; seat < company.count; seat++) {
        accepted.places[seat] =
            (struct sotto_cohort_place){.id = company.adverts[seat].id,
                                        .mask_key = company.adverts[seat].mask_key,
                                        .share_key = company.adverts[seat].share_key};
    }
    *cohort = accepted;
    return SOTTO_REFUSAL_NONE;
}
