/*
 * A language model's answer to a text: the text in pieces through the model, then token by token.
 * Each token is chosen by models/answer/choice.h; the same text, rule and machine give the same.
 *
 * A sotto_answerer belongs to one thread; the model may be shared.
 */
#ifndef SOTTO_MODELS_ANSWER_ANSWERER_H
#define SOTTO_MODELS_ANSWER_ANSWERER_H

#include "models/adapter/layout.h"
#include "models/model.h"

struct sotto_answerer;

/*
 *   layout  in  borrowed until it is closed
 *   lanes   in  [layout->lane_count] the adapter
 *
 * SOTTO_UNSUPPORTED: no language model; SOTTO_MISMATCH: the layout was derived from a model of
 * another shape; SOTTO_MALFORMED: NaN or infinity in the adapter; SOTTO_NO_MEMORY: *answerer is
 * NULL.
 */
SOTTO_CHECKED enum sotto_status sotto_answerer_open(struct sotto_answerer **answerer,
                                                    const struct sotto_model *model,
                                                    const struct sotto_layout *layout,
                                                    const float *lanes, struct sotto_fault *fault);
void sotto_answerer_close(struct sotto_answerer *answerer);

/* How an answer is chosen and where it ends. */
struct sotto_answer_rule {
    uint32_t token_max; /* 1 or more */
    double temperature; /* 0: the most probable token each time; else a draw from all */
    uint64_t seed;      /* of the draws */
    const uint32_t *ends;
    size_t end_count; /* tokens of which each ends the answer; it is not said */
    /* Told each token as it is chosen; what it returns other than SOTTO_OK ends the answer. */
    enum sotto_status (*say)(void *context, uint32_t token);
    void *context;
};

enum sotto_answer_end {
    SOTTO_ANSWER_OPEN,    /* it could go on: only after a failure */
    SOTTO_ANSWER_WHOLE,   /* the model ended it */
    SOTTO_ANSWER_CUT,     /* it has token_max tokens */
    SOTTO_ANSWER_CROWDED, /* the model has no more positions */
};

/*
 * Takes the memory for a text of up to `count` and token_max tokens, and gives it back.
 *
 *   end     out  why it ended
 *   tokens  in   [count] the text
 *
 * SOTTO_OVER_LIMIT: the text has no token, or more than the model has positions; SOTTO_MISMATCH: a
 * token beyond its vocabulary; SOTTO_NO_MEMORY; SOTTO_MALFORMED: its scores are no finite numbers
 * any more; or what `say` returned.
 */
SOTTO_CHECKED enum sotto_status sotto_answerer_run(struct sotto_answerer *answerer,
                                                   enum sotto_answer_end *end,
                                                   const uint32_t *tokens, size_t count,
                                                   const struct sotto_answer_rule *rule);

#endif
