/* What sites call: to enrol, to post messages of a round, to upload. */
#ifndef SOTTO_COORDINATOR_API_SITE_H
#define SOTTO_COORDINATOR_API_SITE_H

#include "coordinator/api/call.h"

void sotto_site_enrol(struct sotto_call *call);   /* POST /v1/enrol */
void sotto_site_message(struct sotto_call *call); /* POST /v1/rounds/<campaign>/<round>/<message> */
void sotto_site_upload_show(struct sotto_call *call); /* GET /v1/rounds/<campaign>/<round>/upload */
void sotto_site_upload(struct sotto_call *call);      /* PUT, one chunk */

#endif
