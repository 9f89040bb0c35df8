/*
 * The adapters that came home: adapters/<campaign>/round-<n>/ in PEFT format, and adapters/current,
 * a link to the newest. A directory appears whole, then the link moves: whoever reads current
 * always reads a whole adapter.
 */
#ifndef SOTTO_PARTICIPANT_TRAINER_SHELF_H
#define SOTTO_PARTICIPANT_TRAINER_SHELF_H

#include "models/adapter/peft.h"

enum { SOTTO_SHELF_PATH_MAX = 1200 };

struct sotto_shelf_entry {
    const char *shelf; /* the adapters folder */
    const char *campaign;
    uint32_t round;
    struct sotto_peft_base base;
};

/*
 *   path   out  the directory that was written
 *   lanes  in   [layout->lane_count]
 *
 * SOTTO_IO (a full disk), SOTTO_OVER_LIMIT, SOTTO_MALFORMED (NaN): what was current stays so; the
 * fault names the path.
 */
SOTTO_CHECKED enum sotto_status sotto_shelf_keep(char path[SOTTO_SHELF_PATH_MAX],
                                                 const struct sotto_shelf_entry *entry,
                                                 const float *lanes,
                                                 const struct sotto_layout *layout,
                                                 struct sotto_fault *fault);

#endif
