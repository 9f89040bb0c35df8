/* safetensors files: what is written is read again, and nothing contradictory is believed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/weights/safetensors.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { FILE_MAX = 4096 };

/* The bytes of a file with this header and `payload` zero bytes. */
struct bytes {
    uint8_t at[FILE_MAX];
    size_t length;
};

static struct bytes bytes_of(const char *header, size_t payload)
{
    struct bytes bytes = {.length = 8 + strlen(header) + payload};

    assert_true(bytes.length <= FILE_MAX);
    sotto_store_u64(bytes.at, strlen(header));
    memcpy(bytes.at + 8, header, strlen(header));
    return bytes;
}

static void assert_refused(const struct bytes *bytes, enum sotto_status expected, const char *words)
{
    struct sotto_safetensors file = {0};
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_safetensors_decode(&file, sotto_view_of(bytes->at, bytes->length),
                                              "m.safetensors", &fault),
                     expected);
    assert_non_null(strstr(fault.text, "m.safetensors"));
    assert_non_null(strstr(fault.text, words));
    assert_null(file.tensors);
}

static void assert_header_refused(const char *header, size_t payload, enum sotto_status expected,
                                  const char *words)
{
    struct bytes bytes = bytes_of(header, payload);

    assert_refused(&bytes, expected, words);
}

static void safetensors__written_tensors__are_read_again(void **state)
{
    const float matrix[6] = {0, -1, 2.5f, 1e-3f, 7, -8};
    const float vector[2] = {3, 4};
    const struct sotto_tensor_to_store stored[] = {
        {.name = "b", .values = matrix, .rank = 2, .shape = {2, 3}, .dtype = SOTTO_DTYPE_F32},
        {.name = "a", .values = vector, .rank = 1, .shape = {2}, .dtype = SOTTO_DTYPE_BF16},
    };
    struct sotto_safetensors file;
    struct folder folder;
    struct folder_path path;
    float read[6];

    (void)state;
    folder_open(&folder);
    path = folder_path(&folder, "m.safetensors");
    assert_int_equal(sotto_safetensors_write(path.text, stored, 2, "{\"format\": \"pt\"}", NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_safetensors_open(&file, path.text, NULL), SOTTO_OK);
    assert_int_equal(file.tensor_count, 2);
    assert_int_equal(sotto_stored_tensor_read(read, sotto_safetensors_find(&file, "b"),
                                              stored[0].shape, 2, NULL),
                     SOTTO_OK);
    assert_memory_equal(read, matrix, sizeof matrix);
    assert_int_equal(sotto_stored_tensor_read(read, sotto_safetensors_find(&file, "a"),
                                              stored[1].shape, 1, NULL),
                     SOTTO_OK);
    assert_memory_equal(read, vector, sizeof vector);
    assert_null(sotto_safetensors_find(&file, "c"));
    sotto_safetensors_close(&file);
    sotto_safetensors_close(&file);
    folder_close(&folder);
}

static void safetensors__header__is_what_the_format_describes(void **state)
{
    static const char expected[] =
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}  ";
    const float one = 1;
    const struct sotto_tensor_to_store stored = {
        .name = "a", .values = &one, .rank = 1, .shape = {1}, .dtype = SOTTO_DTYPE_F16};
    struct bytes bytes = bytes_of(expected, 2);
    struct folder folder;
    struct folder_path path;

    (void)state;
    assert_int_equal(strlen(expected) % 8, 0);
    memcpy(bytes.at + bytes.length - 2, "\x00\x3c", 2);
    folder_open(&folder);
    path = folder_path(&folder, "m.safetensors");
    assert_int_equal(sotto_safetensors_write(path.text, &stored, 1, NULL, NULL), SOTTO_OK);
    assert_true(folder_holds(&folder, "m.safetensors", sotto_view_of(bytes.at, bytes.length)));
    folder_close(&folder);
}

/* Integers lie in many a file, such as BERT's positions; the tensors beside them are read. */
static void safetensors__integers_beside_floats__are_passed_over(void **state)
{
    struct bytes bytes =
        bytes_of("{\"i\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                 "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}}",
                 20);
    struct sotto_safetensors file;
    const struct sotto_stored_tensor *integers;
    const uint64_t one = 1, two = 2;
    struct sotto_fault fault = {0};
    float read[2];

    (void)state;
    assert_int_equal(
        sotto_safetensors_decode(&file, sotto_view_of(bytes.at, bytes.length), "m", NULL),
        SOTTO_OK);
    assert_int_equal(
        sotto_stored_tensor_read(read, sotto_safetensors_find(&file, "a"), &one, 1, NULL),
        SOTTO_OK);
    integers = sotto_safetensors_find(&file, "i");
    assert_int_equal(sotto_stored_tensor_read(read, integers, &two, 1, &fault), SOTTO_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "tensor i is of a dtype"));
    sotto_safetensors_close(&file);
}

static void safetensors__cut_anywhere__is_refused(void **state)
{
    struct bytes bytes =
        bytes_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    size_t whole = bytes.length;

    (void)state;
    for (bytes.length = 0; bytes.length < whole; bytes.length++)
        assert_refused(&bytes, SOTTO_MALFORMED, "get the file anew");
}

static void safetensors__header_length_beyond_the_file__is_refused(void **state)
{
    struct bytes bytes = bytes_of("{}", 0);

    (void)state;
    sotto_store_u64(bytes.at, 3);
    assert_refused(&bytes, SOTTO_MALFORMED, "cut short");
    sotto_store_u64(bytes.at, (uint64_t)16 * 1024 * 1024 + 1);
    assert_refused(&bytes, SOTTO_MALFORMED, "not a safetensors file");
    sotto_store_u64(bytes.at, UINT64_MAX);
    assert_refused(&bytes, SOTTO_MALFORMED, "not a safetensors file");
}

static void safetensors__contradictory_entries__are_refused(void **state)
{
    (void)state;
    assert_header_refused("[]", 0, SOTTO_MALFORMED, "no JSON object");
    assert_header_refused("{\"a\":1}", 0, SOTTO_MALFORMED, "no object");
    assert_header_refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, SOTTO_MALFORMED,
                          "no dtype");
    assert_header_refused("{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8,
                          SOTTO_UNSUPPORTED, "C64");
    assert_header_refused("{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                          SOTTO_MALFORMED, "other than its shape");
    assert_header_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4,
                          SOTTO_MALFORMED, "shape");
    assert_header_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8,
                          SOTTO_MALFORMED, "other than its shape");
    assert_header_refused(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
        SOTTO_OVER_LIMIT, "5 dimensions");
    assert_header_refused("{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                          SOTTO_MALFORMED, "name");
    assert_header_refused("{\"a\\n\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                          SOTTO_MALFORMED, "name");
}

static void safetensors__product_of_shape_overflows__is_refused(void **state)
{
    (void)state;
    assert_header_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],"
                          "\"data_offsets\":[0,0]}}",
                          0, SOTTO_MALFORMED, "shape");
    assert_header_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],"
                          "\"data_offsets\":[0,0]}}",
                          0, SOTTO_MALFORMED, "other than its shape");
}

static void safetensors__ranges_that_do_not_cover_the_file__are_refused(void **state)
{
#define ENTRY(name, range)                                                                         \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" range "}"
    (void)state;
    assert_header_refused("{" ENTRY("a", "[4,8]") "}", 8, SOTTO_MALFORMED, "gap");
    assert_header_refused("{" ENTRY("a", "[0,4]") "}", 8, SOTTO_MALFORMED, "after the last");
    assert_header_refused("{" ENTRY("a", "[0,4]") "," ENTRY("b", "[0,4]") "}", 4, SOTTO_MALFORMED,
                          "overlaps");
    assert_header_refused("{" ENTRY("a", "[0,4]") "," ENTRY("b", "[8,12]") "}", 12, SOTTO_MALFORMED,
                          "gap");
    assert_header_refused("{" ENTRY("a", "[4,0]") "}", 4, SOTTO_MALFORMED, "outside");
    assert_header_refused("{" ENTRY("a", "[0,4]") "," ENTRY("a", "[4,8]") "}", 8, SOTTO_MALFORMED,
                          "unique names");
#undef ENTRY
}

static void safetensors__nan_or_infinity__is_refused_when_read(void **state)
{
    const float values[2] = {NAN, INFINITY};
    const uint64_t shape[1] = {1};
    struct bytes bytes =
        bytes_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sotto_safetensors file;
        struct sotto_fault fault = {0};
        float out[1];

        memcpy(bytes.at + bytes.length - 4, &values[i], 4);
        assert_int_equal(sotto_safetensors_decode(&file, sotto_view_of(bytes.at, bytes.length),
                                                  "m.safetensors", NULL),
                         SOTTO_OK);
        assert_int_equal(sotto_stored_tensor_read(out, &file.tensors[0], shape, 1, &fault),
                         SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, "tensor a"));
        sotto_safetensors_close(&file);
    }
}

static void safetensors__other_shape_than_expected__both_are_in_the_fault(void **state)
{
    const uint64_t shape[2] = {3, 1};
    struct bytes bytes =
        bytes_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[0,12]}}", 12);
    struct sotto_safetensors file;
    struct sotto_fault fault = {0};
    float out[3];

    (void)state;
    assert_int_equal(sotto_safetensors_decode(&file, sotto_view_of(bytes.at, bytes.length),
                                              "m.safetensors", NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_stored_tensor_read(out, &file.tensors[0], shape, 2, &fault),
                     SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "[1, 3]"));
    assert_non_null(strstr(fault.text, "[3, 1]"));
    sotto_safetensors_close(&file);
}

static void safetensors__absent_empty_or_no_file__names_the_path(void **state)
{
    struct folder folder;
    struct folder_path path;
    struct sotto_safetensors file;
    struct sotto_fault fault = {0};

    (void)state;
    folder_open(&folder);
    path = folder_path(&folder, "m.safetensors");
    assert_int_equal(sotto_safetensors_open(&file, path.text, &fault), SOTTO_NOT_FOUND);
    assert_non_null(strstr(fault.text, path.text));
    folder_write(&folder, "m.safetensors", sotto_view_of("", 0));
    assert_int_equal(sotto_safetensors_open(&file, path.text, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, path.text));
    assert_int_equal(sotto_safetensors_open(&file, folder.path, &fault), SOTTO_MALFORMED);
    folder_close(&folder);
}

/* With its zero a note fills the caller's memory and no more. */
static void safetensors__note__fits_or_is_refused(void **state)
{
    const float value = 1.0f;
    const struct sotto_tensor_to_store stored = {
        .name = "a", .values = &value, .rank = 1, .shape = {1}, .dtype = SOTTO_DTYPE_F32};
    struct sotto_safetensors file;
    struct folder folder;
    struct folder_path path;
    char note[6] = "before";

    (void)state;
    folder_open(&folder);
    path = folder_path(&folder, "m.safetensors");
    assert_int_equal(sotto_safetensors_write(path.text, &stored, 1,
                                             "{\"four\": \"1234\", \"five\": \"12345\"}", NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_safetensors_open(&file, path.text, NULL), SOTTO_OK);
    assert_int_equal(sotto_safetensors_note(note, 5, &file, "five"), SOTTO_MALFORMED);
    assert_int_equal(sotto_safetensors_note(note, 5, &file, "six"), SOTTO_NOT_FOUND);
    assert_memory_equal(note, "before", 6);
    assert_int_equal(sotto_safetensors_note(note, 5, &file, "four"), SOTTO_OK);
    assert_memory_equal(note, "1234\0e", 6);
    sotto_safetensors_close(&file);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors__written_tensors__are_read_again),
        cmocka_unit_test(safetensors__header__is_what_the_format_describes),
        cmocka_unit_test(safetensors__integers_beside_floats__are_passed_over),
        cmocka_unit_test(safetensors__cut_anywhere__is_refused),
        cmocka_unit_test(safetensors__header_length_beyond_the_file__is_refused),
        cmocka_unit_test(safetensors__contradictory_entries__are_refused),
        cmocka_unit_test(safetensors__product_of_shape_overflows__is_refused),
        cmocka_unit_test(safetensors__ranges_that_do_not_cover_the_file__are_refused),
        cmocka_unit_test(safetensors__nan_or_infinity__is_refused_when_read),
        cmocka_unit_test(safetensors__other_shape_than_expected__both_are_in_the_fault),
        cmocka_unit_test(safetensors__absent_empty_or_no_file__names_the_path),
        cmocka_unit_test(safetensors__note__fits_or_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
