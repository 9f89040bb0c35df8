#include "participant/ledger/ledger.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "participant/ledger/record.h"

enum { HEAD_BYTES = 8, FRAME_BYTES_MAX = HEAD_BYTES + SOTTO_RECORD_BYTES_MAX + SOTTO_DIGEST_BYTES };

enum frame_state { FRAME_WHOLE, FRAME_TORN, FRAME_DAMAGED };

struct frame {
    struct sotto_view record;
    struct sotto_digest digest;
    size_t length;
};

static void frame_digest(struct sotto_digest *out, const struct sotto_digest *before,
                         struct sotto_view record)
{
    const struct sotto_view parts[] = {sotto_view_digest(before), record};

    sotto_hash(out, parts, 2);
}

static bool is_zeros(struct sotto_view bytes)
{
    for (size_t index = 0; index < bytes.length; index++)
        if (bytes.at[index] != 0)
            return false;
    return true;
}

/*
 * A torn frame is a prefix of one, or the zeros of a file that grew before its bytes came, or the
 * one and then the other, where the frame lies across two pages.
 */
static enum frame_state frame_read(struct frame *frame, struct sotto_view rest,
                                   const struct sotto_digest *before)
{
    uint32_t length = 0;
    struct sotto_digest digest;

    if (rest.length < HEAD_BYTES || is_zeros(rest))
        return FRAME_TORN;
    length = sotto_load_u32(rest.at);
    if (sotto_load_u32(rest.at + 4) != ~length || length > SOTTO_RECORD_BYTES_MAX)
        return is_zeros(sotto_view_of(rest.at + HEAD_BYTES, rest.length - HEAD_BYTES))
                   ? FRAME_TORN
                   : FRAME_DAMAGED;
    frame->length = (size_t)HEAD_BYTES + length + SOTTO_DIGEST_BYTES;
    if (rest.length < frame->length)
        return FRAME_TORN;
    frame->record = sotto_view_of(rest.at + HEAD_BYTES, length);
    frame_digest(&digest, before, frame->record);
    memcpy(frame->digest.bytes, rest.at + HEAD_BYTES + length, SOTTO_DIGEST_BYTES);
    if (sotto_digest_equal(&digest, &frame->digest))
        return FRAME_WHOLE;
    return rest.length == frame->length ? FRAME_TORN : FRAME_DAMAGED;
}

static enum sotto_status tell_unusable(enum sotto_status status, size_t at,
                                       struct sotto_fault *fault)
{
    if (status == SOTTO_UNSUPPORTED)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "the ledger has a record of another version at byte %zu: run the "
                               "version that wrote it, or enrol the site anew",
                               at);
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "the ledger is damaged at byte %zu: restore it from a backup of this "
                           "site, or enrol the site anew",
                           at);
}

enum sotto_status sotto_ledger_walk(struct sotto_ledger_extent *extent, struct sotto_view bytes,
                                    const struct sotto_ledger_visitor *visitor,
                                    struct sotto_fault *fault)
{
    struct sotto_ledger_extent reached = {0};
    enum sotto_status status = SOTTO_OK;

    while (reached.length < bytes.length) {
        struct sotto_view rest =
            sotto_view_of(bytes.at + reached.length, bytes.length - reached.length);
        struct frame frame;
        enum frame_state state = frame_read(&frame, rest, &reached.head);

        if (state == FRAME_TORN)
            break;
        if (state == FRAME_WHOLE)
            status = visitor->record(visitor->context, frame.record);
        if (state == FRAME_DAMAGED || status != SOTTO_OK)
            return tell_unusable(status, reached.length, fault);
        reached.head = frame.digest;
        reached.length += frame.length;
    }
    *extent = reached;
    return SOTTO_OK;
}

/* The whole file, in memory from malloc; read by position, so that appending goes on at the end. */
static enum sotto_status read_all(uint8_t **out, size_t *length, int descriptor,
                                  struct sotto_fault *fault)
{
    struct stat file;
    size_t have = 0;

    *out = NULL;
    if (fstat(descriptor, &file) != 0)
        return sotto_fault_set(fault, SOTTO_IO, "cannot read the ledger: %s", strerror(errno));
    if (file.st_size > SOTTO_LEDGER_BYTES_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the ledger is larger than %d bytes",
                               SOTTO_LEDGER_BYTES_MAX);
    *length = (size_t)file.st_size;
    *out = malloc(*length + 1);
    if (*out == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the ledger");
    while (have < *length) {
        ssize_t got = pread(descriptor, *out + have, *length - have, (off_t)have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(*out);
            *out = NULL;
            return sotto_fault_set(fault, SOTTO_IO, "cannot read the ledger to its end");
        }
        have += (size_t)got;
    }
    return SOTTO_OK;
}

enum sotto_status sotto_ledger_open(struct sotto_ledger *ledger, int descriptor,
                                    const struct sotto_ledger_visitor *visitor,
                                    struct sotto_fault *fault)
{
    struct sotto_ledger_extent extent = {0};
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status = read_all(&bytes, &length, descriptor, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_ledger_walk(&extent, sotto_view_of(bytes, length), visitor, fault);
    free(bytes);
    if (status != SOTTO_OK)
        return status;
    if (extent.length < length &&
        (ftruncate(descriptor, (off_t)extent.length) != 0 || fsync(descriptor) != 0))
        return sotto_fault_set(fault, SOTTO_IO, "cannot repair the ledger: %s", strerror(errno));
    *ledger = (struct sotto_ledger){.descriptor = descriptor, .head = extent.head};
    return SOTTO_OK;
}

enum sotto_status sotto_ledger_append(struct sotto_ledger *ledger, struct sotto_view record)
{
    uint8_t frame[FRAME_BYTES_MAX];
    struct sotto_digest digest;
    size_t length = HEAD_BYTES + record.length + SOTTO_DIGEST_BYTES;

    assert(record.length > 0 && record.length <= SOTTO_RECORD_BYTES_MAX);
    frame_digest(&digest, &ledger->head, record);
    sotto_store_u32(frame, (uint32_t)record.length);
    sotto_store_u32(frame + 4, ~(uint32_t)record.length);
    memcpy(frame + HEAD_BYTES, record.at, record.length);
    memcpy(frame + HEAD_BYTES + record.length, digest.bytes, sizeof digest.bytes);
    if (sotto_descriptor_write(ledger->descriptor, sotto_view_of(frame, length)) != SOTTO_OK ||
        fsync(ledger->descriptor) != 0)
        return SOTTO_IO;
    ledger->head = digest;
    return SOTTO_OK;
}
