/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/convert_toml: config.toml of the Container Hooks Toolkit.
 *
 * Layer: app. Reads the part of TOML that this file consists of: tables, and keys with a text, a
 * whole number, a boolean or a list of them. Anything else is refused. No C library for TOML is in
 * Debian 12.
 */
#include <stdio.h>

#include "app/cli/convert.h"
#include "app/exit.h"
#include "rules/read/strict.h"

/* Where the toolkit looks when config.toml names nothing. */
#define DEFAULT_PATH "/etc/container-hooks/hooks.json"

#define COUNTERPART_CODE "no-counterpart"

struct toml {
    struct gr_convert *c;
    const struct gr_source *source;
    struct gr_str rest;
    uint32_t line;
    const char *line_begin;
    struct gr_str table;
    struct gr_str path; /* container-hooks.path; n == 0: not given */
};

static struct gr_place place_of(const struct toml *t)
{
    return (struct gr_place){.line = t->line, .column = (uint32_t)(t->rest.p - t->line_begin) + 1};
}

static int refuse(struct toml *t, const char *expected)
{
    struct gr_place at = place_of(t);
    struct gr_err err = {0};

    gr_fail(&err, 0, "toml-syntax",
            "expected %s; only tables in [], and keys with a text in quotes, a whole number, true, "
            "false or a list of them are read here",
            expected);
    gr_err_at(&err, t->source->file, at.line, at.column);
    gr_report(&t->c->reporter, GR_LEVEL_ERROR, &err);
    return GR_EXIT_FAILED;
}

static char peek(const struct toml *t)
{
    return t->rest.n > 0 ? t->rest.p[0] : '\0';
}

static void skip(struct toml *t, size_t n)
{
    for (; n > 0 && t->rest.n > 0; n--) {
        bool newline = t->rest.p[0] == '\n';

        t->rest = gr_str_skip(t->rest, 1);
        if (newline) {
            t->line++;
            t->line_begin = t->rest.p;
        }
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct toml *t)
{
    while (is_blank(peek(t)))
        skip(t, 1);
}

/* Blanks, comments and line breaks. */
static void skip_lines(struct toml *t)
{
    for (;;) {
        skip_blanks(t);
        if (peek(t) == '#')
            skip(t, gr_str_find(t->rest, '\n'));
        if (t->rest.n == 0 || peek(t) != '\n')
            return;
        skip(t, 1);
    }
}

/* Nothing but a comment up to the end of the line. */
static int end_line(struct toml *t)
{
    skip_blanks(t);
    if (peek(t) == '#')
        skip(t, gr_str_find(t->rest, '\n'));
    return t->rest.n == 0 || peek(t) == '\n' ? GR_EXIT_OK : refuse(t, "the end of the line");
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static int read_key(struct toml *t, struct gr_str *out_key)
{
    size_t n = 0;

    while (n < t->rest.n && is_key_char(t->rest.p[n]))
        n++;
    if (n == 0)
        return refuse(t, "the name of a table or key, of letters, digits, - and _");
    *out_key = gr_str_first(t->rest, n);
    skip(t, n);
    skip_blanks(t);
    return GR_EXIT_OK;
}

/* 'as it is' or "with \" and \\"; other escapes stand in no path. */
static int read_text(struct toml *t, struct gr_str *out_text)
{
    char quote = peek(t);
    char *copy = gr_arena_alloc(&t->c->arena, t->rest.n);
    size_t n = 0;

    if (!copy)
        return gr_convert_no_memory();
    for (skip(t, 1); peek(t) != quote; skip(t, 1)) {
        if (t->rest.n == 0 || peek(t) == '\n')
            return refuse(t, "the closing quote on the same line");
        if (quote == '"' && peek(t) == '\\') {
            skip(t, 1);
            if (peek(t) != '"' && peek(t) != '\\')
                return refuse(t, "\" or \\ behind a backslash");
        }
        copy[n++] = peek(t);
    }
    skip(t, 1);
    copy[n] = '\0';
    *out_text = (struct gr_str){.p = copy, .n = n};
    return GR_EXIT_OK;
}

static int read_scalar(struct toml *t, struct gr_str *out_text)
{
    size_t n = 0;

    *out_text = GR_STR_NONE;
    if (peek(t) == '"' || peek(t) == '\'')
        return read_text(t, out_text);
    while (n < t->rest.n && is_key_char(t->rest.p[n]))
        n++;
    if (n == 0)
        return refuse(t, "a value");
    skip(t, n);
    return GR_EXIT_OK;
}

static int read_list(struct toml *t)
{
    skip(t, 1);
    for (;;) {
        struct gr_str text;
        int r;

        skip_lines(t);
        if (peek(t) == ']')
            break;
        r = read_scalar(t, &text);
        if (r != GR_EXIT_OK)
            return r;
        skip_lines(t);
        if (peek(t) == ',')
            skip(t, 1);
        else if (peek(t) != ']')
            return refuse(t, "a comma or the closing ]");
    }
    skip(t, 1);
    return GR_EXIT_OK;
}

static const struct counterpart {
    const char *table, *key, *text;
} counterparts[] = {
    {"container-hooks-ctk", "path", "grapnel is one program and needs no path of another one"},
    {"container-hooks-runtime", "debug",
     "Grapnel logs to stderr or the journal: see --log-format of grapnel plugin"},
    {"container-hooks-runtime", "log-level", "set logLevel in Grapnel's configuration"},
    {"container-hooks-runtime", "runtimes",
     "hooks are added through NRI, no wrapper stands before the runtime"},
};

static void say_counterpart(struct toml *t, struct gr_place at, struct gr_str key)
{
    const char *text = "Grapnel does not know it either";
    struct gr_err err = {0};

    for (size_t i = 0; i < GR_ARRAY_LEN(counterparts); i++) {
        if (gr_str_is(t->table, counterparts[i].table) && gr_str_is(key, counterparts[i].key))
            text = counterparts[i].text;
    }
    gr_fail(&err, 0, COUNTERPART_CODE, "%.*s.%.*s has no counterpart in a HookSet: %s",
            GR_STR_FMT(gr_str_first(t->table, 64)), GR_STR_FMT(gr_str_first(key, 64)), text);
    gr_err_at(&err, t->source->file, at.line, at.column);
    gr_report(&t->c->reporter, GR_LEVEL_WARNING, &err);
}

static int read_entry(struct toml *t)
{
    struct gr_place at = place_of(t);
    struct gr_str text = GR_STR_NONE;
    struct gr_str key = GR_STR_NONE;
    bool is_text;
    int r = read_key(t, &key);

    if (r == GR_EXIT_OK && peek(t) != '=')
        r = refuse(t, "= behind the key");
    if (r != GR_EXIT_OK)
        return r;
    skip(t, 1);
    skip_blanks(t);
    is_text = peek(t) == '"' || peek(t) == '\'';
    r = peek(t) == '[' ? read_list(t) : read_scalar(t, &text);
    if (r == GR_EXIT_OK)
        r = end_line(t);
    if (r != GR_EXIT_OK)
        return r;
    if (!gr_str_is(t->table, "container-hooks") || !gr_str_is(key, "path"))
        say_counterpart(t, at, key);
    else if (!is_text || text.n == 0 || text.p[0] != '/')
        return refuse(t, "an absolute path in container-hooks.path");
    else
        t->path = text;
    return GR_EXIT_OK;
}

static int read_table(struct toml *t)
{
    int r;

    skip(t, 1);
    skip_blanks(t);
    r = read_key(t, &t->table);
    if (r != GR_EXIT_OK)
        return r;
    if (peek(t) != ']')
        return refuse(t, "] behind the name of the table");
    skip(t, 1);
    return end_line(t);
}

int gr_convert_toml(struct gr_convert *c, const struct gr_source *source, const char **out_path)
{
    struct gr_findings findings = {.reporter = &c->reporter, .file = source->file};
    struct toml t = {
        .c = c, .source = source, .rest = source->text, .line = 1, .line_begin = source->text.p};
    int r = GR_EXIT_OK;

    if (!gr_yaml_check_text(source->text, &findings))
        return GR_EXIT_OK; /* reported */
    for (skip_lines(&t); r == GR_EXIT_OK && t.rest.n > 0; skip_lines(&t))
        r = peek(&t) == '[' ? read_table(&t) : read_entry(&t);
    if (r == GR_EXIT_OK)
        *out_path = t.path.n > 0 ? t.path.p : DEFAULT_PATH;
    /* What was reported ends the run later, when all files have been looked at. */
    return c->printed.errors > 0 ? GR_EXIT_OK : r;
}
