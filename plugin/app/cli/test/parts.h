/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/test/parts: what the files of the verb "test" share.
 *
 * Layer: app, not for other verbs. Outputs: specs/testsuite.md.
 */
#ifndef GR_APP_CLI_TEST_PARTS_H
#define GR_APP_CLI_TEST_PARTS_H

#include "app/cli/shared/common.h"
#include "rules/tell/explain.h"
#include "rules/read/testsuite.h"

/* One thing that was otherwise than expected. */
struct gr_test_failure {
    struct gr_test_failure *next;
    struct gr_str text; /* printable */
    struct gr_place at; /* of the expectation, in the suite's file */
};

/* One container of one case. */
struct gr_test_result {
    struct gr_test_result *next;
    const struct gr_case *c; /* NULL: the suite, or its rules, could not be used */
    struct gr_str name;      /* of the case; "rules", "suite" */
    struct gr_str container; /* its title, where a case has several; else n == 0 */
    struct gr_test_failure *failures, **failures_end;
};

/* A condition or set that no case asks about. */
struct gr_test_gap {
    struct gr_test_gap *next;
    struct gr_str set, file;
    struct gr_str condition; /* n == 0: the set itself, which matched in no case */
    struct gr_place at;
    bool never_true, never_false;
};

struct gr_test_coverage {
    size_t sets, sets_matched;
    size_t conditions, conditions_covered; /* both true and false, each in some case */
    struct gr_test_gap *gaps, **gaps_end;
};

struct gr_test_suite {
    struct gr_test_suite *next;
    const struct gr_suite *suite;
    struct gr_test_result *results, **results_end;
    size_t n, failed;
    struct gr_test_coverage coverage;
};

struct gr_test_run {
    struct gr_arena *arena; /* holds everything below */
    const struct gr_common *common;
    const struct gr_reporter *reporter;
    bool host;
    struct gr_test_suite *suites, **suites_end;
    size_t n, failed;
};

/* test_run.c: one suite; its results are added to run. Returns 0; -ENOMEM. */
GR_CHECKED int gr_test_run_suite(struct gr_test_run *run, const struct gr_suite *suite);

/* A file that has no suite, or documents that were refused: a suite of the file's name with one
 * result, which failed. path: - is stdin. Returns 0; -ENOMEM. */
GR_CHECKED int gr_test_refuse_file(struct gr_test_run *run, const char *path, const char *why);

/* A file's name without its suffix: the default of metadata.name. */
struct gr_str gr_test_stem(const char *path);

GR_CHECKED int gr_test_fail(struct gr_arena *arena, struct gr_test_result *result,
                            struct gr_place at, const char *format, ...) GR_PRINTF(4, 5);

/* test_check.c: what is otherwise than the case expects. Returns 0; -ENOMEM. */
GR_CHECKED int gr_test_check(struct gr_arena *arena, struct gr_explanation *explanation,
                             const struct gr_expect *expect, struct gr_test_result *result);

/* test_coverage.c: which conditions were seen true and which false, over all cases of a suite. */
struct gr_test_seen;
GR_CHECKED int gr_test_seen_new(struct gr_arena *arena, const struct gr_ruleset *ruleset,
                                struct gr_test_seen **out_seen);
void gr_test_seen_add(struct gr_test_seen *seen, struct gr_explanation *explanation,
                      struct gr_arena *arena);
/* Texts are copied: the rule set may go. */
GR_CHECKED int gr_test_seen_tell(const struct gr_test_seen *seen, struct gr_arena *arena,
                                 struct gr_test_coverage *out_coverage);

/* test_out.c: prints on stdout. Returns an exit code. */
int gr_test_print(const struct gr_test_run *run, enum gr_output output, bool coverage);

#endif
