#include "core/net/server.h"

#include <malloc.h>
#include <string.h>

#include "tests/core/net/peer.h"
#include "tests/support/cmocka.h"

enum { MEGABYTE = 1024 * 1024 };

#define HOST  "Host: hub\r\n"
#define CLOSE HOST "Connection: close\r\n"

static void open_default(struct hub *hub)
{
    struct hub_setup setup = hub_defaults();

    hub_open(hub, &setup);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 heap = mallinfo2();

    return heap.uordblks + heap.hblkhd;
}

static void handshake__older_than_tls_1_3__is_refused(void **state)
{
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    assert_false(peer_try(&peer, &hub, TLS1_2_VERSION));
    peer_close(&peer);
    assert_true(peer_try(&peer, &hub, TLS1_3_VERSION));
    peer_close(&peer);
    hub_close(&hub);
}

static void upload__behind_a_request_that_waits__is_held_and_then_taken(void **state)
{
    static char body[MEGABYTE];
    char answer[PEER_ANSWER_MAX];
    size_t before = 0;
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    before = heap_bytes();
    peer_send(&peer, "GET /wait HTTP/1.1\r\n" HOST "\r\n"
                     "PUT /count HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n");
    hub_await_waiting(&hub, 1);
    peer_send_bytes(&peer, body, sizeof body);
    assert_int_equal(peer_ask(&hub, "GET /who HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_in_range(heap_bytes(), 0, before + MEGABYTE / 2);
    assert_int_equal(peer_ask(&hub, "GET /wake HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nwoken"));
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\n1048576"));
    peer_close(&peer);
    hub_close(&hub);
}

static void peer__slow_with_its_headers__is_closed(void **state)
{
    struct hub_setup setup = hub_defaults();
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    setup.limits.header_timeout_ms = 200;
    hub_open(&hub, &setup);
    peer_open(&peer, &hub);
    peer_send(&peer, "GET /who HTTP/1.1\r\nA: ");
    peer_read_all(&peer, answer);
    assert_string_equal(answer, "");
    peer_close(&peer);
    hub_close(&hub);
}

static void peer__idle__is_closed(void **state)
{
    struct hub_setup setup = hub_defaults();
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    setup.limits.idle_timeout_ms = 200;
    hub_open(&hub, &setup);
    peer_open(&peer, &hub);
    peer_send(&peer, "GET /who HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    peer_read_all(&peer, answer);
    assert_string_equal(answer, "");
    peer_close(&peer);
    hub_close(&hub);
}

static void peer__silent_within_a_body__is_closed_and_gone(void **state)
{
    struct hub_setup setup = hub_defaults();
    char answer[PEER_ANSWER_MAX];
    struct hub hub;
    struct peer peer;

    (void)state;
    setup.limits.idle_timeout_ms = 200;
    hub_open(&hub, &setup);
    peer_open(&peer, &hub);
    peer_send(&peer, "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n1");
    peer_read_all(&peer, answer);
    assert_string_equal(answer, "");
    hub_await_gone(&hub, 1);
    assert_int_equal(hub.unanswered_count, 1);
    peer_close(&peer);
    hub_close(&hub);
}

static void peer__vanishes_while_it_waits__is_gone(void **state)
{
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    peer_send(&peer, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    hub_await_waiting(&hub, 1);
    peer_vanish(&peer);
    hub_await_gone(&hub, 1);
    assert_int_equal(hub.unanswered_count, 1);
    assert_int_equal(peer_ask(&hub, "GET /wake HTTP/1.1\r\n" CLOSE "\r\n"), 200);
    hub_close(&hub);
}

static void peer__takes_nothing__is_closed_with_bounded_output(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct sotto_server_counters counters;
    struct hub hub;
    struct peer peer;

    (void)state;
    setup.limits.idle_timeout_ms = 200;
    hub_open(&hub, &setup);
    peer_open(&peer, &hub);
    peer_send(&peer, "GET /bytes?count=67108864 HTTP/1.1\r\n" HOST "\r\n");
    hub_await_gone(&hub, 1);
    hub_stop(&hub, 0);
    counters = hub_counters(&hub);
    assert_in_range(counters.bytes_out_total, 1, 32 * MEGABYTE);
    peer_close(&peer);
    hub_close(&hub);
}

static void upload__of_64_mib__needs_no_memory_for_it(void **state)
{
    enum { UPLOAD_MEGABYTES = 64, GROWTH_MAX = MEGABYTE };
    static char piece[MEGABYTE];
    struct hub_setup setup = hub_defaults();
    char answer[PEER_ANSWER_MAX];
    size_t before = 0;
    struct hub hub;
    struct peer peer;

    (void)state;
    setup.limits.body_bytes_max = UINT64_C(64) * MEGABYTE;
    hub_open(&hub, &setup);
    peer_open(&peer, &hub);
    memset(piece, 'p', sizeof piece);
    before = heap_bytes();
    peer_send(&peer, "PUT /count HTTP/1.1\r\n" HOST "Content-Length: 67108864\r\n\r\n");
    for (size_t count = 0; count < UPLOAD_MEGABYTES; count++) {
        peer_send_bytes(&peer, piece, sizeof piece);
        assert_in_range(heap_bytes(), 0, before + GROWTH_MAX);
    }
    assert_int_equal(peer_read_answer(&peer, answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\n67108864"));
    peer_close(&peer);
    hub_close(&hub);
}

static void connections__above_the_cap__are_closed(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct sotto_server_counters counters;
    struct peer peers[3];
    struct hub hub;

    (void)state;
    setup.limits.connections_per_address_max = 2;
    hub_open(&hub, &setup);
    peer_open(&peers[0], &hub);
    peer_open(&peers[1], &hub);
    assert_false(peer_try(&peers[2], &hub, TLS1_3_VERSION));
    for (size_t index = 0; index < 3; index++)
        peer_close(&peers[index]);
    hub_stop(&hub, 0);
    counters = hub_counters(&hub);
    assert_int_equal(counters.refused_total, 1);
    hub_close(&hub);
}

static void stop__with_a_request_in_hand__lets_it_finish(void **state)
{
    char answer[PEER_ANSWER_MAX];
    struct peer idle, busy;
    struct hub hub;

    (void)state;
    open_default(&hub);
    peer_open(&idle, &hub);
    peer_send(&idle, "GET /who HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(peer_read_answer(&idle, answer), 200);
    peer_open(&busy, &hub);
    peer_send(&busy, "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nla");
    hub_await_begun(&hub, 2);
    hub_stop(&hub, 60000);
    peer_read_all(&idle, answer);
    assert_string_equal(answer, "");
    peer_send(&busy, "st");
    peer_read_all(&busy, answer);
    assert_non_null(strstr(answer, "\r\n\r\nlast"));
    assert_non_null(strstr(answer, "connection: close\r\n"));
    peer_close(&idle);
    peer_close(&busy);
    hub_await_closed(&hub);
    hub_close(&hub);
}

static void stop__after_the_grace__ends_what_waits(void **state)
{
    struct hub hub;
    struct peer peer;

    (void)state;
    open_default(&hub);
    peer_open(&peer, &hub);
    peer_send(&peer, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    hub_await_waiting(&hub, 1);
    hub_stop(&hub, 1);
    hub_await_closed(&hub);
    assert_int_equal(hub.unanswered_count, 1);
    peer_close(&peer);
    hub_close(&hub);
}

static void open__bad_settings__name_what_is_wrong(void **state)
{
    struct folder_path certificate, key;
    struct sotto_server *server = NULL;
    struct sotto_server_setup setup = {.address = "127.0.0.1"};
    struct sotto_fault fault;
    struct hub hub;

    (void)state;
    open_default(&hub);
    hub_issue(&hub, "other", "site", hub_now_s());
    certificate = folder_path(&hub.folder, "server.pem");
    key = folder_path(&hub.folder, "server.key");
    setup.certificate_path = certificate.text;
    setup.key_path = key.text;
    setup.loop = &hub.loop;
    setup.port = hub.port;
    assert_int_equal(sotto_server_open(&server, &setup, &fault), SOTTO_BUSY);
    assert_non_null(strstr(fault.text, "is taken: stop the other program"));
    setup.address = "hub.example";
    assert_int_equal(sotto_server_open(&server, &setup, &fault), SOTTO_MALFORMED);
    key = folder_path(&hub.folder, "other.key");
    assert_int_equal(sotto_server_open(&server, &setup, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "other.key is not that of"));
    key = folder_path(&hub.folder, "none.key");
    assert_int_equal(sotto_server_open(&server, &setup, &fault), SOTTO_NOT_FOUND);
    key = folder_path(&hub.folder, "server.pem");
    assert_int_equal(sotto_server_open(&server, &setup, &fault), SOTTO_MALFORMED);
    assert_null(server);
    hub_close(&hub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake__older_than_tls_1_3__is_refused),
        cmocka_unit_test(upload__behind_a_request_that_waits__is_held_and_then_taken),
        cmocka_unit_test(peer__slow_with_its_headers__is_closed),
        cmocka_unit_test(peer__idle__is_closed),
        cmocka_unit_test(peer__silent_within_a_body__is_closed_and_gone),
        cmocka_unit_test(peer__vanishes_while_it_waits__is_gone),
        cmocka_unit_test(peer__takes_nothing__is_closed_with_bounded_output),
        cmocka_unit_test(upload__of_64_mib__needs_no_memory_for_it),
        cmocka_unit_test(connections__above_the_cap__are_closed),
        cmocka_unit_test(stop__with_a_request_in_hand__lets_it_finish),
        cmocka_unit_test(stop__after_the_grace__ends_what_waits),
        cmocka_unit_test(open__bad_settings__name_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
