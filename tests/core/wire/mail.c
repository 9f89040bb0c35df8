#include "core/wire/mail.h"

#include <string.h>

#include "tests/support/cmocka.h"

static uint8_t bytes[SOTTO_MAIL_BYTES_MAX + 1024];
static uint8_t body[SOTTO_MAIL_BYTES_MAX + 1024];

static struct sotto_mail mail_sample(enum sotto_mail_kind kind)
{
    struct sotto_mail mail = {.kind = kind,
                              .campaign = "wards",
                              .round = 3,
                              .body = sotto_view_of(body, 100),
                              .signature = {[0] = 1, [63] = 2}};

    return mail;
}

static enum sotto_status pass(struct sotto_mail *out, const struct sotto_mail *mail)
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_mail_encode(&buffer, mail), SOTTO_OK);
    return sotto_mail_decode(out, sotto_view_buffer(&buffer));
}

static void mail__every_kind__comes_back(void **state)
{
    (void)state;
    memset(body, 0xab, sizeof body);
    for (int kind = SOTTO_MAIL_PLAN; kind <= SOTTO_MAIL_OUTCOME; kind++) {
        struct sotto_mail mail = mail_sample((enum sotto_mail_kind)kind);
        struct sotto_mail back;

        assert_int_equal(pass(&back, &mail), SOTTO_OK);
        assert_int_equal(back.kind, kind);
        assert_string_equal(back.campaign, "wards");
        assert_int_equal(back.round, 3);
        assert_true(sotto_view_equal(back.body, mail.body));
        assert_memory_equal(back.signature, mail.signature, 64);
    }
}

static void mail__no_kind_round_or_campaign__is_refused(void **state)
{
    struct sotto_mail mail = mail_sample(SOTTO_MAIL_NONE);
    struct sotto_mail back = {.round = 77};

    (void)state;
    assert_int_equal(pass(&back, &mail), SOTTO_MALFORMED);
    mail = mail_sample((enum sotto_mail_kind)(SOTTO_MAIL_OUTCOME + 1));
    assert_int_equal(pass(&back, &mail), SOTTO_OVER_LIMIT);
    mail = mail_sample(SOTTO_MAIL_PLAN);
    mail.round = 0;
    assert_int_equal(pass(&back, &mail), SOTTO_MALFORMED);
    mail = mail_sample(SOTTO_MAIL_PLAN);
    strcpy(mail.campaign, "../etc");
    assert_int_equal(pass(&back, &mail), SOTTO_MALFORMED);
    assert_int_equal(back.round, 77);
}

static void mail__body_too_long__is_over_limit_on_both_sides(void **state)
{
    struct sotto_mail mail = mail_sample(SOTTO_MAIL_COHORT);
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    (void)state;
    mail.body.length = SOTTO_MAIL_BYTES_MAX;
    assert_int_equal(sotto_mail_encode(&buffer, &mail), SOTTO_OVER_LIMIT);
    assert_int_equal(sotto_mail_decode(&mail, sotto_view_of(bytes, SOTTO_MAIL_BYTES_MAX + 1)),
                     SOTTO_OVER_LIMIT);
    buffer.length = 0;
    mail.body.length = SOTTO_MAIL_BYTES_MAX - 128;
    assert_int_equal(sotto_mail_encode(&buffer, &mail), SOTTO_OK);
    assert_int_equal(sotto_mail_decode(&mail, sotto_view_buffer(&buffer)), SOTTO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail__every_kind__comes_back),
        cmocka_unit_test(mail__no_kind_round_or_campaign__is_refused),
        cmocka_unit_test(mail__body_too_long__is_over_limit_on_both_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
