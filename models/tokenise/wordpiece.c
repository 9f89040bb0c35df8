#include "models/tokenise/wordpiece.h"

#include <string.h>

static const char *const model_keys[] = {
    "type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab", NULL};

static enum sotto_status read_rest(struct sotto_wordpiece *model, struct sotto_view prefix,
                                   const struct sotto_part *reading)
{
    const struct sotto_vocabulary *whole = &model->whole;
    enum sotto_status status = sotto_vocabulary_open(&model->rest, whole->count, whole->byte_count);

    for (size_t i = 0; i < whole->slot_count && status == SOTTO_OK; i++) {
        const struct sotto_vocabulary_entry *entry = &whole->entries[i];
        const uint8_t *bytes = whole->bytes + entry->first;

        if (entry->token == SOTTO_TOKEN_NONE || entry->length < prefix.length ||
            (prefix.length > 0 && memcmp(bytes, prefix.at, prefix.length) != 0))
            continue;
        status = sotto_vocabulary_add(
            &model->rest, sotto_view_of(bytes + prefix.length, entry->length - prefix.length),
            entry->token);
    }
    if (status == SOTTO_NO_MEMORY)
        return sotto_part_fault(reading, status, "no memory for the vocabulary");
    return status;
}

static enum sotto_status read_model(struct sotto_wordpiece *model, const struct sotto_part *reading)
{
    struct sotto_view unknown = sotto_view_text("[UNK]");
    struct sotto_view prefix = sotto_view_text("##");
    enum sotto_status status = sotto_part_keys(reading, model_keys);

    model->characters_max = 100;
    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "unk_token", &unknown);
    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "continuing_subword_prefix", &prefix);
    if (status == SOTTO_OK)
        status = sotto_part_number(reading, "max_input_chars_per_word", INT32_MAX,
                                   &model->characters_max);
    if (status == SOTTO_OK)
        status = sotto_part_vocabulary(&model->whole, reading);
    if (status == SOTTO_OK)
        status = read_rest(model, prefix, reading);
    if (status != SOTTO_OK)
        return status;
    model->unknown = sotto_vocabulary_find(&model->whole, unknown);
    if (model->unknown == SOTTO_TOKEN_NONE)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "the unk_token is not in the vocabulary");
    return SOTTO_OK;
}

enum sotto_status sotto_wordpiece_open(struct sotto_wordpiece *model,
                                       const struct sotto_part *reading)
{
    enum sotto_status status;

    *model = (struct sotto_wordpiece){0};
    status = read_model(model, reading);
    if (status != SOTTO_OK)
        sotto_wordpiece_close(model);
    return status;
}

void sotto_wordpiece_close(struct sotto_wordpiece *model)
{
    sotto_vocabulary_close(&model->whole);
    sotto_vocabulary_close(&model->rest);
    *model = (struct sotto_wordpiece){0};
}

/* Whether a word has more than the most characters; only long ones are counted. */
static bool is_too_long(const struct sotto_wordpiece *model, struct sotto_view word)
{
    size_t count = 0;

    if (word.length <= model->characters_max)
        return false;
    for (size_t i = 0; i < word.length; i++)
        count += (word.at[i] & 0xc0) != 0x80;
    return count > model->characters_max;
}

/*
 * The length of the longest token lies between characters, since a token is UTF-8 too: what it ends
 * with is followed by the beginning of a character.
 */
void sotto_wordpiece_encode(const struct sotto_wordpiece *model, struct sotto_tokens *tokens,
                            struct sotto_view word)
{
    const struct sotto_vocabulary *vocabulary = &model->whole;
    size_t before = tokens->count;
    bool is_unknown = is_too_long(model, word);

    while (word.length > 0 && !is_unknown) {
        size_t length;
        uint32_t token = sotto_vocabulary_longest(vocabulary, word, &length);

        is_unknown = token == SOTTO_TOKEN_NONE;
        if (!is_unknown)
            sotto_tokens_add(tokens, &token, 1);
        word = sotto_view_after(word, length);
        vocabulary = &model->rest;
    }
    if (!is_unknown)
        return;
    tokens->count = before;
    sotto_tokens_add(tokens, &model->unknown, 1);
}
