/* What a participant refuses after the cohort, with the coordinator as the attacker. */
#include <string.h>

#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "tests/crypto/secagg_forgery.h"
#include "tests/support/cmocka.h"

enum { COUNT = 6, VICTIM = 2, ABSENT = 4, ALL = (1 << COUNT) - 1, SHARED = ALL & ~(1 << ABSENT) };

struct scene {
    struct chorus *chorus;
    struct sotto_digest context;
};

/* Six have advertised. n = 6: t = 4, floor 5. */
static int scene_open(void **state)
{
    static struct scene scene;
    struct chorus_setup setup = chorus_setup_of(COUNT, 8);

    scene.chorus = chorus_open(&setup);
    chorus_play_until(scene.chorus, SOTTO_STAGE_SHARING);
    scene.context = forged_context(scene.chorus);
    *state = &scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;

    chorus_close(scene->chorus);
    return 0;
}

static void check(struct scene *scene, enum sotto_member_event_kind kind, struct sotto_view bytes,
                  enum sotto_refusal refusal)
{
    struct sotto_member_effects effects = chorus_tell(scene->chorus, VICTIM, kind, bytes);

    assert_string_equal(sotto_refusal_name(effects.refusal), sotto_refusal_name(refusal));
    assert_int_equal(effects.send.length, 0);
    assert_int_equal(effects.store.length, 0);
    assert_false(effects.is_done || effects.is_ready_to_mask);
}

/* Everybody but ABSENT has shared. */
static struct sotto_view inbox(struct scene *scene)
{
    assert_int_equal(chorus_play(scene->chorus, SHARED), SOTTO_STAGE_UPLOADING);
    return chorus_mail(scene->chorus, VICTIM);
}

static void inbox__one_byte_short__is_malformed(void **state)
{
    struct sotto_view mail = inbox(*state);

    mail.length--;
    check(*state, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_INBOX_MALFORMED);
}

static void inbox__one_byte_more__is_malformed(void **state)
{
    struct sotto_view mail = inbox(*state);

    mail.length++;
    check(*state, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_INBOX_MALFORMED);
}

static void inbox__from_a_stranger__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inbox(scene);

    scene->chorus->wire[0] |= 1 << COUNT;
    mail.length += 96;
    check(scene, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_INBOX_MALFORMED);
}

static void inbox__without_the_receiver__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inbox(scene);

    scene->chorus->wire[0] = (uint8_t)(scene->chorus->wire[0] & ~(1u << VICTIM));
    mail.length -= 96;
    check(scene, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_INBOX_MALFORMED);
}

static void inbox__flipped_bit__does_not_open(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inbox(scene);

    scene->chorus->wire[mail.length - 1] ^= 1;
    check(scene, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_SHARE_SEALED);
}

static void inbox__sealed_for_another__does_not_open(void **state)
{
    struct scene *scene = *state;

    (void)inbox(scene);
    check(scene, SOTTO_MEMBER_INBOX, chorus_mail(scene->chorus, VICTIM + 1),
          SOTTO_REFUSAL_SHARE_SEALED);
}

static void inbox__shares_of_two_senders_exchanged__does_not_open(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inbox(scene);
    uint8_t first[96];

    memcpy(first, scene->chorus->wire + 1, 96);
    memcpy(scene->chorus->wire + 1, scene->chorus->wire + 1 + 96, 96);
    memcpy(scene->chorus->wire + 1 + 96, first, 96);
    check(scene, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_SHARE_SEALED);
}

static void inbox__one_sender_too_few__is_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inbox(scene);

    scene->chorus->wire[0] = (uint8_t)(scene->chorus->wire[0] & ~1u);
    mail.length -= 96;
    check(scene, SOTTO_MEMBER_INBOX, mail, SOTTO_REFUSAL_TOO_FEW_SHARED);
}

/* The five that shared have uploaded. */
static void upload(struct scene *scene)
{
    assert_int_equal(chorus_play(scene->chorus, SHARED), SOTTO_STAGE_UPLOADING);
    assert_int_equal(chorus_play(scene->chorus, SHARED), SOTTO_STAGE_INCLUDING);
}

static void check_survivors(struct scene *scene, uint32_t places, enum sotto_refusal refusal)
{
    check(scene, SOTTO_MEMBER_SURVIVORS, forged_survivors(scene->chorus, &scene->context, places),
          refusal);
}

static void survivors__one_byte_short__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail;

    upload(scene);
    mail = chorus_mail(scene->chorus, VICTIM);
    mail.length--;
    check(scene, SOTTO_MEMBER_SURVIVORS, mail, SOTTO_REFUSAL_SURVIVORS_MALFORMED);
}

static void survivors__other_count_than_bits__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail;

    upload(scene);
    mail = chorus_mail(scene->chorus, VICTIM);
    scene->chorus->wire[1]++;
    check(scene, SOTTO_MEMBER_SURVIVORS, mail, SOTTO_REFUSAL_SURVIVORS_MALFORMED);
}

static void survivors__bit_beyond_the_cohort__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail;

    upload(scene);
    mail = chorus_mail(scene->chorus, VICTIM);
    scene->chorus->wire[0] |= 1 << COUNT;
    scene->chorus->wire[1]++;
    check(scene, SOTTO_MEMBER_SURVIVORS, mail, SOTTO_REFUSAL_SURVIVORS_MALFORMED);
}

static void survivors__flipped_signature__is_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail;

    upload(scene);
    mail = chorus_mail(scene->chorus, VICTIM);
    scene->chorus->wire[mail.length - 1] ^= 1;
    check(scene, SOTTO_MEMBER_SURVIVORS, mail, SOTTO_REFUSAL_SURVIVORS_SIGNATURE);
}

static void survivors__signed_for_another_cohort__is_refused(void **state)
{
    struct scene *scene = *state;

    upload(scene);
    scene->context.bytes[0] ^= 1;
    check_survivors(scene, SHARED, SOTTO_REFUSAL_SURVIVORS_SIGNATURE);
}

static void survivors__own_bit_clear__is_refused(void **state)
{
    struct scene *scene = *state;

    upload(scene);
    check_survivors(scene, SHARED & ~(1u << VICTIM), SOTTO_REFUSAL_OWN_BIT);
}

static void survivors__one_that_did_not_share__is_refused(void **state)
{
    struct scene *scene = *state;

    upload(scene);
    check_survivors(scene, ALL, SOTTO_REFUSAL_SURVIVOR_STRANGER);
}

static void survivors__below_the_floor__is_refused(void **state)
{
    struct scene *scene = *state;

    upload(scene);
    check_survivors(scene, SHARED & ~1u, SOTTO_REFUSAL_TOO_FEW_SURVIVORS);
}

/* Two sets for one context: the second would let the coordinator take the difference. */
static void survivors__a_second_set__is_refused(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(chorus_play(scene->chorus, ALL), SOTTO_STAGE_UPLOADING);
    assert_int_equal(chorus_play(scene->chorus, ALL), SOTTO_STAGE_INCLUDING);
    (void)chorus_answer(scene->chorus, VICTIM);
    check_survivors(scene, SHARED, SOTTO_REFUSAL_SECOND_MESSAGE);
}

/* All five survivors have confirmed; the victim waits for their MACs. */
static struct sotto_view inclusions(struct scene *scene)
{
    upload(scene);
    assert_int_equal(chorus_play(scene->chorus, SHARED), SOTTO_STAGE_REVEALING);
    return chorus_mail(scene->chorus, VICTIM);
}

static void inclusions__one_byte_short__is_refused(void **state)
{
    struct sotto_view mail = inclusions(*state);

    mail.length--;
    check(*state, SOTTO_MEMBER_INCLUSIONS, mail, SOTTO_REFUSAL_INCLUSION);
}

static void inclusions__one_mac_too_few__is_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inclusions(scene);

    scene->chorus->wire[0] = (uint8_t)(scene->chorus->wire[0] & ~(1u << (COUNT - 1)));
    mail.length -= 16;
    check(scene, SOTTO_MEMBER_INCLUSIONS, mail, SOTTO_REFUSAL_INCLUSION);
}

static void inclusions__one_mac_flipped_of_just_enough__is_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inclusions(scene);

    scene->chorus->wire[mail.length - 1] ^= 1;
    check(scene, SOTTO_MEMBER_INCLUSIONS, mail, SOTTO_REFUSAL_INCLUSION);
}

/* A MAC for one neighbour is none for another. */
static void inclusions__meant_for_another__are_refused(void **state)
{
    struct scene *scene = *state;

    (void)inclusions(scene);
    check(scene, SOTTO_MEMBER_INCLUSIONS, chorus_mail(scene->chorus, VICTIM + 1),
          SOTTO_REFUSAL_INCLUSION);
}

/* The MAC that a colluding ABSENT makes for the victim, over a set in which it is not. */
static void collude(struct scene *scene, uint8_t mac[SOTTO_INCLUSION_MAC_BYTES], uint32_t places)
{
    struct chorus *chorus = scene->chorus;
    const struct sotto_pair pair = {
        .context = &scene->context, .self = chorus_id(ABSENT), .peer = chorus_id(VICTIM)};
    struct sotto_x25519_public share_key;
    struct sotto_secrets absent;
    struct sotto_secrets victim;
    struct sotto_x25519_own own;
    struct sotto_pair_keys keys;
    struct sotto_seats set = {.bits = {(uint8_t)places}};
    struct sotto_digest digest;

    sotto_secrets_derive(&absent, &chorus->seeds[ABSENT], &chorus->terms.context);
    sotto_secrets_derive(&victim, &chorus->seeds[VICTIM], &chorus->terms.context);
    sotto_x25519_public_of(&share_key, &victim.share_key);
    sotto_x25519_open(&own, &absent.share_key);
    assert_int_equal(sotto_pair_keys_derive(&keys, &own, &share_key, &pair), SOTTO_OK);
    sotto_x25519_close(&own);
    sotto_seats_digest(&digest, &set, COUNT);
    sotto_inclusion_mac(mac, &keys.confirm,
                        &(struct sotto_inclusion_claim){&scene->context, &digest});
}

/* ABSENT shared and did not upload; its MAC takes the place of the last survivor's. */
static void inclusions__from_one_that_is_no_survivor__do_not_count(void **state)
{
    struct scene *scene = *state;
    uint8_t *wire = scene->chorus->wire;
    struct sotto_view mail;

    assert_int_equal(chorus_play(scene->chorus, ALL), SOTTO_STAGE_UPLOADING);
    assert_int_equal(chorus_play(scene->chorus, SHARED), SOTTO_STAGE_INCLUDING);
    assert_int_equal(chorus_play(scene->chorus, SHARED), SOTTO_STAGE_REVEALING);
    mail = chorus_mail(scene->chorus, VICTIM);
    wire[0] = (uint8_t)((wire[0] & ~(1u << (COUNT - 1))) | 1u << ABSENT);
    collude(scene, wire + mail.length - SOTTO_INCLUSION_MAC_BYTES, SHARED);
    check(scene, SOTTO_MEMBER_INCLUSIONS, mail, SOTTO_REFUSAL_INCLUSION);
}

static void reveal__once__nothing_is_answered_any_more(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = inclusions(scene);

    assert_true(chorus_tell(scene->chorus, VICTIM, SOTTO_MEMBER_INCLUSIONS, mail).is_done);
    for (int kind = SOTTO_MEMBER_BEGIN; kind <= SOTTO_MEMBER_INCLUSIONS; kind++)
        check(scene, (enum sotto_member_event_kind)kind, mail, SOTTO_REFUSAL_AFTER_REVEAL);
}

/* Two vectors under one set of masks: their difference would be that of two updates. */
static void mask__a_second_time__leaves_the_lanes_untouched(void **state)
{
    struct scene *scene = *state;
    const struct sotto_protocol *protocol = scene->chorus->protocol;
    struct sotto_member *member = scene->chorus->members[VICTIM];
    const uint32_t zeros[8] = {0};
    uint32_t lanes[8] = {0};

    assert_int_equal(protocol->member_mask(member, lanes, 8), SOTTO_UNEXPECTED);
    assert_true(
        chorus_tell(scene->chorus, VICTIM, SOTTO_MEMBER_INBOX, inbox(scene)).is_ready_to_mask);
    assert_int_equal(protocol->member_mask(member, lanes, 7), SOTTO_MISMATCH);
    assert_memory_equal(lanes, zeros, sizeof lanes);
    assert_int_equal(protocol->member_mask(member, lanes, 8), SOTTO_OK);
    assert_memory_not_equal(lanes, zeros, sizeof lanes);
    memset(lanes, 0, sizeof lanes);
    assert_int_equal(protocol->member_mask(member, lanes, 8), SOTTO_UNEXPECTED);
    assert_memory_equal(lanes, zeros, sizeof lanes);
}

/* The refusal stays the first one, whatever comes. */
static void refusal__once__is_given_for_ever(void **state)
{
    struct scene *scene = *state;

    upload(scene);
    check_survivors(scene, SHARED & ~(1u << VICTIM), SOTTO_REFUSAL_OWN_BIT);
    for (int kind = SOTTO_MEMBER_BEGIN; kind <= SOTTO_MEMBER_INCLUSIONS; kind++)
        check(scene, (enum sotto_member_event_kind)kind, chorus_mail(scene->chorus, VICTIM),
              SOTTO_REFUSAL_OWN_BIT);
}

static void refusal__every_one__has_a_name_and_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (int refusal = 0; refusal < SOTTO_REFUSAL_COUNT; refusal++) {
        const char *name = sotto_refusal_name((enum sotto_refusal)refusal);

        assert_non_null(name);
        assert_true(strlen(sotto_refusal_sentence((enum sotto_refusal)refusal)) > 0);
        assert_string_not_equal(name, "unknown");
        for (int other = 0; other < refusal; other++)
            assert_string_not_equal(name, sotto_refusal_name((enum sotto_refusal)other));
    }
    assert_string_equal(sotto_refusal_name(SOTTO_REFUSAL_COUNT), "unknown");
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_open, scene_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(inbox__one_byte_short__is_malformed),
        SCENE_TEST(inbox__one_byte_more__is_malformed),
        SCENE_TEST(inbox__from_a_stranger__is_malformed),
        SCENE_TEST(inbox__without_the_receiver__is_malformed),
        SCENE_TEST(inbox__flipped_bit__does_not_open),
        SCENE_TEST(inbox__sealed_for_another__does_not_open),
        SCENE_TEST(inbox__shares_of_two_senders_exchanged__does_not_open),
        SCENE_TEST(inbox__one_sender_too_few__is_refused),
        SCENE_TEST(survivors__one_byte_short__is_malformed),
        SCENE_TEST(survivors__other_count_than_bits__is_malformed),
        SCENE_TEST(survivors__bit_beyond_the_cohort__is_malformed),
        SCENE_TEST(survivors__flipped_signature__is_refused),
        SCENE_TEST(survivors__signed_for_another_cohort__is_refused),
        SCENE_TEST(survivors__own_bit_clear__is_refused),
        SCENE_TEST(survivors__one_that_did_not_share__is_refused),
        SCENE_TEST(survivors__below_the_floor__is_refused),
        SCENE_TEST(survivors__a_second_set__is_refused),
        SCENE_TEST(inclusions__one_byte_short__is_refused),
        SCENE_TEST(inclusions__one_mac_too_few__is_refused),
        SCENE_TEST(inclusions__one_mac_flipped_of_just_enough__is_refused),
        SCENE_TEST(inclusions__meant_for_another__are_refused),
        SCENE_TEST(inclusions__from_one_that_is_no_survivor__do_not_count),
        SCENE_TEST(reveal__once__nothing_is_answered_any_more),
        SCENE_TEST(mask__a_second_time__leaves_the_lanes_untouched),
        SCENE_TEST(refusal__once__is_given_for_ever),
        cmocka_unit_test(refusal__every_one__has_a_name_and_a_sentence_of_its_own),
    };

    return cmocka_run_group_tests_name("secagg_refusals", tests, NULL, NULL);
}
