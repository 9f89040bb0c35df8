/*
 * site.yaml: what a site's people decide. Read by the supervisor alone; the sealer gets the policy,
 * the trainer its paths, the courier the address. docs/sites.md explains every key.
 */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_SITE_H
#define SOTTO_PARTICIPANT_SUPERVISOR_SITE_H

#include "core/base/bytes.h"
#include "core/wire/enrolment.h"
#include "participant/channel/start.h"
#include "participant/sealer/policy.h"

struct sotto_site_config {
    char url[SOTTO_ADDRESS_MAX + 1];
    char name[SOTTO_SITE_NAME_MAX + 1];
    uint32_t id;
    char model[SOTTO_START_PATH_MAX];
    char examples[SOTTO_START_PATH_MAX];
    char labels[SOTTO_START_PATH_MAX]; /* "" unless examples is an IDX file */
    uint32_t thread_count;             /* that train, 1 .. SOTTO_START_THREADS_MAX */
    char chat[SOTTO_START_CHAT_MAX];   /* the format of conversations, or "" */
    uint32_t text_length;              /* tokens of a text; 0: as the model takes */
    bool has_half_weights;             /* weights: bfloat16 */
    bool is_degraded_allowed;          /* sandbox: degraded */
    struct sotto_policy policy;
};

/*
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED (file, line and key are in the fault), SOTTO_OVER_LIMIT,
 * SOTTO_IO: site untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_site_load(struct sotto_site_config *site, const char *path,
                                                struct sotto_fault *fault);
/* The same over bytes; `name` stands for the file in the fault. */
SOTTO_CHECKED enum sotto_status sotto_site_decode(struct sotto_site_config *site, const char *name,
                                                  struct sotto_view bytes,
                                                  struct sotto_fault *fault);

enum { SOTTO_SITE_YAML_MAX = 8 * 1024 };

/* `key=value` strings that replace policy values. */
struct sotto_policy_overrides {
    const char *const *items;
    size_t count;
};

/*
 * Writes the text of a commented site.yaml with the default policy and these overrides, and reads
 * it back. site->policy is what the file says then.
 *
 * SOTTO_MALFORMED: an override that names no key, or a value out of its range; the fault names it.
 * SOTTO_OVER_LIMIT.
 */
SOTTO_CHECKED enum sotto_status sotto_site_compose(char text[SOTTO_SITE_YAML_MAX],
                                                   struct sotto_site_config *site,
                                                   const struct sotto_policy_overrides *overrides,
                                                   struct sotto_fault *fault);

#endif
