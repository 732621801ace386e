/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/findings.h"

#include <stdio.h>

#include "base/utf8.h"
#include "rules/limits.h"

#define ELLIPSIS "…"

void gr_findings_add(struct gr_findings *findings, const struct gr_field_path *field,
                     struct gr_place place, struct gr_err *err)
{
    findings->count++;
    if (findings->count > GR_FINDINGS_MAX)
        return;
    if (findings->count == GR_FINDINGS_MAX)
        gr_fail(err, 0, "too-many-findings",
                "this file has %d errors or more; the rest is not shown: mend the ones above first",
                GR_FINDINGS_MAX);
    gr_err_at(err, findings->file, place.line, place.column);
    err->field[0] = '\0';
    if (field)
        memcpy(err->field, field->text, field->n + 1);
    gr_report(findings->reporter, GR_LEVEL_ERROR, err);
}

void gr_findings_addf(struct gr_findings *findings, const struct gr_field_path *field,
                      struct gr_place place, const char *code, const char *format, ...)
{
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, code, format, args);
    va_end(args);
    gr_findings_add(findings, field, place, &err);
}

void gr_findings_warn(struct gr_findings *findings, struct gr_place place, const char *code,
                      const char *field, const char *format, ...)
{
    struct gr_err err = {0};
    va_list args;

    findings->warnings++;
    if (findings->warnings > GR_FINDINGS_MAX)
        return;
    va_start(args, format);
    gr_err_fill(&err, code, format, args);
    va_end(args);
    gr_err_at(&err, findings->file, place.line, place.column);
    (void)snprintf(err.field, sizeof(err.field), "%s", field);
    gr_report(findings->reporter, GR_LEVEL_WARNING, &err);
}

static void append(struct gr_field_path *path, struct gr_str before, struct gr_str text,
                   struct gr_str after)
{
    char *end = path->text + path->n;

    if (before.n + text.n + after.n >= sizeof(path->text) - path->n)
        return;
    memcpy(end, before.p, before.n);
    memcpy(end + before.n, text.p, text.n);
    memcpy(end + before.n + text.n, after.p, after.n);
    path->n += before.n + text.n + after.n;
    path->text[path->n] = '\0';
}

static bool is_word(struct gr_str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return key.n > 0;
}

size_t gr_field_path_key(struct gr_field_path *path, struct gr_str key)
{
    size_t before = path->n;

    if (is_word(key))
        append(path, before ? GR_STR(".") : GR_STR(""), key, GR_STR(""));
    else
        append(path, GR_STR("[\""), key, GR_STR("\"]"));
    return before;
}

size_t gr_field_path_index(struct gr_field_path *path, size_t index)
{
    size_t before = path->n;
    char digits[24];
    struct gr_str number = {.p = digits + sizeof(digits)};

    do {
        digits[sizeof(digits) - ++number.n] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    number.p -= number.n;
    append(path, GR_STR("["), number, GR_STR("]"));
    return before;
}

void gr_field_path_cut(struct gr_field_path *path, size_t n)
{
    path->n = GR_MIN(n, path->n);
    path->text[path->n] = '\0';
}

struct gr_shown gr_show(struct gr_str text)
{
    struct gr_shown shown;
    size_t room = sizeof(shown.text) - sizeof(ELLIPSIS);
    size_t used = 0;

    while (used < text.n) {
        size_t n = gr_utf8_next(gr_str_skip(text, used), NULL);

        n = GR_MAX(n, (size_t)1);
        if (used + n > room)
            break;
        memcpy(shown.text + used, text.p + used, n);
        used += n;
    }
    (void)snprintf(shown.text + used, sizeof(shown.text) - used, "%s",
                   used < text.n ? ELLIPSIS : "");
    gr_utf8_make_printable(shown.text);
    return shown;
}
