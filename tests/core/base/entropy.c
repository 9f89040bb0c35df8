#include "core/base/entropy.h"

#include <math.h>
#include <string.h>

#include "core/base/bytes.h"
#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

static void entropy__one_seed__tells_the_same_again(void **state)
{
    struct sotto_entropy one;
    struct sotto_entropy other;
    uint8_t left[100];
    uint8_t right[100];

    (void)state;
    sotto_entropy_init_seeded(&one, 5);
    sotto_entropy_init_seeded(&other, 5);
    sotto_entropy_fill(&one, left, sizeof left);
    sotto_entropy_fill(&other, right, sizeof right);
    assert_memory_equal(left, right, sizeof left);
    sotto_entropy_init_seeded(&other, 6);
    sotto_entropy_fill(&other, right, sizeof right);
    assert_memory_not_equal(left, right, sizeof left);
}

/*
 * The state that splitmix64 makes of seed 0, and the first and eighth draws from it, worked out
 * from the published sources.
 */
static void entropy__seed_zero__matches_the_published_generators(void **state)
{
    struct sotto_entropy entropy;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 0);
    assert_int_equal(entropy.state[0], 0xe220a8397b1dcdaf);
    assert_int_equal(entropy.state[1], 0x6e789e6aa1b965f4);
    assert_int_equal(entropy.state[2], 0x06c45d188009454f);
    assert_int_equal(entropy.state[3], 0xf88bb8a8724c81ec);
    assert_int_equal(sotto_entropy_u64(&entropy), 0x99ec5f36cb75f2b4);
    for (size_t i = 0; i < 6; i++)
        (void)sotto_entropy_u64(&entropy);
    assert_int_equal(sotto_entropy_u64(&entropy), 0x8920ad648fc30a3f);
}

static void entropy__fork__moves_the_parent_on_and_differs(void **state)
{
    struct sotto_entropy parent;
    struct sotto_entropy first;
    struct sotto_entropy second;

    (void)state;
    sotto_entropy_init_seeded(&parent, 1);
    sotto_entropy_fork(&first, &parent);
    sotto_entropy_fork(&second, &parent);
    assert_int_not_equal(sotto_entropy_u64(&first), sotto_entropy_u64(&second));
    sotto_entropy_init_system(&parent);
    sotto_entropy_fork(&first, &parent);
    assert_int_equal(first.seeded, 0);
}

static void entropy__system__does_not_repeat(void **state)
{
    struct sotto_entropy entropy;
    uint8_t left[32];
    uint8_t right[32];

    (void)state;
    sotto_entropy_init_system(&entropy);
    sotto_entropy_fill(&entropy, left, sizeof left);
    sotto_entropy_fill(&entropy, right, sizeof right);
    assert_memory_not_equal(left, right, sizeof left);
}

static void entropy__below__is_uniform(void **state)
{
    struct sotto_entropy entropy;
    unsigned counts[6] = {0};

    (void)state;
    seed_open(&entropy, __func__);
    for (size_t i = 0; i < 60000; i++) {
        uint64_t drawn = sotto_entropy_below(&entropy, 6);

        assert_in_range(drawn, 0, 5);
        counts[drawn]++;
    }
    /* 10000 expected, standard deviation 91: six of them either way. */
    for (size_t i = 0; i < 6; i++)
        assert_in_range(counts[i], 9450, 10550);
    assert_int_equal(sotto_entropy_below(&entropy, 1), 0);
}

/* Three quarters of 2^64: without rejection the lowest third would come up half of the time. */
static void entropy__below_a_great_bound__has_no_bias(void **state)
{
    const uint64_t third = 1ULL << 62;
    struct sotto_entropy entropy;
    unsigned lowest = 0;

    (void)state;
    seed_open(&entropy, __func__);
    for (size_t i = 0; i < 30000; i++)
        lowest += sotto_entropy_below(&entropy, 3 * third) < third;
    /* 10000 expected, standard deviation 82: six of them either way. */
    assert_in_range(lowest, 9500, 10500);
}

static void entropy__normal__has_mean_zero_and_variance_one(void **state)
{
    struct sotto_entropy entropy;
    double sum = 0;
    double squares = 0;

    (void)state;
    seed_open(&entropy, __func__);
    for (size_t i = 0; i < 40000; i++) {
        double drawn = sotto_entropy_normal(&entropy);

        sum += drawn;
        squares += drawn * drawn;
    }
    /* Standard deviations 0.005 and 0.007: six of them either way. */
    assert_true(fabs(sum / 40000) < 0.03);
    assert_true(fabs(squares / 40000 - 1) < 0.045);
}

static void entropy__unit__stays_below_one(void **state)
{
    struct sotto_entropy entropy;
    double most = 0;

    (void)state;
    seed_open(&entropy, __func__);
    for (size_t i = 0; i < 10000; i++) {
        double drawn = sotto_entropy_unit(&entropy);

        assert_true(drawn >= 0 && drawn < 1);
        most = fmax(most, drawn);
    }
    assert_true(most > 0.99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entropy__one_seed__tells_the_same_again),
        cmocka_unit_test(entropy__seed_zero__matches_the_published_generators),
        cmocka_unit_test(entropy__fork__moves_the_parent_on_and_differs),
        cmocka_unit_test(entropy__system__does_not_repeat),
        cmocka_unit_test(entropy__below__is_uniform),
        cmocka_unit_test(entropy__below_a_great_bound__has_no_bias),
        cmocka_unit_test(entropy__normal__has_mean_zero_and_variance_one),
        cmocka_unit_test(entropy__unit__stays_below_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
