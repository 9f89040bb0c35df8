#include "core/base/log.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka.h"

/* A log into memory. */
struct captured {
    char *text;
    size_t length;
    struct sotto_log log;
};

static void captured_open(struct captured *captured)
{
    FILE *stream = open_memstream(&captured->text, &captured->length);

    assert_non_null(stream);
    sotto_log_init(&captured->log, stream, "sotto-test");
}

static void captured_close(struct captured *captured)
{
    fclose(captured->log.stream);
    free(captured->text);
}

static void log__line__has_time_level_program_and_text(void **state)
{
    struct captured captured;
    regex_t pattern;

    (void)state;
    captured_open(&captured);
    sotto_log_write(&captured.log, SOTTO_LOG_WARNING, "round %d is late", 3);
    assert_int_equal(regcomp(&pattern,
                             "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
                             "warning sotto-test: round 3 is late\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regexec(&pattern, captured.text, 0, NULL, 0), 0);
    regfree(&pattern);
    captured_close(&captured);
}

static void log__control_characters__cannot_forge_a_line(void **state)
{
    struct captured captured;

    (void)state;
    captured_open(&captured);
    sotto_log_write(&captured.log, SOTTO_LOG_ERROR, "site %s", "a\nb\x1b[2J\x7f");
    assert_non_null(strstr(captured.text, "site a\\x0ab\\x1b[2J\\x7f\n"));
    assert_int_equal(captured.text[captured.length - 1], '\n');
    captured_close(&captured);
}

static void log__below_the_level__writes_nothing(void **state)
{
    struct captured captured;

    (void)state;
    captured_open(&captured);
    sotto_log_write(&captured.log, SOTTO_LOG_DEBUG, "quiet");
    fflush(captured.log.stream);
    assert_int_equal(captured.length, 0);
    captured.log.level_max = SOTTO_LOG_DEBUG;
    sotto_log_write(&captured.log, SOTTO_LOG_DEBUG, "heard");
    assert_true(captured.length > 0);
    captured_close(&captured);
}

static void log__text_too_long__is_cut_and_ends_the_line(void **state)
{
    struct captured captured;
    char text[5000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    captured_open(&captured);
    sotto_log_write(&captured.log, SOTTO_LOG_INFO, "%s", text);
    assert_in_range(captured.length, 100, 2000);
    assert_ptr_equal(strchr(captured.text, '\n'), captured.text + captured.length - 1);
    captured_close(&captured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__line__has_time_level_program_and_text),
        cmocka_unit_test(log__control_characters__cannot_forge_a_line),
        cmocka_unit_test(log__below_the_level__writes_nothing),
        cmocka_unit_test(log__text_too_long__is_cut_and_ends_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
