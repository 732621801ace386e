/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/suspend/breaker.h"

#include <errno.h>
#include <stdlib.h>

struct counter {
    char *name;    /* owned; NULL: free for another set */
    uint64_t hash; /* of the set's text */
    uint32_t failures, window_s;
    uint64_t *times_ms; /* the last failures, a ring of so many; owned */
    size_t next;        /* where the next one goes */
    size_t n;
    uint64_t last_ms;
};

struct gr_breaker {
    struct counter *counters; /* grows up to GR_BREAKER_SETS_MAX */
    size_t n;
};

struct gr_breaker *gr_breaker_new(void)
{
    return calloc(1, sizeof(struct gr_breaker));
}

static void forget(struct counter *counter)
{
    free(counter->name);
    free(counter->times_ms);
    *counter = (struct counter){0};
}

void gr_breaker_reset_all(struct gr_breaker *breaker)
{
    for (size_t i = 0; i < breaker->n; i++)
        forget(&breaker->counters[i]);
    free(breaker->counters);
    *breaker = (struct gr_breaker){0};
}

void gr_breaker_free(struct gr_breaker *breaker)
{
    if (!breaker)
        return;
    gr_breaker_reset_all(breaker);
    free(breaker);
}

static struct counter *find(const struct gr_breaker *breaker, struct gr_str set)
{
    for (size_t i = 0; i < breaker->n; i++) {
        struct counter *counter = &breaker->counters[i];

        if (counter->name && gr_str_is(set, counter->name))
            return counter;
    }
    return NULL;
}

void gr_breaker_reset(struct gr_breaker *breaker, struct gr_str set)
{
    struct counter *counter = find(breaker, set);

    if (counter)
        forget(counter);
}

/* A free one: there, newly made, or the one that was silent for the longest time. */
static struct counter *make_room(struct gr_breaker *breaker)
{
    struct counter *oldest = NULL;
    struct counter *counters;

    for (size_t i = 0; i < breaker->n; i++) {
        struct counter *counter = &breaker->counters[i];

        if (!counter->name)
            return counter;
        if (!oldest || counter->last_ms < oldest->last_ms)
            oldest = counter;
    }
    if (breaker->n == GR_BREAKER_SETS_MAX) {
        forget(oldest);
        return oldest;
    }
    counters = realloc(breaker->counters, (breaker->n + 1) * sizeof(*counters));
    if (!counters)
        return NULL;
    breaker->counters = counters;
    counters[breaker->n] = (struct counter){0};
    return &counters[breaker->n++];
}

static struct counter *begin(struct gr_breaker *breaker, const struct gr_hookset *set)
{
    struct counter *counter = make_room(breaker);

    if (!counter)
        return NULL;
    *counter = (struct counter){.name = strndup(set->name.p, set->name.n),
                                .hash = set->hash,
                                .failures = set->breaker.failures,
                                .window_s = set->breaker.window_s,
                                .times_ms = calloc(set->breaker.failures, sizeof(uint64_t))};
    if (counter->name && counter->times_ms)
        return counter;
    forget(counter);
    return NULL;
}

int gr_breaker_failed(struct gr_breaker *breaker, const struct gr_hookset *set, uint64_t now_ms)
{
    struct counter *counter;

    if (set->breaker.failures == 0)
        return 0;
    counter = find(breaker, set->name);
    if (counter && (counter->hash != set->hash || counter->failures != set->breaker.failures ||
                    counter->window_s != set->breaker.window_s)) {
        forget(counter);
        counter = NULL;
    }
    if (!counter)
        counter = begin(breaker, set);
    if (!counter)
        return -ENOMEM;
    counter->times_ms[counter->next] = now_ms;
    counter->next = (counter->next + 1) % counter->failures;
    counter->n = GR_MIN(counter->n + 1, (size_t)counter->failures);
    counter->last_ms = now_ms;
    /* In a full ring the next one to be overwritten is the first of so many. */
    if (counter->n < counter->failures ||
        now_ms - counter->times_ms[counter->next] > (uint64_t)counter->window_s * 1000)
        return 0;
    return GR_BREAKER_TRIPS;
}
