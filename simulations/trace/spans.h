/*
 * What a round costs, in processor time of this process with all its threads: how much of it went
 * into training, how much into each part of the secure aggregation. The only thing in a simulation
 * that is not the same from run to run; it changes nothing in the campaign.
 */
#ifndef SOTTO_SIMULATIONS_TRACE_SPANS_H
#define SOTTO_SIMULATIONS_TRACE_SPANS_H

#include <stdint.h>

/* Without secure aggregation, training, encoding, adding and applying would still be there. */
enum sotto_span {
    SOTTO_SPAN_TRAINING,  /* all sites */
    SOTTO_SPAN_JOINING,   /* sites: plan, keys, shares, inbox, while they train */
    SOTTO_SPAN_EXPANDING, /* sites: masks, while they train */
    SOTTO_SPAN_ENCODING,  /* sites: clip, quantise */
    SOTTO_SPAN_HIDING,    /* sites: add the masks, pack, digest */
    SOTTO_SPAN_CLOSING,   /* sites: inclusion, reveal, outcome */
    SOTTO_SPAN_HUB,       /* the coordinator's machine: keys, survivors, reconstruction */
    SOTTO_SPAN_ADDING,    /* uploads to the sum */
    SOTTO_SPAN_UNMASKING,
    SOTTO_SPAN_APPLYING, /* mean and server step */
    SOTTO_SPAN_COUNT
};

struct sotto_spans {
    uint64_t ns[SOTTO_SPAN_COUNT];
};

/* "training" and the like; never NULL. */
const char *sotto_span_name(enum sotto_span span);

/* Processor time so far. */
uint64_t sotto_spans_now_ns(void);
/* Adds what went by since `start_ns`. */
void sotto_spans_add(struct sotto_spans *spans, enum sotto_span span, uint64_t start_ns);

#endif
