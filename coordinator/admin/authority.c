#include "coordinator/admin/authority.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/entropy.h"
#include "core/base/file.h"
#include "core/console/console.h"
#include "core/wire/roster.h"
#include "crypto/primitives/hash.h"
#include "crypto/secagg/endorsement.h"

enum { OPTION_KEY = 256, SEED_HEX = 2 * 32 + 1, KEY_FILE_MAX = 256, SIGNATURE_HEX = 2 * 64 + 1 };

/* 64 hexadecimal digits and a line's end. */
static enum sotto_status seed_write(const char *path, const struct sotto_secret *seed,
                                    struct sotto_fault *fault)
{
    char text[SEED_HEX + 1];
    enum sotto_status status;

    sotto_hex_encode(text, sotto_view_of(seed->bytes, sizeof seed->bytes));
    strcpy(text + SEED_HEX - 1, "\n");
    status = sotto_file_replace(path, sotto_view_text(text), 0600, fault);
    sotto_wipe(text, sizeof text);
    return status;
}

static enum sotto_status seed_read(struct sotto_secret *seed, const char *path,
                                   struct sotto_fault *fault)
{
    uint8_t *text = NULL;
    size_t length = 0;
    enum sotto_status status = sotto_file_read(&text, &length, path, KEY_FILE_MAX, fault);

    if (status != SOTTO_OK)
        return status;
    text[strcspn((const char *)text, "\n")] = '\0';
    status = sotto_hex_decode(seed->bytes, sizeof seed->bytes, (const char *)text);
    sotto_wipe(text, length);
    free(text);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s is not a key that 'sotto-admin roster key' made", path);
    return SOTTO_OK;
}

enum sotto_status sotto_command_roster_key(struct sotto_session *session,
                                           const struct sotto_command_line *line,
                                           struct sotto_fault *fault)
{
    const char *path = NULL;
    struct sotto_entropy entropy;
    struct sotto_ed25519_public authority;
    struct sotto_secret seed;
    char hex[SOTTO_DIGEST_HEX];
    enum sotto_status status;

    (void)session;
    sotto_command_parse(line, "FILE", &path, NULL,
                        "Makes the key of an authority that signs rosters: the secret half goes to "
                        "FILE, which stays offline; the public one, for the policy of sites, to "
                        "stdout.");
    if (access(path, F_OK) == 0)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "%s is there already: a lost key would shut its sites out", path);
    sotto_entropy_init_system(&entropy);
    sotto_entropy_fill(&entropy, seed.bytes, sizeof seed.bytes);
    sotto_ed25519_public_of(&authority, &seed);
    status = seed_write(path, &seed, fault);
    sotto_wipe(&seed, sizeof seed);
    if (status != SOTTO_OK)
        return status;
    sotto_hex_encode(hex, sotto_view_of(authority.bytes, sizeof authority.bytes));
    printf("%s\n", hex);
    return SOTTO_OK;
}

struct sign_wish {
    const char *key;
    const char *roster;
};

static error_t sign_parse(int key, char *argument, struct argp_state *state)
{
    struct sign_wish *wish = state->input;

    switch (key) {
    case OPTION_KEY: wish->key = argument; return 0;
    case ARGP_KEY_ARG:
        if (wish->roster != NULL)
            sotto_console_refuse(state, "one roster at a time");
        wish->roster = argument;
        return 0;
    case ARGP_KEY_END:
        if (wish->key == NULL || wish->roster == NULL)
            sotto_console_refuse(state, "name the roster, and the authority's key with --key FILE");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static void lines_print(const struct sotto_roster_message *roster)
{
    char identity[SOTTO_DIGEST_HEX];

    fprintf(stderr, "roster of epoch %" PRIu64 ", %zu sites of %zu organisations:\n", roster->epoch,
            roster->count, roster->organisation_count);
    for (size_t i = 0; i < roster->count; i++) {
        const struct sotto_roster_line *line = &roster->lines[i];

        sotto_hex_encode(identity, sotto_view_of(line->identity, sizeof line->identity));
        fprintf(stderr, "%6" PRIu32 "  %s  %s\n", line->id, identity,
                roster->organisations[line->organisation]);
    }
}

/* What is signed has been read, and was shown. */
static enum sotto_status roster_read(struct sotto_endorsed *endorsed, const char *path,
                                     struct sotto_fault *fault)
{
    struct sotto_roster_message *roster = calloc(1, sizeof *roster);
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status =
        sotto_file_read(&bytes, &length, path, SOTTO_ROSTER_BYTES_MAX, fault);

    if (status == SOTTO_OK && roster == NULL)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a roster");
    if (status == SOTTO_OK) {
        status = sotto_roster_decode(roster, sotto_view_of(bytes, length));
        if (status != SOTTO_OK)
            sotto_fault_set(fault, status, "%s is no roster that 'roster export' wrote", path);
    }
    if (status == SOTTO_OK) {
        lines_print(roster);
        endorsed->epoch = roster->epoch;
        sotto_hash(&endorsed->roster, &(struct sotto_view){bytes, length}, 1);
    }
    free(bytes);
    free(roster);
    return status;
}

static void endorsement_print(const struct sotto_endorsed *endorsed,
                              const struct sotto_secret *seed)
{
    char roster[SOTTO_DIGEST_HEX], authority[SOTTO_DIGEST_HEX], signature[SIGNATURE_HEX];
    struct sotto_ed25519_public key;
    struct sotto_signature made;
    json_t *text;

    sotto_endorsement_sign(&made, seed, endorsed);
    sotto_ed25519_public_of(&key, seed);
    sotto_digest_hex(roster, &endorsed->roster);
    sotto_hex_encode(authority, sotto_view_of(key.bytes, sizeof key.bytes));
    sotto_hex_encode(signature, sotto_view_of(made.bytes, sizeof made.bytes));
    text = json_pack("{s:I, s:s, s:s, s:s}", "epoch", (json_int_t)endorsed->epoch, "roster", roster,
                     "authority", authority, "signature", signature);
    sotto_command_print(text);
    json_decref(text);
}

enum sotto_status sotto_command_roster_sign(struct sotto_session *session,
                                            const struct sotto_command_line *line,
                                            struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"key", OPTION_KEY, "FILE", 0, "The authority's key, made by 'roster key'", 0}, {0}};
    static const struct argp parser = {
        .options = options,
        .parser = sign_parse,
        .args_doc = "ROSTER",
        .doc = "Signs the roster in the file ROSTER, without a connection: shows whom it lists on "
               "stderr, and writes the signature to stdout for 'roster import'."};
    struct sign_wish wish = {0};
    struct sotto_secret seed = {{0}};
    struct sotto_endorsed endorsed;
    enum sotto_status status;

    (void)session;
    argp_parse(&parser, line->argc, line->argv, 0, NULL, &wish);
    status = seed_read(&seed, wish.key, fault);
    if (status == SOTTO_OK)
        status = roster_read(&endorsed, wish.roster, fault);
    if (status == SOTTO_OK)
        endorsement_print(&endorsed, &seed);
    sotto_wipe(&seed, sizeof seed);
    return status;
}
