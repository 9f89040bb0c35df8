#include "tests/chaos/ground.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/entropy.h"
#include "crypto/primitives/hash.h"

enum { GROUND_SEED = 20261128, ROSTER_EPOCH = 7 };

static const struct sotto_arch arch = {.width = 8,
                                       .mlp_width = 16,
                                       .block_count = 1,
                                       .head_count = 2,
                                       .kv_head_count = 2,
                                       .head_width = 4,
                                       .image_side = 8,
                                       .patch_side = 4,
                                       .channels = 1,
                                       .norm_epsilon = 1e-6,
                                       .has_qkv_bias = true,
                                       .has_out_bias = true,
                                       .has_mlp_bias = true};

static void keys_open(struct ground *ground)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, GROUND_SEED);
    sotto_entropy_fill(&entropy, ground->signing.bytes, sizeof ground->signing.bytes);
    sotto_ed25519_public_of(&ground->coordinator, &ground->signing);
    for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++) {
        struct sotto_roster_entry *entry = &ground->entries[place];

        entry->id = place + 1;
        entry->organisation = place;
        sotto_entropy_fill(&entropy, ground->identities[place].bytes, 32);
        sotto_ed25519_public_of(&entry->identity, &ground->identities[place]);
        sotto_entropy_fill(&entropy, entry->certificate.bytes, SOTTO_DIGEST_BYTES);
    }
}

static void roster_open(struct ground *ground, uint32_t count)
{
    struct ground_roster *made = &ground->rosters[count];
    struct sotto_roster_message *message = calloc(1, sizeof *message);
    struct sotto_buffer buffer = sotto_buffer_of(made->bytes, sizeof made->bytes);
    struct sotto_view bytes;
    enum sotto_status status;

    assert(message != NULL);
    message->epoch = ROSTER_EPOCH;
    message->count = message->organisation_count = count;
    for (uint32_t place = 0; place < count; place++) {
        const struct sotto_roster_entry *entry = &ground->entries[place];

        message->lines[place].id = entry->id;
        message->lines[place].certificate = entry->certificate;
        memcpy(message->lines[place].identity, entry->identity.bytes, 32);
        message->lines[place].organisation = place;
        snprintf(message->organisations[place], sizeof message->organisations[place],
                 "organisation-%u", place);
    }
    status = sotto_roster_encode(&buffer, message);
    assert(status == SOTTO_OK);
    made->length = buffer.length;
    made->roster = (struct sotto_roster){
        .epoch = ROSTER_EPOCH, .entries = ground->entries, .entry_count = count};
    bytes = sotto_view_buffer(&buffer);
    sotto_hash(&made->digest, &bytes, 1);
    free(message);
}

static void layout_open(struct ground *ground)
{
    struct sotto_adapter_choice *choice = calloc(1, sizeof *choice);
    struct sotto_layout *layout = calloc(1, sizeof *layout);
    struct sotto_buffer buffer = sotto_buffer_of(ground->layout_bytes, sizeof ground->layout_bytes);
    struct sotto_view bytes;
    enum sotto_status status;

    assert(choice != NULL && layout != NULL);
    choice->rank = 1;
    choice->alpha = 1;
    choice->target_set = 1;
    choice->label_count = 2;
    memcpy(choice->labels[0], "left", sizeof "left");
    memcpy(choice->labels[1], "right", sizeof "right");
    status = sotto_layout_derive(layout, &arch, choice, NULL);
    assert(status == SOTTO_OK && layout->lane_count == CHAOS_VALUES);
    status = sotto_layout_encode(&buffer, layout);
    assert(status == SOTTO_OK);
    ground->layout_length = buffer.length;
    ground->lanes_a = (uint32_t)sotto_subset_count(layout, SOTTO_TRAINED_A);
    ground->lanes_b = (uint32_t)sotto_subset_count(layout, SOTTO_TRAINED_B);
    bytes = sotto_view_buffer(&buffer);
    sotto_hash_list(&ground->layout, "sotto/1 layout", &bytes, 1);
    ground->adapter_layout = *layout;
    free(layout);
    free(choice);
}

void ground_open(struct ground *ground)
{
    memset(ground, 0, sizeof *ground);
    keys_open(ground);
    layout_open(ground);
    memset(ground->base_model.bytes, 0x11, sizeof ground->base_model.bytes);
    for (uint32_t count = CHAOS_SITES_MIN; count <= CHAOS_SITES_MAX; count++)
        roster_open(ground, count);
}

void ground_adapter_digest(const struct ground *ground, struct sotto_digest *out,
                           struct sotto_view layout, struct sotto_view adapter)
{
    const struct sotto_view parts[] = {layout, sotto_manifest_of(adapter, &ground->adapter_layout)};

    sotto_hash_list(out, "sotto/1 adapter", parts, 2);
}

void ground_adapter_finish(const struct ground *ground, struct sotto_digest *out,
                           float adapter[CHAOS_ADAPTER])
{
    sotto_manifest_write(adapter, &ground->adapter_layout, sotto_hash);
    ground_adapter_digest(ground, out, sotto_view_of(ground->layout_bytes, ground->layout_length),
                          sotto_view_of(adapter, CHAOS_ADAPTER * sizeof *adapter));
}
