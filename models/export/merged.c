#include "models/export/merged.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "models/arch/files.h"
#include "models/export/card.h"
#include "models/export/weights.h"
#include "models/weights/staging.h"

static enum sotto_status write_config(const char *folder, const struct sotto_model_files *files,
                                      const struct sotto_layout *layout, struct sotto_fault *fault)
{
    char *text = sotto_card_config(sotto_view_of(files->config, files->config_length), layout);
    char path[PATH_MAX];
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (text == NULL || sotto_path_join(path, sizeof path, folder, "config.json") != SOTTO_OK)
        sotto_fault_set(fault, status, "no memory to write %.300s", folder);
    else
        status = sotto_file_replace(path, sotto_view_text(text), 0644, fault);
    free(text);
    return status;
}

static enum sotto_status write_files(const char *folder, const char *base,
                                     const struct sotto_model_files *files,
                                     const struct sotto_adapted *adapted, struct sotto_fault *fault)
{
    enum sotto_status status = write_config(folder, files, adapted->layout, fault);

    if (status == SOTTO_OK)
        status = sotto_card_write(folder, base, adapted->layout, fault);
    if (status == SOTTO_OK)
        status = sotto_adapted_write(folder, adapted, fault);
    return status;
}

static enum sotto_status check_lanes(const struct sotto_layout *layout, const float *lanes,
                                     struct sotto_fault *fault)
{
    for (size_t lane = 0; lane < layout->lane_count; lane++) {
        if (!isfinite(lanes[lane]))
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "the adapter holds NaN or an infinity: use an earlier one");
    }
    return SOTTO_OK;
}

enum sotto_status sotto_merged_write(const char *folder, const char *base,
                                     const struct sotto_layout *layout, const float *lanes,
                                     struct sotto_fault *fault)
{
    struct sotto_model_files files = {0};
    const struct sotto_adapted adapted = {layout, lanes, &files.checkpoint};
    struct sotto_staging staging;
    enum sotto_status status = sotto_staging_check(folder, NULL, fault);

    if (status == SOTTO_OK)
        status = check_lanes(layout, lanes, fault);
    if (status == SOTTO_OK)
        status = sotto_model_files_open(&files, base, fault);
    if (status == SOTTO_OK)
        status = sotto_layout_check_arch(layout, &files.arch, fault);
    if (status == SOTTO_OK)
        status = sotto_staging_open(&staging, folder, fault);
    if (status == SOTTO_OK) {
        status = write_files(staging.partial, base, &files, &adapted, fault);
        if (status == SOTTO_OK)
            status = sotto_staging_publish(&staging, NULL, fault);
        else
            sotto_staging_discard(&staging);
    }
    sotto_model_files_close(&files);
    return status;
}
