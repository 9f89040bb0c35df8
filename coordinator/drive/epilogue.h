/* How the round before ended: what sites that took part in it still have to hear. */
#ifndef SOTTO_COORDINATOR_DRIVE_EPILOGUE_H
#define SOTTO_COORDINATOR_DRIVE_EPILOGUE_H

#include "coordinator/ledger/rounds.h"

/* What a site has seen last. */
struct sotto_mail_seen {
    const char *campaign; /* "" for none */
    uint32_t round;
    enum sotto_mail_kind kind;
};

struct sotto_epilogue {
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    struct sotto_round_row row; /* its mail is the outcome; empty: no round has ended */
};

/* Of a campaign's newest round that has ended; without one the epilogue is as before. */
void sotto_epilogue_read(struct sotto_epilogue *epilogue, struct sotto_ledger *ledger,
                         const char *campaign);
/* Was that round the last that this site has seen something of? */
bool sotto_epilogue_is_of(const struct sotto_epilogue *epilogue,
                          const struct sotto_mail_seen *seen);
/* The encoded outcome. SOTTO_NOT_FOUND: there is none. */
SOTTO_CHECKED enum sotto_status sotto_epilogue_mail(const struct sotto_epilogue *epilogue,
                                                    struct sotto_buffer *out);

#endif
