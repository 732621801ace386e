/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/problem: every kind of problem that the plugin process tells of itself.
 *
 * Layer: app. The process adds problems to its status, doctor reads them there and says what mends
 * each; codes are those of specs/doctor.md. Spec: specs/status.md.
 */
#ifndef GR_APP_PROBLEM_H
#define GR_APP_PROBLEM_H

#include <jansson.h>

#include "base/str.h"

enum gr_problem {
    GR_PROBLEM_MISSED,
    GR_PROBLEM_UNREADABLE,
    GR_PROBLEM_NOT_COMPARED,
    GR_PROBLEM_NOT_CONNECTED,
    GR_PROBLEM_SETTINGS,
    GR_PROBLEM_POLICY,
    GR_PROBLEM_BLOCKED,
    GR_PROBLEM_REFUSED,
    GR_PROBLEM_EARLIER_TEXT,
    GR_PROBLEM_UNKEPT,
    GR_PROBLEM_REQUIRED_PAUSED,
    GR_PROBLEM_REQUIRED_MISSING,
    GR_PROBLEM_PAUSED,
    GR_PROBLEM_TRIPPED,
    GR_PROBLEM_PAUSES,
    GR_PROBLEM_NOT_WATCHED,
    GR_PROBLEM_JOURNAL,
    GR_PROBLEM_METRICS,
    GR_PROBLEM_OTHER_INSTANCE,
    GR_PROBLEM_COUNT, /* none of them */
};

/* "sets-paused" and so on. */
const char *gr_problem_code(enum gr_problem problem);

/* GR_PROBLEM_COUNT: there is none of that code; code may be NULL. */
enum gr_problem gr_problem_of_code(const char *code);

/* Problems of one process, the gravest first: their texts, and as many codes. */
struct gr_problems {
    json_t *texts, *codes; /* owned by whoever made them */
};

/* Texts from outside may be no UTF-8. */
void gr_problem_add(struct gr_problems *problems, enum gr_problem problem, struct gr_str text);

#endif
