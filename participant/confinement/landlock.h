/*
 * Landlock, by raw system calls with this file's own constants: distributions' headers are older
 * than their kernels. Source: Linux, Documentation/userspace-api/landlock.rst, ABI 1 to 7.
 */
#ifndef SOTTO_PARTICIPANT_CONFINEMENT_LANDLOCK_H
#define SOTTO_PARTICIPANT_CONFINEMENT_LANDLOCK_H

#include "participant/confinement/confinement.h"

/*
 * The calling thread and what it starts later. Needs no-new-privileges.
 *
 *   abi  out  the kernel's version of Landlock, 0: none
 *
 * SOTTO_UNSUPPORTED: no Landlock in this kernel.
 */
SOTTO_CHECKED enum sotto_status sotto_landlock_restrict(int *abi,
                                                        const struct sotto_confinement *reach);

#endif
