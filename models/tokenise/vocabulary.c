#include "models/tokenise/vocabulary.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, whose value for a prefix is on the way to that for the whole; mixed before it is used. */
#define HASH_START 2166136261u

static uint32_t hash_on(uint32_t hash, uint8_t byte)
{
    return (hash ^ byte) * 16777619u;
}

static uint32_t hash_of(struct sotto_view bytes)
{
    uint32_t hash = HASH_START;

    for (size_t i = 0; i < bytes.length; i++)
        hash = hash_on(hash, bytes.at[i]);
    return hash;
}

static size_t slot_of(const struct sotto_vocabulary *vocabulary, uint32_t hash)
{
    uint32_t mixed = (hash ^ hash >> 15) * 0x2c1b3c6du;

    return (mixed ^ mixed >> 13) & (vocabulary->slot_count - 1);
}

enum sotto_status sotto_vocabulary_open(struct sotto_vocabulary *vocabulary, size_t count_max,
                                        size_t byte_capacity)
{
    *vocabulary = (struct sotto_vocabulary){
        .slot_count = 16, .count_max = count_max, .byte_capacity = byte_capacity};
    while (vocabulary->slot_count < 2 * count_max)
        vocabulary->slot_count *= 2;
    vocabulary->entries = malloc(vocabulary->slot_count * sizeof *vocabulary->entries);
    vocabulary->bytes = malloc(byte_capacity + 1);
    if (vocabulary->entries == NULL || vocabulary->bytes == NULL || byte_capacity > UINT32_MAX) {
        sotto_vocabulary_close(vocabulary);
        return SOTTO_NO_MEMORY;
    }
    for (size_t i = 0; i < vocabulary->slot_count; i++)
        vocabulary->entries[i].token = SOTTO_TOKEN_NONE;
    return SOTTO_OK;
}

void sotto_vocabulary_close(struct sotto_vocabulary *vocabulary)
{
    free(vocabulary->entries);
    free(vocabulary->bytes);
    *vocabulary = (struct sotto_vocabulary){0};
}

/* The entry of these bytes, or the free one where they belong. */
static struct sotto_vocabulary_entry *entry_of(const struct sotto_vocabulary *vocabulary,
                                               struct sotto_view bytes, uint32_t hash)
{
    size_t slot = slot_of(vocabulary, hash);

    for (;; slot = (slot + 1) & (vocabulary->slot_count - 1)) {
        struct sotto_vocabulary_entry *entry = &vocabulary->entries[slot];

        if (entry->token == SOTTO_TOKEN_NONE)
            return entry;
        if (entry->hash == hash && entry->length == bytes.length &&
            memcmp(vocabulary->bytes + entry->first, bytes.at, bytes.length) == 0)
            return entry;
    }
}

enum sotto_status sotto_vocabulary_add(struct sotto_vocabulary *vocabulary, struct sotto_view bytes,
                                       uint32_t token)
{
    uint32_t hash = hash_of(bytes);
    struct sotto_vocabulary_entry *entry;

    if (bytes.length > SOTTO_TOKEN_BYTES_MAX || token >= SOTTO_VOCABULARY_MAX)
        return SOTTO_OVER_LIMIT;
    entry = entry_of(vocabulary, bytes, hash);
    if (entry->token != SOTTO_TOKEN_NONE)
        return entry->token == token ? SOTTO_OK : SOTTO_MISMATCH;
    if (vocabulary->count == vocabulary->count_max ||
        vocabulary->byte_capacity - vocabulary->byte_count < bytes.length)
        return SOTTO_OVER_LIMIT;
    *entry = (struct sotto_vocabulary_entry){hash, token, (uint32_t)vocabulary->byte_count,
                                             (uint32_t)bytes.length};
    if (bytes.length > 0)
        memcpy(vocabulary->bytes + vocabulary->byte_count, bytes.at, bytes.length);
    vocabulary->byte_count += bytes.length;
    vocabulary->count++;
    vocabulary->lengths[bytes.length / 64] |= UINT64_C(1) << bytes.length % 64;
    if (bytes.length > vocabulary->length_max)
        vocabulary->length_max = bytes.length;
    return SOTTO_OK;
}

uint32_t sotto_vocabulary_find(const struct sotto_vocabulary *vocabulary, struct sotto_view bytes)
{
    if (bytes.length > vocabulary->length_max || vocabulary->count == 0)
        return SOTTO_TOKEN_NONE;
    return entry_of(vocabulary, bytes, hash_of(bytes))->token;
}

uint32_t sotto_vocabulary_longest(const struct sotto_vocabulary *vocabulary, struct sotto_view text,
                                  size_t *length)
{
    uint32_t hashes[SOTTO_TOKEN_BYTES_MAX + 1];
    size_t most = text.length < vocabulary->length_max ? text.length : vocabulary->length_max;

    hashes[0] = HASH_START;
    for (size_t i = 0; i < most; i++)
        hashes[i + 1] = hash_on(hashes[i], text.at[i]);
    for (size_t tried = most; tried > 0; tried--) {
        uint32_t token;

        if ((vocabulary->lengths[tried / 64] >> tried % 64 & 1) == 0)
            continue;
        token = entry_of(vocabulary, sotto_view_of(text.at, tried), hashes[tried])->token;
        if (token != SOTTO_TOKEN_NONE) {
            *length = tried;
            return token;
        }
    }
    *length = 0;
    return SOTTO_TOKEN_NONE;
}
