/*
 * What stands around the tokens of a text: the "post_processor" of a tokenizer.json, for a single
 * sequence. Known: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel (which adds
 * nothing), and a Sequence of these.
 */
#ifndef SOTTO_MODELS_TOKENISE_FRAME_H
#define SOTTO_MODELS_TOKENISE_FRAME_H

#include "models/tokenise/part.h"

enum { SOTTO_FRAME_MAX = 8 };

struct sotto_frame {
    uint32_t before[SOTTO_FRAME_MAX];
    size_t before_count;
    uint32_t after[SOTTO_FRAME_MAX];
    size_t after_count;
};

/*
 * Reads the value of "post_processor", which may be null. SOTTO_MALFORMED, SOTTO_UNSUPPORTED,
 * SOTTO_OVER_LIMIT: unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_frame_decode(struct sotto_frame *frame,
                                                   const struct sotto_part *reading);

#endif
