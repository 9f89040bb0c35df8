/*
 * What a site fetched for a round, by digest: roster, layout, adapter. It keeps what it has
 * checked, so that an adapter that came home with one round's outcome need not be fetched again for
 * the next plan.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_ITEMS_H
#define SOTTO_PARTICIPANT_SEALER_ITEMS_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "models/adapter/manifest.h"

/* What the coordinator keeps by digest and a site fetches. */
enum sotto_item_kind { SOTTO_ITEM_ROSTER = 1, SOTTO_ITEM_LAYOUT, SOTTO_ITEM_ADAPTER };
enum { SOTTO_ITEM_KINDS = 3 };

struct sotto_item {
    uint8_t *at;
    size_t capacity;
    size_t length;
    struct sotto_digest digest; /* wanted; once checked, the bytes' own */
    bool is_here;
    bool is_checked;
};

struct sotto_items {
    struct sotto_arena *arena;
    size_t
        /* the adapter's bytes lie behind it; whoever puts one has released everything above */
        adapter_mark;
    struct sotto_item kept[SOTTO_ITEM_KINDS];
};

/* Arena bytes for adapters of up to so many lanes. */
size_t sotto_items_bytes(size_t lane_count);

/* SOTTO_NO_MEMORY */
SOTTO_CHECKED enum sotto_status sotto_items_init(struct sotto_items *items,
                                                 struct sotto_arena *arena);

/* Makes `digest` the wanted one; true if the bytes must be fetched. */
bool sotto_items_want(struct sotto_items *items, enum sotto_item_kind kind,
                      const struct sotto_digest *digest);

/*
 * Copies what was fetched. The arena must be released to where it was after the last put of an
 * adapter. SOTTO_UNEXPECTED: not wanted; SOTTO_OVER_LIMIT: larger than such an item can be, or than
 * the arena.
 */
SOTTO_CHECKED enum sotto_status sotto_items_put(struct sotto_items *items,
                                                enum sotto_item_kind kind, struct sotto_view bytes);

/* Have the wanted bytes been put? */
bool sotto_items_has(const struct sotto_items *items, enum sotto_item_kind kind);

/* Compares the bytes with the wanted digest. Not for adapters. */
bool sotto_items_check(struct sotto_items *items, enum sotto_item_kind kind);

/*
 * The same for the adapter, tensor by tensor; its digest covers its layout, which was checked
 * before. SOTTO_MISMATCH, SOTTO_MALFORMED: the fault names the tensor, if there is one to name.
 */
SOTTO_CHECKED enum sotto_status sotto_items_check_adapter(struct sotto_items *items,
                                                          const struct sotto_layout *layout,
                                                          struct sotto_fault *fault);

struct sotto_view sotto_items_bytes_of(const struct sotto_items *items, enum sotto_item_kind kind);

#endif
