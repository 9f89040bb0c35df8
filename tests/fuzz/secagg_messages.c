/*
 * Every message of secure aggregation from outside. The first byte chooses the message, the second
 * the size of the cohort and the receiver's seat in it. What decodes must encode to the same bytes;
 * a cohort is given a good signature, so that what lies behind it is reached too.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/secagg/secaggplus/context.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "crypto/secagg/secaggplus/messages/shares.h"
#include "crypto/secagg/secaggplus/messages/survivors.h"
#include "tests/crypto/secagg_chorus.h"

enum { COHORT = 5, BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void try_advert(struct sotto_view bytes)
{
    struct sotto_advert advert;
    uint8_t again[SOTTO_ADVERT_BYTES];

    if (sotto_advert_decode(&advert, bytes) != SOTTO_OK)
        return;
    sotto_advert_encode(again, &advert);
    demand(sotto_view_equal(bytes, sotto_view_of(again, sizeof again)));
}

/* Signs whatever leaves the message claims. */
static void sign_cohort(uint8_t *bytes, size_t length, const struct chorus *chorus)
{
    uint32_t count = length < 4 ? 0 : sotto_load_u32(bytes);
    struct sotto_digest leaves[SOTTO_COMPLETE_MAX];
    struct sotto_signature signature;
    struct sotto_digest context;

    if (count < 1 || count > SOTTO_COMPLETE_MAX ||
        length < 12 + count * sizeof leaves[0] + sizeof signature.bytes)
        return;
    memcpy(leaves, bytes + 12, count * sizeof leaves[0]);
    sotto_context_of(&context, &chorus->terms.context, leaves, count);
    sotto_cohort_sign(&signature, &chorus->signing, &context);
    memcpy(bytes + length - sizeof signature.bytes, signature.bytes, sizeof signature.bytes);
}

static void try_cohort(struct sotto_view bytes)
{
    static struct chorus *chorus;
    static struct sotto_advert own;
    static struct sotto_cohort cohort;
    static struct sotto_arena arena;
    struct sotto_cohort_check check;
    uint8_t copy[BYTES_MAX];

    if (chorus == NULL) {
        struct chorus_setup setup = chorus_setup_of(COHORT, 1);

        chorus = chorus_open(&setup);
        demand(sotto_advert_decode(&own, chorus_answer(chorus, 0).bytes) == SOTTO_OK);
        demand(sotto_arena_open(&arena, 64 * 1024) == SOTTO_OK);
        demand(sotto_cohort_init(&cohort, &arena, &chorus->terms, &chorus->roster) == SOTTO_OK);
    }
    memcpy(copy, bytes.at, bytes.length);
    sign_cohort(copy, bytes.length, chorus);
    check = (struct sotto_cohort_check){.terms = &chorus->terms,
                                        .roster = &chorus->roster,
                                        .coordinator = &chorus->coordinator,
                                        .own = &own};
    if (sotto_cohort_accept(&cohort, &check, sotto_view_of(copy, bytes.length)) ==
        SOTTO_REFUSAL_NONE)
        demand(cohort.parameters.cohort == COHORT && cohort.circle.owner == 0);
}

/* Everybody is everybody's neighbour; the list is borrowed until the next call. */
static struct sotto_circle circle_of(uint32_t count, uint32_t seat)
{
    static uint32_t neighbours[SOTTO_COMPLETE_MAX];

    for (uint32_t slot = 0; slot < count - 1; slot++)
        neighbours[slot] = slot + (slot >= seat);
    return (struct sotto_circle){
        .cohort = count, .owner = seat, .count = count - 1, .neighbours = neighbours};
}

static void try_survivors(struct sotto_view bytes, uint32_t count)
{
    uint8_t again[BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(again, sizeof again);
    struct sotto_survivors survivors;
    struct sotto_view rest;

    if (sotto_survivors_decode(&survivors, &rest, bytes, count) != SOTTO_OK)
        return;
    bytes.length -= rest.length;
    demand(sotto_survivors_encode(&out, &survivors, count) == SOTTO_OK);
    demand(sotto_view_equal(bytes, sotto_view_buffer(&out)));
}

static void try_shares(struct sotto_view bytes, uint32_t count, uint32_t seat)
{
    struct sotto_shares_message shares;
    struct sotto_circle circle = circle_of(count, seat);
    struct sotto_inbox inbox;

    if (sotto_shares_decode(&shares, bytes, count - 1) == SOTTO_OK)
        demand(shares.commitment.length + shares.sealed.length == bytes.length);
    if (sotto_inbox_decode(&inbox, bytes, &circle) == SOTTO_OK)
        demand(sotto_seats_bytes(count) + inbox.sealed.length == bytes.length &&
               sotto_seats_has(&inbox.senders, seat));
}

static void try_inclusion(struct sotto_view bytes, uint32_t count, uint32_t seat)
{
    struct sotto_inclusion inclusion;
    struct sotto_circle circle = circle_of(count, seat);
    struct sotto_inclusions inclusions;

    if (sotto_inclusion_decode(&inclusion, bytes, count - 1) == SOTTO_OK)
        demand(inclusion.macs.length == (count - 1) * (size_t)SOTTO_INCLUSION_MAC_BYTES);
    if (sotto_inclusions_decode(&inclusions, bytes, &circle) == SOTTO_OK)
        demand(!sotto_seats_has(&inclusions.senders, seat) &&
               inclusions.macs.length + sotto_seats_bytes(count) == bytes.length);
}

static void try_reveal(struct sotto_view bytes)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_revealed revealed;
    uint8_t again[SOTTO_REVEALED_BYTES];

    for (size_t at = 0; at + SOTTO_REVEALED_BYTES <= bytes.length; at += SOTTO_REVEALED_BYTES) {
        sotto_revealed_decode(&revealed, &cursor);
        sotto_revealed_encode(again, &revealed);
        demand(memcmp(again, bytes.at + at, sizeof again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_view message;
    uint32_t count;
    uint32_t seat;

    if (length < 3 || length > BYTES_MAX)
        return 0;
    count = SOTTO_COHORT_MIN + bytes[1] % (SOTTO_COMPLETE_MAX - SOTTO_COHORT_MIN + 1);
    seat = bytes[1] % count;
    message = sotto_view_of(bytes + 2, length - 2);
    switch (bytes[0] % 6) {
    case 0: try_advert(message); break;
    case 1: try_cohort(message); break;
    case 2: try_survivors(message, count); break;
    case 3: try_shares(message, count, seat); break;
    case 4: try_inclusion(message, count, seat); break;
    case 5: try_reveal(message); break;
    }
    return 0;
}
