/* A site's configuration and, behind it, its policy. */
#include "participant/supervisor/site.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_fault fault = {0};
    struct sotto_site_config site;
    struct sotto_policy policy;
    uint8_t room[SOTTO_POLICY_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(room, sizeof room);

    if (sotto_policy_decode(&policy, sotto_view_of(bytes, length)) == SOTTO_OK &&
        (sotto_policy_encode(&buffer, &policy) != SOTTO_OK ||
         !sotto_view_equal(sotto_view_buffer(&buffer), sotto_view_of(bytes, length))))
        abort();
    if (sotto_site_decode(&site, "site.yaml", sotto_view_of(bytes, length), &fault) == SOTTO_OK) {
        if (sotto_policy_validate(&site.policy, NULL) != SOTTO_OK)
            abort();
    } else if (fault.text[0] == '\0' || strchr(fault.text, '\n') != NULL) {
        abort();
    }
    return 0;
}
