/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/render: the hooks that a container would get, as OCI JSON.
 *
 * Layer: app.
 */
#include <stdio.h>

#include "app/cli/common.h"
#include "app/cli/hooks_json.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "rules/decide.h"

/* Annotations and labels on one command line; no evidence for the figure. */
#define PAIRS_MAX 256

static const char help[] =
    "Usage: grapnel render [OPTION]...\n"
    "\n"
    "Prints the hooks that a container would get, as the \"hooks\" object of an OCI config.json.\n"
    "What is not given is unknown, except annotations and labels, which are then empty.\n"
    "\n"
    "  --image REF         the image's name, as in the pod\n"
    "  --namespace NS      the pod's namespace\n"
    "  --pod NAME          the pod's name\n"
    "  --container NAME    the container's name\n"
    "  --annotation KEY=VALUE\n"
    "                      an annotation of the pod; repeatable\n"
    "  --label KEY=VALUE   a label of the pod; repeatable\n"
    "  --runtime-handler H the pod's runtime handler (default: the default one)\n"
    "  --runtime NAME      containerd (default) or cri-o\n"
    "  --command C         the first argument of the container's process\n" GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 printed, 1 the container would be refused or rules are broken, 2 usage.\n"
    "\n"
    "Example:\n"
    "  grapnel render --image nginx:1.27 --namespace web --annotation team=infra\n";

struct pairs {
    struct gr_kv items[PAIRS_MAX];
    size_t n;
};

struct render {
    struct gr_common common;
    struct gr_subject subject;
    struct pairs annotations, labels;
    struct gr_str command;
};

enum {
    OPT_IMAGE = GR_OPT_OWN,
    OPT_NAMESPACE,
    OPT_POD,
    OPT_CONTAINER,
    OPT_ANNOTATION,
    OPT_LABEL,
    OPT_HANDLER,
    OPT_RUNTIME,
    OPT_COMMAND,
};

static const struct option long_options[] = {
    {"image", required_argument, NULL, OPT_IMAGE},
    {"namespace", required_argument, NULL, OPT_NAMESPACE},
    {"pod", required_argument, NULL, OPT_POD},
    {"container", required_argument, NULL, OPT_CONTAINER},
    {"annotation", required_argument, NULL, OPT_ANNOTATION},
    {"label", required_argument, NULL, OPT_LABEL},
    {"runtime-handler", required_argument, NULL, OPT_HANDLER},
    {"runtime", required_argument, NULL, OPT_RUNTIME},
    {"command", required_argument, NULL, OPT_COMMAND},
    GR_COMMON_OPTIONS,
    {0},
};

static int add_pair(struct pairs *pairs, const char *text)
{
    struct gr_str all = gr_str_from(text);
    size_t at = gr_str_find(all, '=');

    if (at == 0 || at == all.n || pairs->n == PAIRS_MAX)
        return gr_usage("render", "KEY=VALUE, at most 256 of them", text);
    pairs->items[pairs->n++] =
        (struct gr_kv){.key = gr_str_first(all, at), .value = gr_str_skip(all, at + 1)};
    return GR_EXIT_OK;
}

/* Sets a field that is unknown until it is given. */
static int know(struct render *render, enum gr_field field, struct gr_str *to, const char *value)
{
    render->subject.unknown_fields &= ~(1U << field);
    *to = gr_str_from(value);
    return GR_EXIT_OK;
}

static int set_image(struct render *render, const char *value)
{
    if (gr_image_parse(gr_str_from(value), &render->subject.image) != 0)
        return gr_usage("render", "--image with an image name such as nginx:1.27", value);
    return GR_EXIT_OK;
}

static int take(void *user, int option, const char *value)
{
    struct render *render = user;
    struct gr_subject *s = &render->subject;

    switch (option) {
    case OPT_IMAGE:
        return set_image(render, value);
    case OPT_NAMESPACE:
        return know(render, GR_FIELD_NAMESPACE, &s->pod_namespace, value);
    case OPT_POD:
        return know(render, GR_FIELD_POD_NAME, &s->pod_name, value);
    case OPT_CONTAINER:
        return know(render, GR_FIELD_CONTAINER_NAME, &s->name, value);
    case OPT_ANNOTATION:
        return add_pair(&render->annotations, value);
    case OPT_LABEL:
        return add_pair(&render->labels, value);
    case OPT_HANDLER:
        s->runtime_handler = gr_str_from(value);
        return GR_EXIT_OK;
    case OPT_RUNTIME:
        s->runtime = gr_str_from(value);
        return GR_EXIT_OK;
    case OPT_COMMAND:
        s->args = (struct gr_strs){.items = &render->command, .n = 1};
        return know(render, GR_FIELD_COMMAND, &render->command, value);
    default:
        return gr_common_option(&render->common, option, value);
    }
}

static int parse(struct render *render, int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "render", .help = help, .letters = "h", .options = long_options, .take = take};
    int r = gr_parse_options(&line, argc, argv, render);

    if (r != GR_EXIT_OK)
        return r;
    if (optind < argc)
        return gr_usage("render", "options only", argv[optind]);
    render->subject.pod_annotations =
        (struct gr_kvs){.items = render->annotations.items, .n = render->annotations.n};
    render->subject.pod_labels =
        (struct gr_kvs){.items = render->labels.items, .n = render->labels.n};
    gr_common_seal(&render->common);
    return GR_EXIT_OK;
}

/* Why each set that matched, or nearly did, is in the result or is not. */
static void print_results(const struct gr_decision *decision)
{
    for (size_t i = 0; i < decision->results_n; i++) {
        const struct gr_set_result *r = &decision->results[i];

        (void)fprintf(stderr, "%s:%u: %s: %s%s%.*s\n", r->set->file.p, r->set->line, r->set->name.p,
                      gr_verdict_name(r->verdict), r->reason.n ? ": " : "", GR_STR_FMT(r->reason));
    }
}

static int print_hooks(const struct render *render, const struct gr_loaded *loaded)
{
    const struct gr_decide_options options = gr_settings_decide_options(&loaded->settings);
    struct gr_decision decision = {0};
    struct gr_arena arena;
    int code = GR_EXIT_FAILED;

    gr_arena_init(&arena, 64U << 10, 0);
    if (gr_decide(loaded->load.ruleset, &render->subject, &options, &arena, &decision) != 0) {
        (void)fputs("grapnel render: no memory\n", stderr);
    } else if (decision.refuse) {
        print_results(&decision);
        (void)fprintf(stderr, "the container would be refused: %.*s\n",
                      GR_STR_FMT(decision.refusal));
    } else {
        json_t *hooks = gr_hooks_json(decision.hooks, decision.hooks_n);

        print_results(&decision);
        (void)json_dumpf(hooks, stdout, JSON_INDENT(2));
        (void)fputc('\n', stdout);
        json_decref(hooks);
        code = GR_EXIT_OK;
    }
    gr_arena_fini(&arena);
    return code;
}

int gr_verb_render(int argc, char **argv)
{
    struct render render = {
        .common = {.verb = "render"},
        .subject = {.runtime = GR_STR("containerd"),
                    .unknown_fields = 1U << GR_FIELD_NAMESPACE | 1U << GR_FIELD_POD_NAME |
                                      1U << GR_FIELD_CONTAINER_NAME | 1U << GR_FIELD_COMMAND},
    };
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_loaded loaded;
    int r = parse(&render, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    r = gr_common_load(&render.common, GR_STR_NONE, true, &reporter, &loaded);
    if (r != GR_EXIT_OK)
        return r;
    r = print_hooks(&render, &loaded);
    gr_common_unload(&loaded);
    return r != GR_EXIT_OK || printed.errors == 0 ? r : GR_EXIT_FAILED;
}
