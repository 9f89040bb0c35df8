/* AdamW against its formula in double, and the server's step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "models/optim/adamw.h"
#include "models/optim/server.h"

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
    sotto_adamw_init(&adamw, first, second, COUNT);
    for (int i = 0; i < COUNT; i++)
        twins[i] = (struct twin){weights[i] = (float)(i - 2) * 0.5f, 0.0, 0.0};
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < COUNT; i++) {
            gradients[i] = (float)sin(step * (i + 1));
            twin_step(&twins[i], gradients[i], i < 2 ? 0.5 : 0.0, step);
        }
        sotto_adamw_step(&adamw, weights, gradients, &rule, spans, 2);
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
    sotto_adamw_init(&adamw, &first, &second, 1);
    sotto_adamw_step(&adamw, &weight, &gradient, &rule, &span, 1);
    assert_true(fabs(weight - rule.learning_rate) < 2e-9);
}

static void server_step__rate__scales_the_mean(void **state)
{
    float adapter[] = {1.0f, -2.0f};
    const float mean[] = {0.5f, 4.0f};

    (void)state;
    sotto_server_step(adapter, mean, 2, 1.0);
    assert_true(adapter[0] == 1.5f && adapter[1] == 2.0f);
    sotto_server_step(adapter, mean, 2, 0.5);
    assert_true(adapter[0] == 1.75f && adapter[1] == 4.0f);
    sotto_server_step(adapter, mean, 0, 1.0);
    assert_true(adapter[0] == 1.75f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw__twenty_steps__follow_the_formula),
        cmocka_unit_test(adamw__init__forgets_what_was),
        cmocka_unit_test(server_step__rate__scales_the_mean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
