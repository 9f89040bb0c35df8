/*
 * Reading the objects of a tokenizer.json: every key must be known, every value of its kind, so
 * that nothing is silently ignored. The fault names file, part and key.
 */
#ifndef SOTTO_MODELS_TOKENISE_PART_H
#define SOTTO_MODELS_TOKENISE_PART_H

#include <jansson.h>

#include "core/base/bytes.h"
#include "models/tokenise/vocabulary.h"

/* One object of the file. */
struct sotto_part {
    const json_t *object;
    const char *part; /* for the fault: "model", "normalizer" */
    const char *path;
    struct sotto_fault *fault;
};

/* The same file at another object. */
struct sotto_part sotto_part_at(const struct sotto_part *reading, const json_t *object,
                                const char *part);

/*
 * SOTTO_MALFORMED: no object; SOTTO_UNSUPPORTED: it has a key that is not in `known`, a list that
 * NULL ends.
 */
SOTTO_CHECKED enum sotto_status sotto_part_keys(const struct sotto_part *reading,
                                                const char *const *known);

/* An absent or null key leaves *out. SOTTO_MALFORMED: neither true nor false. */
SOTTO_CHECKED enum sotto_status sotto_part_flag(const struct sotto_part *reading, const char *key,
                                                bool *out);

/* A whole number from 0 to `max`; absent or null leaves *out. SOTTO_MALFORMED: anything else. */
SOTTO_CHECKED enum sotto_status sotto_part_number(const struct sotto_part *reading, const char *key,
                                                  uint32_t max, uint32_t *out);

/* Text, borrowed from the object; absent or null leaves *out. SOTTO_MALFORMED: anything else. */
SOTTO_CHECKED enum sotto_status sotto_part_text(const struct sotto_part *reading, const char *key,
                                                struct sotto_view *out);

/* The text of the key "type", at most 47 bytes, or "" where there is none. */
void sotto_part_type(const struct sotto_part *reading, char type[48]);

/*
 * One step, or a "Sequence" of them in the key `list`, given to `decode` in order; null or absent:
 * none. SOTTO_MALFORMED: the key is no list; SOTTO_UNSUPPORTED: a key besides it; or what decode
 * says, which ends it.
 */
SOTTO_CHECKED enum sotto_status sotto_part_sequence(
    const struct sotto_part *reading, const char *list,
    enum sotto_status (*decode)(void *context, const struct sotto_part *step), void *context);

/*
 * Opens a vocabulary from the key "vocab", an object of text to index. SOTTO_MALFORMED,
 * SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: it is empty.
 */
SOTTO_CHECKED enum sotto_status sotto_part_vocabulary(struct sotto_vocabulary *vocabulary,
                                                      const struct sotto_part *reading);

/* Sets the fault "PATH: PART: ..." and returns the status. */
enum sotto_status sotto_part_fault(const struct sotto_part *reading, enum sotto_status status,
                                   const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
