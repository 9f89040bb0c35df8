#include "tests/fuzz/canonical.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    canonical_check("mail", sotto_view_of(bytes, length));
    return 0;
}
