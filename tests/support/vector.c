#include "tests/support/vector.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/cmocka.h"

json_t *vector_open(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    return root;
}

json_t *vector_member(const json_t *object, const char *name)
{
    json_t *member = json_object_get(object, name);

    if (member == NULL)
        fail_msg("the vector has no member %s", name);
    return member;
}

uint32_t vector_number(const json_t *object, const char *name)
{
    const json_t *member = vector_member(object, name);

    assert_true(json_is_integer(member));
    assert_in_range(json_integer_value(member), 0, UINT32_MAX);
    return (uint32_t)json_integer_value(member);
}

struct sotto_view vector_view(const json_t *object, const char *name)
{
    static uint8_t bytes[VECTOR_BYTES_MAX];
    const char *hex = json_string_value(vector_member(object, name));
    size_t length;

    assert_non_null(hex);
    length = strlen(hex) / 2;
    assert_true(length <= sizeof bytes);
    assert_int_equal(sotto_hex_decode(bytes, length, hex), SOTTO_OK);
    return sotto_view_of(bytes, length);
}

void vector_bytes(uint8_t *out, size_t length, const json_t *object, const char *name)
{
    struct sotto_view view = vector_view(object, name);

    assert_int_equal(view.length, length);
    memcpy(out, view.at, length);
}

struct sotto_secret vector_secret(const json_t *object, const char *name)
{
    struct sotto_secret secret;

    vector_bytes(secret.bytes, sizeof secret.bytes, object, name);
    return secret;
}

struct sotto_digest vector_digest(const json_t *object, const char *name)
{
    struct sotto_digest digest;

    vector_bytes(digest.bytes, sizeof digest.bytes, object, name);
    return digest;
}

size_t vector_lanes(uint32_t *out, size_t capacity, const json_t *object, const char *name)
{
    const json_t *list = vector_member(object, name);
    size_t count = json_array_size(list);

    assert_in_range(count, 1, capacity);
    for (size_t lane = 0; lane < count; lane++) {
        const json_t *number = json_array_get(list, lane);

        assert_true(json_is_integer(number));
        out[lane] = (uint32_t)json_integer_value(number);
    }
    return count;
}

void assert_vector(const json_t *object, const char *name, const void *bytes, size_t length)
{
    struct sotto_view expected = vector_view(object, name);

    if (!sotto_view_equal(expected, sotto_view_of(bytes, length)))
        fail_msg("%s: not what the vector says", name);
}
