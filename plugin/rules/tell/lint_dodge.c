/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What whoever writes a pod or builds its image can do about a set, by what they choose alone.
 *
 * A condition that asks for something of theirs is for those who want the set: leaving it out is
 * nobody's loss. An exception is another thing. It is judged as a whole, with every "not" on the
 * way: of an "any" one branch is enough, of an "all" each is needed.
 */
#include "rules/tell/lint_parts.h"

/* How they can make a tree true, or false. In this order: the later one is worth a word. */
enum way {
    WAY_NONE,    /* something that they do not choose has a say */
    WAY_LEAVING, /* by leaving something out */
    WAY_WRITING, /* by writing something that nobody gave them */
};

/* Whoever writes the pod or builds the image chooses the value. */
static bool is_authors(enum gr_field field)
{
    switch (field) {
    case GR_FIELD_POD_NAME:
    case GR_FIELD_CONTAINER_NAME:
    case GR_FIELD_MOUNTS: /* volumes of the pod */
    case GR_FIELD_COMMAND:
    case GR_FIELD_ARGS:
    case GR_FIELD_ENV:
    case GR_FIELD_ANY_ANNOTATION:
    case GR_FIELD_POD_LABELS:
    case GR_FIELD_CONTAINER_LABELS:
    case GR_FIELD_POD_ANNOTATIONS:
    case GR_FIELD_CONTAINER_ANNOTATIONS:
    case GR_FIELD_ANNOTATIONS:
        return true;
    case GR_FIELD_IMAGE:
    case GR_FIELD_NAMESPACE:
    case GR_FIELD_RUNTIME_HANDLER:
    case GR_FIELD_RUNTIME:
    case GR_FIELD_REQUESTED:
        break;
    }
    return false;
}

bool gr_lint_all_authors(const struct gr_cond *cond)
{
    if (cond->kind == GR_COND_LEAF)
        return is_authors(cond->field);
    for (size_t i = 0; i < cond->children_n; i++) {
        if (!gr_lint_all_authors(&cond->children[i]))
            return false;
    }
    return cond->children_n > 0;
}

bool gr_lint_is_negative(const struct gr_test *test)
{
    return test->kind == GR_TEST_NOT_IN || (test->kind == GR_TEST_EXISTS && !test->exists);
}

static enum way leaf_way(const struct gr_cond *leaf, bool wanted)
{
    bool negative = false, positive = leaf->patterns_n > 0;

    if (!is_authors(leaf->field))
        return WAY_NONE;
    for (size_t i = 0; i < leaf->tests.n; i++) {
        if (gr_lint_is_negative(&leaf->tests.items[i]))
            negative = true;
        else
            positive = true;
    }
    return (wanted ? positive : negative) ? WAY_WRITING : WAY_LEAVING;
}

/* How they make a tree what is wanted. Depth of these: as gr_cond_eval. */
static enum way find_way(const struct gr_cond *cond, bool wanted)
{
    bool each = cond->kind == (wanted ? GR_COND_ALL : GR_COND_ANY);
    enum way best = WAY_NONE;

    if (cond->kind == GR_COND_LEAF)
        return leaf_way(cond, wanted);
    if (cond->kind == GR_COND_NOT)
        return find_way(&cond->children[0], !wanted);
    if (cond->kind == GR_COND_ALWAYS)
        return cond->always == wanted ? WAY_LEAVING : WAY_NONE;
    for (size_t i = 0; i < cond->children_n; i++) {
        enum way way = find_way(&cond->children[i], wanted);

        if (each && way == WAY_NONE)
            return WAY_NONE;
        best = GR_MAX(best, way);
    }
    return best;
}

/* The branch that is enough: where the author of the rule has to look. */
static const struct gr_cond *find_branch(const struct gr_cond *cond)
{
    size_t i = 0;

    if (cond->kind != GR_COND_ANY)
        return cond;
    while (i + 1 < cond->children_n && find_way(&cond->children[i], true) != WAY_WRITING)
        i++;
    return find_branch(&cond->children[i]);
}

/* The place to show of an exception that they can claim; NULL: this is none. */
static const struct gr_cond *find_exception(const struct gr_cond *cond)
{
    const struct gr_cond *inner = cond->kind == GR_COND_NOT ? &cond->children[0] : cond;

    if (cond->kind == GR_COND_LEAF)
        return find_way(cond, false) == WAY_WRITING ? cond : NULL;
    if (cond->kind != GR_COND_NOT || find_way(inner, true) != WAY_WRITING)
        return NULL;
    return inner->kind == GR_COND_ANY ? find_branch(inner) : cond;
}

/* Whether an "all" asks for something of theirs beside its exceptions: they need not claim one. */
static bool is_for_who_asks(const struct gr_cond *cond)
{
    for (size_t i = 0; i < cond->children_n && cond->kind == GR_COND_ALL; i++) {
        if (find_way(&cond->children[i], false) == WAY_LEAVING)
            return true;
    }
    return false;
}

/* under_not: an odd number of them stands around the tree. */
static void look_at(const struct lint *lint, const struct gr_cond *cond, bool under_not)
{
    const struct gr_cond *found = under_not ? NULL : find_exception(cond);
    struct gr_err err = {0};

    if (found) {
        gr_fail(&err, 0, "lint-dodgeable-not",
                "whoever writes the pod or builds the image decides this exception and can keep "
                "the hooks away; add a condition that they do not choose, such as namespace");
        gr_lint_say(lint, GR_LEVEL_WARNING, found->line, found->column, &err);
        return;
    }
    if (!under_not && is_for_who_asks(cond))
        return;
    for (size_t i = 0; i < cond->children_n; i++)
        look_at(lint, &cond->children[i], under_not != (cond->kind == GR_COND_NOT));
}

void gr_lint_dodge(const struct lint *lint)
{
    look_at(lint, lint->set->match, false);
}
