#include "participant/supervisor/site.h"

#include <stdio.h>
#include <string.h>

#include "models/trainer.h"
#include "tests/support/cmocka.h"

static const char smallest[] = "url: https://hub.example:7443\n"
                               "name: ward-1\n"
                               "id: 3\n"
                               "model: /srv/base\n"
                               "examples: /srv/photos\n";

static enum sotto_status decode(struct sotto_site_config *site, const char *more,
                                struct sotto_fault *fault)
{
    char text[1024];

    snprintf(text, sizeof text, "%s%s", smallest, more);
    return sotto_site_decode(site, "site.yaml", sotto_view_text(text), fault);
}

static enum sotto_status compose(struct sotto_site_config *site, const char *item,
                                 struct sotto_fault *fault)
{
    struct sotto_policy_overrides overrides = {.items = &item, .count = item != NULL};
    char text[SOTTO_SITE_YAML_MAX];

    *site = (struct sotto_site_config){.url = "https://hub.example:7443",
                                       .name = "ward-1",
                                       .id = 3,
                                       .model = "/srv/it's: \"a\" #base",
                                       .examples = "/srv/photos"};
    return sotto_site_compose(text, site, &overrides, fault);
}

static void site__without_policy__has_the_defaults(void **state)
{
    struct sotto_site_config site;
    struct sotto_policy defaults;

    (void)state;
    sotto_policy_init(&defaults);
    assert_int_equal(decode(&site, "", NULL), SOTTO_OK);
    assert_int_equal(site.id, 3);
    assert_false(site.is_degraded_allowed);
    assert_int_equal(site.thread_count, 1);
    assert_false(site.has_half_weights);
    assert_int_equal(site.policy.cohort_min, defaults.cohort_min);
    assert_int_equal(site.policy.rank_max, defaults.rank_max);
    assert_true(site.policy.clip_norm_max == defaults.clip_norm_max);
}

static void site__policy_keys__replace_their_defaults(void **state)
{
    struct sotto_site_config site;

    (void)state;
    assert_int_equal(decode(&site,
                            "sandbox: degraded\n"
                            "threads: 6\n"
                            "weights: bfloat16\n"
                            "policy:\n"
                            "  rank_max: 0\n"
                            "  targets: query,value\n"
                            "  refuse_close_cohorts: true\n"
                            "  epsilon_max: 8\n"
                            "  epsilon_round_max: 0.5\n"
                            "  base_model: "
                            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
                            NULL),
                     SOTTO_OK);
    assert_true(site.is_degraded_allowed);
    assert_int_equal(site.thread_count, 6);
    assert_true(site.has_half_weights);
    assert_int_equal(site.policy.rank_max, 0);
    assert_int_equal(site.policy.target_set, 1u << SOTTO_TARGET_QUERY | 1u << SOTTO_TARGET_VALUE);
    assert_int_equal(site.policy.cohort_min, 8);
    assert_true(site.policy.refuse_close_cohorts);
    assert_true(site.policy.epsilon_max == 8);
    assert_true(site.policy.epsilon_round_max == 0.5);
    assert_true(site.policy.has_base_model);
    assert_int_equal(site.policy.base_model.bytes[31], 0xff);
}

static void site__members_it_insists_on__are_read(void **state)
{
    struct sotto_site_config site;

    (void)state;
    assert_int_equal(
        decode(&site,
               "policy:\n"
               "  organisation_max: 2\n"
               "  known_min: 1\n"
               "  known_identities:\n"
               "    - 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
               "    - ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
               "  roster_authority: "
               "0a112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
               NULL),
        SOTTO_OK);
    assert_int_equal(site.policy.organisation_max, 2);
    assert_int_equal(site.policy.known_min, 1);
    assert_int_equal(site.policy.known_count, 2);
    assert_int_equal(site.policy.known[1].bytes[0], 0xff);
    assert_true(site.policy.has_roster_authority);
    assert_int_equal(site.policy.roster_authority.bytes[0], 0x0a);
    assert_int_equal(compose(&site,
                             "known_identities=["
                             "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff]",
                             NULL),
                     SOTTO_OK);
    assert_int_equal(site.policy.known_count, 1);
}

static void site__mistakes__are_named(void **state)
{
    static const struct {
        const char *more;
        const char *named;
    } mistakes[] = {
        {"sandbox: none\n", "sandbox"},
        {"threads: 0\n", "threads is 0"},
        {"threads: 65\n", "threads is 65"},
        {"weights: half\n", "weights"},
        {"policy:\n  cohort_minimum: 4\n", "cohort_minimum"},
        {"policy:\n  cohort_min: four\n", "cohort_min"},
        {"policy:\n  cohort_min: 2\n", "cohort_min is 2"},
        {"policy:\n  survivors_min: 9\n", "survivors_min is 9"},
        {"policy:\n  clip_norm_max: .inf\n", "clip_norm_max"},
        {"policy:\n  roster: abc\n", "roster"},
        {"policy:\n  targets: query,everything\n", "targets"},
        {"policy:\n  roster_authority: abc\n", "roster_authority"},
        {"policy:\n  known_min: 1\n", "known_min is 1"},
        {"policy:\n  known_identities: [abc]\n", "known_identities: entry 1"},
        {"policy:\n  organisation_max: 200000\n", "organisation_max"},
        {"id: 4\n", "id"},
        {"labels: [a]\n", "labels"},
    };

    (void)state;
    for (size_t row = 0; row < sizeof mistakes / sizeof *mistakes; row++) {
        struct sotto_site_config site;
        struct sotto_fault fault = {0};

        assert_int_equal(decode(&site, mistakes[row].more, &fault), SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, mistakes[row].named));
        assert_non_null(strstr(fault.text, "site.yaml"));
    }
}

static void site__composed__reads_back_with_any_path(void **state)
{
    struct sotto_site_config site;

    (void)state;
    assert_int_equal(compose(&site, "cohort_min=12", NULL), SOTTO_OK);
    assert_string_equal(site.model, "/srv/it's: \"a\" #base");
    assert_int_equal(site.policy.cohort_min, 12);
    assert_int_equal(site.policy.survivors_min, 6);
}

static void site__composed_with_a_bad_override__names_it(void **state)
{
    static const char *const items[] = {"cohort=4", "cohort_min", "cohort_min=4\nurl: x",
                                        "cohort_min=40000", "base_model=abc"};

    (void)state;
    for (size_t index = 0; index < sizeof items / sizeof *items; index++) {
        struct sotto_site_config site;
        struct sotto_fault fault = {0};

        assert_int_equal(compose(&site, items[index], &fault), SOTTO_MALFORMED);
        assert_true(fault.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(site__without_policy__has_the_defaults),
        cmocka_unit_test(site__policy_keys__replace_their_defaults),
        cmocka_unit_test(site__members_it_insists_on__are_read),
        cmocka_unit_test(site__mistakes__are_named),
        cmocka_unit_test(site__composed__reads_back_with_any_path),
        cmocka_unit_test(site__composed_with_a_bad_override__names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
