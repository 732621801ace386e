/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/test/test: runs documents of kind TestSuite.
 *
 * Layer: app.
 */
#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/cli/test/parts.h"
#include "app/cli/shared/text_file.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "load/dirs.h"
#include "rules/limits.h"

static const char help[] =
    "Usage: grapnel test [OPTION]... FILE...\n"
    "\n"
    "Runs test suites (kind TestSuite, see grapnel schema TestSuite): for each container, whether\n"
    "the sets, hooks and adjustments are those that the case expects. - is stdin.\n"
    "\n"
    "  -o text|json|junit|tap\n"
    "                      how results are printed (default text)\n"
    "  --coverage          also tell which sets matched in no case, and which conditions were\n"
    "                      never true or never false\n"
    "  --fail-uncovered    these count as failures\n"
    "  --host              look at the hook programs on this host, too\n" GR_SETTINGS_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 all passed, 1 something failed, 2 usage, 4 FILE cannot be read.\n"
    "\n"
    "Example:\n"
    "  grapnel test -o junit rules/tests/*.yaml > results.xml\n";

struct test {
    struct gr_common common;
    bool coverage, fail_uncovered, host;
    enum gr_output output;
};

enum { OPT_COVERAGE = GR_OPT_OWN, OPT_FAIL_UNCOVERED, OPT_HOST };

const struct option gr_options_test[] = {
    {"output", required_argument, NULL, 'o'},
    {"coverage", no_argument, NULL, OPT_COVERAGE},
    {"fail-uncovered", no_argument, NULL, OPT_FAIL_UNCOVERED},
    {"host", no_argument, NULL, OPT_HOST},
    GR_SETTINGS_OPTIONS,
    {0},
};

static int take(void *user, int option, const char *value)
{
    struct test *test = user;

    switch (option) {
    case OPT_COVERAGE:
        test->coverage = true;
        return GR_EXIT_OK;
    case OPT_FAIL_UNCOVERED:
        test->coverage = true;
        test->fail_uncovered = true;
        return GR_EXIT_OK;
    case OPT_HOST:
        test->host = true;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("test", value, &test->output);
    default:
        return gr_common_option(&test->common, option, value);
    }
}

struct gr_str gr_test_stem(const char *path)
{
    struct gr_str name = gr_str_from(path);
    size_t slash = gr_str_rfind(name, '/');

    return gr_rule_name_stem(slash < name.n ? gr_str_skip(name, slash + 1) : name);
}

/* All suites of one file. Returns an exit code. */
static int run_file(struct gr_test_run *run, const char *path)
{
    struct gr_source source = {.file = strcmp(path, "-") == 0 ? "stdin" : path,
                               .stem = gr_test_stem(path)};
    struct gr_suites suites;
    const char *why = NULL;
    int r = gr_read_text("test", path, GR_YAML_FILE_MAX_BYTES, run->arena, &source.text);

    if (r != GR_EXIT_OK && gr_test_refuse_file(run, path, "it cannot be read") != 0)
        goto no_memory;
    if (r != GR_EXIT_OK)
        return r;
    if (gr_suites_decode(run->arena, &source, run->reporter, &suites) != 0)
        goto no_memory;
    for (size_t i = 0; i < suites.n; i++) {
        if (gr_test_run_suite(run, &suites.items[i]) != 0)
            goto no_memory;
    }
    if (suites.rejected > 0)
        why = "it has documents that are refused, see the messages above";
    else if (suites.n == 0)
        why = "there is no TestSuite in it";
    if (why && gr_test_refuse_file(run, path, why) != 0)
        goto no_memory;
    if (suites.n == 0 && suites.rejected == 0)
        (void)fprintf(stderr, "grapnel test: there is no TestSuite in %s\n", path);
    return why ? GR_EXIT_FAILED : GR_EXIT_OK;

no_memory:
    (void)fputs("grapnel test: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

static bool has_gaps(const struct gr_test_run *run)
{
    for (const struct gr_test_suite *suite = run->suites; suite; suite = suite->next) {
        if (suite->coverage.gaps)
            return true;
    }
    return false;
}

static int run_files(const struct test *test, struct gr_test_run *run, char **files, int n)
{
    int code = GR_EXIT_OK;
    int r;

    for (int i = 0; i < n; i++) {
        r = run_file(run, files[i]);
        code = code == GR_EXIT_OK ? r : code;
    }
    r = gr_test_print(run, test->output, test->coverage);
    if (r == GR_EXIT_OK && (run->failed > 0 || (test->fail_uncovered && has_gaps(run))))
        r = GR_EXIT_FAILED;
    return code == GR_EXIT_OK ? r : code;
}

int gr_verb_test(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "test", .help = help, .letters = "ho:", .options = gr_options_test, .take = take};
    struct test test = {.common = {.verb = "test"}};
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_test_run run = {.common = &test.common, .reporter = &reporter};
    struct gr_arena arena;
    int r = gr_parse_options(&line, argc, argv, &test);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    if (optind == argc)
        return gr_usage("test", "files of kind TestSuite", NULL);
    run.host = test.host;
    gr_arena_init(&arena, 64U << 10, 0);
    run.arena = &arena;
    run.suites_end = &run.suites;
    r = run_files(&test, &run, argv + optind, argc - optind);
    gr_arena_fini(&arena);
    return r;
}
