#include "participant/supervisor/site.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/config.h"
#include "models/trainer.h"

/* As libcyaml reads it: absent optional keys are NULL. */
struct policy_text {
    uint32_t *cohort_min;
    uint32_t *survivors_min;
    double *corrupt_fraction_min;
    double *clip_norm_max;
    uint32_t *weight_max;
    uint32_t *epochs_max;
    uint32_t *rank_max;
    double *epsilon_max;
    double *epsilon_round_max;
    double *delta;
    char *targets;
    char *base_model;
    char *roster;
    bool *refuse_close_cohorts;
    char *roster_authority;
    uint32_t *organisation_max;
    uint32_t *known_min;
    char **known_identities;
    uint32_t known_identities_count;
};

enum sandbox { SANDBOX_FULL, SANDBOX_DEGRADED };

enum weights { WEIGHTS_FLOAT32, WEIGHTS_BFLOAT16 };

struct site_text {
    char *url;
    char *name;
    uint32_t id;
    char *model;
    char *examples;
    char *labels;
    uint32_t *threads;
    char *chat;
    uint32_t text_length;
    enum weights weights;
    enum sandbox sandbox;
    struct policy_text *policy;
};

enum { OPTIONAL = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL };

static const cyaml_schema_value_t identity_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 64),
};

static const cyaml_schema_field_t policy_fields[] = {
    CYAML_FIELD_UINT_PTR("cohort_min", OPTIONAL, struct policy_text, cohort_min),
    CYAML_FIELD_UINT_PTR("survivors_min", OPTIONAL, struct policy_text, survivors_min),
    CYAML_FIELD_FLOAT_PTR("corrupt_fraction_min", OPTIONAL, struct policy_text,
                          corrupt_fraction_min),
    CYAML_FIELD_FLOAT_PTR("clip_norm_max", OPTIONAL, struct policy_text, clip_norm_max),
    CYAML_FIELD_UINT_PTR("weight_max", OPTIONAL, struct policy_text, weight_max),
    CYAML_FIELD_UINT_PTR("epochs_max", OPTIONAL, struct policy_text, epochs_max),
    CYAML_FIELD_UINT_PTR("rank_max", OPTIONAL, struct policy_text, rank_max),
    CYAML_FIELD_FLOAT_PTR("epsilon_max", OPTIONAL, struct policy_text, epsilon_max),
    CYAML_FIELD_FLOAT_PTR("epsilon_round_max", OPTIONAL, struct policy_text, epsilon_round_max),
    CYAML_FIELD_FLOAT_PTR("delta", OPTIONAL, struct policy_text, delta),
    CYAML_FIELD_STRING_PTR("targets", OPTIONAL, struct policy_text, targets, 1, 128),
    CYAML_FIELD_STRING_PTR("base_model", OPTIONAL, struct policy_text, base_model, 1, 64),
    CYAML_FIELD_STRING_PTR("roster", OPTIONAL, struct policy_text, roster, 1, 64),
    CYAML_FIELD_BOOL_PTR("refuse_close_cohorts", OPTIONAL, struct policy_text,
                         refuse_close_cohorts),
    CYAML_FIELD_STRING_PTR("roster_authority", OPTIONAL, struct policy_text, roster_authority, 1,
                           64),
    CYAML_FIELD_UINT_PTR("organisation_max", OPTIONAL, struct policy_text, organisation_max),
    CYAML_FIELD_UINT_PTR("known_min", OPTIONAL, struct policy_text, known_min),
    CYAML_FIELD_SEQUENCE("known_identities", OPTIONAL, struct policy_text, known_identities,
                         &identity_schema, 0, SOTTO_KNOWN_MAX),
    CYAML_FIELD_END,
};

static const cyaml_strval_t sandboxes[] = {
    {"full", SANDBOX_FULL},
    {"degraded", SANDBOX_DEGRADED},
};

static const cyaml_strval_t weights[] = {
    {"float32", WEIGHTS_FLOAT32},
    {"bfloat16", WEIGHTS_BFLOAT16},
};

static const cyaml_schema_field_t site_fields[] = {
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct site_text, url, 1, SOTTO_ADDRESS_MAX),
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct site_text, name, 1,
                           SOTTO_SITE_NAME_MAX),
    CYAML_FIELD_UINT("id", CYAML_FLAG_DEFAULT, struct site_text, id),
    CYAML_FIELD_STRING_PTR("model", CYAML_FLAG_POINTER, struct site_text, model, 1,
                           SOTTO_START_PATH_MAX - 1),
    CYAML_FIELD_STRING_PTR("examples", CYAML_FLAG_POINTER, struct site_text, examples, 1,
                           SOTTO_START_PATH_MAX - 1),
    CYAML_FIELD_STRING_PTR("labels", OPTIONAL, struct site_text, labels, 1,
                           SOTTO_START_PATH_MAX - 1),
    CYAML_FIELD_UINT_PTR("threads", OPTIONAL, struct site_text, threads),
    CYAML_FIELD_STRING_PTR("chat", OPTIONAL, struct site_text, chat, 1, SOTTO_START_CHAT_MAX - 1),
    CYAML_FIELD_UINT("text_length", CYAML_FLAG_OPTIONAL, struct site_text, text_length),
    CYAML_FIELD_ENUM("weights", CYAML_FLAG_OPTIONAL, struct site_text, weights, weights,
                     CYAML_ARRAY_LEN(weights)),
    CYAML_FIELD_ENUM("sandbox", CYAML_FLAG_OPTIONAL, struct site_text, sandbox, sandboxes,
                     CYAML_ARRAY_LEN(sandboxes)),
    CYAML_FIELD_MAPPING_PTR("policy", OPTIONAL, struct site_text, policy, policy_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t site_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct site_text, site_fields),
};

static void set_u32(uint32_t *out, const uint32_t *given)
{
    if (given != NULL)
        *out = *given;
}

static void set_f64(double *out, const double *given)
{
    if (given != NULL)
        *out = *given;
}

enum { PIN_BYTES = 32 };

static enum sotto_status set_pin(uint8_t out[PIN_BYTES], bool *has, const char *hex,
                                 const char *key, struct sotto_fault *fault)
{
    *has = hex != NULL;
    if (hex != NULL && sotto_hex_decode(out, PIN_BYTES, hex) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "policy %s is not 64 hexadecimal digits",
                               key);
    return SOTTO_OK;
}

static enum sotto_status set_known(struct sotto_policy *policy, const struct policy_text *text,
                                   struct sotto_fault *fault)
{
    policy->known_count = text->known_identities_count;
    for (uint32_t index = 0; index < policy->known_count; index++)
        if (sotto_hex_decode(policy->known[index].bytes, sizeof policy->known[index].bytes,
                             text->known_identities[index]) != SOTTO_OK)
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "policy known_identities: entry %" PRIu32
                                   " is not 64 hexadecimal digits",
                                   index + 1);
    return SOTTO_OK;
}

static enum sotto_status set_pins(struct sotto_policy *policy, const struct policy_text *text,
                                  struct sotto_fault *fault)
{
    enum sotto_status status = set_pin(policy->base_model.bytes, &policy->has_base_model,
                                       text->base_model, "base_model", fault);

    if (status == SOTTO_OK)
        status = set_pin(policy->roster.bytes, &policy->has_roster, text->roster, "roster", fault);
    if (status == SOTTO_OK)
        status = set_pin(policy->roster_authority.bytes, &policy->has_roster_authority,
                         text->roster_authority, "roster_authority", fault);
    if (status == SOTTO_OK)
        status = set_known(policy, text, fault);
    return status;
}

static enum sotto_status policy_take(struct sotto_policy *policy, const struct policy_text *text,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    sotto_policy_init(policy);
    if (text == NULL)
        return SOTTO_OK;
    set_u32(&policy->cohort_min, text->cohort_min);
    set_u32(&policy->survivors_min, text->survivors_min);
    set_f64(&policy->corrupt_fraction_min, text->corrupt_fraction_min);
    set_f64(&policy->clip_norm_max, text->clip_norm_max);
    set_u32(&policy->weight_max, text->weight_max);
    set_u32(&policy->epochs_max, text->epochs_max);
    set_u32(&policy->rank_max, text->rank_max);
    set_f64(&policy->epsilon_max, text->epsilon_max);
    set_f64(&policy->epsilon_round_max, text->epsilon_round_max);
    set_f64(&policy->delta, text->delta);
    if (text->refuse_close_cohorts != NULL)
        policy->refuse_close_cohorts = *text->refuse_close_cohorts;
    set_u32(&policy->organisation_max, text->organisation_max);
    set_u32(&policy->known_min, text->known_min);
    status = set_pins(policy, text, fault);
    if (status == SOTTO_OK && text->targets != NULL)
        status = sotto_target_set_parse(&policy->target_set, text->targets, fault);
    return status == SOTTO_OK ? sotto_policy_validate(policy, fault) : status;
}

static enum sotto_status site_take(struct sotto_site_config *site, const struct site_text *text,
                                   const char *name, struct sotto_fault *fault)
{
    struct sotto_site_config read = {.id = text->id,
                                     .thread_count = 1,
                                     .text_length = text->text_length,
                                     .has_half_weights = text->weights == WEIGHTS_BFLOAT16,
                                     .is_degraded_allowed = text->sandbox == SANDBOX_DEGRADED};
    struct sotto_fault reason = {0};
    enum sotto_status status = policy_take(&read.policy, text->policy, &reason);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s: %s", name, reason.text);
    set_u32(&read.thread_count, text->threads);
    if (read.thread_count < 1 || read.thread_count > SOTTO_START_THREADS_MAX)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: threads is %u; it must be from 1 to %d",
                               name, read.thread_count, SOTTO_START_THREADS_MAX);
    snprintf(read.url, sizeof read.url, "%s", text->url);
    snprintf(read.name, sizeof read.name, "%s", text->name);
    snprintf(read.model, sizeof read.model, "%s", text->model);
    snprintf(read.examples, sizeof read.examples, "%s", text->examples);
    snprintf(read.labels, sizeof read.labels, "%s", text->labels == NULL ? "" : text->labels);
    snprintf(read.chat, sizeof read.chat, "%s", text->chat == NULL ? "" : text->chat);
    *site = read;
    return SOTTO_OK;
}

enum sotto_status sotto_site_load(struct sotto_site_config *site, const char *path,
                                  struct sotto_fault *fault)
{
    void *text = NULL;
    enum sotto_status status = sotto_config_load(&text, path, &site_schema, NULL, fault);

    if (status == SOTTO_OK)
        status = site_take(site, text, path, fault);
    sotto_config_free(text, &site_schema);
    return status;
}

enum sotto_status sotto_site_decode(struct sotto_site_config *site, const char *name,
                                    struct sotto_view bytes, struct sotto_fault *fault)
{
    void *text = NULL;
    enum sotto_status status = sotto_config_decode(&text, name, bytes, &site_schema, NULL, fault);

    if (status == SOTTO_OK)
        status = site_take(site, text, name, fault);
    sotto_config_free(text, &site_schema);
    return status;
}

static const struct policy_line {
    const char *key;
    const char *value; /* NULL: only a comment unless it is given */
    const char *comment;
} policy_lines[] = {
    {"cohort_min", "8", "smallest cohort that a plan may allow"},
    {"survivors_min", "6", "fewest members whose sum may be opened"},
    {"corrupt_fraction_min", "0.05", "share of the cohort that may collude with the coordinator"},
    {"clip_norm_max", "10", "largest length of this site's update"},
    {"weight_max", "4096", "own examples are counted up to here"},
    {"epochs_max", "20", "most passes over the examples in one round"},
    {"rank_max", "64", "largest rank of an adapter"},
    {"epsilon_max", "0", "most privacy that all rounds may cost in all; 0: no budget"},
    {"epsilon_round_max", "0", "most privacy that one round alone may cost; 0: any part of all"},
    {"delta", "1e-6", "chance with which that need not hold"},
    {"targets", "all-linear", "layers that an adapter may train, as query,value"},
    {"refuse_close_cohorts", "false", "refuse a cohort close to any earlier one of the campaign"},
    {"organisation_max", "0", "most members of one organisation in a cohort; 0: any number"},
    {"known_min", "0", "fewest other members of any sum that are among known_identities"},
    {"known_identities", NULL, "identity keys of sites that this one trusts: [KEY, KEY]"},
    {"roster_authority", NULL, "key of the authority that has to sign rosters"},
    {"base_model", NULL, "digest of the one base model that is accepted"},
    {"roster", NULL, "digest of the one roster that is accepted"},
};

enum { POLICY_LINE_COUNT = sizeof policy_lines / sizeof *policy_lines };

/* Text that grows; a failure is sticky. */
struct page {
    char *text;
    size_t length;
    bool is_full;
};

static void print(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(struct page *page, const char *format, ...)
{
    size_t room = SOTTO_SITE_YAML_MAX - page->length;
    va_list arguments;
    int wanted = 0;

    va_start(arguments, format);
    wanted = vsnprintf(page->text + page->length, room, format, arguments);
    va_end(arguments);
    if (wanted < 0 || (size_t)wanted >= room)
        page->is_full = true;
    else
        page->length += (size_t)wanted;
}

/* In single quotes, as YAML wants any path. */
static void print_quoted(struct page *page, const char *key, const char *value)
{
    print(page, "%s: '", key);
    for (; *value != '\0'; value++)
        print(page, "%s%c", *value == '\'' ? "'" : "", *value);
    print(page, "'\n");
}

static const char *override_of(const char *key, const struct sotto_policy_overrides *overrides)
{
    size_t length = strlen(key);

    for (size_t index = overrides->count; index > 0; index--) {
        const char *item = overrides->items[index - 1];

        if (strncmp(item, key, length) == 0 && item[length] == '=')
            return item + length + 1;
    }
    return NULL;
}

static enum sotto_status overrides_check(const struct sotto_policy_overrides *overrides,
                                         struct sotto_fault *fault)
{
    for (size_t index = 0; index < overrides->count; index++) {
        const char *item = overrides->items[index];
        size_t length = strcspn(item, "=");
        bool is_known = false;

        for (size_t line = 0; line < POLICY_LINE_COUNT; line++)
            is_known = is_known || (strlen(policy_lines[line].key) == length &&
                                    strncmp(policy_lines[line].key, item, length) == 0);
        if (!is_known || item[length] != '=' || strpbrk(item, "\n\r#") != NULL)
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "--policy %.80s: expected KEY=VALUE with a key of the policy, "
                                   "such as cohort_min=8",
                                   item);
    }
    return SOTTO_OK;
}

static void print_policy(struct page *page, const struct sotto_policy_overrides *overrides)
{
    print(page,
          "\n# What this site insists on, whatever a plan says. Its sealer refuses the rest.\n"
          "policy:\n");
    for (size_t line = 0; line < POLICY_LINE_COUNT; line++) {
        const struct policy_line *policy = &policy_lines[line];
        const char *given = override_of(policy->key, overrides);

        print(page, "  # %s\n", policy->comment);
        if (given == NULL && policy->value == NULL)
            print(page, "  # %s: ''\n", policy->key);
        else
            print(page, "  %s: %s\n", policy->key, given != NULL ? given : policy->value);
    }
}

enum sotto_status sotto_site_compose(char text[SOTTO_SITE_YAML_MAX], struct sotto_site_config *site,
                                     const struct sotto_policy_overrides *overrides,
                                     struct sotto_fault *fault)
{
    struct page page = {.text = text};
    enum sotto_status status = overrides_check(overrides, fault);

    if (status != SOTTO_OK)
        return status;
    print(&page, "# A site of a Sotto federation.\n");
    print_quoted(&page, "url", site->url);
    print_quoted(&page, "name", site->name);
    print(&page, "id: %" PRIu32 "\n", site->id);
    print(&page, "\n# Base model directory; a folder with one folder of pictures a label, IDX "
                 "files, or a file of "
                 "texts,\n# .jsonl or .csv, for which chat (a format) and text_length (tokens) may "
                 "stand here.\n");
    print_quoted(&page, "model", site->model);
    print_quoted(&page, "examples", site->examples);
    if (site->labels[0] != '\0')
        print_quoted(&page, "labels", site->labels);
    print(&page, "\n# Processors that training may use at a time; the result is the same.\n"
                 "threads: 1\n");
    print(&page,
          "\n# Of the base model in memory: float32, or bfloat16, which is faster and rounds.\n"
          "weights: float32\n");
    print(&page, "\n# full, or degraded: go on where the kernel lacks a layer of confinement.\n"
                 "sandbox: full\n");
    print_policy(&page, overrides);
    if (page.is_full)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "site.yaml would be too long");
    return sotto_site_decode(site, "site.yaml", sotto_view_of(text, page.length), fault);
}
