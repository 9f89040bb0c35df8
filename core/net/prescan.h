/*
 * The grammar of a request's header block, byte by byte and stricter than RFC 9112 (sections 2.2, 3
 * and 5), in front of the parser: two parties that read one request in two ways is how smuggling
 * works. Refused are a CR without LF, an LF without CR, folded lines, NUL and every other control
 * character but a tab inside a value, bytes above 0x7e, anything before the request line, a target
 * that does not begin with '/', and whatever is longer than the limits.
 */
#ifndef SOTTO_CORE_NET_PRESCAN_H
#define SOTTO_CORE_NET_PRESCAN_H

#include "core/base/bytes.h"

enum {
    SOTTO_HEADER_BYTES_MAX = 16 * 1024, /* request line, headers and the empty line */
    SOTTO_TARGET_MAX = 512,
    SOTTO_HEADERS_MAX = 64,
};

enum sotto_prescan_place {
    SOTTO_PRESCAN_METHOD,
    SOTTO_PRESCAN_TARGET,
    SOTTO_PRESCAN_VERSION,
    SOTTO_PRESCAN_LINE_END, /* after CR of the request line or a header */
    SOTTO_PRESCAN_LINE_START,
    SOTTO_PRESCAN_NAME,
    SOTTO_PRESCAN_VALUE,
    SOTTO_PRESCAN_LAST_END, /* after CR of the empty line */
    SOTTO_PRESCAN_WHOLE,
};

struct sotto_prescan {
    enum sotto_prescan_place place;
    struct sotto_buffer block; /* the bytes so far; memory from malloc */
    size_t method_length;
    size_t target_length;
    size_t header_count;
};

/* Holds no memory until the first step. */
void sotto_prescan_init(struct sotto_prescan *prescan);
void sotto_prescan_wipe(struct sotto_prescan *prescan); /* frees, and begins anew */

/*
 * Takes bytes from the front of `input`, up to the end of the block or of the input, and keeps
 * them.
 *
 * Returns 0, or the HTTP status to refuse with: 400, 414 (target), 431 (headers), 503 (no memory);
 * input is then of no use. The block is whole when sotto_prescan_is_whole says so; what is whole
 * takes no more.
 */
int sotto_prescan_step(struct sotto_prescan *prescan, struct sotto_view *input);

bool sotto_prescan_is_whole(const struct sotto_prescan *prescan);

#endif
