#include "models/arch/arch.h"

#include "models/arch/config.h"

uint32_t sotto_arch_token_count(const struct sotto_arch *arch)
{
    uint32_t grid = arch->image_side / arch->patch_side;

    return grid * grid + (arch->family == SOTTO_FAMILY_DEIT ? 2 : 1);
}

uint32_t sotto_arch_query_width(const struct sotto_arch *arch)
{
    return arch->head_count * arch->head_width;
}

uint32_t sotto_arch_kv_width(const struct sotto_arch *arch)
{
    return arch->kv_head_count * arch->head_width;
}

enum sotto_status sotto_arch_decode(struct sotto_arch *arch, struct sotto_view json,
                                    const char *path, struct sotto_fault *fault)
{
    struct sotto_arch decoded = {0};
    struct sotto_reading reading;
    enum sotto_status status = sotto_reading_open(&reading, json, path, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_arch_config_decode(&decoded, &reading);
    sotto_reading_close(&reading);
    if (status == SOTTO_OK)
        *arch = decoded;
    return status;
}
