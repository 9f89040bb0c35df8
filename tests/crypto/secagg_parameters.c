/* The graph and the threshold, against whole numbers and against what they are for. */
#include <string.h>

#include "crypto/secagg/secaggplus/graph/urn.h"
#include "crypto/secagg/secaggplus/parameters.h"
#include "tests/support/cmocka.h"
#include "tests/support/vector.h"

static struct sotto_parameters_wish wish_of(uint32_t cohort)
{
    return (struct sotto_parameters_wish){.cohort = cohort,
                                          .corrupt_fraction = 0.05,
                                          .dropout_fraction = 0.1,
                                          .survivors_min = SOTTO_COHORT_MIN,
                                          .security_bits =
                                              SOTTO_SECURITY_BITS + SOTTO_GRINDING_BITS};
}

/* tests/vectors/make_rings.py compares fractions of integers. */
static void rings__any_cohort__are_those_of_the_exact_computation(void **state)
{
    json_t *file = vector_open("tests/vectors/secagg/rings.json");
    const json_t *rings = vector_member(file, "rings");

    (void)state;
    assert_true(json_array_size(rings) > 80);
    for (size_t i = 0; i < json_array_size(rings); i++) {
        const json_t *ring = json_array_get(rings, i);
        const struct sotto_parameters_wish wish = {
            .cohort = vector_number(ring, "count"),
            .corrupt_fraction = json_number_value(vector_member(ring, "corrupt_fraction")),
            .dropout_fraction = json_number_value(vector_member(ring, "dropout_fraction")),
            .survivors_min = vector_number(ring, "survivors_min"),
            .security_bits = vector_number(ring, "security_bits")};
        struct sotto_parameters parameters = {0};
        enum sotto_status status = sotto_parameters_solve(&parameters, &wish);

        assert_int_equal(status, vector_number(ring, "neighbours") > 0 ? SOTTO_OK : SOTTO_MISMATCH);
        assert_int_equal(parameters.neighbours, vector_number(ring, "neighbours"));
        assert_int_equal(parameters.corrupt, vector_number(ring, "colluders"));
        assert_int_equal(parameters.threshold, vector_number(ring, "threshold"));
    }
    json_decref(file);
}

static void urn__everybody_or_nobody_marked__leaves_no_choice(void **state)
{
    (void)state;
    assert_int_equal(sotto_urn_quantile(&(struct sotto_urn){10, 10, 4}, 0.5), 4);
    assert_int_equal(sotto_urn_quantile(&(struct sotto_urn){10, 0, 4}, 0.5), 0);
    assert_int_equal(sotto_urn_quantile(&(struct sotto_urn){10, 4, 10}, 0.5), 4);
    assert_int_equal(sotto_urn_quantile(&(struct sotto_urn){10, 4, 0}, 0.5), 0);
    assert_int_equal(sotto_urn_quantile(&(struct sotto_urn){1, 1, 1}, 1e-30), 1);
}

/* Two of four marked, two drawn: none, one or two with chances of 1, 4 and 1 in 6. */
static void urn__chance_on_either_side_of_a_step__is_the_step(void **state)
{
    const struct sotto_urn urn = {4, 2, 2};

    (void)state;
    assert_int_equal(sotto_urn_quantile(&urn, 0.16), 2);
    assert_int_equal(sotto_urn_quantile(&urn, 0.17), 1);
    assert_int_equal(sotto_urn_quantile(&urn, 0.83), 1);
    assert_int_equal(sotto_urn_quantile(&urn, 0.84), 0);
}

/* Every n: both conditions on t, and never more room than was reckoned with. */
static void parameters__every_ring__meets_the_conditions_within_the_extent(void **state)
{
    struct sotto_terms terms = {.lane_count = 1,
                                .ring_bits = 32,
                                .cohort_min = SOTTO_COHORT_MIN,
                                .cohort_max = SOTTO_COHORT_MAX,
                                .survivors_min = SOTTO_COHORT_MIN,
                                .corrupt_fraction = 0.05,
                                .dropout_fraction = 0.1};
    struct sotto_extent extent;

    (void)state;
    sotto_parameters_extent(&extent, &terms, SOTTO_COHORT_MAX);
    assert_int_equal(extent.cohort, SOTTO_COHORT_MAX);
    for (uint32_t cohort = SOTTO_COMPLETE_MAX + 1; cohort <= SOTTO_COHORT_MAX; cohort++) {
        struct sotto_parameters p;

        assert_int_equal(sotto_parameters_of(&p, cohort, &terms), SOTTO_OK);
        assert_true(p.neighbours % 2 == 0 && p.threshold <= p.neighbours);
        assert_true(2 * p.threshold > p.neighbours + p.corrupt);
        assert_true(p.neighbours <= extent.neighbours);
        assert_true((size_t)cohort * p.neighbours <= extent.cells);
        assert_true(sotto_parameters_dropouts(&p) >= cohort / 10);
        assert_true(sotto_parameters_floor(&p, 3) == p.threshold + 1);
    }
}

/* What is asked for costs: security, colluders, dropouts, and a floor above half of the cohort. */
static void parameters__more_is_asked_for__more_neighbours(void **state)
{
    struct sotto_parameters_wish wishes[5];
    struct sotto_parameters least;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        wishes[i] = wish_of(1000);
    wishes[0].security_bits = SOTTO_SECURITY_BITS;
    wishes[2].corrupt_fraction = 0.1;
    wishes[3].dropout_fraction = 0.2;
    wishes[4].survivors_min = 600;
    assert_int_equal(sotto_parameters_solve(&least, &wishes[0]), SOTTO_OK);
    for (size_t i = 1; i < 5; i++) {
        struct sotto_parameters parameters;

        assert_int_equal(sotto_parameters_solve(&parameters, &wishes[i]), SOTTO_OK);
        assert_true(parameters.neighbours > least.neighbours);
        if (i == 1)
            least = parameters;
    }
}

static void parameters__dropouts__are_the_most_that_the_chance_allows(void **state)
{
    struct sotto_parameters_wish wish = wish_of(1000);
    struct sotto_parameters parameters;
    struct sotto_parameters other;
    uint32_t dropouts;

    (void)state;
    assert_int_equal(sotto_parameters_solve(&parameters, &wish), SOTTO_OK);
    dropouts = sotto_parameters_dropouts(&parameters);
    assert_in_range(dropouts, 100, 130);
    wish.dropout_fraction = dropouts / 1000.0;
    assert_int_equal(sotto_parameters_solve(&other, &wish), SOTTO_OK);
    assert_int_equal(other.neighbours, parameters.neighbours);
    wish.dropout_fraction = (dropouts + 1) / 1000.0;
    assert_int_equal(sotto_parameters_solve(&other, &wish), SOTTO_OK);
    assert_true(other.neighbours > parameters.neighbours);
}

/* Up to as many as a complete graph may have; above, nothing is left. */
static void parameters__ring_would_not_do__is_complete_or_refused(void **state)
{
    struct sotto_parameters_wish wish = wish_of(SOTTO_NEIGHBOURS_MAX + 1);
    struct sotto_parameters parameters = {0};

    (void)state;
    wish.corrupt_fraction = 0.4;
    wish.dropout_fraction = 0.25;
    assert_int_equal(sotto_parameters_solve(&parameters, &wish), SOTTO_OK);
    assert_true(sotto_parameters_is_complete(&parameters));
    assert_int_equal(parameters.neighbours, SOTTO_NEIGHBOURS_MAX);
    assert_int_equal(parameters.threshold, (1022 + 410) / 2 + 1);
    wish.cohort++;
    assert_int_equal(sotto_parameters_solve(&parameters, &wish), SOTTO_MISMATCH);
    assert_int_equal(parameters.cohort, SOTTO_NEIGHBOURS_MAX + 1);
}

static void terms__largest_cohort_without_a_graph__are_a_mismatch(void **state)
{
    struct sotto_terms terms = {.lane_count = 1,
                                .ring_bits = 32,
                                .cohort_min = SOTTO_COHORT_MIN,
                                .cohort_max = 2000,
                                .survivors_min = SOTTO_COHORT_MIN,
                                .corrupt_fraction = 0.05,
                                .dropout_fraction = 0.1};

    (void)state;
    assert_int_equal(sotto_parameters_check(&terms), SOTTO_OK);
    terms.dropout_fraction = 0.45;
    assert_int_equal(sotto_parameters_check(&terms), SOTTO_MISMATCH);
    terms.cohort_max = 1000;
    assert_int_equal(sotto_parameters_check(&terms), SOTTO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings__any_cohort__are_those_of_the_exact_computation),
        cmocka_unit_test(urn__everybody_or_nobody_marked__leaves_no_choice),
        cmocka_unit_test(urn__chance_on_either_side_of_a_step__is_the_step),
        cmocka_unit_test(parameters__every_ring__meets_the_conditions_within_the_extent),
        cmocka_unit_test(parameters__more_is_asked_for__more_neighbours),
        cmocka_unit_test(parameters__dropouts__are_the_most_that_the_chance_allows),
        cmocka_unit_test(parameters__ring_would_not_do__is_complete_or_refused),
        cmocka_unit_test(terms__largest_cohort_without_a_graph__are_a_mismatch),
    };

    return cmocka_run_group_tests_name("secagg_parameters", tests, NULL, NULL);
}
