/*
 * Honest messages of a round, altered, given to one participant or to the coordinator. The first
 * byte is the stage, the second says who gets it and how much is cut off the end; then come patches
 * of three bytes: offset (u16), xor. Whatever is turned down must have changed nothing at the
 * coordinator, and have ended a participant for good.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_chorus.h"

enum { COUNT = 5, ACTOR = 1, STAGES = SOTTO_STAGE_UNMASKED };

/* The machines at the beginning of each stage, and what the actor gets and says there. */
struct scenes {
    struct chorus *chorus;
    uint8_t *memory[STAGES];
    struct sotto_collector_event answers[STAGES];
    uint8_t answer_bytes[STAGES][4096];
    uint8_t mails[STAGES][4096];
    size_t mail_bytes[STAGES];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static uint8_t *copy_memory(const struct chorus *chorus)
{
    uint8_t *memory = malloc(chorus->arena.capacity);

    demand(memory != NULL);
    memcpy(memory, chorus->arena.memory, chorus->arena.capacity);
    return memory;
}

static void set_scene(struct scenes *scenes, int stage)
{
    struct chorus *chorus = scenes->chorus;
    struct sotto_view mail = chorus_mail(chorus, ACTOR);

    scenes->memory[stage] = copy_memory(chorus);
    scenes->mail_bytes[stage] = mail.length;
    if (mail.length > 0)
        memcpy(scenes->mails[stage], mail.at, mail.length);
    scenes->answers[stage] = chorus_answer(chorus, ACTOR);
    if (scenes->answers[stage].bytes.length > 0)
        memcpy(scenes->answer_bytes[stage], scenes->answers[stage].bytes.at,
               scenes->answers[stage].bytes.length);
    memcpy(chorus->arena.memory, scenes->memory[stage], chorus->arena.capacity);
    (void)chorus_play(chorus, (1u << COUNT) - 1);
}

static struct scenes *scenes_open(void)
{
    static struct scenes scenes;
    struct chorus_setup setup = chorus_setup_of(COUNT, 2);

    if (scenes.chorus != NULL)
        return &scenes;
    scenes.chorus = chorus_open(&setup);
    for (int stage = 0; stage < STAGES; stage++)
        set_scene(&scenes, stage);
    return &scenes;
}

/* Patches and cuts; the length that is left. */
static size_t alter(uint8_t *message, size_t message_length, struct sotto_view patches, size_t cut)
{
    for (size_t at = 0; at + 3 <= patches.length && message_length > 0; at += 3) {
        size_t offset = ((size_t)patches.at[at] << 8 | patches.at[at + 1]) % message_length;

        message[offset] ^= patches.at[at + 2];
    }
    return message_length - (cut < message_length ? cut : message_length);
}

static void try_member(struct scenes *scenes, int stage, struct sotto_view patches, size_t cut)
{
    struct sotto_member_effects effects;
    uint8_t mail[sizeof scenes->mails[0]];
    size_t length;

    memcpy(mail, scenes->mails[stage], scenes->mail_bytes[stage]);
    length = alter(mail, scenes->mail_bytes[stage], patches, cut);
    effects = chorus_tell(scenes->chorus, ACTOR, chorus_mail_kind((enum sotto_stage)stage),
                          sotto_view_of(mail, length));
    if (effects.refusal == SOTTO_REFUSAL_NONE)
        return;
    demand(effects.send.length == 0 && effects.store.length == 0 && !effects.is_done);
    demand(chorus_tell(scenes->chorus, ACTOR, SOTTO_MEMBER_BEGIN, sotto_view_of(NULL, 0)).refusal ==
           effects.refusal);
}

static void try_collector(struct scenes *scenes, int stage, struct sotto_view patches, size_t cut)
{
    struct sotto_collector_event event = scenes->answers[stage];
    struct sotto_collector_effects effects;
    uint8_t bytes[sizeof scenes->answer_bytes[0]];

    memcpy(bytes, scenes->answer_bytes[stage], event.bytes.length);
    event.bytes = sotto_view_of(bytes, alter(bytes, event.bytes.length, patches, cut));
    effects = chorus_deliver(scenes->chorus, &event);
    if (effects.verdict != SOTTO_OK)
        demand(memcmp(scenes->chorus->arena.memory, scenes->memory[stage],
                      scenes->chorus->arena.capacity) == 0);
    else
        (void)chorus_end_stage(scenes->chorus, &effects);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct scenes *scenes = scenes_open();
    struct sotto_view patches;
    int stage;

    if (length < 2 || length > 2048)
        return 0;
    stage = bytes[0] % STAGES;
    patches = sotto_view_of(bytes + 2, length - 2);
    memcpy(scenes->chorus->arena.memory, scenes->memory[stage], scenes->chorus->arena.capacity);
    if (bytes[1] & 1)
        try_member(scenes, stage, patches, bytes[1] >> 1);
    else
        try_collector(scenes, stage, patches, bytes[1] >> 1);
    return 0;
}
