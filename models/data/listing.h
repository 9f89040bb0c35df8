/*
 * The pictures below an ImageFolder, folder/<label>/<picture>, in an order that does not depend on
 * the disk: label index, then file name by its bytes.
 */
#ifndef SOTTO_MODELS_DATA_LISTING_H
#define SOTTO_MODELS_DATA_LISTING_H

#include "models/data/dataset.h"

struct sotto_listing_entry {
    char *path;
    uint32_t label;
};

struct sotto_listing {
    struct sotto_listing_entry *entries;
    size_t count;
    size_t capacity;
};

/* Statuses as of sotto_dataset_open_folder, whose first half it is; the listing is then empty. */
SOTTO_CHECKED enum sotto_status sotto_listing_open(struct sotto_listing *listing,
                                                   const char *folder,
                                                   const struct sotto_label_names *labels,
                                                   struct sotto_fault *fault);
void sotto_listing_close(struct sotto_listing *listing);

#endif
