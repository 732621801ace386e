/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/write/write: from a set to the tree of its document.
 *
 * Layer: rules. Keys in the order of specs/hookset.md; what has its default is left out. Recursion
 * goes as deep as the match.
 */
#include "rules/write/write.h"

#include <errno.h>

#include "rules/adjust.h"
#include "rules/pattern/glob.h"
#include "rules/limits.h"
#include "rules/read/strict.h"
#include "rules/write/write_parts.h"

#define SCRATCH_BLOCK_BYTES (16U << 10)

/* ---- values ---- */

static const char *form_name(enum gr_test_kind kind)
{
    static const char *const names[] = {
        [GR_TEST_EXACT] = "exact",  [GR_TEST_GLOB] = "glob",     [GR_TEST_PREFIX] = "prefix",
        [GR_TEST_REGEX] = "regex",  [GR_TEST_IMAGE] = "exact",   [GR_TEST_IN] = "in",
        [GR_TEST_NOT_IN] = "notIn", [GR_TEST_EXISTS] = "exists",
    };

    return names[kind];
}

/* What stands without a form: a pattern of an image, a text without * and ?. */
static bool is_bare(const struct gr_test *test)
{
    return test->kind == GR_TEST_IMAGE ||
           (test->kind == GR_TEST_EXACT && gr_glob_literal_prefix(test->text) == test->text.n);
}

static void add_test(struct gr_out_tree *tree, struct gr_out *parent, struct gr_str key,
                     const struct gr_test *test)
{
    const char *form = form_name(test->kind);
    struct gr_out *node;

    if (is_bare(test)) {
        node = gr_out_add_keyed(tree, parent, key, GR_OUT_TEXT);
        if (node)
            node->text = test->text;
        return;
    }
    node = gr_out_add_keyed(tree, parent, key, GR_OUT_MAP);
    if (test->kind == GR_TEST_EXISTS) {
        gr_out_word(tree, node, form, test->exists ? "true" : "false");
    } else if (test->kind == GR_TEST_IN || test->kind == GR_TEST_NOT_IN) {
        struct gr_out *items = gr_out_add(tree, node, form, GR_OUT_LIST);

        for (size_t i = 0; i < test->items_n; i++)
            gr_out_text(tree, items, NULL, test->items[i].text);
    } else {
        gr_out_text(tree, node, form, test->text);
    }
    if (test->kind == GR_TEST_REGEX && gr_regex_is_search(test->regex))
        gr_out_word(tree, node, "search", "true");
}

static void add_tests(struct gr_out_tree *tree, struct gr_out *parent, struct gr_str key,
                      struct gr_tests tests)
{
    struct gr_out *list;

    if (tests.n == 1) {
        add_test(tree, parent, key, &tests.items[0]);
        return;
    }
    list = gr_out_add_keyed(tree, parent, key, GR_OUT_LIST);
    for (size_t i = 0; i < tests.n; i++)
        add_test(tree, list, GR_STR_NONE, &tests.items[i]);
}

/* ---- match ---- */

static bool is_map_leaf(const struct gr_cond *cond)
{
    return cond->kind == GR_COND_LEAF && gr_field_is_map(cond->field);
}

/* Whether all children are keys of one map, each once: podLabels: {a: …, b: …}. */
static bool is_group(const struct gr_cond *cond)
{
    if (cond->kind != GR_COND_ALL || cond->children_n < 2)
        return false;
    for (size_t i = 0; i < cond->children_n; i++) {
        const struct gr_cond *child = &cond->children[i];

        if (!is_map_leaf(child) || child->field != cond->children[0].field)
            return false;
        for (size_t k = 0; k < i; k++) {
            if (gr_str_eq(child->key, cond->children[k].key))
                return false;
        }
    }
    return true;
}

/* The key of a condition in a mapping of conditions. */
static const char *key_of(const struct gr_cond *cond)
{
    switch (cond->kind) {
    case GR_COND_ALWAYS:
    case GR_COND_UNREADABLE:
        return "always";
    case GR_COND_ALL:
        return is_group(cond) ? gr_field_name(cond->children[0].field) : "all";
    case GR_COND_ANY:
        return "any";
    case GR_COND_NOT:
        return "not";
    case GR_COND_LEAF:
        break;
    }
    return gr_field_name(cond->field);
}

/* More keys than a mapping of conditions has. */
#define MATCH_KEYS_MAX 32

/* The keys of the children, when they can stand in one mapping. */
struct keys {
    const char *items[MATCH_KEYS_MAX];
    size_t n;
};

static bool has_key(const struct keys *keys, const char *key)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->items[i] && strcmp(keys->items[i], key) == 0)
            return true;
    }
    return false;
}

/* Each key once. A group that finds its map's key taken goes under "all". */
static bool choose_keys(const struct gr_cond *cond, struct keys *out_keys)
{
    *out_keys = (struct keys){0};
    if (cond->children_n < 2 || cond->children_n > MATCH_KEYS_MAX)
        return false;
    out_keys->n = cond->children_n;
    for (size_t i = 0; i < cond->children_n; i++) {
        const char *key = key_of(&cond->children[i]);

        if (cond->children[i].kind == GR_COND_ALL)
            continue;
        if (has_key(out_keys, key))
            return false;
        out_keys->items[i] = key;
    }
    for (size_t i = 0; i < cond->children_n; i++) {
        const char *key = key_of(&cond->children[i]);

        if (cond->children[i].kind != GR_COND_ALL)
            continue;
        if (has_key(out_keys, key))
            key = "all";
        if (has_key(out_keys, key))
            return false;
        out_keys->items[i] = key;
    }
    return true;
}

static void add_entry(struct gr_out_tree *tree, struct gr_out *map, const char *key,
                      const struct gr_cond *cond);

/* A condition as a mapping, in map. */
static void fill_conds(struct gr_out_tree *tree, struct gr_out *map, const struct gr_cond *cond)
{
    struct keys keys;

    if (cond->kind != GR_COND_ALL || is_group(cond) || !choose_keys(cond, &keys)) {
        add_entry(tree, map, key_of(cond), cond);
        return;
    }
    for (size_t i = 0; i < cond->children_n; i++)
        add_entry(tree, map, keys.items[i], &cond->children[i]);
}

static void add_branches(struct gr_out_tree *tree, struct gr_out *map, const char *key,
                         const struct gr_cond *cond)
{
    struct gr_out *list = gr_out_add(tree, map, key, GR_OUT_LIST);

    if (list)
        list->open = true;
    for (size_t i = 0; i < cond->children_n; i++) {
        struct gr_out *branch = gr_out_add(tree, list, NULL, GR_OUT_MAP);

        if (branch)
            branch->open = true;
        fill_conds(tree, branch, &cond->children[i]);
    }
}

static void add_pattern(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                        enum gr_field field, const struct gr_pattern *pattern)
{
    static const char *const mount_parts[GR_PARTS_MAX] = {
        [GR_MOUNT_SOURCE] = "source",
        [GR_MOUNT_DESTINATION] = "destination",
        [GR_MOUNT_TYPE] = "type",
    };
    static const char *const entry_parts[GR_PARTS_MAX] = {
        [GR_ENTRY_KEY] = "key",
        [GR_ENTRY_VALUE] = "value",
    };
    const char *const *parts = field == GR_FIELD_MOUNTS ? mount_parts : entry_parts;
    struct gr_out *map = gr_out_add(tree, parent, key, GR_OUT_MAP);

    for (size_t i = 0; i < GR_PARTS_MAX; i++) {
        if (pattern->parts[i].n > 0)
            add_tests(tree, map, gr_str_from(parts[i]), pattern->parts[i]);
    }
}

static void add_leaf(struct gr_out_tree *tree, struct gr_out *map, const char *key,
                     const struct gr_cond *cond)
{
    struct gr_out *list;

    if (gr_field_is_map(cond->field)) {
        add_tests(tree, gr_out_add(tree, map, key, GR_OUT_MAP), cond->key, cond->tests);
    } else if (cond->field == GR_FIELD_REQUESTED) {
        gr_out_word(tree, map, key, "true");
    } else if (!gr_field_has_parts(cond->field)) {
        add_tests(tree, map, gr_str_from(key), cond->tests);
    } else if (cond->patterns_n == 1) {
        add_pattern(tree, map, key, cond->field, &cond->patterns[0]);
    } else {
        list = gr_out_add(tree, map, key, GR_OUT_LIST);
        for (size_t i = 0; i < cond->patterns_n; i++)
            add_pattern(tree, list, NULL, cond->field, &cond->patterns[i]);
    }
}

static void add_group(struct gr_out_tree *tree, struct gr_out *map, const char *key,
                      const struct gr_cond *cond)
{
    struct gr_out *group = gr_out_add(tree, map, key, GR_OUT_MAP);

    for (size_t i = 0; i < cond->children_n; i++)
        add_tests(tree, group, cond->children[i].key, cond->children[i].tests);
}

static void add_entry(struct gr_out_tree *tree, struct gr_out *map, const char *key,
                      const struct gr_cond *cond)
{
    switch (cond->kind) {
    case GR_COND_ALWAYS:
        gr_out_word(tree, map, key, cond->always ? "true" : "false");
        break;
    case GR_COND_ALL:
        if (strcmp(key, "all") != 0)
            add_group(tree, map, key, cond);
        else
            add_branches(tree, map, key, cond);
        break;
    case GR_COND_ANY:
        add_branches(tree, map, key, cond);
        break;
    case GR_COND_NOT:
        fill_conds(tree, gr_out_add(tree, map, key, GR_OUT_MAP), &cond->children[0]);
        break;
    case GR_COND_LEAF:
        add_leaf(tree, map, key, cond);
        break;
    case GR_COND_UNREADABLE: /* is_writable has looked */
        break;
    }
}

static void add_match(struct gr_out_tree *tree, struct gr_out *spec, const struct gr_cond *match)
{
    struct gr_out *map = gr_out_add(tree, spec, "match", GR_OUT_MAP);

    if (map)
        map->open = match->kind != GR_COND_ALWAYS;
    fill_conds(tree, map, match);
}

/* ---- hooks ---- */

static void add_hook_texts(struct gr_out_tree *tree, struct gr_out *parent, const char *key,
                           const struct gr_hook_text *texts, size_t n)
{
    struct gr_out *list;

    if (n == 0)
        return;
    list = gr_out_add(tree, parent, key, GR_OUT_LIST);
    for (size_t i = 0; i < n; i++)
        gr_out_text(tree, list, NULL, texts[i].text.source);
}

static void add_hook(struct gr_out_tree *tree, struct gr_out *stage, const struct gr_hook *hook)
{
    struct gr_out *map = gr_out_add(tree, stage, NULL, GR_OUT_MAP);

    if (map)
        map->open = true;
    if (hook->program.n > 0)
        gr_out_text(tree, map, "program", hook->program);
    else
        gr_out_text(tree, map, "path", hook->path);
    add_hook_texts(tree, map, "args", hook->args, hook->args_n);
    add_hook_texts(tree, map, "env", hook->env, hook->env_n);
    if (hook->timeout_given)
        gr_out_number(tree, map, "timeout", hook->timeout_s);
}

static bool has_hooks(const struct gr_hookset *set)
{
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        if (set->hooks[i].n > 0)
            return true;
    }
    return false;
}

static void add_hooks(struct gr_out_tree *tree, struct gr_out *spec, const struct gr_hookset *set)
{
    struct gr_out *hooks;

    if (!has_hooks(set))
        return;
    hooks = gr_out_add(tree, spec, "hooks", GR_OUT_MAP);
    if (hooks)
        hooks->open = true;
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        struct gr_out *stage;

        if (set->hooks[i].n == 0)
            continue;
        stage = gr_out_add(tree, hooks, gr_stage_name((enum gr_stage)i), GR_OUT_LIST);
        for (size_t k = 0; k < set->hooks[i].n; k++)
            add_hook(tree, stage, &set->hooks[i].items[k]);
    }
}

static void add_environments(struct gr_out_tree *tree, struct gr_out *spec,
                             const struct gr_hookset *set)
{
    struct gr_out *map;

    if (set->environments_n == 0)
        return;
    map = gr_out_add(tree, spec, "environments", GR_OUT_MAP);
    if (map)
        map->open = true;
    for (size_t i = 0; i < set->environments_n; i++) {
        const struct gr_environment *environment = &set->environments[i];

        add_hook_texts(tree, gr_out_add_keyed(tree, map, environment->name, GR_OUT_MAP), "env",
                       environment->env, environment->env_n);
    }
}

/* ---- the document ---- */

static void add_nodes(struct gr_out_tree *tree, struct gr_out *spec, const struct gr_nodes *nodes)
{
    struct gr_out *map;

    if (!nodes->has_names && !nodes->has_percent)
        return;
    map = gr_out_add(tree, spec, "nodes", GR_OUT_MAP);
    if (nodes->has_names)
        add_tests(tree, map, GR_STR("names"), nodes->names);
    if (nodes->has_percent)
        gr_out_number(tree, map, "percent", nodes->percent);
}

/* Conditions on requests have another default of order. */
static bool asks(const struct gr_cond *cond)
{
    if (cond->kind == GR_COND_LEAF)
        return cond->field == GR_FIELD_REQUESTED;
    for (size_t i = 0; i < cond->children_n; i++) {
        if (asks(&cond->children[i]))
            return true;
    }
    return false;
}

static void add_breaker(struct gr_out_tree *tree, struct gr_out *spec,
                        const struct gr_breaker_spec *breaker)
{
    struct gr_out *map;

    if (breaker->failures == 0)
        return;
    map = gr_out_add(tree, spec, "breaker", GR_OUT_MAP);
    gr_out_number(tree, map, "failures", breaker->failures);
    gr_out_number(tree, map, "window", breaker->window_s);
}

static void add_spec(struct gr_out_tree *tree, struct gr_out *spec, const struct gr_hookset *set)
{
    if (set->mode == GR_MODE_OBSERVE)
        gr_out_word(tree, spec, "mode", "Observe");
    add_nodes(tree, spec, &set->nodes);
    if (set->order != GR_ORDER_DEFAULT || asks(set->match))
        gr_out_number(tree, spec, "order", set->order);
    if (set->requestable)
        gr_out_word(tree, spec, "requestable", "true");
    add_match(tree, spec, set->match);
    if (set->failure_policy == GR_IGNORE)
        gr_out_word(tree, spec, "failurePolicy", "Ignore");
    if (set->on_unknown != GR_UNKNOWN_SKIP)
        gr_out_word(tree, spec, "onUnknown",
                    set->on_unknown == GR_UNKNOWN_INJECT ? "Inject" : "Fail");
    add_hooks(tree, spec, set);
    add_environments(tree, spec, set);
    gr_write_adjust(tree, spec, set);
    add_breaker(tree, spec, &set->breaker);
}

/* Of a set for a later version not all was read. */
static bool is_writable(const struct gr_cond *cond)
{
    if (cond->kind == GR_COND_UNREADABLE)
        return false;
    for (size_t i = 0; i < cond->children_n; i++) {
        if (!is_writable(&cond->children[i]))
            return false;
    }
    return true;
}

int gr_hookset_write(const struct gr_hookset *set, struct gr_buf *out)
{
    struct gr_out_tree tree = {0};
    struct gr_out *root, *spec;
    int r = -ENOMEM;

    if (set->blocked.n > 0 || !is_writable(set->match))
        return -EINVAL;
    gr_arena_init(&tree.arena, SCRATCH_BLOCK_BYTES, 0);
    root = gr_out_root(&tree);
    gr_out_word(&tree, root, "apiVersion", GR_API_VERSION);
    gr_out_word(&tree, root, "kind", "HookSet");
    gr_out_text(&tree, gr_out_add(&tree, root, "metadata", GR_OUT_MAP), "name", set->name);
    spec = gr_out_add(&tree, root, "spec", GR_OUT_MAP);
    if (spec)
        spec->open = true;
    if (spec)
        add_spec(&tree, spec, set);
    if (!tree.failed)
        r = gr_out_print(root, out);
    gr_arena_fini(&tree.arena);
    return r;
}
