/* Something under way to a site or to the hub, with a body behind it. */
#ifndef TESTS_CHAOS_PARCEL_H
#define TESTS_CHAOS_PARCEL_H

#include "core/wire/mail.h"
#include "participant/sealer/items.h"

enum parcel_kind {
    PARCEL_REQUEST, /* site -> hub */
    PARCEL_REPLY,   /* hub -> site */
    PARCEL_EXPIRY,  /* site: nobody replied in time */
    PARCEL_RETRY,   /* site: patience is over */
    PARCEL_ECHO,    /* site: a mail that it has had, once more */
    PARCEL_LOADED,  /* site: the trainer's answers */
    PARCEL_TRAINED,
    PARCEL_ADOPTED,
    PARCEL_READY,    /* site: the trainer is there */
    PARCEL_SITE_UP,  /* site: starts again */
    PARCEL_HUB_UP,   /* hub: starts again */
    PARCEL_DEADLINE, /* hub */
    PARCEL_CHECK,    /* hub: the loop goes round */
    PARCEL_JOB,      /* hub: a job has ended */
    PARCEL_LIAR,     /* liar: thinks of something */
};

enum errand_kind {
    ERRAND_POLL,
    ERRAND_FETCH,
    ERRAND_ADVERT,
    ERRAND_SHARES,
    ERRAND_UPLOAD,
    ERRAND_INCLUSION,
    ERRAND_REVEAL,
    ERRAND_LEAVE,
};

struct parcel {
    enum parcel_kind kind;
    uint32_t place;   /* of the site that it comes from or goes to */
    uint32_t life;    /* of whoever waits for it: in another life it means nothing */
    uint32_t attempt; /* of a request, its reply and its expiry */
    enum errand_kind errand;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    enum sotto_mail_kind seen;  /* POLL */
    enum sotto_item_kind item;  /* FETCH */
    struct sotto_digest digest; /* FETCH: of the item; UPLOAD: of the lanes */
    uint32_t refusal;           /* LEAVE */
    uint64_t number;            /* DEADLINE: for when; JOB, LOADED, TRAINED: which */
    bool is_taken;              /* REPLY: mail, item or acknowledgement */
    bool is_lie;
};

#endif
