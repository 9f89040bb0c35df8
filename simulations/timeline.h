/*
 * The virtual network and clock in one: posts wait for their time and come out in order of (time,
 * order of posting), so that a run is the same every time.
 */
#ifndef SOTTO_SIMULATIONS_TIMELINE_H
#define SOTTO_SIMULATIONS_TIMELINE_H

#include "core/base/bytes.h"

enum sotto_post_kind {
    SOTTO_POST_MAIL,     /* hub → site: an encoded mail */
    SOTTO_POST_FETCHED,  /* hub → site: an item; number: its kind */
    SOTTO_POST_TRAINED,  /* site → itself: local training ends */
    SOTTO_POST_ANSWER,   /* site → hub: number: the mail kind answered */
    SOTTO_POST_UPLOAD,   /* site → hub: packed lanes */
    SOTTO_POST_LEAVE,    /* site → hub: number: the refusal */
    SOTTO_POST_DEADLINE, /* hub → itself */
};

struct sotto_post {
    uint64_t at_ms;
    uint64_t order; /* set by sotto_timeline_add */
    enum sotto_post_kind kind;
    uint32_t site;
    uint32_t round;
    uint32_t number;
    uint8_t *bytes; /* from malloc, owned by the post; NULL if none */
    size_t length;
    struct sotto_digest digest;
};

struct sotto_timeline {
    struct sotto_post *heap;
    size_t count;
    size_t capacity;
    uint64_t added;
};

/* Copies `bytes` into the post. SOTTO_NO_MEMORY: nothing was added. */
SOTTO_CHECKED enum sotto_status sotto_timeline_add(struct sotto_timeline *timeline,
                                                   const struct sotto_post *post,
                                                   struct sotto_view bytes);

/*
 * Moves the earliest post to *post, whose bytes the caller frees. SOTTO_NOT_FOUND: there is none.
 */
SOTTO_CHECKED enum sotto_status sotto_timeline_take(struct sotto_timeline *timeline,
                                                    struct sotto_post *post);
void sotto_timeline_close(struct sotto_timeline *timeline);

#endif
