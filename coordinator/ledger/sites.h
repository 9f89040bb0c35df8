/* Enrolled sites. Ids are never used again; a name may be, after its site was revoked. */
#ifndef SOTTO_COORDINATOR_LEDGER_SITES_H
#define SOTTO_COORDINATOR_LEDGER_SITES_H

#include "coordinator/ledger/ledger.h"
#include "core/wire/enrolment.h"
#include "core/wire/roster.h"

struct sotto_site {
    uint32_t id;
    char name[SOTTO_SITE_NAME_MAX + 1];
    char organisation[SOTTO_ORGANISATION_MAX + 1]; /* whom the administrator says it belongs to */
    uint8_t identity[32];
    struct sotto_digest certificate;
    uint64_t enrolled_ms;
    uint64_t revoked_ms; /* 0: not revoked */
};

/* SOTTO_MISMATCH: the name is in use; SOTTO_OVER_LIMIT: the roster is full. site->id is set. */
SOTTO_CHECKED enum sotto_status sotto_sites_add(struct sotto_ledger *ledger,
                                                struct sotto_site *site, struct sotto_fault *fault);
/* SOTTO_NOT_FOUND: no active site of that name. *site is as it was before. */
SOTTO_CHECKED enum sotto_status sotto_sites_revoke(struct sotto_ledger *ledger, const char *name,
                                                   uint64_t at_ms, struct sotto_site *site,
                                                   struct sotto_fault *fault);

/* SOTTO_NOT_FOUND; revoked sites are found too. */
SOTTO_CHECKED enum sotto_status sotto_sites_by_certificate(struct sotto_ledger *ledger,
                                                           const struct sotto_digest *certificate,
                                                           struct sotto_site *site);
SOTTO_CHECKED enum sotto_status sotto_sites_by_id(struct sotto_ledger *ledger, uint32_t id,
                                                  struct sotto_site *site);
/* Active ones only. */
SOTTO_CHECKED enum sotto_status sotto_sites_by_name(struct sotto_ledger *ledger, const char *name,
                                                    struct sotto_site *site);
/* Every site that ever was, ascending by id. */
SOTTO_CHECKED enum sotto_status sotto_sites_walk(struct sotto_ledger *ledger,
                                                 void (*visit)(void *context,
                                                               const struct sotto_site *site),
                                                 void *context);
/* Enrolled and not revoked. */
SOTTO_CHECKED enum sotto_status sotto_sites_active(struct sotto_ledger *ledger, uint64_t *count);
/* Grows with every enrolment and revocation. */
SOTTO_CHECKED enum sotto_status sotto_sites_epoch(struct sotto_ledger *ledger, uint64_t *epoch);

#endif
