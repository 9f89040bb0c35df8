#include "coordinator/program/capacity.h"

#include <string.h>
#include <sys/resource.h>

#include "coordinator/program/settings.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

static void capacity__nothing_set__is_what_open_files_allow(void **state)
{
    struct sotto_capacity capacity;

    (void)state;
    sotto_capacity_plan(&capacity, 0, 0, 3, 524288);
    assert_int_equal(capacity.connections, SOTTO_CONNECTIONS_DEFAULT);
    assert_int_equal(capacity.connections_per_address, SOTTO_CONNECTIONS_PER_ADDRESS_DEFAULT);
    assert_false(capacity.is_short);
    sotto_capacity_plan(&capacity, 0, 0, 3, 1024);
    assert_int_equal(capacity.connections, 480);
    assert_false(capacity.is_short);
}

static void capacity__fewer_than_two_a_site__is_short(void **state)
{
    struct sotto_capacity capacity;

    (void)state;
    sotto_capacity_plan(&capacity, 0, 0, 232, 1024);
    assert_false(capacity.is_short);
    sotto_capacity_plan(&capacity, 0, 0, 233, 1024);
    assert_true(capacity.is_short);
    assert_int_equal(capacity.connections, 480);
    assert_int_equal(capacity.connections_wanted, 482);
}

static void capacity__more_asked_for_than_open_files__is_short(void **state)
{
    struct sotto_capacity capacity;

    (void)state;
    sotto_capacity_plan(&capacity, 480, 16, 0, 1024);
    assert_int_equal(capacity.connections, 480);
    assert_int_equal(capacity.connections_per_address, 16);
    assert_false(capacity.is_short);
    sotto_capacity_plan(&capacity, 481, 16, 0, 1024);
    assert_int_equal(capacity.connections, 480);
    assert_true(capacity.is_short);
    sotto_capacity_plan(&capacity, 0, 0, 0, 10);
    assert_int_equal(capacity.connections, SOTTO_CONNECTIONS_MIN);
}

static void capacity__raised__is_the_hard_limit(void **state)
{
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(sotto_capacity_raise(), limit.rlim_max);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

static void settings__connections_out_of_range__are_refused(void **state)
{
    static const uint32_t values[] = {1, SOTTO_CONNECTIONS_MIN - 1, SOTTO_CONNECTIONS_MAX + 1};
    char address[] = "127.0.0.1", url[] = "https://127.0.0.1:7443";
    struct sotto_settings settings = {.address = address, .port = 7443, .url = url}, *read;
    struct sotto_fault fault;
    struct folder folder;

    (void)state;
    folder_open(&folder);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        settings.connections = values[i];
        assert_int_equal(sotto_settings_create(folder.path, &settings, NULL), SOTTO_OK);
        assert_int_equal(sotto_settings_open(&read, folder.path, &fault), SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, "connections has to be 0 or from 16 to 65535"));
        settings.connections = 0;
        settings.connections_per_address = values[i];
        assert_int_equal(sotto_settings_create(folder.path, &settings, NULL), SOTTO_OK);
        assert_int_equal(sotto_settings_open(&read, folder.path, &fault), SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, "connections_per_address has to be"));
        settings.connections_per_address = SOTTO_CONNECTIONS_MAX;
    }
    assert_int_equal(sotto_settings_create(folder.path, &settings, NULL), SOTTO_OK);
    assert_int_equal(sotto_settings_open(&read, folder.path, &fault), SOTTO_OK);
    assert_int_equal(read->connections_per_address, SOTTO_CONNECTIONS_MAX);
    sotto_settings_close(read);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity__nothing_set__is_what_open_files_allow),
        cmocka_unit_test(capacity__fewer_than_two_a_site__is_short),
        cmocka_unit_test(capacity__more_asked_for_than_open_files__is_short),
        cmocka_unit_test(capacity__raised__is_the_hard_limit),
        cmocka_unit_test(settings__connections_out_of_range__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
