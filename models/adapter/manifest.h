/*
 * An adapter as it is kept and handed out: the float32 lanes of its layout, little-endian, and
 * behind them its manifest, 32 bytes for each tensor in the layout's order:
 *     SHA-256("sotto/1 tensor" || name || 0x00 || "F32" || 0x00 || rows || columns || lanes)
 * with the PEFT name of sotto_layout_tensor_name, rows and columns as little-endian u32. Layout and
 * manifest together are what an adapter's digest is over, "sotto/1 adapter": whoever has the
 * adapter can tell which tensor is not the one that was meant, and trusts one digest only.
 *
 * Every door that lanes come in by asks here, so that the fault can name the tensor.
 */
#ifndef SOTTO_MODELS_ADAPTER_MANIFEST_H
#define SOTTO_MODELS_ADAPTER_MANIFEST_H

#include "models/adapter/layout.h"

enum { SOTTO_MANIFEST_BYTES_MAX = SOTTO_LAYOUT_TENSORS_MAX * SOTTO_DIGEST_BYTES };

/* SHA-256 over parts, one after the other: sotto_hash, which the rooms of models do not know. */
typedef void sotto_manifest_hash(struct sotto_digest *out, const struct sotto_view *parts,
                                 size_t part_count);

/* Lanes and manifest. */
size_t sotto_manifest_adapter_bytes(const struct sotto_layout *layout);

/* The manifest in an adapter of the right length. Borrowed from it. */
struct sotto_view sotto_manifest_of(struct sotto_view adapter, const struct sotto_layout *layout);

/*
 * Writes the manifest behind the lanes.
 *
 *   adapter  inout  [sotto_manifest_adapter_bytes / 4] with the lanes
 */
void sotto_manifest_write(float *adapter, const struct sotto_layout *layout,
                          sotto_manifest_hash *hash);

/*
 * SOTTO_MISMATCH: an adapter of this layout has another length; the fault names the tensor in which
 * this one ends.
 */
SOTTO_CHECKED enum sotto_status sotto_manifest_check_length(size_t length,
                                                            const struct sotto_layout *layout,
                                                            struct sotto_fault *fault);

/*
 * Whether every tensor is the one that the manifest says, and a number. That the manifest is the
 * right one is the caller's to ask, by the adapter's digest.
 *
 *   adapter  in  aligned for floats
 *
 * SOTTO_MISMATCH: that of sotto_manifest_check_length; or a tensor is not the manifest's, and the
 * fault names it. SOTTO_MALFORMED: that of sotto_manifest_check_lanes.
 */
SOTTO_CHECKED enum sotto_status sotto_manifest_check(struct sotto_view adapter,
                                                     const struct sotto_layout *layout,
                                                     sotto_manifest_hash *hash,
                                                     struct sotto_fault *fault);

/*
 * Of lanes alone, which are about to become an adapter.
 *
 *   lanes  in  [layout->lane_count]
 *
 * SOTTO_MALFORMED: the fault names the tensor that holds NaN or an infinity.
 */
SOTTO_CHECKED enum sotto_status sotto_manifest_check_lanes(const float *lanes,
                                                           const struct sotto_layout *layout,
                                                           struct sotto_fault *fault);

#endif
