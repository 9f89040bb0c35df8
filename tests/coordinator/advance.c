/* Round after round with a server optimiser: its moments last as long as their version holds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/drive/advance.h"
#include "coordinator/drive/momentum.h"
#include "coordinator/ledger/moments.h"
#include "coordinator/ledger/shelf.h"
#include "core/base/file.h"
#include "tests/coordinator/cohort.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

/* A campaign of one cohort whose every round has the same sum. */
struct bench {
    struct cohort *cohort;
    struct folder folder;
    struct sotto_definition definition;
    uint32_t sum[COHORT_LANES];
    struct sotto_advance advance;
};

static void bench_open(struct bench *bench, enum sotto_server_kind server)
{
    float zeros[COHORT_ADAPTER] = {0};
    struct sotto_view adapter = cohort_adapter(zeros);
    struct sotto_definition *definition = &bench->definition;

    bench->cohort = cohort_open(5, 4, 2);
    folder_open(&bench->folder);
    sotto_definition_init(definition);
    snprintf(definition->name, sizeof definition->name, "%s", bench->cohort->plan.campaign);
    definition->lane_count = definition->lanes_a = definition->lanes_b = COHORT_VALUES;
    definition->method = SOTTO_METHOD_FEDIT;
    definition->server = server;
    definition->server_rate = 0.5;
    assert_int_equal(sotto_shelf_digest(&definition->adapter, SOTTO_SHELF_ADAPTER, cohort_layout(),
                                        adapter, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_folder_make(folder_path(&bench->folder, "items/adapter").text, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_shelf_store(bench->folder.path, SOTTO_SHELF_ADAPTER,
                                       &definition->adapter, adapter, NULL),
                     SOTTO_OK);
    cohort_sum(bench->cohort, 0x1f, bench->sum);
    bench->cohort->plan.adapter = definition->adapter;
    bench->advance = (struct sotto_advance){.folder = bench->folder.path,
                                            .definition = definition,
                                            .plan = &bench->cohort->plan,
                                            .layout = cohort_layout(),
                                            .survivors = 5};
}

static void bench_close(struct bench *bench)
{
    cohort_close(bench->cohort);
    folder_close(&bench->folder);
}

/* What the next round starts from. */
struct mark {
    struct sotto_digest adapter;
    uint32_t start_round;
    uint32_t round;
};

static struct mark mark_of(const struct bench *bench)
{
    return (struct mark){bench->cohort->plan.adapter, bench->advance.start_round,
                         bench->cohort->plan.round};
}

static void mark_return(struct bench *bench, const struct mark *mark)
{
    bench->cohort->plan.adapter = mark->adapter;
    bench->cohort->plan.round = mark->round;
    bench->advance.start_round = mark->start_round;
}

/* One round; the next starts from its version. */
static enum sotto_status bench_step(struct bench *bench, struct sotto_fault *fault)
{
    struct sotto_applied applied;
    enum sotto_status status = sotto_advance_run(&bench->advance, &applied, bench->sum, fault);

    if (status == SOTTO_OK) {
        bench->cohort->plan.adapter = applied.adapter;
        bench->advance.start_round = bench->cohort->plan.round++;
    }
    return status;
}

static void lanes_read(const struct bench *bench, float lanes[COHORT_VALUES])
{
    uint8_t *bytes;
    size_t length;

    assert_int_equal(sotto_shelf_read(bench->folder.path, SOTTO_SHELF_ADAPTER,
                                      &bench->cohort->plan.adapter, &bytes, &length, NULL),
                     SOTTO_OK);
    assert_int_equal(length, COHORT_ADAPTER * sizeof *lanes);
    memcpy(lanes, bytes, COHORT_VALUES * sizeof *lanes);
    free(bytes);
}

static struct folder_path moments_path(const struct bench *bench, uint32_t round)
{
    char name[128];

    snprintf(name, sizeof name, "moments/%s/%u", bench->cohort->plan.campaign, round);
    return folder_path(&bench->folder, name);
}

/* A delta d each round, rate 0.5, beta1 0.9: after three rounds 0.5 d (3 + 2 * 0.9 + 0.81). */
static void advance__fedavgm__remembers_over_three_rounds(void **state)
{
    struct bench plain, bench;
    float once[COHORT_VALUES], thrice[COHORT_VALUES];

    (void)state;
    bench_open(&plain, SOTTO_SERVER_FEDAVG);
    assert_int_equal(bench_step(&plain, NULL), SOTTO_OK);
    lanes_read(&plain, once);
    bench_open(&bench, SOTTO_SERVER_FEDAVGM);
    for (int round = 0; round < 3; round++)
        assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    lanes_read(&bench, thrice);
    for (size_t i = 0; i < COHORT_VALUES; i++)
        assert_true(fabs(thrice[i] - once[i] * (3 + 2 * 0.9 + 0.81)) < 1e-4);
    bench_close(&plain);
    bench_close(&bench);
}

/* A, B and A again by turns: each part remembers its own rounds, 0.5 d (1 + 1 + 1.9). */
static void advance__parts_in_turn__remember_their_own_rounds(void **state)
{
    static const enum sotto_trained turns[] = {SOTTO_TRAINED_A, SOTTO_TRAINED_B, SOTTO_TRAINED_A};
    struct bench plain, bench;
    float once[COHORT_VALUES], thrice[COHORT_VALUES];

    (void)state;
    bench_open(&plain, SOTTO_SERVER_FEDAVG);
    assert_int_equal(bench_step(&plain, NULL), SOTTO_OK);
    lanes_read(&plain, once);
    bench_open(&bench, SOTTO_SERVER_FEDAVGM);
    bench.definition.method = SOTTO_METHOD_ROLORA;
    for (int round = 0; round < 3; round++) {
        bench.cohort->plan.trained = turns[round];
        assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    }
    lanes_read(&bench, thrice);
    for (size_t i = 0; i < COHORT_VALUES; i++)
        assert_true(fabs(thrice[i] - once[i] * (1 + 1 + 1.9)) < 1e-4);
    bench_close(&plain);
    bench_close(&bench);
}

/* Killed anywhere between the files and the journal, the job runs again on the same inputs. */
static void advance__run_again__comes_to_the_same_version(void **state)
{
    struct bench bench;
    struct mark before, after;

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDADAM);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    before = mark_of(&bench);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    after = mark_of(&bench);
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        if (!is_kept)
            assert_int_equal(unlink(moments_path(&bench, after.start_round).text), 0);
        mark_return(&bench, &before);
        assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
        assert_true(sotto_digest_equal(&bench.cohort->plan.adapter, &after.adapter));
    }
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    assert_int_equal(access(moments_path(&bench, after.start_round).text, F_OK), 0);
    assert_int_not_equal(access(moments_path(&bench, before.start_round).text, F_OK), 0);
    bench_close(&bench);
}

static void moments_read(const struct bench *bench, float moments[2 * COHORT_VALUES])
{
    const struct sotto_momentum momentum = {bench->folder.path, &bench->definition,
                                            bench->advance.start_round,
                                            &bench->cohort->plan.adapter};
    float *values;

    assert_int_equal(sotto_momentum_read(&values, &momentum, NULL), SOTTO_OK);
    memcpy(moments, values, 2 * COHORT_VALUES * sizeof *moments);
    free(values);
}

/* No site moved: the version is the same adapter as the one before, only the moments went on. */
static void advance__the_same_adapter_run_again__steps_its_moments_once(void **state)
{
    struct bench bench;
    struct mark before;
    float moments[2 * COHORT_VALUES];

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDADAM);
    memset(bench.sum, 0, COHORT_VALUES * sizeof *bench.sum);
    before = mark_of(&bench);
    for (int round = 0; round < 3; round++) {
        float v = 1e-3f * 1e-3f;

        mark_return(&bench, &before);
        assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
        assert_true(sotto_digest_equal(&bench.cohort->plan.adapter, &before.adapter));
        assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
        assert_true(sotto_digest_equal(&bench.cohort->plan.adapter, &before.adapter));
        moments_read(&bench, moments);
        assert_true(fabsf(moments[COHORT_VALUES] / (v * 0.99f * 0.99f) - 1) < 1e-3f);
    }
    bench_close(&bench);
}

static void advance__moments_missing_or_damaged__is_refused(void **state)
{
    struct bench bench;
    struct sotto_fault fault;
    struct mark first;
    char name[128];

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDYOGI);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    first = mark_of(&bench);
    snprintf(name, sizeof name, "moments/%s/%u", bench.cohort->plan.campaign, first.start_round);
    folder_write(&bench.folder, name, sotto_view_text("short"));
    assert_int_equal(bench_step(&bench, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "damaged"));
    assert_int_equal(unlink(moments_path(&bench, first.start_round).text), 0);
    assert_int_equal(bench_step(&bench, &fault), SOTTO_NOT_FOUND);
    assert_true(sotto_digest_equal(&bench.cohort->plan.adapter, &first.adapter));
    bench_close(&bench);
}

/* A bit of the third lane is flipped on the disk; then the file is cut. */
static void advance__adapter_damaged__is_refused_by_the_tensors_name(void **state)
{
    struct bench bench;
    struct sotto_fault fault;
    char hex[SOTTO_DIGEST_HEX], name[128];
    uint8_t *bytes;
    size_t length;

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDAVG);
    sotto_digest_hex(hex, &bench.definition.adapter);
    snprintf(name, sizeof name, "items/adapter/%s", hex);
    assert_int_equal(
        sotto_file_read(&bytes, &length, folder_path(&bench.folder, name).text, 1 << 20, NULL),
        SOTTO_OK);
    bytes[9] ^= 1;
    folder_write(&bench.folder, name, sotto_view_of(bytes, length));
    assert_int_equal(bench_step(&bench, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "is damaged: tensor base_model.model.classifier.weight"));
    folder_write(&bench.folder, name, sotto_view_of(bytes, 62 * sizeof(float)));
    assert_int_equal(bench_step(&bench, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "it ends at base_model.model.classifier.bias"));
    free(bytes);
    bench_close(&bench);
}

/* Moments of a round of another history, as a backup may hold them. */
static void advance__moments_of_another_version__is_refused(void **state)
{
    struct bench bench;
    struct mark first;
    struct sotto_fault fault;

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDYOGI);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    first = mark_of(&bench);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    assert_int_equal(rename(moments_path(&bench, first.start_round).text,
                            moments_path(&bench, bench.advance.start_round).text),
                     0);
    assert_int_equal(bench_step(&bench, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "damaged"));
    bench_close(&bench);
}

/* As they were before the first round, in the place of what the campaign has learnt since. */
static void momentum__renewed__is_that_of_the_start(void **state)
{
    struct bench bench;
    float start[2 * COHORT_VALUES], moments[2 * COHORT_VALUES];

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDADAM);
    moments_read(&bench, start);
    assert_true(start[2 * COHORT_VALUES - 1] > 0);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    moments_read(&bench, moments);
    assert_memory_not_equal(moments, start, sizeof start);
    assert_int_equal(
        sotto_momentum_renew(&(struct sotto_momentum){bench.folder.path, &bench.definition,
                                                      bench.advance.start_round,
                                                      &bench.cohort->plan.adapter},
                             NULL),
        SOTTO_OK);
    moments_read(&bench, moments);
    assert_memory_equal(moments, start, sizeof start);
    bench_close(&bench);
}

/* Two versions may be the same adapter; and a round may have been held twice, of a backup. */
static void moments__of_another_round_or_adapter__are_refused(void **state)
{
    const struct sotto_digest digests[] = {{{1}}, {{2}}};
    const float stored[] = {0.5f, 2.0f};
    float values[2];
    struct bench bench;
    struct sotto_moments_key key;

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDAVGM);
    key = (struct sotto_moments_key){bench.folder.path, bench.cohort->plan.campaign, 3, digests};
    assert_int_equal(sotto_moments_store(&key, stored, 2, NULL), SOTTO_OK);
    assert_int_equal(sotto_moments_read(values, 2, &key, NULL), SOTTO_OK);
    assert_memory_equal(values, stored, sizeof stored);
    assert_int_equal(sotto_moments_read(values, 1, &key, NULL), SOTTO_FORGED);
    key.adapter = &digests[1];
    assert_int_equal(sotto_moments_read(values, 2, &key, NULL), SOTTO_FORGED);
    key = (struct sotto_moments_key){key.folder, key.campaign, 4, digests};
    assert_int_equal(rename(moments_path(&bench, 3).text, moments_path(&bench, 4).text), 0);
    assert_int_equal(sotto_moments_read(values, 2, &key, NULL), SOTTO_FORGED);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advance__fedavgm__remembers_over_three_rounds),
        cmocka_unit_test(advance__parts_in_turn__remember_their_own_rounds),
        cmocka_unit_test(advance__run_again__comes_to_the_same_version),
        cmocka_unit_test(advance__the_same_adapter_run_again__steps_its_moments_once),
        cmocka_unit_test(advance__moments_missing_or_damaged__is_refused),
        cmocka_unit_test(advance__adapter_damaged__is_refused_by_the_tensors_name),
        cmocka_unit_test(advance__moments_of_another_version__is_refused),
        cmocka_unit_test(momentum__renewed__is_that_of_the_start),
        cmocka_unit_test(moments__of_another_round_or_adapter__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
