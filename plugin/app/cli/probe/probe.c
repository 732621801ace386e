/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/probe/probe: for a kubelet that asks whether the plugin lives and is ready.
 *
 * Layer: app.
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/shared/common.h"
#include "app/cli/shared/control_client.h"
#include "app/cli/verbs.h"
#include "app/cli/probe/wait_run.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel probe live|ready [OPTION]... [-- COMMAND...]\n"
    "\n"
    "For exec probes. live: the plugin's loop answers within 2 seconds. ready: it is registered\n"
    "with the runtime and synchronized, and its settings and rules are without an error. Nothing\n"
    "is printed when it is so, else one line that says why.\n"
    "\n" GR_CONTROL_HELP
    "  --wait              of ready: ask every second until it is so. Then a COMMAND is run\n"
    "                      until it succeeds once, after 1 to 60 seconds again where it does\n"
    "                      not, and grapnel stays until it is told to end (SIGTERM)\n"
    "  --accept TEXT       a COMMAND that fails and says this on stderr counts as one that\n"
    "                      succeeded; what it says is then not shown\n"
    "  --again SECONDS     asks and runs the COMMAND again so long after it succeeded, 1 to\n"
    "                      86400\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 it is so, 1 it is not, 2 usage, 4 the plugin does not run or cannot be asked.\n"
    "\n"
    "Examples, of containers in a DaemonSet:\n"
    "  readinessProbe: {exec: {command: [grapnel, probe, ready]}, timeoutSeconds: 5}\n"
    "  grapnel probe ready --wait --accept 'not found' -- kubectl taint node n1 a/b-\n";

#define AGAIN_MAX_S 86400

enum { OPT_WAIT = 1, OPT_ACCEPT, OPT_AGAIN };

const struct option gr_options_probe[] = {
    GR_CONTROL_OPTIONS,
    {"wait", no_argument, NULL, OPT_WAIT},
    {"accept", required_argument, NULL, OPT_ACCEPT},
    {"again", required_argument, NULL, OPT_AGAIN},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct probe {
    struct gr_control_target target;
    bool ready; /* else live */
    bool wait;
    const char *accept;
    uint64_t again_s;
    char why[GR_ERR_TEXT_BYTES]; /* it is not so */
};

static int take(void *user, int option, const char *value)
{
    struct probe *p = user;

    switch (option) {
    case OPT_WAIT:
        p->wait = true;
        return GR_EXIT_OK;
    case OPT_ACCEPT:
        p->accept = value;
        return *value ? GR_EXIT_OK : gr_usage("probe", "--accept with a text", value);
    case OPT_AGAIN:
        if (gr_str_to_u64(gr_str_from(value), &p->again_s) == 0 && p->again_s > 0 &&
            p->again_s <= AGAIN_MAX_S)
            return GR_EXIT_OK;
        return gr_usage("probe", "--again with 1 to 86400 seconds", value);
    default:
        return gr_control_option("probe", &p->target, option, value);
    }
}

static int is_not(struct probe *p, int code, const char *text)
{
    (void)snprintf(p->why, sizeof(p->why), "%s", text);
    return code;
}

/* Somebody who answers anything lives. */
static int judge_live(struct probe *p, int r, const struct gr_err *err)
{
    if (r == 0 || r == GR_CONTROL_REFUSED)
        return GR_EXIT_OK;
    return is_not(p, r == -ETIMEDOUT || r == -EPROTO ? GR_EXIT_FAILED : GR_EXIT_HOST, err->text);
}

static int judge_ready(struct probe *p, int r, const json_t *reply, const struct gr_err *err)
{
    const char *missing = json_string_value(json_object_get(reply, "notReady"));

    if (r == -ETIMEDOUT || r == -EPROTO)
        return is_not(p, GR_EXIT_FAILED, err->text);
    if (r)
        return is_not(p, GR_EXIT_HOST, err->text);
    if (json_is_true(json_object_get(reply, "ready")))
        return GR_EXIT_OK;
    return is_not(p, GR_EXIT_FAILED, missing ? missing : "not ready");
}

static int ask(struct probe *p)
{
    json_t *request = json_pack("{s:s}", "command", p->ready ? "probe" : "ping");
    json_t *reply = NULL;
    struct gr_err err = {0};
    int r = gr_control_ask_target(&p->target, request, &reply, &err);

    r = p->ready ? judge_ready(p, r, reply, &err) : judge_live(p, r, &err);
    json_decref(request);
    json_decref(reply);
    return r;
}

static bool is_so(void *user, const char **out_why)
{
    struct probe *p = user;

    *out_why = p->why;
    return ask(p) == GR_EXIT_OK;
}

static int once(struct probe *p)
{
    int r = ask(p);

    if (r != GR_EXIT_OK)
        (void)fprintf(stderr, "grapnel probe: %s\n", p->why);
    return r;
}

/* With --wait. */
static int wait_and_run(struct probe *p, char *const command[])
{
    const struct gr_wait_run job = {
        .verb = "probe",
        .ask = is_so,
        .user = p,
        .command = command,
        .accept = p->accept,
        .again_s = (unsigned)p->again_s,
    };

    if (!command[0] && (p->accept || p->again_s > 0))
        return gr_usage("probe", "a command after --accept and --again", NULL);
    return gr_wait_run(&job);
}

int gr_verb_probe(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "probe", .help = help, .letters = "h", .options = gr_options_probe, .take = take};
    struct probe p = {0};
    int r = gr_parse_options(&line, argc, argv, &p);
    const char *what;

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    what = optind < argc ? argv[optind] : NULL;
    p.ready = what && strcmp(what, "ready") == 0;
    if (!p.ready && !(what && strcmp(what, "live") == 0))
        return gr_usage("probe", "live or ready", what);
    if (p.wait && !p.ready)
        return gr_usage("probe", "ready before --wait", what);
    if (p.wait)
        return wait_and_run(&p, argv + optind + 1);
    if (p.accept || p.again_s > 0)
        return gr_usage("probe", "--wait beside --accept and --again", NULL);
    if (optind + 1 < argc)
        return gr_usage("probe", "one of live and ready, or --wait before a command",
                        argv[optind + 1]);
    return once(&p);
}
