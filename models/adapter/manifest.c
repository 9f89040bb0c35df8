#include "models/adapter/manifest.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "an adapter's digest is over little-endian float32");

static size_t lane_bytes(const struct sotto_layout *layout)
{
    return layout->lane_count * sizeof(float);
}

size_t sotto_manifest_adapter_bytes(const struct sotto_layout *layout)
{
    return lane_bytes(layout) + layout->tensor_count * SOTTO_DIGEST_BYTES;
}

struct sotto_view sotto_manifest_of(struct sotto_view adapter, const struct sotto_layout *layout)
{
    assert(adapter.length == sotto_manifest_adapter_bytes(layout));
    return sotto_view_of(adapter.at + lane_bytes(layout),
                         layout->tensor_count * SOTTO_DIGEST_BYTES);
}

static void tensor_digest(struct sotto_digest *digest, const float *lanes,
                          const struct sotto_layout *layout, size_t i, sotto_manifest_hash *hash)
{
    static const uint8_t dtype[] = "\0F32"; /* with the zero at its end */
    const struct sotto_layout_tensor *tensor = &layout->tensors[i];
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    uint8_t shape[8];
    struct sotto_view parts[] = {
        sotto_view_text("sotto/1 tensor"),
        {0},
        sotto_view_of(dtype, sizeof dtype),
        sotto_view_of(shape, sizeof shape),
        sotto_view_of(lanes + tensor->first,
                      (size_t)tensor->rows * tensor->columns * sizeof *lanes)};

    sotto_layout_tensor_name(name, layout, i);
    parts[1] = sotto_view_text(name);
    sotto_store_u32(shape, tensor->rows);
    sotto_store_u32(shape + 4, tensor->columns);
    hash(digest, parts, sizeof parts / sizeof parts[0]);
}

void sotto_manifest_write(float *adapter, const struct sotto_layout *layout,
                          sotto_manifest_hash *hash)
{
    uint8_t *at = (uint8_t *)(adapter + layout->lane_count);

    for (size_t i = 0; i < layout->tensor_count; i++) {
        struct sotto_digest digest;

        tensor_digest(&digest, adapter, layout, i, hash);
        memcpy(at + i * SOTTO_DIGEST_BYTES, digest.bytes, SOTTO_DIGEST_BYTES);
    }
}

/* The tensor that a lane belongs to; beyond the last lane, the last one. */
static size_t tensor_of(const struct sotto_layout *layout, size_t lane)
{
    size_t tensor = 0;

    while (tensor + 1 < layout->tensor_count && layout->tensors[tensor + 1].first <= lane)
        tensor++;
    return tensor;
}

/* It ends in a tensor's lanes, or in its line of the manifest. */
enum sotto_status sotto_manifest_check_length(size_t length, const struct sotto_layout *layout,
                                              struct sotto_fault *fault)
{
    size_t lanes = lane_bytes(layout);
    size_t tensor = tensor_of(layout, length / sizeof(float));
    char name[SOTTO_TENSOR_TEXT_MAX + 1];

    if (length == sotto_manifest_adapter_bytes(layout))
        return SOTTO_OK;
    if (length >= lanes && (length - lanes) / SOTTO_DIGEST_BYTES < layout->tensor_count)
        tensor = (length - lanes) / SOTTO_DIGEST_BYTES;
    sotto_layout_tensor_name(name, layout, tensor);
    return sotto_fault_set(fault, SOTTO_MISMATCH,
                           "layout mismatch: the adapter has %zu bytes where its layout has %zu: "
                           "it ends at %s%s",
                           length, sotto_manifest_adapter_bytes(layout), name,
                           length < lanes ? "" : " of the manifest");
}

enum sotto_status sotto_manifest_check(struct sotto_view adapter, const struct sotto_layout *layout,
                                       sotto_manifest_hash *hash, struct sotto_fault *fault)
{
    const void *bytes = adapter.at;
    const float *lanes = bytes;
    const uint8_t *wanted;
    enum sotto_status status = sotto_manifest_check_length(adapter.length, layout, fault);

    if (status != SOTTO_OK)
        return status;
    wanted = sotto_manifest_of(adapter, layout).at;
    for (size_t i = 0; i < layout->tensor_count; i++) {
        struct sotto_digest digest;
        char name[SOTTO_TENSOR_TEXT_MAX + 1];

        tensor_digest(&digest, lanes, layout, i, hash);
        if (memcmp(digest.bytes, wanted + i * SOTTO_DIGEST_BYTES, SOTTO_DIGEST_BYTES) == 0)
            continue;
        sotto_layout_tensor_name(name, layout, i);
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "tensor %s of the adapter is not the one in its manifest", name);
    }
    return sotto_manifest_check_lanes(lanes, layout, fault);
}

enum sotto_status sotto_manifest_check_lanes(const float *lanes, const struct sotto_layout *layout,
                                             struct sotto_fault *fault)
{
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    size_t lane = 0;

    while (lane < layout->lane_count && isfinite(lanes[lane]))
        lane++;
    if (lane == layout->lane_count)
        return SOTTO_OK;
    sotto_layout_tensor_name(name, layout, tensor_of(layout, lane));
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "tensor %s of the adapter holds NaN or an infinity", name);
}
