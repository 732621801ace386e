/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state/report: what a hook runner tells of one run: a datagram of one JSON object.
 *
 * Layer: state. Bytes in, a checked report out; the socket is app/daemon/suspend/reports. Format:
 * specs/runner-reports.md.
 */
#ifndef GR_STATE_REPORT_H
#define GR_STATE_REPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "rules/hook.h"

/* Bytes of one datagram. */
#define GR_REPORT_MAX_BYTES 4096

/* Values in one datagram, those of later versions included. */
#define GR_REPORT_VALUES_MAX 64

/* Bytes of a container's id: runtimes use 64. */
#define GR_REPORT_ID_MAX_BYTES 256

/* Bytes of what the hook wrote last: leaves room for the rest of the datagram. */
#define GR_REPORT_OUTPUT_MAX_BYTES 2048

/* The highest exit code; signals are lower. */
#define GR_REPORT_CODE_MAX 255

/* Milliseconds that a run may have taken: a day, far beyond what any hook may. */
#define GR_REPORT_DURATION_MAX_MS 86400000

enum gr_report_result {
    GR_REPORT_OK,
    GR_REPORT_EXIT,    /* with the exit code in code */
    GR_REPORT_SIGNAL,  /* ended by the signal in code */
    GR_REPORT_TIMEOUT, /* ended because it took too long */
    GR_REPORT_EXEC,    /* could not be started */
    GR_REPORT_VERIFY,  /* was not started: the program is not the one that was meant */
};
#define GR_REPORT_RESULT_COUNT 6

/* "ok", "exit", … */
const char *gr_report_result_name(enum gr_report_result result);

struct gr_report {
    struct gr_str set;
    uint64_t hash; /* of the set's text, as in its mark */
    struct gr_str id;
    enum gr_stage stage;
    enum gr_report_result result;
    uint32_t code;
    uint64_t duration_ms;
    struct gr_str output; /* n == 0: none was given */
};

/*
 * Reads one datagram; the report lives in arena or borrows text.
 * Returns 0; -EINVAL it is no good report (err says why; -E2BIG: too deep or too many values);
 * -ENOMEM.
 */
GR_CHECKED int gr_report_read(struct gr_arena *arena, struct gr_str text,
                              struct gr_report *out_report, struct gr_err *err);

#endif
