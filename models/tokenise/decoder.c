#include "models/tokenise/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "models/tokenise/bpe.h"
#include "models/tokenise/splitter.h"
#include "models/tokenise/text.h"

#define MARK        "\xe2\x96\x81" /* U+2581 */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *const bare_keys[] = {"type", NULL};
static const char *const bytes_keys[] = {"type", "add_prefix_space", "trim_offsets", "use_regex",
                                         NULL};
static const char *const strip_keys[] = {"type", "content", "start", "stop", NULL};

static enum sotto_status decode_bare(struct sotto_joiner *joiner, const struct sotto_part *reading)
{
    (void)joiner;
    return sotto_part_keys(reading, bare_keys);
}

static enum sotto_status decode_bytes(struct sotto_joiner *joiner, const struct sotto_part *reading)
{
    (void)joiner;
    return sotto_part_keys(reading, bytes_keys);
}

static enum sotto_status decode_replace(struct sotto_joiner *joiner,
                                        const struct sotto_part *reading)
{
    return sotto_normaliser_decode(&joiner->replaced, reading);
}

static enum sotto_status decode_metaspace(struct sotto_joiner *joiner,
                                          const struct sotto_part *reading)
{
    enum sotto_metaspace metaspace = SOTTO_METASPACE_NONE;
    bool splits;
    enum sotto_status status = sotto_metaspace_decode(&metaspace, &splits, reading);

    joiner->drops_first = metaspace != SOTTO_METASPACE_NEVER;
    return status;
}

static enum sotto_status decode_strip(struct sotto_joiner *joiner, const struct sotto_part *reading)
{
    struct sotto_view content = {NULL, 0};
    uint32_t stop = 0;
    size_t length = 0;
    enum sotto_status status = sotto_part_keys(reading, strip_keys);

    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "content", &content);
    if (status == SOTTO_OK)
        status = sotto_part_number(reading, "start", INT32_MAX, &joiner->stripped_max);
    if (status == SOTTO_OK)
        status = sotto_part_number(reading, "stop", INT32_MAX, &stop);
    if (status != SOTTO_OK)
        return status;
    if (content.length > 0)
        joiner->stripped = sotto_utf8_first(content, &length);
    if (content.length == 0 || length != content.length)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "Strip's content must be a character");
    if (stop > 0 || (joiner->step_set & 1u << SOTTO_JOINER_FUSE) == 0)
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "Strip is supported after Fuse and with stop 0");
    return SOTTO_OK;
}

struct known_step {
    const char *type;
    enum sotto_status (*decode)(struct sotto_joiner *joiner, const struct sotto_part *reading);
};

static const struct known_step known_steps[] = {
    [SOTTO_JOINER_METASPACE] = {"Metaspace", decode_metaspace},
    [SOTTO_JOINER_REPLACE] = {"Replace", decode_replace},
    [SOTTO_JOINER_FALLBACK] = {"ByteFallback", decode_bare},
    [SOTTO_JOINER_FUSE] = {"Fuse", decode_bare},
    [SOTTO_JOINER_STRIP] = {"Strip", decode_strip},
    [SOTTO_JOINER_BYTES] = {"ByteLevel", decode_bytes},
};

/* Whether a step may come after those that are there. */
static bool is_in_order(uint32_t step_set, uint32_t step)
{
    const uint32_t alone = 1u << SOTTO_JOINER_METASPACE | 1u << SOTTO_JOINER_BYTES;

    return step_set == 0 ||
           ((step_set & alone) == 0 && (1u << step & alone) == 0 && (step_set >> step) == 0);
}

static enum sotto_status decode_step(void *context, const struct sotto_part *reading)
{
    struct sotto_joiner *joiner = context;
    const uint32_t count = sizeof known_steps / sizeof known_steps[0];
    char type[48];
    uint32_t step = 0;
    enum sotto_status status;

    sotto_part_type(reading, type);
    while (step < count && strcmp(type, known_steps[step].type) != 0)
        step++;
    if (step == count)
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "'%s' is not supported; known are: ByteFallback, ByteLevel, Fuse, "
                                "Metaspace, Replace, Sequence, Strip",
                                type);
    if (!is_in_order(joiner->step_set, step))
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "'%s' is not supported there; a Sequence may have Replace, "
                                "ByteFallback, Fuse and Strip, in this order",
                                type);
    status = known_steps[step].decode(joiner, reading);
    joiner->step_set |= 1u << step;
    return status;
}

enum sotto_status sotto_joiner_decode(struct sotto_joiner *joiner, const struct sotto_part *reading)
{
    *joiner = (struct sotto_joiner){0};
    return sotto_part_sequence(reading, "decoders", decode_step, joiner);
}

/* A text on its way; all zero is the beginning of one. */
struct joining {
    struct sotto_text text; /* what can be said by now */
    struct sotto_text held; /* bytes that are no whole characters yet */
    struct sotto_text replaced;
    struct sotto_text spare;
    bool has_begun; /* a token was added */
    bool is_fed;    /* what is stripped at the beginning has gone */
    uint32_t stripped_count;
};

struct sotto_decoder {
    struct sotto_decoder_parts parts;
    uint32_t *places; /* [size] where a token's text is, as place_tokens says */
    struct joining joining;
    struct sotto_text bytes; /* of an added token */
};

static void joining_close(struct joining *joining)
{
    sotto_text_close(&joining->text);
    sotto_text_close(&joining->held);
    sotto_text_close(&joining->replaced);
    sotto_text_close(&joining->spare);
}

static bool has_step(const struct sotto_joiner *joiner, enum sotto_joiner_step step)
{
    return (joiner->step_set >> step & 1) != 0;
}

static bool begins_with(struct sotto_view text, const char *start)
{
    size_t length = strlen(start);

    return text.length >= length && memcmp(text.at, start, length) == 0;
}

/* Adds valid UTF-8 to the text, without what is stripped at its beginning. */
static void say(const struct sotto_joiner *joiner, struct joining *joining, struct sotto_view text)
{
    while (!joining->is_fed && text.length > 0) {
        size_t length;

        joining->is_fed = joining->stripped_count == joiner->stripped_max ||
                          sotto_utf8_first(text, &length) != joiner->stripped;
        if (joining->is_fed)
            break;
        joining->stripped_count++;
        text = sotto_view_after(text, length);
    }
    sotto_text_add(&joining->text, text);
}

/* Says the characters of the bytes that are held, but for one that can still become whole. */
static void say_characters(const struct sotto_joiner *joiner, struct joining *joining, bool is_last)
{
    struct sotto_view left = sotto_text_view(&joining->held);

    while (left.length > 0) {
        bool is_valid;
        size_t length = sotto_utf8_take(left, &is_valid);

        if (length == 0 && !is_last)
            break;
        say(joiner, joining,
            is_valid && length > 0 ? sotto_view_of(left.at, length) : sotto_view_text(REPLACEMENT));
        left = sotto_view_after(left, length > 0 ? length : left.length);
    }
    if (left.length > 0)
        memmove(joining->held.at, left.at, left.length);
    joining->held.length = left.length;
}

/* Says a run of bytes that is over: all of it, or U+FFFD for each, as the reference does. */
static void say_run(const struct sotto_joiner *joiner, struct joining *joining)
{
    struct sotto_view run = sotto_text_view(&joining->held);

    if (sotto_utf8_is_valid(run))
        say(joiner, joining, run);
    else
        for (size_t i = 0; i < run.length; i++)
            say(joiner, joining, sotto_view_text(REPLACEMENT));
    sotto_text_clear(&joining->held);
}

/* The value of a hexadecimal digit; 16: it is none. */
static unsigned digit_of(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : 16;
}

/* Whether a token is <0x00> to <0xFF>. */
static bool is_byte(struct sotto_view token, uint8_t *byte)
{
    unsigned high;
    unsigned low;

    if (token.length != 6 || !begins_with(token, "<0x") || token.at[5] != '>')
        return false;
    high = digit_of(token.at[3]);
    low = digit_of(token.at[4]);
    *byte = (uint8_t)(high << 4 | low);
    return high < 16 && low < 16;
}

static void add_metaspace(const struct sotto_joiner *joiner, struct joining *joining,
                          struct sotto_view token)
{
    bool drops = joiner->drops_first && !joining->has_begun;

    while (token.length > 0) {
        bool is_mark = begins_with(token, MARK);

        if (!is_mark)
            say(joiner, joining, sotto_view_of(token.at, 1));
        else if (!drops)
            say(joiner, joining, sotto_view_text(" "));
        token = sotto_view_after(token, is_mark ? sizeof MARK - 1 : 1);
    }
}

static void add_text(const struct sotto_joiner *joiner, struct joining *joining,
                     struct sotto_view token)
{
    uint8_t byte;

    if (has_step(joiner, SOTTO_JOINER_REPLACE)) {
        sotto_normaliser_run(&joiner->replaced, &joining->replaced, &joining->spare, token);
        joining->text.is_short = joining->text.is_short || joining->replaced.is_short;
        token = sotto_text_view(&joining->replaced);
    }
    if (has_step(joiner, SOTTO_JOINER_FALLBACK) && is_byte(token, &byte)) {
        sotto_text_add(&joining->held, sotto_view_of(&byte, 1));
        joining->text.is_short = joining->text.is_short || joining->held.is_short;
        return;
    }
    say_run(joiner, joining);
    if (has_step(joiner, SOTTO_JOINER_METASPACE))
        add_metaspace(joiner, joining, token);
    else
        say(joiner, joining, token);
}

/* Adds a token's text, or its bytes where the step is SOTTO_JOINER_BYTES. */
static void join(const struct sotto_joiner *joiner, struct joining *joining,
                 struct sotto_view token)
{
    if (has_step(joiner, SOTTO_JOINER_BYTES)) {
        sotto_text_add(&joining->held, token);
        joining->text.is_short = joining->text.is_short || joining->held.is_short;
        say_characters(joiner, joining, false);
    } else {
        add_text(joiner, joining, token);
    }
    joining->has_begun = true;
}

/* What is held becomes U+FFFD; the next token begins another text. */
static void end(const struct sotto_joiner *joiner, struct joining *joining)
{
    if (has_step(joiner, SOTTO_JOINER_BYTES))
        say_characters(joiner, joining, true);
    else
        say_run(joiner, joining);
    joining->has_begun = false;
    joining->is_fed = false;
    joining->stripped_count = 0;
}

/* Of a token that is added: its place among those, with this bit. */
#define IS_ADDED UINT32_C(0x80000000)

/* Each index gets the slot of its token in the vocabulary, or its place among the added ones. */
static void place_tokens(struct sotto_decoder *decoder)
{
    const struct sotto_decoder_parts *parts = &decoder->parts;

    for (uint32_t i = 0; i < parts->size; i++)
        decoder->places[i] = SOTTO_TOKEN_NONE;
    for (uint32_t i = 0; i < parts->vocabulary->slot_count; i++) {
        if (parts->vocabulary->entries[i].token != SOTTO_TOKEN_NONE)
            decoder->places[parts->vocabulary->entries[i].token] = i;
    }
    for (uint32_t i = 0; i < parts->added->count; i++)
        decoder->places[parts->added->tokens[i].token] = IS_ADDED | i;
}

enum sotto_status sotto_decoder_open(struct sotto_decoder **decoder,
                                     struct sotto_decoder_parts parts)
{
    struct sotto_decoder *opened = calloc(1, sizeof *opened);

    *decoder = NULL;
    if (opened == NULL)
        return SOTTO_NO_MEMORY;
    opened->parts = parts;
    opened->places = malloc(((size_t)parts.size + 1) * sizeof *opened->places);
    if (opened->places == NULL) {
        free(opened);
        return SOTTO_NO_MEMORY;
    }
    place_tokens(opened);
    *decoder = opened;
    return SOTTO_OK;
}

void sotto_decoder_close(struct sotto_decoder *decoder)
{
    if (decoder == NULL)
        return;
    joining_close(&decoder->joining);
    sotto_text_close(&decoder->bytes);
    free(decoder->places);
    free(decoder);
}

/* What an added token's text stands for; where that is no bytes, itself, as the reference does. */
static struct sotto_view added_text(struct sotto_decoder *decoder, struct sotto_view content)
{
    struct sotto_text *bytes = &decoder->bytes;

    sotto_text_clear(bytes);
    sotto_text_add(bytes, content);
    decoder->joining.text.is_short = decoder->joining.text.is_short || bytes->is_short;
    if (!has_step(decoder->parts.joiner, SOTTO_JOINER_BYTES) ||
        !sotto_bpe_bytes_of(bytes->at, &bytes->length, sotto_text_view(bytes)))
        return content;
    return sotto_text_view(bytes);
}

static void decode_token(struct sotto_decoder *decoder, uint32_t token)
{
    const struct sotto_decoder_parts *parts = &decoder->parts;
    uint32_t place = token < parts->size ? decoder->places[token] : SOTTO_TOKEN_NONE;
    struct sotto_view text;

    if (place == SOTTO_TOKEN_NONE)
        return;
    if ((place & IS_ADDED) != 0) {
        const struct sotto_added_token *added = &parts->added->tokens[place & ~IS_ADDED];

        if (added->is_special)
            return;
        text = added_text(decoder, sotto_added_content(parts->added, added));
    } else {
        text = sotto_view_of(parts->vocabulary->bytes + parts->vocabulary->entries[place].first,
                             parts->vocabulary->entries[place].length);
    }
    join(parts->joiner, &decoder->joining, text);
}

enum sotto_status sotto_decoder_run(struct sotto_decoder *decoder, struct sotto_view *text,
                                    const uint32_t *tokens, size_t count, bool is_last)
{
    sotto_text_clear(&decoder->joining.text);
    for (size_t i = 0; i < count; i++)
        decode_token(decoder, tokens[i]);
    if (is_last)
        end(decoder->parts.joiner, &decoder->joining);
    *text = sotto_text_view(&decoder->joining.text);
    if (!decoder->joining.text.is_short)
        return SOTTO_OK;
    *text = (struct sotto_view){NULL, 0};
    return SOTTO_NO_MEMORY;
}
