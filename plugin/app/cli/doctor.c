/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/doctor: why nothing happens on this node.
 *
 * Layer: app.
 */
#include "app/doctor/doctor.h"

#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel doctor [OPTION]...\n"
    "\n"
    "Looks for what keeps hooks from containers on this node: NRI that is off, a socket where\n"
    "nobody listens, plugins that are there twice, rules that are refused, programs that cannot\n"
    "run. Says of each finding where it is, why it matters and how to mend it. Reads files, /proc\n"
    "and sockets; changes nothing and runs no program of the host.\n"
    "\n"
    "  --runtime NAME      containerd, crio, docker, podman, or auto (default: what runs here)\n"
    "  --runtime-config FILE\n"
    "                      the runtime's configuration (default: as its process was started)\n"
    "  --socket PATH       the runtime's NRI socket (default: the plugin's, " GR_NRI_SOCKET_PATH
    ")\n"
    "  --control PATH      the plugin's control socket (default: the setting controlSocket)\n"
    "  --strict            warnings fail too (exit code 3)\n"
    "  --table             print which runtime contains which NRI, and nothing else\n"
    "  -o text|json|yaml   how it is printed (default text)\n"
    "  -v, --verbose       also what was in order\n" GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 nothing is wrong, 1 something is, 2 usage, 3 warnings under --strict, 4 the\n"
    "host cannot be reached, or nothing was found where only root may look.\n"
    "\n"
    "Examples:\n"
    "  sudo grapnel doctor\n"
    "  grapnel doctor --host-root /host -o json | jq -r '.findings[].code'\n";

struct verb {
    struct gr_common common;
    struct gr_doctor doctor;
    enum gr_output output;
    bool strict, verbose, table;
};

enum {
    OPT_RUNTIME = GR_OPT_OWN,
    OPT_RUNTIME_CONFIG,
    OPT_SOCKET,
    OPT_CONTROL,
    OPT_STRICT,
    OPT_TABLE,
};

const struct option gr_options_doctor[] = {
    {"runtime", required_argument, NULL, OPT_RUNTIME},
    {"runtime-config", required_argument, NULL, OPT_RUNTIME_CONFIG},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"table", no_argument, NULL, OPT_TABLE},
    {"output", required_argument, NULL, 'o'},
    {"verbose", no_argument, NULL, 'v'},
    GR_COMMON_OPTIONS,
    {0},
};

static int take_runtime(struct gr_doctor *d, const char *value)
{
    static const struct {
        const char *name;
        enum gr_runtime_kind kind;
    } known[] = {{"auto", GR_RUNTIME_NONE},
                 {"containerd", GR_RUNTIME_CONTAINERD},
                 {"crio", GR_RUNTIME_CRIO},
                 {"docker", GR_RUNTIME_DOCKER},
                 {"podman", GR_RUNTIME_PODMAN}};

    for (size_t i = 0; i < GR_ARRAY_LEN(known); i++) {
        if (strcmp(value, known[i].name) == 0) {
            d->wanted = known[i].kind;
            return GR_EXIT_OK;
        }
    }
    return gr_usage("doctor", "--runtime auto, containerd, crio, docker or podman", value);
}

static int take_path(const char *option, const char *value, const char **out_path)
{
    char expected[64];

    (void)snprintf(expected, sizeof(expected), "--%s with an absolute path", option);
    if (value[0] != '/')
        return gr_usage("doctor", expected, value);
    *out_path = value;
    return GR_EXIT_OK;
}

static int take(void *user, int option, const char *value)
{
    struct verb *verb = user;
    struct gr_doctor *d = &verb->doctor;

    switch (option) {
    case OPT_RUNTIME:
        return take_runtime(d, value);
    case OPT_RUNTIME_CONFIG:
        return take_path("runtime-config", value, &d->runtime_config);
    case OPT_SOCKET:
        return take_path("socket", value, &d->socket);
    case OPT_CONTROL:
        return take_path("control", value, &d->control);
    case OPT_STRICT:
        verb->strict = true;
        return GR_EXIT_OK;
    case OPT_TABLE:
        verb->table = true;
        return GR_EXIT_OK;
    case 'v':
        verb->verbose = true;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("doctor", value, &verb->output);
    default:
        return gr_common_option(&verb->common, option, value);
    }
}

static int parse(struct verb *verb, int argc, char **argv)
{
    static const struct gr_command_line line = {.verb = "doctor",
                                                .help = help,
                                                .letters = "ho:v",
                                                .options = gr_options_doctor,
                                                .take = take};
    int r = gr_parse_options(&line, argc, argv, verb);

    if (r == GR_EXIT_OK && optind < argc)
        r = gr_usage("doctor", "options only", argv[optind]);
    gr_common_seal(&verb->common);
    return r;
}

static bool not_permitted(const struct gr_doctor *d)
{
    for (const struct gr_doctor_finding *f = d->first; f; f = f->next) {
        if (strcmp(f->code, "not-permitted") == 0)
            return true;
    }
    return false;
}

static int finish(const struct verb *verb)
{
    const struct gr_doctor *d = &verb->doctor;
    int r = GR_EXIT_OK;

    if (verb->output == GR_OUTPUT_TEXT)
        gr_doctor_print_text(d, verb->verbose);
    else
        r = gr_document_print("doctor", gr_doctor_json(d), verb->output);
    if (r != GR_EXIT_OK || d->errors > 0)
        return GR_EXIT_FAILED;
    if (not_permitted(d))
        return GR_EXIT_HOST;
    return verb->strict && d->warnings > 0 ? GR_EXIT_WARNINGS : GR_EXIT_OK;
}

int gr_verb_doctor(int argc, char **argv)
{
    struct verb verb = {.common = {.verb = "doctor"}};
    int r = parse(&verb, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    if (verb.table) {
        gr_compat_print();
        return GR_EXIT_OK;
    }
    verb.doctor.common = &verb.common;
    r = gr_doctor_run(&verb.doctor);
    if (r == GR_EXIT_OK)
        r = finish(&verb);
    gr_doctor_fini(&verb.doctor);
    return r;
}
