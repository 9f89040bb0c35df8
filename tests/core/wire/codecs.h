/*
 * Every message of core/wire behind one face, so that each hostile input is tried on all of them.
 */
#ifndef TESTS_CORE_WIRE_CODECS_H
#define TESTS_CORE_WIRE_CODECS_H

#include "core/base/pack.h"

struct codec {
    const char *name;
    /* Appends the encoding of a sample. */
    enum sotto_status (*encode_sample)(struct sotto_buffer *out);
    /* Decodes and, if that succeeds, appends the encoding of what it got. */
    enum sotto_status (*recode)(struct sotto_buffer *out, struct sotto_view bytes);
};

enum { CODEC_COUNT = 7 };

extern const struct codec codecs[CODEC_COUNT];

#endif
