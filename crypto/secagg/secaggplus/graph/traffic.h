/*
 * Bytes of the protocol's own messages that one participant sends and gets in a round in which
 * nobody drops out. The masked lanes, the plan and the roster travel beside them and do not count,
 * nor do the envelopes of whoever carries them.
 *
 *     up    advert 148, shares 96 k + 32, inclusion 16 k + 64, reveal 44 k
 *     down  cohort 32 n + 148 (k + 1) + 76, inbox 96 k + n/8, survivors n/8 + 68,
 *           inclusions 16 k + n/8        (n/8 rounded up)
 *
 * In a ring also a receipt of 64 up, and 64 k and 4 n bytes down.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_TRAFFIC_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_TRAFFIC_H

#include "crypto/secagg/secaggplus/parameters.h"

struct sotto_message_traffic {
    size_t up;
    size_t down;
};

/* Cannot fail: lengths follow from n and k. */
void sotto_message_traffic_of(struct sotto_message_traffic *out,
                              const struct sotto_parameters *parameters);

#endif
