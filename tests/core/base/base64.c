#include "core/base/base64.h"

#include <string.h>

#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

/* Source: RFC 4648, section 10, without the padding. */
static const struct {
    const char *bytes;
    const char *text;
} vectors[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"},
};

static void base64__vectors__encode_and_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[16];
        uint8_t bytes[16];
        struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
        struct sotto_view given = sotto_view_text(vectors[i].bytes);

        assert_int_equal(sotto_base64_encode(text, sizeof text, given), SOTTO_OK);
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(sotto_base64_decode(&out, text), SOTTO_OK);
        assert_true(sotto_view_equal(sotto_view_buffer(&out), given));
    }
}

static void base64__other_spelling__is_refused(void **state)
{
    const char *const wrong[] = {"Z",   "A",      "AAAAA", "Zg==", "Zm8=", "Zh",
                                 "Zm9", "Zm9v\n", " Zm9v", "Zm+v", "Zm9vY"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[16];
        struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

        assert_int_equal(sotto_base64_decode(&out, wrong[i]), SOTTO_MALFORMED);
        assert_int_equal(out.length, 0);
    }
}

static void base64__no_room__leaves_out_as_before(void **state)
{
    uint8_t bytes[2];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    char text[5] = "keep";

    (void)state;
    assert_int_equal(sotto_base64_decode(&out, "Zm9v"), SOTTO_OVER_LIMIT);
    assert_int_equal(out.length, 0);
    assert_int_equal(sotto_base64_encode(text, 4, sotto_view_text("foo")), SOTTO_OVER_LIMIT);
    assert_string_equal(text, "keep");
    assert_int_equal(sotto_base64_encode(text, 5, sotto_view_text("foo")), SOTTO_OK);
}

static void base64__any_bytes__come_back(void **state)
{
    struct sotto_entropy entropy;

    (void)state;
    seed_open(&entropy, __func__);
    for (size_t length = 0; length < 100; length++) {
        uint8_t given[100];
        uint8_t back[100];
        char text[140];
        struct sotto_buffer out = sotto_buffer_of(back, length);

        sotto_entropy_fill(&entropy, given, length);
        assert_int_equal(sotto_base64_encode(text, sizeof text, sotto_view_of(given, length)),
                         SOTTO_OK);
        assert_int_equal(sotto_base64_decode(&out, text), SOTTO_OK);
        assert_true(sotto_view_equal(sotto_view_buffer(&out), sotto_view_of(given, length)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64__vectors__encode_and_decode),
        cmocka_unit_test(base64__other_spelling__is_refused),
        cmocka_unit_test(base64__no_room__leaves_out_as_before),
        cmocka_unit_test(base64__any_bytes__come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
