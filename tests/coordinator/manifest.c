/*
 * Adapters as they stand on their shelf against tests/vectors/adapter, which a second
 * implementation made from docs/protocol.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ledger/shelf.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "tests/support/cmocka.h"
#include "tests/support/vector.h"

struct sample {
    struct sotto_layout layout;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    float *adapter;
    struct sotto_view bytes; /* of it */
};

static struct sample *sample_open(const json_t *vector)
{
    struct sample *sample = calloc(1, sizeof *sample);
    struct sotto_view layout = vector_view(vector, "layout");
    uint32_t start = vector_number(vector, "start");

    assert_non_null(sample);
    assert_in_range(layout.length, 1, sizeof sample->layout_bytes);
    memcpy(sample->layout_bytes, layout.at, layout.length);
    sample->layout_length = layout.length;
    assert_int_equal(sotto_layout_decode(&sample->layout, layout), SOTTO_OK);
    assert_int_equal(sample->layout.lane_count, vector_number(vector, "lane_count"));
    sample->bytes.length = sotto_manifest_adapter_bytes(&sample->layout);
    sample->adapter = malloc(sample->bytes.length);
    assert_non_null(sample->adapter);
    sample->bytes.at = (const uint8_t *)sample->adapter;
    for (size_t lane = 0; lane < sample->layout.lane_count; lane++)
        sample->adapter[lane] = (float)((start + lane) * 7 % 31) / 64 - 0.25f;
    sotto_manifest_write(sample->adapter, &sample->layout, sotto_hash);
    return sample;
}

static void sample_close(struct sample *sample)
{
    free(sample->adapter);
    free(sample);
}

static void assert_tensors(const struct sotto_layout *layout, const json_t *names)
{
    assert_int_equal(layout->tensor_count, json_array_size(names));
    for (size_t i = 0; i < layout->tensor_count; i++) {
        char name[SOTTO_TENSOR_TEXT_MAX + 1], line[SOTTO_TENSOR_TEXT_MAX + 32];

        sotto_layout_tensor_name(name, layout, i);
        snprintf(line, sizeof line, "%s %u %u", name, layout->tensors[i].rows,
                 layout->tensors[i].columns);
        assert_string_equal(line, json_string_value(json_array_get(names, i)));
    }
}

static void compare(const json_t *vector)
{
    struct sample *sample = sample_open(vector);
    struct sotto_view layout = sotto_view_of(sample->layout_bytes, sample->layout_length);
    struct sotto_view manifest = sotto_manifest_of(sample->bytes, &sample->layout);
    struct sotto_digest wanted = vector_digest(vector, "digest");
    struct sotto_digest digest;

    assert_tensors(&sample->layout, vector_member(vector, "tensors"));
    assert_vector(vector, "manifest", manifest.at, manifest.length);
    assert_int_equal(sotto_shelf_digest(&digest, SOTTO_SHELF_ADAPTER, layout, sample->bytes, NULL),
                     SOTTO_OK);
    assert_true(sotto_digest_equal(&digest, &wanted));
    assert_int_equal(sotto_shelf_check(&wanted, SOTTO_SHELF_ADAPTER, layout, sample->bytes, NULL),
                     SOTTO_OK);
    sample_close(sample);
}

static void manifest__adapters_of_every_family__are_the_second_implementations(void **state)
{
    json_t *file = vector_open("tests/vectors/adapter/manifests.json");
    const json_t *adapters = vector_member(file, "adapters");

    (void)state;
    assert_int_equal(json_array_size(adapters), 4);
    for (size_t at = 0; at < json_array_size(adapters); at++)
        compare(json_array_get(adapters, at));
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest__adapters_of_every_family__are_the_second_implementations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
