#include "crypto/privacy/gaussian.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <string.h>

#include "crypto/primitives/require.h"

__extension__ typedef unsigned __int128 wide;

enum { WHOLE_FIRST = SOTTO_TRIAL_PLACE_WORDS };
enum { REST_FIRST = WHOLE_FIRST + SOTTO_TRIAL_WHOLE_WORDS };
enum { QUOTIENT_BITS = 6 }; /* a whole part is at most half of SOTTO_TRIAL_WHOLE_WORDS */

static uint64_t high_of(wide product)
{
    return (uint64_t)(product >> 64);
}

static uint64_t mask_of(bool is_set)
{
    return 0 - (uint64_t)is_set;
}

void sotto_gaussian_init(struct sotto_gaussian *gaussian, uint64_t variance)
{
    uint64_t twice = 2 * variance;
    uint64_t stride = (uint64_t)sqrt((double)twice);

    assert(variance >= 1 && variance <= SOTTO_VARIANCE_MAX);
    while (stride * stride >= twice)
        stride--;
    while (stride * stride < twice)
        stride++;
    *gaussian = (struct sotto_gaussian){.variance = variance,
                                        .twice = twice,
                                        .stride = stride,
                                        .skip = (0 - 2 * stride) % (2 * stride)};
}

/*
 * Two runs of coins of chance 1/e, one after the other, for each trial: how many succeed before the
 * first that fails. A coin is under way: its next rational coin has the chance 1/k, from k = 2 on,
 * since that of k = 1 never fails.
 */
struct runs {
    uint64_t k[SOTTO_TRIALS];
    uint64_t ended[SOTTO_TRIALS]; /* runs, 0 .. 2 */
    uint64_t first[SOTTO_TRIALS];
    uint64_t second[SOTTO_TRIALS];
    uint64_t tied[SOTTO_TRIALS]; /* a coin that its word does not decide */
};

static void runs_start(struct runs *runs)
{
    memset(runs, 0, sizeof *runs);
    for (size_t i = 0; i < SOTTO_TRIALS; i++)
        runs->k[i] = 2;
}

/* The word is the first 64 bits of a real u: u < 1/k if word k < 2^64, surely if word k + k too. */
static void runs_step(struct runs *runs, const uint64_t *words)
{
    for (size_t i = 0; i < SOTTO_TRIALS; i++) {
        uint64_t k = runs->k[i];
        wide product = (wide)words[i] * k;
        uint64_t goes_on = high_of(product) == 0;
        uint64_t is_tied = goes_on & ((uint64_t)product > 0 - k);
        uint64_t is_running = runs->ended[i] < 2;
        uint64_t coin_ends = (goes_on ^ 1) & is_running;
        uint64_t succeeds = coin_ends & k & 1;

        runs->tied[i] |= is_tied & is_running;
        runs->first[i] += succeeds & ~runs->ended[i];
        runs->second[i] += succeeds & runs->ended[i];
        runs->ended[i] += coin_ends ^ succeeds;
        runs->k[i] = 2 + ((k - 1) & (0 - goes_on));
    }
}

/* One coin of chance exp(-rest / twice) for each trial. */
struct coins {
    uint64_t rest[SOTTO_TRIALS];
    uint64_t is_thrown[SOTTO_TRIALS]; /* still */
    uint64_t succeeds[SOTTO_TRIALS];
    uint64_t tied[SOTTO_TRIALS];
};

/* Of chance rest / (twice k); as runs_step, with a numerator. */
static void coins_step(struct coins *coins, const uint64_t *words, uint64_t twice, uint64_t k)
{
    const uint64_t bound = twice * k;

    for (size_t i = 0; i < SOTTO_TRIALS; i++) {
        uint64_t rest = coins->rest[i];
        wide product = (wide)words[i] * bound;
        wide beyond = product + bound;
        uint64_t goes_on = high_of(product) < rest;
        uint64_t is_above = high_of(beyond) > rest;
        uint64_t is_level = high_of(beyond) == rest;
        uint64_t is_tied = goes_on & (is_above | (is_level & ((uint64_t)beyond != 0)));

        coins->tied[i] |= is_tied & coins->is_thrown[i];
        coins->succeeds[i] |= coins->is_thrown[i] & (goes_on ^ 1) & k;
        coins->is_thrown[i] &= goes_on;
    }
}

/* What a trial proposes, and what is left to decide. */
struct proposal {
    int64_t value;
    uint64_t rest;   /* of the exponent, in units of 1 / twice, without its whole parts */
    uint64_t is_out; /* rejected by now, as a mask */
};

static void proposal_make(struct proposal *proposal, uint64_t place_word, uint64_t steps,
                          uint64_t whole_max, const struct sotto_gaussian *gaussian)
{
    wide place = (wide)place_word * (2 * gaussian->stride);
    uint64_t is_negative = high_of(place) & 1;
    uint64_t magnitude = steps * gaussian->stride + (high_of(place) >> 1);
    uint64_t rest = magnitude * magnitude - steps * gaussian->twice;
    bool is_uneven = (uint64_t)place < gaussian->skip;
    bool is_unlikely = rest >= (whole_max + 1) * gaussian->twice;

    proposal->value = (int64_t)((magnitude ^ (0 - is_negative)) + is_negative);
    proposal->is_out =
        mask_of(is_uneven) | mask_of(is_unlikely) | (mask_of(magnitude == 0) & (0 - is_negative));
    for (unsigned bit = QUOTIENT_BITS; bit-- > 0;)
        rest -= (gaussian->twice << bit) & mask_of(rest >= gaussian->twice << bit);
    proposal->rest = rest;
}

void sotto_trials_run(struct sotto_trials *trials, const struct sotto_trial_words *words,
                      const struct sotto_gaussian *gaussian)
{
    struct runs runs;
    struct coins coins = {0};
    struct proposal proposals[SOTTO_TRIALS];

    runs_start(&runs);
    for (size_t step = WHOLE_FIRST; step < REST_FIRST; step++)
        runs_step(&runs, words->words[step]);
    for (size_t i = 0; i < SOTTO_TRIALS; i++) {
        proposal_make(&proposals[i], words->words[0][i], runs.first[i], runs.second[i], gaussian);
        coins.rest[i] = proposals[i].rest;
        coins.is_thrown[i] = 1;
    }
    for (size_t step = REST_FIRST; step < SOTTO_TRIAL_WORDS; step++)
        coins_step(&coins, words->words[step], gaussian->twice, step - REST_FIRST + 1);
    for (size_t i = 0; i < SOTTO_TRIALS; i++) {
        uint64_t runs_open = mask_of(((runs.ended[i] ^ 2) | runs.tied[i]) != 0);
        uint64_t coin_open = mask_of((coins.tied[i] | coins.is_thrown[i]) != 0);

        trials->values[i] = proposals[i].value;
        trials->accepted[i] = mask_of(coins.succeeds[i] & 1) & ~proposals[i].is_out;
        trials->undecided[i] = runs_open | (coin_open & ~proposals[i].is_out);
    }
    sotto_wipe(&runs, sizeof runs);
    sotto_wipe(&coins, sizeof coins);
    sotto_wipe(proposals, sizeof proposals);
}

/* The words of one trial, then those of the stream. */
struct supply {
    const uint64_t *next;
    const uint64_t *end;
    struct sotto_prg *more;
};

static uint64_t word_drawn(struct sotto_prg *more)
{
    uint64_t word;

    sotto_prg_next(more, (uint8_t *)&word, sizeof word);
    return le64toh(word);
}

static uint64_t supply_word(struct supply *supply)
{
    return supply->next < supply->end ? *supply->next++ : word_drawn(supply->more);
}

/* Of chance numerator / bound: compares a real u, 64 bits at a time, with the fraction. */
static bool fraction_coin(struct supply *supply, uint64_t numerator, uint64_t bound)
{
    wide product = (wide)supply_word(supply) * bound;
    wide target = (wide)numerator << 64;

    while (product < target && product + bound > target) {
        target = (target - product) << 64;
        product = (wide)word_drawn(supply->more) * bound;
    }
    return product < target;
}

static bool exponential_coin(struct supply *supply, uint64_t rest, uint64_t bound, uint64_t first)
{
    uint64_t k = first;

    while (fraction_coin(supply, rest, bound * k))
        k++;
    return k % 2 == 1;
}

static uint64_t run_length(struct supply *supply)
{
    uint64_t length = 0;

    while (exponential_coin(supply, 1, 1, 2))
        length++;
    return length;
}

/* Wide, since a run may be of any length here. */
bool sotto_trial_settle(int64_t *value, const uint64_t *words,
                        const struct sotto_gaussian *gaussian, struct sotto_prg *more)
{
    struct supply whole = {words + WHOLE_FIRST, words + REST_FIRST, more};
    struct supply last = {words + REST_FIRST, words + SOTTO_TRIAL_WORDS, more};
    wide place = (wide)words[0] * (2 * gaussian->stride);
    bool is_negative = high_of(place) & 1;
    uint64_t steps = run_length(&whole);
    uint64_t whole_max = run_length(&whole);
    wide magnitude = (wide)steps * gaussian->stride + (high_of(place) >> 1);
    wide rest = magnitude * magnitude - (wide)steps * gaussian->twice;

    *value = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if ((uint64_t)place < gaussian->skip || (magnitude == 0 && is_negative))
        return false;
    for (; rest >= gaussian->twice; rest -= gaussian->twice)
        if (whole_max-- == 0)
            return false;
    return exponential_coin(&last, (uint64_t)rest, gaussian->twice, 1);
}

static void undecided_settle(struct sotto_trials *trials, size_t i,
                             const struct sotto_trial_words *words,
                             const struct sotto_gaussian *gaussian, struct sotto_prg *prg)
{
    uint64_t own[SOTTO_TRIAL_WORDS];

    for (size_t step = 0; step < SOTTO_TRIAL_WORDS; step++)
        own[step] = words->words[step][i];
    trials->accepted[i] = mask_of(sotto_trial_settle(&trials->values[i], own, gaussian, prg));
    sotto_wipe(own, sizeof own);
}

static void words_draw(struct sotto_trial_words *words, struct sotto_prg *prg)
{
    sotto_prg_next(prg, (uint8_t *)words, sizeof *words);
    for (size_t step = 0; step < SOTTO_TRIAL_WORDS; step++)
        for (size_t i = 0; i < SOTTO_TRIALS; i++)
            words->words[step][i] = le64toh(words->words[step][i]);
}

void sotto_gaussian_add(uint32_t *lanes, size_t lane_count, const struct sotto_gaussian *gaussian,
                        const struct sotto_secret *seed)
{
    struct sotto_trial_words words;
    struct sotto_trials trials;
    struct sotto_prg prg;
    size_t done = 0;

    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    sotto_prg_seek(&prg, seed, 0);
    while (done < lane_count) {
        words_draw(&words, &prg);
        sotto_trials_run(&trials, &words, gaussian);
        for (size_t i = 0; i < SOTTO_TRIALS; i++)
            if (trials.undecided[i])
                undecided_settle(&trials, i, &words, gaussian, &prg);
        for (size_t i = 0; i < SOTTO_TRIALS && done < lane_count; i++)
            if (trials.accepted[i])
                lanes[done++] += (uint32_t)trials.values[i];
    }
    sotto_prg_close(&prg);
    sotto_wipe(&words, sizeof words);
    sotto_wipe(&trials, sizeof trials);
}
