/*
 * Splits a labelled pool among sites: disjoint, of seeded sizes, with labels iid or skewed.
 *
 * Skew: each site's label proportions are Dirichlet(alpha, ..., alpha) and its examples are drawn
 * accordingly without replacement; a label that has run out passes its share on to the others.
 * Source: Hsu, Qi, Brown, "Measuring the effects of non-identical data distribution", 2019, section
 * 3.
 */
#ifndef SOTTO_SIMULATIONS_PARTITION_H
#define SOTTO_SIMULATIONS_PARTITION_H

#include "core/base/entropy.h"
#include "models/data/dataset.h"

enum { SOTTO_PARTITION_LABELS_MAX = 100 };

struct sotto_partition {
    size_t site_count;
    size_t *first;     /* [site_count + 1] into indices */
    uint32_t *indices; /* of the pool, ascending within a site */
};

struct sotto_partition_choice {
    size_t site_count;
    size_t examples_min; /* a site's size is uniform in examples_min .. examples_max */
    size_t examples_max;
    size_t label_count;
    double alpha; /* > 0; 0: iid */
    uint64_t seed;
};

/*
 * SOTTO_OVER_LIMIT: the pool is too small, the fault says by how much; SOTTO_MALFORMED;
 * SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_partition_open(struct sotto_partition *partition,
                                                     const struct sotto_dataset *pool,
                                                     const struct sotto_partition_choice *choice,
                                                     struct sotto_fault *fault);
void sotto_partition_close(struct sotto_partition *partition);

/* Writes folder/site-K/<label>/<index>.png for every site, K from 1. */
SOTTO_CHECKED enum sotto_status sotto_partition_write(const struct sotto_partition *partition,
                                                      const struct sotto_dataset *pool,
                                                      const struct sotto_label_names *labels,
                                                      const char *folder,
                                                      struct sotto_fault *fault);

#endif
