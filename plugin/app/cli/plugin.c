/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "app/cli/shared/common.h"
#include "app/cli/verbs.h"
#include "app/daemon/nri_socket.h"
#include "app/daemon/plugin.h"
#include "app/exit.h"
#include "load/address.h"
#include "load/owner.h"
#include "rules/program.h"

#define NAME_DEFAULT "grapnel"
#define INDEX_DEFAULT "10"
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-"

static const char help[] =
    "Usage: grapnel plugin [OPTION]...\n"
    "\n"
    "Runs the NRI plugin: registers with containerd or CRI-O and adds OCI hooks to containers.\n"
    "A runtime that launches it from its plugin directory passes the connection and no options.\n"
    "\n"
    "  --socket PATH       the runtime's NRI socket (default " GR_NRI_SOCKET_DEFAULT ")\n"
    "  --index NN          two digits: the place among the node's plugins (default " INDEX_DEFAULT
    ")\n"
    "  --name NAME         the name to register (default " NAME_DEFAULT ")\n" GR_COMMON_HELP
    "  --last-good DIR     where the last good text of each rule file and of the settings is\n"
    "                      kept, or none\n"
    "                      (default " GR_CONFIG_LAST_GOOD_DEFAULT ")\n"
    "  --run-dir DIR       what is kept until the node starts anew, or none (default\n"
    "                      " GR_CONFIG_RUN_DIR_DEFAULT ")\n"
    "  --control PATH      the socket of grapnel status, pause and probe, or none (default\n"
    "                      " GR_CONFIG_CONTROL_DEFAULT ")\n"
    "  --metrics ADDRESS   where /metrics, /healthz and /readyz are served: 127.0.0.1:PORT,\n"
    "                      [::1]:PORT, :PORT, unix:/PATH, or none (default)\n"
    "  --retire-owner OWNER\n"
    "                      once it has been ready and alone on the node for a while, take "
    "packages\n"
    "                      out of force that OWNER installed (grapnel setup install --owner)\n"
    "  --retire-keep NAME  but not this one, which OWNER still installs. Repeatable\n"
    "  --retire-after SECONDS\n"
    "                      the while, 1 to 86400 (default 600)\n"
    "  --log-level LEVEL   error, warning, info (default) or debug\n"
    "  --log-format FORMAT logfmt (default) or json\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 told to stop, 1 it could not go on, 2 usage, 4 the connection that the runtime\n"
    "passed cannot be used.\n"
    "\n"
    "SIGHUP reads settings and rules again, SIGUSR1 logs how the plugin is. Logs go to stderr, or\n"
    "to syslog where that is /dev/null.\n"
    "\n"
    "Example:\n"
    "  grapnel plugin --socket /run/nri/nri.sock --index 10 --hooks-dir /etc/grapnel/hooks.d\n";

struct arguments {
    struct gr_common common;
    struct gr_plugin_options options;
};

enum {
    OPT_SOCKET = GR_OPT_OWN,
    OPT_INDEX,
    OPT_NAME,
    OPT_LAST_GOOD,
    OPT_RUN_DIR,
    OPT_CONTROL,
    OPT_METRICS,
    OPT_RETIRE_OWNER,
    OPT_RETIRE_KEEP,
    OPT_RETIRE_AFTER,
    OPT_LEVEL,
    OPT_FORMAT
};

const struct option gr_options_plugin[] = {
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"index", required_argument, NULL, OPT_INDEX},
    {"name", required_argument, NULL, OPT_NAME},
    {"last-good", required_argument, NULL, OPT_LAST_GOOD},
    {"run-dir", required_argument, NULL, OPT_RUN_DIR},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"metrics", required_argument, NULL, OPT_METRICS},
    {"retire-owner", required_argument, NULL, OPT_RETIRE_OWNER},
    {"retire-keep", required_argument, NULL, OPT_RETIRE_KEEP},
    {"retire-after", required_argument, NULL, OPT_RETIRE_AFTER},
    {"log-level", required_argument, NULL, OPT_LEVEL},
    {"log-format", required_argument, NULL, OPT_FORMAT},
    GR_COMMON_OPTIONS,
    {0},
};

static int usage(const char *expected, const char *found)
{
    return gr_usage("plugin", expected, found);
}

static struct gr_setting_origin by_flag(void)
{
    return (struct gr_setting_origin){.has = true, .source = GR_CONFIG_FLAG};
}

/* An absolute path, or none: then the empty text. */
static int parse_path(struct arguments *a, enum gr_setting setting, const char *value,
                      const char *expected, const char **out_path)
{
    bool none = strcmp(value, "none") == 0;

    if (!none && value[0] != '/')
        return usage(expected, value);
    *out_path = none ? "" : value;
    a->common.flags.config.origins[setting] = by_flag();
    return GR_EXIT_OK;
}

static int parse_control(struct arguments *a, const char *value)
{
    const char *expected = "--control with an absolute path of at most 107 bytes, or none";

    if (strlen(value) > GR_CONFIG_SOCKET_MAX_BYTES)
        return usage(expected, value);
    return parse_path(a, GR_SETTING_CONTROL_SOCKET, value, expected,
                      &a->common.flags.config.control_socket);
}

static int parse_metrics(struct gr_config *config, const char *value)
{
    bool none = strcmp(value, "none") == 0;
    struct gr_address address;

    if (!none && !gr_address_parse(gr_str_from(value), &address))
        return usage("--metrics " GR_ADDRESS_EXPECTED, value);
    config->metrics_address = none ? "" : value;
    config->origins[GR_SETTING_METRICS_ADDRESS] = by_flag();
    return GR_EXIT_OK;
}

static int parse_level(struct gr_config *config, const char *value)
{
    if (!gr_log_level_parse(gr_str_from(value), &config->log_level))
        return usage("--log-level error, warning, info or debug", value);
    config->origins[GR_SETTING_LOG_LEVEL] = by_flag();
    return GR_EXIT_OK;
}

static int parse_format(struct gr_config *config, const char *value)
{
    if (!gr_log_format_parse(gr_str_from(value), &config->log_format))
        return usage("--log-format logfmt or json", value);
    config->origins[GR_SETTING_LOG_FORMAT] = by_flag();
    return GR_EXIT_OK;
}

static int parse_retire_owner(struct gr_retirer_options *retire, const char *value)
{
    if (!gr_is_owner(gr_str_from(value)))
        return usage("--retire-owner of " GR_OWNER_EXPECTED, value);
    retire->owner = value;
    return GR_EXIT_OK;
}

static int parse_retire_keep(struct gr_retirer_options *retire, const char *value)
{
    if (!gr_is_program_package(gr_str_from(value)))
        return usage("--retire-keep with the name of a package", value);
    if (retire->keep_n == GR_ARRAY_LEN(retire->keep))
        return usage("--retire-keep at most 64 times", value);
    retire->keep[retire->keep_n++] = value;
    return GR_EXIT_OK;
}

static int parse_retire_after(struct gr_retirer_options *retire, const char *value)
{
    if (gr_str_to_u64(gr_str_from(value), &retire->after_s) != 0 || retire->after_s == 0 ||
        retire->after_s > GR_RETIRE_AFTER_MAX_S)
        return usage("--retire-after of 1 to 86400 seconds", value);
    return GR_EXIT_OK;
}

static bool is_index(const char *text)
{
    return strlen(text) == 2 && strspn(text, "0123456789") == 2;
}

/* What runtimes since NRI 0.12 accept. */
static bool is_name(const char *text)
{
    return text[0] != '\0' && text[strspn(text, NAME_CHARACTERS)] == '\0';
}

static int take(void *user, int option, const char *value)
{
    struct arguments *a = user;

    switch (option) {
    case OPT_SOCKET:
        a->options.link.socket = value;
        return GR_EXIT_OK;
    case OPT_INDEX:
        if (!is_index(value))
            return usage("--index of two digits", value);
        a->options.link.index = value;
        return GR_EXIT_OK;
    case OPT_NAME:
        if (!is_name(value))
            return usage("--name of letters, digits and _.+-", value);
        a->options.link.name = value;
        return GR_EXIT_OK;
    case OPT_LAST_GOOD:
        return parse_path(a, GR_SETTING_LAST_GOOD_DIR, value,
                          "--last-good with an absolute path, or none",
                          &a->common.flags.config.last_good_dir);
    case OPT_RUN_DIR:
        return parse_path(a, GR_SETTING_RUN_DIR, value, "--run-dir with an absolute path, or none",
                          &a->common.flags.config.run_dir);
    case OPT_CONTROL:
        return parse_control(a, value);
    case OPT_METRICS:
        return parse_metrics(&a->common.flags.config, value);
    case OPT_RETIRE_OWNER:
        return parse_retire_owner(&a->options.retire, value);
    case OPT_RETIRE_KEEP:
        return parse_retire_keep(&a->options.retire, value);
    case OPT_RETIRE_AFTER:
        return parse_retire_after(&a->options.retire, value);
    case OPT_LEVEL:
        return parse_level(&a->common.flags.config, value);
    case OPT_FORMAT:
        return parse_format(&a->common.flags.config, value);
    default:
        return gr_common_option(&a->common, option, value);
    }
}

static int parse(struct arguments *a, int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "plugin", .help = help, .letters = "h", .options = gr_options_plugin, .take = take};
    int r = gr_parse_options(&line, argc, argv, a);

    if (r != GR_EXIT_OK)
        return r;
    if (optind < argc)
        return usage("options only", argv[optind]);
    if (!a->options.retire.owner && a->options.retire.keep_n > 0)
        return usage("--retire-owner with --retire-keep", a->options.retire.keep[0]);
    gr_common_seal(&a->common);
    a->options.flags = a->common.flags;
    return GR_EXIT_OK;
}

/* A runtime that launches us passes the connection, and tells place and name, which it has of the
 * file's: it takes no others, and status is to tell these. */
static int adopt(struct arguments *a, const struct gr_log *log)
{
    const char *passed = getenv("NRI_PLUGIN_SOCKET");
    const char *index = getenv("NRI_PLUGIN_IDX");
    const char *name = getenv("NRI_PLUGIN_NAME");
    int fd;

    if (!passed)
        return GR_EXIT_OK;
    if (index && name && is_index(index) && is_name(name)) {
        a->options.link.index = index;
        a->options.link.name = name;
    }
    fd = gr_nri_socket_adopt(gr_str_from(passed));
    if (fd < 0) {
        GR_LOG(log, GR_LEVEL_ERROR, "NRI_PLUGIN_SOCKET names no socket of ours",
               GR_LOG_TEXT("value", passed), GR_LOG_TEXT("error", strerror(-fd)));
        return GR_EXIT_HOST;
    }
    a->options.link.launched_fd = fd;
    return GR_EXIT_OK;
}

int gr_verb_plugin(int argc, char **argv)
{
    struct arguments a = {.common = {.verb = "plugin"},
                          .options.link = {.socket = GR_NRI_SOCKET_DEFAULT,
                                           .launched_fd = -1,
                                           .name = NAME_DEFAULT,
                                           .index = INDEX_DEFAULT},
                          .options.retire.after_s = GR_RETIRE_AFTER_S};
    struct gr_log log;
    int r;

    gr_log_init(&log, "grapnel");
    r = parse(&a, argc, argv);
    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    r = adopt(&a, &log);
    return r != GR_EXIT_OK ? r : gr_plugin_run(&a.options, &log);
}
