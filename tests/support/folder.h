/* A temporary folder that is gone with everything in it when the test ends. */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include "core/base/bytes.h"

enum { FOLDER_PATH_MAX = 512 };

struct folder {
    char path[FOLDER_PATH_MAX];
};

/* A path below a folder, to be passed on at once. */
struct folder_path {
    char text[2 * FOLDER_PATH_MAX];
};

/* All of these fail the test when the disk does not let them. */
void folder_open(struct folder *folder);
void folder_close(struct folder *folder);
struct folder_path folder_path(const struct folder *folder, const char *name);
void folder_write(const struct folder *folder, const char *name, struct sotto_view bytes);

/* Whether the file exists and holds just `bytes`. */
bool folder_holds(const struct folder *folder, const char *name, struct sotto_view bytes);
/* How many entries the folder has. */
size_t folder_count(const struct folder *folder);

#endif
