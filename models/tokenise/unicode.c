#include "models/tokenise/unicode.h"

#include <stdlib.h>
#include <utf8proc.h>

struct span {
    uint32_t first;
    uint32_t last;
};

/*
 * Where an answer by Unicode 15 differs from one by Unicode 8: characters that came later, and a
 * few that changed their category.
 */
static const struct span punctuation_differs[] = {
    {0x61d, 0x61d},     {0x9fd, 0x9fd},     {0xa76, 0xa76},     {0xc77, 0xc77},
    {0xc84, 0xc84},     {0x166d, 0x166d},   {0x1b7d, 0x1b7e},   {0x2e43, 0x2e4f},
    {0x2e52, 0x2e5d},   {0x10ead, 0x10ead}, {0x10f55, 0x10f59}, {0x10f86, 0x10f89},
    {0x111c9, 0x111c9}, {0x1144b, 0x1144f}, {0x1145a, 0x1145b}, {0x1145d, 0x1145d},
    {0x11660, 0x1166c}, {0x116b9, 0x116b9}, {0x1183b, 0x1183b}, {0x11944, 0x11946},
    {0x119e2, 0x119e2}, {0x11a3f, 0x11a46}, {0x11a9a, 0x11a9c}, {0x11a9e, 0x11aa2},
    {0x11b00, 0x11b09}, {0x11c41, 0x11c45}, {0x11c70, 0x11c71}, {0x11ef7, 0x11ef8},
    {0x11f43, 0x11f4f}, {0x11fff, 0x11fff}, {0x12ff1, 0x12ff2}, {0x16e97, 0x16e9a},
    {0x16fe2, 0x16fe2}, {0x1e95e, 0x1e95f},
};
static const struct span marks_differ[] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8e1},     {0x9fe, 0x9fe},
    {0xafa, 0xaff},     {0xb55, 0xb55},     {0xc04, 0xc04},     {0xc3c, 0xc3c},
    {0xd00, 0xd00},     {0xd3b, 0xd3c},     {0xd81, 0xd81},     {0xeba, 0xeba},
    {0xece, 0xece},     {0x1734, 0x1734},   {0x180f, 0x180f},   {0x1885, 0x1886},
    {0x1abf, 0x1ace},   {0x1df6, 0x1dfb},   {0xa82c, 0xa82c},   {0xa8c5, 0xa8c5},
    {0xa8ff, 0xa8ff},   {0xa9bd, 0xa9bd},   {0x10d24, 0x10d27}, {0x10eab, 0x10eac},
    {0x10efd, 0x10eff}, {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070},
    {0x11073, 0x11074}, {0x110c2, 0x110c2}, {0x111c9, 0x111c9}, {0x111cf, 0x111cf},
    {0x1123e, 0x1123e}, {0x11241, 0x11241}, {0x1133b, 0x1133b}, {0x11438, 0x1143f},
    {0x11442, 0x11444}, {0x11446, 0x11446}, {0x1145e, 0x1145e}, {0x1182f, 0x11837},
    {0x11839, 0x1183a}, {0x1193b, 0x1193c}, {0x1193e, 0x1193e}, {0x11943, 0x11943},
    {0x119d4, 0x119d7}, {0x119da, 0x119db}, {0x119e0, 0x119e0}, {0x11a01, 0x11a0a},
    {0x11a33, 0x11a38}, {0x11a3b, 0x11a3e}, {0x11a47, 0x11a47}, {0x11a51, 0x11a56},
    {0x11a59, 0x11a5b}, {0x11a8a, 0x11a96}, {0x11a98, 0x11a99}, {0x11c30, 0x11c36},
    {0x11c38, 0x11c3d}, {0x11c3f, 0x11c3f}, {0x11c92, 0x11ca7}, {0x11caa, 0x11cb0},
    {0x11cb2, 0x11cb3}, {0x11cb5, 0x11cb6}, {0x11d31, 0x11d36}, {0x11d3a, 0x11d3a},
    {0x11d3c, 0x11d3d}, {0x11d3f, 0x11d45}, {0x11d47, 0x11d47}, {0x11d90, 0x11d91},
    {0x11d95, 0x11d95}, {0x11d97, 0x11d97}, {0x11ef3, 0x11ef4}, {0x11f00, 0x11f01},
    {0x11f36, 0x11f3a}, {0x11f40, 0x11f40}, {0x11f42, 0x11f42}, {0x13440, 0x13440},
    {0x13447, 0x13455}, {0x16f4f, 0x16f4f}, {0x16fe4, 0x16fe4}, {0x1cf00, 0x1cf2d},
    {0x1cf30, 0x1cf46}, {0x1e000, 0x1e006}, {0x1e008, 0x1e018}, {0x1e01b, 0x1e021},
    {0x1e023, 0x1e024}, {0x1e026, 0x1e02a}, {0x1e08f, 0x1e08f}, {0x1e130, 0x1e136},
    {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef}, {0x1e944, 0x1e94a},
};
static const struct span controls_differ[] = {
    {0x890, 0x891},
    {0x8e2, 0x8e2},
    {0x110cd, 0x110cd},
    {0x13430, 0x1343f},
};

/* The blocks of ideographs that BERT's normaliser sets apart. */
static const struct span ideographs[] = {
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},   {0x20000, 0x2a6df},
    {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f},
};

static const struct span spaces[] = {
    {0x9, 0xd},       {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
    {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* Alphabetic by Other_Alphabetic alone: letters in circles and squares. */
static const struct span enclosed_letters[] = {
    {0x24b6, 0x24e9},
    {0x1f130, 0x1f149},
    {0x1f150, 0x1f169},
    {0x1f170, 0x1f189},
};

static bool holds(const struct span *spans, size_t count, uint32_t character)
{
    while (count > 0) {
        size_t middle = count / 2;

        if (character < spans[middle].first) {
            count = middle;
        } else if (character > spans[middle].last) {
            spans += middle + 1;
            count -= middle + 1;
        } else {
            return true;
        }
    }
    return false;
}

#define HOLDS(spans, character) holds(spans, sizeof(spans) / sizeof(spans)[0], character)

static utf8proc_category_t category_of(uint32_t character)
{
    return utf8proc_category((utf8proc_int32_t)character);
}

static bool is_between(uint32_t character, uint32_t first, uint32_t last)
{
    return character >= first && character <= last;
}

bool sotto_unicode_is_space(uint32_t character)
{
    if (character < 0x80)
        return character == ' ' || is_between(character, '\t', '\r');
    return HOLDS(spaces, character);
}

bool sotto_unicode_is_letter(uint32_t character)
{
    if (character < 0x80)
        return is_between(character | 0x20, 'a', 'z');
    return is_between(category_of(character), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO);
}

bool sotto_unicode_is_number(uint32_t character)
{
    if (character < 0x80)
        return is_between(character, '0', '9');
    return is_between(category_of(character), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO);
}

bool sotto_unicode_is_word(uint32_t character)
{
    utf8proc_category_t category = category_of(character);

    return is_between(category, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_NL) ||
           category == UTF8PROC_CATEGORY_PC || is_between(character, 0x200c, 0x200d) ||
           HOLDS(enclosed_letters, character);
}

bool sotto_unicode_is_bert_control(uint32_t character)
{
    utf8proc_category_t category = category_of(character);
    bool is_other = category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
                    category == UTF8PROC_CATEGORY_CO;

    if (character == '\t' || character == '\n' || character == '\r')
        return false;
    return is_other != HOLDS(controls_differ, character);
}

bool sotto_unicode_is_bert_punctuation(uint32_t character)
{
    if (character < 0x80)
        return is_between(character, 0x21, 0x7e) && !is_between(character, '0', '9') &&
               !is_between(character | 0x20, 'a', 'z');
    return is_between(category_of(character), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO) !=
           HOLDS(punctuation_differs, character);
}

bool sotto_unicode_is_bert_accent(uint32_t character)
{
    return (category_of(character) == UTF8PROC_CATEGORY_MN) != HOLDS(marks_differ, character);
}

bool sotto_unicode_is_bert_ideograph(uint32_t character)
{
    return HOLDS(ideographs, character);
}

void sotto_unicode_add_lower(struct sotto_text *text, uint32_t character)
{
    if (character == 0x130) {
        sotto_text_add_character(text, 'i');
        sotto_text_add_character(text, 0x307);
        return;
    }
    sotto_text_add_character(text, (uint32_t)utf8proc_tolower((utf8proc_int32_t)character));
}

void sotto_unicode_add_form(struct sotto_text *text, struct sotto_view added,
                            enum sotto_unicode_form form)
{
    static const int options[] = {
        [SOTTO_UNICODE_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
        [SOTTO_UNICODE_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
        [SOTTO_UNICODE_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
        [SOTTO_UNICODE_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
    };
    utf8proc_uint8_t *formed = NULL;
    utf8proc_ssize_t length;

    if (added.length == 0)
        return;
    length = utf8proc_map(added.at, (utf8proc_ssize_t)added.length, &formed,
                          (utf8proc_option_t)options[form]);
    if (length < 0) {
        text->is_short = true;
        return;
    }
    sotto_text_add(text, sotto_view_of(formed, (size_t)length));
    free(formed);
}
