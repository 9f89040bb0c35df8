/*
 * sotto-admin adapter export: the newest version of a campaign, as a PEFT directory, in a whole
 * model or for llama.cpp; adapter manifest: its tensors.
 */
#ifndef SOTTO_COORDINATOR_ADMIN_EXPORT_H
#define SOTTO_COORDINATOR_ADMIN_EXPORT_H

#include "coordinator/admin/command.h"

/* What is written appears whole or not at all. The statuses of sotto_copy_open. */
SOTTO_CHECKED enum sotto_status sotto_command_adapter_export(struct sotto_session *session,
                                                             const struct sotto_command_line *line,
                                                             struct sotto_fault *fault);
/* On stdout. The statuses of sotto_copy_open. */
SOTTO_CHECKED enum sotto_status sotto_command_adapter_manifest(
    struct sotto_session *session, const struct sotto_command_line *line,
    struct sotto_fault *fault);

#endif
