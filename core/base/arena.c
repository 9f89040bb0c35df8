#include "core/base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/bytes.h"

enum sotto_status sotto_arena_open(struct sotto_arena *arena, size_t capacity)
{
    uint8_t *block = NULL;

    *arena = (struct sotto_arena){0};
    if (capacity <= SIZE_MAX - SOTTO_ARENA_ALIGNMENT)
        block = calloc(capacity + SOTTO_ARENA_ALIGNMENT, 1);
    if (block == NULL)
        return SOTTO_NO_MEMORY;
    arena->block = block;
    arena->memory = block + (SOTTO_ARENA_ALIGNMENT - (uintptr_t)block % SOTTO_ARENA_ALIGNMENT);
    arena->capacity = capacity;
    return SOTTO_OK;
}

void sotto_arena_close(struct sotto_arena *arena)
{
    /* Wiping what was dropped would bring it back. */
    if (arena->memory != NULL && !arena->is_dropped)
        sotto_wipe(arena->memory, arena->peak);
    free(arena->block);
    *arena = (struct sotto_arena){0};
}

void sotto_arena_init_counting(struct sotto_arena *arena)
{
    *arena = (struct sotto_arena){.capacity = SIZE_MAX, .counting = true};
}

/* What lies above the peak was never handed out: it is zero, and costs nothing until it is used. */
static void zero_used(struct sotto_arena *arena, size_t length)
{
    size_t dirty = arena->peak > arena->used ? arena->peak - arena->used : 0;

    memset(arena->memory + arena->used, 0, dirty < length ? dirty : length);
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
        taken = arena->memory + arena->used;
        zero_used(arena, length);
        arena->used = end < arena->capacity ? end : arena->capacity;
    }
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return taken;
}

void sotto_arena_drop(struct sotto_arena *arena, const void *at, size_t length)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uint8_t *memory = at;
    size_t before = (page - (uintptr_t)memory % page) % page;

    assert(memory >= arena->memory && memory + length <= arena->memory + arena->used);
    if (length < before + page)
        return;
    madvise((void *)(uintptr_t)(memory + before), (length - before) / page * page, MADV_DONTNEED);
    arena->is_dropped = true;
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
