#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static const char *remedy_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return "free some space there";
    case EACCES:
    case EPERM:
    case EROFS: return "check who owns it and its mode";
    case ENOENT:
    case ENOTDIR: return "check the path";
    case EMFILE:
    case ENFILE: return "raise the limit of open files";
    }
    return "check the disk";
}

bool sotto_path_is_link(const char *path)
{
    struct stat facts;

    return lstat(path, &facts) == 0 && S_ISLNK(facts.st_mode);
}

enum sotto_status sotto_file_fault(struct sotto_fault *fault, const char *action, const char *path)
{
    int error = errno;
    bool is_absent = error == ENOENT || error == ENOTDIR;
    char target[PATH_MAX];
    ssize_t length = is_absent ? readlink(path, target, sizeof target - 1) : -1;

    if (length > 0) {
        target[length] = '\0';
        return sotto_fault_set(
            fault, SOTTO_NOT_FOUND,
            "cannot %s %s: it is a link to %s, which is not there; get that file, "
            "or point the link at it",
            action, path, target);
    }
    return sotto_fault_set(fault, is_absent ? SOTTO_NOT_FOUND : SOTTO_IO, "cannot %s %s: %s; %s",
                           action, path, strerror(error), remedy_of(error));
}

/* Reads until `length` bytes are there or the file ends; -1 and errno on failure. */
static ssize_t read_up_to(int descriptor, uint8_t *out, size_t length)
{
    size_t filled = 0;

    while (filled < length) {
        ssize_t got = read(descriptor, out + filled, length - filled);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        filled += (size_t)got;
    }
    return (ssize_t)filled;
}

/* The size of an open regular file of at most length_max bytes. */
static enum sotto_status check_size(size_t *size, int descriptor, const char *path,
                                    size_t length_max, struct sotto_fault *fault)
{
    struct stat stat;

    if (fstat(descriptor, &stat) != 0)
        return sotto_file_fault(fault, "read", path);
    if (!S_ISREG(stat.st_mode))
        return sotto_fault_set(fault, SOTTO_IO, "cannot read %s: it is not a regular file", path);
    if ((uint64_t)stat.st_size > length_max)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "%s has %lld bytes, more than the %zu that are allowed", path,
                               (long long)stat.st_size, length_max);
    *size = (size_t)stat.st_size;
    return SOTTO_OK;
}

static enum sotto_status read_open_file(uint8_t **out, size_t *length, int descriptor,
                                        const char *path, size_t size, struct sotto_fault *fault)
{
    uint8_t *bytes = malloc(size + 1);
    ssize_t filled;

    if (bytes == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the %zu bytes of %s", size,
                               path);
    filled = read_up_to(descriptor, bytes, size);
    if (filled < 0) {
        free(bytes);
        return sotto_file_fault(fault, "read", path);
    }
    bytes[filled] = 0;
    *out = bytes;
    *length = (size_t)filled;
    return SOTTO_OK;
}

enum sotto_status sotto_file_read(uint8_t **out, size_t *length, const char *path,
                                  size_t length_max, struct sotto_fault *fault)
{
    enum sotto_status status;
    size_t size = 0;
    /* Without O_NONBLOCK a named pipe in the file's place would hang the process. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *out = NULL;
    *length = 0;
    if (descriptor < 0)
        return sotto_file_fault(fault, "open", path);
    status = check_size(&size, descriptor, path, length_max, fault);
    if (status == SOTTO_OK)
        status = read_open_file(out, length, descriptor, path, size, fault);
    close(descriptor);
    return status;
}

/* Creates `path`, which must not exist, with `bytes` on the disk. */
static enum sotto_status write_durably(const char *path, struct sotto_view bytes, mode_t mode,
                                       struct sotto_fault *fault)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (descriptor < 0)
        return sotto_file_fault(fault, "create", path);
    if (sotto_descriptor_write(descriptor, bytes) != SOTTO_OK || fsync(descriptor) != 0) {
        enum sotto_status status = sotto_file_fault(fault, "write", path);

        close(descriptor);
        return status;
    }
    if (close(descriptor) != 0)
        return sotto_file_fault(fault, "write", path);
    return SOTTO_OK;
}

/* The folder part of a path, into out[PATH_MAX]; the path was short enough to be opened. */
static void folder_of(char out[PATH_MAX], const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        snprintf(out, PATH_MAX, ".");
    else if (slash == path)
        snprintf(out, PATH_MAX, "/");
    else
        snprintf(out, PATH_MAX, "%.*s", (int)(slash - path), path);
}

enum sotto_status sotto_file_replace(const char *path, struct sotto_view bytes, mode_t mode,
                                     struct sotto_fault *fault)
{
    char temporary[PATH_MAX];
    char folder[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    enum sotto_status status;

    if (length < 0 || (size_t)length >= sizeof temporary)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the path %.80s... is too long", path);
    unlink(temporary); /* left by a crash */
    status = write_durably(temporary, bytes, mode, fault);
    if (status == SOTTO_OK && rename(temporary, path) != 0)
        status = sotto_file_fault(fault, "replace", path);
    if (status != SOTTO_OK) {
        unlink(temporary);
        return status;
    }
    folder_of(folder, path);
    return sotto_folder_sync(folder, fault);
}

/* A new folder's name is on the disk with it, as that of a file that is put there will be. */
static enum sotto_status make_one_folder(const char *path, struct sotto_fault *fault)
{
    struct stat stat_of_path;
    char parent[PATH_MAX];

    if (mkdir(path, 0700) == 0) {
        folder_of(parent, path);
        return sotto_folder_sync(parent, fault);
    }
    if (errno != EEXIST)
        return sotto_file_fault(fault, "make the folder", path);
    if (stat(path, &stat_of_path) != 0)
        return sotto_file_fault(fault, "make the folder", path);
    if (!S_ISDIR(stat_of_path.st_mode))
        return sotto_fault_set(fault, SOTTO_IO,
                               "cannot make the folder %s: a file is in its place; move it away",
                               path);
    return SOTTO_OK;
}

enum sotto_status sotto_folder_make(const char *path, struct sotto_fault *fault)
{
    char partial[PATH_MAX];
    size_t length = strlen(path);

    if (length == 0 || length >= sizeof partial)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "cannot make the folder '%.80s': its path is empty or too long",
                               path);
    memcpy(partial, path, length + 1);
    for (size_t i = 1; i < length; i++) {
        enum sotto_status status;

        if (partial[i] != '/')
            continue;
        partial[i] = '\0';
        status = make_one_folder(partial, fault);
        partial[i] = '/';
        if (status != SOTTO_OK)
            return status;
    }
    return make_one_folder(partial, fault);
}

enum sotto_status sotto_folder_make_above(const char *path, struct sotto_fault *fault)
{
    char folder[PATH_MAX];

    if (strlen(path) >= sizeof folder)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the path %.80s... is too long", path);
    folder_of(folder, path);
    return sotto_folder_make(folder, fault);
}

enum sotto_status sotto_folder_sync(const char *path, struct sotto_fault *fault)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum sotto_status status = SOTTO_OK;

    if (descriptor < 0)
        return sotto_file_fault(fault, "open the folder", path);
    if (fsync(descriptor) != 0)
        status = sotto_file_fault(fault, "write the folder", path);
    close(descriptor);
    return status;
}

/* The number that the holder of a lock wrote into it; 0 if it has not yet. */
static long lock_holder(int descriptor)
{
    char text[24] = {0};

    if (pread(descriptor, text, sizeof text - 1, 0) <= 0)
        return 0;
    return strtol(text, NULL, 10);
}

static enum sotto_status take_lock(int descriptor, const char *folder, struct sotto_fault *fault)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return sotto_fault_set(fault, SOTTO_BUSY,
                                   "%s is in use by process %ld; stop that one, or choose another "
                                   "folder",
                                   folder, lock_holder(descriptor));
        return sotto_file_fault(fault, "lock", folder);
    }
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, (size_t)length, 0) != length)
        return sotto_file_fault(fault, "write the lock of", folder);
    return SOTTO_OK;
}

enum sotto_status sotto_folder_lock(int *descriptor, const char *folder, struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = sotto_path_join(path, sizeof path, folder, "lock");
    int opened;

    *descriptor = -1;
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the path %.80s... is too long", folder);
    opened = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (opened < 0)
        return sotto_file_fault(fault, "open", path);
    status = take_lock(opened, folder, fault);
    if (status != SOTTO_OK) {
        close(opened);
        return status;
    }
    *descriptor = opened;
    return SOTTO_OK;
}

enum sotto_status sotto_path_join(char *out, size_t capacity, const char *folder, const char *name)
{
    size_t folder_length = strlen(folder);
    const char *slash = folder_length > 0 && folder[folder_length - 1] == '/' ? "" : "/";
    int length = snprintf(out, capacity, "%s%s%s", folder, slash, name);

    if (length >= 0 && (size_t)length < capacity)
        return SOTTO_OK;
    if (capacity > 0)
        out[0] = '\0';
    return SOTTO_OVER_LIMIT;
}

enum sotto_status sotto_descriptor_write(int descriptor, struct sotto_view bytes)
{
    size_t written = 0;

    while (written < bytes.length) {
        ssize_t part = write(descriptor, bytes.at + written, bytes.length - written);

        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return SOTTO_IO;
        written += (size_t)part;
    }
    return SOTTO_OK;
}

enum sotto_status sotto_sealed_open(int *descriptor, struct sotto_view bytes)
{
    int opened = memfd_create("sotto", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    *descriptor = -1;
    if (opened < 0)
        return SOTTO_IO;
    if (sotto_descriptor_write(opened, bytes) != SOTTO_OK || lseek(opened, 0, SEEK_SET) != 0 ||
        fcntl(opened, F_ADD_SEALS, SEALS) != 0) {
        close(opened);
        return SOTTO_IO;
    }
    *descriptor = opened;
    return SOTTO_OK;
}

enum sotto_status sotto_sealed_map(struct sotto_view *out, int descriptor, size_t length_max)
{
    int seals = fcntl(descriptor, F_GET_SEALS);
    struct stat stat;
    void *mapped;

    if (seals < 0 || (seals & SEALS) != SEALS)
        return SOTTO_FORGED;
    if (fstat(descriptor, &stat) != 0)
        return SOTTO_IO;
    if ((uint64_t)stat.st_size > length_max)
        return SOTTO_OVER_LIMIT;
    if (stat.st_size == 0) {
        *out = (struct sotto_view){0};
        return SOTTO_OK;
    }
    mapped = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapped == MAP_FAILED)
        return SOTTO_IO;
    *out = sotto_view_of(mapped, (size_t)stat.st_size);
    return SOTTO_OK;
}

void sotto_sealed_unmap(struct sotto_view mapped)
{
    if (mapped.length > 0)
        munmap((void *)(uintptr_t)mapped.at, mapped.length);
}
