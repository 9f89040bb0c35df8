/*
 * Letters between sealer and courier: what to fetch, what to post. Only public bytes are in them.
 * Encoders say SOTTO_OVER_LIMIT if `out` is too small; decoders say SOTTO_MALFORMED, also for
 * trailing bytes, and leave the struct untouched. MAIL's body is the mail as the coordinator
 * encoded it.
 */
#ifndef SOTTO_PARTICIPANT_CHANNEL_POST_H
#define SOTTO_PARTICIPANT_CHANNEL_POST_H

#include "core/base/bytes.h"
#include "core/wire/mail.h"

enum { SOTTO_POST_ITEM_KINDS = 3 };

/*
 * FETCH, and FETCHED, which echoes it and brings the bytes in its descriptor; item: an enum
 * sotto_item_kind
 */
struct sotto_fetch {
    uint32_t item;
    struct sotto_digest digest;
};
SOTTO_CHECKED enum sotto_status sotto_fetch_encode(struct sotto_buffer *out,
                                                   const struct sotto_fetch *fetch);
SOTTO_CHECKED enum sotto_status sotto_fetch_decode(struct sotto_fetch *fetch,
                                                   struct sotto_view bytes);

/* Which round a letter is for. */
struct sotto_round_name {
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
};

/* ANSWER */
struct sotto_post_answer {
    struct sotto_round_name round;
    enum sotto_mail_kind answers; /* PLAN, COHORT, SURVIVORS or INCLUSIONS */
    struct sotto_view bytes;      /* borrowed */
};
SOTTO_CHECKED enum sotto_status sotto_post_answer_encode(struct sotto_buffer *out,
                                                         const struct sotto_post_answer *answer);
SOTTO_CHECKED enum sotto_status sotto_post_answer_decode(struct sotto_post_answer *answer,
                                                         struct sotto_view bytes);

/* UPLOAD; the packed masked lanes come in the descriptor, `digest` is theirs. */
struct sotto_post_upload {
    struct sotto_round_name round;
    struct sotto_digest digest;
};
SOTTO_CHECKED enum sotto_status sotto_post_upload_encode(struct sotto_buffer *out,
                                                         const struct sotto_post_upload *upload);
SOTTO_CHECKED enum sotto_status sotto_post_upload_decode(struct sotto_post_upload *upload,
                                                         struct sotto_view bytes);

/* LEAVE; refusal: an enum sotto_refusal */
struct sotto_post_leave {
    struct sotto_round_name round;
    uint8_t refusal;
};
SOTTO_CHECKED enum sotto_status sotto_post_leave_encode(struct sotto_buffer *out,
                                                        const struct sotto_post_leave *leave);
SOTTO_CHECKED enum sotto_status sotto_post_leave_decode(struct sotto_post_leave *leave,
                                                        struct sotto_view bytes);

#endif
