#include "coordinator/ledger/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"

enum { HEAD_BYTES_MAX = 256 };

enum sotto_status sotto_ledger_head_write(const char *path, const struct sotto_ledger_head *head,
                                          struct sotto_fault *fault)
{
    char hex[SOTTO_DIGEST_HEX];
    char text[HEAD_BYTES_MAX];

    sotto_digest_hex(hex, &head->hash);
    snprintf(text, sizeof text, "sotto head 1\n%" PRIu64 " %s\n", head->sequence, hex);
    return sotto_file_replace(path, sotto_view_text(text), 0600, fault);
}

enum sotto_status sotto_ledger_head_read(struct sotto_ledger_head *head, const char *path,
                                         struct sotto_fault *fault)
{
    struct sotto_ledger_head read;
    uint8_t *text;
    size_t length;
    char hex[SOTTO_DIGEST_HEX];
    int used = 0;
    enum sotto_status status = sotto_file_read(&text, &length, path, HEAD_BYTES_MAX, fault);

    if (status != SOTTO_OK)
        return status;
    if (sscanf((const char *)text, "sotto head 1\n%" SCNu64 " %64[0-9a-f]\n%n", &read.sequence, hex,
               &used) != 2 ||
        (size_t)used != length ||
        sotto_hex_decode(read.hash.bytes, sizeof read.hash.bytes, hex) != SOTTO_OK)
        status = sotto_fault_set(
            fault, SOTTO_MALFORMED,
            "%s is damaged: restore it from a backup together with the journal", path);
    else
        *head = read;
    free(text);
    return status;
}
