#include "participant/channel/work.h"

#include "core/base/pack.h"

enum { TRAIN_FIELDS = 11 };

enum sotto_status sotto_ready_encode(struct sotto_buffer *out,
                                     const struct sotto_digest *base_model)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 1);
    sotto_pack_bytes(&packer, sotto_view_digest(base_model));
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_ready_decode(struct sotto_digest *base_model, struct sotto_view bytes)
{
    struct sotto_digest read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 1);
    sotto_unpack_exact(&unpacker, read.bytes, sizeof read.bytes);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *base_model = read;
    return status;
}

enum sotto_status sotto_loaded_encode(struct sotto_buffer *out, const struct sotto_loaded *loaded)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 2);
    sotto_pack_bytes(&packer, sotto_view_digest(&loaded->layout));
    sotto_pack_bytes(&packer, sotto_view_digest(&loaded->adapter));
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_loaded_decode(struct sotto_loaded *loaded, struct sotto_view bytes)
{
    struct sotto_loaded read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 2);
    sotto_unpack_exact(&unpacker, read.layout.bytes, sizeof read.layout.bytes);
    sotto_unpack_exact(&unpacker, read.adapter.bytes, sizeof read.adapter.bytes);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *loaded = read;
    return status;
}

enum sotto_status sotto_train_encode(struct sotto_buffer *out, const struct sotto_train *train)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, TRAIN_FIELDS);
    sotto_pack_text(&packer, train->campaign);
    sotto_pack_u64(&packer, train->round);
    sotto_pack_u64(&packer, train->seed);
    sotto_pack_u64(&packer, train->trained);
    sotto_pack_u64(&packer, train->recipe.epochs);
    sotto_pack_u64(&packer, train->recipe.batch);
    sotto_pack_f64(&packer, train->recipe.learning_rate_start);
    sotto_pack_f64(&packer, train->recipe.learning_rate_end);
    sotto_pack_f64(&packer, train->recipe.weight_decay);
    sotto_pack_f64(&packer, train->recipe.proximal);
    sotto_pack_f64(&packer, train->recipe.dropout);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_train_decode(struct sotto_train *train, struct sotto_view bytes)
{
    struct sotto_train read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, TRAIN_FIELDS);
    sotto_unpack_text(&unpacker, read.campaign, sizeof read.campaign);
    read.round = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.seed = sotto_unpack_u64(&unpacker, UINT64_MAX);
    read.trained = (uint32_t)sotto_unpack_u64(&unpacker, SOTTO_PLAN_TRAINED_MAX);
    read.recipe.epochs = (uint32_t)sotto_unpack_u64(&unpacker, 100);
    read.recipe.batch = (uint32_t)sotto_unpack_u64(&unpacker, 1024);
    read.recipe.learning_rate_start = sotto_unpack_f64(&unpacker);
    read.recipe.learning_rate_end = sotto_unpack_f64(&unpacker);
    read.recipe.weight_decay = sotto_unpack_f64(&unpacker);
    read.recipe.proximal = sotto_unpack_f64(&unpacker);
    read.recipe.dropout = sotto_unpack_f64(&unpacker);
    status = sotto_unpacker_close(&unpacker);
    if (status != SOTTO_OK)
        return status;
    if (read.recipe.epochs == 0 || read.recipe.batch == 0)
        return SOTTO_MALFORMED;
    *train = read;
    return SOTTO_OK;
}

enum sotto_status sotto_update_encode(struct sotto_buffer *out, uint32_t weight)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 1);
    sotto_pack_u64(&packer, weight);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_update_decode(uint32_t *weight, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;
    uint32_t read = 0;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 1);
    read = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *weight = read;
    return status;
}

enum sotto_status sotto_adopt_encode(struct sotto_buffer *out, const struct sotto_adopt *adopt)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 2);
    sotto_pack_text(&packer, adopt->campaign);
    sotto_pack_u64(&packer, adopt->round);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_adopt_decode(struct sotto_adopt *adopt, struct sotto_view bytes)
{
    struct sotto_adopt read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 2);
    sotto_unpack_text(&unpacker, read.campaign, sizeof read.campaign);
    read.round = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *adopt = read;
    return status;
}

enum sotto_status sotto_adopted_encode(struct sotto_buffer *out, bool is_kept)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 1);
    sotto_pack_bool(&packer, is_kept);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_adopted_decode(bool *is_kept, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;
    bool read = false;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 1);
    read = sotto_unpack_bool(&unpacker);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *is_kept = read;
    return status;
}
