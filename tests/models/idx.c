/* IDX files: plain and gzip, slices, and every way in which header and content can disagree. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "models/data/idx.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { COUNT = 5, ROWS = 2, COLUMNS = 3, HEADER = 16, LENGTH = HEADER + COUNT * ROWS * COLUMNS };

/* Five pictures whose bytes count up, in a temporary folder as "f". */
struct fixture {
    struct folder folder;
    struct folder_path path;
    uint8_t bytes[LENGTH + 1];
};

static void fixture_open(struct fixture *fixture)
{
    static const uint8_t header[HEADER] = {0, 0, 8, 3,    0, 0, 0, COUNT,
                                           0, 0, 0, ROWS, 0, 0, 0, COLUMNS};

    memcpy(fixture->bytes, header, HEADER);
    for (size_t i = 0; i <= LENGTH - HEADER; i++)
        fixture->bytes[HEADER + i] = (uint8_t)i;
    folder_open(&fixture->folder);
    fixture->path = folder_path(&fixture->folder, "f");
}

static void fixture_write(const struct fixture *fixture, size_t length)
{
    folder_write(&fixture->folder, "f", sotto_view_of(fixture->bytes, length));
}

static enum sotto_status open_range(struct sotto_idx *idx, const struct fixture *fixture,
                                    size_t first, size_t count)
{
    return sotto_idx_open(idx, fixture->path.text, SOTTO_IDX_PICTURES,
                          (struct sotto_idx_range){first, count}, NULL);
}

static void assert_refused(const struct fixture *fixture, struct sotto_idx_range range,
                           enum sotto_status expected, const char *words)
{
    struct sotto_idx idx;
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_idx_open(&idx, fixture->path.text, SOTTO_IDX_PICTURES, range, &fault),
                     expected);
    if (strstr(fault.text, words) == NULL || strstr(fault.text, fixture->path.text) == NULL)
        fail_msg("\"%s\" does not name the file or say \"%s\"", fault.text, words);
    assert_null(idx.items);
}

static const struct sotto_idx_range all = {0, 0};

static void idx__slice__holds_just_its_items(void **state)
{
    struct fixture fixture;
    struct sotto_idx idx;

    (void)state;
    fixture_open(&fixture);
    fixture_write(&fixture, LENGTH);
    assert_int_equal(open_range(&idx, &fixture, 1, 2), SOTTO_OK);
    assert_int_equal(idx.file_count, COUNT);
    assert_int_equal(idx.count, 2);
    assert_int_equal(idx.rows, ROWS);
    assert_int_equal(idx.columns, COLUMNS);
    assert_memory_equal(idx.items, fixture.bytes + HEADER + ROWS * COLUMNS, 2 * ROWS * COLUMNS);
    sotto_idx_close(&idx);
    assert_int_equal(open_range(&idx, &fixture, 2, 0), SOTTO_OK);
    assert_int_equal(idx.count, 3);
    sotto_idx_close(&idx);
    folder_close(&fixture.folder);
}

static void idx__gzip__reads_as_plain(void **state)
{
    struct fixture fixture;
    struct sotto_idx idx;
    gzFile stream;

    (void)state;
    fixture_open(&fixture);
    stream = gzopen(fixture.path.text, "wb");
    assert_int_equal(gzwrite(stream, fixture.bytes, LENGTH), LENGTH);
    assert_int_equal(gzclose(stream), Z_OK);
    assert_int_equal(open_range(&idx, &fixture, 0, 0), SOTTO_OK);
    assert_memory_equal(idx.items, fixture.bytes + HEADER, LENGTH - HEADER);
    sotto_idx_close(&idx);
    folder_close(&fixture.folder);
}

static void idx__cut_anywhere__is_refused(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    for (size_t length = 0; length < LENGTH; length++) {
        fixture_write(&fixture, length);
        assert_refused(&fixture, all, SOTTO_MALFORMED, "cut short");
        assert_refused(&fixture, (struct sotto_idx_range){0, 1}, SOTTO_MALFORMED, "cut short");
    }
    folder_close(&fixture.folder);
}

static void idx__damaged_gzip__is_refused(void **state)
{
    struct fixture fixture;
    uint8_t packed[256];
    size_t length;
    gzFile stream;
    FILE *file;

    (void)state;
    fixture_open(&fixture);
    stream = gzopen(fixture.path.text, "wb");
    assert_int_equal(gzwrite(stream, fixture.bytes, LENGTH), LENGTH);
    assert_int_equal(gzclose(stream), Z_OK);
    file = fopen(fixture.path.text, "rb");
    length = fread(packed, 1, sizeof packed, file);
    fclose(file);
    packed[length - 6] ^= 1;
    folder_write(&fixture.folder, "f", sotto_view_of(packed, length));
    assert_refused(&fixture, all, SOTTO_MALFORMED, "damaged");
    folder_close(&fixture.folder);
}

static void idx__longer_than_its_header_says__is_refused(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    fixture_write(&fixture, LENGTH + 1);
    assert_refused(&fixture, all, SOTTO_MALFORMED, "longer than its header");
    folder_close(&fixture.folder);
}

static void idx__header_of_something_else__is_refused(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    for (size_t i = 0; i < 4; i++) {
        fixture.bytes[i] ^= 4;
        fixture_write(&fixture, LENGTH);
        assert_refused(&fixture, all, SOTTO_MALFORMED, "no IDX file of pictures");
        fixture.bytes[i] ^= 4;
    }
    folder_close(&fixture.folder);
}

static void idx__header_that_claims_too_much__is_refused_before_memory_is_taken(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    fixture.bytes[4] = 0xff;
    fixture_write(&fixture, LENGTH);
    assert_refused(&fixture, all, SOTTO_OVER_LIMIT, "claims");
    fixture.bytes[4] = 0;
    fixture.bytes[5] = 0x0f;
    fixture.bytes[10] = 0x0f;
    fixture.bytes[14] = 0x0f;
    fixture_write(&fixture, LENGTH);
    assert_refused(&fixture, all, SOTTO_OVER_LIMIT, "4 GiB");
    fixture.bytes[11] = fixture.bytes[10] = 0;
    fixture_write(&fixture, LENGTH);
    assert_refused(&fixture, all, SOTTO_MALFORMED, "claims pictures of");
    folder_close(&fixture.folder);
}

static void idx__range_beyond_the_file__is_a_mismatch(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    fixture_write(&fixture, LENGTH);
    assert_refused(&fixture, (struct sotto_idx_range){COUNT, 0}, SOTTO_MISMATCH, "has 5 items");
    assert_refused(&fixture, (struct sotto_idx_range){4, 2}, SOTTO_MISMATCH, "has 5 items");
    assert_refused(&fixture, (struct sotto_idx_range){1, SIZE_MAX}, SOTTO_MISMATCH, "has 5 items");
    folder_close(&fixture.folder);
}

static void idx__absent_or_no_file__is_named(void **state)
{
    struct fixture fixture;
    struct sotto_idx idx;
    struct sotto_fault fault = {0};

    (void)state;
    fixture_open(&fixture);
    assert_refused(&fixture, all, SOTTO_NOT_FOUND, "cannot open");
    assert_int_equal(sotto_idx_open(&idx, fixture.folder.path, SOTTO_IDX_PICTURES, all, &fault),
                     SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "no plain file"));
    folder_close(&fixture.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx__slice__holds_just_its_items),
        cmocka_unit_test(idx__gzip__reads_as_plain),
        cmocka_unit_test(idx__cut_anywhere__is_refused),
        cmocka_unit_test(idx__damaged_gzip__is_refused),
        cmocka_unit_test(idx__longer_than_its_header_says__is_refused),
        cmocka_unit_test(idx__header_of_something_else__is_refused),
        cmocka_unit_test(idx__header_that_claims_too_much__is_refused_before_memory_is_taken),
        cmocka_unit_test(idx__range_beyond_the_file__is_a_mismatch),
        cmocka_unit_test(idx__absent_or_no_file__is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
