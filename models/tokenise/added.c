#include "models/tokenise/added.h"

#include <stdlib.h>

static const char *const token_keys[] = {"id",     "content",    "single_word", "lstrip",
                                         "rstrip", "normalized", "special",     NULL};

static enum sotto_status read_token(struct sotto_added_token *token, struct sotto_view *content,
                                    const struct sotto_part *reading)
{
    enum sotto_status status = sotto_part_keys(reading, token_keys);

    *token = (struct sotto_added_token){.token = SOTTO_TOKEN_NONE};
    *content = (struct sotto_view){NULL, 0};
    if (status == SOTTO_OK)
        status = sotto_part_number(reading, "id", SOTTO_VOCABULARY_MAX - 1, &token->token);
    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "content", content);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "single_word", &token->is_word);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "lstrip", &token->strips_before);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "rstrip", &token->strips_after);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "special", &token->is_special);
    token->is_normalised = !token->is_special;
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "normalized", &token->is_normalised);
    if (status == SOTTO_OK && (token->token == SOTTO_TOKEN_NONE || content->length == 0))
        status = sotto_part_fault(reading, SOTTO_MALFORMED, "a token without id or content");
    return status;
}

static enum sotto_status keep(struct sotto_added_set *set, struct sotto_view text, uint32_t place,
                              const struct sotto_part *reading)
{
    enum sotto_status status;

    if (text.length == 0)
        return SOTTO_OK;
    status = sotto_vocabulary_add(&set->texts, text, place);
    if (status == SOTTO_MISMATCH)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "'%.*s' is there twice",
                                text.length < 40 ? (int)text.length : 40, (const char *)text.at);
    if (status != SOTTO_OK)
        return sotto_part_fault(reading, status, "a token is longer than %d bytes",
                                SOTTO_TOKEN_BYTES_MAX);
    set->begins[text.at[0]] = true;
    return SOTTO_OK;
}

static enum sotto_status keep_normalised(struct sotto_added *added,
                                         const struct sotto_normaliser *normaliser,
                                         struct sotto_view content, uint32_t place,
                                         const struct sotto_part *reading)
{
    struct sotto_text text = {0};
    struct sotto_text spare = {0};
    enum sotto_status status;

    sotto_normaliser_run(normaliser, &text, &spare, content);
    status = text.is_short ? sotto_part_fault(reading, SOTTO_NO_MEMORY, "no memory for the tokens")
                           : keep(&added->normalised, sotto_text_view(&text), place, reading);
    sotto_text_close(&text);
    sotto_text_close(&spare);
    return status;
}

static enum sotto_status keep_content(struct sotto_added *added, struct sotto_added_token *token,
                                      struct sotto_view content, const struct sotto_part *reading)
{
    token->first = (uint32_t)added->contents.length;
    token->length = (uint32_t)content.length;
    sotto_text_add(&added->contents, content);
    return added->contents.is_short
               ? sotto_part_fault(reading, SOTTO_NO_MEMORY, "no memory for the tokens")
               : SOTTO_OK;
}

static enum sotto_status read_all(struct sotto_added *added,
                                  const struct sotto_normaliser *normaliser,
                                  const struct sotto_part *reading)
{
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < json_array_size(reading->object) && status == SOTTO_OK; i++) {
        struct sotto_added_token *token = &added->tokens[i];
        struct sotto_part one =
            sotto_part_at(reading, json_array_get(reading->object, i), reading->part);
        struct sotto_view content;

        status = read_token(token, &content, &one);
        if (status == SOTTO_OK)
            status = keep_content(added, token, content, &one);
        if (status == SOTTO_OK && token->is_normalised)
            status = keep_normalised(added, normaliser, content, (uint32_t)i, &one);
        else if (status == SOTTO_OK)
            status = keep(&added->written, content, (uint32_t)i, &one);
        added->count++;
    }
    return status;
}

/* A normaliser makes a token at most so much longer; beyond it the set says so. */
enum { GROWTH_MAX = 8 };

enum sotto_status sotto_added_open(struct sotto_added *added,
                                   const struct sotto_normaliser *normaliser,
                                   const struct sotto_part *reading)
{
    size_t count = json_array_size(reading->object);
    size_t byte_count = 0;
    enum sotto_status status = SOTTO_OK;

    *added = (struct sotto_added){0};
    if (reading->object == NULL || json_is_null(reading->object))
        return SOTTO_OK;
    if (!json_is_array(reading->object) || count > SOTTO_VOCABULARY_MAX)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "not a list of at most %d tokens",
                                SOTTO_VOCABULARY_MAX);
    for (size_t i = 0; i < count; i++)
        byte_count +=
            json_string_length(json_object_get(json_array_get(reading->object, i), "content"));
    added->tokens = calloc(count + 1, sizeof *added->tokens);
    if (added->tokens == NULL ||
        sotto_vocabulary_open(&added->written.texts, count, byte_count) != SOTTO_OK ||
        sotto_vocabulary_open(&added->normalised.texts, count,
                              GROWTH_MAX * byte_count + count * SOTTO_NORMALISER_STRING_MAX) !=
            SOTTO_OK)
        status = sotto_part_fault(reading, SOTTO_NO_MEMORY, "no memory for the tokens");
    if (status == SOTTO_OK)
        status = read_all(added, normaliser, reading);
    if (status != SOTTO_OK)
        sotto_added_close(added);
    return status;
}

void sotto_added_close(struct sotto_added *added)
{
    free(added->tokens);
    sotto_text_close(&added->contents);
    sotto_vocabulary_close(&added->written.texts);
    sotto_vocabulary_close(&added->normalised.texts);
    *added = (struct sotto_added){0};
}

/* Whether a word's character touches text[first .. end) from outside. */
static bool is_inside_word(struct sotto_view text, size_t first, size_t end)
{
    size_t length;

    if (first > 0 && sotto_unicode_is_word(sotto_utf8_last(sotto_view_of(text.at, first), &length)))
        return true;
    return end < text.length &&
           sotto_unicode_is_word(sotto_utf8_first(sotto_view_after(text, end), &length));
}

static void strip_before(struct sotto_added_match *match, struct sotto_view text, size_t from)
{
    size_t length;

    while (match->first > from &&
           sotto_unicode_is_space(sotto_utf8_last(sotto_view_of(text.at, match->first), &length)))
        match->first = match->first - length > from ? match->first - length : from;
}

static void strip_after(struct sotto_added_match *match, struct sotto_view text)
{
    size_t length;

    while (match->end < text.length &&
           sotto_unicode_is_space(sotto_utf8_first(sotto_view_after(text, match->end), &length)))
        match->end += length;
}

bool sotto_added_find(const struct sotto_added *added, struct sotto_added_match *match,
                      const struct sotto_added_set *set, struct sotto_view text, size_t from)
{
    for (size_t at = from; at < text.length; at++) {
        const struct sotto_added_token *token;
        uint32_t place;
        size_t length;

        if (!set->begins[text.at[at]])
            continue;
        place = sotto_vocabulary_longest(&set->texts, sotto_view_after(text, at), &length);
        if (place == SOTTO_TOKEN_NONE)
            continue;
        token = &added->tokens[place];
        *match = (struct sotto_added_match){at, at + length, token->token};
        if (token->is_word && is_inside_word(text, match->first, match->end)) {
            at = match->end - 1;
            continue;
        }
        if (token->strips_before)
            strip_before(match, text, from);
        if (token->strips_after)
            strip_after(match, text);
        return true;
    }
    return false;
}

struct sotto_view sotto_added_content(const struct sotto_added *added,
                                      const struct sotto_added_token *token)
{
    return sotto_view_of(added->contents.at + token->first, token->length);
}

uint32_t sotto_added_token_of(const struct sotto_added *added, struct sotto_view text)
{
    uint32_t place = sotto_vocabulary_find(&added->written.texts, text);

    if (place == SOTTO_TOKEN_NONE)
        place = sotto_vocabulary_find(&added->normalised.texts, text);
    return place == SOTTO_TOKEN_NONE ? SOTTO_TOKEN_NONE : added->tokens[place].token;
}
