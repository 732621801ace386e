/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on a container already: marks of other instances of Grapnel, and hooks that others put
 * there. A runtime may hand over any number of hooks, and thousands of sets may match: the hooks
 * are sorted once, so that each set looks at few of them.
 */
#include "rules/decide/decide_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- marks ---- */

/* n == 0 of its set: there is none. */
static struct gr_mark mark_of(const struct gr_oci_hook *hook)
{
    struct gr_str prefix = GR_STR(GR_MARK_NAME "=");

    for (size_t i = 0; i < hook->env.n; i++) {
        struct gr_str value;
        size_t at;

        if (!gr_str_has_prefix(hook->env.items[i], prefix))
            continue;
        value = gr_str_skip(hook->env.items[i], prefix.n);
        at = gr_str_rfind(value, '@');
        if (at < value.n)
            return (struct gr_mark){.set = gr_str_first(value, at),
                                    .hash = gr_str_skip(value, at + 1)};
    }
    return (struct gr_mark){0};
}

static int compare_marks(const void *a, const void *b)
{
    const struct gr_mark *one = a, *other = b;
    int order = gr_str_cmp(one->set, other->set);

    return order ? order : gr_str_cmp(one->hash, other->hash);
}

enum gr_marked gr_marks_find(const struct gr_marks *marks, const struct gr_hookset *set)
{
    char hash[17];
    struct gr_mark key = {.set = set->name, .hash = {.p = hash, .n = sizeof(hash) - 1}};
    size_t first = 0, end = marks->n;

    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)set->hash);
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = compare_marks(&marks->items[middle], &key);

        if (order == 0)
            return GR_MARKED_NOW;
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    /* Where the mark would stand: others of the set stand beside it. */
    if ((first > 0 && gr_str_eq(marks->items[first - 1].set, set->name)) ||
        (first < marks->n && gr_str_eq(marks->items[first].set, set->name)))
        return GR_MARKED_BEFORE;
    return GR_MARKED_NOT;
}

void gr_decide_count(struct gr_tally *tally, const struct gr_oci_hook *hook)
{
    tally->hooks++;
    /* Of what a message holds, a negative timeout is none and a huge one more than any limit. */
    if (hook->stage <= GR_STAGE_START_CONTAINER && hook->has_timeout && hook->timeout_s > 0)
        tally->create_timeout_s += GR_MIN((uint64_t)hook->timeout_s, (uint64_t)UINT32_MAX);
}

/* ---- hooks of others ---- */

/* What is not added to every env. Returns 0; -ENOMEM. */
static int without_added(struct gr_arena *arena, struct gr_strs env, struct gr_strs *out)
{
    struct gr_str *own = NULL;
    size_t n = 0;

    for (size_t i = 0; i < env.n; i++) {
        struct gr_str entry = env.items[i];

        if (gr_str_has_prefix(entry, GR_STR("GRAPNEL_")) || gr_str_is(entry, GR_HOOK_PATH_ENV))
            continue;
        if (!own)
            own = gr_arena_array(arena, env.n - i, sizeof(*own));
        if (!own)
            return -ENOMEM;
        own[n++] = entry;
    }
    *out = (struct gr_strs){.items = own, .n = n};
    return 0;
}

static int compare_texts(struct gr_strs a, struct gr_strs b)
{
    int order = (a.n > b.n) - (a.n < b.n);

    for (size_t i = 0; i < a.n && order == 0; i++)
        order = gr_str_cmp(a.items[i], b.items[i]);
    return order;
}

/* A runtime that finds no args makes them of the path. */
static struct gr_strs args_of(const struct gr_oci_hook *hook)
{
    return hook->args.n > 0 ? hook->args : (struct gr_strs){.items = &hook->path, .n = 1};
}

static int compare_foreign(const void *a, const void *b)
{
    const struct gr_foreign *one = a, *other = b;
    const struct gr_oci_hook *x = one->hook, *y = other->hook;
    int order = (x->stage > y->stage) - (x->stage < y->stage);

    if (order == 0)
        order = (x->timeout_s > y->timeout_s) - (x->timeout_s < y->timeout_s);
    if (order == 0)
        order = gr_str_cmp(x->path, y->path);
    if (order == 0)
        order = compare_texts(args_of(x), args_of(y));
    return order ? order : compare_texts(one->own_env, other->own_env);
}

/* Whether somebody else has put this very hook there: what the rule asks for and nothing more,
 * apart from what is added to every env. Returns 0; -ENOMEM. */
static int is_there(const struct gr_decider *d, const struct gr_rendered *ours, bool *out_there)
{
    const struct gr_strs asked = {.items = ours->hook.env.items, .n = ours->user_env_n};
    struct gr_foreign key = {.hook = &ours->hook};
    int r = without_added(d->arena, asked, &key.own_env);

    *out_there =
        r == 0 && bsearch(&key, d->foreign, d->foreign_n, sizeof(key), compare_foreign) != NULL;
    return r;
}

int gr_decide_drop_present(const struct gr_decider *d, struct gr_plan *plan)
{
    size_t n = 0;

    if (d->foreign_n == 0)
        return 0;
    for (size_t i = 0; i < plan->n; i++) {
        bool there;
        int r = is_there(d, &plan->hooks[i], &there);

        if (r)
            return r;
        if (!there)
            plan->hooks[n++] = plan->hooks[i];
    }
    plan->n = n;
    return 0;
}

/* ---- all of them ---- */

int gr_decide_collect_hooks(struct gr_decider *d)
{
    size_t all = d->subject.hooks_n;
    struct gr_mark *marks = gr_arena_array(d->arena, all, sizeof(*marks));
    struct gr_foreign *foreign = gr_arena_array(d->arena, all, sizeof(*foreign));
    size_t marks_n = 0, foreign_n = 0;

    if (!marks || !foreign)
        return -ENOMEM;
    for (size_t i = 0; i < all; i++) {
        const struct gr_oci_hook *hook = &d->subject.hooks[i];

        marks[marks_n] = mark_of(hook);
        if (marks[marks_n].set.n > 0) {
            gr_decide_count(&d->tally, hook);
            marks_n++;
        } else if (hook->has_timeout) { /* as every hook of ours */
            foreign[foreign_n].hook = hook;
            if (without_added(d->arena, hook->env, &foreign[foreign_n++].own_env) != 0)
                return -ENOMEM;
        }
    }
    if (marks_n > 1)
        qsort(marks, marks_n, sizeof(*marks), compare_marks);
    if (foreign_n > 1)
        qsort(foreign, foreign_n, sizeof(*foreign), compare_foreign);
    d->marks = (struct gr_marks){.items = marks, .n = marks_n};
    d->foreign = foreign;
    d->foreign_n = foreign_n;
    return 0;
}
