#include "core/base/clock.h"

#include "tests/support/cmocka.h"

static void clock__virtual__moves_only_when_turned(void **state)
{
    struct sotto_clock clock;

    (void)state;
    sotto_clock_init_virtual(&clock, 1000);
    assert_int_equal(sotto_clock_wall_ms(&clock), 1000);
    sotto_clock_advance_to(&clock, 1500);
    assert_int_equal(sotto_clock_wall_ms(&clock), 1500);
    assert_int_equal(sotto_clock_steady_ns(&clock), 1500000000);
}

static void clock__turned_backwards__stands_still(void **state)
{
    struct sotto_clock clock;

    (void)state;
    sotto_clock_init_virtual(&clock, 1000);
    sotto_clock_advance_to(&clock, 999);
    assert_int_equal(sotto_clock_wall_ms(&clock), 1000);
}

static void clock__system__goes_on(void **state)
{
    const uint64_t year_2020_ms = 1577836800000;
    struct sotto_clock clock;
    uint64_t before;

    (void)state;
    sotto_clock_init_system(&clock);
    before = sotto_clock_steady_ns(&clock);
    assert_true(sotto_clock_steady_ns(&clock) >= before);
    assert_true(sotto_clock_wall_ms(&clock) > year_2020_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock__virtual__moves_only_when_turned),
        cmocka_unit_test(clock__turned_backwards__stands_still),
        cmocka_unit_test(clock__system__goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
