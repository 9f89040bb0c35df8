/*
 * The hub without a network or a disk: the round machine, the schedule and the apply step that
 * ship, its items in memory, and the plain-sum oracle beside the protocol.
 */
#ifndef SOTTO_SIMULATIONS_VIRTUAL_HUB_H
#define SOTTO_SIMULATIONS_VIRTUAL_HUB_H

#include "coordinator/apply/apply.h"
#include "coordinator/round/round.h"
#include "coordinator/schedule/timetable.h"
#include "core/wire/roster.h"
#include "models/adapter/manifest.h"
#include "models/model.h"
#include "participant/sealer/turn.h"
#include "simulations/scenario.h"

struct sotto_virtual_hub {
    const struct sotto_scenario *scenario;
    struct sotto_secret signing;
    struct sotto_ed25519_public signer;
    struct sotto_entropy entropy;

    struct sotto_roster_entry *entries;
    struct sotto_roster roster;
    uint8_t *roster_bytes; /* [SOTTO_ROSTER_BYTES_MAX] */
    size_t roster_length;
    struct sotto_digest roster_digest;

    struct sotto_definition definition;
    struct sotto_progress progress;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    struct sotto_digest layout_digest;

    const struct sotto_layout *layout; /* borrowed */
    float *adapter; /* the version that holds: [value_count], and their manifest */
    size_t value_count;
    float *moments[SOTTO_TRAINED_COUNT]; /* of each part that the method trains */
    struct sotto_digest adapter_digest;
    struct sotto_applied applied; /* of the last finished round */

    struct sotto_arena arena;
    struct sotto_round *round; /* NULL: none is open */
    uint32_t round_number;     /* of the newest round */
    struct sotto_plan plan;
    uint8_t plan_bytes[SOTTO_PLAN_BYTES_MAX];
    size_t plan_length;
    struct sotto_signature plan_signature;
    uint64_t deadline_ms;
    uint32_t *sum; /* [value_count + 1] */
};

struct sotto_virtual_hub_setup {
    const struct sotto_scenario *scenario; /* borrowed */
    const struct sotto_layout *layout;
    const struct sotto_model *model;
    struct sotto_digest base_model;
    /* [scenario->sites] ascending by id, borrowed */
    struct sotto_roster_entry *entries;
};

/* The key that it will sign with follows from the seed; sites pin it before the hub is open. */
void sotto_virtual_hub_key(struct sotto_secret *signing, struct sotto_ed25519_public *signer,
                           uint64_t seed);

SOTTO_CHECKED enum sotto_status sotto_virtual_hub_open(struct sotto_virtual_hub *hub,
                                                       const struct sotto_virtual_hub_setup *setup,
                                                       struct sotto_fault *fault);
void sotto_virtual_hub_close(struct sotto_virtual_hub *hub);

/* Plans and opens the next round. */
SOTTO_CHECKED enum sotto_status sotto_virtual_hub_begin(struct sotto_virtual_hub *hub,
                                                        uint64_t now_ms,
                                                        struct sotto_round_effects *effects);

/* Notes in the progress how the round ended. */
void sotto_virtual_hub_end(struct sotto_virtual_hub *hub);

/* The bytes behind a digest; empty: unknown. Borrowed until the adapter changes. */
struct sotto_view sotto_virtual_hub_item(const struct sotto_virtual_hub *hub,
                                         enum sotto_item_kind item,
                                         const struct sotto_digest *digest);

/* The jobs. SOTTO_MALFORMED: packed lanes of a wrong form. */
SOTTO_CHECKED enum sotto_status sotto_virtual_hub_add(struct sotto_virtual_hub *hub,
                                                      struct sotto_view packed);
SOTTO_CHECKED enum sotto_status sotto_virtual_hub_unmask(struct sotto_virtual_hub *hub);
SOTTO_CHECKED enum sotto_status sotto_virtual_hub_apply(struct sotto_virtual_hub *hub);

#endif
