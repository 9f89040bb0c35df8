/*
 * What a call can come to, named by who must act, and the one line that tells a person about it.
 *
 * A bug asserts; a failure is a status that the caller must look at; a dropout, a time-out or a
 * refusal is an event and none of these.
 */
#ifndef SOTTO_CORE_BASE_STATUS_H
#define SOTTO_CORE_BASE_STATUS_H

#include <stddef.h>

#define SOTTO_CHECKED __attribute__((warn_unused_result))

enum sotto_status {
    SOTTO_OK = 0,
    SOTTO_MALFORMED,   /* bytes, a file or a flag do not parse: whoever wrote them */
    SOTTO_FORGED,      /* a signature, a MAC or a digest is wrong: nobody should go on */
    SOTTO_UNEXPECTED,  /* a good message at a wrong time: the sender */
    SOTTO_OVER_LIMIT,  /* larger than the documented limit: the sender */
    SOTTO_MISMATCH,    /* well formed, but not what was agreed on: both sides */
    SOTTO_REFUSED,     /* against the policy: the administrator */
    SOTTO_NOT_FOUND,   /* named thing is absent: whoever named it */
    SOTTO_BUSY,        /* somebody else holds it: wait, or stop the other */
    SOTTO_UNSUPPORTED, /* known, but not by this build or kernel */
    SOTTO_NO_MEMORY,
    SOTTO_IO, /* disk or network: the operator */
};

enum { SOTTO_FAULT_TEXT_MAX = 512 };

/*
 * The sentence for a person: what happened, to which file, site or field, and what to do. Written
 * once.
 */
struct sotto_fault {
    enum sotto_status status;
    char text[SOTTO_FAULT_TEXT_MAX];
};

/* Short lower-case name, such as "malformed". Never NULL. */
const char *sotto_status_name(enum sotto_status status);

/* The process exit code for a status: 0, 1, or one of sysexits' 64..78 (docs/exit-codes.md). */
int sotto_status_exit_code(enum sotto_status status);

/*
 * Records a failure and returns `status`, so that a caller can `return sotto_fault_set(...)`.
 *
 *   fault   out  may be NULL: then nothing is written. Text is as sotto_line_show writes it, cut at
 *                SOTTO_FAULT_TEXT_MAX - 1.
 *   format  in   printf style; no newline, no trailing full stop, no secret
 */
enum sotto_status sotto_fault_set(struct sotto_fault *fault, enum sotto_status status,
                                  const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * A text as part of one line on a person's terminal: control characters and bytes that are no UTF-8
 * become \xNN, so that the name of a file can neither move a cursor nor begin a line of its own.
 *
 *   out   out  [capacity], with a terminating zero; what does not fit whole is left out
 *   text  in   may not overlap with out
 */
void sotto_line_show(char *out, size_t capacity, const char *text);

#endif
