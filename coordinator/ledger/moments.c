#include "coordinator/ledger/moments.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"

enum { MOMENTS_PATH_MAX = 512, MOMENTS_BYTES_MAX = 1 << 30, NAME_MAX_BYTES = 16 };

static enum sotto_status path_of(char out[MOMENTS_PATH_MAX], const struct sotto_moments_key *key,
                                 const char *name)
{
    char inner[MOMENTS_PATH_MAX];
    int length = snprintf(inner, sizeof inner, "moments/%s%s%s", key->campaign,
                          name[0] == '\0' ? "" : "/", name);

    if (length < 0 || (size_t)length >= sizeof inner)
        return SOTTO_OVER_LIMIT;
    return sotto_path_join(out, MOMENTS_PATH_MAX, key->folder, inner);
}

static void seal(struct sotto_digest *digest, const struct sotto_moments_key *key,
                 struct sotto_view values)
{
    uint8_t round[4];
    const struct sotto_view parts[] = {sotto_view_of(round, sizeof round),
                                       sotto_view_digest(key->adapter), values};

    sotto_store_u32(round, key->round);
    sotto_hash_list(digest, "sotto/1 moments", parts, 3);
}

static void name_of(char out[NAME_MAX_BYTES], uint32_t round)
{
    snprintf(out, NAME_MAX_BYTES, "%" PRIu32, round);
}

/* moments/ and moments/<campaign>/ below the coordinator's folder. */
static enum sotto_status folders_make(const struct sotto_moments_key *key,
                                      struct sotto_fault *fault)
{
    char path[MOMENTS_PATH_MAX];
    enum sotto_status status = path_of(path, key, "");

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s: the path is too long", key->folder);
    return sotto_folder_make(path, fault);
}

enum sotto_status sotto_moments_store(const struct sotto_moments_key *key, const float *values,
                                      size_t count, struct sotto_fault *fault)
{
    size_t length = count * sizeof *values;
    uint8_t *bytes = malloc(length + SOTTO_DIGEST_BYTES);
    struct sotto_digest digest;
    char name[NAME_MAX_BYTES], path[MOMENTS_PATH_MAX];
    enum sotto_status status;

    if (bytes == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to keep the moments");
    memcpy(bytes, values, length);
    seal(&digest, key, sotto_view_of(bytes, length));
    memcpy(bytes + length, digest.bytes, SOTTO_DIGEST_BYTES);
    name_of(name, key->round);
    status = folders_make(key, fault);
    if (status == SOTTO_OK && path_of(path, key, name) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", key->folder);
    if (status == SOTTO_OK)
        status = sotto_file_replace(path, sotto_view_of(bytes, length + SOTTO_DIGEST_BYTES), 0600,
                                    fault);
    free(bytes);
    return status;
}

enum sotto_status sotto_moments_read(float *values, size_t count,
                                     const struct sotto_moments_key *key, struct sotto_fault *fault)
{
    size_t wanted = count * sizeof *values, length;
    char name[NAME_MAX_BYTES], path[MOMENTS_PATH_MAX];
    struct sotto_digest digest;
    uint8_t *bytes;
    enum sotto_status status;

    name_of(name, key->round);
    if (path_of(path, key, name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", key->folder);
    status = sotto_file_read(&bytes, &length, path, MOMENTS_BYTES_MAX, fault);
    if (status == SOTTO_NOT_FOUND)
        return sotto_fault_set(fault, status,
                               "the server optimiser's moments are missing, moments/%s/%s",
                               key->campaign, name);
    if (status != SOTTO_OK)
        return status;
    if (length == wanted + SOTTO_DIGEST_BYTES) {
        seal(&digest, key, sotto_view_of(bytes, wanted));
        memcpy(values, bytes, wanted);
    }
    if (length != wanted + SOTTO_DIGEST_BYTES ||
        memcmp(digest.bytes, bytes + wanted, SOTTO_DIGEST_BYTES) != 0)
        status = sotto_fault_set(fault, SOTTO_FORGED,
                                 "the server optimiser's moments are damaged, moments/%s/%s",
                                 key->campaign, name);
    free(bytes);
    return status;
}

void sotto_moments_sweep(const struct sotto_moments_key *key, uint32_t also)
{
    char path[MOMENTS_PATH_MAX], kept[2][NAME_MAX_BYTES];
    const struct dirent *entry;
    DIR *folder = NULL;

    name_of(kept[0], key->round);
    name_of(kept[1], also);
    if (path_of(path, key, "") == SOTTO_OK)
        folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, kept[0]) == 0 ||
            strcmp(entry->d_name, kept[1]) == 0 || path_of(path, key, entry->d_name) != SOTTO_OK)
            continue;
        (void)unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
}
