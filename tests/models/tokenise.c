#include "models/tokenise/tokeniser.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "models/tokenise/decoder.h"
#include "models/tokenise/text.h"

/* tests/vectors/make_tokenise.py says what is special about each. */
static const char *const vector_names[] = {
    "bert-uncased", "bert-cased", "bert-accents", "bert-umlauts", "bert-cut",
    "bert-added",   "gpt2",       "roberta",      "smollm",       "llama3",
    "qwen2",        "llama2",     "mistral",      "metaspace",    "unknown",
};

/* Those whose tokens become text. */
static const char *const decodable_names[] = {"gpt2",  "roberta", "smollm",  "llama3",
                                              "qwen2", "llama2",  "mistral", "metaspace"};

static const struct sotto_encoding_form framed = {.is_framed = true};

static struct sotto_tokeniser *open_vector(const char *name)
{
    struct sotto_tokeniser *tokeniser;
    struct sotto_fault fault = {0};
    uint8_t *bytes;
    size_t length;
    char path[128];

    snprintf(path, sizeof path, "tests/vectors/tokenise/%s.json", name);
    assert_int_equal(sotto_file_read(&bytes, &length, path, SOTTO_TOKENISER_BYTES_MAX, NULL),
                     SOTTO_OK);
    if (sotto_tokeniser_open(&tokeniser, sotto_view_of(bytes, length), path, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    free(bytes);
    return tokeniser;
}

/* Whether a list of indices is the encoding. */
static bool is_same(const struct sotto_encoding *encoding, const json_t *expected)
{
    if (encoding->count != json_array_size(expected))
        return false;
    for (size_t i = 0; i < encoding->count; i++) {
        if (json_integer_value(json_array_get(expected, i)) != encoding->tokens[i])
            return false;
    }
    return true;
}

static void check_vector(const char *name)
{
    struct sotto_tokeniser *tokeniser = open_vector(name);
    struct sotto_encoder *encoder;
    struct sotto_encoding encoding;
    char path[128];
    json_t *pairs;

    snprintf(path, sizeof path, "tests/vectors/tokenise/%s.ids", name);
    pairs = json_load_file(path, JSON_ALLOW_NUL, NULL);
    assert_true(json_array_size(pairs) > 30);
    assert_int_equal(sotto_encoder_open(&encoder, tokeniser), SOTTO_OK);
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *text = json_array_get(json_array_get(pairs, i), 0);
        struct sotto_view view = sotto_view_of(json_string_value(text), json_string_length(text));

        assert_int_equal(sotto_encoder_run(encoder, &encoding, view, framed), SOTTO_OK);
        if (!is_same(&encoding, json_array_get(json_array_get(pairs, i), 1)))
            fail_msg("%s: other indices for text %zu, '%s'", name, i, json_string_value(text));
        for (size_t j = 0; j < encoding.count; j++)
            assert_true(encoding.tokens[j] < sotto_tokeniser_size(tokeniser));
    }
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
    json_decref(pairs);
}

static void tokeniser__nasty_texts__give_the_indices_of_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vector_names / sizeof vector_names[0]; i++)
        check_vector(vector_names[i]);
}

struct refusal {
    const char *json;
    enum sotto_status status;
    const char *named; /* in the fault */
};

#define WORDS "\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"a\":1}}"
#define PAIRS "\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"ab c\":3},\"merges\":"

static const struct refusal refusals[] = {
    {"{", SOTTO_MALFORMED, "line 1"},
    {"[]", SOTTO_MALFORMED, "not a JSON object"},
    {"{}", SOTTO_UNSUPPORTED, "model: ''"},
    {"{" WORDS ",\"spell\":1}", SOTTO_UNSUPPORTED, "'spell'"},
    {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", SOTTO_UNSUPPORTED, "'Unigram'"},
    {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", SOTTO_MALFORMED, "vocab"},
    {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":-1}}}", SOTTO_MALFORMED, "'a'"},
    {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", SOTTO_MALFORMED, "unk_token"},
    {"{\"model\":{" PAIRS "[\"ac\"]}}", SOTTO_MALFORMED, "merge 0"},
    {"{\"model\":{" PAIRS "[[\"a\",\"b\"],[\"ab\",\"c\"]]}}", SOTTO_MALFORMED, "merge 1"},
    {"{\"model\":{" PAIRS "[],\"dropout\":0.1}}", SOTTO_UNSUPPORTED, "dropout"},
    {"{\"model\":{" PAIRS "[],\"end_of_word_suffix\":\"</w>\"}}", SOTTO_UNSUPPORTED, "end_of_word"},
    {"{\"model\":{" PAIRS "[],\"byte_fallback\":true}}", SOTTO_UNSUPPORTED, "<0x00>"},
    {"{" WORDS ",\"normalizer\":{\"type\":\"Nmt\"}}", SOTTO_UNSUPPORTED, "normalizer: 'Nmt'"},
    {"{" WORDS ",\"normalizer\":{\"type\":\"NFC\",\"x\":1}}", SOTTO_UNSUPPORTED, "'x'"},
    {"{" WORDS ",\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}}", SOTTO_UNSUPPORTED, "Scripts"},
    {"{" WORDS ",\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+$\"},"
     "\"behavior\":\"Isolated\",\"invert\":false}}",
     SOTTO_UNSUPPORTED, "(a+)+$"},
    {"{" WORDS ",\"post_processor\":{\"type\":\"Mystery\"}}", SOTTO_UNSUPPORTED, "'Mystery'"},
    {"{" WORDS ",\"post_processor\":{\"type\":\"Sequence\",\"processors\":{}}}", SOTTO_MALFORMED,
     "post_processor: processors must be a list"},
    {"{" WORDS ",\"normalizer\":{\"type\":\"Sequence\"}}", SOTTO_MALFORMED,
     "normalizer: normalizers must be a list"},
    {"{" WORDS ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[],\"x\":1}}",
     SOTTO_UNSUPPORTED, "'x'"},
    {"{" WORDS ",\"truncation\":{\"max_length\":9,\"direction\":\"Left\"}}", SOTTO_UNSUPPORTED,
     "truncation"},
    {"{" WORDS ",\"truncation\":{\"max_length\":0}}", SOTTO_OVER_LIMIT,
     "truncation: max_length 0 leaves no token of a text beside the 0"},
    {"{" WORDS ",\"truncation\":{\"max_length\":2},\"post_processor\":{\"type\":"
     "\"BertProcessing\",\"sep\":[\"b\",1],\"cls\":[\"a\",0]}}",
     SOTTO_OVER_LIMIT, "truncation: max_length 2 leaves no token of a text beside the 2"},
    {"{" WORDS ",\"added_tokens\":[{\"content\":\"x\"}]}", SOTTO_MALFORMED, "without id"},
    {"{" WORDS ",\"added_tokens\":[{\"id\":2,\"content\":\"x\",\"colour\":0}]}", SOTTO_UNSUPPORTED,
     "'colour'"},
};

static void tokeniser__unsupported_part__is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct sotto_tokeniser *tokeniser;
        struct sotto_fault fault = {0};

        assert_int_equal(sotto_tokeniser_open(&tokeniser, sotto_view_text(refusals[i].json),
                                              "tokenizer.json", &fault),
                         refusals[i].status);
        assert_null(tokeniser);
        if (strstr(fault.text, refusals[i].named) == NULL)
            fail_msg("'%s' does not name %s", fault.text, refusals[i].named);
        assert_non_null(strstr(fault.text, "tokenizer.json"));
    }
}

/* An encoder of a vector; close_encoder closes both. */
static struct sotto_encoder *open_encoder(const char *name, struct sotto_tokeniser **tokeniser)
{
    struct sotto_encoder *encoder;

    *tokeniser = open_vector(name);
    assert_int_equal(sotto_encoder_open(&encoder, *tokeniser), SOTTO_OK);
    return encoder;
}

static void close_encoder(struct sotto_encoder *encoder, struct sotto_tokeniser *tokeniser)
{
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
}

static void encoder__invalid_utf8__is_malformed(void **state)
{
    static const char *const wrong[] = {
        "\xff", "a\xc3",        "\xc0\xaf",    "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\x80", "\xe0\x80\xaf", "\xf0\x9f\x98"};
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder = open_encoder("gpt2", &tokeniser);
    struct sotto_encoding encoding;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text(wrong[i]), framed),
                         SOTTO_MALFORMED);
        assert_int_equal(encoding.count, 0);
    }
    close_encoder(encoder, tokeniser);
}

static void encoder__long_text__is_cut_inside_the_frame(void **state)
{
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder = open_encoder("bert-uncased", &tokeniser);
    struct sotto_encoding_form form = {.length_max = 6, .is_framed = true};
    struct sotto_encoding encoding;

    (void)state;
    assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text("a a a a"), form),
                     SOTTO_OK);
    assert_false(encoding.is_cut);
    assert_int_equal(encoding.count, 6);
    assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text("a a a a a"), form),
                     SOTTO_OK);
    assert_true(encoding.is_cut);
    assert_int_equal(encoding.count, 6);
    assert_int_equal(encoding.tokens[0], 2);
    assert_int_equal(encoding.tokens[5], 3);
    form.length_max = 2;
    assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text("a"), form),
                     SOTTO_OVER_LIMIT);
    close_encoder(encoder, tokeniser);
}

static void encoder__truncation_of_the_file__holds_below_the_callers(void **state)
{
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder = open_encoder("bert-cut", &tokeniser);
    struct sotto_encoding_form form = {.length_max = 100, .is_framed = true};
    struct sotto_view text = sotto_view_text("a a a a a a a a a a a a a a a a");
    struct sotto_encoding encoding;

    (void)state;
    assert_int_equal(sotto_encoder_run(encoder, &encoding, text, form), SOTTO_OK);
    assert_int_equal(encoding.count, 12);
    form.length_max = 5;
    assert_int_equal(sotto_encoder_run(encoder, &encoding, text, form), SOTTO_OK);
    assert_int_equal(encoding.count, 5);
    close_encoder(encoder, tokeniser);
}

static void encoder__without_frame__gives_the_text_alone(void **state)
{
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder = open_encoder("bert-uncased", &tokeniser);
    struct sotto_encoding encoding;

    (void)state;
    assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text("[MASK]"),
                                       (struct sotto_encoding_form){.is_framed = false}),
                     SOTTO_OK);
    assert_int_equal(encoding.count, 1);
    assert_int_equal(encoding.tokens[0], 4);
    assert_int_equal(sotto_tokeniser_find(tokeniser, sotto_view_text("[MASK]")), 4);
    assert_int_equal(sotto_tokeniser_find(tokeniser, sotto_view_text("[NONE]")), SOTTO_TOKEN_NONE);
    close_encoder(encoder, tokeniser);
}

/* One word of a million letters: merging it letter by letter would take an hour. */
static void encoder__endless_word__is_not_quadratic(void **state)
{
    enum { LETTERS = 1000000 };
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder = open_encoder("llama2", &tokeniser);
    struct sotto_encoding_form form = {.length_max = SOTTO_TEXT_BYTES_MAX};
    struct sotto_encoding encoding;
    char *word = malloc(LETTERS);

    (void)state;
    assert_non_null(word);
    for (size_t i = 0; i < LETTERS; i++)
        word[i] = "the quick"[i % 9];
    assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_of(word, LETTERS), form),
                     SOTTO_OK);
    assert_true(encoding.count > LETTERS / 9);
    free(word);
    close_encoder(encoder, tokeniser);
}

/* Adds the text of the tokens to `out`, a few at a time; returns its new length. */
static size_t decode_in_steps(struct sotto_decoder *decoder, uint8_t *out, const uint32_t *tokens,
                              size_t count, size_t step)
{
    size_t length = 0;

    for (size_t first = 0; first <= count; first += step) {
        size_t left = count - first;
        bool is_last = left < step;
        struct sotto_view text;

        assert_int_equal(
            sotto_decoder_run(decoder, &text, tokens + first, is_last ? left : step, is_last),
            SOTTO_OK);
        assert_true(sotto_utf8_is_valid(text));
        if (text.length > 0)
            memcpy(out + length, text.at, text.length);
        length += text.length;
    }
    return length;
}

static void check_texts(const char *name)
{
    struct sotto_tokeniser *tokeniser = open_vector(name);
    struct sotto_decoder *decoder;
    uint32_t tokens[256];
    uint8_t text[4096];
    char path[128];
    json_t *pairs;

    snprintf(path, sizeof path, "tests/vectors/tokenise/%s.texts", name);
    pairs = json_load_file(path, JSON_ALLOW_NUL, NULL);
    assert_true(json_array_size(pairs) > 60);
    assert_int_equal(sotto_tokeniser_open_decoder(&decoder, tokeniser, NULL), SOTTO_OK);
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *list = json_array_get(json_array_get(pairs, i), 0);
        const json_t *expected = json_array_get(json_array_get(pairs, i), 1);
        size_t count = json_array_size(list);

        for (size_t j = 0; j < count; j++)
            tokens[j] = (uint32_t)json_integer_value(json_array_get(list, j));
        for (size_t all = 0; all < 2; all++) {
            size_t length = decode_in_steps(decoder, text, tokens, count, all == 1 ? count + 1 : 1);

            if (length != json_string_length(expected) ||
                memcmp(text, json_string_value(expected), length) != 0)
                fail_msg("%s: other text for list %zu, '%.*s'", name, i, (int)length,
                         (const char *)text);
        }
    }
    sotto_decoder_close(decoder);
    sotto_tokeniser_close(tokeniser);
    json_decref(pairs);
}

/* At once and token by token: of nasty texts, and of lists that no text has. */
static void decoder__indices__give_the_text_of_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decodable_names / sizeof decodable_names[0]; i++)
        check_texts(decodable_names[i]);
}

static void decoder__encoded_text__comes_back(void **state)
{
    static const char text[] = "It's 12345 na\xc3\xafve caf\xc3\xa8s,\n\n\t\xe4\xbd\xa0 "
                               "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9  end ";

    (void)state;
    for (size_t i = 0; i < sizeof decodable_names / sizeof decodable_names[0]; i++) {
        struct sotto_tokeniser *tokeniser;
        struct sotto_encoder *encoder = open_encoder(decodable_names[i], &tokeniser);
        bool has_space = strcmp(decodable_names[i], "roberta") == 0 ||
                         strcmp(decodable_names[i], "mistral") == 0;
        struct sotto_encoding encoding;
        struct sotto_decoder *decoder;
        struct sotto_view back;

        assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text(text), framed),
                         SOTTO_OK);
        assert_int_equal(sotto_tokeniser_open_decoder(&decoder, tokeniser, NULL), SOTTO_OK);
        assert_int_equal(sotto_decoder_run(decoder, &back, encoding.tokens, encoding.count, true),
                         SOTTO_OK);
        if (strcmp(decodable_names[i], "metaspace") != 0)
            assert_true(
                sotto_view_equal(sotto_view_after(back, has_space ? 1 : 0), sotto_view_text(text)));
        sotto_decoder_close(decoder);
        close_encoder(encoder, tokeniser);
    }
}

#define DECODED(decoder) "{\"model\":{" PAIRS "[]},\"decoder\":" decoder "}"

static const struct refusal silent[] = {
    {"{" WORDS ",\"decoder\":{\"type\":\"WordPiece\"}}", SOTTO_UNSUPPORTED, "'WordPiece'"},
    {"{" WORDS ",\"decoder\":{\"type\":\"Fuse\"}}", SOTTO_UNSUPPORTED, "there is none"},
    {DECODED("null"), SOTTO_UNSUPPORTED, "decoder: there is none"},
    {DECODED("{\"type\":\"ByteLevel\"}"), SOTTO_UNSUPPORTED, "pre_tokenizer"},
    {"{\"model\":{" PAIRS
     "[]},\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
     "\"decoder\":{\"type\":\"Fuse\"}}",
     SOTTO_UNSUPPORTED, "where pre_tokenizer has it, and only there"},
    {DECODED("{\"type\":\"Fuse\",\"x\":1}"), SOTTO_UNSUPPORTED, "'x'"},
    {DECODED("{\"type\":\"Sequence\",\"decoders\":3}"), SOTTO_MALFORMED, "decoders must be a"},
    {DECODED("{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":"
             "\"ByteFallback\"}]}"),
     SOTTO_UNSUPPORTED, "'ByteFallback' is not supported there"},
    {DECODED("{\"type\":\"Strip\",\"content\":\" \",\"start\":1}"), SOTTO_UNSUPPORTED,
     "after Fuse"},
    {DECODED("{\"type\":\"Metaspace\",\"replacement\":\"_\"}"), SOTTO_UNSUPPORTED, "U+2581"},
    {DECODED("{\"type\":\"Metaspace\",\"prepend_scheme\":\"last\"}"), SOTTO_UNSUPPORTED,
     "decoder: Metaspace's prepend_scheme"},
    {DECODED("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"},\"content\":\"\"}"),
     SOTTO_UNSUPPORTED, "'Regex'"},
};

/* The file still encodes. */
static void decoder__unsupported_part__is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        struct sotto_tokeniser *tokeniser;
        struct sotto_decoder *decoder;
        struct sotto_fault fault = {0};

        assert_int_equal(sotto_tokeniser_open(&tokeniser, sotto_view_text(silent[i].json),
                                              "tokenizer.json", &fault),
                         SOTTO_OK);
        assert_int_equal(sotto_tokeniser_open_decoder(&decoder, tokeniser, &fault),
                         silent[i].status);
        assert_null(decoder);
        if (strstr(fault.text, silent[i].named) == NULL)
            fail_msg("'%s' does not name %s", fault.text, silent[i].named);
        assert_non_null(strstr(fault.text, "tokenizer.json: "));
        sotto_tokeniser_close(tokeniser);
    }
}

/* Whatever two bytes begin with; the rest goes on as a character may. */
static void utf8__any_beginning__is_taken_as_far_as_it_is_a_character(void **state)
{
    (void)state;
    for (unsigned start = 0; start < 0x10000; start++) {
        const uint8_t bytes[] = {(uint8_t)(start >> 8), (uint8_t)start, 0x80, 0x80};
        size_t whole = 1;
        bool is_valid;
        size_t length = sotto_utf8_take(sotto_view_of(bytes, 4), &is_valid);

        while (whole <= 4 && !sotto_utf8_is_valid(sotto_view_of(bytes, whole)))
            whole++;
        assert_in_range(length, 1, 4);
        assert_int_equal(is_valid, whole <= 4);
        if (!is_valid)
            continue;
        assert_int_equal(length, whole);
        for (size_t cut = 1; cut < length; cut++)
            assert_int_equal(sotto_utf8_take(sotto_view_of(bytes, cut), &is_valid), 0);
    }
}

/* Digits of either case; what is no byte is a text. */
static void decoder__bytes_of_a_fallback__are_of_either_case(void **state)
{
    static const char json[] =
        "{\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{\"<0xc3>\":0,\"<0xA9>\":1,"
        "\"<0xg0>\":2}},\"decoder\":{\"type\":\"ByteFallback\"}}";
    static const uint32_t tokens[] = {0, 1, 2};
    struct sotto_tokeniser *tokeniser;
    struct sotto_decoder *decoder;
    struct sotto_view text;

    (void)state;
    assert_int_equal(sotto_tokeniser_open(&tokeniser, sotto_view_text(json), "t.json", NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_tokeniser_open_decoder(&decoder, tokeniser, NULL), SOTTO_OK);
    assert_int_equal(sotto_decoder_run(decoder, &text, tokens, 3, true), SOTTO_OK);
    assert_true(sotto_view_equal(text, sotto_view_text("\xc3\xa9<0xg0>")));
    sotto_decoder_close(decoder);
    sotto_tokeniser_close(tokeniser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8__any_beginning__is_taken_as_far_as_it_is_a_character),
        cmocka_unit_test(decoder__indices__give_the_text_of_the_reference),
        cmocka_unit_test(decoder__encoded_text__comes_back),
        cmocka_unit_test(decoder__bytes_of_a_fallback__are_of_either_case),
        cmocka_unit_test(decoder__unsupported_part__is_named),
        cmocka_unit_test(tokeniser__nasty_texts__give_the_indices_of_the_reference),
        cmocka_unit_test(tokeniser__unsupported_part__is_named),
        cmocka_unit_test(encoder__invalid_utf8__is_malformed),
        cmocka_unit_test(encoder__long_text__is_cut_inside_the_frame),
        cmocka_unit_test(encoder__truncation_of_the_file__holds_below_the_callers),
        cmocka_unit_test(encoder__without_frame__gives_the_text_alone),
        cmocka_unit_test(encoder__endless_word__is_not_quadratic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
