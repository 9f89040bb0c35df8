/*
 * What every seed stands on: keys, rosters, a layout, an adapter to start from. Made once a
 * program, read by all threads.
 */
#ifndef TESTS_CHAOS_GROUND_H
#define TESTS_CHAOS_GROUND_H

#include "coordinator/schedule/definition.h"
#include "core/wire/roster.h"
#include "crypto/secagg/protocol.h"
#include "models/adapter/manifest.h"

enum {
    CHAOS_SITES_MIN = 3,
    CHAOS_SITES_MAX = 8,
    CHAOS_VALUES = 34, /* rank 1 on one layer of width 8, two labels */
    CHAOS_LANES = CHAOS_VALUES + 1,
    CHAOS_ADAPTER = CHAOS_VALUES + 4 * 8, /* with the manifest of its four tensors */
    CHAOS_PACKED_BYTES_MAX = CHAOS_LANES * 4,
    CHAOS_ROSTER_BYTES_MAX = 4096,
};

/* The roster of the first so many sites. */
struct ground_roster {
    uint8_t bytes[CHAOS_ROSTER_BYTES_MAX];
    size_t length;
    struct sotto_digest digest;
    struct sotto_roster roster;
};

struct ground {
    struct sotto_secret signing;
    struct sotto_ed25519_public coordinator;
    struct sotto_secret identities[CHAOS_SITES_MAX]; /* site id i + 1 at i */
    struct sotto_roster_entry entries[CHAOS_SITES_MAX];
    struct ground_roster rosters[CHAOS_SITES_MAX + 1]; /* by count of sites, from 3 on */
    struct sotto_digest base_model;
    struct sotto_layout adapter_layout;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    struct sotto_digest layout;
    uint32_t lanes_a; /* as a definition has them */
    uint32_t lanes_b;
};

void ground_open(struct ground *ground);

/* Writes the manifest behind an adapter's lanes, and what digest it has then. */
void ground_adapter_finish(const struct ground *ground, struct sotto_digest *out,
                           float adapter[CHAOS_ADAPTER]);
/* What an adapter is that the site has checked. */
void ground_adapter_digest(const struct ground *ground, struct sotto_digest *out,
                           struct sotto_view layout, struct sotto_view adapter);

#endif
