/*
 * `sotto-participant enrol`: makes a site's keys here, proves the coordinator by the token's
 * fingerprint, and takes the certificate. The state folder appears whole or not at all.
 */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_ENROL_H
#define SOTTO_PARTICIPANT_SUPERVISOR_ENROL_H

#include "participant/supervisor/site.h"

struct sotto_enrol_wish {
    const char *state;    /* new or empty */
    const char *token;    /* one line of text */
    const char *model;    /* directory */
    const char *examples; /* folder, file of texts, or an IDX file with `labels` */
    const char *labels;   /* or NULL */
    const char *name;     /* must be the token's, or NULL */
    struct sotto_policy_overrides policy;
    uint64_t now_s; /* Unix time */
};

/*
 *   site  out  what site.yaml says now
 *
 * SOTTO_MALFORMED (token, policy), SOTTO_REFUSED (token expired, used or unknown), SOTTO_FORGED
 * (not the token's coordinator, or clock skew), SOTTO_MISMATCH (folder in use, another name),
 * SOTTO_NOT_FOUND (model, examples), what the trainer says of the model, SOTTO_IO: the state folder
 * is as it was.
 */
SOTTO_CHECKED enum sotto_status sotto_site_enrol(struct sotto_site_config *site,
                                                 const struct sotto_enrol_wish *wish,
                                                 struct sotto_fault *fault);

#endif
