#include "participant/trainer/answer/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"
#include "models/answer/answerer.h"
#include "models/tokenise/decoder.h"
#include "models/tokenise/text.h"

/* All that answering takes. */
struct desk {
    const struct sotto_bench *bench;
    const struct sotto_answer_wish *wish;
    struct sotto_answerer *answerer;
    struct sotto_encoder *encoder;
    struct sotto_decoder *decoder;
    struct sotto_chat_text question;
    struct sotto_text answer; /* for JSON */
    uint32_t ends[SOTTO_END_TOKENS_MAX + 1];
    size_t end_count;
    size_t said_count;
    json_t *rows;
    struct sotto_fault *fault;
};

static void desk_close(struct desk *desk)
{
    sotto_answerer_close(desk->answerer);
    sotto_encoder_close(desk->encoder);
    sotto_decoder_close(desk->decoder);
    sotto_chat_text_close(&desk->question);
    sotto_text_close(&desk->answer);
    json_decref(desk->rows);
}

/* What ends a text of the model, and what ends an answer of the format. */
static void find_ends(struct desk *desk)
{
    const struct sotto_arch *arch = sotto_model_arch(desk->bench->model);
    struct sotto_view end = sotto_chat_end(desk->wish->chat);
    uint32_t token = end.length == 0
                         ? SOTTO_TOKEN_NONE
                         : sotto_tokeniser_find(sotto_model_tokeniser(desk->bench->model), end);

    for (uint32_t i = 0; i < arch->end_token_count; i++)
        desk->ends[desk->end_count++] = arch->end_tokens[i];
    if (token != SOTTO_TOKEN_NONE)
        desk->ends[desk->end_count++] = token;
}

static enum sotto_status desk_open(struct desk *desk)
{
    const struct sotto_tokeniser *tokeniser = sotto_model_tokeniser(desk->bench->model);
    enum sotto_status status = sotto_chat_check(desk->wish->chat, tokeniser, desk->fault);

    if (status == SOTTO_OK)
        status = sotto_tokeniser_open_decoder(&desk->decoder, tokeniser, desk->fault);
    if (status == SOTTO_OK)
        status = sotto_answerer_open(&desk->answerer, desk->bench->model, &desk->bench->layout,
                                     desk->bench->lanes, desk->fault);
    if (status == SOTTO_OK && sotto_encoder_open(&desk->encoder, tokeniser) != SOTTO_OK)
        status = sotto_fault_set(desk->fault, SOTTO_NO_MEMORY, "no memory for the texts");
    desk->question.is_prepended = sotto_tokeniser_prepends(tokeniser);
    desk->rows = json_array();
    find_ends(desk);
    return status;
}

/* Valid UTF-8, in which nothing can move a cursor but what ends a line or aligns one. */
static void print_answer(struct sotto_view text)
{
    for (size_t length; text.length > 0; text = sotto_view_after(text, length)) {
        uint32_t character = sotto_utf8_first(text, &length);
        bool is_plain =
            character == '\n' || character == '\t' ||
            (character >= 0x20 && character != 0x7f && (character < 0x80 || character >= 0xa0));

        for (size_t i = 0; i < length && !is_plain; i++)
            printf("\\x%02x", (unsigned)text.at[i]);
        if (is_plain)
            fwrite(text.at, 1, length, stdout);
    }
}

static enum sotto_status tell(struct desk *desk, const uint32_t *tokens, size_t count, bool is_last)
{
    struct sotto_view text;
    enum sotto_status status = sotto_decoder_run(desk->decoder, &text, tokens, count, is_last);

    if (status != SOTTO_OK)
        return status;
    if (desk->wish->as_json) {
        sotto_text_add(&desk->answer, text);
        return desk->answer.is_short ? SOTTO_NO_MEMORY : SOTTO_OK;
    }
    print_answer(text);
    fflush(stdout);
    return SOTTO_OK;
}

static enum sotto_status say(void *context, uint32_t token)
{
    struct desk *desk = context;

    desk->said_count++;
    return tell(desk, &token, 1, false);
}

/* What the model is given: the text as it stands, or the question in its format. */
static enum sotto_status ask(struct desk *desk, struct sotto_view *asked, const char *text)
{
    const struct sotto_answer_wish *wish = desk->wish;
    struct sotto_view system =
        wish->system == NULL ? sotto_view_of(NULL, 0) : sotto_view_text(wish->system);

    *asked = sotto_view_text(text);
    if (asked->length == 0)
        return sotto_fault_set(desk->fault, SOTTO_MALFORMED, "a TEXT is empty: say something");
    if (!sotto_utf8_is_valid(*asked) || !sotto_utf8_is_valid(system))
        return sotto_fault_set(desk->fault, SOTTO_MALFORMED, "'%.60s' is not UTF-8",
                               sotto_utf8_is_valid(*asked) ? wish->system : text);
    if (wish->chat == SOTTO_CHAT_NONE)
        return SOTTO_OK;
    if (sotto_chat_ask(&desk->question, wish->chat, system, *asked) != SOTTO_OK)
        return sotto_fault_set(desk->fault, SOTTO_NO_MEMORY, "no memory for '%.60s'", text);
    *asked = sotto_text_view(&desk->question.text);
    return SOTTO_OK;
}

static enum sotto_status too_long(const struct desk *desk, const char *text, bool is_cut)
{
    const char *with = desk->wish->system == NULL ? "" : ", with the system message,";

    if (is_cut)
        return sotto_fault_set(desk->fault, SOTTO_OVER_LIMIT,
                               "'%.60s...'%s is longer than truncation in tokenizer.json allows: "
                               "shorten it, or raise max_length there",
                               text, with);
    return sotto_fault_set(desk->fault, SOTTO_OVER_LIMIT,
                           "'%.60s...'%s is longer than the %u tokens that the model takes: "
                           "shorten it",
                           text, with, sotto_model_arch(desk->bench->model)->position_count);
}

/* Special tokens around a text are those before it: nothing has ended yet. */
static enum sotto_status encode(struct desk *desk, struct sotto_encoding *encoding,
                                const char *text)
{
    struct sotto_encoding_form form = {.is_framed = desk->wish->chat == SOTTO_CHAT_NONE};
    struct sotto_view asked;
    enum sotto_status status = ask(desk, &asked, text);

    if (status != SOTTO_OK)
        return status;
    status = sotto_encoder_run(desk->encoder, encoding, asked, form);
    if (status == SOTTO_OVER_LIMIT || encoding->is_cut)
        return too_long(desk, text, encoding->is_cut);
    if (status != SOTTO_OK)
        return sotto_fault_set(desk->fault, status, "no memory for '%.60s'", text);
    encoding->count = encoding->text_first + encoding->text_count;
    return encoding->count > sotto_model_arch(desk->bench->model)->position_count
               ? too_long(desk, text, false)
               : SOTTO_OK;
}

static enum sotto_status explain(const struct desk *desk, enum sotto_status status,
                                 const char *text)
{
    if (status == SOTTO_MISMATCH)
        return sotto_fault_set(desk->fault, status,
                               "tokenizer.json has tokens that the model's vocabulary of %u lacks: "
                               "use the model's own",
                               sotto_model_arch(desk->bench->model)->vocabulary);
    if (status == SOTTO_MALFORMED)
        return sotto_fault_set(desk->fault, status,
                               "'%.60s': the model gives no finite score: the weights of the "
                               "adapter, or of the model, are too large, use others",
                               text);
    return sotto_fault_set(desk->fault, status,
                           "no memory to answer '%.60s': shorten it, or ask for fewer --tokens",
                           text);
}

static const char *name_of(enum sotto_answer_end end)
{
    return end == SOTTO_ANSWER_CUT ? "tokens" : end == SOTTO_ANSWER_CROWDED ? "positions" : "whole";
}

/* What is left to say, after an answer and about it. */
static enum sotto_status finish(struct desk *desk, const char *text, enum sotto_answer_end end)
{
    enum sotto_status status = tell(desk, NULL, 0, true);
    struct sotto_view answer = sotto_text_view(&desk->answer);
    json_t *said;

    if (status != SOTTO_OK)
        return status;
    if (desk->wish->as_json) {
        said = json_stringn(answer.length == 0 ? "" : (const char *)answer.at, answer.length);
        return json_array_append_new(desk->rows,
                                     json_pack("{s:s, s:o, s:s, s:I}", "text", text, "answer", said,
                                               "end", name_of(end), "tokens",
                                               (json_int_t)desk->said_count)) == 0
                   ? SOTTO_OK
                   : SOTTO_NO_MEMORY;
    }
    printf("\n");
    fflush(stdout);
    if (end == SOTTO_ANSWER_CUT)
        sotto_console_say("the answer is cut after %u tokens: --tokens allows more",
                          desk->wish->token_max);
    if (end == SOTTO_ANSWER_CROWDED)
        sotto_console_say("the answer is cut: the model takes %u tokens in all",
                          sotto_model_arch(desk->bench->model)->position_count);
    return SOTTO_OK;
}

static enum sotto_status answer(struct desk *desk, const char *text)
{
    struct sotto_answer_rule rule = {.token_max = desk->wish->token_max,
                                     .temperature = desk->wish->temperature,
                                     .seed = desk->wish->seed,
                                     .ends = desk->ends,
                                     .end_count = desk->end_count,
                                     .say = say,
                                     .context = desk};
    struct sotto_encoding encoding;
    enum sotto_answer_end end;
    enum sotto_status status = encode(desk, &encoding, text);

    if (status != SOTTO_OK)
        return status;
    desk->said_count = 0;
    sotto_text_clear(&desk->answer);
    if (!desk->wish->as_json) {
        sotto_console_show(text, SOTTO_TEXT_SHOWN);
        printf(": ");
    }
    status = sotto_answerer_run(desk->answerer, &end, encoding.tokens, encoding.count, &rule);
    if (status == SOTTO_OK)
        status = finish(desk, text, end);
    if (status == SOTTO_OK)
        return status;
    /* Why begins a line of its own where both go to a terminal. */
    if (!desk->wish->as_json)
        printf("\n");
    return explain(desk, status, text);
}

enum sotto_status sotto_answer_texts(const struct sotto_bench *bench,
                                     const struct sotto_answer_wish *wish, char **texts,
                                     size_t count, struct sotto_fault *fault)
{
    struct desk desk = {.bench = bench, .wish = wish, .fault = fault};
    enum sotto_status status = desk_open(&desk);

    for (size_t i = 0; i < count && status == SOTTO_OK; i++)
        status = answer(&desk, texts[i]);
    if (status == SOTTO_OK && wish->as_json) {
        json_dumpf(desk.rows, stdout, JSON_INDENT(2));
        printf("\n");
    }
    desk_close(&desk);
    return status;
}
