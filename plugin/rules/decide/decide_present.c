/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on a container already: marks of other instances of Grapnel, and hooks that others put
 * there. A runtime may hand over any number of hooks.
 */
#include "rules/decide/decide_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct gr_mark gr_mark_of(const struct gr_oci_hook *hook)
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

bool gr_mark_is_current(const struct gr_mark *mark, const struct gr_hookset *set)
{
    char hash[17];

    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)set->hash);
    return gr_str_is(mark->hash, hash);
}

static int by_text(const void *a, const void *b)
{
    return gr_str_cmp(*(const struct gr_str *)a, *(const struct gr_str *)b);
}

void gr_decide_count(struct gr_tally *tally, const struct gr_oci_hook *hook)
{
    tally->hooks++;
    /* Of what a message holds, a negative timeout is none and a huge one more than any limit. */
    if (hook->stage <= GR_STAGE_START_CONTAINER && hook->has_timeout && hook->timeout_s > 0)
        tally->create_timeout_s += GR_MIN((uint64_t)hook->timeout_s, (uint64_t)UINT32_MAX);
}

int gr_decide_collect_marks(struct gr_decider *d)
{
    struct gr_str *marks = gr_arena_array(d->arena, d->subject.hooks_n, sizeof(*marks));
    size_t n = 0;

    if (!marks)
        return -ENOMEM;
    for (size_t i = 0; i < d->subject.hooks_n; i++) {
        marks[n] = gr_mark_of(&d->subject.hooks[i]).set;
        if (marks[n].n == 0)
            continue;
        gr_decide_count(&d->tally, &d->subject.hooks[i]);
        n++;
    }
    if (n > 1)
        qsort(marks, n, sizeof(*marks), by_text);
    d->marks = (struct gr_strs){.items = marks, .n = n};
    return 0;
}

bool gr_decide_is_marked(const struct gr_decider *d, struct gr_str set)
{
    return bsearch(&set, d->marks.items, d->marks.n, sizeof(set), by_text) != NULL;
}

static bool same_texts(struct gr_strs a, struct gr_strs b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (!gr_str_eq(a.items[i], b.items[i]))
            return false;
    }
    return true;
}

/* A runtime that finds no args makes them of the path. */
static bool same_args(const struct gr_oci_hook *a, const struct gr_oci_hook *b)
{
    if (a->args.n == 0 && b->args.n == 1)
        return gr_str_eq(b->args.items[0], a->path);
    if (b->args.n == 0 && a->args.n == 1)
        return gr_str_eq(a->args.items[0], b->path);
    return same_texts(a->args, b->args);
}

/* Whether found is what the rule asks for and nothing more, apart from what is added to every env.
 */
static bool same_env(struct gr_strs asked, struct gr_strs found)
{
    size_t n = 0;

    for (size_t i = 0; i < found.n; i++) {
        struct gr_str entry = found.items[i];

        if (n < asked.n && gr_str_eq(entry, asked.items[n]))
            n++;
        else if (!gr_str_has_prefix(entry, GR_STR("GRAPNEL_")) &&
                 !gr_str_is(entry, GR_HOOK_PATH_ENV))
            return false;
    }
    return n == asked.n;
}

/* Whether somebody else has put this very hook there. */
static bool is_there(const struct gr_decider *d, const struct gr_rendered *ours)
{
    const struct gr_oci_hook *hook = &ours->hook;
    struct gr_strs asked = {.items = hook->env.items, .n = ours->user_env_n};

    for (size_t i = 0; i < d->subject.hooks_n; i++) {
        const struct gr_oci_hook *other = &d->subject.hooks[i];

        if (other->stage == hook->stage && other->has_timeout &&
            other->timeout_s == hook->timeout_s && gr_str_eq(other->path, hook->path) &&
            same_args(other, hook) && gr_mark_of(other).set.n == 0 && same_env(asked, other->env))
            return true;
    }
    return false;
}

void gr_decide_drop_present(const struct gr_decider *d, struct gr_plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n && d->subject.hooks_n > 0; i++) {
        if (!is_there(d, &plan->hooks[i]))
            plan->hooks[n++] = plan->hooks[i];
    }
    if (d->subject.hooks_n > 0)
        plan->n = n;
}
