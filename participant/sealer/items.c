#include "participant/sealer/items.h"

#include <assert.h>
#include <string.h>

#include "core/wire/roster.h"
#include "crypto/primitives/hash.h"
#include "models/trainer.h"

static struct sotto_item *item_of(struct sotto_items *items, enum sotto_item_kind kind)
{
    return &items->kept[kind - SOTTO_ITEM_ROSTER];
}

size_t sotto_items_bytes(size_t lane_count)
{
    return (size_t)SOTTO_ROSTER_BYTES_MAX + SOTTO_LAYOUT_BYTES_MAX + lane_count * sizeof(float) +
           SOTTO_MANIFEST_BYTES_MAX + (size_t)SOTTO_ITEM_KINDS * SOTTO_ARENA_ALIGNMENT;
}

enum sotto_status sotto_items_init(struct sotto_items *items, struct sotto_arena *arena)
{
    struct sotto_item *roster = item_of(items, SOTTO_ITEM_ROSTER);
    struct sotto_item *layout = item_of(items, SOTTO_ITEM_LAYOUT);

    *items = (struct sotto_items){.arena = arena};
    roster->at = sotto_arena_take(arena, SOTTO_ROSTER_BYTES_MAX, 1);
    roster->capacity = SOTTO_ROSTER_BYTES_MAX;
    layout->at = sotto_arena_take(arena, SOTTO_LAYOUT_BYTES_MAX, 1);
    layout->capacity = SOTTO_LAYOUT_BYTES_MAX;
    items->adapter_mark = sotto_arena_mark(arena);
    return roster->at == NULL || layout->at == NULL ? SOTTO_NO_MEMORY : SOTTO_OK;
}

bool sotto_items_want(struct sotto_items *items, enum sotto_item_kind kind,
                      const struct sotto_digest *digest)
{
    struct sotto_item *item = item_of(items, kind);

    if (item->is_checked && sotto_digest_equal(&item->digest, digest))
        return false;
    item->digest = *digest;
    item->is_here = false;
    item->is_checked = false;
    return true;
}

/*
 * The adapter's place grows and shrinks with it: nothing above it is in use while items are
 * fetched.
 */
static enum sotto_status adapter_place(struct sotto_items *items, size_t length)
{
    struct sotto_item *adapter = item_of(items, SOTTO_ITEM_ADAPTER);

    if (adapter->at != NULL && adapter->capacity == length)
        return SOTTO_OK;
    sotto_arena_release(items->arena, items->adapter_mark);
    adapter->at = sotto_arena_take(items->arena, length, 1);
    adapter->capacity = adapter->at == NULL ? 0 : length;
    return adapter->at == NULL ? SOTTO_OVER_LIMIT : SOTTO_OK;
}

enum sotto_status sotto_items_put(struct sotto_items *items, enum sotto_item_kind kind,
                                  struct sotto_view bytes)
{
    struct sotto_item *item = item_of(items, kind);
    enum sotto_status status = SOTTO_OK;

    if (item->is_here || item->is_checked)
        return SOTTO_UNEXPECTED;
    if (kind == SOTTO_ITEM_ADAPTER)
        status = adapter_place(items, bytes.length);
    if (status != SOTTO_OK || bytes.length > item->capacity)
        return SOTTO_OVER_LIMIT;
    if (bytes.length > 0)
        memcpy(item->at, bytes.at, bytes.length);
    item->length = bytes.length;
    item->is_here = true;
    return SOTTO_OK;
}

bool sotto_items_has(const struct sotto_items *items, enum sotto_item_kind kind)
{
    return items->kept[kind - SOTTO_ITEM_ROSTER].is_here;
}

/* What is not what was wanted is as if it were not here. */
static bool judge(struct sotto_item *item, const struct sotto_digest *digest)
{
    item->is_checked = sotto_digest_equal(digest, &item->digest);
    if (!item->is_checked)
        item->is_here = false;
    return item->is_checked;
}

bool sotto_items_check(struct sotto_items *items, enum sotto_item_kind kind)
{
    struct sotto_item *item = item_of(items, kind);
    struct sotto_view bytes = sotto_items_bytes_of(items, kind);
    struct sotto_digest digest;

    assert(kind != SOTTO_ITEM_ADAPTER);
    if (!item->is_here)
        return false;
    if (kind == SOTTO_ITEM_LAYOUT)
        sotto_hash_list(&digest, "sotto/1 layout", &bytes, 1);
    else
        sotto_hash(&digest, &bytes, 1);
    return judge(item, &digest);
}

enum sotto_status sotto_items_check_adapter(struct sotto_items *items,
                                            const struct sotto_layout *layout,
                                            struct sotto_fault *fault)
{
    struct sotto_item *item = item_of(items, SOTTO_ITEM_ADAPTER);
    struct sotto_view bytes = sotto_items_bytes_of(items, SOTTO_ITEM_ADAPTER);
    struct sotto_view parts[] = {sotto_items_bytes_of(items, SOTTO_ITEM_LAYOUT), {0}};
    struct sotto_digest digest;
    enum sotto_status status = sotto_manifest_check(bytes, layout, sotto_hash, fault);

    if (status != SOTTO_OK) {
        item->is_here = false;
        item->is_checked = false;
        return status;
    }
    parts[1] = sotto_manifest_of(bytes, layout);
    sotto_hash_list(&digest, "sotto/1 adapter", parts, 2);
    if (judge(item, &digest))
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_MISMATCH, "the adapter is another one than was named");
}

struct sotto_view sotto_items_bytes_of(const struct sotto_items *items, enum sotto_item_kind kind)
{
    const struct sotto_item *item = &items->kept[kind - SOTTO_ITEM_ROSTER];

    return item->is_here ? sotto_view_of(item->at, item->length) : (struct sotto_view){0};
}
