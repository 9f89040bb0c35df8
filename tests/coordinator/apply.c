/* From the sum to the next adapter, and how a sum in the clear shows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/apply/apply.h"
#include "coordinator/apply/bins.h"
#include "coordinator/drive/tally.h"
#include "coordinator/ledger/shelf.h"
#include "core/base/entropy.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/subset.h"
#include "participant/encoding/encoding.h"
#include "tests/coordinator/cohort.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

/* The mean of what the sites wanted, weighted by their places + 1. */
static double mean_of(const struct cohort *cohort, size_t value)
{
    double sum = 0, weights = 0;

    for (uint32_t place = 0; place < cohort->count; place++) {
        sum += cohort_weight(place) * (double)cohort->values[place][value];
        weights += cohort_weight(place);
    }
    return sum / weights;
}

/* FedAvg over the cohort's layout. */
static enum sotto_status apply_plain(float *adapter, struct sotto_applied *applied,
                                     const uint32_t *sum, const struct sotto_plan *plan,
                                     uint32_t survivors)
{
    const struct sotto_apply_terms terms = {
        .plan = plan, .layout = cohort_layout(), .survivors = survivors, .server = {.rate = 1}};

    return sotto_apply_sum(adapter, NULL, applied, sum, &terms);
}

static void apply__honest_sum__moves_the_adapter_by_the_weighted_mean(void **state)
{
    struct cohort *cohort = cohort_open(5, 4, 2);
    double step = cohort->plan.lane_range / 32767;
    float adapter[COHORT_ADAPTER];
    uint32_t sum[COHORT_LANES];
    struct sotto_applied applied;
    struct sotto_fault fault = {0};

    (void)state;
    for (size_t i = 0; i < COHORT_VALUES; i++)
        adapter[i] = 1;
    cohort_sum(cohort, 0x1f, sum);
    assert_int_equal(apply_plain(adapter, &applied, sum, &cohort->plan, 5), SOTTO_OK);
    assert_int_equal(applied.weight_sum, 15);
    for (size_t i = 0; i < COHORT_VALUES; i++)
        assert_true(fabs(adapter[i] - 1 - mean_of(cohort, i)) < step + 1e-6);
    assert_int_equal(sotto_shelf_check(&applied.adapter, SOTTO_SHELF_ADAPTER, cohort_layout(),
                                       sotto_view_of(adapter, sizeof adapter), &fault),
                     SOTTO_OK);
    assert_true(applied.mean_norm > 0);
    cohort_close(cohort);
}

/* Rank 1 beside one layer: 4 lanes of A, 4 of B, 10 of the classifier. */
static struct sotto_view paired_layout(struct sotto_layout *layout, uint8_t *bytes)
{
    const struct sotto_arch arch = {.width = 4,
                                    .mlp_width = 4,
                                    .block_count = 1,
                                    .head_count = 1,
                                    .kv_head_count = 1,
                                    .head_width = 4};
    const struct sotto_adapter_choice choice = {
        .rank = 1, .alpha = 1, .target_set = 1, .label_count = 2, .labels = {"a", "b"}};
    struct sotto_buffer out = sotto_buffer_of(bytes, SOTTO_LAYOUT_BYTES_MAX);

    assert_int_equal(sotto_layout_derive(layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(layout->lane_count, 18);
    assert_int_equal(sotto_layout_encode(&out, layout), SOTTO_OK);
    return sotto_view_buffer(&out);
}

/* Every lane of the sum is 1 / 4 of the range: the trained lanes move by it, no other does. */
static void apply__sum_of_a_part__moves_that_part_alone(void **state)
{
    static uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX];
    static struct sotto_layout layout;
    struct cohort *cohort = cohort_open(5, 4, 2);
    struct sotto_apply_terms terms = {.plan = &cohort->plan,
                                      .layout = paired_layout(&layout, bytes),
                                      .survivors = 1,
                                      .server = {.rate = 1}};
    double expected = cohort->plan.lane_range / 4;

    (void)state;
    for (uint32_t trained = 0; trained < SOTTO_TRAINED_COUNT; trained++) {
        size_t count = sotto_subset_count(&layout, (enum sotto_trained)trained);
        uint32_t sum[19];
        float adapter[18 + 4 * 8] = {0}; /* with the manifest of its four tensors */
        struct sotto_applied applied;

        for (size_t lane = 0; lane < count; lane++)
            sum[lane] = 8192;
        sum[count] = 1;
        cohort->plan.trained = trained;
        cohort->plan.lane_count = (uint32_t)count + 1;
        assert_int_equal(sotto_apply_sum(adapter, NULL, &applied, sum, &terms), SOTTO_OK);
        for (size_t lane = 0; lane < 18; lane++) {
            bool is_still = (lane < 4 && trained == SOTTO_TRAINED_B) ||
                            (lane >= 4 && lane < 8 && trained == SOTTO_TRAINED_A);

            assert_true(fabs(adapter[lane] - (is_still ? 0 : expected)) < 1e-3);
        }
        cohort->plan.lane_count++;
        assert_int_equal(sotto_apply_sum(adapter, NULL, &applied, sum, &terms), SOTTO_MISMATCH);
    }
    cohort_close(cohort);
}

/* One site's lanes as its sealer makes them, under the context of the plan's own bytes. */
static void rotated_encode(const struct sotto_plan *plan, uint32_t *lanes, const float *values)
{
    uint8_t bytes[SOTTO_PLAN_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_mechanism mechanism;
    struct sotto_digest context;
    float update[COHORT_VALUES];

    assert_int_equal(sotto_plan_encode(&out, plan), SOTTO_OK);
    const struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), sotto_view_buffer(&out)};
    sotto_hash(&context, parts, 2);
    assert_int_equal(sotto_encoding_of(&mechanism, plan), SOTTO_FLAW_NONE);
    memcpy(update, values, sizeof update);
    assert_int_equal(
        sotto_mechanism_encode(&mechanism, lanes, update, 1, &context, &(struct sotto_secret){{1}}),
        SOTTO_OK);
}

static void apply__rotated_sum__is_rotated_back_under_the_plans_context(void **state)
{
    struct cohort *cohort = cohort_open(5, 4, 2);
    double step = cohort->plan.lane_range / 32767;
    float adapter[COHORT_ADAPTER] = {0};
    uint32_t sum[COHORT_LANES];
    struct sotto_applied applied;

    (void)state;
    cohort->plan.rotate = 1;
    rotated_encode(&cohort->plan, sum, cohort->values[0]);
    assert_int_equal(apply_plain(adapter, &applied, sum, &cohort->plan, 1), SOTTO_OK);
    for (size_t i = 0; i < COHORT_VALUES; i++)
        assert_true(fabs((double)(adapter[i] - cohort->values[0][i])) < 8 * step);
    cohort_close(cohort);
}

static void apply__masks_still_on__is_refused_and_changes_nothing(void **state)
{
    struct cohort *cohort = cohort_open(5, 4, 2);
    float adapter[COHORT_ADAPTER] = {0}, before[COHORT_ADAPTER] = {0};
    uint32_t sum[COHORT_LANES];
    struct sotto_applied applied;
    struct sotto_entropy entropy;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 1);
    sotto_entropy_fill(&entropy, sum, sizeof sum);
    assert_int_equal(apply_plain(adapter, &applied, sum, &cohort->plan, 5), SOTTO_MALFORMED);
    assert_memory_equal(adapter, before, sizeof adapter);
    cohort_close(cohort);
}

static void bins__uniform_lanes__are_told_from_small_ones(void **state)
{
    enum { LANES = 100000 };
    uint32_t *lanes = calloc(LANES, sizeof *lanes);
    struct sotto_bins uniform = {0}, small = {0}, empty = {0};
    struct sotto_entropy entropy;

    (void)state;
    assert_non_null(lanes);
    sotto_entropy_init_seeded(&entropy, 3);
    sotto_entropy_fill(&entropy, lanes, LANES * sizeof *lanes);
    sotto_bins_add(&uniform, lanes, LANES, 32);
    assert_in_range((int)sotto_bins_chi2(&uniform), 180, 340);
    for (size_t i = 0; i < LANES; i++)
        lanes[i] >>= 6;
    sotto_bins_add(&small, lanes, LANES, 32);
    assert_true(sotto_bins_chi2(&small) > 10000);
    assert_true(sotto_bins_chi2(&empty) == 0);
    free(lanes);
}

static struct sotto_view upload_of(const struct cohort *cohort, uint32_t *lanes)
{
    memcpy(lanes, cohort->plain[2], COHORT_LANES * sizeof *lanes);
    return sotto_view_of(lanes, COHORT_PACKED_BYTES);
}

static void tally__upload_on_disk__is_added_only_if_it_is_what_was_acknowledged(void **state)
{
    struct cohort *cohort = cohort_open(5, 4, 2);
    uint32_t lanes[COHORT_LANES];
    struct sotto_view upload = upload_of(cohort, lanes);
    struct sotto_tally tally;
    struct sotto_digest digest;
    struct folder folder;
    struct folder_path path;
    double chi2;

    (void)state;
    folder_open(&folder);
    path = folder_path(&folder, "3.upload");
    folder_write(&folder, "3.upload", upload);
    sotto_hash(&digest, &upload, 1);
    assert_int_equal(sotto_tally_open(&tally, &cohort->plan), SOTTO_OK);
    assert_int_equal(sotto_tally_add(&tally, &chi2, path.text, &digest, NULL), SOTTO_OK);
    assert_memory_equal(tally.lanes, lanes, sizeof lanes);
    digest.bytes[0] ^= 1;
    assert_int_equal(sotto_tally_add(&tally, &chi2, path.text, &digest, NULL), SOTTO_FORGED);
    folder_write(&folder, "3.upload", sotto_view_of(lanes, COHORT_PACKED_BYTES - 1));
    assert_int_equal(sotto_tally_add(&tally, &chi2, path.text, &digest, NULL), SOTTO_FORGED);
    path = folder_path(&folder, "4.upload");
    assert_int_equal(sotto_tally_add(&tally, &chi2, path.text, &digest, NULL), SOTTO_NOT_FOUND);
    sotto_tally_close(&tally);
    folder_close(&folder);
    cohort_close(cohort);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply__honest_sum__moves_the_adapter_by_the_weighted_mean),
        cmocka_unit_test(apply__sum_of_a_part__moves_that_part_alone),
        cmocka_unit_test(apply__rotated_sum__is_rotated_back_under_the_plans_context),
        cmocka_unit_test(apply__masks_still_on__is_refused_and_changes_nothing),
        cmocka_unit_test(bins__uniform_lanes__are_told_from_small_ones),
        cmocka_unit_test(tally__upload_on_disk__is_added_only_if_it_is_what_was_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
