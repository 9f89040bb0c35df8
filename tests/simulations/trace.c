/* What a round's spans come to. */
#include "simulations/trace/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/support/folder.h"

enum { SECOND = 1000000000 };

/* Each span its own binary digit, so that a sum tells what is in it. */
static const struct sotto_spans digits = {.ns = {[SOTTO_SPAN_TRAINING] = 512ull * SECOND,
                                                 [SOTTO_SPAN_JOINING] = 256ull * SECOND,
                                                 [SOTTO_SPAN_EXPANDING] = 128ull * SECOND,
                                                 [SOTTO_SPAN_ENCODING] = 64ull * SECOND,
                                                 [SOTTO_SPAN_HIDING] = 32ull * SECOND,
                                                 [SOTTO_SPAN_CLOSING] = 16ull * SECOND,
                                                 [SOTTO_SPAN_HUB] = 8ull * SECOND,
                                                 [SOTTO_SPAN_ADDING] = 4ull * SECOND,
                                                 [SOTTO_SPAN_UNMASKING] = 2ull * SECOND,
                                                 [SOTTO_SPAN_APPLYING] = 1ull * SECOND}};

static void trace_shares__every_span__is_counted_once(void **state)
{
    (void)state;
    assert_int_equal(sotto_trace_secure_s(&digits), 256 + 128 + 32 + 16 + 8 + 2);
    assert_int_equal(sotto_trace_plain_s(&digits), 512 + 64 + 4 + 1);
}

/* Sites work side by side; what they do beside the training is on nobody's way. */
static void trace_round__line__has_the_critical_path(void **state)
{
    struct sotto_trace trace;
    struct folder folder;
    json_t *line;

    (void)state;
    folder_open(&folder);
    assert_int_equal(sotto_trace_open(&trace, folder_path(&folder, "trace").text, NULL), SOTTO_OK);
    sotto_trace_round(&trace, 7, 4, &digits);
    assert_int_equal(sotto_trace_close(&trace, stderr, NULL), SOTTO_OK);
    line = json_load_file(folder_path(&folder, "trace").text, 0, NULL);
    assert_non_null(line);
    assert_int_equal(json_integer_value(json_object_get(line, "round")), 7);
    assert_int_equal(json_real_value(json_object_get(line, "overlapped")), (256 + 128) / 4);
    assert_int_equal(json_real_value(json_object_get(line, "critical")),
                     (512 + 64 + 32 + 16) / 4 + 8 + 4 + 2 + 1);
    assert_int_equal(json_object_size(json_object_get(line, "seconds")), SOTTO_SPAN_COUNT);
    json_decref(line);
    folder_close(&folder);
}

static void trace_open__nobody_asked__writes_nothing(void **state)
{
    struct sotto_trace trace;

    (void)state;
    assert_int_equal(sotto_trace_open(&trace, NULL, NULL), SOTTO_OK);
    sotto_trace_round(&trace, 1, 4, &digits);
    assert_null(trace.file);
    assert_int_equal(sotto_trace_close(&trace, NULL, NULL), SOTTO_OK);
}

static void trace_open__no_such_folder__is_named(void **state)
{
    struct sotto_fault fault = {0};
    struct sotto_trace trace;

    (void)state;
    assert_int_equal(sotto_trace_open(&trace, "/nowhere/trace", &fault), SOTTO_IO);
    assert_non_null(strstr(fault.text, "/nowhere/trace"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace_shares__every_span__is_counted_once),
        cmocka_unit_test(trace_round__line__has_the_critical_path),
        cmocka_unit_test(trace_open__nobody_asked__writes_nothing),
        cmocka_unit_test(trace_open__no_such_folder__is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
