#include "core/base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"

enum sotto_status sotto_arena_open(struct sotto_arena *arena, size_t capacity)
{
    void *memory = NULL;

    *arena = (struct sotto_arena){0};
    if (posix_memalign(&memory, SOTTO_ARENA_ALIGNMENT, capacity) != 0 || memory == NULL)
        return SOTTO_NO_MEMORY;
    arena->memory = memory;
    arena->capacity = capacity;
    return SOTTO_OK;
}

void sotto_arena_close(struct sotto_arena *arena)
{
    sotto_wipe(arena->memory, arena->memory == NULL ? 0 : arena->peak);
    free(arena->memory);
    *arena = (struct sotto_arena){0};
}

void sotto_arena_init_counting(struct sotto_arena *arena)
{
    *arena = (struct sotto_arena){.capacity = SIZE_MAX, .counting = true};
}

void *sotto_arena_take(struct sotto_arena *arena, size_t count, size_t size)
{
    const size_t mask = SOTTO_ARENA_ALIGNMENT - 1;
    size_t length;
    size_t end;
    void *taken = NULL;

    if (__builtin_mul_overflow(count, size, &length) || length > SIZE_MAX - mask ||
        __builtin_add_overflow(arena->used, (length + mask) & ~mask, &end)) {
        if (arena->counting)
            arena->used = arena->peak = SIZE_MAX & ~mask;
        return NULL;
    }
    if (arena->counting) {
        arena->used = end;
    } else if (arena->used + length <= arena->capacity) {
        taken = memset(arena->memory + arena->used, 0, length);
        arena->used = end < arena->capacity ? end : arena->capacity;
    }
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return taken;
}

size_t sotto_arena_mark(const struct sotto_arena *arena)
{
    return arena->used;
}

void sotto_arena_release(struct sotto_arena *arena, size_t mark)
{
    assert(mark <= arena->used);
    arena->used = mark;
}
