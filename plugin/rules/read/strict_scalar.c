/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/strict_scalar: scalars as texts, numbers, booleans, seconds, words and paths.
 *
 * Layer: rules. A plain scalar that readers of YAML take for a boolean, a null or a number is never
 * quietly a text here, and a quoted one never a number.
 */
#include "rules/read/strict.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/limits.h"

struct gr_described gr_decode_describe(const struct gr_yaml_node *node)
{
    struct gr_described described = {0};
    enum gr_yaml_type type = node->plain ? gr_yaml_plain_type(node->text) : GR_YAML_TEXT;
    const char *whole = NULL;

    if (node->kind == GR_YAML_LIST)
        whole = "a list";
    else if (node->kind == GR_YAML_MAPPING)
        whole = "a mapping";
    else if (node->plain && node->text.n == 0)
        whole = "nothing";
    if (whole) {
        (void)snprintf(described.text, sizeof(described.text), "%s", whole);
        return described;
    }
    switch (type) {
    case GR_YAML_TEXT:
        (void)snprintf(described.text, sizeof(described.text), "the text \"%s\"",
                       gr_show(node->text).text);
        break;
    case GR_YAML_NULL:
        (void)snprintf(described.text, sizeof(described.text), "%s", gr_show(node->text).text);
        break;
    case GR_YAML_BOOLEAN:
    case GR_YAML_NUMBER:
        (void)snprintf(described.text, sizeof(described.text), "the %s %s", gr_yaml_type_name(type),
                       gr_show(node->text).text);
        break;
    }
    return described;
}

/* The first control character that is not allowed, or 0. (NUL cannot be: the reader refuses it.) */
static uint32_t find_control(struct gr_str text, enum gr_text_class allowed)
{
    while (text.n > 0) {
        uint32_t rune = 0;
        size_t n = gr_utf8_next(text, &rune);
        bool block = rune == '\n' || rune == '\t';

        if (gr_utf8_is_control(rune) && !(block && allowed == GR_TEXT_BLOCK))
            return rune;
        text = gr_str_skip(text, GR_MAX(n, (size_t)1));
    }
    return 0;
}

static int check_characters(struct gr_decoder *d, struct gr_place at, struct gr_str text,
                            enum gr_text_class allowed)
{
    uint32_t rune = find_control(text, allowed);

    if (rune == 0)
        return 0;
    return gr_decode_refuse(d, at, "control-character",
                            "the control character U+%04X is not allowed in this text; remove it",
                            rune);
}

static int refuse_untyped(struct gr_decoder *d, struct gr_place at, enum gr_yaml_type type,
                          struct gr_str text)
{
    struct gr_shown shown = gr_show(text);

    if (text.n == 0)
        return gr_decode_refuse(d, at, "not-a-text",
                                "expected a text, found nothing; write it, or \"\" for the empty "
                                "text");
    if (type == GR_YAML_NULL)
        return gr_decode_refuse(d, at, "not-a-text",
                                "expected a text, found %s; write \"%s\" in quotes", shown.text,
                                shown.text);
    return gr_decode_refuse(d, at, "not-a-text",
                            "expected a text, found the %s %s; write \"%s\" in quotes",
                            gr_yaml_type_name(type), shown.text, shown.text);
}

int gr_decode_text(struct gr_decoder *d, const struct gr_yaml_node *node,
                   enum gr_text_class allowed, struct gr_str *out_text)
{
    enum gr_yaml_type type;
    int r;

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind != GR_YAML_SCALAR)
        return gr_decode_refuse(d, node->at, "wrong-type", "expected a text, found %s",
                                gr_decode_describe(node).text);
    type = node->plain ? gr_yaml_plain_type(node->text) : GR_YAML_TEXT;
    if (type != GR_YAML_TEXT)
        return refuse_untyped(d, node->at, type, node->text);
    r = check_characters(d, node->at, node->text, allowed);
    if (r == 0)
        *out_text = node->text;
    return r;
}

int gr_decode_text_copy(struct gr_decoder *d, const struct gr_yaml_node *node,
                        enum gr_text_class allowed, size_t max, struct gr_str *out_text)
{
    struct gr_str text = GR_STR_NONE;
    int r = gr_decode_text(d, node, allowed, &text);

    if (r != 0)
        return r;
    if (text.n > max)
        return gr_decode_refuse(d, node->at, "too-long",
                                "this text has %zu bytes; at most %zu are allowed here", text.n,
                                max);
    return gr_arena_str(d->arena, text, out_text) ? 0 : -ENOMEM;
}

int gr_decode_map_key(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_str *out_key)
{
    enum gr_yaml_type type = node->key_plain ? gr_yaml_plain_type(node->key) : GR_YAML_TEXT;
    int r;

    if (type != GR_YAML_TEXT && node->key.n > 0)
        return refuse_untyped(d, node->key_at, type, node->key);
    if (node->key.n == 0)
        return gr_decode_refuse(d, node->key_at, "empty", "a key must not be empty");
    if (node->key.n > GR_KEY_MAX_BYTES)
        return gr_decode_refuse(d, node->key_at, "too-long",
                                "this key has %zu bytes; at most %d are allowed", node->key.n,
                                GR_KEY_MAX_BYTES);
    r = check_characters(d, node->key_at, node->key, GR_TEXT_LINE);
    if (r != 0)
        return r;
    return gr_arena_str(d->arena, node->key, out_key) ? 0 : -ENOMEM;
}

int gr_decode_bool(struct gr_decoder *d, const struct gr_yaml_node *node, bool *out)
{
    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind == GR_YAML_SCALAR && node->plain) {
        if (gr_str_is(node->text, "true") || gr_str_is(node->text, "false")) {
            *out = node->text.p[0] == 't';
            return 0;
        }
    }
    return gr_decode_refuse(d, node->at, "not-a-boolean",
                            "expected true or false without quotes, found %s",
                            gr_decode_describe(node).text);
}

int gr_decode_number(struct gr_decoder *d, const struct gr_yaml_node *node, uint32_t min,
                     uint32_t max, uint32_t *out)
{
    uint64_t value = 0;

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind != GR_YAML_SCALAR || !node->plain || gr_str_to_u64(node->text, &value) != 0 ||
        value < min || value > max)
        return gr_decode_refuse(d, node->at, "bad-number",
                                "expected a whole number from %u to %u without quotes, found %s",
                                min, max, gr_decode_describe(node).text);
    *out = (uint32_t)value;
    return 0;
}

int gr_decode_seconds(struct gr_decoder *d, const struct gr_yaml_node *node, uint32_t min,
                      uint32_t max, uint32_t *out_s)
{
    uint64_t value = 0;
    struct gr_str digits = node->text;
    bool unit = gr_str_has_suffix(digits, GR_STR("s"));

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (unit)
        digits = gr_str_first(digits, digits.n - 1);
    if (node->kind != GR_YAML_SCALAR || (!unit && !node->plain) ||
        gr_str_to_u64(digits, &value) != 0 || value < min || value > max)
        return gr_decode_refuse(d, node->at, "bad-seconds",
                                "expected whole seconds from %u to %u, such as 30 or \"30s\", "
                                "found %s",
                                min, max, gr_decode_describe(node).text);
    *out_s = (uint32_t)value;
    return 0;
}

/* "a, b or c" */
static void list_words(const char *const *words, size_t n, char *out, size_t out_bytes)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        const char *before = i == 0 ? "" : i + 1 == n ? " or " : ", ";
        int wrote = snprintf(out + used, out_bytes - used, "%s%s", before, words[i]);

        if (wrote > 0)
            used = GR_MIN(used + (size_t)wrote, out_bytes - 1);
    }
}

int gr_decode_word(struct gr_decoder *d, const struct gr_yaml_node *node, const char *const *words,
                   size_t n, size_t *out_index)
{
    char list[320] = "";
    const char *nearest;

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    for (size_t i = 0; i < n && node->kind == GR_YAML_SCALAR; i++) {
        if (gr_str_is(node->text, words[i])) {
            *out_index = i;
            return 0;
        }
    }
    list_words(words, n, list, sizeof(list));
    nearest = node->kind == GR_YAML_SCALAR ? gr_nearest(node->text, words, n) : NULL;
    return gr_decode_refuse(d, node->at, "bad-word", "expected %s, found %s%s%s%s", list,
                            gr_decode_describe(node).text, nearest ? "; did you mean " : "",
                            nearest ? nearest : "", nearest ? "?" : "");
}

/* What is wrong with a path; NULL: nothing. */
static const char *path_fault(struct gr_str path)
{
    struct gr_str rest = gr_str_skip(path, 1);

    if (path.n == 0 || path.p[0] != '/')
        return "it must be absolute, that is, begin with /";
    if (path.n == 1)
        return "/ itself is no file";
    for (;;) {
        size_t n = gr_str_find(rest, '/');
        struct gr_str part = gr_str_first(rest, n);

        if (part.n == 0)
            return rest.n == 0 ? "it must not end with /" : "it must not hold //";
        if (gr_str_is(part, ".") || gr_str_is(part, ".."))
            return "it must not hold . or .. as a part; write the path that is meant";
        if (n == rest.n)
            return NULL;
        rest = gr_str_skip(rest, n + 1);
    }
}

int gr_decode_check_path(struct gr_decoder *d, struct gr_place at, struct gr_str path, size_t max)
{
    const char *fault = path_fault(path);

    if (path.n > max)
        return gr_decode_refuse(d, at, "bad-path",
                                "this path has %zu bytes; at most %zu are allowed", path.n, max);
    if (fault)
        return gr_decode_refuse(d, at, "bad-path", "the path \"%s\" is refused: %s",
                                gr_show(path).text, fault);
    return 0;
}

static bool is_dns_label(struct gr_str label)
{
    if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return true;
}

bool gr_is_dns_subdomain(struct gr_str name)
{
    if (name.n > GR_NAME_MAX_BYTES)
        return false;
    for (;;) {
        size_t n = gr_str_find(name, '.');

        if (!is_dns_label(gr_str_first(name, n)))
            return false;
        if (n == name.n)
            return true;
        name = gr_str_skip(name, n + 1);
    }
}
