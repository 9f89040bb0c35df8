#include "models/answer/answerer.h"

#include <stdlib.h>

#include "models/adapter/manifest.h"
#include "models/answer/cache.h"
#include "models/answer/choice.h"
#include "models/arch/base.h"
#include "models/binding.h"

/* Tokens of a text that go through the model at a time. */
enum { PIECE = 256 };

struct sotto_answerer {
    const struct sotto_model *model;
    const struct sotto_layout *layout;
    const struct sotto_kernels *kernels;
    struct sotto_network network;
    struct sotto_linear head;
    struct sotto_device_arena memory; /* of the lanes */
    struct sotto_device_float *lanes;
};

/* The memory of one answer. */
struct stage {
    struct sotto_workspace workspace;
    struct sotto_cache cache;
    struct sotto_device_float *features; /* [width] */
    struct sotto_device_float *logits;   /* [vocabulary], as they are made */
    float *landed;                       /* and as they are looked at */
};

static void bind(struct sotto_answerer *answerer)
{
    const struct sotto_binding binding = {.lanes = answerer->lanes};

    sotto_network_bind(&answerer->network);
    sotto_layout_bind(answerer->network.blocks, &answerer->head, answerer->layout, &binding);
}

static enum sotto_status load(struct sotto_answerer *answerer, const float *lanes)
{
    const struct sotto_base *base = sotto_model_base(answerer->model);
    size_t count = answerer->layout->lane_count;

    answerer->network = (struct sotto_network){
        .kernels = answerer->kernels,
        .arch = &base->arch,
        .weights = sotto_model_weights(answerer->model),
        .packed = sotto_model_packed(answerer->model),
        .blocks = calloc(base->arch.block_count, sizeof *answerer->network.blocks),
    };
    if (answerer->network.blocks == NULL ||
        sotto_device_arena_open(&answerer->memory, answerer->kernels, count * sizeof *lanes) !=
            SOTTO_OK ||
        !sotto_device_floats_take(&answerer->lanes, &answerer->memory, count))
        return SOTTO_NO_MEMORY;
    answerer->kernels->upload(answerer->lanes, lanes, count);
    answerer->head = sotto_network_lm_head(&answerer->network);
    bind(answerer);
    return SOTTO_OK;
}

enum sotto_status sotto_answerer_open(struct sotto_answerer **answerer,
                                      const struct sotto_model *model,
                                      const struct sotto_layout *layout, const float *lanes,
                                      struct sotto_fault *fault)
{
    enum sotto_status status = sotto_layout_check_arch(layout, sotto_model_arch(model), fault);
    struct sotto_answerer *opened;

    *answerer = NULL;
    if (status != SOTTO_OK)
        return status;
    if (sotto_model_arch(model)->task != SOTTO_TASK_CAUSAL_LM)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "the model names labels: only a language model answers");
    status = sotto_manifest_check_lanes(lanes, layout, fault);
    if (status != SOTTO_OK)
        return status;
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to answer with");
    opened->model = model;
    opened->layout = layout;
    opened->kernels = sotto_model_kernels(model);
    status = load(opened, lanes);
    if (status != SOTTO_OK) {
        sotto_answerer_close(opened);
        return sotto_fault_set(fault, status, "no memory for the adapter");
    }
    *answerer = opened;
    return SOTTO_OK;
}

void sotto_answerer_close(struct sotto_answerer *answerer)
{
    if (answerer == NULL)
        return;
    sotto_device_arena_close(&answerer->memory);
    free(answerer->network.blocks);
    free(answerer);
}

/* Run once over a counting workspace for the size. */
static enum sotto_status take_stage(struct sotto_answerer *answerer, struct stage *stage,
                                    struct sotto_cache_room room, struct sotto_workspace *workspace)
{
    const struct sotto_arch *arch = answerer->network.arch;
    enum sotto_status status = sotto_network_rotary_take(
        &answerer->network.rotary, arch, answerer->kernels, room.length_max, workspace);

    if (status != SOTTO_OK)
        return status;
    bind(answerer);
    stage->landed = sotto_arena_take(&workspace->host, arch->vocabulary, sizeof *stage->landed);
    if ((stage->landed == NULL && !workspace->host.counting) ||
        !sotto_device_floats_take(&stage->features, &workspace->device, arch->width) ||
        !sotto_device_floats_take(&stage->logits, &workspace->device, arch->vocabulary))
        return SOTTO_NO_MEMORY;
    return sotto_cache_take(&stage->cache, &answerer->network, room, workspace);
}

static enum sotto_status open_stage(struct sotto_answerer *answerer, struct stage *stage,
                                    struct sotto_cache_room room)
{
    struct sotto_workspace counted;
    enum sotto_status status;

    *stage = (struct stage){0};
    sotto_workspace_init_counting(&counted);
    status = take_stage(answerer, stage, room, &counted);
    if (status == SOTTO_OK)
        status = sotto_workspace_open(&stage->workspace, answerer->kernels, &counted);
    if (status == SOTTO_OK)
        status = take_stage(answerer, stage, room, &stage->workspace);
    if (status != SOTTO_OK)
        sotto_workspace_close(&stage->workspace);
    return status;
}

/* The text goes through the model in pieces. */
static void read_text(struct sotto_answerer *answerer, struct stage *stage, const uint32_t *tokens,
                      uint32_t count)
{
    uint32_t piece = stage->cache.room.row_max;

    for (uint32_t first = 0; first < count; first += piece)
        sotto_cache_extend(&stage->cache, &answerer->network, stage->features, tokens + first,
                           count - first < piece ? count - first : piece);
}

/* What comes after all that was read; SOTTO_CHOICE_NONE: nobody can say. */
static uint32_t foretell(struct sotto_answerer *answerer, struct stage *stage, double temperature,
                         struct sotto_entropy *entropy)
{
    const struct sotto_arch *arch = answerer->network.arch;
    struct sotto_matrix logits = sotto_matrix_of(stage->logits, 1, arch->vocabulary);
    struct sotto_matrix_view none = {NULL, 0, 0, 0};

    sotto_linear_forward(answerer->kernels, &answerer->head, logits,
                         sotto_matrix_view_of(stage->features, 1, arch->width), none);
    answerer->kernels->download(stage->landed, logits.at, logits.columns);
    return sotto_choice_make(entropy, stage->landed, arch->vocabulary, temperature);
}

static bool is_end(const struct sotto_answer_rule *rule, uint32_t token)
{
    bool is = false;

    for (size_t i = 0; i < rule->end_count; i++)
        is = is || rule->ends[i] == token;
    return is;
}

static enum sotto_status answer(struct sotto_answerer *answerer, struct stage *stage,
                                enum sotto_answer_end *end, const struct sotto_answer_rule *rule)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, rule->seed);
    for (uint32_t said = 1;; said++) {
        uint32_t token = foretell(answerer, stage, rule->temperature, &entropy);
        enum sotto_status status = SOTTO_OK;

        if (token == SOTTO_CHOICE_NONE)
            return SOTTO_MALFORMED;
        *end = is_end(rule, token)                                   ? SOTTO_ANSWER_WHOLE
               : said == rule->token_max                             ? SOTTO_ANSWER_CUT
               : stage->cache.length == stage->cache.room.length_max ? SOTTO_ANSWER_CROWDED
                                                                     : SOTTO_ANSWER_OPEN;
        if (*end != SOTTO_ANSWER_WHOLE)
            status = rule->say(rule->context, token);
        if (status != SOTTO_OK || *end != SOTTO_ANSWER_OPEN)
            return status;
        sotto_cache_extend(&stage->cache, &answerer->network, stage->features, &token, 1);
    }
}

enum sotto_status sotto_answerer_run(struct sotto_answerer *answerer, enum sotto_answer_end *end,
                                     const uint32_t *tokens, size_t count,
                                     const struct sotto_answer_rule *rule)
{
    const struct sotto_arch *arch = answerer->network.arch;
    struct sotto_cache_room room = {arch->position_count, PIECE};
    struct stage stage;
    enum sotto_status status;

    *end = SOTTO_ANSWER_OPEN;
    if (count < 1 || count > arch->position_count)
        return SOTTO_OVER_LIMIT;
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] >= arch->vocabulary)
            return SOTTO_MISMATCH;
    }
    if (rule->token_max < arch->position_count - count)
        room.length_max = (uint32_t)count + rule->token_max;
    if (count < room.row_max)
        room.row_max = (uint32_t)count;
    status = open_stage(answerer, &stage, room);
    if (status != SOTTO_OK)
        return status;
    read_text(answerer, &stage, tokens, (uint32_t)count);
    status = answer(answerer, &stage, end, rule);
    sotto_workspace_close(&stage.workspace);
    return status;
}
