/*
 * Whole files, all or nothing. A file that exists under its final name is complete and on the disk.
 */
#ifndef SOTTO_CORE_BASE_FILE_H
#define SOTTO_CORE_BASE_FILE_H

#include <sys/types.h>

#include "core/base/bytes.h"

/*
 * SOTTO_NOT_FOUND or SOTTO_IO for what errno says of a path, with the remedy; a link that leads
 * nowhere is told as one.
 *
 *   action  in  what could not be done with it: "open"
 */
enum sotto_status sotto_file_fault(struct sotto_fault *fault, const char *action, const char *path);

/* Whether a path is that of a link, wherever it leads. */
bool sotto_path_is_link(const char *path);

/*
 * Reads a file of at most `length_max` bytes into memory from malloc, with a zero byte after the
 * last one that `length` does not count.
 *
 * SOTTO_NOT_FOUND, SOTTO_OVER_LIMIT, SOTTO_IO, SOTTO_NO_MEMORY: *out is NULL; the fault names the
 * path.
 */
SOTTO_CHECKED enum sotto_status sotto_file_read(uint8_t **out, size_t *length, const char *path,
                                                size_t length_max, struct sotto_fault *fault);

/*
 * Writes path.tmp, fsync, rename, fsync of the folder. After a failure the old file, if any, is
 * untouched and the temporary one is gone; only where the folder itself cannot be synced does the
 * new file stand already, without the promise that it outlasts a power cut.
 */
SOTTO_CHECKED enum sotto_status sotto_file_replace(const char *path, struct sotto_view bytes,
                                                   mode_t mode, struct sotto_fault *fault);

/* mkdir -p with mode 0700 for what is new. */
SOTTO_CHECKED enum sotto_status sotto_folder_make(const char *path, struct sotto_fault *fault);

/* The same for the folders above a file or folder that is still to come. */
SOTTO_CHECKED enum sotto_status sotto_folder_make_above(const char *path,
                                                        struct sotto_fault *fault);

/* fsync of a folder, so that renames in it last. */
SOTTO_CHECKED enum sotto_status sotto_folder_sync(const char *path, struct sotto_fault *fault);

/*
 * An exclusive lock on `folder`/lock for the life of the descriptor. SOTTO_BUSY: another process
 * has it; the fault names its process number.
 */
SOTTO_CHECKED enum sotto_status sotto_folder_lock(int *descriptor, const char *folder,
                                                  struct sotto_fault *fault);

/* out[capacity] = folder '/' name. SOTTO_OVER_LIMIT: too long; out is empty. */
SOTTO_CHECKED enum sotto_status sotto_path_join(char *out, size_t capacity, const char *folder,
                                                const char *name);

/* Write `length` bytes at the descriptor, through short writes and EINTR. */
SOTTO_CHECKED enum sotto_status sotto_descriptor_write(int descriptor, struct sotto_view bytes);

/*
 * An anonymous file holding `bytes`, sealed against any change, its position at 0: how tensors pass
 * between the processes of a site. The caller closes it.
 */
SOTTO_CHECKED enum sotto_status sotto_sealed_open(int *descriptor, struct sotto_view bytes);
/*
 * Maps a sealed descriptor read-only; SOTTO_FORGED if a seal is missing, SOTTO_OVER_LIMIT above
 * length_max.
 */
SOTTO_CHECKED enum sotto_status sotto_sealed_map(struct sotto_view *out, int descriptor,
                                                 size_t length_max);
void sotto_sealed_unmap(struct sotto_view mapped);

#endif
