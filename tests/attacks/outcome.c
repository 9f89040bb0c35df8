/*
 * Outcomes that the coordinator did not sign, or signed as something else, or for another round:
 * none may end a round or bring an adapter home.
 */
#include <string.h>

#include "tests/participant/sealer/circle.h"
#include "tests/support/cmocka.h"

static int circle_setup(void **state)
{
    *state = circle_open();
    return 0;
}

static int circle_teardown(void **state)
{
    circle_close(*state);
    return 0;
}

/* The honest outcome of the running round; its body borrows from `bytes`. */
static struct sotto_mail honest(const struct circle *circle, uint8_t *bytes)
{
    struct sotto_mail mail;

    assert_int_equal(
        sotto_mail_decode(&mail, circle_outcome_mail(circle, bytes, SOTTO_OUTCOME_FINISHED)),
        SOTTO_OK);
    return mail;
}

static void tell(struct circle *circle, const struct sotto_mail *mail)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_mail_encode(&buffer, mail), SOTTO_OK);
    circle_step(&circle->sites[0], &(struct sotto_turn_event){.kind = SOTTO_TURN_MAIL,
                                                              .bytes = sotto_view_buffer(&buffer)});
}

static void check_ignored(struct circle *circle, const struct sotto_mail *mail)
{
    struct sotto_turn *turn = circle->sites[0].turn;
    enum sotto_turn_phase phase = turn->phase;
    uint64_t ignored = turn->ignored_count;

    tell(circle, mail);
    assert_int_equal(turn->ignored_count, ignored + 1);
    assert_int_equal(turn->phase, phase);
    assert_int_equal(circle->sites[0].last.fetch_count, 0);
}

static void sign_as(const struct sotto_secret *signing, const char *label, struct sotto_mail *mail)
{
    struct sotto_signature signature;

    sotto_sign(&signature, signing, label, mail->body);
    memcpy(mail->signature, signature.bytes, sizeof mail->signature);
}

static void check_forgeries(struct circle *circle)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_mail mail = honest(circle, bytes);

    mail.signature[0] ^= 1;
    check_ignored(circle, &mail);
    sign_as(&circle->sites[1].identity, "sotto/1 outcome", &mail);
    check_ignored(circle, &mail);
    sign_as(&circle->signing, "sotto/1 plan", &mail);
    check_ignored(circle, &mail);
    sign_as(&circle->signing, "sotto/1 version", &mail);
    check_ignored(circle, &mail);
    mail = honest(circle, bytes);
    mail.round++;
    check_ignored(circle, &mail);
    mail = honest(circle, bytes);
    mail.campaign[0] = mail.campaign[0] == 'a' ? 'b' : 'a';
    check_ignored(circle, &mail);
}

static void outcome__forged_between_rounds__is_ignored(void **state)
{
    circle_bring(*state, SOTTO_PHASE_IDLE);
    check_forgeries(*state);
}

static void outcome__forged_after_the_upload__is_ignored(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_mail mail;

    circle_bring(circle, SOTTO_PHASE_CLOSING);
    check_forgeries(circle);
    mail = honest(circle, bytes);
    tell(circle, &mail);
    assert_int_equal(circle->sites[0].turn->phase, SOTTO_PHASE_RETURNING);
}

/* The coordinator's own, replayed into a later round. */
static void outcome__of_an_earlier_round__does_not_end_this_one(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_mail mail;

    circle_begin(circle);
    mail = honest(circle, bytes);
    circle->plan.round++;
    circle_bring(circle, SOTTO_PHASE_WORKING);
    check_ignored(circle, &mail);
}

int main(void)
{
#define CIRCLE_TEST(test) cmocka_unit_test_setup_teardown(test, circle_setup, circle_teardown)
    const struct CMUnitTest tests[] = {
        CIRCLE_TEST(outcome__forged_between_rounds__is_ignored),
        CIRCLE_TEST(outcome__forged_after_the_upload__is_ignored),
        CIRCLE_TEST(outcome__of_an_earlier_round__does_not_end_this_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
