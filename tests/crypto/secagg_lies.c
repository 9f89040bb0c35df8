#include "tests/crypto/secagg_lies.h"

#include <string.h>

#include "tests/crypto/secagg_forgery.h"
#include "tests/support/cmocka.h"

enum {
    COUNT = 6,
    NEIGHBOUR = 3,
    ABSENT = 4,
    ALL = (1 << COUNT) - 1,
    SHARED = ALL & ~(1 << ABSENT)
};

void lies_open(struct lie_scene *scene)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 8);

    scene->chorus = chorus_open(&setup);
    chorus_play_until(scene->chorus, SOTTO_STAGE_SHARING);
    scene->context = forged_context(scene->chorus);
}

void lies_close(struct lie_scene *scene)
{
    chorus_close(scene->chorus);
}

void lies_play_until(struct lie_scene *scene, enum sotto_stage stage)
{
    const struct sotto_protocol *protocol = scene->chorus->protocol;

    while (protocol->collector_stage(scene->chorus->collector) != stage)
        (void)chorus_play(scene->chorus, SHARED);
}

static struct sotto_view honest(struct lie_scene *scene)
{
    return chorus_mail(scene->chorus, LIED_TO);
}

static struct sotto_view one_byte_more(struct lie_scene *scene)
{
    struct sotto_view mail = honest(scene);

    mail.length++;
    return mail;
}

static struct sotto_view last_byte_flipped(struct lie_scene *scene)
{
    struct sotto_view mail = honest(scene);

    scene->chorus->wire[mail.length - 1] ^= 1;
    return mail;
}

/* Two of them; no plan allows so few. */
static struct sotto_view smaller_cohort(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    forged.parameters = (struct sotto_parameters){.cohort = 2, .neighbours = 1, .threshold = 1};
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view lower_threshold(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    forged.parameters.threshold--;
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view other_own_key(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    forged.adverts[LIED_TO].mask_key.bytes[0] ^= 1;
    forged_cohort_hash(&forged, scene->chorus);
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view stranger(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    forged.adverts[NEIGHBOUR].id++;
    forged_cohort_sign_advert(&forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view key_of_another(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    forged.adverts[NEIGHBOUR].mask_key = forged.adverts[0].mask_key;
    forged_cohort_sign_advert(&forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&forged, scene->chorus);
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view key_not_signed(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    forged.adverts[NEIGHBOUR].share_key.bytes[0] ^= 1;
    forged_cohort_hash(&forged, scene->chorus);
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view key_of_low_order(struct lie_scene *scene)
{
    struct forged_cohort forged;

    forged_cohort_read(&forged, scene->chorus);
    memset(&forged.adverts[NEIGHBOUR].mask_key, 0, sizeof forged.adverts[NEIGHBOUR].mask_key);
    forged_cohort_sign_advert(&forged, scene->chorus, NEIGHBOUR, NEIGHBOUR);
    forged_cohort_hash(&forged, scene->chorus);
    return forged_cohort_write(&forged, scene->chorus);
}

static struct sotto_view one_sharer_too_few(struct lie_scene *scene)
{
    struct sotto_view mail = honest(scene);

    scene->chorus->wire[0] = (uint8_t)(scene->chorus->wire[0] & ~1u);
    mail.length -= 96;
    return mail;
}

static struct sotto_view other_count(struct lie_scene *scene)
{
    struct sotto_view mail = honest(scene);

    scene->chorus->wire[1]++;
    return mail;
}

static struct sotto_view survivors_of_another_cohort(struct lie_scene *scene)
{
    struct sotto_digest other = scene->context;

    other.bytes[0] ^= 1;
    return forged_survivors(scene->chorus, &other, SHARED);
}

static struct sotto_view survivors_without_it(struct lie_scene *scene)
{
    return forged_survivors(scene->chorus, &scene->context, SHARED & ~(1u << LIED_TO));
}

static struct sotto_view survivors_with_one_that_did_not_share(struct lie_scene *scene)
{
    return forged_survivors(scene->chorus, &scene->context, ALL);
}

static struct sotto_view one_survivor_too_few(struct lie_scene *scene)
{
    return forged_survivors(scene->chorus, &scene->context, SHARED & ~1u);
}

/* In the order of enum sotto_refusal. */
const struct lie lies[LIES] = {
    {SOTTO_REFUSAL_COHORT_MALFORMED, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, one_byte_more},
    {SOTTO_REFUSAL_COHORT_SIGNATURE, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, last_byte_flipped},
    {SOTTO_REFUSAL_COHORT_SIZE, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, smaller_cohort},
    {SOTTO_REFUSAL_OWN_LEAF, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, other_own_key},
    {SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, stranger},
    {SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, key_of_another},
    {SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, key_not_signed},
    {SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, key_of_low_order},
    {SOTTO_REFUSAL_NEIGHBOUR_SET, SOTTO_STAGE_SHARING, SOTTO_MEMBER_COHORT, lower_threshold},
    {SOTTO_REFUSAL_INBOX_MALFORMED, SOTTO_STAGE_UPLOADING, SOTTO_MEMBER_INBOX, one_byte_more},
    {SOTTO_REFUSAL_SHARE_SEALED, SOTTO_STAGE_UPLOADING, SOTTO_MEMBER_INBOX, last_byte_flipped},
    {SOTTO_REFUSAL_TOO_FEW_SHARED, SOTTO_STAGE_UPLOADING, SOTTO_MEMBER_INBOX, one_sharer_too_few},
    {SOTTO_REFUSAL_SECOND_MESSAGE, SOTTO_STAGE_INCLUDING, SOTTO_MEMBER_INBOX, honest},
    {SOTTO_REFUSAL_SURVIVORS_MALFORMED, SOTTO_STAGE_INCLUDING, SOTTO_MEMBER_SURVIVORS, other_count},
    {SOTTO_REFUSAL_SURVIVORS_SIGNATURE, SOTTO_STAGE_INCLUDING, SOTTO_MEMBER_SURVIVORS,
     survivors_of_another_cohort},
    {SOTTO_REFUSAL_OWN_BIT, SOTTO_STAGE_INCLUDING, SOTTO_MEMBER_SURVIVORS, survivors_without_it},
    {SOTTO_REFUSAL_SURVIVOR_STRANGER, SOTTO_STAGE_INCLUDING, SOTTO_MEMBER_SURVIVORS,
     survivors_with_one_that_did_not_share},
    {SOTTO_REFUSAL_TOO_FEW_SURVIVORS, SOTTO_STAGE_INCLUDING, SOTTO_MEMBER_SURVIVORS,
     one_survivor_too_few},
    {SOTTO_REFUSAL_INCLUSION, SOTTO_STAGE_REVEALING, SOTTO_MEMBER_INCLUSIONS, last_byte_flipped},
    {SOTTO_REFUSAL_AFTER_REVEAL, SOTTO_STAGE_UNMASKED, SOTTO_MEMBER_INCLUSIONS, honest},
};
