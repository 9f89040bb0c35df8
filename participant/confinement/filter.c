#include "participant/confinement/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct call_list {
    const int *calls;
    size_t count;
};

#define CALLS(list)                                                                                \
    (struct call_list)                                                                             \
    {                                                                                              \
        list, sizeof list / sizeof *list                                                           \
    }

/*
 * Nobody: new programs, other processes, ways round the filter or out of the folder tree, the
 * kernel's own knobs.
 */
static const int denied_to_all[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(bpf),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(personality),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(openat2),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(quotactl),
};

static const int denied_to_trainer[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),     SCMP_SYS(listen),
    SCMP_SYS(accept), SCMP_SYS(accept4),    SCMP_SYS(sendto),  SCMP_SYS(sendmmsg),
};

static const int denied_to_courier[] = {
    SCMP_SYS(creat),   SCMP_SYS(truncate),  SCMP_SYS(unlink),    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),  SCMP_SYS(renameat),  SCMP_SYS(renameat2), SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat), SCMP_SYS(rmdir),     SCMP_SYS(link),      SCMP_SYS(linkat),
    SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(chmod),     SCMP_SYS(fchmodat),
    SCMP_SYS(chown),   SCMP_SYS(lchown),    SCMP_SYS(fchownat),  SCMP_SYS(listen),
    SCMP_SYS(accept),  SCMP_SYS(accept4),
};

static const int opening[] = {SCMP_SYS(open), SCMP_SYS(openat)};

/* All that a sealer ever does, besides the calls that sealer_rules admits in one form only. */
static const int allowed_to_sealer[] = {
    SCMP_SYS(read),           SCMP_SYS(write),        SCMP_SYS(writev),
    SCMP_SYS(pread64),        SCMP_SYS(close),        SCMP_SYS(fstat),
    SCMP_SYS(lseek),          SCMP_SYS(munmap),       SCMP_SYS(mremap),
    SCMP_SYS(madvise),        SCMP_SYS(brk),          SCMP_SYS(poll),
    SCMP_SYS(ppoll),          SCMP_SYS(recvmsg),      SCMP_SYS(sendmsg),
    SCMP_SYS(memfd_create),   SCMP_SYS(ftruncate),    SCMP_SYS(fcntl),
    SCMP_SYS(fsync),          SCMP_SYS(fdatasync),    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),  SCMP_SYS(futex),        SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),           SCMP_SYS(exit_group),   SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),         SCMP_SYS(gettid),       SCMP_SYS(tgkill),
    SCMP_SYS(sched_yield),
};

static int add_list(scmp_filter_ctx filter, uint32_t deed, struct call_list list)
{
    int result = 0;

    for (size_t index = 0; index < list.count && result == 0; index++)
        result = seccomp_rule_add(filter, deed, list.calls[index], 0);
    return result;
}

/*
 * Threads yes, namespaces no. clone3 hides its flags from a filter: without it libc falls back to
 * clone.
 */
static int deny_namespaces(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
    return result;
}

/* Memory is never executable, files are never named. */
static int sealer_rules(scmp_filter_ctx filter)
{
    int result = add_list(filter, SCMP_ACT_ALLOW, CALLS(allowed_to_sealer));

    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    return result;
}

static int trainer_rules(scmp_filter_ctx filter)
{
    int result = add_list(filter, SCMP_ACT_ERRNO(EPERM), CALLS(denied_to_all));

    if (result == 0)
        result = add_list(filter, SCMP_ACT_ERRNO(EPERM), CALLS(denied_to_trainer));
    return result == 0 ? deny_namespaces(filter) : result;
}

/*
 * IPv4, IPv6 and the kernel's routing table, which name resolution asks; every other family is
 * denied.
 */
static int deny_families(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));

    for (unsigned family = 0; family < AF_NETLINK && result == 0; family++)
        if (family != AF_INET && family != AF_INET6)
            result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                                      SCMP_A0(SCMP_CMP_EQ, family, 0));
    return result;
}

/* open(2) has its flags in the second argument, openat(2) in the third. */
static int deny_writing(scmp_filter_ctx filter)
{
    static const unsigned flags[] = {O_WRONLY, O_RDWR, O_CREAT};
    int result = 0;

    for (size_t index = 0; index < sizeof flags / sizeof *flags && result == 0; index++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, flags[index], flags[index]));
        if (result == 0)
            result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                                      SCMP_A2(SCMP_CMP_MASKED_EQ, flags[index], flags[index]));
    }
    return result;
}

static int courier_rules(scmp_filter_ctx filter, bool opens_nothing)
{
    int result = add_list(filter, SCMP_ACT_ERRNO(EPERM), CALLS(denied_to_all));

    if (result == 0)
        result = add_list(filter, SCMP_ACT_ERRNO(EPERM), CALLS(denied_to_courier));
    if (result == 0)
        result = opens_nothing ? add_list(filter, SCMP_ACT_ERRNO(EPERM), CALLS(opening))
                               : deny_writing(filter);
    if (result == 0)
        result = deny_families(filter);
    return result == 0 ? deny_namespaces(filter) : result;
}

static int role_rules(scmp_filter_ctx filter, const struct sotto_confinement *confinement)
{
    switch (confinement->role) {
    case SOTTO_ROLE_TRAINER: return trainer_rules(filter);
    case SOTTO_ROLE_SEALER: return sealer_rules(filter);
    case SOTTO_ROLE_COURIER: return courier_rules(filter, confinement->opens_nothing);
    }
    return -EINVAL;
}

enum sotto_status sotto_filter_install(const struct sotto_confinement *confinement)
{
    bool is_sealer = confinement->role == SOTTO_ROLE_SEALER;
    scmp_filter_ctx filter = seccomp_init(is_sealer ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
    int result = -ENOMEM;

    if (filter == NULL)
        return SOTTO_UNSUPPORTED;
    result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = role_rules(filter, confinement);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result == 0 ? SOTTO_OK : SOTTO_UNSUPPORTED;
}
