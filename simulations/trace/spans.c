#include "simulations/trace/spans.h"

#include <time.h>

const char *sotto_span_name(enum sotto_span span)
{
    static const char *const names[SOTTO_SPAN_COUNT] = {[SOTTO_SPAN_TRAINING] = "training",
                                                        [SOTTO_SPAN_JOINING] = "joining",
                                                        [SOTTO_SPAN_EXPANDING] = "expanding",
                                                        [SOTTO_SPAN_ENCODING] = "encoding",
                                                        [SOTTO_SPAN_HIDING] = "hiding",
                                                        [SOTTO_SPAN_CLOSING] = "closing",
                                                        [SOTTO_SPAN_HUB] = "hub",
                                                        [SOTTO_SPAN_ADDING] = "adding",
                                                        [SOTTO_SPAN_UNMASKING] = "unmasking",
                                                        [SOTTO_SPAN_APPLYING] = "applying"};

    return names[span];
}

uint64_t sotto_spans_now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void sotto_spans_add(struct sotto_spans *spans, enum sotto_span span, uint64_t start_ns)
{
    spans->ns[span] += sotto_spans_now_ns() - start_ns;
}
