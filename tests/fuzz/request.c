/* A request on its way from plaintext to its parts, without a socket: head, then framed body. */
#include <stdlib.h>
#include <string.h>

#include "core/net/framing.h"
#include "core/net/head.h"

enum { BODY_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_fields(const struct sotto_head *head, const struct sotto_field *fields,
                         size_t count)
{
    const char *end = head->text + head->length + 16;

    for (size_t index = 0; index < count; index++) {
        require(fields[index].name >= head->text && fields[index].name < end);
        require(fields[index].value >= head->text && fields[index].value < end);
        require(fields[index].value + strlen(fields[index].value) < end);
    }
}

static void check_head(const struct sotto_head *head)
{
    require(head->path[0] == '/' && strlen(head->path) <= SOTTO_TARGET_MAX);
    require(!strstr(head->path, "/../") && !strstr(head->path, "/./"));
    require(head->header_count <= SOTTO_HEADERS_MAX && head->query_count <= SOTTO_QUERY_MAX);
    require(sotto_head_header(head, "host") != NULL);
    require(!sotto_head_header(head, "content-length") ||
            !sotto_head_header(head, "transfer-encoding"));
    check_fields(head, head->headers, head->header_count);
    check_fields(head, head->query, head->query_count);
}

static void read_body(uint64_t content_length, struct sotto_view input)
{
    struct sotto_framing framing;
    struct sotto_view piece;
    uint64_t total = 0;

    sotto_framing_init(&framing, content_length);
    while (input.length > 0 && !sotto_framing_is_whole(&framing)) {
        size_t before = input.length;

        if (sotto_framing_next(&framing, &piece, &input) != SOTTO_OK)
            return;
        require(input.length < before && piece.length <= before);
        total += piece.length;
    }
    require(total <= BODY_MAX);
    if (sotto_framing_is_whole(&framing) && content_length != UINT64_MAX)
        require(total == content_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_view input = sotto_view_of(bytes, length);
    struct sotto_prescan prescan;
    struct sotto_head head;

    sotto_prescan_init(&prescan);
    if (!sotto_prescan_step(&prescan, &input) && sotto_prescan_is_whole(&prescan)) {
        if (!sotto_head_parse(&head, sotto_view_buffer(&prescan.block))) {
            check_head(&head);
            read_body(head.content_length, input);
        }
        sotto_head_wipe(&head);
    }
    sotto_prescan_wipe(&prescan);
    return 0;
}
