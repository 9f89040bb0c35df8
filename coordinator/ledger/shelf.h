/*
 * What sites fetch by digest: files `items/<kind>/<hex digest>`, never changed and never half
 * there.
 *     roster   the roster message; SHA-256 of it
 *     layout   canonical layout bytes; sotto_hash_list("sotto/1 layout", {bytes})
 *     adapter  float32 lanes and their manifest (models/adapter/manifest.h);
 *              sotto_hash_list("sotto/1 adapter", {layout bytes, manifest})
 */
#ifndef SOTTO_COORDINATOR_LEDGER_SHELF_H
#define SOTTO_COORDINATOR_LEDGER_SHELF_H

#include "core/base/bytes.h"

enum sotto_shelf { SOTTO_SHELF_ROSTER, SOTTO_SHELF_LAYOUT, SOTTO_SHELF_ADAPTER, SOTTO_SHELF_COUNT };

enum { SOTTO_SHELF_BYTES_MAX = (1 << 30) + (1 << 20) };

/* "roster", "layout" or "adapter"; SOTTO_NOT_FOUND: no such kind of item. */
SOTTO_CHECKED enum sotto_status sotto_shelf_parse(enum sotto_shelf *shelf, const char *name);

/*
 * The digest under which `bytes` stands on a shelf; `layout`, its canonical bytes, matters for
 * adapters only. Of an adapter the manifest is taken at its word.
 *
 * SOTTO_MALFORMED: the layout does not parse; SOTTO_MISMATCH: the adapter is not as long as it
 * says, and the fault names the tensor in which it ends; SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_shelf_digest(struct sotto_digest *digest,
                                                   enum sotto_shelf shelf, struct sotto_view layout,
                                                   struct sotto_view bytes,
                                                   struct sotto_fault *fault);
/*
 * Whether `bytes` are what stands under this digest. The statuses of sotto_shelf_digest and, of an
 * adapter, of sotto_manifest_check; SOTTO_MISMATCH: they have another digest.
 */
SOTTO_CHECKED enum sotto_status sotto_shelf_check(const struct sotto_digest *digest,
                                                  enum sotto_shelf shelf, struct sotto_view layout,
                                                  struct sotto_view bytes,
                                                  struct sotto_fault *fault);

/* Durable when it returns; an item that is there stays, a damaged one is replaced. SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_shelf_store(const char *folder, enum sotto_shelf shelf,
                                                  const struct sotto_digest *digest,
                                                  struct sotto_view bytes,
                                                  struct sotto_fault *fault);
/* From malloc. SOTTO_NOT_FOUND, SOTTO_IO, SOTTO_NO_MEMORY. */
SOTTO_CHECKED enum sotto_status sotto_shelf_read(const char *folder, enum sotto_shelf shelf,
                                                 const struct sotto_digest *digest, uint8_t **bytes,
                                                 size_t *length, struct sotto_fault *fault);
/*
 * An adapter, checked as it comes from the disk. From malloc, or *bytes is NULL.
 *
 * SOTTO_FORGED: it is damaged, and the fault names the tensor; SOTTO_NOT_FOUND, SOTTO_IO,
 * SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_shelf_read_adapter(const char *folder,
                                                         const struct sotto_digest *digest,
                                                         struct sotto_view layout, uint8_t **bytes,
                                                         size_t *length, struct sotto_fault *fault);

#endif
