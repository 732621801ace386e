/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/yaml_json.h"

#include <errno.h>

struct conversion {
    struct gr_arena *arena;
    struct gr_str text;
    struct gr_json_counted *counted; /* places are asked for in the order of the text */
};

static struct gr_place place_of(struct conversion *c, size_t offset)
{
    struct gr_json_counted *n = c->counted;

    if (n->at.line == 0)
        n->at = (struct gr_place){.line = 1, .column = 1};
    gr_json_count(c->text, &n->offset, offset, &n->at.line, &n->at.column);
    return n->at;
}

static int convert_text(struct conversion *c, struct gr_str quoted, struct gr_str *out)
{
    return gr_json_text(c->arena, quoted, out) ? 0 : -ENOMEM;
}

/* Recursion goes as deep as the reader of JSON allows: GR_JSON_DEPTH_MAX. */
static int convert(struct conversion *c, const struct gr_json_node *json, struct gr_yaml_node *out)
{
    struct gr_yaml_node *elements;
    size_t n = 0, i = 0;
    int result = 0;

    if (json->key_end) {
        out->key_at = place_of(c, json->key_start);
        result = convert_text(c, gr_json_raw_key(c->text, json), &out->key);
    }
    out->at = place_of(c, json->start);
    if (json->kind == GR_JSON_STRING && result == 0)
        return convert_text(c, gr_json_raw(c->text, json), &out->text);
    if (json->kind != GR_JSON_LIST && json->kind != GR_JSON_OBJECT) {
        out->plain = true;
        out->text = gr_json_raw(c->text, json);
        return result;
    }
    out->kind = json->kind == GR_JSON_LIST ? GR_YAML_LIST : GR_YAML_MAPPING;
    for (const struct gr_json_node *child = json->first; child; child = child->next)
        out->n++;
    n = out->n;
    elements = gr_arena_array(c->arena, n, sizeof(*elements));
    if (!elements)
        return -ENOMEM;
    out->first = n ? elements : NULL;
    for (json = json->first; json && result == 0; json = json->next, i++) {
        elements[i].next = i + 1 < n ? &elements[i + 1] : NULL;
        result = convert(c, json, &elements[i]);
    }
    return result;
}

int gr_yaml_from_json(struct gr_arena *arena, struct gr_str text, const struct gr_json_node *json,
                      struct gr_json_counted *counted, struct gr_yaml_node **out_node)
{
    struct conversion c = {.arena = arena, .text = text, .counted = counted};
    struct gr_yaml_node *node = gr_arena_alloc(arena, sizeof(*node));
    int result = node ? convert(&c, json, node) : -ENOMEM;

    if (result == 0)
        *out_node = node;
    return result;
}
