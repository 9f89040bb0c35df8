#include "core/net/client.h"

#include <stdlib.h>
#include <string.h>

#include "tests/core/net/hub.h"
#include "tests/support/cmocka.h"

enum { DAY_S = 86400, TIMEOUT_MS = 20000 };

/* A hub and a client of it, which trusts it and has no certificate unless told otherwise. */
struct pair {
    struct hub hub;
    struct sotto_client *client;
    struct folder_path authority;
    struct folder_path certificate;
    struct folder_path key;
    struct sotto_fault fault;
};

static void open_client(struct pair *pair, const char *certificate)
{
    struct sotto_client_setup setup = {.url = pair->hub.url, .connect_timeout_ms = TIMEOUT_MS};
    char name[64];

    pair->authority = folder_path(&pair->hub.folder, "ca.pem");
    setup.authority_path = pair->authority.text;
    if (certificate) {
        snprintf(name, sizeof name, "%s.pem", certificate);
        pair->certificate = folder_path(&pair->hub.folder, name);
        snprintf(name, sizeof name, "%s.key", certificate);
        pair->key = folder_path(&pair->hub.folder, name);
        setup.certificate_path = pair->certificate.text;
        setup.key_path = pair->key.text;
    }
    assert_int_equal(sotto_client_open(&pair->client, &setup, &pair->fault), SOTTO_OK);
}

static void pair_open(struct pair *pair)
{
    struct hub_setup setup = hub_defaults();

    hub_open(&pair->hub, &setup);
    pair->client = NULL;
}

static void pair_close(struct pair *pair)
{
    sotto_client_close(pair->client);
    hub_close(&pair->hub);
}

static void open_pinned(struct pair *pair, const struct sotto_digest *authority)
{
    struct sotto_client_setup setup = {
        .url = pair->hub.url, .authority = authority, .connect_timeout_ms = TIMEOUT_MS};

    assert_int_equal(sotto_client_open(&pair->client, &setup, &pair->fault), SOTTO_OK);
}

static enum sotto_status fetch(struct pair *pair, struct sotto_exchange *exchange)
{
    exchange->timeout_ms = TIMEOUT_MS;
    if (exchange->answer_max == 0)
        exchange->answer_max = 1024;
    return sotto_client_exchange(pair->client, exchange, &pair->fault);
}

static enum sotto_status get(struct pair *pair, const char *path, const char *expected)
{
    struct sotto_exchange exchange = {.method = "GET", .path = path};
    enum sotto_status status = fetch(pair, &exchange);

    if (status == SOTTO_OK) {
        assert_int_equal(exchange.status, 200);
        assert_string_equal((const char *)exchange.answer, expected);
    }
    free(exchange.answer);
    return status;
}

static void exchange__with_a_certificate__server_knows_the_caller(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair);
    hub_issue(&pair.hub, "clinic-1", "site", hub_now_s());
    open_client(&pair, "clinic-1");
    assert_int_equal(get(&pair, "/who", "clinic-1/site"), SOTTO_OK);
    pair_close(&pair);
}

static void exchange__without_a_certificate__is_nobody(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    assert_int_equal(get(&pair, "/who", "nobody"), SOTTO_OK);
    pair_close(&pair);
}

static void exchange__certificate_of_another_authority__is_refused_by_the_server(void **state)
{
    struct pair pair;
    struct sotto_authority own;

    (void)state;
    pair_open(&pair);
    own = pair.hub.authority;
    assert_int_equal(sotto_authority_make(&pair.hub.authority, "Other", hub_now_s(), NULL),
                     SOTTO_OK);
    hub_issue(&pair.hub, "clinic-1", "site", hub_now_s());
    pair.hub.authority = own;
    open_client(&pair, "clinic-1");
    assert_int_equal(get(&pair, "/who", ""), SOTTO_REFUSED);
    assert_non_null(strstr(pair.fault.text, "does not take this client's certificate"));
    pair_close(&pair);
}

static void exchange__client_certificate_expired__is_refused_by_the_server(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair);
    hub_issue(&pair.hub, "clinic-1", "site", hub_now_s() - UINT64_C(400) * DAY_S);
    open_client(&pair, "clinic-1");
    assert_int_equal(get(&pair, "/who", ""), SOTTO_REFUSED);
    assert_non_null(strstr(pair.fault.text, "certificate expired"));
    pair_close(&pair);
}

static void exchange__server_certificate_expired__says_to_check_the_clock(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct pair pair = {0};

    (void)state;
    setup.certificates_from_s = hub_now_s() - UINT64_C(400) * DAY_S;
    hub_open(&pair.hub, &setup);
    open_client(&pair, NULL);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_FORGED);
    assert_non_null(strstr(pair.fault.text, "check this machine's clock"));
    pair_close(&pair);
}

static void exchange__server_certificate_of_tomorrow__says_to_check_the_clock(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct pair pair = {0};

    (void)state;
    setup.certificates_from_s = hub_now_s() + DAY_S;
    hub_open(&pair.hub, &setup);
    open_client(&pair, NULL);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_FORGED);
    assert_non_null(strstr(pair.fault.text, "check this machine's clock"));
    pair_close(&pair);
}

static void exchange__fingerprint_of_the_authority__is_enough(void **state)
{
    struct sotto_digest authority;
    struct pair pair;

    (void)state;
    pair_open(&pair);
    sotto_certificate_digest(&authority, &pair.hub.authority.certificate);
    open_pinned(&pair, &authority);
    assert_int_equal(get(&pair, "/who", "nobody"), SOTTO_OK);
    pair_close(&pair);
}

static void exchange__another_fingerprint__is_forged(void **state)
{
    struct sotto_digest authority;
    struct pair pair;

    (void)state;
    pair_open(&pair);
    sotto_certificate_digest(&authority, &pair.hub.authority.certificate);
    authority.bytes[0] ^= 1;
    open_pinned(&pair, &authority);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_FORGED);
    assert_non_null(strstr(pair.fault.text, "not issued by the authority that the token names"));
    assert_int_equal(pair.hub.begun_count, 0);
    pair_close(&pair);
}

static void exchange__pinned_authority_shown_but_not_the_issuer__is_forged(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct sotto_digest authority;
    struct pair pair = {0};

    (void)state;
    setup.is_impostor = true;
    hub_open(&pair.hub, &setup);
    sotto_certificate_digest(&authority, &pair.hub.authority.certificate);
    open_pinned(&pair, &authority);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_FORGED);
    assert_non_null(strstr(pair.fault.text, "not issued by the authority"));
    assert_int_equal(pair.hub.begun_count, 0);
    pair_close(&pair);
}

static void exchange__another_authority_in_the_file__is_forged(void **state)
{
    struct sotto_authority other;
    char pem[SOTTO_CERTIFICATE_PEM_MAX];
    struct pair pair;

    (void)state;
    pair_open(&pair);
    assert_int_equal(sotto_authority_make(&other, "Other", hub_now_s(), NULL), SOTTO_OK);
    sotto_certificate_to_pem(pem, &other.certificate);
    folder_write(&pair.hub.folder, "ca.pem", sotto_view_text(pem));
    open_client(&pair, NULL);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_FORGED);
    assert_non_null(strstr(pair.fault.text, "not issued by the authority that its file names"));
    pair_close(&pair);
}

static void exchange__server_under_another_name__is_forged(void **state)
{
    struct hub_setup setup = hub_defaults();
    struct pair pair = {0};

    (void)state;
    setup.name = "hub.example";
    hub_open(&pair.hub, &setup);
    open_client(&pair, NULL);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_FORGED);
    assert_non_null(strstr(pair.fault.text, "is for another name"));
    pair_close(&pair);
}

static void exchange__nobody_listens__says_so(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair);
    hub_stop(&pair.hub, 0);
    hub_await_closed(&pair.hub);
    open_client(&pair, NULL);
    assert_int_equal(get(&pair, "/who", ""), SOTTO_IO);
    assert_non_null(strstr(pair.fault.text, "nobody listens at https://127.0.0.1:"));
    pair_close(&pair);
}

static void exchange__no_answer_in_time__says_so(void **state)
{
    struct sotto_exchange exchange = {
        .method = "GET", .path = "/wait", .timeout_ms = 300, .answer_max = 16};
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    assert_int_equal(sotto_client_exchange(pair.client, &exchange, &pair.fault), SOTTO_IO);
    assert_non_null(strstr(pair.fault.text, "did not answer in time"));
    hub_await_gone(&pair.hub, 1);
    pair_close(&pair);
}

static void exchange__several__use_one_connection_and_are_counted(void **state)
{
    struct sotto_server_counters counters;
    uint64_t bytes_up = 0;
    uint64_t bytes_down = 0;
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    for (size_t count = 0; count < 5; count++)
        assert_int_equal(get(&pair, "/who", "nobody"), SOTTO_OK);
    sotto_client_counters(pair.client, &bytes_up, &bytes_down);
    hub_stop(&pair.hub, 0);
    counters = hub_counters(&pair.hub);
    assert_int_equal(counters.connections_total, 1);
    assert_int_equal(counters.requests_total, 5);
    assert_int_equal(counters.connections_open, 0);
    assert_in_range(bytes_up, 5 * 40, counters.bytes_in_total);
    assert_in_range(bytes_down, 5 * 40, counters.bytes_out_total);
    pair_close(&pair);
}

static void exchange__answer_above_the_limit__is_over_limit(void **state)
{
    struct sotto_exchange exchange = {
        .method = "GET", .path = "/bytes?count=5000000", .answer_max = 4999999};
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    assert_int_equal(fetch(&pair, &exchange), SOTTO_OVER_LIMIT);
    assert_null(exchange.answer);
    exchange.answer_max = 5000000;
    assert_int_equal(fetch(&pair, &exchange), SOTTO_OK);
    assert_int_equal(exchange.answer_length, 5000000);
    free(exchange.answer);
    pair_close(&pair);
}

static void exchange__problem_longer_than_the_limit__is_still_read(void **state)
{
    struct sotto_exchange exchange = {.method = "GET", .path = "/nowhere", .answer_max = 1};
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    assert_int_equal(fetch(&pair, &exchange), SOTTO_OK);
    assert_int_equal(exchange.status, 404);
    assert_string_equal((const char *)exchange.answer, "{\"title\":\"Not Found\",\"status\":404,"
                                                       "\"detail\":\"no such \\\"thing\\\"\"}\n");
    free(exchange.answer);
    pair_close(&pair);
}

static void exchange__refused_at_its_head__body_is_not_needed(void **state)
{
    static uint8_t body[1 << 20];
    struct sotto_exchange exchange = {
        .method = "PUT", .path = "/refused", .body = {body, sizeof body}};
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    assert_int_equal(fetch(&pair, &exchange), SOTTO_OK);
    assert_int_equal(exchange.status, 403);
    free(exchange.answer);
    pair_close(&pair);
}

static void exchange__body_of_3_mib__comes_whole(void **state)
{
    static uint8_t body[3 << 20];
    struct sotto_exchange exchange = {
        .method = "PUT", .path = "/count", .body = {body, sizeof body}};
    struct pair pair;

    (void)state;
    pair_open(&pair);
    open_client(&pair, NULL);
    assert_int_equal(fetch(&pair, &exchange), SOTTO_OK);
    assert_string_equal((const char *)exchange.answer, "3145728");
    free(exchange.answer);
    pair_close(&pair);
}

static void open__bad_settings__name_what_is_wrong(void **state)
{
    struct sotto_client_setup setup = {.url = "http://127.0.0.1:1"};
    struct sotto_digest pin = {{0}};
    struct sotto_client *client = NULL;
    struct sotto_fault fault;

    (void)state;
    setup.authority = &pin;
    assert_int_equal(sotto_client_open(&client, &setup, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "http://127.0.0.1:1"));
    setup.url = "https://127.0.0.1:1/path";
    assert_int_equal(sotto_client_open(&client, &setup, &fault), SOTTO_MALFORMED);
    setup.url = "https://127.0.0.1:1";
    setup.authority_path = "/nonexistent/ca.pem";
    assert_int_equal(sotto_client_open(&client, &setup, &fault), SOTTO_NOT_FOUND);
    assert_non_null(strstr(fault.text, "/nonexistent/ca.pem"));
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchange__with_a_certificate__server_knows_the_caller),
        cmocka_unit_test(exchange__without_a_certificate__is_nobody),
        cmocka_unit_test(exchange__certificate_of_another_authority__is_refused_by_the_server),
        cmocka_unit_test(exchange__client_certificate_expired__is_refused_by_the_server),
        cmocka_unit_test(exchange__server_certificate_expired__says_to_check_the_clock),
        cmocka_unit_test(exchange__server_certificate_of_tomorrow__says_to_check_the_clock),
        cmocka_unit_test(exchange__fingerprint_of_the_authority__is_enough),
        cmocka_unit_test(exchange__another_fingerprint__is_forged),
        cmocka_unit_test(exchange__pinned_authority_shown_but_not_the_issuer__is_forged),
        cmocka_unit_test(exchange__another_authority_in_the_file__is_forged),
        cmocka_unit_test(exchange__server_under_another_name__is_forged),
        cmocka_unit_test(exchange__nobody_listens__says_so),
        cmocka_unit_test(exchange__no_answer_in_time__says_so),
        cmocka_unit_test(exchange__several__use_one_connection_and_are_counted),
        cmocka_unit_test(exchange__answer_above_the_limit__is_over_limit),
        cmocka_unit_test(exchange__problem_longer_than_the_limit__is_still_read),
        cmocka_unit_test(exchange__refused_at_its_head__body_is_not_needed),
        cmocka_unit_test(exchange__body_of_3_mib__comes_whole),
        cmocka_unit_test(open__bad_settings__name_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
