/* The accountant, held against published and other people's figures, and against itself. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/privacy/accountant.h"

static double epsilon_of(double noise, uint32_t rounds, double delta)
{
    double total = 0;

    for (uint32_t round = 0; round < rounds; round++)
        total = sotto_accountant_add(total, sotto_accountant_charge(noise));
    return sotto_accountant_epsilon(total, delta);
}

/*
 * US Census Bureau, 2020 redistricting data (announced in June 2021): rho = 2.56 for persons, 0.07
 * for housing units, rounded to two places, told as epsilon = 17.14 and 2.47 at delta = 1e-10.
 */
static void epsilon__census_of_2020__is_what_was_announced(void **state)
{
    static const double told[][3] = {{2.555, 2.565, 17.14}, {0.065, 0.075, 2.47}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(sotto_accountant_epsilon(told[i][0], 1e-10) < told[i][2] + 0.005);
        assert_true(sotto_accountant_epsilon(told[i][1], 1e-10) > told[i][2] - 0.005);
    }
}

/*
 * dp-accounting 0.6.0 (PyPI), RdpAccountant with its default orders, rounds of GaussianDpEvent(z).
 * It takes the best of a list of orders, so it is a little above the minimum over all.
 */
static void epsilon__gaussian_rounds__is_that_of_another_accountant(void **state)
{
    static const struct {
        double noise;
        uint32_t rounds;
        double delta, epsilon;
    } rows[] = {
        {1.0, 1, 1e-5, 4.728507067217623},     {1.0, 10, 1e-6, 20.551991629803823},
        {0.5, 1, 1e-6, 11.68862679916635},     {2.0, 100, 1e-6, 37.429216196844386},
        {4.0, 20, 1e-5, 5.377728336819822},    {10.0, 1000, 1e-8, 23.21186420547467},
        {30.0, 10, 1e-6, 0.45474145933709487},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double own = epsilon_of(rows[i].noise, rows[i].rounds, rows[i].delta);

        assert_true(own <= rows[i].epsilon);
        assert_true(own > rows[i].epsilon * (1 - 3e-4));
    }
}

/* Any order gives a valid epsilon; none on a fine grid gives a smaller one. */
static void epsilon__any_order__gives_no_less(void **state)
{
    static const double rhos[] = {1e-9, 1e-4, 0.02, 0.5, 3, 50, 1e4};

    (void)state;
    for (size_t i = 0; i < sizeof rhos / sizeof *rhos; i++) {
        double least = INFINITY;
        double own = sotto_accountant_epsilon(rhos[i], 1e-6);

        for (double x = -12; x < 25; x += 0.001) {
            double alpha = 1 + exp(x);
            double epsilon =
                rhos[i] * alpha +
                (log(1e6) + (alpha - 1) * log1p(-1 / alpha) - log(alpha)) / (alpha - 1);

            least = fmin(least, epsilon);
        }
        assert_true(own <= fmax(least, 0) * (1 + 1e-12));
        assert_true(own >= least * (1 - 1e-5));
    }
}

/*
 * The exact curve of the Gaussian (Balle and Wang, ICML 2018, Theorem 8): delta(epsilon) with mu =
 * sqrt(2 rho). The stated epsilon must be safe for it, and is not far off.
 */
static void epsilon__exact_gaussian_curve__is_just_below(void **state)
{
    static const double rhos[] = {0.001, 0.07, 0.5, 2.56, 20};

    (void)state;
    for (size_t i = 0; i < sizeof rhos / sizeof *rhos; i++) {
        double mu = sqrt(2 * rhos[i]);
        double delta[2];

        for (size_t k = 0; k < 2; k++) {
            double epsilon = sotto_accountant_epsilon(rhos[i], 1e-6) * (k == 0 ? 1 : 0.85);

            delta[k] = erfc((epsilon / mu - mu / 2) / sqrt(2)) / 2 -
                       exp(epsilon) * erfc((epsilon / mu + mu / 2) / sqrt(2)) / 2;
        }
        assert_true(delta[0] < 1e-6);
        assert_true(delta[1] > 1e-6);
    }
}

static void noise__for_an_epsilon__is_the_least_that_reaches_it(void **state)
{
    static const double epsilons[] = {0.1, 1, 8, 100};
    static const uint32_t rounds[] = {1, 20, 3000};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 3; k++) {
            double noise = sotto_accountant_noise(epsilons[i], 1e-6, rounds[k]);

            assert_true(epsilon_of(noise, rounds[k], 1e-6) <= epsilons[i] * (1 + 1e-9));
            assert_true(epsilon_of(noise * (1 - 1e-6), rounds[k], 1e-6) > epsilons[i]);
        }
    }
}

/* In 64 bits of precision the true value is known well enough: 2^-53 is what is looked for. */
static void charge__any_noise__is_never_below_the_true_one(void **state)
{
    struct sotto_entropy entropy;

    (void)state;
    _Static_assert(LDBL_MANT_DIG >= 64, "a long double has to be finer than a double");
    sotto_entropy_init_seeded(&entropy, 8);
    for (unsigned i = 0; i < 100000; i++) {
        double noise = 1e-3 + sotto_entropy_unit(&entropy) * (i % 2 ? 3 : 1000);
        long double exact = 0.5L / ((long double)noise * (long double)noise);
        double charge = sotto_accountant_charge(noise);

        assert_true((long double)charge >= exact * (1 + 0x1p-53L));
        assert_true((long double)charge <= exact * (1 + 0x1p-49L));
    }
}

static void add__tiny_charges__never_tell_less_than_was_spent(void **state)
{
    double total = 1e6, exact = 1e6;

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        total = sotto_accountant_add(total, 1e-12);
    exact += 1e-7;
    assert_true(total >= exact);
    assert_true(sotto_accountant_epsilon(0, 1e-6) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epsilon__census_of_2020__is_what_was_announced),
        cmocka_unit_test(epsilon__gaussian_rounds__is_that_of_another_accountant),
        cmocka_unit_test(epsilon__any_order__gives_no_less),
        cmocka_unit_test(epsilon__exact_gaussian_curve__is_just_below),
        cmocka_unit_test(noise__for_an_epsilon__is_the_least_that_reaches_it),
        cmocka_unit_test(charge__any_noise__is_never_below_the_true_one),
        cmocka_unit_test(add__tiny_charges__never_tell_less_than_was_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
