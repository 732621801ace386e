/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/err: what went wrong, for people.
 *
 * Layer: base. The caller owns a struct gr_err of fixed size; filling it allocates nothing, so it
 * works when memory is gone. Functions return the machine's half of the answer (0, a negative
 * errno, or a positive condition of their own module) and fill the person's half here, once, at the
 * origin.
 *
 * The text says what was expected, what was found and how to mend it. Each code stands in
 * specs/errors.md with cause and fix.
 */
#ifndef GR_BASE_ERR_H
#define GR_BASE_ERR_H

#include <stdarg.h>

#include "base/str.h"

#define GR_ERR_FILE_BYTES 256
#define GR_ERR_FIELD_BYTES 160
#define GR_ERR_TEXT_BYTES 640

struct gr_err {
    const char *code; /* a string literal such as "unknown-key"; NULL: nothing went wrong */
    int sys_errno;    /* positive errno of a failed system call, else 0 */
    uint32_t line;    /* from 1; 0: no position */
    uint32_t column;  /* from 1, in characters */
    char file[GR_ERR_FILE_BYTES];
    char field[GR_ERR_FIELD_BYTES]; /* such as spec.hooks.createRuntime[0].timeout */
    char text[GR_ERR_TEXT_BYTES];
};

enum gr_level {
    GR_LEVEL_ERROR,
    GR_LEVEL_WARNING,
    GR_LEVEL_INFO,
    GR_LEVEL_DEBUG,
};

/* "error", "warning", "info", "debug". */
const char *gr_level_name(enum gr_level level);

/*
 * Receives findings (errors and warnings about a file) as they are made. err is borrowed for the
 * call. A NULL report means that nobody listens.
 */
struct gr_reporter {
    void (*report)(void *user, enum gr_level level, const struct gr_err *err);
    void *user;
};

/*
 * Fills err and returns result, so that a failure is one statement:
 *     return gr_fail(err, -EINVAL, "bad-timeout", "expected 1 to 120 seconds, found %d", n);
 * err may be NULL. Text that does not fit is cut at a character's edge. Control characters are
 * replaced, so that the text can be printed anywhere. Keeps a position that was set before.
 */
int gr_fail(struct gr_err *err, int result, const char *code, const char *format, ...)
    GR_PRINTF(4, 5);

/* What gr_fail does to err, for functions that take a format themselves. */
void gr_err_fill(struct gr_err *err, const char *code, const char *format, va_list args)
    GR_PRINTF(3, 0);

/* As gr_fail for a system call that failed with -result: appends strerror. result is negative. */
int gr_fail_errno(struct gr_err *err, int result, const char *code, const char *format, ...)
    GR_PRINTF(4, 5);

/* Sets the position. file may be NULL (kept as it is); line and column from 1. */
void gr_err_at(struct gr_err *err, const char *file, uint32_t line, uint32_t column);

/*
 * "file:line:col: level: text" into out (always terminated, cut when too small); parts that are not
 * known are left out.
 */
void gr_err_format(const struct gr_err *err, enum gr_level level, char *out, size_t out_bytes);

void gr_report(const struct gr_reporter *to, enum gr_level level, const struct gr_err *err);

#endif
