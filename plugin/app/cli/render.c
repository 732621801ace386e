/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/render: what a container would get, as OCI JSON.
 *
 * Layer: app. Shapes: specs/explain.md, "render".
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/explain/out.h"
#include "app/cli/shared/hooks_json.h"
#include "app/cli/shared/subject_flags.h"
#include "app/cli/shared/text_file.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "oci/spec.h"

static const char help[] =
    "Usage: grapnel render [OPTION]...\n"
    "\n"
    "Prints the hooks that a container would get, as the \"hooks\" object of an OCI config.json,\n"
    "with an \"adjust\" beside the stages where sets change more than hooks. For several "
    "containers\n"
    "(--from): a list of them.\n"
    "\n"
    "  --spec FILE         the config.json of a bundle: print it with everything laid into it. It\n"
    "                      also says what is known of the container, unless --from "
    "does\n" GR_NO_HOST_HELP
    "  -o json|yaml        how it is printed (default json)\n" GR_SUBJECT_HELP GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 printed, 1 a container would be refused or rules are broken, 2 usage, 4 a file\n"
    "cannot be read.\n"
    "\n"
    "Examples:\n"
    "  grapnel render --image nginx:1.27 --namespace web --annotation team=infra\n"
    "  grapnel render --spec bundle/config.json > merged.json\n";

/* A config.json has some 10 KB; the OCI layer has a limit of its own. */
#define SPEC_MAX_BYTES (64U << 20)

struct render {
    struct gr_common common;
    struct gr_subject_flags subject;
    enum gr_output output;
    const char *spec; /* path; NULL: none */
    struct gr_input_text spec_text;
    const struct gr_loaded *loaded;
    struct gr_arena arena;
    json_t *list; /* of containers, when there are several */
};

enum { OPT_SPEC = GR_OPT_OWN };

const struct option gr_options_render[] = {
    {"spec", required_argument, NULL, OPT_SPEC},
    GR_NO_HOST_OPTION,
    {"output", required_argument, NULL, 'o'},
    GR_SUBJECT_OPTIONS,
    GR_COMMON_OPTIONS,
    {0},
};

static int take(void *user, int option, const char *value)
{
    struct render *render = user;

    if (gr_is_subject_option(option))
        return gr_subject_option(&render->subject, option, value);
    switch (option) {
    case OPT_SPEC:
        render->spec = value;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("render", value, &render->output);
    default:
        return gr_common_option(&render->common, option, value);
    }
}

static int parse(struct render *render, int argc, char **argv)
{
    static const struct gr_command_line line = {.verb = "render",
                                                .help = help,
                                                .letters = "ho:",
                                                .options = gr_options_render,
                                                .take = take};
    int r = gr_parse_options(&line, argc, argv, render);

    if (r != GR_EXIT_OK)
        return r;
    if (optind < argc)
        return gr_usage("render", "options only", argv[optind]);
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
    for (size_t i = 0; i < decision->objections_n; i++)
        (void)fprintf(stderr, "%s: %.*s\n", gr_verdict_name(decision->objections[i].verdict),
                      GR_STR_FMT(decision->objections[i].reason));
    for (size_t i = 0; i < decision->hooks_n; i++) {
        const struct gr_oci_hook *hook = &decision->hooks[i];

        if (hook->program.n > 0)
            (void)fprintf(stderr, "program %.*s: %.*s\n", GR_STR_FMT(hook->program),
                          GR_STR_FMT(hook->path));
    }
    if (decision->exempt)
        (void)fputs("the namespace is exempt: nothing is injected\n", stderr);
    if (decision->refuse)
        (void)fprintf(stderr, "the container would be refused: %.*s\n",
                      GR_STR_FMT(decision->refusal));
}

/* The stages, and adjust beside them. */
static json_t *decision_json(const struct gr_decision *decision)
{
    json_t *object = gr_hooks_json(decision->hooks, decision->hooks_n);

    if (decision->adjust_n > 0)
        (void)json_object_set_new(object, "adjust",
                                  gr_adjust_json(decision->adjust, decision->adjust_n));
    return object;
}

static int add_to_list(struct render *render, const struct gr_subject *subject,
                       const struct gr_decision *decision)
{
    json_t *object = gr_subject_json(subject);

    if (decision->refuse)
        gr_json_set_str(object, "refused", decision->refusal);
    else
        (void)json_object_set_new(object, "hooks",
                                  gr_hooks_json(decision->hooks, decision->hooks_n));
    if (decision->adjust_n > 0)
        (void)json_object_set_new(object, "adjust",
                                  gr_adjust_json(decision->adjust, decision->adjust_n));
    (void)json_array_append_new(render->list, object);
    return decision->refuse ? GR_EXIT_FAILED : GR_EXIT_OK;
}

/* Of n entries: what is no CDI device is a class of block IO, the only other one. */
static void tell_left_out(const struct gr_decision *decision, size_t n)
{
    size_t devices = 0;

    for (size_t i = 0; i < decision->adjust_n; i++)
        devices += decision->adjust[i].entry->kind == GR_ADJUST_CDI_DEVICE;
    (void)fputs("grapnel render: left out, since the engine resolves it: ", stderr);
    if (devices > 0)
        (void)fprintf(stderr, "%zu CDI %s", devices, devices == 1 ? "device" : "devices");
    if (n > devices)
        (void)fprintf(stderr, "%sblockioClass", devices > 0 ? ", " : "");
    (void)fputc('\n', stderr);
}

static int print_merged(struct render *render, const struct gr_decision *decision)
{
    struct gr_err err = {0};
    struct gr_buf out;
    size_t left_out = 0;
    int r;

    gr_buf_init(&out, SPEC_MAX_BYTES);
    r = gr_oci_spec_apply(&render->arena, render->spec_text.text, decision, &out, &left_out, &err);
    if (r == 0) {
        (void)fwrite(out.data, 1, out.len, stdout);
        if (left_out > 0)
            tell_left_out(decision, left_out);
    } else if (err.code) {
        char line[GR_ERR_FILE_BYTES + GR_ERR_TEXT_BYTES + 64];

        gr_err_at(&err, render->spec, err.line, err.column);
        gr_err_format(&err, GR_LEVEL_ERROR, line, sizeof(line));
        (void)fprintf(stderr, "%s\n", line);
    } else {
        (void)fprintf(stderr, "grapnel render: %s\n", strerror(-r));
    }
    gr_buf_fini(&out);
    return r == 0 ? GR_EXIT_OK : GR_EXIT_FAILED;
}

static int render_one(struct render *render, const struct gr_subject *subject, bool alone)
{
    struct gr_decide_options options = gr_settings_decide_options(&render->loaded->settings);
    struct gr_decision decision = {0};
    char title[1024];

    if (gr_decide(render->loaded->load.ruleset, subject, &options, &render->arena, &decision)) {
        (void)fputs("grapnel render: no memory\n", stderr);
        return GR_EXIT_FAILED;
    }
    if (!alone) {
        gr_subject_title(subject, title, sizeof(title));
        (void)fprintf(stderr, "%s:\n", title);
    }
    print_results(&decision);
    if (!alone)
        return add_to_list(render, subject, &decision);
    if (decision.refuse)
        return GR_EXIT_FAILED;
    if (render->spec)
        return print_merged(render, &decision);
    return gr_document_print("render", decision_json(&decision), render->output);
}

/* Errors are told when it is merged. */
static void pass_warning(void *user, enum gr_level level, const struct gr_err *err)
{
    if (level == GR_LEVEL_WARNING)
        gr_report(user, level, err);
}

/* What stands in the config.json and is hardly meant, where it is not read as a document anyway.
 * Returns GR_EXIT_OK; GR_EXIT_FAILED (said on stderr). */
static int look_at_spec(struct render *render, struct gr_reporter reporter)
{
    const struct gr_reporter passing = {.report = pass_warning, .user = &reporter};
    struct gr_inputs unused = {0};

    if (gr_inputs_read(&render->arena, &render->spec_text, 1, GR_STR_NONE, &passing, &unused) >= 0)
        return GR_EXIT_OK;
    (void)fputs("grapnel render: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

static int render_all(struct render *render, const struct gr_reporter *reporter)
{
    struct gr_inputs inputs = {0};
    bool from_spec = render->spec && render->subject.from_n == 0;
    int code = gr_subject_flags_read(&render->subject, from_spec ? &render->spec_text : NULL,
                                     &render->arena, reporter, &inputs);

    if (code == GR_EXIT_OK && render->spec && !from_spec)
        code = look_at_spec(render, *reporter);
    if (code == GR_EXIT_OK && render->spec && inputs.n > 1)
        return gr_usage("render", "--container with --spec, since a bundle is one container",
                        "several containers");
    for (size_t i = 0; i < inputs.n; i++) {
        int r = render_one(render, &inputs.subjects[i], inputs.n == 1);

        code = code == GR_EXIT_OK ? r : code;
    }
    if (inputs.n > 1) {
        int r = gr_document_print("render", json_pack("{s:O}", "containers", render->list),
                                  render->output);

        code = code == GR_EXIT_OK ? r : code;
    }
    return code;
}

/* With the rules loaded. */
static int run(struct render *render, const struct gr_reporter *reporter)
{
    int r = GR_EXIT_OK;

    gr_arena_init(&render->arena, 64U << 10, 0);
    render->list = json_array();
    if (render->spec) {
        render->spec_text.name = render->spec;
        r = gr_read_text("render", render->spec, SPEC_MAX_BYTES, &render->arena,
                         &render->spec_text.text);
    }
    if (r == GR_EXIT_OK)
        r = render_all(render, reporter);
    json_decref(render->list);
    gr_arena_fini(&render->arena);
    return r;
}

int gr_verb_render(int argc, char **argv)
{
    struct render render = {
        .common = {.verb = "render"}, .subject = {.verb = "render"}, .output = GR_OUTPUT_JSON};
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_loaded loaded;
    int r = parse(&render, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    r = gr_common_load(&render.common, GR_STR_NONE, !render.common.no_host, &reporter, &loaded);
    if (r != GR_EXIT_OK)
        return r;
    render.loaded = &loaded;
    r = run(&render, &reporter);
    gr_common_unload(&loaded);
    return r != GR_EXIT_OK || printed.errors == 0 ? r : GR_EXIT_FAILED;
}
