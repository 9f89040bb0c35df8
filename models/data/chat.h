/*
 * Conversations as one text, in the usual formats by name, with the places of the answers in it.
 * Each format is what the chat template of the named models makes of the same messages; nothing is
 * added that is not in the messages, such as a default system message or today's date.
 */
#ifndef SOTTO_MODELS_DATA_CHAT_H
#define SOTTO_MODELS_DATA_CHAT_H

#include <jansson.h>

#include "models/tokenise/text.h"
#include "models/tokenise/tokeniser.h"

enum sotto_chat {
    SOTTO_CHAT_NONE,
    SOTTO_CHAT_CHATML,  /* SmolLM2, Qwen2 */
    SOTTO_CHAT_LLAMA2,  /* Llama 2 chat */
    SOTTO_CHAT_LLAMA3,  /* Llama 3 instruct */
    SOTTO_CHAT_MISTRAL, /* Mistral 7B instruct 0.1 and 0.2 */
    SOTTO_CHAT_ZEPHYR,  /* Zephyr, TinyLlama chat */
};

#define SOTTO_CHAT_NAMES "chatml, llama2, llama3, mistral, zephyr"

/* "" is none. SOTTO_MALFORMED: no format is called so; the fault names those that are. */
SOTTO_CHECKED enum sotto_status sotto_chat_parse(enum sotto_chat *chat, const char *name,
                                                 struct sotto_fault *fault);

/* SOTTO_MISMATCH: the tokeniser lacks a token that the format needs; the fault names it. */
SOTTO_CHECKED enum sotto_status sotto_chat_check(enum sotto_chat chat,
                                                 const struct sotto_tokeniser *tokeniser,
                                                 struct sotto_fault *fault);

enum { SOTTO_CHAT_ANSWERS_MAX = 256 };

/* A conversation as text; all zero is empty. */
struct sotto_chat_text {
    /*
     * Set before writing: sotto_tokeniser_prepends. A space that the format has after a special
     * token is then left to the tokeniser, so that there are not two.
     */
    bool is_prepended;
    struct sotto_text text;
    size_t answer_count;
    struct {
        size_t first;
        size_t end; /* after what ends the answer, which is learnt too */
    } answers[SOTTO_CHAT_ANSWERS_MAX];
};

void sotto_chat_text_close(struct sotto_chat_text *out);

/*
 * Writes a list of {"role", "content"} in place of what was in `out`.
 *
 *   messages  in   contents are valid UTF-8, as jansson has them
 *   why       out  what is wrong, without a name of the file; [SOTTO_FAULT_TEXT_MAX]
 *
 * SOTTO_MALFORMED: no list of messages, a role that is not known, an order that the format does not
 * have, a content that is no text, no answer; SOTTO_OVER_LIMIT: more than SOTTO_CHAT_ANSWERS_MAX
 * answers; SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_chat_write(struct sotto_chat_text *out, enum sotto_chat chat,
                                                 const json_t *messages, char *why);

/*
 * Writes a question, in place of what was in `out`, up to where its answer begins.
 *
 *   chat    in  a format
 *   system  in  the message before it; at == NULL: none
 *   user    in  the question
 *
 * SOTTO_NO_MEMORY
 */
SOTTO_CHECKED enum sotto_status sotto_chat_ask(struct sotto_chat_text *out, enum sotto_chat chat,
                                               struct sotto_view system, struct sotto_view user);

/* The token that ends an answer, such as <|im_end|>; empty: there is no format. */
struct sotto_view sotto_chat_end(enum sotto_chat chat);

#endif
