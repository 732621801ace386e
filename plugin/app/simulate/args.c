/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "app/simulate/simulate.h"

#include "app/cli/shared/document.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel simulate [OPTION]... [POD.yaml]...\n"
    "\n"
    "Plays a container runtime: launches the plugin exactly as containerd and CRI-O do, asks it\n"
    "about every container of the given Kubernetes pods, and shows the hooks that each one gets.\n"
    "Needs no runtime, no cluster and no rights. A file may hold several pods; - is stdin.\n"
    "\n"
    "  --hooks-dir DIR     the rules (default: where the plugin looks by itself); repeatable,\n"
    "                      later ones mask earlier ones\n"
    "  --oci-hooks-dir DIR oci-hooks(5) files to read as well; repeatable\n"
    "  --policy FILE       guard rails (kind Policy), handed over behind the settings\n"
    "  --config FILE       the drop-in file (kind Config) that the runtime hands to the plugin;\n"
    "                      instead of the other options that say what the plugin does\n"
    "  --host-root DIR     where the host's / is seen (default /)\n"
    "  --programs-dir DIR  the store of hook programs on the host, or none (default\n"
    "                      " GR_PROGRAMS_DEFAULT ")\n"
    "  --node-name NAME    this node's name, for spec.nodes (default: the host's name)\n"
    "  --plugin PATH       another plugin, named as in a plugin directory: NN-name\n"
    "                      (default: this program, as " GR_SIM_PLUGIN_INDEX "-" GR_SIM_PLUGIN_NAME
    ",\n"
    "                      kept apart from the node's own)\n"
    "  --run-hooks         also run the hooks, as runc would, and show their output. They run as\n"
    "                      you, for real; only the container is left out\n"
    "  --runtime PROGRAM   run them in a real container instead, with runc, crun or a path; also\n"
    "                      containers that are only adjusted. Where no container can be made they\n"
    "                      are run as with --run-hooks\n"
    "  -o text|json        how it is printed (default text)\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 every container would be created (and its hooks succeeded), 1 one would not,\n"
    "or the plugin failed, 2 usage, 4 a file or program cannot be used.\n"
    "\n"
    "Examples:\n"
    "  grapnel simulate pod.yaml\n"
    "  grapnel simulate --hooks-dir ./hooks.d -o json pod.yaml\n"
    "  kubectl get pod web -o yaml | grapnel simulate --run-hooks -\n"
    "  grapnel simulate --runtime runc --hooks-dir /etc/grapnel/hooks.d pod.yaml\n";

enum { OPT_PLUGIN = GR_OPT_OWN, OPT_RUNTIME, OPT_RUN_HOOKS };

const struct option gr_options_simulate[] = {
    {"plugin", required_argument, NULL, OPT_PLUGIN},
    {"runtime", required_argument, NULL, OPT_RUNTIME},
    {"run-hooks", no_argument, NULL, OPT_RUN_HOOKS},
    {"output", required_argument, NULL, 'o'},
    GR_COMMON_OPTIONS,
    {0},
};

static bool is_plugin_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    return strspn(name, "0123456789") == 2 && name[2] == '-' && name[3] != '\0';
}

static int take(void *user, int option, const char *value)
{
    struct gr_sim_options *o = user;

    switch (option) {
    case OPT_PLUGIN:
        if (!is_plugin_name(value))
            return gr_usage("simulate", "--plugin with a file name such as 10-grapnel", value);
        o->plugin = value;
        return GR_EXIT_OK;
    case OPT_RUNTIME:
        if (value[0] == '\0')
            return gr_usage("simulate", "--runtime runc, crun or a path", value);
        o->runtime = value;
        return GR_EXIT_OK;
    case OPT_RUN_HOOKS:
        o->run_hooks = true;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("simulate", value, &o->output);
    default:
        return gr_common_option(&o->common, option, value);
    }
}

static bool sets_anything(const struct gr_config *config)
{
    for (size_t i = 0; i < GR_SETTING_COUNT; i++) {
        if (config->origins[i].has)
            return true;
    }
    return false;
}

int gr_sim_parse(int argc, char **argv, struct gr_sim_options *out_options)
{
    struct gr_sim_options *o = out_options;
    static const struct gr_command_line line = {.verb = "simulate",
                                                .help = help,
                                                .letters = "ho:",
                                                .options = gr_options_simulate,
                                                .take = take};
    int r;

    o->common.verb = line.verb;
    r = gr_parse_options(&line, argc, argv, o);
    if (r != GR_EXIT_OK)
        return r;
    gr_common_seal(&o->common);
    if (o->common.flags.config_path && sets_anything(&o->common.flags.config))
        return gr_usage("simulate",
                        "--config without --hooks-dir, --oci-hooks-dir, --host-root, "
                        "--programs-dir and --node-name",
                        o->common.flags.config_path);
    if (argc - optind > GR_SIM_FILES_MAX)
        return gr_usage("simulate", "at most 256 files", argv[optind + GR_SIM_FILES_MAX]);
    while (optind < argc)
        o->pods[o->pods_n++] = argv[optind++];
    o->run_hooks |= o->runtime != NULL;
    return GR_EXIT_OK;
}
