/* sotto-admin adapter verify, against a whole coordinator and the model of tests/vectors/vit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/admin/start.h"
#include "coordinator/ledger/shelf.h"
#include "coordinator/schedule/definition.h"
#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "tests/coordinator/serving.h"
#include "tests/support/cmocka.h"

static const char model[] = "tests/vectors/vit";

/* A campaign to be made, and the administrator's session. */
struct scene {
    struct serving *serving;
    struct sotto_session session;
    struct sotto_model_files files;
    struct sotto_definition definition;
    struct sotto_layout layout;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    float *adapter; /* as drawn from seed 7 */
};

static void item_put(const struct scene *scene, const char *kind, const struct sotto_digest *digest,
                     struct sotto_view bytes)
{
    char hex[SOTTO_DIGEST_HEX], layout[SOTTO_DIGEST_HEX], path[256];

    sotto_digest_hex(hex, digest);
    sotto_digest_hex(layout, &scene->definition.layout);
    snprintf(path, sizeof path, "/v1/admin/items/%s/%s?layout=%s", kind, hex, layout);
    assert_int_equal(serving_ask(scene->serving->administrator, "PUT", path, bytes).status, 204);
}

static void items_make(struct scene *scene)
{
    struct sotto_definition *definition = &scene->definition;
    struct sotto_view layout = sotto_view_of(scene->layout_bytes, scene->layout_length);
    struct sotto_view adapter =
        sotto_view_of(scene->adapter, sotto_manifest_adapter_bytes(&scene->layout));

    assert_int_equal(
        sotto_shelf_digest(&definition->layout, SOTTO_SHELF_LAYOUT, layout, layout, NULL),
        SOTTO_OK);
    assert_int_equal(
        sotto_shelf_digest(&definition->adapter, SOTTO_SHELF_ADAPTER, layout, adapter, NULL),
        SOTTO_OK);
    item_put(scene, "layout", &definition->layout, layout);
    item_put(scene, "adapter", &definition->adapter, adapter);
}

static void definition_make(struct scene *scene)
{
    const struct sotto_adapter_choice choice = {
        .rank = 2, .alpha = 4, .target_set = 5, .label_count = 2, .labels = {"cat", "dog"}};
    struct sotto_buffer out = sotto_buffer_of(scene->layout_bytes, sizeof scene->layout_bytes);
    struct sotto_definition *definition = &scene->definition;
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];

    assert_int_equal(sotto_layout_derive(&scene->layout, &scene->files.arch, &choice, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_layout_encode(&out, &scene->layout), SOTTO_OK);
    scene->layout_length = out.length;
    sotto_definition_init(definition);
    memcpy(definition->base_name, "vit", sizeof "vit");
    sotto_hash_list(&definition->base_model, "sotto/1 model", parts,
                    sotto_model_files_parts(&scene->files, parts));
    sotto_definition_lanes_set(definition, &scene->layout);
    assert_int_equal(sotto_start_draw(&scene->adapter, &scene->layout, &scene->files, 7, NULL),
                     SOTTO_OK);
}

static int scene_open(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    char folder[FOLDER_PATH_MAX];

    assert_non_null(scene);
    scene->serving = serving_open();
    assert_int_equal(sotto_path_join(folder, sizeof folder, scene->serving->state, "admin"),
                     SOTTO_OK);
    assert_int_equal(sotto_session_open(&scene->session, folder, NULL), SOTTO_OK);
    assert_int_equal(sotto_model_files_open(&scene->files, model, NULL), SOTTO_OK);
    definition_make(scene);
    items_make(scene);
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;

    sotto_session_close(&scene->session);
    sotto_model_files_close(&scene->files);
    serving_close(scene->serving);
    free(scene->adapter);
    free(scene);
    return 0;
}

/* Posts the definition under a name and with a seed. */
static void post(struct scene *scene, const char *name, int64_t seed)
{
    char *text;

    snprintf(scene->definition.name, sizeof scene->definition.name, "%s", name);
    scene->definition.seed = seed;
    text = sotto_definition_encode(&scene->definition);
    assert_int_equal(serving_ask(scene->serving->administrator, "POST", "/v1/admin/campaigns",
                                 sotto_view_text(text))
                         .status,
                     200);
    free(text);
}

/* Has the campaign verified that was posted last. */
static enum sotto_status verify_posted(struct scene *scene, struct sotto_fault *fault)
{
    char program[] = "verify", campaign[SOTTO_CAMPAIGN_NAME_MAX + 1], option[] = "--model",
         folder[sizeof model];
    char *arguments[] = {program, campaign, option, folder, NULL};
    const struct sotto_command_line line = {4, arguments};

    snprintf(campaign, sizeof campaign, "%s", scene->definition.name);
    snprintf(folder, sizeof folder, "%s", model);
    return sotto_command_adapter_verify(&scene->session, &line, fault);
}

static enum sotto_status verify(struct scene *scene, const char *name, int64_t seed,
                                struct sotto_fault *fault)
{
    post(scene, name, seed);
    return verify_posted(scene, fault);
}

/* The coordinator sends other bytes under the digest from here on. */
static void item_swap(const struct scene *scene, const char *kind,
                      const struct sotto_digest *digest, struct sotto_view bytes)
{
    char hex[SOTTO_DIGEST_HEX], name[128], path[FOLDER_PATH_MAX];

    sotto_digest_hex(hex, digest);
    snprintf(name, sizeof name, "items/%s/%s", kind, hex);
    assert_int_equal(sotto_path_join(path, sizeof path, scene->serving->state, name), SOTTO_OK);
    assert_int_equal(sotto_file_replace(path, bytes, 0600, NULL), SOTTO_OK);
}

static void verify__start_that_the_seed_draws__passes(void **state)
{
    assert_int_equal(verify(*state, "drawn", 7, NULL), SOTTO_OK);
}

static void verify__start_of_another_seed__names_the_tensor(void **state)
{
    struct sotto_fault fault = {0};

    assert_int_equal(verify(*state, "other", 8, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "does not begin with what seed 8 draws: tensor "
                                       "base_model.model.vit.encoder.layer.0.attention.attention."
                                       "query.lora_A.weight"));
}

static void verify__tensor_that_is_not_as_drawn__is_named(void **state)
{
    struct scene *scene = *state;
    struct sotto_fault fault = {0};

    scene->adapter[scene->layout.lane_count - 1] = 1e-3f;
    sotto_manifest_write(scene->adapter, &scene->layout, sotto_hash);
    items_make(scene);
    assert_int_equal(verify(scene, "altered", 7, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "tensor base_model.model.classifier.bias is another one"));
}

static void verify__last_bit_of_another_machine__passes(void **state)
{
    struct scene *scene = *state;

    scene->adapter[0] *= 1 + 1.2e-7f;
    sotto_manifest_write(scene->adapter, &scene->layout, sotto_hash);
    items_make(scene);
    assert_int_equal(verify(scene, "rounded", 7, NULL), SOTTO_OK);
}

static void verify__no_seed__says_that_it_was_uploaded(void **state)
{
    struct sotto_fault fault = {0};

    assert_int_equal(verify(*state, "uploaded", -1, &fault), SOTTO_NOT_FOUND);
    assert_non_null(strstr(fault.text, "campaign uploaded has no seed"));
}

/* Whole, and with a manifest of its own: only the digest that the definition has tells. */
static void verify__another_adapter_is_sent__is_forged(void **state)
{
    struct scene *scene = *state;
    struct sotto_fault fault = {0};

    post(scene, "swapped", 7);
    scene->adapter[0] *= 1 + 1.2e-7f;
    sotto_manifest_write(scene->adapter, &scene->layout, sotto_hash);
    item_swap(scene, "adapter", &scene->definition.adapter,
              sotto_view_of(scene->adapter, sotto_manifest_adapter_bytes(&scene->layout)));
    assert_int_equal(verify_posted(scene, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "sent another adapter than the campaign's"));
}

static void verify__another_layout_is_sent__is_forged(void **state)
{
    struct scene *scene = *state;
    struct sotto_buffer out = sotto_buffer_of(scene->layout_bytes, sizeof scene->layout_bytes);
    struct sotto_fault fault = {0};

    post(scene, "relaid", 7);
    scene->layout.choice.alpha = 5;
    assert_int_equal(sotto_layout_encode(&out, &scene->layout), SOTTO_OK);
    item_swap(scene, "layout", &scene->definition.layout, sotto_view_buffer(&out));
    assert_int_equal(verify_posted(scene, &fault), SOTTO_FORGED);
    assert_non_null(strstr(fault.text, "sent another layout than the campaign's"));
}

static void verify__another_base_model__is_a_mismatch(void **state)
{
    struct scene *scene = *state;
    struct sotto_fault fault = {0};

    scene->definition.base_model.bytes[0] ^= 1;
    assert_int_equal(verify(scene, "based", 7, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "campaign based is for the base model "));
}

#define VERIFIED(test) cmocka_unit_test_setup_teardown(test, scene_open, scene_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VERIFIED(verify__start_that_the_seed_draws__passes),
        VERIFIED(verify__start_of_another_seed__names_the_tensor),
        VERIFIED(verify__tensor_that_is_not_as_drawn__is_named),
        VERIFIED(verify__last_bit_of_another_machine__passes),
        VERIFIED(verify__no_seed__says_that_it_was_uploaded),
        VERIFIED(verify__another_adapter_is_sent__is_forged),
        VERIFIED(verify__another_layout_is_sent__is_forged),
        VERIFIED(verify__another_base_model__is_a_mismatch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
