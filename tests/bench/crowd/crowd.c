#include "tests/bench/crowd/crowd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "coordinator/apply/apply.h"
#include "coordinator/ledger/shelf.h"
#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "models/arch/arch.h"
#include "tests/bench/crowd/site.h"

enum { STACK_BYTES = 512 * 1024, WIDTH = 64, LOOK_AGAIN_US = 20000 };

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "crowd: %s\n", what);
    exit(1);
}

static void *room(size_t count, size_t size)
{
    void *taken = calloc(count, size);

    require(taken != NULL, "no memory");
    return taken;
}

/* The shapes of a small transformer with about so many values to train. */
static void layout_make(struct crowd *crowd, struct sotto_layout *layout)
{
    uint32_t rank = crowd->task.values / (2 * WIDTH), blocks = rank / SOTTO_RANK_MAX + 1;
    struct sotto_arch arch = {.width = WIDTH,
                              .mlp_width = WIDTH,
                              .block_count = blocks,
                              .head_count = 2,
                              .kv_head_count = 2,
                              .head_width = WIDTH / 2,
                              .image_side = 8,
                              .patch_side = 4,
                              .channels = 1,
                              .norm_epsilon = 1e-6,
                              .has_qkv_bias = true,
                              .has_out_bias = true,
                              .has_mlp_bias = true};
    struct sotto_adapter_choice choice = {.rank = rank < blocks ? 1 : rank / blocks,
                                          .alpha = 1,
                                          .target_set = 1,
                                          .label_count = 2,
                                          .labels = {"cat", "dog"}};
    struct sotto_buffer out = sotto_buffer_of(crowd->layout, sizeof crowd->layout);

    require(sotto_layout_derive(layout, &arch, &choice, NULL) == SOTTO_OK &&
                sotto_layout_encode(&out, layout) == SOTTO_OK,
            "no adapter has so many values");
    crowd->layout_length = out.length;
}

static void definition_make(struct crowd *crowd)
{
    struct sotto_layout *layout = room(1, sizeof *layout);
    struct sotto_definition *definition = &crowd->definition;
    struct sotto_view bytes;
    uint32_t sites = crowd->task.sites;

    layout_make(crowd, layout);
    sotto_definition_init(definition);
    memcpy(definition->name, "crowd", sizeof "crowd");
    memcpy(definition->base_name, "base", sizeof "base");
    sotto_definition_lanes_set(definition, layout);
    definition->method = SOTTO_METHOD_FEDIT;
    definition->rounds = 1;
    definition->cohort_min = definition->cohort_max = sites;
    definition->survivors_min = sites / 3; /* more than half would need everybody as neighbour */
    definition->weight_max = 1;
    definition->gathering_s = definition->sharing_s = definition->uploading_s =
        definition->including_s = definition->revealing_s = 3600;
    crowd->adapter_length = sotto_manifest_adapter_bytes(layout);
    crowd->adapter = room(1, crowd->adapter_length);
    sotto_manifest_write(crowd->adapter, layout, sotto_hash);
    bytes = sotto_view_of(crowd->layout, crowd->layout_length);
    require(sotto_shelf_digest(&definition->layout, SOTTO_SHELF_LAYOUT, bytes, bytes, NULL) ==
                    SOTTO_OK &&
                sotto_shelf_digest(&definition->adapter, SOTTO_SHELF_ADAPTER, bytes,
                                   sotto_view_of(crowd->adapter, crowd->adapter_length),
                                   NULL) == SOTTO_OK,
            "the adapter has no digest");
    free(layout);
}

static void tell(struct crowd *crowd, const char *method, const char *path, struct sotto_view body)
{
    struct serving_answer answer = serving_ask(crowd->serving->administrator, method, path, body);

    if (answer.status >= 300)
        fprintf(stderr, "%s %s: %d %s\n", method, path, answer.status, answer.text);
    require(answer.status < 300, "the campaign cannot be made");
}

static void campaign_make(struct crowd *crowd)
{
    const struct sotto_definition *definition = &crowd->definition;
    char layout[SOTTO_DIGEST_HEX], adapter[SOTTO_DIGEST_HEX], path[256];
    char *text = sotto_definition_encode(definition);

    sotto_digest_hex(layout, &definition->layout);
    sotto_digest_hex(adapter, &definition->adapter);
    snprintf(path, sizeof path, "/v1/admin/items/layout/%s", layout);
    tell(crowd, "PUT", path, sotto_view_of(crowd->layout, crowd->layout_length));
    snprintf(path, sizeof path, "/v1/admin/items/adapter/%s?layout=%s", adapter, layout);
    tell(crowd, "PUT", path, sotto_view_of(crowd->adapter, crowd->adapter_length));
    tell(crowd, "POST", "/v1/admin/campaigns", sotto_view_text(text));
    free(text);
}

/* A connection a site, here as at the coordinator, which inherits the limit. */
static void descriptors_raise(void)
{
    struct rlimit limit;

    require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "no limit of open files");
    limit.rlim_cur = limit.rlim_max;
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of open files cannot be raised");
}

struct crowd *crowd_open(const struct crowd_task *task)
{
    struct crowd *crowd = room(1, sizeof *crowd);

    crowd->task = *task;
    descriptors_raise();
    sem_init(&crowd->door, 0, CROWD_DOOR);
    sem_init(&crowd->hands, 0, CROWD_HANDS);
    pthread_mutex_init(&crowd->lock, NULL);
    crowd->sites = room(task->sites, sizeof *crowd->sites);
    crowd->entries = room(task->sites, sizeof *crowd->entries);
    definition_make(crowd);
    crowd->sum = room(crowd->definition.lane_count + 1, sizeof *crowd->sum);
    crowd->serving = serving_open_for(2 * task->sites + 16, task->program);
    for (uint32_t i = 0; i < task->sites; i++)
        crowd_site_open(&crowd->sites[i], crowd, i + 1);
    campaign_make(crowd);
    return crowd;
}

void crowd_gather(struct crowd *crowd)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (uint32_t i = 0; i < crowd->task.sites; i++)
        require(pthread_create(&crowd->sites[i].thread, &attributes, crowd_site_run,
                               &crowd->sites[i]) == 0,
                "no thread for a site");
    pthread_attr_destroy(&attributes);
    while (atomic_load(&crowd->connected) < crowd->task.sites)
        usleep(LOOK_AGAIN_US);
}

void crowd_play(struct crowd *crowd)
{
    tell(crowd, "POST", "/v1/admin/campaigns/crowd/start", sotto_view_of(NULL, 0));
    for (uint32_t i = 0; i < crowd->task.sites; i++)
        pthread_join(crowd->sites[i].thread, NULL);
}

void crowd_check(const struct crowd *crowd)
{
    size_t length;
    float *adapter = room(1, crowd->adapter_length);
    struct sotto_applied applied;
    const struct sotto_apply_terms terms = {.plan = &crowd->plan,
                                            .layout =
                                                sotto_view_of(crowd->layout, crowd->layout_length),
                                            .survivors = crowd->uploads,
                                            .server = sotto_definition_server(&crowd->definition)};
    uint8_t *published;

    memcpy(adapter, crowd->adapter, crowd->adapter_length);
    require(sotto_apply_sum(adapter, NULL, &applied, crowd->sum, &terms) == SOTTO_OK,
            "the uploads have no sum");
    require(applied.weight_sum == crowd->task.sites - crowd->task.dropouts &&
                crowd->finished == crowd->task.sites,
            "not everybody took part");
    require(sotto_digest_equal(&applied.adapter, &crowd->outcome),
            "the sites were told of another adapter than their sum's");
    require(sotto_shelf_read(crowd->serving->state, SOTTO_SHELF_ADAPTER, &crowd->outcome,
                             &published, &length, NULL) == SOTTO_OK &&
                length == crowd->adapter_length && memcmp(published, adapter, length) == 0,
            "the adapter that was published is not that of the sum");
    free(published);
    free(adapter);
}

void crowd_close(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->task.sites; i++)
        crowd_site_close(&crowd->sites[i]);
    serving_close(crowd->serving);
    free(crowd->adapter);
    free(crowd->entries);
    free(crowd->sites);
    free(crowd->sum);
    free(crowd);
}
