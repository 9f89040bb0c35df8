/*
 * The uploads of one round on their way to the disk: `<folder>/<site>.part` while chunks come,
 * `<site>.upload` once an upload is whole, its digest right and its bytes durable. Only then may
 * the upload's event be journalled.
 *
 * A part grows at its end only, by chunks whose own digest was right, so whatever a crash leaves is
 * a beginning of the upload; memory is one chunk, which the caller holds.
 */
#ifndef SOTTO_COORDINATOR_GATE_SPOOL_H
#define SOTTO_COORDINATOR_GATE_SPOOL_H

#include "coordinator/gate/chunk.h"
#include "crypto/primitives/hash.h"
#include "crypto/secagg/terms.h"

enum { SOTTO_SPOOL_PATH_MAX = 512, SOTTO_SPOOL_PLACES = 1 << 15 };

enum sotto_upload_state {
    SOTTO_UPLOAD_NONE,
    SOTTO_UPLOAD_PARTIAL,
    SOTTO_UPLOAD_WHOLE, /* durable, its event is not */
    SOTTO_UPLOAD_ACKNOWLEDGED,
};

struct sotto_upload {
    uint32_t site;
    enum sotto_upload_state state;
    uint64_t received;
    struct sotto_digest digest;
    struct sotto_hasher hasher; /* over the first `received` bytes, while PARTIAL */
    int descriptor;             /* while PARTIAL */
};

struct sotto_spool {
    char folder[SOTTO_SPOOL_PATH_MAX];
    uint64_t total; /* bytes of every upload of this round */
    size_t upload_count;
    struct sotto_upload uploads[SOTTO_COHORT_MAX];
    uint16_t
        places[SOTTO_SPOOL_PLACES]; /* by hash of the site: 1 + its index in uploads; 0: free */
};

/* Makes the folder `<state>/spool/<campaign>/<round>`. SOTTO_OVER_LIMIT (path), SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_spool_open(struct sotto_spool *spool, const char *folder,
                                                 uint64_t total, struct sotto_fault *fault);
/* Closes files; they stay. */
void sotto_spool_close(struct sotto_spool *spool);
/* Closes, and removes the round's files and folder: the round is over. */
void sotto_spool_remove(struct sotto_spool *spool);

/* Bytes of this site's upload that need not be sent again. */
uint64_t sotto_spool_received(struct sotto_spool *spool, uint32_t site);

/*
 * Takes one chunk. upload->state is then PARTIAL or, with the last chunk, WHOLE; or it was so
 * already, and the site did not hear the answer: WHOLE and ACKNOWLEDGED uploads of the same digest
 * are SOTTO_OK again.
 *
 * SOTTO_UNEXPECTED: not where the part ends: go on at upload->received (0 if all has to come again
 * because the whole did not have its digest); SOTTO_MISMATCH: total is not this round's, or another
 * upload was acknowledged; SOTTO_FORGED: the chunk does not have its digest; SOTTO_MALFORMED: an
 * empty chunk or one beyond the end; SOTTO_OVER_LIMIT: too many sites or too long a chunk;
 * SOTTO_IO: the fault names the spool and what to do, the part is as it was.
 */
SOTTO_CHECKED enum sotto_status sotto_spool_take(struct sotto_spool *spool, uint32_t site,
                                                 const struct sotto_chunk *chunk,
                                                 const struct sotto_upload **upload,
                                                 struct sotto_fault *fault);

/* The upload's event is durable: now, or in an earlier life of the process. */
void sotto_spool_acknowledge(struct sotto_spool *spool, uint32_t site,
                             const struct sotto_digest *digest);

/* Where the whole upload of a site is. */
SOTTO_CHECKED enum sotto_status sotto_spool_path(const struct sotto_spool *spool, uint32_t site,
                                                 char out[SOTTO_SPOOL_PATH_MAX]);

#endif
