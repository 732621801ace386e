/* SPDX-License-Identifier: Apache-2.0 */
/* What gr_decide makes of matches: verdicts, order, the refusal. */
#include "deciding.h"

#include <errno.h>

#include "base/utf8.h"

/* A match of each result. */
static struct gr_cond match_of(struct rig *rig, enum gr_truth truth)
{
    if (truth == GR_TRUE || truth == GR_FALSE)
        return make_always(truth == GR_TRUE);
    if (truth == GR_UNKNOWN)
        return make_leaf(&rig->rules_arena, GR_FIELD_IMAGE, NULL,
                         make_image(&rig->rules_arena, "nginx@sha256:*"));
    return (struct gr_cond){.kind = GR_COND_UNREADABLE};
}

/* ---- the verdicts ---- */

enum twist {
    PLAIN,
    BLOCKED,
    MARKED,      /* its mark is on a hook */
    NO_VALUE,    /* a template without its value */
    ALL_PRESENT, /* its hook is there without a mark */
};

struct verdict_row {
    const char *name;
    enum gr_truth truth;
    enum twist twist;
    enum gr_mode mode;
    enum gr_failure_policy policy;
    enum gr_on_unknown on_unknown;
    enum gr_verdict verdict;
    const char *reason;
};

#define ENF GR_MODE_ENFORCE
#define OBS GR_MODE_OBSERVE
#define SKIP GR_UNKNOWN_SKIP
#define INJ GR_UNKNOWN_INJECT
#define UFAIL GR_UNKNOWN_FAIL

static const struct verdict_row verdict_rows[] = {
    {"true", GR_TRUE, PLAIN, ENF, GR_FAIL, SKIP, GR_VERDICT_INJECTED, ""},
    {"true, Ignore", GR_TRUE, PLAIN, ENF, GR_IGNORE, UFAIL, GR_VERDICT_INJECTED, ""},
    {"true, Observe", GR_TRUE, PLAIN, OBS, GR_FAIL, SKIP, GR_VERDICT_OBSERVED,
     "would have been injected"},
    {"unknown, Skip", GR_UNKNOWN, PLAIN, ENF, GR_FAIL, SKIP, GR_VERDICT_SKIPPED,
     "onUnknown is Skip"},
    {"unknown, Skip, Ignore", GR_UNKNOWN, PLAIN, ENF, GR_IGNORE, SKIP, GR_VERDICT_SKIPPED,
     "onUnknown is Skip"},
    {"unknown, Skip, Observe", GR_UNKNOWN, PLAIN, OBS, GR_FAIL, SKIP, GR_VERDICT_SKIPPED,
     "onUnknown is Skip"},
    {"unknown, Inject", GR_UNKNOWN, PLAIN, ENF, GR_FAIL, INJ, GR_VERDICT_INJECTED,
     "onUnknown is Inject"},
    {"unknown, Inject, Observe", GR_UNKNOWN, PLAIN, OBS, GR_FAIL, INJ, GR_VERDICT_OBSERVED,
     "would have been injected"},
    {"unknown, Fail", GR_UNKNOWN, PLAIN, ENF, GR_FAIL, UFAIL, GR_VERDICT_REFUSED,
     "(line 7: image), and onUnknown is Fail"},
    {"unknown, Fail, Ignore", GR_UNKNOWN, PLAIN, ENF, GR_IGNORE, UFAIL, GR_VERDICT_REFUSED,
     "onUnknown is Fail"},
    {"unknown, Fail, Observe", GR_UNKNOWN, PLAIN, OBS, GR_FAIL, UFAIL, GR_VERDICT_OBSERVED,
     "would have refused the container: whether it matches"},
    {"error, Fail", GR_ERROR, PLAIN, ENF, GR_FAIL, SKIP, GR_VERDICT_REFUSED, "not completed"},
    {"error, Ignore", GR_ERROR, PLAIN, ENF, GR_IGNORE, UFAIL, GR_VERDICT_IGNORED, "not completed"},
    {"error, Observe", GR_ERROR, PLAIN, OBS, GR_FAIL, SKIP, GR_VERDICT_OBSERVED,
     "would have refused the container: matching was not completed"},
    {"error, Ignore, Observe", GR_ERROR, PLAIN, OBS, GR_IGNORE, SKIP, GR_VERDICT_IGNORED,
     "not completed"},
    {"blocked, Fail", GR_TRUE, BLOCKED, ENF, GR_FAIL, SKIP, GR_VERDICT_REFUSED,
     "it is blocked: /opt/x is writable by others"},
    {"blocked, Ignore", GR_TRUE, BLOCKED, ENF, GR_IGNORE, SKIP, GR_VERDICT_IGNORED,
     "it is blocked: /opt/x is writable by others"},
    {"blocked, Observe", GR_TRUE, BLOCKED, OBS, GR_FAIL, SKIP, GR_VERDICT_OBSERVED,
     "would have refused the container: it is blocked"},
    {"blocked, unknown, Skip", GR_UNKNOWN, BLOCKED, ENF, GR_FAIL, SKIP, GR_VERDICT_SKIPPED,
     "onUnknown is Skip"},
    {"blocked, unknown, Inject", GR_UNKNOWN, BLOCKED, ENF, GR_FAIL, INJ, GR_VERDICT_REFUSED,
     "it is blocked"},
    {"blocked, unknown, Inject, Ignore", GR_UNKNOWN, BLOCKED, ENF, GR_IGNORE, INJ,
     GR_VERDICT_IGNORED, "it is blocked"},
    {"blocked, unknown, Fail", GR_UNKNOWN, BLOCKED, ENF, GR_IGNORE, UFAIL, GR_VERDICT_REFUSED,
     "onUnknown is Fail"},
    {"no value, Fail", GR_TRUE, NO_VALUE, ENF, GR_FAIL, SKIP, GR_VERDICT_REFUSED, "is absent"},
    {"no value, Ignore", GR_TRUE, NO_VALUE, ENF, GR_IGNORE, SKIP, GR_VERDICT_IGNORED, "is absent"},
    {"no value, Observe", GR_TRUE, NO_VALUE, OBS, GR_FAIL, SKIP, GR_VERDICT_OBSERVED,
     "would have refused the container: args[1]"},
    {"marked", GR_TRUE, MARKED, ENF, GR_FAIL, SKIP, GR_VERDICT_ALREADY, "its mark"},
    {"marked, Observe", GR_TRUE, MARKED, OBS, GR_FAIL, SKIP, GR_VERDICT_ALREADY, "its mark"},
    {"marked, unknown, Fail", GR_UNKNOWN, MARKED, ENF, GR_FAIL, UFAIL, GR_VERDICT_ALREADY,
     "its mark"},
    {"marked, error", GR_ERROR, MARKED, ENF, GR_FAIL, SKIP, GR_VERDICT_ALREADY, "its mark"},
    {"all present", GR_TRUE, ALL_PRESENT, ENF, GR_FAIL, SKIP, GR_VERDICT_ALREADY,
     "all its hooks are on the container already"},
    {"all present, Observe", GR_TRUE, ALL_PRESENT, OBS, GR_FAIL, SKIP, GR_VERDICT_ALREADY,
     "all its hooks"},
};

static void verdicts(void **state)
{
    static const char *const plain[] = {"h", "-x", NULL};
    static const char *const needing[] = {"h", "{{annotation \"none\"}}", NULL};
    const struct verdict_row *row = *state;
    struct gr_str env[] = {GR_STR("A=b"), GR_STR("GRAPNEL_HOOKSET=tap@ffff")};
    struct gr_str args[] = {GR_STR("h"), GR_STR("-x")};
    struct gr_oci_hook existing = {.stage = GR_STAGE_POSTSTART,
                                   .path = GR_STR("/opt/h"),
                                   .args = {args, 2},
                                   .has_timeout = true,
                                   .timeout_s = 10};
    bool injected = row->verdict == GR_VERDICT_INJECTED;
    bool refused = row->verdict == GR_VERDICT_REFUSED;
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    rig_init(&rig);
    set = rig_add(&rig, "tap", match_of(&rig, row->truth));
    set->mode = row->mode;
    set->failure_policy = row->policy;
    set->on_unknown = row->on_unknown;
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTART, "/opt/h",
              row->twist == NO_VALUE ? needing : plain, NULL);
    if (row->twist == BLOCKED)
        set->blocked = GR_STR("/opt/x is writable by others");
    if (row->twist == MARKED)
        existing.env = (struct gr_strs){env, 2};
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = row->twist == MARKED || row->twist == ALL_PRESENT;

    d = rig_decide(&rig);
    assert_int_equal(d->results_n, 1);
    assert_ptr_equal(d->results[0].set, gr_ruleset_at(rig.rules, 0));
    assert_int_equal(d->results[0].truth, row->truth);
    assert_string_equal(gr_verdict_name(d->results[0].verdict), gr_verdict_name(row->verdict));
    if (row->reason[0])
        expect_in(d->results[0].reason, row->reason);
    else
        assert_int_equal(d->results[0].reason.n, 0);
    assert_int_equal(d->refuse, refused);
    assert_int_equal(d->refusal.n > 0, refused);
    if (refused)
        expect_in(d->refusal, row->reason);
    assert_int_equal(d->hooks_n, injected);
    rig_fini(&rig);
}

static void false_has_no_result(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_add(&rig, "tap", match_of(&rig, GR_FALSE));
    rig_add(&rig, "elsewhere", make_always(true))->other_node = true;
    assert_int_equal(rig_decide(&rig)->results_n, 0);
    assert_int_equal(rig.decision.hooks_n, 0);
    assert_false(rig.decision.refuse);
    rig_fini(&rig);
}

static void verdict_names(void **state)
{
    (void)state;
    assert_string_equal(gr_verdict_name(GR_VERDICT_INJECTED), "injected");
    assert_string_equal(gr_verdict_name(GR_VERDICT_OBSERVED), "observed");
    assert_string_equal(gr_verdict_name(GR_VERDICT_ALREADY), "already");
    assert_string_equal(gr_verdict_name(GR_VERDICT_SKIPPED), "skipped");
    assert_string_equal(gr_verdict_name(GR_VERDICT_IGNORED), "ignored");
    assert_string_equal(gr_verdict_name(GR_VERDICT_REFUSED), "refused");
}

/* ---- what is injected ---- */

/* Stage by stage, in it the order of the sets, in them that of the list. */
static void order_of_hooks(void **state)
{
    static const char *const expected[] = {"/pre/b",  "/pre/a",  "/run/b1", "/run/b2",
                                           "/run/a1", "/run/a2", "/stop/a"};
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set = rig_add(&rig, "a", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/stop/a", NULL, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_CREATE_RUNTIME, "/run/a1", NULL, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_CREATE_RUNTIME, "/run/a2", NULL, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/pre/a", NULL, NULL);
    set = rig_add(&rig, "skipped", match_of(&rig, GR_UNKNOWN));
    set->order = 20;
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/pre/skipped", NULL, NULL);
    set = rig_add(&rig, "b", make_always(true));
    set->order = 10;
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/pre/b", NULL, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_CREATE_RUNTIME, "/run/b1", NULL, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_CREATE_RUNTIME, "/run/b2", NULL, NULL);
    d = rig_decide(&rig);
    assert_int_equal(d->hooks_n, GR_ARRAY_LEN(expected));
    for (size_t i = 0; i < d->hooks_n; i++)
        assert_str(d->hooks[i].path, expected[i]);
    assert_str(d->results[0].set->name, "b");
    assert_str(d->results[1].set->name, "skipped");
    assert_str(d->results[2].set->name, "a");
    rig_fini(&rig);
}

/* One bad element takes the whole set along, and no other. */
static void whole_or_not_at_all(void **state)
{
    static const char *const bad[] = {"h", "{{annotation \"none\"}}", NULL};
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    set->failure_policy = GR_IGNORE;
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/opt/good", NULL, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/bad", NULL, bad);
    set = rig_add(&rig, "other", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/other", NULL, NULL);
    d = rig_decide(&rig);
    assert_false(d->refuse);
    assert_int_equal(d->hooks_n, 1);
    assert_str(d->hooks[0].path, "/opt/other");
    rig_fini(&rig);
}

/* ---- the refusal ---- */

static void refusal_in_full(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig_add(&rig, "first", make_always(true))->blocked = GR_STR("/opt/x does not exist");
    make_hook(&rig.rules_arena, rig_add(&rig, "good", make_always(true)), GR_STAGE_POSTSTOP,
              "/opt/h", NULL, NULL);
    assert_str(rig_decide(&rig)->refusal,
               "grapnel: HookSet first (/etc/grapnel/hooks.d/10-test.yaml:3) refuses container web "
               "of pod prod/web-0: it is blocked: /opt/x does not exist");
    assert_true(rig.decision.refuse);
    assert_int_equal(rig.decision.hooks_n, 0);
    assert_int_equal(rig.decision.results_n, 2);
    assert_int_equal(rig.decision.results[1].verdict, GR_VERDICT_INJECTED);
    rig_fini(&rig);
}

/* Not every source of containers knows all names. */
static void refusal_without_names(void **state)
{
    static const struct {
        const char *name, *pod, *namespace_, *text;
    } rows[] = {
        {"web", "", "", "refuses container web: it"},
        {"", "web-0", "", "refuses a container of pod web-0: it"},
        {"", "", "prod", "refuses a container of namespace prod: it"},
        {"web", "web-0", "", "refuses container web of pod web-0: it"},
        {"web", "", "prod", "refuses container web of namespace prod: it"},
        {"", "", "", "refuses a container: it"},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct rig rig;

        rig_init(&rig);
        rig_add(&rig, "first", make_always(true))->blocked = GR_STR("why");
        rig.subject.name = gr_str_from(rows[i].name);
        rig.subject.pod_name = gr_str_from(rows[i].pod);
        rig.subject.pod_namespace = gr_str_from(rows[i].namespace_);
        expect_in(rig_decide(&rig)->refusal, rows[i].text);
        rig_fini(&rig);
    }
}

/* make_leaf has no line. */
static struct gr_cond at_line(struct gr_cond cond, uint32_t line)
{
    cond.line = line;
    return cond;
}

/* any: [{podName: a, FIRST}, {namespace: prod, SECOND}]: the first branch is false by its name. */
static struct gr_cond of_two_branches(struct gr_arena *arena, struct gr_cond first,
                                      struct gr_cond second)
{
    struct gr_cond pod = make_leaf(arena, GR_FIELD_POD_NAME, NULL, make_exact("a"));
    struct gr_cond other = make_leaf(arena, GR_FIELD_NAMESPACE, NULL, make_exact("prod"));
    struct gr_cond one[] = {pod, at_line(first, 7)}, two[] = {other, at_line(second, 8)};
    struct gr_cond branches[] = {make_node(arena, GR_COND_ALL, one, 2),
                                 make_node(arena, GR_COND_ALL, two, 2)};

    return make_node(arena, GR_COND_ANY, branches, 2);
}

/* What is below a condition that decides the other way is not to blame. */
static void unknown_names_its_condition(void **state)
{
    struct gr_cond image, command;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    image = match_of(&rig, GR_UNKNOWN);
    command = make_leaf(&rig.rules_arena, GR_FIELD_COMMAND, NULL, make_exact("sh"));
    rig_add(&rig, "tap", of_two_branches(&rig.rules_arena, image, command))->on_unknown =
        GR_UNKNOWN_FAIL;
    rig.subject.unknown_fields = 1U << GR_FIELD_COMMAND;
    assert_str(rig_decide(&rig)->refusal,
               "grapnel: HookSet tap (/etc/grapnel/hooks.d/10-test.yaml:3) refuses container web "
               "of pod prod/web-0: whether it matches cannot be told here (line 8: command), and "
               "onUnknown is Fail");
    rig_fini(&rig);
}

static void error_names_its_condition(void **state)
{
    struct gr_cond handler, label;
    struct gr_arena *arena;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    arena = &rig.rules_arena;
    rig.subject.runtime_handler = GR_STR("\377");
    rig.subject.runtime = GR_STR("\377");
    handler = make_leaf(arena, GR_FIELD_RUNTIME_HANDLER, NULL, make_regex(arena, "a+b", false));
    label = make_leaf(arena, GR_FIELD_RUNTIME, NULL, make_regex(arena, "a+b", false));
    (void)rig_add(&rig, "tap", of_two_branches(arena, handler, label));
    expect_in(rig_decide(&rig)->refusal,
              "web-0: matching was not completed (line 8: runtime): it is no text, or too much "
              "work for a regex");
    rig_fini(&rig);
}

/* The set says which version it is for; without that its condition is named. */
static void error_of_a_later_version(void **state)
{
    struct gr_cond later = {.kind = GR_COND_UNREADABLE};

    (void)state;
    for (int blocked = 0; blocked <= 1; blocked++) {
        struct gr_hookset *set;
        struct rig rig;

        rig_init(&rig);
        set = rig_add(&rig, "tap", of_two_branches(&rig.rules_arena, later, later));
        if (blocked)
            set->blocked = GR_STR("it needs Grapnel 9.0 or later, this is 0.1.0");
        expect_in(rig_decide(&rig)->refusal,
                  blocked ? "web-0: it is blocked: it needs Grapnel 9.0 or later, this is 0.1.0"
                          : "web-0: matching was not completed (line 8: a condition that this "
                            "version does not know)");
        rig_fini(&rig);
    }
}

static void several_refuse(void **state)
{
    for (size_t n = 2; n <= 3; n++) {
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_add(&rig, "a", make_always(true))->blocked = GR_STR("why a");
        rig_add(&rig, "b", make_always(true))->blocked = GR_STR("why b");
        if (n == 3)
            rig_add(&rig, "c", match_of(&rig, GR_ERROR));
        expect_in(rig_decide(&rig)->refusal, "HookSet a ");
        expect_in(rig.decision.refusal,
                  n == 2 ? "why a; 1 more set refuses it too" : "why a; 2 more sets refuse it too");
        rig_fini(&rig);
    }
}

/* Whatever the names are, the text stays printable and short. */
static void refusal_is_bounded(void **state)
{
    static char text[5000];
    struct rig rig;

    (void)state;
    memset(text, '\x1b', sizeof(text));
    memset(text + 100, '\xC3', 1000);
    rig_init(&rig);
    rig_add(&rig, "tap", make_always(true))->blocked = (struct gr_str){text, sizeof(text)};
    rig.sets[0].file = (struct gr_str){text, sizeof(text)};
    rig.subject.name = (struct gr_str){text, sizeof(text)};
    rig.subject.pod_name = (struct gr_str){text, sizeof(text)};
    rig.subject.pod_namespace = (struct gr_str){text, sizeof(text)};
    assert_true(rig_decide(&rig)->refuse);
    assert_in_range(rig.decision.refusal.n, 500, 1536);
    assert_true(gr_utf8_is_clean(rig.decision.refusal));
    for (size_t i = 0; i < rig.decision.refusal.n; i++)
        assert_true((unsigned char)rig.decision.refusal.p[i] >= 0x20);
    rig_fini(&rig);
}

/* ---- the rule set itself ---- */

static void duplicate_names(void **state)
{
    struct gr_ruleset *rules = NULL;
    struct gr_hookset sets[3];
    struct gr_err err = {0};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    sets[0] = make_hookset(&arena, "same", make_always(true));
    sets[1] = make_hookset(&arena, "other", make_always(true));
    sets[2] = make_hookset(&arena, "same", make_always(true));
    sets[2].document = 1;
    sets[2].line = 30;
    sets[2].other_node = true;
    assert_int_equal(gr_ruleset_new(&arena, sets, 3, NULL, &rules, &err), -EEXIST);
    assert_null(rules);
    assert_string_equal(err.code, "duplicate-name");
    assert_int_equal(err.line, 30);
    assert_string_equal(err.file, "/etc/grapnel/hooks.d/10-test.yaml");
    assert_non_null(strstr(err.text, "/etc/grapnel/hooks.d/10-test.yaml:3"));
    assert_null(arena.blocks);
}

static void references(void **state)
{
    struct gr_hookset sets[2];
    struct gr_ruleset *rules;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    sets[0] = make_hookset(&arena, "b", make_always(true));
    sets[1] = make_hookset(&arena, "a", make_always(true));
    sets[1].order = 1;
    rules = make_ruleset(&arena, sets, 2);
    assert_null(arena.blocks);
    assert_int_equal(gr_ruleset_count(rules), 2);
    assert_ptr_equal(gr_ruleset_ref(rules), rules);
    gr_ruleset_unref(rules);
    assert_str(gr_ruleset_at(rules, 0)->name, "a");
    assert_str(gr_ruleset_at(rules, 1)->name, "b");
    gr_ruleset_unref(rules);
    gr_ruleset_unref(NULL);
}

/* A pod chooses how many annotations there are, a rule how often they are looked through. */
static void templates_spend_the_budget(void **state)
{
    enum { ENTRIES = 40000, ARGS = 30, HOOKS = 10 };
    struct gr_kv *entries = calloc(ENTRIES, sizeof(*entries));
    const char *args[ARGS + 1];

    (void)state;
    assert_non_null(entries);
    args[0] = "x";
    for (size_t i = 1; i < ARGS; i++)
        args[i] = "{{annotation \"wanted\" \"\"}}";
    args[ARGS] = NULL;
    for (size_t n = ENTRIES / 16; n <= ENTRIES; n *= 16) {
        struct gr_hookset *set;
        struct rig rig;

        for (size_t i = 0; i < n; i++)
            entries[i] = (struct gr_kv){GR_STR("other"), GR_STR("")};
        rig_init(&rig);
        set = rig_add(&rig, "tap", make_always(true));
        set->failure_policy = GR_FAIL;
        for (size_t i = 0; i < HOOKS; i++)
            make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", args, NULL);
        rig.subject.pod_annotations = (struct gr_kvs){.items = entries, .n = n};
        assert_int_equal(rig_decide(&rig)->refuse, n == ENTRIES);
        if (n == ENTRIES)
            expect_in(rig.decision.results[0].reason, "may cause is used up");
        rig_fini(&rig);
    }
    free(entries);
}

/* Against letters and "!x" no budget is enough. */
static struct gr_hookset *add_costly(struct rig *rig, const char *name)
{
    struct gr_arena *arena = &rig->rules_arena;
    struct gr_hookset *set = rig_add(
        rig, name,
        make_leaf(arena, GR_FIELD_POD_NAME, NULL, make_regex(arena, "(?:[a-z]+)*x", false)));

    make_hook(arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    return set;
}

/* A set whose expression a pod drives to its worst takes no other one out of force, and one that is
 * only tried goes last. */
static void costly_sets_harm_no_others(void **state)
{
    static const char *const args[] = {"x", "{{.PodNamespace}}", NULL};
    static const char pod[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!x";
    struct gr_hookset *tried, *ignoring, *plain;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    tried = add_costly(&rig, "tried");
    tried->mode = GR_MODE_OBSERVE;
    tried->order = 1;
    ignoring = add_costly(&rig, "ignoring");
    ignoring->failure_policy = GR_IGNORE;
    ignoring->order = 2;
    plain = rig_add(&rig, "plain", make_always(true));
    plain->failure_policy = GR_FAIL;
    plain->order = 3;
    make_hook(&rig.rules_arena, plain, GR_STAGE_POSTSTOP, "/opt/h", args, NULL);
    rig.subject.pod_name = GR_STR(pod);
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.hooks_n, 1);
    assert_int_equal(rig.decision.results_n, 3);
    assert_str(rig.decision.results[1].reason, "matching was not completed: the work that one "
                                               "container may cause is used up");
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_OBSERVED);
    assert_int_equal(rig.decision.results[1].verdict, GR_VERDICT_IGNORED);
    assert_int_equal(rig.decision.results[2].verdict, GR_VERDICT_INJECTED);
    rig_fini(&rig);
}

int main(void)
{
    TEST_ADD_ROWS(verdicts, verdict_rows);
    test_add("false has no result", false_has_no_result);
    test_add("verdict names", verdict_names);
    test_add("order of hooks", order_of_hooks);
    test_add("whole or not at all", whole_or_not_at_all);
    test_add("templates spend the budget", templates_spend_the_budget);
    test_add("costly sets harm no others", costly_sets_harm_no_others);
    test_add("refusal in full", refusal_in_full);
    test_add("refusal without names", refusal_without_names);
    test_add("unknown names its condition", unknown_names_its_condition);
    test_add("error names its condition", error_names_its_condition);
    test_add("error of a later version", error_of_a_later_version);
    test_add("several refuse", several_refuse);
    test_add("refusal is bounded", refusal_is_bounded);
    test_add("duplicate names", duplicate_names);
    test_add("references", references);
    return test_run("decide");
}
