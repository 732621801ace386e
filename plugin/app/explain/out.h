/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/explain/out: an explanation as text and as JSON.
 *
 * Layer: app. For the verb and for the plugin process, which is asked about the rules in force:
 * bytes are made in one way. Shapes: specs/explain.md.
 */
#ifndef GR_APP_EXPLAIN_OUT_H
#define GR_APP_EXPLAIN_OUT_H

#include <jansson.h>

#include "base/buf.h"
#include "rules/tell/explain.h"

/* Sets that do not match are left out where there are more of them than this. */
#define GR_EXPLAIN_REST_MAX 5
/* Near misses that are shown. No evidence. */
#define GR_EXPLAIN_NEAR_MAX 10

/* What is to be shown. */
struct gr_explain_choice {
    bool all;
    const char *const *names; /* of sets; borrowed */
    size_t names_n;
};

/* Marks the sets that are shown: one bool per set of the explanation, in arena. NULL: no memory. */
bool *gr_explain_choose(const struct gr_explanation *explanation,
                        const struct gr_explain_choice *choice, struct gr_arena *arena,
                        size_t *out_left_out);

/* One word: "injected", "no match", "other node", … */
const char *gr_explain_word(const struct gr_explained *explained);

/*
 * One container, appended to out: as text, or as an object of JSON in one line. arena also says how
 * much memory one set may need at a time. Each returns 0; -ENOMEM; -EMSGSIZE (out's).
 */
GR_CHECKED int gr_explain_text(struct gr_explanation *explanation,
                               const struct gr_explain_choice *choice, bool colours,
                               struct gr_arena *arena, struct gr_buf *out);
GR_CHECKED int gr_explain_json(struct gr_explanation *explanation,
                               const struct gr_explain_choice *choice, struct gr_arena *arena,
                               struct gr_buf *out);

/* {"namespace": …, "pod": …, "container": …, "image": …}, what is known of them. */
json_t *gr_subject_json(const struct gr_subject *subject);

#endif
