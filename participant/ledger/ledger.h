/*
 * A site's ledger: an append-only file of records, each on the disk before the deed that it tells
 * of.
 *
 *     frame = length (u32) || ~length (u32) || record || SHA-256(digest of the frame before ||
 *     record)
 *
 * A last frame that a power cut left unfinished was never acted on and is dropped. Damage anywhere
 * before it is not tolerated: what the site must never repeat could be missing.
 */
#ifndef SOTTO_PARTICIPANT_LEDGER_LEDGER_H
#define SOTTO_PARTICIPANT_LEDGER_LEDGER_H

#include "core/base/bytes.h"

enum { SOTTO_LEDGER_BYTES_MAX = 256 * 1024 * 1024 };

struct sotto_ledger {
    int descriptor; /* borrowed */
    struct sotto_digest head;
};

struct sotto_ledger_visitor {
    /*
     * One record, oldest first. Another status than SOTTO_OK stops the walk with SOTTO_MALFORMED,
     * or SOTTO_UNSUPPORTED if it is that.
     */
    enum sotto_status (*record)(void *context, struct sotto_view record);
    void *context;
};

/* How far the records go. */
struct sotto_ledger_extent {
    size_t length;            /* bytes of whole frames; what is behind is the torn tail */
    struct sotto_digest head; /* digest of the last one */
};

/*
 * Walks a ledger in memory. SOTTO_MALFORMED: damaged; SOTTO_UNSUPPORTED: of another version; the
 * fault names the byte; extent untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_walk(struct sotto_ledger_extent *extent,
                                                  struct sotto_view bytes,
                                                  const struct sotto_ledger_visitor *visitor,
                                                  struct sotto_fault *fault);

/*
 * Takes a file, opened for reading and appending, into use: walks it and cuts off a torn tail.
 *
 * SOTTO_MALFORMED, SOTTO_UNSUPPORTED, SOTTO_OVER_LIMIT, SOTTO_IO, SOTTO_NO_MEMORY: not to be used;
 * the file is as it was.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_open(struct sotto_ledger *ledger, int descriptor,
                                                  const struct sotto_ledger_visitor *visitor,
                                                  struct sotto_fault *fault);

/*
 * One frame, fsynced. SOTTO_IO: the ledger may end in a torn frame and is not to be used any more.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_append(struct sotto_ledger *ledger,
                                                    struct sotto_view record);

#endif
