/*
 * sotto-coordinator init: a state folder with an authority, credentials, a config and an empty
 * journal.
 */
#ifndef SOTTO_COORDINATOR_PROGRAM_INIT_H
#define SOTTO_COORDINATOR_PROGRAM_INIT_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

struct sotto_init {
    const char *folder;
    const char *const *hosts; /* names and addresses of the server; the first goes into its URL */
    size_t host_count;
    uint16_t port;
};

/*
 * The folder appears whole or not at all. SOTTO_BUSY: it is there already and is not empty;
 * SOTTO_MALFORMED: a host;
 * SOTTO_IO.
 */
SOTTO_CHECKED enum sotto_status sotto_init_run(const struct sotto_init *init,
                                               struct sotto_fault *fault);

#endif
