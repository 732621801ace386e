/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merges what the sets adjust: one value for each kind and key, the last one in the total order,
 * since a runtime refuses a reply that holds a key twice. What the container has already is left
 * out: setting it again would be a conflict with the plugin that did. n log n in the number of
 * entries and of what the container has.
 *
 * A set that another instance has applied asks for nothing again, but its keys stay taken: else a
 * value that lost to it there would win here.
 */
#include "rules/decide/decide_parts.h"

#include <errno.h>
#include <stdlib.h>

/* What one set asks for under one key. */
struct claim {
    const struct gr_adjust_entry *entry;
    size_t match; /* number of the set's result and plan */
};

static int by_key(const void *a, const void *b)
{
    const struct claim *x = a;
    const struct claim *y = b;
    int order = gr_adjust_cmp_key(x->entry, y->entry);

    return order ? order : (x->match > y->match) - (x->match < y->match);
}

static struct claim *collect(struct gr_decider *d, size_t n)
{
    struct claim *claims = gr_arena_array(d->arena, n, sizeof(*claims));
    size_t next = 0;

    for (size_t i = 0; i < d->n && claims; i++) {
        const struct gr_hookset *set = d->results[i].set;

        for (size_t k = 0; k < set->adjust_n && d->plans[i].claims; k++)
            claims[next++] = (struct claim){.entry = &set->adjust[k], .match = i};
    }
    if (claims)
        qsort(claims, n, sizeof(*claims), by_key);
    return claims;
}

/* How many of the claims, the first and those behind it, are for one key. */
static size_t same_key(const struct claim *claims, size_t n)
{
    size_t same = 1;

    while (same < n && gr_adjust_same_key(claims[0].entry, claims[same].entry))
        same++;
    return same;
}

/* The last of several claims for one key wins; of those that say something else the last one is
 * named. */
static struct gr_adjusted settle(const struct gr_decider *d, const struct claim *claims, size_t n)
{
    const struct claim *winner = &claims[n - 1];
    struct gr_adjusted adjusted = {.entry = winner->entry, .set = d->results[winner->match].set};

    for (size_t i = n - 1; i > 0 && !adjusted.over; i--) {
        if (!gr_adjust_same_value(claims[i - 1].entry, winner->entry))
            adjusted.over = d->results[claims[i - 1].match].set;
    }
    return adjusted;
}

static bool is_there(const struct gr_adjust_slot *slot, const struct gr_adjust_entry *entry)
{
    return slot->found && gr_adjust_same_value(&slot->has, entry);
}

/* Claims of one key, one behind the other. */
struct group {
    const struct claim *claims;
    size_t n;
};

/* A set that adds no hook and all of whose entries are there was applied before: without hooks
 * there is no mark that could say so. */
static void tell_already(struct gr_decider *d, const struct group *groups,
                         const struct gr_adjust_slot *slots, size_t n)
{
    for (size_t i = 0; i < d->n; i++)
        d->plans[i].lacks = !d->plans[i].claims || d->plans[i].done || d->plans[i].n > 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < groups[i].n; k++) {
            const struct claim *claim = &groups[i].claims[k];

            if (!is_there(&slots[i], claim->entry))
                d->plans[claim->match].lacks = true;
        }
    }
    for (size_t i = 0; i < d->n; i++) {
        if (d->plans[i].lacks || d->results[i].set->adjust_n == 0)
            continue;
        d->results[i].verdict = GR_VERDICT_ALREADY;
        d->results[i].reason = GR_STR("all that it asks for is on the container already");
    }
}

static int merge(struct gr_decider *d, const struct claim *claims, size_t n,
                 struct gr_decision *decision)
{
    struct group *groups = gr_arena_array(d->arena, n, sizeof(*groups));
    struct gr_adjust_slot *slots = gr_arena_array(d->arena, n, sizeof(*slots));
    struct gr_adjusted *adjusted = gr_arena_array(d->arena, n, sizeof(*adjusted));
    size_t groups_n = 0;
    size_t left = 0;

    if (!groups || !slots || !adjusted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i += groups[groups_n++].n) {
        groups[groups_n] = (struct group){.claims = &claims[i], .n = same_key(&claims[i], n - i)};
        slots[groups_n].asked = claims[i].entry;
    }
    gr_adjust_look_up(slots, groups_n, &d->subject);
    for (size_t i = 0; i < groups_n; i++) {
        const struct claim *winner = &groups[i].claims[groups[i].n - 1];

        adjusted[left] = settle(d, groups[i].claims, groups[i].n);
        left += !d->plans[winner->match].done && !is_there(&slots[i], winner->entry);
    }
    tell_already(d, groups, slots, groups_n);
    decision->adjust = adjusted;
    decision->adjust_n = left;
    return 0;
}

int gr_decide_adjust(struct gr_decider *d, struct gr_decision *decision)
{
    const struct claim *claims;
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++) {
        if (d->plans[i].claims)
            n += d->results[i].set->adjust_n;
    }
    if (n == 0)
        return 0;
    claims = collect(d, n);
    return claims ? merge(d, claims, n, decision) : -ENOMEM;
}
