/* Base models of text families in the forms that directories come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/arch/base.h"
#include "models/arch/tensors.h"
#include "tests/support/model_folder.h"

enum { TENSORS = SOTTO_OUTER_COUNT + 2 * SOTTO_BLOCK_TENSOR_COUNT + 1, NAME_BYTES = 127 };

/* A checkpoint whose tensors can be renamed, left out or put into several files. */
struct shelf {
    struct sotto_arch arch;
    float *weights;
    struct model_folder folder;
    char names[TENSORS][NAME_BYTES + 1];
    struct sotto_tensor_to_store stored[TENSORS];
    size_t count;
};

static void shelf_add(struct shelf *shelf, const char *name, const float *values, size_t rank,
                      const uint64_t *shape)
{
    struct sotto_tensor_to_store *next = &shelf->stored[shelf->count];

    snprintf(shelf->names[shelf->count], sizeof shelf->names[0], "%s", name);
    *next = (struct sotto_tensor_to_store){
        .name = shelf->names[shelf->count], .values = values, .rank = rank};
    memcpy(next->shape, shape, rank * sizeof *shape);
    shelf->count++;
}

static void shelf_open(struct shelf *shelf, const struct sotto_arch *arch)
{
    *shelf = (struct shelf){.arch = *arch, .weights = model_folder_weights(arch, 2)};
    model_folder_open(&shelf->folder, arch, shelf->weights);
    for (size_t i = 0; i < sotto_base_tensor_count(arch); i++) {
        struct sotto_base_tensor tensor = sotto_base_tensor(arch, i);

        if (tensor.count > 0)
            shelf_add(shelf, tensor.names[SOTTO_NAMING_4], shelf->weights + tensor.first,
                      tensor.rank, tensor.shape);
    }
}

static void shelf_close(struct shelf *shelf)
{
    model_folder_close(&shelf->folder);
    free(shelf->weights);
}

/* Tensors `first` to before `end` into a file. */
static void shelf_write(const struct shelf *shelf, const char *name, size_t first, size_t end)
{
    char path[MODEL_FOLDER_PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", shelf->folder.path, name);
    assert_int_equal(sotto_safetensors_write(path, shelf->stored + first, end - first, NULL, NULL),
                     SOTTO_OK);
}

static size_t shelf_find(const struct shelf *shelf, const char *name)
{
    size_t at = 0;

    while (at < shelf->count && strcmp(shelf->names[at], name) != 0)
        at++;
    return at;
}

static void assert_opens(const struct shelf *shelf)
{
    struct sotto_base base;
    struct sotto_fault fault = {0};

    if (sotto_base_open(&base, shelf->folder.path, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_memory_equal(base.weights, shelf->weights,
                        sotto_base_weight_count(&shelf->arch) * sizeof *base.weights);
    sotto_base_close(&base);
}

static void assert_refused(const struct shelf *shelf, enum sotto_status status, const char *part)
{
    struct sotto_base base;
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_base_open(&base, shelf->folder.path, &fault), status);
    if (strstr(fault.text, part) == NULL)
        fail_msg("'%s' does not name '%s'", fault.text, part);
}

static void base__every_family__reads_what_was_written(void **state)
{
    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        struct sotto_arch arch = model_folder_tiny_of((enum sotto_family)family);
        struct shelf shelf;

        shelf_open(&shelf, &arch);
        assert_opens(&shelf);
        shelf_close(&shelf);
    }
}

static void base__model_without_its_head__has_names_without_the_prefix(void **state)
{
    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        struct sotto_arch arch = model_folder_tiny_of((enum sotto_family)family);
        const char *prefix = sotto_family_names(arch.family)->prefix;
        struct shelf shelf;

        arch.has_tied_embeddings = arch.family == SOTTO_FAMILY_LLAMA;
        shelf_open(&shelf, &arch);
        for (size_t i = 0; i < shelf.count; i++) {
            assert_memory_equal(shelf.stored[i].name, prefix, strlen(prefix));
            shelf.stored[i].name += strlen(prefix);
        }
        shelf_write(&shelf, "model.safetensors", 0, shelf.count);
        assert_opens(&shelf);
        shelf_close(&shelf);
    }
}

static void base__bert_of_old__calls_its_norms_gamma_and_beta(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_BERT);
    struct shelf shelf;
    size_t renamed = 0;

    (void)state;
    shelf_open(&shelf, &arch);
    for (size_t i = 0; i < shelf.count; i++) {
        char *at = strstr(shelf.names[i], "LayerNorm.");

        if (at == NULL)
            continue;
        strcpy(at, strstr(at, "weight") != NULL ? "LayerNorm.gamma" : "LayerNorm.beta");
        renamed++;
    }
    assert_int_equal(renamed, 2 + 4 * arch.block_count);
    shelf_write(&shelf, "model.safetensors", 0, shelf.count);
    assert_opens(&shelf);
    shelf_close(&shelf);
}

static void base__heads_and_buffers_of_bert__are_passed_over(void **state)
{
    static const char *const names[] = {"classifier.weight", "cls.predictions.bias",
                                        "qa_outputs.bias", "bert.embeddings.position_ids"};
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_BERT);
    const uint64_t shape[] = {3};
    struct shelf shelf;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        shelf_open(&shelf, &arch);
        shelf_add(&shelf, names[i], shelf.weights, 1, shape);
        shelf_write(&shelf, "model.safetensors", 0, shelf.count);
        assert_opens(&shelf);
        shelf_close(&shelf);
    }
    shelf_open(&shelf, &arch);
    shelf_add(&shelf, "bert.embeddings.rotations", shelf.weights, 1, shape);
    shelf_write(&shelf, "model.safetensors", 0, shelf.count);
    assert_refused(&shelf, SOTTO_MISMATCH, "bert.embeddings.rotations is none");
    shelf_close(&shelf);
}

static void base__language_model_without_its_head__is_refused_unless_tied(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_LLAMA);
    struct shelf shelf;
    size_t head;

    (void)state;
    shelf_open(&shelf, &arch);
    head = shelf_find(&shelf, "lm_head.weight");
    assert_int_equal(head, shelf.count - 1);
    shelf_write(&shelf, "model.safetensors", 0, head);
    assert_refused(&shelf, SOTTO_MISMATCH, "lm_head.weight is missing");
    shelf_close(&shelf);
    arch.has_tied_embeddings = true;
    shelf_open(&shelf, &arch);
    assert_int_equal(shelf_find(&shelf, "lm_head.weight"), shelf.count);
    assert_opens(&shelf);
    shelf_add(&shelf, "lm_head.weight", shelf.weights, 2,
              (const uint64_t[]){arch.vocabulary, arch.width});
    shelf_write(&shelf, "model.safetensors", 0, shelf.count);
    assert_opens(&shelf);
    shelf_close(&shelf);
}

static void base__optional_biases__are_asked_for_or_refused(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_LLAMA);
    struct shelf shelf;

    (void)state;
    arch.has_mlp_bias = true;
    shelf_open(&shelf, &arch);
    assert_int_not_equal(shelf_find(&shelf, "model.layers.0.mlp.gate_proj.bias"), shelf.count);
    assert_opens(&shelf);
    arch.has_mlp_bias = false;
    model_folder_write_config(&shelf.folder, &arch);
    assert_refused(&shelf, SOTTO_MISMATCH, "model.layers.0.mlp");
    shelf_close(&shelf);
}

static void write_index(const struct shelf *shelf, size_t second)
{
    static char text[TENSORS * (NAME_BYTES + 64)];
    size_t length = (size_t)snprintf(text, sizeof text, "{\"weight_map\": {");

    for (size_t i = 0; i < shelf->count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "%s\"%s\": \"model-%d.safetensors\"", i == 0 ? "" : ", ",
                                   shelf->stored[i].name, i < second ? 1 : 2);
    snprintf(text + length, sizeof text - length, "}}");
    model_folder_write(&shelf->folder, "model.safetensors.index.json", text);
}

/* The digest of a model is over the very bytes of its files, the index and each shard too. */
static void base__in_two_shards__reads_the_same_and_counts_all_files(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_LLAMA);
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    struct sotto_base base;
    struct shelf shelf;
    size_t second;

    (void)state;
    shelf_open(&shelf, &arch);
    second = shelf.count / 2;
    model_folder_remove(&shelf.folder, "model.safetensors");
    shelf_write(&shelf, "model-1.safetensors", 0, second);
    shelf_write(&shelf, "model-2.safetensors", second, shelf.count);
    write_index(&shelf, second);
    assert_opens(&shelf);
    assert_int_equal(sotto_base_open(&base, shelf.folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_model_files_parts(&base.files, parts), 5);
    assert_memory_equal(parts[0].at, "{\"model_type\": \"llama\"", 21);
    assert_memory_equal(parts[1].at, "{\"weight_map\"", 13);
    assert_non_null(memmem(parts[2].at, parts[2].length, shelf.stored[0].name, 8));
    assert_non_null(memmem(parts[3].at, parts[3].length, "lm_head.weight", 14));
    assert_memory_equal(parts[4].at, base.files.input, base.files.input_length);
    sotto_base_close(&base);
    for (int i = 1; i <= 2; i++)
        model_folder_remove(&shelf.folder, i == 1 ? "model-1.safetensors" : "model-2.safetensors");
    model_folder_remove(&shelf.folder, "model.safetensors.index.json");
    shelf_close(&shelf);
}

static void base__text_model_without_a_tokeniser__is_not_found(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_BERT);
    struct shelf shelf;

    (void)state;
    shelf_open(&shelf, &arch);
    model_folder_remove(&shelf.folder, "tokenizer.json");
    assert_refused(&shelf, SOTTO_NOT_FOUND, "tokenizer.json");
    shelf_close(&shelf);
}

/* What somebody saw who takes the blocks, up to one that it refuses. */
struct sight {
    const struct shelf *shelf;
    uint32_t count;
    uint32_t refused;
};

/* The block is there, and nothing of the one after it. */
static enum sotto_status see_block(void *context, struct sotto_base *base, uint32_t block,
                                   struct sotto_fault *fault)
{
    struct sight *sight = context;
    struct sotto_block_spec spec = sotto_arch_block_spec(&base->arch);
    size_t count = sotto_block_weight_count(&spec);
    size_t end = sotto_base_blocks_place(&base->arch) + (block + 1) * count;

    assert_int_equal(block, sight->count++);
    assert_memory_equal(base->weights, sight->shelf->weights, end * sizeof *base->weights);
    for (size_t i = end; i < sotto_base_weight_count(&base->arch); i++)
        assert_true(base->weights[i] == 0.0f);
    return block == sight->refused
               ? sotto_fault_set(fault, SOTTO_NO_MEMORY, "no room for block %u", block)
               : SOTTO_OK;
}

static void base__read_by_blocks__gives_each_as_soon_as_it_is_there(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_LLAMA);
    struct shelf shelf;
    struct sight sight = {.shelf = &shelf, .refused = UINT32_MAX};
    struct sotto_base_taker taker = {&sight, see_block};
    struct sotto_fault fault = {0};
    struct sotto_base base;

    (void)state;
    shelf_open(&shelf, &arch);
    assert_int_equal(sotto_base_open_by_blocks(&base, shelf.folder.path, &taker, NULL), SOTTO_OK);
    assert_int_equal(sight.count, arch.block_count);
    sotto_base_close(&base);
    sight = (struct sight){.shelf = &shelf, .refused = 1};
    assert_int_equal(sotto_base_open_by_blocks(&base, shelf.folder.path, &taker, &fault),
                     SOTTO_NO_MEMORY);
    assert_string_equal(fault.text, "no room for block 1");
    assert_int_equal(sight.count, 2);
    shelf_close(&shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base__every_family__reads_what_was_written),
        cmocka_unit_test(base__model_without_its_head__has_names_without_the_prefix),
        cmocka_unit_test(base__bert_of_old__calls_its_norms_gamma_and_beta),
        cmocka_unit_test(base__heads_and_buffers_of_bert__are_passed_over),
        cmocka_unit_test(base__language_model_without_its_head__is_refused_unless_tied),
        cmocka_unit_test(base__optional_biases__are_asked_for_or_refused),
        cmocka_unit_test(base__in_two_shards__reads_the_same_and_counts_all_files),
        cmocka_unit_test(base__text_model_without_a_tokeniser__is_not_found),
        cmocka_unit_test(base__read_by_blocks__gives_each_as_soon_as_it_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
