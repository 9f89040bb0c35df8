/* The adapter that a campaign begins with: drawn from its public seed, and drawn again. */
#ifndef SOTTO_COORDINATOR_ADMIN_START_H
#define SOTTO_COORDINATOR_ADMIN_START_H

#include "coordinator/admin/command.h"
#include "models/adapter/manifest.h"
#include "models/arch/files.h"

/*
 * Draws the lanes, takes from the base model what is trained in its place, and writes the manifest.
 *
 *   adapter  out  from malloc, [sotto_manifest_adapter_bytes / 4]; NULL after a failure
 *
 * SOTTO_NO_MEMORY and the statuses of sotto_origin_start.
 */
SOTTO_CHECKED enum sotto_status sotto_start_draw(float **adapter, const struct sotto_layout *layout,
                                                 const struct sotto_model_files *files,
                                                 uint32_t seed, struct sotto_fault *fault);

/*
 * adapter verify CAMPAIGN --model DIR. SOTTO_NOT_FOUND: the definition has no seed;
 * SOTTO_MISMATCH: the start is not what the seed draws, and the fault names the tensor; the
 * statuses of sotto_copy_open and sotto_start_draw.
 */
SOTTO_CHECKED enum sotto_status sotto_command_adapter_verify(struct sotto_session *session,
                                                             const struct sotto_command_line *line,
                                                             struct sotto_fault *fault);

#endif
