/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/tell/explain: why each set matched a container or did not.
 *
 * Layer: rules. Two steps: gr_explain says of every set what became of it, which is cheap;
 * gr_explain_leaves puts the conditions that decided into words, for those that somebody wants to
 * read. Verdicts are those of gr_decide, called first and with its own budget: explaining spends
 * another one (GR_EXPLAIN_STEPS_MAX) and so never changes them. Pure; everything lives in the arena
 * of the caller. Outputs: specs/explain.md.
 */
#ifndef GR_RULES_EXPLAIN_H
#define GR_RULES_EXPLAIN_H

#include "rules/decide/decide.h"

enum gr_explain_state {
    GR_EXPLAIN_EVALUATED,  /* its match was evaluated for this container */
    GR_EXPLAIN_OTHER_NODE, /* never in force here; its truth is what it would have been */
    GR_EXPLAIN_EXEMPT,     /* nothing is injected in this namespace; likewise */
};

/* What became of one set. */
struct gr_explained {
    const struct gr_hookset *set;
    enum gr_explain_state state;
    enum gr_truth truth;                /* of its match, for this container */
    const struct gr_set_result *result; /* of the decision; NULL: none, it does not come into it */
    bool near; /* false, but for one condition, and something in it speaks for it */
};

struct gr_explanation {
    const struct gr_ruleset *ruleset;
    const struct gr_subject *subject;
    const struct gr_decide_options *options;
    struct gr_decision decision;
    const struct gr_explained *sets; /* every set, in the total order */
    size_t n;
    uint64_t steps; /* left of the budget */
};

/*
 * Everything that is given is borrowed as long as *out_explanation is used.
 * A set is near where exactly one of its conditions would have to be otherwise for it to match, and
 * another one that asks for something holds, or the key of the one is there with another value.
 * Sets for which the budget is used up are never near.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_explain(const struct gr_ruleset *ruleset, const struct gr_subject *subject,
                          const struct gr_decide_options *options, struct gr_arena *arena,
                          struct gr_explanation *out_explanation);

/* A condition that decided. Texts are printable. */
struct gr_explain_leaf {
    const struct gr_cond *cond; /* a leaf, always, or unreadable */
    bool negated;               /* below an odd number of "not": its opposite is asked for */
    enum gr_truth truth;        /* of the condition alone, without any "not" */
    struct gr_str expected;     /* in the words of the rule: namespace in [a, b] */
    struct gr_str seen; /* the value, "absent", "unknown: …"; n == 0: nothing is looked at */
};

struct gr_explain_leaves {
    const struct gr_explain_leaf *items;
    size_t n;
    size_t more; /* that are left out: over GR_EXPLAIN_LEAVES_MAX */
};

/*
 * The conditions that gave a set its truth: of an "all" that is false the first one that is false,
 * of an "any" that is false one of each branch; where it is true, unknown or an error the ones that
 * made it so. None where the budget is used up, or where an error came from the budget of the
 * request and not from the set. explanation->steps is counted down.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_explain_leaves(struct gr_explanation *explanation,
                                 const struct gr_explained *explained, struct gr_arena *arena,
                                 struct gr_explain_leaves *out_leaves);

/*
 * Why spec.nodes of a set does not select this node: its names, or its place in the percentage.
 * Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_explain_nodes(const struct gr_explanation *explanation,
                                const struct gr_hookset *set, struct gr_arena *arena,
                                struct gr_str *out_text);

/* A condition in the words of the rule. Returns 0; -ENOMEM. */
GR_CHECKED int gr_explain_cond(const struct gr_cond *cond, struct gr_arena *arena,
                               struct gr_str *out_text);

/* The truth of one condition of a set alone; spends explanation->steps. */
enum gr_truth gr_explain_eval(struct gr_explanation *explanation, const struct gr_hookset *set,
                              const struct gr_cond *cond, struct gr_arena *arena);

#endif
