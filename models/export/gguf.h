/*
 * LoRA adapters of language models as GGUF files, for llama.cpp: version 3, float32, little-endian.
 * Source: docs/gguf.md of the ggml project, and what llama.cpp reads and its converter writes.
 *
 * | key or tensor                         | value                                               |
 * | general.type, adapter.type            | "adapter", "lora"                                   |
 * | general.architecture                  | "llama" (Mistral too) or "qwen2"                    |
 * | adapter.lora.alpha                    | alpha; a reader scales by alpha / rank              |
 * | blk.N.attn_q.weight.lora_a            | A [rank, in]                                        |
 * | blk.N.attn_q.weight.lora_b            | B [out, rank], times sqrt(rank) if rank-stabilised  |
 *
 * llama.cpp turns neighbouring elements of a head, transformers elements half a head apart; so the
 * rows of "llama"'s query and key weights lie in another order there, and the rows of B with them:
 * row 2 j + t of a head is row t * head_width / 2 + j of it here.
 */
#ifndef SOTTO_MODELS_EXPORT_GGUF_H
#define SOTTO_MODELS_EXPORT_GGUF_H

#include "models/adapter/layout.h"

/*
 * Writes atomically, with the folders above. Something of that name is left alone.
 *
 *   base   in  the model directory that the adapter is for; its config.json is read
 *   lanes  in  [layout->lane_count]
 *
 * SOTTO_UNSUPPORTED: not LoRA of a language model, or a model_type that is none of llama, mistral
 * and qwen2; SOTTO_MISMATCH: the adapter is for another base; SOTTO_MALFORMED: NaN in the adapter;
 * the statuses of sotto_arch_decode; SOTTO_IO (also: something of that name
 * is there), SOTTO_NO_MEMORY: nothing is written.
 */
SOTTO_CHECKED enum sotto_status sotto_gguf_write(const char *path, const char *base,
                                                 const struct sotto_layout *layout,
                                                 const float *lanes, struct sotto_fault *fault);

#endif
