/*
 * Stops the process when OpenSSL fails at what no byte from outside can make it fail at: out of
 * memory, or broken.
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_REQUIRE_H
#define SOTTO_CRYPTO_PRIMITIVES_REQUIRE_H

#include <stdbool.h>
#include <stdlib.h>

static inline void sotto_require(bool succeeded)
{
    if (!succeeded)
        abort();
}

#endif
