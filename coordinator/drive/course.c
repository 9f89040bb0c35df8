#include "coordinator/drive/course.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/drive/momentum.h"
#include "coordinator/drive/progress.h"

static enum sotto_status stand_read(struct sotto_course *course,
                                    const struct sotto_course_ground *ground,
                                    const struct sotto_campaign *campaign,
                                    struct sotto_fault *fault)
{
    enum sotto_status status =
        sotto_definition_decode(&course->definition, sotto_view_text(campaign->definition), fault);

    return status == SOTTO_OK ? sotto_progress_read(&course->progress, ground->ledger,
                                                    &course->definition, ground->signer, fault)
                              : status;
}

static struct sotto_momentum momentum_of(const struct sotto_course *course,
                                         const struct sotto_course_ground *ground)
{
    return (struct sotto_momentum){ground->folder, &course->definition,
                                   course->progress.adapter_round, &course->progress.adapter};
}

/* Turns the next round into a pause if it could not be applied. */
static void round_check(struct sotto_course *course, const struct sotto_course_ground *ground)
{
    const struct sotto_momentum momentum = momentum_of(course, ground);
    struct sotto_fault fault = {0};
    float *values;

    if (sotto_momentum_read(&values, &momentum, &fault) != SOTTO_OK) {
        course->next = SOTTO_NEXT_PAUSE;
        snprintf(course->reason, sizeof course->reason,
                 "%.120s: restore them from a backup and start the campaign again, or start it "
                 "with --new-moments",
                 fault.text);
    }
    free(values);
}

enum sotto_status sotto_course_read(struct sotto_course *course,
                                    const struct sotto_course_ground *ground,
                                    const struct sotto_campaign *campaign, const char *last_reason,
                                    struct sotto_fault *fault)
{
    enum sotto_status status = stand_read(course, ground, campaign, fault);

    if (status != SOTTO_OK)
        return status;
    course->reason[0] = '\0';
    course->next = sotto_timetable_next(&course->definition, &course->progress);
    if (course->next == SOTTO_NEXT_PAUSE)
        snprintf(course->reason, sizeof course->reason,
                 "%d rounds in a row were abandoned, the last: %s", SOTTO_ABANDONED_IN_A_ROW_MAX,
                 last_reason);
    if (course->next == SOTTO_NEXT_ROUND)
        round_check(course, ground);
    return SOTTO_OK;
}

enum sotto_status sotto_course_renew(const struct sotto_course_ground *ground,
                                     const struct sotto_campaign *campaign,
                                     struct sotto_fault *fault)
{
    struct sotto_course course;
    struct sotto_momentum momentum;
    enum sotto_status status = stand_read(&course, ground, campaign, fault);

    if (status != SOTTO_OK)
        return status;
    momentum = momentum_of(&course, ground);
    return sotto_momentum_renew(&momentum, fault);
}
