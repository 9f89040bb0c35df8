/* sotto-admin roster export, show, import, release: the coordinator's end of a signed roster. */
#ifndef SOTTO_COORDINATOR_ADMIN_ROSTER_H
#define SOTTO_COORDINATOR_ADMIN_ROSTER_H

#include "coordinator/admin/command.h"

/* Writes the roster of now to a file. */
SOTTO_CHECKED enum sotto_status sotto_command_roster_export(struct sotto_session *session,
                                                            const struct sotto_command_line *line,
                                                            struct sotto_fault *fault);
/* Its epoch and digest, and which one is signed, by whom. */
SOTTO_CHECKED enum sotto_status sotto_command_roster_show(struct sotto_session *session,
                                                          const struct sotto_command_line *line,
                                                          struct sotto_fault *fault);
/* SOTTO_UNEXPECTED, SOTTO_MALFORMED: the signature does not fit the roster of now. */
SOTTO_CHECKED enum sotto_status sotto_command_roster_import(struct sotto_session *session,
                                                            const struct sotto_command_line *line,
                                                            struct sotto_fault *fault);
/* SOTTO_NOT_FOUND: none is held. */
SOTTO_CHECKED enum sotto_status sotto_command_roster_release(struct sotto_session *session,
                                                             const struct sotto_command_line *line,
                                                             struct sotto_fault *fault);

#endif
