/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_trim: the ends of an expression, for a search.
 *
 * Layer: rules. Where x*y is found, y is found, and the other way round. So repetitions at the ends
 * shrink to what they need at least; otherwise the search for .*y would try every length of .* at
 * every place.
 */
#include "rules/pattern/regex_parse.h"

static bool is_empty(const struct gr_regex_node *node)
{
    return node->kind == GR_REGEX_EMPTY;
}

static struct gr_regex_node *last_of(struct gr_regex_node *node)
{
    struct gr_regex_node *child = node->first;

    while (child->next)
        child = child->next;
    return child;
}

/* Depth: that of the tree. */
static void trim(struct gr_regex_node *node, bool at_end)
{
    struct gr_regex_node *child;

    switch (node->kind) {
    case GR_REGEX_REPEAT:
        node->max = node->min;
        if (node->min == 0)
            node->kind = GR_REGEX_EMPTY;
        if (node->min == 0)
            node->first = NULL;
        return;
    case GR_REGEX_ALTERNATE:
        for (child = node->first; child; child = child->next)
            trim(child, at_end);
        return;
    case GR_REGEX_CONCAT:
        if (!at_end) {
            trim(node->first, false);
            for (; is_empty(node->first) && node->first->next; trim(node->first, false))
                node->first = node->first->next;
            return;
        }
        child = last_of(node);
        trim(child, true);
        while (is_empty(child) && node->first != child) {
            struct gr_regex_node *before = node->first;

            while (before->next != child)
                before = before->next;
            before->next = NULL;
            child = before;
            trim(child, true);
        }
        return;
    case GR_REGEX_EMPTY:
    case GR_REGEX_LITERAL:
    case GR_REGEX_ANY:
    case GR_REGEX_ANY_NOT_NL:
    case GR_REGEX_CLASS:
    case GR_REGEX_BEGIN_TEXT:
    case GR_REGEX_END_TEXT:
    case GR_REGEX_BEGIN_LINE:
    case GR_REGEX_END_LINE:
    case GR_REGEX_WORD_BOUNDARY:
    case GR_REGEX_NO_WORD_BOUNDARY:
        return;
    }
}

void gr_regex_trim(struct gr_regex_node *root)
{
    trim(root, false);
    trim(root, true);
}

static bool is_anchored(const struct gr_regex_node *node, enum gr_regex_kind anchor)
{
    const struct gr_regex_node *child = node->first;

    if (node->kind == anchor)
        return true;
    if (node->kind == GR_REGEX_REPEAT)
        return node->min > 0 && is_anchored(child, anchor);
    if (node->kind == GR_REGEX_CONCAT) {
        while (anchor == GR_REGEX_END_TEXT && child->next)
            child = child->next;
        return is_anchored(child, anchor);
    }
    if (node->kind != GR_REGEX_ALTERNATE)
        return false;
    for (; child; child = child->next) {
        if (!is_anchored(child, anchor))
            return false;
    }
    return true;
}

bool gr_regex_begins_text(const struct gr_regex_node *node)
{
    return is_anchored(node, GR_REGEX_BEGIN_TEXT);
}

bool gr_regex_ends_text(const struct gr_regex_node *node)
{
    return is_anchored(node, GR_REGEX_END_TEXT);
}
