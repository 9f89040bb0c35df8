#include "coordinator/drive/course.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drive/momentum.h"
#include "coordinator/drive/progress.h"
#include "coordinator/ledger/shelf.h"

static enum sotto_status definition_read(struct sotto_course *course,
                                         const struct sotto_campaign *campaign,
                                         struct sotto_fault *fault)
{
    return sotto_definition_decode(&course->definition, sotto_view_text(campaign->definition),
                                   fault);
}

static enum sotto_status progress_read(struct sotto_course *course,
                                       const struct sotto_course_ground *ground,
                                       struct sotto_fault *fault)
{
    return sotto_progress_read(&course->progress, ground->ledger, &course->definition,
                               ground->signer, fault);
}

static struct sotto_momentum momentum_of(const struct sotto_course *course,
                                         const struct sotto_course_ground *ground)
{
    return (struct sotto_momentum){ground->folder, &course->definition,
                                   course->progress.adapter_round, &course->progress.adapter};
}

/* The version that the next round starts from is there and whole. */
static enum sotto_status adapter_check(const struct sotto_course *course,
                                       const struct sotto_course_ground *ground,
                                       struct sotto_fault *fault)
{
    uint8_t *layout = NULL, *adapter = NULL;
    size_t layout_length, adapter_length;
    enum sotto_status status =
        sotto_shelf_read(ground->folder, SOTTO_SHELF_LAYOUT, &course->definition.layout, &layout,
                         &layout_length, fault);

    if (status == SOTTO_OK)
        status = sotto_shelf_read_adapter(ground->folder, &course->progress.adapter,
                                          sotto_view_of(layout, layout_length), &adapter,
                                          &adapter_length, fault);
    free(layout);
    free(adapter);
    return status;
}

static enum sotto_status moments_check(const struct sotto_course *course,
                                       const struct sotto_course_ground *ground,
                                       struct sotto_fault *fault)
{
    const struct sotto_momentum momentum = momentum_of(course, ground);
    float *values;
    enum sotto_status status = sotto_momentum_read(&values, &momentum, fault);

    free(values);
    return status;
}

/* Turns the next round into a pause if it could not be applied. */
static void round_check(struct sotto_course *course, const struct sotto_course_ground *ground)
{
    const char *remedy = "restore items/ from a backup and start the campaign again";
    struct sotto_fault fault = {0};
    enum sotto_status status = adapter_check(course, ground, &fault);

    if (status == SOTTO_OK) {
        remedy = "restore them from a backup and start the campaign again, or start it with "
                 "--new-moments";
        status = moments_check(course, ground, &fault);
    }
    if (status == SOTTO_OK)
        return;
    course->next = SOTTO_NEXT_PAUSE;
    snprintf(course->reason, sizeof course->reason, "%.*s: %s",
             (int)(sizeof course->reason - strlen(remedy) - 3), fault.text, remedy);
}

enum sotto_status sotto_course_read(struct sotto_course *course,
                                    const struct sotto_course_ground *ground,
                                    const struct sotto_campaign *campaign, const char *last_reason,
                                    struct sotto_fault *fault)
{
    struct sotto_fault cause = {0};
    enum sotto_status status = definition_read(course, campaign, &cause);

    /* One that nobody can run must not stop the coordinator, and with it everything else. */
    if (status != SOTTO_OK) {
        course->next = SOTTO_NEXT_PAUSE;
        snprintf(course->reason, sizeof course->reason, "%.*s", (int)(sizeof course->reason - 1),
                 cause.text);
        return SOTTO_OK;
    }
    status = progress_read(course, ground, fault);
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
    enum sotto_status status = definition_read(&course, campaign, fault);

    if (status == SOTTO_OK)
        status = progress_read(&course, ground, fault);
    if (status != SOTTO_OK)
        return status;
    momentum = momentum_of(&course, ground);
    return sotto_momentum_renew(&momentum, fault);
}
