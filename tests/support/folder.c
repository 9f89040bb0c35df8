#include "tests/support/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cmocka.h"

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void folder_open(struct folder *folder)
{
    const char *root = getenv("TMPDIR");

    snprintf(folder->path, sizeof folder->path, "%s/sotto-test-XXXXXX",
             root == NULL ? P_tmpdir : root);
    assert_non_null(mkdtemp(folder->path));
}

void folder_close(struct folder *folder)
{
    assert_int_equal(nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    folder->path[0] = '\0';
}

struct folder_path folder_path(const struct folder *folder, const char *name)
{
    struct folder_path path;
    int length = snprintf(path.text, sizeof path.text, "%s/%s", folder->path, name);

    assert_in_range(length, 1, sizeof path.text - 1);
    return path;
}

void folder_write(const struct folder *folder, const char *name, struct sotto_view bytes)
{
    struct folder_path path = folder_path(folder, name);
    FILE *file = fopen(path.text, "wb");

    assert_non_null(file);
    if (bytes.length > 0)
        assert_int_equal(fwrite(bytes.at, 1, bytes.length, file), bytes.length);
    assert_int_equal(fclose(file), 0);
}

bool folder_holds(const struct folder *folder, const char *name, struct sotto_view bytes)
{
    struct folder_path path = folder_path(folder, name);
    FILE *file = fopen(path.text, "rb");
    bool same = true;

    if (file == NULL)
        return false;
    for (size_t i = 0; same && i < bytes.length; i++)
        same = fgetc(file) == bytes.at[i];
    same = same && fgetc(file) == EOF;
    fclose(file);
    return same;
}

size_t folder_count(const struct folder *folder)
{
    DIR *stream = opendir(folder->path);
    size_t count = 0;

    assert_non_null(stream);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return count;
}
