/* Pictures: the pixels of an independent decoder and resampler, and one clear line for the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/data/picture.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { SIDE = 8, VALUES_MAX = 3 * SIDE * SIDE, FILE_MAX = 4096 };

static const struct sotto_picture_form grey_form = {1, SIDE};
static const struct sotto_picture_form colour_form = {3, SIDE};

static struct sotto_view vector_read(uint8_t bytes[FILE_MAX], const char *name)
{
    char path[128];
    FILE *file;
    size_t length;

    snprintf(path, sizeof path, "tests/vectors/pictures/%s", name);
    file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("no %s: run the tests from the root of the tree", path);
    length = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return sotto_view_of(bytes, length);
}

/* A decoded vector is what Pillow made of it, up to `tolerance`. */
static void assert_decodes(const char *name, struct sotto_picture_form form, const char *expected,
                           int tolerance)
{
    uint8_t file[FILE_MAX];
    uint8_t golden[FILE_MAX];
    uint8_t out[VALUES_MAX];
    struct sotto_fault fault = {0};
    struct sotto_view wanted = vector_read(golden, expected);

    if (sotto_picture_decode(out, form, vector_read(file, name), name, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(wanted.length, form.channels * SIDE * SIDE);
    for (size_t i = 0; i < wanted.length; i++) {
        if (abs((int)out[i] - (int)wanted.at[i]) > tolerance)
            fail_msg("%s: value %zu is %u instead of %u", name, i, out[i], wanted.at[i]);
    }
}

static void assert_refused(struct sotto_view bytes, enum sotto_status expected, const char *words)
{
    uint8_t out[VALUES_MAX];
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_picture_decode(out, colour_form, bytes, "site/bag/3.png", &fault),
                     expected);
    if (strstr(fault.text, words) == NULL || strstr(fault.text, "site/bag/3.png") == NULL)
        fail_msg("\"%s\" does not name the file or say \"%s\"", fault.text, words);
}

static void picture__png__is_decoded_and_resampled_bit_for_bit(void **state)
{
    (void)state;
    assert_decodes("colour.png", colour_form, "colour.rgb", 0);
    assert_decodes("colour.png", grey_form, "colour.grey", 0);
    assert_decodes("grey.png", grey_form, "colour.grey", 0);
    assert_decodes("palette.png", colour_form, "palette.rgb", 0);
    assert_decodes("alpha.png", colour_form, "colour.rgb", 0);
}

static void picture__smaller_than_the_form__is_scaled_up(void **state)
{
    (void)state;
    assert_decodes("small.png", colour_form, "small.rgb", 0);
}

/* Decoders may round differently by one; the resampler spreads no more than that. */
static void picture__jpeg__is_decoded_and_resampled(void **state)
{
    (void)state;
    assert_decodes("colour.jpg", colour_form, "colour_jpg.rgb", 1);
    assert_decodes("grey.jpg", grey_form, "grey_jpg.grey", 1);
}

static void picture__16_bit_png__keeps_its_high_byte(void **state)
{
    uint8_t file[FILE_MAX];
    uint8_t out[SIDE * SIDE];

    (void)state;
    assert_int_equal(
        sotto_picture_decode(out, grey_form, vector_read(file, "deep.png"), "deep.png", NULL),
        SOTTO_OK);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 0x80);
}

static void picture__grey_file_for_a_colour_model__has_three_equal_planes(void **state)
{
    uint8_t file[FILE_MAX];
    uint8_t out[VALUES_MAX];

    (void)state;
    assert_int_equal(
        sotto_picture_decode(out, colour_form, vector_read(file, "grey.png"), "grey.png", NULL),
        SOTTO_OK);
    assert_memory_equal(out, out + SIDE * SIDE, SIDE * SIDE);
    assert_memory_equal(out, out + 2 * SIDE * SIDE, SIDE * SIDE);
}

/* The last four bytes of a PNG are the sum of an empty chunk: nobody misses them. */
static void picture__cut_anywhere__is_refused(void **state)
{
    static const char *const names[] = {"colour.png", "colour.jpg"};
    uint8_t file[FILE_MAX];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sotto_view whole = vector_read(file, names[i]);

        for (size_t length = 8; length + 4 < whole.length; length++)
            assert_refused(sotto_view_of(whole.at, length), SOTTO_MALFORMED, "replace or remove");
    }
}

static void picture__flipped_byte_in_a_png__is_refused(void **state)
{
    uint8_t file[FILE_MAX];
    struct sotto_view whole;

    (void)state;
    whole = vector_read(file, "colour.png");
    file[whole.length / 2] ^= 0x10;
    assert_refused(whole, SOTTO_MALFORMED, "damaged");
}

static void picture__no_picture__is_refused(void **state)
{
    (void)state;
    assert_refused(sotto_view_of("", 0), SOTTO_MALFORMED, "empty");
    assert_refused(sotto_view_text("Dear diary, this is no picture"), SOTTO_MALFORMED,
                   "no PNG or JPEG");
}

static void picture__cmyk_jpeg__is_unsupported(void **state)
{
    uint8_t file[FILE_MAX];

    (void)state;
    assert_refused(vector_read(file, "cmyk.jpg"), SOTTO_UNSUPPORTED, "CMYK");
}

/* IHDR alone: signature, length, type, 30000 x 30000 of 8-bit RGB, and the right sum. */
static void picture__header_of_900_megapixels__is_refused_before_memory_is_taken(void **state)
{
    static const uint8_t header[] = {
        0x89, 'P',  'N',  'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I',  'H',  'D',  'R', 0,
        0,    0x75, 0x30, 0,   0,    0x75, 0x30, 8,    2, 0, 0, 0,  0xe9, 0x45, 0x6f, 0xed};

    (void)state;
    assert_refused(sotto_view_of(header, sizeof header), SOTTO_OVER_LIMIT, "64 megapixels");
}

static void picture__written__is_read_again(void **state)
{
    uint8_t pixels[VALUES_MAX];
    uint8_t read[VALUES_MAX];
    struct folder folder;
    struct folder_path path;

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 31);
    folder_open(&folder);
    path = folder_path(&folder, "photo.png");
    assert_int_equal(sotto_picture_write(path.text, pixels, colour_form, NULL), SOTTO_OK);
    assert_int_equal(sotto_picture_read(read, colour_form, path.text, NULL), SOTTO_OK);
    assert_memory_equal(read, pixels, sizeof pixels);
    assert_int_equal(folder_count(&folder), 1);
    folder_close(&folder);
}

static void picture__no_such_file__is_named(void **state)
{
    uint8_t out[VALUES_MAX];
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(sotto_picture_read(out, colour_form, "no/such.png", &fault), SOTTO_NOT_FOUND);
    assert_non_null(strstr(fault.text, "no/such.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture__png__is_decoded_and_resampled_bit_for_bit),
        cmocka_unit_test(picture__smaller_than_the_form__is_scaled_up),
        cmocka_unit_test(picture__jpeg__is_decoded_and_resampled),
        cmocka_unit_test(picture__16_bit_png__keeps_its_high_byte),
        cmocka_unit_test(picture__grey_file_for_a_colour_model__has_three_equal_planes),
        cmocka_unit_test(picture__cut_anywhere__is_refused),
        cmocka_unit_test(picture__flipped_byte_in_a_png__is_refused),
        cmocka_unit_test(picture__no_picture__is_refused),
        cmocka_unit_test(picture__cmyk_jpeg__is_unsupported),
        cmocka_unit_test(picture__header_of_900_megapixels__is_refused_before_memory_is_taken),
        cmocka_unit_test(picture__written__is_read_again),
        cmocka_unit_test(picture__no_such_file__is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
