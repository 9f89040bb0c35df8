#include "coordinator/ledger/shelf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"

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

void sotto_shelf_digest(struct sotto_digest *digest, enum sotto_shelf shelf,
                        struct sotto_view layout, struct sotto_view bytes)
{
    struct sotto_view parts[] = {layout, bytes};

    switch (shelf) {
    case SOTTO_SHELF_LAYOUT: sotto_hash_list(digest, "sotto/1 layout", &bytes, 1); return;
    case SOTTO_SHELF_ADAPTER: sotto_hash_list(digest, "sotto/1 adapter", parts, 2); return;
    case SOTTO_SHELF_ROSTER:
    case SOTTO_SHELF_COUNT: sotto_hash(digest, &bytes, 1); return;
    }
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

enum sotto_status sotto_shelf_store(const char *folder, enum sotto_shelf shelf,
                                    const struct sotto_digest *digest, struct sotto_view bytes,
                                    struct sotto_fault *fault)
{
    char path[SHELF_PATH_MAX];

    if (item_path(path, folder, shelf, digest) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    if (access(path, F_OK) == 0)
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
