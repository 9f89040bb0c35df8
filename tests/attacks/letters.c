/*
 * The sealer's loop among a trainer, a courier and a disk that do what they should not: everything
 * they send lies ready, and the test looks at what the sealer made of it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/file.h"
#include "participant/channel/post.h"
#include "participant/channel/work.h"
#include "participant/sealer/drive.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { LANES = 100 };

/* A sealer and the far ends of its channels. */
struct scene {
    struct folder folder;
    int file;
    struct sotto_secret identity;
    struct sotto_policy policy;
    struct sotto_arena arena;
    struct sotto_sealer sealer;
    struct sotto_channel supervisor;
    struct sotto_channel trainer;
    struct sotto_channel courier;
};

static enum sotto_status skip_record(void *context, struct sotto_view record)
{
    (void)context;
    (void)record;
    return SOTTO_OK;
}

static void channel_make(struct sotto_channel *near, struct sotto_channel *far,
                         enum sotto_peer peer)
{
    int ends[2];

    assert_int_equal(sotto_channel_pair(ends), SOTTO_OK);
    sotto_channel_init(near, ends[0], SOTTO_PEER_SEALER, peer);
    sotto_channel_init(far, ends[1], peer, SOTTO_PEER_SEALER);
}

static int scene_setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct sotto_sealer *sealer = &scene->sealer;
    struct sotto_turn_setup setup = {.protocol = &sotto_secaggplus,
                                     .policy = &scene->policy,
                                     .id = 1,
                                     .identity = &scene->identity,
                                     .entropy = &sealer->entropy,
                                     .arena = &scene->arena};
    struct sotto_ledger_visitor visitor = {.record = skip_record};

    folder_open(&scene->folder);
    scene->file =
        open(folder_path(&scene->folder, "ledger").text, O_RDWR | O_CREAT | O_APPEND, 0600);
    assert_int_equal(sotto_ledger_open(&sealer->ledger, scene->file, &visitor, NULL), SOTTO_OK);
    sotto_policy_init(&scene->policy);
    sotto_entropy_init_system(&sealer->entropy);
    sotto_clock_init_system(&sealer->clock);
    assert_int_equal(sotto_arena_open(&scene->arena, sotto_turn_bytes(LANES, LANES)), SOTTO_OK);
    assert_int_equal(sotto_turn_open(&sealer->turn, &setup), SOTTO_OK);
    channel_make(&sealer->supervisor, &scene->supervisor, SOTTO_PEER_SUPERVISOR);
    channel_make(&sealer->trainer, &scene->trainer, SOTTO_PEER_TRAINER);
    channel_make(&sealer->courier, &scene->courier, SOTTO_PEER_COURIER);
    *state = scene;
    return 0;
}

static int scene_teardown(void **state)
{
    struct scene *scene = *state;
    struct sotto_channel *channels[] = {&scene->sealer.supervisor, &scene->supervisor,
                                        &scene->sealer.trainer,    &scene->trainer,
                                        &scene->sealer.courier,    &scene->courier};

    for (size_t index = 0; index < sizeof channels / sizeof *channels; index++)
        if (channels[index]->descriptor >= 0)
            close(channels[index]->descriptor);
    sotto_turn_close(scene->sealer.turn);
    sotto_arena_close(&scene->arena);
    close(scene->file);
    folder_close(&scene->folder);
    free(scene);
    return 0;
}

static void post(const struct sotto_channel *from, enum sotto_letter_kind kind,
                 const struct sotto_buffer *body, int descriptor)
{
    struct sotto_letter letter = {
        .kind = kind, .body = sotto_view_buffer(body), .descriptor = descriptor};

    assert_int_equal(sotto_channel_send(from, &letter), SOTTO_OK);
    if (descriptor >= 0)
        close(descriptor);
}

/* Runs on what lies ready; SOTTO_IO: it came to the end of the trainer's letters. */
static enum sotto_status run(struct scene *scene)
{
    close(scene->trainer.descriptor);
    scene->trainer.descriptor = -1;
    return sotto_sealer_run(&scene->sealer, NULL);
}

static void post_update(const struct scene *scene, int descriptor)
{
    uint8_t bytes[16];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_update_encode(&buffer, 1), SOTTO_OK);
    post(&scene->trainer, SOTTO_LETTER_UPDATE, &buffer, descriptor);
}

static int sealed_bytes(size_t length)
{
    static const uint8_t bytes[64];
    int descriptor = -1;

    assert_int_equal(sotto_sealed_open(&descriptor, sotto_view_of(bytes, length)), SOTTO_OK);
    return descriptor;
}

/* A plan that nobody signed: the site refuses, which it first writes down. */
static void post_forged_plan(const struct scene *scene)
{
    static const struct sotto_digest model;
    uint8_t ready[64], bytes[512];
    struct sotto_buffer buffer = sotto_buffer_of(ready, sizeof ready);
    struct sotto_mail mail = {
        .kind = SOTTO_MAIL_PLAN, .campaign = "wards", .round = 1, .body = sotto_view_text("plan")};

    assert_int_equal(sotto_ready_encode(&buffer, &model), SOTTO_OK);
    post(&scene->trainer, SOTTO_LETTER_READY, &buffer, -1);
    buffer = sotto_buffer_of(bytes, sizeof bytes);
    assert_int_equal(sotto_mail_encode(&buffer, &mail), SOTTO_OK);
    post(&scene->courier, SOTTO_LETTER_MAIL, &buffer, -1);
}

static void answer__once_it_is_in_the_ledger__goes_out(void **state)
{
    struct scene *scene = *state;
    struct sotto_letter letter;

    post_forged_plan(scene);
    assert_int_equal(run(scene), SOTTO_IO);
    assert_int_not_equal(lseek(scene->file, 0, SEEK_END), 0);
    assert_int_equal(sotto_channel_receive(&scene->courier, &letter, 0), SOTTO_OK);
    assert_int_equal(letter.kind, SOTTO_LETTER_LEAVE);
}

static void answer__while_the_ledger_fails__stays_inside(void **state)
{
    struct scene *scene = *state;
    struct sotto_letter letter;

    scene->sealer.ledger.descriptor =
        open(folder_path(&scene->folder, "ledger").text, O_RDONLY | O_CLOEXEC);
    post_forged_plan(scene);
    assert_int_equal(run(scene), SOTTO_IO);
    assert_int_equal(sotto_channel_receive(&scene->courier, &letter, 0), SOTTO_NOT_FOUND);
    close(scene->sealer.ledger.descriptor);
}

static void update__not_sealed__ends_the_sealer(void **state)
{
    struct scene *scene = *state;
    int open_memory = memfd_create("update", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_int_equal(ftruncate(open_memory, 8), 0);
    scene->sealer.answers_due = 1;
    post_update(scene, open_memory);
    assert_int_equal(run(scene), SOTTO_MALFORMED);
}

static void update__that_ends_within_a_number__ends_the_sealer(void **state)
{
    struct scene *scene = *state;

    scene->sealer.answers_due = 1;
    post_update(scene, sealed_bytes(4 * sizeof(float) + 3));
    assert_int_equal(run(scene), SOTTO_MALFORMED);
}

static void update__while_no_round_is_running__is_ignored(void **state)
{
    struct scene *scene = *state;

    scene->sealer.answers_due = 1;
    post_update(scene, sealed_bytes(4 * sizeof(float)));
    assert_int_equal(run(scene), SOTTO_IO);
    assert_int_equal(lseek(scene->file, 0, SEEK_END), 0);
}

static void update__that_nobody_asked_for__ends_the_sealer(void **state)
{
    struct scene *scene = *state;

    post_update(scene, sealed_bytes(4 * sizeof(float)));
    assert_int_equal(run(scene), SOTTO_MALFORMED);
}

static void item__not_sealed__ends_the_sealer(void **state)
{
    struct scene *scene = *state;
    uint8_t bytes[64];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_fetch fetch = {.item = SOTTO_ITEM_ADAPTER};

    assert_int_equal(sotto_fetch_encode(&buffer, &fetch), SOTTO_OK);
    post(&scene->courier, SOTTO_LETTER_FETCHED, &buffer, memfd_create("item", MFD_CLOEXEC));
    assert_int_equal(sotto_sealer_run(&scene->sealer, NULL), SOTTO_MALFORMED);
}

int main(void)
{
#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
    const struct CMUnitTest tests[] = {
        SCENE_TEST(answer__once_it_is_in_the_ledger__goes_out),
        SCENE_TEST(answer__while_the_ledger_fails__stays_inside),
        SCENE_TEST(update__not_sealed__ends_the_sealer),
        SCENE_TEST(update__that_ends_within_a_number__ends_the_sealer),
        SCENE_TEST(update__while_no_round_is_running__is_ignored),
        SCENE_TEST(update__that_nobody_asked_for__ends_the_sealer),
        SCENE_TEST(item__not_sealed__ends_the_sealer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
