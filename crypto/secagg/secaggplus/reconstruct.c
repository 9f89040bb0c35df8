#include "crypto/secagg/secaggplus/reconstruct.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/hash.h"

enum { LEFT_OUT_MAX = 3 };

/* Positions in shared->shares: those with which to begin first, those of known liars last. */
struct order {
    uint32_t count;
    uint32_t at[SOTTO_NEIGHBOURS_MAX];
};

/* Exactly t shares, ready to be joined. */
struct hand {
    uint32_t holders[SOTTO_NEIGHBOURS_MAX];
    struct sotto_share shares[SOTTO_NEIGHBOURS_MAX];
};

static void order_shares(struct order *order, const struct sotto_shared *shared,
                         const struct sotto_seats *liars)
{
    order->count = 0;
    for (int is_liar = 0; is_liar <= 1; is_liar++) {
        for (uint32_t i = 0; i < shared->count; i++) {
            if (sotto_seats_has(liars, shared->holders[i]) == (is_liar == 1))
                order->at[order->count++] = i;
        }
    }
}

static void deal(struct hand *hand, uint32_t place, const struct sotto_shared *shared, uint32_t at)
{
    hand->holders[place] = shared->holders[at];
    hand->shares[place] = shared->shares[at];
}

static bool is_committed(const struct sotto_secret *secret,
                         const struct sotto_commitment *commitment)
{
    const struct sotto_view bytes = sotto_view_of(secret->bytes, sizeof secret->bytes);
    struct sotto_x25519_public mask_key;
    struct sotto_digest self_mask;

    if (commitment->is_self_mask) {
        sotto_hash(&self_mask, &bytes, 1);
        return sotto_digest_equal(&self_mask, &commitment->self_mask);
    }
    sotto_x25519_public_of(&mask_key, secret);
    return memcmp(mask_key.bytes, commitment->mask_key.bytes, sizeof mask_key.bytes) == 0;
}

static bool fits(struct sotto_secret *secret, const struct hand *hand,
                 const struct sotto_shared *shared)
{
    return sotto_share_join(secret, hand->shares, hand->holders, shared->threshold) == SOTTO_OK &&
           is_committed(secret, &shared->commitment);
}

/* Deals the first t + left_out shares of the order but those at skip[0] < skip[1] < ... */
static void deal_without(struct hand *hand, const struct sotto_shared *shared,
                         const struct order *order, const uint32_t *skip, uint32_t left_out)
{
    uint32_t place = 0;
    uint32_t skipped = 0;

    for (uint32_t i = 0; place < shared->threshold; i++) {
        if (skipped < left_out && skip[skipped] == i)
            skipped++;
        else
            deal(hand, place++, shared, order->at[i]);
    }
}

/* The next way to choose `left_out` of `count` in ascending order; false after the last. */
static bool choose_next(uint32_t *skip, uint32_t left_out, uint32_t count)
{
    for (uint32_t i = left_out; i-- > 0;) {
        if (skip[i] + (left_out - i) >= count)
            continue;
        skip[i]++;
        for (uint32_t j = i + 1; j < left_out; j++)
            skip[j] = skip[j - 1] + 1;
        return true;
    }
    return false;
}

static bool search(struct sotto_secret *secret, struct hand *hand,
                   const struct sotto_shared *shared, const struct order *order)
{
    uint32_t joins = 0;

    for (uint32_t left_out = 0; left_out <= LEFT_OUT_MAX; left_out++) {
        uint32_t skip[LEFT_OUT_MAX] = {0, 1, 2};

        if (shared->threshold + left_out > shared->count)
            return false;
        do {
            if (joins++ == SOTTO_RECONSTRUCT_JOINS_MAX)
                return false;
            deal_without(hand, shared, order, skip, left_out);
            if (fits(secret, hand, shared))
                return true;
        } while (choose_next(skip, left_out, shared->threshold + left_out));
    }
    return false;
}

static bool is_in_hand(const struct hand *hand, uint32_t threshold, uint32_t holder)
{
    for (uint32_t i = 0; i < threshold; i++) {
        if (hand->holders[i] == holder)
            return true;
    }
    return false;
}

static bool joins_to(const struct hand *hand, uint32_t threshold, const struct sotto_secret *secret)
{
    struct sotto_secret joined;
    bool is_same = sotto_share_join(&joined, hand->shares, hand->holders, threshold) == SOTTO_OK &&
                   sotto_secret_equal(joined.bytes, secret->bytes, sizeof joined.bytes);

    sotto_wipe(&joined, sizeof joined);
    return is_same;
}

/*
 * All spare shares at once in place of good ones: if that still gives the secret, no single one of
 * them is false.
 */
static bool are_spares_good(const struct hand *good, const struct sotto_shared *shared,
                            const struct sotto_secret *secret)
{
    struct hand mixed = *good;
    uint32_t place = 0;
    bool is_same;

    for (uint32_t i = 0; i < shared->count && place < shared->threshold; i++) {
        if (!is_in_hand(good, shared->threshold, shared->holders[i]))
            deal(&mixed, place++, shared, i);
    }
    is_same = place == 0 || joins_to(&mixed, shared->threshold, secret);
    sotto_wipe(&mixed, sizeof mixed);
    return is_same;
}

static void name_liars(struct sotto_seats *liars, const struct hand *good,
                       const struct sotto_shared *shared, const struct sotto_secret *secret)
{
    struct hand mixed = *good;

    for (uint32_t i = 0; i < shared->count; i++) {
        if (is_in_hand(good, shared->threshold, shared->holders[i]))
            continue;
        deal(&mixed, 0, shared, i);
        if (!joins_to(&mixed, shared->threshold, secret))
            sotto_seats_add(liars, shared->holders[i]);
    }
    sotto_wipe(&mixed, sizeof mixed);
}

enum sotto_status sotto_reconstruct(struct sotto_secret *secret, struct sotto_seats *liars,
                                    const struct sotto_shared *shared)
{
    assert(shared->count >= shared->threshold && shared->count <= SOTTO_NEIGHBOURS_MAX);

    enum sotto_status status = SOTTO_FORGED;
    struct order order;
    struct hand hand;

    order_shares(&order, shared, liars);
    if (search(secret, &hand, shared, &order)) {
        status = SOTTO_OK;
        if (!are_spares_good(&hand, shared, secret))
            name_liars(liars, &hand, shared, secret);
    } else {
        sotto_wipe(secret, sizeof *secret);
    }
    sotto_wipe(&hand, sizeof hand);
    return status;
}
