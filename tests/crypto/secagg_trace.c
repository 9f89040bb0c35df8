/*
 * One round from fixed seeds, message by message: five participants, one of which shares and then
 * is gone. The digests are in tests/vectors/secagg_trace.txt; a difference means that sites of
 * another version can no longer take part. On a difference the trace of this build is printed
 * whole.
 */
#include <stdio.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"

enum { COUNT = 5, DROPOUT = 3, ALL = (1 << COUNT) - 1, TEXT_MAX = 8 * 1024 };

static const char vector_path[] = "tests/vectors/secagg_trace.txt";

struct trace {
    char text[TEXT_MAX];
    size_t length;
};

static void note(struct trace *trace, const char *what, uint32_t id, struct sotto_view bytes)
{
    char hex[SOTTO_DIGEST_HEX];
    struct sotto_digest digest;

    sotto_hash(&digest, &bytes, 1);
    sotto_digest_hex(hex, &digest);
    trace->length += (size_t)snprintf(trace->text + trace->length, TEXT_MAX - trace->length,
                                      "%-10s %3u %6zu %s\n", what, id, bytes.length, hex);
    assert_true(trace->length < TEXT_MAX);
}

/* What everybody gets and sends in one stage. */
static void trace_stage(struct trace *trace, struct chorus *chorus, uint32_t places)
{
    static const char *const to[] = {"begin", "cohort", "inbox", "survivors", "inclusions"};
    static const char *const from[] = {"advert", "shares", "upload", "inclusion", "reveal"};
    enum sotto_stage stage = chorus->protocol->collector_stage(chorus->collector);
    struct sotto_collector_effects effects;

    for (uint32_t place = 0; place < COUNT; place++) {
        struct sotto_collector_event answer;

        if ((places >> place & 1) == 0)
            continue;
        note(trace, to[stage], chorus_id(place), chorus_mail(chorus, place));
        answer = chorus_answer(chorus, place);
        note(trace, from[stage], chorus_id(place),
             stage == SOTTO_STAGE_UPLOADING ? sotto_view_digest(&answer.digest) : answer.bytes);
        assert_int_equal(chorus_deliver(chorus, &answer).verdict, SOTTO_OK);
    }
    (void)chorus_end_stage(chorus, &effects);
}

static void read_vector(struct trace *trace)
{
    FILE *file = fopen(vector_path, "r");

    assert_non_null(file);
    trace->length = fread(trace->text, 1, TEXT_MAX - 1, file);
    trace->text[trace->length] = '\0';
    fclose(file);
}

static void round__from_fixed_seeds__has_the_recorded_messages(void **state)
{
    static struct trace trace;
    static struct trace recorded;
    struct chorus_setup setup = chorus_setup_of(COUNT, 2026);
    struct chorus *chorus = chorus_open(&setup);

    (void)state;
    trace_stage(&trace, chorus, ALL);
    trace_stage(&trace, chorus, ALL);
    while (chorus->protocol->collector_stage(chorus->collector) <= SOTTO_STAGE_REVEALING)
        trace_stage(&trace, chorus, ALL & ~(1u << DROPOUT));
    chorus_check_sum(chorus);
    chorus_close(chorus);
    read_vector(&recorded);
    if (strcmp(trace.text, recorded.text) == 0)
        return;
    printf("%s", trace.text);
    fail_msg("the trace above is not that of %s", vector_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round__from_fixed_seeds__has_the_recorded_messages),
    };

    return cmocka_run_group_tests_name("secagg_trace", tests, NULL, NULL);
}
