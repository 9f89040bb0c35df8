#include "participant/trainer/shelf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"

enum { TARGET_MAX = 64 };

static enum sotto_status link_move(const char *shelf, const char *target, struct sotto_fault *fault)
{
    char link_path[SOTTO_SHELF_PATH_MAX];
    char fresh_path[SOTTO_SHELF_PATH_MAX];

    if (sotto_path_join(link_path, sizeof link_path, shelf, "current") != SOTTO_OK ||
        sotto_path_join(fresh_path, sizeof fresh_path, shelf, "current.tmp") != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", shelf);
    if (unlink(fresh_path) != 0 && errno != ENOENT)
        return sotto_fault_set(fault, SOTTO_IO, "cannot remove %s: %s", fresh_path,
                               strerror(errno));
    if (symlink(target, fresh_path) != 0 || rename(fresh_path, link_path) != 0)
        return sotto_fault_set(fault, SOTTO_IO, "cannot point %s to %s: %s", link_path, target,
                               strerror(errno));
    return sotto_folder_sync(shelf, fault);
}

enum sotto_status sotto_shelf_keep(char path[SOTTO_SHELF_PATH_MAX],
                                   const struct sotto_shelf_entry *entry, const float *lanes,
                                   const struct sotto_layout *layout, struct sotto_fault *fault)
{
    char campaign_path[SOTTO_SHELF_PATH_MAX];
    char target[TARGET_MAX];
    enum sotto_status status = SOTTO_OK;

    snprintf(target, sizeof target, "%s/round-%" PRIu32, entry->campaign, entry->round);
    if (sotto_path_join(campaign_path, sizeof campaign_path, entry->shelf, entry->campaign) !=
            SOTTO_OK ||
        sotto_path_join(path, SOTTO_SHELF_PATH_MAX, entry->shelf, target) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", entry->shelf);
    status = sotto_folder_make(campaign_path, fault);
    if (status == SOTTO_OK)
        status = sotto_peft_write(path, lanes, layout, &entry->base, fault);
    if (status == SOTTO_OK)
        status = link_move(entry->shelf, target, fault);
    return status;
}
