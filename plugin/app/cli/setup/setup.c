/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/setup: what is put on a host beside rules, and taken away again.
 *
 * Layer: app.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/cli/setup/parts.h"
#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/daemon/nri_socket.h"
#include "app/doctor/runtime.h"
#include "app/exit.h"
#include "app/setup/autostart.h"
#include "load/owner.h"
#include "rules/program.h"

static const char help[] =
    "Usage: grapnel setup install --from DIR --to PROGRAMS/NAME [OPTION]...\n"
    "       grapnel setup retire --store PROGRAMS --owner OWNER [OPTION]...\n"
    "       grapnel setup self --to DIR [OPTION]...\n"
    "       grapnel setup autostart [OPTION]...\n"
    "       grapnel setup cleanup [OPTION]...\n"
    "\n"
    "install copies the files of a directory into the store of hook programs, by their content,\n"
    "and makes them those that NAME stands for: a hook names one with program: NAME/FILE. What\n"
    "was installed before stays for the containers that run with it. The same files again change\n"
    "nothing; damaged ones are put right.\n"
    "retire takes packages out of force that OWNER installed and does not install any more: rules\n"
    "that name them are blocked. Packages of others, and of nobody, are left alone.\n"
    "self copies this program to DIR/grapnel, for images that have none.\n"
    "autostart puts this program into the directory of plugins that the runtime launches, and\n"
    "with --undo takes it away. It refuses beside a unit, a pod or another process of Grapnel on\n"
    "this node, and restarts nothing.\n"
    "cleanup removes what is left when the plugin is gone from this node for good: hook programs\n"
    "that no container names any more, as the runtime tells, last good texts, the metrics' file,\n"
    "the run directory. It refuses while a plugin runs here. What is not Grapnel's stays, and is\n"
    "named.\n"
    "\n"
    "  --from DIR          the program files: files and directories only, no links\n"
    "  --to DIR            where to, absolute. The store is the setting programsDir, by default\n"
    "                      /opt/grapnel/programs; NAME is lower-case letters, digits and -.\n"
    "                      autostart: the directory of plugins (default: as the runtime's\n"
    "                      configuration has it, " GR_NRI_PLUGIN_DIR ")\n"
    "  --owner OWNER       install: whose package it is from now on, such as a release's\n"
    "                      NAMESPACE/NAME (default: nobody's); retire: whose packages\n"
    "  --store PROGRAMS    retire: the store, absolute\n"
    "  --keep NAME         retire: a package that OWNER still installs. Repeatable\n"
    "  --index NN          autostart: two digits, the place among the node's plugins (default\n"
    "                      " GR_PROGRAM_INDEX_DEFAULT ", or that of the one that is there)\n"
    "  --undo              autostart: remove each program of Grapnel's from that directory\n"
    "  --dry-run           say what would be done, and do nothing\n"
    "  --host-root DIR     where the host's / is seen (default /); --to and --store are below\n"
    "                      it, and the store and CRI-O's runroot of cleanup\n"
    "  --config FILE       autostart, cleanup: settings (default " GR_CONFIG_DEFAULT "),\n"
    "                      for where things are\n"
    "  --socket PATH       cleanup: the runtime's NRI socket (default\n"
    "                      " GR_NRI_SOCKET_DEFAULT ")\n"
    "  --crio-dir DIR      cleanup: CRI-O's runroot, where its containers are until they are\n"
    "                      removed (default " GR_CONFIG_CRIO_DIR_DEFAULT ")\n"
    "  --wait SECONDS      install, autostart: for another one at work there (default 120);\n"
    "                      cleanup: for a plugin to end, and then for the runtime's answer\n"
    "                      (default 10); 1 to 3600\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 done, 1 the files, or what is there already, were refused, or a plugin runs\n"
    "here, 2 usage, 4 the host does not permit it, or the runtime does not answer.\n"
    "\n"
    "Examples:\n"
    "  grapnel setup install --from /hooks --to /opt/grapnel/programs/net\n"
    "  grapnel setup retire --store /opt/grapnel/programs --owner team-a/hooks --keep net\n"
    "  grapnel setup self --to /tools\n"
    "  grapnel setup autostart\n"
    "  grapnel setup cleanup --dry-run\n";

#define WAIT_MAX_S 3600
#define WAIT_DEFAULT_S 10

enum {
    OPT_FROM = GR_OPT_OWN,
    OPT_TO,
    OPT_DRY_RUN,
    OPT_SOCKET,
    OPT_WAIT,
    OPT_INDEX,
    OPT_UNDO,
    OPT_CRIO_DIR,
    OPT_OWNER,
    OPT_STORE,
    OPT_KEEP
};

const struct option gr_options_setup[] = {
    {"from", required_argument, NULL, OPT_FROM},
    {"to", required_argument, NULL, OPT_TO},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"host-root", required_argument, NULL, GR_OPT_HOST_ROOT},
    {"config", required_argument, NULL, GR_OPT_CONFIG},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"crio-dir", required_argument, NULL, OPT_CRIO_DIR},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"owner", required_argument, NULL, OPT_OWNER},
    {"store", required_argument, NULL, OPT_STORE},
    {"keep", required_argument, NULL, OPT_KEEP},
    {"index", required_argument, NULL, OPT_INDEX},
    {"undo", no_argument, NULL, OPT_UNDO},
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

static int take_wait(struct gr_setup *setup, const char *value)
{
    setup->wait = value;
    if (gr_str_to_u64(gr_str_from(value), &setup->wait_s) == 0 && setup->wait_s > 0 &&
        setup->wait_s <= WAIT_MAX_S)
        return GR_EXIT_OK;
    return gr_usage("setup", "--wait of 1 to 3600 seconds", value);
}

static int take_index(struct gr_setup *setup, const char *value)
{
    setup->index = value;
    if (strlen(value) == 2 && strspn(value, "0123456789") == 2)
        return GR_EXIT_OK;
    return gr_usage("setup", "--index of two digits", value);
}

static int take_owner(struct gr_setup *setup, const char *value)
{
    setup->owner = value;
    return gr_is_owner(gr_str_from(value))
               ? GR_EXIT_OK
               : gr_usage("setup", "--owner of " GR_OWNER_EXPECTED, value);
}

static int take_keep(struct gr_setup *setup, const char *value)
{
    if (!gr_is_program_package(gr_str_from(value)))
        return gr_usage("setup", "--keep with the name of a package", value);
    if (setup->keep_n == GR_ARRAY_LEN(setup->keep))
        return gr_usage("setup", "--keep at most 64 times", value);
    setup->keep[setup->keep_n++] = value;
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
        setup->has_host_root = true;
        return take_absolute("--host-root with an absolute path", value, &setup->host_root);
    case GR_OPT_CONFIG:
        setup->config_path = value;
        return GR_EXIT_OK;
    case OPT_SOCKET:
        return take_absolute("--socket with an absolute path", value, &setup->socket);
    case OPT_CRIO_DIR:
        return take_absolute("--crio-dir with an absolute path", value, &setup->crio_dir);
    case OPT_WAIT:
        return take_wait(setup, value);
    case OPT_OWNER:
        return take_owner(setup, value);
    case OPT_STORE:
        return take_absolute("--store with an absolute path", value, &setup->store);
    case OPT_KEEP:
        return take_keep(setup, value);
    case OPT_INDEX:
        return take_index(setup, value);
    case OPT_UNDO:
        setup->undo = true;
        return GR_EXIT_OK;
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

void gr_setup_waits(const char *path, uint64_t wait_s)
{
    (void)fprintf(stderr,
                  "grapnel setup: another command is at work in %s: waiting for it, at most "
                  "%" PRIu64 " seconds\n",
                  path, wait_s);
}

/* ---- the commands ---- */

/* Options that some commands need, and others do not take. */
enum option_bit {
    FROM = 1 << 0,
    TO = 1 << 1,
    CONFIG = 1 << 2,
    SOCKET = 1 << 3,
    WAIT = 1 << 4,
    INDEX = 1 << 5,
    UNDO = 1 << 6,
    CRIO_DIR = 1 << 7,
    OWNER = 1 << 8,
    STORE = 1 << 9,
    KEEP = 1 << 10,
};

struct command {
    const char *name;
    unsigned needs; /* bits of enum option_bit */
    unsigned takes; /* the same, beside those it needs */
    int (*run)(const struct gr_setup *setup);
};

static const struct command commands[] = {
    {"install", FROM | TO, WAIT | OWNER, gr_setup_install},
    {"retire", STORE | OWNER, KEEP, gr_setup_retire},
    {"self", TO, 0, gr_setup_self},
    {"autostart", 0, TO | CONFIG | INDEX | UNDO | WAIT, gr_setup_autostart},
    {"cleanup", 0, CONFIG | SOCKET | WAIT | CRIO_DIR, gr_setup_cleanup},
};

#define COMMANDS "install, retire, self, autostart or cleanup"

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
    return gr_usage("setup", expected, value);
}

static int check_options(const struct command *command, const struct gr_setup *setup)
{
    const struct {
        unsigned bit;
        const char *name, *value;
    } options[] = {{FROM, "--from", setup->from},
                   {TO, "--to", setup->to},
                   {CONFIG, "--config", setup->config_path},
                   {SOCKET, "--socket", setup->socket},
                   {WAIT, "--wait", setup->wait},
                   {OWNER, "--owner", setup->owner},
                   {STORE, "--store", setup->store},
                   {KEEP, "--keep", setup->keep_n > 0 ? setup->keep[0] : NULL},
                   {INDEX, "--index", setup->index},
                   {UNDO, "--undo", setup->undo ? "" : NULL},
                   {CRIO_DIR, "--crio-dir", setup->crio_dir}};
    int r = GR_EXIT_OK;

    for (size_t i = 0; i < GR_ARRAY_LEN(options) && r == GR_EXIT_OK; i++)
        r = check_option(command, options[i].bit, options[i].name, options[i].value);
    return r;
}

int gr_verb_setup(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "setup", .help = help, .letters = "h", .options = gr_options_setup, .take = take};
    struct gr_setup setup = {.host_root = "/", .wait_s = WAIT_DEFAULT_S};
    int r = gr_parse_options(&line, argc, argv, &setup);
    const struct command *command;

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    command = find_command(optind < argc ? argv[optind] : "");
    if (!command)
        return gr_usage("setup", COMMANDS, optind < argc ? argv[optind] : NULL);
    if (optind + 1 < argc)
        return gr_usage("setup", "one command, " COMMANDS, argv[optind + 1]);
    r = check_options(command, &setup);
    if (r != GR_EXIT_OK)
        return r;
    (void)umask(022); /* modes are what is asked for */
    gr_fs_posix(&setup.fs);
    return command->run(&setup);
}
