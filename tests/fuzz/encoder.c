#include "models/tokenise/tokeniser.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define TOKEN(id, text, flags)                                                                     \
    "{\"id\":" #id ",\"content\":\"" text "\",\"special\":true," flags "}"
#define FLAGS(word, left, right)                                                                   \
    "\"normalized\":false,\"single_word\":" #word ",\"lstrip\":" #left ",\"rstrip\":" #right

/* One tokeniser for each model and each way of splitting. */
static const char *const files[] = {
    "{\"added_tokens\":[" TOKEN(5, "[M]", FLAGS(false, true, true)) "," TOKEN(
        6, "an", FLAGS(true, false, false)) ",{\"id\":7,\"content\":\"Le\",\"normalized\":true}],"
                                            "\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_"
                                            "tokenizer\":{\"type\":\"BertPreTokenizer\"},"
                                            "\"model\":{\"type\":\"WordPiece\",\"max_input_chars_"
                                            "per_word\":9,\"vocab\":{\"[UNK]\":0,"
                                            "\"a\":1,\"##a\":2,\"##ab\":3,\"e\":4}}}",
    "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\","
    "\"individual_digits\":true},{\"type\":\"ByteLevel\",\"add_prefix_space\":true}]},"
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3,\"aa\":4},"
    "\"merges\":[\"a b\",\"a a\",\"ab a\"]}}",
    "{\"normalizer\":{\"type\":\"NFKC\"},\"pre_tokenizer\":{\"type\":\"Sequence\","
    "\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
    "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|"
    "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},\"behavior\":\"Isolated\",\"invert\":false},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]},"
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\",\"b\"]]}}",
    "{\"normalizer\":{\"type\":\"NFD\"},\"pre_tokenizer\":{\"type\":\"Metaspace\"},"
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"fuse_unk\":true,\"vocab\":{\"a\":0,\"b\":1,"
    "\"ab\":2,\"u\":3},\"merges\":[\"a b\"]}}",
};

/* The first byte chooses a tokeniser and a length, the rest is text. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t chosen = length == 0 ? 0 : bytes[0] % (sizeof files / sizeof files[0]);
    size_t length_max = length == 0 ? 0 : bytes[0] / 16;
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder;
    struct sotto_encoding encoding;
    enum sotto_status status;

    if (length == 0)
        return 0;
    if (sotto_tokeniser_open(&tokeniser, sotto_view_text(files[chosen]), "files", NULL) !=
            SOTTO_OK ||
        sotto_encoder_open(&encoder, tokeniser) != SOTTO_OK)
        abort();
    status = sotto_encoder_run(encoder, &encoding, sotto_view_of(bytes + 1, length - 1),
                               (struct sotto_encoding_form){.length_max = length_max});
    if (status != SOTTO_OK && status != SOTTO_MALFORMED)
        abort();
    if (length_max > 0 && encoding.count > length_max)
        abort();
    for (size_t i = 0; i < encoding.count; i++) {
        if (encoding.tokens[i] >= sotto_tokeniser_size(tokeniser))
            abort();
    }
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
    return 0;
}
