/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition that left a match unknown, or made it an error. Looking for it has a budget of its
 * own: what is said never changes a verdict.
 */
#include "rules/decide/decide_parts.h"

static int keep_first(void *user, const struct gr_cond *cond, enum gr_truth truth GR_UNUSED,
                      bool negated GR_UNUSED)
{
    const struct gr_cond **first = user;

    *first = cond;
    return 1;
}

/* NULL: the budget was not enough, or the match has that truth by no condition of its own. */
static const struct gr_cond *find_first(struct gr_decider *d, const struct gr_hookset *set,
                                        enum gr_truth truth)
{
    const struct gr_cond *first = NULL;
    const struct gr_why why = {.decided = keep_first, .user = &first};

    (void)!gr_cond_why(set->match, truth, &d->subject, &d->explain_steps, &why);
    return d->explain_steps > 0 ? first : NULL;
}

int gr_decide_say_unknown(struct gr_decider *d, const struct gr_hookset *set,
                          struct gr_str *out_reason)
{
    const struct gr_cond *cond = find_first(d, set, GR_UNKNOWN);

    return gr_decide_say(
        d, out_reason,
        "whether it matches cannot be told here (line %u: %s), and onUnknown is Fail",
        cond ? cond->line : set->line, cond ? gr_field_name(cond->field) : "match");
}

int gr_decide_say_error(struct gr_decider *d, const struct gr_hookset *set,
                        struct gr_str *out_reason)
{
    const struct gr_cond *cond = find_first(d, set, GR_ERROR);

    if (!cond)
        return gr_decide_say(d, out_reason,
                             "matching was not completed: the work that one container may cause "
                             "is used up");
    if (cond->kind == GR_COND_LEAF)
        return gr_decide_say(d, out_reason,
                             "matching was not completed (line %u: %s): it is no text, or too much "
                             "work for a regex",
                             cond->line, gr_field_name(cond->field));
    if (set->blocked.n > 0)
        return gr_decide_say(d, out_reason, "it is blocked: %.*s", GR_STR_FMT(set->blocked));
    return gr_decide_say(d, out_reason,
                         "matching was not completed (line %u: a condition that this version does "
                         "not know)",
                         cond->line);
}
