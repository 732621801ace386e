/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/setup: what is put on a host beside rules: hook programs, and this program itself.
 *
 * Layer: app.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "app/cli/setup/parts.h"
#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel setup install --from DIR --to PROGRAMS/NAME [OPTION]...\n"
    "       grapnel setup self --to DIR [OPTION]...\n"
    "\n"
    "install copies the files of a directory into the store of hook programs, by their content,\n"
    "and makes them those that NAME stands for: a hook names one with program: NAME/FILE. What\n"
    "was installed before stays for the containers that run with it. The same files again change\n"
    "nothing; damaged ones are put right.\n"
    "self copies this program to DIR/grapnel, for images that have none.\n"
    "\n"
    "  --from DIR          the program files: files and directories only, no links\n"
    "  --to DIR            where to, absolute. The store is the setting programsDir, by default\n"
    "                      /opt/grapnel/programs; NAME is lower-case letters, digits and -\n"
    "  --dry-run           say what would be done, and do nothing\n"
    "  --host-root DIR     where the host's / is seen (default /); --to is below it\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 done, 1 the files were refused, 2 usage, 4 the host does not permit it.\n"
    "\n"
    "Examples:\n"
    "  grapnel setup install --from /hooks --to /opt/grapnel/programs/net\n"
    "  grapnel setup self --to /tools\n";

enum { OPT_FROM = GR_OPT_OWN, OPT_TO, OPT_DRY_RUN };

const struct option gr_options_setup[] = {
    {"from", required_argument, NULL, OPT_FROM},
    {"to", required_argument, NULL, OPT_TO},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"host-root", required_argument, NULL, GR_OPT_HOST_ROOT},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take_absolute(const char *expected, const char *value, const char **out)
{
    if (value[0] != '/')
        return gr_usage("setup", expected, value);
    *out = value;
    return GR_EXIT_OK;
}

static int take(void *user, int option, const char *value)
{
    struct gr_setup *setup = user;

    switch (option) {
    case OPT_FROM:
        setup->from = value;
        return GR_EXIT_OK;
    case OPT_TO:
        return take_absolute("--to with an absolute path", value, &setup->to);
    case OPT_DRY_RUN:
        setup->dry_run = true;
        return GR_EXIT_OK;
    case GR_OPT_HOST_ROOT:
        return take_absolute("--host-root with an absolute path", value, &setup->host_root);
    default: /* getopt_long has said what is wrong */
        (void)fputs("See grapnel setup --help.\n", stderr);
        return GR_EXIT_USAGE;
    }
}

int gr_setup_end(int rc, const struct gr_err *err)
{
    if (rc == 0)
        return GR_EXIT_OK;
    (void)fflush(stdout);
    (void)fprintf(stderr, "grapnel setup: %s: %s\n", err->code, err->text);
    return strncmp(err->code, "program-", 8) == 0 ? GR_EXIT_FAILED : GR_EXIT_HOST;
}

/* ---- the commands ---- */

/* Options that some commands need, and others do not take. */
enum option_bit {
    FROM = 1 << 0,
    TO = 1 << 1,
};

struct command {
    const char *name;
    unsigned needs; /* bits of enum option_bit */
    unsigned takes; /* the same, beside those it needs */
    int (*run)(const struct gr_setup *setup);
};

static const struct command commands[] = {
    {"install", FROM | TO, 0, gr_setup_install},
    {"self", TO, 0, gr_setup_self},
};

#define COMMANDS "install or self"

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Whether an option that some commands have is there where it must be, and only there. */
static int check_option(const struct command *command, unsigned bit, const char *name,
                        const char *value)
{
    char expected[64];

    if (value ? (command->needs | command->takes) & bit : !(command->needs & bit))
        return GR_EXIT_OK;
    (void)snprintf(expected, sizeof(expected), value ? "no %s for %s" : "%s for %s", name,
                   command->name);
    return gr_usage("setup", expected, value ? value : "");
}

static int check_options(const struct command *command, const struct gr_setup *setup)
{
    const struct {
        unsigned bit;
        const char *name, *value;
    } options[] = {{FROM, "--from", setup->from}, {TO, "--to", setup->to}};
    int r = GR_EXIT_OK;

    for (size_t i = 0; i < GR_ARRAY_LEN(options) && r == GR_EXIT_OK; i++)
        r = check_option(command, options[i].bit, options[i].name, options[i].value);
    return r;
}

int gr_verb_setup(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "setup", .help = help, .letters = "h", .options = gr_options_setup, .take = take};
    struct gr_setup setup = {.host_root = "/"};
    int r = gr_parse_options(&line, argc, argv, &setup);
    const struct command *command;

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    command = find_command(optind < argc ? argv[optind] : "");
    if (!command)
        return gr_usage("setup", COMMANDS, optind < argc ? argv[optind] : "");
    if (optind + 1 < argc)
        return gr_usage("setup", "one command, " COMMANDS, argv[optind + 1]);
    r = check_options(command, &setup);
    if (r != GR_EXIT_OK)
        return r;
    (void)umask(022); /* modes are what is asked for */
    gr_fs_posix(&setup.fs);
    return command->run(&setup);
}
