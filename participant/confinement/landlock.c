#include "participant/confinement/landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALL_CREATE_RULESET = 444, CALL_ADD_RULE = 445, CALL_RESTRICT_SELF = 446 };
enum { RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_ALL_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,     /* ABI 2 */
    FS_TRUNCATE = 1 << 14,  /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
};
enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1 };       /* ABI 4 */
enum { SCOPE_ABSTRACT_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1 }; /* ABI 6 */

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

static struct ruleset ruleset_of(int abi, enum sotto_role role)
{
    struct ruleset ruleset = {.files = FS_ALL_ABI_1};

    if (abi >= 2)
        ruleset.files |= FS_REFER;
    if (abi >= 3)
        ruleset.files |= FS_TRUNCATE;
    if (abi >= 4)
        ruleset.network =
            role == SOTTO_ROLE_COURIER ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
    if (abi >= 5)
        ruleset.files |= FS_IOCTL_DEV;
    if (abi >= 6)
        ruleset.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
    return ruleset;
}

/* Older kernels refuse a struct that is longer than theirs with anything but zeros behind it. */
static size_t ruleset_size(int abi)
{
    if (abi < 4)
        return sizeof(uint64_t);
    return abi < 6 ? 2 * sizeof(uint64_t) : sizeof(struct ruleset);
}

/* A path that is not there gives nothing away. */
static void allow(int rules, const char *path, uint64_t rights)
{
    struct path_rule rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
    struct stat kind;

    if (rule.parent < 0)
        return;
    rule.allowed = rights;
    if (fstat(rule.parent, &kind) == 0 && !S_ISDIR(kind.st_mode))
        rule.allowed &= FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE;
    syscall(CALL_ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent);
}

enum sotto_status sotto_landlock_restrict(int *abi, const struct sotto_confinement *reach)
{
    long version = syscall(CALL_CREATE_RULESET, NULL, 0, RULESET_VERSION);
    struct ruleset ruleset;
    int rules = -1;
    long result = -1;

    *abi = version > 0 ? (int)version : 0;
    if (version <= 0)
        return SOTTO_UNSUPPORTED;
    ruleset = ruleset_of(*abi, reach->role);
    rules = (int)syscall(CALL_CREATE_RULESET, &ruleset, ruleset_size(*abi), 0);
    if (rules < 0)
        return SOTTO_UNSUPPORTED;
    for (size_t at = 0; at < SOTTO_REACH_MAX && reach->readable[at] != NULL; at++)
        allow(rules, reach->readable[at], FS_READ_FILE | FS_READ_DIR);
    for (size_t at = 0; at < 2 && reach->writable[at] != NULL; at++)
        allow(rules, reach->writable[at], ruleset.files & ~(uint64_t)(FS_EXECUTE | FS_IOCTL_DEV));
    result = syscall(CALL_RESTRICT_SELF, rules, 0);
    close(rules);
    return result == 0 ? SOTTO_OK : SOTTO_UNSUPPORTED;
}
