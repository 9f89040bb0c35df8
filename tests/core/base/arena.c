#include "core/base/arena.h"

#include <string.h>
#include <unistd.h>

#include "tests/support/cmocka.h"

static void arena__taken__is_aligned_and_zeroed(void **state)
{
    struct sotto_arena arena;
    uint8_t *first;
    uint8_t *second;

    (void)state;
    assert_int_equal(sotto_arena_open(&arena, 4096), SOTTO_OK);
    first = sotto_arena_take(&arena, 3, 1);
    second = sotto_arena_take(&arena, 5, 8);
    assert_int_equal((uintptr_t)first % SOTTO_ARENA_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)second % SOTTO_ARENA_ALIGNMENT, 0);
    assert_true(second >= first + 3);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(second[i], 0);
    sotto_arena_close(&arena);
    sotto_arena_close(&arena);
}

static void arena__full__gives_null_and_stays_usable(void **state)
{
    struct sotto_arena arena;

    (void)state;
    assert_int_equal(sotto_arena_open(&arena, 100), SOTTO_OK);
    assert_null(sotto_arena_take(&arena, 101, 1));
    assert_non_null(sotto_arena_take(&arena, 100, 1));
    assert_null(sotto_arena_take(&arena, 1, 1));
    assert_int_equal(arena.peak, 100);
    sotto_arena_close(&arena);
}

static void arena__product_overflows__gives_null(void **state)
{
    struct sotto_arena arena;

    (void)state;
    assert_int_equal(sotto_arena_open(&arena, 100), SOTTO_OK);
    assert_null(sotto_arena_take(&arena, SIZE_MAX / 2 + 2, 2));
    assert_null(sotto_arena_take(&arena, SIZE_MAX, 1));
    assert_non_null(sotto_arena_take(&arena, 1, 1));
    sotto_arena_close(&arena);
}

static void arena__released__is_zeroed_when_taken_again(void **state)
{
    struct sotto_arena arena;
    uint8_t *before;
    uint8_t *again;
    size_t mark;

    (void)state;
    assert_int_equal(sotto_arena_open(&arena, 4096), SOTTO_OK);
    mark = sotto_arena_mark(&arena);
    before = sotto_arena_take(&arena, 64, 1);
    memset(before, 0xaa, 64);
    sotto_arena_release(&arena, mark);
    again = sotto_arena_take(&arena, 64, 1);
    assert_ptr_equal(again, before);
    assert_int_equal(again[63], 0);
    sotto_arena_close(&arena);
}

static void arena__counting__tells_what_a_real_one_needs(void **state)
{
    const size_t sizes[] = {1, 63, 64, 65, 1000};
    struct sotto_arena counting;
    struct sotto_arena real;

    (void)state;
    sotto_arena_init_counting(&counting);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_null(sotto_arena_take(&counting, sizes[i], 1));
    assert_int_equal(sotto_arena_open(&real, counting.peak), SOTTO_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_non_null(sotto_arena_take(&real, sizes[i], 1));
    assert_int_equal(real.peak, counting.peak);
    sotto_arena_close(&real);
    sotto_arena_close(&counting);
}

static void arena__counting_overflows__asks_for_what_nobody_has(void **state)
{
    struct sotto_arena counting;

    (void)state;
    sotto_arena_init_counting(&counting);
    assert_null(sotto_arena_take(&counting, SIZE_MAX, 2));
    assert_true(counting.peak > SIZE_MAX / 2);
    assert_null(sotto_arena_take(&counting, 64, 1));
    assert_true(counting.peak > SIZE_MAX / 2);
}

static void arena__dropped__reads_as_zeros_and_keeps_what_is_beside(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct sotto_arena arena;
    uint8_t *memory;
    size_t zeros = 0;

    (void)state;
    assert_int_equal(sotto_arena_open(&arena, 64 * page), SOTTO_OK);
    memory = sotto_arena_take(&arena, 64 * page, 1);
    memset(memory, 7, 64 * page);
    sotto_arena_drop(&arena, memory + 100, 2 * page);
    sotto_arena_drop(&arena, memory + 10 * page, 50 * page);
    sotto_arena_drop(&arena, memory + 62 * page, 20);
    for (size_t i = 0; i < 64 * page; i++) {
        bool is_within = (i >= 100 && i < 100 + 2 * page) || (i >= 10 * page && i < 60 * page);

        assert_true(memory[i] == 7 || (memory[i] == 0 && is_within));
        zeros += memory[i] == 0;
    }
    assert_true(zeros >= 50 * page);
    sotto_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena__taken__is_aligned_and_zeroed),
        cmocka_unit_test(arena__full__gives_null_and_stays_usable),
        cmocka_unit_test(arena__product_overflows__gives_null),
        cmocka_unit_test(arena__released__is_zeroed_when_taken_again),
        cmocka_unit_test(arena__counting__tells_what_a_real_one_needs),
        cmocka_unit_test(arena__counting_overflows__asks_for_what_nobody_has),
        cmocka_unit_test(arena__dropped__reads_as_zeros_and_keeps_what_is_beside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
