/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said of a match tree by its texts alone. The field of a leaf that has one value (a
 * text, the value of one key) cannot have two: where one leaf of an "all" admits only some values,
 * each of them is held against the others.
 */
#include "rules/tell/lint.h"

#include "rules/match/test.h"

/* Leaves of one "all" that are held against each other; more are not looked at. */
#define LEAVES_MAX 64

struct leaf {
    const struct gr_cond *cond;
    bool negated;
};

struct leaves {
    struct leaf items[LEAVES_MAX];
    size_t n;
};

static bool has_one_value(enum gr_field field)
{
    return field != GR_FIELD_IMAGE && !gr_field_is_list(field) && !gr_field_has_parts(field);
}

/* The leaves that must all hold where cond does. */
static void collect(const struct gr_cond *cond, struct leaves *out)
{
    bool negated = cond->kind == GR_COND_NOT;
    const struct gr_cond *leaf = negated ? &cond->children[0] : cond;

    if (leaf->kind == GR_COND_LEAF && has_one_value(leaf->field) && out->n < LEAVES_MAX)
        out->items[out->n++] = (struct leaf){.cond = leaf, .negated = negated};
    for (size_t i = 0; i < cond->children_n && cond->kind == GR_COND_ALL; i++)
        collect(&cond->children[i], out);
}

static bool same_value(const struct gr_cond *a, const struct gr_cond *b)
{
    return a->field == b->field && gr_str_eq(a->key, b->key);
}

/* Whether a value passes every leaf about it. */
static bool passes(const struct leaves *leaves, const struct gr_cond *of, struct gr_str text,
                   uint64_t *steps)
{
    struct gr_value value = {
        .present = true, .empty_is_absent = !gr_field_is_map(of->field), .text = text};

    for (size_t i = 0; i < leaves->n; i++) {
        const struct leaf *leaf = &leaves->items[i];
        enum gr_truth truth;

        if (!same_value(leaf->cond, of))
            continue;
        truth = gr_tests_eval(leaf->cond->tests, &value, steps);
        if (truth == (leaf->negated ? GR_TRUE : GR_FALSE))
            return false;
    }
    return true;
}

/* Whether a leaf admits only some values, and the others admit none of them. */
static bool is_contradicted(const struct leaves *leaves, const struct gr_cond *leaf,
                            uint64_t *steps)
{
    for (size_t i = 0; i < leaf->tests.n; i++) {
        const struct gr_test *test = &leaf->tests.items[i];

        if (test->kind == GR_TEST_EXACT) {
            if (passes(leaves, leaf, test->text, steps))
                return false;
            continue;
        }
        if (test->kind != GR_TEST_IN)
            return false;
        for (size_t k = 0; k < test->items_n; k++) {
            if (passes(leaves, leaf, test->items[k].text, steps))
                return false;
        }
    }
    return leaf->tests.n > 0;
}

static bool is_contradiction(const struct gr_cond *all, uint64_t *steps)
{
    struct leaves leaves = {.n = 0};

    collect(all, &leaves);
    for (size_t i = 0; i < leaves.n; i++) {
        if (!leaves.items[i].negated && is_contradicted(&leaves, leaves.items[i].cond, steps))
            return true;
    }
    return false;
}

bool gr_lint_never_true(const struct gr_cond *cond, uint64_t *steps)
{
    switch (cond->kind) {
    case GR_COND_ALWAYS:
        return !cond->always;
    case GR_COND_NOT:
        return cond->children[0].kind == GR_COND_ALWAYS && cond->children[0].always;
    case GR_COND_ANY:
        for (size_t i = 0; i < cond->children_n; i++) {
            if (!gr_lint_never_true(&cond->children[i], steps))
                return false;
        }
        return true;
    case GR_COND_ALL:
        for (size_t i = 0; i < cond->children_n; i++) {
            if (gr_lint_never_true(&cond->children[i], steps))
                return true;
        }
        return is_contradiction(cond, steps);
    case GR_COND_LEAF:
    case GR_COND_UNREADABLE:
        break;
    }
    return false;
}

static bool is_only(struct gr_str text, char c)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != c)
            return false;
    }
    return text.n > 0;
}

static bool test_matches_all(const struct gr_test *test)
{
    switch (test->kind) {
    case GR_TEST_GLOB:
        return is_only(test->text, '*');
    case GR_TEST_IMAGE:
        return gr_str_is(test->text, "**");
    case GR_TEST_REGEX:
        return gr_str_is(test->text, ".*") || gr_str_is(test->text, "^.*$") ||
               (gr_regex_is_search(test->regex) && gr_str_is(test->text, "."));
    case GR_TEST_EXACT:
    case GR_TEST_PREFIX:
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
    case GR_TEST_EXISTS:
        break;
    }
    return false;
}

static bool leaf_matches_all(const struct gr_cond *leaf)
{
    if (gr_field_is_map(leaf->field) || gr_field_has_parts(leaf->field) ||
        leaf->field == GR_FIELD_REQUESTED)
        return false;
    for (size_t i = 0; i < leaf->tests.n; i++) {
        if (test_matches_all(&leaf->tests.items[i]))
            return true;
    }
    return false;
}

bool gr_lint_matches_all(const struct gr_cond *cond)
{
    bool all = true;

    switch (cond->kind) {
    case GR_COND_LEAF:
        return leaf_matches_all(cond);
    case GR_COND_ANY:
        for (size_t i = 0; i < cond->children_n; i++) {
            if (gr_lint_matches_all(&cond->children[i]))
                return true;
        }
        return false;
    case GR_COND_ALL:
        for (size_t i = 0; i < cond->children_n && all; i++)
            all = gr_lint_matches_all(&cond->children[i]);
        return all && cond->children_n > 0;
    case GR_COND_ALWAYS:
    case GR_COND_NOT:
    case GR_COND_UNREADABLE:
        break;
    }
    return false;
}
