#include "core/base/status.h"

#include <string.h>

#include "tests/support/cmocka.h"

static void status__every_value__has_its_own_name(void **state)
{
    (void)state;
    for (int one = SOTTO_OK; one <= SOTTO_IO; one++) {
        const char *name = sotto_status_name((enum sotto_status)one);

        assert_string_not_equal(name, "unknown");
        for (int other = SOTTO_OK; other < one; other++)
            assert_string_not_equal(name, sotto_status_name((enum sotto_status)other));
    }
}

static void status__exit_code__is_of_the_documented_range(void **state)
{
    (void)state;
    assert_int_equal(sotto_status_exit_code(SOTTO_OK), 0);
    for (int status = SOTTO_MALFORMED; status <= SOTTO_IO; status++)
        assert_in_range(sotto_status_exit_code((enum sotto_status)status), 64, 78);
    assert_int_equal(sotto_status_exit_code((enum sotto_status)99), 1);
}

static void fault__set__holds_status_and_text(void **state)
{
    struct sotto_fault fault;

    (void)state;
    assert_int_equal(sotto_fault_set(&fault, SOTTO_BUSY, "port %d is %s", 8443, "taken"),
                     SOTTO_BUSY);
    assert_int_equal(fault.status, SOTTO_BUSY);
    assert_string_equal(fault.text, "port 8443 is taken");
}

static void fault__text_too_long__is_cut(void **state)
{
    char text[2 * SOTTO_FAULT_TEXT_MAX];
    struct sotto_fault fault;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)sotto_fault_set(&fault, SOTTO_IO, "%s", text);
    assert_int_equal(strlen(fault.text), SOTTO_FAULT_TEXT_MAX - 1);
}

static void fault__none_wanted__status_is_returned(void **state)
{
    (void)state;
    assert_int_equal(sotto_fault_set(NULL, SOTTO_IO, "nobody listens"), SOTTO_IO);
}

/* The name of a file may hold what moves a cursor, colours a terminal or begins a line. */
static void line__control_characters_and_no_utf8__are_shown_as_numbers(void **state)
{
    char line[64];

    (void)state;
    sotto_line_show(line, sizeof line, "a\x1b[2J\nb\x7f\xc2\x9b\xff caf\xc3\xa9");
    assert_string_equal(line, "a\\x1b[2J\\x0ab\\x7f\\xc2\\x9b\\xff caf\xc3\xa9");
}

static void line__no_room__ends_between_characters(void **state)
{
    char line[8];

    (void)state;
    sotto_line_show(line, sizeof line, "abcde\xc3\xa9");
    assert_string_equal(line, "abcde\xc3\xa9");
    sotto_line_show(line, sizeof line, "abcdef\xc3\xa9");
    assert_string_equal(line, "abcdef");
    sotto_line_show(line, sizeof line, "abcd\x1b");
    assert_string_equal(line, "abcd");
}

static void fault__name_with_control_characters__is_one_plain_line(void **state)
{
    struct sotto_fault fault;

    (void)state;
    (void)sotto_fault_set(&fault, SOTTO_NOT_FOUND, "cannot open %s", "a\x1b]0;b\x07\n.png");
    assert_string_equal(fault.text, "cannot open a\\x1b]0;b\\x07\\x0a.png");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__every_value__has_its_own_name),
        cmocka_unit_test(status__exit_code__is_of_the_documented_range),
        cmocka_unit_test(fault__set__holds_status_and_text),
        cmocka_unit_test(fault__text_too_long__is_cut),
        cmocka_unit_test(fault__none_wanted__status_is_returned),
        cmocka_unit_test(line__control_characters_and_no_utf8__are_shown_as_numbers),
        cmocka_unit_test(line__no_room__ends_between_characters),
        cmocka_unit_test(fault__name_with_control_characters__is_one_plain_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
