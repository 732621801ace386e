/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/document.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/exit.h"
#include "base/utf8.h"
#include "rules/read/yaml.h"

/* Whether YAML readers of all kinds take the text for itself without quotes. */
static bool is_plain(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!letter && (i == 0 ? c != '/' : !((c >= '0' && c <= '9') || (c && strchr("-_./@", c)))))
            return false;
    }
    return text.n > 0 && gr_yaml_plain_type(text) == GR_YAML_TEXT;
}

/* Texts come from pods. JSON need not escape what a terminal takes for commands, or what turns a
 * line round, so that is done here; all of it lies below U+10000 and stands in texts only. */
static bool put_json(const json_t *value, size_t flags)
{
    char *text = json_dumps(value, flags);
    struct gr_str rest = gr_str_from(text ? text : "");
    size_t plain = 0; /* at the beginning of rest */

    while (plain < rest.n) {
        uint32_t rune = 0;
        size_t n = gr_utf8_next(gr_str_skip(rest, plain), &rune);

        if (gr_utf8_is_plain(rune) || rune == '\n') {
            plain += n;
            continue;
        }
        (void)fwrite(rest.p, 1, plain, stdout);
        (void)printf("\\u%04x", rune);
        rest = gr_str_skip(rest, plain + n);
        plain = 0;
    }
    (void)fwrite(rest.p, 1, plain, stdout);
    free(text);
    return text != NULL;
}

static void put_text(struct gr_str text)
{
    json_t *quoted;

    if (is_plain(text)) {
        (void)fwrite(text.p, 1, text.n, stdout);
        return;
    }
    quoted = json_stringn(text.p, text.n); /* JSON is YAML */
    (void)put_json(quoted, JSON_ENCODE_ANY);
    json_decref(quoted);
}

static void put_scalar(const json_t *value)
{
    if (json_is_string(value))
        put_text((struct gr_str){.p = json_string_value(value), .n = json_string_length(value)});
    else
        (void)put_json(value, JSON_ENCODE_ANY | JSON_COMPACT);
    (void)fputc('\n', stdout);
}

static void put_yaml(json_t *value, int indent, bool begun);

/* Behind a key or a dash. Lists stand at the column of their key. */
static void put_value(json_t *value, int indent, bool below_key)
{
    if (json_object_size(value) + json_array_size(value) > 0) {
        if (below_key)
            (void)fputc('\n', stdout);
        put_yaml(value, json_is_array(value) && below_key ? indent : indent + 2, !below_key);
        return;
    }
    if (below_key)
        (void)fputc(' ', stdout);
    put_scalar(value);
}

/* begun: the line is indented already. Depth: as the document, which this program made. */
static void put_yaml(json_t *value, int indent, bool begun)
{
    json_t *item;
    const char *key;
    size_t i;

    json_array_foreach(value, i, item)
    {
        (void)printf("%*s- ", begun ? 0 : indent, "");
        begun = false;
        put_value(item, indent, false);
    }
    json_object_foreach(value, key, item)
    {
        (void)printf("%*s", begun ? 0 : indent, "");
        begun = false;
        put_text(gr_str_from(key));
        (void)fputc(':', stdout);
        put_value(item, indent, true);
    }
}

int gr_document_print(const char *verb, json_t *document, enum gr_output output)
{
    if (!document) {
        (void)fprintf(stderr, "grapnel %s: no memory\n", verb);
        return GR_EXIT_FAILED;
    }
    if (output == GR_OUTPUT_YAML)
        put_value(document, -2, false);
    else if (put_json(document, JSON_INDENT(2)))
        (void)fputc('\n', stdout);
    json_decref(document);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return GR_EXIT_OK;
    (void)fprintf(stderr, "grapnel %s: the output cannot be written\n", verb);
    return GR_EXIT_FAILED;
}
