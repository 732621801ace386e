/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/ocihooks_match: the conditions of an oci-hooks(5) file as an ordinary tree, ANDed in
 * version 1.0.0, ORed in 0.1.0.
 *
 * Layer: rules.
 */
#include <errno.h>

#include "rules/limits.h"
#include "rules/read/ocihooks_parts.h"

#define NEVER_CODE "never-matches"

/* An expression that is searched for: any part of the text may match. */
static int build_regex(struct gr_oci_reader *r, struct gr_str text, struct gr_place at,
                       struct gr_test *test)
{
    struct gr_yaml_node node = {.kind = GR_YAML_SCALAR, .text = text, .at = at};
    struct gr_err err = {0};
    int result;

    if (text.n == 0)
        node.text = GR_STR(GR_OCI_ANYTHING);
    *test = (struct gr_test){.kind = GR_TEST_REGEX, .line = at.line, .column = at.column};
    result = gr_decode_text_copy(&r->d, &node, GR_TEXT_LINE, GR_YAML_SCALAR_MAX_BYTES, &test->text);
    if (result != 0)
        return result;
    result = gr_regex_compile(r->d.arena, test->text, true, &test->regex, &err);
    return result == -EINVAL ? gr_decode_refuse_err(&r->d, at, &err) : result;
}

static struct gr_cond leaf(enum gr_field field, struct gr_place at)
{
    return (struct gr_cond){
        .kind = GR_COND_LEAF, .field = field, .line = at.line, .column = at.column};
}

static struct gr_cond always(bool value, struct gr_place at)
{
    return (struct gr_cond){
        .kind = GR_COND_ALWAYS, .always = value, .line = at.line, .column = at.column};
}

static int build_mounts(struct gr_oci_reader *r, struct gr_place at, struct gr_cond *cond)
{
    struct gr_pattern *pattern = gr_arena_alloc(r->d.arena, sizeof(*pattern));
    struct gr_test *type = gr_arena_alloc(r->d.arena, sizeof(*type));

    if (!pattern || !type)
        return -ENOMEM;
    *type = (struct gr_test){.kind = GR_TEST_EXACT, .line = at.line, .column = at.column};
    if (!gr_arena_str(r->d.arena, GR_STR("bind"), &type->text))
        return -ENOMEM;
    *pattern = (struct gr_pattern){.line = at.line, .column = at.column};
    pattern->parts[GR_MOUNT_TYPE] = (struct gr_tests){.items = type, .n = 1};
    *cond = leaf(GR_FIELD_MOUNTS, at);
    cond->patterns = pattern;
    cond->patterns_n = 1;
    return 0;
}

/* One pair: some annotation's key and value match. */
static int build_pair(struct gr_oci_reader *r, const struct gr_yaml_node *pair,
                      struct gr_cond *cond)
{
    struct gr_pattern *pattern = gr_arena_alloc(r->d.arena, sizeof(*pattern));
    struct gr_test *tests = gr_arena_array(r->d.arena, 2, sizeof(*tests));
    int result;

    if (!pattern || !tests)
        return -ENOMEM;
    result = build_regex(r, pair->key, pair->key_at, &tests[0]);
    if (result >= 0)
        result = build_regex(r, pair->text, pair->at, &tests[1]);
    *pattern = (struct gr_pattern){.line = pair->key_at.line, .column = pair->key_at.column};
    pattern->parts[GR_ENTRY_KEY] = (struct gr_tests){.items = &tests[0], .n = 1};
    pattern->parts[GR_ENTRY_VALUE] = (struct gr_tests){.items = &tests[1], .n = 1};
    *cond = leaf(GR_FIELD_ANY_ANNOTATION, pair->key_at);
    cond->patterns = pattern;
    cond->patterns_n = 1;
    return result;
}

/* Every pair must be met. */
static int build_annotations(struct gr_oci_reader *r, const struct gr_oci_pairs *pairs,
                             struct gr_cond *cond)
{
    struct gr_cond *leaves = gr_arena_array(r->d.arena, pairs->n, sizeof(*leaves));
    size_t before = gr_field_path_key(&r->d.path, GR_STR("annotations"));

    if (!leaves)
        return -ENOMEM;
    for (size_t i = 0; i < pairs->n; i++) {
        int result = build_pair(r, &pairs->items[i], &leaves[i]);

        if (result < 0)
            return result;
    }
    gr_field_path_cut(&r->d.path, before);
    *cond = (struct gr_cond){.kind = GR_COND_ALL,
                             .children = leaves,
                             .children_n = pairs->n,
                             .line = pairs->at.line,
                             .column = pairs->at.column};
    if (pairs->n == 1)
        *cond = leaves[0];
    return 0;
}

/* Any of them is found in args[0]. A container without args does not match: no runtime runs it. */
static int build_commands(struct gr_oci_reader *r, const struct gr_oci_when *when,
                          struct gr_cond *cond)
{
    const struct gr_oci_texts *commands = &when->commands;
    struct gr_test *tests;
    size_t before;

    if (commands->n > GR_VALUES_MAX)
        return gr_decode_refuse(&r->d, commands->at, "too-many",
                                "this list has %zu elements; at most %d are allowed", commands->n,
                                GR_VALUES_MAX);
    tests = gr_arena_array(r->d.arena, commands->n, sizeof(*tests));
    if (!tests)
        return -ENOMEM;
    before = gr_field_path_key(&r->d.path, when->any ? GR_STR("cmds") : GR_STR("commands"));
    for (size_t i = 0; i < commands->n; i++) {
        size_t outer = gr_field_path_index(&r->d.path, i);
        int result = build_regex(r, commands->items[i].text, commands->items[i].at, &tests[i]);

        gr_field_path_cut(&r->d.path, outer);
        if (result < 0)
            return result;
    }
    gr_field_path_cut(&r->d.path, before);
    *cond = leaf(GR_FIELD_COMMAND, commands->at);
    cond->tests = (struct gr_tests){.items = tests, .n = commands->n};
    return 0;
}

/* A condition that is given and false: a veto where all must hold, nothing where one suffices. */
static bool has_veto(const struct gr_oci_when *when)
{
    bool never = (when->always.given && !when->always.value) ||
                 (when->has_bind_mounts.given && !when->has_bind_mounts.value);

    return never && !when->any;
}

#define CONDITIONS_MAX 4

static int build_conditions(struct gr_oci_reader *r, const struct gr_oci_when *when,
                            struct gr_cond *conds, size_t *out_n)
{
    size_t n = 0;
    int result = 0;

    if (has_veto(when))
        conds[n++] = always(false, when->at);
    if (when->has_bind_mounts.value)
        result = build_mounts(r, when->has_bind_mounts.at, &conds[n++]);
    if (result >= 0 && when->annotations.n > 0)
        result = build_annotations(r, &when->annotations, &conds[n++]);
    if (result >= 0 && when->commands.n > 0)
        result = build_commands(r, when, &conds[n++]);
    *out_n = n;
    return GR_MIN(result, 0);
}

int gr_oci_match_build(struct gr_oci_reader *r, const struct gr_oci_when *when,
                       struct gr_hookset *set)
{
    struct gr_cond *conds = gr_arena_array(r->d.arena, CONDITIONS_MAX, sizeof(*conds));
    struct gr_cond *match = gr_arena_alloc(r->d.arena, sizeof(*match));
    size_t before = when->any ? r->d.path.n : gr_field_path_key(&r->d.path, GR_STR("when"));
    size_t n = 0;
    int result;

    if (!conds || !match)
        return -ENOMEM;
    result = build_conditions(r, when, conds, &n);
    if (result < 0)
        return result;
    if (has_veto(when))
        gr_oci_say(r, GR_LEVEL_WARNING, when->at, NEVER_CODE,
                   "always and hasBindMounts that are false mean \"never\": this file injects "
                   "nothing");
    else if (n == 0 && !when->always.value)
        gr_oci_say(r, GR_LEVEL_WARNING, when->at, NEVER_CODE,
                   "there is no condition, which means \"never\": this file injects nothing; for "
                   "every container write \"when\": {\"always\": true} in version 1.0.0");
    *match = (struct gr_cond){.kind = when->any ? GR_COND_ANY : GR_COND_ALL,
                              .children = conds,
                              .children_n = n,
                              .line = when->at.line,
                              .column = when->at.column};
    if (n == 0)
        *match = always(when->always.value, when->at);
    else if (n == 1)
        *match = conds[0];
    set->match = match;
    gr_field_path_cut(&r->d.path, before);
    return 0;
}
