/*
 * What comes through the gate: messages, chunks, and uploads that crashes and full disks interrupt.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/gate/message.h"
#include "coordinator/gate/spool.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

static void message__known_name__becomes_an_event_of_the_site(void **state)
{
    struct sotto_round_event event;
    struct sotto_view body = sotto_view_text("bytes");

    (void)state;
    assert_int_equal(sotto_gate_message(&event, "inclusion", 7, body, 99), SOTTO_OK);
    assert_int_equal(event.kind, SOTTO_ROUND_INCLUSION);
    assert_int_equal(event.site, 7);
    assert_int_equal(event.at_ms, 99);
    assert_true(sotto_view_equal(event.bytes, body));
}

static void message__leave__carries_a_known_refusal_only(void **state)
{
    struct sotto_round_event event;
    uint8_t byte;

    (void)state;
    for (unsigned reason = 0; reason < 256; reason++) {
        bool is_known = reason > SOTTO_REFUSAL_NONE && reason < SOTTO_REFUSAL_COUNT;

        byte = (uint8_t)reason;
        assert_int_equal(sotto_gate_message(&event, "leave", 1, sotto_view_of(&byte, 1), 0),
                         is_known ? SOTTO_OK : SOTTO_MALFORMED);
    }
}

static void message__empty_long_or_unknown__is_refused(void **state)
{
    static const uint8_t bytes[SOTTO_PROTOCOL_MESSAGE_MAX + 1];
    struct sotto_round_event event;

    (void)state;
    assert_int_equal(sotto_gate_message(&event, "advert", 1, sotto_view_of(bytes, 0), 0),
                     SOTTO_MALFORMED);
    assert_int_equal(sotto_gate_message(&event, "advert", 1, sotto_view_of(bytes, sizeof bytes), 0),
                     SOTTO_OVER_LIMIT);
    assert_int_equal(sotto_gate_message(&event, "leave", 1, sotto_view_of(bytes, 2), 0),
                     SOTTO_OVER_LIMIT);
    assert_int_equal(sotto_gate_message(&event, "deadline", 1, sotto_view_of(bytes, 1), 0),
                     SOTTO_NOT_FOUND);
}

static void chunk__each_field_wrong__is_named(void **state)
{
    static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const struct {
        struct sotto_chunk_texts texts;
        const char *named;
    } cases[] = {
        {{"-1", "8", hex, hex}, "offset"},
        {{"", "8", hex, hex}, "offset"},
        {{"0", "8 ", hex, hex}, "length"},
        {{"0", "9999999999999999999", hex, hex}, "length"},
        {{"0", NULL, hex, hex}, "length"},
        {{"0", "8", "00", hex}, "digest"},
        {{"0", "8", hex, NULL}, "Sotto-Chunk-Digest"},
    };
    struct sotto_chunk chunk;
    struct sotto_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(sotto_chunk_parse(&chunk, &cases[i].texts, &fault), SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, cases[i].named));
    }
}

enum { UPLOAD_BYTES = 3 * SOTTO_CHUNK_BYTES_MAX / 2, SITE = 4 };

struct fixture {
    struct folder folder;
    struct sotto_spool spool;
    struct sotto_fault fault;
    const struct sotto_upload *upload;
    struct sotto_digest digest;
    uint8_t bytes[UPLOAD_BYTES];
};

static int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct sotto_view whole;

    assert_non_null(fixture);
    for (size_t i = 0; i < sizeof fixture->bytes; i++)
        fixture->bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    whole = sotto_view_of(fixture->bytes, sizeof fixture->bytes);
    sotto_hash(&fixture->digest, &whole, 1);
    folder_open(&fixture->folder);
    assert_int_equal(sotto_spool_open(&fixture->spool, fixture->folder.path, UPLOAD_BYTES, NULL),
                     SOTTO_OK);
    *state = fixture;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *fixture = *state;

    sotto_spool_close(&fixture->spool);
    folder_close(&fixture->folder);
    free(fixture);
    return 0;
}

static struct sotto_chunk chunk_of(const struct fixture *fixture, size_t offset, size_t length)
{
    struct sotto_chunk chunk = {.offset = offset,
                                .total = UPLOAD_BYTES,
                                .upload_digest = fixture->digest,
                                .bytes = sotto_view_of(fixture->bytes + offset, length)};

    sotto_hash(&chunk.digest, &chunk.bytes, 1);
    return chunk;
}

static enum sotto_status take(struct fixture *fixture, const struct sotto_chunk *chunk)
{
    return sotto_spool_take(&fixture->spool, SITE, chunk, &fixture->upload, &fixture->fault);
}

static enum sotto_status take_range(struct fixture *fixture, size_t offset, size_t length)
{
    struct sotto_chunk chunk = chunk_of(fixture, offset, length);

    return take(fixture, &chunk);
}

/* A new life of the process. */
static void restart(struct fixture *fixture)
{
    sotto_spool_close(&fixture->spool);
    assert_int_equal(sotto_spool_open(&fixture->spool, fixture->folder.path, UPLOAD_BYTES, NULL),
                     SOTTO_OK);
}

static void spool__chunks_in_order__are_whole_and_on_disk_with_the_last(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(take_range(fixture, 0, SOTTO_CHUNK_BYTES_MAX), SOTTO_OK);
    assert_int_equal(fixture->upload->state, SOTTO_UPLOAD_PARTIAL);
    assert_int_equal(take_range(fixture, SOTTO_CHUNK_BYTES_MAX, SOTTO_CHUNK_BYTES_MAX / 2),
                     SOTTO_OK);
    assert_int_equal(fixture->upload->state, SOTTO_UPLOAD_WHOLE);
    assert_true(folder_holds(&fixture->folder, "4.upload",
                             sotto_view_of(fixture->bytes, sizeof fixture->bytes)));
    assert_int_equal(folder_count(&fixture->folder), 1);
}

static void spool__chunk_out_of_place__says_where_to_go_on(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(take_range(fixture, 0, 1000), SOTTO_OK);
    assert_int_equal(take_range(fixture, 0, 1000), SOTTO_UNEXPECTED);
    assert_int_equal(fixture->upload->received, 1000);
    assert_int_equal(take_range(fixture, 2000, 1000), SOTTO_UNEXPECTED);
    assert_int_equal(take_range(fixture, 1000, 1000), SOTTO_OK);
    assert_int_equal(sotto_spool_received(&fixture->spool, SITE), 2000);
}

static void spool__chunk_with_a_wrong_digest__leaves_the_part_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_chunk chunk = chunk_of(fixture, 1000, 500);

    assert_int_equal(take_range(fixture, 0, 1000), SOTTO_OK);
    chunk.digest.bytes[0] ^= 1;
    assert_int_equal(take(fixture, &chunk), SOTTO_FORGED);
    assert_int_equal(sotto_spool_received(&fixture->spool, SITE), 1000);
}

static void spool__chunk_of_a_wrong_size__is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_chunk chunk = chunk_of(fixture, 0, 100);

    chunk.total++;
    assert_int_equal(take(fixture, &chunk), SOTTO_MISMATCH);
    assert_int_equal(take_range(fixture, 0, 0), SOTTO_MALFORMED);
    assert_int_equal(take_range(fixture, 0, SOTTO_CHUNK_BYTES_MAX + 1), SOTTO_OVER_LIMIT);
    chunk = chunk_of(fixture, UPLOAD_BYTES - 10, 10);
    chunk.offset += 5;
    assert_int_equal(take(fixture, &chunk), SOTTO_MALFORMED);
    assert_int_equal(sotto_spool_received(&fixture->spool, SITE), 0);
}

static void spool__whole_with_a_wrong_digest__starts_from_the_beginning(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_chunk first = chunk_of(fixture, 0, SOTTO_CHUNK_BYTES_MAX);
    struct sotto_chunk last =
        chunk_of(fixture, SOTTO_CHUNK_BYTES_MAX, UPLOAD_BYTES - SOTTO_CHUNK_BYTES_MAX);

    last.upload_digest.bytes[5] ^= 1;
    assert_int_equal(take(fixture, &first), SOTTO_OK);
    assert_int_equal(take(fixture, &last), SOTTO_UNEXPECTED);
    assert_int_equal(fixture->upload->received, 0);
    last.upload_digest = fixture->digest;
    assert_int_equal(take(fixture, &first), SOTTO_OK);
    assert_int_equal(take(fixture, &last), SOTTO_OK);
    assert_int_equal(fixture->upload->state, SOTTO_UPLOAD_WHOLE);
}

static void spool__restart_in_the_middle__goes_on_where_it_was(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(take_range(fixture, 0, 300000), SOTTO_OK);
    restart(fixture);
    assert_int_equal(sotto_spool_received(&fixture->spool, SITE), 300000);
    assert_int_equal(take_range(fixture, 300000, SOTTO_CHUNK_BYTES_MAX), SOTTO_OK);
    assert_int_equal(take_range(fixture, 300000 + SOTTO_CHUNK_BYTES_MAX,
                                UPLOAD_BYTES - 300000 - SOTTO_CHUNK_BYTES_MAX),
                     SOTTO_OK);
    assert_int_equal(fixture->upload->state, SOTTO_UPLOAD_WHOLE);
}

/* Whole on disk, but its event was never journalled: the last chunk was not acknowledged. */
static void spool__restart_before_the_event__wants_the_last_chunk_again(void **state)
{
    struct fixture *fixture = *state;

    spool__chunks_in_order__are_whole_and_on_disk_with_the_last(state);
    restart(fixture);
    assert_int_equal(sotto_spool_received(&fixture->spool, SITE), SOTTO_CHUNK_BYTES_MAX);
    assert_int_equal(take_range(fixture, SOTTO_CHUNK_BYTES_MAX, SOTTO_CHUNK_BYTES_MAX / 2),
                     SOTTO_OK);
    assert_int_equal(fixture->upload->state, SOTTO_UPLOAD_WHOLE);
}

static void spool__acknowledged__says_yes_to_the_same_and_no_to_another(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_chunk last =
        chunk_of(fixture, SOTTO_CHUNK_BYTES_MAX, UPLOAD_BYTES - SOTTO_CHUNK_BYTES_MAX);

    spool__chunks_in_order__are_whole_and_on_disk_with_the_last(state);
    sotto_spool_acknowledge(&fixture->spool, SITE, &fixture->digest);
    restart(fixture);
    sotto_spool_acknowledge(&fixture->spool, SITE, &fixture->digest);
    assert_int_equal(take(fixture, &last), SOTTO_OK);
    assert_int_equal(fixture->upload->state, SOTTO_UPLOAD_ACKNOWLEDGED);
    last.upload_digest.bytes[0] ^= 1;
    assert_int_equal(take(fixture, &last), SOTTO_MISMATCH);
}

/* In a child: the limit on file sizes stands for a full disk, and cannot be raised again. */
static int full_disk_life(struct fixture *fixture)
{
    struct rlimit limit = {.rlim_cur = 400000, .rlim_max = RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    if (take_range(fixture, 0, 300000) != SOTTO_OK)
        return 1;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (take_range(fixture, 300000, 300000) != SOTTO_IO ||
        strstr(fixture->fault.text, "the spool is full at ") == NULL ||
        strstr(fixture->fault.text, fixture->folder.path) == NULL)
        return 2;
    if (sotto_spool_received(&fixture->spool, SITE) != 300000)
        return 3;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (take_range(fixture, 300000, SOTTO_CHUNK_BYTES_MAX) != SOTTO_OK ||
        take_range(fixture, 300000 + SOTTO_CHUNK_BYTES_MAX,
                   UPLOAD_BYTES - 300000 - SOTTO_CHUNK_BYTES_MAX) != SOTTO_OK)
        return 4;
    return fixture->upload->state == SOTTO_UPLOAD_WHOLE ? 0 : 5;
}

static void spool__disk_full_for_a_while__keeps_the_part_and_ends_whole(void **state)
{
    struct fixture *fixture = *state;
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(full_disk_life(fixture));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(folder_holds(&fixture->folder, "4.upload",
                             sotto_view_of(fixture->bytes, sizeof fixture->bytes)));
}

static void spool__more_sites_than_a_cohort__are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_chunk chunk = chunk_of(fixture, 0, 10);

    for (uint32_t site = 1; site <= SOTTO_COHORT_MAX; site++)
        sotto_spool_acknowledge(&fixture->spool, site, &fixture->digest);
    assert_int_equal(sotto_spool_take(&fixture->spool, SOTTO_COHORT_MAX + 1, &chunk,
                                      &fixture->upload, &fixture->fault),
                     SOTTO_OVER_LIMIT);
}

/* Sites outside the cohort may ask too. */
static void spool__asked_by_strangers__has_room_for_the_cohort(void **state)
{
    struct fixture *fixture = *state;

    for (uint32_t site = SITE + 1; site <= SITE + SOTTO_COHORT_MAX; site++)
        assert_int_equal(sotto_spool_received(&fixture->spool, site), 0);
    assert_int_equal(folder_count(&fixture->folder), 0);
    assert_int_equal(take_range(fixture, 0, 1000), SOTTO_OK);
    assert_int_equal(sotto_spool_received(&fixture->spool, SITE), 1000);
}

static void spool__removed__leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stat stat_of;

    assert_int_equal(take_range(fixture, 0, 1000), SOTTO_OK);
    sotto_spool_remove(&fixture->spool);
    assert_int_equal(stat(fixture->folder.path, &stat_of), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir(fixture->folder.path, 0700), 0);
}

#define WITH_SPOOL(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message__known_name__becomes_an_event_of_the_site),
        cmocka_unit_test(message__leave__carries_a_known_refusal_only),
        cmocka_unit_test(message__empty_long_or_unknown__is_refused),
        cmocka_unit_test(chunk__each_field_wrong__is_named),
        WITH_SPOOL(spool__chunks_in_order__are_whole_and_on_disk_with_the_last),
        WITH_SPOOL(spool__chunk_out_of_place__says_where_to_go_on),
        WITH_SPOOL(spool__chunk_with_a_wrong_digest__leaves_the_part_as_it_was),
        WITH_SPOOL(spool__chunk_of_a_wrong_size__is_refused),
        WITH_SPOOL(spool__whole_with_a_wrong_digest__starts_from_the_beginning),
        WITH_SPOOL(spool__restart_in_the_middle__goes_on_where_it_was),
        WITH_SPOOL(spool__restart_before_the_event__wants_the_last_chunk_again),
        WITH_SPOOL(spool__acknowledged__says_yes_to_the_same_and_no_to_another),
        WITH_SPOOL(spool__disk_full_for_a_while__keeps_the_part_and_ends_whole),
        WITH_SPOOL(spool__more_sites_than_a_cohort__are_refused),
        WITH_SPOOL(spool__asked_by_strangers__has_room_for_the_cohort),
        WITH_SPOOL(spool__removed__leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
