#include "core/net/head.h"

#include <stdio.h>
#include <string.h>

#include "core/net/framing.h"
#include "tests/support/cmocka.h"

#define LINE "GET /v1/mail?campaign=a%20b&round=7&empty HTTP/1.1\r\nHost: hub\r\n"

/* The whole way of a header block, in pieces of `step` bytes. */
static int read_head(struct sotto_head *head, const char *text, size_t step)
{
    struct sotto_view input = sotto_view_text(text);
    struct sotto_prescan prescan;
    int refusal = 0;

    memset(head, 0, sizeof *head);
    sotto_prescan_init(&prescan);
    for (size_t at = 0; !refusal && at < input.length && !sotto_prescan_is_whole(&prescan);) {
        size_t left = input.length - at;
        struct sotto_view piece = sotto_view_of(input.at + at, step < left ? step : left);
        size_t length = piece.length;

        refusal = sotto_prescan_step(&prescan, &piece);
        at += length - piece.length;
    }
    if (!refusal && !sotto_prescan_is_whole(&prescan))
        refusal = -1;
    if (!refusal)
        refusal = sotto_head_parse(head, sotto_view_buffer(&prescan.block));
    sotto_prescan_wipe(&prescan);
    return refusal;
}

static int refusal_of(const char *text)
{
    struct sotto_head head;
    int refusal = read_head(&head, text, strlen(text));

    sotto_head_wipe(&head);
    return refusal;
}

static void head__in_pieces_of_any_size__is_the_same(void **state)
{
    static const char text[] = LINE "X-Two:\t a  b \t\r\nX-Empty:\r\nContent-Length: 12\r\n\r\n";

    (void)state;
    for (size_t step = 1; step <= sizeof text; step++) {
        struct sotto_head head;

        assert_int_equal(read_head(&head, text, step), 0);
        assert_string_equal(head.method, "GET");
        assert_string_equal(head.path, "/v1/mail");
        assert_string_equal(sotto_head_query(&head, "campaign"), "a b");
        assert_string_equal(sotto_head_query(&head, "round"), "7");
        assert_string_equal(sotto_head_query(&head, "empty"), "");
        assert_null(sotto_head_query(&head, "other"));
        assert_string_equal(sotto_head_header(&head, "x-two"), "a  b");
        assert_string_equal(sotto_head_header(&head, "x-empty"), "");
        assert_null(sotto_head_header(&head, "x-three"));
        assert_int_equal(head.content_length, 12);
        assert_true(head.keeps_alive);
        sotto_head_wipe(&head);
    }
}

static void prescan__every_control_byte_anywhere__is_refused(void **state)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: hub\r\n\r\n";

    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof text];
            struct sotto_prescan prescan;
            struct sotto_view input = sotto_view_of(changed, sizeof text - 1);
            bool plain = (byte > ' ' && byte < 0x7f) || byte == ' ' || byte == '\t';

            memcpy(changed, text, sizeof text);
            changed[at] = (char)byte;
            sotto_prescan_init(&prescan);
            if (!plain && changed[at] != text[at] && !sotto_prescan_step(&prescan, &input))
                assert_false(sotto_prescan_is_whole(&prescan));
            sotto_prescan_wipe(&prescan);
        }
    }
}

static void prescan__what_follows_the_block__is_left(void **state)
{
    static const char text[] = LINE "\r\nbody";
    struct sotto_view input = sotto_view_text(text);
    struct sotto_prescan prescan;

    (void)state;
    sotto_prescan_init(&prescan);
    assert_int_equal(sotto_prescan_step(&prescan, &input), 0);
    assert_true(sotto_prescan_is_whole(&prescan));
    assert_true(sotto_view_equal(input, sotto_view_text("body")));
    sotto_prescan_wipe(&prescan);
}

static void prescan__at_its_limits__takes_just_as_much(void **state)
{
    static char text[2 * SOTTO_HEADER_BYTES_MAX];
    static const char line[] = "GET /a HTTP/1.1\r\nHost: hub\r\nA: ";
    size_t room = SOTTO_HEADER_BYTES_MAX - strlen(line) - 4;

    (void)state;
    snprintf(text, sizeof text, "%s%0*d\r\n\r\n", line, (int)room, 0);
    assert_int_equal(strlen(text), SOTTO_HEADER_BYTES_MAX);
    assert_int_equal(refusal_of(text), 0);
    snprintf(text, sizeof text, "%s%0*d\r\n\r\n", line, (int)room + 1, 0);
    assert_int_equal(refusal_of(text), 431);
    snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: hub\r\n\r\n", SOTTO_TARGET_MAX - 1, 0);
    assert_int_equal(refusal_of(text), 0);
    snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: hub\r\n\r\n", SOTTO_TARGET_MAX, 0);
    assert_int_equal(refusal_of(text), 414);
}

static void prescan__more_headers_than_it_takes__is_431(void **state)
{
    char text[2048] = "GET /a HTTP/1.1\r\nHost: hub\r\n";

    (void)state;
    for (size_t count = 1; count < SOTTO_HEADERS_MAX; count++)
        strcat(text, "A: b\r\n");
    strcat(text, "\r\n");
    assert_int_equal(refusal_of(text), 0);
    strcpy(text + strlen(text) - 2, "A: b\r\n\r\n");
    assert_int_equal(refusal_of(text), 431);
}

static void target__that_could_be_two_paths__is_400(void **state)
{
    static const char *const targets[] = {"/a/../b",    "/..",      "/.",   "/a/%2e%2e/b", "/a%2fb",
                                          "/a%00b",     "/a%0d",    "/a%2", "/a%zz",       "/a#b",
                                          "/a?x=1&x=2", "/a?x=%1f", "*"};
    char text[256];

    (void)state;
    for (size_t index = 0; index < sizeof targets / sizeof *targets; index++) {
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: hub\r\n\r\n", targets[index]);
        if (refusal_of(text) != 400)
            fail_msg("not refused: %s", targets[index]);
    }
    assert_int_equal(refusal_of("GET /a..b/.c/... HTTP/1.1\r\nHost: hub\r\n\r\n"), 0);
}

static void head__more_parameters_than_it_takes__is_431(void **state)
{
    char text[512] = "GET /a?";

    (void)state;
    for (int count = 0; count < SOTTO_QUERY_MAX; count++)
        snprintf(text + strlen(text), 16, "p%d=1&", count);
    strcat(text, " HTTP/1.1\r\nHost: hub\r\n\r\n");
    assert_int_equal(refusal_of(text), 0);
    strcpy(strstr(text, " HTTP"), "last=1 HTTP/1.1\r\nHost: hub\r\n\r\n");
    assert_int_equal(refusal_of(text), 431);
}

static void head__chunked_and_close__are_seen(void **state)
{
    struct sotto_head head;

    (void)state;
    assert_int_equal(
        read_head(&head, LINE "Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\n", 7), 0);
    assert_true(head.content_length == UINT64_MAX);
    assert_false(head.keeps_alive);
    sotto_head_wipe(&head);
}

/* Feeds a body in pieces of `step` bytes and gathers what comes out. */
static enum sotto_status read_body(char out[64], const char *text, size_t step)
{
    struct sotto_framing framing;
    struct sotto_view piece;
    size_t length = strlen(text);
    enum sotto_status status = SOTTO_OK;

    out[0] = '\0';
    sotto_framing_init(&framing, UINT64_MAX);
    for (size_t at = 0; status == SOTTO_OK && at < length; at += step) {
        struct sotto_view input = sotto_view_of(text + at, step < length - at ? step : length - at);

        while (status == SOTTO_OK && input.length > 0 && !sotto_framing_is_whole(&framing)) {
            status = sotto_framing_next(&framing, &piece, &input);
            if (piece.length > 0)
                strncat(out, (const char *)piece.at, piece.length);
        }
    }
    if (status == SOTTO_OK && !sotto_framing_is_whole(&framing))
        status = SOTTO_UNEXPECTED;
    return status;
}

static void framing__chunks_in_pieces_of_any_size__are_one_body(void **state)
{
    static const char text[] = "5\r\nsotto\r\n00000002\r\n v\r\na\r\noce 012345\r\n0\r\n\r\n";
    char out[64];

    (void)state;
    for (size_t step = 1; step < sizeof text; step++) {
        assert_int_equal(read_body(out, text, step), SOTTO_OK);
        assert_string_equal(out, "sotto voce 012345");
    }
}

static void framing__cut_anywhere__is_not_whole(void **state)
{
    static const char text[] = "5\r\nsotto\r\n0\r\n\r\n";
    char out[64];

    (void)state;
    for (size_t length = 1; length < sizeof text - 1; length++) {
        char cut[sizeof text];

        memcpy(cut, text, length);
        cut[length] = '\0';
        assert_int_equal(read_body(out, cut, 3), SOTTO_UNEXPECTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head__in_pieces_of_any_size__is_the_same),
        cmocka_unit_test(prescan__every_control_byte_anywhere__is_refused),
        cmocka_unit_test(prescan__what_follows_the_block__is_left),
        cmocka_unit_test(prescan__at_its_limits__takes_just_as_much),
        cmocka_unit_test(prescan__more_headers_than_it_takes__is_431),
        cmocka_unit_test(target__that_could_be_two_paths__is_400),
        cmocka_unit_test(head__more_parameters_than_it_takes__is_431),
        cmocka_unit_test(head__chunked_and_close__are_seen),
        cmocka_unit_test(framing__chunks_in_pieces_of_any_size__are_one_body),
        cmocka_unit_test(framing__cut_anywhere__is_not_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
