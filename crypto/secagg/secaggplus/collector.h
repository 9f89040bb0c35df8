/*
 * The coordinator's role in SecAgg+M. Contract: crypto/secagg/protocol.h; what it may learn is
 * bounded by what participants check (member.h), not by anything here.
 *
 * Verdicts: SOTTO_MALFORMED does not parse; SOTTO_FORGED a signature is wrong, a key is unusable or
 * taken, or the sender has no place in the cohort; SOTTO_UNEXPECTED wrong stage, cohort full,
 * sender has left, or other bytes than it sent before; SOTTO_REFUSED the cohort has as many members
 * of the sender's organisation as the terms allow. A message may be repeated in any later stage.
 *
 * Closing a stage:
 *     GATHERING  -> SHARING    with at least cohort_min adverts; who comes then is out
 *     SHARING    -> UPLOADING  with at least survivors_min that shared and have t neighbours among
 *                              them; the others are out, and no mask is made with them
 *     UPLOADING  -> INCLUDING  with at least survivors_min uploads, if everybody that shared has t
 *                              neighbours among them; they are the survivors
 *     INCLUDING  -> REVEALING  if everybody that shared has t neighbours among those that confirmed
 *                              and can reveal, having t such neighbours themselves; other
 *                              survivors are no holders any more, but stay in the sum
 *     REVEALING  -> UNMASKED   if every key can be reconstructed
 *     any        -> FAILED     otherwise
 *
 * Where everybody is everybody's neighbour, t + 1 answers are enough for any of that.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_COLLECTOR_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_COLLECTOR_H

#include "crypto/secagg/protocol.h"

/*
 * Memory is about 100 k bytes for each participant of the largest possible cohort, and 200 for each
 * line of the roster. With a counting arena: SOTTO_NO_MEMORY, and arena->used tells what is needed.
 */
SOTTO_CHECKED enum sotto_status sotto_collector_open(struct sotto_collector **collector,
                                                     struct sotto_arena *arena,
                                                     const struct sotto_collector_setup *setup);
void sotto_collector_step(struct sotto_collector *collector,
                          const struct sotto_collector_event *event,
                          struct sotto_collector_effects *effects);
enum sotto_stage sotto_collector_stage(const struct sotto_collector *collector);
/* SOTTO_OVER_LIMIT besides what protocol.h says: out is too small and then unspecified. */
SOTTO_CHECKED enum sotto_status sotto_collector_message(const struct sotto_collector *collector,
                                                        uint32_t id, struct sotto_buffer *out);
bool sotto_collector_expects(const struct sotto_collector *collector, uint32_t id);
bool sotto_collector_has_answered(const struct sotto_collector *collector, uint32_t id);
bool sotto_collector_survived(const struct sotto_collector *collector, uint32_t id);
uint32_t sotto_collector_cohort_count(const struct sotto_collector *collector);
SOTTO_CHECKED enum sotto_status sotto_collector_unmask(const struct sotto_collector *collector,
                                                       uint32_t *sum,
                                                       struct sotto_lane_range range);
void sotto_collector_wipe(struct sotto_collector *collector);

#endif
