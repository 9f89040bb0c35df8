/* What a participant refuses of a cohort, with the coordinator as the attacker. */
#include <string.h>

#include "tests/crypto/secagg_forgery.h"
#include "tests/support/cmocka.h"

enum { COUNT = 5, VICTIM = 1, NEIGHBOUR = 3 };

struct scene {
    struct chorus *chorus;
    struct forged_cohort forged;
};

/* Five have advertised; the victim waits for its cohort. */
static int scene_open(void **state)
{
    static struct scene scene;
    struct chorus_setup setup = chorus_setup_of(COUNT, 7);

    setup.survivors_min = 4;
    scene.chorus = chorus_open(&setup);
    chorus_play_until(scene.chorus, SOTTO_STAGE_SHARING);
    forged_cohort_read(&scene.forged, scene.chorus);
    *state = &scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;

    chorus_close(scene->chorus);
    return 0;
}

static void check_bytes(struct scene *scene, struct sotto_view bytes, enum sotto_refusal refusal)
{
    struct sotto_member_effects effects =
        chorus_tell(scene->chorus, VICTIM, SOTTO_MEMBER_COHORT, bytes);

    assert_string_equal(sotto_refusal_name(effects.refusal), sotto_refusal_name(refusal));
    assert_int_equal(effects.send.length == 0, refusal != SOTTO_REFUSAL_NONE);
}

static void check(struct scene *scene, enum sotto_refusal refusal)
{
    check_bytes(scene, forged_cohort_write(&scene->forged, scene->chorus), refusal);
}

static void cohort__forged_without_a_change__is_accepted(void **state)
{
    struct scene *scene = *state;

    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NONE);
}

static void cohort__one_byte_short__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = chorus_mail(scene->chorus, VICTIM);

    mail.length--;
    check_bytes(scene, mail, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__one_byte_more__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = chorus_mail(scene->chorus, VICTIM);

    mail.length++;
    check_bytes(scene, mail, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__empty__is_malformed(void **state)
{
    check_bytes(*state, (struct sotto_view){0}, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__leaf_of_other_keys__is_malformed(void **state)
{
    struct scene *scene = *state;

    scene->forged.leaves[NEIGHBOUR].bytes[0] ^= 1;
    check(scene, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__other_certificate_in_the_roster__is_malformed(void **state)
{
    struct scene *scene = *state;

    scene->chorus->entries[NEIGHBOUR].certificate.bytes[0] ^= 1;
    check(scene, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__not_in_order_of_id__is_malformed(void **state)
{
    struct scene *scene = *state;
    struct sotto_advert last = scene->forged.adverts[COUNT - 1];

    scene->forged.adverts[COUNT - 1] = scene->forged.adverts[NEIGHBOUR];
    scene->forged.adverts[NEIGHBOUR] = last;
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__flipped_signature__is_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_view mail = chorus_mail(scene->chorus, VICTIM);

    scene->chorus->wire[mail.length - 1] ^= 1;
    check_bytes(scene, mail, SOTTO_REFUSAL_COHORT_SIGNATURE);
}

static void cohort__signed_by_a_participant__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->chorus->signing = scene->chorus->identities[NEIGHBOUR];
    check(scene, SOTTO_REFUSAL_COHORT_SIGNATURE);
}

static void cohort__signed_for_another_plan__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->chorus->terms.context.bytes[0] ^= 1;
    check(scene, SOTTO_REFUSAL_COHORT_SIGNATURE);
}

static void cohort__below_the_floor__is_refused(void **state)
{
    struct scene *scene = *state;

    forged_cohort_remove(&scene->forged, NEIGHBOUR);
    forged_cohort_remove(&scene->forged, NEIGHBOUR);
    check(scene, SOTTO_REFUSAL_COHORT_SIZE);
}

static void cohort__above_the_ceiling__is_refused(void **state)
{
    struct scene *scene = *state;

    forged_cohort_repeat(&scene->forged, NEIGHBOUR);
    check(scene, SOTTO_REFUSAL_COHORT_SIZE);
}

static void cohort__smaller_threshold__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.parameters.threshold--;
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

static void cohort__fewer_neighbours__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.parameters.neighbours--;
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

static void cohort__own_leaf_missing__is_refused(void **state)
{
    struct scene *scene = *state;

    forged_cohort_remove(&scene->forged, VICTIM);
    check(scene, SOTTO_REFUSAL_OWN_LEAF);
}

static void cohort__own_leaf_altered__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.adverts[VICTIM].mask_key.bytes[0] ^= 1;
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_OWN_LEAF);
}

static void cohort__own_leaf_twice__is_refused(void **state)
{
    struct scene *scene = *state;

    forged_cohort_remove(&scene->forged, NEIGHBOUR);
    forged_cohort_repeat(&scene->forged, VICTIM);
    check(scene, SOTTO_REFUSAL_OWN_LEAF);
}

static void cohort__stranger__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.adverts[NEIGHBOUR].id++;
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN);
}

static void cohort__neighbour_twice__is_refused(void **state)
{
    struct scene *scene = *state;

    forged_cohort_remove(&scene->forged, COUNT - 1);
    forged_cohort_repeat(&scene->forged, NEIGHBOUR);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE);
}

/* A colluding site may sign anything, another's key too. */
static void cohort__key_of_another__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.adverts[NEIGHBOUR].mask_key = scene->forged.adverts[0].mask_key;
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE);
}

static void cohort__own_share_key_as_anothers_mask_key__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.adverts[NEIGHBOUR].mask_key = scene->forged.adverts[VICTIM].share_key;
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE);
}

static void cohort__one_identity_enrolled_twice__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->chorus->entries[NEIGHBOUR].identity = scene->chorus->entries[0].identity;
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, 0);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE);
}

static void cohort__one_certificate_enrolled_twice__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->chorus->entries[NEIGHBOUR].certificate = scene->chorus->entries[0].certificate;
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE);
}

static void cohort__keys_put_into_a_neighbours_place__are_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.adverts[NEIGHBOUR].share_key.bytes[0] ^= 1;
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE);
}

static void cohort__keys_signed_for_another_plan__are_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_digest other = scene->chorus->terms.context;

    other.bytes[0] ^= 1;
    sotto_advert_sign(&scene->forged.adverts[NEIGHBOUR], &scene->chorus->identities[NEIGHBOUR],
                      &other);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE);
}

static void cohort__low_order_mask_key__is_refused(void **state)
{
    struct scene *scene = *state;

    memset(&scene->forged.adverts[NEIGHBOUR].mask_key, 0, 32);
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER);
}

static void cohort__low_order_share_key__is_refused(void **state)
{
    struct scene *scene = *state;

    memset(&scene->forged.adverts[NEIGHBOUR].share_key, 0, 32);
    scene->forged.adverts[NEIGHBOUR].share_key.bytes[0] = 1;
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER);
}

/* Bit 255 is ignored, so that these bytes would be the same key. */
static void cohort__key_in_another_writing__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.adverts[NEIGHBOUR].mask_key.bytes[31] |= 0x80;
    forged_cohort_sign_advert(&scene->forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&scene->forged, scene->chorus);
    check(scene, SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_open, scene_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(cohort__forged_without_a_change__is_accepted),
        SCENE_TEST(cohort__one_byte_short__is_malformed),
        SCENE_TEST(cohort__one_byte_more__is_malformed),
        SCENE_TEST(cohort__empty__is_malformed),
        SCENE_TEST(cohort__leaf_of_other_keys__is_malformed),
        SCENE_TEST(cohort__other_certificate_in_the_roster__is_malformed),
        SCENE_TEST(cohort__not_in_order_of_id__is_malformed),
        SCENE_TEST(cohort__flipped_signature__is_refused),
        SCENE_TEST(cohort__signed_by_a_participant__is_refused),
        SCENE_TEST(cohort__signed_for_another_plan__is_refused),
        SCENE_TEST(cohort__below_the_floor__is_refused),
        SCENE_TEST(cohort__above_the_ceiling__is_refused),
        SCENE_TEST(cohort__smaller_threshold__is_refused),
        SCENE_TEST(cohort__fewer_neighbours__is_refused),
        SCENE_TEST(cohort__own_leaf_missing__is_refused),
        SCENE_TEST(cohort__own_leaf_altered__is_refused),
        SCENE_TEST(cohort__own_leaf_twice__is_refused),
        SCENE_TEST(cohort__stranger__is_refused),
        SCENE_TEST(cohort__neighbour_twice__is_refused),
        SCENE_TEST(cohort__key_of_another__is_refused),
        SCENE_TEST(cohort__own_share_key_as_anothers_mask_key__is_refused),
        SCENE_TEST(cohort__one_identity_enrolled_twice__is_refused),
        SCENE_TEST(cohort__one_certificate_enrolled_twice__is_refused),
        SCENE_TEST(cohort__keys_put_into_a_neighbours_place__are_refused),
        SCENE_TEST(cohort__keys_signed_for_another_plan__are_refused),
        SCENE_TEST(cohort__low_order_mask_key__is_refused),
        SCENE_TEST(cohort__low_order_share_key__is_refused),
        SCENE_TEST(cohort__key_in_another_writing__is_refused),
    };

    return cmocka_run_group_tests_name("secagg_cohort", tests, NULL, NULL);
}
