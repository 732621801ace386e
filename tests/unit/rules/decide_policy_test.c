/* SPDX-License-Identifier: Apache-2.0 */
/* rules/decide: exemptions, required sets, skipped stages, limits of a policy. */
#include "deciding.h"
#include "answering.h"

static void init(struct rig *rig)
{
    memset(&answers, 0, sizeof(answers));
    rig_init(rig);
}

static struct gr_hookset *add_with_hook(struct rig *rig, const char *name, enum gr_stage stage)
{
    struct gr_hookset *set = rig_add(rig, name, make_always(true));

    make_hook(&rig->rules_arena, set, stage, "/opt/h", NULL, NULL);
    return set;
}

/* ---- exemptions ---- */

static void expect_exempt(struct rig *rig, bool exempt)
{
    const struct gr_decision *d = rig_decide(rig);

    assert_int_equal(d->exempt, exempt);
    assert_int_equal(d->refuse, !exempt);
    assert_int_equal(d->hooks_n + d->adjust_n, 0);
    assert_int_equal(d->results_n, exempt ? 0 : 2);
    assert_int_equal(d->objections_n, exempt ? 0 : 1);
}

/* Nothing is injected and nothing refused, whatever there is: a blocked set, a required one that is
 * missing. */
static void exempt(void **state)
{
    static const struct gr_str required[] = {TEXT("absent")};
    struct rig rig;

    (void)state;
    init(&rig);
    add_with_hook(&rig, "tap", GR_STAGE_POSTSTOP);
    add_with_hook(&rig, "broken", GR_STAGE_POSTSTOP)->blocked = GR_STR("why");
    rig.options.required_sets = (struct gr_strs){required, 1};
    expect_exempt(&rig, false);
    answers.exempt = "prod";
    expect_exempt(&rig, true);
    rig.subject.pod_namespace = GR_STR("prod2");
    expect_exempt(&rig, false);
    rig.options.own_namespace = GR_STR("prod2");
    expect_exempt(&rig, true);
    rig.options.own_namespace = GR_STR("prod");
    expect_exempt(&rig, false);
    rig_fini(&rig);
}

/* A namespace that is not known is no exempt one, and neither is an empty one. */
static void exempt_unknown(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    add_with_hook(&rig, "tap", GR_STAGE_POSTSTOP);
    answers.exempt = "prod";
    rig.options.own_namespace = GR_STR("prod");
    rig.subject.unknown_fields = 1U << GR_FIELD_NAMESPACE;
    assert_false(rig_decide(&rig)->exempt);
    assert_int_equal(rig.decision.hooks_n, 1);
    rig.options.own_namespace = GR_STR_NONE;
    rig.subject.unknown_fields = 0;
    rig.subject.pod_namespace = GR_STR_NONE;
    assert_false(rig_decide(&rig)->exempt);
    rig_fini(&rig);
}

/* ---- namespaces in which nothing is refused ---- */

static void never_fail(void **state)
{
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    init(&rig);
    add_with_hook(&rig, "blocked", GR_STAGE_POSTSTOP)->blocked = GR_STR("why");
    set = rig_add(&rig, "unknown",
                  make_leaf(&rig.rules_arena, GR_FIELD_POD_LABELS, "k", make_exact("v")));
    set->on_unknown = GR_UNKNOWN_FAIL;
    add_with_hook(&rig, "good", GR_STAGE_POSTSTOP);
    rig.subject.unknown_fields = 1U << GR_FIELD_POD_LABELS;
    assert_true(rig_decide(&rig)->refuse);
    answers.never_fail = "prod";
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.hooks_n, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rig.decision.results[i].verdict, GR_VERDICT_IGNORED);
        expect_in(rig.decision.results[i].reason, "nothing is refused in this namespace");
    }
    expect_in(rig.decision.results[0].reason, "it is blocked: why; ");
    expect_in(rig.decision.results[1].reason, "podLabels");
    rig.subject.unknown_fields |= 1U << GR_FIELD_NAMESPACE;
    assert_true(rig_decide(&rig)->refuse);
    rig_fini(&rig);
}

/* ---- required sets ---- */

enum lack { NONE, ABSENT, OTHER_NODE, OBSERVES, BLOCKED, IGNORES };

struct required_row {
    const char *name;
    enum lack lack;
    const char *reason; /* NULL: it is in force */
};

static const struct required_row required_rows[] = {
    {"in force", NONE, NULL},
    {"its own failurePolicy does not matter while it is in force", IGNORES, NULL},
    {"absent", ABSENT, "the required HookSet need is not in force: there is no valid one"},
    {"other node", OTHER_NODE, "not in force: its nodes do not include this one"},
    {"observes", OBSERVES, "not in force: its mode is Observe"},
    {"blocked", BLOCKED, "not in force: it is blocked: no program"},
};

/* The set does not even match: that it is not in force is enough. */
static void required(void **state)
{
    static const struct gr_str names[] = {TEXT("other"), TEXT("need")};
    const struct required_row *row = *state;
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    init(&rig);
    (void)rig_add(&rig, "other", make_always(false));
    set = rig_add(&rig, row->lack == ABSENT ? "needs" : "need", make_always(false));
    set->other_node = row->lack == OTHER_NODE;
    set->mode = row->lack == OBSERVES ? GR_MODE_OBSERVE : GR_MODE_ENFORCE;
    set->failure_policy = row->lack == NONE ? GR_FAIL : GR_IGNORE;
    if (row->lack == BLOCKED)
        set->blocked = GR_STR("no program");
    rig.options.required_sets = (struct gr_strs){names, 2};
    d = rig_decide(&rig);
    assert_int_equal(d->refuse, row->reason != NULL);
    assert_int_equal(d->objections_n, row->reason ? 1 : 0);
    if (row->reason) {
        assert_int_equal(d->objections[0].kind, GR_OBJECTION_REQUIRED);
        assert_int_equal(d->objections[0].verdict, GR_VERDICT_REFUSED);
        assert_str(d->objections[0].set, "need");
        expect_in(d->objections[0].reason, row->reason);
        expect_in(d->refusal, "grapnel: container web of pod prod/web-0 is refused: the required");
        answers.never_fail = "prod";
        d = rig_decide(&rig);
        assert_false(d->refuse);
        assert_int_equal(d->objections[0].verdict, GR_VERDICT_IGNORED);
        expect_in(d->objections[0].reason, "nothing is refused in this namespace");
    }
    rig_fini(&rig);
}

/* A pod can bring an error about: a required set is not ignored then, whatever it says itself. */
static void required_fails(void **state)
{
    static const char *const args[] = {"h", "{{annotation \"none\"}}", NULL};
    static const struct gr_str names[] = {TEXT("tap")};
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    set->failure_policy = GR_IGNORE;
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", args, NULL);
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_IGNORED);
    rig.options.required_sets = (struct gr_strs){names, 1};
    assert_true(rig_decide(&rig)->refuse);
    expect_in(rig.decision.refusal, "HookSet tap ");
    rig_fini(&rig);
}

/* ---- stages that a runtime handler does not run ---- */

static void skipped_stages(void **state)
{
    static const char *const bad[] = {"h", "{{annotation \"none\"}}", NULL};
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    init(&rig);
    set = add_with_hook(&rig, "some", GR_STAGE_PRESTART);
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    set = rig_add(&rig, "none", make_always(true));
    /* What is left out is not filled in either. */
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/opt/h", bad, NULL);
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTART, "/opt/h", bad, NULL);
    set->mode = GR_MODE_ENFORCE;
    (void)add_with_hook(&rig, "untouched", GR_STAGE_CREATE_RUNTIME);
    answers.handler = "runc";
    answers.skipped_stages = GR_STAGE_BIT(GR_STAGE_PRESTART) | GR_STAGE_BIT(GR_STAGE_POSTSTART);
    d = rig_decide(&rig);
    assert_false(d->refuse);
    assert_int_equal(d->hooks_n, 2);
    assert_int_equal(d->hooks[0].stage, GR_STAGE_CREATE_RUNTIME);
    assert_int_equal(d->hooks[1].stage, GR_STAGE_POSTSTOP);
    assert_int_equal(d->results[0].verdict, GR_VERDICT_INJECTED);
    assert_str(d->results[0].reason,
               "1 of its hooks are left out for this runtime handler by a policy");
    assert_int_equal(d->results[1].verdict, GR_VERDICT_SKIPPED);
    expect_in(d->results[1].reason, "leaves all its hooks out");
    assert_int_equal(d->results[2].verdict, GR_VERDICT_INJECTED);
    assert_int_equal(d->results[2].reason.n, 0);
    /* Another handler, or one that is not known: nothing is left out, and the fault shows. */
    rig.subject.unknown_fields = 1U << GR_FIELD_RUNTIME_HANDLER;
    assert_true(rig_decide(&rig)->refuse);
    rig.subject.unknown_fields = 0;
    rig.subject.runtime_handler = GR_STR("kata");
    assert_true(rig_decide(&rig)->refuse);
    rig_fini(&rig);
}

/* ---- limits ---- */

static void add_three(struct rig *rig)
{
    struct gr_hookset *set = add_with_hook(rig, "a", GR_STAGE_PRESTART);

    make_hook(&rig->rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    (void)add_with_hook(rig, "b", GR_STAGE_START_CONTAINER);
}

static void hooks_limit(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    add_three(&rig);
    answers.hooks_max = 3;
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.hooks_n, 3);
    answers.hooks_max = 2;
    assert_true(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_INJECTED);
    expect_in(rig.decision.refusal, "HookSet b ");
    expect_in(rig.decision.refusal, "with it the container would have 3 hooks from Grapnel; the "
                                    "policy /etc/grapnel/policy.yaml:2 allows 2");
    answers.never_fail = "prod";
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.hooks_n, 2);
    rig_fini(&rig);
}

/* Only what would exceed the limit fails; what comes behind it and fits is injected. */
static void hooks_limit_ignored(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    (void)add_with_hook(&rig, "first", GR_STAGE_POSTSTOP);
    add_three(&rig);
    rig.sets[1].failure_policy = GR_IGNORE;
    answers.hooks_max = 2;
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.hooks_n, 2);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_INJECTED);
    assert_int_equal(rig.decision.results[1].verdict, GR_VERDICT_IGNORED);
    assert_int_equal(rig.decision.results[2].verdict, GR_VERDICT_INJECTED);
    rig_fini(&rig);
}

static void timeout_limit(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    add_three(&rig); /* 10 s each, one of them behind startContainer */
    answers.create_timeout_max = 20;
    assert_false(rig_decide(&rig)->refuse);
    answers.create_timeout_max = 19;
    assert_true(rig_decide(&rig)->refuse);
    expect_in(rig.decision.refusal, "HookSet b ");
    expect_in(rig.decision.refusal, "up to startContainer would be 20 s; the policy "
                                    "/etc/grapnel/policy.yaml:2 allows 19");
    rig_fini(&rig);
}

/* Hooks of other instances count, those of others do not. Observing counts nothing. */
static void limits_count_ours(void **state)
{
    struct gr_str mark = GR_STR("GRAPNEL_HOOKSET=old@0");
    struct gr_oci_hook existing[] = {
        {.path = GR_STR("/x")},
        {.path = GR_STR("/y"), .env = {&mark, 1}, .has_timeout = true, .timeout_s = INT64_MAX},
    };
    struct rig rig;

    (void)state;
    init(&rig);
    (void)add_with_hook(&rig, "a", GR_STAGE_PRESTART);
    add_with_hook(&rig, "b", GR_STAGE_PRESTART)->mode = GR_MODE_OBSERVE;
    rig.subject.hooks = existing;
    rig.subject.hooks_n = 2;
    answers.hooks_max = 2;
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.results[1].verdict, GR_VERDICT_OBSERVED);
    expect_in(rig.decision.results[1].reason, "would have refused the container: with it");
    answers.hooks_max = 1;
    assert_true(rig_decide(&rig)->refuse);
    answers.hooks_max = 0;
    answers.create_timeout_max = UINT32_MAX;
    assert_true(rig_decide(&rig)->refuse);
    existing[1].timeout_s = -5;
    answers.create_timeout_max = 10;
    assert_false(rig_decide(&rig)->refuse);
    rig_fini(&rig);
}

int main(void)
{
    test_add("exempt namespaces", exempt);
    test_add("an unknown namespace is not exempt", exempt_unknown);
    test_add("never fail", never_fail);
    TEST_ADD_ROWS(required, required_rows);
    test_add("a required set fails", required_fails);
    test_add("skipped stages", skipped_stages);
    test_add("hooks of a container", hooks_limit);
    test_add("hooks of a container, Ignore", hooks_limit_ignored);
    test_add("timeouts up to startContainer", timeout_limit);
    test_add("what the limits count", limits_count_ours);
    return test_run("decide_policy");
}
