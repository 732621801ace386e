/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/explain/answer: one container explained with some rules, as bytes to be printed.
 *
 * Layer: app. The verb explain does it with the rules that it read, the plugin process with those
 * that are in force. Any thread, as long as the rule set stays.
 */
#ifndef GR_APP_EXPLAIN_ANSWER_H
#define GR_APP_EXPLAIN_ANSWER_H

#include "app/explain/out.h"

/* What is asked; all of it is borrowed. */
struct gr_explain_ask {
    const struct gr_subject *subject;
    struct gr_explain_choice choice;
    bool json;    /* else text */
    bool colours; /* of text */
};

/*
 * Appends the explanation to out. arena: for what is needed meanwhile. *out_refused: whether the
 * container would be refused. Returns 0; -ENOMEM; -EMSGSIZE (out's).
 */
GR_CHECKED int gr_explain_answer(const struct gr_ruleset *ruleset,
                                 const struct gr_decide_options *options,
                                 const struct gr_explain_ask *ask, struct gr_arena *arena,
                                 struct gr_buf *out, bool *out_refused);

/* The first name of a choice that no set has; NULL: each is one's. */
const char *gr_explain_unknown(const struct gr_ruleset *ruleset,
                               const struct gr_explain_choice *choice);

/* The hash of each set of these names that there is, as an object: {"tap": "0123456789abcdef"}.
 * NULL without memory. */
json_t *gr_explain_hashes(const struct gr_ruleset *ruleset, struct gr_strs names);

#endif
