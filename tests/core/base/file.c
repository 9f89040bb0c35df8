#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

static int open_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);

    assert_non_null(folder);
    folder_open(folder);
    *state = folder;
    return 0;
}

static int close_folder(void **state)
{
    folder_close(*state);
    free(*state);
    return 0;
}

static void file_read__whole__has_a_zero_after_it(void **state)
{
    struct sotto_fault fault;
    uint8_t *bytes;
    size_t length;

    folder_write(*state, "a", sotto_view_text("text"));
    assert_int_equal(sotto_file_read(&bytes, &length, folder_path(*state, "a").text, 4, &fault),
                     SOTTO_OK);
    assert_int_equal(length, 4);
    assert_string_equal((const char *)bytes, "text");
    free(bytes);
}

static void file_read__what_cannot_be_read__is_named(void **state)
{
    const struct {
        const char *name;
        enum sotto_status status;
    } cases[] = {{"absent", SOTTO_NOT_FOUND},
                 {"long", SOTTO_OVER_LIMIT},
                 {"folder", SOTTO_IO},
                 {"pipe", SOTTO_IO},
                 {"long/x", SOTTO_NOT_FOUND}};

    folder_write(*state, "long", sotto_view_text("12345"));
    assert_int_equal(mkdir(folder_path(*state, "folder").text, 0700), 0);
    assert_int_equal(mkfifo(folder_path(*state, "pipe").text, 0600), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct folder_path path = folder_path(*state, cases[i].name);
        struct sotto_fault fault = {0};
        uint8_t *bytes;
        size_t length;

        assert_int_equal(sotto_file_read(&bytes, &length, path.text, 4, &fault), cases[i].status);
        assert_null(bytes);
        assert_int_equal(fault.status, cases[i].status);
        assert_non_null(strstr(fault.text, path.text));
    }
}

static void file_replace__old_file__is_replaced_with_its_mode(void **state)
{
    struct folder_path path = folder_path(*state, "key");
    struct sotto_fault fault;
    struct stat stat_of_path;

    folder_write(*state, "key", sotto_view_text("a longer old text"));
    folder_write(*state, "key.tmp", sotto_view_text("left by a crash"));
    assert_int_equal(sotto_file_replace(path.text, sotto_view_text("new"), 0600, &fault), SOTTO_OK);
    assert_true(folder_holds(*state, "key", sotto_view_text("new")));
    assert_int_equal(stat(path.text, &stat_of_path), 0);
    assert_int_equal(stat_of_path.st_mode & 0777, 0600);
    assert_int_equal(folder_count(*state), 1);
}

/*
 * Files may grow to `bytes` from here on, until the same is called with the limit that it returns.
 */
static rlim_t limit_files(rlim_t bytes)
{
    struct rlimit limit;
    rlim_t before;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

static void file_replace__no_space__leaves_the_old_file(void **state)
{
    struct folder_path path = folder_path(*state, "key");
    struct sotto_fault fault = {0};
    enum sotto_status status;
    rlim_t before;

    folder_write(*state, "key", sotto_view_text("old"));
    signal(SIGXFSZ, SIG_IGN);
    before = limit_files(2);
    status = sotto_file_replace(path.text, sotto_view_text("newer"), 0600, &fault);
    (void)limit_files(before);
    assert_int_equal(status, SOTTO_IO);
    assert_non_null(strstr(fault.text, "free some space"));
    assert_true(folder_holds(*state, "key", sotto_view_text("old")));
    assert_int_equal(folder_count(*state), 1);
}

static void file_replace__folder_in_its_place__leaves_no_temporary(void **state)
{
    struct folder_path path = folder_path(*state, "key");
    struct sotto_fault fault = {0};

    assert_int_equal(mkdir(path.text, 0700), 0);
    assert_int_equal(sotto_file_replace(path.text, sotto_view_text("new"), 0600, &fault), SOTTO_IO);
    assert_non_null(strstr(fault.text, path.text));
    assert_int_equal(folder_count(*state), 1);
}

static void file_replace__absent_folder__is_not_found(void **state)
{
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_file_replace(folder_path(*state, "none/key").text,
                                        sotto_view_text("new"), 0600, &fault),
                     SOTTO_NOT_FOUND);
    assert_non_null(strstr(fault.text, "none/key"));
}

static void descriptor_write__full_disk__is_io(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_true(full >= 0);
    assert_int_equal(sotto_descriptor_write(full, sotto_view_text("x")), SOTTO_IO);
    close(full);
}

static void folder_make__nested__is_private(void **state)
{
    struct folder_path path = folder_path(*state, "a/b//c/");
    struct sotto_fault fault;
    struct stat stat_of_path;

    assert_int_equal(sotto_folder_make(path.text, &fault), SOTTO_OK);
    assert_int_equal(sotto_folder_make(path.text, &fault), SOTTO_OK);
    assert_int_equal(stat(folder_path(*state, "a/b").text, &stat_of_path), 0);
    assert_int_equal(stat_of_path.st_mode & 0777, 0700);
}

static void folder_make__file_in_its_place__is_named(void **state)
{
    struct sotto_fault fault = {0};

    folder_write(*state, "a", sotto_view_text("file"));
    assert_int_not_equal(sotto_folder_make(folder_path(*state, "a").text, &fault), SOTTO_OK);
    assert_non_null(strstr(fault.text, folder_path(*state, "a").text));
    assert_int_not_equal(sotto_folder_make(folder_path(*state, "a/b").text, &fault), SOTTO_OK);
    assert_int_equal(sotto_folder_make("", &fault), SOTTO_OVER_LIMIT);
}

static void folder_lock__held__names_the_holder(void **state)
{
    const char *path = ((struct folder *)*state)->path;
    struct sotto_fault fault = {0};
    char holder[64];
    int first;
    int second;

    assert_int_equal(sotto_folder_lock(&first, path, &fault), SOTTO_OK);
    assert_int_equal(sotto_folder_lock(&second, path, &fault), SOTTO_BUSY);
    assert_int_equal(second, -1);
    snprintf(holder, sizeof holder, "process %ld;", (long)getpid());
    assert_non_null(strstr(fault.text, holder));
    assert_non_null(strstr(fault.text, path));
    close(first);
    assert_int_equal(sotto_folder_lock(&second, path, &fault), SOTTO_OK);
    close(second);
}

static void path_join__too_long__is_empty(void **state)
{
    char path[8];

    (void)state;
    assert_int_equal(sotto_path_join(path, sizeof path, "abc", "def"), SOTTO_OK);
    assert_string_equal(path, "abc/def");
    assert_int_equal(sotto_path_join(path, sizeof path, "abc/", "def"), SOTTO_OK);
    assert_string_equal(path, "abc/def");
    assert_int_equal(sotto_path_join(path, sizeof path, "abc", "defg"), SOTTO_OVER_LIMIT);
    assert_string_equal(path, "");
}

static void sealed__opened__reads_back_and_refuses_change(void **state)
{
    struct sotto_view mapped;
    int sealed;

    (void)state;
    assert_int_equal(sotto_sealed_open(&sealed, sotto_view_text("lanes")), SOTTO_OK);
    assert_int_equal(lseek(sealed, 0, SEEK_CUR), 0);
    assert_int_equal(write(sealed, "x", 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(sealed, 1), -1);
    assert_int_equal(ftruncate(sealed, 100), -1);
    assert_true(mmap(NULL, 5, PROT_READ | PROT_WRITE, MAP_SHARED, sealed, 0) == MAP_FAILED);
    assert_int_equal(sotto_sealed_map(&mapped, sealed, 5), SOTTO_OK);
    assert_true(sotto_view_equal(mapped, sotto_view_text("lanes")));
    sotto_sealed_unmap(mapped);
    close(sealed);
}

static void sealed__empty_or_too_long__is_told(void **state)
{
    struct sotto_view mapped = {0};
    int sealed;

    (void)state;
    assert_int_equal(sotto_sealed_open(&sealed, sotto_view_text("lanes")), SOTTO_OK);
    assert_int_equal(sotto_sealed_map(&mapped, sealed, 4), SOTTO_OVER_LIMIT);
    close(sealed);
    assert_int_equal(sotto_sealed_open(&sealed, sotto_view_text("")), SOTTO_OK);
    assert_int_equal(sotto_sealed_map(&mapped, sealed, 4), SOTTO_OK);
    assert_int_equal(mapped.length, 0);
    sotto_sealed_unmap(mapped);
    close(sealed);
}

static void sealed__a_seal_missing__is_forged(void **state)
{
    struct sotto_view mapped;
    int bare = memfd_create("bare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int ends[2];
    int file;

    folder_write(*state, "file", sotto_view_text("lanes"));
    file = open(folder_path(*state, "file").text, O_RDWR | O_CLOEXEC);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(bare, "lanes", 5), 5);
    assert_int_equal(sotto_sealed_map(&mapped, bare, 5), SOTTO_FORGED);
    assert_int_equal(fcntl(bare, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_int_equal(sotto_sealed_map(&mapped, bare, 5), SOTTO_FORGED);
    assert_int_equal(sotto_sealed_map(&mapped, file, 5), SOTTO_FORGED);
    assert_int_equal(sotto_sealed_map(&mapped, ends[0], 5), SOTTO_FORGED);
    assert_int_equal(sotto_sealed_map(&mapped, -1, 5), SOTTO_FORGED);
    close(bare);
    close(file);
    close(ends[0]);
    close(ends[1]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_folder, close_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(file_read__whole__has_a_zero_after_it),
        IN_FOLDER(file_read__what_cannot_be_read__is_named),
        IN_FOLDER(file_replace__old_file__is_replaced_with_its_mode),
        IN_FOLDER(file_replace__no_space__leaves_the_old_file),
        IN_FOLDER(file_replace__folder_in_its_place__leaves_no_temporary),
        IN_FOLDER(file_replace__absent_folder__is_not_found),
        cmocka_unit_test(descriptor_write__full_disk__is_io),
        IN_FOLDER(folder_make__nested__is_private),
        IN_FOLDER(folder_make__file_in_its_place__is_named),
        IN_FOLDER(folder_lock__held__names_the_holder),
        cmocka_unit_test(path_join__too_long__is_empty),
        cmocka_unit_test(sealed__opened__reads_back_and_refuses_change),
        cmocka_unit_test(sealed__empty_or_too_long__is_told),
        IN_FOLDER(sealed__a_seal_missing__is_forged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
