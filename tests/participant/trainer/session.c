/* A site's trainer over rounds: what it keeps, and when it lets go of it. */
#include "participant/trainer/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

static const char model[] = "tests/vectors/bert";
static const char texts[] = "{\"text\":\"a b c\",\"label\":0}\n{\"text\":\"b\",\"label\":1}\n"
                            "{\"text\":\"c d\",\"label\":1}\n{\"text\":\"d a e\",\"label\":0}\n";

/* A version of a campaign, as the sealer hands it over. */
struct version {
    struct sotto_layout layout;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    float *adapter; /* lanes and manifest */
    struct sotto_version_bytes bytes;
};

struct site {
    struct folder folder;
    struct folder_path examples;
    struct sotto_session session;
};

static void site_open(struct site *site)
{
    struct sotto_examples_place place = {.chat = ""};
    struct sotto_fault fault = {0};

    folder_open(&site->folder);
    folder_write(&site->folder, "texts.jsonl", sotto_view_text(texts));
    site->examples = folder_path(&site->folder, "texts.jsonl");
    place.folder = site->examples.text;
    if (sotto_session_open(&site->session, model, &place,
                           (struct sotto_session_choice){.thread_count = 1}, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
}

static void site_close(struct site *site)
{
    sotto_session_close(&site->session);
    folder_close(&site->folder);
}

/* Adapters of the last block alone, over labels of a name that begins with `label`. */
static void version_open(struct version *version, const struct site *site, uint32_t rank,
                         const char *label)
{
    struct sotto_adapter_choice choice = {.rank = rank,
                                          .alpha = 4.0,
                                          .target_set = SOTTO_TARGETS_ALL,
                                          .top_blocks = 1,
                                          .label_count = 2};
    struct sotto_buffer out = sotto_buffer_of(version->layout_bytes, sizeof version->layout_bytes);
    struct sotto_entropy entropy;

    for (uint32_t i = 0; i < choice.label_count; i++)
        snprintf(choice.labels[i], sizeof choice.labels[i], "%s-%u", label, i);
    assert_int_equal(
        sotto_layout_derive(&version->layout, sotto_model_arch(site->session.model), &choice, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_layout_encode(&out, &version->layout), SOTTO_OK);
    version->adapter = calloc(1, sotto_manifest_adapter_bytes(&version->layout));
    assert_non_null(version->adapter);
    sotto_entropy_init_seeded(&entropy, 3);
    sotto_layout_start(version->adapter, &version->layout, &entropy);
    sotto_manifest_write(version->adapter, &version->layout, sotto_hash);
    version->bytes = (struct sotto_version_bytes){
        .layout = sotto_view_buffer(&out),
        .adapter = sotto_view_of(version->adapter, sotto_manifest_adapter_bytes(&version->layout))};
}

static void load(struct site *site, const struct version *version)
{
    struct sotto_loaded loaded;
    struct sotto_fault fault = {0};

    if (sotto_session_load(&site->session, &loaded, &version->bytes, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
}

/* What a round's training makes of a version; the caller frees it. */
static float *trained(struct site *site, const struct version *version)
{
    const struct sotto_train train = {
        .seed = 5,
        .recipe = {
            .epochs = 2, .batch = 2, .learning_rate_start = 0.01, .learning_rate_end = 0.01}};
    float *delta = calloc(version->layout.lane_count, sizeof *delta);
    struct sotto_fault fault = {0};

    assert_non_null(delta);
    load(site, version);
    if (sotto_session_train(&site->session, delta, &train, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    return delta;
}

/*
 * Other words in the same texts, behind the session's back: who still computes what it did before
 * has kept the rows below the adapters, and who does not has read the texts anew.
 */
static void change_words(struct site *site)
{
    struct sotto_dataset *dataset = &site->session.examples.dataset;

    for (size_t i = 0; i < dataset->starts[dataset->count]; i++)
        dataset->tokens[i] = (dataset->tokens[i] + 7) % 40;
}

/* Trains, changes the words, trains by `then`; whether the words made no difference. */
static bool keeps_rows_for(struct site *site, const struct version *first,
                           const struct version *then)
{
    float *before = trained(site, first);
    float *after;
    bool is_same;

    change_words(site);
    free(trained(site, then));
    after = trained(site, first);
    is_same = memcmp(before, after, first->layout.lane_count * sizeof *before) == 0;
    free(before);
    free(after);
    return is_same;
}

static void session__version_of_the_same_layout__keeps_the_rows_below_it(void **state)
{
    struct version first, next;
    struct site site;

    (void)state;
    site_open(&site);
    version_open(&first, &site, 2, "a");
    version_open(&next, &site, 2, "a");
    next.adapter[0] += 0.5f;
    sotto_manifest_write(next.adapter, &next.layout, sotto_hash);
    assert_true(keeps_rows_for(&site, &first, &next));
    free(first.adapter);
    free(next.adapter);
    site_close(&site);
}

static void session__version_of_another_rank__lets_go_of_the_rows(void **state)
{
    struct version first, next;
    struct site site;

    (void)state;
    site_open(&site);
    version_open(&first, &site, 2, "a");
    version_open(&next, &site, 3, "a");
    assert_false(keeps_rows_for(&site, &first, &next));
    free(first.adapter);
    free(next.adapter);
    site_close(&site);
}

/* The texts are read again for other labels, and so are as they stand in the file. */
static void session__version_of_other_labels__reads_the_examples_anew(void **state)
{
    struct version first, next;
    struct site site;
    float *before, *after;

    (void)state;
    site_open(&site);
    version_open(&first, &site, 2, "a");
    version_open(&next, &site, 2, "b");
    before = trained(&site, &first);
    change_words(&site);
    after = trained(&site, &next);
    assert_memory_equal(before, after, first.layout.lane_count * sizeof *before);
    free(before);
    free(after);
    free(first.adapter);
    free(next.adapter);
    site_close(&site);
}

static void session__version_that_is_refused__leaves_none_loaded(void **state)
{
    struct version version;
    struct site site;
    struct sotto_loaded loaded;
    struct sotto_fault fault = {0};
    float delta[1];

    (void)state;
    site_open(&site);
    version_open(&version, &site, 2, "a");
    load(&site, &version);
    version.adapter[0] += 1.0f;
    assert_int_equal(sotto_session_load(&site.session, &loaded, &version.bytes, &fault),
                     SOTTO_MISMATCH);
    assert_int_equal(sotto_session_train(&site.session, delta, &(struct sotto_train){0}, &fault),
                     SOTTO_UNEXPECTED);
    assert_non_null(strstr(fault.text, "no adapter is loaded"));
    free(version.adapter);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session__version_of_the_same_layout__keeps_the_rows_below_it),
        cmocka_unit_test(session__version_of_another_rank__lets_go_of_the_rows),
        cmocka_unit_test(session__version_of_other_labels__reads_the_examples_anew),
        cmocka_unit_test(session__version_that_is_refused__leaves_none_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
