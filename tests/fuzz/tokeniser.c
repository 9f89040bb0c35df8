#include "models/tokenise/tokeniser.h"

#include <stdlib.h>
#include <string.h>

#include "models/tokenise/decoder.h"
#include "models/tokenise/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Whatever tokens come, one by one, their text is UTF-8. */
static void decode(const struct sotto_tokeniser *tokeniser)
{
    uint32_t size = sotto_tokeniser_size(tokeniser);
    struct sotto_decoder *decoder;

    if (sotto_tokeniser_open_decoder(&decoder, tokeniser, NULL) != SOTTO_OK)
        return;
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t token = i * 7919 % (size + 2);
        struct sotto_view text;

        if (sotto_decoder_run(decoder, &text, &token, 1, i % 16 == 15) != SOTTO_OK ||
            !sotto_utf8_is_valid(text))
            abort();
    }
    sotto_decoder_close(decoder);
}

/* What a tokenizer.json that is accepted makes of a text has indices below its size only. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char text[] = "<s>The  quick\r\n[MASK] \xc3\xa9\xe4\xbd\xa0'll 1234 "
                               "\xf0\x9f\x98\x80 aabbccaabb \xe2\x96\x81x </s>";
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder;
    struct sotto_encoding encoding;

    if (sotto_tokeniser_open(&tokeniser, sotto_view_of(bytes, length), "tokeniser", NULL) !=
        SOTTO_OK)
        return 0;
    if (sotto_encoder_open(&encoder, tokeniser) != SOTTO_OK)
        abort();
    if (sotto_encoder_run(encoder, &encoding, sotto_view_text(text),
                          (struct sotto_encoding_form){.is_framed = true}) == SOTTO_OK) {
        for (size_t i = 0; i < encoding.count; i++) {
            if (encoding.tokens[i] >= sotto_tokeniser_size(tokeniser))
                abort();
        }
    }
    decode(tokeniser);
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
    return 0;
}
