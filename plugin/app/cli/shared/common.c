/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/common.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/cli/verbs.h"
#include "app/exit.h"
#include "load/dirs.h"
#include "rules/limits.h"
#include "rules/read/strict.h"

int gr_usage(const char *verb, const char *expected, const char *found)
{
    (void)fprintf(stderr, "grapnel %s: expected %s, found %s%s%s; see grapnel %s --help\n", verb,
                  expected, found ? "\"" : "", found ? gr_show(gr_str_from(found)).text : "nothing",
                  found ? "\"" : "", verb);
    return GR_EXIT_USAGE;
}

static const struct option *find_option(const struct option *options, struct gr_str name)
{
    for (; options->name; options++) {
        if (gr_str_is(name, options->name))
            return options;
    }
    return NULL;
}

static int unknown_option(const char *verb, const struct option *options, struct gr_str name)
{
    const char *nearest = NULL;
    size_t best = 4;

    for (; options->name; options++) {
        struct gr_str known = gr_str_from(options->name);
        size_t distance = gr_str_has_prefix(known, name) ? 0 : gr_str_distance(name, known, best);

        if (distance < best) {
            best = distance;
            nearest = options->name;
        }
    }
    (void)fprintf(stderr, "grapnel %s: there is no option --%.*s", verb, GR_STR_FMT(name));
    if (nearest)
        (void)fprintf(stderr, "; did you mean --%s?", nearest);
    (void)fprintf(stderr, "\nSee grapnel %s --help.\n", verb);
    return GR_EXIT_USAGE;
}

/* Every long option is one of options in full: getopt_long alone would take --hook for --hooks-dir.
 */
static int check_options(const char *verb, int argc, char *const *argv,
                         const struct option *options)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        struct gr_str word = gr_str_from(argv[i]);
        const struct option *option;
        size_t end;

        if (!gr_str_has_prefix(word, GR_STR("--")))
            continue;
        word = gr_str_skip(word, 2);
        end = gr_str_find(word, '=');
        option = find_option(options, gr_str_first(word, end));
        if (!option)
            return unknown_option(verb, options, gr_str_first(word, end));
        if (option->has_arg == required_argument && end == word.n)
            i++; /* its value is the next word, whatever that looks like */
    }
    return GR_EXIT_OK;
}

int gr_parse_options(const struct gr_command_line *line, int argc, char **argv, void *user)
{
    int r = check_options(line->verb, argc, argv, line->options);
    int option;

    while (r == GR_EXIT_OK &&
           (option = getopt_long(argc, argv, line->letters, line->options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(line->help, stdout);
            return -1;
        }
        r = line->take(user, option, optarg);
    }
    return r;
}

static void from_flag(struct gr_config *config, enum gr_setting setting)
{
    config->origins[setting] = (struct gr_setting_origin){.has = true, .source = GR_CONFIG_FLAG};
}

static int add_dir(struct gr_common *common, const char *value)
{
    if (value[0] == '\0')
        return gr_usage(common->verb, "a directory", value);
    if (common->dirs_n == GR_DIRS_MAX)
        return gr_usage(common->verb, "at most 256 directories and files", value);
    common->dirs[common->dirs_n++] = value;
    return GR_EXIT_OK;
}

static int add_oci_dir(struct gr_common *common, const char *value)
{
    if (value[0] == '\0')
        return gr_usage(common->verb, "a directory", value);
    if (common->oci_dirs_n == GR_DIRS_MAX)
        return gr_usage(common->verb, "at most 256 directories", value);
    common->oci_dirs[common->oci_dirs_n++] = value;
    return GR_EXIT_OK;
}

/* Absolute, without ".", "..", "//" and a slash at its end, as specs/config.md has it. */
static bool is_plain_path(struct gr_str path)
{
    struct gr_str rest = gr_str_skip(path, 1);

    if (path.n == 0 || path.p[0] != '/' || path.n > GR_HOOK_PATH_MAX_BYTES)
        return false;
    for (;;) {
        struct gr_str part = gr_str_first(rest, gr_str_find(rest, '/'));

        if (part.n == 0 || gr_str_is(part, ".") || gr_str_is(part, ".."))
            return false;
        if (part.n == rest.n)
            return true;
        rest = gr_str_skip(rest, part.n + 1);
    }
}

/* It becomes a part of paths of hooks. */
static int take_programs_dir(struct gr_common *common, const char *value)
{
    struct gr_config *config = &common->flags.config;
    bool none = strcmp(value, "none") == 0;

    if (!none && !is_plain_path(gr_str_from(value)))
        return gr_usage(common->verb,
                        "--programs-dir with an absolute path without . and .., or none", value);
    config->programs_dir = none ? "" : value;
    from_flag(config, GR_SETTING_PROGRAMS_DIR);
    return GR_EXIT_OK;
}

int gr_common_option(struct gr_common *common, int option, const char *value)
{
    struct gr_config *config = &common->flags.config;

    switch (option) {
    case GR_OPT_HOOKS_DIR:
        return add_dir(common, value);
    case GR_OPT_OCI_HOOKS_DIR:
        return add_oci_dir(common, value);
    case GR_OPT_CONFIG:
        common->flags.config_path = value;
        return GR_EXIT_OK;
    case GR_OPT_POLICY:
        common->flags.policy_path = value;
        return GR_EXIT_OK;
    case GR_OPT_HOST_ROOT:
        if (value[0] != '/')
            return gr_usage(common->verb, "--host-root with an absolute path", value);
        config->host_root = value;
        from_flag(config, GR_SETTING_HOST_ROOT);
        return GR_EXIT_OK;
    case GR_OPT_PROGRAMS_DIR:
        return take_programs_dir(common, value);
    case GR_OPT_NO_HOST:
        common->no_host = true;
        return GR_EXIT_OK;
    case GR_OPT_NODE_NAME:
        if (!gr_is_dns_subdomain(gr_str_from(value)))
            return gr_usage(common->verb,
                            "--node-name of lower-case letters, digits, - and . as in the cluster",
                            value);
        config->node_name = value;
        from_flag(config, GR_SETTING_NODE_NAME);
        return GR_EXIT_OK;
    default: /* getopt_long has said what is wrong */
        (void)fprintf(stderr, "See grapnel %s --help.\n", common->verb);
        return GR_EXIT_USAGE;
    }
}

int gr_common_path(struct gr_common *common, char *path)
{
    char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct stat st;

    common->paths_named = true;
    if (stat(path, &st) != 0) {
        (void)fprintf(stderr, "grapnel %s: %s: %s\n", common->verb, path, strerror(errno));
        return GR_EXIT_HOST;
    }
    if (S_ISDIR(st.st_mode))
        return add_dir(common, path);
    if (!gr_rule_name_fits(gr_str_from(name)))
        return gr_usage(common->verb, "a directory or a file *.yaml, *.yml or *.json", path);
    if (common->dirs_n < GR_DIRS_MAX)
        common->names[common->dirs_n] = name;
    if (!slash)
        return add_dir(common, ".");
    if (slash == path)
        return add_dir(common, "/");
    *slash = '\0';
    return add_dir(common, path);
}

int gr_common_oci_path(struct gr_common *common, const char *path)
{
    struct stat st;

    common->paths_named = true;
    if (stat(path, &st) != 0) {
        (void)fprintf(stderr, "grapnel %s: %s: %s\n", common->verb, path, strerror(errno));
        return GR_EXIT_HOST;
    }
    if (!S_ISDIR(st.st_mode))
        return gr_usage(common->verb, "a directory of oci-hooks(5) files", path);
    return add_oci_dir(common, path);
}

void gr_common_seal(struct gr_common *common)
{
    struct gr_config *config = &common->flags.config;

    if (common->dirs_n > 0 || common->paths_named) {
        config->hooks_dirs = common->dirs;
        config->hooks_dirs_n = common->dirs_n;
        from_flag(config, GR_SETTING_HOOKS_DIRS);
    }
    if (common->oci_dirs_n > 0 || common->paths_named) {
        config->oci_hooks_dirs = common->oci_dirs;
        config->oci_hooks_dirs_n = common->oci_dirs_n;
        from_flag(config, GR_SETTING_OCI_HOOKS_DIRS);
    }
}

static void print_finding(void *user, enum gr_level level, const struct gr_err *err)
{
    struct gr_printed *printed = user;
    char line[GR_ERR_FILE_BYTES + GR_ERR_TEXT_BYTES + 64];

    if (level == GR_LEVEL_ERROR)
        printed->errors++;
    else if (level == GR_LEVEL_WARNING)
        printed->warnings++;
    gr_err_format(err, level, line, sizeof(line));
    (void)fprintf(stderr, "%s\n", line);
}

struct gr_reporter gr_print_findings(struct gr_printed *printed)
{
    return (struct gr_reporter){.report = print_finding, .user = printed};
}

const char *gr_output_name(enum gr_output output)
{
    static const char *const names[] = {
        [GR_OUTPUT_TEXT] = "text",   [GR_OUTPUT_JSON] = "json", [GR_OUTPUT_YAML] = "yaml",
        [GR_OUTPUT_JUNIT] = "junit", [GR_OUTPUT_TAP] = "tap",
    };

    return output < GR_ARRAY_LEN(names) ? names[output] : NULL;
}

int gr_output_choose(const char *verb, const char *value, enum gr_output *out_output)
{
    unsigned int allowed = gr_verb_find(verb)->outputs;
    char expected[64] = "-o";
    const char *name;

    for (unsigned int i = 0; (name = gr_output_name((enum gr_output)i)); i++) {
        size_t n = strlen(expected);

        if (!(allowed & 1U << i))
            continue;
        if (strcmp(value, name) == 0) {
            *out_output = (enum gr_output)i;
            return GR_EXIT_OK;
        }
        (void)snprintf(expected + n, sizeof(expected) - n, "%s%s",
                       allowed >> (i + 1) ? n > 2 ? ", " : " " : " or ", name);
    }
    return gr_usage(verb, expected, value);
}

static int load(const struct gr_common *common, struct gr_loaded *l, struct gr_str configure_text,
                bool check_host, const struct gr_reporter *reporter)
{
    struct gr_load_options options;
    struct gr_fs fs;

    gr_fs_posix(&fs);
    options = gr_settings_load_options(&l->settings, &common->flags, configure_text, &fs);
    options.names = common->dirs_n > 0 ? common->names : NULL;
    options.last_good_dir = NULL;
    options.check_host = check_host;
    return gr_load(&options, reporter, &l->load);
}

int gr_common_load(const struct gr_common *common, struct gr_str configure_text, bool check_host,
                   const struct gr_reporter *reporter, struct gr_loaded *out_loaded)
{
    struct gr_loaded l = {0};
    int r = gr_settings_read(&common->flags, configure_text,
                             common->as_in_force ? GR_SETTINGS_AS_IN_FORCE : GR_SETTINGS_AS_WRITTEN,
                             reporter, &l.settings);

    if (r == 0) {
        r = load(common, &l, configure_text, check_host, reporter);
        if (r)
            gr_settings_fini(&l.settings);
    }
    if (r) {
        (void)fprintf(stderr, "grapnel %s: %s\n", common->verb, strerror(-r));
        return GR_EXIT_FAILED;
    }
    *out_loaded = l;
    return GR_EXIT_OK;
}

void gr_common_unload(struct gr_loaded *loaded)
{
    gr_ruleset_unref(loaded->load.ruleset);
    gr_settings_fini(&loaded->settings);
}
