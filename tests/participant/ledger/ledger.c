#include "participant/ledger/ledger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "participant/ledger/record.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { RECORDS = 5 };

/* A file with five records, and where each frame ends. */
struct book {
    struct folder folder;
    int file;
    size_t ends[RECORDS + 1];
};

struct tally {
    uint32_t count;
    uint32_t last;
};

static enum sotto_status tally_record(void *context, struct sotto_view bytes)
{
    struct tally *tally = context;
    struct sotto_record record;
    enum sotto_status status = sotto_record_decode(&record, bytes);

    tally->count++;
    tally->last = record.round;
    return status;
}

static enum sotto_status book_read(const struct book *book, struct tally *tally,
                                   struct sotto_ledger *ledger, struct sotto_fault *fault)
{
    struct sotto_ledger_visitor visitor = {.record = tally_record, .context = tally};

    *tally = (struct tally){0};
    return sotto_ledger_open(ledger, book->file, &visitor, fault);
}

static void record_append(struct sotto_ledger *ledger, uint32_t round)
{
    struct sotto_record record = {.kind = SOTTO_RECORD_JOINED, .campaign = "wards", .round = round};
    uint8_t bytes[SOTTO_RECORD_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_record_encode(&buffer, &record), SOTTO_OK);
    assert_int_equal(sotto_ledger_append(ledger, sotto_view_buffer(&buffer)), SOTTO_OK);
}

static int book_setup(void **state)
{
    struct book *book = calloc(1, sizeof *book);
    struct sotto_ledger ledger;
    struct tally tally;

    assert_non_null(book);
    folder_open(&book->folder);
    book->file = open(folder_path(&book->folder, "ledger").text,
                      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert_true(book->file >= 0);
    assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_OK);
    for (uint32_t round = 1; round <= RECORDS; round++) {
        record_append(&ledger, round);
        book->ends[round] = (size_t)lseek(book->file, 0, SEEK_END);
    }
    *state = book;
    return 0;
}

static int book_teardown(void **state)
{
    struct book *book = *state;

    close(book->file);
    folder_close(&book->folder);
    free(book);
    return 0;
}

static void book_flip(const struct book *book, size_t offset)
{
    struct folder_path path = folder_path(&book->folder, "ledger");
    int file = open(path.text, O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;

    assert_int_equal(pread(file, &byte, 1, (off_t)offset), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, (off_t)offset), 1);
    close(file);
}

static void ledger__whole__tells_every_record(void **state)
{
    struct sotto_ledger ledger;
    struct tally tally;

    assert_int_equal(book_read(*state, &tally, &ledger, NULL), SOTTO_OK);
    assert_int_equal(tally.count, RECORDS);
    assert_int_equal(tally.last, RECORDS);
}

static void ledger__cut_anywhere__drops_only_the_torn_record(void **state)
{
    const struct book *book = *state;
    struct sotto_ledger ledger;
    struct tally tally;

    for (size_t length = book->ends[RECORDS]; length-- > book->ends[RECORDS - 1];) {
        assert_int_equal(ftruncate(book->file, (off_t)length), 0);
        assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_OK);
        assert_int_equal(tally.count, RECORDS - 1);
        assert_int_equal(lseek(book->file, 0, SEEK_END), book->ends[RECORDS - 1]);
        record_append(&ledger, RECORDS);
    }
    assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_OK);
    assert_int_equal(tally.count, RECORDS);
}

static void ledger__zeros_at_the_end__are_a_torn_record(void **state)
{
    const struct book *book = *state;
    struct sotto_ledger ledger;
    struct tally tally;

    assert_int_equal(ftruncate(book->file, (off_t)book->ends[RECORDS] + 4096), 0);
    assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_OK);
    assert_int_equal(tally.count, RECORDS);
}

/* Only the first of two pages came: also where that is in the midst of a frame's head. */
static void ledger__zeros_from_anywhere_in_the_last_record__are_a_torn_record(void **state)
{
    const struct book *book = *state;
    struct sotto_ledger ledger;
    struct tally tally;

    for (size_t length = book->ends[RECORDS]; length-- > book->ends[RECORDS - 1];) {
        assert_int_equal(ftruncate(book->file, (off_t)length), 0);
        assert_int_equal(ftruncate(book->file, (off_t)book->ends[RECORDS]), 0);
        assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_OK);
        assert_int_equal(tally.count, RECORDS - 1);
        record_append(&ledger, RECORDS);
    }
}

static void ledger__any_byte_flipped_before_the_last_record__is_refused(void **state)
{
    const struct book *book = *state;
    struct sotto_ledger ledger;
    struct sotto_fault fault = {0};
    struct tally tally;

    for (size_t offset = 0; offset < book->ends[RECORDS - 1]; offset++) {
        book_flip(book, offset);
        assert_int_equal(book_read(book, &tally, &ledger, &fault), SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, "damaged at byte"));
        book_flip(book, offset);
    }
    assert_int_equal(lseek(book->file, 0, SEEK_END), book->ends[RECORDS]);
}

static void ledger__record_taken_out__is_refused(void **state)
{
    const struct book *book = *state;
    struct sotto_ledger ledger;
    struct tally tally;
    uint8_t *bytes = NULL;
    size_t length = 0;

    assert_int_equal(
        sotto_file_read(&bytes, &length, folder_path(&book->folder, "ledger").text, 1 << 20, NULL),
        SOTTO_OK);
    assert_int_equal(ftruncate(book->file, (off_t)book->ends[1]), 0);
    assert_int_equal(sotto_descriptor_write(
                         book->file, sotto_view_of(bytes + book->ends[2], length - book->ends[2])),
                     SOTTO_OK);
    free(bytes);
    assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_MALFORMED);
}

/* Whole and genuine, but with a field less than this version's records. */
static void ledger__record_of_another_version__says_so(void **state)
{
    static const uint8_t record[] = {0x98, 1, 0xa1, 'w', 1, 0xc4, 0, 0xc4, 0, 0, 0x90, 0xc4, 0};
    const struct book *book = *state;
    struct sotto_ledger ledger;
    struct sotto_fault fault = {0};
    struct tally tally;

    assert_int_equal(book_read(book, &tally, &ledger, NULL), SOTTO_OK);
    assert_int_equal(sotto_ledger_append(&ledger, sotto_view_of(record, sizeof record)), SOTTO_OK);
    assert_int_equal(book_read(book, &tally, &ledger, &fault), SOTTO_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "a record of another version at byte"));
}

static void ledger__full_disk__says_so(void **state)
{
    struct sotto_ledger ledger = {.descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)};

    (void)state;
    assert_int_equal(sotto_ledger_append(&ledger, sotto_view_text("record")), SOTTO_IO);
    close(ledger.descriptor);
}

int main(void)
{
#define LEDGER_TEST(test) cmocka_unit_test_setup_teardown(test, book_setup, book_teardown)
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(ledger__whole__tells_every_record),
        LEDGER_TEST(ledger__cut_anywhere__drops_only_the_torn_record),
        LEDGER_TEST(ledger__zeros_at_the_end__are_a_torn_record),
        LEDGER_TEST(ledger__zeros_from_anywhere_in_the_last_record__are_a_torn_record),
        LEDGER_TEST(ledger__any_byte_flipped_before_the_last_record__is_refused),
        LEDGER_TEST(ledger__record_taken_out__is_refused),
        LEDGER_TEST(ledger__record_of_another_version__says_so),
        cmocka_unit_test(ledger__full_disk__says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
