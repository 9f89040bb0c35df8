#include "participant/confinement/confinement.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "participant/confinement/filter.h"
#include "participant/confinement/landlock.h"

static const char *role_name(enum sotto_role role)
{
    switch (role) {
    case SOTTO_ROLE_TRAINER: return "trainer";
    case SOTTO_ROLE_SEALER: return "sealer";
    case SOTTO_ROLE_COURIER: return "courier";
    }
    return "process";
}

static enum sotto_status harden(void)
{
    struct rlimit none = {0, 0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0)
        return SOTTO_UNSUPPORTED;
    return SOTTO_OK;
}

static enum sotto_status missing(struct sotto_fault *fault, enum sotto_role role, const char *layer)
{
    return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                           "this kernel has no %s, which confines the %s: use a newer one, or set "
                           "sandbox: degraded in site.yaml to go on without",
                           layer, role_name(role));
}

enum sotto_status sotto_confine(char layers[SOTTO_CONFINED_TEXT_MAX],
                                const struct sotto_confinement *confinement,
                                struct sotto_fault *fault)
{
    char landlock[32] = "no Landlock";
    int abi = 0;
    bool has_filter = false;

    layers[0] = '\0';
    if (harden() != SOTTO_OK)
        return missing(fault, confinement->role, "no-new-privileges");
    if (sotto_landlock_restrict(&abi, confinement) == SOTTO_OK)
        snprintf(landlock, sizeof landlock, "Landlock ABI %d", abi);
    else if (!confinement->is_degraded_allowed)
        return missing(fault, confinement->role, "Landlock");
    has_filter = sotto_filter_install(confinement) == SOTTO_OK;
    if (!has_filter && !confinement->is_degraded_allowed)
        return missing(fault, confinement->role, "seccomp");
    snprintf(layers, SOTTO_CONFINED_TEXT_MAX, "no-new-privileges, no dumps, %s, %s", landlock,
             has_filter ? "seccomp" : "no seccomp");
    return SOTTO_OK;
}
