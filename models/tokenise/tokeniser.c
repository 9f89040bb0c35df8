#include "models/tokenise/tokeniser.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "models/tokenise/added.h"
#include "models/tokenise/bpe.h"
#include "models/tokenise/decoder.h"
#include "models/tokenise/frame.h"
#include "models/tokenise/normaliser.h"
#include "models/tokenise/splitter.h"
#include "models/tokenise/wordpiece.h"

struct sotto_tokeniser {
    struct sotto_normaliser normaliser;
    struct sotto_splitter splitter;
    struct sotto_added added;
    struct sotto_frame frame;
    bool is_bpe;
    struct sotto_wordpiece wordpiece;
    struct sotto_bpe bpe;
    struct sotto_joiner joiner;
    struct sotto_fault joiner_fault; /* why tokens do not become text; SOTTO_OK: they do */
    uint32_t length_max;             /* as the file says, 0: it says nothing */
    uint32_t size;
};

struct sotto_encoder {
    const struct sotto_tokeniser *tokeniser;
    struct sotto_text normal;
    struct sotto_text spare;
    struct sotto_text spaced;
    struct sotto_tokens tokens;
    struct sotto_bpe_scratch scratch;
    size_t count_max; /* more tokens of the text itself than this are not wanted */
};

static const char *const file_keys[] = {
    "version",       "truncation", "padding",        "added_tokens", "normalizer",
    "pre_tokenizer", "decoder",    "post_processor", "model",        NULL};
static const char *const truncation_keys[] = {"direction", "max_length", "strategy", "stride",
                                              NULL};

/* A part of the file by its key. */
static struct sotto_part part_of(const struct sotto_part *file, const char *key)
{
    return sotto_part_at(file, json_object_get(file->object, key), key);
}

static enum sotto_status read_truncation(struct sotto_tokeniser *tokeniser,
                                         const struct sotto_part *file)
{
    struct sotto_part part = part_of(file, "truncation");
    struct sotto_view direction = sotto_view_text("Right");
    struct sotto_view strategy = sotto_view_text("LongestFirst");
    enum sotto_status status;

    if (part.object == NULL || json_is_null(part.object))
        return SOTTO_OK;
    status = sotto_part_keys(&part, truncation_keys);
    if (status == SOTTO_OK)
        status = sotto_part_number(&part, "max_length", INT32_MAX, &tokeniser->length_max);
    if (status == SOTTO_OK)
        status = sotto_part_text(&part, "direction", &direction);
    if (status == SOTTO_OK)
        status = sotto_part_text(&part, "strategy", &strategy);
    if (status == SOTTO_OK && (!sotto_view_equal(direction, sotto_view_text("Right")) ||
                               sotto_view_equal(strategy, sotto_view_text("OnlySecond"))))
        status = sotto_part_fault(&part, SOTTO_UNSUPPORTED,
                                  "truncation is supported at the right end of one sequence");
    return status;
}

/* What the file cuts texts to must leave a token of their own beside those of the frame. */
static enum sotto_status check_room(const struct sotto_tokeniser *tokeniser,
                                    const struct sotto_part *file)
{
    size_t frame = tokeniser->frame.before_count + tokeniser->frame.after_count;
    struct sotto_part part = part_of(file, "truncation");

    if (json_object_get(part.object, "max_length") != NULL && tokeniser->length_max <= frame)
        return sotto_part_fault(&part, SOTTO_OVER_LIMIT,
                                "max_length %u leaves no token of a text beside the %zu that "
                                "post_processor adds: raise it",
                                tokeniser->length_max, frame);
    return SOTTO_OK;
}

static enum sotto_status read_model(struct sotto_tokeniser *tokeniser,
                                    const struct sotto_part *file)
{
    struct sotto_part part = part_of(file, "model");
    char type[48];

    sotto_part_type(&part, type);
    if (type[0] == '\0' && json_is_object(part.object))
        strcpy(type, json_object_get(part.object, "merges") == NULL ? "WordPiece" : "BPE");
    tokeniser->is_bpe = strcmp(type, "BPE") == 0;
    if (tokeniser->is_bpe)
        return sotto_bpe_open(&tokeniser->bpe, tokeniser->splitter.is_byte_level, &part);
    if (strcmp(type, "WordPiece") != 0)
        return sotto_part_fault(&part, SOTTO_UNSUPPORTED,
                                "'%s' is not supported; known are: BPE, WordPiece", type);
    if (tokeniser->splitter.is_byte_level)
        return sotto_part_fault(&part, SOTTO_UNSUPPORTED,
                                "WordPiece after ByteLevel is not supported");
    return sotto_wordpiece_open(&tokeniser->wordpiece, &part);
}

static const struct sotto_vocabulary *vocabulary_of(const struct sotto_tokeniser *tokeniser)
{
    return tokeniser->is_bpe ? &tokeniser->bpe.vocabulary : &tokeniser->wordpiece.whole;
}

static uint32_t larger(uint32_t size, uint32_t token)
{
    return token != SOTTO_TOKEN_NONE && token >= size ? token + 1 : size;
}

static void measure(struct sotto_tokeniser *tokeniser)
{
    const struct sotto_vocabulary *vocabulary = vocabulary_of(tokeniser);
    uint32_t size = 0;

    for (size_t i = 0; i < vocabulary->slot_count; i++)
        size = larger(size, vocabulary->entries[i].token);
    for (size_t i = 0; i < tokeniser->added.count; i++)
        size = larger(size, tokeniser->added.tokens[i].token);
    for (size_t i = 0; i < tokeniser->frame.before_count; i++)
        size = larger(size, tokeniser->frame.before[i]);
    for (size_t i = 0; i < tokeniser->frame.after_count; i++)
        size = larger(size, tokeniser->frame.after[i]);
    tokeniser->size = tokeniser->is_bpe ? larger(size, tokeniser->bpe.unknown) : size;
}

/* Only who wants text of tokens is told what is wrong with it. */
static void read_joiner(struct sotto_tokeniser *tokeniser, const struct sotto_part *file)
{
    struct sotto_fault *fault = &tokeniser->joiner_fault;
    struct sotto_part part = part_of(file, "decoder");
    bool is_bytes;

    part.fault = fault;
    fault->status = sotto_joiner_decode(&tokeniser->joiner, &part);
    is_bytes = tokeniser->joiner.step_set == 1u << SOTTO_JOINER_BYTES;
    if (fault->status != SOTTO_OK)
        return;
    if (tokeniser->joiner.step_set == 0 || !tokeniser->is_bpe)
        sotto_part_fault(&part, SOTTO_UNSUPPORTED, "there is none that makes text of tokens");
    else if (is_bytes != tokeniser->bpe.is_byte_level)
        sotto_part_fault(&part, SOTTO_UNSUPPORTED,
                         "ByteLevel is supported where pre_tokenizer has it, and only there");
}

static enum sotto_status read_file(struct sotto_tokeniser *tokeniser, const struct sotto_part *file)
{
    struct sotto_part normaliser = part_of(file, "normalizer");
    struct sotto_part splitter = part_of(file, "pre_tokenizer");
    struct sotto_part added = part_of(file, "added_tokens");
    struct sotto_part frame = part_of(file, "post_processor");
    enum sotto_status status = sotto_part_keys(file, file_keys);

    if (status == SOTTO_OK)
        status = read_truncation(tokeniser, file);
    if (status == SOTTO_OK)
        status = sotto_normaliser_decode(&tokeniser->normaliser, &normaliser);
    if (status == SOTTO_OK)
        status = sotto_splitter_decode(&tokeniser->splitter, &splitter);
    if (status == SOTTO_OK)
        status = sotto_added_open(&tokeniser->added, &tokeniser->normaliser, &added);
    if (status == SOTTO_OK)
        status = sotto_frame_decode(&tokeniser->frame, &frame);
    if (status == SOTTO_OK)
        status = check_room(tokeniser, file);
    if (status == SOTTO_OK)
        status = read_model(tokeniser, file);
    if (status != SOTTO_OK)
        return status;
    read_joiner(tokeniser, file);
    measure(tokeniser);
    return SOTTO_OK;
}

enum sotto_status sotto_tokeniser_open(struct sotto_tokeniser **tokeniser, struct sotto_view json,
                                       const char *path, struct sotto_fault *fault)
{
    struct sotto_tokeniser *opened = calloc(1, sizeof *opened);
    json_error_t error;
    json_t *object;
    enum sotto_status status;

    *tokeniser = NULL;
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory for a tokeniser", path);
    object = json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                        &error);
    if (object == NULL)
        status = sotto_fault_set(fault, SOTTO_MALFORMED, "%s: line %d: %s", path, error.line,
                                 error.text);
    else
        status = read_file(opened, &(struct sotto_part){object, "the file", path, fault});
    json_decref(object);
    if (status != SOTTO_OK) {
        sotto_tokeniser_close(opened);
        return status;
    }
    *tokeniser = opened;
    return SOTTO_OK;
}

void sotto_tokeniser_close(struct sotto_tokeniser *tokeniser)
{
    if (tokeniser == NULL)
        return;
    sotto_added_close(&tokeniser->added);
    sotto_wordpiece_close(&tokeniser->wordpiece);
    sotto_bpe_close(&tokeniser->bpe);
    free(tokeniser);
}

uint32_t sotto_tokeniser_size(const struct sotto_tokeniser *tokeniser)
{
    return tokeniser->size;
}

uint32_t sotto_tokeniser_find(const struct sotto_tokeniser *tokeniser, struct sotto_view text)
{
    uint32_t token = sotto_added_token_of(&tokeniser->added, text);

    return token != SOTTO_TOKEN_NONE ? token
                                     : sotto_vocabulary_find(vocabulary_of(tokeniser), text);
}

bool sotto_tokeniser_prepends(const struct sotto_tokeniser *tokeniser)
{
    const struct sotto_normaliser *normaliser = &tokeniser->normaliser;
    bool is_found = false;

    for (size_t i = 0; i < normaliser->count; i++)
        is_found = is_found || normaliser->steps[i].kind == SOTTO_NORMALISER_PREPEND;
    return is_found;
}

enum sotto_status sotto_encoder_open(struct sotto_encoder **encoder,
                                     const struct sotto_tokeniser *tokeniser)
{
    *encoder = calloc(1, sizeof **encoder);
    if (*encoder == NULL)
        return SOTTO_NO_MEMORY;
    (*encoder)->tokeniser = tokeniser;
    return SOTTO_OK;
}

void sotto_encoder_close(struct sotto_encoder *encoder)
{
    if (encoder == NULL)
        return;
    sotto_text_close(&encoder->normal);
    sotto_text_close(&encoder->spare);
    sotto_text_close(&encoder->spaced);
    sotto_tokens_close(&encoder->tokens);
    sotto_bpe_scratch_close(&encoder->scratch);
    free(encoder);
}

/* Whether there are more tokens already than are wanted. */
static bool is_full(const struct sotto_encoder *encoder)
{
    return encoder->tokens.count > encoder->count_max;
}

static void encode_word(struct sotto_encoder *encoder, struct sotto_view word)
{
    const struct sotto_tokeniser *tokeniser = encoder->tokeniser;

    if (tokeniser->is_bpe)
        sotto_bpe_encode(&tokeniser->bpe, &encoder->tokens, &encoder->scratch, word);
    else
        sotto_wordpiece_encode(&tokeniser->wordpiece, &encoder->tokens, word);
}

/* Splits by the steps from `step` on, each the pieces of the one before it. */
static void split(struct sotto_encoder *encoder, size_t step, struct sotto_view part)
{
    const struct sotto_splitter *splitter = &encoder->tokeniser->splitter;

    if (step == splitter->count && part.length > 0) {
        encode_word(encoder, part);
        return;
    }
    while (part.length > 0 && !is_full(encoder)) {
        bool is_dropped;
        size_t length = sotto_splitter_next(&splitter->steps[step], part, &is_dropped);

        if (!is_dropped)
            split(encoder, step + 1, sotto_view_of(part.at, length));
        part = sotto_view_after(part, length);
    }
}

/* The part with U+2581 for each space, and before it where the scheme wants one. */
static struct sotto_view with_metaspace(struct sotto_encoder *encoder, struct sotto_view part,
                                        bool is_first)
{
    struct sotto_view mark = sotto_view_text("\xe2\x96\x81");
    enum sotto_metaspace scheme = encoder->tokeniser->splitter.metaspace;
    bool is_marked = part.at[0] == ' ' ||
                     (part.length >= mark.length && memcmp(part.at, mark.at, mark.length) == 0);

    sotto_text_clear(&encoder->spaced);
    if (!is_marked &&
        (scheme == SOTTO_METASPACE_ALWAYS || (scheme == SOTTO_METASPACE_FIRST && is_first)))
        sotto_text_add(&encoder->spaced, mark);
    for (size_t i = 0; i < part.length; i++)
        sotto_text_add(&encoder->spaced, part.at[i] == ' ' ? mark : sotto_view_of(part.at + i, 1));
    return sotto_text_view(&encoder->spaced);
}

/* A normalised part without an added token in it. */
static void encode_part(struct sotto_encoder *encoder, struct sotto_view part, bool is_first)
{
    const struct sotto_splitter *splitter = &encoder->tokeniser->splitter;

    if (part.length == 0)
        return;
    sotto_text_clear(&encoder->spaced);
    if (splitter->metaspace != SOTTO_METASPACE_NONE) {
        part = with_metaspace(encoder, part, is_first);
    } else if (splitter->adds_space && part.at[0] != ' ') {
        sotto_text_add(&encoder->spaced, sotto_view_text(" "));
        sotto_text_add(&encoder->spaced, part);
        part = sotto_text_view(&encoder->spaced);
    }
    encoder->tokens.is_short = encoder->tokens.is_short || encoder->spaced.is_short;
    split(encoder, 0, part);
}

/* A part as it was written, without a token in it that is looked for there. */
static void encode_written(struct sotto_encoder *encoder, struct sotto_view part, bool is_first)
{
    const struct sotto_added *added = &encoder->tokeniser->added;
    struct sotto_added_match match;
    struct sotto_view text;
    size_t from = 0;

    if (part.length == 0)
        return;
    sotto_normaliser_run(&encoder->tokeniser->normaliser, &encoder->normal, &encoder->spare, part);
    encoder->tokens.is_short = encoder->tokens.is_short || encoder->normal.is_short;
    text = sotto_text_view(&encoder->normal);
    while (!is_full(encoder) && sotto_added_find(added, &match, &added->normalised, text, from)) {
        encode_part(encoder, sotto_view_of(text.at + from, match.first - from),
                    is_first && from == 0);
        sotto_tokens_add(&encoder->tokens, &match.token, 1);
        from = match.end;
    }
    if (from < text.length)
        encode_part(encoder, sotto_view_after(text, from), is_first && from == 0);
}

static void encode_text(struct sotto_encoder *encoder, struct sotto_view text)
{
    const struct sotto_added *added = &encoder->tokeniser->added;
    struct sotto_added_match match;
    size_t from = 0;

    while (!is_full(encoder) && sotto_added_find(added, &match, &added->written, text, from)) {
        encode_written(encoder, sotto_view_of(text.at + from, match.first - from), from == 0);
        sotto_tokens_add(&encoder->tokens, &match.token, 1);
        from = match.end;
    }
    if (from < text.length)
        encode_written(encoder, sotto_view_after(text, from), from == 0);
}

/* The most tokens of a text with its frame; 0: any number. */
static size_t length_max_of(const struct sotto_tokeniser *tokeniser, size_t wanted)
{
    size_t written = tokeniser->length_max;

    return wanted == 0 || (written > 0 && written < wanted) ? written : wanted;
}

enum sotto_status sotto_encoder_run(struct sotto_encoder *encoder, struct sotto_encoding *encoding,
                                    struct sotto_view text, struct sotto_encoding_form form)
{
    const struct sotto_frame *frame = &encoder->tokeniser->frame;
    size_t length_max = length_max_of(encoder->tokeniser, form.length_max);
    size_t before = form.is_framed ? frame->before_count : 0;
    size_t after = form.is_framed ? frame->after_count : 0;
    bool is_cut;

    *encoding = (struct sotto_encoding){0};
    if (text.length > SOTTO_TEXT_BYTES_MAX || (length_max > 0 && length_max <= before + after))
        return SOTTO_OVER_LIMIT;
    if (!sotto_utf8_is_valid(text))
        return SOTTO_MALFORMED;
    sotto_tokens_clear(&encoder->tokens);
    sotto_tokens_add(&encoder->tokens, frame->before, before);
    encoder->count_max = length_max == 0 ? SIZE_MAX : length_max - after;
    encode_text(encoder, text);
    is_cut = is_full(encoder);
    if (is_cut)
        encoder->tokens.count = encoder->count_max;
    sotto_tokens_add(&encoder->tokens, frame->after, after);
    if (encoder->tokens.is_short)
        return SOTTO_NO_MEMORY;
    *encoding = (struct sotto_encoding){
        .tokens = encoder->tokens.at,
        .count = encoder->tokens.count,
        .text_first = before,
        .text_count = encoder->tokens.count - before - after,
        .is_cut = is_cut,
    };
    return SOTTO_OK;
}

enum sotto_status sotto_tokeniser_open_decoder(struct sotto_decoder **decoder,
                                               const struct sotto_tokeniser *tokeniser,
                                               struct sotto_fault *fault)
{
    struct sotto_decoder_parts parts = {&tokeniser->joiner, vocabulary_of(tokeniser),
                                        &tokeniser->added, tokeniser->size};
    enum sotto_status status = tokeniser->joiner_fault.status;

    *decoder = NULL;
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s", tokeniser->joiner_fault.text);
    status = sotto_decoder_open(decoder, parts);
    return status == SOTTO_OK ? status
                              : sotto_fault_set(fault, status, "no memory to make text of tokens");
}
