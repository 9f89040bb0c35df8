/*
 * A language model's answer, token by token, over the golden models with their adapters: each row
 * as it is in the whole text, and the tokens that are chosen.
 */
#include "models/answer/answerer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/adapter/peft.h"
#include "models/answer/cache.h"
#include "models/answer/choice.h"
#include "models/arch/base.h"
#include "models/binding.h"
#include "models/kernels/wide/wide.h"
#include "models/trainer.h"
#include "tests/models/golden.h"
#include "tests/models/slope.h"
#include "tests/support/model_folder.h"

static const char *const models[] = {"llama", "llama3", "qwen2", "mistral"};
enum { MODEL_COUNT = sizeof models / sizeof models[0], VOCABULARY = 40, LENGTH_MAX = 16 };
enum { WIDE_VOCABULARY = 64 };

/* A golden model with its adapter. */
struct golden {
    struct sotto_model *model;
    struct sotto_layout layout;
    float *lanes;
    struct sotto_dataset texts;
};

static void golden_open(struct golden *known, const char *name)
{
    struct sotto_fault fault = {0};
    char folder[96];

    snprintf(folder, sizeof folder, "tests/vectors/%s", name);
    if (sotto_model_open(&known->model, folder, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    snprintf(folder, sizeof folder, "tests/vectors/%s/adapter", name);
    if (sotto_peft_read(&known->lanes, &known->layout, folder, sotto_model_arch(known->model),
                        &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    golden_dataset(&known->texts, name);
}

/* Any weights and adapter, of the smallest widths that bfloat16 is held for. */
static void packed_open(struct golden *known)
{
    struct sotto_adapter_choice choice = {.rank = 2, .alpha = 3.0, .target_set = 0x7f};
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_LLAMA);
    struct model_folder folder;
    float *weights;

    arch.width = arch.vocabulary = WIDE_VOCABULARY;
    arch.block_count = 3;
    arch.mlp_width = 96;
    arch.head_count = 4;
    arch.kv_head_count = 2;
    arch.head_width = 16;
    weights = model_folder_weights(&arch, 5);
    model_folder_open(&folder, &arch, weights);
    *known = (struct golden){0};
    assert_int_equal(
        sotto_model_open_on(&known->model, folder.path, NULL, SOTTO_WEIGHTS_BFLOAT16, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&known->layout, &arch, &choice, NULL), SOTTO_OK);
    known->lanes = normal_floats(known->layout.lane_count, 0.1, 8);
    model_folder_close(&folder);
    free(weights);
}

static void golden_close(struct golden *known)
{
    sotto_dataset_close(&known->texts);
    free(known->lanes);
    sotto_model_close(known->model);
}

/* A network with the adapter in its blocks, and what one text takes. */
struct reader {
    struct sotto_workspace workspace;
    struct sotto_network network;
    struct sotto_linear head;
    struct sotto_cache cache;
    struct sotto_device_float *lanes;
    struct sotto_device_float *features;
    struct sotto_device_float *logits;
};

static void reader_bind(struct reader *reader, const struct golden *known)
{
    const struct sotto_binding binding = {.lanes = reader->lanes};

    sotto_network_bind(&reader->network);
    reader->head = sotto_network_lm_head(&reader->network);
    sotto_layout_bind(reader->network.blocks, &reader->head, &known->layout, &binding);
}

static void reader_take(struct reader *reader, const struct golden *known,
                        struct sotto_workspace *workspace)
{
    const struct sotto_arch *arch = reader->network.arch;
    struct sotto_device_arena *device = &workspace->device;

    assert_int_equal(sotto_network_rotary_take(&reader->network.rotary, arch,
                                               reader->network.kernels, LENGTH_MAX, workspace),
                     SOTTO_OK);
    assert_true(sotto_device_floats_take(&reader->lanes, device, known->layout.lane_count) &&
                sotto_device_floats_take(&reader->features, device, arch->width) &&
                sotto_device_floats_take(&reader->logits, device, arch->vocabulary));
    reader_bind(reader, known);
    assert_int_equal(sotto_cache_take(&reader->cache, &reader->network,
                                      (struct sotto_cache_room){LENGTH_MAX, LENGTH_MAX}, workspace),
                     SOTTO_OK);
}

static void reader_open(struct reader *reader, const struct golden *known)
{
    const struct sotto_base *base = sotto_model_base(known->model);
    struct sotto_workspace counted;

    *reader = (struct reader){.network = {.kernels = sotto_model_kernels(known->model),
                                          .arch = &base->arch,
                                          .weights = sotto_model_weights(known->model),
                                          .packed = sotto_model_packed(known->model)}};
    reader->network.blocks = calloc(base->arch.block_count, sizeof *reader->network.blocks);
    sotto_workspace_init_counting(&counted);
    reader_take(reader, known, &counted);
    assert_int_equal(sotto_workspace_open(&reader->workspace, reader->network.kernels, &counted),
                     SOTTO_OK);
    reader_take(reader, known, &reader->workspace);
    reader->network.kernels->upload(reader->lanes, known->lanes, known->layout.lane_count);
}

static void reader_close(struct reader *reader)
{
    sotto_workspace_close(&reader->workspace);
    free(reader->network.blocks);
}

/* logits out [vocabulary] after `count` more tokens. */
static void read_on(struct reader *reader, float *logits, const uint32_t *tokens, uint32_t count)
{
    struct sotto_matrix_view none = {NULL, 0, 0, 0};
    size_t width = reader->network.arch->width;

    sotto_cache_extend(&reader->cache, &reader->network, reader->features, tokens, count);
    sotto_linear_forward(reader->network.kernels, &reader->head,
                         sotto_matrix_of(reader->logits, 1, reader->head.out),
                         sotto_matrix_view_of(reader->features, 1, width), none);
    reader->network.kernels->download(logits, reader->logits, reader->head.out);
}

static void assert_logits(const float *got, const float *expected, const char *name)
{
    for (size_t i = 0; i < VOCABULARY; i++)
        if (!(fabsf(got[i] - expected[i]) < 1e-5f))
            fail_msg("%s: logit %zu is %g, not %g", name, i, (double)got[i], (double)expected[i]);
}

/* Of each text, after each of its tokens. */
static void cache__token_by_token__logits_of_another_implementation(void **state)
{
    (void)state;
    for (size_t model = 0; model < MODEL_COUNT; model++) {
        struct golden known;
        struct reader reader;
        float got[VOCABULARY];
        size_t count;
        float *expected = golden_read(models[model], "logits", &count);

        golden_open(&known, models[model]);
        reader_open(&reader, &known);
        for (size_t text = 0; text < known.texts.count; text++) {
            reader.cache.length = 0;
            for (size_t at = known.texts.starts[text]; at < known.texts.starts[text + 1]; at++) {
                read_on(&reader, got, known.texts.tokens + at, 1);
                assert_logits(got, expected + at * VOCABULARY, models[model]);
            }
        }
        reader_close(&reader);
        golden_close(&known);
        free(expected);
    }
}

/* The last logits of a text that comes in pieces of `step` tokens. */
static void read_in_steps(struct reader *reader, float *logits, const uint32_t *tokens,
                          uint32_t count, uint32_t step)
{
    reader->cache.length = 0;
    for (uint32_t first = 0; first < count; first += step)
        read_on(reader, logits, tokens + first, count - first < step ? count - first : step);
}

/*
 * In pieces of any length the last logits are those of the text at once; to the bit where a row of
 * a product does not depend on how many rows there are. Elsewhere they may differ in the last bits,
 * after which bfloat16 may round to the other side.
 */
static void check_pieces(const struct golden *known, const char *name, float tolerance)
{
    uint32_t vocabulary = sotto_model_arch(known->model)->vocabulary;
    uint32_t tokens[LENGTH_MAX];
    float whole[WIDE_VOCABULARY];
    float got[WIDE_VOCABULARY];
    struct reader reader;

    for (uint32_t i = 0; i < LENGTH_MAX; i++)
        tokens[i] = (7 * i * i + i + 3) % vocabulary;
    reader_open(&reader, known);
    read_in_steps(&reader, whole, tokens, LENGTH_MAX, LENGTH_MAX);
    for (uint32_t step = 1; step < LENGTH_MAX; step++) {
        read_in_steps(&reader, got, tokens, LENGTH_MAX, step);
        for (uint32_t i = 0; i < vocabulary; i++)
            if (sotto_wide_is_supported() ? got[i] != whole[i]
                                          : !(fabsf(got[i] - whole[i]) < tolerance))
                fail_msg("%s: in pieces of %u logit %u is %g, not %g", name, step, i,
                         (double)got[i], (double)whole[i]);
    }
    reader_close(&reader);
}

static size_t bytes_of_room(const struct sotto_network *network, struct sotto_cache_room room)
{
    struct sotto_workspace counted;
    struct sotto_cache cache;

    sotto_workspace_init_counting(&counted);
    assert_int_equal(sotto_cache_take(&cache, network, room, &counted), SOTTO_OK);
    return counted.device.used;
}

/* Keys and values of each token that is kept, and the scores of a query over all of them. */
static void cache__room_for_longer_texts__is_counted(void **state)
{
    enum { LONGER = 4096 };
    struct golden known;
    struct reader reader;
    size_t floats, bytes;

    (void)state;
    golden_open(&known, "llama");
    reader_open(&reader, &known);
    floats = (size_t)LONGER * reader.network.arch->block_count * 2 *
             sotto_block_key_width(&reader.network.blocks[0].spec);
    floats += sotto_attention_scratch(1 + LONGER) - sotto_attention_scratch(1);
    bytes = bytes_of_room(&reader.network, (struct sotto_cache_room){1 + LONGER, 1}) -
            bytes_of_room(&reader.network, (struct sotto_cache_room){1, 1});
    assert_in_range(bytes, floats * sizeof(float) - 2 * SOTTO_ARENA_ALIGNMENT,
                    floats * sizeof(float) + 2 * SOTTO_ARENA_ALIGNMENT);
    reader_close(&reader);
    golden_close(&known);
}

static void cache__any_pieces__logits_of_the_whole_text(void **state)
{
    struct golden known;

    (void)state;
    for (size_t model = 0; model < MODEL_COUNT; model++) {
        golden_open(&known, models[model]);
        check_pieces(&known, models[model], 1e-5f);
        golden_close(&known);
    }
    packed_open(&known);
    check_pieces(&known, "bfloat16", 2e-2f);
    golden_close(&known);
}

/* What an answerer said. */
struct said {
    uint32_t tokens[64];
    size_t count;
    size_t count_max; /* beyond it nobody listens */
};

static enum sotto_status listen(void *context, uint32_t token)
{
    struct said *said = context;

    if (said->count == said->count_max)
        return SOTTO_REFUSED;
    said->tokens[said->count++] = token;
    return SOTTO_OK;
}

static struct sotto_answerer *open_answerer(const struct golden *known)
{
    struct sotto_answerer *answerer;

    assert_int_equal(
        sotto_answerer_open(&answerer, known->model, &known->layout, known->lanes, NULL), SOTTO_OK);
    return answerer;
}

/* The most probable token after a text, by the trainer, which reads the text at once. */
static uint32_t foretold(struct sotto_trainer *trainer, const uint32_t *tokens, size_t count)
{
    size_t starts[2] = {0, count};
    struct sotto_dataset one = {.kind = SOTTO_DATASET_TEXTS,
                                .count = 1,
                                .starts = starts,
                                .tokens = (uint32_t *)(uintptr_t)tokens};
    float got[VOCABULARY];
    uint32_t best = 0;

    assert_int_equal(sotto_trainer_predict(trainer, got, &one, 0), SOTTO_OK);
    for (uint32_t i = 1; i < VOCABULARY; i++)
        best = got[i] > got[best] ? i : best;
    return best;
}

static void answerer__no_temperature__says_what_the_whole_text_foretells(void **state)
{
    (void)state;
    for (size_t model = 0; model < MODEL_COUNT; model++) {
        struct said said = {.tokens = {5, 31, 8}, .count = 3, .count_max = 40};
        struct sotto_answer_rule rule = {.token_max = 20, .say = listen, .context = &said};
        struct sotto_trainer *trainer;
        struct sotto_answerer *answerer;
        enum sotto_answer_end end;
        struct golden known;

        golden_open(&known, models[model]);
        answerer = open_answerer(&known);
        assert_int_equal(sotto_trainer_open(&trainer, known.model, &known.layout, 1, NULL, NULL),
                         SOTTO_OK);
        assert_int_equal(sotto_trainer_load(trainer, known.lanes, known.layout.lane_count),
                         SOTTO_OK);
        assert_int_equal(sotto_answerer_run(answerer, &end, said.tokens, 3, &rule), SOTTO_OK);
        assert_int_equal(end, SOTTO_ANSWER_CUT);
        assert_int_equal(said.count, 23);
        for (size_t i = 3; i < said.count; i++)
            assert_int_equal(said.tokens[i], foretold(trainer, said.tokens, i));
        sotto_trainer_close(trainer);
        sotto_answerer_close(answerer);
        golden_close(&known);
    }
}

/* Says up to `token_max` tokens after `count` others. */
static enum sotto_answer_end run(struct sotto_answerer *answerer, struct said *said, size_t count,
                                 struct sotto_answer_rule rule)
{
    uint32_t tokens[64];
    enum sotto_answer_end end;

    for (uint32_t i = 0; i < count; i++)
        tokens[i] = (3 * i + 1) % VOCABULARY;
    *said = (struct said){.count_max = 64};
    rule.say = listen;
    rule.context = said;
    assert_int_equal(sotto_answerer_run(answerer, &end, tokens, count, &rule), SOTTO_OK);
    return end;
}

static void answerer__end_token_or_last_position__ends(void **state)
{
    struct golden known;
    struct said whole;
    struct said said;
    struct sotto_answerer *answerer;
    uint32_t ends[2] = {VOCABULARY, 0};
    struct sotto_answer_rule rule = {.token_max = 1000};
    size_t first = 0;

    (void)state;
    golden_open(&known, "llama");
    answerer = open_answerer(&known);
    /* 64 positions: what the last of them foretells is still said. */
    assert_int_equal(run(answerer, &whole, 30, rule), SOTTO_ANSWER_CROWDED);
    assert_int_equal(whole.count, 35);
    assert_int_equal(run(answerer, &said, 64, rule), SOTTO_ANSWER_CROWDED);
    assert_int_equal(said.count, 1);
    rule.ends = ends;
    rule.end_count = 2;
    ends[1] = whole.tokens[6];
    while (whole.tokens[first] != ends[1])
        first++;
    assert_int_equal(run(answerer, &said, 30, rule), SOTTO_ANSWER_WHOLE);
    assert_int_equal(said.count, first);
    assert_memory_equal(said.tokens, whole.tokens, first * sizeof *said.tokens);
    sotto_answerer_close(answerer);
    golden_close(&known);
}

static void answerer__seed__says_the_same_again(void **state)
{
    struct sotto_answer_rule rule = {.token_max = 20, .temperature = 1.5, .seed = 11};
    struct golden known;
    struct said first;
    struct said again;
    struct said other;
    struct sotto_answerer *answerer;

    (void)state;
    golden_open(&known, "qwen2");
    answerer = open_answerer(&known);
    run(answerer, &first, 5, rule);
    run(answerer, &again, 5, rule);
    rule.seed = 12;
    run(answerer, &other, 5, rule);
    assert_memory_equal(first.tokens, again.tokens, sizeof first.tokens);
    assert_memory_not_equal(first.tokens, other.tokens, sizeof first.tokens);
    sotto_answerer_close(answerer);
    golden_close(&known);
}

static void answerer__text_that_does_not_fit__is_refused(void **state)
{
    static const uint32_t tokens[65] = {[40] = VOCABULARY};
    struct said said = {.count_max = 2};
    struct sotto_answer_rule rule = {.token_max = 9, .say = listen, .context = &said};
    struct sotto_answerer *answerer;
    enum sotto_answer_end end;
    struct golden known;

    (void)state;
    golden_open(&known, "llama");
    answerer = open_answerer(&known);
    assert_int_equal(sotto_answerer_run(answerer, &end, tokens, 0, &rule), SOTTO_OVER_LIMIT);
    assert_int_equal(sotto_answerer_run(answerer, &end, tokens, 65, &rule), SOTTO_OVER_LIMIT);
    assert_int_equal(sotto_answerer_run(answerer, &end, tokens, 41, &rule), SOTTO_MISMATCH);
    assert_int_equal(said.count, 0);
    assert_int_equal(sotto_answerer_run(answerer, &end, tokens, 40, &rule), SOTTO_REFUSED);
    assert_int_equal(said.count, 2);
    known.lanes[0] = NAN;
    sotto_answerer_close(answerer);
    assert_int_equal(sotto_answerer_open(&answerer, known.model, &known.layout, known.lanes, NULL),
                     SOTTO_MALFORMED);
    assert_null(answerer);
    golden_close(&known);
}

/* Of 20,000 draws each token gets its share, within five deviations. */
static void choice__temperature__draws_by_the_softmax(void **state)
{
    static const float logits[] = {0.0f, 2.0f, -1.0f, 2.0f};
    const double temperature = 2.0;
    enum { DRAWS = 20000 };
    size_t counts[4] = {0};
    struct sotto_entropy entropy;
    double sum = 0.0;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 3);
    for (size_t i = 0; i < 4; i++)
        sum += exp(logits[i] / temperature);
    for (size_t i = 0; i < DRAWS; i++)
        counts[sotto_choice_make(&entropy, logits, 4, temperature)]++;
    for (size_t i = 0; i < 4; i++) {
        double share = exp(logits[i] / temperature) / sum;

        assert_true(fabs((double)counts[i] - DRAWS * share) <
                    5.0 * sqrt(DRAWS * share * (1.0 - share)));
    }
    assert_int_equal(sotto_choice_make(&entropy, logits, 4, 0.0), 1);
}

/* Whether it is drawn or not, and wherever it stands. */
static void choice__no_finite_number__is_none(void **state)
{
    static const float strange[] = {NAN, INFINITY, -INFINITY};
    struct sotto_entropy entropy;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 3);
    for (size_t i = 0; i < 2 * 3; i++) {
        const float logits[] = {i < 3 ? strange[i] : 1.0f, i < 3 ? 1.0f : strange[i - 3]};

        assert_int_equal(sotto_choice_make(&entropy, logits, 2, 0.0), SOTTO_CHOICE_NONE);
        assert_int_equal(sotto_choice_make(&entropy, logits, 2, 1.0), SOTTO_CHOICE_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cache__token_by_token__logits_of_another_implementation),
        cmocka_unit_test(cache__any_pieces__logits_of_the_whole_text),
        cmocka_unit_test(cache__room_for_longer_texts__is_counted),
        cmocka_unit_test(answerer__no_temperature__says_what_the_whole_text_foretells),
        cmocka_unit_test(answerer__end_token_or_last_position__ends),
        cmocka_unit_test(answerer__seed__says_the_same_again),
        cmocka_unit_test(answerer__text_that_does_not_fit__is_refused),
        cmocka_unit_test(choice__temperature__draws_by_the_softmax),
        cmocka_unit_test(choice__no_finite_number__is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
