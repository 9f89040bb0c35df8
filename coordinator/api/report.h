/*
 * What the ledger and the running round show to administrators, as JSON. New references; NULL: no
 * memory.
 */
#ifndef SOTTO_COORDINATOR_API_REPORT_H
#define SOTTO_COORDINATOR_API_REPORT_H

#include <jansson.h>

#include "coordinator/drive/live.h"

/* {"sites": [...]}, revoked ones too. */
json_t *sotto_report_sites(struct sotto_ledger *ledger);
/* NULL also: no such campaign. `live` may be NULL. */
json_t *sotto_report_campaign(struct sotto_ledger *ledger, const struct sotto_live *live,
                              const char *name, uint64_t now_ms);
json_t *sotto_report_status(struct sotto_ledger *ledger, const struct sotto_live *live);

#endif
