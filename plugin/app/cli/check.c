/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/check: reads rules as the plugin would and prints every finding.
 *
 * Layer: app.
 */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>

#include "app/cli/shared/below.h"
#include "app/cli/shared/document.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "load/program.h"
#include "rules/tell/lint.h"

static const char help[] =
    "Usage: grapnel check [OPTION]... [PATH]...\n"
    "\n"
    "Reads rule files, settings and policies as the plugin would and prints every finding as\n"
    "file:line:column: level: text. PATH is a file or a directory; without any, the directories\n"
    "that the plugin reads. Errors keep a set out of force; warnings are about hooks that will "
    "not\n"
    "do what was meant; infos are advice.\n"
    "\n"
    "  --strict            warnings fail too (exit code 3)\n" GR_NO_HOST_HELP
    "  -o text|json|yaml   how findings are printed (default text)\n" GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 fine, 1 errors, 2 usage, 3 warnings under --strict, 4 PATH is not there.\n"
    "\n"
    "Examples:\n"
    "  grapnel check\n"
    "  grapnel check --strict --no-host rules/\n";

struct check {
    struct gr_common common;
    bool strict;
    enum gr_output output;
    size_t errors, warnings;
    json_t *findings; /* under -o json and yaml */
};

enum { OPT_STRICT = GR_OPT_OWN };

const struct option gr_options_check[] = {
    {"strict", no_argument, NULL, OPT_STRICT},
    GR_NO_HOST_OPTION,
    {"output", required_argument, NULL, 'o'},
    GR_COMMON_OPTIONS,
    {0},
};

static void on_finding(void *user, enum gr_level level, const struct gr_err *err)
{
    struct check *check = user;
    char line[GR_ERR_FILE_BYTES + GR_ERR_TEXT_BYTES + 64];

    if (level == GR_LEVEL_ERROR)
        check->errors++;
    else if (level == GR_LEVEL_WARNING)
        check->warnings++;
    if (check->output != GR_OUTPUT_TEXT) {
        (void)json_array_append_new(check->findings, gr_finding_json(level, err));
        return;
    }
    gr_err_format(err, level, line, sizeof(line));
    (void)printf("%s\n", line);
}

static int take(void *user, int option, const char *value)
{
    struct check *check = user;

    switch (option) {
    case OPT_STRICT:
        check->strict = true;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("check", value, &check->output);
    default:
        return gr_common_option(&check->common, option, value);
    }
}

static int parse(struct check *check, int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "check", .help = help, .letters = "ho:", .options = gr_options_check, .take = take};
    int r = gr_parse_options(&line, argc, argv, check);

    for (; optind < argc && r == GR_EXIT_OK; optind++)
        r = gr_common_path(&check->common, argv[optind]);
    gr_common_seal(&check->common);
    return r;
}

static int finish(const struct check *check, const struct gr_load_result *result)
{
    int r = GR_EXIT_OK;

    if (check->output != GR_OUTPUT_TEXT)
        r = gr_document_print("check", json_incref(check->findings), check->output);
    (void)fflush(stdout); /* the summary comes last, also where both go to one place */
    (void)fprintf(stderr, "%zu %s in %zu %s: %zu %s, %zu %s\n", result->sets,
                  result->sets == 1 ? "set" : "sets", result->files_n,
                  result->files_n == 1 ? "file" : "files", check->errors,
                  check->errors == 1 ? "error" : "errors", check->warnings,
                  check->warnings == 1 ? "warning" : "warnings");
    if (check->errors > 0 || r != GR_EXIT_OK)
        return GR_EXIT_FAILED;
    return check->strict && check->warnings > 0 ? GR_EXIT_WARNINGS : GR_EXIT_OK;
}

static void tell_shadowed(const struct gr_load_result *result, const struct gr_reporter *reporter)
{
    for (size_t i = 0; i < result->files_n; i++) {
        const struct gr_file_report *file = &result->files[i];
        struct gr_err err = {0};

        if (file->state != GR_FILE_MASKED)
            continue;
        gr_fail(&err, 0, "lint-shadowed-file",
                "this file has no effect: %.*s has its name and a higher precedence",
                GR_STR_FMT(file->masked_by));
        gr_err_at(&err, file->path.p, 0, 0);
        gr_report(reporter, GR_LEVEL_INFO, &err);
    }
}

/* Every container would be refused. Paths that were named may be some of the rules only. */
static void tell_required(const struct check *check, const struct gr_loaded *loaded,
                          const struct gr_reporter *reporter)
{
    const struct gr_config *config = &loaded->settings.config;
    const char *path = check->common.flags.config_path;

    for (size_t i = 0; i < config->required_sets.n && !check->common.paths_named; i++) {
        struct gr_str name = config->required_sets.items[i];
        struct gr_err err = {0};

        if (gr_ruleset_find(loaded->load.ruleset, name))
            continue;
        gr_fail(&err, 0, "lint-required-set",
                "requiredSets names %.*s, and there is no HookSet of that name: every container "
                "outside the exempt namespaces would be refused",
                GR_STR_FMT(name));
        gr_err_at(&err, path ? path : GR_CONFIG_DEFAULT, 0, 0);
        gr_report(reporter, GR_LEVEL_WARNING, &err);
    }
}

/* Rules that are probably meant and are not read. */
static void tell_subdirectories(const struct check *check, const struct gr_loaded *loaded,
                                const struct gr_reporter *reporter)
{
    const struct gr_config *config = &loaded->settings.config;
    char found[PATH_MAX];

    for (size_t i = 0; i < config->hooks_dirs_n; i++) {
        struct gr_err err = {0};

        if ((check->common.dirs_n > 0 && check->common.names[i]) ||
            !gr_rules_below(config->hooks_dirs[i], found, sizeof(found)))
            continue;
        gr_fail(&err, 0, "lint-subdirectory",
                "no rule file lies in this directory, and rule files below it, such as %s, are not "
                "read; name their directory, or move them here",
                gr_show(gr_str_from(found)).text);
        gr_err_at(&err, config->hooks_dirs[i], 0, 0);
        gr_report(reporter, GR_LEVEL_WARNING, &err);
    }
}

/* What is valid and hardly meant. Returns 0; -ENOMEM. */
static int advise(const struct check *check, const struct gr_loaded *loaded,
                  const struct gr_reporter *reporter)
{
    struct gr_fs fs;
    int r = gr_lint(loaded->load.ruleset, reporter);

    tell_shadowed(&loaded->load, reporter);
    tell_required(check, loaded, reporter);
    tell_subdirectories(check, loaded, reporter);
    if (r != 0 || check->common.no_host)
        return r;
    gr_fs_posix(&fs);
    return gr_programs_check(&fs, loaded->settings.config.host_root, loaded->load.ruleset,
                             reporter);
}

int gr_verb_check(int argc, char **argv)
{
    struct check check = {.common = {.verb = "check"}};
    const struct gr_reporter reporter = {.report = on_finding, .user = &check};
    struct gr_loaded loaded;
    int r = parse(&check, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    check.findings = json_array();
    r = gr_common_load(&check.common, GR_STR_NONE, !check.common.no_host, &reporter, &loaded);
    if (r == GR_EXIT_OK) {
        r = advise(&check, &loaded, &reporter);
        if (r == 0)
            r = finish(&check, &loaded.load);
        else
            (void)fprintf(stderr, "grapnel check: %s\n", strerror(-r));
        gr_common_unload(&loaded);
    }
    json_decref(check.findings);
    return r;
}
