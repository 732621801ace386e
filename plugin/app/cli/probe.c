/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/probe: for a kubelet that asks whether the plugin lives and is ready.
 *
 * Layer: app.
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/common.h"
#include "app/cli/control_client.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel probe live|ready [OPTION]...\n"
    "\n"
    "For exec probes. live: the plugin's loop answers within 2 seconds. ready: it is registered\n"
    "with the runtime and synchronized, and its settings and rules are without an error. Nothing\n"
    "is printed when it is so, else one line that says why.\n"
    "\n" GR_CONTROL_HELP "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 it is so, 1 it is not, 2 usage, 4 the plugin does not run or cannot be asked.\n"
    "\n"
    "Example, of a container in a DaemonSet:\n"
    "  readinessProbe: {exec: {command: [grapnel, probe, ready]}, timeoutSeconds: 5}\n";

const struct option gr_options_probe[] = {
    GR_CONTROL_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take(void *user, int option, const char *value)
{
    return gr_control_option("probe", user, option, value);
}

static int say(int code, const char *text)
{
    (void)fprintf(stderr, "grapnel probe: %s\n", text);
    return code;
}

/* Somebody who answers anything lives. */
static int judge_live(int r, const struct gr_err *err)
{
    if (r == 0 || r == GR_CONTROL_REFUSED)
        return GR_EXIT_OK;
    return say(r == -ETIMEDOUT || r == -EPROTO ? GR_EXIT_FAILED : GR_EXIT_HOST, err->text);
}

static int judge_ready(int r, const json_t *reply, const struct gr_err *err)
{
    const char *missing = json_string_value(json_object_get(reply, "notReady"));

    if (r == -ETIMEDOUT || r == -EPROTO)
        return say(GR_EXIT_FAILED, err->text);
    if (r)
        return say(GR_EXIT_HOST, err->text);
    if (json_is_true(json_object_get(reply, "ready")))
        return GR_EXIT_OK;
    return say(GR_EXIT_FAILED, missing ? missing : "not ready");
}

static int probe(const struct gr_control_target *target, bool ready)
{
    const char *path = gr_control_target_path(target);
    json_t *request = json_pack("{s:s}", "command", ready ? "probe" : "ping");
    json_t *reply = NULL;
    struct gr_err err = {0};
    int r;

    if (!path) {
        json_decref(request);
        return say(GR_EXIT_HOST, "the settings say controlSocket: none; nothing can be asked");
    }
    r = gr_control_ask(path, GR_CONTROL_TIMEOUT_DEFAULT_MS, request, &reply, &err);
    r = ready ? judge_ready(r, reply, &err) : judge_live(r, &err);
    json_decref(request);
    json_decref(reply);
    return r;
}

int gr_verb_probe(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "probe", .help = help, .letters = "h", .options = gr_options_probe, .take = take};
    struct gr_control_target target = {0};
    int r = gr_parse_options(&line, argc, argv, &target);
    const char *what;

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    what = optind < argc ? argv[optind] : "";
    if (strcmp(what, "live") != 0 && strcmp(what, "ready") != 0)
        return gr_usage("probe", "live or ready", what);
    if (optind + 1 < argc)
        return gr_usage("probe", "one of live and ready", argv[optind + 1]);
    return probe(&target, strcmp(what, "ready") == 0);
}
