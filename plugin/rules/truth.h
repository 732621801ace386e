/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/truth: the four results of an evaluation.
 *
 * Layer: rules. Kleene's logic with a fourth value: unknown is what the source of the container
 * cannot tell, error an evaluation that could not be completed. Error dominates unknown; a true
 * decides an "any" and a false an "all", whatever else is in it. Semantics: specs/matching.md.
 */
#ifndef GR_RULES_TRUTH_H
#define GR_RULES_TRUTH_H

/* The order of the values is that of "all": the least of the operands, of "any": see gr_truth_or.
 */
enum gr_truth {
    GR_FALSE,
    GR_ERROR,
    GR_UNKNOWN,
    GR_TRUE,
};

static inline enum gr_truth gr_truth_and(enum gr_truth a, enum gr_truth b)
{
    return a < b ? a : b;
}

static inline enum gr_truth gr_truth_not(enum gr_truth a)
{
    switch (a) {
    case GR_FALSE:
        return GR_TRUE;
    case GR_TRUE:
        return GR_FALSE;
    case GR_ERROR:
    case GR_UNKNOWN:
        break;
    }
    return a;
}

static inline enum gr_truth gr_truth_or(enum gr_truth a, enum gr_truth b)
{
    return gr_truth_not(gr_truth_and(gr_truth_not(a), gr_truth_not(b)));
}

/* "false", "error", "unknown", "true". */
const char *gr_truth_name(enum gr_truth truth);

#endif
