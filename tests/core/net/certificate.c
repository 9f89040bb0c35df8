#include "core/net/certificate.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "core/net/authority.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { NOW_S = 1800000000, DAY_S = 86400 };

/* An authority and a request that waits for it. */
struct office {
    struct sotto_authority authority;
    struct sotto_key key;
    uint8_t der[SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer request;
    struct sotto_client_subject subject;
    struct sotto_certificate certificate;
    struct sotto_fault fault;
};

static void office_open(struct office *office, enum sotto_key_kind kind)
{
    office->certificate.length = 0;
    office->request = sotto_buffer_of(office->der, sizeof office->der);
    office->subject = (struct sotto_client_subject){
        .common_name = "clinic-1", .organisational_unit = "site", .now_s = NOW_S};
    assert_int_equal(sotto_authority_make(&office->authority, "Test", NOW_S, NULL), SOTTO_OK);
    assert_int_equal(sotto_certificate_request_make(&office->key, &office->request, kind, NULL),
                     SOTTO_OK);
}

static enum sotto_status issue(struct office *office)
{
    return sotto_authority_issue_client(&office->authority, &office->certificate,
                                        sotto_view_buffer(&office->request), &office->subject,
                                        &office->fault);
}

static enum sotto_status check(struct office *office, uint64_t now_s)
{
    struct sotto_certificate_terms terms = {
        .key = &office->key, .authority = &office->authority.certificate, .now_s = now_s};

    return sotto_certificate_check(&office->certificate, &terms, &office->fault);
}

static X509 *parsed(const struct sotto_certificate *certificate)
{
    const unsigned char *at = certificate->der;
    X509 *x509 = d2i_X509(NULL, &at, (long)certificate->length);

    assert_non_null(x509);
    return x509;
}

static void authority__made__may_sign_certificates_one_deep(void **state)
{
    struct sotto_certificate_period period;
    struct office office;
    X509 *x509 = NULL;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    x509 = parsed(&office.authority.certificate);
    assert_int_equal(X509_check_ca(x509), 1);
    assert_int_equal(X509_get_pathlen(x509), 0);
    assert_int_equal(X509_get_key_usage(x509), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    X509_free(x509);
    assert_int_equal(sotto_certificate_period(&period, &office.authority.certificate), SOTTO_OK);
    assert_int_equal(period.from_s, NOW_S - SOTTO_CLOCK_SKEW_S);
    assert_int_equal(period.until_s, NOW_S + (uint64_t)SOTTO_AUTHORITY_DAYS * DAY_S);
}

static void client__organisation__is_in_the_subject(void **state)
{
    char found[SOTTO_SUBJECT_ORGANISATION_MAX + 1] = "as before";
    char longest[SOTTO_SUBJECT_ORGANISATION_MAX + 2] = {0};
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    assert_int_equal(sotto_certificate_organisation(found, &office.certificate), SOTTO_MALFORMED);
    assert_string_equal(found, "as before");
    assert_int_equal(issue(&office), SOTTO_OK);
    assert_int_equal(sotto_certificate_organisation(found, &office.certificate), SOTTO_OK);
    assert_string_equal(found, "");
    memset(longest, 'o', SOTTO_SUBJECT_ORGANISATION_MAX);
    office.subject.organisation = longest;
    assert_int_equal(issue(&office), SOTTO_OK);
    assert_int_equal(sotto_certificate_organisation(found, &office.certificate), SOTTO_OK);
    assert_string_equal(found, longest);
    longest[SOTTO_SUBJECT_ORGANISATION_MAX] = 'o';
    assert_int_equal(issue(&office), SOTTO_MALFORMED);
}

static void client__both_kinds_of_key__get_a_good_certificate(void **state)
{
    static const enum sotto_key_kind kinds[] = {SOTTO_KEY_P256, SOTTO_KEY_ED25519};

    (void)state;
    for (size_t index = 0; index < 2; index++) {
        struct office office;
        X509 *x509 = NULL;

        office_open(&office, kinds[index]);
        assert_int_equal(issue(&office), SOTTO_OK);
        assert_int_equal(check(&office, NOW_S), SOTTO_OK);
        x509 = parsed(&office.certificate);
        assert_int_equal(X509_get_extended_key_usage(x509), XKU_SSL_CLIENT);
        assert_int_equal(X509_check_ca(x509), 0);
        X509_free(x509);
    }
}

static void ask_to_be_administrator(struct office *office)
{
    EVP_PKEY *pkey = sotto_key_decode(sotto_view_text(office->key.pem));
    X509_REQ *req = X509_REQ_new();
    unsigned char *at = office->der;

    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "OU", MBSTRING_ASC,
                               (const unsigned char *)"administrator", -1, -1, 0);
    X509_REQ_set_pubkey(req, pkey);
    X509_REQ_sign(req, pkey, EVP_sha256());
    office->request.length = (size_t)i2d_X509_REQ(req, &at);
    X509_REQ_free(req);
    EVP_PKEY_free(pkey);
}

static void client__asked_for_another_subject__gets_the_one_it_was_given(void **state)
{
    char text[128];
    struct office office;
    X509 *x509 = NULL;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    ask_to_be_administrator(&office);
    assert_int_equal(issue(&office), SOTTO_OK);
    x509 = parsed(&office.certificate);
    X509_NAME_oneline(X509_get_subject_name(x509), text, sizeof text);
    assert_string_equal(text, "/OU=site/CN=clinic-1");
    X509_free(x509);
}

static void client__bad_subject__is_malformed(void **state)
{
    char long_name[SOTTO_SUBJECT_PART_MAX + 2];
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    office.subject.common_name = long_name;
    assert_int_equal(issue(&office), SOTTO_MALFORMED);
    office.subject.common_name = "";
    assert_int_equal(issue(&office), SOTTO_MALFORMED);
    office.subject.common_name = "a\nb";
    assert_int_equal(issue(&office), SOTTO_MALFORMED);
    office.subject.common_name = long_name + 1;
    assert_int_equal(issue(&office), SOTTO_OK);
}

static void request__changed_on_its_way__is_not_accepted(void **state)
{
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_ED25519);
    office.der[office.request.length - 1] ^= 1;
    assert_int_equal(issue(&office), SOTTO_FORGED);
    assert_int_equal(office.certificate.length, 0);
    office.der[office.request.length - 1] ^= 1;
    office.request.length--;
    assert_int_equal(issue(&office), SOTTO_MALFORMED);
    office.request.length += 2;
    assert_int_equal(issue(&office), SOTTO_MALFORMED);
}

static void request__with_an_rsa_key__is_refused(void **state)
{
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    struct office office;
    int length = 0;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    X509_REQ_set_pubkey(req, rsa);
    X509_REQ_sign(req, rsa, EVP_sha256());
    length = i2d_X509_REQ(req, &der);
    assert_int_equal(sotto_authority_issue_client(&office.authority, &office.certificate,
                                                  sotto_view_of(der, (size_t)length),
                                                  &office.subject, &office.fault),
                     SOTTO_REFUSED);
    assert_non_null(strstr(office.fault.text, "P-256 or Ed25519"));
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(rsa);
}

static void check__other_key_authority_or_time__is_told_apart(void **state)
{
    struct sotto_key own;
    struct office office;
    struct office other;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    office_open(&other, SOTTO_KEY_P256);
    assert_int_equal(issue(&office), SOTTO_OK);
    memcpy(&own, &office.key, sizeof own);
    memcpy(&office.key, &other.key, sizeof own);
    assert_int_equal(check(&office, NOW_S), SOTTO_MISMATCH);
    memcpy(&office.key, &own, sizeof own);
    assert_int_equal(check(&office, NOW_S + UINT64_C(366) * DAY_S), SOTTO_FORGED);
    assert_int_equal(check(&office, NOW_S - UINT64_C(2) * SOTTO_CLOCK_SKEW_S), SOTTO_FORGED);
    assert_int_equal(check(&office, NOW_S - SOTTO_CLOCK_SKEW_S / 2), SOTTO_OK);
    office.authority.certificate = other.authority.certificate;
    assert_int_equal(check(&office, NOW_S), SOTTO_FORGED);
}

static void check__server_certificate__is_not_one_for_clients(void **state)
{
    static const char *const names[] = {"hub.example"};
    struct sotto_server_subject subject = {.names = names, .name_count = 1, .now_s = NOW_S};
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    assert_int_equal(sotto_authority_issue_server(&office.authority, &office.certificate,
                                                  &office.key, &subject, NULL),
                     SOTTO_OK);
    assert_int_equal(check(&office, NOW_S), SOTTO_FORGED);
}

static void server__names_and_addresses__are_those_it_answers_to(void **state)
{
    static const char *const names[] = {"hub.example", "10.1.2.3", "::1"};
    struct sotto_server_subject subject = {.names = names, .name_count = 3, .now_s = NOW_S};
    struct office office;
    X509 *x509 = NULL;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    assert_int_equal(sotto_authority_issue_server(&office.authority, &office.certificate,
                                                  &office.key, &subject, NULL),
                     SOTTO_OK);
    x509 = parsed(&office.certificate);
    assert_int_equal(X509_check_host(x509, "hub.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(x509, "other.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(x509, "10.1.2.3", 0), 1);
    assert_int_equal(X509_check_ip_asc(x509, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x509, "10.1.2.4", 0), 0);
    assert_int_equal(X509_get_extended_key_usage(x509), XKU_SSL_SERVER);
    X509_free(x509);
}

static void server__name_that_is_none__is_named(void **state)
{
    static const char *const bad[] = {"", "hub example", "hub,DNS:evil", "hub:7443", "-hub"};
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++) {
        struct sotto_server_subject subject = {
            .names = &bad[index], .name_count = 1, .now_s = NOW_S};

        assert_int_equal(sotto_authority_issue_server(&office.authority, &office.certificate,
                                                      &office.key, &subject, &office.fault),
                         SOTTO_MALFORMED);
        assert_non_null(strstr(office.fault.text, bad[index]));
        assert_int_equal(office.key.pem[0], 0);
    }
}

static void pem__written_and_read__is_the_same_certificate(void **state)
{
    char pem[SOTTO_CERTIFICATE_PEM_MAX];
    struct sotto_certificate back = {.length = 0};
    struct sotto_digest left, right;
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    sotto_certificate_to_pem(pem, &office.authority.certificate);
    assert_int_equal(sotto_certificate_from_pem(&back, sotto_view_text(pem)), SOTTO_OK);
    assert_true(sotto_view_equal(sotto_certificate_der(&back),
                                 sotto_certificate_der(&office.authority.certificate)));
    sotto_certificate_digest(&left, &back);
    sotto_certificate_digest(&right, &office.authority.certificate);
    assert_true(sotto_digest_equal(&left, &right));
    back.der[back.length - 1] ^= 1;
    sotto_certificate_digest(&left, &back);
    assert_false(sotto_digest_equal(&left, &right));
}

static void der__trailing_byte_or_rubbish__is_malformed(void **state)
{
    struct sotto_certificate out = {.length = 7};
    struct office office;
    struct sotto_certificate *from = &office.authority.certificate;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    assert_int_equal(sotto_certificate_from_der(&out, sotto_view_of(from->der, from->length + 1)),
                     SOTTO_MALFORMED);
    assert_int_equal(sotto_certificate_from_der(&out, sotto_view_of(from->der, from->length - 1)),
                     SOTTO_MALFORMED);
    assert_int_equal(sotto_certificate_from_der(&out, sotto_view_text("rubbish")), SOTTO_MALFORMED);
    assert_int_equal(sotto_certificate_from_pem(&out, sotto_view_text("rubbish")), SOTTO_MALFORMED);
    assert_int_equal(out.length, 7);
}

static void authority__read_back__issues(void **state)
{
    char pem[SOTTO_CERTIFICATE_PEM_MAX];
    struct sotto_authority back;
    struct folder_path certificate, key;
    struct folder folder;
    struct office office;

    (void)state;
    office_open(&office, SOTTO_KEY_P256);
    folder_open(&folder);
    sotto_certificate_to_pem(pem, &office.authority.certificate);
    folder_write(&folder, "ca.pem", sotto_view_text(pem));
    folder_write(&folder, "ca.key", sotto_view_text(office.authority.key.pem));
    folder_write(&folder, "other.key", sotto_view_text(office.key.pem));
    certificate = folder_path(&folder, "ca.pem");
    key = folder_path(&folder, "ca.key");
    assert_int_equal(sotto_authority_read(&back, certificate.text, key.text, NULL), SOTTO_OK);
    office.authority = back;
    assert_int_equal(issue(&office), SOTTO_OK);
    assert_int_equal(check(&office, NOW_S), SOTTO_OK);
    key = folder_path(&folder, "other.key");
    assert_int_equal(sotto_authority_read(&back, certificate.text, key.text, &office.fault),
                     SOTTO_MISMATCH);
    key = folder_path(&folder, "none.key");
    assert_int_equal(sotto_authority_read(&back, certificate.text, key.text, &office.fault),
                     SOTTO_NOT_FOUND);
    assert_int_equal(back.key.pem[0], 0);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authority__made__may_sign_certificates_one_deep),
        cmocka_unit_test(client__organisation__is_in_the_subject),
        cmocka_unit_test(client__both_kinds_of_key__get_a_good_certificate),
        cmocka_unit_test(client__asked_for_another_subject__gets_the_one_it_was_given),
        cmocka_unit_test(client__bad_subject__is_malformed),
        cmocka_unit_test(request__changed_on_its_way__is_not_accepted),
        cmocka_unit_test(request__with_an_rsa_key__is_refused),
        cmocka_unit_test(check__other_key_authority_or_time__is_told_apart),
        cmocka_unit_test(check__server_certificate__is_not_one_for_clients),
        cmocka_unit_test(server__names_and_addresses__are_those_it_answers_to),
        cmocka_unit_test(server__name_that_is_none__is_named),
        cmocka_unit_test(pem__written_and_read__is_the_same_certificate),
        cmocka_unit_test(der__trailing_byte_or_rubbish__is_malformed),
        cmocka_unit_test(authority__read_back__issues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
