#include "coordinator/drive/outbox.h"

#include <stddef.h>

void sotto_outbox_add(struct sotto_outbox *outbox, struct sotto_receipt *receipt)
{
    receipt->next = NULL;
    if (outbox->oldest == NULL)
        outbox->oldest = receipt;
    else
        outbox->newest->next = receipt;
    outbox->newest = receipt;
}

void sotto_outbox_forget(struct sotto_outbox *outbox, const struct sotto_receipt *receipt)
{
    struct sotto_receipt *before = NULL;

    for (struct sotto_receipt *at = outbox->oldest; at != NULL; before = at, at = at->next) {
        if (at != receipt)
            continue;
        if (before == NULL)
            outbox->oldest = at->next;
        else
            before->next = at->next;
        if (outbox->newest == at)
            outbox->newest = before;
        return;
    }
}

void sotto_outbox_answer(struct sotto_outbox *outbox)
{
    while (outbox->oldest != NULL) {
        struct sotto_receipt *receipt = outbox->oldest;

        outbox->oldest = receipt->next;
        receipt->done(receipt);
    }
}
