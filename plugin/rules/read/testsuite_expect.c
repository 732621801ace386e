/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "rules/limits.h"
#include "rules/read/testsuite_parts.h"

static int decode_sets(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expect *expect = target;

    expect->has_sets = true;
    expect->sets_at = node->at;
    return gr_suite_texts(d, node, GR_VALUES_MAX, &expect->sets);
}

static int decode_path(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expected_hook *hook = target;
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_HOOK_PATH_MAX_BYTES, &hook->path);

    return r ? r : gr_decode_check_path(d, node->at, hook->path, GR_HOOK_PATH_MAX_BYTES);
}

static int decode_args(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expected_hook *hook = target;

    hook->has_args = true;
    return gr_suite_texts(d, node, GR_HOOK_ARGS_MAX, &hook->args);
}

static int decode_env(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expected_hook *hook = target;

    hook->has_env = true;
    return gr_suite_texts(d, node, GR_HOOK_ENV_MAX, &hook->env);
}

static int decode_timeout(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expected_hook *hook = target;

    hook->has_timeout = true;
    return gr_decode_seconds(d, node, GR_HOOK_TIMEOUT_MIN_S, GR_HOOK_TIMEOUT_MAX_S,
                             &hook->timeout_s);
}

static int decode_hook(struct gr_decoder *d, const struct gr_yaml_node *node,
                       struct gr_expected_hook *hook)
{
    static const struct gr_key keys[] = {
        {"path", decode_path, GR_KEY_REQUIRED, "path: /opt/hooks/program"},
        {"args", decode_args, 0, NULL},
        {"env", decode_env, 0, NULL},
        {"timeout", decode_timeout, 0, NULL},
    };

    hook->at = node->at;
    if (node->kind == GR_YAML_SCALAR)
        return decode_path(d, node, hook);
    return gr_decode_mapping(d, node, GR_KEYS(keys), hook);
}

static int decode_stage(struct gr_decoder *d, const struct gr_yaml_node *node,
                        struct gr_expected_hooks *out)
{
    struct gr_expected_hook *hooks;
    size_t n = 0;
    int r = gr_suite_check_list(d, node, GR_VALUES_MAX);

    if (r)
        return r;
    hooks = gr_arena_array(d->arena, node->n, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item && r >= 0; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = decode_hook(d, item, &hooks[n]);
        gr_field_path_cut(&d->path, before);
    }
    *out = (struct gr_expected_hooks){.items = hooks, .n = n, .at = node->at};
    return r < 0 ? r : 0;
}

/* A mapping, which may be empty: there are none. */
static int check_mapping(struct gr_decoder *d, const struct gr_yaml_node *node)
{
    if (node->kind == GR_YAML_MAPPING)
        return 0;
    return gr_decode_refuse(d, node->at, "wrong-type", "expected a mapping (key: value), found %s",
                            gr_decode_describe(node).text);
}

static int decode_hooks(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expect *expect = target;
    const char *names[GR_STAGE_COUNT];
    int r = check_mapping(d, node);

    for (size_t i = 0; i < GR_STAGE_COUNT; i++)
        names[i] = gr_stage_name((enum gr_stage)i);
    expect->has_hooks = true;
    expect->hooks_at = node->at;
    if (r)
        return r;
    for (const struct gr_yaml_node *item = node->first; item && r >= 0; item = item->next) {
        size_t before = gr_field_path_key(&d->path, item->key);
        const char *near = gr_nearest(item->key, names, GR_STAGE_COUNT);
        enum gr_stage stage;

        if (gr_stage_parse(item->key, &stage))
            r = decode_stage(d, item, &expect->hooks[stage]);
        else
            (void)gr_decode_refuse(d, item->key_at, "unknown-key",
                                   "there is no stage \"%s\"; did you mean \"%s\"?",
                                   gr_show(item->key).text, near ? near : "createRuntime");
        gr_field_path_cut(&d->path, before);
    }
    return r < 0 ? r : 0;
}

/* How many entries all kinds have together. */
static size_t count_entries(const struct gr_yaml_node *node)
{
    size_t n = 0;

    for (const struct gr_yaml_node *item = node->first; item; item = item->next)
        n += item->n;
    return n;
}

static int decode_kind(struct gr_decoder *d, const struct gr_yaml_node *node,
                       enum gr_adjust_kind kind, struct gr_expected_adjust *out, size_t *n)
{
    struct gr_strs texts = {0};
    int r = gr_suite_texts(d, node, GR_VALUES_MAX, &texts);

    for (size_t i = 0; i < texts.n && r == 0; i++)
        out[(*n)++] =
            (struct gr_expected_adjust){.kind = kind, .text = texts.items[i], .at = node->at};
    return r;
}

static int decode_adjust(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expect *expect = target;
    const char *names[GR_ADJUST_KIND_COUNT];
    struct gr_expected_adjust *entries;
    int r = check_mapping(d, node);

    for (size_t i = 0; i < GR_ADJUST_KIND_COUNT; i++)
        names[i] = gr_adjust_kind_name((enum gr_adjust_kind)i);
    expect->has_adjust = true;
    expect->adjust_at = node->at;
    if (r)
        return r;
    entries = gr_arena_array(d->arena, count_entries(node), sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item && r >= 0; item = item->next) {
        size_t before = gr_field_path_key(&d->path, item->key);
        size_t kind = 0;

        while (kind < GR_ADJUST_KIND_COUNT && !gr_str_is(item->key, names[kind]))
            kind++;
        if (kind < GR_ADJUST_KIND_COUNT) {
            r = decode_kind(d, item, (enum gr_adjust_kind)kind, entries, &expect->adjust_n);
        } else {
            const char *near = gr_nearest(item->key, names, GR_ADJUST_KIND_COUNT);

            (void)gr_decode_refuse(d, item->key_at, "unknown-key",
                                   "there is no adjustment \"%s\"; did you mean \"%s\"?",
                                   gr_show(item->key).text, near ? near : "env");
        }
        gr_field_path_cut(&d->path, before);
    }
    expect->adjust = entries;
    return r < 0 ? r : 0;
}

static int decode_regex(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expect *expect = target;
    struct gr_err err = {0};
    int r = gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_PATTERN_MAX_BYTES, &expect->refusal_text);

    if (r)
        return r;
    expect->refusal = GR_REFUSAL_REGEX;
    r = gr_regex_compile(d->arena, expect->refusal_text, true, &expect->refusal_regex, &err);
    return r == -EINVAL ? gr_decode_refuse_err(d, node->at, &err) : r;
}

/* true, false, a text, or {regex: …}. */
static int decode_refused(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"regex", decode_regex, GR_KEY_REQUIRED, "regex: \"…\""},
    };
    struct gr_expect *expect = target;
    bool yes;
    int r;

    expect->refusal_at = node->at;
    if (node->kind != GR_YAML_SCALAR)
        return gr_decode_mapping(d, node, GR_KEYS(keys), expect);
    if (node->plain && gr_yaml_plain_type(node->text) == GR_YAML_BOOLEAN) {
        r = gr_decode_bool(d, node, &yes);
        if (r == 0)
            expect->refusal = yes ? GR_REFUSAL_YES : GR_REFUSAL_NO;
        return r;
    }
    expect->refusal = GR_REFUSAL_TEXT;
    return gr_decode_text_copy(d, node, GR_TEXT_LINE, GR_PATTERN_MAX_BYTES, &expect->refusal_text);
}

static int decode_exempt(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_expect *expect = target;

    expect->has_exempt = true;
    expect->exempt_at = node->at;
    return gr_decode_bool(d, node, &expect->exempt);
}

int gr_suite_expect(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"sets", decode_sets, 0, NULL},     {"hooks", decode_hooks, 0, NULL},
        {"adjust", decode_adjust, 0, NULL}, {"refused", decode_refused, 0, NULL},
        {"exempt", decode_exempt, 0, NULL},
    };
    struct gr_case *c = target;

    return gr_decode_mapping(d, node, GR_KEYS(keys), &c->expect);
}
