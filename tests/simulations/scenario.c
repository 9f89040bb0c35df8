#include "simulations/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum sotto_status open_with(struct sotto_scenario **scenario, const char *override,
                                   struct sotto_fault *fault)
{
    struct sotto_config_overrides overrides = {.items = &override, .count = override ? 1 : 0};

    return sotto_scenario_open(scenario, "simulations/scenarios/five-sites.yaml", &overrides,
                               fault);
}

static void scenario__shipped_ones__open(void **state)
{
    static const char *const paths[] = {"simulations/scenarios/five-sites.yaml",
                                        "simulations/scenarios/fifty-sites.yaml",
                                        "simulations/scenarios/five-hundred-sites.yaml"};
    struct sotto_scenario *scenario;
    struct sotto_fault fault = {0};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (sotto_scenario_open(&scenario, paths[i], NULL, &fault) != SOTTO_OK)
            fail_msg("%s", fault.text);
        sotto_scenario_close(scenario);
    }
}

static void scenario__override__replaces_the_key(void **state)
{
    struct sotto_scenario *scenario;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(open_with(&scenario, "seed=77", &fault), SOTTO_OK);
    assert_int_equal(scenario->seed, 77);
    assert_int_equal(scenario->sites, 5);
    sotto_scenario_close(scenario);
}

static void scenario__bad_override__names_the_key(void **state)
{
    static const char *const overrides[][2] = {{"sead=7", "sead"},
                                               {"seed=many", "seed"},
                                               {"cohort_min=2", "cohort_min"},
                                               {"survivors_min=5", "survivors_min"},
                                               {"sites=3", "sites"},
                                               {"dropout_rate=1.5", "dropout_rate"},
                                               {"threads=0", "threads"}};
    struct sotto_scenario *scenario;

    (void)state;
    for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
        struct sotto_fault fault = {0};

        assert_int_not_equal(open_with(&scenario, overrides[i][0], &fault), SOTTO_OK);
        assert_null(scenario);
        if (!strstr(fault.text, overrides[i][1]))
            fail_msg("%s: %s", overrides[i][0], fault.text);
    }
}

static void scenario__relative_paths__start_at_its_folder(void **state)
{
    struct sotto_scenario *scenario;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(open_with(&scenario, NULL, &fault), SOTTO_OK);
    assert_string_equal(scenario->model, "simulations/scenarios/../../models/base/fashion-vit");
    sotto_scenario_close(scenario);
}

static void scenario__kind__is_lora_or_norms_and_biases(void **state)
{
    static const struct {
        const char *override;
        enum sotto_adapter_kind kind;
    } rows[] = {{"seed=1", SOTTO_ADAPTER_LORA},
                {"kind=lora", SOTTO_ADAPTER_LORA},
                {"kind=norm-bias", SOTTO_ADAPTER_NORM_BIAS}};
    struct sotto_adapter_choice choice;
    struct sotto_scenario *scenario;
    struct sotto_fault fault = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(open_with(&scenario, rows[i].override, &fault), SOTTO_OK);
        assert_int_equal(sotto_scenario_choice(&choice, scenario, &fault), SOTTO_OK);
        assert_int_equal(choice.kind, rows[i].kind);
        sotto_scenario_close(scenario);
    }
    assert_int_equal(open_with(&scenario, "kind=bias", &fault), SOTTO_OK);
    assert_int_equal(sotto_scenario_choice(&choice, scenario, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "give lora or norm-bias"));
    sotto_scenario_close(scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__shipped_ones__open),
        cmocka_unit_test(scenario__override__replaces_the_key),
        cmocka_unit_test(scenario__bad_override__names_the_key),
        cmocka_unit_test(scenario__relative_paths__start_at_its_folder),
        cmocka_unit_test(scenario__kind__is_lora_or_norms_and_biases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
