/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/explain/explain: why each set matches a container, or does not.
 *
 * Layer: app.
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/explain/live.h"
#include "app/cli/shared/document.h"
#include "app/cli/shared/subject_flags.h"
#include "app/cli/shared/terminal.h"
#include "app/cli/verbs.h"
#include "app/exit.h"
#include "app/explain/answer.h"

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
    "root\n" GR_LIVE_RUN_DIR_HELP "  --all               every set\n" GR_NO_HOST_HELP
    "  -o text|json|yaml   how it is printed (default text)\n" GR_SUBJECT_HELP GR_COMMON_HELP
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 printed, 1 a container would be refused, is not recorded, or rules are broken,\n"
    "2 usage, 4 a file cannot be read.\n"
    "\n"
    "Examples:\n"
    "  grapnel explain --image nginx:1.27 --namespace web\n"
    "  kubectl get pod shop -o json | grapnel explain --from - tap-network\n"
    "  grapnel explain --live web/shop/front\n";

struct explain {
    struct gr_common common;
    struct gr_subject_flags subject;
    struct gr_explain_choice choice;
    enum gr_output output;
    const char *live;    /* --live; or NULL */
    const char *run_dir; /* --run-dir; or NULL */
};

enum { OPT_ALL = GR_OPT_OWN };

const struct option gr_options_explain[] = {
    {"live", required_argument, NULL, GR_OPT_LIVE},
    GR_LIVE_RUN_DIR_OPTION,
    {"all", no_argument, NULL, OPT_ALL},
    GR_NO_HOST_OPTION,
    {"output", required_argument, NULL, 'o'},
    GR_SUBJECT_OPTIONS,
    GR_COMMON_OPTIONS,
    {0},
};

static int take(void *user, int option, const char *value)
{
    struct explain *explain = user;

    if (gr_is_subject_option(option))
        return gr_subject_option(&explain->subject, option, value);
    switch (option) {
    case GR_OPT_LIVE:
        explain->live = value;
        return GR_EXIT_OK;
    case GR_OPT_LIVE_RUN_DIR:
        explain->run_dir = value;
        return GR_EXIT_OK;
    case OPT_ALL:
        explain->choice.all = true;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("explain", value, &explain->output);
    default:
        return gr_common_option(&explain->common, option, value);
    }
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
    return r;
}

static int check_names(const struct explain *explain, const struct gr_ruleset *ruleset)
{
    const char *unknown = gr_explain_unknown(ruleset, &explain->choice);

    if (!unknown)
        return GR_EXIT_OK;
    (void)fprintf(stderr,
                  "grapnel explain: expected the name of a set that is in force, found \"%s\"; "
                  "grapnel list shows them\n",
                  gr_show(gr_str_from(unknown)).text);
    return GR_EXIT_USAGE;
}

/* With what was recorded of it; found: NULL where nothing was. Returns 0; -ENOMEM. */
static int put_one(const struct explain *explain, const struct gr_ruleset *ruleset,
                   const struct gr_buf *text, const struct gr_live_found *found,
                   struct gr_arena *arena, json_t *list, bool first)
{
    struct gr_strs names = found ? gr_live_sets(found, arena) : (struct gr_strs){0};
    json_t *today = gr_explain_hashes(ruleset, names);
    json_t *object;
    int r = today && (!found || names.items) ? 0 : -ENOMEM;

    if (r == 0 && explain->output == GR_OUTPUT_TEXT) {
        (void)fputs(first ? "" : "\n", stdout);
        if (found)
            gr_live_text(found, today);
        (void)fwrite(text->data, 1, text->len, stdout);
    } else if (r == 0) {
        object = json_loadb((const char *)text->data, text->len, 0, NULL);
        if (object && found)
            (void)json_object_set_new(object, "recorded", gr_live_json(found, today));
        r = json_array_append_new(list, object) == 0 ? 0 : -ENOMEM;
    }
    json_decref(today);
    return r;
}

/* No limit. A buffer counts a little beyond it. */
#define TEXT_MAX_BYTES (SIZE_MAX / 2)

/* One container. *list: what is printed at the end. */
static int explain_one(const struct explain *explain, const struct gr_loaded *loaded,
                       const struct gr_subject *subject, const struct gr_live_found *found,
                       json_t *list, bool first)
{
    struct gr_decide_options options = gr_settings_decide_options(&loaded->settings);
    const struct gr_ruleset *ruleset = loaded->load.ruleset;
    const struct gr_explain_ask ask = {.subject = subject,
                                       .choice = explain->choice,
                                       .json = explain->output != GR_OUTPUT_TEXT,
                                       .colours = gr_has_colours()};
    struct gr_arena arena;
    struct gr_buf text;
    bool refused = false;
    int r;

    gr_arena_init(&arena, 64U << 10, 0);
    gr_buf_init(&text, TEXT_MAX_BYTES);
    r = gr_explain_answer(ruleset, &options, &ask, &arena, &text, &refused);
    if (r == 0)
        r = put_one(explain, ruleset, &text, found, &arena, list, first);
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
    if (r == 0)
        return refused ? GR_EXIT_FAILED : GR_EXIT_OK;
    (void)fputs("grapnel explain: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

/* What the flags and documents say. */
static int explain_given(const struct explain *explain, const struct gr_loaded *loaded,
                         struct gr_arena *arena, const struct gr_reporter *reporter, json_t *list)
{
    struct gr_inputs inputs = {0};
    int code = gr_subject_flags_read(&explain->subject, NULL, arena, reporter, &inputs);

    for (size_t i = 0; i < inputs.n; i++) {
        int r = explain_one(explain, loaded, &inputs.subjects[i], NULL, list, i == 0);

        code = code == GR_EXIT_OK ? r : code;
    }
    return code;
}

/* What is recorded on this node. */
static int explain_live(const struct explain *explain, const struct gr_loaded *loaded,
                        struct gr_arena *arena, json_t *list)
{
    struct gr_journal_contents contents = {0};
    struct gr_live_list found = {0};
    int code = gr_live_check("explain", explain->live);

    if (code == GR_EXIT_OK)
        code = gr_live_load("explain", explain->run_dir, &loaded->settings, arena, &contents);
    if (code == GR_EXIT_OK)
        code = gr_live_find("explain", explain->live, &contents, arena, &found);
    for (size_t i = 0; i < found.n; i++) {
        const struct gr_live_found *one = &found.items[i];
        int r = explain_one(explain, loaded, &one->entry->decision.subject, one, list, i == 0);

        code = code == GR_EXIT_OK ? r : code;
    }
    gr_journal_contents_fini(&contents);
    return code;
}

static int explain_all(const struct explain *explain, const struct gr_loaded *loaded,
                       struct gr_arena *arena, const struct gr_reporter *reporter)
{
    json_t *list = json_array();
    int code = explain->live ? explain_live(explain, loaded, arena, list)
                             : explain_given(explain, loaded, arena, reporter, list);

    if (json_array_size(list) > 0) {
        int r =
            gr_document_print("explain", json_pack("{s:O}", "containers", list), explain->output);

        code = code == GR_EXIT_OK ? r : code;
    }
    json_decref(list);
    return code;
}

int gr_verb_explain(int argc, char **argv)
{
    struct explain explain = {.common = {.verb = "explain"}, .subject = {.verb = "explain"}};
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_loaded loaded;
    struct gr_arena arena;
    int r = parse(&explain, argc, argv);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    r = gr_common_load(&explain.common, GR_STR_NONE, !explain.common.no_host, &reporter, &loaded);
    if (r != GR_EXIT_OK)
        return r;
    gr_arena_init(&arena, 64U << 10, 0);
    r = check_names(&explain, loaded.load.ruleset);
    if (r == GR_EXIT_OK)
        r = explain_all(&explain, &loaded, &arena, &reporter);
    gr_arena_fini(&arena);
    gr_common_unload(&loaded);
    return r != GR_EXIT_OK || printed.errors == 0 ? r : GR_EXIT_FAILED;
}
