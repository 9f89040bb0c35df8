#include "crypto/secagg/secaggplus/outbox.h"

#include "crypto/secagg/secaggplus/messages/cohort.h"

enum sotto_status sotto_outbox_cohort(const struct sotto_collection *collection,
                                      struct sotto_buffer *out)
{
    const struct sotto_cohort_message message = {.parameters = collection->parameters,
                                                 .leaves = collection->leaves,
                                                 .adverts = collection->adverts,
                                                 .signature = collection->signature};

    return sotto_cohort_encode(out, &message);
}

enum sotto_status sotto_outbox_shares(const struct sotto_collection *collection, uint32_t seat,
                                      struct sotto_buffer *out)
{
    const struct sotto_seats *senders = &collection->heard[SOTTO_STAGE_SHARING].who;
    enum sotto_status status =
        sotto_buffer_add(out, sotto_seats_encode(senders, collection->count));

    for (uint32_t from = 0; from < collection->count && status == SOTTO_OK; from++) {
        const uint8_t *sealed = sotto_collection_sealed(collection, from, seat);

        if (from != seat && sotto_seats_has(senders, from))
            status = sotto_buffer_add(out, sotto_view_of(sealed, SOTTO_SEALED_BYTES));
    }
    return status;
}

enum sotto_status sotto_outbox_survivors(const struct sotto_collection *collection,
                                         struct sotto_buffer *out)
{
    return sotto_survivors_encode(out, &collection->survivors, collection->count);
}

enum sotto_status sotto_outbox_inclusions(const struct sotto_collection *collection, uint32_t seat,
                                          struct sotto_buffer *out)
{
    struct sotto_seats senders = {0};
    enum sotto_status status;

    for (uint32_t from = 0; from < collection->count; from++) {
        if (from != seat && sotto_seats_has(&collection->heard[SOTTO_STAGE_INCLUDING].who, from))
            sotto_seats_add(&senders, from);
    }
    status = sotto_buffer_add(out, sotto_seats_encode(&senders, collection->count));
    for (uint32_t from = 0; from < collection->count && status == SOTTO_OK; from++) {
        const uint8_t *mac = sotto_collection_mac(collection, from, seat);

        if (sotto_seats_has(&senders, from))
            status = sotto_buffer_add(out, sotto_view_of(mac, SOTTO_INCLUSION_MAC_BYTES));
    }
    return status;
}
