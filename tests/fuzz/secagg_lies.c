/*
 * A coordinator that lies to a participant in one point, and then in more: the first byte chooses
 * the lie, the second how much is cut off its end; then come patches of three bytes: offset (u16),
 * xor. The lie alone is refused for its own reason. Whatever is refused leaves no secret, and is
 * refused for ever.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_lies.h"
#include "tests/crypto/secagg_planted.h"

enum { STAGES = SOTTO_STAGE_UNMASKED + 1 };

/* The machines at the beginning of each stage. */
struct scenes {
    struct lie_scene lying;
    struct planted planted;
    uint8_t *memory[STAGES];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static struct scenes *scenes_open(void)
{
    static struct scenes scenes;
    const struct sotto_arena *arena;

    if (scenes.lying.chorus != NULL)
        return &scenes;
    lies_open(&scenes.lying);
    planted_derive(&scenes.planted, scenes.lying.chorus, LIED_TO, LIED_TO + 1);
    arena = &scenes.lying.chorus->arena;
    for (int stage = SOTTO_STAGE_SHARING; stage < STAGES; stage++) {
        lies_play_until(&scenes.lying, (enum sotto_stage)stage);
        scenes.memory[stage] = malloc(arena->capacity);
        demand(scenes.memory[stage] != NULL);
        memcpy(scenes.memory[stage], arena->memory, arena->capacity);
    }
    return &scenes;
}

static size_t alter(uint8_t *message, size_t message_length, struct sotto_view patches, size_t cut)
{
    for (size_t at = 0; at + 3 <= patches.length && message_length > 0; at += 3) {
        size_t offset = ((size_t)patches.at[at] << 8 | patches.at[at + 1]) % message_length;

        message[offset] ^= patches.at[at + 2];
    }
    return message_length - (cut < message_length ? cut : message_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct scenes *scenes = scenes_open();
    struct chorus *chorus = scenes->lying.chorus;
    struct sotto_member_effects effects;
    const struct lie *lie;
    struct sotto_view mail;

    if (length < 2 || length > 2048)
        return 0;
    lie = &lies[bytes[0] % LIES];
    memcpy(chorus->arena.memory, scenes->memory[lie->stage], chorus->arena.capacity);
    mail = lie->tell(&scenes->lying);
    mail.length = alter(chorus->wire, mail.length, sotto_view_of(bytes + 2, length - 2), bytes[1]);
    effects = chorus_tell(chorus, LIED_TO, lie->kind, mail);
    demand(length > 2 || bytes[1] > 0 || effects.refusal == lie->refusal);
    if (effects.refusal == SOTTO_REFUSAL_NONE)
        return 0;
    demand(effects.send.length == 0 && effects.store.length == 0 && !effects.is_done);
    demand(!planted_remembers_any(chorus, LIED_TO, &scenes->planted));
    demand(chorus_tell(chorus, LIED_TO, SOTTO_MEMBER_BEGIN, sotto_view_of(NULL, 0)).refusal ==
           effects.refusal);
    return 0;
}
