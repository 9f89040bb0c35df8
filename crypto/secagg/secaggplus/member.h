/*
 * A participant's role in SecAgg+M. Contract: crypto/secagg/protocol.h.
 *
 * Source: Bonawitz et al., CCS 2017, Fig. 4 (active adversary); Bell et al., CCS 2020 (roster and
 * graph checked by every participant). What is different here is told in docs/protocol.md.
 *
 * Records that `store` yields, 68 bytes each:
 *
 *     0    kind     u32   enum sotto_member_record
 *     4    context  32    ctx1
 *     36   digest   32    as the kind says
 *
 * They bind a context to one upload and one survivor set for ever. They need not be fed back to a
 * member: its secrets live in memory only, so that a restarted site has no member of an earlier
 * context. A ledger that finds a record of some context must never open a member for that round
 * again.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MEMBER_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MEMBER_H

#include "crypto/secagg/protocol.h"

enum sotto_member_record {
    SOTTO_MEMBER_RECORD_UPLOAD = 1,    /* digest: SHA-256 of the packed masked lanes */
    SOTTO_MEMBER_RECORD_SURVIVORS = 2, /* digest: SHA-256 of the survivor set */
    SOTTO_MEMBER_RECORD_REVEAL =
        3, /* digest: the same; it decides which kind of share was revealed of whom */
};

enum { SOTTO_MEMBER_RECORD_BYTES = 4 + 2 * SOTTO_DIGEST_BYTES };

/*
 * As protocol.h says. With a counting arena: SOTTO_NO_MEMORY, and arena->used tells what is needed.
 * SOTTO_MISMATCH also if the roster has another identity for `setup->id` than the one given.
 */
SOTTO_CHECKED enum sotto_status sotto_member_open(struct sotto_member **member,
                                                  struct sotto_arena *arena,
                                                  const struct sotto_member_setup *setup);
void sotto_member_step(struct sotto_member *member, const struct sotto_member_event *event,
                       struct sotto_member_effects *effects);
/* SOTTO_NO_MEMORY besides what protocol.h says: lanes untouched, the masker still fresh. */
SOTTO_CHECKED enum sotto_status sotto_member_mask(struct sotto_member *member, uint32_t *lanes,
                                                  size_t lane_count);
size_t sotto_member_cohort(const struct sotto_member *member, uint32_t *ids);
size_t sotto_member_survivors(const struct sotto_member *member, uint32_t *ids);
uint32_t sotto_member_sum_min(const struct sotto_member *member);
void sotto_member_wipe(struct sotto_member *member);

#endif
