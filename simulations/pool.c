#include "simulations/pool.h"

enum sotto_status sotto_pool_open(struct sotto_dataset *pool, struct sotto_partition *partition,
                                  const struct sotto_scenario *scenario, struct sotto_fault *fault)
{
    struct sotto_idx_slice slice = {.images_path = scenario->train_images,
                                    .labels_path = scenario->train_labels,
                                    .first = scenario->train_first,
                                    .count = scenario->train_count};
    struct sotto_partition_choice choice = {.site_count = scenario->sites,
                                            .examples_min = scenario->examples_min,
                                            .examples_max = scenario->examples_max,
                                            .label_count = scenario->labels_count,
                                            .alpha = scenario->dirichlet_alpha,
                                            .seed = scenario->seed};
    enum sotto_status status = sotto_dataset_open_idx(pool, &slice, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_partition_open(partition, pool, &choice, fault);
    if (status != SOTTO_OK)
        sotto_dataset_close(pool);
    return status;
}

enum sotto_status sotto_held_out_open(struct sotto_dataset *held_out,
                                      const struct sotto_scenario *scenario,
                                      struct sotto_fault *fault)
{
    struct sotto_idx_slice slice = {.images_path = scenario->test_images,
                                    .labels_path = scenario->test_labels,
                                    .count = scenario->test_count};

    return sotto_dataset_open_idx(held_out, &slice, fault);
}
