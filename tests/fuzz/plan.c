#include "tests/fuzz/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    canonical_check("plan", sotto_view_of(bytes, length));
    return 0;
}
