/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/template: the parser goes over the source once, left to right; it never looks back into what
 * it has cut off, and expansion never looks into values.
 *
 * Layer: base. Grammar of a field:
 *
 *     "{{" blanks ( string | name [ blanks string [ blanks string ] ] ) blanks "}}"
 *     name:   optional dot, a letter, letters and digits
 *     string: '"' ( any character but '"' and '\' | '\"' | '\\' )* '"'
 */
#include "base/template.h"

#include <errno.h>

#define CODE "bad-template"

struct parser {
    struct gr_arena *arena;
    struct gr_str source;
    size_t at;
    struct gr_err *err;
};

static int fail_at(const struct parser *p, size_t offset, int result)
{
    gr_err_at(p->err, NULL, p->err ? p->err->line : 0, (uint32_t)offset + 1);
    return result;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char peek(const struct parser *p)
{
    return p->at < p->source.n ? p->source.p[p->at] : '\0';
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->source.n && is_blank(p->source.p[p->at]))
        p->at++;
}

static bool starts_with(const struct parser *p, const char *text)
{
    return gr_str_has_prefix(gr_str_skip(p->source, p->at), gr_str_from(text));
}

/* Takes the escapes out of a quoted text; only a text that has some is copied. */
static int unescape(const struct parser *p, struct gr_str raw, struct gr_str *out)
{
    char *copy;
    size_t n = 0;

    if (gr_str_find(raw, '\\') == raw.n) {
        *out = raw;
        return 0;
    }
    copy = gr_arena_alloc(p->arena, raw.n);
    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\')
            i++;
        copy[n++] = raw.p[i];
    }
    *out = (struct gr_str){.p = copy, .n = n};
    return 0;
}

/* p->at is at the opening quote. */
static int parse_string(struct parser *p, struct gr_str *out)
{
    size_t open = p->at;
    size_t i = open + 1;

    while (i < p->source.n && p->source.p[i] != '"') {
        if (p->source.p[i] == '\\') {
            char next = i + 1 < p->source.n ? p->source.p[i + 1] : '\0';

            if (next != '"' && next != '\\')
                return fail_at(p, i,
                               gr_fail(p->err, -EINVAL, CODE,
                                       "in the text of a template field only \\\" and \\\\ may "
                                       "follow a backslash; write \\\\ for a backslash"));
            i++;
        }
        i++;
    }
    if (i >= p->source.n)
        return fail_at(p, open,
                       gr_fail(p->err, -EINVAL, CODE,
                               "a text in a template field has no closing double quote; add it"));
    p->at = i + 1;
    return unescape(p, gr_str_first(gr_str_skip(p->source, open + 1), i - open - 1), out);
}

static int parse_name(struct parser *p, struct gr_str *out)
{
    size_t start = p->at;
    size_t i = start;

    if (i < p->source.n && p->source.p[i] == '.')
        i++;
    if (i >= p->source.n || !is_letter(p->source.p[i]))
        return fail_at(p, start,
                       gr_fail(p->err, -EINVAL, CODE,
                               "expected the name of a field such as .ID or annotation \"KEY\" "
                               "after {{; a literal {{ is written {{\"{{\"}}"));
    while (i < p->source.n &&
           (is_letter(p->source.p[i]) || (p->source.p[i] >= '0' && p->source.p[i] <= '9')))
        i++;
    *out = gr_str_first(gr_str_skip(p->source, start), i - start);
    p->at = i;
    return 0;
}

/* Up to two texts behind a name. */
static int parse_arguments(struct parser *p, struct gr_template_part *part)
{
    int r = 0;

    skip_blanks(p);
    if (peek(p) == '"') {
        part->has_arg = true;
        r = parse_string(p, &part->arg);
        skip_blanks(p);
    }
    if (r == 0 && part->has_arg && peek(p) == '"') {
        part->has_fallback = true;
        r = parse_string(p, &part->fallback);
        skip_blanks(p);
    }
    return r;
}

static int parse_close(struct parser *p, size_t open)
{
    skip_blanks(p);
    if (starts_with(p, "}}")) {
        p->at += 2;
        return 0;
    }
    if (p->at >= p->source.n)
        return fail_at(
            p, open,
            gr_fail(p->err, -EINVAL, CODE,
                    "{{ has no closing }}; add it, or write {{\"{{\"}} for a literal {{"));
    if (peek(p) == '"')
        return fail_at(p, p->at,
                       gr_fail(p->err, -EINVAL, CODE,
                               "expected }}: a field takes a key and a default and no more"));
    return fail_at(p, p->at,
                   gr_fail(p->err, -EINVAL, CODE,
                           "expected }} or a text in double quotes in a template field"));
}

/* p->at is at "{{". A quoted text alone is a literal. */
static int parse_field(struct parser *p, gr_template_check_fn *check, void *user,
                       struct gr_template_part *part)
{
    size_t open = p->at;
    int r;

    p->at += 2;
    skip_blanks(p);
    if (peek(p) == '"') {
        r = parse_string(p, &part->literal);
        return r ? r : parse_close(p, open);
    }
    r = parse_name(p, &part->name);
    if (r == 0)
        r = parse_arguments(p, part);
    if (r == 0)
        r = parse_close(p, open);
    if (r)
        return r;
    r = check(user, part, p->err);
    if (r < 0)
        return fail_at(p, open, r);
    part->id = r;
    return 0;
}

/* The offset of the next "{{", or the end. */
static size_t find_field(const struct parser *p)
{
    for (size_t i = p->at; i + 1 < p->source.n; i++) {
        if (p->source.p[i] == '{' && p->source.p[i + 1] == '{')
            return i;
    }
    return p->source.n;
}

static int parse_parts(struct parser *p, gr_template_check_fn *check, void *user,
                       struct gr_template_part *parts, size_t *out_n)
{
    size_t n = 0;

    while (p->at < p->source.n) {
        size_t field = find_field(p);
        int r = 0;

        if (n == GR_TEMPLATE_PARTS_MAX)
            return fail_at(p, p->at,
                           gr_fail(p->err, -E2BIG, CODE,
                                   "more than %d fields and texts between them; use fewer",
                                   GR_TEMPLATE_PARTS_MAX));
        parts[n] = (struct gr_template_part){.offset = (uint32_t)p->at};
        if (field > p->at) {
            parts[n].literal = gr_str_first(gr_str_skip(p->source, p->at), field - p->at);
            p->at = field;
        } else {
            r = parse_field(p, check, user, &parts[n]);
        }
        if (r)
            return r;
        n++;
    }
    *out_n = n;
    return 0;
}

int gr_template_parse(struct gr_arena *arena, struct gr_str source, gr_template_check_fn *check,
                      void *user, struct gr_template *out_template, struct gr_err *err)
{
    struct parser p = {.arena = arena, .source = source, .err = err};
    struct gr_template_part parts[GR_TEMPLATE_PARTS_MAX];
    struct gr_template_part *copy;
    size_t n = 0;
    int r;

    r = parse_parts(&p, check, user, parts, &n);
    if (r)
        return r;
    copy = gr_arena_array(arena, n, sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *out_template = (struct gr_template){.source = source, .parts = copy, .n = n};
    for (size_t i = 0; i < n; i++) {
        copy[i] = parts[i];
        out_template->has_fields |= parts[i].name.n > 0;
    }
    return 0;
}

int gr_template_expand(const struct gr_template *t, gr_template_value_fn *value, void *user,
                       struct gr_buf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct gr_template_part *part = &t->parts[i];
        int r = part->name.n ? value(user, part, out) : gr_buf_str(out, part->literal);

        if (r)
            return r;
    }
    return out->broken;
}
