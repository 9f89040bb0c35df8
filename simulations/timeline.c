#include "simulations/timeline.h"

#include <stdlib.h>
#include <string.h>

static bool is_earlier(const struct sotto_post *left, const struct sotto_post *right)
{
    return left->at_ms != right->at_ms ? left->at_ms < right->at_ms : left->order < right->order;
}

static void swap(struct sotto_post *left, struct sotto_post *right)
{
    struct sotto_post kept = *left;

    *left = *right;
    *right = kept;
}

static enum sotto_status heap_grow(struct sotto_timeline *timeline)
{
    size_t capacity = timeline->capacity ? 2 * timeline->capacity : 256;
    struct sotto_post *heap;

    if (timeline->count < timeline->capacity)
        return SOTTO_OK;
    heap = realloc(timeline->heap, capacity * sizeof *heap);
    if (heap == NULL)
        return SOTTO_NO_MEMORY;
    timeline->heap = heap;
    timeline->capacity = capacity;
    return SOTTO_OK;
}

enum sotto_status sotto_timeline_add(struct sotto_timeline *timeline, const struct sotto_post *post,
                                     struct sotto_view bytes)
{
    struct sotto_post added = *post;
    size_t at = timeline->count;

    if (heap_grow(timeline) != SOTTO_OK)
        return SOTTO_NO_MEMORY;
    added.bytes = malloc(bytes.length ? bytes.length : 1);
    if (added.bytes == NULL)
        return SOTTO_NO_MEMORY;
    if (bytes.length)
        memcpy(added.bytes, bytes.at, bytes.length);
    added.length = bytes.length;
    added.order = timeline->added++;
    timeline->heap[timeline->count++] = added;
    for (; at > 0 && is_earlier(&timeline->heap[at], &timeline->heap[(at - 1) / 2]);
         at = (at - 1) / 2)
        swap(&timeline->heap[at], &timeline->heap[(at - 1) / 2]);
    return SOTTO_OK;
}

static void sink(struct sotto_timeline *timeline)
{
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < timeline->count &&
            is_earlier(&timeline->heap[child + 1], &timeline->heap[child]))
            child++;
        if (child >= timeline->count || !is_earlier(&timeline->heap[child], &timeline->heap[at]))
            return;
        swap(&timeline->heap[at], &timeline->heap[child]);
        at = child;
    }
}

enum sotto_status sotto_timeline_take(struct sotto_timeline *timeline, struct sotto_post *post)
{
    if (timeline->count == 0)
        return SOTTO_NOT_FOUND;
    *post = timeline->heap[0];
    timeline->heap[0] = timeline->heap[--timeline->count];
    sink(timeline);
    return SOTTO_OK;
}

void sotto_timeline_close(struct sotto_timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++)
        free(timeline->heap[i].bytes);
    free(timeline->heap);
    *timeline = (struct sotto_timeline){0};
}
