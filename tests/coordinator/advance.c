/* Round after round with a server optimiser: its moments last as long as their version holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/drive/advance.h"
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
    static const float zeros[COHORT_VALUES];
    struct sotto_view lanes = sotto_view_of(zeros, sizeof zeros);
    struct sotto_definition *definition = &bench->definition;

    bench->cohort = cohort_open(5, 4, 2);
    folder_open(&bench->folder);
    sotto_definition_init(definition);
    definition->lane_count = definition->lanes_a = definition->lanes_b = COHORT_VALUES;
    definition->method = SOTTO_METHOD_FEDIT;
    definition->server = server;
    definition->server_rate = 0.5;
    sotto_shelf_digest(&definition->adapter, SOTTO_SHELF_ADAPTER, cohort_layout(), lanes);
    assert_int_equal(sotto_folder_make(folder_path(&bench->folder, "items/adapter").text, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_shelf_store(bench->folder.path, SOTTO_SHELF_ADAPTER,
                                       &definition->adapter, lanes, NULL),
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

/* One round; the next starts from its version. */
static enum sotto_status bench_step(struct bench *bench, struct sotto_fault *fault)
{
    struct sotto_applied applied;
    enum sotto_status status = sotto_advance_run(&bench->advance, &applied, bench->sum, fault);

    if (status == SOTTO_OK)
        bench->cohort->plan.adapter = applied.adapter;
    return status;
}

static void lanes_read(const struct bench *bench, float lanes[COHORT_VALUES])
{
    uint8_t *bytes;
    size_t length;

    assert_int_equal(sotto_shelf_read(bench->folder.path, SOTTO_SHELF_ADAPTER,
                                      &bench->cohort->plan.adapter, &bytes, &length, NULL),
                     SOTTO_OK);
    assert_int_equal(length, COHORT_VALUES * sizeof *lanes);
    memcpy(lanes, bytes, length);
    free(bytes);
}

static struct folder_path moments_path(const struct bench *bench, const struct sotto_digest *of)
{
    char name[SOTTO_DIGEST_HEX + 64], hex[SOTTO_DIGEST_HEX];

    sotto_digest_hex(hex, of);
    snprintf(name, sizeof name, "moments/%s/%s", bench->cohort->plan.campaign, hex);
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

/* Killed anywhere between the files and the journal, the job runs again on the same inputs. */
static void advance__run_again__comes_to_the_same_version(void **state)
{
    struct bench bench;
    struct sotto_digest before, second;
    struct folder_path path;

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDADAM);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    before = bench.cohort->plan.adapter;
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    second = bench.cohort->plan.adapter;
    path = moments_path(&bench, &second);
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        if (!is_kept)
            assert_int_equal(unlink(path.text), 0);
        bench.cohort->plan.adapter = before;
        assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
        assert_true(sotto_digest_equal(&bench.cohort->plan.adapter, &second));
    }
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    assert_int_equal(access(moments_path(&bench, &second).text, F_OK), 0);
    assert_int_not_equal(access(moments_path(&bench, &before).text, F_OK), 0);
    bench_close(&bench);
}

static void advance__moments_missing_or_damaged__is_refused(void **state)
{
    struct bench bench;
    struct sotto_fault fault;
    struct sotto_digest first;
    char hex[SOTTO_DIGEST_HEX], name[SOTTO_DIGEST_HEX + 64];

    (void)state;
    bench_open(&bench, SOTTO_SERVER_FEDYOGI);
    assert_int_equal(bench_step(&bench, NULL), SOTTO_OK);
    first = bench.cohort->plan.adapter;
    sotto_digest_hex(hex, &first);
    snprintf(name, sizeof name, "moments/%s/%s", bench.cohort->plan.campaign, hex);
    folder_write(&bench.folder, name, sotto_view_text("short"));
    assert_int_equal(bench_step(&bench, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "damaged"));
    assert_int_equal(unlink(moments_path(&bench, &first).text), 0);
    assert_int_equal(bench_step(&bench, &fault), SOTTO_NOT_FOUND);
    assert_true(sotto_digest_equal(&bench.cohort->plan.adapter, &first));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advance__fedavgm__remembers_over_three_rounds),
        cmocka_unit_test(advance__run_again__comes_to_the_same_version),
        cmocka_unit_test(advance__moments_missing_or_damaged__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
