/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/pause: takes sets out of force on this node, and puts them back.
 *
 * Layer: app. Asks the plugin process; spec: specs/pausing.md.
 */
#include <stdio.h>

#include "app/cli/shared/common.h"
#include "app/cli/shared/control_client.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "app/json.h"
#include "rules/read/strict.h"
#include "state/pauses.h"

static const char pause_help[] =
    "Usage: grapnel pause SET|--all [OPTION]...\n"
    "\n"
    "Takes a HookSet out of force on this node, from the next container on: it is evaluated and\n"
    "logged, and injects, adjusts and refuses nothing. Running containers stay as they are. It\n"
    "lasts until grapnel resume, until its time is over, or until the node starts anew.\n"
    "\n"
    "  --all               all sets, but those that a policy protects\n"
    "  --for TIME          90s, 30m, 2h, 1d: at most 7 days (default: until it is resumed)\n"
    "  --reason TEXT       stands in the log and in status, at most 256 bytes\n" GR_CONTROL_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 paused, 1 refused (no such set, a policy protects it), 2 usage, 4 the plugin\n"
    "cannot be reached.\n"
    "\n"
    "Example:\n"
    "  grapnel pause tap-network --for 30m --reason \"new network cards\"\n";

static const char resume_help[] =
    "Usage: grapnel resume SET|--all [OPTION]...\n"
    "\n"
    "Puts a HookSet that is paused, or that its breaker has tripped, in force again, from the "
    "next\n"
    "container on.\n"
    "\n"
    "  --all               everything that is paused or tripped\n" GR_CONTROL_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 in force, 1 refused (no such set), 2 usage, 4 the plugin cannot be reached.\n"
    "\n"
    "Example:\n"
    "  grapnel resume tap-network\n";

enum { OPT_ALL = GR_OPT_OWN, OPT_FOR, OPT_REASON };

const struct option gr_options_pause[] = {
    {"all", no_argument, NULL, OPT_ALL},
    {"for", required_argument, NULL, OPT_FOR},
    {"reason", required_argument, NULL, OPT_REASON},
    GR_CONTROL_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {0},
};

const struct option gr_options_resume[] = {
    {"all", no_argument, NULL, OPT_ALL},
    GR_CONTROL_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct arguments {
    const char *verb;
    struct gr_control_target target;
    bool all;
    uint32_t for_s; /* 0: not given */
    const char *reason;
    const char *set; /* NULL: all */
};

/* A whole number and its unit, 1 s to GR_PAUSE_MAX_S. */
static bool parse_time(struct gr_str text, uint32_t *out_s)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t number;

    if (text.n < 2 || gr_str_to_u64(gr_str_first(text, text.n - 1), &number) != 0)
        return false;
    for (size_t i = 0; i < GR_ARRAY_LEN(units); i++) {
        if (text.p[text.n - 1] != units[i].unit)
            continue;
        *out_s = (uint32_t)(GR_MIN(number, (uint64_t)GR_PAUSE_MAX_S + 1) * units[i].seconds);
        return number > 0 && number <= GR_PAUSE_MAX_S / units[i].seconds;
    }
    return false;
}

static int take(void *user, int option, const char *value)
{
    struct arguments *a = user;

    switch (option) {
    case OPT_ALL:
        a->all = true;
        return GR_EXIT_OK;
    case OPT_FOR:
        if (!parse_time(gr_str_from(value), &a->for_s))
            return gr_usage(a->verb, "--for with a time such as 90s, 30m, 2h or 1d, at most 7d",
                            value);
        return GR_EXIT_OK;
    case OPT_REASON:
        if (strlen(value) > GR_PAUSE_REASON_MAX_BYTES)
            return gr_usage(a->verb, "--reason of at most 256 bytes", value);
        a->reason = value;
        return GR_EXIT_OK;
    default:
        return gr_control_option(a->verb, &a->target, option, value);
    }
}

static int parse(struct arguments *a, const char *help, const struct option *options, int argc,
                 char **argv)
{
    const struct gr_command_line line = {
        .verb = a->verb, .help = help, .letters = "h", .options = options, .take = take};
    int r = gr_parse_options(&line, argc, argv, a);

    if (r != GR_EXIT_OK)
        return r;
    if (a->all && optind < argc)
        return gr_usage(a->verb, "a HookSet or --all, not both", argv[optind]);
    if (!a->all && optind == argc)
        return gr_usage(a->verb, "the name of a HookSet, or --all", NULL);
    if (optind + 1 < argc)
        return gr_usage(a->verb, "one HookSet", argv[optind + 1]);
    if (!a->all && !gr_is_dns_subdomain(gr_str_from(argv[optind])))
        return gr_usage(a->verb, "the name of a HookSet (lower-case letters, digits, - and .)",
                        argv[optind]);
    a->set = a->all ? NULL : argv[optind];
    return GR_EXIT_OK;
}

static int ask(const struct arguments *a, json_t **out_reply)
{
    json_t *request = json_pack("{s:s}", "command", a->verb);

    if (a->set)
        gr_json_set_str(request, "set", gr_str_from(a->set));
    else
        (void)json_object_set_new(request, "all", json_true());
    if (a->for_s > 0)
        (void)json_object_set_new(request, "forSeconds", json_integer(a->for_s));
    if (a->reason)
        gr_json_set_str(request, "reason", gr_str_from(a->reason));
    return gr_control_call(a->verb, &a->target, request, out_reply);
}

/* ---- what is said ---- */

static void say_problem(const char *verb, const json_t *reply)
{
    const char *problem = json_string_value(json_object_get(reply, "problem"));

    if (problem)
        (void)fprintf(stderr, "grapnel %s: warning: %s\n", verb, problem);
}

static void say_protected(const json_t *reply)
{
    json_int_t n = json_integer_value(json_object_get(reply, "protectedCount"));
    const json_t *names = json_object_get(reply, "protected");

    if (n == 0)
        return;
    (void)printf("A policy protects %lld of them, %s in force:", (long long)n,
                 n == 1 ? "which stays" : "which stay");
    for (size_t i = 0; i < json_array_size(names); i++)
        (void)printf("%s %s", i ? "," : "", json_string_value(json_array_get(names, i)));
    (void)printf("%s\n", n > (json_int_t)json_array_size(names) ? ", …" : "");
}

static void say_paused(const struct arguments *a, const json_t *reply)
{
    const char *until = json_string_value(json_object_get(reply, "until"));

    if (!until)
        until = a->set ? "it is resumed" : "they are resumed";
    (void)printf("%s%s %s paused on this node until %s.\n", a->set ? "HookSet " : "All HookSets",
                 a->set ? a->set : "", a->set ? "is" : "are", until);
    (void)printf("From the next container on %s evaluated and logged, and %s nothing.\n",
                 a->set ? "it is" : "they are",
                 a->set ? "injects, adjusts and refuses" : "inject, adjust and refuse");
    say_protected(reply);
    (void)printf("To end it: grapnel resume %s\n", a->set ? a->set : "--all");
}

static void say_resumed(const struct arguments *a, const json_t *reply)
{
    json_int_t n = json_integer_value(json_object_get(reply, "resumed"));
    const char *still = json_string_value(json_object_get(reply, "still"));

    if (!a->set && n == 0)
        (void)puts("Nothing was paused or tripped.");
    else if (!a->set)
        (void)printf("Everything that was paused or tripped is in force again: %lld %s.\n",
                     (long long)n, n == 1 ? "entry" : "entries");
    else if (still)
        (void)printf("HookSet %s is resumed, but still out of force with all others: %s.\n", a->set,
                     still);
    else if (n == 0)
        (void)printf("HookSet %s was neither paused nor tripped.\n", a->set);
    else
        (void)printf("HookSet %s is in force again, from the next container on.\n", a->set);
}

static int run(struct arguments *a, const char *help, const struct option *options, int argc,
               char **argv, void (*say)(const struct arguments *a, const json_t *reply))
{
    json_t *reply = NULL;
    int r = parse(a, help, options, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    r = ask(a, &reply);
    if (r == GR_EXIT_OK) {
        say(a, reply);
        say_problem(a->verb, reply);
    }
    json_decref(reply);
    return r;
}

int gr_verb_pause(int argc, char **argv)
{
    struct arguments a = {.verb = "pause"};

    return run(&a, pause_help, gr_options_pause, argc, argv, say_paused);
}

int gr_verb_resume(int argc, char **argv)
{
    struct arguments a = {.verb = "resume"};

    return run(&a, resume_help, gr_options_resume, argc, argv, say_resumed);
}
