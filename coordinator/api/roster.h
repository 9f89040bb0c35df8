/* The roster, its way to an offline authority and back, for administrators. */
#ifndef SOTTO_COORDINATOR_API_ROSTER_H
#define SOTTO_COORDINATOR_API_ROSTER_H

#include "coordinator/api/call.h"

void sotto_roster_export(struct sotto_call *call); /* GET /v1/admin/roster: the message of now */
/* GET /v1/admin/roster/signature {"epoch", "roster", "signed": null or an object} */
void sotto_roster_show(struct sotto_call *call);
/* POST /v1/admin/roster/signature {"epoch", "roster", "authority", "signature"} */
void sotto_roster_import(struct sotto_call *call);
void sotto_roster_release(struct sotto_call *call); /* POST /v1/admin/roster/release */

#endif
