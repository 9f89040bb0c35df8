#include "models/tokenise/splitter.h"

#include <string.h>

#include "models/tokenise/unicode.h"

struct known_pattern {
    const char *text;
    struct sotto_splitter_step step;
};

#define LLAMA3_PATTERN(digits)                                                                     \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits                           \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static const struct known_pattern known_patterns[] = {
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
     {SOTTO_SPLITTER_GPT2, 0}},
    {LLAMA3_PATTERN("\\p{N}{1,3}"), {SOTTO_SPLITTER_LLAMA3, 3}},
    {LLAMA3_PATTERN("\\p{N}"), {SOTTO_SPLITTER_LLAMA3, 1}},
};

static const char *const bare_keys[] = {"type", NULL};
static const char *const byte_level_keys[] = {"type", "add_prefix_space", "trim_offsets",
                                              "use_regex", NULL};
static const char *const split_keys[] = {"type", "pattern", "behavior", "invert", NULL};
static const char *const pattern_keys[] = {"Regex", NULL};
static const char *const digits_keys[] = {"type", "individual_digits", NULL};
static const char *const metaspace_keys[] = {"type",           "replacement", "add_prefix_space",
                                             "prepend_scheme", "split",       NULL};

static enum sotto_status add_step(struct sotto_splitter *splitter, struct sotto_splitter_step step,
                                  const struct sotto_part *reading)
{
    if (splitter->count == SOTTO_SPLITTER_STEPS_MAX)
        return sotto_part_fault(reading, SOTTO_OVER_LIMIT, "more than %d steps",
                                SOTTO_SPLITTER_STEPS_MAX);
    splitter->steps[splitter->count++] = step;
    return SOTTO_OK;
}

static enum sotto_status decode_byte_level(struct sotto_splitter *splitter,
                                           const struct sotto_part *reading)
{
    bool uses_pattern = true;
    bool trims = true;
    enum sotto_status status = sotto_part_keys(reading, byte_level_keys);

    splitter->is_byte_level = true;
    splitter->adds_space = true;
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "add_prefix_space", &splitter->adds_space);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "use_regex", &uses_pattern);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "trim_offsets", &trims);
    if (status == SOTTO_OK && uses_pattern)
        status = add_step(splitter, known_patterns[0].step, reading);
    return status;
}

static bool is_text(struct sotto_view view, const char *text)
{
    return sotto_view_equal(view, sotto_view_text(text));
}

static enum sotto_status decode_split(struct sotto_splitter *splitter,
                                      const struct sotto_part *reading)
{
    struct sotto_part pattern = sotto_part_at(reading, json_object_get(reading->object, "pattern"),
                                              "pre_tokenizer Split's pattern");
    struct sotto_view text = {NULL, 0};
    struct sotto_view behaviour = {NULL, 0};
    bool inverts = false;
    enum sotto_status status = sotto_part_keys(reading, split_keys);

    if (status == SOTTO_OK)
        status = sotto_part_keys(&pattern, pattern_keys);
    if (status == SOTTO_OK)
        status = sotto_part_text(&pattern, "Regex", &text);
    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "behavior", &behaviour);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "invert", &inverts);
    if (status != SOTTO_OK)
        return status;
    if (inverts || !is_text(behaviour, "Isolated"))
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "Split is supported with behavior Isolated and invert false");
    for (size_t i = 0; i < sizeof known_patterns / sizeof known_patterns[0]; i++) {
        if (is_text(text, known_patterns[i].text))
            return add_step(splitter, known_patterns[i].step, reading);
    }
    return sotto_part_fault(&pattern, SOTTO_UNSUPPORTED,
                            "'%.*s' is not supported; known are those of GPT-2, Llama 3, Qwen2",
                            text.length < 80 ? (int)text.length : 80, (const char *)text.at);
}

static enum sotto_status decode_digits(struct sotto_splitter *splitter,
                                       const struct sotto_part *reading)
{
    bool is_individual = false;
    enum sotto_status status = sotto_part_keys(reading, digits_keys);

    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "individual_digits", &is_individual);
    if (status != SOTTO_OK)
        return status;
    return add_step(splitter,
                    (struct sotto_splitter_step){SOTTO_SPLITTER_DIGITS, is_individual ? 1 : 0},
                    reading);
}

enum sotto_status sotto_metaspace_decode(enum sotto_metaspace *metaspace, bool *splits,
                                         const struct sotto_part *reading)
{
    struct sotto_view replacement = sotto_view_text("\xe2\x96\x81");
    struct sotto_view scheme = sotto_view_text("always");
    bool adds_space = true;
    enum sotto_status status = sotto_part_keys(reading, metaspace_keys);

    *splits = true;
    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "replacement", &replacement);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "add_prefix_space", &adds_space);
    if (status == SOTTO_OK && !adds_space)
        scheme = sotto_view_text("never");
    if (status == SOTTO_OK)
        status = sotto_part_text(reading, "prepend_scheme", &scheme);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "split", splits);
    if (status != SOTTO_OK)
        return status;
    if (!is_text(replacement, "\xe2\x96\x81"))
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "Metaspace is supported with the replacement U+2581");
    *metaspace = is_text(scheme, "always")  ? SOTTO_METASPACE_ALWAYS
                 : is_text(scheme, "first") ? SOTTO_METASPACE_FIRST
                 : is_text(scheme, "never") ? SOTTO_METASPACE_NEVER
                                            : SOTTO_METASPACE_NONE;
    if (*metaspace == SOTTO_METASPACE_NONE)
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "Metaspace's prepend_scheme must be always, first or never");
    return SOTTO_OK;
}

static enum sotto_status decode_metaspace(struct sotto_splitter *splitter,
                                          const struct sotto_part *reading)
{
    bool splits;
    enum sotto_status status = sotto_metaspace_decode(&splitter->metaspace, &splits, reading);

    if (status != SOTTO_OK || !splits)
        return status;
    return add_step(splitter, (struct sotto_splitter_step){SOTTO_SPLITTER_METASPACE, 0}, reading);
}

static enum sotto_status decode_step(void *context, const struct sotto_part *reading)
{
    struct sotto_splitter *splitter = context;
    static const struct sotto_splitter_step bert = {SOTTO_SPLITTER_BERT, 0};
    static const struct sotto_splitter_step spaces = {SOTTO_SPLITTER_SPACES, 0};
    enum sotto_status status;
    char type[48];

    sotto_part_type(reading, type);
    if (splitter->is_byte_level || splitter->metaspace != SOTTO_METASPACE_NONE)
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "'%s' after ByteLevel or Metaspace is not supported", type);
    if (strcmp(type, "ByteLevel") == 0)
        return decode_byte_level(splitter, reading);
    if (strcmp(type, "Split") == 0)
        return decode_split(splitter, reading);
    if (strcmp(type, "Digits") == 0)
        return decode_digits(splitter, reading);
    if (strcmp(type, "Metaspace") == 0 && splitter->count == 0)
        return decode_metaspace(splitter, reading);
    if (strcmp(type, "BertPreTokenizer") != 0 && strcmp(type, "WhitespaceSplit") != 0)
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "'%s' is not supported here; known are: BertPreTokenizer, "
                                "ByteLevel, Digits, Metaspace, Sequence, Split, "
                                "WhitespaceSplit",
                                type);
    status = sotto_part_keys(reading, bare_keys);
    if (status != SOTTO_OK)
        return status;
    return add_step(splitter, type[0] == 'B' ? bert : spaces, reading);
}

enum sotto_status sotto_splitter_decode(struct sotto_splitter *splitter,
                                        const struct sotto_part *reading)
{
    *splitter = (struct sotto_splitter){0};
    return sotto_part_sequence(reading, "pretokenizers", decode_step, splitter);
}

/* Bytes at the beginning that are characters of a class, at most `count_max` of them. */
static size_t run_of(struct sotto_view text, bool (*is_of_class)(uint32_t), uint32_t count_max)
{
    struct sotto_view rest = text;
    size_t length;

    while (rest.length > 0 && count_max > 0 && is_of_class(sotto_utf8_first(rest, &length))) {
        rest = sotto_view_after(rest, length);
        count_max--;
    }
    return text.length - rest.length;
}

static bool is_none(uint32_t character)
{
    return !sotto_unicode_is_space(character) && !sotto_unicode_is_letter(character) &&
           !sotto_unicode_is_number(character);
}

static bool is_line_end(uint32_t character)
{
    return character == '\r' || character == '\n';
}

static bool is_no_number(uint32_t character)
{
    return !sotto_unicode_is_number(character);
}

static bool is_no_space(uint32_t character)
{
    return !sotto_unicode_is_space(character);
}

static bool is_bert_plain(uint32_t character)
{
    return !sotto_unicode_is_space(character) && !sotto_unicode_is_bert_punctuation(character);
}

/* As the piece of an English contraction, 's to 'll; ignoring case, U+017F is an s too. */
static size_t contraction_of(struct sotto_view text, bool ignores_case)
{
    static const char *const ends[] = {"s", "t", "re", "ve", "m", "ll", "d"};

    if (text.length < 2 || text.at[0] != '\'')
        return 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t length = strlen(ends[i]);
        bool is_same = text.length > length;

        for (size_t j = 0; j < length && is_same; j++) {
            uint8_t byte = text.at[1 + j];

            if (ignores_case && byte >= 'A' && byte <= 'Z')
                byte |= 0x20;
            is_same = byte == (uint8_t)ends[i][j];
        }
        if (is_same)
            return 1 + length;
    }
    if (ignores_case && text.length >= 3 && text.at[1] == 0xc5 && text.at[2] == 0xbf)
        return 3;
    return 0;
}

/* White space at the beginning, without its last character where something else follows. */
static size_t spaces_of(struct sotto_view text)
{
    size_t length = run_of(text, sotto_unicode_is_space, UINT32_MAX);
    size_t last;

    if (length == text.length || length == 0)
        return length;
    (void)sotto_utf8_last(sotto_view_of(text.at, length), &last);
    return length > last ? length - last : length;
}

static size_t next_gpt2(struct sotto_view part)
{
    size_t space = part.at[0] == ' ' && part.length > 1 ? 1 : 0;
    struct sotto_view rest = sotto_view_after(part, space);
    size_t length = contraction_of(part, false);

    if (length > 0)
        return length;
    length = run_of(rest, sotto_unicode_is_letter, UINT32_MAX);
    if (length == 0)
        length = run_of(rest, sotto_unicode_is_number, UINT32_MAX);
    if (length == 0)
        length = run_of(rest, is_none, UINT32_MAX);
    return length > 0 ? space + length : spaces_of(part);
}

/* White space up to its last end of a line; 0 where it has none. */
static size_t line_ends_of(struct sotto_view text)
{
    size_t length = run_of(text, sotto_unicode_is_space, UINT32_MAX);

    while (length > 0 && !is_line_end(text.at[length - 1]))
        length--;
    return length;
}

static size_t next_llama3(struct sotto_view part, uint32_t digits_max)
{
    size_t length = contraction_of(part, true);
    size_t first;
    uint32_t character = sotto_utf8_first(part, &first);
    size_t letters = run_of(part, sotto_unicode_is_letter, UINT32_MAX);

    if (length > 0 || letters > 0)
        return length > 0 ? length : letters;
    if (!is_line_end(character) && !sotto_unicode_is_number(character)) {
        letters = run_of(sotto_view_after(part, first), sotto_unicode_is_letter, UINT32_MAX);
        if (letters > 0)
            return first + letters;
    }
    length = run_of(part, sotto_unicode_is_number, digits_max);
    if (length > 0)
        return length;
    first = character == ' ' ? 1 : 0;
    length = run_of(sotto_view_after(part, first), is_none, UINT32_MAX);
    if (length > 0) {
        first += length;
        return first + run_of(sotto_view_after(part, first), is_line_end, UINT32_MAX);
    }
    length = line_ends_of(part);
    return length > 0 ? length : spaces_of(part);
}

static size_t next_digits(struct sotto_view part, uint32_t digits_max)
{
    size_t length =
        run_of(part, sotto_unicode_is_number, digits_max == 0 ? UINT32_MAX : digits_max);

    return length > 0 ? length : run_of(part, is_no_number, UINT32_MAX);
}

static size_t next_bert(struct sotto_view part, bool *is_dropped)
{
    size_t length = run_of(part, is_bert_plain, UINT32_MAX);

    if (length > 0)
        return length;
    *is_dropped = sotto_unicode_is_space(sotto_utf8_first(part, &length));
    return length;
}

static size_t next_between_spaces(struct sotto_view part, bool *is_dropped)
{
    size_t length = run_of(part, sotto_unicode_is_space, UINT32_MAX);

    *is_dropped = length > 0;
    return length > 0 ? length : run_of(part, is_no_space, UINT32_MAX);
}

/* Up to before the next U+2581. */
static size_t next_metaspace(struct sotto_view part)
{
    for (size_t i = 1; i + 3 <= part.length; i++) {
        if (memcmp(part.at + i, "\xe2\x96\x81", 3) == 0)
            return i;
    }
    return part.length;
}

size_t sotto_splitter_next(const struct sotto_splitter_step *step, struct sotto_view part,
                           bool *is_dropped)
{
    *is_dropped = false;
    switch (step->kind) {
    case SOTTO_SPLITTER_BERT: return next_bert(part, is_dropped);
    case SOTTO_SPLITTER_GPT2: return next_gpt2(part);
    case SOTTO_SPLITTER_LLAMA3: return next_llama3(part, step->digits_max);
    case SOTTO_SPLITTER_DIGITS: return next_digits(part, step->digits_max);
    case SOTTO_SPLITTER_SPACES: return next_between_spaces(part, is_dropped);
    case SOTTO_SPLITTER_METASPACE: return next_metaspace(part);
    }
    return part.length;
}
