/* SPDX-License-Identifier: Apache-2.0 */
/* Which condition decided, in which words, and that looking changes nothing. */
#include "deciding.h"

#include "rules/tell/explain.h"

struct explaining {
    struct rig rig;
    struct gr_decide_options options;
    struct gr_explanation explanation;
    struct gr_explain_leaves leaves;
};

static struct explaining *begin(struct gr_cond match)
{
    struct explaining *e = calloc(1, sizeof(*e));

    assert_non_null(e);
    rig_init(&e->rig);
    e->options.node_name = GR_STR("node-1");
    (void)rig_add(&e->rig, "tap", match);
    return e;
}

static const struct gr_explained *explain(struct explaining *e)
{
    struct rig *rig = &e->rig;

    if (!rig->rules)
        rig->rules = make_ruleset(&rig->rules_arena, rig->sets, rig->sets_n);
    assert_int_equal(
        gr_explain(rig->rules, &rig->subject, &e->options, &rig->arena, &e->explanation), 0);
    assert_int_equal(e->explanation.n, rig->sets_n);
    assert_int_equal(
        gr_explain_leaves(&e->explanation, &e->explanation.sets[0], &rig->arena, &e->leaves), 0);
    return &e->explanation.sets[0];
}

static void end(struct explaining *e)
{
    rig_fini(&e->rig);
    free(e);
}

static struct gr_cond leaf_of(struct explaining *e, enum gr_field field, const char *key,
                              const struct gr_test *tests, size_t n)
{
    struct gr_test *copy = make_room(&e->rig.rules_arena, n, sizeof(*copy));

    memcpy(copy, tests, n * sizeof(*copy));
    return (struct gr_cond){.kind = GR_COND_LEAF,
                            .field = field,
                            .key = gr_str_from(key),
                            .tests = {.items = copy, .n = n},
                            .line = 7};
}

/* A set whose match is made once the arena is there. */
static void set_match(struct explaining *e, struct gr_cond match)
{
    e->rig.sets[0].match = make_match(&e->rig.rules_arena, match);
}

static void add_annotation(struct explaining *e, const char *key, const char *value)
{
    struct gr_subject *s = &e->rig.subject;
    struct gr_kv *items = make_room(&e->rig.rules_arena, s->pod_annotations.n + 1, sizeof(*items));

    if (s->pod_annotations.n > 0)
        memcpy(items, s->pod_annotations.items, s->pod_annotations.n * sizeof(*items));
    items[s->pod_annotations.n] =
        (struct gr_kv){.key = gr_str_from(key), .value = gr_str_from(value)};
    s->pod_annotations = (struct gr_kvs){.items = items, .n = s->pod_annotations.n + 1};
}

/* ---- words ---- */

struct words_row {
    const char *name;
    enum gr_field field;
    const char *key;
    struct gr_test tests[2];
    size_t tests_n;
    const char *expected, *seen;
};

static const struct gr_test some[] = {
    {.kind = GR_TEST_EXACT, .text = TEXT("a")},
    {.kind = GR_TEST_EXACT, .text = TEXT("b c")},
};

static const struct words_row words_rows[] = {
    {"exact",
     GR_FIELD_NAMESPACE,
     NULL,
     {{.kind = GR_TEST_EXACT, .text = TEXT("web")}},
     1,
     "namespace is \"web\"",
     "\"prod\""},
    {"in",
     GR_FIELD_NAMESPACE,
     NULL,
     {{.kind = GR_TEST_IN, .items = some, .items_n = 2}},
     1,
     "namespace in [a, \"b c\"]",
     "\"prod\""},
    {"prefix",
     GR_FIELD_POD_ANNOTATIONS,
     "k",
     {{.kind = GR_TEST_PREFIX, .text = TEXT("x")}},
     1,
     "podAnnotations[\"k\"] prefix \"x\"",
     "absent"},
    {"exists",
     GR_FIELD_POD_LABELS,
     "k",
     {{.kind = GR_TEST_EXISTS, .exists = true}},
     1,
     "podLabels[\"k\"] exists: true",
     "absent"},
    {"notIn",
     GR_FIELD_NAMESPACE,
     NULL,
     {{.kind = GR_TEST_NOT_IN,
       .items = (const struct gr_test[]){{.text = TEXT("prod")}},
       .items_n = 1}},
     1,
     "namespace notIn [prod]",
     "\"prod\""},
    {"mixed",
     GR_FIELD_POD_NAME,
     NULL,
     {{.kind = GR_TEST_EXACT, .text = TEXT("a")}, {.kind = GR_TEST_GLOB, .text = TEXT("b*")}},
     2,
     "podName any of [is \"a\", glob \"b*\"]",
     "\"web-0\""},
    {"plain",
     GR_FIELD_RUNTIME,
     NULL,
     {{.kind = GR_TEST_EXACT, .text = TEXT("a")}, {.kind = GR_TEST_EXACT, .text = TEXT("b")}},
     2,
     "runtime any of [a, b]",
     "\"containerd\""},
    {"empty",
     GR_FIELD_COMMAND,
     NULL,
     {{.kind = GR_TEST_EXACT, .text = TEXT("sh")}},
     1,
     "command is \"sh\"",
     "absent"},
};

static void words(void **state)
{
    const struct words_row *row = *state;
    struct explaining *e = begin(make_always(true));
    const struct gr_explained *set;

    set_match(e, leaf_of(e, row->field, row->key, row->tests, row->tests_n));
    set = explain(e);
    assert_int_equal(set->truth, GR_FALSE);
    assert_int_equal(e->leaves.n, 1);
    assert_str(e->leaves.items[0].expected, row->expected);
    assert_str(e->leaves.items[0].seen, row->seen);
    assert_int_equal(e->leaves.items[0].cond->line, 7);
    end(e);
}

static void test_image_words(void **state)
{
    struct explaining *e = begin(make_always(true));

    (void)state;
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_IMAGE, NULL,
                           make_image(&e->rig.rules_arena, "nginx:2.*")));
    (void)explain(e);
    assert_str(e->leaves.items[0].expected, "image nginx:2.*");
    assert_str(e->leaves.items[0].seen, "\"nginx:1.25\"");
    end(e);
}

static void test_unknown_words(void **state)
{
    struct explaining *e = begin(make_always(true));

    (void)state;
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_POD_LABELS, "k", make_exact("v")));
    e->rig.subject.unknown_fields = 1U << GR_FIELD_POD_LABELS;
    assert_int_equal(explain(e)->truth, GR_UNKNOWN);
    assert_str(e->leaves.items[0].seen, "unknown: this source does not tell podLabels");
    end(e);
}

static void test_unknown_tag_words(void **state)
{
    struct explaining *e = begin(make_always(true));

    (void)state;
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_IMAGE, NULL,
                           make_image(&e->rig.rules_arena, "nginx@sha256:*")));
    assert_int_equal(explain(e)->truth, GR_UNKNOWN);
    assert_str(e->leaves.items[0].seen, "nginx:1.25 (unknown: its digest)");
    end(e);
}

static void test_unreadable_words(void **state)
{
    struct explaining *e = begin((struct gr_cond){.kind = GR_COND_UNREADABLE, .line = 9});

    (void)state;
    assert_int_equal(explain(e)->truth, GR_ERROR);
    assert_int_equal(e->leaves.n, 1);
    assert_str(e->leaves.items[0].expected, "a condition that this version does not know");
    assert_int_equal(e->leaves.items[0].seen.n, 0);
    end(e);
}

static void test_mount_words(void **state)
{
    static const struct gr_test sock = {.kind = GR_TEST_PREFIX, .text = TEXT("/var/run")};
    static const struct gr_test bind = {.kind = GR_TEST_EXACT, .text = TEXT("tmpfs")};
    static const struct gr_pattern pattern = {
        .parts = {[GR_MOUNT_SOURCE] = {&sock, 1}, [GR_MOUNT_TYPE] = {&bind, 1}}};
    static const struct gr_mount mounts[] = {
        {.destination = TEXT("/proc"), .source = TEXT("proc"), .type = TEXT("proc")},
        {.destination = TEXT("/data"), .source = TEXT("/srv"), .type = TEXT("bind")}};
    struct explaining *e = begin((struct gr_cond){
        .kind = GR_COND_LEAF, .field = GR_FIELD_MOUNTS, .patterns = &pattern, .patterns_n = 1});

    (void)state;
    e->rig.subject.mounts = mounts;
    e->rig.subject.mounts_n = 2;
    (void)explain(e);
    assert_str(e->leaves.items[0].expected,
               "mounts {source prefix \"/var/run\", type is \"tmpfs\"}");
    assert_str(e->leaves.items[0].seen, "/data from /srv (bind)");
    end(e);
}

/* What a pod wrote is shown printable and cut. */
static void test_hostile_value(void **state)
{
    struct explaining *e = begin(make_always(true));
    char value[4096];

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    memcpy(value, "\033[31m\n", 6);
    add_annotation(e, "k", value);
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_POD_ANNOTATIONS, "k", make_exact("v")));
    (void)explain(e);
    expect_in(e->leaves.items[0].seen, "\"?[31m?xxx");
    expect_in(e->leaves.items[0].seen, "…\"");
    assert_true(e->leaves.items[0].seen.n < 120);
    end(e);
}

/* ---- limits, at the edge and one past it ---- */

static void limit_of_values(size_t n, const char *end_of_text)
{
    struct explaining *e = begin(make_always(true));
    struct gr_test items[GR_EXPLAIN_VALUES_MAX + 1];

    for (size_t i = 0; i < n; i++)
        items[i] = make_exact("v");
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL,
                           make_set(&e->rig.rules_arena, true, items, n)));
    (void)explain(e);
    expect_in(e->leaves.items[0].expected, end_of_text);
    end(e);
}

static void test_limit_of_values(void **state)
{
    (void)state;
    limit_of_values(GR_EXPLAIN_VALUES_MAX, "v, v, v]");
    limit_of_values(GR_EXPLAIN_VALUES_MAX + 1, "v, v, 1 more]");
}

static void limit_of_leaves(size_t n, size_t more)
{
    struct explaining *e = begin(make_always(true));
    struct gr_cond children[GR_EXPLAIN_LEAVES_MAX + 1];

    for (size_t i = 0; i < n; i++)
        children[i] = make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL, make_exact("other"));
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_ANY, children, n));
    (void)explain(e);
    assert_int_equal(e->leaves.n, n - more);
    assert_int_equal(e->leaves.more, more);
    end(e);
}

static void test_limit_of_leaves(void **state)
{
    (void)state;
    limit_of_leaves(GR_EXPLAIN_LEAVES_MAX, 0);
    limit_of_leaves(GR_EXPLAIN_LEAVES_MAX + 1, 1);
}

/* Eight values of 84 bytes with commas, brackets and the field's name are longer than a text. */
static void test_limit_of_text(void **state)
{
    struct explaining *e = begin(make_always(true));
    struct gr_test items[GR_EXPLAIN_VALUES_MAX];
    char text[85];

    (void)state;
    memset(text, 'v', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < GR_EXPLAIN_VALUES_MAX; i++)
        items[i] = make_exact(text);
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL,
                           make_set(&e->rig.rules_arena, true, items, 4)));
    (void)explain(e);
    expect_in(e->leaves.items[0].expected, "vvv]");
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL, make_exact("x")));
    end(e);
    e = begin(make_always(true));
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL,
                           make_set(&e->rig.rules_arena, true, items, GR_EXPLAIN_VALUES_MAX)));
    (void)explain(e);
    assert_int_equal(e->leaves.items[0].expected.n, GR_EXPLAIN_TEXT_MAX_BYTES);
    expect_in(e->leaves.items[0].expected, "vvv…");
    end(e);
}

/* ---- which conditions ---- */

/* namespace: web (false), podName: web-0 (true), containerName: x (false) */
static void make_three(struct explaining *e, struct gr_cond three[3])
{
    struct gr_arena *arena = &e->rig.rules_arena;

    three[0] = make_leaf(arena, GR_FIELD_NAMESPACE, NULL, make_exact("web"));
    three[1] = make_leaf(arena, GR_FIELD_POD_NAME, NULL, make_exact("web-0"));
    three[2] = make_leaf(arena, GR_FIELD_CONTAINER_NAME, NULL, make_exact("x"));
}

static void expect_leaves(struct explaining *e, const char *const *expected)
{
    size_t n = 0;

    for (; expected[n]; n++) {
        if (n < e->leaves.n)
            assert_str(e->leaves.items[n].expected, expected[n]);
    }
    assert_int_equal(e->leaves.n, n);
}

/* The first that is false, and only that. */
static void test_all_false(void **state)
{
    struct explaining *e = begin(make_always(true));
    struct gr_cond three[3];

    (void)state;
    make_three(e, three);
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_ALL, three, 3));
    assert_int_equal(explain(e)->truth, GR_FALSE);
    expect_leaves(e, (const char *const[]){"namespace is \"web\"", NULL});
    end(e);
}

static void test_any_false(void **state)
{
    struct explaining *e = begin(make_always(true));
    struct gr_cond three[3];

    (void)state;
    make_three(e, three);
    three[1] = three[2];
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_ANY, three, 2));
    assert_int_equal(explain(e)->truth, GR_FALSE);
    expect_leaves(e, (const char *const[]){"namespace is \"web\"", "containerName is \"x\"", NULL});
    end(e);
}

static void test_any_true(void **state)
{
    struct explaining *e = begin(make_always(true));
    struct gr_cond three[3];

    (void)state;
    make_three(e, three);
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_ANY, three, 3));
    assert_int_equal(explain(e)->truth, GR_TRUE);
    assert_int_equal(e->explanation.sets[0].result->verdict, GR_VERDICT_INJECTED);
    expect_leaves(e, (const char *const[]){"podName is \"web-0\"", NULL});
    end(e);
}

/* A "not" turns the question: its condition is true, which is why it is false. */
static void test_not_false(void **state)
{
    struct explaining *e = begin(make_always(true));
    struct gr_cond three[3], all;

    (void)state;
    make_three(e, three);
    all = make_node(&e->rig.rules_arena, GR_COND_ANY, three, 3);
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_NOT, &all, 1));
    assert_int_equal(explain(e)->truth, GR_FALSE);
    expect_leaves(e, (const char *const[]){"not: podName is \"web-0\"", NULL});
    assert_true(e->leaves.items[0].negated);
    assert_int_equal(e->leaves.items[0].truth, GR_TRUE);
    end(e);
}

/* ---- near misses ---- */

struct near_row {
    const char *name;
    const char *namespace_, *pod, *container; /* what the three ask for; NULL: not asked */
    bool near;
};

static const struct near_row near_rows[] = {
    {"one of two fails", "web", "web-0", NULL, true},
    {"two of three fail", "web", "web-0", "x", false},
    {"nothing speaks for it", "web", NULL, NULL, false},
    {"it matches", "prod", "web-0", "web", false},
};

static void nearly(void **state)
{
    const struct near_row *row = *state;
    const char *const texts[] = {row->namespace_, row->pod, row->container};
    static const enum gr_field fields[] = {GR_FIELD_NAMESPACE, GR_FIELD_POD_NAME,
                                           GR_FIELD_CONTAINER_NAME};
    struct explaining *e = begin(make_always(true));
    struct gr_cond conds[3];
    size_t n = 0;

    for (size_t i = 0; i < 3; i++) {
        if (texts[i])
            conds[n++] = make_leaf(&e->rig.rules_arena, fields[i], NULL, make_exact(texts[i]));
    }
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_ALL, conds, n));
    assert_int_equal(explain(e)->near, row->near);
    end(e);
}

/* A key that is there with another value speaks for it; that something is none of a list does not.
 */
static void test_near_by_key(void **state)
{
    struct gr_test other = make_exact("other");
    struct explaining *e = begin(make_always(true));
    struct gr_cond two[2];

    (void)state;
    two[0] = make_leaf(&e->rig.rules_arena, GR_FIELD_POD_ANNOTATIONS, "k", make_exact("v"));
    two[1] = make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL,
                       make_set(&e->rig.rules_arena, false, &other, 1));
    set_match(e, make_node(&e->rig.rules_arena, GR_COND_ALL, two, 2));
    assert_false(explain(e)->near);
    add_annotation(e, "k", "w");
    assert_true(explain(e)->near);
    end(e);
}

/* ---- nodes, requests, budget ---- */

static void test_other_node(void **state)
{
    static const struct gr_test gpu = {.kind = GR_TEST_GLOB, .text = TEXT("gpu-*")};
    struct explaining *e = begin(make_always(true));
    struct gr_str text;

    (void)state;
    e->rig.sets[0].nodes = (struct gr_nodes){.has_names = true, .names = {&gpu, 1}};
    e->rig.sets[0].other_node = true;
    assert_int_equal(explain(e)->state, GR_EXPLAIN_OTHER_NODE);
    assert_int_equal(e->explanation.sets[0].truth, GR_TRUE);
    assert_null(e->explanation.sets[0].result);
    assert_int_equal(gr_explain_nodes(&e->explanation, &e->rig.sets[0], &e->rig.arena, &text), 0);
    assert_str(text, "nodes.names glob \"gpu-*\", and this node is \"node-1\"");
    e->rig.sets[0].nodes = (struct gr_nodes){.has_percent = true, .percent = 0};
    assert_int_equal(gr_explain_nodes(&e->explanation, &e->rig.sets[0], &e->rig.arena, &text), 0);
    expect_in(text, "nodes.percent is 0, and this node \"node-1\" has place ");
    end(e);
}

struct request_row {
    const char *name;
    const char *annotation; /* NULL: there is none */
    bool requestable;
    uint32_t unknown; /* bits of enum gr_field */
    const char *why;
};

static const struct request_row request_rows[] = {
    {"not asked", NULL, true, 0, "the pod does not ask for this set"},
    {"others", "a, tapp ,tap2", true, 0, "the pod does not ask for this set"},
    {"not requestable", "a, tap", false, 0,
     "the pod asks for it, but it cannot be asked for (spec.requestable)"},
    {"not granted", " tap\t,b", true, 0,
     "the pod asks for it, but no policy grants it to this namespace"},
    {"no annotations", NULL, true, 1U << GR_FIELD_ANNOTATIONS,
     "unknown: this source tells no annotations, or no namespace"},
    {"no namespace", "tap", true, 1U << GR_FIELD_NAMESPACE,
     "unknown: this source tells no annotations, or no namespace"},
};

static void requests(void **state)
{
    const struct request_row *row = *state;
    struct explaining *e = begin(make_always(true));

    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_REQUESTED, NULL, make_exact("tap")));
    e->rig.sets[0].requestable = row->requestable;
    if (row->annotation)
        add_annotation(e, GR_REQUEST_ANNOTATION, row->annotation);
    e->options.request_annotation = GR_STR(GR_REQUEST_ANNOTATION);
    e->rig.subject.unknown_fields |= row->unknown;
    (void)explain(e);
    /* What is denied may also refuse the container: the decision says that. */
    assert_int_equal(e->explanation.sets[0].truth, row->unknown ? GR_UNKNOWN : GR_FALSE);
    assert_int_equal(e->leaves.n, 1);
    assert_str(e->leaves.items[0].expected, "requested: true");
    assert_str(e->leaves.items[0].seen, row->why);
    end(e);
}

/* With nothing left to spend there are no conditions, and the verdict stands. */
static void test_no_steps(void **state)
{
    struct explaining *e = begin(make_always(true));
    const struct gr_explained *set;

    (void)state;
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL, make_exact("web")));
    set = explain(e);
    e->explanation.steps = 0;
    assert_int_equal(gr_explain_leaves(&e->explanation, set, &e->rig.arena, &e->leaves), 0);
    assert_int_equal(e->leaves.n, 0);
    assert_int_equal(set->truth, GR_FALSE);
    end(e);
}

/* The budget of the whole, at its edge: one step for the condition and the text's one. */
static void test_limit_of_steps(void **state)
{
    struct explaining *e = begin(make_always(true));
    const struct gr_explained *set;
    uint64_t spent;

    (void)state;
    set_match(e, make_leaf(&e->rig.rules_arena, GR_FIELD_NAMESPACE, NULL, make_exact("web")));
    set = explain(e);
    assert_true(e->explanation.steps < GR_EXPLAIN_STEPS_MAX);
    e->explanation.steps = GR_EXPLAIN_STEPS_MAX;
    assert_int_equal(gr_explain_leaves(&e->explanation, set, &e->rig.arena, &e->leaves), 0);
    spent = GR_EXPLAIN_STEPS_MAX - e->explanation.steps;
    e->explanation.steps = spent;
    assert_int_equal(gr_explain_leaves(&e->explanation, set, &e->rig.arena, &e->leaves), 0);
    assert_int_equal(e->leaves.n, 1);
    e->explanation.steps = spent - 1;
    assert_int_equal(gr_explain_leaves(&e->explanation, set, &e->rig.arena, &e->leaves), 0);
    assert_int_equal(e->leaves.n, 0);
    end(e);
}

int main(void)
{
    TEST_ADD_ROWS(words, words_rows);
    test_add("an image", test_image_words);
    test_add("a field that is not told", test_unknown_words);
    test_add("a digest that is not told", test_unknown_tag_words);
    test_add("a condition of a later version", test_unreadable_words);
    test_add("a mount", test_mount_words);
    test_add("a hostile value", test_hostile_value);
    test_add("limit of values", test_limit_of_values);
    test_add("limit of conditions", test_limit_of_leaves);
    test_add("limit of a text", test_limit_of_text);
    test_add("all is false", test_all_false);
    test_add("any is false", test_any_false);
    test_add("any is true", test_any_true);
    test_add("not is false", test_not_false);
    TEST_ADD_ROWS(nearly, near_rows);
    test_add("near by a key", test_near_by_key);
    test_add("another node", test_other_node);
    TEST_ADD_ROWS(requests, request_rows);
    test_add("no steps left", test_no_steps);
    test_add("limit of steps", test_limit_of_steps);
    return test_run("explain");
}
