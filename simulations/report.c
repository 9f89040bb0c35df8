#include "simulations/report.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/adapter/peft.h"

enum { JSON_STYLE = JSON_COMPACT | JSON_REAL_PRECISION(9) };

enum sotto_status sotto_report_open(struct sotto_report *report)
{
    *report = (struct sotto_report){0};
    report->lines = open_memstream(&report->text, &report->length);
    return report->lines != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
}

void sotto_report_close(struct sotto_report *report)
{
    if (report->lines != NULL)
        fclose(report->lines);
    free(report->text);
    *report = (struct sotto_report){0};
}

void sotto_report_round(struct sotto_report *report, const struct sotto_world_round *told)
{
    char adapter[SOTTO_DIGEST_HEX];
    json_t *line;

    sotto_digest_hex(adapter, &told->adapter);
    line = json_pack(
        "{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:s}", "round", (json_int_t)told->round,
        "outcome", told->is_finished ? "finished" : "abandoned", "reason", told->reason, "cohort",
        (json_int_t)told->cohort, "survivors", (json_int_t)told->survivors, "bytes_up",
        (json_int_t)told->bytes_up, "bytes_down", (json_int_t)told->bytes_down, "virtual_ms",
        (json_int_t)told->duration_ms, "weight_sum", (json_int_t)told->weight_sum,
        "mean_delta_norm", told->mean_norm, "adapter", adapter);
    if (line == NULL)
        return;
    json_dumpf(line, report->lines, JSON_STYLE);
    fputc('\n', report->lines);
    json_decref(line);
}

void sotto_summary_add(struct sotto_summary *summary, const struct sotto_world_round *told)
{
    summary->rounds_finished += told->is_finished;
    summary->rounds_abandoned += !told->is_finished;
    summary->bytes_up += told->bytes_up;
    summary->bytes_down += told->bytes_down;
    summary->adapter = told->adapter;
}

static uint32_t round_count(const struct sotto_summary *summary)
{
    uint32_t count = summary->rounds_finished + summary->rounds_abandoned;

    return count ? count : 1;
}

static json_t *real_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *summary_json(const struct sotto_summary *s)
{
    char adapter[SOTTO_DIGEST_HEX];

    sotto_digest_hex(adapter, &s->adapter);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:s}",
                     "seed", (json_int_t)s->seed, "sites", (json_int_t)s->sites, "lane_count",
                     (json_int_t)s->lane_count, "rounds_finished", (json_int_t)s->rounds_finished,
                     "rounds_abandoned", (json_int_t)s->rounds_abandoned, "accuracy_alone_mean",
                     real_or_null(s->accuracy_alone_mean), "accuracy_federated",
                     real_or_null(s->accuracy_federated), "accuracy_pooled",
                     real_or_null(s->accuracy_pooled), "epsilon", real_or_null(s->epsilon),
                     "bytes_up_per_round", (json_int_t)(s->bytes_up / round_count(s)),
                     "bytes_down_per_round", (json_int_t)(s->bytes_down / round_count(s)),
                     "refusals", (json_int_t)s->refusals, "oracle_mismatches",
                     (json_int_t)s->oracle_mismatches, "adapter", adapter);
}

static enum sotto_status summary_write(const struct sotto_summary *summary, const char *path,
                                       struct sotto_fault *fault)
{
    json_t *json = summary_json(summary);
    char *text = json != NULL ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    enum sotto_status status = text != NULL
                                   ? sotto_file_replace(path, sotto_view_text(text), 0644, fault)
                                   : SOTTO_NO_MEMORY;

    free(text);
    json_decref(json);
    return status;
}

/* folder/name into path[PATH_MAX]. */
static enum sotto_status place(char path[PATH_MAX], const char *folder, const char *name,
                               struct sotto_fault *fault)
{
    if (sotto_path_join(path, PATH_MAX, folder, name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: path too long", folder);
    return SOTTO_OK;
}

static enum sotto_status adapter_write(const struct sotto_world *world, const char *folder,
                                       struct sotto_fault *fault)
{
    const char *slash = strrchr(world->scenario->model, '/');
    const char *base_name = slash != NULL ? slash + 1 : world->scenario->model;
    const struct sotto_peft_base base = {base_name, &world->hub.definition.base_model};
    char path[PATH_MAX];
    enum sotto_status status = place(path, folder, "adapter", fault);

    if (status != SOTTO_OK)
        return status;
    return sotto_peft_write(path, world->hub.adapter, &world->layout, &base, fault);
}

enum sotto_status sotto_report_write(struct sotto_report *report,
                                     const struct sotto_summary *summary,
                                     const struct sotto_world *world, const char *folder,
                                     struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = sotto_folder_make(folder, fault);

    if (status == SOTTO_OK && fflush(report->lines) != 0)
        status = SOTTO_NO_MEMORY;
    if (status == SOTTO_OK)
        status = adapter_write(world, folder, fault);
    if (status == SOTTO_OK)
        status = place(path, folder, "rounds.jsonl", fault);
    if (status == SOTTO_OK)
        status = sotto_file_replace(path, sotto_view_of(report->text, report->length), 0644, fault);
    if (status == SOTTO_OK)
        status = place(path, folder, "summary.json", fault);
    if (status == SOTTO_OK)
        status = summary_write(summary, path, fault);
    return status;
}

void sotto_summary_print_json(const struct sotto_summary *summary, FILE *stream)
{
    json_t *json = summary_json(summary);

    if (json == NULL)
        return;
    json_dumpf(json, stream, JSON_STYLE);
    fputc('\n', stream);
    json_decref(json);
}

static void accuracy_row(FILE *stream, const char *what, double accuracy)
{
    if (!isnan(accuracy))
        fprintf(stream, "  %-44s %6.2f %%\n", what, 100 * accuracy);
}

void sotto_summary_print_table(const struct sotto_summary *summary, FILE *stream)
{
    fprintf(stream, "%u sites, seed %llu, %zu lanes: %u rounds finished, %u abandoned\n",
            summary->sites, (unsigned long long)summary->seed, summary->lane_count,
            summary->rounds_finished, summary->rounds_abandoned);
    fprintf(stream, "accuracy on held-out examples\n");
    accuracy_row(stream, "head trained by each site alone, mean", summary->accuracy_alone_mean);
    accuracy_row(stream, "federated adapter", summary->accuracy_federated);
    accuracy_row(stream, "adapter trained on the pooled examples", summary->accuracy_pooled);
    fprintf(stream, "bytes of all sites in a round: %llu up, %llu down\n",
            (unsigned long long)(summary->bytes_up / round_count(summary)),
            (unsigned long long)(summary->bytes_down / round_count(summary)));
    if (!isnan(summary->epsilon))
        fprintf(stream, "privacy: a site spent at most epsilon %.4g at delta %g\n",
                summary->epsilon, summary->delta);
    fprintf(stream, "lanes that differed from the plain-sum oracle: %u; refusals: %u\n",
            summary->oracle_mismatches, summary->refusals);
}
