/* sotto-admin token issue, site list, site revoke. */
#ifndef SOTTO_COORDINATOR_ADMIN_SITES_H
#define SOTTO_COORDINATOR_ADMIN_SITES_H

#include "coordinator/admin/command.h"

/* The token goes to stdout; only its digest stays at the coordinator. */
SOTTO_CHECKED enum sotto_status sotto_command_token_issue(struct sotto_session *session,
                                                          const struct sotto_command_line *line,
                                                          struct sotto_fault *fault);
/* As a table or as JSON. */
SOTTO_CHECKED enum sotto_status sotto_command_site_list(struct sotto_session *session,
                                                        const struct sotto_command_line *line,
                                                        struct sotto_fault *fault);
/* SOTTO_NOT_FOUND: no active site of that name. */
SOTTO_CHECKED enum sotto_status sotto_command_site_revoke(struct sotto_session *session,
                                                          const struct sotto_command_line *line,
                                                          struct sotto_fault *fault);

#endif
