/* Sharded checkpoints: index and files agree, or the directory is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/weights/checkpoint.h"
#include "tests/support/folder.h"

static const char first_name[] = "model-00001-of-00002.safetensors";
static const char second_name[] = "model-00002-of-00002.safetensors";
static const char index_name[] = "model.safetensors.index.json";

static const float values[] = {1, 2, 3, 4, 5, 6};

/* Two tensors of one row each, called `left` and `right`. */
static void write_shard(const struct folder *folder, const char *name, const char *left,
                        const char *right)
{
    const struct sotto_tensor_to_store tensors[] = {
        {.name = left, .values = values, .rank = 1, .shape = {2}},
        {.name = right, .values = values + 2, .rank = 2, .shape = {2, 2}},
    };

    assert_int_equal(
        sotto_safetensors_write(folder_path(folder, name).text, tensors, 2, NULL, NULL), SOTTO_OK);
}

static void write_index(const struct folder *folder, const char *map)
{
    char text[1024];

    snprintf(text, sizeof text, "{\"metadata\": {\"total_size\": 48}, \"weight_map\": {%s}}", map);
    folder_write(folder, index_name, sotto_view_text(text));
}

#define IN_FIRST  "\": \"model-00001-of-00002.safetensors\""
#define IN_SECOND "\": \"model-00002-of-00002.safetensors\""
#define WHOLE_MAP "\"d" IN_SECOND ", \"a" IN_FIRST ", \"b" IN_FIRST ", \"c" IN_SECOND

static void two_shards_open(struct folder *folder)
{
    folder_open(folder);
    write_shard(folder, first_name, "a", "b");
    write_shard(folder, second_name, "c", "d");
    write_index(folder, WHOLE_MAP);
}

static void checkpoint__two_shards__finds_the_tensors_of_both(void **state)
{
    struct folder folder;
    struct sotto_checkpoint checkpoint;
    struct sotto_view parts[SOTTO_CHECKPOINT_PARTS_MAX];
    float read[4];
    const uint64_t shape[] = {2, 2};

    (void)state;
    two_shards_open(&folder);
    assert_int_equal(sotto_checkpoint_open(&checkpoint, folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_checkpoint_tensor_count(&checkpoint), 4);
    assert_int_equal(sotto_checkpoint_find(&checkpoint, "e"), 4);
    assert_string_equal(
        sotto_checkpoint_tensor(&checkpoint, sotto_checkpoint_find(&checkpoint, "a"))->name, "a");
    assert_int_equal(
        sotto_stored_tensor_read(
            read, sotto_checkpoint_tensor(&checkpoint, sotto_checkpoint_find(&checkpoint, "d")),
            shape, 2, NULL),
        SOTTO_OK);
    assert_memory_equal(read, values + 2, sizeof read);
    assert_int_equal(sotto_checkpoint_parts(&checkpoint, parts), 3);
    assert_int_equal(parts[0].at[0], '{');
    assert_int_equal(parts[1].length + parts[2].length, sotto_checkpoint_bytes(&checkpoint));
    sotto_checkpoint_close(&checkpoint);
    folder_close(&folder);
}

static void checkpoint__single_file_beside_the_shards__is_taken(void **state)
{
    struct folder folder;
    struct sotto_checkpoint checkpoint;
    struct sotto_view parts[SOTTO_CHECKPOINT_PARTS_MAX];

    (void)state;
    two_shards_open(&folder);
    write_shard(&folder, "model.safetensors", "e", "f");
    assert_int_equal(sotto_checkpoint_open(&checkpoint, folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_checkpoint_tensor_count(&checkpoint), 2);
    assert_int_equal(sotto_checkpoint_find(&checkpoint, "f"), 1);
    assert_int_equal(sotto_checkpoint_parts(&checkpoint, parts), 1);
    sotto_checkpoint_close(&checkpoint);
    folder_close(&folder);
}

/* Opens the folder, which must fail with this status and a sentence that holds `part`. */
static void assert_refused(const struct folder *folder, enum sotto_status status, const char *part)
{
    struct sotto_checkpoint checkpoint;
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_checkpoint_open(&checkpoint, folder->path, &fault), status);
    assert_null(checkpoint.shards);
    assert_null(checkpoint.index_bytes);
    if (strstr(fault.text, part) == NULL)
        fail_msg("'%s' does not name '%s'", fault.text, part);
}

static void checkpoint__index_and_files_that_differ__are_refused_by_name(void **state)
{
    static const struct {
        const char *map;
        enum sotto_status status;
        const char *part;
    } rows[] = {
        {WHOLE_MAP ", \"e" IN_SECOND, SOTTO_MISMATCH, "tensor e is not in model-00002"},
        {"\"a" IN_FIRST ", \"b" IN_FIRST ", \"c" IN_SECOND, SOTTO_MISMATCH,
         "names 3 tensors, its files hold 4"},
        {"\"a" IN_SECOND ", \"b" IN_FIRST, SOTTO_MISMATCH, "tensor a is not in model-00002"},
        {"\"a\": \"model-00003-of-00003.safetensors\"", SOTTO_NOT_FOUND, "model-00003"},
    };
    struct folder folder;

    (void)state;
    two_shards_open(&folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_index(&folder, rows[i].map);
        assert_refused(&folder, rows[i].status, rows[i].part);
    }
    folder_close(&folder);
}

static void checkpoint__no_weights_at_all__names_the_usual_file(void **state)
{
    struct folder folder;

    (void)state;
    folder_open(&folder);
    assert_refused(&folder, SOTTO_NOT_FOUND, "model.safetensors");
    folder_close(&folder);
}

static void index__map_that_cannot_be__is_refused_by_entry(void **state)
{
    static const struct {
        const char *text;
        enum sotto_status status;
        const char *part;
    } rows[] = {
        {"", SOTTO_MALFORMED, "line"},
        {"[]", SOTTO_MALFORMED, "weight_map"},
        {"{\"weight_map\": {}}", SOTTO_MALFORMED, "weight_map"},
        {"{\"weight_map\": {\"a\": 1}}", SOTTO_MALFORMED, "tensor a"},
        {"{\"weight_map\": {\"a\": \"../x.safetensors\"}}", SOTTO_MALFORMED, "tensor a"},
        {"{\"weight_map\": {\"a\": \"pytorch_model.bin\"}}", SOTTO_MALFORMED, "tensor a"},
        {"{\"weight_map\": {\"a\": \".safetensors\"}}", SOTTO_MALFORMED, "tensor a"},
        {"{\"weight_map\": {\"a\": \"x\\n.safetensors\"}}", SOTTO_MALFORMED, "tensor a"},
        {"{\"weight_map\": {\"\": \"x.safetensors\"}}", SOTTO_MALFORMED, "name is empty"},
        {"{\"weight_map\": {\"a\": \"x.safetensors\", \"a\": \"y.safetensors\"}}", SOTTO_MALFORMED,
         "duplicate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sotto_index index;
        struct sotto_fault fault = {0};

        assert_int_equal(
            sotto_index_decode(&index, sotto_view_text(rows[i].text), "index.json", &fault),
            rows[i].status);
        assert_null(index.entries);
        if (strstr(fault.text, rows[i].part) == NULL)
            fail_msg("'%s' does not name '%s'", fault.text, rows[i].part);
    }
}

static void index__more_files_than_the_limit__is_refused(void **state)
{
    static char text[64 * (SOTTO_SHARDS_MAX + 1)];
    struct sotto_index index;
    size_t length =
        (size_t)snprintf(text, sizeof text, "{\"weight_map\": {\"t\": \"x.safetensors\"");

    (void)state;
    for (int i = 0; i < SOTTO_SHARDS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   ", \"t%d\": \"x%d.safetensors\"", i, i);
    snprintf(text + length, sizeof text - length, "}}");
    assert_int_equal(sotto_index_decode(&index, sotto_view_text(text), "index.json", NULL),
                     SOTTO_OVER_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoint__two_shards__finds_the_tensors_of_both),
        cmocka_unit_test(checkpoint__single_file_beside_the_shards__is_taken),
        cmocka_unit_test(checkpoint__index_and_files_that_differ__are_refused_by_name),
        cmocka_unit_test(checkpoint__no_weights_at_all__names_the_usual_file),
        cmocka_unit_test(index__map_that_cannot_be__is_refused_by_entry),
        cmocka_unit_test(index__more_files_than_the_limit__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
