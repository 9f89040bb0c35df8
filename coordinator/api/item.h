/*
 * Rosters, layouts and adapters for whoever fetches them. All that fetch one thing at a time are
 * sent the same copy of it, so that memory does not grow with their number.
 */
#ifndef SOTTO_COORDINATOR_API_ITEM_H
#define SOTTO_COORDINATOR_API_ITEM_H

#include "coordinator/api/call.h"

/* GET /v1/items/<kind>/<hex> */
void sotto_item_fetch(struct sotto_call *call);

#endif
