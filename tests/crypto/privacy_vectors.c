/*
 * Rounding, rotation and noise against tests/vectors/privacy, which a second implementation made
 * from docs/protocol.md.
 */
#include "crypto/privacy/gaussian.h"
#include "crypto/privacy/mechanism.h"
#include "crypto/privacy/rounding.h"
#include "crypto/ring/rotate.h"
#include "tests/support/cmocka.h"
#include "tests/support/vector.h"

enum { VALUES_MAX = 128, COHORT_MAX = 5, SURVIVORS_MIN = 4 };

static int open_lanes(void **state)
{
    *state = vector_open("tests/vectors/privacy/lanes.json");
    return 0;
}

static int open_noise(void **state)
{
    *state = vector_open("tests/vectors/privacy/noise.json");
    return 0;
}

static int close_file(void **state)
{
    json_decref(*state);
    return 0;
}

static double real_of(const json_t *object, const char *name)
{
    const json_t *member = vector_member(object, name);

    assert_true(json_is_number(member));
    return json_number_value(member);
}

static size_t values_of(float *out, const json_t *object, const char *name)
{
    const json_t *list = vector_member(object, name);
    size_t count = json_array_size(list);

    assert_in_range(count, 1, VALUES_MAX);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)json_number_value(json_array_get(list, i));
    return count;
}

/* Runs `compare` for every case of a list. */
static void with_each(const json_t *file, const char *list, void (*compare)(const json_t *vector))
{
    const json_t *cases = vector_member(file, list);

    assert_true(json_array_size(cases) > 0);
    for (size_t at = 0; at < json_array_size(cases); at++)
        compare(json_array_get(cases, at));
}

/* Lanes as two's complement of 32 bits, or the low w of them. */
static void assert_lanes(const uint32_t *lanes, size_t count, const json_t *vector,
                         unsigned ring_bits)
{
    uint32_t ring_mask = (uint32_t)(UINT64_MAX >> (64 - ring_bits));
    uint32_t expected[VALUES_MAX + 1];

    assert_int_equal(vector_lanes(expected, VALUES_MAX + 1, vector, "lanes"), count);
    for (size_t lane = 0; lane < count; lane++)
        assert_int_equal(lanes[lane] & ring_mask, expected[lane] & ring_mask);
}

static void compare_quantised(const json_t *vector)
{
    const struct sotto_quantiser quantiser = {.range = real_of(vector, "lane_range"),
                                              .value_bits = vector_number(vector, "value_bits"),
                                              .ring_bits = 32,
                                              .weight_max = vector_number(vector, "weight"),
                                              .cohort_max = 1};
    struct sotto_secret dither = vector_secret(vector, "dither");
    uint32_t lanes[VALUES_MAX + 1];
    float values[VALUES_MAX];
    size_t count = values_of(values, vector, "values");

    sotto_quantise(lanes, values, count, quantiser.weight_max, &quantiser, &dither);
    assert_lanes(lanes, count + 1, vector, 32);
}

static void quantise__values_and_dither__give_these_lanes(void **state)
{
    with_each(*state, "quantised", compare_quantised);
}

static void compare_rounded(const json_t *vector)
{
    const struct sotto_quantiser quantiser = {.range = real_of(vector, "lane_range"),
                                              .value_bits = vector_number(vector, "value_bits"),
                                              .ring_bits = 32,
                                              .weight_max = 1,
                                              .cohort_max = 1};
    struct sotto_secret seed = vector_secret(vector, "seed");
    uint32_t lanes[VALUES_MAX + 1];
    float values[VALUES_MAX];
    size_t count = values_of(values, vector, "values");

    sotto_round_bounded(lanes, values, count, &quantiser, vector_number(vector, "square_max"),
                        &seed);
    assert_lanes(lanes, count + 1, vector, 32);
}

/* Bounds that the first try meets, a later one, the last, and only the one that is not made. */
static void round__values_seed_and_bound__give_these_lanes(void **state)
{
    with_each(*state, "roundings", compare_rounded);
}

static void compare_rotated(const json_t *vector)
{
    struct sotto_digest context = vector_digest(vector, "context");
    struct sotto_secret seed;
    float values[VALUES_MAX];
    float rotated[VALUES_MAX];
    size_t count = values_of(values, vector, "values");

    assert_int_equal(values_of(rotated, vector, "rotated"), count);
    sotto_rotation_seed(&seed, &context);
    sotto_rotate(values, count, &seed);
    for (size_t i = 0; i < count; i++)
        assert_true(values[i] == rotated[i]);
    assert_int_equal(values_of(rotated, vector, "values"), count);
    sotto_unrotate(values, count, &seed);
    for (size_t i = 0; i < count; i++)
        assert_true(values[i] == rotated[i]);
}

static void rotate__values_and_context__give_these_values_and_back(void **state)
{
    with_each(*state, "rotations", compare_rotated);
}

static struct sotto_mechanism_terms terms_of(const json_t *vector, size_t value_count)
{
    return (struct sotto_mechanism_terms){.value_count = value_count,
                                          .clip_norm = real_of(vector, "clip_norm"),
                                          .lane_range = real_of(vector, "lane_range"),
                                          .is_rotated = vector_number(vector, "is_rotated") == 1,
                                          .value_bits = vector_number(vector, "value_bits"),
                                          .ring_bits = vector_number(vector, "ring_bits"),
                                          .weight_max = vector_number(vector, "weight"),
                                          .cohort_max = COHORT_MAX,
                                          .survivors_min = SURVIVORS_MIN,
                                          .corrupt_fraction = 0.05,
                                          .noise_multiplier = real_of(vector, "multiplier")};
}

static void compare_encoded(const json_t *vector)
{
    struct sotto_digest context = vector_digest(vector, "context");
    struct sotto_secret seed = vector_secret(vector, "seed");
    uint32_t lanes[VALUES_MAX + 1];
    float values[VALUES_MAX];
    size_t count = values_of(values, vector, "values");
    const struct sotto_mechanism_terms terms = terms_of(vector, count);
    struct sotto_mechanism mechanism;

    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    assert_int_equal(
        sotto_mechanism_encode(&mechanism, lanes, values, terms.weight_max, &context, &seed),
        SOTTO_OK);
    assert_lanes(lanes, count + 1, vector, terms.ring_bits);
}

static void encode__plain_rotated_and_noised__gives_these_lanes(void **state)
{
    with_each(*state, "encodings", compare_encoded);
}

static void compare_samples(const json_t *vector)
{
    struct sotto_secret seed = vector_secret(vector, "seed");
    const json_t *expected = vector_member(vector, "samples");
    struct sotto_gaussian gaussian;
    uint32_t lanes[VALUES_MAX] = {0};

    assert_in_range(json_array_size(expected), 1, VALUES_MAX);
    sotto_gaussian_init(&gaussian, (uint64_t)json_integer_value(vector_member(vector, "variance")));
    sotto_gaussian_add(lanes, json_array_size(expected), &gaussian, &seed);
    for (size_t i = 0; i < json_array_size(expected); i++)
        assert_int_equal((int32_t)lanes[i], json_integer_value(json_array_get(expected, i)));
}

static void gaussian__seed_and_variance__give_these_samples(void **state)
{
    with_each(*state, "samples", compare_samples);
}

static void compare_terms(const json_t *vector)
{
    const struct sotto_noise_terms terms = {.multiplier = real_of(vector, "multiplier"),
                                            .clip_norm = real_of(vector, "clip_norm"),
                                            .step = real_of(vector, "step"),
                                            .value_count = vector_number(vector, "value_count"),
                                            .cohort_max = vector_number(vector, "cohort_max"),
                                            .survivors_min = vector_number(vector, "survivors_min"),
                                            .corrupt_fraction =
                                                real_of(vector, "corrupt_fraction")};
    struct sotto_noise noise;

    assert_int_equal(sotto_noise_of(&noise, &terms), SOTTO_OK);
    assert_int_equal(noise.square_max, vector_number(vector, "square_max"));
    assert_int_equal(noise.variance, vector_number(vector, "variance"));
    assert_int_equal(noise.honest_min, vector_number(vector, "honest_min"));
    assert_int_equal(noise.tail, vector_number(vector, "tail"));
}

static void noise__terms__give_these_numbers(void **state)
{
    with_each(*state, "terms", compare_terms);
}

int main(void)
{
    const struct CMUnitTest lanes[] = {
        cmocka_unit_test(quantise__values_and_dither__give_these_lanes),
        cmocka_unit_test(round__values_seed_and_bound__give_these_lanes),
        cmocka_unit_test(rotate__values_and_context__give_these_values_and_back),
        cmocka_unit_test(encode__plain_rotated_and_noised__gives_these_lanes),
    };
    const struct CMUnitTest noise[] = {
        cmocka_unit_test(gaussian__seed_and_variance__give_these_samples),
        cmocka_unit_test(noise__terms__give_these_numbers),
    };
    int failed = cmocka_run_group_tests(lanes, open_lanes, close_file);

    return failed + cmocka_run_group_tests(noise, open_noise, close_file);
}
