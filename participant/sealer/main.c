/*
 * sotto-sealer: holds the site's policy and identity key, hides its updates. Started by the
 * supervisor; opens nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "participant/channel/note.h"
#include "participant/channel/start.h"
#include "participant/confinement/confinement.h"
#include "participant/sealer/drive.h"

/*
 * Plans of more lanes are refused: 64 MiB of adapter. Memory is touched only as far as a plan needs
 * it.
 */
enum { LANES_MAX = 1 << 24, EXIT_USAGE = 2 };

struct life {
    struct sotto_sealer sealer;
    struct sotto_sealer_start start;
    struct sotto_policy policy;
    struct sotto_arena arena;
    struct sotto_arena rest;
};

static enum sotto_status started(struct life *life, int *ledger, struct sotto_fault *fault)
{
    struct sotto_letter letter;
    enum sotto_status status = sotto_channel_receive(&life->sealer.supervisor, &letter, -1);

    if (status == SOTTO_OK)
        status = sotto_sealer_start_decode(&life->start, letter.body);
    if (status == SOTTO_OK)
        status = sotto_policy_decode(&life->policy, life->start.policy);
    sotto_wipe(life->sealer.supervisor.inbox, sizeof life->sealer.supervisor.inbox);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the sealer was started with a malformed letter");
    *ledger = letter.descriptor;
    return SOTTO_OK;
}

static enum sotto_status turn_open(struct life *life)
{
    struct sotto_turn_setup setup = {
        .protocol = &sotto_secaggplus,
        .policy = &life->policy,
        .id = life->start.id,
        .identity = &life->start.identity,
        .entropy = &life->sealer.entropy,
        .arena = &life->arena,
        .rest = &life->rest,
    };
    enum sotto_status status =
        sotto_arena_open(&life->arena, sotto_turn_bytes(LANES_MAX, LANES_MAX));

    if (status == SOTTO_OK)
        status = sotto_arena_open(&life->rest, sotto_turn_rest_bytes(LANES_MAX));
    if (status != SOTTO_OK)
        return status;
    memcpy(setup.coordinator.bytes, life->start.coordinator, sizeof setup.coordinator.bytes);
    return sotto_turn_open(&life->sealer.turn, &setup);
}

static enum sotto_status replay(void *context, struct sotto_view record)
{
    return sotto_turn_replay(context, record);
}

/*
 * The first use of the crypto library reads its configuration: turn_open comes before the door is
 * shut.
 */
static enum sotto_status live(struct life *life, struct sotto_fault *fault)
{
    struct sotto_confinement confinement = {.role = SOTTO_ROLE_SEALER};
    char layers[SOTTO_CONFINED_TEXT_MAX];
    int ledger = -1;
    enum sotto_status status = started(life, &ledger, fault);

    if (status != SOTTO_OK)
        return status;
    confinement.is_degraded_allowed = life->start.is_degraded_allowed;
    status = turn_open(life);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "no memory for a round");
    status = sotto_confine(layers, &confinement, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_note_tell(&life->sealer.supervisor, SOTTO_NOTE_CONFINED, layers);
    status = sotto_ledger_open(
        &life->sealer.ledger, ledger,
        &(struct sotto_ledger_visitor){.record = replay, .context = life->sealer.turn}, fault);
    return status == SOTTO_OK ? sotto_sealer_run(&life->sealer, fault) : status;
}

int main(void)
{
    struct life life = {0};
    struct sotto_fault fault = {0};
    enum sotto_status status = SOTTO_OK;

    if (!sotto_channel_is_seated()) {
        fprintf(stderr, "sotto-sealer %s: is started by sotto-participant run\n", SOTTO_VERSION);
        return EXIT_USAGE;
    }
    sotto_channel_init(&life.sealer.supervisor, SOTTO_SEAT_SUPERVISOR, SOTTO_PEER_SEALER,
                       SOTTO_PEER_SUPERVISOR);
    sotto_channel_init(&life.sealer.trainer, SOTTO_SEAT_FIRST, SOTTO_PEER_SEALER,
                       SOTTO_PEER_TRAINER);
    sotto_channel_init(&life.sealer.courier, SOTTO_SEAT_SECOND, SOTTO_PEER_SEALER,
                       SOTTO_PEER_COURIER);
    sotto_entropy_init_system(&life.sealer.entropy);
    sotto_clock_init_system(&life.sealer.clock);
    status = live(&life, &fault);
    if (status != SOTTO_IO)
        sotto_note_tell(&life.sealer.supervisor, SOTTO_NOTE_TROUBLE, fault.text);
    if (life.sealer.turn != NULL)
        sotto_turn_close(life.sealer.turn);
    sotto_arena_close(&life.arena);
    sotto_arena_close(&life.rest);
    sotto_wipe(&life, sizeof life);
    _exit(sotto_status_exit_code(status));
}
