/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/findings: the errors of one file on their way to the reporter.
 *
 * Layer: rules. Adds the file's name, counts, and stops showing them at GR_FINDINGS_MAX: a broken
 * generator must not flood the log. Also builds field paths such as
 * spec.hooks.createRuntime[0].timeout.
 */
#ifndef GR_RULES_FINDINGS_H
#define GR_RULES_FINDINGS_H

#include "base/err.h"

struct gr_findings {
    const struct gr_reporter *reporter; /* borrowed; NULL: only counts */
    const char *file;                   /* borrowed */
    size_t count;                       /* errors so far, shown or not */
    size_t warnings;                    /* the same of warnings */
};

/* A field path. Always terminated; a part that does not fit is left out. */
struct gr_field_path {
    char text[GR_ERR_FIELD_BYTES];
    size_t n;
};

/* Where something stands in a file. */
struct gr_place {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in characters */
};

/*
 * Reports err as an error at a place; field may be NULL. err->text and err->code are set by the
 * caller; the other parts are filled in here.
 */
void gr_findings_add(struct gr_findings *findings, const struct gr_field_path *field,
                     struct gr_place place, struct gr_err *err);

/* The same with the text made here. */
void gr_findings_addf(struct gr_findings *findings, const struct gr_field_path *field,
                      struct gr_place place, const char *code, const char *format, ...)
    GR_PRINTF(5, 6);

/* Reports a warning at a place; behind GR_FINDINGS_MAX of them no more. field: as in the file. */
void gr_findings_warn(struct gr_findings *findings, struct gr_place place, const char *code,
                      const char *field, const char *format, ...) GR_PRINTF(5, 6);

/*
 * Each appends a part and returns the length before, to which the path is cut back later with
 * gr_field_path_cut. A key that is no plain word is written as ["key"].
 */
size_t gr_field_path_key(struct gr_field_path *path, struct gr_str key);
size_t gr_field_path_index(struct gr_field_path *path, size_t index);
void gr_field_path_cut(struct gr_field_path *path, size_t n);

/* Text for a message: what does not fit is replaced by "…". */
#define GR_SHOWN_BYTES 96
struct gr_shown {
    char text[GR_SHOWN_BYTES];
};
struct gr_shown gr_show(struct gr_str text);

#endif
