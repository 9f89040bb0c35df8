#include "models/data/listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"

struct search {
    struct sotto_listing *listing;
    const char *folder;
    const struct sotto_label_names *labels;
    struct sotto_fault *fault;
};

/* The index of a label, or labels->count. */
static size_t label_index(const struct sotto_label_names *labels, const char *name)
{
    size_t label = 0;

    while (label < labels->count && strcmp(labels->names[label], name) != 0)
        label++;
    return label;
}

static enum sotto_status add_entry(struct search *search, const char *path, uint32_t label)
{
    struct sotto_listing *listing = search->listing;
    char *copy = NULL;

    if (listing->count == SOTTO_DATASET_MAX)
        return sotto_fault_set(search->fault, SOTTO_OVER_LIMIT, "%s: more than %d pictures",
                               search->folder, SOTTO_DATASET_MAX);
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 256 : 2 * listing->capacity;
        void *grown = realloc(listing->entries, capacity * sizeof *listing->entries);

        if (grown != NULL) {
            listing->entries = grown;
            listing->capacity = capacity;
        }
    }
    if (listing->count < listing->capacity)
        copy = strdup(path);
    if (copy == NULL)
        return sotto_fault_set(search->fault, SOTTO_NO_MEMORY, "%s: no memory to list it",
                               search->folder);
    listing->entries[listing->count++] = (struct sotto_listing_entry){copy, label};
    return SOTTO_OK;
}

/* out[PATH_MAX]; facts of what is there. */
static enum sotto_status look_at(char *out, struct stat *facts, const char *folder,
                                 const char *name, struct sotto_fault *fault)
{
    if (sotto_path_join(out, PATH_MAX, folder, name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%.300s: a path below it is too long",
                               folder);
    if (stat(out, facts) != 0)
        return sotto_file_fault(fault, "look at", out);
    return SOTTO_OK;
}

static enum sotto_status list_picture(struct search *search, const char *label_folder,
                                      const char *name, uint32_t label)
{
    char path[PATH_MAX];
    struct stat facts;
    enum sotto_status status = look_at(path, &facts, label_folder, name, search->fault);

    if (status != SOTTO_OK)
        return status;
    if (!S_ISREG(facts.st_mode))
        return sotto_fault_set(search->fault, SOTTO_MALFORMED,
                               "%s: no file; a label's folder holds pictures only: move it away",
                               path);
    return add_entry(search, path, label);
}

/* All pictures of one label. */
static enum sotto_status list_label(struct search *search, const char *path, uint32_t label)
{
    struct sotto_listing *listing = search->listing;
    size_t before = listing->count;
    enum sotto_status status = SOTTO_OK;
    DIR *open_folder = opendir(path);
    const struct dirent *entry;

    if (open_folder == NULL)
        return sotto_file_fault(search->fault, "list", path);
    while (status == SOTTO_OK && (entry = readdir(open_folder)) != NULL) {
        if (entry->d_name[0] != '.')
            status = list_picture(search, path, entry->d_name, label);
    }
    closedir(open_folder);
    if (status == SOTTO_OK && listing->count == before)
        return sotto_fault_set(search->fault, SOTTO_MALFORMED,
                               "%s: an empty folder: put pictures into it or remove it", path);
    return status;
}

/* One entry of the ImageFolder: a label's folder, or a file that is passed over. */
static enum sotto_status list_entry(struct search *search, const char *name)
{
    char path[PATH_MAX];
    struct stat facts;
    size_t label = label_index(search->labels, name);
    enum sotto_status status = look_at(path, &facts, search->folder, name, search->fault);

    if (status != SOTTO_OK || !S_ISDIR(facts.st_mode))
        return status;
    if (label == search->labels->count)
        return sotto_fault_set(search->fault, SOTTO_MISMATCH,
                               "%s: \"%s\" is none of the %zu labels: rename or remove the folder",
                               path, name, search->labels->count);
    return list_label(search, path, (uint32_t)label);
}

static int compare_entries(const void *left_item, const void *right_item)
{
    const struct sotto_listing_entry *left = left_item;
    const struct sotto_listing_entry *right = right_item;

    if (left->label != right->label)
        return left->label < right->label ? -1 : 1;
    return strcmp(left->path, right->path);
}

enum sotto_status sotto_listing_open(struct sotto_listing *listing, const char *folder,
                                     const struct sotto_label_names *labels,
                                     struct sotto_fault *fault)
{
    struct search search = {listing, folder, labels, fault};
    enum sotto_status status = SOTTO_OK;
    DIR *open_folder = opendir(folder);
    const struct dirent *entry;

    *listing = (struct sotto_listing){0};
    if (open_folder == NULL && sotto_path_is_link(folder))
        return sotto_file_fault(fault, "list", folder);
    if (open_folder == NULL)
        return sotto_fault_set(
            fault, errno == ENOENT || errno == ENOTDIR ? SOTTO_NOT_FOUND : SOTTO_IO,
            "cannot list %s: %s; give a folder with one folder of pictures a label", folder,
            strerror(errno));
    while (status == SOTTO_OK && (entry = readdir(open_folder)) != NULL) {
        if (entry->d_name[0] != '.')
            status = list_entry(&search, entry->d_name);
    }
    closedir(open_folder);
    if (status == SOTTO_OK && listing->count == 0)
        status =
            sotto_fault_set(fault, SOTTO_NOT_FOUND,
                            "%s: no picture in it; make one folder of pictures a label", folder);
    if (status != SOTTO_OK) {
        sotto_listing_close(listing);
        return status;
    }
    qsort(listing->entries, listing->count, sizeof *listing->entries, compare_entries);
    return SOTTO_OK;
}

void sotto_listing_close(struct sotto_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->entries[i].path);
    free(listing->entries);
    *listing = (struct sotto_listing){0};
}
