#include "participant/trainer/bench.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

#include "models/adapter/manifest.h"
#include "models/adapter/peft.h"
#include "participant/trainer/base.h"

static enum sotto_status base_check(const struct sotto_bench *bench, const char *folder,
                                    const char *model_folder, struct sotto_fault *fault)
{
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];

    return sotto_base_check(folder, model_folder, parts, sotto_model_parts(bench->model, parts),
                            fault);
}

static enum sotto_status lanes_check(const struct sotto_bench *bench, const char *folder,
                                     struct sotto_fault *fault)
{
    struct sotto_fault inner;
    enum sotto_status status = sotto_manifest_check_lanes(bench->lanes, &bench->layout, &inner);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the adapter in %s: %s", folder, inner.text);
    return SOTTO_OK;
}

enum sotto_status sotto_bench_open_adapter(struct sotto_bench *bench, const char *model_folder,
                                           enum sotto_weights weights, const char *adapter_folder,
                                           struct sotto_fault *fault)
{
    enum sotto_status status;

    *bench = (struct sotto_bench){0};
    status = sotto_model_open_on(&bench->model, model_folder, NULL, weights, fault);
    if (status == SOTTO_OK)
        status = sotto_peft_read(&bench->lanes, &bench->layout, adapter_folder,
                                 sotto_model_arch(bench->model), fault);
    if (status == SOTTO_OK)
        status = base_check(bench, adapter_folder, model_folder, fault);
    if (status == SOTTO_OK)
        status = lanes_check(bench, adapter_folder, fault);
    if (status != SOTTO_OK)
        sotto_bench_close(bench);
    return status;
}

enum sotto_status sotto_bench_open_trainer(struct sotto_bench *bench, struct sotto_fault *fault)
{
    enum sotto_status status = sotto_trainer_open(&bench->trainer, bench->model, &bench->layout,
                                                  SOTTO_BENCH_BATCH, NULL, fault);

    if (status == SOTTO_OK)
        status = sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count);
    if (status != SOTTO_OK)
        sotto_bench_close(bench);
    return status;
}

enum sotto_status sotto_bench_open(struct sotto_bench *bench, const char *model_folder,
                                   const char *adapter_folder, struct sotto_fault *fault)
{
    enum sotto_status status =
        sotto_bench_open_adapter(bench, model_folder, SOTTO_WEIGHTS_FLOAT32, adapter_folder, fault);

    return status == SOTTO_OK ? sotto_bench_open_trainer(bench, fault) : status;
}

/* The lanes of the classifier's bias; NULL: there is none. */
static const struct sotto_layout_tensor *head_bias(const struct sotto_layout *layout)
{
    for (size_t i = 0; i < layout->tensor_count; i++) {
        if (layout->tensors[i].role == SOTTO_ROLE_HEAD_BIAS)
            return &layout->tensors[i];
    }
    return NULL;
}

enum sotto_status sotto_bench_expect(struct sotto_bench *bench, const struct sotto_dataset *mix,
                                     struct sotto_fault *fault)
{
    const struct sotto_layout_tensor *bias = head_bias(&bench->layout);
    float log_shares[SOTTO_LABELS_MAX];
    float *lanes = malloc(bench->layout.lane_count * sizeof *lanes);
    enum sotto_status status = SOTTO_OK;

    if (lanes == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the adapter");
    if (bias == NULL) {
        free(lanes);
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "the adapter has no classifier, so there are no labels to expect");
    }
    sotto_dataset_log_shares(log_shares, mix, bench->layout.choice.label_count);
    sotto_trainer_save(bench->trainer, lanes);
    for (uint32_t label = 0; label < bench->layout.choice.label_count; label++)
        lanes[bias->first + label] += log_shares[label];
    status = sotto_trainer_load(bench->trainer, lanes, bench->layout.lane_count);
    free(lanes);
    return status;
}

void sotto_bench_close(struct sotto_bench *bench)
{
    if (bench->trainer != NULL)
        sotto_trainer_close(bench->trainer);
    if (bench->model != NULL)
        sotto_model_close(bench->model);
    free(bench->lanes);
    bench->trainer = NULL;
    bench->model = NULL;
    bench->lanes = NULL;
}

json_t *sotto_bench_path(const char *path)
{
    json_t *text = json_string(path);
    char line[PATH_MAX];

    if (text != NULL)
        return text;
    sotto_line_show(line, sizeof line, path);
    return json_string(line);
}
