#include "coordinator/api/item.h"

#include <stdlib.h>

#include "coordinator/api/api.h"
#include "coordinator/ledger/shelf.h"

/* Read from its shelf when the first call asks for it, and freed when the last one has it. */
struct sotto_item {
    struct sotto_api *api;
    struct sotto_item *next;
    enum sotto_shelf shelf;
    struct sotto_digest digest;
    uint8_t *bytes;
    size_t length;
    size_t reader_count;
};

static struct sotto_item *item_find(struct sotto_api *api, enum sotto_shelf shelf,
                                    const struct sotto_digest *digest)
{
    for (struct sotto_item *at = api->items; at != NULL; at = at->next)
        if (at->shelf == shelf && sotto_digest_equal(&at->digest, digest))
            return at;
    return NULL;
}

static enum sotto_status item_open(struct sotto_item **out, struct sotto_api *api,
                                   enum sotto_shelf shelf, const struct sotto_digest *digest)
{
    struct sotto_item *item = calloc(1, sizeof *item);
    enum sotto_status status;

    if (item == NULL)
        return SOTTO_NO_MEMORY;
    status = sotto_shelf_read(api->setup.folder, shelf, digest, &item->bytes, &item->length, NULL);
    if (status != SOTTO_OK) {
        free(item);
        return status;
    }
    item->api = api;
    item->shelf = shelf;
    item->digest = *digest;
    item->next = api->items;
    api->items = item;
    *out = item;
    return SOTTO_OK;
}

static void item_release(void *owner)
{
    struct sotto_item *item = owner;

    if (--item->reader_count > 0)
        return;
    for (struct sotto_item **at = &item->api->items; *at != NULL; at = &(*at)->next)
        if (*at == item) {
            *at = item->next;
            break;
        }
    free(item->bytes);
    free(item);
}

void sotto_item_fetch(struct sotto_call *call)
{
    enum sotto_shelf shelf;
    struct sotto_digest digest;
    struct sotto_item *item = NULL;
    enum sotto_status status = sotto_shelf_parse(&shelf, call->words[0]);

    if (status == SOTTO_OK)
        status = sotto_hex_decode(digest.bytes, sizeof digest.bytes, call->words[1]);
    if (status == SOTTO_OK)
        item = item_find(call->api, shelf, &digest);
    if (status == SOTTO_OK && item == NULL)
        status = item_open(&item, call->api, shelf, &digest);
    if (status != SOTTO_OK) {
        sotto_call_refuse(call, status, "there is no such item");
        return;
    }
    item->reader_count++;
    sotto_call_answer_lent(call, sotto_view_of(item->bytes, item->length), item_release, item);
}
