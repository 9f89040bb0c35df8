/*
 * The discrete Gaussian: it fits the distribution, the side-by-side trials agree with the plain
 * ones, and what words cannot decide is settled. With an argument, samples a distribution: how many
 * (default 2^17).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/privacy/gaussian.h"

enum { CELLS_MAX = 96 };

static size_t sample_count = 1 << 17;

static int32_t *samples_drawn(uint64_t variance, uint8_t seed, size_t count)
{
    const struct sotto_secret secret = {{seed, 1}};
    struct sotto_gaussian gaussian;
    uint32_t *lanes = calloc(count, sizeof *lanes);

    assert_non_null(lanes);
    sotto_gaussian_init(&gaussian, variance);
    sotto_gaussian_add(lanes, count, &gaussian, &secret);
    return (int32_t *)lanes;
}

/* Cells of `width` integers around zero, and one for both tails. */
struct cells {
    int64_t width;
    int64_t reach; /* whole cells on each side of the middle one */
    double chance[CELLS_MAX];
    double count[CELLS_MAX];
};

static size_t cell_of(const struct cells *cells, int64_t value)
{
    int64_t place = (value + cells->reach * cells->width + cells->width / 2) / cells->width;

    if (value + cells->reach * cells->width + cells->width / 2 < 0 || place > 2 * cells->reach)
        return (size_t)(2 * cells->reach + 1);
    return (size_t)place;
}

/* Chances by summing exp(-z^2 / 2V), far beyond where it vanishes. */
static void cells_init(struct cells *cells, uint64_t variance)
{
    const double deviation = sqrt((double)variance);
    const int64_t end = (int64_t)(12 * deviation) + 2;
    double sum = 0;

    *cells = (struct cells){.width = 1 + 2 * (int64_t)(deviation / 20)};
    cells->reach = (int64_t)(2.5 * deviation / (double)cells->width) + 1;
    for (int64_t z = -end; z <= end; z++) {
        double chance = exp(-(double)(z * z) / (2 * (double)variance));

        cells->chance[cell_of(cells, z)] += chance;
        sum += chance;
    }
    for (size_t cell = 0; cell < CELLS_MAX; cell++)
        cells->chance[cell] /= sum;
}

/* How many standard deviations chi-square is above its mean. */
static double misfit(uint64_t variance, uint8_t seed)
{
    int32_t *samples = samples_drawn(variance, seed, sample_count);
    struct cells cells;
    double chi2 = 0, freedom;

    cells_init(&cells, variance);
    freedom = (double)(2 * cells.reach + 1);
    for (size_t i = 0; i < sample_count; i++)
        cells.count[cell_of(&cells, samples[i])]++;
    for (size_t cell = 0; cell <= (size_t)(2 * cells.reach + 1); cell++) {
        double expected = cells.chance[cell] * (double)sample_count;

        assert_true(expected > 20);
        chi2 += (cells.count[cell] - expected) * (cells.count[cell] - expected) / expected;
    }
    free(samples);
    return (chi2 - freedom) / sqrt(2 * freedom);
}

static void gaussian__samples__fit_the_distribution(void **state)
{
    static const uint64_t variances[] = {1, 2, 3, 5, 9, 10, 64, 1000, 99991, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof variances / sizeof *variances; i++) {
        double off = misfit(variances[i], (uint8_t)i);

        if (off > 4.5)
            print_error("V = %u: chi-square is %.1f deviations off\n", (unsigned)variances[i], off);
        assert_true(off <= 4.5);
    }
}

/* The standard errors of variance and kurtosis of a Gaussian are sqrt(2 / N) and sqrt(24 / N). */
static void gaussian__samples__have_its_moments(void **state)
{
    static const uint64_t variances[] = {9, 12345, (uint64_t)1 << 40, ((uint64_t)1 << 46) + 1};
    const double count = (double)sample_count;

    (void)state;
    for (size_t i = 0; i < sizeof variances / sizeof *variances; i++) {
        int32_t *samples = samples_drawn(variances[i], (uint8_t)(100 + i), sample_count);
        double mean = 0, square = 0, fourth = 0;

        for (size_t k = 0; k < sample_count; k++) {
            double z = samples[k] / sqrt((double)variances[i]);

            mean += z / count;
            square += z * z / count;
            fourth += z * z * z * z / count;
        }
        assert_true(fabs(mean) < 4.5 / sqrt(count));
        assert_true(fabs(square - 1) < 4.5 * sqrt(2 / count));
        assert_true(fabs(fourth - 3) < 4.5 * sqrt(96 / count));
        free(samples);
    }
}

static void words_random(struct sotto_trial_words *words, struct sotto_entropy *entropy)
{
    sotto_entropy_fill(entropy, words, sizeof *words);
}

static void words_of(uint64_t *own, const struct sotto_trial_words *words, size_t trial)
{
    for (size_t step = 0; step < SOTTO_TRIAL_WORDS; step++)
        own[step] = words->words[step][trial];
}

/* Returns how many are accepted. A decided trial needs no further words. */
static size_t assert_agree(const struct sotto_trial_words *words,
                           const struct sotto_gaussian *gaussian)
{
    struct sotto_trials trials;
    size_t accepted = 0;

    sotto_trials_run(&trials, words, gaussian);
    for (size_t i = 0; i < SOTTO_TRIALS; i++) {
        uint64_t own[SOTTO_TRIAL_WORDS];
        int64_t value;
        bool is_accepted;

        words_of(own, words, i);
        assert_int_equal(trials.undecided[i], 0);
        is_accepted = sotto_trial_settle(&value, own, gaussian, NULL);
        assert_true(trials.accepted[i] == (is_accepted ? UINT64_MAX : 0));
        if (is_accepted)
            assert_true(trials.values[i] == value);
        accepted += is_accepted;
    }
    return accepted;
}

/* 0.56 is 1.2533 / (1.4142 * 1.5820), in the limit of a large V. */
static void trials__random_words__agree_with_the_plain_ones(void **state)
{
    enum { BATCHES = 400 };
    static const uint64_t variances[] = {1, 2, 9, 31337, 1000003, SOTTO_VARIANCE_MAX};
    struct sotto_entropy entropy;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 5);
    for (size_t i = 0; i < sizeof variances / sizeof *variances; i++) {
        struct sotto_gaussian gaussian;
        size_t accepted = 0;

        sotto_gaussian_init(&gaussian, variances[i]);
        for (size_t batch = 0; batch < BATCHES; batch++) {
            struct sotto_trial_words words;

            words_random(&words, &entropy);
            accepted += assert_agree(&words, &gaussian);
        }
        if (variances[i] > 1000)
            assert_true(fabs((double)accepted / (BATCHES * SOTTO_TRIALS) - 0.56) < 0.03);
    }
}

/* Every third of 2^64 leaves a coin of chance 1/3 open; the next word decides it. */
static void trials__word_on_the_edge_of_a_coin__is_settled_by_the_next(void **state)
{
    const struct sotto_secret key = {{3}};
    struct sotto_gaussian gaussian;
    struct sotto_trial_words words;
    struct sotto_trials trials;
    struct sotto_entropy entropy;
    struct sotto_prg more;
    uint64_t own[SOTTO_TRIAL_WORDS];
    size_t longer = 0;

    (void)state;
    sotto_gaussian_init(&gaussian, 1000);
    sotto_entropy_init_seeded(&entropy, 6);
    words_random(&words, &entropy);
    words.words[1][4] = words.words[2][4] = UINT64_MAX / 3;
    words.words[3][4] = UINT64_MAX;
    sotto_trials_run(&trials, &words, &gaussian);
    for (size_t i = 0; i < SOTTO_TRIALS; i++)
        assert_int_equal(trials.undecided[i], i == 4 ? UINT64_MAX : 0);
    assert_int_equal(sotto_prg_open(&more), SOTTO_OK);
    sotto_prg_seek(&more, &key, 0);
    words_of(own, &words, 4);
    for (size_t i = 0; i < 3000; i++) {
        int64_t value;

        (void)sotto_trial_settle(&value, own, &gaussian, &more);
        longer += value >= (int64_t)gaussian.stride || value <= -(int64_t)gaussian.stride;
    }
    sotto_prg_close(&more);
    /*
     * If the open coin of chance 1/3 succeeds, that of chance 1/4 fails by the third word, which
     * ends the run without a step; if not, there is a step: two thirds of 3000 are 2000.
     */
    assert_in_range(longer, 1880, 2120);
}

/* Words of zero let every coin go on; the stream ends it. */
static void trials__words_that_end_nothing__are_settled_by_the_stream(void **state)
{
    static const struct sotto_trial_words zeros;
    static const uint64_t own[SOTTO_TRIAL_WORDS];
    const struct sotto_secret key = {{4}};
    struct sotto_gaussian gaussian;
    struct sotto_trials trials;
    struct sotto_prg more;
    int64_t value;

    (void)state;
    sotto_gaussian_init(&gaussian, 1000);
    sotto_trials_run(&trials, &zeros, &gaussian);
    for (size_t i = 0; i < SOTTO_TRIALS; i++)
        assert_true(trials.undecided[i] == UINT64_MAX);
    assert_int_equal(sotto_prg_open(&more), SOTTO_OK);
    sotto_prg_seek(&more, &key, 0);
    for (size_t i = 0; i < 100; i++)
        (void)sotto_trial_settle(&value, own, &gaussian, &more);
    sotto_prg_close(&more);
}

static void gaussian__added__leaves_what_was_there(void **state)
{
    enum { COUNT = 1000 };
    const struct sotto_secret secret = {{9}};
    struct sotto_gaussian gaussian;
    uint32_t plain[COUNT] = {0}, shifted[COUNT];

    (void)state;
    sotto_gaussian_init(&gaussian, 12345);
    for (size_t i = 0; i < COUNT; i++)
        shifted[i] = 0xfffffff0 + (uint32_t)i;
    sotto_gaussian_add(plain, COUNT, &gaussian, &secret);
    sotto_gaussian_add(shifted, COUNT, &gaussian, &secret);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(shifted[i] - plain[i], 0xfffffff0 + (uint32_t)i);
}

static void gaussian__stride__is_the_least_whose_square_reaches_2v(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 5000; k++) {
        uint64_t variance = k < 2500 ? k + 1 : SOTTO_VARIANCE_MAX - (k - 2500) * 999983;
        struct sotto_gaussian gaussian;

        sotto_gaussian_init(&gaussian, variance);
        assert_true(gaussian.stride * gaussian.stride >= 2 * variance);
        assert_true((gaussian.stride - 1) * (gaussian.stride - 1) < 2 * variance);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian__samples__fit_the_distribution),
        cmocka_unit_test(gaussian__samples__have_its_moments),
        cmocka_unit_test(trials__random_words__agree_with_the_plain_ones),
        cmocka_unit_test(trials__word_on_the_edge_of_a_coin__is_settled_by_the_next),
        cmocka_unit_test(trials__words_that_end_nothing__are_settled_by_the_stream),
        cmocka_unit_test(gaussian__added__leaves_what_was_there),
        cmocka_unit_test(gaussian__stride__is_the_least_whose_square_reaches_2v),
    };

    if (argc > 1)
        sample_count = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
