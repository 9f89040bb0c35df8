#include "models/tokenise/normaliser.h"

#include <string.h>

static const char *const bert_keys[] = {"type",          "clean_text", "handle_chinese_chars",
                                        "strip_accents", "lowercase",  NULL};
static const char *const bare_keys[] = {"type", NULL};
static const char *const prepend_keys[] = {"type", "prepend", NULL};
static const char *const replace_keys[] = {"type", "pattern", "content", NULL};
static const char *const pattern_keys[] = {"String", NULL};

static enum sotto_status decode_bert(struct sotto_normaliser_step *step,
                                     const struct sotto_part *reading)
{
    struct sotto_bert_rules *rules = &step->bert;
    enum sotto_status status = sotto_part_keys(reading, bert_keys);

    *rules = (struct sotto_bert_rules){true, true, true, true};
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "clean_text", &rules->cleans_text);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "handle_chinese_chars", &rules->parts_chinese);
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "lowercase", &rules->lowercases);
    rules->strips_accents = rules->lowercases;
    if (status == SOTTO_OK)
        status = sotto_part_flag(reading, "strip_accents", &rules->strips_accents);
    return status;
}

static enum sotto_status decode_string(struct sotto_normaliser_string *out, const char *key,
                                       const struct sotto_part *reading)
{
    struct sotto_view text = {NULL, 0};
    enum sotto_status status = sotto_part_text(reading, key, &text);

    if (status != SOTTO_OK)
        return status;
    if (text.length > SOTTO_NORMALISER_STRING_MAX)
        return sotto_part_fault(reading, SOTTO_OVER_LIMIT, "%s is above the limit of %d bytes", key,
                                SOTTO_NORMALISER_STRING_MAX);
    if (text.length > 0)
        memcpy(out->bytes, text.at, text.length);
    out->length = text.length;
    return SOTTO_OK;
}

static enum sotto_status decode_prepend(struct sotto_normaliser_step *step,
                                        const struct sotto_part *reading)
{
    enum sotto_status status = sotto_part_keys(reading, prepend_keys);

    if (status == SOTTO_OK)
        status = decode_string(&step->to, "prepend", reading);
    return status;
}

static enum sotto_status decode_replace(struct sotto_normaliser_step *step,
                                        const struct sotto_part *reading)
{
    struct sotto_part pattern =
        sotto_part_at(reading, json_object_get(reading->object, "pattern"), "Replace's pattern");
    enum sotto_status status = sotto_part_keys(reading, replace_keys);

    if (status == SOTTO_OK)
        status = sotto_part_keys(&pattern, pattern_keys);
    if (status == SOTTO_OK)
        status = decode_string(&step->from, "String", &pattern);
    if (status == SOTTO_OK && step->from.length == 0)
        status = sotto_part_fault(&pattern, SOTTO_MALFORMED, "String must not be empty");
    if (status == SOTTO_OK)
        status = decode_string(&step->to, "content", reading);
    return status;
}

struct form_name {
    const char *name;
    enum sotto_unicode_form form;
};

static const struct form_name form_names[] = {
    {"NFC", SOTTO_UNICODE_NFC},
    {"NFD", SOTTO_UNICODE_NFD},
    {"NFKC", SOTTO_UNICODE_NFKC},
    {"NFKD", SOTTO_UNICODE_NFKD},
};

/* A step that has nothing but its name. */
static enum sotto_status decode_bare(struct sotto_normaliser_step *step,
                                     const struct sotto_part *reading, const char *type)
{
    if (strcmp(type, "Lowercase") == 0) {
        step->kind = SOTTO_NORMALISER_LOWERCASE;
        return sotto_part_keys(reading, bare_keys);
    }
    for (size_t i = 0; i < sizeof form_names / sizeof form_names[0]; i++) {
        if (strcmp(type, form_names[i].name) == 0) {
            step->kind = SOTTO_NORMALISER_FORM;
            step->form = form_names[i].form;
            return sotto_part_keys(reading, bare_keys);
        }
    }
    return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                            "'%s' is not supported; known are: BertNormalizer, Lowercase, NFC, "
                            "NFD, NFKC, NFKD, Prepend, Replace, Sequence",
                            type);
}

static enum sotto_status decode_step(void *context, const struct sotto_part *reading)
{
    struct sotto_normaliser *normaliser = context;
    struct sotto_normaliser_step *step = &normaliser->steps[normaliser->count];
    char type[48];
    enum sotto_status status;

    sotto_part_type(reading, type);
    if (normaliser->count == SOTTO_NORMALISER_STEPS_MAX)
        return sotto_part_fault(reading, SOTTO_OVER_LIMIT, "more than %d steps",
                                SOTTO_NORMALISER_STEPS_MAX);
    *step = (struct sotto_normaliser_step){0};
    if (strcmp(type, "BertNormalizer") == 0) {
        step->kind = SOTTO_NORMALISER_BERT;
        status = decode_bert(step, reading);
    } else if (strcmp(type, "Prepend") == 0) {
        step->kind = SOTTO_NORMALISER_PREPEND;
        status = decode_prepend(step, reading);
    } else if (strcmp(type, "Replace") == 0) {
        step->kind = SOTTO_NORMALISER_REPLACE;
        status = decode_replace(step, reading);
    } else {
        status = decode_bare(step, reading, type);
    }
    normaliser->count++;
    return status;
}

enum sotto_status sotto_normaliser_decode(struct sotto_normaliser *normaliser,
                                          const struct sotto_part *reading)
{
    normaliser->count = 0;
    return sotto_part_sequence(reading, "normalizers", decode_step, normaliser);
}

/* Adds what is kept of a character without its accents. */
static void add_bert_character(const struct sotto_bert_rules *rules, struct sotto_text *out,
                               uint32_t character)
{
    if (rules->strips_accents && sotto_unicode_is_bert_accent(character))
        return;
    if (rules->lowercases)
        sotto_unicode_add_lower(out, character);
    else
        sotto_text_add_character(out, character);
}

/* Cleans, and sets ideographs apart: the first of two passes. */
static void clean(const struct sotto_bert_rules *rules, struct sotto_text *out,
                  struct sotto_view text)
{
    for (size_t length; text.length > 0; text = sotto_view_after(text, length)) {
        uint32_t character = sotto_utf8_first(text, &length);
        bool is_apart;

        if (rules->cleans_text &&
            (character == 0 || character == 0xfffd || sotto_unicode_is_bert_control(character)))
            continue;
        if (rules->cleans_text && sotto_unicode_is_space(character))
            character = ' ';
        is_apart = rules->parts_chinese && sotto_unicode_is_bert_ideograph(character);
        if (is_apart)
            sotto_text_add_character(out, ' ');
        sotto_text_add_character(out, character);
        if (is_apart)
            sotto_text_add_character(out, ' ');
    }
}

static bool is_ascii(struct sotto_view text)
{
    uint8_t all = 0;

    for (size_t i = 0; i < text.length; i++)
        all |= text.at[i];
    return all < 0x80;
}

/* All of BERT's rules at once, for texts without anything to decompose or set apart. */
static void run_bert_ascii(const struct sotto_bert_rules *rules, struct sotto_text *out,
                           struct sotto_view text)
{
    size_t kept = out->length;

    sotto_text_add(out, text);
    for (size_t i = kept; i < out->length; i++) {
        uint8_t byte = out->at[i];

        if (rules->cleans_text && (byte < ' ' || byte == 0x7f)) {
            if (byte != '\t' && byte != '\n' && byte != '\r')
                continue;
            byte = ' ';
        }
        if (rules->lowercases && byte >= 'A' && byte <= 'Z')
            byte |= 0x20;
        out->at[kept++] = byte;
    }
    out->length = kept;
}

static void run_bert(const struct sotto_bert_rules *rules, struct sotto_text *out,
                     struct sotto_view text)
{
    struct sotto_text cleaned = {0};
    struct sotto_text formed = {0};
    struct sotto_view rest;

    if (is_ascii(text)) {
        run_bert_ascii(rules, out, text);
        return;
    }
    clean(rules, &cleaned, text);
    if (rules->strips_accents)
        sotto_unicode_add_form(&formed, sotto_text_view(&cleaned), SOTTO_UNICODE_NFD);
    rest = sotto_text_view(rules->strips_accents ? &formed : &cleaned);
    for (size_t length; rest.length > 0; rest = sotto_view_after(rest, length))
        add_bert_character(rules, out, sotto_utf8_first(rest, &length));
    out->is_short = out->is_short || cleaned.is_short || formed.is_short;
    sotto_text_close(&cleaned);
    sotto_text_close(&formed);
}

static void lowercase(struct sotto_text *out, struct sotto_view text)
{
    for (size_t length; text.length > 0; text = sotto_view_after(text, length))
        sotto_unicode_add_lower(out, sotto_utf8_first(text, &length));
}

static void replace(const struct sotto_normaliser_step *step, struct sotto_text *out,
                    struct sotto_view text)
{
    struct sotto_view to = sotto_view_of(step->to.bytes, step->to.length);

    while (text.length > 0) {
        bool is_found = text.length >= step->from.length &&
                        memcmp(text.at, step->from.bytes, step->from.length) == 0;

        sotto_text_add(out, is_found ? to : sotto_view_of(text.at, 1));
        text = sotto_view_after(text, is_found ? step->from.length : 1);
    }
}

static void run_step(const struct sotto_normaliser_step *step, struct sotto_text *out,
                     struct sotto_view text)
{
    switch (step->kind) {
    case SOTTO_NORMALISER_BERT: run_bert(&step->bert, out, text); break;
    case SOTTO_NORMALISER_LOWERCASE: lowercase(out, text); break;
    case SOTTO_NORMALISER_FORM: sotto_unicode_add_form(out, text, step->form); break;
    case SOTTO_NORMALISER_PREPEND:
        if (text.length > 0)
            sotto_text_add(out, sotto_view_of(step->to.bytes, step->to.length));
        sotto_text_add(out, text);
        break;
    case SOTTO_NORMALISER_REPLACE: replace(step, out, text); break;
    }
}

void sotto_normaliser_run(const struct sotto_normaliser *normaliser, struct sotto_text *out,
                          struct sotto_text *spare, struct sotto_view text)
{
    bool is_short = false;

    sotto_text_clear(out);
    if (normaliser->count == 0)
        sotto_text_add(out, text);
    for (size_t i = 0; i < normaliser->count; i++) {
        struct sotto_text done = *out;

        sotto_text_clear(spare);
        run_step(&normaliser->steps[i], spare, i == 0 ? text : sotto_text_view(&done));
        is_short = is_short || spare->is_short;
        *out = *spare;
        *spare = done;
    }
    out->is_short = out->is_short || is_short;
}
