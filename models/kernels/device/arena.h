/*
 * Memory of a device with one life, as core/base/arena.h has it of the host: taken bit by bit,
 * given back at once. A counting arena hands out nothing and adds up what would have been needed.
 */
#ifndef SOTTO_MODELS_KERNELS_DEVICE_ARENA_H
#define SOTTO_MODELS_KERNELS_DEVICE_ARENA_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "models/kernels/device/device.h"

struct sotto_kernels;

struct sotto_device_arena {
    const struct sotto_kernels *kernels; /* whose device it is; borrowed */
    struct sotto_device_memory *memory;  /* NULL: there is none, or it counts */
    size_t capacity;                     /* bytes */
    size_t used;                         /* bytes */
    bool is_counting;
};

/*
 * Reserves `capacity` bytes, all zero. SOTTO_NO_MEMORY: the arena is empty and safe to close.
 */
SOTTO_CHECKED enum sotto_status sotto_device_arena_open(struct sotto_device_arena *arena,
                                                        const struct sotto_kernels *kernels,
                                                        size_t capacity);
void sotto_device_arena_close(struct sotto_device_arena *arena); /* wipes; twice is harmless */
void sotto_device_arena_init_counting(struct sotto_device_arena *arena);

/*
 * `count` elements at SOTTO_ARENA_ALIGNMENT. False: there is no room; *out is then NULL, as it is
 * where the arena counts.
 */
bool sotto_device_floats_take(struct sotto_device_float **out, struct sotto_device_arena *arena,
                              size_t count);
bool sotto_device_bf16s_take(struct sotto_device_bf16 **out, struct sotto_device_arena *arena,
                             size_t count);
bool sotto_device_losses_take(struct sotto_device_loss **out, struct sotto_device_arena *arena,
                              size_t count);

/* Both memories of one life: what kernels compute on, and what launches them. */
struct sotto_workspace {
    struct sotto_arena host;
    struct sotto_device_arena device;
};

/* Room for what a counting workspace has counted. SOTTO_NO_MEMORY: safe to close. */
SOTTO_CHECKED enum sotto_status sotto_workspace_open(struct sotto_workspace *workspace,
                                                     const struct sotto_kernels *kernels,
                                                     const struct sotto_workspace *counted);
void sotto_workspace_close(struct sotto_workspace *workspace); /* wipes; twice is harmless */
void sotto_workspace_init_counting(struct sotto_workspace *workspace);

#endif
