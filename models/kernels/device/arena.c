#include "models/kernels/device/arena.h"

#include "models/kernels/kernels.h"

enum sotto_status sotto_device_arena_open(struct sotto_device_arena *arena,
                                          const struct sotto_kernels *kernels, size_t capacity)
{
    size_t bytes = capacity < SOTTO_ARENA_ALIGNMENT ? SOTTO_ARENA_ALIGNMENT : capacity;

    *arena = (struct sotto_device_arena){.kernels = kernels};
    arena->memory = kernels->reserve(bytes);
    if (arena->memory == NULL)
        return SOTTO_NO_MEMORY;
    arena->capacity = bytes;
    return SOTTO_OK;
}

void sotto_device_arena_close(struct sotto_device_arena *arena)
{
    if (arena->memory != NULL)
        arena->kernels->release(arena->memory, arena->capacity);
    *arena = (struct sotto_device_arena){0};
}

void sotto_device_arena_init_counting(struct sotto_device_arena *arena)
{
    *arena = (struct sotto_device_arena){.capacity = SIZE_MAX, .is_counting = true};
}

static void *take(struct sotto_device_arena *arena, size_t count, size_t size)
{
    const size_t mask = SOTTO_ARENA_ALIGNMENT - 1;
    size_t first = arena->used;
    size_t length;
    size_t end;

    if (__builtin_mul_overflow(count, size, &length) || length > SIZE_MAX - mask ||
        __builtin_add_overflow(first, (length + mask) & ~mask, &end)) {
        arena->used = arena->is_counting ? SIZE_MAX & ~mask : first;
        return NULL;
    }
    if (first + length > arena->capacity)
        return NULL;
    arena->used = end < arena->capacity ? end : arena->capacity;
    return arena->is_counting ? NULL : (uint8_t *)arena->memory + first;
}

bool sotto_device_floats_take(struct sotto_device_float **out, struct sotto_device_arena *arena,
                              size_t count)
{
    *out = take(arena, count, sizeof **out);
    return *out != NULL || arena->is_counting;
}

bool sotto_device_bf16s_take(struct sotto_device_bf16 **out, struct sotto_device_arena *arena,
                             size_t count)
{
    *out = take(arena, count, sizeof **out);
    return *out != NULL || arena->is_counting;
}

bool sotto_device_losses_take(struct sotto_device_loss **out, struct sotto_device_arena *arena,
                              size_t count)
{
    *out = take(arena, count, sizeof **out);
    return *out != NULL || arena->is_counting;
}

enum sotto_status sotto_workspace_open(struct sotto_workspace *workspace,
                                       const struct sotto_kernels *kernels,
                                       const struct sotto_workspace *counted)
{
    enum sotto_status status = sotto_arena_open(&workspace->host, counted->host.used);

    workspace->device = (struct sotto_device_arena){0};
    if (status == SOTTO_OK)
        status = sotto_device_arena_open(&workspace->device, kernels, counted->device.used);
    return status;
}

void sotto_workspace_close(struct sotto_workspace *workspace)
{
    sotto_arena_close(&workspace->host);
    sotto_device_arena_close(&workspace->device);
}

void sotto_workspace_init_counting(struct sotto_workspace *workspace)
{
    sotto_arena_init_counting(&workspace->host);
    sotto_device_arena_init_counting(&workspace->device);
}
