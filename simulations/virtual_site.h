/*
 * A site without processes: the sealer's turn that ships, its ledger in memory, its examples. It
 * can be killed at any moment and started again from its ledger, like the real one.
 */
#ifndef SOTTO_SIMULATIONS_VIRTUAL_SITE_H
#define SOTTO_SIMULATIONS_VIRTUAL_SITE_H

#include "coordinator/round/round.h"
#include "models/data/dataset.h"
#include "participant/sealer/turn.h"
#include "simulations/trace/spans.h"

/* What one site may differ in from another. */
struct sotto_virtual_site_setup {
    uint32_t id;
    uint64_t seed;
    const struct sotto_policy *policy; /* borrowed */
    struct sotto_ed25519_public coordinator;
    struct sotto_digest base_model;
    uint32_t lane_count;
};

struct sotto_ledger_record {
    uint8_t *bytes;
    size_t length;
};

struct sotto_virtual_site {
    struct sotto_virtual_site_setup setup;
    struct sotto_secret identity;
    struct sotto_entropy entropy;
    struct sotto_arena arena;
    struct sotto_arena rest;
    struct sotto_turn *turn; /* NULL: killed */
    struct sotto_dataset dataset;

    struct sotto_ledger_record *ledger;
    size_t ledger_count;

    uint32_t offered_round; /* the last mail that was put on its way */
    enum sotto_mail_kind offered;

    enum sotto_round_phase fate; /* dies when the round enters this phase; FINISHED: lives */
    uint32_t back_round;         /* when killed: the round that it comes back for */

    bool is_training;
    bool has_update;
    float *update;   /* [lane_count - 1], while trained and not yet handed to the turn */
    uint32_t *plain; /* [lane_count] the plain lanes of this round's contribution, for the oracle */
    uint8_t *packed; /* the masked lanes, as they go to the hub */
    size_t packed_length;

    uint64_t said_until_ms; /* when the last that it sent arrives: it sends one after another */
    uint64_t bytes_up;      /* of the present round */
    uint64_t bytes_down;
};

/* Alive, with an empty ledger. The dataset is set by the caller and closed with the site. */
SOTTO_CHECKED enum sotto_status sotto_virtual_site_open(
    struct sotto_virtual_site *site, const struct sotto_virtual_site_setup *setup);
void sotto_virtual_site_close(struct sotto_virtual_site *site);

/* SIGKILL: all that was in memory only is gone. */
void sotto_virtual_site_kill(struct sotto_virtual_site *site);
/* A new life from the ledger. The caller then steps it with TRAINER_READY. */
SOTTO_CHECKED enum sotto_status sotto_virtual_site_start(struct sotto_virtual_site *site);

/* What "durable" is here. SOTTO_NO_MEMORY: nothing was kept. */
SOTTO_CHECKED enum sotto_status sotto_virtual_site_store(struct sotto_virtual_site *site,
                                                         struct sotto_view record);

/* What its uploads have cost in all, in rho: read from its ledger. */
double sotto_virtual_site_rho(const struct sotto_virtual_site *site);

/*
 * Stops 5 to 7 of the way of one number, keeping the plain lanes for the oracle and the packed ones
 * for the upload.
 */
SOTTO_CHECKED enum sotto_status sotto_virtual_site_contribute(struct sotto_virtual_site *site,
                                                              struct sotto_digest *digest,
                                                              struct sotto_spans *spans);

#endif
