#include "tests/support/seed.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEED_DEFAULT = 20260131 };

void seed_open(struct sotto_entropy *entropy, const char *test)
{
    const char *given = getenv("SOTTO_TEST_SEED");
    uint64_t seed = given == NULL ? SEED_DEFAULT : strtoull(given, NULL, 10);

    printf("# %s: SOTTO_TEST_SEED=%llu\n", test, (unsigned long long)seed);
    for (const char *at = test; *at != '\0'; at++)
        seed = seed * 31 + (unsigned char)*at;
    sotto_entropy_init_seeded(entropy, seed);
}
