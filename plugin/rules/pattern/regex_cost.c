/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_cost: what PCRE2 can do at most between two counts of its match limit.
 *
 * Layer: rules. PCRE2 counts backtracking points. Between two of them it compares literals, fixed
 * repetitions and assertions without counting, at most the expression from one end to the other
 * once: that is `count`. The one thing that grows with the text is a greedy repetition of single
 * characters, which runs ahead before its points are counted one by one; those that are open at one
 * time lie one behind the other in the text, so that together they look at it once: that is `scan`.
 * (Nothing is possessive: the dialect has no such form and PCRE2's own is switched off. There is no
 * look-around, so that no part runs ahead twice.)
 *
 * The unit is a quarter of a step, about 1.2 ns; measured by tests/bench with expressions made of
 * one kind of node.
 */
#include "base/utf8.h"
#include "rules/pattern/regex_parse.h"

#define CHARACTER 2   /* a literal one, or any */
#define FOLDED 8      /* one beyond ASCII in any case */
#define SMALL_CLASS 3 /* a bit map */
#define LARGE_CLASS 5
#define RANGE 2 /* ranges and properties are looked at one after the other */
#define PROPERTY 6
#define ASSERTION 8
#define GROUP 4  /* going into one and out of it, at each turn */
#define REPEAT 4 /* of one character, also where there is none */

/* Of the compiled form, in bytes, over the truth. */
#define CLASS_BYTES 44
#define ITEM_BYTES 10
#define GROUP_BYTES 12

/* A repetition of up to so many characters is taken as fixed. */
#define SHORT_REPEAT 16

static struct gr_regex_cost cost_of_literal(const struct gr_regex_node *node)
{
    struct gr_regex_cost cost = {.compiled = GROUP_BYTES};
    struct gr_str text = node->text;

    while (text.n > 0) {
        uint32_t rune = 0;

        text = gr_str_skip(text, gr_utf8_next(text, &rune));
        cost.count += node->fold && rune >= 0x80 ? FOLDED : CHARACTER;
        cost.compiled += 5;
    }
    return cost;
}

static struct gr_regex_cost cost_of_class(const struct gr_regex_node *node)
{
    struct gr_regex_cost cost = {.compiled = CLASS_BYTES};
    bool small = true;

    for (const struct gr_regex_item *item = node->items; item; item = item->next) {
        small = small && !item->property && item->hi <= 0xFF;
        cost.count += item->property ? PROPERTY : RANGE;
        cost.compiled += ITEM_BYTES;
    }
    cost.count = small ? SMALL_CLASS : LARGE_CLASS + cost.count;
    return cost;
}

/* All of a chain, one behind the other or in turn. */
static struct gr_regex_cost cost_of_chain(const struct gr_regex_node *node)
{
    struct gr_regex_cost cost = {.compiled = GROUP_BYTES};
    bool one_of = node->kind == GR_REGEX_ALTERNATE;

    for (const struct gr_regex_node *child = node->first; child; child = child->next) {
        struct gr_regex_cost part = gr_regex_cost_of(child);

        cost.count = one_of ? GR_MAX(cost.count, part.count) : cost.count + part.count;
        cost.frames = one_of ? GR_MAX(cost.frames, part.frames) : cost.frames + part.frames;
        cost.scan = GR_MAX(cost.scan, part.scan);
        cost.compiled += part.compiled + (one_of ? 4 : 0);
    }
    cost.count += one_of ? GROUP : 0;
    cost.frames = GR_MIN(cost.frames + one_of, (uint64_t)GR_REGEX_NO_MAX);
    return cost;
}

static bool is_single(const struct gr_regex_node *node)
{
    if (node->kind == GR_REGEX_LITERAL)
        return gr_utf8_next(node->text, NULL) == node->text.n;
    return node->kind == GR_REGEX_ANY || node->kind == GR_REGEX_ANY_NOT_NL ||
           node->kind == GR_REGEX_CLASS;
}

/* PCRE2 does not look at what it passes over here. */
static bool jumps(const struct gr_regex_node *repeat)
{
    return repeat->first->kind == GR_REGEX_ANY && repeat->max == GR_REGEX_NO_MAX;
}

static struct gr_regex_cost cost_of_repeat(const struct gr_regex_node *node)
{
    struct gr_regex_cost cost = {0};
    uint64_t always = GR_MAX(node->min, 1U);
    uint64_t most = node->max == GR_REGEX_NO_MAX ? always : node->max;
    uint64_t one;

    if (node->max == 0)
        return cost;
    cost = gr_regex_cost_of(node->first);
    one = cost.count;
    if (is_single(node->first)) {
        bool is_short = node->max != GR_REGEX_NO_MAX && node->max <= SHORT_REPEAT;

        cost.count = (is_short ? most : always + 1) * one + REPEAT;
        if (!is_short && !node->lazy && node->max != node->min && !jumps(node))
            cost.scan = (one + 1) / 2;
        cost.frames = node->max > node->min;
        cost.compiled += GROUP_BYTES;
        return cost;
    }
    /* Turns that may be missing are copies, each with a backtracking point before it. */
    cost.count = always * (one + GROUP) + REPEAT;
    cost.compiled = most * (cost.compiled + GROUP_BYTES);
    cost.frames = node->max == GR_REGEX_NO_MAX
                      ? GR_REGEX_NO_MAX
                      : GR_MIN(most * (cost.frames + 1), (uint64_t)GR_REGEX_NO_MAX);
    return cost;
}

struct gr_regex_cost gr_regex_cost_of(const struct gr_regex_node *node)
{
    switch (node->kind) {
    case GR_REGEX_EMPTY:
        break;
    case GR_REGEX_LITERAL:
        return cost_of_literal(node);
    case GR_REGEX_CLASS:
        return cost_of_class(node);
    case GR_REGEX_ANY:
    case GR_REGEX_ANY_NOT_NL:
        return (struct gr_regex_cost){.count = CHARACTER, .compiled = 4};
    case GR_REGEX_BEGIN_TEXT:
    case GR_REGEX_END_TEXT:
    case GR_REGEX_BEGIN_LINE:
    case GR_REGEX_END_LINE:
    case GR_REGEX_WORD_BOUNDARY:
    case GR_REGEX_NO_WORD_BOUNDARY:
        return (struct gr_regex_cost){.count = ASSERTION, .compiled = GROUP_BYTES};
    case GR_REGEX_CONCAT:
    case GR_REGEX_ALTERNATE:
        return cost_of_chain(node);
    case GR_REGEX_REPEAT:
        return cost_of_repeat(node);
    }
    return (struct gr_regex_cost){0};
}
