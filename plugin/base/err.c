/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>

#include "base/utf8.h"

const char *gr_level_name(enum gr_level level)
{
    static const char *const names[] = {
        [GR_LEVEL_ERROR] = "error",
        [GR_LEVEL_WARNING] = "warning",
        [GR_LEVEL_INFO] = "info",
        [GR_LEVEL_DEBUG] = "debug",
    };

    return names[level];
}

void gr_err_fill(struct gr_err *err, const char *code, const char *format, va_list args)
{
    int n = vsnprintf(err->text, sizeof(err->text), format, args);

    err->code = code;
    if (n < 0)
        err->text[0] = '\0';
    gr_utf8_make_printable(err->text);
}

int gr_fail(struct gr_err *err, int result, const char *code, const char *format, ...)
{
    va_list args;

    if (!err)
        return result;
    err->sys_errno = 0;
    va_start(args, format);
    gr_err_fill(err, code, format, args);
    va_end(args);
    return result;
}

int gr_fail_errno(struct gr_err *err, int result, const char *code, const char *format, ...)
{
    va_list args;
    size_t n;

    if (!err)
        return result;
    err->sys_errno = -result;
    va_start(args, format);
    gr_err_fill(err, code, format, args);
    va_end(args);
    n = strlen(err->text);
    (void)snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(-result));
    return result;
}

void gr_err_at(struct gr_err *err, const char *file, uint32_t line, uint32_t column)
{
    if (!err)
        return;
    if (file) {
        (void)snprintf(err->file, sizeof(err->file), "%s", file);
        gr_utf8_make_printable(err->file);
    }
    err->line = line;
    err->column = column;
}

void gr_err_format(const struct gr_err *err, enum gr_level level, char *out, size_t out_bytes)
{
    char where[GR_ERR_FILE_BYTES + 32] = "";

    if (err->file[0] && err->line)
        (void)snprintf(where, sizeof(where), "%s:%u:%u: ", err->file, err->line, err->column);
    else if (err->file[0])
        (void)snprintf(where, sizeof(where), "%s: ", err->file);
    else if (err->line)
        (void)snprintf(where, sizeof(where), "%u:%u: ", err->line, err->column);
    (void)snprintf(out, out_bytes, "%s%s: %s", where, gr_level_name(level), err->text);
}

void gr_report(const struct gr_reporter *to, enum gr_level level, const struct gr_err *err)
{
    if (to && to->report)
        to->report(to->user, level, err);
}
