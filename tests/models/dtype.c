/* Stored element types: known values, and every 16-bit value through float32 and back. */
#include <math.h>
#include <string.h>

#include "models/weights/dtype.h"
#include "tests/support/cmocka.h"

static uint16_t stored(float value, enum sotto_dtype dtype)
{
    uint8_t bytes[2];

    sotto_dtype_store(bytes, &value, 1, dtype);
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static float loaded(uint16_t bits, enum sotto_dtype dtype)
{
    const uint8_t bytes[2] = {(uint8_t)bits, (uint8_t)(bits >> 8)};
    float value;

    sotto_dtype_load(&value, bytes, 1, dtype);
    return value;
}

static void dtype__every_16_bit_value__survives_widening_and_narrowing(void **state)
{
    const enum sotto_dtype dtypes[] = {SOTTO_DTYPE_F16, SOTTO_DTYPE_BF16};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t bits = 0; bits <= 0xffff; bits++) {
            float value = loaded((uint16_t)bits, dtypes[i]);

            if (isnan(value))
                assert_true(isnan(loaded(stored(value, dtypes[i]), dtypes[i])));
            else
                assert_int_equal(stored(value, dtypes[i]), bits);
        }
    }
}

static void dtype__f16__known_values(void **state)
{
    (void)state;
    assert_true(loaded(0x3c00, SOTTO_DTYPE_F16) == 1.0f);
    assert_true(loaded(0xc000, SOTTO_DTYPE_F16) == -2.0f);
    assert_true(loaded(0x7bff, SOTTO_DTYPE_F16) == 65504.0f);
    assert_true(loaded(0x0001, SOTTO_DTYPE_F16) == 0x1p-24f);
    assert_true(isinf(loaded(0x7c00, SOTTO_DTYPE_F16)));
    assert_int_equal(stored(65519.0f, SOTTO_DTYPE_F16), 0x7bff);
    assert_int_equal(stored(65520.0f, SOTTO_DTYPE_F16), 0x7c00);
    assert_int_equal(stored(0x1p-25f, SOTTO_DTYPE_F16), 0x0000);
    assert_int_equal(stored(0x1.8p-25f, SOTTO_DTYPE_F16), 0x0001);
}

static void dtype__halfway__goes_to_the_even_neighbour(void **state)
{
    (void)state;
    assert_int_equal(stored(1.0f + 0x1p-11f, SOTTO_DTYPE_F16), 0x3c00);
    assert_int_equal(stored(1.0f + 0x3p-11f, SOTTO_DTYPE_F16), 0x3c02);
    assert_int_equal(stored(1.0f + 0x1p-8f, SOTTO_DTYPE_BF16), 0x3f80);
    assert_int_equal(stored(1.0f + 0x3p-8f, SOTTO_DTYPE_BF16), 0x3f82);
    assert_int_equal(stored(1.0f + 0x1p-8f + 0x1p-20f, SOTTO_DTYPE_BF16), 0x3f81);
}

static void dtype__names__parse_to_themselves(void **state)
{
    enum sotto_dtype dtype = SOTTO_DTYPE_F32;

    (void)state;
    assert_int_equal(sotto_dtype_parse(&dtype, sotto_dtype_name(SOTTO_DTYPE_BF16)), SOTTO_OK);
    assert_int_equal(dtype, SOTTO_DTYPE_BF16);
    assert_int_equal(sotto_dtype_parse(&dtype, "F64"), SOTTO_UNSUPPORTED);
    assert_int_equal(dtype, SOTTO_DTYPE_BF16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dtype__every_16_bit_value__survives_widening_and_narrowing),
        cmocka_unit_test(dtype__f16__known_values),
        cmocka_unit_test(dtype__halfway__goes_to_the_even_neighbour),
        cmocka_unit_test(dtype__names__parse_to_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
