#include "core/base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };

static struct timespec read_clock(clockid_t id)
{
    struct timespec now = {0};

    if (clock_gettime(id, &now) != 0)
        abort();
    return now;
}

void sotto_clock_init_system(struct sotto_clock *clock)
{
    *clock = (struct sotto_clock){.is_virtual = false};
}

void sotto_clock_init_virtual(struct sotto_clock *clock, uint64_t start_ms)
{
    *clock = (struct sotto_clock){.is_virtual = true, .now_ms = start_ms};
}

void sotto_clock_advance_to(struct sotto_clock *clock, uint64_t now_ms)
{
    assert(clock->is_virtual);
    if (now_ms > clock->now_ms)
        clock->now_ms = now_ms;
}

uint64_t sotto_clock_wall_ms(const struct sotto_clock *clock)
{
    struct timespec now;

    if (clock->is_virtual)
        return clock->now_ms;
    now = read_clock(CLOCK_REALTIME);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

uint64_t sotto_clock_steady_ns(const struct sotto_clock *clock)
{
    struct timespec now;

    if (clock->is_virtual)
        return clock->now_ms * NS_PER_MS;
    now = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * MS_PER_S * NS_PER_MS + (uint64_t)now.tv_nsec;
}
