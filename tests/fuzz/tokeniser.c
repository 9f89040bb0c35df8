#include "models/tokenise/tokeniser.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

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
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
    return 0;
}
