#include "coordinator/drive/epilogue.h"

#include <stdio.h>
#include <string.h>

void sotto_epilogue_read(struct sotto_epilogue *epilogue, struct sotto_ledger *ledger,
                         const char *campaign)
{
    if (sotto_rounds_newest_ended(ledger, campaign, &epilogue->row) == SOTTO_OK)
        snprintf(epilogue->campaign, sizeof epilogue->campaign, "%s", campaign);
}

bool sotto_epilogue_is_of(const struct sotto_epilogue *epilogue, const struct sotto_mail_seen *seen)
{
    return epilogue->row.mail_length > 0 && seen->round == epilogue->row.round &&
           strcmp(seen->campaign, epilogue->campaign) == 0;
}

enum sotto_status sotto_epilogue_mail(const struct sotto_epilogue *epilogue,
                                      struct sotto_buffer *out)
{
    if (epilogue->row.mail_length == 0)
        return SOTTO_NOT_FOUND;
    return sotto_buffer_add(out, sotto_view_of(epilogue->row.mail, epilogue->row.mail_length));
}
