/*
 * A coordinator that signs a plan which a strict site refuses, and then other bytes: the first byte
 * chooses the lie, then come patches of three bytes to the encoded plan: offset (u16), xor. The lie
 * alone is refused for its own reason; nothing that is refused is fetched for or answered.
 */
#include <stdlib.h>

#include "tests/participant/sealer/plans.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint8_t encoded[SOTTO_PLAN_BYTES_MAX];
    const struct plan_lie *lie;
    struct plan_scene scene;
    struct sotto_turn_effects effects;
    struct sotto_view plan;

    if (length < 1 || length > 256)
        return 0;
    lie = &plan_lies[bytes[0] % PLAN_LIES];
    plan_scene_open(&scene);
    lie->alter(&scene);
    plan = plan_scene_encode(&scene, encoded);
    for (size_t at = 1; at + 3 <= length; at += 3)
        encoded[((size_t)bytes[at] << 8 | bytes[at + 1]) % plan.length] ^= bytes[at + 2];
    effects = plan_scene_tell(&scene, plan);
    demand(length > 1 || effects.refusal == lie->refusal);
    if (effects.refusal != SOTTO_REFUSAL_NONE) {
        demand(effects.is_refusal_notice && effects.send.length == 1 && effects.fetch_count == 0);
        demand(sotto_turn_plan(scene.turn) == NULL);
    }
    demand(!effects.is_upload && effects.order == SOTTO_ORDER_NONE);
    plan_scene_close(&scene);
    return 0;
}
