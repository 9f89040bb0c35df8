/*
 * Carries a turn's effects out: store, send, order, run. The loop of the sealer process, over its
 * three channels.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_DRIVE_H
#define SOTTO_PARTICIPANT_SEALER_DRIVE_H

#include "core/base/clock.h"
#include "participant/channel/channel.h"
#include "participant/ledger/ledger.h"
#include "participant/sealer/turn.h"

struct sotto_sealer {
    struct sotto_channel supervisor;
    struct sotto_channel trainer;
    struct sotto_channel courier;
    struct sotto_ledger ledger;
    struct sotto_turn *turn;
    struct sotto_entropy entropy;
    struct sotto_clock clock;

    /* What was last asked for; other bytes come too late. */
    struct sotto_digest wanted[SOTTO_ITEM_KINDS];
    /* What the trainer still owes for LOAD and TRAIN: only the answer to the last one counts. */
    unsigned answers_due;
    uint64_t joined_ns;
    int packed; /* sealed descriptor of the masked lanes, -1: none */
};

/*
 * Runs until a peer is gone. The status says why it ended; SOTTO_IO: the others stopped, or the
 * disk failed.
 */
SOTTO_CHECKED enum sotto_status sotto_sealer_run(struct sotto_sealer *sealer,
                                                 struct sotto_fault *fault);

#endif
