#include "participant/sealer/policy.h"

#include <string.h>

#include "core/base/pack.h"
#include "crypto/privacy/accountant.h"
#include "crypto/secagg/endorsement.h"
#include "crypto/secagg/terms.h"
#include "models/trainer.h"
#include "participant/encoding/encoding.h"

enum { EPOCHS_MAX = 100, POLICY_FIELDS = 18 };

static const double clip_norm_limit = 1e6, epsilon_limit = 1e6;

void sotto_policy_init(struct sotto_policy *policy)
{
    *policy = (struct sotto_policy){
        .cohort_min = 8,
        .survivors_min = 6,
        .corrupt_fraction_min = 0.05,
        .clip_norm_max = 10,
        .weight_max = 4096,
        .epochs_max = 20,
        .rank_max = 64,
        .delta = 1e-6,
        .target_set = (1u << SOTTO_TARGET_COUNT) - 1,
    };
}

static enum sotto_status check_range(const char *key, double value, double low, double high,
                                     struct sotto_fault *fault)
{
    if (value >= low && value <= high)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_MALFORMED, "policy %s is %g; it must be within %g to %g",
                           key, value, low, high);
}

enum sotto_status sotto_policy_validate(const struct sotto_policy *policy,
                                        struct sotto_fault *fault)
{
    const struct {
        const char *key;
        double value;
        double low;
        double high;
    } rows[] = {
        {"cohort_min", policy->cohort_min, SOTTO_COHORT_MIN, SOTTO_COHORT_MAX},
        {"survivors_min", policy->survivors_min, SOTTO_COHORT_MIN, policy->cohort_min},
        {"corrupt_fraction_min", policy->corrupt_fraction_min, 0, 0.5},
        {"clip_norm_max", policy->clip_norm_max, 1e-6, clip_norm_limit},
        {"weight_max", policy->weight_max, 1, UINT32_MAX},
        {"epochs_max", policy->epochs_max, 1, EPOCHS_MAX},
        {"rank_max", policy->rank_max, 0, SOTTO_RANK_MAX},
        {"epsilon_max", policy->epsilon_max, 0, epsilon_limit},
        {"epsilon_round_max", policy->epsilon_round_max, 0, epsilon_limit},
        {"delta", policy->delta, 1e-15, 0.1},
        {"targets", policy->target_set, 1, (1u << SOTTO_TARGET_COUNT) - 1},
        {"organisation_max", policy->organisation_max, 0, SOTTO_COHORT_MAX},
        {"known_min", policy->known_min, 0, policy->known_count},
    };

    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        enum sotto_status status =
            check_range(rows[row].key, rows[row].value, rows[row].low, rows[row].high, fault);

        if (status != SOTTO_OK)
            return status;
    }
    return SOTTO_OK;
}

enum sotto_status sotto_policy_encode(struct sotto_buffer *out, const struct sotto_policy *policy)
{
    struct sotto_packer packer;
    struct sotto_view nothing = {0};

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, POLICY_FIELDS);
    sotto_pack_u64(&packer, policy->cohort_min);
    sotto_pack_u64(&packer, policy->survivors_min);
    sotto_pack_f64(&packer, policy->corrupt_fraction_min);
    sotto_pack_f64(&packer, policy->clip_norm_max);
    sotto_pack_u64(&packer, policy->weight_max);
    sotto_pack_u64(&packer, policy->epochs_max);
    sotto_pack_u64(&packer, policy->rank_max);
    sotto_pack_f64(&packer, policy->epsilon_max);
    sotto_pack_f64(&packer, policy->epsilon_round_max);
    sotto_pack_f64(&packer, policy->delta);
    sotto_pack_u64(&packer, policy->target_set);
    sotto_pack_bytes(&packer,
                     policy->has_base_model ? sotto_view_digest(&policy->base_model) : nothing);
    sotto_pack_bytes(&packer, policy->has_roster ? sotto_view_digest(&policy->roster) : nothing);
    sotto_pack_bool(&packer, policy->refuse_close_cohorts);
    sotto_pack_bytes(&packer, policy->has_roster_authority
                                  ? sotto_view_of(policy->roster_authority.bytes,
                                                  sizeof policy->roster_authority.bytes)
                                  : nothing);
    sotto_pack_u64(&packer, policy->organisation_max);
    sotto_pack_u64(&packer, policy->known_min);
    sotto_pack_bytes(&packer,
                     sotto_view_of(policy->known, policy->known_count * sizeof policy->known[0]));
    return sotto_packer_finish(&packer);
}

/* A pin is a digest or a key, or nothing. */
enum { PIN_BYTES = 32 };

static bool unpack_pin(struct sotto_unpacker *unpacker, uint8_t pin[PIN_BYTES], bool *has)
{
    struct sotto_view bytes = sotto_unpack_bytes(unpacker, PIN_BYTES);

    *has = bytes.length == PIN_BYTES;
    if (*has)
        memcpy(pin, bytes.at, PIN_BYTES);
    return *has || bytes.length == 0;
}

/* Whole keys, one after the other. */
static bool unpack_known(struct sotto_unpacker *unpacker, struct sotto_policy *policy)
{
    struct sotto_view bytes = sotto_unpack_bytes(unpacker, sizeof policy->known);

    policy->known_count = (uint32_t)(bytes.length / sizeof policy->known[0]);
    if (bytes.length > 0)
        memcpy(policy->known, bytes.at, policy->known_count * sizeof policy->known[0]);
    return bytes.length % sizeof policy->known[0] == 0;
}

enum sotto_status sotto_policy_decode(struct sotto_policy *policy, struct sotto_view bytes)
{
    struct sotto_policy read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;
    bool has_good_pins = false;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, POLICY_FIELDS);
    read.cohort_min = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.survivors_min = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.corrupt_fraction_min = sotto_unpack_f64(&unpacker);
    read.clip_norm_max = sotto_unpack_f64(&unpacker);
    read.weight_max = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.epochs_max = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.rank_max = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.epsilon_max = sotto_unpack_f64(&unpacker);
    read.epsilon_round_max = sotto_unpack_f64(&unpacker);
    read.delta = sotto_unpack_f64(&unpacker);
    read.target_set = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    has_good_pins = unpack_pin(&unpacker, read.base_model.bytes, &read.has_base_model);
    has_good_pins = unpack_pin(&unpacker, read.roster.bytes, &read.has_roster) && has_good_pins;
    read.refuse_close_cohorts = sotto_unpack_bool(&unpacker);
    has_good_pins =
        unpack_pin(&unpacker, read.roster_authority.bytes, &read.has_roster_authority) &&
        has_good_pins;
    read.organisation_max = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.known_min = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    has_good_pins = unpack_known(&unpacker, &read) && has_good_pins;
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK && !has_good_pins)
        status = SOTTO_MALFORMED;
    if (status == SOTTO_OK)
        status = sotto_policy_validate(&read, NULL);
    if (status == SOTTO_OK)
        *policy = read;
    return status;
}

static bool is_endorsed(const struct sotto_ed25519_public *authority, const struct sotto_plan *plan)
{
    const struct sotto_endorsed endorsed = {.epoch = plan->roster_epoch, .roster = plan->roster};
    struct sotto_signature signature;

    memcpy(signature.bytes, plan->roster_signature, sizeof signature.bytes);
    return sotto_endorsement_verify(&signature, authority, &endorsed) == SOTTO_OK;
}

static enum sotto_refusal check_pins(const struct sotto_policy *policy,
                                     const struct sotto_plan *plan)
{
    if (policy->has_base_model && !sotto_digest_equal(&policy->base_model, &plan->base_model))
        return SOTTO_REFUSAL_BASE_MODEL;
    if (policy->has_roster && !sotto_digest_equal(&policy->roster, &plan->roster))
        return SOTTO_REFUSAL_ROSTER;
    if (policy->has_roster_authority && !is_endorsed(&policy->roster_authority, plan))
        return SOTTO_REFUSAL_ROSTER_AUTHORITY;
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal check_mechanism(const struct sotto_plan *plan)
{
    struct sotto_mechanism mechanism;

    switch (sotto_encoding_of(&mechanism, plan)) {
    case SOTTO_FLAW_NONE: return SOTTO_REFUSAL_NONE;
    case SOTTO_FLAW_WRAP: return SOTTO_REFUSAL_POLICY_QUANTISER;
    case SOTTO_FLAW_WEIGHT:
    case SOTTO_FLAW_NOISE: break;
    }
    return SOTTO_REFUSAL_POLICY_NOISE;
}

/* Nothing is beyond a cap of 0. */
static bool is_beyond(double cap, double rho, double delta)
{
    return cap != 0 && sotto_accountant_epsilon(rho, delta) > cap;
}

enum sotto_refusal sotto_policy_check_budget(const struct sotto_policy *policy,
                                             const struct sotto_plan *plan, double rho)
{
    double charge;

    if (policy->epsilon_max == 0 && policy->epsilon_round_max == 0)
        return SOTTO_REFUSAL_NONE;
    if (plan->noise_multiplier == 0)
        return SOTTO_REFUSAL_POLICY_NOISE;
    charge = sotto_accountant_charge(plan->noise_multiplier);
    if (is_beyond(policy->epsilon_round_max, charge, policy->delta))
        return SOTTO_REFUSAL_POLICY_NOISE;
    if (is_beyond(policy->epsilon_max, charge, policy->delta))
        return SOTTO_REFUSAL_POLICY_NOISE;
    if (is_beyond(policy->epsilon_max, sotto_accountant_add(rho, charge), policy->delta))
        return SOTTO_REFUSAL_BUDGET;
    return SOTTO_REFUSAL_NONE;
}

enum sotto_refusal sotto_policy_check(const struct sotto_policy *policy,
                                      const struct sotto_plan *plan)
{
    enum sotto_refusal refusal = check_pins(policy, plan);

    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    if (plan->cohort_min < policy->cohort_min)
        return SOTTO_REFUSAL_POLICY_COHORT;
    if (plan->survivors_min < policy->survivors_min)
        return SOTTO_REFUSAL_POLICY_SURVIVORS;
    if (plan->corrupt_fraction < policy->corrupt_fraction_min)
        return SOTTO_REFUSAL_POLICY_CORRUPT;
    if (!(plan->clip_norm > 0 && plan->clip_norm <= policy->clip_norm_max))
        return SOTTO_REFUSAL_POLICY_CLIP;
    if (policy->organisation_max != 0 &&
        (plan->organisation_max == 0 || plan->organisation_max > policy->organisation_max))
        return SOTTO_REFUSAL_POLICY_ORGANISATION;
    if (plan->recipe.epochs > policy->epochs_max)
        return SOTTO_REFUSAL_POLICY_WORK;
    return check_mechanism(plan);
}

enum sotto_refusal sotto_policy_check_layout(const struct sotto_policy *policy,
                                             const struct sotto_plan *plan,
                                             const struct sotto_layout *layout)
{
    /* Norms and biases belong to every layer: who limits the layers has not allowed them. */
    uint32_t targets = layout->choice.kind == SOTTO_ADAPTER_NORM_BIAS
                           ? (1u << SOTTO_TARGET_COUNT) - 1
                           : layout->choice.target_set;
    uint32_t rank =
        layout->choice.kind == SOTTO_ADAPTER_NORM_BIAS ? 1 : sotto_layout_rank_max(layout);

    if (rank > policy->rank_max || (targets & ~policy->target_set) != 0)
        return SOTTO_REFUSAL_LAYOUT;
    if (plan != NULL &&
        sotto_subset_count(layout, (enum sotto_trained)plan->trained) + 1 != plan->lane_count)
        return SOTTO_REFUSAL_LAYOUT;
    return SOTTO_REFUSAL_NONE;
}
