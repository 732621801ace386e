/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "app/cli/verbs.h"
#include "app/daemon/link.h"
#include "app/daemon/plugin.h"
#include "app/exit.h"

#define NAME_DEFAULT "grapnel"
#define INDEX_DEFAULT "10"

static const char help[] =
    "Usage: grapnel plugin [OPTION]...\n"
    "\n"
    "Runs the NRI plugin: registers with containerd or CRI-O and adds OCI hooks to containers.\n"
    "A runtime that launches it from its plugin directory passes the connection and no options.\n"
    "\n"
    "  --socket PATH       the runtime's NRI socket (default " GR_NRI_SOCKET_DEFAULT ")\n"
    "  --index NN          two digits: the place among the node's plugins (default " INDEX_DEFAULT
    ")\n"
    "  --name NAME         the name to register (default " NAME_DEFAULT ")\n"
    "  --hook STAGE=PATH   add this hook to every container\n"
    "  --log-level LEVEL   error, warning, info (default) or debug\n"
    "  --log-format FORMAT logfmt (default) or json\n"
    "  -h, --help          this text\n"
    "\n"
    "Example:\n"
    "  grapnel plugin --socket /run/nri/nri.sock --index 10\n";

struct arguments {
    struct gr_plugin_options options;
    struct gr_oci_hook hook;
    struct gr_str args[1];
    struct gr_str env[1];
};

enum { OPT_SOCKET = 256, OPT_INDEX, OPT_NAME, OPT_HOOK, OPT_LEVEL, OPT_FORMAT };

static const struct option long_options[] = {
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"index", required_argument, NULL, OPT_INDEX},
    {"name", required_argument, NULL, OPT_NAME},
    {"hook", required_argument, NULL, OPT_HOOK},
    {"log-level", required_argument, NULL, OPT_LEVEL},
    {"log-format", required_argument, NULL, OPT_FORMAT},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int usage(const char *expected, const char *found)
{
    (void)fprintf(stderr, "grapnel plugin: expected %s, found \"%s\"; see grapnel plugin --help\n",
                  expected, found);
    return GR_EXIT_USAGE;
}

/* STAGE=/path: with its base name as argv[0] and an environment that is not empty. */
static int parse_hook(struct arguments *a, const char *text)
{
    struct gr_str all = gr_str_from(text);
    size_t at = gr_str_find(all, '=');

    a->hook.path = gr_str_skip(all, at + 1);
    if (!gr_stage_parse(gr_str_first(all, at), &a->hook.stage) || a->hook.path.n == 0 ||
        a->hook.path.p[0] != '/')
        return usage("--hook STAGE=/PATH such as createRuntime=/opt/hooks/setup", text);
    a->args[0] = gr_str_skip(a->hook.path, gr_str_rfind(a->hook.path, '/') + 1);
    a->env[0] = GR_STR("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    a->hook.args = (struct gr_strs){.items = a->args, .n = 1};
    a->hook.env = (struct gr_strs){.items = a->env, .n = 1};
    a->hook.has_timeout = true;
    a->hook.timeout_s = 10;
    a->options.hook = &a->hook;
    return GR_EXIT_OK;
}

static int parse_one(struct arguments *a, struct gr_log *log, int option, const char *value)
{
    switch (option) {
    case OPT_SOCKET:
        a->options.socket = value;
        return GR_EXIT_OK;
    case OPT_INDEX:
        if (strlen(value) != 2 || strspn(value, "0123456789") != 2)
            return usage("--index of two digits", value);
        a->options.index = value;
        return GR_EXIT_OK;
    case OPT_NAME:
        a->options.name = value;
        return GR_EXIT_OK;
    case OPT_HOOK:
        return parse_hook(a, value);
    case OPT_LEVEL:
        return gr_log_level_parse(gr_str_from(value), &log->level)
                   ? GR_EXIT_OK
                   : usage("--log-level error, warning, info or debug", value);
    case OPT_FORMAT:
        return gr_log_format_parse(gr_str_from(value), &log->format)
                   ? GR_EXIT_OK
                   : usage("--log-format logfmt or json", value);
    default:
        return usage("a known option", "that one"); /* getopt_long has named it */
    }
}

int gr_verb_plugin(int argc, char **argv)
{
    struct arguments a = {.options = {.socket = GR_NRI_SOCKET_DEFAULT,
                                      .launched_fd = -1,
                                      .name = NAME_DEFAULT,
                                      .index = INDEX_DEFAULT}};
    const char *passed = getenv("NRI_PLUGIN_SOCKET");
    struct gr_log log;
    int option;

    gr_log_init(&log, "grapnel");
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        int r;

        if (option == 'h') {
            (void)fputs(help, stdout);
            return GR_EXIT_OK;
        }
        r = parse_one(&a, &log, option, optarg);
        if (r != GR_EXIT_OK)
            return r;
    }
    if (optind < argc)
        return usage("options only", argv[optind]);
    if (passed) {
        a.options.launched_fd = gr_link_adopt(gr_str_from(passed));
        if (a.options.launched_fd < 0) {
            GR_LOG(&log, GR_LEVEL_ERROR, "NRI_PLUGIN_SOCKET names no socket of ours",
                   GR_LOG_TEXT("value", passed),
                   GR_LOG_TEXT("error", strerror(-a.options.launched_fd)));
            return GR_EXIT_HOST;
        }
    }
    return gr_plugin_run(&a.options, &log);
}
