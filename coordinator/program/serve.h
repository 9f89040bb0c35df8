/*
 * sotto-coordinator serve: one loop that holds ledger, drive, routes and server together until a
 * signal.
 */
#ifndef SOTTO_COORDINATOR_PROGRAM_SERVE_H
#define SOTTO_COORDINATOR_PROGRAM_SERVE_H

#include "core/base/log.h"
#include "core/base/status.h"

/*
 * Returns after SIGTERM or SIGINT, which is then in *signal_number, or when the journal cannot be
 * written any more.
 * SOTTO_NOT_FOUND: no coordinator in `folder`; SOTTO_BUSY: another runs on it, or the port is
 * taken; SOTTO_FORGED: the journal is damaged or lost entries; SOTTO_MALFORMED: config.yaml;
 * SOTTO_IO.
 */
SOTTO_CHECKED enum sotto_status sotto_serve_run(const char *folder, const struct sotto_log *log,
                                                int *signal_number, struct sotto_fault *fault);

#endif
