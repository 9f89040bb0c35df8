#include "models/kernels/device/memory.h"

#include <string.h>
#include <sys/mman.h>

#include "core/base/bytes.h"

enum { PIECE = 4096 /* bytes: a page */ };

struct sotto_device_memory *sotto_cpu_reserve(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* Room that was never used reads as zeros and is nowhere: to write zeros would bring it in. */
static void wipe_used(uint8_t *memory, size_t bytes)
{
    static const uint8_t zeros[PIECE];

    for (size_t first = 0; first < bytes; first += PIECE) {
        size_t count = bytes - first < PIECE ? bytes - first : PIECE;

        if (memcmp(memory + first, zeros, count) != 0)
            sotto_wipe(memory + first, count);
    }
}

void sotto_cpu_release(struct sotto_device_memory *memory, size_t bytes)
{
    wipe_used((uint8_t *)memory, bytes);
    munmap(memory, bytes);
}

void sotto_cpu_upload(struct sotto_device_float *to, const float *from, size_t count)
{
    memcpy(to, from, count * sizeof *from);
}

void sotto_cpu_download(float *to, const struct sotto_device_float *from, size_t count)
{
    memcpy(to, from, count * sizeof *to);
}

void sotto_cpu_download_loss(struct sotto_loss *to, const struct sotto_device_loss *from)
{
    *to = from->on_device;
}

const struct sotto_device_float *sotto_cpu_adopt(const float *values, size_t count)
{
    (void)count;
    return (const struct sotto_device_float *)values;
}

void sotto_cpu_disown(const struct sotto_device_float *values, size_t count)
{
    (void)values;
    (void)count;
}
