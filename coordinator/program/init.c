#include "coordinator/program/init.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/enrol/keys.h"
#include "coordinator/ledger/ledger.h"
#include "coordinator/program/settings.h"
#include "core/base/clock.h"
#include "core/base/entropy.h"
#include "core/base/file.h"

enum { INIT_PATH_MAX = 512, URL_MAX = 256, ADDRESS_MAX = 16, OPEN_FOLDERS_MAX = 8 };

static int entry_remove(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    (void)stat;
    (void)kind;
    (void)where;
    return remove(path);
}

static enum sotto_status folders_make(const char *folder, struct sotto_fault *fault)
{
    static const char *const names[] = {"items/roster", "items/layout", "items/adapter", "spool"};
    char path[INIT_PATH_MAX];
    enum sotto_status status = sotto_folder_make(folder, fault);

    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == SOTTO_OK; i++) {
        status = sotto_path_join(path, sizeof path, folder, names[i]);
        if (status == SOTTO_OK)
            status = sotto_folder_make(path, fault);
    }
    return status;
}

/* IPv6 addresses stand in brackets. */
static void url_write(char url[URL_MAX], const struct sotto_init *init)
{
    bool is_ipv6 = strchr(init->hosts[0], ':') != NULL;

    snprintf(url, URL_MAX, "https://%s%s%s:%u", is_ipv6 ? "[" : "", init->hosts[0],
             is_ipv6 ? "]" : "", init->port);
}

/* Who names nothing but the loopback address wants nobody else to call. */
static const char *listening_address(const struct sotto_init *init)
{
    if (init->host_count == 1 && strcmp(init->hosts[0], "127.0.0.1") == 0)
        return "127.0.0.1";
    return "0.0.0.0";
}

static enum sotto_status state_make(const char *folder, const struct sotto_init *init,
                                    struct sotto_fault *fault)
{
    char url[URL_MAX];
    char address[ADDRESS_MAX];
    struct sotto_settings settings = {.address = address, .port = init->port, .url = url};
    struct sotto_secret signing;
    struct sotto_keys_setup keys = {
        .names = init->hosts, .name_count = init->host_count, .url = url, .signing = &signing};
    struct sotto_entropy entropy;
    struct sotto_clock clock;
    enum sotto_status status = folders_make(folder, fault);

    url_write(url, init);
    snprintf(address, sizeof address, "%s", listening_address(init));
    sotto_clock_init_system(&clock);
    sotto_entropy_init_system(&entropy);
    sotto_entropy_fill(&entropy, signing.bytes, sizeof signing.bytes);
    keys.now_s = sotto_clock_wall_ms(&clock) / 1000;
    if (status == SOTTO_OK)
        status = sotto_keys_create(folder, &keys, fault);
    if (status == SOTTO_OK)
        status = sotto_ledger_create(folder, fault);
    if (status == SOTTO_OK)
        status = sotto_settings_create(folder, &settings, fault);
    sotto_wipe(&signing, sizeof signing);
    return status;
}

enum sotto_status sotto_init_run(const struct sotto_init *init, struct sotto_fault *fault)
{
    char made[INIT_PATH_MAX];
    size_t length = strlen(init->folder);
    enum sotto_status status;

    while (length > 1 && init->folder[length - 1] == '/')
        length--;
    if (length + 16 >= sizeof made)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", init->folder);
    snprintf(made, sizeof made, "%.*s.%d", (int)length, init->folder, (int)getpid());
    if (rmdir(init->folder) != 0 && errno != ENOENT)
        return sotto_fault_set(fault, SOTTO_BUSY,
                               "%s is there already and is not an empty folder: choose another, or "
                               "serve what it holds",
                               init->folder);
    status = state_make(made, init, fault);
    if (status == SOTTO_OK && rename(made, init->folder) != 0)
        status = sotto_fault_set(fault, SOTTO_IO, "%s cannot be made: %s", init->folder,
                                 strerror(errno));
    if (status != SOTTO_OK)
        nftw(made, entry_remove, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
    return status;
}
