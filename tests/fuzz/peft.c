#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "models/adapter/peft.h"
#include "models/arch/arch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Of every family; which one is tried, the number of bytes decides. */
#define TINY(kind, job)                                                                            \
    {                                                                                              \
        .family = (kind), .task = (job), .width = 8, .mlp_width = 16, .block_count = 1,            \
        .head_count = 2, .kv_head_count = 2, .head_width = 4, .has_qkv_bias = true                 \
    }
static const struct sotto_arch tiny[] = {
    TINY(SOTTO_FAMILY_VIT, SOTTO_TASK_PICTURE_CLASS),
    TINY(SOTTO_FAMILY_BERT, SOTTO_TASK_TEXT_CLASS),
    TINY(SOTTO_FAMILY_LLAMA, SOTTO_TASK_CAUSAL_LM),
};
static char folder[64];

static void remove_folder(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/adapter_config.json", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/adapter_model.safetensors", folder);
    unlink(path);
    rmdir(folder);
}

static void put(const char *name, struct sotto_view bytes)
{
    char path[128];
    int descriptor;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0 || sotto_descriptor_write(descriptor, bytes) != SOTTO_OK)
        abort();
    close(descriptor);
}

/* Up to the first zero byte it is adapter_config.json, after that adapter_model.safetensors. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *zero = length == 0 ? NULL : memchr(bytes, 0, length);
    size_t config = zero == NULL ? length : (size_t)(zero - bytes);
    const struct sotto_arch *arch = &tiny[length % (sizeof tiny / sizeof tiny[0])];
    struct sotto_layout layout;
    struct sotto_digest base;
    float *lanes;

    if (folder[0] == 0) {
        snprintf(folder, sizeof folder, "%s/sotto-fuzz-XXXXXX", P_tmpdir);
        if (mkdtemp(folder) == NULL || atexit(remove_folder) != 0)
            abort();
    }
    put("adapter_config.json", sotto_view_of(bytes, config));
    put("adapter_model.safetensors",
        zero == NULL ? sotto_view_of("", 0) : sotto_view_of(zero + 1, length - config - 1));
    if (sotto_peft_read(&lanes, &layout, folder, arch, NULL) == SOTTO_OK) {
        if (layout.base.family != arch->family || layout.base.width != arch->width)
            abort();
        free(lanes);
    }
    if (sotto_peft_base_read(&base, folder, NULL) == SOTTO_OK)
        sotto_wipe(&base, sizeof base);
    return 0;
}
