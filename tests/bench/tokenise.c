/*
 * How fast a tokenizer.json is read and texts are encoded, and whether the indices, and the text of
 * such, are those that somebody else found (tests/vectors/compare_tokenise.py).
 *
 *     bench_tokenise TOKENIZER FILE           a text a line
 *     bench_tokenise TOKENIZER PAIRS compare  a JSON list of [text, indices], or of
 *                                             [text, indices, their text, indices, their text]
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/file.h"
#include "models/tokenise/decoder.h"
#include "models/tokenise/tokeniser.h"

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static struct sotto_view read_or_exit(const char *path)
{
    struct sotto_fault fault;
    uint8_t *bytes;
    size_t length;

    if (sotto_file_read(&bytes, &length, path, (size_t)1 << 30, &fault) != SOTTO_OK) {
        fprintf(stderr, "bench_tokenise: %s\n", fault.text);
        exit(1);
    }
    return sotto_view_of(bytes, length);
}

static struct sotto_tokeniser *open_or_exit(const char *path)
{
    struct sotto_view json = read_or_exit(path);
    struct sotto_tokeniser *tokeniser;
    struct sotto_fault fault;

    if (sotto_tokeniser_open(&tokeniser, json, path, &fault) != SOTTO_OK) {
        fprintf(stderr, "bench_tokenise: %s\n", fault.text);
        exit(1);
    }
    free((void *)(uintptr_t)json.at);
    return tokeniser;
}

static size_t encode_lines(struct sotto_encoder *encoder, struct sotto_view file)
{
    struct sotto_encoding_form form = {.length_max = SOTTO_TEXT_BYTES_MAX, .is_framed = true};
    size_t token_count = 0;

    while (file.length > 0) {
        const uint8_t *end = memchr(file.at, '\n', file.length);
        size_t length = end == NULL ? file.length : (size_t)(end - file.at);
        size_t taken = end == NULL ? length : length + 1;
        struct sotto_encoding encoding;

        if (sotto_encoder_run(encoder, &encoding, sotto_view_of(file.at, length), form) != SOTTO_OK)
            exit(1);
        token_count += encoding.count;
        file = sotto_view_of(file.at + taken, file.length - taken);
    }
    return token_count;
}

static void measure(struct sotto_encoder *encoder, const char *path, double opened_s)
{
    struct sotto_view file = read_or_exit(path);
    size_t token_count = encode_lines(encoder, file);
    double began = seconds();
    struct rusage usage;

    (void)encode_lines(encoder, file);
    getrusage(RUSAGE_SELF, &usage);
    printf("read in %.0f ms; %.1f MB of text, %zu tokens: %.1f MB/s; peak memory %.0f MiB\n",
           1e3 * opened_s, 1e-6 * (double)file.length, token_count,
           1e-6 * (double)file.length / (seconds() - began), (double)usage.ru_maxrss / 1024.0);
}

static bool is_same(const struct sotto_encoding *encoding, const json_t *expected)
{
    bool is = encoding->count == json_array_size(expected);

    for (size_t i = 0; i < encoding->count && is; i++)
        is = json_integer_value(json_array_get(expected, i)) == encoding->tokens[i];
    return is;
}

/* Whether the tokens of a list, one after another, say the text. */
static bool is_said(struct sotto_decoder *decoder, const json_t *list, const json_t *expected)
{
    const char *whole = json_string_value(expected);
    size_t left = json_string_length(expected);

    for (size_t i = 0; i <= json_array_size(list); i++) {
        uint32_t token = (uint32_t)json_integer_value(json_array_get(list, i));
        bool is_last = i == json_array_size(list);
        struct sotto_view text;

        if (sotto_decoder_run(decoder, &text, &token, is_last ? 0 : 1, is_last) != SOTTO_OK)
            exit(1);
        if (text.length > left || (left > 0 && memcmp(whole, text.at, text.length) != 0))
            return false;
        whole += text.length;
        left -= text.length;
    }
    return left == 0;
}

/* Of [text, indices, their text, other indices, their text]. */
static bool is_same_text(struct sotto_decoder *decoder, const json_t *row)
{
    bool is = true;

    for (size_t i = 1; i + 1 < json_array_size(row); i += 2)
        is = is_said(decoder, json_array_get(row, i), json_array_get(row, i + 1)) && is;
    return is;
}

/* For rows that have texts of indices, else NULL. */
static struct sotto_decoder *open_decoder(const struct sotto_tokeniser *tokeniser,
                                          const json_t *rows)
{
    struct sotto_decoder *decoder;
    struct sotto_fault fault;

    if (json_array_size(json_array_get(rows, 0)) < 3)
        return NULL;
    if (sotto_tokeniser_open_decoder(&decoder, tokeniser, &fault) != SOTTO_OK) {
        fprintf(stderr, "bench_tokenise: %s\n", fault.text);
        exit(1);
    }
    return decoder;
}

/* The exit code: 1 if a text has other indices, or indices another text. */
static int compare(const struct sotto_tokeniser *tokeniser, struct sotto_encoder *encoder,
                   const char *path)
{
    json_t *rows = json_load_file(path, JSON_ALLOW_NUL, NULL);
    struct sotto_decoder *decoder = open_decoder(tokeniser, rows);
    size_t other_count = 0;

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *text = json_array_get(row, 0);
        struct sotto_view view = sotto_view_of(json_string_value(text), json_string_length(text));
        struct sotto_encoding encoding;
        enum sotto_status status = sotto_encoder_run(
            encoder, &encoding, view, (struct sotto_encoding_form){.is_framed = true});

        if (status == SOTTO_OK && is_same(&encoding, json_array_get(row, 1)) &&
            (decoder == NULL || is_same_text(decoder, row)))
            continue;
        other_count++;
        printf("other indices or text for text %zu\n", i);
    }
    printf("%zu of %zu texts have other indices%s\n", other_count, json_array_size(rows),
           decoder == NULL ? "" : ", or indices another text");
    sotto_decoder_close(decoder);
    return other_count > 0 || json_array_size(rows) == 0;
}

int main(int argc, char **argv)
{
    struct sotto_tokeniser *tokeniser;
    struct sotto_encoder *encoder;
    double began = seconds();

    if (argc < 3) {
        fprintf(stderr, "usage: bench_tokenise TOKENIZER FILE|PAIRS [compare]\n");
        return 2;
    }
    tokeniser = open_or_exit(argv[1]);
    began = seconds() - began;
    if (sotto_encoder_open(&encoder, tokeniser) != SOTTO_OK)
        return 1;
    if (argc > 3)
        return compare(tokeniser, encoder, argv[2]);
    measure(encoder, argv[2], began);
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
    return 0;
}
