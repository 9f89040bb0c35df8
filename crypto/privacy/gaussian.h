/*
 * The discrete Gaussian: P(z) proportional to exp(-z^2 / (2 V)) over the integers, V an integer.
 * Sampled exactly, with integer arithmetic only. Source of the distribution and of the test for
 * exp(-a/b): Canonne, Kamath and Steinke, NeurIPS 2020, Algorithms 1 and 3. Departures: see below.
 *
 * One trial draws a magnitude z = x t + y and accepts it with the rest of its probability:
 *
 *     t = ceil(sqrt(2 V));   y uniform in 0 .. t - 1;   P(x) = (1 - 1/e) e^-x
 *     accept with exp(-(z^2 - 2 V x) / (2 V));   t^2 >= 2 V makes the exponent never positive
 *
 * so that P(z) is proportional to e^-x exp(-(z^2 - 2 V x) / (2 V)). A sign halves it; minus zero is
 * rejected. About 0.56 of the trials are accepted. Coins of chance exp(-a/b), a <= b, come from
 * coins of the rational chances a / (b k): K, the first k whose coin fails, is odd with chance
 * exp(-a/b). An exponent above 1 costs one coin of chance 1/e for each whole part.
 *
 * Constant time: a trial always looks at SOTTO_TRIAL_WORDS words of the stream and does the same
 * with them, whatever they are. Which trials are accepted shows in the time of the whole, and says
 * nothing: trials are independent and alike, so the value of an accepted one has the same
 * distribution whatever came of the others, and rejected values are thrown away. About one trial in
 * 2^57 cannot be decided by its words; it is settled with further ones, which shows, too.
 */
#ifndef SOTTO_CRYPTO_PRIVACY_GAUSSIAN_H
#define SOTTO_CRYPTO_PRIVACY_GAUSSIAN_H

#include "core/base/bytes.h"
#include "crypto/primitives/prg.h"

enum {
    SOTTO_TRIALS = 16, /* that are tried side by side */
    SOTTO_TRIAL_PLACE_WORDS = 1,
    SOTTO_TRIAL_WHOLE_WORDS = 107, /* unfinished with a chance of 2^-61 */
    SOTTO_TRIAL_REST_WORDS = 20,   /* unfinished with a chance of 1/20! = 2^-61 */
    SOTTO_TRIAL_WORDS = SOTTO_TRIAL_PLACE_WORDS + SOTTO_TRIAL_WHOLE_WORDS + SOTTO_TRIAL_REST_WORDS,
};

/* So that every product below fits in 128 bits, and every square in 64. */
#define SOTTO_VARIANCE_MAX ((uint64_t)1 << 49)

/* Public: what follows from V. */
struct sotto_gaussian {
    uint64_t variance; /* V, 1 .. SOTTO_VARIANCE_MAX */
    uint64_t twice;    /* 2 V */
    uint64_t stride;   /* t */
    uint64_t skip;     /* 2^64 mod 2 t: places below it are not evenly spread */
};

void sotto_gaussian_init(struct sotto_gaussian *gaussian, uint64_t variance);

/* Word `step` of trial `i` is words[step][i]. Secret. */
struct sotto_trial_words {
    uint64_t words[SOTTO_TRIAL_WORDS][SOTTO_TRIALS];
};

/* What came of the trials: masks are all ones or zero. */
struct sotto_trials {
    int64_t values[SOTTO_TRIALS];     /* secret where accepted */
    uint64_t accepted[SOTTO_TRIALS];  /* public */
    uint64_t undecided[SOTTO_TRIALS]; /* public; the other two say nothing then */
};

/* Constant time in the words. */
void sotto_trials_run(struct sotto_trials *trials, const struct sotto_trial_words *words,
                      const struct sotto_gaussian *gaussian);

/*
 * The same trial, one step after the other, to its end.
 *
 *   value  out    if accepted
 *   words  in     [SOTTO_TRIAL_WORDS] of one trial
 *   more   inout  where further words come from
 *
 * Returns whether it is accepted. Not constant time.
 */
bool sotto_trial_settle(int64_t *value, const uint64_t *words,
                        const struct sotto_gaussian *gaussian, struct sotto_prg *more);

/*
 * Adds one sample to each lane, mod 2^32.
 *
 *   lanes  inout  [lane_count]
 *   seed   in     of the stream; one use. The words of a batch of trials are its next
 *                 SOTTO_TRIAL_WORDS * SOTTO_TRIALS little-endian u64, by step, then by trial; each
 *                 undecided trial of the batch, in order, takes what it needs before the next batch
 *
 * Work: about 1.8 KiB of stream a lane.
 */
void sotto_gaussian_add(uint32_t *lanes, size_t lane_count, const struct sotto_gaussian *gaussian,
                        const struct sotto_secret *seed);

#endif
