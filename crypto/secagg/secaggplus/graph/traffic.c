#include "crypto/secagg/secaggplus/graph/traffic.h"

#include "crypto/secagg/secaggplus/messages/advert.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/receipt.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "crypto/secagg/secaggplus/messages/shares.h"

void sotto_message_traffic_of(struct sotto_message_traffic *out,
                              const struct sotto_parameters *parameters)
{
    const size_t signature = sizeof(struct sotto_signature);
    size_t k = parameters->neighbours;
    size_t set = sotto_seats_bytes(parameters->cohort);
    size_t sealed = k * SOTTO_SEALED_BYTES;
    size_t macs = k * SOTTO_INCLUSION_MAC_BYTES;
    size_t receipt = sotto_parameters_is_complete(parameters) ? 0 : SOTTO_RECEIPT_BYTES;

    out->up = SOTTO_ADVERT_BYTES + SOTTO_DIGEST_BYTES + sealed + signature + macs +
              k * SOTTO_REVEALED_BYTES + receipt;
    out->down = sotto_cohort_bytes(parameters) + set + sealed + set + 4 + signature + set + macs +
                k * receipt;
}
