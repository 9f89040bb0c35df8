#include "core/wire/plan.h"

#include <assert.h>
#include <float.h>
#include <string.h>

enum { COHORT_MIN = 3, COHORT_MAX = 10000, LANES_MAX = 1 << 28 };
enum { NOISE_MAX = 1000, PROXIMAL_MAX = 1000 };
enum { DEADLINE_MIN_MS = 100, DEADLINE_MAX_MS = 7 * 24 * 3600 * 1000 };

enum field_kind { FIELD_NAME, FIELD_BYTES, FIELD_U32, FIELD_U64, FIELD_F64 };

/* Where a field lies in struct sotto_plan, and the numbers that it may hold. */
struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    size_t size;
    double least;
    double most;
};

#define PLACE(member) offsetof(struct sotto_plan, member), sizeof((struct sotto_plan *)0)->member

/* The order on the wire. Packing, unpacking and checking all walk this table. */
static const struct field fields[] = {
    {"protocol", FIELD_NAME, PLACE(protocol), 0, 0},
    {"campaign", FIELD_NAME, PLACE(campaign), 0, 0},
    {"round", FIELD_U32, PLACE(round), 1, UINT32_MAX},
    {"base_model", FIELD_BYTES, PLACE(base_model), 0, 0},
    {"adapter", FIELD_BYTES, PLACE(adapter), 0, 0},
    {"layout", FIELD_BYTES, PLACE(layout), 0, 0},
    {"lane_count", FIELD_U32, PLACE(lane_count), 2, LANES_MAX},
    {"trained", FIELD_U32, PLACE(trained), 0, SOTTO_PLAN_TRAINED_MAX},
    {"ring_bits", FIELD_U32, PLACE(ring_bits), 8, 32},
    {"value_bits", FIELD_U32, PLACE(value_bits), 2, 24},
    {"weight_max", FIELD_U32, PLACE(weight_max), 1, UINT32_MAX},
    {"clip_norm", FIELD_F64, PLACE(clip_norm), DBL_MIN, DBL_MAX},
    {"lane_range", FIELD_F64, PLACE(lane_range), DBL_MIN, DBL_MAX},
    {"rotate", FIELD_U32, PLACE(rotate), 0, 1},
    {"feedback", FIELD_U32, PLACE(feedback), 0, 1},
    {"noise_multiplier", FIELD_F64, PLACE(noise_multiplier), 0, NOISE_MAX},
    {"cohort_min", FIELD_U32, PLACE(cohort_min), COHORT_MIN, COHORT_MAX},
    {"cohort_max", FIELD_U32, PLACE(cohort_max), COHORT_MIN, COHORT_MAX},
    {"survivors_min", FIELD_U32, PLACE(survivors_min), COHORT_MIN, COHORT_MAX},
    {"corrupt_fraction", FIELD_F64, PLACE(corrupt_fraction), 0, 0.5},
    {"dropout_fraction", FIELD_F64, PLACE(dropout_fraction), 0, 0.9},
    {"organisation_max", FIELD_U32, PLACE(organisation_max), 0, COHORT_MAX},
    {"roster", FIELD_BYTES, PLACE(roster), 0, 0},
    {"roster_epoch", FIELD_U64, PLACE(roster_epoch), 0, 0x1p53},
    {"roster_signature", FIELD_BYTES, PLACE(roster_signature), 0, 0},
    {"epochs", FIELD_U32, PLACE(recipe.epochs), 1, 100},
    {"batch", FIELD_U32, PLACE(recipe.batch), 1, 1024},
    {"learning_rate_start", FIELD_F64, PLACE(recipe.learning_rate_start), 0, DBL_MAX},
    {"learning_rate_end", FIELD_F64, PLACE(recipe.learning_rate_end), 0, DBL_MAX},
    {"weight_decay", FIELD_F64, PLACE(recipe.weight_decay), 0, DBL_MAX},
    {"proximal", FIELD_F64, PLACE(recipe.proximal), 0, PROXIMAL_MAX},
    {"dropout", FIELD_F64, PLACE(recipe.dropout), 0, 0.9},
    {"gathering_ms", FIELD_U64, PLACE(deadlines.gathering_ms), DEADLINE_MIN_MS, DEADLINE_MAX_MS},
    {"sharing_ms", FIELD_U64, PLACE(deadlines.sharing_ms), DEADLINE_MIN_MS, DEADLINE_MAX_MS},
    {"uploading_ms", FIELD_U64, PLACE(deadlines.uploading_ms), DEADLINE_MIN_MS, DEADLINE_MAX_MS},
    {"including_ms", FIELD_U64, PLACE(deadlines.including_ms), DEADLINE_MIN_MS, DEADLINE_MAX_MS},
    {"revealing_ms", FIELD_U64, PLACE(deadlines.revealing_ms), DEADLINE_MIN_MS, DEADLINE_MAX_MS},
    {"nonce", FIELD_BYTES, PLACE(nonce), 0, 0},
};

enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

static const void *place_in(const struct sotto_plan *plan, const struct field *field)
{
    return (const uint8_t *)plan + field->offset;
}

/* The value of a number field; every one that its range admits is exact in a double. */
static double number_in(const struct sotto_plan *plan, const struct field *field)
{
    double real = 0;
    uint64_t wide = 0;
    uint32_t narrow = 0;

    switch (field->kind) {
    case FIELD_U32: memcpy(&narrow, place_in(plan, field), sizeof narrow); return narrow;
    case FIELD_U64: memcpy(&wide, place_in(plan, field), sizeof wide); return (double)wide;
    case FIELD_F64: memcpy(&real, place_in(plan, field), sizeof real); return real;
    case FIELD_NAME:
    case FIELD_BYTES: break;
    }
    assert(false && "a field without a number");
    return 0;
}

static uint64_t whole_in(const struct sotto_plan *plan, const struct field *field)
{
    uint64_t wide;

    if (field->kind == FIELD_U32)
        return (uint64_t)number_in(plan, field);
    memcpy(&wide, place_in(plan, field), sizeof wide);
    return wide;
}

enum sotto_status sotto_plan_encode(struct sotto_buffer *out, const struct sotto_plan *plan)
{
    struct sotto_packer packer;

    sotto_message_begin(&packer, out, SOTTO_MESSAGE_PLAN, FIELD_COUNT);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];

        switch (field->kind) {
        case FIELD_NAME: sotto_pack_text(&packer, place_in(plan, field)); break;
        case FIELD_BYTES:
            sotto_pack_bytes(&packer, sotto_view_of(place_in(plan, field), field->size));
            break;
        case FIELD_U32:
        case FIELD_U64: sotto_pack_u64(&packer, whole_in(plan, field)); break;
        case FIELD_F64: sotto_pack_f64(&packer, number_in(plan, field)); break;
        }
    }
    return sotto_packer_finish(&packer);
}

static enum sotto_status check_field(const struct sotto_plan *plan, const struct field *field,
                                     struct sotto_fault *fault)
{
    double number;

    if (field->kind == FIELD_BYTES)
        return SOTTO_OK;
    if (field->kind == FIELD_NAME) {
        if (sotto_name_is_valid(place_in(plan, field), field->size - 1))
            return SOTTO_OK;
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s is not a name of 1 to %zu characters a-z, 0-9 and -",
                               field->name, field->size - 1);
    }
    number = number_in(plan, field);
    if (number >= field->least && number <= field->most)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_MALFORMED, "%s is %g; it must be from %g to %g",
                           field->name, number, field->least, field->most);
}

enum sotto_status sotto_plan_check(const struct sotto_plan *plan, struct sotto_fault *fault)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum sotto_status status = check_field(plan, &fields[i], fault);

        if (status != SOTTO_OK)
            return status;
    }
    if (plan->survivors_min > plan->cohort_min || plan->cohort_min > plan->cohort_max)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "survivors_min %u, cohort_min %u and cohort_max %u must not fall",
                               plan->survivors_min, plan->cohort_min, plan->cohort_max);
    if (plan->lane_range > plan->clip_norm)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "lane_range %g is above clip_norm %g, which no value is",
                               plan->lane_range, plan->clip_norm);
    /* At most 2^7 * 2^32 * 2^23: the product fits. */
    if ((uint64_t)plan->cohort_max * plan->weight_max * ((1ULL << (plan->value_bits - 1)) - 1) >=
        1ULL << (plan->ring_bits - 1))
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "a sum could wrap: cohort_max %u times weight_max %u times 2^%u "
                               "does not fit in half of %u ring_bits",
                               plan->cohort_max, plan->weight_max, plan->value_bits - 1,
                               plan->ring_bits);
    return SOTTO_OK;
}

static void unpack_field(struct sotto_unpacker *unpacker, struct sotto_plan *plan,
                         const struct field *field)
{
    uint8_t *place = (uint8_t *)plan + field->offset;
    uint32_t narrow;
    uint64_t wide;
    double real;

    switch (field->kind) {
    case FIELD_NAME: sotto_unpack_name(unpacker, (char *)place, field->size); break;
    case FIELD_BYTES: sotto_unpack_exact(unpacker, place, field->size); break;
    case FIELD_U32:
        narrow = (uint32_t)sotto_unpack_u64(unpacker, UINT32_MAX);
        memcpy(place, &narrow, sizeof narrow);
        break;
    case FIELD_U64:
        wide = sotto_unpack_u64(unpacker, UINT64_MAX);
        memcpy(place, &wide, sizeof wide);
        break;
    case FIELD_F64:
        real = sotto_unpack_f64(unpacker);
        memcpy(place, &real, sizeof real);
        break;
    }
}

enum sotto_status sotto_plan_decode(struct sotto_plan *plan, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_plan read = {0};
    enum sotto_status status;

    sotto_message_open(&unpacker, bytes, SOTTO_PLAN_BYTES_MAX, SOTTO_MESSAGE_PLAN, FIELD_COUNT);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        unpack_field(&unpacker, &read, &fields[i]);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        status = sotto_plan_check(&read, NULL);
    if (status == SOTTO_OK)
        *plan = read;
    return status;
}
