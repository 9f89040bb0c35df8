#include "models/tokenise/bpe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const model_keys[] = {"type",
                                         "dropout",
                                         "unk_token",
                                         "continuing_subword_prefix",
                                         "end_of_word_suffix",
                                         "fuse_unk",
                                         "byte_fallback",
                                         "ignore_merges",
                                         "vocab",
                                         "merges",
                                         NULL};

static bool is_printable(uint32_t byte)
{
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) ||
           (byte >= 0xae && byte <= 0xff);
}

/* The byte that a character stands for; 256: none. The others are U+0100 on, in their order. */
static uint32_t byte_of(uint32_t character)
{
    if (character < 0x100)
        return is_printable(character) ? character : 256;
    for (uint32_t byte = 0, other = 0x100; byte < 256; byte++) {
        if (!is_printable(byte) && other++ == character)
            return byte;
    }
    return 256;
}

bool sotto_bpe_bytes_of(uint8_t *out, size_t *length, struct sotto_view token)
{
    *length = 0;
    for (size_t taken; token.length > 0; token = sotto_view_after(token, taken)) {
        uint32_t byte = byte_of(sotto_utf8_first(token, &taken));

        if (byte > 255)
            return false;
        out[(*length)++] = (uint8_t)byte;
    }
    return true;
}

/* Puts a vocabulary of bytes in place of that of characters; what is no bytes can be no piece. */
static enum sotto_status read_bytes(struct sotto_bpe *model, const struct sotto_part *reading)
{
    struct sotto_vocabulary written = model->vocabulary;
    uint8_t bytes[SOTTO_TOKEN_BYTES_MAX];
    enum sotto_status status =
        sotto_vocabulary_open(&model->vocabulary, written.count, written.byte_count);

    if (status != SOTTO_OK)
        status = sotto_part_fault(reading, status, "no memory for the vocabulary");
    for (size_t i = 0; i < written.slot_count && status == SOTTO_OK; i++) {
        const struct sotto_vocabulary_entry *entry = &written.entries[i];
        struct sotto_view token = sotto_view_of(written.bytes + entry->first, entry->length);
        size_t length;

        if (entry->token != SOTTO_TOKEN_NONE && sotto_bpe_bytes_of(bytes, &length, token))
            status = sotto_vocabulary_add(&model->vocabulary, sotto_view_of(bytes, length),
                                          entry->token);
    }
    sotto_vocabulary_close(&written);
    return status;
}

static void find_bytes(struct sotto_bpe *model)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        char name[8];

        snprintf(name, sizeof name, "<0x%02X>", i);
        model->bytes[i] = sotto_vocabulary_find(&model->vocabulary, model->falls_to_bytes
                                                                        ? sotto_view_text(name)
                                                                        : sotto_view_of(&byte, 1));
    }
}

/* The slot of a pair, or the free one where it belongs. */
static struct sotto_bpe_merge *merge_of(const struct sotto_bpe *model, uint32_t left,
                                        uint32_t right)
{
    uint64_t mixed = ((uint64_t)left << 32 | right) * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(mixed >> 32) & (model->slot_count - 1);

    for (;; slot = (slot + 1) & (model->slot_count - 1)) {
        struct sotto_bpe_merge *merge = &model->merges[slot];

        if (merge->left == SOTTO_TOKEN_NONE || (merge->left == left && merge->right == right))
            return merge;
    }
}

/* The two sides of a merge: a list of two texts, or one text with a space between. */
static bool sides_of(struct sotto_view sides[2], const json_t *value)
{
    struct sotto_view whole = sotto_view_of(json_string_value(value), json_string_length(value));
    const uint8_t *space;

    if (json_is_array(value)) {
        for (size_t i = 0; i < 2; i++) {
            const json_t *side = json_array_get(value, i);

            sides[i] = sotto_view_of(json_string_value(side), json_string_length(side));
        }
        return json_array_size(value) == 2 && sides[0].at != NULL && sides[1].at != NULL;
    }
    space = whole.at == NULL ? NULL : memchr(whole.at, ' ', whole.length);
    if (space == NULL)
        return false;
    sides[0] = sotto_view_of(whole.at, (size_t)(space - whole.at));
    sides[1] = sotto_view_after(whole, sides[0].length + 1);
    return memchr(sides[1].at, ' ', sides[1].length) == NULL;
}

/* The index of a side as the vocabulary has it; its bytes are added to `joined`. */
static uint32_t side_of(const struct sotto_bpe *model, struct sotto_buffer *joined,
                        struct sotto_view side)
{
    uint8_t bytes[SOTTO_TOKEN_BYTES_MAX];
    size_t length;

    if (side.length > sizeof bytes)
        return SOTTO_TOKEN_NONE;
    if (model->is_byte_level) {
        if (!sotto_bpe_bytes_of(bytes, &length, side))
            return SOTTO_TOKEN_NONE;
        side = sotto_view_of(bytes, length);
    }
    if (sotto_buffer_add(joined, side) != SOTTO_OK)
        return SOTTO_TOKEN_NONE;
    return sotto_vocabulary_find(&model->vocabulary, side);
}

static enum sotto_status read_merge(struct sotto_bpe *model, const json_t *value, uint32_t rank,
                                    const struct sotto_part *reading)
{
    uint8_t bytes[2 * SOTTO_TOKEN_BYTES_MAX];
    struct sotto_buffer joined = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_view sides[2];
    struct sotto_bpe_merge merge = {.rank = rank};
    struct sotto_bpe_merge *slot;

    if (!sides_of(sides, value))
        return sotto_part_fault(reading, SOTTO_MALFORMED, "merge %u is no pair of tokens", rank);
    merge.left = side_of(model, &joined, sides[0]);
    merge.right = side_of(model, &joined, sides[1]);
    merge.token = sotto_vocabulary_find(&model->vocabulary, sotto_view_buffer(&joined));
    if (merge.left == SOTTO_TOKEN_NONE || merge.right == SOTTO_TOKEN_NONE ||
        merge.token == SOTTO_TOKEN_NONE)
        return sotto_part_fault(reading, SOTTO_MALFORMED,
                                "merge %u is of tokens that are not in the vocabulary", rank);
    slot = merge_of(model, merge.left, merge.right);
    *slot = merge;
    return SOTTO_OK;
}

static enum sotto_status read_merges(struct sotto_bpe *model, const struct sotto_part *reading)
{
    const json_t *list = json_object_get(reading->object, "merges");
    size_t count = json_array_size(list);
    enum sotto_status status = SOTTO_OK;

    if (!json_is_array(list) || count > SOTTO_VOCABULARY_MAX)
        return sotto_part_fault(reading, SOTTO_MALFORMED,
                                "merges must be a list of at most %d pairs", SOTTO_VOCABULARY_MAX);
    model->slot_count = 16;
    while (model->slot_count < 2 * count)
        model->slot_count *= 2;
    model->merges = malloc(model->slot_count * sizeof *model->merges);
    if (model->merges == NULL)
        return sotto_part_fault(reading, SOTTO_NO_MEMORY, "no memory for the merges");
    for (size_t i = 0; i < model->slot_count; i++)
        model->merges[i].left = SOTTO_TOKEN_NONE;
    for (size_t i = 0; i < count && status == SOTTO_OK; i++)
        status = read_merge(model, json_array_get(list, i), (uint32_t)i, reading);
    return status;
}

/* What would make other tokens of the same text and is not computed here. */
static enum sotto_status check_unsupported(const struct sotto_part *reading)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const json_t *dropout = json_object_get(reading->object, "dropout");

    if (dropout != NULL && !json_is_null(dropout) &&
        !(json_is_number(dropout) && json_number_value(dropout) == 0.0))
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED, "dropout is not supported");
    for (size_t i = 0; i < 2; i++) {
        struct sotto_view affix = {NULL, 0};
        enum sotto_status status = sotto_part_text(reading, affixes[i], &affix);

        if (status != SOTTO_OK)
            return status;
        if (affix.length > 0)
            return sotto_part_fault(reading, SOTTO_UNSUPPORTED, "%s is not supported", affixes[i]);
    }
    return SOTTO_OK;
}

static enum sotto_status read_flags(struct sotto_bpe *model, const struct sotto_part *reading)
{
    enum sotto_status status = sotto_part_flag(reading, "fuse_unk", &model->fuses_unknown);

    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "byte_fallback", &model->falls_to_bytes);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "ignore_merges", &model->ignores_merges);
    if (status == SOTTO_OK && model->falls_to_bytes && model->is_byte_level)
        status = sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                  "byte_fallback with ByteLevel is not supported");
    return status;
}

static enum sotto_status read_unknown(struct sotto_bpe *model, const struct sotto_part *reading)
{
    struct sotto_view unknown = {NULL, 0};
    enum sotto_status status = sotto_part_text(reading, "unk_token", &unknown);

    model->unknown = SOTTO_TOKEN_NONE;
    if (status != SOTTO_OK || unknown.at == NULL)
        return status;
    model->unknown = sotto_vocabulary_find(&model->vocabulary, unknown);
    if (model->unknown == SOTTO_TOKEN_NONE)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "the unk_token is not in the vocabulary");
    return SOTTO_OK;
}

static enum sotto_status read_model(struct sotto_bpe *model, const struct sotto_part *reading)
{
    enum sotto_status status = sotto_part_keys(reading, model_keys);

    if (status == SOTTO_OK)
        status = check_unsupported(reading);
    if (status == SOTTO_OK)
        status = read_flags(model, reading);
    if (status == SOTTO_OK)
        status = sotto_part_vocabulary(&model->vocabulary, reading);
    if (status == SOTTO_OK)
        status = read_unknown(model, reading);
    if (status == SOTTO_OK && model->is_byte_level)
        status = read_bytes(model, reading);
    if (status == SOTTO_OK)
        status = read_merges(model, reading);
    if (status != SOTTO_OK)
        return status;
    find_bytes(model);
    for (size_t i = 0; i < 256 && model->falls_to_bytes; i++) {
        if (model->bytes[i] == SOTTO_TOKEN_NONE)
            return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                    "byte_fallback without the token <0x%02X> is not supported",
                                    (unsigned)i);
    }
    return SOTTO_OK;
}

enum sotto_status sotto_bpe_open(struct sotto_bpe *model, bool is_byte_level,
                                 const struct sotto_part *reading)
{
    enum sotto_status status;

    *model = (struct sotto_bpe){.is_byte_level = is_byte_level};
    status = read_model(model, reading);
    if (status != SOTTO_OK)
        sotto_bpe_close(model);
    return status;
}

void sotto_bpe_close(struct sotto_bpe *model)
{
    sotto_vocabulary_close(&model->vocabulary);
    free(model->merges);
    *model = (struct sotto_bpe){0};
}

void sotto_bpe_scratch_close(struct sotto_bpe_scratch *scratch)
{
    free(scratch->symbols);
    free(scratch->heap);
    *scratch = (struct sotto_bpe_scratch){0};
}

/* Room for a word of `count` symbols: each merge takes one away and opens two chances at most. */
static bool take_room(struct sotto_bpe_scratch *scratch, size_t count)
{
    struct sotto_bpe_symbol *symbols;
    struct sotto_bpe_chance *heap;

    if (count <= scratch->symbol_capacity)
        return true;
    if (count > UINT32_MAX / 4)
        return false;
    count = 2 * count + 64;
    symbols = realloc(scratch->symbols, count * sizeof *symbols);
    if (symbols == NULL)
        return false;
    scratch->symbols = symbols;
    heap = realloc(scratch->heap, 3 * count * sizeof *heap);
    if (heap == NULL)
        return false;
    scratch->heap = heap;
    scratch->heap_capacity = 3 * count;
    scratch->symbol_capacity = count;
    return true;
}

static bool is_before(const struct sotto_bpe_chance *left, const struct sotto_bpe_chance *right)
{
    return left->rank < right->rank || (left->rank == right->rank && left->at < right->at);
}

static void push(struct sotto_bpe_scratch *scratch, struct sotto_bpe_chance chance)
{
    struct sotto_bpe_chance *heap = scratch->heap;
    size_t at = scratch->heap_count++;

    assert(scratch->heap_count <= scratch->heap_capacity);
    while (at > 0 && is_before(&chance, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = chance;
}

static struct sotto_bpe_chance pop(struct sotto_bpe_scratch *scratch)
{
    struct sotto_bpe_chance *heap = scratch->heap;
    struct sotto_bpe_chance least = heap[0];
    struct sotto_bpe_chance last = heap[--scratch->heap_count];
    size_t at = 0;

    for (size_t child = 1; child < scratch->heap_count; child = 2 * at + 1) {
        if (child + 1 < scratch->heap_count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return least;
}

/* Notes the merge of a symbol with the one after it, if there is one. */
static void consider(const struct sotto_bpe *model, struct sotto_bpe_scratch *scratch, uint32_t at)
{
    const struct sotto_bpe_symbol *symbols = scratch->symbols;
    const struct sotto_bpe_merge *merge;

    if (at == UINT32_MAX || symbols[at].after == UINT32_MAX)
        return;
    merge = merge_of(model, symbols[at].token, symbols[symbols[at].after].token);
    if (merge->left != SOTTO_TOKEN_NONE)
        push(scratch, (struct sotto_bpe_chance){merge->rank, at, merge->token});
}

/* Whether the chance is still what the two symbols there become. */
static bool is_valid(const struct sotto_bpe *model, const struct sotto_bpe_symbol *symbols,
                     const struct sotto_bpe_chance *chance)
{
    const struct sotto_bpe_symbol *left = &symbols[chance->at];
    const struct sotto_bpe_merge *merge;

    if (left->token == SOTTO_TOKEN_NONE || left->after == UINT32_MAX)
        return false;
    merge = merge_of(model, left->token, symbols[left->after].token);
    return merge->left != SOTTO_TOKEN_NONE && merge->token == chance->token;
}

static void merge_all(const struct sotto_bpe *model, struct sotto_bpe_scratch *scratch,
                      uint32_t count)
{
    struct sotto_bpe_symbol *symbols = scratch->symbols;

    scratch->heap_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        symbols[i].before = i == 0 ? UINT32_MAX : i - 1;
        symbols[i].after = i + 1 < count ? i + 1 : UINT32_MAX;
    }
    for (uint32_t i = 0; i < count; i++)
        consider(model, scratch, i);
    while (scratch->heap_count > 0) {
        struct sotto_bpe_chance chance = pop(scratch);
        struct sotto_bpe_symbol *left = &symbols[chance.at];

        if (!is_valid(model, symbols, &chance))
            continue;
        left->token = chance.token;
        symbols[left->after].token = SOTTO_TOKEN_NONE;
        left->after = symbols[left->after].after;
        if (left->after != UINT32_MAX)
            symbols[left->after].before = chance.at;
        consider(model, scratch, left->before);
        consider(model, scratch, chance.at);
    }
}

/* Adds the symbols of one character; *is_unknown: whether the last one was unknown. */
static uint32_t add_character(const struct sotto_bpe *model, struct sotto_bpe_symbol *symbols,
                              uint32_t count, struct sotto_view character, bool *is_unknown)
{
    uint32_t token = model->is_byte_level ? model->bytes[character.at[0]]
                                          : sotto_vocabulary_find(&model->vocabulary, character);
    bool was_unknown = *is_unknown;

    *is_unknown = token == SOTTO_TOKEN_NONE && !model->falls_to_bytes;
    if (token == SOTTO_TOKEN_NONE && model->falls_to_bytes) {
        for (size_t i = 0; i < character.length; i++)
            symbols[count++].token = model->bytes[character.at[i]];
        return count;
    }
    if (*is_unknown) {
        token = model->unknown;
        if (token == SOTTO_TOKEN_NONE || (was_unknown && model->fuses_unknown))
            return count;
    }
    symbols[count].token = token;
    return count + 1;
}

static uint32_t add_symbols(const struct sotto_bpe *model, struct sotto_bpe_symbol *symbols,
                            struct sotto_view word)
{
    uint32_t count = 0;
    bool is_unknown = false;

    for (size_t length; word.length > 0; word = sotto_view_after(word, length)) {
        length = 1;
        if (!model->is_byte_level)
            (void)sotto_utf8_first(word, &length);
        count = add_character(model, symbols, count, sotto_view_of(word.at, length), &is_unknown);
    }
    return count;
}

void sotto_bpe_encode(const struct sotto_bpe *model, struct sotto_tokens *tokens,
                      struct sotto_bpe_scratch *scratch, struct sotto_view word)
{
    uint32_t whole =
        model->ignores_merges ? sotto_vocabulary_find(&model->vocabulary, word) : SOTTO_TOKEN_NONE;
    uint32_t count;

    if (whole != SOTTO_TOKEN_NONE) {
        sotto_tokens_add(tokens, &whole, 1);
        return;
    }
    if (!take_room(scratch, word.length)) {
        tokens->is_short = true;
        return;
    }
    count = add_symbols(model, scratch->symbols, word);
    merge_all(model, scratch, count);
    for (uint32_t at = 0; count > 0 && at != UINT32_MAX; at = scratch->symbols[at].after)
        sotto_tokens_add(tokens, &scratch->symbols[at].token, 1);
}
