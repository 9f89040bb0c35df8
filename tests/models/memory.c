/* The memory of the CPU's table, and the arenas that hand it out. */
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "models/kernels/device/arena.h"
#include "models/kernels/kernels.h"
#include "tests/support/cmocka.h"
#include "tests/support/device.h"

enum { COUNT = 37 };

static const struct sotto_kernels *kernels;

static int choose_kernels(void **state)
{
    (void)state;
    kernels = sotto_kernels_cpu();
    return 0;
}

static void memory__reserved__is_zero_and_aligned(void **state)
{
    const size_t bytes = 3 * 4096 + 5;
    struct sotto_device_memory *memory = kernels->reserve(bytes);
    const uint8_t *at = (const uint8_t *)memory;

    (void)state;
    assert_non_null(memory);
    assert_int_equal((uintptr_t)at % SOTTO_ARENA_ALIGNMENT, 0);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(at[i], 0);
    kernels->release(memory, bytes);
}

static size_t resident_most(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_maxrss * 1024;
}

/* An answer's room is for the longest that it may become. */
static void memory__reserved_and_hardly_used__is_never_had(void **state)
{
    const size_t bytes = (size_t)512 << 20;
    size_t before = resident_most();
    struct sotto_device_memory *memory = kernels->reserve(bytes);
    uint8_t *at = (uint8_t *)memory;

    (void)state;
    assert_non_null(memory);
    at[bytes / 2] = 1;
    kernels->release(memory, bytes);
    assert_true(resident_most() - before < bytes / 4);
}

static void memory__more_than_there_is__is_none(void **state)
{
    (void)state;
    assert_null(kernels->reserve(SIZE_MAX / 2));
}

static void memory__uploaded__comes_back(void **state)
{
    struct sotto_device_arena arena;
    struct sotto_device_float *there;
    float values[COUNT];
    float back[COUNT + 1] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)i - 7.5f;
    assert_int_equal(sotto_device_arena_open(&arena, kernels, sizeof values), SOTTO_OK);
    assert_true(sotto_device_floats_take(&there, &arena, COUNT));
    kernels->upload(there, values, COUNT);
    kernels->download(back, there, COUNT);
    assert_memory_equal(back, values, sizeof values);
    assert_true(back[COUNT] == 0.0f);
    sotto_device_arena_close(&arena);
}

static void memory__adopted__stays_where_it_is(void **state)
{
    const float values[COUNT] = {1.0f};
    const struct sotto_device_float *adopted = kernels->adopt(values, COUNT);

    (void)state;
    assert_ptr_equal(host_view(adopted), values);
    kernels->disown(adopted, COUNT);
}

static void loss__added_and_cleared__comes_back(void **state)
{
    struct sotto_device_arena arena;
    struct sotto_device_loss *losses;
    struct sotto_matrix logits;
    struct sotto_loss loss;
    float values[] = {0.0f, 0.0f, 3.0f, 3.0f};
    const uint32_t labels[] = {0, 1};

    (void)state;
    assert_int_equal(sotto_device_arena_open(&arena, kernels, 1024), SOTTO_OK);
    assert_true(sotto_device_losses_take(&losses, &arena, 2));
    logits = matrix_over(values, 2, 2);
    kernels->cross_entropy(logits, labels, 1.0f, &losses[0]);
    kernels->add_loss(&losses[1], &losses[0]);
    kernels->add_loss(&losses[1], &losses[0]);
    kernels->download_loss(&loss, &losses[1]);
    assert_true(fabs(loss.sum - 4.0 * log(2.0)) < 1e-6);
    assert_int_equal(loss.correct_count, 2);
    kernels->clear_loss(&losses[1]);
    kernels->download_loss(&loss, &losses[1]);
    assert_true(loss.sum == 0.0);
    assert_int_equal(loss.correct_count, 0);
    sotto_device_arena_close(&arena);
}

/* What a dry run counts is what there has to be, to the byte. */
static void arena__counted__is_just_enough(void **state)
{
    struct sotto_device_arena counted, arena;
    struct sotto_device_float *floats = NULL;
    struct sotto_device_bf16 *halves = NULL;
    struct sotto_device_loss *losses = NULL;

    (void)state;
    sotto_device_arena_init_counting(&counted);
    assert_int_equal(sotto_device_arena_open(&arena, kernels, 3 * 64 + 4), SOTTO_OK);
    for (int dry = 1; dry >= 0; dry--) {
        struct sotto_device_arena *from = dry == 1 ? &counted : &arena;

        assert_true(sotto_device_bf16s_take(&halves, from, 3));
        assert_true(sotto_device_losses_take(&losses, from, 4));
        assert_true(sotto_device_floats_take(&floats, from, 17));
        assert_int_equal(floats == NULL && halves == NULL && losses == NULL, dry);
    }
    assert_int_equal(counted.used, 4 * 64);
    assert_int_equal((uintptr_t)host_floats(floats) % SOTTO_ARENA_ALIGNMENT, 0);
    assert_false(sotto_device_floats_take(&floats, &arena, 1));
    assert_null(floats);
    sotto_device_arena_close(&arena);
    sotto_device_arena_close(&arena);
}

static void arena__product_that_overflows__has_no_room(void **state)
{
    struct sotto_device_arena counted, arena;
    struct sotto_device_float *floats;

    (void)state;
    sotto_device_arena_init_counting(&counted);
    assert_true(sotto_device_floats_take(&floats, &counted, SIZE_MAX / 2));
    assert_int_equal(sotto_device_arena_open(&arena, kernels, counted.used), SOTTO_NO_MEMORY);
    sotto_device_arena_close(&arena);
    assert_int_equal(sotto_device_arena_open(&arena, kernels, 64), SOTTO_OK);
    assert_false(sotto_device_floats_take(&floats, &arena, SIZE_MAX / 2));
    assert_true(sotto_device_floats_take(&floats, &arena, 16));
    sotto_device_arena_close(&arena);
}

static void workspace__counted__opens_both_sides(void **state)
{
    struct sotto_workspace counted, workspace;
    struct sotto_device_float *floats;

    (void)state;
    sotto_workspace_init_counting(&counted);
    assert_null(sotto_arena_take(&counted.host, 5, sizeof(uint32_t)));
    assert_true(sotto_device_floats_take(&floats, &counted.device, 100));
    assert_int_equal(sotto_workspace_open(&workspace, kernels, &counted), SOTTO_OK);
    assert_non_null(sotto_arena_take(&workspace.host, 5, sizeof(uint32_t)));
    assert_true(sotto_device_floats_take(&floats, &workspace.device, 100));
    sotto_workspace_close(&workspace);
    sotto_workspace_close(&workspace);
    counted.device.used = SIZE_MAX / 2;
    assert_int_equal(sotto_workspace_open(&workspace, kernels, &counted), SOTTO_NO_MEMORY);
    sotto_workspace_close(&workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__reserved__is_zero_and_aligned),
        cmocka_unit_test(memory__reserved_and_hardly_used__is_never_had),
        cmocka_unit_test(memory__more_than_there_is__is_none),
        cmocka_unit_test(memory__uploaded__comes_back),
        cmocka_unit_test(memory__adopted__stays_where_it_is),
        cmocka_unit_test(loss__added_and_cleared__comes_back),
        cmocka_unit_test(arena__counted__is_just_enough),
        cmocka_unit_test(arena__product_that_overflows__has_no_room),
        cmocka_unit_test(workspace__counted__opens_both_sides),
    };

    return cmocka_run_group_tests(tests, choose_kernels, NULL);
}
