/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/print: what was found, as text and as JSON.
 *
 * Layer: app. Texts hold names of files, which anybody may have chosen: what is not plain is
 * replaced before it reaches a terminal.
 */
#include <stdio.h>

#include "app/cli/shared/terminal.h"
#include "app/doctor/doctor.h"
#include "app/json.h"
#include "base/utf8.h"
#include "version.h"

/* Columns before what belongs to a finding. */
#define INDENT 10

#define LINE_BYTES_MAX 4096

static void put_piece(struct gr_str piece)
{
    char plain[LINE_BYTES_MAX];

    (void)snprintf(plain, sizeof(plain), "%.*s", GR_STR_FMT(piece));
    gr_utf8_make_printable(plain);
    (void)fputs(plain, stdout);
}

/* "label: text", the further lines of text behind an indent; a line feed at the end. */
static void put_lines(const char *label, const char *text)
{
    struct gr_str rest = gr_str_from(text);

    (void)printf("%*s%s", INDENT, "", label);
    for (;;) {
        size_t n = gr_str_find(rest, '\n');

        put_piece(gr_str_first(rest, n));
        (void)fputc('\n', stdout);
        if (n == rest.n)
            return;
        rest = gr_str_skip(rest, n + 1);
        (void)printf("%*s", INDENT + 5, "");
    }
}

static void put_finding(const struct gr_doctor_finding *f, bool color)
{
    static const struct {
        const char *name, *color;
    } levels[] = {
        [GR_LEVEL_ERROR] = {"ERROR", "\033[31m"},
        [GR_LEVEL_WARNING] = {"warning", "\033[33m"},
        [GR_LEVEL_INFO] = {"info", "\033[0m"},
        [GR_LEVEL_DEBUG] = {"", ""},
    };

    (void)printf("  %s%-8s%s%s", color ? levels[f->level].color : "", levels[f->level].name,
                 color ? "\033[0m" : "", f->code);
    if (f->file) {
        (void)fputs("  ", stdout);
        put_piece(gr_str_from(f->file));
        if (f->line)
            (void)printf(":%u", f->line);
    }
    (void)fputc('\n', stdout);
    put_lines("", f->found);
    if (f->why)
        put_lines("why: ", f->why);
    if (f->fix)
        put_lines("fix: ", f->fix);
}

static void put_head(const struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;

    put_piece(gr_str_from(gr_runtime_name(r->kind)));
    if (r->version) {
        (void)fputc(' ', stdout);
        put_piece(gr_str_from(r->version));
    }
    if (r->nri.known)
        (void)printf(", NRI %u.%u.%u", r->nri.major, r->nri.minor, r->nri.patch);
    if (r->config.files_n > 0) {
        (void)fputs(", ", stdout);
        put_piece(gr_str_from(r->config.files[0].path));
        if (r->config.files_n > 1)
            (void)printf(" and %zu more", r->config.files_n - 1);
    }
    (void)fputc('\n', stdout);
}

void gr_doctor_print_text(const struct gr_doctor *d, bool verbose)
{
    bool color = gr_has_colours();

    put_head(d);
    for (size_t i = 0; i < d->checks_n; i++) {
        const struct gr_doctor_check_result *check = &d->checks[i];
        const struct gr_doctor_finding *f = d->first;
        bool any = false;

        for (; f; f = f->next)
            any = any || f->check == check->name;
        if (!any && !verbose)
            continue;
        (void)printf("\n%s%s", check->name, any ? "" : ": ok");
        if (verbose && check->note) {
            (void)fputs(any ? ": " : ", ", stdout);
            put_piece(gr_str_from(check->note));
        }
        (void)fputc('\n', stdout);
        for (f = d->first; f; f = f->next) {
            if (f->check == check->name)
                put_finding(f, color);
        }
    }
    (void)printf("\n%zu %s, %zu %s\n", d->errors, d->errors == 1 ? "error" : "errors", d->warnings,
                 d->warnings == 1 ? "warning" : "warnings");
}

static void set_text(json_t *object, const char *key, const char *text)
{
    gr_json_set_str(object, key, gr_str_from(text));
}

static void set_release(json_t *object, const char *key, struct gr_release release)
{
    if (release.known)
        (void)json_object_set_new(
            object, key, json_sprintf("%u.%u.%u", release.major, release.minor, release.patch));
}

static json_t *runtime_json(const struct gr_runtime *r)
{
    json_t *object = json_object();
    json_t *files = json_array();

    set_text(object, "name", gr_runtime_name(r->kind));
    set_text(object, "version", r->version);
    set_text(object, "versionFrom", r->version_from);
    set_release(object, "nri", r->nri);
    set_text(object, "program", r->binary);
    if (r->proc)
        (void)json_object_set_new(object, "pid", json_integer(r->proc->pid));
    for (size_t i = 0; i < r->config.files_n; i++)
        (void)json_array_append_new(files, gr_json_str(gr_str_from(r->config.files[i].path)));
    (void)json_object_set_new(object, "configFiles", files);
    return object;
}

static json_t *finding_json(const struct gr_doctor_finding *f)
{
    json_t *object = json_object();

    set_text(object, "check", f->check);
    set_text(object, "code", f->code);
    set_text(object, "level", gr_level_name(f->level));
    set_text(object, "file", f->file);
    if (f->line)
        (void)json_object_set_new(object, "line", json_integer(f->line));
    set_text(object, "found", f->found);
    set_text(object, "why", f->why);
    set_text(object, "fix", f->fix);
    return object;
}

json_t *gr_doctor_json(const struct gr_doctor *d)
{
    json_t *checks = json_array();
    json_t *findings = json_array();

    for (size_t i = 0; i < d->checks_n; i++) {
        json_t *check =
            json_pack("{s:s, s:b}", "name", d->checks[i].name, "ok", d->checks[i].findings == 0);

        set_text(check, "note", d->checks[i].note);
        (void)json_array_append_new(checks, check);
    }
    for (const struct gr_doctor_finding *f = d->first; f; f = f->next)
        (void)json_array_append_new(findings, finding_json(f));
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:I}", "version", GR_VERSION, "runtime",
                     runtime_json(&d->runtime), "checks", checks, "findings", findings, "errors",
                     (json_int_t)d->errors, "warnings", (json_int_t)d->warnings);
}
