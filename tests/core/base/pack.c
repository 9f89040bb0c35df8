#include "core/base/pack.h"

#include <math.h>
#include <string.h>

#include "tests/support/cmocka.h"

/* Bytes written out in a table of cases. */
struct case_bytes {
    size_t length;
    uint8_t bytes[12];
};

static enum sotto_status scan(const uint8_t *bytes, size_t length)
{
    return sotto_pack_scan(sotto_view_of(bytes, length), SOTTO_PACK_BYTES_MAX);
}

static void scan__allowed_types__pass(void **state)
{
    const struct case_bytes good[] = {
        {1, {0x00}},
        {1, {0x7f}},
        {2, {0xcc, 0x80}},
        {3, {0xcd, 0x01, 0x00}},
        {5, {0xce, 0x00, 0x01, 0x00, 0x00}},
        {9, {0xcf, 0, 0, 0, 1, 0, 0, 0, 0}},
        {1, {0xc2}},
        {1, {0xc3}},
        {9, {0xcb, 0x3f, 0xf0}},
        {1, {0xa0}},
        {3, {0xa2, 'h', 'i'}},
        {2, {0xc4, 0x00}},
        {3, {0xc4, 0x01, 0xff}},
        {1, {0x90}},
        {4, {0x92, 0x91, 0x01, 0x02}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(scan(good[i].bytes, good[i].length), SOTTO_OK);
}

static void scan__longer_than_the_shortest_form__is_malformed(void **state)
{
    const struct case_bytes wrong[] = {
        {2, {0xcc, 0x7f}},                         /* uint 8 for a fixint */
        {3, {0xcd, 0x00, 0xff}},                   /* uint 16 for a uint 8 */
        {5, {0xce, 0x00, 0x00, 0xff, 0xff}},       /* uint 32 for a uint 16 */
        {9, {0xcf, 0, 0, 0, 0, 0xff, 0xff, 0, 0}}, /* uint 64 for a uint 32 */
        {3, {0xd9, 0x01, 'a'}},                    /* str 8 for a fixstr */
        {4, {0xda, 0x00, 0x01, 'a'}},              /* str 16 for a str 8 */
        {4, {0xc5, 0x00, 0x01, 'a'}},              /* bin 16 for a bin 8 */
        {6, {0xc6, 0x00, 0x00, 0x00, 0x01, 'a'}},  /* bin 32 for a bin 8 */
        {4, {0xdc, 0x00, 0x01, 0x01}},             /* array 16 for a fixarray */
        {6, {0xdd, 0x00, 0x00, 0x00, 0x01, 0x01}}, /* array 32 for a fixarray */
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(scan(wrong[i].bytes, wrong[i].length), SOTTO_MALFORMED);
}

/* Nil, ext, maps, floats of 32 bits, negative integers and the byte that msgpack never uses. */
static void scan__type_not_allowed__is_malformed(void **state)
{
    const uint8_t tags[] = {0xc0, 0xc1, 0xc7, 0xc8, 0xc9, 0xca, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4,
                            0xd5, 0xd6, 0xd7, 0xd8, 0xde, 0xdf, 0x80, 0x8f, 0xe0, 0xff};

    (void)state;
    for (size_t i = 0; i < sizeof tags; i++) {
        uint8_t bytes[20] = {0x91, tags[i]};

        for (size_t length = 1; length <= sizeof bytes; length++)
            assert_int_equal(scan(bytes, length), SOTTO_MALFORMED);
    }
}

static void scan__header_that_claims_gigabytes__is_refused(void **state)
{
    const struct case_bytes claims[] = {
        {5, {0xdd, 0xff, 0xff, 0xff, 0xff}}, {5, {0xdb, 0xff, 0xff, 0xff, 0xff}},
        {5, {0xc6, 0xff, 0xff, 0xff, 0xff}}, {3, {0xdc, 0xff, 0xff}},
        {5, {0xdf, 0xff, 0xff, 0xff, 0xff}}, {6, {0xc9, 0xff, 0xff, 0xff, 0xff, 0x01}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        struct sotto_unpacker unpacker;

        sotto_unpacker_open(&unpacker, sotto_view_of(claims[i].bytes, claims[i].length));
        assert_null(unpacker.zone);
        assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
    }
}

static void scan__nested_too_deep__is_over_limit(void **state)
{
    uint8_t bytes[SOTTO_PACK_DEPTH_MAX + 1];

    (void)state;
    memset(bytes, 0x91, sizeof bytes);
    bytes[SOTTO_PACK_DEPTH_MAX - 1] = 0x01;
    assert_int_equal(scan(bytes, SOTTO_PACK_DEPTH_MAX), SOTTO_OK);
    bytes[SOTTO_PACK_DEPTH_MAX - 1] = 0x91;
    bytes[SOTTO_PACK_DEPTH_MAX] = 0x01;
    assert_int_equal(scan(bytes, SOTTO_PACK_DEPTH_MAX + 1), SOTTO_OVER_LIMIT);
}

/* A message that may be longer may have more of them. */
static void scan__object_budget__holds_over_all_arrays(void **state)
{
    static uint8_t bytes[2 * SOTTO_PACK_OBJECTS_MAX];
    const size_t limits[] = {1000 + SOTTO_PACK_OBJECTS_MAX, 6 * SOTTO_PACK_OBJECTS_MAX};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t inner = (i == 0 ? SOTTO_PACK_OBJECTS_MAX : limits[i] / 5) - 3;

        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, (uint8_t[]){0x92, 0x01, 0xdc, (uint8_t)(inner >> 8), (uint8_t)inner}, 5);
        assert_int_equal(sotto_pack_scan(sotto_view_of(bytes, 5 + inner), limits[i]), SOTTO_OK);
        bytes[4]++;
        assert_int_equal(sotto_pack_scan(sotto_view_of(bytes, 5 + inner + 1), limits[i]),
                         SOTTO_OVER_LIMIT);
    }
}

static void scan__length__is_limited(void **state)
{
    static uint8_t bytes[3 + 1000] = {0xc5, 1000 >> 8, 1000 & 0xff};
    struct sotto_view view = sotto_view_of(bytes, sizeof bytes);

    (void)state;
    assert_int_equal(sotto_pack_scan(view, sizeof bytes), SOTTO_OK);
    assert_int_equal(sotto_pack_scan(view, sizeof bytes - 1), SOTTO_OVER_LIMIT);
}

static void scan__trailing_or_missing_bytes__are_malformed(void **state)
{
    const uint8_t two[] = {0x01, 0x02};

    (void)state;
    assert_int_equal(scan(two, 2), SOTTO_MALFORMED);
    assert_int_equal(scan(two, 0), SOTTO_MALFORMED);
}

/* One value of each kind, nested. */
static struct sotto_view pack_sample(uint8_t bytes[128])
{
    struct sotto_buffer out = sotto_buffer_of(bytes, 128);
    struct sotto_packer packer;

    sotto_packer_init(&packer, &out);
    sotto_pack_array(&packer, 5);
    sotto_pack_u64(&packer, UINT64_MAX);
    sotto_pack_array(&packer, 2);
    sotto_pack_f64(&packer, -0.1);
    sotto_pack_bool(&packer, true);
    sotto_pack_bytes(&packer, sotto_view_of("\x00\x01", 2));
    sotto_pack_text(&packer, "ward");
    sotto_pack_array(&packer, 0);
    assert_int_equal(sotto_packer_finish(&packer), SOTTO_OK);
    return sotto_view_buffer(&out);
}

static void pack__one_of_each__comes_back(void **state)
{
    uint8_t bytes[128];
    struct sotto_unpacker unpacker;
    uint8_t exact[2];
    char text[5];

    (void)state;
    sotto_unpacker_open(&unpacker, pack_sample(bytes));
    sotto_unpack_array(&unpacker, 5);
    assert_true(sotto_unpack_u64(&unpacker, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(sotto_unpack_list(&unpacker, 2), 2);
    assert_true(sotto_unpack_f64(&unpacker) == -0.1);
    assert_true(sotto_unpack_bool(&unpacker));
    sotto_unpack_exact(&unpacker, exact, sizeof exact);
    assert_int_equal(exact[1], 1);
    sotto_unpack_text(&unpacker, text, sizeof text);
    assert_string_equal(text, "ward");
    assert_int_equal(sotto_unpack_list(&unpacker, 0), 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_OK);
}

static void pack__no_room__shows_when_finished(void **state)
{
    uint8_t bytes[3];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_packer packer;

    (void)state;
    sotto_packer_init(&packer, &out);
    sotto_pack_text(&packer, "four");
    sotto_pack_bool(&packer, true);
    assert_int_equal(sotto_packer_finish(&packer), SOTTO_OVER_LIMIT);
}

static void unpack__not_all_read__is_malformed(void **state)
{
    uint8_t bytes[128];
    struct sotto_unpacker unpacker;

    (void)state;
    sotto_unpacker_open(&unpacker, pack_sample(bytes));
    sotto_unpack_array(&unpacker, 5);
    (void)sotto_unpack_u64(&unpacker, UINT64_MAX);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
}

static void unpack__read_beyond_the_end__is_malformed(void **state)
{
    struct sotto_unpacker unpacker;

    (void)state;
    sotto_unpacker_open(&unpacker, sotto_view_of("\x91\x05", 2));
    sotto_unpack_array(&unpacker, 1);
    assert_int_equal(sotto_unpack_u64(&unpacker, 9), 5);
    assert_int_equal(sotto_unpack_u64(&unpacker, 9), 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
}

static void unpack__wrong_type__fails_for_good(void **state)
{
    struct sotto_unpacker unpacker;

    (void)state;
    sotto_unpacker_open(&unpacker, sotto_view_of("\x92\x05\x06", 3));
    sotto_unpack_array(&unpacker, 2);
    assert_false(sotto_unpack_bool(&unpacker));
    assert_int_equal(sotto_unpack_u64(&unpacker, 9), 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
}

static void unpack__above_the_limit__is_over_limit(void **state)
{
    struct sotto_unpacker unpacker;
    char text[4];

    (void)state;
    sotto_unpacker_open(&unpacker, sotto_view_of("\x05", 1));
    assert_int_equal(sotto_unpack_u64(&unpacker, 4), 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_OVER_LIMIT);
    sotto_unpacker_open(&unpacker, sotto_view_of("\xa4ward", 5));
    sotto_unpack_text(&unpacker, text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_OVER_LIMIT);
    sotto_unpacker_open(&unpacker, sotto_view_of("\x92\x05\x06", 3));
    assert_int_equal(sotto_unpack_list(&unpacker, 1), 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_OVER_LIMIT);
    sotto_unpacker_open(&unpacker, sotto_view_of("\xc4\x02xy", 4));
    assert_int_equal(sotto_unpack_bytes(&unpacker, 1).length, 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_OVER_LIMIT);
}

static void unpack__exact_of_other_length__is_malformed_and_zero(void **state)
{
    struct sotto_unpacker unpacker;
    uint8_t out[3] = {9, 9, 9};

    (void)state;
    sotto_unpacker_open(&unpacker, sotto_view_of("\xc4\x02xy", 4));
    sotto_unpack_exact(&unpacker, out, sizeof out);
    assert_int_equal(out[0], 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
}

static void unpack__empty_text_and_bytes__come_back_empty(void **state)
{
    struct sotto_unpacker unpacker;
    char text[4] = "old";

    (void)state;
    sotto_unpacker_open(&unpacker, sotto_view_of("\x92\xa0\xc4\x00", 4));
    sotto_unpack_array(&unpacker, 2);
    sotto_unpack_text(&unpacker, text, sizeof text);
    assert_string_equal(text, "");
    sotto_unpack_exact(&unpacker, (uint8_t *)text, 0);
    assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_OK);
}

static void unpack__text_with_control_characters__is_malformed(void **state)
{
    const char *const wrong[] = {"\xa2x\n", "\xa2\x1b[", "\xa2x\x7f", "\xa2x\0"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sotto_unpacker unpacker;
        char text[8];

        sotto_unpacker_open(&unpacker, sotto_view_of(wrong[i], 3));
        sotto_unpack_text(&unpacker, text, sizeof text);
        assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
    }
}

static void unpack__number_not_finite__is_malformed(void **state)
{
    const double wrong[] = {NAN, INFINITY, -INFINITY};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t bytes[16];
        struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
        struct sotto_packer packer;
        struct sotto_unpacker unpacker;

        sotto_packer_init(&packer, &out);
        sotto_pack_f64(&packer, wrong[i]);
        assert_int_equal(sotto_packer_finish(&packer), SOTTO_OK);
        sotto_unpacker_open(&unpacker, sotto_view_buffer(&out));
        assert_true(sotto_unpack_f64(&unpacker) == 0);
        assert_int_equal(sotto_unpacker_close(&unpacker), SOTTO_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan__allowed_types__pass),
        cmocka_unit_test(scan__longer_than_the_shortest_form__is_malformed),
        cmocka_unit_test(scan__type_not_allowed__is_malformed),
        cmocka_unit_test(scan__header_that_claims_gigabytes__is_refused),
        cmocka_unit_test(scan__nested_too_deep__is_over_limit),
        cmocka_unit_test(scan__object_budget__holds_over_all_arrays),
        cmocka_unit_test(scan__length__is_limited),
        cmocka_unit_test(scan__trailing_or_missing_bytes__are_malformed),
        cmocka_unit_test(pack__one_of_each__comes_back),
        cmocka_unit_test(pack__no_room__shows_when_finished),
        cmocka_unit_test(unpack__not_all_read__is_malformed),
        cmocka_unit_test(unpack__read_beyond_the_end__is_malformed),
        cmocka_unit_test(unpack__wrong_type__fails_for_good),
        cmocka_unit_test(unpack__above_the_limit__is_over_limit),
        cmocka_unit_test(unpack__exact_of_other_length__is_malformed_and_zero),
        cmocka_unit_test(unpack__empty_text_and_bytes__come_back_empty),
        cmocka_unit_test(unpack__text_with_control_characters__is_malformed),
        cmocka_unit_test(unpack__number_not_finite__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
