/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_match: spec.match to a tree of conditions.
 *
 * Layer: rules. The entries of one mapping are ANDed; all and any take lists of mappings, not takes
 * one. The tree is as deep as the YAML, which the reader bounds.
 *
 * In a document for a later version (d->lenient) each key that cannot be read is a condition of its
 * own, GR_COND_UNREADABLE, at the innermost place: what stands around it still decides.
 */
#include <errno.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

/* What the table of one mapping writes into. */
struct conds {
    struct gr_hookset *set;
    struct gr_cond *items; /* room for one per key */
    size_t n;
};

static int decode_conds(struct gr_decoder *d, const struct gr_yaml_node *node,
                        struct gr_hookset *set, struct gr_cond *out_cond);

static int decode_always(struct gr_decoder *d, const struct gr_yaml_node *node,
                         struct gr_cond *cond)
{
    cond->kind = GR_COND_ALWAYS;
    return gr_decode_bool(d, node, &cond->always);
}

/* GR_FIELD_COUNT: none. */
static size_t field_of(struct gr_str key)
{
    size_t i = 0;

    while (i < GR_FIELD_COUNT && !gr_str_is(key, gr_field_name((enum gr_field)i)))
        i++;
    return i;
}

static int decode_leaf(struct gr_decoder *d, const struct gr_yaml_node *node, enum gr_field field,
                       struct gr_cond *cond)
{
    struct gr_tests tests = {0};
    int r;

    cond->kind = GR_COND_LEAF;
    cond->field = field;
    r = gr_decode_tests(d, node, field == GR_FIELD_IMAGE, &tests);
    cond->tests = tests;
    return r;
}

/* All such leaves of a set share one test: the set's name may stand behind its match. */
static int decode_requested(struct gr_decoder *d, const struct gr_yaml_node *node,
                            struct gr_hookset *set, struct gr_cond *cond)
{
    struct gr_cond *leaf = gr_arena_alloc(d->arena, sizeof(*leaf));
    bool asked = false;
    int r;

    if (leaf && !set->requested)
        set->requested = gr_arena_alloc(d->arena, sizeof(*set->requested));
    if (!leaf || !set->requested)
        return -ENOMEM;
    r = gr_decode_bool(d, node, &asked);
    *set->requested =
        (struct gr_test){.kind = GR_TEST_EXACT, .line = node->at.line, .column = node->at.column};
    *leaf = (struct gr_cond){.kind = GR_COND_LEAF,
                             .field = GR_FIELD_REQUESTED,
                             .tests = {.items = set->requested, .n = 1},
                             .line = cond->line,
                             .column = cond->column};
    if (asked) {
        *cond = *leaf;
        return r;
    }
    cond->kind = GR_COND_NOT;
    cond->children = leaf;
    cond->children_n = 1;
    return r;
}

/* ---- elements with parts ---- */

static int decode_part(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_pattern *pattern, unsigned int part)
{
    struct gr_tests tests = {0};
    int r = gr_decode_tests(d, node, false, &tests);

    pattern->parts[part] = tests;
    return r;
}

static int decode_source(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_part(d, node, target, GR_MOUNT_SOURCE);
}

static int decode_destination(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_part(d, node, target, GR_MOUNT_DESTINATION);
}

static int decode_type(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_part(d, node, target, GR_MOUNT_TYPE);
}

static int decode_key(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_part(d, node, target, GR_ENTRY_KEY);
}

static int decode_value(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    return decode_part(d, node, target, GR_ENTRY_VALUE);
}

static int decode_pattern(struct gr_decoder *d, const struct gr_yaml_node *node,
                          enum gr_field field, struct gr_pattern *pattern)
{
    static const struct gr_key mount_keys[] = {
        {"source", decode_source, 0, NULL},
        {"destination", decode_destination, 0, NULL},
        {"type", decode_type, 0, NULL},
    };
    static const struct gr_key entry_keys[] = {
        {"key", decode_key, 0, NULL},
        {"value", decode_value, 0, NULL},
    };

    *pattern = (struct gr_pattern){.line = node->at.line, .column = node->at.column};
    if (field == GR_FIELD_MOUNTS)
        return gr_decode_mapping(d, node, GR_KEYS(mount_keys), pattern);
    return gr_decode_mapping(d, node, GR_KEYS(entry_keys), pattern);
}

/* One pattern, or a list of them. */
static int decode_elements(struct gr_decoder *d, const struct gr_yaml_node *node,
                           enum gr_field field, struct gr_cond *cond)
{
    bool is_list = node->kind == GR_YAML_LIST;
    const struct gr_yaml_node *element = is_list ? node->first : node;
    struct gr_pattern *patterns;
    size_t n = 0;
    int r = is_list ? gr_decode_check_list(d, node, GR_VALUES_MAX) : 0;

    if (r != 0)
        return r;
    patterns = gr_arena_array(d->arena, is_list ? node->n : 1, sizeof(*patterns));
    if (!patterns)
        return -ENOMEM;
    for (; element; n++) {
        size_t before = is_list ? gr_field_path_index(&d->path, n) : d->path.n;

        r = decode_pattern(d, element, field, &patterns[n]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
        element = is_list ? element->next : NULL;
    }
    cond->kind = GR_COND_LEAF;
    cond->field = field;
    cond->patterns = patterns;
    cond->patterns_n = n;
    return r;
}

/* ---- maps ---- */

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

/* In a lenient document a leaf that cannot be read; unread is what d->unread was before it. */
static void close_cond(struct gr_decoder *d, bool unread, struct gr_cond *cond)
{
    if (d->unread)
        *cond = (struct gr_cond){
            .kind = GR_COND_UNREADABLE, .line = cond->line, .column = cond->column};
    d->unread = unread;
}

static int decode_map(struct gr_decoder *d, const struct gr_yaml_node *node, enum gr_field field,
                      struct gr_cond *cond)
{
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
        bool unread = d->unread;
        int r;

        d->unread = false;
        r = decode_map_leaf(d, value, field, &leaves[n]);
        if (r < 0)
            return r;
        close_cond(d, unread, &leaves[n++]);
    }
    cond->kind = GR_COND_ALL;
    cond->children = leaves;
    cond->children_n = n;
    if (n == 1)
        *cond = leaves[0];
    return 0;
}

/* ---- all, any, not ---- */

static int decode_branches(struct gr_decoder *d, const struct gr_yaml_node *node,
                           struct gr_hookset *set, struct gr_cond *cond)
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

        r = decode_conds(d, child, set, &children[n++]);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    cond->children = children;
    cond->children_n = n;
    return 0;
}

static int decode_not(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_hookset *set,
                      struct gr_cond *cond)
{
    struct gr_cond *child = gr_arena_alloc(d->arena, sizeof(*child));

    if (!child)
        return -ENOMEM;
    cond->kind = GR_COND_NOT;
    cond->children = child;
    cond->children_n = 1;
    return decode_conds(d, node, set, child);
}

static int decode_field(struct gr_decoder *d, const struct gr_yaml_node *node, enum gr_field field,
                        struct gr_cond *cond)
{
    if (gr_field_is_map(field))
        return decode_map(d, node, field, cond);
    if (gr_field_has_parts(field))
        return decode_elements(d, node, field, cond);
    return decode_leaf(d, node, field, cond);
}

static int decode_by_key(struct gr_decoder *d, const struct gr_yaml_node *node,
                         struct gr_hookset *set, struct gr_cond *cond)
{
    size_t field = field_of(node->key);

    if (field == GR_FIELD_REQUESTED)
        return decode_requested(d, node, set, cond);
    if (field < GR_FIELD_COUNT)
        return decode_field(d, node, (enum gr_field)field, cond);
    if (gr_str_is(node->key, "always"))
        return decode_always(d, node, cond);
    if (gr_str_is(node->key, "not"))
        return decode_not(d, node, set, cond);
    cond->kind = gr_str_is(node->key, "all") ? GR_COND_ALL : GR_COND_ANY;
    return decode_branches(d, node, set, cond);
}

/* Any key of a match. */
static int decode_cond(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct conds *conds = target;
    struct gr_cond *cond = &conds->items[conds->n++];
    bool unread = d->unread;
    int r;

    *cond = (struct gr_cond){.line = node->key_at.line, .column = node->key_at.column};
    d->unread = false;
    r = decode_by_key(d, node, conds->set, cond);
    close_cond(d, unread, cond);
    return r;
}

static const struct gr_key match_keys[] = {
    {"always", decode_cond, 0, NULL},
    {"all", decode_cond, 0, NULL},
    {"any", decode_cond, 0, NULL},
    {"not", decode_cond, 0, NULL},
    {"image", decode_cond, 0, NULL},
    {"namespace", decode_cond, 0, NULL},
    {"podName", decode_cond, 0, NULL},
    {"containerName", decode_cond, 0, NULL},
    {"podLabels", decode_cond, 0, NULL},
    {"containerLabels", decode_cond, 0, NULL},
    {"podAnnotations", decode_cond, 0, NULL},
    {"containerAnnotations", decode_cond, 0, NULL},
    {"annotations", decode_cond, 0, NULL},
    {"anyAnnotation", decode_cond, 0, NULL},
    {"runtimeHandler", decode_cond, 0, NULL},
    {"runtime", decode_cond, 0, NULL},
    {"command", decode_cond, 0, NULL},
    {"args", decode_cond, 0, NULL},
    {"env", decode_cond, 0, NULL},
    {"mounts", decode_cond, 0, NULL},
    {"requested", decode_cond, 0, NULL},
};

static int read_conds(struct gr_decoder *d, const struct gr_yaml_node *node, struct conds *conds)
{
    if (node->kind == GR_YAML_MAPPING && node->n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty match is refused; to match everything write "
                                "{always: true}");
    /* One more, for what is not read. */
    conds->items = gr_arena_array(d->arena, node->n + 1, sizeof(*conds->items));
    if (!conds->items)
        return -ENOMEM;
    return gr_decode_mapping(d, node, GR_KEYS(match_keys), conds);
}

/* A mapping of conditions: itself when there is one, else all of them. */
static int decode_conds(struct gr_decoder *d, const struct gr_yaml_node *node,
                        struct gr_hookset *set, struct gr_cond *out_cond)
{
    const struct gr_cond unreadable = {
        .kind = GR_COND_UNREADABLE, .line = node->at.line, .column = node->at.column};
    struct conds conds = {.set = set};
    bool unread = d->unread;
    int r;

    d->unread = false;
    r = read_conds(d, node, &conds);
    if (r < 0)
        return r;
    /* Keys that this version does not know, and what is no mapping. */
    if (d->unread && conds.items)
        conds.items[conds.n++] = unreadable;
    d->unread = unread;
    if (conds.n == 1)
        *out_cond = conds.items[0];
    else if (conds.n == 0)
        *out_cond = unreadable;
    else
        *out_cond = (struct gr_cond){.kind = GR_COND_ALL,
                                     .children = conds.items,
                                     .children_n = conds.n,
                                     .line = node->at.line,
                                     .column = node->at.column};
    return r;
}

int gr_decode_match(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_hookset *set = target;
    struct gr_cond *cond = gr_arena_alloc(d->arena, sizeof(*cond));

    if (!cond)
        return -ENOMEM;
    set->match = cond;
    return decode_conds(d, node, set, cond);
}

/* Whether a tree is true because of a request: "requested" under an even number of "not". */
static bool asks(const struct gr_cond *cond, bool inverted)
{
    if (cond->kind == GR_COND_LEAF)
        return cond->field == GR_FIELD_REQUESTED && !inverted;
    if (cond->kind == GR_COND_NOT)
        inverted = !inverted;
    for (size_t i = 0; i < cond->children_n; i++) {
        if (asks(&cond->children[i], inverted))
            return true;
    }
    return false;
}

void gr_decode_match_end(const struct gr_yaml_node *root, struct gr_hookset *set)
{
    if (set->requested)
        set->requested->text = set->name;
    if (set->match && asks(set->match, false) && !gr_yaml_get(gr_yaml_get(root, "spec"), "order"))
        set->order = GR_ORDER_REQUESTED_DEFAULT;
}
