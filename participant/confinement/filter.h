/*
 * The seccomp filters of the three roles. A denied call fails with EPERM, so that a library which
 * merely tries its luck goes on; ways to start programs, to look into other processes and around
 * this filter are denied to all.
 */
#ifndef SOTTO_PARTICIPANT_CONFINEMENT_FILTER_H
#define SOTTO_PARTICIPANT_CONFINEMENT_FILTER_H

#include "participant/confinement/confinement.h"

/* All threads of the process. SOTTO_UNSUPPORTED: the kernel takes no filter. */
SOTTO_CHECKED enum sotto_status sotto_filter_install(const struct sotto_confinement *confinement);

#endif
