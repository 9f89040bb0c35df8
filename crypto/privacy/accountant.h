/*
 * How much of a site's privacy a sequence of rounds costs. A round whose sum carries Gaussian noise
 * of z times one site's sensitivity is rho-concentrated with rho = 1 / (2 z^2): its divergence of
 * order alpha (Renyi) is at most rho alpha. Divergences of rounds add up, whatever one round showed
 * before the next began. Totals are kept in rho and told as (epsilon, delta).
 *
 * Sources: Bun and Steinke, TCC 2016 (rho, composition); Canonne, Kamath and Steinke, NeurIPS 2020,
 * Proposition 12 (conversion); Kairouz, Liu and Steinke, ICML 2021, main theorem (a sum of discrete
 * Gaussians: its tau is added nowhere here, see crypto/README.md).
 *
 * Planner, coordinator and sealer use these functions, so that they tell the same numbers.
 */
#ifndef SOTTO_CRYPTO_PRIVACY_ACCOUNTANT_H
#define SOTTO_CRYPTO_PRIVACY_ACCOUNTANT_H

#include <stdint.h>

/*
 * What a round costs: rho = 1 / (2 z^2), never less whatever the rounding, here and in the variance
 * of sotto_noise_of; noise_multiplier z > 0.
 */
double sotto_accountant_charge(double noise_multiplier);

/* total + charge, rounded up, so that a long ledger never tells less than was spent. */
double sotto_accountant_add(double total, double charge);

/*
 * The least epsilon for which rho-concentrated means (epsilon, delta), over the orders alpha > 1:
 *
 *     min  rho alpha + (ln(1 / delta) + (alpha - 1) ln(1 - 1 / alpha) - ln alpha) / (alpha - 1)
 *
 * The derivative has the sign of rho (alpha - 1)^2 - ln(1 / (alpha delta)), which only grows, so
 * that bisection finds the minimum; any other order would give a valid, larger epsilon.
 *
 *   rho    in  >= 0; 0 gives 0
 *   delta  in  within (0, 1)
 */
double sotto_accountant_epsilon(double rho, double delta);

/*
 * The inverse: the least noise multiplier with which `rounds` rounds cost at most epsilon, to 1 in
 * 10^9, from above.
 *
 *   epsilon  in  > 0
 */
double sotto_accountant_noise(double epsilon, double delta, uint32_t rounds);

#endif
