/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/explain/explain: why each set matches a container, or does not.
 *
 * Layer: app.
 */
#include <stdio.h>

#include "app/cli/explain/in_force.h"
#include "app/cli/explain/live.h"
#include "app/cli/shared/document.h"
#include "app/cli/shared/subject_flags.h"
#include "app/cli/shared/terminal.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

static const char help[] =
    "Usage: grapnel explain [OPTION]... [SET]...\n"
    "\n"
    "Says for a container of each set of rules whether it matches, what is done, and which\n"
    "condition decided: what was expected, what was seen, and where it stands. Without SET: the\n"
    "sets that match, those that cannot be told, and near misses; the others are counted.\n"
    "\n"
    "  --live WHAT         a container of this node: the decision that the plugin has recorded,\n"
    "                      then what today's rules would do to it. WHAT is the beginning of its\n"
    "                      id, NAMESPACE/POD or NAMESPACE/POD/CONTAINER. Needs "
    "root\n" GR_LIVE_RUN_DIR_HELP GR_IN_FORCE_HELP
    "  --all               every set\n" GR_NO_HOST_HELP
    "  -o text|json|yaml   how it is printed (default text)\n" GR_SUBJECT_HELP GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 printed, 1 a container would be refused, is not recorded, or rules are broken,\n"
    "2 usage, 4 a file cannot be read, or the plugin cannot be asked.\n"
    "\n"
    "Examples:\n"
    "  grapnel explain --image nginx:1.27 --namespace web\n"
    "  kubectl get pod shop -o json | grapnel explain --from - tap-network\n"
    "  grapnel explain --live web/shop/front\n"
    "  grapnel explain --in-force --image nginx:1.27 --namespace web\n";

struct explain {
    struct gr_common common;
    struct gr_subject_flags subject;
    struct gr_explain_choice choice;
    enum gr_output output;
    const char *live;    /* --live; or NULL */
    const char *run_dir; /* --run-dir; or NULL */
    bool in_force;       /* --in-force */
    struct gr_control_target target;
    struct gr_in_force_at at; /* where --in-force asks */
    const char *other_rules;  /* the last option that names other rules; or NULL */

    const struct gr_settings *settings; /* as they were read */
    const struct gr_ruleset *ruleset;   /* from the files; NULL: the plugin is asked */
    json_t *list;                       /* what is printed at the end */
    bool begun;                         /* something has been printed */
    bool warned;
};

enum { OPT_ALL = GR_OPT_OWN, OPT_IN_FORCE };

const struct option gr_options_explain[] = {
    {"live", required_argument, NULL, GR_OPT_LIVE},
    GR_LIVE_RUN_DIR_OPTION,
    {"in-force", no_argument, NULL, OPT_IN_FORCE},
    {"control", required_argument, NULL, GR_OPT_CONTROL},
    {"all", no_argument, NULL, OPT_ALL},
    GR_NO_HOST_OPTION,
    {"output", required_argument, NULL, 'o'},
    GR_SUBJECT_OPTIONS,
    GR_COMMON_OPTIONS,
    {0},
};

/* The name of an option that says what rules there are, or how they are read. */
static const char *other_rules(int option, const char *before)
{
    const struct option *known = gr_options_explain;

    while (known->name && known->val != option)
        known++;
    return known->name ? known->name : before;
}

static int take(void *user, int option, const char *value)
{
    struct explain *explain = user;

    if (gr_is_subject_option(option))
        return gr_subject_option(&explain->subject, option, value);
    switch (option) {
    case GR_OPT_LIVE:
        explain->live = value;
        explain->common.as_in_force = true;
        return GR_EXIT_OK;
    case GR_OPT_LIVE_RUN_DIR:
        explain->run_dir = value;
        return GR_EXIT_OK;
    case OPT_ALL:
        explain->choice.all = true;
        return GR_EXIT_OK;
    case OPT_IN_FORCE:
        explain->in_force = true;
        return GR_EXIT_OK;
    case GR_OPT_CONTROL:
        return gr_control_option("explain", &explain->target, option, value);
    case 'o':
        return gr_output_choose("explain", value, &explain->output);
    case GR_OPT_CONFIG:
        explain->target.config_path = value;
        break;
    default:
        explain->other_rules = other_rules(option, explain->other_rules);
        break;
    }
    return gr_common_option(&explain->common, option, value);
}

static int parse(struct explain *explain, int argc, char **argv)
{
    static const struct gr_command_line line = {.verb = "explain",
                                                .help = help,
                                                .letters = "ho:",
                                                .options = gr_options_explain,
                                                .take = take};
    int r = gr_parse_options(&line, argc, argv, explain);

    explain->choice.names = (const char *const *)argv + optind;
    explain->choice.names_n = (size_t)(argc - optind);
    gr_common_seal(&explain->common);
    if (r == GR_EXIT_OK && explain->live &&
        (explain->subject.given != 0 || explain->subject.from_n > 0))
        return gr_usage("explain", "--live without --from and what else tells of a container",
                        explain->live);
    if (r == GR_EXIT_OK && explain->run_dir && !explain->live)
        return gr_usage("explain", "--run-dir with --live", explain->run_dir);
    if (r == GR_EXIT_OK && explain->in_force && explain->other_rules) {
        (void)fprintf(stderr,
                      "grapnel explain: expected --in-force without --%s: the plugin has its rules "
                      "and says what they do; see grapnel explain --help\n",
                      explain->other_rules);
        return GR_EXIT_USAGE;
    }
    if (r == GR_EXIT_OK && explain->target.path && !explain->in_force)
        return gr_usage("explain", "--control with --in-force", explain->target.path);
    return r;
}

static int no_memory(void)
{
    (void)fputs("grapnel explain: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

static int check_names(const struct explain *explain)
{
    const char *unknown =
        explain->ruleset ? gr_explain_unknown(explain->ruleset, &explain->choice) : NULL;

    struct gr_str nearest;

    if (!unknown)
        return GR_EXIT_OK;
    nearest = gr_ruleset_nearest(explain->ruleset, gr_str_from(unknown));
    (void)fprintf(
        stderr,
        "grapnel explain: expected the name of a set that is in force, found \"%s\"%s%.*s%s "
        "grapnel list shows them\n",
        gr_show(gr_str_from(unknown)).text, nearest.n > 0 ? "; did you mean \"" : "",
        GR_STR_FMT(nearest), nearest.n > 0 ? "\"?" : ";");
    return GR_EXIT_USAGE;
}

/* ---- one container ---- */

/* With the rules that were read. */
static int explain_here(const struct explain *explain, const struct gr_explain_ask *ask,
                        struct gr_strs recorded, struct gr_arena *arena,
                        struct gr_in_force_answer *answer)
{
    struct gr_decide_options options = gr_settings_decide_options(explain->settings);
    int r =
        gr_explain_answer(explain->ruleset, &options, ask, arena, &answer->text, &answer->refused);

    answer->hashes = gr_explain_hashes(explain->ruleset, recorded);
    return r || !answer->hashes ? no_memory() : GR_EXIT_OK;
}

/* found: what was recorded of it; NULL where nothing was. */
static int put_answer(struct explain *explain, const struct gr_live_found *found,
                      const struct gr_in_force_answer *answer)
{
    const struct gr_buf *text = &answer->text;
    json_t *object;

    if (explain->output == GR_OUTPUT_TEXT) {
        (void)fputs(explain->begun ? "\n" : "", stdout);
        explain->begun = true;
        if (found)
            gr_live_text(found, answer->hashes);
        (void)fwrite(text->data, 1, text->len, stdout);
        return GR_EXIT_OK;
    }
    object = json_loadb((const char *)text->data, text->len, 0, NULL);
    if (object && found)
        (void)json_object_set_new(object, "recorded", gr_live_json(found, answer->hashes));
    return json_array_append_new(explain->list, object) == 0 ? GR_EXIT_OK : no_memory();
}

/* What is not as the files say, once. Returns GR_EXIT_FAILED; GR_EXIT_OK there is nothing. */
static int put_warning(struct explain *explain, const struct gr_in_force_answer *answer)
{
    if (!answer->warning)
        return GR_EXIT_OK;
    if (!explain->warned)
        (void)fprintf(stderr, "grapnel explain: %s\n", answer->warning);
    explain->warned = true;
    return GR_EXIT_FAILED;
}

/* Of an explanation that is made here. A buffer counts a little beyond its limit. */
#define NO_LIMIT (SIZE_MAX / 2)

static int explain_one(struct explain *explain, const struct gr_subject *subject,
                       const struct gr_live_found *found)
{
    const struct gr_explain_ask ask = {.subject = subject,
                                       .choice = explain->choice,
                                       .json = explain->output != GR_OUTPUT_TEXT,
                                       .colours = gr_has_colours()};
    struct gr_in_force_answer answer;
    struct gr_strs recorded = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 64U << 10, 0);
    gr_in_force_answer_init(&answer, explain->ruleset ? NO_LIMIT : GR_CONTROL_REPLY_BODY_MAX_BYTES);
    if (found)
        recorded = gr_live_sets(found, &arena);
    if (found && !recorded.items)
        r = no_memory();
    else if (explain->ruleset)
        r = explain_here(explain, &ask, recorded, &arena, &answer);
    else
        r = gr_in_force_explain(&explain->at, &ask, recorded, &answer);
    if (r == GR_EXIT_OK)
        r = put_answer(explain, found, &answer);
    if (r == GR_EXIT_OK)
        r = put_warning(explain, &answer);
    if (r == GR_EXIT_OK && answer.refused)
        r = GR_EXIT_FAILED;
    gr_in_force_answer_fini(&answer);
    gr_arena_fini(&arena);
    return r;
}

/* ---- which containers ---- */

/* Whether the next one is of use when this is what became of one. */
static bool goes_on(const struct explain *explain, int code)
{
    return explain->ruleset || code == GR_EXIT_OK || code == GR_EXIT_FAILED;
}

/* What the flags and documents say. */
static int explain_given(struct explain *explain, struct gr_arena *arena,
                         const struct gr_reporter *reporter)
{
    struct gr_inputs inputs = {0};
    int code = gr_subject_flags_read(&explain->subject, NULL, arena, reporter, &inputs);

    for (size_t i = 0; i < inputs.n && goes_on(explain, code); i++) {
        int r = explain_one(explain, &inputs.subjects[i], NULL);

        code = goes_on(explain, r) && code != GR_EXIT_OK ? code : r;
    }
    return code;
}

/* What is recorded on this node. */
static int explain_live(struct explain *explain, struct gr_arena *arena)
{
    struct gr_journal_contents contents = {0};
    struct gr_live_list found = {0};
    int code = gr_live_check("explain", explain->live);

    if (code == GR_EXIT_OK)
        code = gr_live_load("explain", explain->run_dir, explain->settings, arena, &contents);
    if (code == GR_EXIT_OK)
        code = gr_live_find("explain", explain->live, &contents, arena, &found);
    for (size_t i = 0; i < found.n && goes_on(explain, code); i++) {
        const struct gr_live_found *one = &found.items[i];
        int r = explain_one(explain, &one->entry->decision.subject, one);

        code = goes_on(explain, r) && code != GR_EXIT_OK ? code : r;
    }
    gr_journal_contents_fini(&contents);
    return code;
}

static int explain_all(struct explain *explain, const struct gr_reporter *reporter)
{
    struct gr_arena arena;
    int code = check_names(explain);

    if (code != GR_EXIT_OK)
        return code;
    gr_arena_init(&arena, 64U << 10, 0);
    explain->list = json_array();
    code = explain->live ? explain_live(explain, &arena) : explain_given(explain, &arena, reporter);
    if (json_array_size(explain->list) > 0) {
        int r = gr_document_print("explain", json_pack("{s:O}", "containers", explain->list),
                                  explain->output);

        code = code == GR_EXIT_OK ? r : code;
    }
    json_decref(explain->list);
    gr_arena_fini(&arena);
    return code;
}

/* With the rules of the files. */
static int explain_with_files(const struct explain *asked, const struct gr_reporter *reporter)
{
    struct explain explain = *asked;
    struct gr_loaded loaded;
    int r =
        gr_common_load(&explain.common, GR_STR_NONE, !explain.common.no_host, reporter, &loaded);

    if (r != GR_EXIT_OK)
        return r;
    explain.settings = &loaded.settings;
    explain.ruleset = loaded.load.ruleset;
    r = explain_all(&explain, reporter);
    gr_common_unload(&loaded);
    return r;
}

/* With what the plugin has. The settings say where it is asked, and where the journal lies. */
static int explain_in_force(const struct explain *asked, const struct gr_reporter *reporter)
{
    struct explain explain = *asked;
    struct gr_settings settings;
    int r;

    if (gr_settings_read(&explain.common.flags, GR_STR_NONE, GR_SETTINGS_AS_IN_FORCE, reporter,
                         &settings) != 0)
        return no_memory();
    explain.settings = &settings;
    explain.at.path = explain.target.path;
    if (!explain.at.path)
        explain.at =
            (struct gr_in_force_at){.path = settings.config.control_socket, .settings = &settings};
    r = explain_all(&explain, reporter);
    gr_settings_fini(&settings);
    return r;
}

int gr_verb_explain(int argc, char **argv)
{
    struct explain explain = {.common = {.verb = "explain"}, .subject = {.verb = "explain"}};
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    int r = parse(&explain, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    r = explain.in_force ? explain_in_force(&explain, &reporter)
                         : explain_with_files(&explain, &reporter);
    return r != GR_EXIT_OK || printed.errors == 0 ? r : GR_EXIT_FAILED;
}
