#include "crypto/privacy/accountant.h"

#include <assert.h>
#include <math.h>

enum { HALVINGS = 200 };

/* Logarithms of alpha - 1 and of z between which every answer lies. */
static const double order_low = -60, order_high = 60, noise_low = -30, noise_high = 30;

/*
 * Eight units of 2^-53 above one: two for the rounding of the square and the quotient, one for that
 * of this product, four for how much smaller than z^2 B^2 / m rounding may have made the variance.
 * The last is far more than tau d / 4.
 */
static const double charge_margin = 1 + 0x1p-50;

double sotto_accountant_charge(double noise_multiplier)
{
    assert(noise_multiplier > 0);
    return 0.5 / (noise_multiplier * noise_multiplier) * charge_margin;
}

double sotto_accountant_add(double total, double charge)
{
    return nextafter(total + charge, HUGE_VAL);
}

/* ln(1 - 1 / alpha), also where alpha - 1 is tiny. */
static double log_of_rest(double above_one)
{
    return log(above_one) - log1p(above_one);
}

double sotto_accountant_epsilon(double rho, double delta)
{
    double low = order_low, high = order_high;
    double above_one, epsilon;

    assert(rho >= 0 && delta > 0 && delta < 1);
    if (rho == 0)
        return 0;
    for (unsigned halving = 0; halving < HALVINGS; halving++) {
        double middle = (low + high) / 2;

        above_one = exp(middle);
        if (rho * above_one * above_one < -log(delta) - log1p(above_one))
            low = middle;
        else
            high = middle;
    }
    above_one = exp(high);
    epsilon = rho * (1 + above_one) + log_of_rest(above_one) -
              (log(delta) + log1p(above_one)) / above_one;
    return fmax(epsilon, 0);
}

double sotto_accountant_noise(double epsilon, double delta, uint32_t rounds)
{
    double low = noise_low, high = noise_high;

    assert(epsilon > 0);
    for (unsigned halving = 0; halving < HALVINGS; halving++) {
        double middle = (low + high) / 2;
        double rho = rounds * sotto_accountant_charge(exp(middle));

        if (sotto_accountant_epsilon(rho, delta) > epsilon)
            low = middle;
        else
            high = middle;
    }
    return exp(high);
}
