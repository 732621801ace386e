/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/regex.h"

#include <errno.h>

int gr_regex_compile(struct gr_arena *arena, struct gr_str text, bool search,
                     const struct gr_regex **out_regex, struct gr_err *err)
{
    (void)arena;
    (void)text;
    (void)search;
    (void)out_regex;
    return gr_fail(err, -EINVAL, "bad-regex", "expressions are not supported yet");
}

bool gr_regex_is_search(const struct gr_regex *regex)
{
    return regex == NULL;
}

enum gr_truth gr_regex_match(const struct gr_regex *regex, struct gr_str text, uint64_t *steps)
{
    (void)regex;
    (void)text;
    (void)steps;
    return GR_ERROR;
}

const struct gr_regex_literals *gr_regex_literals(const struct gr_regex *regex)
{
    static const struct gr_regex_literals none;

    (void)regex;
    return &none;
}
