/*
 * A campaign's adapter as the coordinator sent it, checked: layout and adapter by their digests,
 * the adapter tensor by tensor.
 */
#ifndef SOTTO_COORDINATOR_ADMIN_COPY_H
#define SOTTO_COORDINATOR_ADMIN_COPY_H

#include "coordinator/admin/session.h"
#include "coordinator/schedule/definition.h"
#include "models/adapter/manifest.h"
#include "models/arch/files.h"

struct sotto_copy {
    struct sotto_definition definition;
    struct sotto_layout layout;
    struct sotto_session_call layout_call; /* their answers are the bytes */
    struct sotto_session_call adapter_call;
    const float *lanes; /* [layout.lane_count] */
};

/* Which version of a campaign. */
enum sotto_copy_version { SOTTO_COPY_FIRST, SOTTO_COPY_NEWEST };

/*
 * Fetches definition, layout and adapter of the campaign `name`.
 *
 * SOTTO_FORGED: an item is not the one that the definition or the newest round names;
 * SOTTO_MISMATCH, SOTTO_MALFORMED: a tensor is wrong and named, or the definition does not parse;
 * SOTTO_NO_MEMORY; the statuses of sotto_session_ask: *copy is NULL.
 */
SOTTO_CHECKED enum sotto_status sotto_copy_open(struct sotto_copy **copy,
                                                struct sotto_session *session, const char *name,
                                                enum sotto_copy_version version,
                                                struct sotto_fault *fault);
void sotto_copy_close(struct sotto_copy *copy); /* NULL is harmless */

/*
 * Whether the model in `folder` is the one that the campaign is for. SOTTO_MISMATCH: the fault has
 * the beginning of both digests.
 */
SOTTO_CHECKED enum sotto_status sotto_copy_check_base(const struct sotto_copy *copy,
                                                      const struct sotto_model_files *files,
                                                      const char *folder,
                                                      struct sotto_fault *fault);

#endif
