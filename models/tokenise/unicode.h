/*
 * Classes of characters, as the reference tokeniser (Hugging Face tokenizers 0.23) sees them. By
 * Unicode 15's tables of libutf8proc; what BERT's parts ask is answered by Unicode 8, as there.
 * Letters and numbers that came with Unicode 16 and later are neither here.
 */
#ifndef SOTTO_MODELS_TOKENISE_UNICODE_H
#define SOTTO_MODELS_TOKENISE_UNICODE_H

#include "models/tokenise/text.h"

bool sotto_unicode_is_space(uint32_t character);  /* White_Space */
bool sotto_unicode_is_letter(uint32_t character); /* categories L* */
bool sotto_unicode_is_number(uint32_t character); /* categories N* */
bool sotto_unicode_is_word(
    uint32_t character); /* UTS 18's \w: alphabetic, mark, digit, connector */

/* BERT's classes. */
bool sotto_unicode_is_bert_control(uint32_t character);     /* Cc, Cf, Co; not tab, LF, CR */
bool sotto_unicode_is_bert_punctuation(uint32_t character); /* ASCII's and categories P* */
bool sotto_unicode_is_bert_accent(uint32_t character);      /* category Mn */
bool sotto_unicode_is_bert_ideograph(uint32_t character);   /* the CJK blocks that BERT knows */

/* Adds the character in lower case, without a context: U+0130 becomes two characters. */
void sotto_unicode_add_lower(struct sotto_text *text, uint32_t character);

enum sotto_unicode_form {
    SOTTO_UNICODE_NFC,
    SOTTO_UNICODE_NFD,
    SOTTO_UNICODE_NFKC,
    SOTTO_UNICODE_NFKD,
};

/* Adds valid UTF-8 in a normal form (Unicode annex 15). A lack of memory is in text->is_short. */
void sotto_unicode_add_form(struct sotto_text *text, struct sotto_view added,
                            enum sotto_unicode_form form);

#endif
