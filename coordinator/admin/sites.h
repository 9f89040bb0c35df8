/* sotto-admin token issue, site list, site revoke. */
#ifndef SOTTO_COORDINATOR_ADMIN_SITES_H
#define SOTTO_COORDINATOR_ADMIN_SITES_H

#include "coordinator/admin/command.h"

SOTTO_CHECKED enum sotto_status sotto_command_token_issue(struct sotto_session *session,
                                                          const struct sotto_command_line *line,
                                                          struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_command_site_list(struct sotto_session *session,
                                                        const struct sotto_command_line *line,
                                                        struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_command_site_revoke(struct sotto_session *session,
                                                          const struct sotto_command_line *line,
                                                          struct sotto_fault *fault);

#endif
