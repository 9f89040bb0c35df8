#include "crypto/privacy/mechanism.h"

#include <string.h>

#include "crypto/primitives/hkdf.h"
#include "crypto/privacy/clip.h"
#include "crypto/privacy/gaussian.h"
#include "crypto/privacy/rounding.h"
#include "crypto/ring/rotate.h"

static enum sotto_mechanism_flaw add_noise(struct sotto_mechanism *mechanism,
                                           const struct sotto_mechanism_terms *terms)
{
    const struct sotto_noise_terms noise = {.multiplier = terms->noise_multiplier,
                                            .clip_norm = terms->clip_norm,
                                            .step = sotto_quantiser_step(&mechanism->quantiser),
                                            .value_count = terms->value_count,
                                            .cohort_max = terms->cohort_max,
                                            .survivors_min = terms->survivors_min,
                                            .corrupt_fraction = terms->corrupt_fraction};

    if (terms->weight_max != 1)
        return SOTTO_FLAW_WEIGHT;
    if (sotto_noise_of(&mechanism->noise, &noise) != SOTTO_OK)
        return SOTTO_FLAW_NOISE;
    mechanism->has_noise = true;
    mechanism->quantiser.noise_tail = mechanism->noise.tail;
    return SOTTO_FLAW_NONE;
}

enum sotto_mechanism_flaw sotto_mechanism_of(struct sotto_mechanism *mechanism,
                                             const struct sotto_mechanism_terms *terms)
{
    enum sotto_mechanism_flaw flaw = SOTTO_FLAW_NONE;

    *mechanism = (struct sotto_mechanism){.value_count = terms->value_count,
                                          .clip_norm = terms->clip_norm,
                                          .is_rotated = terms->is_rotated,
                                          .quantiser = {.range = terms->lane_range,
                                                        .value_bits = terms->value_bits,
                                                        .ring_bits = terms->ring_bits,
                                                        .weight_max = terms->weight_max,
                                                        .cohort_max = terms->cohort_max}};
    if (sotto_quantiser_check(&mechanism->quantiser) != SOTTO_OK)
        return SOTTO_FLAW_WRAP;
    if (terms->noise_multiplier != 0)
        flaw = add_noise(mechanism, terms);
    if (flaw == SOTTO_FLAW_NONE && sotto_quantiser_check(&mechanism->quantiser) != SOTTO_OK)
        flaw = SOTTO_FLAW_WRAP;
    return flaw;
}

static void seed_of(struct sotto_secret *out, const struct sotto_secret *seed, const char *purpose)
{
    sotto_hkdf(out, sotto_view_of(seed->bytes, sizeof seed->bytes), sotto_view_text(""),
               sotto_view_text(purpose));
}

/* Lanes of the values, and in the values what rounding took from them. */
static void round_off(const struct sotto_mechanism *mechanism, uint32_t *lanes, float *values,
                      uint32_t weight, const struct sotto_secret *seed)
{
    const struct sotto_quantiser *quantiser = &mechanism->quantiser;
    struct sotto_secret rounding;

    seed_of(&rounding, seed, "round");
    if (mechanism->has_noise)
        sotto_round_bounded(lanes, values, mechanism->value_count, quantiser,
                            mechanism->noise.square_max, &rounding);
    else
        sotto_quantise(lanes, values, mechanism->value_count, weight, quantiser, &rounding);
    sotto_quantise_rest(values, lanes, mechanism->value_count, weight, quantiser);
    sotto_wipe(&rounding, sizeof rounding);
}

static void noise_add(const struct sotto_mechanism *mechanism, uint32_t *lanes,
                      const struct sotto_secret *seed)
{
    struct sotto_gaussian gaussian;
    struct sotto_secret noise;

    seed_of(&noise, seed, "noise");
    sotto_gaussian_init(&gaussian, mechanism->noise.variance);
    sotto_gaussian_add(lanes, mechanism->value_count, &gaussian, &noise);
    sotto_wipe(&noise, sizeof noise);
}

enum sotto_status sotto_mechanism_encode(const struct sotto_mechanism *mechanism, uint32_t *lanes,
                                         float *values, uint32_t weight,
                                         const struct sotto_digest *context,
                                         const struct sotto_secret *seed)
{
    struct sotto_secret rotation;
    double norm = 0;

    sotto_rotation_seed(&rotation, context);
    if (mechanism->is_rotated)
        sotto_rotate(values, mechanism->value_count, &rotation);
    if (sotto_clip(values, &norm, mechanism->value_count, mechanism->clip_norm) != SOTTO_OK) {
        if (!mechanism->has_noise)
            return SOTTO_MALFORMED;
        memset(values, 0, mechanism->value_count * sizeof *values);
    }
    round_off(mechanism, lanes, values, weight, seed);
    if (mechanism->is_rotated)
        sotto_unrotate(values, mechanism->value_count, &rotation);
    if (mechanism->has_noise)
        noise_add(mechanism, lanes, seed);
    return SOTTO_OK;
}

enum sotto_status sotto_mechanism_decode(const struct sotto_mechanism *mechanism, float *values,
                                         uint64_t *weight_sum,
                                         const struct sotto_mechanism_sum *sum)
{
    struct sotto_secret rotation;
    enum sotto_status status =
        sotto_dequantise(values, weight_sum, sum->lanes, mechanism->value_count,
                         &mechanism->quantiser, sum->survivors);

    if (status != SOTTO_OK || !mechanism->is_rotated)
        return status;
    sotto_rotation_seed(&rotation, sum->context);
    sotto_unrotate(values, mechanism->value_count, &rotation);
    return SOTTO_OK;
}
