/* What administrators call. Bodies and answers are JSON; a refusal names the field or the thing. */
#ifndef SOTTO_COORDINATOR_API_ADMIN_H
#define SOTTO_COORDINATOR_API_ADMIN_H

#include "coordinator/api/call.h"

void sotto_admin_token(struct sotto_call *call);  /* POST /v1/admin/tokens {"site", "ttl_s"} */
void sotto_admin_sites(struct sotto_call *call);  /* GET /v1/admin/sites */
void sotto_admin_revoke(struct sotto_call *call); /* POST /v1/admin/sites/<name>/revoke */
void sotto_admin_status(struct sotto_call *call); /* GET /v1/admin/status */
/* PUT /v1/admin/items/<kind>/<hex>; adapters name their layout: ?layout=<hex> */
void sotto_admin_item(struct sotto_call *call);
void sotto_admin_campaign_create(struct sotto_call *call); /* POST /v1/admin/campaigns */
void sotto_admin_campaign_show(struct sotto_call *call);   /* GET /v1/admin/campaigns/<name> */
void sotto_admin_campaign_start(struct sotto_call *call);  /* POST .../start */
void sotto_admin_campaign_stop(struct sotto_call *call);   /* POST .../stop */

#endif
