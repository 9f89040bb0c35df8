/* sotto-admin campaign create, start, stop. */
#ifndef SOTTO_COORDINATOR_ADMIN_CAMPAIGN_H
#define SOTTO_COORDINATOR_ADMIN_CAMPAIGN_H

#include "coordinator/admin/command.h"

SOTTO_CHECKED enum sotto_status sotto_command_campaign_create(struct sotto_session *session,
                                                              const struct sotto_command_line *line,
                                                              struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_command_campaign_start(struct sotto_session *session,
                                                             const struct sotto_command_line *line,
                                                             struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_command_campaign_stop(struct sotto_session *session,
                                                            const struct sotto_command_line *line,
                                                            struct sotto_fault *fault);

#endif
