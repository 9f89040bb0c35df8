/*
 * Answers what it is asked with the primitives that ship, so that a script can hold them against
 * vectors that others published.
 *
 *     stdin    one question a line: a word, then its arguments as hex, "-" for none
 *     stdout   one answer a line: hex, "yes" or "no"; "refused" where a status says so
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/aead.h"
#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/prg.h"
#include "crypto/primitives/x25519.h"

enum { LINE_MAX_BYTES = 64 * 1024, ARGUMENTS_MAX = 4, PRG_MAX = 4096 };

struct question {
    const char *word;
    struct sotto_view arguments[ARGUMENTS_MAX];
};

/* What a vector gives in another length than the type has is an error of the script. */
static void take(void *out, size_t length, const struct question *question, size_t argument)
{
    if (question->arguments[argument].length != length) {
        fprintf(stderr, "%s: argument %zu has %zu bytes\n", question->word, argument,
                question->arguments[argument].length);
        exit(1);
    }
    memcpy(out, question->arguments[argument].at, length);
}

static void say(const void *bytes, size_t length)
{
    for (size_t at = 0; at < length; at++)
        printf("%02x", ((const uint8_t *)bytes)[at]);
    puts("");
}

static void say_whether(bool holds)
{
    puts(holds ? "yes" : "no");
}

static void x25519(const struct question *question)
{
    struct sotto_secret secret;
    struct sotto_x25519_public peer;
    struct sotto_secret shared;

    take(&secret, sizeof secret, question, 0);
    take(&peer, sizeof peer, question, 1);
    if (sotto_x25519(&shared, &secret, &peer) == SOTTO_OK)
        say(&shared, sizeof shared);
    else
        puts("refused");
}

static void x25519_usable(const struct question *question)
{
    struct sotto_x25519_public key;

    take(&key, sizeof key, question, 0);
    say_whether(sotto_x25519_is_usable(&key));
}

static void sign(const struct question *question)
{
    struct sotto_secret seed;
    struct sotto_signature signature;

    take(&seed, sizeof seed, question, 0);
    sotto_sign(&signature, &seed, "", question->arguments[1]);
    say(&signature, sizeof signature);
}

static void verify(const struct question *question)
{
    struct sotto_ed25519_public signer;
    struct sotto_signature signature;

    take(&signer, sizeof signer, question, 0);
    take(&signature, sizeof signature, question, 1);
    say_whether(sotto_verify(&signature, &signer, "", question->arguments[2]) == SOTTO_OK);
}

static void ed25519_usable(const struct question *question)
{
    struct sotto_ed25519_public key;

    take(&key, sizeof key, question, 0);
    say_whether(sotto_ed25519_is_usable(&key));
}

static void hkdf(const struct question *question)
{
    struct sotto_secret out;

    sotto_hkdf(&out, question->arguments[0], question->arguments[1], question->arguments[2]);
    say(&out, sizeof out);
}

static void hmac(const struct question *question)
{
    struct sotto_secret key;
    struct sotto_digest mac;

    take(&key, sizeof key, question, 0);
    sotto_hmac(&mac, &key, &question->arguments[1], 1);
    say(&mac, sizeof mac);
}

static void hash(const struct question *question)
{
    struct sotto_digest digest;

    sotto_hash(&digest, &question->arguments[0], 1);
    say(&digest, sizeof digest);
}

/* The first bytes of a stream, as many as the second argument has. */
static void prg(const struct question *question)
{
    static uint8_t out[PRG_MAX];
    struct sotto_secret key;
    struct sotto_prg stream;
    size_t length = question->arguments[1].length;

    take(&key, sizeof key, question, 0);
    if (length > sizeof out || sotto_prg_open(&stream) != SOTTO_OK)
        exit(1);
    sotto_prg_seek(&stream, &key, 0);
    sotto_prg_next(&stream, out, length);
    sotto_prg_close(&stream);
    say(out, length);
}

static void aead_open(const struct question *question)
{
    static uint8_t out[LINE_MAX_BYTES];
    struct sotto_secret key;
    struct sotto_view sealed = question->arguments[2];

    take(&key, sizeof key, question, 0);
    if (sotto_aead_open(out, &key, question->arguments[1], sealed) == SOTTO_OK)
        say(out, sealed.length - SOTTO_AEAD_TAG_BYTES);
    else
        puts("refused");
}

static const struct {
    const char *word;
    void (*answer)(const struct question *question);
} answers[] = {
    {"x25519", x25519},
    {"x25519_usable", x25519_usable},
    {"sign", sign},
    {"verify", verify},
    {"ed25519_usable", ed25519_usable},
    {"hkdf", hkdf},
    {"hmac", hmac},
    {"hash", hash},
    {"prg", prg},
    {"aead_open", aead_open},
};

/* Cuts a line into its question; the arguments are decoded in place. */
static bool parse(struct question *question, char *line)
{
    size_t count = 0;

    memset(question, 0, sizeof *question);
    question->word = strtok(line, " \n");
    for (char *word = strtok(NULL, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        size_t length = strcmp(word, "-") == 0 ? 0 : strlen(word) / 2;

        if (count == ARGUMENTS_MAX)
            return false;
        if (length > 0 && sotto_hex_decode((uint8_t *)word, length, word) != SOTTO_OK)
            return false;
        question->arguments[count++] = sotto_view_of(word, length);
    }
    return question->word != NULL;
}

static bool answer(const struct question *question)
{
    for (size_t at = 0; at < sizeof answers / sizeof *answers; at++)
        if (strcmp(answers[at].word, question->word) == 0) {
            answers[at].answer(question);
            return true;
        }
    return false;
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    struct question question;

    while (fgets(line, sizeof line, stdin) != NULL)
        if (!parse(&question, line) || !answer(&question)) {
            fputs("a line is no question\n", stderr);
            return 1;
        }
    return 0;
}
