/*
 * sotto-admin roster key and sign: the authority's end of a signed roster, which needs no
 * connection and no credential.
 */
#ifndef SOTTO_COORDINATOR_ADMIN_AUTHORITY_H
#define SOTTO_COORDINATOR_ADMIN_AUTHORITY_H

#include "coordinator/admin/command.h"

/* SOTTO_MISMATCH: the file is there already. The public key goes to stdout. */
SOTTO_CHECKED enum sotto_status sotto_command_roster_key(struct sotto_session *session,
                                                         const struct sotto_command_line *line,
                                                         struct sotto_fault *fault);
/*
 * Shows on stderr whom the roster lists; the signature goes to stdout as JSON. SOTTO_MALFORMED: the
 * key file or the roster does not parse.
 */
SOTTO_CHECKED enum sotto_status sotto_command_roster_sign(struct sotto_session *session,
                                                          const struct sotto_command_line *line,
                                                          struct sotto_fault *fault);

#endif
