#include "simulations/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LABELS = 10, POOL = 4000 };

/* 4,000 one-pixel pictures, labels in turn. */
static void pool_open(struct sotto_dataset *pool)
{
    *pool = (struct sotto_dataset){.channels = 1, .side = 1, .count = POOL};
    pool->pixels = calloc(POOL, 1);
    pool->labels = calloc(POOL, sizeof *pool->labels);
    for (uint32_t i = 0; i < POOL; i++)
        pool->labels[i] = i % LABELS;
}

static struct sotto_partition_choice choice_of(double alpha, uint64_t seed)
{
    return (struct sotto_partition_choice){.site_count = 20,
                                           .examples_min = 50,
                                           .examples_max = 150,
                                           .label_count = LABELS,
                                           .alpha = alpha,
                                           .seed = seed};
}

/* The mean over the sites of the largest label's share. */
static double skew_of(const struct sotto_partition *partition, const struct sotto_dataset *pool)
{
    double mean = 0;

    for (size_t site = 0; site < partition->site_count; site++) {
        size_t size = partition->first[site + 1] - partition->first[site];
        size_t counts[LABELS] = {0}, most = 0;

        for (size_t i = partition->first[site]; i < partition->first[site + 1]; i++)
            counts[pool->labels[partition->indices[i]]]++;
        for (size_t label = 0; label < LABELS; label++)
            most = counts[label] > most ? counts[label] : most;
        mean += (double)most / (double)size / (double)partition->site_count;
    }
    return mean;
}

static void partition__any_seed__sites_are_disjoint_and_of_the_wanted_sizes(void **state)
{
    struct sotto_dataset pool;

    (void)state;
    pool_open(&pool);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sotto_partition_choice choice = choice_of(seed % 2 ? 0.3 : 0, seed);
        struct sotto_partition partition;
        char taken[POOL] = {0};

        assert_int_equal(sotto_partition_open(&partition, &pool, &choice, NULL), SOTTO_OK);
        for (size_t site = 0; site < 20; site++)
            assert_in_range(partition.first[site + 1] - partition.first[site], 50, 150);
        for (size_t i = 0; i < partition.first[20]; i++)
            assert_int_equal(taken[partition.indices[i]]++, 0);
        sotto_partition_close(&partition);
    }
    sotto_dataset_close(&pool);
}

static void partition__small_alpha__labels_are_skewed(void **state)
{
    struct sotto_partition_choice iid = choice_of(0, 3), skewed = choice_of(0.1, 3);
    struct sotto_partition partition;
    struct sotto_dataset pool;

    (void)state;
    pool_open(&pool);
    assert_int_equal(sotto_partition_open(&partition, &pool, &iid, NULL), SOTTO_OK);
    assert_true(skew_of(&partition, &pool) < 0.25);
    sotto_partition_close(&partition);
    assert_int_equal(sotto_partition_open(&partition, &pool, &skewed, NULL), SOTTO_OK);
    assert_true(skew_of(&partition, &pool) > 0.5);
    sotto_partition_close(&partition);
    sotto_dataset_close(&pool);
}

static void partition__same_seed__same_division(void **state)
{
    struct sotto_partition_choice choice = choice_of(0.3, 11), other = choice_of(0.3, 12);
    struct sotto_partition first, again, different;
    struct sotto_dataset pool;

    (void)state;
    pool_open(&pool);
    assert_int_equal(sotto_partition_open(&first, &pool, &choice, NULL), SOTTO_OK);
    assert_int_equal(sotto_partition_open(&again, &pool, &choice, NULL), SOTTO_OK);
    assert_int_equal(sotto_partition_open(&different, &pool, &other, NULL), SOTTO_OK);
    assert_memory_equal(first.indices, again.indices, first.first[20] * sizeof(uint32_t));
    assert_memory_not_equal(first.indices, different.indices, 50 * sizeof(uint32_t));
    sotto_partition_close(&first);
    sotto_partition_close(&again);
    sotto_partition_close(&different);
    sotto_dataset_close(&pool);
}

static void partition__pool_too_small__is_refused_with_the_numbers(void **state)
{
    struct sotto_partition_choice choice = choice_of(0.3, 1);
    struct sotto_partition partition;
    struct sotto_dataset pool;
    struct sotto_fault fault;

    (void)state;
    pool_open(&pool);
    choice.examples_min = choice.examples_max = 300;
    assert_int_equal(sotto_partition_open(&partition, &pool, &choice, &fault), SOTTO_OVER_LIMIT);
    assert_non_null(strstr(fault.text, "6000"));
    assert_non_null(strstr(fault.text, "4000"));
    assert_null(partition.indices);
    sotto_dataset_close(&pool);
}

static void partition__label_beyond_the_names__is_refused(void **state)
{
    struct sotto_partition_choice choice = choice_of(0.3, 1);
    struct sotto_partition partition;
    struct sotto_dataset pool;
    struct sotto_fault fault;

    (void)state;
    pool_open(&pool);
    pool.labels[7] = LABELS;
    assert_int_equal(sotto_partition_open(&partition, &pool, &choice, &fault), SOTTO_MISMATCH);
    assert_null(partition.indices);
    sotto_dataset_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partition__any_seed__sites_are_disjoint_and_of_the_wanted_sizes),
        cmocka_unit_test(partition__small_alpha__labels_are_skewed),
        cmocka_unit_test(partition__same_seed__same_division),
        cmocka_unit_test(partition__pool_too_small__is_refused_with_the_numbers),
        cmocka_unit_test(partition__label_beyond_the_names__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
