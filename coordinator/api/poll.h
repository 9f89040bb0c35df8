/*
 * Long polls for mail: a site asks, and is answered when there is something for it or its time is
 * over.
 */
#ifndef SOTTO_COORDINATOR_API_POLL_H
#define SOTTO_COORDINATOR_API_POLL_H

#include "coordinator/api/api.h"

enum { SOTTO_POLL_MS_MAX = 25000 };

/* GET /v1/mail?campaign=&round=&seen=&wait_ms= */
void sotto_poll_begin(struct sotto_call *call);
/* There may be mail. */
void sotto_poll_wake(struct sotto_api *api);
void sotto_poll_forget(struct sotto_call *call);
void sotto_poll_end_all(struct sotto_api *api);

#endif
