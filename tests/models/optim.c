/* AdamW and the proximal pull against their formulas in double, and the server's step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "models/optim/adamw.h"
#include "models/optim/server.h"
#include "tests/support/device.h"

enum { COUNT = 5, STEPS = 20 };

static const struct sotto_adamw_rule rule = {1e-2, 0.9, 0.999, 1e-8};

struct twin {
    double weight;
    double first;
    double second;
};

/* Algorithm 2 of the paper, one weight, as written. */
static void twin_step(struct twin *twin, double gradient, double decay, int step)
{
    double first;
    double second;

    twin->first = rule.beta1 * twin->first + (1.0 - rule.beta1) * gradient;
    twin->second = rule.beta2 * twin->second + (1.0 - rule.beta2) * gradient * gradient;
    first = twin->first / (1.0 - pow(rule.beta1, step));
    second = twin->second / (1.0 - pow(rule.beta2, step));
    twin->weight -=
        rule.learning_rate * (first / (sqrt(second) + rule.epsilon) + decay * twin->weight);
}

static void adamw__twenty_steps__follow_the_formula(void **state)
{
    const struct sotto_adamw_span spans[] = {{0, 2, 0.5}, {2, 2, 0.0}};
    struct twin twins[COUNT];
    float weights[COUNT];
    float gradients[COUNT];
    float first[COUNT];
    float second[COUNT];
    struct sotto_adamw adamw;

    (void)state;
    sotto_adamw_init(&adamw, sotto_kernels_cpu(),
                     (struct sotto_moments){device_floats(first), device_floats(second)}, COUNT);
    for (int i = 0; i < COUNT; i++)
        twins[i] = (struct twin){weights[i] = (float)(i - 2) * 0.5f, 0.0, 0.0};
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++) {
            gradients[i] = (float)sin(step * (i + 1));
            twin_step(&twins[i], gradients[i], i < 2 ? 0.5 : 0.0, step);
        }
        sotto_adamw_step(&adamw, device_floats(weights), device_view(gradients), &rule, spans, 2);
    }
    for (int i = 0; i < 4; i++)
        assert_true(fabs(weights[i] - twins[i].weight) < 2e-6);
    assert_true(weights[4] == 1.0f);
}

static void adamw__init__forgets_what_was(void **state)
{
    const struct sotto_adamw_span span = {0, 1, 0.0};
    float weight = 0.0f;
    float gradient = -3.0f;
    float first = 9.0f;
    float second = 9.0f;
    struct sotto_adamw adamw;

    (void)state;
    sotto_adamw_init(&adamw, sotto_kernels_cpu(),
                     (struct sotto_moments){device_floats(&first), device_floats(&second)}, 1);
    sotto_adamw_step(&adamw, device_floats(&weight), device_view(&gradient), &rule, &span, 1);
    assert_true(fabs(weight - rule.learning_rate) < 2e-9);
}

static void server_step__fedavg__scales_the_mean(void **state)
{
    const struct sotto_server_rule plain = {.kind = SOTTO_SERVER_FEDAVG, .rate = 0.5};
    float adapter[] = {1.0f, -2.0f};
    const float mean[] = {0.5f, 4.0f};

    (void)state;
    assert_int_equal(sotto_server_moment_count(SOTTO_SERVER_FEDAVG, 2), 0);
    sotto_server_step(adapter, NULL, mean, 2, &plain);
    assert_true(adapter[0] == 1.25f && adapter[1] == 0.0f);
    sotto_server_step(adapter, NULL, mean, 0, &plain);
    assert_true(adapter[0] == 1.25f);
}

/* After n rounds of one delta d the momentum is d (1 - beta^n) / (1 - beta). */
static void server_step__fedavgm__remembers_earlier_rounds(void **state)
{
    const struct sotto_server_rule momentum = {
        .kind = SOTTO_SERVER_FEDAVGM, .rate = 0.1, .beta1 = 0.5};
    float adapter = 0.0f;
    float moment = 7.0f;
    const float mean = 2.0f;

    (void)state;
    assert_int_equal(sotto_server_moment_count(SOTTO_SERVER_FEDAVGM, 1), 1);
    sotto_server_moments_start(&moment, &momentum, 1);
    sotto_server_step(&adapter, &moment, &mean, 1, &momentum);
    assert_true(moment == 2.0f);
    sotto_server_step(&adapter, &moment, &mean, 1, &momentum);
    assert_true(moment == 3.0f);
    assert_true(fabs(adapter - 0.1 * (2 + 3)) < 1e-6);
}

/* By hand: d 3, tau 0.1, v from 0.01. */
static void server_step__fedadam_and_fedyogi__follow_the_formula(void **state)
{
    struct sotto_server_rule adaptive = {SOTTO_SERVER_FEDADAM, 0.5, 0.9, 0.75, 0.1};
    float moments[2];
    float adapter = 1.0f;
    const float mean = 3.0f;
    double second = 0.75 * 0.01 + 0.25 * 9;

    (void)state;
    assert_int_equal(sotto_server_moment_count(SOTTO_SERVER_FEDADAM, 1), 2);
    sotto_server_moments_start(moments, &adaptive, 1);
    assert_true(moments[0] == 0.0f && fabs(moments[1] - 0.01) < 1e-8);
    sotto_server_step(&adapter, moments, &mean, 1, &adaptive);
    assert_true(fabs(moments[0] - 0.3) < 1e-6 && fabs(moments[1] - second) < 1e-6);
    assert_true(fabs(adapter - (1 + 0.5 * 0.3 / (sqrt(second) + 0.1))) < 1e-6);
    adaptive.kind = SOTTO_SERVER_FEDYOGI;
    adapter = 1.0f;
    sotto_server_moments_start(moments, &adaptive, 1);
    sotto_server_step(&adapter, moments, &mean, 1, &adaptive);
    second = 0.01 + 0.25 * 9;
    assert_true(fabs(moments[1] - second) < 1e-6);
    assert_true(fabs(adapter - (1 + 0.5 * 0.3 / (sqrt(second) + 0.1))) < 1e-6);
}

/* Yogi's second moment falls by a share of d^2, not of itself. */
static void server_step__fedyogi__falls_slowly(void **state)
{
    const struct sotto_server_rule yogi = {SOTTO_SERVER_FEDYOGI, 0.5, 0.9, 0.75, 2};
    float moments[2];
    float adapter = 0.0f;
    const float mean = 1.0f;

    (void)state;
    sotto_server_moments_start(moments, &yogi, 1);
    sotto_server_step(&adapter, moments, &mean, 1, &yogi);
    assert_true(fabs(moments[1] - (4 - 0.25)) < 1e-6);
}

static double proximal_loss(const float *weights, const float *start, size_t count, double mu)
{
    double squares = 0.0;

    for (size_t i = 0; i < count; i++)
        squares += pow((double)weights[i] - start[i], 2);
    return mu / 2 * squares;
}

static void proximal__gradient__is_the_slope_of_the_loss(void **state)
{
    const double mu = 0.7, step = 1e-3;
    float weights[] = {1.0f, -2.0f, 0.25f};
    const float start[] = {0.5f, -2.0f, 3.0f};
    float gradients[] = {1.0f, 1.0f, 1.0f};

    (void)state;
    sotto_kernels_cpu()->pull(device_floats(gradients), device_view(weights), device_view(start),
                              (float)mu, 3);
    for (size_t i = 0; i < 3; i++) {
        float kept = weights[i];
        double above, below;

        weights[i] = (float)(kept + step);
        above = proximal_loss(weights, start, 3, mu);
        weights[i] = (float)(kept - step);
        below = proximal_loss(weights, start, 3, mu);
        weights[i] = kept;
        assert_true(fabs((above - below) / (2 * step) - (gradients[i] - 1)) < 1e-3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw__twenty_steps__follow_the_formula),
        cmocka_unit_test(adamw__init__forgets_what_was),
        cmocka_unit_test(server_step__fedavg__scales_the_mean),
        cmocka_unit_test(server_step__fedavgm__remembers_earlier_rounds),
        cmocka_unit_test(server_step__fedadam_and_fedyogi__follow_the_formula),
        cmocka_unit_test(server_step__fedyogi__falls_slowly),
        cmocka_unit_test(proximal__gradient__is_the_slope_of_the_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
