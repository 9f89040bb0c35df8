/*
 * Mail for a site's turn: first the bytes as they are, then as the body of a mail that the
 * coordinator signed, so that what is behind the signature is reached as well. The first byte
 * chooses the kind.
 */
#include <stdlib.h>
#include <string.h>

#include "participant/sealer/turn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { LANES_MAX = 4096 };

static const struct sotto_secret signing = {{0x77}};
static const struct sotto_secret identity = {{0x11}};

static void step(struct sotto_turn *turn, struct sotto_view bytes)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL, .bytes = bytes};
    struct sotto_turn_effects effects;

    sotto_turn_step(turn, &event, &effects);
    if (effects.refusal != SOTTO_REFUSAL_NONE &&
        (!effects.is_refusal_notice || sotto_turn_plan(turn) != NULL))
        abort();
    /* No trainer has loaded anything: nothing may be answered or uploaded. */
    if (effects.is_upload || (effects.send.length > 0 && !effects.is_refusal_notice))
        abort();
}

static void step_signed(struct sotto_turn *turn, enum sotto_mail_kind kind, struct sotto_view body)
{
    static uint8_t room[SOTTO_MAIL_BYTES_MAX];
    struct sotto_mail mail = {.kind = kind, .campaign = "wards", .round = 3, .body = body};
    struct sotto_buffer buffer = sotto_buffer_of(room, sizeof room);
    struct sotto_signature signature;

    sotto_sign(&signature, &signing,
               kind == SOTTO_MAIL_OUTCOME ? "sotto/1 outcome" : "sotto/1 plan", body);
    memcpy(mail.signature, signature.bytes, sizeof mail.signature);
    if (sotto_mail_encode(&buffer, &mail) == SOTTO_OK)
        step(turn, sotto_view_buffer(&buffer));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_arena arena;
    struct sotto_entropy entropy;
    struct sotto_policy policy;
    struct sotto_turn_setup setup = {.protocol = &sotto_secaggplus,
                                     .policy = &policy,
                                     .id = 1,
                                     .identity = &identity,
                                     .entropy = &entropy,
                                     .arena = &arena};
    struct sotto_turn_event ready = {.kind = SOTTO_TURN_TRAINER_READY};
    struct sotto_turn_effects effects;
    struct sotto_turn *turn = NULL;

    if (length == 0 || sotto_arena_open(&arena, sotto_turn_bytes(LANES_MAX, LANES_MAX)) != SOTTO_OK)
        return 0;
    sotto_entropy_init_seeded(&entropy, 1);
    sotto_policy_init(&policy);
    policy.cohort_min = policy.survivors_min = 3;
    memset(&ready.base_model, 0x11, sizeof ready.base_model);
    sotto_ed25519_public_of(&setup.coordinator, &signing);
    if (sotto_turn_open(&turn, &setup) != SOTTO_OK)
        abort();
    sotto_turn_step(turn, &ready, &effects);
    step(turn, sotto_view_of(bytes, length));
    step_signed(turn, (enum sotto_mail_kind)(1 + bytes[0] % SOTTO_MAIL_OUTCOME),
                sotto_view_of(bytes + 1, length - 1));
    sotto_turn_close(turn);
    sotto_arena_close(&arena);
    return 0;
}
