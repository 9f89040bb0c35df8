#include "models/weights/dtype.h"

#include <assert.h>
#include <string.h>

static const struct dtype_row {
    const char *name;
    size_t bytes;
} dtype_rows[] = {
    [SOTTO_DTYPE_F32] = {"F32", 4},
    [SOTTO_DTYPE_F16] = {"F16", 2},
    [SOTTO_DTYPE_BF16] = {"BF16", 2},
};

enum { DTYPE_COUNT = sizeof dtype_rows / sizeof dtype_rows[0] };

size_t sotto_dtype_bytes(enum sotto_dtype dtype)
{
    assert((size_t)dtype < DTYPE_COUNT);
    return dtype_rows[dtype].bytes;
}

const char *sotto_dtype_name(enum sotto_dtype dtype)
{
    assert((size_t)dtype < DTYPE_COUNT);
    return dtype_rows[dtype].name;
}

enum sotto_status sotto_dtype_parse(enum sotto_dtype *dtype, const char *name)
{
    for (size_t row = 0; row < DTYPE_COUNT; row++) {
        if (strcmp(dtype_rows[row].name, name) == 0) {
            *dtype = (enum sotto_dtype)row;
            return SOTTO_OK;
        }
    }
    return SOTTO_UNSUPPORTED;
}

size_t sotto_dtype_unread_bytes(const char *name)
{
    static const struct dtype_row unread[] = {
        {"BOOL", 1}, {"I8", 1},  {"U8", 1},  {"I16", 2}, {"U16", 2},     {"I32", 4},
        {"U32", 4},  {"I64", 8}, {"U64", 8}, {"F64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1},
    };
    size_t bytes = 0;

    for (size_t row = 0; row < sizeof unread / sizeof unread[0]; row++) {
        if (strcmp(unread[row].name, name) == 0)
            bytes = unread[row].bytes;
    }
    return bytes;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Shifts out the low `shift` bits, rounding to nearest even. 1 <= shift <= 31. */
static uint32_t shift_rounded(uint32_t bits, unsigned shift)
{
    uint32_t half = 1u << (shift - 1);
    uint32_t rest = bits & ((1u << shift) - 1);
    uint32_t kept = bits >> shift;

    return kept + (rest > half || (rest == half && (kept & 1u) != 0));
}

static uint16_t bf16_of(float value)
{
    uint32_t bits = bits_of(value);

    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)shift_rounded(bits, 16);
}

/* IEEE 754 binary16: 5 bits of exponent with bias 15, 10 bits of fraction. */
static uint16_t f16_of(float value)
{
    uint32_t bits = bits_of(value);
    uint32_t sign = (bits >> 16) & 0x8000u;
    uint32_t size = bits & 0x7fffffffu;

    if (size > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (size >= bits_of(65520.0f))
        return (uint16_t)(sign | 0x7c00u);
    if (size >= bits_of(0x1p-14f))
        return (uint16_t)(sign | shift_rounded(size - (112u << 23), 13));
    if (size < bits_of(0x1p-25f))
        return (uint16_t)sign;
    return (uint16_t)(sign | shift_rounded((size & 0x7fffffu) | 0x800000u, 126 - (size >> 23)));
}

static float f16_widened(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = (half >> 10) & 0x1fu;
    uint32_t fraction = half & 0x3ffu;

    if (exponent == 0x1f)
        return float_of(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0)
        return float_of(sign | bits_of((float)fraction * 0x1p-24f));
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

static uint16_t load_u16(const uint8_t in[2])
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static void store_u16(uint8_t out[2], uint16_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

void sotto_dtype_load(float *out, const uint8_t *bytes, size_t count, enum sotto_dtype dtype)
{
    switch (dtype) {
    case SOTTO_DTYPE_F32:
        if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            memcpy(out, bytes, count * sizeof *out);
        for (size_t i = 0; i < count && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__; i++)
            out[i] = float_of(sotto_load_u32(bytes + 4 * i));
        return;
    case SOTTO_DTYPE_F16:
        for (size_t i = 0; i < count; i++)
            out[i] = f16_widened(load_u16(bytes + 2 * i));
        return;
    case SOTTO_DTYPE_BF16:
        for (size_t i = 0; i < count; i++)
            out[i] = float_of((uint32_t)load_u16(bytes + 2 * i) << 16);
        return;
    }
}

void sotto_dtype_store(uint8_t *out, const float *values, size_t count, enum sotto_dtype dtype)
{
    switch (dtype) {
    case SOTTO_DTYPE_F32:
        for (size_t i = 0; i < count; i++)
            sotto_store_u32(out + 4 * i, bits_of(values[i]));
        return;
    case SOTTO_DTYPE_F16:
        for (size_t i = 0; i < count; i++)
            store_u16(out + 2 * i, f16_of(values[i]));
        return;
    case SOTTO_DTYPE_BF16:
        for (size_t i = 0; i < count; i++)
            store_u16(out + 2 * i, bf16_of(values[i]));
        return;
    }
}
