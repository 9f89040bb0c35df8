/*
 * From examples to the rows that the first block takes.
 *     ViT:   class token (DeiT: and a second one), then patches W + b; plus learned positions
 *     BERT:  Norm(word + position + type 0)
 *     Llama: word
 * Sources: Dosovitskiy et al., ICLR 2021, eq. 1; Devlin et al., NAACL 2019, figure 2.
 */
#ifndef SOTTO_MODELS_ARCH_EMBEDDING_H
#define SOTTO_MODELS_ARCH_EMBEDDING_H

#include "models/arch/network.h"

/*
 * One picture.
 *
 *   rows     out  [token count, width]
 *   patches  out  [patch count, patch values] scratch
 *   pixels   in   [channels, image_side, image_side]
 */
void sotto_embed_picture(const struct sotto_network *network, struct sotto_device_float *rows,
                         struct sotto_device_float *patches, const uint8_t *pixels);

/*
 * One text.
 *
 *   rows     out  [length, width]
 *   plain    out  [length, width] scratch, of BERT
 *   scratch  out  [length] each, of BERT
 *   tokens   in   [length] each below the vocabulary
 *   length   in   1 .. position_count
 */
void sotto_embed_text(const struct sotto_network *network, struct sotto_device_float *rows,
                      struct sotto_device_float *plain, struct sotto_norm_rows scratch,
                      const uint32_t *tokens, uint32_t length);

#endif
