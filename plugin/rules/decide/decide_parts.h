/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/decide/decide_parts: what the files of rules/decide/decide share.
 *
 * Layer: rules, not for others.
 *     decide          from each match to its verdict
 *     decide_present  what is on the container already
 *     decide_request  what the pod asks for, and what is required
 *     decide_adjust   merges what the sets adjust
 *     decide_why      which condition left a match unknown, or made it an error
 *     decide_refusal  whether something refuses the container, and the text for it
 */
#ifndef GR_RULES_DECIDE_PARTS_H
#define GR_RULES_DECIDE_PARTS_H

#include "rules/decide/decide.h"
#include "rules/decide/render.h"

/* How much of a foreign name is shown in a text. */
#define GR_DECIDE_SHOWN_BYTES 128

/* Behind a reason that would have refused the container elsewhere. */
#define GR_DECIDE_SPARED "; nothing is refused in this namespace (neverFail)"

/* What one set adds. */
struct gr_plan {
    struct gr_rendered *hooks; /* those that are to be added, by stage */
    size_t n;
    size_t next; /* while laying out */
    bool claims; /* what the set adjusts counts, too */
    bool done;   /* by another instance: it keeps its keys, and nothing is asked for again */
    bool lacks;  /* while merging: something of the set is not on the container yet */
};

/* Hooks of ours on the container, those that other instances put there and those that are added. */
struct gr_tally {
    uint64_t hooks;
    uint64_t create_timeout_s; /* sum over prestart to startContainer */
};

/* A hook that bears no mark, as it is compared with ours; borrowed. */
struct gr_foreign {
    const struct gr_oci_hook *hook;
    struct gr_strs own_env; /* without what is added to every env */
};

struct gr_decider {
    const struct gr_ruleset *ruleset;
    const struct gr_policies *policies;
    const struct gr_decide_options *options;
    struct gr_subject subject; /* the container, with what it asks for and may have */
    struct gr_str namespace_;  /* GR_STR_NONE: not known */
    struct gr_arena *arena;
    struct gr_render render;
    struct gr_marks marks;            /* that the container carries */
    const struct gr_foreign *foreign; /* its other hooks, sorted */
    size_t foreign_n;
    struct gr_tally tally;
    struct gr_plan *plans; /* one per match */
    struct gr_set_result *results;
    size_t n;
    size_t hooks_n;
    struct gr_objection *objections;
    size_t objections_n;
    uint64_t steps;         /* left of the request's budget */
    uint64_t explain_steps; /* left for finding out what to say: that must not change a verdict */
};

/* A printable text in the arena; what does not fit is cut. Returns 0; -ENOMEM. */
GR_CHECKED int gr_decide_say(struct gr_decider *d, struct gr_str *out, const char *format, ...)
    GR_PRINTF(3, 4);

/* Whether nothing is refused in this namespace (Policy.neverFail). */
bool gr_decide_spares(const struct gr_decider *d);

/* Whether Config.requiredSets names the set. */
bool gr_decide_requires(const struct gr_decider *d, struct gr_str set);

/* What suspends the set here and now; NULL: nothing does. */
const struct gr_suspension *gr_decide_suspension(const struct gr_decider *d, struct gr_str set);

/* Fills marks, foreign and tally from the hooks that the container has. Returns 0; -ENOMEM. */
GR_CHECKED int gr_decide_collect_hooks(struct gr_decider *d);

/* Takes out what somebody else has put there already, without a mark of ours. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_decide_drop_present(const struct gr_decider *d, struct gr_plan *plan);

/* Counts hooks of ours. */
void gr_decide_count(struct gr_tally *tally, const struct gr_oci_hook *hook);

/*
 * Looks at the required sets and at what the pod asks for: granted names become subject.requests,
 * the others objections. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_decide_requests(struct gr_decider *d);

/* Merges what the plans adjust into the decision; a set of which all is there already becomes
 * "already". Returns 0; -ENOMEM. */
GR_CHECKED int gr_decide_adjust(struct gr_decider *d, struct gr_decision *decision);

/*
 * Why the match of a set is unknown, or an error; names the first condition that made it so, which
 * is the first that rules/tell/explain names. Returns 0; -ENOMEM.
 */
GR_CHECKED int gr_decide_say_unknown(struct gr_decider *d, const struct gr_hookset *set,
                                     struct gr_str *out_reason);
GR_CHECKED int gr_decide_say_error(struct gr_decider *d, const struct gr_hookset *set,
                                   struct gr_str *out_reason);

/* Fills refuse and refusal. Returns 0; -ENOMEM. */
GR_CHECKED int gr_decide_refuse(struct gr_decider *d, struct gr_decision *decision);

#endif
