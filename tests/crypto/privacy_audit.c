/*
 * An attack on what the noise hides: was a site's update in the sum, or zeros? The attacker knows
 * the update, made it as long as it may be, has every colluder's noise, and looks at many sums of
 * the smallest set of honest survivors. From how often it is right follows a lower bound of epsilon
 * (Clopper and Pearson at 95 %; Jagielski, Ullman and Oprea, NeurIPS 2020), which must stay below
 * the stated one, and does not where the noise is left out or made too small. With an argument:
 * sums on each side (default 6000).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/privacy/accountant.h"
#include "crypto/privacy/mechanism.h"
#include "crypto/ring/lanes.h"
#include "tests/support/cmocka.h"

enum { VALUES = 16, LANES = VALUES + 1, THRESHOLDS = 200 };

static const double delta = 1e-5, confidence = 0.025;
static size_t sum_count = 6000;

static const struct sotto_mechanism_terms terms = {.value_count = VALUES,
                                                   .clip_norm = 1,
                                                   .lane_range = 1,
                                                   .value_bits = 8,
                                                   .ring_bits = 24,
                                                   .weight_max = 1,
                                                   .cohort_max = 5,
                                                   .survivors_min = 4,
                                                   .corrupt_fraction = 0.05,
                                                   .noise_multiplier = 1};

/* ln of the chance that a binomial is at most `hits`. */
static double log_at_most(size_t hits, size_t count, double chance)
{
    double sum = 0, first = -INFINITY;

    for (size_t k = hits + 1; k-- > 0;) {
        double term = lgamma((double)count + 1) - lgamma((double)k + 1) -
                      lgamma((double)(count - k) + 1) + (double)k * log(chance) +
                      (double)(count - k) * log1p(-chance);

        if (k == hits)
            first = term;
        if (term < first - 50)
            break;
        sum += exp(term - first);
    }
    return first + log(sum);
}

/* The largest chance with which so few hits are not yet too unlikely. */
static double upper_bound_of(size_t hits, size_t count)
{
    double low = 0, high = 1;

    if (hits == count)
        return 1;
    for (unsigned halving = 0; halving < 60; halving++) {
        double middle = (low + high) / 2;

        if (log_at_most(hits, count, middle) > log(confidence))
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double lower_bound_of(size_t hits, size_t count)
{
    return 1 - upper_bound_of(count - hits, count);
}

struct scores {
    double *with;
    double *without;
    size_t count;
};

/* The honest survivors' sum, held against the direction of the update. */
static double score_of(const struct sotto_mechanism *mechanism, bool is_in, uint32_t trial)
{
    const struct sotto_digest context = {{1}};
    uint32_t sum[LANES] = {0}, lanes[LANES];
    double score = 0;

    for (uint8_t site = 0; site < 3; site++) {
        struct sotto_secret seed = {{site, is_in}};
        float values[VALUES];

        memcpy(seed.bytes + 4, &trial, sizeof trial);
        for (size_t i = 0; i < VALUES; i++)
            values[i] = is_in && site == 0 ? 0.25F : 0;
        assert_int_equal(sotto_mechanism_encode(mechanism, lanes, values, 1, &context, &seed),
                         SOTTO_OK);
        sotto_lanes_add(sum, lanes, LANES);
    }
    for (size_t i = 0; i < VALUES; i++)
        score += (int32_t)(sum[i] << 8) >> 8;
    return score;
}

static struct scores scores_drawn(const struct sotto_mechanism *mechanism, size_t count,
                                  uint32_t first)
{
    struct scores scores = {calloc(count, sizeof(double)), calloc(count, sizeof(double)), count};

    assert_non_null(scores.with);
    assert_non_null(scores.without);
    for (size_t i = 0; i < count; i++) {
        scores.with[i] = score_of(mechanism, true, first + (uint32_t)i);
        scores.without[i] = score_of(mechanism, false, first + (uint32_t)i);
    }
    return scores;
}

static void scores_free(struct scores *scores)
{
    free(scores->with);
    free(scores->without);
}

static size_t above(const double *scores, size_t count, double threshold)
{
    size_t hits = 0;

    for (size_t i = 0; i < count; i++)
        hits += scores[i] > threshold;
    return hits;
}

/* What guessing "in" above the threshold proves of epsilon. */
static double proved(const struct scores *scores, double threshold)
{
    double right = lower_bound_of(above(scores->with, scores->count, threshold), scores->count);
    double wrong = upper_bound_of(above(scores->without, scores->count, threshold), scores->count);

    return right > delta ? log((right - delta) / wrong) : 0;
}

/* Where the normal distribution is below with this chance. */
static double normal_quantile(double chance)
{
    double low = -9, high = 9;

    for (unsigned halving = 0; halving < 60; halving++) {
        double middle = (low + high) / 2;

        if (erfc(-middle / sqrt(2)) / 2 < chance)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/*
 * And of mu, how many standard deviations of its noise the sum has moved (Dong, Roth and Su, 2022):
 * what is stated is 1 / z. It notices half the noise, which epsilon has room for.
 */
static double proved_distance(const struct scores *scores, double threshold)
{
    double right = lower_bound_of(above(scores->with, scores->count, threshold), scores->count);
    double wrong = upper_bound_of(above(scores->without, scores->count, threshold), scores->count);

    return normal_quantile(right) - normal_quantile(wrong);
}

typedef double (*proof)(const struct scores *scores, double threshold);

/* The threshold is chosen on other sums than those that it is judged by. */
static double attacked_for(const struct sotto_mechanism *mechanism, proof prove)
{
    struct scores tried = scores_drawn(mechanism, sum_count / 4, 1);
    struct scores judged = scores_drawn(mechanism, sum_count, 1000000);
    double best = 0, threshold = 0, told;

    for (int i = 0; i < THRESHOLDS; i++) {
        double candidate = -1000 + 20 * i;
        double reached = prove(&tried, candidate);

        if (reached > best) {
            best = reached;
            threshold = candidate;
        }
    }
    told = prove(&judged, threshold);
    scores_free(&tried);
    scores_free(&judged);
    return told;
}

static double attacked(const struct sotto_mechanism *mechanism)
{
    return attacked_for(mechanism, proved);
}

static double stated(void)
{
    return sotto_accountant_epsilon(sotto_accountant_charge(terms.noise_multiplier), delta);
}

static struct sotto_mechanism mechanism_of(void)
{
    struct sotto_mechanism mechanism;

    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    assert_int_equal(mechanism.noise.honest_min, 3);
    return mechanism;
}

/* The attack works: it proves a good part of what is stated. */
static void audit__noise_as_planned__proves_less_than_is_stated(void **state)
{
    struct sotto_mechanism mechanism = mechanism_of();
    double told = attacked(&mechanism);

    (void)state;
    print_message("# proved %.3f of a stated epsilon of %.3f\n", told, stated());
    assert_true(told < stated());
    assert_true(told > 0.25 * stated());
}

static void audit__no_noise__proves_more_than_is_stated(void **state)
{
    struct sotto_mechanism mechanism = mechanism_of();

    (void)state;
    mechanism.has_noise = false;
    assert_true(attacked(&mechanism) > stated());
}

static void audit__a_quarter_of_the_noise__proves_more_than_is_stated(void **state)
{
    struct sotto_mechanism mechanism = mechanism_of();

    (void)state;
    mechanism.noise.variance /= 16;
    assert_true(attacked(&mechanism) > stated());
}

static void audit__distance__is_what_is_stated_and_more_with_half_the_noise(void **state)
{
    struct sotto_mechanism mechanism = mechanism_of();
    double told = attacked_for(&mechanism, proved_distance);

    (void)state;
    print_message("# proved a distance of %.3f of %.3f\n", told, 1 / terms.noise_multiplier);
    assert_true(told < 1 / terms.noise_multiplier);
    assert_true(told > 0.8 / terms.noise_multiplier);
    mechanism.noise.variance /= 2;
    assert_true(attacked_for(&mechanism, proved_distance) > 1.1 / terms.noise_multiplier);
}

/* 7 of 100 at 95 %: 0.0286 .. 0.1389, as tables have it. */
static void audit__bounds__are_those_of_clopper_and_pearson(void **state)
{
    (void)state;
    assert_true(fabs(lower_bound_of(7, 100) - 0.0286) < 1e-4);
    assert_true(fabs(upper_bound_of(7, 100) - 0.1389) < 1e-4);
    assert_true(fabs(upper_bound_of(0, 1000) - 0.003682) < 1e-6);
    assert_true(lower_bound_of(0, 10) == 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit__bounds__are_those_of_clopper_and_pearson),
        cmocka_unit_test(audit__noise_as_planned__proves_less_than_is_stated),
        cmocka_unit_test(audit__distance__is_what_is_stated_and_more_with_half_the_noise),
        cmocka_unit_test(audit__no_noise__proves_more_than_is_stated),
        cmocka_unit_test(audit__a_quarter_of_the_noise__proves_more_than_is_stated),
    };

    if (argc > 1)
        sum_count = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
