/* SPDX-License-Identifier: Apache-2.0 */
#include "app/explain/answer.h"

#include <inttypes.h>
#include <stdio.h>

int gr_explain_answer(const struct gr_ruleset *ruleset, const struct gr_decide_options *options,
                      const struct gr_explain_ask *ask, struct gr_arena *arena, struct gr_buf *out,
                      bool *out_refused)
{
    struct gr_explanation explanation;
    int r = gr_explain(ruleset, ask->subject, options, arena, &explanation);

    if (r)
        return r;
    *out_refused = explanation.decision.refuse;
    return ask->json ? gr_explain_json(&explanation, &ask->choice, arena, out)
                     : gr_explain_text(&explanation, &ask->choice, ask->colours, arena, out);
}

const char *gr_explain_unknown(const struct gr_ruleset *ruleset,
                               const struct gr_explain_choice *choice)
{
    for (size_t i = 0; i < choice->names_n; i++) {
        if (!gr_ruleset_find(ruleset, gr_str_from(choice->names[i])))
            return choice->names[i];
    }
    return NULL;
}

json_t *gr_explain_hashes(const struct gr_ruleset *ruleset, struct gr_strs names)
{
    json_t *object = json_object();
    char hash[17];

    for (size_t i = 0; i < names.n; i++) {
        const struct gr_hookset *set = gr_ruleset_find(ruleset, names.items[i]);

        if (!set)
            continue;
        (void)snprintf(hash, sizeof(hash), "%016" PRIx64, set->hash);
        (void)json_object_set_new(object, set->name.p, json_string(hash));
    }
    return object;
}
