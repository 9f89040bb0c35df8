#include "models/weights/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

static bool exists(const char *path)
{
    struct stat facts;

    return lstat(path, &facts) == 0;
}

static bool is_plain_folder(const char *path)
{
    struct stat facts;

    return lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* Whether every entry of a folder is a file, so that removing them one by one empties it. */
static bool holds_files_only(const char *path)
{
    bool files_only = true;
    struct stat facts;
    const struct dirent *entry;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
            S_ISDIR(facts.st_mode))
            files_only = false;
    }
    closedir(folder);
    return files_only;
}

static void remove_folder(const char *path)
{
    const struct dirent *entry;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(path);
}

enum sotto_status sotto_staging_check(const char *folder, const char *marker,
                                      struct sotto_fault *fault)
{
    char marked[PATH_MAX];

    if (!exists(folder))
        return SOTTO_OK;
    if (marker != NULL && is_plain_folder(folder) && holds_files_only(folder) &&
        sotto_path_join(marked, sizeof marked, folder, marker) == SOTTO_OK && exists(marked))
        return SOTTO_OK;
    return sotto_fault_set(
        fault, SOTTO_IO, "%s exists and is not replaced: remove it or choose another name", folder);
}

/* The part of a path above its last name, into out[PATH_MAX]. */
static void parent_of(char out[PATH_MAX], const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        snprintf(out, PATH_MAX, ".");
    else
        snprintf(out, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

enum sotto_status sotto_staging_open(struct sotto_staging *staging, const char *folder,
                                     struct sotto_fault *fault)
{
    static const char suffix[] = ".partial-XXXXXX";
    size_t length = strlen(folder);
    char parent[PATH_MAX];
    enum sotto_status status;

    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length + sizeof suffix > PATH_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "folder \"%.200s\": the path is empty or too long", folder);
    snprintf(staging->folder, sizeof staging->folder, "%.*s", (int)length, folder);
    memcpy(staging->partial, folder, length);
    memcpy(staging->partial + length, suffix, sizeof suffix);
    parent_of(parent, staging->folder);
    status = sotto_folder_make(parent, fault);
    if (status != SOTTO_OK)
        return status;
    if (mkdtemp(staging->partial) == NULL)
        return sotto_fault_set(fault, SOTTO_IO, "cannot create %.400s: %s", staging->folder,
                               strerror(errno));
    return SOTTO_OK;
}

/* Renames; an existing folder changes places with the sibling and is removed under its name. */
static int take_name(const struct sotto_staging *staging)
{
    int result;

    if (!exists(staging->folder))
        return renameat2(AT_FDCWD, staging->partial, AT_FDCWD, staging->folder, RENAME_NOREPLACE);
    result = renameat2(AT_FDCWD, staging->partial, AT_FDCWD, staging->folder, RENAME_EXCHANGE);
    if (result == 0)
        remove_folder(staging->partial);
    return result;
}

enum sotto_status sotto_staging_publish(struct sotto_staging *staging, const char *marker,
                                        struct sotto_fault *fault)
{
    char parent[PATH_MAX];
    enum sotto_status status = sotto_staging_check(staging->folder, marker, fault);

    if (status == SOTTO_OK)
        status = sotto_folder_sync(staging->partial, fault);
    if (status == SOTTO_OK && (chmod(staging->partial, 0755) != 0 || take_name(staging) != 0))
        status = sotto_fault_set(fault, SOTTO_IO, "cannot create %.400s: %s", staging->folder,
                                 strerror(errno));
    if (status != SOTTO_OK) {
        sotto_staging_discard(staging);
        return status;
    }
    parent_of(parent, staging->folder);
    return sotto_folder_sync(parent, fault);
}

void sotto_staging_discard(struct sotto_staging *staging)
{
    remove_folder(staging->partial);
}
