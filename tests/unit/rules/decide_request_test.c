/* SPDX-License-Identifier: Apache-2.0 */
/* rules/decide: what a pod asks for by name. */
#include "deciding.h"
#include "answering.h"

#include "base/utf8.h"
#include "rules/decide/decide_parts.h"

struct asking {
    struct rig rig;
    struct gr_kv annotations[2];
    struct gr_decider d;
};

/* Sets "a" and "b" can be asked for, "private" cannot, "elsewhere" is not for this node. */
static void init(struct asking *a, const char *key, struct gr_str list)
{
    static const char *const names[] = {"a", "b", "private", "elsewhere"};
    struct rig *rig = &a->rig;

    memset(a, 0, sizeof(*a));
    memset(&answers, 0, sizeof(answers));
    answers.grants = true;
    rig_init(rig);
    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        struct gr_hookset *set = rig_add(rig, names[i], make_always(i < 2));

        set->requestable = i != 2;
        set->other_node = i == 3;
    }
    a->annotations[0] = (struct gr_kv){gr_str_from(key), list};
    rig->subject.pod_annotations = (struct gr_kvs){a->annotations, 1};
}

/* The list of names that are granted, with blanks between. */
static void expect_granted(struct asking *a, const char *expected, size_t denied)
{
    char found[256] = "";

    (void)rig_decide(&a->rig); /* makes the rule set */
    a->d = (struct gr_decider){.ruleset = a->rig.rules,
                               .policies = gr_ruleset_policies(a->rig.rules),
                               .options = &a->rig.options,
                               .subject = a->rig.subject,
                               .namespace_ = a->rig.subject.pod_namespace,
                               .arena = &a->rig.arena};
    assert_int_equal(gr_decide_requests(&a->d), 0);
    for (size_t i = 0; i < a->d.subject.requests.n; i++) {
        size_t n = strlen(found);

        (void)snprintf(found + n, sizeof(found) - n, "%s%.*s", i ? " " : "",
                       GR_STR_FMT(a->d.subject.requests.items[i]));
    }
    assert_string_equal(found, expected);
    assert_int_equal(a->d.objections_n, denied);
    assert_int_equal(a->rig.decision.objections_n, denied);
}

struct list_row {
    const char *name;
    const char *list;
    const char *granted;
    size_t denied;
};

static const struct list_row list_rows[] = {
    {"one", "a", "a", 0},
    {"two", "a,b", "a b", 0},
    {"blanks around names", " \t a  ,\tb ", "a b", 0},
    {"empty elements", ",,a,, ,b,", "a b", 0},
    {"nothing", "", "", 0},
    {"nothing but commas", " , ,", "", 0},
    {"a name twice", "a,a", "a a", 0},
    {"unknown", "c", "", 1},
    {"unknown and known", "c,a,d", "a", 2},
    {"a blank within", "a b", "", 1},
    {"letters count as they are", "A", "", 1},
    {"cannot be asked for", "private", "", 1},
    {"for another node", "elsewhere", "", 1},
};

static void lists(void **state)
{
    const struct list_row *row = *state;
    struct asking a;

    init(&a, GR_REQUEST_ANNOTATION, gr_str_from(row->list));
    expect_granted(&a, row->granted, row->denied);
    assert_int_equal(a.rig.decision.refuse, row->denied > 0);
    rig_fini(&a.rig);
}

static void expect_denial(struct asking *a, const char *why)
{
    assert_true(rig_decide(&a->rig)->refuse);
    assert_int_equal(a->rig.decision.hooks_n, 0);
    expect_in(a->rig.decision.refusal, "grapnel: container web of pod prod/web-0 is refused: the "
                                       "pod asks for the HookSet \"");
    expect_in(a->rig.decision.refusal, ", which the namespace prod may not have: ");
    expect_in(a->rig.decision.refusal, why);
    assert_int_equal(a->rig.decision.objections[0].kind, GR_OBJECTION_REQUEST);
    assert_int_equal(a->rig.decision.objections[0].verdict, GR_VERDICT_REFUSED);
}

static void reasons(void **state)
{
    static const struct {
        const char *list;
        const char *why;
    } rows[] = {
        {"c", "HookSet \"c\", which the namespace prod may not have: there is none of this name"},
        {"private", "it cannot be asked for (spec.requestable)"},
        {"elsewhere", "it is not for this node"},
        {"b", "no policy grants it to this namespace"},
        {"b,c", "namespace; 1 more reason"},
        {"b,c,d", "namespace; 2 more reasons"},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct asking a;

        init(&a, GR_REQUEST_ANNOTATION, gr_str_from(rows[i].list));
        answers.granted_set = "a";
        expect_denial(&a, rows[i].why);
        rig_fini(&a.rig);
    }
}

static void grants(void **state)
{
    struct asking a;

    (void)state;
    init(&a, GR_REQUEST_ANNOTATION, GR_STR("a"));
    answers.granted_namespace = "dev";
    expect_granted(&a, "", 1);
    answers.granted_namespace = "prod";
    expect_granted(&a, "a", 0);
    answers.grants = false;
    expect_granted(&a, "", 1);
    rig_fini(&a.rig);
}

/* What is not granted may be passed over; what is granted counts then. */
static void ignored(void **state)
{
    const struct gr_decision *d;
    struct asking a;

    (void)state;
    init(&a, GR_REQUEST_ANNOTATION, GR_STR("c,a"));
    answers.on_denied = GR_DENIED_IGNORE;
    expect_granted(&a, "a", 1);
    d = rig_decide(&a.rig);
    assert_false(d->refuse);
    assert_int_equal(d->objections[0].verdict, GR_VERDICT_IGNORED);
    assert_str(d->objections[0].set, "c");
    assert_str(d->objections[0].reason, "the pod asks for the HookSet \"c\", which the namespace "
                                        "prod may not have: there is none of this name");
    answers.on_denied = GR_DENIED_FAIL;
    answers.never_fail = "prod";
    d = rig_decide(&a.rig);
    assert_false(d->refuse);
    assert_int_equal(d->objections[0].verdict, GR_VERDICT_IGNORED);
    expect_in(d->objections[0].reason, "; nothing is refused in this namespace (neverFail)");
    rig_fini(&a.rig);
}

/* Another annotation by the settings, and the scopes of annotations. */
static void which_annotation(void **state)
{
    static const struct {
        const char *key;
        const char *setting;
        bool asks;
    } rows[] = {
        {"hooks.noderesource.dev", "", true},
        {"hooks.noderesource.dev/pod", "", true},
        {"hooks.noderesource.dev/container.web", "", true},
        {"hooks.noderesource.dev/container.db", "", false},
        {"hooks.noderesource.dev", "hooks.example.com", false},
        {"hooks.example.com/container.web", "hooks.example.com", true},
        {"short", "short", true},
        {"short/pod", "short", true},
        {"8.bytes/pod", "8.bytes", true},
        {"hooks.noderesource.de", "", false},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct asking a;

        init(&a, rows[i].key, GR_STR("a"));
        a.rig.options.request_annotation = gr_str_from(rows[i].setting);
        expect_granted(&a, rows[i].asks ? "a" : "", 0);
        /* Also from the container's own annotations. */
        a.rig.subject.container_annotations = a.rig.subject.pod_annotations;
        a.rig.subject.pod_annotations = (struct gr_kvs){0};
        expect_granted(&a, rows[i].asks ? "a" : "", 0);
        rig_fini(&a.rig);
    }
}

static bool knows_requests(struct asking *a, uint32_t unknown)
{
    a->rig.subject.unknown_fields = unknown;
    expect_granted(a, a->d.subject.requests.n ? "a" : "", 0);
    return gr_subject_knows(&a->d.subject, GR_FIELD_REQUESTED);
}

/* Where annotations, the container's name or the namespace decide and are not known. */
static void unknown(void **state)
{
    struct asking a;

    (void)state;
    init(&a, GR_REQUEST_ANNOTATION, GR_STR_NONE);
    assert_true(knows_requests(&a, 0));
    assert_false(knows_requests(&a, 1U << GR_FIELD_POD_ANNOTATIONS));
    assert_false(knows_requests(&a, 1U << GR_FIELD_ANNOTATIONS));
    assert_false(knows_requests(&a, 1U << GR_FIELD_REQUESTED));
    assert_false(knows_requests(&a, 1U << GR_FIELD_NAMESPACE));
    a.annotations[0].key = GR_STR("other");
    assert_true(knows_requests(&a, 1U << GR_FIELD_NAMESPACE));
    a.annotations[0].key = GR_STR("hooks.noderesource.dev/container.web");
    assert_false(knows_requests(&a, 1U << GR_FIELD_CONTAINER_NAME));
    rig_fini(&a.rig);
}

/* The number of names is bounded; one beyond is denied, and nothing behind it is looked at. */
static void limit(void **state)
{
    char list[2 * (GR_REQUESTS_MAX + 10)];

    (void)state;
    for (size_t n = GR_REQUESTS_MAX; n <= GR_REQUESTS_MAX + 9; n++) {
        struct asking a;

        for (size_t i = 0; i < n; i++)
            memcpy(list + 2 * i, "a,", 2);
        init(&a, GR_REQUEST_ANNOTATION, (struct gr_str){list, 2 * n});
        assert_int_equal(rig_decide(&a.rig)->objections_n, n > GR_REQUESTS_MAX ? 1 : 0);
        if (n > GR_REQUESTS_MAX)
            expect_denial(&a, "more sets are asked for than 64");
        rig_fini(&a.rig);
    }
    for (size_t n = 0; n < 2 * GR_REQUESTS_MAX + 20; n++)
        list[n] = n % 2 ? ',' : 'x';
    {
        struct asking a;

        init(&a, GR_REQUEST_ANNOTATION, (struct gr_str){list, sizeof(list)});
        assert_int_equal(rig_decide(&a.rig)->objections_n, GR_REQUESTS_MAX + 1);
        rig_fini(&a.rig);
    }
}

/* Whatever a pod writes, the texts are short and printable. */
static void hostile(void **state)
{
    static char text[200000];
    struct asking a;

    (void)state;
    memset(text, '\x1b', sizeof(text));
    memset(text + 50, '\xC3', 1000);
    init(&a, GR_REQUEST_ANNOTATION, (struct gr_str){text, sizeof(text)});
    a.rig.subject.pod_namespace = (struct gr_str){text, sizeof(text)};
    assert_true(rig_decide(&a.rig)->refuse);
    assert_in_range(a.rig.decision.refusal.n, 200, 1536);
    assert_true(gr_utf8_is_clean(a.rig.decision.refusal));
    assert_true(gr_utf8_is_clean(a.rig.decision.objections[0].reason));
    for (size_t i = 0; i < a.rig.decision.refusal.n; i++)
        assert_true((unsigned char)a.rig.decision.refusal.p[i] >= 0x20);
    rig_fini(&a.rig);
}

/* What is granted is what the leaf looks at; where it cannot be told, onUnknown decides. */
static void requested_leaf(void **state)
{
    struct asking a;
    struct gr_hookset *set;

    (void)state;
    init(&a, GR_REQUEST_ANNOTATION, GR_STR("a"));
    a.rig.sets_n = 0;
    set = rig_add(&a.rig, "a",
                  make_leaf(&a.rig.rules_arena, GR_FIELD_REQUESTED, "", make_exact("a")));
    set->requestable = true;
    make_hook(&a.rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    set = rig_add(&a.rig, "b",
                  make_leaf(&a.rig.rules_arena, GR_FIELD_REQUESTED, "", make_exact("b")));
    set->requestable = true;
    make_hook(&a.rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    assert_int_equal(rig_decide(&a.rig)->hooks_n, 1);
    assert_int_equal(a.rig.decision.results_n, 1);
    assert_str(a.rig.decision.results[0].set->name, "a");
    a.rig.subject.unknown_fields = 1U << GR_FIELD_POD_ANNOTATIONS;
    assert_int_equal(rig_decide(&a.rig)->results_n, 2);
    assert_int_equal(a.rig.decision.results[0].verdict, GR_VERDICT_SKIPPED);
    rig_fini(&a.rig);
}

int main(void)
{
    test_add("requested leaf", requested_leaf);
    TEST_ADD_ROWS(lists, list_rows);
    test_add("reasons", reasons);
    test_add("grants", grants);
    test_add("Ignore, and never fail", ignored);
    test_add("which annotation", which_annotation);
    test_add("what is not known", unknown);
    test_add("names at the limit and past it", limit);
    test_add("hostile texts", hostile);
    return test_run("decide_request");
}
