/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/common: the options that several verbs share, and how a usage error reads.
 *
 * Layer: app.
 */
#ifndef GR_APP_CLI_SHARED_COMMON_H
#define GR_APP_CLI_SHARED_COMMON_H

#include <getopt.h>

#include "app/log.h"
#include "app/settings.h"
#include "load/load.h"
#include "rules/decide/decide.h"
#include "rules/program.h"

/* Directories and files that one command line may name; no evidence for the figure. */
#define GR_DIRS_MAX 256

struct gr_common {
    const char *verb;               /* for messages */
    const char *dirs[GR_DIRS_MAX];  /* --hooks-dir; none: the settings' */
    const char *names[GR_DIRS_MAX]; /* the only file of that directory, or NULL */
    size_t dirs_n;
    bool paths_named; /* by gr_common_path or gr_common_oci_path: only those are meant */
    const char *oci_dirs[GR_DIRS_MAX]; /* --oci-hooks-dir; none: the settings' */
    size_t oci_dirs_n;
    bool no_host;          /* --no-host */
    bool as_in_force;      /* what the plugin has written is read: gr_settings_use */
    struct gr_flags flags; /* borrows from argv */
};

/* Numbers of the long options below; a verb's own begin at GR_OPT_OWN. */
enum {
    GR_OPT_HOOKS_DIR = 1000,
    GR_OPT_OCI_HOOKS_DIR,
    GR_OPT_CONFIG,
    GR_OPT_POLICY,
    GR_OPT_HOST_ROOT,
    GR_OPT_NODE_NAME,
    GR_OPT_NO_HOST,
    GR_OPT_PROGRAMS_DIR,
    GR_OPT_SUBJECT = 1500, /* app/cli/shared/subject_flags.h */
    GR_OPT_OWN = 2000,
};

/* Of verbs to which rules are named otherwise. */
#define GR_SETTINGS_OPTIONS                                             \
    {"config", required_argument, NULL, GR_OPT_CONFIG},                 \
        {"policy", required_argument, NULL, GR_OPT_POLICY},             \
        {"host-root", required_argument, NULL, GR_OPT_HOST_ROOT},       \
        {"programs-dir", required_argument, NULL, GR_OPT_PROGRAMS_DIR}, \
    {                                                                   \
        "help", no_argument, NULL, 'h'                                  \
    }

#define GR_COMMON_OPTIONS                                                 \
    {"hooks-dir", required_argument, NULL, GR_OPT_HOOKS_DIR},             \
        {"oci-hooks-dir", required_argument, NULL, GR_OPT_OCI_HOOKS_DIR}, \
        {"node-name", required_argument, NULL, GR_OPT_NODE_NAME}, GR_SETTINGS_OPTIONS

/* Of verbs that look at hook programs unless they are told not to: grapnel VERB --no-host. */
#define GR_NO_HOST_OPTION                            \
    {                                                \
        "no-host", no_argument, NULL, GR_OPT_NO_HOST \
    }
#define GR_NO_HOST_HELP \
    "  --no-host           leave out the hook programs on this host: for a rule repository's CI\n"

/* For the help of each verb that takes them. */
#define GR_SETTINGS_HELP                                                                       \
    "  --config FILE       settings (default " GR_CONFIG_DEFAULT ")\n"                         \
    "  --policy FILE       guard rails (default " GR_POLICY_DEFAULT "); named here, it must\n" \
    "                      be there\n"                                                         \
    "  --host-root DIR     where the host's / is seen (default /)\n"                           \
    "  --programs-dir DIR  the store of hook programs on the host, or none (default\n"         \
    "                      " GR_PROGRAMS_DEFAULT ")\n"

#define GR_NODE_HELP \
    "  --node-name NAME    this node's name, for spec.nodes (default: the host's name)\n"

#define GR_COMMON_HELP                                                                          \
    "  --hooks-dir DIR     read rules here instead of the default directories; repeatable,\n"   \
    "                      later ones mask earlier ones\n"                                      \
    "  --oci-hooks-dir DIR read oci-hooks(5) files here as well; repeatable, later ones mask\n" \
    "                      earlier ones (default: none)\n" GR_SETTINGS_HELP GR_NODE_HELP

/*
 * Handles one of the options above, and what getopt_long refused. Returns GR_EXIT_OK;
 * GR_EXIT_USAGE (said on stderr).
 */
int gr_common_option(struct gr_common *common, int option, const char *value);

/*
 * A path of a verb that takes paths: a directory, or one rule file. path is one of argv, lives as
 * long as common, and is cut in two in place.
 * Returns GR_EXIT_OK; GR_EXIT_USAGE; GR_EXIT_HOST it is not there (both said on stderr).
 */
int gr_common_path(struct gr_common *common, char *path);

/*
 * A directory of oci-hooks(5) files of such a verb; value lives as long as common.
 * Returns as gr_common_path.
 */
int gr_common_oci_path(struct gr_common *common, const char *path);

/* What a verb takes. */
struct gr_command_line {
    const char *verb;
    const char *help;
    const char *letters; /* short options, as for getopt */
    const struct option *options;
    /* One option; its own or for gr_common_option. Returns GR_EXIT_OK or another exit code. */
    int (*take)(void *user, int option, const char *value);
};

/*
 * Hands every option to take; long ones must be written in full. optind is then the first word that
 * is none. Returns GR_EXIT_OK; another exit code (said on stderr); -1: the help was printed.
 */
int gr_parse_options(const struct gr_command_line *line, int argc, char **argv, void *user);

/* To be called when all options are in, before the flags are used. */
void gr_common_seal(struct gr_common *common);

/* "grapnel VERB: expected …, found "…"; see grapnel VERB --help" on stderr; GR_EXIT_USAGE. */
int gr_usage(const char *verb, const char *expected, const char *found);

/* Prints findings as file:line:col: level: text on stderr and counts them. */
struct gr_printed {
    size_t errors, warnings;
};
struct gr_reporter gr_print_findings(struct gr_printed *printed);

/* The -o of the verbs; each has some of them. */
enum gr_output {
    GR_OUTPUT_TEXT,
    GR_OUTPUT_JSON,
    GR_OUTPUT_YAML,
    GR_OUTPUT_JUNIT,
    GR_OUTPUT_TAP,
};

/* Its name; NULL behind the last one. */
const char *gr_output_name(enum gr_output output);

/* The value of -o, one of those that the verb has (app/cli/verbs).
 * Returns GR_EXIT_OK, or GR_EXIT_USAGE (said on stderr). */
int gr_output_choose(const char *verb, const char *value, enum gr_output *out_output);

/* Rules that were loaded for one verb. */
struct gr_loaded {
    struct gr_settings settings;
    struct gr_load_result load;
};

/*
 * Reads the settings and loads the rules for a one-shot verb, without last good texts.
 * configure_text: what a runtime would hand over in Configure, or n == 0. check_host: whether hook
 * programs are looked at.
 * Returns GR_EXIT_OK and something for gr_common_unload, or an exit code (said on stderr).
 */
int gr_common_load(const struct gr_common *common, struct gr_str configure_text, bool check_host,
                   const struct gr_reporter *reporter, struct gr_loaded *out_loaded);
void gr_common_unload(struct gr_loaded *loaded);

#endif
