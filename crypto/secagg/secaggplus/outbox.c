#include "crypto/secagg/secaggplus/outbox.h"

#include "crypto/secagg/secaggplus/messages/cohort.h"

enum sotto_status sotto_outbox_cohort(const struct sotto_collection *collection, uint32_t seat,
                                      struct sotto_buffer *out)
{
    const struct sotto_cohort_message message = {
        .parameters = collection->parameters,
        .ids = sotto_view_of(collection->ids, 4 * (size_t)collection->count),
        .leaves = collection->leaves,
        .adverts = collection->adverts,
        .receiver = seat,
        .neighbours = sotto_table_row(&collection->table, seat),
        .signature = collection->signature};

    return sotto_cohort_encode(out, &message);
}

enum sotto_status sotto_outbox_shares(const struct sotto_collection *collection, uint32_t seat,
                                      struct sotto_buffer *out)
{
    const struct sotto_seats *senders = &collection->sharers;
    const uint16_t *row = sotto_table_row(&collection->table, seat);
    enum sotto_status status =
        sotto_buffer_add(out, sotto_seats_encode(senders, collection->count));

    for (uint32_t slot = 0; slot < collection->table.neighbours && status == SOTTO_OK; slot++) {
        if (sotto_seats_has(senders, row[slot]))
            status = sotto_buffer_add(
                out, sotto_view_of(sotto_collection_sealed(collection, row[slot], seat),
                                   SOTTO_SEALED_BYTES));
    }
    return status;
}

enum sotto_status sotto_outbox_survivors(const struct sotto_collection *collection, uint32_t seat,
                                         struct sotto_buffer *out)
{
    const struct sotto_seats *survivors = &collection->survivors.seats;
    const uint16_t *row = sotto_table_row(&collection->table, seat);
    enum sotto_status status =
        sotto_survivors_encode(out, &collection->survivors, collection->count);

    if (sotto_parameters_is_complete(&collection->parameters))
        return status;
    for (uint32_t slot = 0; slot < collection->table.neighbours && status == SOTTO_OK; slot++) {
        const uint8_t *receipt = collection->receipts + (size_t)row[slot] * SOTTO_RECEIPT_BYTES;

        if (sotto_seats_has(survivors, row[slot]))
            status = sotto_buffer_add(out, sotto_view_of(receipt, SOTTO_RECEIPT_BYTES));
    }
    return status;
}

enum sotto_status sotto_outbox_inclusions(const struct sotto_collection *collection, uint32_t seat,
                                          struct sotto_buffer *out)
{
    const uint16_t *row = sotto_table_row(&collection->table, seat);
    struct sotto_seats senders = {0};
    enum sotto_status status;

    for (uint32_t slot = 0; slot < collection->table.neighbours; slot++) {
        if (sotto_seats_has(&collection->heard[SOTTO_STAGE_INCLUDING].who, row[slot]))
            sotto_seats_add(&senders, row[slot]);
    }
    status = sotto_buffer_add(out, sotto_seats_encode(&senders, collection->count));
    for (uint32_t slot = 0; slot < collection->table.neighbours && status == SOTTO_OK; slot++) {
        if (sotto_seats_has(&senders, row[slot]))
            status = sotto_buffer_add(
                out, sotto_view_of(sotto_collection_mac(collection, row[slot], seat),
                                   SOTTO_INCLUSION_MAC_BYTES));
    }
    return status;
}
