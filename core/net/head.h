/*
 * The head of one request: request line and headers, parsed by llhttp from a block that has passed
 * the pre-scan, then held against what this server understands (RFC 9112).
 */
#ifndef SOTTO_CORE_NET_HEAD_H
#define SOTTO_CORE_NET_HEAD_H

#include "core/net/prescan.h"

enum { SOTTO_QUERY_MAX = 16 };

struct sotto_field {
    const char *name;
    const char *value;
};

struct sotto_head {
    char *text; /* every string below lies in it */
    const char *method;
    const char *path;                              /* percent-decoded */
    struct sotto_field headers[SOTTO_HEADERS_MAX]; /* names in lower case */
    size_t header_count;
    struct sotto_field query[SOTTO_QUERY_MAX]; /* percent-decoded */
    size_t query_count;
    size_t length;           /* bytes of the block */
    uint64_t content_length; /* UINT64_MAX: chunked */
    bool keeps_alive;
    bool expects_continue;
};

/*
 * Parses a whole block. One allocation, as long as the block.
 *
 *   head  out   to be wiped in any case
 *
 * Returns 0 or the HTTP status to refuse with:
 *   400  no Host or two; Content-Length twice, with Transfer-Encoding, or not a plain number;
 *        Transfer-Encoding twice; a target with a bad escape, an escaped '/' or control character,
 *        a '.' or '..' segment; a query parameter twice
 *   417  an Expect other than 100-continue
 *   431  more than SOTTO_QUERY_MAX parameters
 *   501  a method other than GET, HEAD, POST, PUT, DELETE; a Transfer-Encoding other than chunked
 *   503  no memory
 *   505  a version other than HTTP/1.1
 */
int sotto_head_parse(struct sotto_head *head, struct sotto_view block);
void sotto_head_wipe(struct sotto_head *head);

/* Value by lower-case name, or NULL. */
const char *sotto_head_header(const struct sotto_head *head, const char *name);
const char *sotto_head_query(const struct sotto_head *head, const char *name);

#endif
