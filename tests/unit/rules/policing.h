/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of policies share: reading policies and sets from text while findings are
 * collected.
 */
#ifndef GR_TESTS_POLICING_H
#define GR_TESTS_POLICING_H

#include "testing.h"

#include "rules/policy.h"

#define POLICY "apiVersion: grapnel/v1beta1\nkind: Policy\nspec:\n"
#define SET_HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec:\n  match: {always: true}\n"

#define POLICED_FINDINGS_MAX 128

struct policed {
    struct gr_arena arena;
    struct gr_policies policies;
    struct gr_hooksets sets;
    struct gr_err findings[POLICED_FINDINGS_MAX];
    size_t findings_n;
};

static inline void policed_collect(void *user, enum gr_level level, const struct gr_err *err)
{
    struct policed *p = user;

    assert_int_equal(level, GR_LEVEL_ERROR);
    if (p->findings_n < POLICED_FINDINGS_MAX)
        p->findings[p->findings_n] = *err;
    p->findings_n++;
}

static inline struct gr_reporter policed_reporter(struct policed *p)
{
    return (struct gr_reporter){.report = policed_collect, .user = p};
}

static inline struct policed *policed_new(void)
{
    struct policed *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    gr_arena_init(&p->arena, 4096, 0);
    return p;
}

static inline void policed_free(struct policed *p)
{
    gr_arena_fini(&p->arena);
    free(p);
}

/* Reads one more text, from a buffer of exactly its size, which is gone afterwards. */
static inline int police(struct policed *p, const char *text, enum gr_policy_place place)
{
    const struct gr_reporter reporter = policed_reporter(p);
    struct gr_source source = {.file = place == GR_POLICY_FILE ? "policy.yaml" : "NRI Configure"};
    char *copy = (char *)test_exact(text, strlen(text));
    int r;

    source.text = (struct gr_str){.p = copy, .n = strlen(text)};
    r = gr_policies_decode(&p->arena, &source, place, &reporter, &p->policies);
    free(copy);
    return r;
}

/* A text that must be read without a finding. */
static inline void police_good(struct policed *p, const char *text)
{
    int r = police(p, text, GR_POLICY_FILE);

    if (p->findings_n > 0)
        fail_msg("%u:%u: %s", p->findings[0].line, p->findings[0].column, p->findings[0].text);
    assert_int_equal(r, 0);
}

/* The only set of a text, which must be good. */
static inline struct gr_hookset *police_set(struct policed *p, const char *text)
{
    const struct gr_reporter reporter = policed_reporter(p);
    struct gr_source source = {.text = gr_str_from(text), .file = "a.yaml", .stem = GR_STR("a")};

    assert_int_equal(gr_hooksets_decode(&p->arena, &source, &reporter, &p->sets), 0);
    if (p->findings_n > 0)
        fail_msg("%u:%u: %s", p->findings[0].line, p->findings[0].column, p->findings[0].text);
    assert_int_equal(p->sets.n, 1);
    return &p->sets.items[0];
}

static inline void police_check(struct policed *p, struct gr_hookset *set)
{
    const struct gr_reporter reporter = policed_reporter(p);

    assert_int_equal(gr_policies_check_set(&p->policies, &p->arena, &reporter, set), 0);
}

#endif
