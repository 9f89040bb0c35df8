/*
 * The keys of a JSON object in a model directory, each read with the limits it must keep; a key
 * that is null counts as absent.
 *
 * Every refusal is one line that names file, key and what may be there: SOTTO_MALFORMED for a value
 * of a wrong kind or range or a key that is missing, SOTTO_OVER_LIMIT above a maximum,
 * SOTTO_UNSUPPORTED for a word that is none of the known. The out argument is then as before.
 */
#ifndef SOTTO_MODELS_ARCH_READING_H
#define SOTTO_MODELS_ARCH_READING_H

#include "core/base/bytes.h"

struct json_t;

struct sotto_reading {
    struct json_t *object; /* borrowed by a reading that sotto_reading_enter made */
    const char *path;      /* for the fault */
    struct sotto_fault *fault;
};

/* Parses an object; keys may not repeat. SOTTO_MALFORMED: nothing is open. */
SOTTO_CHECKED enum sotto_status sotto_reading_open(struct sotto_reading *reading,
                                                   struct sotto_view json, const char *path,
                                                   struct sotto_fault *fault);
void sotto_reading_close(struct sotto_reading *reading);

/* The value of a key, borrowed; NULL: absent or null. */
struct json_t *sotto_reading_find(const struct sotto_reading *reading, const char *key);

/* The object under a key; inner->object is NULL where the key is absent. Not to be closed. */
SOTTO_CHECKED enum sotto_status sotto_reading_enter(struct sotto_reading *inner,
                                                    const struct sotto_reading *reading,
                                                    const char *key);

/* A whole number, 1 .. max. absent 0: the key must be there. */
SOTTO_CHECKED enum sotto_status sotto_reading_count(uint32_t *out,
                                                    const struct sotto_reading *reading,
                                                    const char *key, uint32_t max, uint32_t absent);

/* A number above 0 and at most max. absent 0: the key must be there. */
SOTTO_CHECKED enum sotto_status sotto_reading_number(double *out,
                                                     const struct sotto_reading *reading,
                                                     const char *key, double max, double absent);

SOTTO_CHECKED enum sotto_status sotto_reading_flag(bool *out, const struct sotto_reading *reading,
                                                   const char *key, bool absent);

/* A word that may be there, and what it stands for. The last row's word is NULL. */
struct sotto_known_word {
    const char *word;
    int value;
};

/* An absent key has the first word's value. */
SOTTO_CHECKED enum sotto_status sotto_reading_word(int *out, const struct sotto_reading *reading,
                                                   const char *key,
                                                   const struct sotto_known_word *known);

#endif
