#include "coordinator/ledger/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"

enum { SHELF_PATH_MAX = 512 };

static const char *const shelf_names[SOTTO_SHELF_COUNT] = {"roster", "layout", "adapter"};

enum sotto_status sotto_shelf_parse(enum sotto_shelf *shelf, const char *name)
{
    for (size_t i = 0; i < SOTTO_SHELF_COUNT; i++)
        if (strcmp(shelf_names[i], name) == 0) {
            *shelf = (enum sotto_shelf)i;
            return SOTTO_OK;
        }
    return SOTTO_NOT_FOUND;
}

/* The layout from malloc. */
static enum sotto_status layout_open(struct sotto_layout **layout, struct sotto_view bytes,
                                     struct sotto_fault *fault)
{
    struct sotto_layout *opened = malloc(sizeof *opened);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (opened != NULL)
        status = sotto_layout_decode(opened, bytes);
    if (status == SOTTO_OK) {
        *layout = opened;
        return status;
    }
    free(opened);
    return sotto_fault_set(fault, status, "the adapter's layout does not parse");
}

/* Of an adapter that is as long as its layout says. */
static void adapter_digest(struct sotto_digest *digest, const struct sotto_layout *layout,
                           struct sotto_view layout_bytes, struct sotto_view adapter)
{
    const struct sotto_view parts[] = {layout_bytes, sotto_manifest_of(adapter, layout)};

    sotto_hash_list(digest, "sotto/1 adapter", parts, 2);
}

enum sotto_status sotto_shelf_digest(struct sotto_digest *digest, enum sotto_shelf shelf,
                                     struct sotto_view layout_bytes, struct sotto_view bytes,
                                     struct sotto_fault *fault)
{
    struct sotto_layout *layout = NULL;
    enum sotto_status status = SOTTO_OK;

    if (shelf == SOTTO_SHELF_LAYOUT)
        sotto_hash_list(digest, "sotto/1 layout", &bytes, 1);
    else if (shelf != SOTTO_SHELF_ADAPTER)
        sotto_hash(digest, &bytes, 1);
    else
        status = layout_open(&layout, layout_bytes, fault);
    if (layout != NULL)
        status = sotto_manifest_check_length(bytes.length, layout, fault);
    if (layout != NULL && status == SOTTO_OK)
        adapter_digest(digest, layout, layout_bytes, bytes);
    free(layout);
    return status;
}

static enum sotto_status adapter_check(const struct sotto_digest *digest,
                                       struct sotto_view layout_bytes, struct sotto_view adapter,
                                       struct sotto_fault *fault)
{
    struct sotto_layout *layout = NULL;
    struct sotto_digest found;
    enum sotto_status status = layout_open(&layout, layout_bytes, fault);

    if (status == SOTTO_OK)
        status = sotto_manifest_check(adapter, layout, sotto_hash, fault);
    if (status == SOTTO_OK) {
        adapter_digest(&found, layout, layout_bytes, adapter);
        if (!sotto_digest_equal(&found, digest))
            status = sotto_fault_set(fault, SOTTO_MISMATCH,
                                     "the adapter is another one, or of another layout");
    }
    free(layout);
    return status;
}

enum sotto_status sotto_shelf_check(const struct sotto_digest *digest, enum sotto_shelf shelf,
                                    struct sotto_view layout, struct sotto_view bytes,
                                    struct sotto_fault *fault)
{
    struct sotto_digest found;
    enum sotto_status status = SOTTO_OK;

    if (shelf == SOTTO_SHELF_ADAPTER)
        return adapter_check(digest, layout, bytes, fault);
    status = sotto_shelf_digest(&found, shelf, layout, bytes, fault);
    if (status != SOTTO_OK || sotto_digest_equal(&found, digest))
        return status;
    return sotto_fault_set(fault, SOTTO_MISMATCH, "the %s is another one, or damaged",
                           shelf_names[shelf]);
}

static enum sotto_status item_path(char out[SHELF_PATH_MAX], const char *folder,
                                   enum sotto_shelf shelf, const struct sotto_digest *digest)
{
    char hex[SOTTO_DIGEST_HEX];
    char name[SOTTO_DIGEST_HEX + 16];

    sotto_digest_hex(hex, digest);
    snprintf(name, sizeof name, "items/%s/%s", shelf_names[shelf], hex);
    return sotto_path_join(out, SHELF_PATH_MAX, folder, name);
}

/* A file that was damaged since has its digest's name still. */
static bool is_there(const char *path, struct sotto_view bytes)
{
    uint8_t *found = NULL;
    size_t length = 0;
    bool is = sotto_file_read(&found, &length, path, SOTTO_SHELF_BYTES_MAX, NULL) == SOTTO_OK &&
              sotto_view_equal(sotto_view_of(found, length), bytes);

    free(found);
    return is;
}

enum sotto_status sotto_shelf_store(const char *folder, enum sotto_shelf shelf,
                                    const struct sotto_digest *digest, struct sotto_view bytes,
                                    struct sotto_fault *fault)
{
    char path[SHELF_PATH_MAX];

    if (item_path(path, folder, shelf, digest) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    if (is_there(path, bytes))
        return SOTTO_OK;
    return sotto_file_replace(path, bytes, 0600, fault);
}

enum sotto_status sotto_shelf_read(const char *folder, enum sotto_shelf shelf,
                                   const struct sotto_digest *digest, uint8_t **bytes,
                                   size_t *length, struct sotto_fault *fault)
{
    char path[SHELF_PATH_MAX];

    *bytes = NULL;
    if (item_path(path, folder, shelf, digest) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    return sotto_file_read(bytes, length, path, SOTTO_SHELF_BYTES_MAX, fault);
}

enum sotto_status sotto_shelf_read_adapter(const char *folder, const struct sotto_digest *digest,
                                           struct sotto_view layout, uint8_t **bytes,
                                           size_t *length, struct sotto_fault *fault)
{
    struct sotto_fault cause = {0};
    char hex[SOTTO_DIGEST_HEX];
    enum sotto_status status =
        sotto_shelf_read(folder, SOTTO_SHELF_ADAPTER, digest, bytes, length, fault);

    sotto_digest_hex(hex, digest);
    if (status == SOTTO_NOT_FOUND)
        return sotto_fault_set(fault, status, "items/adapter/%.12s... is missing", hex);
    if (status != SOTTO_OK)
        return status;
    status = sotto_shelf_check(digest, SOTTO_SHELF_ADAPTER, layout, sotto_view_of(*bytes, *length),
                               &cause);
    if (status == SOTTO_OK)
        return status;
    free(*bytes);
    *bytes = NULL;
    return sotto_fault_set(fault, status == SOTTO_NO_MEMORY ? status : SOTTO_FORGED,
                           "items/adapter/%.12s... is damaged: %s", hex, cause.text);
}
