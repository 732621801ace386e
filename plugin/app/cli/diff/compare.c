/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "app/cli/diff/parts.h"
#include "app/cli/shared/hooks_json.h"

const char *gr_diff_kind_name(enum gr_diff_kind kind)
{
    static const char *const names[] = {
        [GR_DIFF_GAINS] = "gains",     [GR_DIFF_LOSES] = "loses",     [GR_DIFF_CHANGES] = "changes",
        [GR_DIFF_ORDER] = "order",     [GR_DIFF_REFUSED] = "refused", [GR_DIFF_CREATED] = "created",
        [GR_DIFF_UNKNOWN] = "unknown",
    };

    return names[kind];
}

bool gr_diff_is_of(const struct gr_oci_hook *hook, struct gr_str set)
{
    return gr_str_eq(gr_hook_set_name(hook), set);
}

/* The same variable, or the mark of the same set. */
static bool same_variable(struct gr_str a, struct gr_str b)
{
    struct gr_str mark = GR_STR(GR_MARK_NAME "=");

    if (!gr_str_has_prefix(a, mark) || !gr_str_has_prefix(b, mark))
        return gr_str_eq(a, b);
    return gr_str_eq(gr_str_first(a, gr_str_rfind(a, '@')), gr_str_first(b, gr_str_rfind(b, '@')));
}

static bool same_hook(const struct gr_oci_hook *a, const struct gr_oci_hook *b)
{
    bool same = a->stage == b->stage && gr_str_eq(a->path, b->path) && a->args.n == b->args.n &&
                a->env.n == b->env.n && a->has_timeout == b->has_timeout &&
                a->timeout_s == b->timeout_s;

    for (size_t i = 0; same && i < a->args.n; i++)
        same = gr_str_eq(a->args.items[i], b->args.items[i]);
    for (size_t i = 0; same && i < a->env.n; i++)
        same = same_variable(a->env.items[i], b->env.items[i]);
    return same;
}

/* The hook of a set from position *i on, which is moved behind it; NULL: no more. */
static const struct gr_oci_hook *next_hook(const struct gr_decision *decision, struct gr_str set,
                                           size_t *i)
{
    while (*i < decision->hooks_n) {
        const struct gr_oci_hook *hook = &decision->hooks[(*i)++];

        if (gr_diff_is_of(hook, set))
            return hook;
    }
    return NULL;
}

static bool same_hooks(const struct gr_decision *a, const struct gr_decision *b, struct gr_str set)
{
    size_t i = 0, k = 0;

    for (;;) {
        const struct gr_oci_hook *x = next_hook(a, set, &i);
        const struct gr_oci_hook *y = next_hook(b, set, &k);

        if (!x || !y)
            return x == y;
        if (!same_hook(x, y))
            return false;
    }
}

/* Whether every entry that a has of a set is in b, of the same set and with the same value. */
static bool has_all(const struct gr_decision *a, const struct gr_decision *b, struct gr_str set)
{
    for (size_t i = 0; i < a->adjust_n; i++) {
        bool found = false;

        if (!gr_str_eq(a->adjust[i].set->name, set))
            continue;
        for (size_t k = 0; k < b->adjust_n && !found; k++)
            found = gr_str_eq(b->adjust[k].set->name, set) &&
                    gr_adjust_same_key(a->adjust[i].entry, b->adjust[k].entry) &&
                    gr_adjust_same_value(a->adjust[i].entry, b->adjust[k].entry);
        if (!found)
            return false;
    }
    return true;
}

/* Whether a decision does something for a set. */
static bool injects(const struct gr_decision *decision, struct gr_str set)
{
    for (size_t i = 0; i < decision->results_n && !decision->refuse; i++) {
        if (gr_str_eq(decision->results[i].set->name, set))
            return decision->results[i].verdict == GR_VERDICT_INJECTED;
    }
    return false;
}

struct comparing {
    struct gr_diff_entry *items;
    size_t n;
};

static void add(struct comparing *c, enum gr_diff_kind kind, struct gr_str set)
{
    c->items[c->n++] = (struct gr_diff_entry){.kind = kind, .set = set};
}

static void compare_sets(struct comparing *c, const struct gr_decision *before,
                         const struct gr_decision *after)
{
    for (size_t i = 0; i < before->results_n; i++) {
        struct gr_str set = before->results[i].set->name;

        if (!injects(before, set))
            continue;
        if (!injects(after, set))
            add(c, GR_DIFF_LOSES, set);
        else if (!same_hooks(before, after, set) || !has_all(before, after, set) ||
                 !has_all(after, before, set))
            add(c, GR_DIFF_CHANGES, set);
    }
    for (size_t i = 0; i < after->results_n; i++) {
        struct gr_str set = after->results[i].set->name;

        if (injects(after, set) && !injects(before, set))
            add(c, GR_DIFF_GAINS, set);
    }
}

static bool same_order(const struct gr_decision *before, const struct gr_decision *after)
{
    bool same = before->hooks_n == after->hooks_n;

    for (size_t i = 0; same && i < before->hooks_n; i++)
        same = same_hook(&before->hooks[i], &after->hooks[i]);
    return same;
}

int gr_diff_compare(const struct gr_decision *before, const struct gr_decision *after,
                    struct gr_arena *arena, struct gr_diff *out_diff)
{
    struct comparing c = {0};

    c.items = gr_arena_array(arena, before->results_n + after->results_n + 1, sizeof(*c.items));
    if (!c.items)
        return -ENOMEM;
    if (before->refuse != after->refuse)
        add(&c, after->refuse ? GR_DIFF_REFUSED : GR_DIFF_CREATED, GR_STR_NONE);
    compare_sets(&c, before, after);
    if (c.n == 0 && !same_order(before, after))
        add(&c, GR_DIFF_ORDER, GR_STR_NONE);
    *out_diff = (struct gr_diff){.items = c.items, .n = c.n, .before = before, .after = after};
    return 0;
}
