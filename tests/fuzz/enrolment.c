#include "tests/fuzz/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    canonical_check("token", sotto_view_of(bytes, length));
    canonical_check("request", sotto_view_of(bytes, length));
    canonical_check("response", sotto_view_of(bytes, length));
    return 0;
}
