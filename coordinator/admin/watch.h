/* sotto-admin campaign show, campaign wait, status. */
#ifndef SOTTO_COORDINATOR_ADMIN_WATCH_H
#define SOTTO_COORDINATOR_ADMIN_WATCH_H

#include "coordinator/admin/command.h"

/* As a table, or as JSON with everything that is known of each round. */
SOTTO_CHECKED enum sotto_status sotto_command_campaign_show(struct sotto_session *session,
                                                            const struct sotto_command_line *line,
                                                            struct sotto_fault *fault);
/*
 * SOTTO_REFUSED here: the campaign paused, stopped or ended, or the round was abandoned, before
 * what was waited for (exit code 3); SOTTO_BUSY: the time is over.
 */
SOTTO_CHECKED enum sotto_status sotto_command_campaign_wait(struct sotto_session *session,
                                                            const struct sotto_command_line *line,
                                                            struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_command_status(struct sotto_session *session,
                                                     const struct sotto_command_line *line,
                                                     struct sotto_fault *fault);

#endif
