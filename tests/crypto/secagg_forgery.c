#include "tests/crypto/secagg_forgery.h"

#include <string.h>

#include "crypto/secagg/secaggplus/context.h"
#include "tests/support/cmocka.h"

void forged_cohort_read(struct forged_cohort *forged, struct chorus *chorus)
{
    struct sotto_cursor cursor = sotto_cursor_of(chorus_mail(chorus, 0));

    memset(forged, 0, sizeof *forged);
    forged->parameters.cohort = sotto_cursor_u32(&cursor);
    forged->parameters.neighbours = sotto_cursor_u32(&cursor);
    forged->parameters.threshold = sotto_cursor_u32(&cursor);
    for (uint32_t seat = 0; seat < forged->parameters.cohort; seat++)
        sotto_cursor_copy(&cursor, forged->leaves[seat].bytes, SOTTO_DIGEST_BYTES);
    for (uint32_t seat = 0; seat < forged->parameters.cohort; seat++) {
        struct sotto_view bytes = sotto_cursor_take(&cursor, SOTTO_ADVERT_BYTES);

        assert_int_equal(sotto_advert_decode(&forged->adverts[seat], bytes), SOTTO_OK);
    }
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

struct sotto_view forged_cohort_write(const struct forged_cohort *forged, struct chorus *chorus)
{
    struct sotto_buffer out = sotto_buffer_of(chorus->wire, sizeof chorus->wire);
    struct sotto_cohort_message message = {
        .parameters = forged->parameters, .leaves = forged->leaves, .adverts = forged->adverts};
    struct sotto_digest context;

    sotto_context_of(&context, &chorus->terms.context, forged->leaves, forged->parameters.cohort);
    sotto_cohort_sign(&message.signature, &chorus->signing, &context);
    assert_int_equal(sotto_cohort_encode(&out, &message), SOTTO_OK);
    return sotto_view_buffer(&out);
}

struct sotto_digest forged_context(struct chorus *chorus)
{
    struct forged_cohort forged;
    struct sotto_digest context;

    forged_cohort_read(&forged, chorus);
    sotto_context_of(&context, &chorus->terms.context, forged.leaves, forged.parameters.cohort);
    return context;
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
