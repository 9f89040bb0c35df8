#include <stdlib.h>

#include "models/weights/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What decode accepts lies within the bytes, and can be read. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_safetensors file;
    uint64_t total = 0;

    if (sotto_safetensors_decode(&file, sotto_view_of(bytes, length), "fuzz", NULL) != SOTTO_OK)
        return 0;
    for (size_t i = 0; i < file.tensor_count; i++) {
        const struct sotto_stored_tensor *tensor = &file.tensors[i];
        size_t count = tensor->bytes.length / tensor->element_bytes;
        float *values = malloc((count + 1) * sizeof *values);

        if (tensor->bytes.at < bytes || tensor->bytes.at + tensor->bytes.length > bytes + length)
            abort();
        if (values != NULL && sotto_stored_tensor_read(values, tensor, tensor->shape, tensor->rank,
                                                       NULL) == SOTTO_MISMATCH)
            abort();
        free(values);
        total += tensor->bytes.length;
    }
    if (total > length)
        abort();
    sotto_safetensors_close(&file);
    return 0;
}
