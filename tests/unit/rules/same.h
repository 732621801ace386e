/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two sets say the same: everything but places, files and hash. For the tests of the
 * writer, and its fuzz target.
 */
#ifndef GR_TESTS_RULES_SAME_H
#define GR_TESTS_RULES_SAME_H

#include "rules/adjust.h"
#include "rules/hookset.h"

static inline bool same_tests(struct gr_tests a, struct gr_tests b);

static inline bool same_test(const struct gr_test *a, const struct gr_test *b)
{
    struct gr_tests in_a = {.items = a->items, .n = a->items_n};
    struct gr_tests in_b = {.items = b->items, .n = b->items_n};

    if (a->kind != b->kind || !gr_str_eq(a->text, b->text) || a->exists != b->exists)
        return false;
    if (a->kind == GR_TEST_REGEX && gr_regex_is_search(a->regex) != gr_regex_is_search(b->regex))
        return false;
    return same_tests(in_a, in_b);
}

static inline bool same_tests(struct gr_tests a, struct gr_tests b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (!same_test(&a.items[i], &b.items[i]))
            return false;
    }
    return true;
}

static inline bool same_pattern(const struct gr_pattern *a, const struct gr_pattern *b)
{
    for (size_t i = 0; i < GR_PARTS_MAX; i++) {
        if (!same_tests(a->parts[i], b->parts[i]))
            return false;
    }
    return true;
}

static inline bool same_cond(const struct gr_cond *a, const struct gr_cond *b)
{
    if (a->kind != b->kind || a->always != b->always || a->children_n != b->children_n ||
        a->patterns_n != b->patterns_n)
        return false;
    if (a->kind == GR_COND_LEAF &&
        (a->field != b->field || !gr_str_eq(a->key, b->key) || !same_tests(a->tests, b->tests)))
        return false;
    for (size_t i = 0; i < a->patterns_n; i++) {
        if (!same_pattern(&a->patterns[i], &b->patterns[i]))
            return false;
    }
    for (size_t i = 0; i < a->children_n; i++) {
        if (!same_cond(&a->children[i], &b->children[i]))
            return false;
    }
    return true;
}

static inline bool same_texts(const struct gr_hook_text *a, size_t a_n,
                              const struct gr_hook_text *b, size_t b_n)
{
    if (a_n != b_n)
        return false;
    for (size_t i = 0; i < a_n; i++) {
        if (!gr_str_eq(a[i].text.source, b[i].text.source) ||
            a[i].text.has_fields != b[i].text.has_fields || a[i].text.n != b[i].text.n)
            return false;
    }
    return true;
}

static inline bool same_hook(const struct gr_hook *a, const struct gr_hook *b)
{
    return gr_str_eq(a->path, b->path) && a->timeout_s == b->timeout_s &&
           a->timeout_given == b->timeout_given &&
           same_texts(a->args, a->args_n, b->args, b->args_n) &&
           same_texts(a->env, a->env_n, b->env, b->env_n);
}

static inline bool same_hooks(const struct gr_hookset *a, const struct gr_hookset *b)
{
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        if (a->hooks[i].n != b->hooks[i].n)
            return false;
        for (size_t k = 0; k < a->hooks[i].n; k++) {
            if (!same_hook(&a->hooks[i].items[k], &b->hooks[i].items[k]))
                return false;
        }
    }
    return true;
}

static inline bool same_environments(const struct gr_hookset *a, const struct gr_hookset *b)
{
    if (a->environments_n != b->environments_n)
        return false;
    for (size_t i = 0; i < a->environments_n; i++) {
        const struct gr_environment *x = &a->environments[i];
        const struct gr_environment *y = &b->environments[i];

        if (!gr_str_eq(x->name, y->name) || !same_texts(x->env, x->env_n, y->env, y->env_n))
            return false;
    }
    return true;
}

static inline bool same_mount(const struct gr_mount *a, const struct gr_mount *b)
{
    bool same = gr_str_eq(a->destination, b->destination) && gr_str_eq(a->source, b->source) &&
                gr_str_eq(a->type, b->type) && a->options.n == b->options.n;

    for (size_t i = 0; same && i < a->options.n; i++)
        same = gr_str_eq(a->options.items[i], b->options.items[i]);
    return same;
}

static inline bool same_device(const struct gr_device *a, const struct gr_device *b)
{
    return a->type == b->type && a->major == b->major && a->minor == b->minor &&
           a->has_mode == b->has_mode && a->has_uid == b->has_uid && a->has_gid == b->has_gid &&
           a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static inline bool same_entry(const struct gr_adjust_entry *a, const struct gr_adjust_entry *b)
{
    return a->kind == b->kind && a->resource == b->resource && gr_str_eq(a->key, b->key) &&
           gr_str_eq(a->text, b->text) && a->number == b->number &&
           same_mount(&a->mount, &b->mount) && same_device(&a->device, &b->device) &&
           a->rlimit.soft == b->rlimit.soft && a->rlimit.hard == b->rlimit.hard;
}

/* In any order: each kind and key stands there once. */
static inline bool same_adjust(const struct gr_hookset *a, const struct gr_hookset *b)
{
    if (a->adjust_n != b->adjust_n)
        return false;
    for (size_t i = 0; i < a->adjust_n; i++) {
        bool found = false;

        for (size_t k = 0; k < b->adjust_n && !found; k++)
            found = same_entry(&a->adjust[i], &b->adjust[k]);
        if (!found)
            return false;
    }
    return true;
}

static inline bool same_nodes(const struct gr_nodes *a, const struct gr_nodes *b)
{
    return a->has_names == b->has_names && a->has_percent == b->has_percent &&
           a->percent == b->percent && same_tests(a->names, b->names);
}

/* What two sets differ in; NULL: nothing. */
static inline const char *set_difference(const struct gr_hookset *a, const struct gr_hookset *b)
{
    if (!gr_str_eq(a->name, b->name))
        return "name";
    if (a->order != b->order)
        return "order";
    if (a->mode != b->mode || a->failure_policy != b->failure_policy ||
        a->on_unknown != b->on_unknown || a->requestable != b->requestable)
        return "mode, failurePolicy, onUnknown or requestable";
    if (!same_nodes(&a->nodes, &b->nodes))
        return "nodes";
    if (!same_cond(a->match, b->match))
        return "match";
    if (!same_hooks(a, b))
        return "hooks";
    if (!same_environments(a, b))
        return "environments";
    if (a->breaker.failures != b->breaker.failures || a->breaker.window_s != b->breaker.window_s)
        return "breaker";
    return same_adjust(a, b) ? NULL : "adjust";
}

#endif
