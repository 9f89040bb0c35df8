/*
 * Questions to a language model, answered on standard output.
 */
#ifndef SOTTO_PARTICIPANT_TRAINER_ANSWER_ANSWER_H
#define SOTTO_PARTICIPANT_TRAINER_ANSWER_ANSWER_H

#include "models/data/chat.h"
#include "participant/trainer/bench.h"

enum { SOTTO_ANSWER_TOKENS = 256, SOTTO_ANSWER_TOKENS_MAX = 1024 * 1024 };

/* How they are put, and how answered. */
struct sotto_answer_wish {
    enum sotto_chat chat; /* none: a text is gone on with as it stands */
    const char *system;   /* the message before each question, or NULL; of a chat format alone */
    uint32_t token_max;
    double temperature;
    uint64_t seed;
    bool as_json;
};

/*
 * Answers each text by itself: TEXT: ANSWER as it is made, with the control characters of an answer
 * but line ends and tabs as \xNN; or a list of {"text", "answer", "end", "tokens"} as JSON when all
 * are answered. What an answer was cut by is told in a line on standard error.
 *
 *   bench  in  with an adapter
 *   texts  in  [count] of the command line
 *
 * SOTTO_MALFORMED: a text is empty or no UTF-8, scores are no finite numbers; SOTTO_MISMATCH: the
 * tokeniser lacks a token of the format, or has more tokens than the model; SOTTO_UNSUPPORTED: its
 * tokens do not become text; SOTTO_OVER_LIMIT: a text is longer than the model takes;
 * SOTTO_NO_MEMORY. The fault says what to do.
 */
SOTTO_CHECKED enum sotto_status sotto_answer_texts(const struct sotto_bench *bench,
                                                   const struct sotto_answer_wish *wish,
                                                   char **texts, size_t count,
                                                   struct sotto_fault *fault);

#endif
