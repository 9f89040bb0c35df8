#include "simulations/partition.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"

/* The pool's indices by label, each list shuffled; drawing takes the last. */
struct urn {
    uint32_t *indices; /* [pool count], label after label */
    size_t *first;     /* [label_count] */
    size_t *left;      /* [label_count] */
    size_t label_count;
};

static void urn_close(struct urn *urn)
{
    free(urn->indices);
    free(urn->first);
    free(urn->left);
}

static void shuffle(uint32_t *items, size_t count, struct sotto_entropy *entropy)
{
    for (size_t last = count; last > 1; last--) {
        size_t other = (size_t)sotto_entropy_below(entropy, last);
        uint32_t kept = items[last - 1];

        items[last - 1] = items[other];
        items[other] = kept;
    }
}

static enum sotto_status urn_open(struct urn *urn, const struct sotto_dataset *pool,
                                  size_t label_count, struct sotto_entropy *entropy,
                                  struct sotto_fault *fault)
{
    size_t filled = 0;

    urn->label_count = label_count;
    urn->indices = calloc(pool->count, sizeof *urn->indices);
    urn->first = calloc(label_count, sizeof *urn->first);
    urn->left = calloc(label_count, sizeof *urn->left);
    if (urn->indices == NULL || urn->first == NULL || urn->left == NULL)
        return SOTTO_NO_MEMORY;
    for (size_t label = 0; label < label_count; label++) {
        urn->first[label] = filled;
        for (size_t example = 0; example < pool->count; example++)
            if (pool->labels[example] == label)
                urn->indices[filled++] = (uint32_t)example;
        urn->left[label] = filled - urn->first[label];
        shuffle(urn->indices + urn->first[label], urn->left[label], entropy);
    }
    if (filled < pool->count)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "the pool has labels beyond the %zu named ones: complete `labels`",
                               label_count);
    return SOTTO_OK;
}

/*
 * Gamma(alpha, 1): Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS
 * 26, 2000; below 1 by their section 6, Gamma(alpha + 1) * U^(1 / alpha).
 */
static double gamma_draw(double alpha, struct sotto_entropy *entropy)
{
    double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3;
    double c = 1 / sqrt(9 * d);
    double boost = alpha < 1 ? pow(1 - sotto_entropy_unit(entropy), 1 / alpha) : 1;

    for (;;) {
        double x = sotto_entropy_normal(entropy);
        double v = 1 + c * x;

        v = v * v * v;
        if (v > 0 && log(1 - sotto_entropy_unit(entropy)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v * boost;
    }
}

/* A label in proportion to its share among those that have examples left; at least one has. */
static size_t label_draw(const struct urn *urn, const double *shares, struct sotto_entropy *entropy)
{
    double point = 0;
    size_t drawn = 0;

    for (size_t label = 0; label < urn->label_count; label++)
        if (urn->left[label] > 0)
            point += shares[label];
    point *= sotto_entropy_unit(entropy);
    for (size_t label = 0; label < urn->label_count && point >= 0; label++) {
        if (urn->left[label] == 0)
            continue;
        drawn = label;
        point -= shares[label];
    }
    return drawn;
}

static int index_compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void site_fill(uint32_t *indices, size_t count, struct urn *urn,
                      const struct sotto_partition_choice *choice, struct sotto_entropy *entropy)
{
    double shares[SOTTO_PARTITION_LABELS_MAX];

    for (size_t label = 0; label < urn->label_count; label++)
        shares[label] = choice->alpha > 0 ? gamma_draw(choice->alpha, entropy) + 1e-12
                                          : (double)urn->left[label];
    for (size_t taken = 0; taken < count; taken++) {
        size_t label = label_draw(urn, shares, entropy);

        indices[taken] = urn->indices[urn->first[label] + --urn->left[label]];
    }
    qsort(indices, count, sizeof *indices, index_compare);
}

static enum sotto_status choice_check(const struct sotto_partition_choice *choice,
                                      struct sotto_fault *fault)
{
    if (choice->site_count == 0 || choice->examples_min == 0 ||
        choice->examples_max < choice->examples_min)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "examples_min %zu .. examples_max %zu for %zu sites is no range",
                               choice->examples_min, choice->examples_max, choice->site_count);
    if (choice->label_count == 0 || choice->label_count > SOTTO_PARTITION_LABELS_MAX)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%zu labels: 1 to %d are possible",
                               choice->label_count, SOTTO_PARTITION_LABELS_MAX);
    if (!(choice->alpha >= 0) || choice->alpha > 1e6)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "dirichlet_alpha %g: give a number from 0 (iid) to 1e6",
                               choice->alpha);
    return SOTTO_OK;
}

static enum sotto_status sizes_draw(struct sotto_partition *partition,
                                    const struct sotto_dataset *pool,
                                    const struct sotto_partition_choice *choice,
                                    struct sotto_entropy *entropy, struct sotto_fault *fault)
{
    size_t total = 0;

    for (size_t site = 0; site < choice->site_count; site++) {
        partition->first[site] = total;
        total +=
            choice->examples_min +
            (size_t)sotto_entropy_below(entropy, choice->examples_max - choice->examples_min + 1);
    }
    partition->first[choice->site_count] = total;
    if (total > pool->count)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "%zu sites want %zu examples, the pool has %zu: lower examples_max",
                               choice->site_count, total, pool->count);
    return SOTTO_OK;
}

enum sotto_status sotto_partition_open(struct sotto_partition *partition,
                                       const struct sotto_dataset *pool,
                                       const struct sotto_partition_choice *choice,
                                       struct sotto_fault *fault)
{
    struct sotto_entropy entropy;
    struct urn urn = {0};
    enum sotto_status status = choice_check(choice, fault);

    *partition = (struct sotto_partition){.site_count = choice->site_count};
    if (status != SOTTO_OK)
        return status;
    sotto_entropy_init_seeded(&entropy, choice->seed);
    partition->first = calloc(choice->site_count + 1, sizeof *partition->first);
    partition->indices = calloc(pool->count + 1, sizeof *partition->indices);
    status = SOTTO_NO_MEMORY;
    if (partition->first != NULL && partition->indices != NULL)
        status = sizes_draw(partition, pool, choice, &entropy, fault);
    if (status == SOTTO_OK)
        status = urn_open(&urn, pool, choice->label_count, &entropy, fault);
    if (status == SOTTO_OK)
        for (size_t site = 0; site < choice->site_count; site++)
            site_fill(partition->indices + partition->first[site],
                      partition->first[site + 1] - partition->first[site], &urn, choice, &entropy);
    urn_close(&urn);
    if (status != SOTTO_OK)
        sotto_partition_close(partition);
    return status;
}

void sotto_partition_close(struct sotto_partition *partition)
{
    free(partition->first);
    free(partition->indices);
    *partition = (struct sotto_partition){0};
}

static enum sotto_status example_write(const struct sotto_dataset *pool, uint32_t example,
                                       const char *label_folder, struct sotto_fault *fault)
{
    struct sotto_picture_form form = {.channels = pool->channels, .side = pool->side};
    size_t picture_bytes = (size_t)pool->channels * pool->side * pool->side;
    char path[PATH_MAX];
    enum sotto_status status = sotto_folder_make(label_folder, fault);

    if (status != SOTTO_OK)
        return status;
    if (snprintf(path, sizeof path, "%s/%06u.png", label_folder, example) >= (int)sizeof path)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: path too long", label_folder);
    return sotto_picture_write(path, pool->pixels + example * picture_bytes, form, fault);
}

enum sotto_status sotto_partition_write(const struct sotto_partition *partition,
                                        const struct sotto_dataset *pool,
                                        const struct sotto_label_names *labels, const char *folder,
                                        struct sotto_fault *fault)
{
    char label_folder[PATH_MAX];
    enum sotto_status status = SOTTO_OK;
    size_t site = 0;

    for (size_t i = 0; i < partition->first[partition->site_count] && status == SOTTO_OK; i++) {
        uint32_t example = partition->indices[i];

        while (i >= partition->first[site + 1])
            site++;
        if (snprintf(label_folder, sizeof label_folder, "%s/site-%zu/%s", folder, site + 1,
                     labels->names[pool->labels[example]]) >= (int)sizeof label_folder)
            return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: path too long", folder);
        status = example_write(pool, example, label_folder, fault);
    }
    return status;
}
