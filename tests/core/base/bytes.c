#include "core/base/bytes.h"

#include <string.h>

#include "tests/support/cmocka.h"

static void buffer__no_room__is_as_before(void **state)
{
    uint8_t memory[4];
    struct sotto_buffer buffer = sotto_buffer_of(memory, sizeof memory);

    (void)state;
    assert_int_equal(sotto_buffer_add(&buffer, sotto_view_text("abc")), SOTTO_OK);
    assert_int_equal(sotto_buffer_add(&buffer, sotto_view_text("de")), SOTTO_OVER_LIMIT);
    assert_int_equal(buffer.length, 3);
    assert_int_equal(sotto_buffer_add(&buffer, sotto_view_text("d")), SOTTO_OK);
    assert_true(sotto_view_equal(sotto_view_buffer(&buffer), sotto_view_text("abcd")));
}

static void view__other_bytes_or_length__is_not_equal(void **state)
{
    (void)state;
    assert_true(sotto_view_equal(sotto_view_text("abc"), sotto_view_text("abc")));
    assert_false(sotto_view_equal(sotto_view_text("abc"), sotto_view_text("abd")));
    assert_false(sotto_view_equal(sotto_view_text("abc"), sotto_view_text("ab")));
    assert_true(sotto_view_equal(sotto_view_of(NULL, 0), sotto_view_text("")));
}

static void digest__last_byte_differs__is_not_equal(void **state)
{
    struct sotto_digest left = {{0}};
    struct sotto_digest right = {{0}};

    (void)state;
    assert_true(sotto_digest_equal(&left, &right));
    right.bytes[SOTTO_DIGEST_BYTES - 1] = 1;
    assert_false(sotto_digest_equal(&left, &right));
}

static void cursor__whole_read__finishes(void **state)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 8, 7, 6, 5, 4, 3, 2, 1, 'x', 'y'};
    struct sotto_cursor cursor = sotto_cursor_of(sotto_view_of(bytes, sizeof bytes));

    (void)state;
    assert_int_equal(sotto_cursor_u32(&cursor), 0x04030201);
    assert_int_equal(sotto_cursor_u64(&cursor), 0x0102030405060708);
    assert_int_equal(sotto_cursor_finish(&cursor), SOTTO_MALFORMED);
    assert_true(sotto_view_equal(sotto_cursor_take(&cursor, 2), sotto_view_text("xy")));
    assert_int_equal(sotto_cursor_finish(&cursor), SOTTO_OK);
}

static void cursor__read_beyond_the_end__fails_for_good(void **state)
{
    const uint8_t bytes[] = {1, 2, 3};
    struct sotto_cursor cursor = sotto_cursor_of(sotto_view_of(bytes, sizeof bytes));
    uint8_t out[2] = {9, 9};

    (void)state;
    assert_int_equal(sotto_cursor_u32(&cursor), 0);
    sotto_cursor_copy(&cursor, out, sizeof out);
    assert_int_equal(out[0], 0);
    assert_int_equal(sotto_cursor_take(&cursor, 1).length, 0);
    assert_int_equal(sotto_cursor_finish(&cursor), SOTTO_MALFORMED);
}

static void integers__stored__load_back_little_endian(void **state)
{
    uint8_t bytes[8];

    (void)state;
    sotto_store_u32(bytes, 0x80000001);
    assert_int_equal(bytes[0], 1);
    assert_int_equal(sotto_load_u32(bytes), 0x80000001);
    sotto_store_u64(bytes, 0xfedcba9876543210);
    assert_int_equal(bytes[0], 0x10);
    assert_int_equal(sotto_load_u64(bytes), 0xfedcba9876543210);
}

static void hex__encoded__decodes_back(void **state)
{
    struct sotto_digest digest;
    struct sotto_digest back;
    char text[SOTTO_DIGEST_HEX];

    (void)state;
    for (size_t i = 0; i < sizeof digest.bytes; i++)
        digest.bytes[i] = (uint8_t)(i * 37);
    sotto_digest_hex(text, &digest);
    assert_int_equal(strlen(text), 64);
    assert_int_equal(sotto_hex_decode(back.bytes, sizeof back.bytes, text), SOTTO_OK);
    assert_true(sotto_digest_equal(&digest, &back));
}

static void hex__malformed__leaves_out_untouched(void **state)
{
    const char *const wrong[] = {"", "00", "0000f", "000g", "00000", "0000 ", "-000", "00:0"};
    uint8_t out[2] = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(sotto_hex_decode(out, sizeof out, wrong[i]), SOTTO_MALFORMED);
        assert_int_equal(out[0], 7);
    }
    assert_int_equal(sotto_hex_decode(out, sizeof out, "a0fF"), SOTTO_OK);
    assert_int_equal(out[0], 0xa0);
    assert_int_equal(out[1], 0xff);
}

static void wipe__secret__leaves_zeros(void **state)
{
    struct sotto_secret secret;

    (void)state;
    memset(secret.bytes, 0xaa, sizeof secret.bytes);
    sotto_wipe(&secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret.bytes; i++)
        assert_int_equal(secret.bytes[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer__no_room__is_as_before),
        cmocka_unit_test(view__other_bytes_or_length__is_not_equal),
        cmocka_unit_test(digest__last_byte_differs__is_not_equal),
        cmocka_unit_test(cursor__whole_read__finishes),
        cmocka_unit_test(cursor__read_beyond_the_end__fails_for_good),
        cmocka_unit_test(integers__stored__load_back_little_endian),
        cmocka_unit_test(hex__encoded__decodes_back),
        cmocka_unit_test(hex__malformed__leaves_out_untouched),
        cmocka_unit_test(wipe__secret__leaves_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
