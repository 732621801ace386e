/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decode_match: spec.match to a tree of conditions.
 *
 * Layer: rules. The entries of one mapping are ANDed; all and any take lists of mappings, not takes
 * one. The tree is as deep as the YAML, which the reader bounds.
 */
#include <errno.h>

#include "rules/decode_parts.h"
#include "rules/limits.h"

/* The conditions of one mapping while it is read. */
struct conds {
    struct gr_cond *items; /* room for one per key */
    size_t n;
};

static int decode_conds(struct gr_decoder *d, const struct gr_yaml_node *node,
                        struct gr_cond *out_cond);

static struct gr_cond *next_cond(struct conds *conds, const struct gr_yaml_node *node,
                                 enum gr_cond_kind kind)
{
    struct gr_cond *cond = &conds->items[conds->n++];

    *cond =
        (struct gr_cond){.kind = kind, .line = node->key_at.line, .column = node->key_at.column};
    return cond;
}

static int decode_always(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_cond *cond = next_cond(target, node, GR_COND_ALWAYS);

    return gr_decode_bool(d, node, &cond->always);
}

static enum gr_field field_of(struct gr_str key)
{
    size_t i = 0;

    while (i + 1 < GR_FIELD_COUNT && !gr_str_is(key, gr_field_name((enum gr_field)i)))
        i++;
    return (enum gr_field)i;
}

static int decode_leaf(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_cond *cond = next_cond(target, node, GR_COND_LEAF);
    struct gr_tests tests = {0};
    int r;

    cond->field = field_of(node->key);
    r = gr_decode_tests(d, node, cond->field == GR_FIELD_IMAGE, &tests);
    cond->tests = tests;
    return r;
}

/* One key of a map: a leaf of its own. */
static int decode_map_leaf(struct gr_decoder *d, const struct gr_yaml_node *value,
                           enum gr_field field, struct gr_cond *cond)
{
    struct gr_tests tests = {0};
    size_t before;
    int r;

    *cond = (struct gr_cond){.kind = GR_COND_LEAF,
                             .field = field,
                             .line = value->key_at.line,
                             .column = value->key_at.column};
    before = gr_field_path_key(&d->path, value->key);
    r = gr_decode_map_key(d, value, &cond->key);
    if (r >= 0)
        r = gr_decode_tests(d, value, false, &tests);
    gr_field_path_cut(&d->path, before);
    cond->tests = tests;
    return r;
}

static int decode_map(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_cond *cond = next_cond(target, node, GR_COND_ALL);
    enum gr_field field = field_of(node->key);
    struct gr_cond *leaves;
    size_t n = 0;

    if (node->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "expected a mapping of keys to values, such as %s: {app: web}, "
                                "found %s",
                                gr_field_name(field), gr_decode_describe(node).text);
    if (node->n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty mapping means nothing here; name a key and its value, "
                                "such as %s: {app: web}",
                                gr_field_name(field));
    leaves = gr_arena_array(d->arena, node->n, sizeof(*leaves));
    if (!leaves)
        return -ENOMEM;
    for (const struct gr_yaml_node *value = node->first; value; value = value->next) {
        int r = decode_map_leaf(d, value, field, &leaves[n++]);

        if (r < 0)
            return r;
    }
    cond->children = leaves;
    cond->children_n = n;
    if (n == 1)
        *cond = leaves[0];
    return 0;
}

static int decode_branches(struct gr_decoder *d, const struct gr_yaml_node *node,
                           struct gr_cond *cond)
{
    struct gr_cond *children;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_VALUES_MAX);

    if (r != 0)
        return r;
    children = gr_arena_array(d->arena, node->n, sizeof(*children));
    if (!children)
        return -ENOMEM;
    for (const struct gr_yaml_node *child = node->first; child; child = child->next) {
        size_t before = gr_field_path_index(&d->path, n);

        r = decode_conds(d, child, &children[n++]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    cond->children = children;
    cond->children_n = n;
    return 0;
}

static int decode_all(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_branches(d, node, next_cond(target, node, GR_COND_ALL));
}

static int decode_any(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_branches(d, node, next_cond(target, node, GR_COND_ANY));
}

static int decode_not(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_cond *cond = next_cond(target, node, GR_COND_NOT);
    struct gr_cond *child = gr_arena_alloc(d->arena, sizeof(*child));

    if (!child)
        return -ENOMEM;
    cond->children = child;
    cond->children_n = 1;
    return decode_conds(d, node, child);
}

static const struct gr_key match_keys[] = {
    {"always", decode_always, 0, NULL},
    {"all", decode_all, 0, NULL},
    {"any", decode_any, 0, NULL},
    {"not", decode_not, 0, NULL},
    {"image", decode_leaf, 0, NULL},
    {"namespace", decode_leaf, 0, NULL},
    {"podName", decode_leaf, 0, NULL},
    {"containerName", decode_leaf, 0, NULL},
    {"podLabels", decode_map, 0, NULL},
    {"containerLabels", decode_map, 0, NULL},
    {"podAnnotations", decode_map, 0, NULL},
    {"containerAnnotations", decode_map, 0, NULL},
    {"annotations", decode_map, 0, NULL},
    {"runtimeHandler", decode_leaf, 0, NULL},
    {"runtime", decode_leaf, 0, NULL},
    {"command", decode_leaf, 0, NULL},
    {"args", NULL, GR_KEY_LATER, NULL},
    {"env", NULL, GR_KEY_LATER, NULL},
    {"mounts", NULL, GR_KEY_LATER, NULL},
    {"requested", NULL, GR_KEY_LATER, NULL},
};

/* A mapping of conditions: itself when there is one, else all of them. */
static int decode_conds(struct gr_decoder *d, const struct gr_yaml_node *node,
                        struct gr_cond *out_cond)
{
    struct conds conds = {0};
    int r;

    if (node->kind == GR_YAML_MAPPING && node->n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty match is refused; to match everything write "
                                "{always: true}");
    conds.items = gr_arena_array(d->arena, node->n, sizeof(*conds.items));
    if (!conds.items)
        return -ENOMEM;
    r = gr_decode_mapping(d, node, GR_KEYS(match_keys), &conds);
    if (r != 0)
        return r;
    if (conds.n == 1) {
        *out_cond = conds.items[0];
        return 0;
    }
    *out_cond = (struct gr_cond){.kind = GR_COND_ALL,
                                 .children = conds.items,
                                 .children_n = conds.n,
                                 .line = node->at.line,
                                 .column = node->at.column};
    return 0;
}

int gr_decode_match(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    struct gr_cond *cond = gr_arena_alloc(d->arena, sizeof(*cond));

    if (!cond)
        return -ENOMEM;
    set->match = cond;
    return decode_conds(d, node, cond);
}
