/*
 * What a process of a site can no longer do once it has started. Layers, because each alone has
 * holes:
 *
 *     no-new-privileges   nothing that it could run would gain rights
 *     no dumps            no core file, no ptrace by others of the same user
 *     Landlock            of the file system only the named paths; no TCP without need (ABI 4)
 *     seccomp             no sockets, no other process's memory, no programs; see filter.h
 *
 *     trainer   opens its model and examples, writes adapters; no socket
 *     sealer    opens nothing at all; no socket
 *     courier   sockets; opens at most what names are looked up with; writes no file
 *
 * The letter that starts a process comes before, everything from outside comes after.
 */
#ifndef SOTTO_PARTICIPANT_CONFINEMENT_CONFINEMENT_H
#define SOTTO_PARTICIPANT_CONFINEMENT_CONFINEMENT_H

#include <stdbool.h>

#include "core/base/status.h"

enum sotto_role { SOTTO_ROLE_TRAINER, SOTTO_ROLE_SEALER, SOTTO_ROLE_COURIER };

enum { SOTTO_REACH_MAX = 16, SOTTO_CONFINED_TEXT_MAX = 160 };

struct sotto_confinement {
    enum sotto_role role;
    bool is_degraded_allowed; /* go on where the kernel lacks a layer */
    const char *readable
        [SOTTO_REACH_MAX]; /* files and folders, NULL ends; those that are not there are left out */
    const char *writable[2]; /* folders */
    bool opens_nothing;      /* the courier: not even for reading */
};

/*
 * For the calling thread and all that it starts later; seccomp for all threads of the process.
 * There is no way back.
 *
 *   layers  out  the layers that hold, for the log
 *
 * SOTTO_UNSUPPORTED: the kernel lacks a layer and is_degraded_allowed is false; what holds until
 * then holds on.
 */
SOTTO_CHECKED enum sotto_status sotto_confine(char layers[SOTTO_CONFINED_TEXT_MAX],
                                              const struct sotto_confinement *confinement,
                                              struct sotto_fault *fault);

#endif
