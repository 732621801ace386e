/* SPDX-License-Identifier: Apache-2.0 */
#include "app/problem.h"

#include <string.h>

#include "app/json.h"

static const char *const codes[] = {
    [GR_PROBLEM_MISSED] = "containers-missed",
    [GR_PROBLEM_UNREADABLE] = "containers-unreadable",
    [GR_PROBLEM_NOT_COMPARED] = "missed-unknown",
    [GR_PROBLEM_NOT_CONNECTED] = "plugin-not-connected",
    [GR_PROBLEM_SETTINGS] = "settings-refused",
    [GR_PROBLEM_POLICY] = "policy-refused",
    [GR_PROBLEM_BLOCKED] = "sets-blocked",
    [GR_PROBLEM_REFUSED] = "rules-refused",
    [GR_PROBLEM_EARLIER_TEXT] = "earlier-text",
    [GR_PROBLEM_UNKEPT] = "last-good-not-kept",
    [GR_PROBLEM_REQUIRED_PAUSED] = "required-set-paused",
    [GR_PROBLEM_REQUIRED_MISSING] = "required-set-missing",
    [GR_PROBLEM_PAUSED] = "sets-paused",
    [GR_PROBLEM_TRIPPED] = "breaker-tripped",
    [GR_PROBLEM_PAUSES] = "pauses-not-kept",
    [GR_PROBLEM_NOT_WATCHED] = "files-not-watched",
    [GR_PROBLEM_JOURNAL] = "decisions-not-recorded",
    [GR_PROBLEM_METRICS] = "metrics-not-served",
    [GR_PROBLEM_OTHER_INSTANCE] = "several-processes",
};

_Static_assert(GR_ARRAY_LEN(codes) == GR_PROBLEM_COUNT, "each has a code");

const char *gr_problem_code(enum gr_problem problem)
{
    return codes[problem];
}

enum gr_problem gr_problem_of_code(const char *code)
{
    enum gr_problem problem = 0;

    while (problem < GR_PROBLEM_COUNT && !(code && strcmp(codes[problem], code) == 0))
        problem++;
    return problem;
}

void gr_problem_add(struct gr_problems *problems, enum gr_problem problem, struct gr_str text)
{
    (void)json_array_append_new(problems->texts, gr_json_str(text));
    (void)json_array_append_new(problems->codes, json_string(gr_problem_code(problem)));
}
