/*
 * The contract of a secure-aggregation protocol: a participant's role and the coordinator's role,
 * both pure machines. No I/O, clock, entropy, thread or allocation inside; seeds and memory come in
 * at init.
 *
 *     participant                           coordinator
 *     BEGIN  -> advert              ──►     ADVERT
 *     COHORT -> shares              ◄──►    message(SHARING),   SHARES
 *     INBOX  -> ready, receipt      ◄──►    message(UPLOADING), RECEIPT (in a ring)
 *     member_mask, MASKED -> digest ──►     UPLOAD
 *     SURVIVORS -> inclusion        ◄──►    message(INCLUDING), INCLUSION
 *     INCLUSIONS -> reveal          ◄──►    message(REVEALING), REVEAL
 *                                           CLOSE, then collector_unmask: the sum
 *
 * Masked lanes travel in bulk beside this contract, which only sees their digest.
 * Messages are opaque outside a protocol's own folder and have fixed little-endian layouts, given
 * there.
 */
#ifndef SOTTO_CRYPTO_SECAGG_PROTOCOL_H
#define SOTTO_CRYPTO_SECAGG_PROTOCOL_H

#include "core/base/arena.h"
#include "crypto/secagg/refusal.h"
#include "crypto/secagg/terms.h"

/* Where a round stands, seen from the coordinator. Each stage is named for what it waits for. */
enum sotto_stage {
    SOTTO_STAGE_GATHERING, /* adverts */
    SOTTO_STAGE_SHARING,   /* sealed shares */
    SOTTO_STAGE_UPLOADING, /* masked lanes */
    SOTTO_STAGE_INCLUDING, /* inclusion MACs */
    SOTTO_STAGE_REVEALING, /* shares of the survivors' self masks and of the dropouts' mask keys */
    SOTTO_STAGE_UNMASKED,  /* keys are reconstructed; unmask may run */
    SOTTO_STAGE_FAILED,    /* too few left; nothing was learnt */
};

/* "gathering" and the like; never NULL. */
const char *sotto_stage_name(enum sotto_stage stage);

/* The two roles: a participant and the coordinator. */
struct sotto_member;
struct sotto_collector;

struct sotto_member_setup {
    const struct sotto_terms *terms;
    const struct sotto_roster *roster; /* borrowed for the member's life */
    uint32_t id;
    const struct sotto_secret *identity; /* Ed25519 seed; borrowed */
    struct sotto_ed25519_public coordinator;
    /* All keys, nonces and coefficients of this round derive from it: one use. */
    const struct sotto_secret *seed;
};

enum sotto_member_event_kind {
    SOTTO_MEMBER_BEGIN,
    SOTTO_MEMBER_COHORT,
    SOTTO_MEMBER_INBOX,
    SOTTO_MEMBER_MASKED, /* digest: SHA-256 of the packed lanes */
    SOTTO_MEMBER_SURVIVORS,
    SOTTO_MEMBER_INCLUSIONS,
};

struct sotto_member_event {
    enum sotto_member_event_kind kind;
    struct sotto_view bytes;
    struct sotto_digest digest;
};

/* To be carried out in this order: store, then send. Views live until the next step. */
struct sotto_member_effects {
    enum sotto_refusal refusal; /* not NONE: the member is wiped and spent, nothing else is set */
    struct sotto_view store;    /* must be on the disk before `send` goes out; empty: nothing */
    struct sotto_view send;     /* empty: nothing */
    bool is_ready_to_mask;      /* also if something is to be sent first */
    bool is_done;
};

struct sotto_collector_setup {
    const struct sotto_terms *terms;
    const struct sotto_roster *roster;  /* borrowed */
    const struct sotto_secret *signing; /* Ed25519 seed; borrowed */
};

enum sotto_collector_event_kind {
    SOTTO_COLLECTOR_ADVERT,
    SOTTO_COLLECTOR_SHARES,
    SOTTO_COLLECTOR_UPLOAD, /* digest: of the packed lanes that were spooled whole */
    SOTTO_COLLECTOR_INCLUSION,
    SOTTO_COLLECTOR_REVEAL,
    SOTTO_COLLECTOR_LEAVE, /* the site refused or was revoked: do not wait for it; before its upload
                              it counts as a dropout, after it the upload stays */
    SOTTO_COLLECTOR_CLOSE, /* the stage's deadline, or everybody has answered */
    SOTTO_COLLECTOR_RECEIPT, /* while uploads are awaited, and before the sender's own */
};

struct sotto_collector_event {
    enum sotto_collector_event_kind kind;
    uint32_t id;
    struct sotto_view bytes; /* borrowed for the step; the collector copies what it keeps */
    struct sotto_digest digest;
};

/* As many liars are named; if there are more, the round has been lost anyway. */
enum { SOTTO_LIARS_MAX = 128 };

struct sotto_collector_effects {
    /*
     * Of the event's sender; after other than SOTTO_OK the collector is as before. A repeat of the
     * very same bytes is SOTTO_OK with `is_repeat`.
     */
    enum sotto_status verdict;
    bool is_repeat;
    bool is_complete;    /* everybody who can answer in this stage has */
    uint32_t liar_count; /* holders whose shares were wrong, in liars[] */
    uint32_t liars[SOTTO_LIARS_MAX];
};

/*
 * One lane range of the final unmasking; ranges are independent, so that any number of threads
 * gives the same sum.
 */
struct sotto_lane_range {
    size_t first; /* a multiple of 8 */
    size_t count;
};

struct sotto_protocol {
    const char *name;

    /*
     * Takes memory from `arena` and starts the role. SOTTO_MISMATCH: terms out of bounds or own id
     * not in the roster; SOTTO_NO_MEMORY.
     */
    enum sotto_status (*member_open)(struct sotto_member **member, struct sotto_arena *arena,
                                     const struct sotto_member_setup *setup);
    void (*member_step)(struct sotto_member *member, const struct sotto_member_event *event,
                        struct sotto_member_effects *effects);
    /*
     * A job, in the uploading stage only: adds every mask in place. The masker is spent whatever
     * comes after. SOTTO_MISMATCH: lane_count differs from the terms; SOTTO_UNEXPECTED: not ready,
     * or spent. Lanes untouched then.
     */
    enum sotto_status (*member_mask)(struct sotto_member *member, uint32_t *lanes,
                                     size_t lane_count);
    /*
     * For the differencing check: ids of the cohort once COHORT was accepted, and of those whose
     * sum is to be opened once SURVIVORS was; ascending.
     */
    size_t (*member_cohort)(const struct sotto_member *member, uint32_t *ids);
    size_t (*member_survivors)(const struct sotto_member *member, uint32_t *ids);
    /* Fewest members of the accepted cohort that a sum can be of. */
    uint32_t (*member_sum_min)(const struct sotto_member *member);
    void (*member_wipe)(struct sotto_member *member); /* idempotent */

    enum sotto_status (*collector_open)(struct sotto_collector **collector,
                                        struct sotto_arena *arena,
                                        const struct sotto_collector_setup *setup);
    void (*collector_step)(struct sotto_collector *collector,
                           const struct sotto_collector_event *event,
                           struct sotto_collector_effects *effects);
    enum sotto_stage (*collector_stage)(const struct sotto_collector *collector);
    /* What participant `id` gets in the present stage. SOTTO_NOT_FOUND: nothing is for it. */
    enum sotto_status (*collector_message)(const struct sotto_collector *collector, uint32_t id,
                                           struct sotto_buffer *out);
    /*
     * Ids that the present stage waits for or has heard, for the display: who is in, who has
     * answered.
     */
    bool (*collector_expects)(const struct sotto_collector *collector, uint32_t id);
    bool (*collector_has_answered)(const struct sotto_collector *collector, uint32_t id);
    /* After INCLUDING began: is this upload in the sum? */
    bool (*collector_survived)(const struct sotto_collector *collector, uint32_t id);
    uint32_t (*collector_cohort_count)(const struct sotto_collector *collector);
    /*
     * A job, in SOTTO_STAGE_UNMASKED: removes the masks of lanes [range.first, range.first +
     * range.count) from sum[0 .. range.count). Reads the collector only. SOTTO_NO_MEMORY,
     * SOTTO_UNEXPECTED: sum unspecified.
     */
    enum sotto_status (*collector_unmask)(const struct sotto_collector *collector, uint32_t *sum,
                                          struct sotto_lane_range range);
    void (*collector_wipe)(struct sotto_collector *collector);
};

/* SecAgg+M. */
extern const struct sotto_protocol sotto_secaggplus;

enum {
    /* No protocol message to a participant is longer, bulk lanes aside, nor from one. */
    SOTTO_PROTOCOL_MESSAGE_MAX = 512 * 1024,
    SOTTO_PROTOCOL_ANSWER_MAX = 96 * 1024,
};

#endif
