#include "tests/crypto/secagg_forgery.h"

#include <string.h>

#include "tests/support/cmocka.h"

/* The adverts of everybody, each from the mail of its own sender. */
static void read_adverts(struct forged_cohort *forged, struct chorus *chorus)
{
    size_t adverts_at = sotto_cohort_bytes(&forged->parameters) - sizeof(struct sotto_signature) -
                        (forged->parameters.neighbours + 1) * (size_t)SOTTO_ADVERT_BYTES;

    for (uint32_t seat = 0; seat < forged->parameters.cohort; seat++) {
        struct sotto_view mail = chorus_mail(chorus, seat);
        struct sotto_advert *advert = &forged->adverts[seat];

        mail.at += adverts_at;
        do {
            assert_int_equal(
                sotto_advert_decode(advert, sotto_view_of(mail.at, SOTTO_ADVERT_BYTES)), SOTTO_OK);
            mail.at += SOTTO_ADVERT_BYTES;
        } while (advert->id != chorus_id(seat));
    }
}

void forged_cohort_read(struct forged_cohort *forged, struct chorus *chorus)
{
    struct sotto_cursor cursor = sotto_cursor_of(chorus_mail(chorus, 0));
    uint32_t cohort = sotto_cursor_u32(&cursor);

    memset(forged, 0, sizeof *forged);
    forged->parameters.cohort = cohort;
    forged->parameters.neighbours = sotto_cursor_u32(&cursor);
    forged->parameters.threshold = sotto_cursor_u32(&cursor);
    if (!sotto_parameters_is_complete(&forged->parameters))
        (void)sotto_cursor_take(&cursor, 4 * (size_t)cohort);
    for (uint32_t seat = 0; seat < cohort; seat++) {
        forged->ids[seat] = chorus_id(seat);
        sotto_cursor_copy(&cursor, forged->leaves[seat].bytes, SOTTO_DIGEST_BYTES);
    }
    read_adverts(forged, chorus);
}

static void resize(struct forged_cohort *forged, uint32_t count)
{
    const struct sotto_terms terms = {.survivors_min = SOTTO_COHORT_MIN, .corrupt_fraction = 0.05};

    assert_int_equal(sotto_parameters_of(&forged->parameters, count, &terms), SOTTO_OK);
}

void forged_cohort_remove(struct forged_cohort *forged, uint32_t seat)
{
    uint32_t after = forged->parameters.cohort - seat - 1;

    memmove(&forged->leaves[seat], &forged->leaves[seat + 1], after * sizeof forged->leaves[0]);
    memmove(&forged->adverts[seat], &forged->adverts[seat + 1], after * sizeof forged->adverts[0]);
    resize(forged, forged->parameters.cohort - 1);
}

void forged_cohort_repeat(struct forged_cohort *forged, uint32_t from)
{
    uint32_t after = forged->parameters.cohort - from;

    memmove(&forged->leaves[from + 1], &forged->leaves[from], after * sizeof forged->leaves[0]);
    memmove(&forged->adverts[from + 1], &forged->adverts[from], after * sizeof forged->adverts[0]);
    resize(forged, forged->parameters.cohort + 1);
}

void forged_cohort_sign_advert(struct forged_cohort *forged, const struct chorus *chorus,
                               uint32_t seat, uint32_t place)
{
    sotto_advert_sign(&forged->adverts[seat], &chorus->identities[place], &chorus->terms.context);
}

void forged_cohort_hash(struct forged_cohort *forged, const struct chorus *chorus)
{
    for (uint32_t seat = 0; seat < forged->parameters.cohort; seat++) {
        const struct sotto_roster_entry *entry =
            sotto_roster_find(&chorus->roster, forged->adverts[seat].id);

        if (entry != NULL)
            sotto_advert_leaf(&forged->leaves[seat], &forged->adverts[seat], &entry->certificate);
    }
}

/* What follows from a forged cohort: its ids on the wire, ctx1, the receiver's neighbours. */
struct consequence {
    uint8_t ids[4 * FORGED_COHORT_MAX];
    struct sotto_digest context;
    uint16_t neighbours[FORGED_COHORT_MAX];
};

static void find_neighbours(struct consequence *consequence, const struct forged_cohort *forged)
{
    struct sotto_digest positions[FORGED_COHORT_MAX];
    uint32_t order[FORGED_COHORT_MAX];
    uint32_t seats[FORGED_COHORT_MAX];
    struct sotto_ring ring = {.positions = positions, .order = order};
    uint32_t count = forged->parameters.neighbours;

    if (forged->is_told || count % 2 == 1 || count >= forged->parameters.cohort) {
        for (uint32_t slot = 0; slot < count; slot++)
            consequence->neighbours[slot] =
                (uint16_t)(forged->is_told ? forged->neighbours[slot]
                                           : slot + (slot >= forged->receiver));
        return;
    }
    sotto_ring_place(&ring, &consequence->context, forged->leaves, forged->parameters.cohort);
    sotto_ring_neighbours(seats, &ring, sotto_ring_find(&ring, forged->receiver), count);
    for (uint32_t slot = 0; slot < count; slot++)
        consequence->neighbours[slot] = (uint16_t)seats[slot];
}

static struct sotto_cohort_message follow(struct consequence *consequence,
                                          const struct forged_cohort *forged,
                                          const struct chorus *chorus)
{
    struct sotto_cohort_message message = {
        .parameters = forged->parameters,
        .ids = sotto_view_of(consequence->ids, 4 * (size_t)forged->parameters.cohort),
        .leaves = forged->leaves,
        .adverts = forged->adverts,
        .receiver = forged->receiver,
        .neighbours = consequence->neighbours};

    for (uint32_t seat = 0; seat < forged->parameters.cohort; seat++)
        sotto_store_u32(consequence->ids + 4 * (size_t)seat, forged->ids[seat]);
    sotto_cohort_context(&consequence->context, &chorus->terms.context, &message);
    find_neighbours(consequence, forged);
    sotto_cohort_sign(&message.signature, &chorus->signing, &consequence->context);
    return message;
}

struct sotto_view forged_cohort_write(const struct forged_cohort *forged, struct chorus *chorus)
{
    struct sotto_buffer out = sotto_buffer_of(chorus->wire, sizeof chorus->wire);
    struct consequence consequence;
    struct sotto_cohort_message message = follow(&consequence, forged, chorus);

    assert_int_equal(sotto_cohort_encode(&out, &message), SOTTO_OK);
    return sotto_view_buffer(&out);
}

struct sotto_digest forged_context(struct chorus *chorus)
{
    struct forged_cohort forged;
    struct consequence consequence;

    forged_cohort_read(&forged, chorus);
    (void)follow(&consequence, &forged, chorus);
    return consequence.context;
}

struct sotto_view forged_survivors(struct chorus *chorus, const struct sotto_digest *context,
                                   uint32_t places)
{
    struct sotto_buffer out = sotto_buffer_of(chorus->wire, sizeof chorus->wire);
    struct sotto_survivors survivors = {0};

    for (uint32_t place = 0; place < chorus->count; place++) {
        if (places >> place & 1)
            sotto_seats_add(&survivors.seats, place);
    }
    sotto_survivors_sign(&survivors, &chorus->signing, context, chorus->count);
    assert_int_equal(sotto_survivors_encode(&out, &survivors, chorus->count), SOTTO_OK);
    return sotto_view_buffer(&out);
}
