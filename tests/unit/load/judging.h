/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of load/host share: a host in memory with one file of rules. */
#ifndef GR_TESTS_LOAD_JUDGING_H
#define GR_TESTS_LOAD_JUDGING_H

#include "load/limits.h"
#include "loading.h"

static struct memfs host;

#define RULES HOOKS "/a.yaml"

static inline struct loaded *load_set(const char *text)
{
    mem_file(&host, RULES, text);
    return load(&host);
}

static inline void assert_blocked(const struct loaded *l, const char *code, const char *text)
{
    const struct gr_hookset *set = set_of(l, "a");
    const struct gr_err *err = findings_need(&l->findings, code);

    assert_finding(&l->findings, code, text);
    if (set->blocked.n == 0 || !strstr(set->blocked.p, text))
        fail_msg("expected the set to be blocked by \"%s\", found \"%.*s\"", text,
                 GR_STR_FMT(set->blocked));
    assert_string_equal(err->file, RULES);
    assert_int_equal(err->line, 8);
    assert_true(err->column > 0);
    assert_int_equal(l->result.blocked, 1);
    assert_true(l->result.errors > 0);
}

#endif
