/* `sotto-participant audit`: what this site let out, and when it refused, from its ledger. */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_AUDIT_H
#define SOTTO_PARTICIPANT_SUPERVISOR_AUDIT_H

#include <stdio.h>

#include "participant/supervisor/folder.h"

struct sotto_audit_form {
    FILE *out;
    bool as_json; /* a line per record */
};

/*
 * SOTTO_MALFORMED: the ledger is damaged; the records before the damage were printed. SOTTO_IO,
 * SOTTO_NOT_FOUND.
 */
SOTTO_CHECKED enum sotto_status sotto_site_audit(const struct sotto_state_folder *folder,
                                                 const struct sotto_audit_form *form,
                                                 struct sotto_fault *fault);

#endif
