/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a match tree can be true, by its texts alone. What must hold together is collected: the
 * leaves of an "all", and those of an "any" below a "not". Two of them exclude each other
 *
 * - where one is the other's "not",
 * - where a field that has one value (a text, an image, the value of one key) would have to have
 *   two: one admits only some values, and the others none of them,
 * - where two beginnings of one value differ.
 */
#include "rules/tell/lint_parts.h"

#include "rules/match/test.h"
#include "rules/pattern/glob.h"
#include "rules/pattern/imagename.h"
#include "rules/steps.h"

/* Conditions that are held against each other; more are not looked at. */
#define LITERALS_MAX 64

/* A condition that must hold, or must not. */
struct literal {
    const struct gr_cond *cond;
    bool negated;
};

struct literals {
    struct literal items[LITERALS_MAX];
    size_t n;
};

static void collect(const struct gr_cond *cond, bool negated, struct literals *out)
{
    if (cond->kind == GR_COND_NOT) {
        collect(&cond->children[0], !negated, out);
        return;
    }
    if (out->n < LITERALS_MAX)
        out->items[out->n++] = (struct literal){.cond = cond, .negated = negated};
    for (size_t i = 0; i < cond->children_n; i++) {
        if (cond->kind == (negated ? GR_COND_ANY : GR_COND_ALL))
            collect(&cond->children[i], negated, out);
    }
}

/* ---- the same text ---- */

static bool same_test(const struct gr_test *a, const struct gr_test *b, uint64_t *steps)
{
    const struct gr_tests items = {.items = b->items, .n = b->items_n};

    if (!gr_steps_take(steps, gr_steps_of_bytes(a->text.n)))
        return false;
    if (a->kind != b->kind || !gr_str_eq(a->text, b->text) || a->items_n != b->items_n ||
        (a->kind == GR_TEST_EXISTS && a->exists != b->exists) ||
        (a->kind == GR_TEST_REGEX && gr_regex_is_search(a->regex) != gr_regex_is_search(b->regex)))
        return false;
    for (size_t i = 0; i < a->items_n; i++) {
        if (!gr_lint_has_test(items, &a->items[i], steps))
            return false;
    }
    return true;
}

bool gr_lint_has_test(struct gr_tests tests, const struct gr_test *test, uint64_t *steps)
{
    for (size_t i = 0; i < tests.n; i++) {
        if (same_test(test, &tests.items[i], steps))
            return true;
    }
    return false;
}

/* Whether each of a's is one of b's, so that b holds where a does. */
static bool is_among(struct gr_tests a, struct gr_tests b, uint64_t *steps)
{
    for (size_t i = 0; i < a.n; i++) {
        if (!gr_lint_has_test(b, &a.items[i], steps))
            return false;
    }
    return true;
}

static bool same_pattern(const struct gr_pattern *a, const struct gr_pattern *b, uint64_t *steps)
{
    for (size_t i = 0; i < GR_PARTS_MAX; i++) {
        if (a->parts[i].n != b->parts[i].n || !is_among(a->parts[i], b->parts[i], steps) ||
            !is_among(b->parts[i], a->parts[i], steps))
            return false;
    }
    return true;
}

static bool has_pattern(const struct gr_cond *leaf, const struct gr_pattern *pattern,
                        uint64_t *steps)
{
    for (size_t i = 0; i < leaf->patterns_n; i++) {
        if (same_pattern(pattern, &leaf->patterns[i], steps))
            return true;
    }
    return false;
}

static bool same_value(const struct gr_cond *a, const struct gr_cond *b)
{
    return a->kind == GR_COND_LEAF && b->kind == GR_COND_LEAF && a->field == b->field &&
           gr_str_eq(a->key, b->key);
}

/* Whether b holds wherever a does, since a's text stands in it. Depth: as gr_cond_eval. */
static bool implies(const struct gr_cond *a, const struct gr_cond *b, uint64_t *steps)
{
    if (a->kind == GR_COND_LEAF) {
        for (size_t i = 0; i < a->patterns_n; i++) {
            if (!has_pattern(b, &a->patterns[i], steps))
                return false;
        }
        return same_value(a, b) && is_among(a->tests, b->tests, steps);
    }
    if (a->kind != b->kind || a->children_n != b->children_n || a->kind == GR_COND_UNREADABLE ||
        a->kind == GR_COND_ALWAYS)
        return false;
    for (size_t i = 0; i < a->children_n; i++) {
        const struct gr_cond *one = &a->children[i];
        const struct gr_cond *other = &b->children[i];

        if (!(a->kind == GR_COND_NOT ? implies(other, one, steps) : implies(one, other, steps)))
            return false;
    }
    return true;
}

/* ---- one value ---- */

static bool has_one_value(const struct gr_cond *cond)
{
    return cond->kind == GR_COND_LEAF && !gr_field_is_list(cond->field) &&
           !gr_field_has_parts(cond->field);
}

/* Whether a value passes every literal about it. */
static bool passes(const struct literals *all, const struct gr_cond *of, struct gr_value *value,
                   uint64_t *steps)
{
    value->empty_is_absent = !gr_field_is_map(of->field);
    for (size_t i = 0; i < all->n; i++) {
        const struct literal *literal = &all->items[i];

        if (same_value(literal->cond, of) && gr_tests_eval(literal->cond->tests, value, steps) ==
                                                 (literal->negated ? GR_TRUE : GR_FALSE))
            return false;
    }
    return true;
}

static bool passes_text(const struct literals *all, const struct gr_cond *of, struct gr_str text,
                        uint64_t *steps)
{
    struct gr_value value = {.present = true, .text = text};

    return passes(all, of, &value, steps);
}

/* What is not there; of a field that always is, the empty text. */
static bool passes_nothing(const struct literals *all, const struct gr_cond *of, uint64_t *steps)
{
    struct gr_value value = {.present = false};

    return passes(all, of, &value, steps) ||
           (!gr_field_is_map(of->field) && passes_text(all, of, GR_STR(""), steps));
}

/* An image of just this name. A tag that the pattern leaves open is not known. */
static bool passes_image(const struct literals *all, const struct gr_cond *of,
                         const struct gr_test *test, uint64_t *steps)
{
    struct gr_image image;
    struct gr_value value = {.present = true, .image = &image};

    if (gr_glob_literal_prefix(test->text) < test->text.n ||
        gr_image_parse(test->text, &image) != 0)
        return true;
    if (!test->image->has_tag)
        image.tag = GR_STR_NONE;
    return passes(all, of, &value, steps);
}

/* Whether a value that a test admits passes the others, as far as can be told. */
static bool test_passes(const struct literals *all, const struct gr_cond *of,
                        const struct gr_test *test, uint64_t *steps)
{
    const struct gr_regex_literals *known;
    bool some = false;

    switch (test->kind) {
    case GR_TEST_EXACT:
        return passes_text(all, of, test->text, steps);
    case GR_TEST_IMAGE:
        return passes_image(all, of, test, steps);
    case GR_TEST_IN:
        for (size_t i = 0; i < test->items_n && !some; i++)
            some = test_passes(all, of, &test->items[i], steps);
        return some;
    case GR_TEST_EXISTS:
        return test->exists || passes_nothing(all, of, steps);
    case GR_TEST_REGEX:
        known = gr_regex_literals(test->regex);
        for (size_t i = 0; i < known->exacts_n && !some; i++)
            some = passes_text(all, of, known->exacts[i], steps);
        return some || known->exacts_n == 0;
    case GR_TEST_GLOB:
    case GR_TEST_PREFIX:
    case GR_TEST_NOT_IN:
        break;
    }
    return true;
}

/* The same of a "not": it admits little where the test names what it excepts. */
static bool negated_passes(const struct literals *all, const struct gr_cond *of,
                           const struct gr_test *test, uint64_t *steps)
{
    struct gr_test in = *test;

    if (test->kind == GR_TEST_EXISTS)
        return !test->exists || passes_nothing(all, of, steps);
    in.kind = GR_TEST_IN;
    return test->kind != GR_TEST_NOT_IN || test_passes(all, of, &in, steps);
}

/* Whether the values that a literal admits are known, and none of them passes the others. */
static bool is_contradicted(const struct literals *all, const struct literal *literal,
                            uint64_t *steps)
{
    const struct gr_cond *leaf = literal->cond;
    bool excluded = false;

    if (!has_one_value(leaf))
        return false;
    for (size_t i = 0; i < leaf->tests.n; i++) {
        const struct gr_test *test = &leaf->tests.items[i];

        if (literal->negated)
            excluded = excluded || !negated_passes(all, leaf, test, steps);
        else if (test_passes(all, leaf, test, steps))
            return false;
    }
    return literal->negated ? excluded : leaf->tests.n > 0;
}

/* ---- beginnings ---- */

static bool texts_differ(struct gr_str a, struct gr_str b)
{
    return !gr_str_has_prefix(a, b) && !gr_str_has_prefix(b, a);
}

static bool segments_differ(const struct gr_image_segment *a, const struct gr_image_segment *b)
{
    if (a->kind == GR_SEGMENT_LITERAL && b->kind == GR_SEGMENT_LITERAL)
        return !gr_str_eq(a->text, b->text);
    return texts_differ(gr_str_first(a->text, gr_glob_literal_prefix(a->text)),
                        gr_str_first(b->text, gr_glob_literal_prefix(b->text)));
}

/* Segments up to the first ** of either. */
static bool images_differ(const struct gr_image_pattern *a, const struct gr_image_pattern *b)
{
    for (size_t i = 0; i < GR_MIN(a->n, b->n); i++) {
        if (a->segments[i].kind == GR_SEGMENT_DEEP || b->segments[i].kind == GR_SEGMENT_DEEP)
            return false;
        if (segments_differ(&a->segments[i], &b->segments[i]))
            return true;
    }
    return false;
}

struct gr_str gr_lint_beginning(const struct gr_test *test)
{
    switch (test->kind) {
    case GR_TEST_EXACT:
    case GR_TEST_PREFIX:
        return test->text;
    case GR_TEST_GLOB:
        return gr_str_first(test->text, gr_glob_literal_prefix(test->text));
    case GR_TEST_REGEX:
        return gr_regex_literals(test->regex)->prefix;
    case GR_TEST_IMAGE:
    case GR_TEST_IN:
    case GR_TEST_NOT_IN:
    case GR_TEST_EXISTS:
        break;
    }
    return GR_STR_NONE;
}

static bool tests_differ(const struct gr_test *a, const struct gr_test *b, uint64_t *steps)
{
    if (a->kind == GR_TEST_IN || b->kind == GR_TEST_IN) {
        const struct gr_test *in = a->kind == GR_TEST_IN ? a : b;

        for (size_t i = 0; i < in->items_n; i++) {
            if (!tests_differ(&in->items[i], in == a ? b : a, steps))
                return false;
        }
        return true;
    }
    if (!gr_steps_take(steps, gr_steps_of_bytes(a->text.n)))
        return false;
    if (a->kind == GR_TEST_IMAGE && b->kind == GR_TEST_IMAGE)
        return images_differ(a->image, b->image);
    return texts_differ(gr_lint_beginning(a), gr_lint_beginning(b));
}

static bool beginnings_differ(const struct gr_cond *a, const struct gr_cond *b, uint64_t *steps)
{
    for (size_t i = 0; i < a->tests.n; i++) {
        for (size_t k = 0; k < b->tests.n; k++) {
            if (!tests_differ(&a->tests.items[i], &b->tests.items[k], steps))
                return false;
        }
    }
    return true;
}

/* ---- trees ---- */

static bool exclude(const struct literal *a, const struct literal *b, uint64_t *steps)
{
    if (!a->negated && b->negated)
        return implies(a->cond, b->cond, steps);
    return !a->negated && !b->negated && same_value(a->cond, b->cond) && has_one_value(a->cond) &&
           beginnings_differ(a->cond, b->cond, steps);
}

bool gr_lint_excludes(const struct gr_cond *cond, bool negated, uint64_t *steps)
{
    struct literals all = {.n = 0};

    collect(cond, negated, &all);
    for (size_t i = 0; i < all.n; i++) {
        if (is_contradicted(&all, &all.items[i], steps))
            return true;
        for (size_t k = 0; k < all.n; k++) {
            if (k != i && exclude(&all.items[i], &all.items[k], steps))
                return true;
        }
    }
    return false;
}

bool gr_lint_never_true(const struct gr_cond *cond, uint64_t *steps)
{
    switch (cond->kind) {
    case GR_COND_ALWAYS:
        return !cond->always;
    case GR_COND_NOT:
        return (cond->children[0].kind == GR_COND_ALWAYS && cond->children[0].always) ||
               gr_lint_excludes(cond, false, steps);
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
        return gr_lint_excludes(cond, false, steps);
    case GR_COND_LEAF:
    case GR_COND_UNREADABLE:
        break;
    }
    return false;
}
