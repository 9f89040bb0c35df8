#include "core/base/config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

struct range {
    int8_t low;
    int64_t high;
};

struct site {
    char *url;
    uint16_t rounds;
    bool strict;
    double rate;
    int kind;
    struct range range;
    char **targets;
    uint32_t targets_count;
};

static const cyaml_strval_t kinds[] = {{"photo", 0}, {"text", 1}};

static const cyaml_schema_field_t range_fields[] = {
    CYAML_FIELD_INT("low", CYAML_FLAG_DEFAULT, struct range, low),
    CYAML_FIELD_INT("high", CYAML_FLAG_OPTIONAL, struct range, high),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t target_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 8),
};

static const cyaml_schema_field_t site_fields[] = {
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct site, url, 1, 20),
    CYAML_FIELD_UINT("rounds", CYAML_FLAG_OPTIONAL, struct site, rounds),
    CYAML_FIELD_BOOL("strict", CYAML_FLAG_OPTIONAL, struct site, strict),
    CYAML_FIELD_FLOAT("rate", CYAML_FLAG_OPTIONAL, struct site, rate),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_OPTIONAL, struct site, kind, kinds, 2),
    CYAML_FIELD_MAPPING("range", CYAML_FLAG_OPTIONAL, struct site, range, range_fields),
    CYAML_FIELD_SEQUENCE("targets", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct site, targets,
                         &target_schema, 1, 3),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t site_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct site, site_fields),
};

static enum sotto_status decode(struct site **site, const char *text, const char *override,
                                struct sotto_fault *fault)
{
    struct sotto_config_overrides overrides = {.items = &override, .count = override != NULL};
    void *out = NULL;
    enum sotto_status status = sotto_config_decode(&out, "site.yaml", sotto_view_text(text),
                                                   &site_schema, &overrides, fault);

    *site = out;
    return status;
}

static void config__every_kind__is_read(void **state)
{
    struct sotto_fault fault;
    struct site *site;

    (void)state;
    assert_int_equal(decode(&site,
                            "url: https://hub:1\nrounds: 65535\nstrict: true\nrate: -1.5e-3\n"
                            "kind: text\nrange: {low: -128, high: 9223372036854775807}\n"
                            "targets:\n  - q\n  - v\n",
                            NULL, &fault),
                     SOTTO_OK);
    assert_string_equal(site->url, "https://hub:1");
    assert_int_equal(site->rounds, 65535);
    assert_true(site->strict);
    assert_true(site->rate == -1.5e-3);
    assert_int_equal(site->kind, 1);
    assert_int_equal(site->range.low, -128);
    assert_true(site->range.high == INT64_MAX);
    assert_int_equal(site->targets_count, 2);
    assert_string_equal(site->targets[1], "v");
    sotto_config_free(site, &site_schema);
}

struct mistake {
    const char *text;
    const char *told;
};

static const struct mistake mistakes[] = {
    {"url: a\n\nurll: b\n", "site.yaml:3: unknown key \"urll\": expected one of url, rounds, "
                            "strict, rate, kind, range, targets"},
    {"rounds: 3\n", "site.yaml:1: the key \"url\" is missing"},
    {"", "site.yaml:1: the key \"url\" is missing"},
    {"# nothing\n", "site.yaml:1: the key \"url\" is missing"},
    {"url: a\nrange:\n  low: 1\n  hihg: 2\n",
     "site.yaml:4: unknown key \"hihg\" in \"range\": expected one of low, high"},
    {"url: a\nrange:\n  high: 2\n", "site.yaml:3: the key \"low\" is missing in \"range\""},
    {"url: a\nrounds: ten\n",
     "site.yaml:2: \"rounds\" must be a whole number from 0 to 65535, not \"ten\""},
    {"url: a\nrounds: 65536\n",
     "site.yaml:2: \"rounds\" must be a whole number from 0 to 65535, not \"65536\""},
    {"url: a\nrounds: 010\n",
     "site.yaml:2: \"rounds\" must be a whole number from 0 to 65535, not \"010\""},
    {"url: a\nrange: {low: -129}\n",
     "site.yaml:2: \"low\" must be a whole number from -128 to 127, not \"-129\""},
    {"url: a\nstrict: maybe\n", "site.yaml:2: \"strict\" must be true or false, not \"maybe\""},
    {"url: a\nrate: .nan\n", "site.yaml:2: \"rate\" must be a finite number, not \".nan\""},
    {"url: a\nrate: 1e999\n", "site.yaml:2: \"rate\" must be a finite number, not \"1e999\""},
    {"url: a\nrate: 1 s\n", "site.yaml:2: \"rate\" must be a finite number, not \"1 s\""},
    {"url: a\nkind: sound\n", "site.yaml:2: \"kind\" must be one of photo, text, not \"sound\""},
    {"url: a\nkind: 1\n", "site.yaml:2: \"kind\" must be one of photo, text, not \"1\""},
    {"url: ''\n", "site.yaml:1: \"url\" must be at least 1 bytes long, not \"\""},
    {"url: aaaaaaaaaaaaaaaaaaaaa\n",
     "site.yaml:1: \"url\" must be at most 20 bytes long, not \"aaaaaaaaaaaaaaaaaaaaa\""},
    {"url: \"a\\0b\"\n", "site.yaml:1: \"url\" must be text without a zero byte, not \"a\""},
    {"url: [a]\n", "site.yaml:1: \"url\" must be a single value, not \"[...]\""},
    {"url: a\nrange: 3\n", "site.yaml:2: \"range\" must be a mapping of keys to values, not \"3\""},
    {"url: a\ntargets: q\n", "site.yaml:2: \"targets\" must be a list, not \"q\""},
    {"url: a\ntargets: []\n",
     "site.yaml:2: \"targets\" must be a list of 1 to 3 entries, not \"[...]\""},
    {"url: a\ntargets: [q,\n  waytoolong]\n",
     "site.yaml:3: \"targets\" must be at most 8 bytes long, not \"waytoolong\""},
    {"url: a\nrounds: 1\nrounds: 2\n",
     "site.yaml:3: \"rounds\" stands here and in line 2; remove one"},
    {"- url\n", "site.yaml:1: the top level must be a mapping of keys to values, not \"[...]\""},
    {"url: &u a\nkind: *u\n", "site.yaml:2: aliases are not allowed; write the value out"},
    {"url: a\n---\nurl: b\n", "site.yaml:2: only one document is allowed; remove the '---'"},
    {"url: a\n  rounds: 3\n", "site.yaml:2: mapping values are not allowed in this context"},
    {"url: \xff\n", "site.yaml:1: invalid leading UTF-8 octet"},
    {"url: a\n\"ro\\nunds\": 1\n", "site.yaml:2: unknown key \"ro?unds\": expected one of url, "
                                   "rounds, strict, rate, kind, range, targets"},
};

static void config__mistake__is_told_with_its_line_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct sotto_fault fault = {0};
        struct site *site;

        assert_int_equal(decode(&site, mistakes[i].text, NULL, &fault), SOTTO_MALFORMED);
        assert_null(site);
        assert_string_equal(fault.text, mistakes[i].told);
    }
}

static void override__of_a_key_in_the_file__replaces_its_whole_value(void **state)
{
    const char text[] = "targets: # where\n  - q\n  - 'a\n\n    b'\nurl: a\n...\n";
    struct sotto_fault fault = {0};
    struct site *site;

    (void)state;
    assert_int_equal(decode(&site, text, "targets=[k, v, w]", &fault), SOTTO_OK);
    assert_int_equal(site->targets_count, 3);
    assert_string_equal(site->targets[2], "w");
    assert_string_equal(site->url, "a");
    sotto_config_free(site, &site_schema);
}

static void override__of_a_key_not_in_the_file__adds_it(void **state)
{
    const char *const texts[] = {"url: a", "url: a\n", "  url: a\n", "---\nurl: |+\n  a\n",
                                 "url: a # é\n\n# end"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sotto_fault fault = {0};
        struct site *site;

        assert_int_equal(decode(&site, texts[i], "rounds=7", &fault), SOTTO_OK);
        assert_int_equal(site->rounds, 7);
        assert_int_equal(site->url[0], 'a');
        sotto_config_free(site, &site_schema);
    }
}

static void override__after_characters_of_many_bytes__hits_its_key(void **state)
{
    struct sotto_fault fault = {0};
    struct site *site;

    (void)state;
    assert_int_equal(decode(&site, "url: é€𝄞\nrounds: 3\nkind: text\n", "rounds=7", &fault),
                     SOTTO_OK);
    assert_string_equal(site->url, "é€𝄞");
    assert_int_equal(site->rounds, 7);
    assert_int_equal(site->kind, 1);
    sotto_config_free(site, &site_schema);
}

static void override__several__all_hold(void **state)
{
    const char *const items[] = {"rounds=7", "url=b", "kind=text"};
    struct sotto_config_overrides overrides = {.items = items, .count = 3};
    struct site *site;
    void *out;

    (void)state;
    assert_int_equal(sotto_config_decode(&out, "site.yaml", sotto_view_text("url: a\nrounds: 3\n"),
                                         &site_schema, &overrides, NULL),
                     SOTTO_OK);
    site = out;
    assert_string_equal(site->url, "b");
    assert_int_equal(site->rounds, 7);
    assert_int_equal(site->kind, 1);
    sotto_config_free(site, &site_schema);
}

static void override__mistake__is_told_with_the_override(void **state)
{
    const struct mistake wrong[] = {
        {"urll=b", "site.yaml, override urll=b: unknown key \"urll\": expected one of url, rounds, "
                   "strict, rate, kind, range, targets"},
        {"rounds=ten", "site.yaml, override rounds=ten: \"rounds\" must be a whole number from 0 "
                       "to 65535, not \"ten\""},
        {"rounds", "site.yaml, override rounds: write it as key=value, on one line"},
        {"=3", "site.yaml, override =3: write it as key=value, on one line"},
        {"rounds=3\nkind: text",
         "site.yaml, override rounds=3: write it as key=value, on one line"},
        {"targets=[q", "site.yaml, override targets=[q: did not find expected ',' or ']'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sotto_fault fault = {0};
        struct site *site;

        assert_int_equal(decode(&site, "url: a\nrounds: 3\n", wrong[i].text, &fault),
                         SOTTO_MALFORMED);
        assert_string_equal(fault.text, wrong[i].told);
    }
}

static void override__beside_a_mistake_in_the_file__keeps_its_line(void **state)
{
    struct sotto_fault fault = {0};
    struct site *site;

    (void)state;
    assert_int_equal(decode(&site, "rounds:\n  3\nurl: a\nkind: b\n", "rounds=4", &fault),
                     SOTTO_MALFORMED);
    assert_string_equal(fault.text, "site.yaml:4: \"kind\" must be one of photo, text, not \"b\"");
}

static void override__of_a_flow_mapping__is_refused(void **state)
{
    struct sotto_fault fault = {0};
    struct site *site;

    (void)state;
    assert_int_equal(decode(&site, "{url: a}\n", "rounds=4", &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "on its own line"));
}

static void config__file__is_named_when_absent_or_wrong(void **state)
{
    struct folder folder;
    struct folder_path path;
    struct sotto_fault fault = {0};
    void *out;

    (void)state;
    folder_open(&folder);
    path = folder_path(&folder, "site.yaml");
    assert_int_equal(sotto_config_load(&out, path.text, &site_schema, NULL, &fault),
                     SOTTO_NOT_FOUND);
    assert_non_null(strstr(fault.text, path.text));
    folder_write(&folder, "site.yaml", sotto_view_text("url: a\nx: 1\n"));
    assert_int_equal(sotto_config_load(&out, path.text, &site_schema, NULL, &fault),
                     SOTTO_MALFORMED);
    assert_null(out);
    assert_ptr_equal(strstr(fault.text, path.text), fault.text);
    folder_close(&folder);
}

static void config__too_long__is_over_limit(void **state)
{
    char *text = calloc(1, SOTTO_CONFIG_BYTES_MAX + 2);
    struct sotto_fault fault = {0};
    struct site *site;

    (void)state;
    assert_non_null(text);
    memset(text, '#', SOTTO_CONFIG_BYTES_MAX + 1);
    assert_int_equal(decode(&site, text, NULL, &fault), SOTTO_OVER_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__every_kind__is_read),
        cmocka_unit_test(config__mistake__is_told_with_its_line_and_key),
        cmocka_unit_test(override__of_a_key_in_the_file__replaces_its_whole_value),
        cmocka_unit_test(override__of_a_key_not_in_the_file__adds_it),
        cmocka_unit_test(override__after_characters_of_many_bytes__hits_its_key),
        cmocka_unit_test(override__several__all_hold),
        cmocka_unit_test(override__mistake__is_told_with_the_override),
        cmocka_unit_test(override__beside_a_mistake_in_the_file__keeps_its_line),
        cmocka_unit_test(override__of_a_flow_mapping__is_refused),
        cmocka_unit_test(config__file__is_named_when_absent_or_wrong),
        cmocka_unit_test(config__too_long__is_over_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
