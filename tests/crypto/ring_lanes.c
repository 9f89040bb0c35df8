/* Lanes and their packed form, beside a twin that goes bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/ring/lanes.h"

enum { LANES = 133, PACKED_MAX = LANES * 4 };

static void draw_lanes(uint32_t *lanes, uint64_t seed)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, seed);
    sotto_entropy_fill(&entropy, lanes, LANES * sizeof *lanes);
}

static uint32_t reduced(uint32_t lane, unsigned ring_bits)
{
    return ring_bits == 32 ? lane : lane & ((1U << ring_bits) - 1);
}

/* Bit b of lane e is bit e * w + b of the whole. */
static size_t packed_by_bits(uint8_t *out, const uint32_t *lanes, size_t lane_count,
                             unsigned ring_bits)
{
    size_t bits = lane_count * ring_bits;

    memset(out, 0, (bits + 7) / 8);
    for (size_t bit = 0; bit < bits; bit++) {
        unsigned value = lanes[bit / ring_bits] >> bit % ring_bits & 1;

        out[bit / 8] = (uint8_t)(out[bit / 8] | value << bit % 8);
    }
    return (bits + 7) / 8;
}

static void add__any_count__adds_exactly_those_lanes(void **state)
{
    uint32_t left[LANES];
    uint32_t right[LANES];

    (void)state;
    draw_lanes(right, 2);
    for (size_t count = 0; count <= LANES; count++) {
        uint32_t lanes[LANES];

        draw_lanes(left, 1);
        memcpy(lanes, left, sizeof lanes);
        sotto_lanes_add(lanes, right, count);
        for (size_t lane = 0; lane < LANES; lane++)
            assert_int_equal(lanes[lane],
                             lane < count ? (uint32_t)(left[lane] + right[lane]) : left[lane]);
        sotto_lanes_subtract(lanes, right, count);
        assert_memory_equal(lanes, left, sizeof lanes);
    }
}

static void subtract__below_zero__wraps(void **state)
{
    uint32_t lane = 1;
    const uint32_t two = 2;

    (void)state;
    sotto_lanes_subtract(&lane, &two, 1);
    assert_int_equal(lane, UINT32_MAX);
}

static void pack__any_ring_and_count__equals_the_twin(void **state)
{
    uint32_t lanes[LANES];

    (void)state;
    draw_lanes(lanes, 3);
    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++)
        for (size_t count = 0; count <= LANES; count++) {
            uint8_t expected[PACKED_MAX];
            uint8_t packed[PACKED_MAX + 1];
            size_t length = packed_by_bits(expected, lanes, count, ring_bits);

            assert_int_equal(sotto_lanes_packed_bytes(count, ring_bits), length);
            memset(packed, 0xa5, sizeof packed);
            sotto_lanes_pack(packed, lanes, count, ring_bits);
            assert_memory_equal(packed, expected, length);
            assert_int_equal(packed[length], 0xa5);
        }
}

static void unpack__what_was_packed__gives_the_lanes_mod_2_w(void **state)
{
    uint32_t lanes[LANES];

    (void)state;
    draw_lanes(lanes, 4);
    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++)
        for (size_t count = 0; count <= LANES; count++) {
            uint8_t packed[PACKED_MAX];
            uint32_t unpacked[LANES];
            size_t length = packed_by_bits(packed, lanes, count, ring_bits);

            assert_int_equal(
                sotto_lanes_unpack(unpacked, count, ring_bits, sotto_view_of(packed, length)),
                SOTTO_OK);
            for (size_t lane = 0; lane < count; lane++)
                assert_int_equal(unpacked[lane], reduced(lanes[lane], ring_bits));
        }
}

static void unpack__wrong_length__is_malformed(void **state)
{
    const uint8_t packed[PACKED_MAX] = {0};
    uint32_t lanes[LANES];

    (void)state;
    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++) {
        size_t length = sotto_lanes_packed_bytes(9, ring_bits);

        assert_int_equal(sotto_lanes_unpack(lanes, 9, ring_bits, sotto_view_of(packed, length - 1)),
                         SOTTO_MALFORMED);
        assert_int_equal(sotto_lanes_unpack(lanes, 9, ring_bits, sotto_view_of(packed, length + 1)),
                         SOTTO_MALFORMED);
        assert_int_equal(sotto_lanes_unpack(lanes, 9, ring_bits, sotto_view_of(packed, 0)),
                         SOTTO_MALFORMED);
    }
}

/* Each vector of lanes has one packed form, so that its digest is that of the lanes. */
static void unpack__any_filling_bit_set__is_malformed(void **state)
{
    uint32_t lanes[LANES];

    (void)state;
    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++)
        for (size_t bit = 5 * ring_bits; bit % 8 != 0; bit++) {
            uint8_t packed[20] = {0};
            struct sotto_view view = sotto_view_of(packed, sotto_lanes_packed_bytes(5, ring_bits));

            assert_int_equal(sotto_lanes_unpack(lanes, 5, ring_bits, view), SOTTO_OK);
            packed[bit / 8] = (uint8_t)(1U << bit % 8);
            assert_int_equal(sotto_lanes_unpack(lanes, 5, ring_bits, view), SOTTO_MALFORMED);
        }
}

static void unpack_add__windows_of_a_vector__equal_unpack_and_add(void **state)
{
    uint32_t lanes[LANES];

    (void)state;
    draw_lanes(lanes, 5);
    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++) {
        uint8_t packed[PACKED_MAX];
        uint32_t sum[LANES];

        sotto_lanes_pack(packed, lanes, LANES, ring_bits);
        for (size_t lane = 0; lane < LANES; lane++)
            sum[lane] = (uint32_t)(0xfffffff0U + lane);
        for (size_t first = 0; first < LANES; first += 24) {
            size_t left = LANES - first;

            sotto_lanes_unpack_add(sum + first, left < 24 ? left : 24, ring_bits,
                                   packed + first * ring_bits / 8);
        }
        for (size_t lane = 0; lane < LANES; lane++)
            assert_int_equal(sum[lane],
                             (uint32_t)(0xfffffff0U + lane + reduced(lanes[lane], ring_bits)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__any_count__adds_exactly_those_lanes),
        cmocka_unit_test(subtract__below_zero__wraps),
        cmocka_unit_test(pack__any_ring_and_count__equals_the_twin),
        cmocka_unit_test(unpack__what_was_packed__gives_the_lanes_mod_2_w),
        cmocka_unit_test(unpack__wrong_length__is_malformed),
        cmocka_unit_test(unpack__any_filling_bit_set__is_malformed),
        cmocka_unit_test(unpack_add__windows_of_a_vector__equal_unpack_and_add),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
