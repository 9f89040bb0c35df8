#include "simulations/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* How the time of a span counts. */
struct span_kind {
    bool is_secure; /* the plain sum would not cost it */
    bool is_site;   /* of all sites together, which work side by side */
    bool is_overlapped;
};

static const struct span_kind kinds[SOTTO_SPAN_COUNT] = {
    [SOTTO_SPAN_TRAINING] = {.is_site = true},
    [SOTTO_SPAN_JOINING] = {.is_secure = true, .is_site = true, .is_overlapped = true},
    [SOTTO_SPAN_EXPANDING] = {.is_secure = true, .is_site = true, .is_overlapped = true},
    [SOTTO_SPAN_ENCODING] = {.is_site = true},
    [SOTTO_SPAN_HIDING] = {.is_secure = true, .is_site = true},
    [SOTTO_SPAN_CLOSING] = {.is_secure = true, .is_site = true},
    [SOTTO_SPAN_HUB] = {.is_secure = true},
    [SOTTO_SPAN_ADDING] = {0},
    [SOTTO_SPAN_UNMASKING] = {.is_secure = true},
    [SOTTO_SPAN_APPLYING] = {0},
};

static double seconds_of(const struct sotto_spans *spans, enum sotto_span span)
{
    return 1e-9 * (double)spans->ns[span];
}

double sotto_trace_secure_s(const struct sotto_spans *spans)
{
    double seconds = 0;

    for (enum sotto_span span = 0; span < SOTTO_SPAN_COUNT; span++)
        if (kinds[span].is_secure)
            seconds += seconds_of(spans, span);
    return seconds;
}

double sotto_trace_plain_s(const struct sotto_spans *spans)
{
    double seconds = 0;

    for (enum sotto_span span = 0; span < SOTTO_SPAN_COUNT; span++)
        if (!kinds[span].is_secure)
            seconds += seconds_of(spans, span);
    return seconds;
}

static double path_s(const struct sotto_spans *spans, uint32_t cohort, bool is_overlapped)
{
    double seconds = 0;

    for (enum sotto_span span = 0; span < SOTTO_SPAN_COUNT; span++)
        if (kinds[span].is_overlapped == is_overlapped)
            seconds += seconds_of(spans, span) / (kinds[span].is_site && cohort ? cohort : 1);
    return seconds;
}

static double share_of(double secure_s, double plain_s)
{
    return plain_s > 0 ? secure_s / plain_s : 0;
}

enum sotto_status sotto_trace_open(struct sotto_trace *trace, const char *path,
                                   struct sotto_fault *fault)
{
    *trace = (struct sotto_trace){0};
    if (path == NULL)
        return SOTTO_OK;
    trace->file = fopen(path, "we");
    if (trace->file == NULL)
        return sotto_fault_set(fault, SOTTO_IO, "cannot write %s: %s", path, strerror(errno));
    return SOTTO_OK;
}

void sotto_trace_round(struct sotto_trace *trace, uint32_t round, uint32_t cohort,
                       const struct sotto_spans *spans)
{
    double secure_s = sotto_trace_secure_s(spans);

    for (enum sotto_span span = 0; span < SOTTO_SPAN_COUNT; span++)
        trace->total.ns[span] += spans->ns[span];
    if (trace->file == NULL)
        return;
    fprintf(trace->file, "{\"round\":%" PRIu32 ",\"cohort\":%" PRIu32 ",\"seconds\":{", round,
            cohort);
    for (enum sotto_span span = 0; span < SOTTO_SPAN_COUNT; span++)
        fprintf(trace->file, "%s\"%s\":%.6f", span == 0 ? "" : ",", sotto_span_name(span),
                seconds_of(spans, span));
    fprintf(trace->file,
            "},\"overlapped\":%.6f,\"critical\":%.6f,\"secure\":%.6f,\"share\":%.6f}\n",
            path_s(spans, cohort, true), path_s(spans, cohort, false), secure_s,
            share_of(secure_s, sotto_trace_plain_s(spans)));
}

static void print_total(const struct sotto_spans *total, FILE *stream)
{
    double secure_s = sotto_trace_secure_s(total);
    double plain_s = sotto_trace_plain_s(total);

    fprintf(stream, "processor seconds of all rounds\n");
    for (enum sotto_span span = 0; span < SOTTO_SPAN_COUNT; span++)
        fprintf(stream, "  %-10s %11.4f%s\n", sotto_span_name(span), seconds_of(total, span),
                kinds[span].is_secure ? "  secure aggregation" : "");
    fprintf(stream, "secure aggregation adds %.4f s to %.4f s: %.2f %%\n", secure_s, plain_s,
            100 * share_of(secure_s, plain_s));
}

enum sotto_status sotto_trace_close(struct sotto_trace *trace, FILE *stream,
                                    struct sotto_fault *fault)
{
    bool is_written = false;

    if (trace->file == NULL)
        return SOTTO_OK;
    is_written = !ferror(trace->file);
    is_written = fclose(trace->file) == 0 && is_written;
    trace->file = NULL;
    if (!is_written)
        return sotto_fault_set(fault, SOTTO_IO, "the trace cannot be written: is the disk full?");
    print_total(&trace->total, stream);
    return SOTTO_OK;
}
