#include "coordinator/gate/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

enum { READ_BYTES = 64 * 1024 };

static enum sotto_status file_path(const struct sotto_spool *spool, uint32_t site,
                                   const char *suffix, char out[SOTTO_SPOOL_PATH_MAX])
{
    char name[32];

    snprintf(name, sizeof name, "%" PRIu32 ".%s", site, suffix);
    return sotto_path_join(out, SOTTO_SPOOL_PATH_MAX, spool->folder, name);
}

enum sotto_status sotto_spool_path(const struct sotto_spool *spool, uint32_t site,
                                   char out[SOTTO_SPOOL_PATH_MAX])
{
    return file_path(spool, site, "upload", out);
}

static enum sotto_status disk_fault(const char *path, int error, struct sotto_fault *fault)
{
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return sotto_fault_set(fault, SOTTO_IO,
                               "the spool is full at %s: free some room; the site will try again",
                               path);
    return sotto_fault_set(fault, SOTTO_IO, "the spool cannot be written at %s: %s", path,
                           strerror(error));
}

enum sotto_status sotto_spool_open(struct sotto_spool *spool, const char *folder, uint64_t total,
                                   struct sotto_fault *fault)
{
    enum { SITE_FILE_NAME_MAX = 24 };

    *spool = (struct sotto_spool){.total = total};
    if (strlen(folder) + SITE_FILE_NAME_MAX >= sizeof spool->folder)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    snprintf(spool->folder, sizeof spool->folder, "%s", folder);
    return sotto_folder_make(folder, fault);
}

static void part_close(struct sotto_upload *upload)
{
    struct sotto_digest unused;

    if (upload->state != SOTTO_UPLOAD_PARTIAL)
        return;
    close(upload->descriptor);
    sotto_hasher_finish(&upload->hasher, &unused);
    upload->state = SOTTO_UPLOAD_NONE;
}

void sotto_spool_close(struct sotto_spool *spool)
{
    for (size_t i = 0; i < spool->upload_count; i++)
        part_close(&spool->uploads[i]);
    spool->upload_count = 0;
    memset(spool->places, 0, sizeof spool->places);
}

void sotto_spool_remove(struct sotto_spool *spool)
{
    DIR *folder;
    struct dirent *entry;

    sotto_spool_close(spool);
    folder = opendir(spool->folder);
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(spool->folder);
}

/* The place of a site, or the free one that it would have. Ids are given out one after another. */
static uint16_t *place_find(struct sotto_spool *spool, uint32_t site)
{
    for (uint32_t at = site;; at++) {
        uint16_t *place = &spool->places[at % SOTTO_SPOOL_PLACES];

        if (*place == 0 || spool->uploads[*place - 1].site == site)
            return place;
    }
}

/* NULL: none yet in this life. */
static struct sotto_upload *upload_find(struct sotto_spool *spool, uint32_t site)
{
    uint16_t place = *place_find(spool, site);

    return place == 0 ? NULL : &spool->uploads[place - 1];
}

/* NULL: more sites than a cohort can have. */
static struct sotto_upload *upload_of(struct sotto_spool *spool, uint32_t site)
{
    struct sotto_upload *found = upload_find(spool, site);

    if (found != NULL || spool->upload_count == SOTTO_COHORT_MAX)
        return found;
    spool->uploads[spool->upload_count] = (struct sotto_upload){.site = site, .descriptor = -1};
    *place_find(spool, site) = (uint16_t)(spool->upload_count + 1);
    return &spool->uploads[spool->upload_count++];
}

/* The digest so far of what a part holds; false: it cannot be read. */
static bool part_hash(int descriptor, uint64_t length, struct sotto_hasher *hasher)
{
    uint8_t bytes[READ_BYTES];
    uint64_t at = 0;

    while (at < length) {
        size_t wanted = length - at < READ_BYTES ? (size_t)(length - at) : READ_BYTES;
        ssize_t got = pread(descriptor, bytes, wanted, (off_t)at);

        if (got <= 0)
            return false;
        sotto_hasher_add(hasher, sotto_view_of(bytes, (size_t)got));
        at += (uint64_t)got;
    }
    return true;
}

/*
 * Opens what an earlier life left, or a new part. An upload whose event was never journalled counts
 * as a part, and the chunk that completes it was never acknowledged, so that it has to come again.
 */
static enum sotto_status part_open(struct sotto_spool *spool, struct sotto_upload *upload,
                                   struct sotto_fault *fault)
{
    uint64_t kept_max = (spool->total - 1) / SOTTO_CHUNK_BYTES_MAX * SOTTO_CHUNK_BYTES_MAX;
    char part[SOTTO_SPOOL_PATH_MAX], whole[SOTTO_SPOOL_PATH_MAX];
    struct stat stat;
    struct sotto_digest unused;

    if (file_path(spool, upload->site, "part", part) != SOTTO_OK ||
        file_path(spool, upload->site, "upload", whole) != SOTTO_OK)
        return SOTTO_OVER_LIMIT;
    if (rename(whole, part) != 0 && errno != ENOENT)
        return disk_fault(part, errno, fault);
    upload->descriptor = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (upload->descriptor < 0)
        return disk_fault(part, errno, fault);
    sotto_hasher_init(&upload->hasher);
    if (fstat(upload->descriptor, &stat) != 0)
        stat.st_size = 0;
    upload->received = (uint64_t)stat.st_size < kept_max ? (uint64_t)stat.st_size : kept_max;
    if (!part_hash(upload->descriptor, upload->received, &upload->hasher)) {
        sotto_hasher_finish(&upload->hasher, &unused);
        sotto_hasher_init(&upload->hasher);
        upload->received = 0;
    }
    upload->state = SOTTO_UPLOAD_PARTIAL;
    return SOTTO_OK;
}

static bool has_file(const struct sotto_spool *spool, uint32_t site, const char *suffix)
{
    char path[SOTTO_SPOOL_PATH_MAX];

    return file_path(spool, site, suffix, path) == SOTTO_OK && access(path, F_OK) == 0;
}

/* Whoever merely asks takes no place: it may be of a site that is not in the cohort. */
uint64_t sotto_spool_received(struct sotto_spool *spool, uint32_t site)
{
    struct sotto_upload *upload = upload_find(spool, site);

    if (upload == NULL && !has_file(spool, site, "part") && !has_file(spool, site, "upload"))
        return 0;
    upload = upload_of(spool, site);
    if (upload == NULL)
        return 0;
    if (upload->state == SOTTO_UPLOAD_NONE && part_open(spool, upload, NULL) != SOTTO_OK)
        return 0;
    return upload->received;
}

void sotto_spool_acknowledge(struct sotto_spool *spool, uint32_t site,
                             const struct sotto_digest *digest)
{
    struct sotto_upload *upload = upload_of(spool, site);

    if (upload == NULL)
        return;
    part_close(upload);
    upload->state = SOTTO_UPLOAD_ACKNOWLEDGED;
    upload->received = spool->total;
    upload->digest = *digest;
}

static enum sotto_status chunk_check(const struct sotto_spool *spool,
                                     const struct sotto_chunk *chunk, struct sotto_fault *fault)
{
    struct sotto_digest digest;

    if (chunk->total != spool->total)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "an upload of this round has %" PRIu64 " bytes, not %" PRIu64,
                               spool->total, chunk->total);
    if (chunk->bytes.length > SOTTO_CHUNK_BYTES_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "a chunk has at most %d bytes",
                               SOTTO_CHUNK_BYTES_MAX);
    if (chunk->bytes.length == 0 || chunk->offset > chunk->total ||
        chunk->bytes.length > chunk->total - chunk->offset)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the chunk is empty or goes beyond the end of the upload");
    sotto_hash(&digest, &chunk->bytes, 1);
    if (!sotto_digest_equal(&digest, &chunk->digest))
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the chunk does not have its digest: send it again");
    return SOTTO_OK;
}

/* A part whose whole is not what it should be: all of it comes again. */
static void part_restart(struct sotto_upload *upload)
{
    sotto_hasher_init(&upload->hasher);
    upload->received = 0;
}

/*
 * The last chunk is in: makes the upload durable under its final name. After a failure the next
 * chunk resumes the part.
 */
static enum sotto_status part_complete(struct sotto_spool *spool, struct sotto_upload *upload,
                                       struct sotto_fault *fault)
{
    char part[SOTTO_SPOOL_PATH_MAX], whole[SOTTO_SPOOL_PATH_MAX];

    if (file_path(spool, upload->site, "part", part) != SOTTO_OK ||
        file_path(spool, upload->site, "upload", whole) != SOTTO_OK)
        return SOTTO_OVER_LIMIT;
    if (ftruncate(upload->descriptor, (off_t)spool->total) != 0 || fsync(upload->descriptor) != 0 ||
        rename(part, whole) != 0)
        return disk_fault(part, errno, fault);
    return sotto_folder_sync(spool->folder, fault);
}

static enum sotto_status part_append(struct sotto_spool *spool, struct sotto_upload *upload,
                                     const struct sotto_chunk *chunk, struct sotto_fault *fault)
{
    size_t written = 0;

    while (written < chunk->bytes.length) {
        ssize_t count = pwrite(upload->descriptor, chunk->bytes.at + written,
                               chunk->bytes.length - written, (off_t)(upload->received + written));

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return disk_fault(spool->folder, count == 0 ? ENOSPC : errno, fault);
        written += (size_t)count;
    }
    return SOTTO_OK;
}

static enum sotto_status part_take(struct sotto_spool *spool, struct sotto_upload *upload,
                                   const struct sotto_chunk *chunk, struct sotto_fault *fault)
{
    struct sotto_digest digest;
    enum sotto_status status;

    if (chunk->offset != upload->received)
        return sotto_fault_set(fault, SOTTO_UNEXPECTED, "go on at byte %" PRIu64, upload->received);
    status = part_append(spool, upload, chunk, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_hasher_add(&upload->hasher, chunk->bytes);
    upload->received += chunk->bytes.length;
    if (upload->received < spool->total)
        return SOTTO_OK;
    sotto_hasher_finish(&upload->hasher, &digest);
    if (!sotto_digest_equal(&digest, &chunk->upload_digest)) {
        part_restart(upload);
        return sotto_fault_set(fault, SOTTO_UNEXPECTED,
                               "the upload does not have its digest: send all of it again");
    }
    upload->digest = digest;
    status = part_complete(spool, upload, fault);
    close(upload->descriptor);
    upload->state = status == SOTTO_OK ? SOTTO_UPLOAD_WHOLE : SOTTO_UPLOAD_NONE;
    return status;
}

enum sotto_status sotto_spool_take(struct sotto_spool *spool, uint32_t site,
                                   const struct sotto_chunk *chunk,
                                   const struct sotto_upload **taken, struct sotto_fault *fault)
{
    struct sotto_upload *upload = upload_of(spool, site);
    enum sotto_status status = chunk_check(spool, chunk, fault);

    *taken = upload;
    if (status != SOTTO_OK)
        return status;
    if (upload == NULL)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "more sites upload than a cohort can have");
    if (upload->state == SOTTO_UPLOAD_WHOLE || upload->state == SOTTO_UPLOAD_ACKNOWLEDGED) {
        if (sotto_digest_equal(&upload->digest, &chunk->upload_digest))
            return SOTTO_OK;
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "another upload of this site was taken in this round");
    }
    if (upload->state == SOTTO_UPLOAD_NONE)
        status = part_open(spool, upload, fault);
    return status == SOTTO_OK ? part_take(spool, upload, chunk, fault) : status;
}
