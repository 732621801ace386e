/* SPDX-License-Identifier: Apache-2.0 */
/* rules/decide: sets that are paused or tripped. */
#include "deciding.h"
#include "answering.h"

#include "rules/adjust.h"

#define NOW 1000000

static struct gr_suspension pause_of(const char *set)
{
    return (struct gr_suspension){.set = gr_str_from(set),
                                  .kind = GR_PAUSED,
                                  .by = GR_STR("uid 0"),
                                  .since_s = NOW - 5,
                                  .reason = GR_STR("maintenance")};
}

static struct gr_suspension trip_of(const char *set)
{
    return (struct gr_suspension){.set = gr_str_from(set),
                                  .kind = GR_TRIPPED,
                                  .by = GR_STR("breaker"),
                                  .since_s = NOW - 5,
                                  .reason = GR_STR("5 failed runs within 60 s")};
}

static void init(struct rig *rig)
{
    memset(&answers, 0, sizeof(answers));
    rig_init(rig);
    rig->options.now_s = NOW;
}

static void suspend(struct rig *rig, const struct gr_suspension *list, size_t n)
{
    rig->options.suspended = list;
    rig->options.suspended_n = n;
}

/* ---- as Observe, whatever the verdict ---- */

enum twist { PLAIN, BLOCKED, MARKED, NO_VALUE, PRESENT, LIMITED, TWISTS };

struct case_of_all {
    enum gr_truth truth;
    enum twist twist;
    enum gr_failure_policy policy;
    enum gr_on_unknown on_unknown;
    bool spared;
};

static struct gr_cond match_of(struct rig *rig, enum gr_truth truth)
{
    if (truth == GR_TRUE)
        return make_always(true);
    if (truth == GR_UNKNOWN)
        return make_leaf(&rig->rules_arena, GR_FIELD_IMAGE, NULL,
                         make_image(&rig->rules_arena, "nginx@sha256:*"));
    return (struct gr_cond){.kind = (enum gr_cond_kind)99};
}

/* One decision about one set; list == NULL: in mode Observe instead. */
static void decide_case(struct rig *rig, const struct case_of_all *c,
                        const struct gr_suspension *list)
{
    static const char *const plain[] = {"h", "-x", NULL};
    static const char *const needing[] = {"h", "{{annotation \"none\"}}", NULL};
    static struct gr_str env[] = {TEXT("A=b"), TEXT("GRAPNEL_HOOKSET=tap@ffff")};
    static struct gr_str args[] = {TEXT("h"), TEXT("-x")};
    static struct gr_oci_hook existing;
    struct gr_adjust_entry *entry;
    struct gr_hookset *set;

    init(rig);
    set = rig_add(rig, "tap", match_of(rig, c->truth));
    set->mode = list ? GR_MODE_ENFORCE : GR_MODE_OBSERVE;
    set->failure_policy = c->policy;
    set->on_unknown = c->on_unknown;
    make_hook(&rig->rules_arena, set, GR_STAGE_POSTSTART, "/opt/h",
              c->twist == NO_VALUE ? needing : plain, NULL);
    entry = make_room(&rig->rules_arena, 1, sizeof(*entry));
    *entry = (struct gr_adjust_entry){
        .kind = GR_ADJUST_ENV, .key = GR_STR("MODE"), .text = GR_STR("new")};
    set->adjust = entry;
    set->adjust_n = 1;
    if (c->twist == BLOCKED)
        set->blocked = GR_STR("/opt/x is writable by others");
    existing = (struct gr_oci_hook){.stage = GR_STAGE_POSTSTART,
                                    .path = GR_STR("/opt/h"),
                                    .args = {args, 2},
                                    .has_timeout = true,
                                    .timeout_s = 10};
    if (c->twist == MARKED)
        existing.env = (struct gr_strs){env, 2};
    rig->subject.hooks = &existing;
    rig->subject.hooks_n = c->twist == MARKED || c->twist == PRESENT;
    answers.create_timeout_max = c->twist == LIMITED ? 5 : 0;
    answers.hooks_max = 0;
    answers.never_fail = c->spared ? "prod" : NULL;
    suspend(rig, list, list ? 1 : 0);
    (void)rig_decide(rig);
}

static void expect_same(const struct case_of_all *c, const struct gr_suspension *suspension,
                        const char *says)
{
    const struct gr_decision *a, *b;
    struct rig observed, suspended;

    decide_case(&observed, c, NULL);
    decide_case(&suspended, c, suspension);
    a = &observed.decision;
    b = &suspended.decision;
    assert_int_equal(a->results_n, 1);
    assert_int_equal(b->results_n, 1);
    assert_string_equal(gr_verdict_name(a->results[0].verdict),
                        gr_verdict_name(b->results[0].verdict));
    assert_int_not_equal(b->results[0].verdict, GR_VERDICT_INJECTED);
    assert_int_not_equal(b->results[0].verdict, GR_VERDICT_REFUSED);
    assert_false(a->refuse || b->refuse);
    assert_int_equal(a->hooks_n + b->hooks_n + a->adjust_n + b->adjust_n, 0);
    assert_null(a->results[0].suspended);
    assert_ptr_equal(b->results[0].suspended, suspension);
    assert_true(gr_str_has_prefix(b->results[0].reason, a->results[0].reason));
    assert_str(gr_str_skip(b->results[0].reason, a->results[0].reason.n), says);
    rig_fini(&observed);
    rig_fini(&suspended);
}

static void as_observe(void **state)
{
    static const enum gr_truth truths[] = {GR_TRUE, GR_UNKNOWN, GR_ERROR};
    const struct gr_suspension pause = pause_of("tap");
    const struct gr_suspension all = pause_of("");
    const struct gr_suspension trip = trip_of("tap");

    (void)state;
    for (uint32_t i = 0; i < 3 * TWISTS * 2 * 3 * 2; i++) {
        const struct case_of_all c = {
            .truth = truths[i % 3],
            .twist = (enum twist)(i / 3 % TWISTS),
            .policy = (enum gr_failure_policy)(i / 3 / TWISTS % 2),
            .on_unknown = (enum gr_on_unknown)(i / 3 / TWISTS / 2 % 3),
            .spared = i / 3 / TWISTS / 6 % 2,
        };

        expect_same(&c, &pause, "; paused by uid 0: maintenance");
        expect_same(&c, &all, "; paused by uid 0: maintenance");
        expect_same(&c, &trip, "; tripped by breaker: 5 failed runs within 60 s");
    }
}

/* The other sets of the container are not touched. */
static void others_go_on(void **state)
{
    const struct gr_suspension list[] = {pause_of("b"), trip_of("c")};
    struct rig rig;

    (void)state;
    init(&rig);
    for (const char *name = "a\0b\0c\0d\0"; *name; name += 2)
        make_hook(&rig.rules_arena, rig_add(&rig, name, make_always(true)), GR_STAGE_POSTSTOP,
                  name[0] == 'a' ? "/a" : "/other", NULL, NULL);
    suspend(&rig, list, 2);
    assert_int_equal(rig_decide(&rig)->hooks_n, 2);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_INJECTED);
    assert_int_equal(rig.decision.results[0].reason.n, 0);
    assert_int_equal(rig.decision.results[1].verdict, GR_VERDICT_OBSERVED);
    assert_int_equal(rig.decision.results[2].verdict, GR_VERDICT_OBSERVED);
    assert_int_equal(rig.decision.results[3].verdict, GR_VERDICT_INJECTED);
    rig_fini(&rig);
}

static void adjust_mode(struct rig *rig, const char *name, const char *value)
{
    struct gr_adjust_entry *entry = make_room(&rig->rules_arena, 1, sizeof(*entry));
    struct gr_hookset *set = rig_add(rig, name, make_always(true));

    *entry = (struct gr_adjust_entry){
        .kind = GR_ADJUST_ENV, .key = GR_STR("MODE"), .text = gr_str_from(value)};
    set->adjust = entry;
    set->adjust_n = 1;
}

/* What another instance applied before the pause keeps its keys: to ask for another value would be
 * a conflict of two plugins, for which the runtime refuses the container. */
static void marked_keeps_its_keys(void **state)
{
    static struct gr_str env[] = {TEXT("GRAPNEL_HOOKSET=b@ffff")};
    static struct gr_oci_hook existing = {.path = {"/opt/h", 6}, .env = {env, 1}};
    const struct gr_suspension list[] = {pause_of("b")};
    struct rig rig;

    (void)state;
    init(&rig);
    adjust_mode(&rig, "a", "old");
    adjust_mode(&rig, "b", "new");
    assert_str(rig_decide(&rig)->adjust[0].entry->text, "new");
    suspend(&rig, list, 1);
    assert_str(rig_decide(&rig)->adjust[0].entry->text, "old");
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->adjust_n, 0);
    rig_fini(&rig);
}

/* ---- times ---- */

static void ends(void **state)
{
    struct gr_suspension list[] = {pause_of("tap")};
    struct rig rig;

    (void)state;
    init(&rig);
    make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTOP, "/h",
              NULL, NULL);
    suspend(&rig, list, 1);
    list[0].until_s = NOW + 1;
    assert_int_equal(rig_decide(&rig)->hooks_n, 0);
    assert_str(rig.decision.results[0].reason,
               "would have been injected; paused until 1970-01-12T13:46:41Z by uid 0: maintenance");
    list[0].until_s = NOW;
    assert_int_equal(rig_decide(&rig)->hooks_n, 1);
    assert_null(rig.decision.results[0].suspended);
    rig_fini(&rig);
}

/* ---- protected and required sets ---- */

static void protection_wins(void **state)
{
    const struct gr_suspension list[] = {pause_of(""), pause_of("tap"), trip_of("tap")};
    struct rig rig;

    (void)state;
    init(&rig);
    make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTOP, "/h",
              NULL, NULL);
    make_hook(&rig.rules_arena, rig_add(&rig, "top", make_always(true)), GR_STAGE_POSTSTOP, "/h",
              NULL, NULL);
    suspend(&rig, list, 3);
    assert_int_equal(rig_decide(&rig)->hooks_n, 0);
    answers.protects = "tap";
    assert_int_equal(rig_decide(&rig)->hooks_n, 1);
    assert_int_equal(rig.decision.results[0].verdict, GR_VERDICT_INJECTED);
    assert_null(rig.decision.results[0].suspended);
    rig_fini(&rig);
}

enum lack { NONE, ABSENT, OTHER_NODE, OBSERVES, NO_PROGRAM };

struct required_row {
    const char *name;
    enum lack lack;
    const char *reason; /* why it is not in force; NULL: it is */
};

static const struct required_row required_rows[] = {
    {"in force", NONE, NULL},
    {"absent", ABSENT, "there is no valid one of this name"},
    {"other node", OTHER_NODE, "its nodes do not include this one"},
    {"observes", OBSERVES, "its mode is Observe"},
    {"blocked", NO_PROGRAM, "it is blocked: no program"},
};

static void expect_required(struct rig *rig, const struct required_row *row,
                            const struct gr_suspension *list, size_t n, bool waived)
{
    const struct gr_decision *d;

    suspend(rig, list, n);
    d = rig_decide(rig);
    assert_int_equal(d->objections_n, row->reason ? 1 : 0);
    if (row->lack == NONE)
        assert_int_equal(d->hooks_n, waived ? 0 : 1);
    assert_int_equal(d->refuse, row->reason && !waived);
    if (!row->reason)
        return;
    expect_in(d->objections[0].reason, row->reason);
    assert_int_equal(d->objections[0].verdict, waived ? GR_VERDICT_IGNORED : GR_VERDICT_REFUSED);
    if (waived)
        expect_in(d->objections[0].reason, "; it need not be: paused by uid 0: maintenance");
}

/* A person may waive a required set, a breaker may not. */
static void required(void **state)
{
    static const struct gr_str names[] = {TEXT("need")};
    const struct gr_suspension trip = trip_of("need");
    const struct gr_suspension pause = pause_of("need");
    const struct gr_suspension other = pause_of("other");
    const struct gr_suspension all_and_trip[] = {pause_of(""), trip_of("need")};
    const struct required_row *row = *state;
    struct gr_hookset *set;
    struct rig rig;

    init(&rig);
    set = rig_add(&rig, row->lack == ABSENT ? "needs" : "need", make_always(row->lack == NONE));
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/h", NULL, NULL);
    set->other_node = row->lack == OTHER_NODE;
    set->mode = row->lack == OBSERVES ? GR_MODE_OBSERVE : GR_MODE_ENFORCE;
    if (row->lack == NO_PROGRAM)
        set->blocked = GR_STR("no program");
    rig.options.required_sets = (struct gr_strs){names, 1};
    expect_required(&rig, row, NULL, 0, false);
    expect_required(&rig, row, &other, 1, false);
    expect_required(&rig, row, &trip, 1, false);
    expect_required(&rig, row, &pause, 1, true);
    expect_required(&rig, row, all_and_trip, 2, true);
    answers.protects = "need";
    expect_required(&rig, row, &pause, 1, false);
    rig_fini(&rig);
}

/* ---- the list ---- */

static void finds(void **state)
{
    struct gr_suspension list[] = {pause_of("a"), trip_of("a"), trip_of("b"), pause_of("c")};

    (void)state;
    for (size_t i = 1; i < GR_ARRAY_LEN(list); i++)
        assert_true(gr_suspension_cmp(&list[i - 1], &list[i]) < 0);
    assert_int_equal(gr_suspension_cmp(&list[0], &list[0]), 0);
    assert_null(gr_suspension_find(NULL, 0, GR_STR("a"), NOW));
    assert_ptr_equal(gr_suspension_find(list, 4, GR_STR("a"), NOW), &list[0]);
    list[0].until_s = NOW;
    assert_ptr_equal(gr_suspension_find(list, 4, GR_STR("a"), NOW), &list[1]);
    assert_ptr_equal(gr_suspension_find(list, 4, GR_STR("b"), NOW), &list[2]);
    assert_ptr_equal(gr_suspension_find(list, 4, GR_STR("c"), NOW), &list[3]);
    assert_null(gr_suspension_find(list, 4, GR_STR("d"), NOW));
    assert_null(gr_suspension_find(list, 4, GR_STR("ab"), NOW));
    list[0] = pause_of("");
    assert_ptr_equal(gr_suspension_find(list, 4, GR_STR("d"), NOW), &list[0]);
    assert_ptr_equal(gr_suspension_find(list, 4, GR_STR("b"), NOW), &list[0]);
}

static void says(void **state)
{
    struct gr_suspension suspension = pause_of("a");
    char text[GR_SUSPENSION_TEXT_BYTES];
    char reason[1024];

    (void)state;
    suspension.reason = GR_STR_NONE;
    gr_suspension_say(&suspension, text);
    assert_string_equal(text, "paused by uid 0");
    suspension.until_s = INT64_C(1900000000);
    gr_suspension_say(&suspension, text);
    assert_string_equal(text, "paused until 2030-03-17T17:46:40Z by uid 0");
    memset(reason, 'x', sizeof(reason));
    suspension.reason = (struct gr_str){.p = reason, .n = sizeof(reason)};
    suspension.until_s = INT64_MAX;
    gr_suspension_say(&suspension, text);
    assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void)
{
    test_add("as Observe", as_observe);
    test_add("others go on", others_go_on);
    test_add("marked keeps its keys", marked_keeps_its_keys);
    test_add("ends", ends);
    test_add("protection wins", protection_wins);
    TEST_ADD_ROWS(required, required_rows);
    test_add("finds", finds);
    test_add("says", says);
    return test_run("suspend");
}
