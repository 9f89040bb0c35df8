#include "participant/courier/patience.h"

#include <errno.h>
#include <time.h>

enum { DOUBLINGS_MAX = 10 };

uint32_t sotto_patience_fail(struct sotto_patience *patience, struct sotto_entropy *entropy)
{
    uint32_t doublings = patience->failures < DOUBLINGS_MAX ? patience->failures : DOUBLINGS_MAX;
    uint32_t most_ms = (uint32_t)SOTTO_PATIENCE_FIRST_MS << doublings;

    if (most_ms > SOTTO_PATIENCE_MAX_MS)
        most_ms = SOTTO_PATIENCE_MAX_MS;
    if (patience->failures < UINT32_MAX)
        patience->failures++;
    return 1 + (uint32_t)sotto_entropy_below(entropy, most_ms);
}

void sotto_patience_reset(struct sotto_patience *patience)
{
    patience->failures = 0;
}

void sotto_patience_wait(uint32_t wait_ms)
{
    struct timespec rest = {.tv_sec = wait_ms / 1000, .tv_nsec = (long)(wait_ms % 1000) * 1000000};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        continue;
}
