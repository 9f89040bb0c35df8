/* sotto-admin campaign create, start, stop. */
#ifndef SOTTO_COORDINATOR_ADMIN_CAMPAIGN_H
#define SOTTO_COORDINATOR_ADMIN_CAMPAIGN_H

#include "coordinator/admin/command.h"

/*
 * Each parses its own options, where a usage error ends the process, and then calls the
 * coordinator; statuses are the coordinator's or the model folder's.
 */
SOTTO_CHECKED enum sotto_status sotto_command_campaign_create(struct sotto_session *session,
                                                              const struct sotto_command_line *line,
                                                              struct sotto_fault *fault);
/* A paused or stopped campaign goes on. */
SOTTO_CHECKED enum sotto_status sotto_command_campaign_start(struct sotto_session *session,
                                                             const struct sotto_command_line *line,
                                                             struct sotto_fault *fault);
/* The present round is abandoned. */
SOTTO_CHECKED enum sotto_status sotto_command_campaign_stop(struct sotto_session *session,
                                                            const struct sotto_command_line *line,
                                                            struct sotto_fault *fault);

#endif
