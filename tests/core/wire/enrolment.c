#include "core/wire/enrolment.h"

#include <string.h>

#include "tests/support/cmocka.h"

static void token_fill(struct sotto_token *token)
{
    *token = (struct sotto_token){.url = "https://hub.example:8443",
                                  .site = "north-2",
                                  .organisation = "North Hospital",
                                  .expires_s = 1800000000};
    memset(token->authority.bytes, 0xa1, sizeof token->authority.bytes);
    memset(token->secret, 0xb2, sizeof token->secret);
}

static void assert_tokens_equal(const struct sotto_token *left, const struct sotto_token *right)
{
    assert_string_equal(left->url, right->url);
    assert_string_equal(left->site, right->site);
    assert_string_equal(left->organisation, right->organisation);
    assert_true(sotto_digest_equal(&left->authority, &right->authority));
    assert_true(left->expires_s == right->expires_s);
    assert_memory_equal(left->secret, right->secret, sizeof left->secret);
}

static void token__one_line_of_text__comes_back(void **state)
{
    char text[SOTTO_TOKEN_TEXT_MAX];
    struct sotto_token token;
    struct sotto_token back;

    (void)state;
    token_fill(&token);
    assert_int_equal(sotto_token_encode(text, &token), SOTTO_OK);
    assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_"),
                     strlen(text));
    assert_int_equal(sotto_token_decode(&back, text), SOTTO_OK);
    assert_tokens_equal(&back, &token);
}

static void token__longest_fields__fit(void **state)
{
    char text[SOTTO_TOKEN_TEXT_MAX];
    struct sotto_token token;
    struct sotto_token back;

    (void)state;
    token_fill(&token);
    memset(token.url + 8, 'h', SOTTO_ADDRESS_MAX - 8);
    memset(token.site, 's', SOTTO_SITE_NAME_MAX);
    memset(token.organisation, 'o', SOTTO_ORGANISATION_MAX);
    token.expires_s = UINT64_MAX;
    assert_int_equal(sotto_token_encode(text, &token), SOTTO_OK);
    assert_int_equal(sotto_token_decode(&back, text), SOTTO_OK);
    assert_tokens_equal(&back, &token);
}

static void token__address_or_site_of_another_kind__is_malformed(void **state)
{
    const char *const urls[] = {"", "http://hub:1", "https://", "https://h ub", "https://h\x80"};
    const char *const sites[] = {"", "North", "a/b", "-x", "a.b"};
    const char *const organisations[] = {"", " x", "x ", "a\tb", "\xc3\xa9"};
    char text[SOTTO_TOKEN_TEXT_MAX];
    struct sotto_token token;
    struct sotto_token back = {.expires_s = 77};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        token_fill(&token);
        strcpy(token.url, urls[i]);
        assert_int_equal(sotto_token_encode(text, &token), SOTTO_OK);
        assert_int_equal(sotto_token_decode(&back, text), SOTTO_MALFORMED);
        token_fill(&token);
        strcpy(token.site, sites[i]);
        assert_int_equal(sotto_token_encode(text, &token), SOTTO_OK);
        assert_int_equal(sotto_token_decode(&back, text), SOTTO_MALFORMED);
        token_fill(&token);
        strcpy(token.organisation, organisations[i]);
        assert_int_equal(sotto_token_encode(text, &token), SOTTO_OK);
        assert_int_equal(sotto_token_decode(&back, text), SOTTO_MALFORMED);
    }
    assert_int_equal(back.expires_s, 77);
}

static void token__not_base64_or_too_long__is_refused(void **state)
{
    char text[2 * SOTTO_TOKEN_TEXT_MAX];
    struct sotto_token token;

    (void)state;
    assert_int_equal(sotto_token_decode(&token, ""), SOTTO_MALFORMED);
    assert_int_equal(sotto_token_decode(&token, "not a token"), SOTTO_MALFORMED);
    memset(text, 'A', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(sotto_token_decode(&token, text), SOTTO_OVER_LIMIT);
}

static uint8_t der[SOTTO_CERTIFICATE_BYTES_MAX + 1];
static uint8_t bytes[2 * SOTTO_ENROL_BYTES_MAX];

static enum sotto_status pass_request(struct sotto_enrol_request *back, size_t der_length)
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_enrol_request request = {.certificate_request = sotto_view_of(der, der_length)};

    memset(der, 0xd3, sizeof der);
    memset(request.token_secret, 1, sizeof request.token_secret);
    memset(request.identity, 2, sizeof request.identity);
    memset(request.signature, 3, sizeof request.signature);
    assert_int_equal(sotto_enrol_request_encode(&buffer, &request), SOTTO_OK);
    return sotto_enrol_request_decode(back, sotto_view_buffer(&buffer));
}

static void enrol_request__encoded__comes_back(void **state)
{
    struct sotto_enrol_request back;

    (void)state;
    assert_int_equal(pass_request(&back, SOTTO_CERTIFICATE_BYTES_MAX), SOTTO_OK);
    assert_int_equal(back.token_secret[31], 1);
    assert_int_equal(back.identity[31], 2);
    assert_int_equal(back.signature[63], 3);
    assert_int_equal(back.certificate_request.length, SOTTO_CERTIFICATE_BYTES_MAX);
    assert_memory_equal(back.certificate_request.at, der, SOTTO_CERTIFICATE_BYTES_MAX);
}

static void enrol_request__certificate_empty_or_too_long__is_refused(void **state)
{
    struct sotto_enrol_request back;

    (void)state;
    assert_int_equal(pass_request(&back, 0), SOTTO_MALFORMED);
    assert_int_equal(pass_request(&back, SOTTO_CERTIFICATE_BYTES_MAX + 1), SOTTO_OVER_LIMIT);
}

static enum sotto_status pass_response(struct sotto_enrol_response *back, uint32_t id,
                                       size_t der_length)
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_enrol_response response = {.id = id,
                                            .certificate = sotto_view_of(der, der_length),
                                            .authority = sotto_view_of(der, 3)};

    memset(response.coordinator, 4, sizeof response.coordinator);
    memset(response.signature, 5, sizeof response.signature);
    assert_int_equal(sotto_enrol_response_encode(&buffer, &response), SOTTO_OK);
    return sotto_enrol_response_decode(back, sotto_view_buffer(&buffer));
}

static void enrol_response__encoded__comes_back(void **state)
{
    struct sotto_enrol_response back;

    (void)state;
    assert_int_equal(pass_response(&back, UINT32_MAX, SOTTO_CERTIFICATE_BYTES_MAX), SOTTO_OK);
    assert_int_equal(back.id, UINT32_MAX);
    assert_int_equal(back.certificate.length, SOTTO_CERTIFICATE_BYTES_MAX);
    assert_int_equal(back.authority.length, 3);
    assert_int_equal(back.coordinator[31], 4);
    assert_int_equal(back.signature[63], 5);
}

static void enrol_response__no_id_or_certificate__is_malformed(void **state)
{
    struct sotto_enrol_response back;

    (void)state;
    assert_int_equal(pass_response(&back, 0, 10), SOTTO_MALFORMED);
    assert_int_equal(pass_response(&back, 1, 0), SOTTO_MALFORMED);
    assert_int_equal(pass_response(&back, 1, SOTTO_CERTIFICATE_BYTES_MAX + 1), SOTTO_OVER_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token__one_line_of_text__comes_back),
        cmocka_unit_test(token__longest_fields__fit),
        cmocka_unit_test(token__address_or_site_of_another_kind__is_malformed),
        cmocka_unit_test(token__not_base64_or_too_long__is_refused),
        cmocka_unit_test(enrol_request__encoded__comes_back),
        cmocka_unit_test(enrol_request__certificate_empty_or_too_long__is_refused),
        cmocka_unit_test(enrol_response__encoded__comes_back),
        cmocka_unit_test(enrol_response__no_id_or_certificate__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
