/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/diff/diff: what other rules would change for containers.
 *
 * Layer: app.
 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/diff/parts.h"
#include "app/cli/shared/document.h"
#include "app/cli/shared/hooks_json.h"
#include "app/cli/explain/live.h"
#include "app/cli/shared/subject_flags.h"
#include "app/cli/verbs.h"
#include "app/exit.h"

/* As diff(1): trouble is told apart from a difference. */
#define EXIT_SAME 0
#define EXIT_DIFFERENT 1
#define EXIT_TROUBLE 2
#define EXIT_UNKNOWN GR_EXIT_WARNINGS /* under --strict */

static const char help[] =
    "Usage: grapnel diff [OPTION]... OLD NEW --live|--from FILE...|CONTAINER\n"
    "\n"
    "Shows which containers would gain, lose or change hooks or adjustments when the rules of NEW\n"
    "take the place of those of OLD. OLD and NEW are directories or files of rules; one that is\n"
    "made of oci-hooks(5) directories alone is left out. The\n"
    "containers come from --from: kubectl get pods -A -o json, crictl inspect, a manifest; with\n"
    "--live from what the plugin has recorded on this node; or the options tell of one, such as\n"
    "--image and --namespace. Sets that ask for what is not known of a container are \"unknown\".\n"
    "\n"
    "  --live              the containers of this node as they were when they were created, from\n"
    "                      the journal of decisions. Needs root\n" GR_LIVE_RUN_DIR_HELP
    "  --host              look at the hook programs on this host, too\n"
    "  --strict            exit code 3 where none would change and of some it cannot be told\n"
    "  --old-oci-hooks-dir DIR\n"
    "                      a directory of oci-hooks(5) files for OLD; repeatable, later ones mask\n"
    "                      earlier ones\n"
    "  --new-oci-hooks-dir DIR\n"
    "                      the same for NEW\n"
    "  -o text|json|yaml   how it is printed (default text)\n" GR_SUBJECT_HELP GR_SETTINGS_HELP
        GR_NODE_HELP "  -h, --help          this text\n"
    "\n"
    "Exit codes, as of diff: 0 no container changes, 1 some do, 2 trouble: usage, broken rules, a\n"
    "file that cannot be read, 3 none changes and of some it cannot be told, under --strict.\n"
    "\n"
    "Examples:\n"
    "  kubectl get pods -A -o json | grapnel diff /etc/grapnel/hooks.d new/ --from -\n"
    "  grapnel diff /etc/grapnel/hooks.d new/ --live\n"
    "  grapnel diff --old-oci-hooks-dir /etc/containers/oci/hooks.d converted/ --live\n";

enum { OLD, NEW };

struct diff {
    struct gr_common sides[2]; /* of the same settings */
    struct gr_subject_flags subject;
    bool host, live, strict;
    const char *run_dir; /* --run-dir; or NULL */
    enum gr_output output;
    struct gr_loaded before, after;
    json_t *list;
    size_t changed;
    size_t unknown; /* of the others: those of which it cannot be told */
};

enum { OPT_HOST = GR_OPT_OWN, OPT_STRICT, OPT_OLD_OCI, OPT_NEW_OCI };

const struct option gr_options_diff[] = {
    {"live", no_argument, NULL, GR_OPT_LIVE},
    GR_LIVE_RUN_DIR_OPTION,
    {"host", no_argument, NULL, OPT_HOST},
    {"strict", no_argument, NULL, OPT_STRICT},
    {"old-oci-hooks-dir", required_argument, NULL, OPT_OLD_OCI},
    {"new-oci-hooks-dir", required_argument, NULL, OPT_NEW_OCI},
    {"output", required_argument, NULL, 'o'},
    GR_SUBJECT_OPTIONS,
    {"node-name", required_argument, NULL, GR_OPT_NODE_NAME},
    GR_SETTINGS_OPTIONS,
    {0},
};

static int take(void *user, int option, const char *value)
{
    struct diff *diff = user;
    int r;

    if (gr_is_subject_option(option))
        return gr_subject_option(&diff->subject, option, value);
    switch (option) {
    case GR_OPT_LIVE:
        diff->live = true;
        return GR_EXIT_OK;
    case GR_OPT_LIVE_RUN_DIR:
        diff->run_dir = value;
        return GR_EXIT_OK;
    case OPT_HOST:
        diff->host = true;
        return GR_EXIT_OK;
    case OPT_STRICT:
        diff->strict = true;
        return GR_EXIT_OK;
    case 'o':
        return gr_output_choose("diff", value, &diff->output);
    case OPT_OLD_OCI:
    case OPT_NEW_OCI:
        r = gr_common_oci_path(&diff->sides[option == OPT_OLD_OCI ? OLD : NEW], value);
        return r == GR_EXIT_OK ? r : EXIT_TROUBLE;
    default:
        r = gr_common_option(&diff->sides[OLD], option, value);
        return r != GR_EXIT_OK ? r : gr_common_option(&diff->sides[NEW], option, value);
    }
}

/* OLD and NEW, of which one with oci-hooks(5) directories may be left out. */
static int take_paths(struct diff *diff, char **paths, int n)
{
    int expected = 0;

    for (int side = OLD; side <= NEW; side++) {
        if (n == 2 || diff->sides[side].oci_dirs_n == 0)
            expected++;
    }
    if (n != expected)
        return gr_usage("diff",
                        "OLD and NEW, two directories or files of rules, or the one without "
                        "oci-hooks directories",
                        n > 0 ? paths[0] : "");
    for (int side = OLD; side <= NEW; side++) {
        struct gr_common *common = &diff->sides[side];

        if ((n == 2 || common->oci_dirs_n == 0) && gr_common_path(common, *paths++) != GR_EXIT_OK)
            return EXIT_TROUBLE;
        gr_common_seal(common);
    }
    return GR_EXIT_OK;
}

/* One side. Returns EXIT_SAME or EXIT_TROUBLE (said on stderr). */
static int load(const struct diff *diff, int side, struct gr_loaded *out_loaded)
{
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);

    if (gr_common_load(&diff->sides[side], GR_STR_NONE, diff->host, &reporter, out_loaded) !=
        GR_EXIT_OK)
        return EXIT_TROUBLE;
    if (printed.errors == 0)
        return EXIT_SAME;
    gr_common_unload(out_loaded);
    return EXIT_TROUBLE;
}

static int decide(const struct gr_loaded *loaded, const struct gr_subject *subject,
                  struct gr_arena *arena, struct gr_diff_side *out_side)
{
    *out_side = (struct gr_diff_side){.loaded = loaded,
                                      .options = gr_settings_decide_options(&loaded->settings)};
    return gr_decide(loaded->load.ruleset, subject, &out_side->options, arena, &out_side->decision);
}

/*
 * The container as it would be created now: what Grapnel has given it is taken off, since the mark
 * of a set would keep it from being decided. Hooks of others stay.
 */
static int as_created(const struct gr_subject *subject, struct gr_arena *arena,
                      struct gr_subject *out_created)
{
    struct gr_oci_hook *hooks = gr_arena_array(arena, subject->hooks_n + 1, sizeof(*hooks));
    size_t n = 0;

    if (!hooks)
        return -ENOMEM;
    for (size_t i = 0; i < subject->hooks_n; i++) {
        if (gr_hook_set_name(&subject->hooks[i]).n == 0)
            hooks[n++] = subject->hooks[i];
    }
    *out_created = *subject;
    out_created->hooks = hooks;
    out_created->hooks_n = n;
    return 0;
}

static int put(struct diff *diff, const struct gr_subject *subject, const struct gr_diff *changes)
{
    char title[1024];

    if (changes->n > changes->unknown)
        diff->changed++;
    else if (changes->n > 0)
        diff->unknown++;
    if (changes->n == 0)
        return 0;
    if (diff->output != GR_OUTPUT_TEXT)
        return json_array_append_new(diff->list, gr_diff_json(subject, changes)) ? -ENOMEM : 0;
    gr_subject_title(subject, title, sizeof(title));
    gr_diff_text(title, changes);
    return 0;
}

static int compare_one(struct diff *diff, const struct gr_subject *subject)
{
    struct gr_diff_side before, after;
    struct gr_subject created;
    struct gr_diff changes = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 64U << 10, 0);
    r = as_created(subject, &arena, &created);
    if (r == 0)
        r = decide(&diff->before, &created, &arena, &before);
    if (r == 0)
        r = decide(&diff->after, &created, &arena, &after);
    if (r == 0)
        r = gr_diff_compare(&before.decision, &after.decision, &arena, &changes);
    if (r == 0)
        r = gr_diff_add_unknown(&before, &after, &created, &arena, &changes);
    if (r == 0)
        r = put(diff, subject, &changes);
    gr_arena_fini(&arena);
    return r;
}

static int finish(const struct diff *diff, size_t compared)
{
    (void)fflush(stdout);
    if (diff->output != GR_OUTPUT_TEXT &&
        gr_document_print("diff",
                          json_pack("{s:I, s:I, s:I, s:O}", "compared", (json_int_t)compared,
                                    "changed", (json_int_t)diff->changed, "unknown",
                                    (json_int_t)diff->unknown, "containers", diff->list),
                          diff->output) != GR_EXIT_OK)
        return EXIT_TROUBLE;
    (void)fprintf(stderr, "%zu of %zu %s would change", diff->changed, compared,
                  compared == 1 ? "container" : "containers");
    if (diff->unknown > 0)
        (void)fprintf(stderr, "; of %zu it cannot be told", diff->unknown);
    (void)fputs("\n", stderr);
    if (diff->changed > 0)
        return EXIT_DIFFERENT;
    return diff->strict && diff->unknown > 0 ? EXIT_UNKNOWN : EXIT_SAME;
}

/* What was done, or why it could not be. */
static int ended(const struct diff *diff, int result, size_t compared)
{
    if (result == 0)
        return finish(diff, compared);
    (void)fputs("grapnel diff: no memory\n", stderr);
    return EXIT_TROUBLE;
}

/* What the flags and documents say. */
static int compare_given(struct diff *diff, struct gr_arena *arena)
{
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_inputs inputs = {0};
    int r = 0;

    if (gr_subject_flags_read(&diff->subject, NULL, arena, &reporter, &inputs) != GR_EXIT_OK)
        return EXIT_TROUBLE;
    for (size_t i = 0; i < inputs.n && r == 0; i++)
        r = compare_one(diff, &inputs.subjects[i]);
    return ended(diff, r, inputs.n);
}

/* What is recorded on this node. */
static int compare_live(struct diff *diff, struct gr_arena *arena)
{
    struct gr_journal_contents contents;
    const struct gr_subject **subjects;
    size_t n = 0;
    int r;

    if (gr_live_load("diff", diff->run_dir, &diff->before.settings, arena, &contents) != GR_EXIT_OK)
        return EXIT_TROUBLE;
    subjects = gr_live_all(&contents, arena, &n);
    r = subjects ? 0 : -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = compare_one(diff, subjects[i]);
    gr_journal_contents_fini(&contents);
    return ended(diff, r, n);
}

/* With both sides loaded. */
static int compare(struct diff *diff)
{
    struct gr_arena arena;
    int code;

    gr_arena_init(&arena, 64U << 10, 0);
    diff->list = json_array();
    code = diff->live ? compare_live(diff, &arena) : compare_given(diff, &arena);
    json_decref(diff->list);
    gr_arena_fini(&arena);
    return code;
}

int gr_verb_diff(int argc, char **argv)
{
    static const struct gr_command_line line = {
        .verb = "diff", .help = help, .letters = "ho:", .options = gr_options_diff, .take = take};
    struct diff diff = {.sides = {{.verb = "diff"}, {.verb = "diff"}}, .subject = {.verb = "diff"}};
    int r = gr_parse_options(&line, argc, argv, &diff);

    if (r != GR_EXIT_OK)
        return r < 0 ? GR_EXIT_OK : r;
    if (diff.live && (diff.subject.given != 0 || diff.subject.from_n > 0))
        return gr_usage("diff", "--live without --from and what else tells of a container",
                        "--live");
    if (diff.run_dir && !diff.live)
        return gr_usage("diff", "--run-dir with --live", diff.run_dir);
    if (!diff.live && diff.subject.given == 0 && diff.subject.from_n == 0)
        return gr_usage("diff", "--live, --from or what else tells of a container, such as --image",
                        "");
    r = take_paths(&diff, argv + optind, argc - optind);
    if (r == GR_EXIT_OK)
        r = load(&diff, OLD, &diff.before);
    if (r != EXIT_SAME)
        return r;
    r = load(&diff, NEW, &diff.after);
    if (r == EXIT_SAME) {
        r = compare(&diff);
        gr_common_unload(&diff.after);
    }
    gr_common_unload(&diff.before);
    return r;
}
