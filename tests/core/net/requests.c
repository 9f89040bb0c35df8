/* Requests and their bodies, good and bad, as the server sees them on a connection. */
#include <stdio.h>
#include <string.h>

#include "tests/core/net/peer.h"
#include "tests/support/cmocka.h"

#define HOST  "Host: hub\r\n"
#define CLOSE HOST "Connection: close\r\n"

static void open_default(struct hub *hub)
{
    struct hub_setup setup = hub_defaults();

    hub_open(hub, &setup);
}

static void request__smuggling__is_400_and_no_route_sees_it(void **state)
{
    static const char *const requests[] = {
        "GET /who HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n",
        "GET /who HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n",
        "GET /who HTTP/1.1\n" HOST "\r\n",
        "\r\nGET /who HTTP/1.1\r\n" HOST "\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n0",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n0",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n0",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length : 1\r\n\r\n0",
        "GET http://hub/who HTTP/1.1\r\n" HOST "\r\n",
        "GET /a/../who HTTP/1.1\r\n" HOST "\r\n",
        "GET /who HTTP/1.1\r\n\r\n",
        "GET /who HTTP/1.1\r\n" HOST HOST "\r\n",
    };
    struct hub hub;

    (void)state;
    open_default(&hub);
    for (size_t index = 0; index < sizeof requests / sizeof *requests; index++)
        if (peer_ask(&hub, requests[index]) != 400)
            fail_msg("not refused: %s", requests[index]);
    assert_int_equal(hub.begun_count, 0);
    hub_close(&hub);
}

static void request__unknown_kinds__are_refused_by_their_status(void **state)
{
    struct hub hub;

    (void)state;
    open_default(&hub);
    assert_int_equal(peer_ask(&hub, "BREW /who HTTP/1.1\r\n" HOST "\r\n"), 400);
    assert_int_equal(peer_ask(&hub, "PATCH /who HTTP/1.1\r\n" HOST "\r\n"), 501);
    assert_int_equal(peer_ask(&hub, "GET /who HTTP/1.0\r\n" HOST "\r\n"), 505);
    assert_int_equal(peer_ask(&hub, "PUT /echo HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"), 417);
    assert_int_equal(
        peer_ask(&hub, "PUT /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n"), 501);
    hub_close(&hub);
}

static void request__too_long__is_refused_by_what_is_too_long(void **state)
{
    static char text[SOTTO_HEADER_BYTES_MAX + 64];
    struct hub hub;
    int length = 0;

    (void)state;
    open_default(&hub);
    length = snprintf(text, sizeof text, "GET /who HTTP/1.1\r\nA: ");
    memset(text + length, 'a', SOTTO_HEADER_BYTES_MAX);
    assert_int_equal(peer_ask(&hub, text), 431);
    memset(text, 0, sizeof text);
    length = snprintf(text, sizeof text, "GET /");
    memset(text + length, 'a', SOTTO_TARGET_MAX);
    assert_int_equal(peer_ask(&hub, text), 414);
    hub_close(&hub);
}

static void body__above_the_limit__is_413(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct hub hub;

    (void)state;
    setup.limits.body_bytes_max = 4;
    hub_open(&hub, &setup);
    assert_int_equal(peer_ask(&hub, "PUT /echo HTTP/1.1\r\n" CLOSE "Content-Length: 4\r\n\r\nabcd"),
                     200);
    assert_int_equal(
        peer_ask(&hub, "PUT /echo HTTP/1.1\r\n" CLOSE "Content-Length: 5\r\n\r\nabcde"), 413);
    assert_int_equal(peer_ask(&hub, "PUT /echo HTTP/1.1\r\n" CLOSE
                                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde"),
                     413);
    hub_await_gone(&hub, 2);
    hub_close(&hub);
}

static void body__chunked__comes_whole(void **state)
{
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    peer_send(&peer, "PUT /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nsot\r");
    peer_send(&peer, "\n2\r\nto\r\n0\r\n\r");
    peer_send(&peer, "\n");
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, "sotto");
    peer_close(&peer);
    hub_close(&hub);
}

static void body__chunked_badly__is_400(void **state)
{
    static const char *const bodies[] = {"3;x=y\r\nabc\r\n0\r\n\r\n",
                                         "3\nabc\r\n0\r\n\r\n",
                                         "3\r\nabcd\r\n",
                                         "0\r\nTrailer: x\r\n\r\n",
                                         "0x3\r\nabc\r\n",
                                         "\r\n",
                                         "-1\r\n",
                                         "000000003\r\nabc\r\n"};
    char request[256];
    struct hub hub;

    (void)state;
    open_default(&hub);
    for (size_t index = 0; index < sizeof bodies / sizeof *bodies; index++) {
        snprintf(request, sizeof request,
                 "PUT /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%s",
                 bodies[index]);
        if (peer_ask(&hub, request) != 400)
            fail_msg("not refused: %s", bodies[index]);
    }
    hub_await_gone(&hub, sizeof bodies / sizeof *bodies);
    hub_close(&hub);
}

static void body__expects_continue__is_told_to(void **state)
{
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    peer_send(&peer,
              "PUT /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_int_equal(peer_read_answer(&peer, answer), 100);
    peer_send(&peer, "ok");
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nok"));
    peer_close(&peer);
    hub_close(&hub);
}

static void body__refused_at_its_head__is_not_asked_for(void **state)
{
    static const char rest[] = HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    char request[256];
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    snprintf(request, sizeof request, "PUT /refused HTTP/1.1\r\n%s", rest);
    assert_int_equal(peer_ask(&hub, request), 403);
    peer_open(&peer, &hub);
    snprintf(request, sizeof request, "PUT /early HTTP/1.1\r\n%s", rest);
    peer_send(&peer, request);
    assert_int_equal(peer_read_answer(&peer, answer), 409);
    assert_non_null(strstr(answer, "too early"));
    assert_non_null(strstr(answer, "connection: close"));
    peer_read_all(&peer, answer);
    assert_string_equal(answer, "");
    peer_close(&peer);
    hub_await_gone(&hub, 2);
    hub_close(&hub);
}

static void requests__pipelined__are_answered_in_order(void **state)
{
    char answer[PEER_ANSWER_MAX];
    char expected[8];
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    peer_send(&peer, "GET /wait HTTP/1.1\r\n" HOST "\r\n"
                     "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n1"
                     "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n2"
                     "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n3");
    hub_await_waiting(&hub, 1);
    assert_int_equal(hub.begun_count, 1);
    assert_int_equal(peer_ask(&hub, "GET /wake HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nwoken"));
    for (int number = 1; number <= 3; number++) {
        snprintf(expected, sizeof expected, "\r\n\r\n%d", number);
        assert_int_equal(peer_read_answer(&peer, answer), 200);
        assert_non_null(strstr(answer, expected));
    }
    peer_close(&peer);
    hub_close(&hub);
}

static void requests__pipelined_and_read_late__are_all_answered(void **state)
{
    enum { REQUESTS = 100 };
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    for (size_t count = 0; count < REQUESTS; count++)
        peer_send(&peer, "GET /bytes?count=60000 HTTP/1.1\r\n" HOST "\r\n");
    hub_await_begun(&hub, 2);
    for (size_t count = 0; count < REQUESTS; count++)
        assert_int_equal(peer_read_answer(&peer, answer), 200);
    peer_close(&peer);
    hub_close(&hub);
}

static void request__head__has_the_length_and_no_body(void **state)
{
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    peer_send(&peer, "HEAD /bytes?count=70000 HTTP/1.1\r\n" CLOSE "\r\n");
    peer_read_all(&peer, answer);
    assert_non_null(strstr(answer, "content-length: 70000\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    peer_close(&peer);
    hub_close(&hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__smuggling__is_400_and_no_route_sees_it),
        cmocka_unit_test(request__unknown_kinds__are_refused_by_their_status),
        cmocka_unit_test(request__too_long__is_refused_by_what_is_too_long),
        cmocka_unit_test(body__above_the_limit__is_413),
        cmocka_unit_test(body__chunked__comes_whole),
        cmocka_unit_test(body__chunked_badly__is_400),
        cmocka_unit_test(body__expects_continue__is_told_to),
        cmocka_unit_test(body__refused_at_its_head__is_not_asked_for),
        cmocka_unit_test(requests__pipelined__are_answered_in_order),
        cmocka_unit_test(requests__pipelined_and_read_late__are_all_answered),
        cmocka_unit_test(request__head__has_the_length_and_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
