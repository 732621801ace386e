/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/setup: what is put on a host beside rules: hook programs, and this program itself.
 *
 * Layer: app.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "app/setup/install.h"
#include "app/setup/self.h"

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

struct setup {
    const char *from, *to;
    const char *host_root;
    bool dry_run;
};

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
    struct setup *setup = user;

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

static int finish(int rc, const struct gr_err *err)
{
    if (rc == 0)
        return GR_EXIT_OK;
    (void)fflush(stdout);
    (void)fprintf(stderr, "grapnel setup: %s: %s\n", err->code, err->text);
    return strncmp(err->code, "program-", 8) == 0 ? GR_EXIT_FAILED : GR_EXIT_HOST;
}

static void say_installed(const struct setup *setup, const struct gr_installed *done)
{
    const char *to = setup->to;
    const char *would = setup->dry_run ? "would be " : "";

    if (!done->copied)
        (void)printf("%s/%s is there already, and is what its name says\n", to, done->digest);
    else
        (void)printf("%s/%s %s%s: %zu %s, %" PRIu64 " bytes\n", to, done->digest, would,
                     done->damaged ? "replaced, since it was damaged" : "installed", done->files,
                     done->files == 1 ? "file" : "files", done->bytes);
    if (!done->switched)
        (void)printf("%s/current names it already\n", to);
    else if (done->before[0])
        (void)printf("%s/current %sswitched from %s\n", to, would, done->before);
    else
        (void)printf("%s/current %sset to it\n", to, would);
}

static int install(const struct setup *setup, const struct gr_fs *fs)
{
    const struct gr_install what = {.fs = fs,
                                    .host_root = setup->host_root,
                                    .from = setup->from,
                                    .to = setup->to,
                                    .dry_run = setup->dry_run};
    struct gr_installed done;
    struct gr_err err = {0};
    int rc = gr_install(&what, &done, &err);

    if (rc == 0)
        say_installed(setup, &done);
    return finish(rc, &err);
}

static int copy_self(const struct setup *setup, const struct gr_fs *fs)
{
    const struct gr_self self = {
        .fs = fs, .host_root = setup->host_root, .to = setup->to, .dry_run = setup->dry_run};
    struct gr_err err = {0};
    uint64_t bytes = 0;
    int rc = gr_self_copy(&self, &bytes, &err);

    if (rc == 0 && setup->dry_run)
        (void)printf("%s/" GR_SELF_NAME " would be written\n", setup->to);
    else if (rc == 0)
        (void)printf("%s/" GR_SELF_NAME " written: %" PRIu64 " bytes\n", setup->to, bytes);
    return finish(rc, &err);
}

int gr_verb_setup(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "setup", .help = help, .letters = "h", .options = gr_options_setup, .take = take};
    struct setup setup = {.host_root = "/"};
    int r = gr_parse_options(&line, argc, argv, &setup);
    const char *what;
    struct gr_fs fs;

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    what = optind < argc ? argv[optind] : "";
    if (strcmp(what, "install") != 0 && strcmp(what, "self") != 0)
        return gr_usage("setup", "install or self", what);
    if (optind + 1 < argc)
        return gr_usage("setup", "one of install and self", argv[optind + 1]);
    if (!setup.to)
        return gr_usage("setup", "--to, where it goes", "");
    (void)umask(022); /* modes are what is asked for */
    gr_fs_posix(&fs);
    if (strcmp(what, "self") == 0)
        return setup.from ? gr_usage("setup", "no --from for self", setup.from)
                          : copy_self(&setup, &fs);
    return setup.from ? install(&setup, &fs)
                      : gr_usage("setup", "--from, the directory of program files", "");
}
