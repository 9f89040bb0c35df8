#include "models/arch/arch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What decode accepts holds the promises that every computation over a shape relies on. */
static bool is_sound_for_pictures(const struct sotto_arch *arch)
{
    return arch->patch_side >= 1 && arch->image_side % arch->patch_side == 0 &&
           (arch->channels == 1 || arch->channels == 3) && sotto_arch_token_count(arch) >= 2 &&
           arch->width == sotto_arch_query_width(arch);
}

static bool is_sound_for_texts(const struct sotto_arch *arch)
{
    bool is_causal = arch->task == SOTTO_TASK_CAUSAL_LM;

    return arch->vocabulary >= 1 && arch->position_count >= 1 &&
           (is_causal || (arch->type_count >= 1 && arch->width == sotto_arch_query_width(arch))) &&
           is_causal == (arch->rope.theta > 0.0) && (!is_causal || arch->head_width % 2 == 0) &&
           (arch->rope.scaling == SOTTO_ROPE_PLAIN || arch->rope.factor > 0.0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_arch arch;
    bool is_sound;

    if (sotto_arch_decode(&arch, sotto_view_of(bytes, length), "config.json", NULL) != SOTTO_OK)
        return 0;
    is_sound = arch.width >= 1 && arch.mlp_width >= 1 && arch.block_count >= 1 &&
               arch.kv_head_count >= 1 && arch.head_count % arch.kv_head_count == 0 &&
               arch.norm_epsilon > 0.0;
    if (!is_sound || !(arch.task == SOTTO_TASK_PICTURE_CLASS ? is_sound_for_pictures(&arch)
                                                             : is_sound_for_texts(&arch)))
        abort();
    return 0;
}
