/* Which base model an adapter belongs to, by the digest that plans carry. */
#ifndef SOTTO_PARTICIPANT_TRAINER_BASE_H
#define SOTTO_PARTICIPANT_TRAINER_BASE_H

#include "core/base/bytes.h"

/* Of the very bytes that were loaded: sotto_model_parts, or sotto_model_files_parts. */
void sotto_base_digest(struct sotto_digest *digest, const struct sotto_view *parts,
                       size_t part_count);

/*
 * Whether the adapter in `folder` was made for the model of these parts. An adapter that tells no
 * base passes, and costs no hashing of the model.
 *
 *   model_folder  in  for the fault
 *
 * SOTTO_MISMATCH: for another one, and the fault has the beginning of both digests; the statuses of
 * sotto_peft_base_read but for SOTTO_NOT_FOUND.
 */
SOTTO_CHECKED enum sotto_status sotto_base_check(const char *folder, const char *model_folder,
                                                 const struct sotto_view *parts, size_t part_count,
                                                 struct sotto_fault *fault);

#endif
