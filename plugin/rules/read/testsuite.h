/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/testsuite: documents of kind TestSuite, containers and what rules are to do to them.
 *
 * Layer: rules. Read strictly, as rules are. Running them is the verb's. Format: specs/testsuite.md
 * and specs/testsuite.schema.json.
 */
#ifndef GR_RULES_TESTSUITE_H
#define GR_RULES_TESTSUITE_H

#include "rules/adjust.h"
#include "rules/read/decode.h"
#include "rules/read/findings.h"

/* A hook that is to be there. */
struct gr_expected_hook {
    struct gr_str path;
    bool has_args, has_env, has_timeout;
    struct gr_strs args; /* all of them */
    struct gr_strs env;  /* each is to be among the hook's */
    uint32_t timeout_s;
    struct gr_place at;
};

struct gr_expected_hooks {
    const struct gr_expected_hook *items;
    size_t n;
    struct gr_place at;
};

enum gr_expected_refusal {
    GR_REFUSAL_NONE, /* nothing is said: as NO, unless nothing else is said either */
    GR_REFUSAL_NO,
    GR_REFUSAL_YES,
    GR_REFUSAL_TEXT,  /* with this text in it */
    GR_REFUSAL_REGEX, /* that this expression finds */
};

/* One entry of the adjustment: KEY, or KEY=VALUE where a text can say the value. */
struct gr_expected_adjust {
    enum gr_adjust_kind kind;
    struct gr_str text;
    struct gr_place at;
};

struct gr_expect {
    bool has_sets, has_hooks, has_adjust, has_exempt;
    struct gr_strs sets; /* that are injected, in order */
    struct gr_place sets_at;
    struct gr_expected_hooks hooks[GR_STAGE_COUNT];
    struct gr_place hooks_at;
    const struct gr_expected_adjust *adjust;
    size_t adjust_n;
    struct gr_place adjust_at;
    enum gr_expected_refusal refusal;
    struct gr_str refusal_text;
    const struct gr_regex *refusal_regex;
    struct gr_place refusal_at;
    bool exempt;
    struct gr_place exempt_at;
};

struct gr_case {
    struct gr_str name; /* unique in the suite */
    struct gr_place at;
    /* The container: what the files say, with what stands here laid over it. */
    struct gr_strs from; /* paths, relative to the suite's file */
    struct gr_subject container;
    uint32_t given;   /* bits of enum gr_field: what container says */
    uint32_t unknown; /* that is to be unknown */
    struct gr_expect expect;
};

struct gr_suite {
    struct gr_str name; /* metadata.name, or the file's stem */
    struct gr_str file; /* also NUL-terminated */
    struct gr_place at;
    struct gr_strs rules;      /* paths, relative to the file; also NUL-terminated */
    struct gr_str node;        /* n == 0: not given */
    struct gr_str environment; /* of spec.environments; n == 0: none */
    struct gr_str policy;      /* a path as those of rules; n == 0: not given */
    const struct gr_case *cases;
    size_t cases_n;
};

struct gr_suites {
    const struct gr_suite *items;
    size_t n;
    size_t rejected; /* documents that were refused, each with an error reported */
};

/*
 * Decodes every document of a file. A document with an error is refused whole.
 * Everything in *out_suites lives in arena; nothing borrows from source.
 * Returns 0 (look at rejected); -ENOMEM.
 */
GR_CHECKED int gr_suites_decode(struct gr_arena *arena, const struct gr_source *source,
                                const struct gr_reporter *reporter, struct gr_suites *out_suites);

#endif
