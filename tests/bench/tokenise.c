/*
 * How fast a tokenizer.json is read and texts are encoded, and whether the indices are those that
 * somebody else found (tests/vectors/compare_tokenise.py).
 *
 *     bench_tokenise TOKENIZER FILE           a text a line
 *     bench_tokenise TOKENIZER PAIRS compare  a JSON list of [text, indices]
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/file.h"
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

/* The exit code: 1 if a text has other indices. */
static int compare(struct sotto_encoder *encoder, const char *path)
{
    json_t *pairs = json_load_file(path, JSON_ALLOW_NUL, NULL);
    size_t other_count = 0;

    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *text = json_array_get(json_array_get(pairs, i), 0);
        struct sotto_view view = sotto_view_of(json_string_value(text), json_string_length(text));
        struct sotto_encoding encoding;
        enum sotto_status status = sotto_encoder_run(
            encoder, &encoding, view, (struct sotto_encoding_form){.is_framed = true});

        if (status == SOTTO_OK && is_same(&encoding, json_array_get(json_array_get(pairs, i), 1)))
            continue;
        other_count++;
        printf("other indices for text %zu\n", i);
    }
    printf("%zu of %zu texts have other indices\n", other_count, json_array_size(pairs));
    return other_count > 0 || json_array_size(pairs) == 0;
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
        return compare(encoder, argv[2]);
    measure(encoder, argv[2], began);
    sotto_encoder_close(encoder);
    sotto_tokeniser_close(tokeniser);
    return 0;
}
