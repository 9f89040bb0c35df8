/*
 * A folder of a few files that appears whole or not at all: its files are written into a sibling,
 * which then takes the folder's name by one rename.
 */
#ifndef SOTTO_MODELS_WEIGHTS_STAGING_H
#define SOTTO_MODELS_WEIGHTS_STAGING_H

#include <limits.h>

#include "core/base/status.h"

struct sotto_staging {
    char folder[PATH_MAX];  /* the name it will have */
    char partial[PATH_MAX]; /* where its files are written until then; exists while open */
};

/*
 * Whether a folder may be made or replaced under this name.
 *
 *   marker  in  a file that an existing folder must hold to be replaced, so that a slip of the
 *               keyboard replaces nothing else; NULL: nothing is ever replaced
 *
 * SOTTO_IO: something else is there; the fault says what to do.
 */
SOTTO_CHECKED enum sotto_status sotto_staging_check(const char *folder, const char *marker,
                                                    struct sotto_fault *fault);

/*
 * Makes the sibling, and the folders above it. SOTTO_OVER_LIMIT (path), SOTTO_IO: nothing is left.
 */
SOTTO_CHECKED enum sotto_status sotto_staging_open(struct sotto_staging *staging,
                                                   const char *folder, struct sotto_fault *fault);

/*
 * Gives the sibling the folder's name, durably; a replaced folder is removed. Closes the staging in
 * any case. A failure is one of sotto_staging_check or SOTTO_IO: the old folder stays, the sibling
 * is gone.
 */
SOTTO_CHECKED enum sotto_status sotto_staging_publish(struct sotto_staging *staging,
                                                      const char *marker,
                                                      struct sotto_fault *fault);

/* Removes the sibling and what was written into it. */
void sotto_staging_discard(struct sotto_staging *staging);

#endif
