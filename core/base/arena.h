/*
 * Memory with one life: `round`, `step`, `scratch`. Allocation is a bump, release is all at once.
 *
 * A counting arena has no memory: it hands out nothing and adds up what would have been needed, so
 * that a dry run sizes the real one.
 */
#ifndef SOTTO_CORE_BASE_ARENA_H
#define SOTTO_CORE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum { SOTTO_ARENA_ALIGNMENT = 64 };

struct sotto_arena {
    uint8_t *memory; /* NULL in a counting arena */
    void *block;     /* what is freed */
    size_t capacity;
    size_t used;
    size_t peak;
    bool counting;
    bool is_dropped; /* in part */
};

/*
 * Allocates `capacity` bytes, all zero; what was used before is zeroed as it is taken again, so
 * that room that is set aside and not used is never touched. SOTTO_NO_MEMORY: the arena is empty
 * and safe to close.
 */
SOTTO_CHECKED enum sotto_status sotto_arena_open(struct sotto_arena *arena, size_t capacity);
/* Wipes, unless something was dropped, and frees; closing twice is harmless. */
void sotto_arena_close(struct sotto_arena *arena);
void sotto_arena_init_counting(struct sotto_arena *arena);

/*
 * `count * size` bytes at SOTTO_ARENA_ALIGNMENT, zeroed. NULL if they do not fit, if the product
 * overflows, or if the arena counts.
 */
void *sotto_arena_take(struct sotto_arena *arena, size_t count, size_t size);

/*
 * Gives the whole pages within some taken memory back to the system; what was in them is lost. For
 * what is large and no secret.
 */
void sotto_arena_drop(struct sotto_arena *arena, const void *at, size_t length);

/* Everything taken after the mark is released (and zeroed when taken again). */
size_t sotto_arena_mark(const struct sotto_arena *arena);
void sotto_arena_release(struct sotto_arena *arena, size_t mark);

#endif
