/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluating.h"

/* ---- leaves ---- */

struct leaf_row {
    const char *name;
    enum gr_field field;
    const char *key;
    enum form form;
    const char *text;
    enum gr_truth truth;
};

static const struct leaf_row leaf_rows[] = {
    {"namespace", GR_FIELD_NAMESPACE, NULL, EXACT, "prod", GR_TRUE},
    {"namespace, other", GR_FIELD_NAMESPACE, NULL, EXACT, "pro", GR_FALSE},
    {"namespace glob", GR_FIELD_NAMESPACE, NULL, GLOB, "pr*", GR_TRUE},
    {"namespace prefix", GR_FIELD_NAMESPACE, NULL, PREFIX, "pro", GR_TRUE},
    {"namespace prefix, other", GR_FIELD_NAMESPACE, NULL, PREFIX, "proD", GR_FALSE},
    {"namespace in", GR_FIELD_NAMESPACE, NULL, IN, "prod", GR_TRUE},
    {"namespace in, other", GR_FIELD_NAMESPACE, NULL, IN, "dev", GR_FALSE},
    {"namespace notIn", GR_FIELD_NAMESPACE, NULL, NOT_IN, "prod", GR_FALSE},
    {"namespace notIn, other", GR_FIELD_NAMESPACE, NULL, NOT_IN, "dev", GR_TRUE},
    {"namespace exists", GR_FIELD_NAMESPACE, NULL, THERE, "", GR_TRUE},
    {"pod name", GR_FIELD_POD_NAME, NULL, GLOB, "web-?", GR_TRUE},
    {"container name", GR_FIELD_CONTAINER_NAME, NULL, EXACT, "c", GR_TRUE},
    {"runtime", GR_FIELD_RUNTIME, NULL, EXACT, "containerd", GR_TRUE},
    {"default handler", GR_FIELD_RUNTIME_HANDLER, NULL, EXACT, "", GR_TRUE},
    {"default handler exists", GR_FIELD_RUNTIME_HANDLER, NULL, THERE, "", GR_FALSE},
    {"default handler does not", GR_FIELD_RUNTIME_HANDLER, NULL, NOT_THERE, "", GR_TRUE},
    {"default handler notIn", GR_FIELD_RUNTIME_HANDLER, NULL, NOT_IN, "kata", GR_TRUE},
    {"default handler prefix", GR_FIELD_RUNTIME_HANDLER, NULL, PREFIX, "kata", GR_FALSE},
    {"command", GR_FIELD_COMMAND, NULL, EXACT, "/bin/sh", GR_TRUE},
    {"command, not args", GR_FIELD_COMMAND, NULL, EXACT, "-c", GR_FALSE},
    {"label", GR_FIELD_POD_LABELS, "app", EXACT, "web", GR_TRUE},
    {"label, other", GR_FIELD_POD_LABELS, "app", EXACT, "db", GR_FALSE},
    {"label absent", GR_FIELD_POD_LABELS, "ap", EXACT, "web", GR_FALSE},
    {"label absent glob", GR_FIELD_POD_LABELS, "ap", GLOB, "*", GR_FALSE},
    {"label absent prefix", GR_FIELD_POD_LABELS, "ap", PREFIX, "", GR_FALSE},
    {"label absent in", GR_FIELD_POD_LABELS, "ap", IN, "web", GR_FALSE},
    {"label absent notIn", GR_FIELD_POD_LABELS, "ap", NOT_IN, "web", GR_TRUE},
    {"label absent exists", GR_FIELD_POD_LABELS, "ap", THERE, "", GR_FALSE},
    {"label absent does not", GR_FIELD_POD_LABELS, "ap", NOT_THERE, "", GR_TRUE},
    {"empty label exists", GR_FIELD_POD_LABELS, "empty", THERE, "", GR_TRUE},
    {"empty label does not", GR_FIELD_POD_LABELS, "empty", NOT_THERE, "", GR_FALSE},
    {"empty label glob", GR_FIELD_POD_LABELS, "empty", GLOB, "*", GR_TRUE},
    {"container label", GR_FIELD_CONTAINER_LABELS, "app", EXACT, "web", GR_TRUE},
    {"container label is another map", GR_FIELD_CONTAINER_LABELS, "empty", THERE, "", GR_FALSE},
    {"pod annotation", GR_FIELD_POD_ANNOTATIONS, "x.io/type", EXACT, "custom", GR_TRUE},
    {"pod annotation, not own", GR_FIELD_POD_ANNOTATIONS, "own", THERE, "", GR_FALSE},
    {"pod annotation has no scopes", GR_FIELD_POD_ANNOTATIONS, "k", THERE, "", GR_FALSE},
    {"container annotation", GR_FIELD_CONTAINER_ANNOTATIONS, "own", EXACT, "1", GR_TRUE},
    {"annotation, scoped", GR_FIELD_ANNOTATIONS, "k", EXACT, "scoped", GR_TRUE},
    {"annotation, own", GR_FIELD_ANNOTATIONS, "own", EXACT, "1", GR_TRUE},
    {"annotation absent notIn", GR_FIELD_ANNOTATIONS, "none", NOT_IN, "1", GR_TRUE},
    {"image", GR_FIELD_IMAGE, NULL, EXACT, "nginx", GR_TRUE},
    {"image in", GR_FIELD_IMAGE, NULL, IN, "nginx:1.*", GR_TRUE},
    {"image in, other", GR_FIELD_IMAGE, NULL, IN, "httpd", GR_FALSE},
    {"image notIn", GR_FIELD_IMAGE, NULL, NOT_IN, "nginx", GR_FALSE},
    {"image notIn, other", GR_FIELD_IMAGE, NULL, NOT_IN, "httpd", GR_TRUE},
    {"image exists", GR_FIELD_IMAGE, NULL, THERE, "", GR_TRUE},
    {"first of args", GR_FIELD_ARGS, NULL, EXACT, "/bin/sh", GR_TRUE},
    {"last of args", GR_FIELD_ARGS, NULL, EXACT, "-c", GR_TRUE},
    {"none of args", GR_FIELD_ARGS, NULL, EXACT, "-", GR_FALSE},
    {"args glob", GR_FIELD_ARGS, NULL, GLOB, "-?", GR_TRUE},
    {"args glob, none", GR_FIELD_ARGS, NULL, GLOB, "-??", GR_FALSE},
    {"args prefix", GR_FIELD_ARGS, NULL, PREFIX, "/bin/", GR_TRUE},
    {"args in", GR_FIELD_ARGS, NULL, IN, "-c", GR_TRUE},
    {"args in, none", GR_FIELD_ARGS, NULL, IN, "-d", GR_FALSE},
    {"args notIn", GR_FIELD_ARGS, NULL, NOT_IN, "-c", GR_FALSE},
    {"args notIn, none", GR_FIELD_ARGS, NULL, NOT_IN, "-d", GR_TRUE},
    {"args exist", GR_FIELD_ARGS, NULL, THERE, "", GR_TRUE},
    {"args do not", GR_FIELD_ARGS, NULL, NOT_THERE, "", GR_FALSE},
    {"env", GR_FIELD_ENV, NULL, EXACT, "MODE=a=b", GR_TRUE},
    {"env by name alone", GR_FIELD_ENV, NULL, EXACT, "MODE", GR_FALSE},
    {"env with an empty value", GR_FIELD_ENV, NULL, EXACT, "DEBUG=", GR_TRUE},
    {"env by name", GR_FIELD_ENV, NULL, PREFIX, "DEBUG=", GR_TRUE},
    {"env by value", GR_FIELD_ENV, NULL, GLOB, "*=/bin", GR_TRUE},
    {"env notIn", GR_FIELD_ENV, NULL, NOT_IN, "DEBUG=", GR_FALSE},
    {"requested", GR_FIELD_REQUESTED, NULL, EXACT, "tap", GR_TRUE},
    {"not requested", GR_FIELD_REQUESTED, NULL, EXACT, "ta", GR_FALSE},
    {"digest", GR_FIELD_IMAGE, NULL, EXACT, "nginx@sha256:*", GR_UNKNOWN},
    {"digest in", GR_FIELD_IMAGE, NULL, IN, "nginx@sha256:*", GR_UNKNOWN},
    {"digest notIn", GR_FIELD_IMAGE, NULL, NOT_IN, "nginx@sha256:*", GR_UNKNOWN},
    {"digest of another notIn", GR_FIELD_IMAGE, NULL, NOT_IN, "httpd@sha256:*", GR_TRUE},
};

static void leaves(void **state)
{
    const struct leaf_row *row = *state;
    struct gr_subject subject = known();
    struct gr_cond leaf =
        make_leaf(&arena, row->field, row->key, make_form(row->field, row->form, row->text));

    assert_string_equal(gr_truth_name(eval(leaf, &subject)), gr_truth_name(row->truth));
    if (row->field == GR_FIELD_IMAGE)
        subject.image.known = false;
    else
        subject.unknown_fields = 1U << row->field;
    /* Whatever is asked of a field that is not known, the answer is not known. */
    assert_string_equal(gr_truth_name(eval(leaf, &subject)), "unknown");
}

static void no_command(void **state)
{
    struct gr_subject subject = known();

    (void)state;
    subject.args.n = 0;
    assert_int_equal(
        eval(make_leaf(&arena, GR_FIELD_COMMAND, NULL, make_form(GR_FIELD_COMMAND, EXACT, "")),
             &subject),
        GR_FALSE);
    assert_int_equal(
        eval(make_leaf(&arena, GR_FIELD_COMMAND, NULL, make_form(GR_FIELD_COMMAND, NOT_IN, "x")),
             &subject),
        GR_TRUE);
    assert_int_equal(eval(make_leaf(&arena, GR_FIELD_COMMAND, NULL, make_exists(false)), &subject),
                     GR_TRUE);
}

static void any_of_several_tests(void **state)
{
    struct gr_test tests[] = {make_exact("dev"), make_glob("pr*")};
    struct gr_cond leaf = {
        .kind = GR_COND_LEAF, .field = GR_FIELD_NAMESPACE, .tests = {.items = tests}};
    struct gr_subject subject = known();

    (void)state;
    leaf.tests.n = 1;
    assert_int_equal(eval(leaf, &subject), GR_FALSE);
    leaf.tests.n = 2;
    assert_int_equal(eval(leaf, &subject), GR_TRUE);
}

static void unknown_map_of_annotations(void **state)
{
    struct gr_cond leaf = make_leaf(&arena, GR_FIELD_ANNOTATIONS, "k", make_exact("scoped"));
    struct gr_subject subject = known();

    (void)state;
    subject.unknown_fields = 1U << GR_FIELD_CONTAINER_ANNOTATIONS;
    assert_int_equal(eval(leaf, &subject), GR_UNKNOWN);
    subject.unknown_fields = 1U << GR_FIELD_POD_ANNOTATIONS;
    assert_int_equal(eval(leaf, &subject), GR_UNKNOWN);
}

/* ---- lists ---- */

/* A text that is not there is no element, an empty text is one. */
static void lists_of_nothing(void **state)
{
    static const enum gr_field fields[] = {GR_FIELD_ARGS, GR_FIELD_ENV, GR_FIELD_REQUESTED};
    static const struct gr_str empty[] = {{"", 0}};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(fields); i++) {
        struct gr_cond there = make_leaf(&arena, fields[i], NULL, make_exists(true));
        struct gr_cond not_there = make_leaf(&arena, fields[i], NULL, make_exists(false));
        struct gr_cond any = make_leaf(&arena, fields[i], NULL, make_glob("*"));
        struct gr_cond other =
            make_leaf(&arena, fields[i], NULL, make_form(fields[i], NOT_IN, "a"));
        struct gr_subject subject = known();

        subject.args.n = subject.env.n = subject.requests.n = 0;
        assert_int_equal(eval(there, &subject), GR_FALSE);
        assert_int_equal(eval(not_there, &subject), GR_TRUE);
        assert_int_equal(eval(any, &subject), GR_FALSE);
        assert_int_equal(eval(other, &subject), GR_TRUE);
        subject.args = subject.env = subject.requests = (struct gr_strs){empty, 1};
        assert_int_equal(eval(there, &subject), GR_TRUE);
        assert_int_equal(eval(not_there, &subject), GR_FALSE);
        assert_int_equal(eval(any, &subject), GR_TRUE);
        assert_int_equal(eval(other, &subject), GR_TRUE);
    }
}

/* With less than is needed an element that fits is no false, and under notIn no true. */
static void list_without_budget(void **state)
{
    struct gr_cond leaf = make_leaf(&arena, GR_FIELD_ARGS, NULL, make_glob("-*c"));
    struct gr_cond other =
        make_leaf(&arena, GR_FIELD_ARGS, NULL, make_form(GR_FIELD_ARGS, NOT_IN, "-c"));
    struct gr_subject subject = known();
    uint64_t steps = PLENTY;
    uint64_t used;

    (void)state;
    assert_int_equal(gr_cond_eval(&leaf, &subject, &steps), GR_TRUE);
    used = PLENTY - steps;
    for (uint64_t budget = 0; budget <= used; budget++) {
        steps = budget;
        assert_int_equal(gr_cond_eval(&leaf, &subject, &steps), budget < used ? GR_ERROR : GR_TRUE);
    }
    steps = PLENTY;
    assert_int_equal(gr_cond_eval(&other, &subject, &steps), GR_FALSE);
    used = PLENTY - steps;
    for (uint64_t budget = 0; budget < used; budget++) {
        steps = budget;
        assert_int_equal(gr_cond_eval(&other, &subject, &steps), GR_ERROR);
    }
}

/* What one element gives an error for, another one may decide. */
static void errors_of_elements(void **state)
{
    static const struct gr_str bad[] = {TEXT("\xFF"), TEXT("needle")};
    struct gr_test regex = make_regex(&arena, "needle", false);
    struct gr_cond leaf = make_leaf(&arena, GR_FIELD_ARGS, NULL, regex);
    struct gr_subject subject = known();

    (void)state;
    subject.args = (struct gr_strs){bad, 2};
    assert_int_equal(eval(leaf, &subject), GR_TRUE);
    subject.args.n = 1;
    assert_int_equal(eval(leaf, &subject), GR_ERROR);
    assert_int_equal(eval(make_node(&arena, GR_COND_NOT, &leaf, 1), &subject), GR_ERROR);
    subject.args.n = 0;
    assert_int_equal(eval(leaf, &subject), GR_FALSE);
}

/* ---- trees: each of the four results as a child ---- */

/* An error without a small budget: what cannot be read. */
static struct gr_cond child_of(enum gr_truth truth)
{
    switch (truth) {
    case GR_FALSE:
        return make_always(false);
    case GR_TRUE:
        return make_always(true);
    case GR_UNKNOWN:
        return make_leaf(&arena, GR_FIELD_IMAGE, NULL, make_image(&arena, "nginx@sha256:*"));
    case GR_ERROR:
        break;
    }
    return (struct gr_cond){.kind = GR_COND_UNREADABLE};
}

static void trees(void **state)
{
    static const enum gr_truth all[] = {GR_FALSE, GR_ERROR, GR_UNKNOWN, GR_TRUE};
    struct gr_subject subject = known();

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct gr_cond one = child_of(all[i]);

        assert_int_equal(eval(make_node(&arena, GR_COND_NOT, &one, 1), &subject),
                         gr_truth_not(all[i]));
        assert_int_equal(eval(make_node(&arena, GR_COND_ALL, &one, 1), &subject), all[i]);
        assert_int_equal(eval(make_node(&arena, GR_COND_ANY, &one, 1), &subject), all[i]);
        for (size_t j = 0; j < 4; j++) {
            struct gr_cond two[] = {child_of(all[i]), child_of(all[j])};

            assert_int_equal(eval(make_node(&arena, GR_COND_ALL, two, 2), &subject),
                             gr_truth_and(all[i], all[j]));
            assert_int_equal(eval(make_node(&arena, GR_COND_ANY, two, 2), &subject),
                             gr_truth_or(all[i], all[j]));
        }
    }
    assert_int_equal(eval(make_node(&arena, GR_COND_ALL, NULL, 0), &subject), GR_TRUE);
    assert_int_equal(eval(make_node(&arena, GR_COND_ANY, NULL, 0), &subject), GR_FALSE);
}

/* ---- the budget ---- */

/*
 * Less than is needed gives an error or, where what was done so far decides already, the result;
 * the exact amount gives the result.
 */
static void budget_at_the_edge(void **state)
{
    struct gr_cond leaves[] = {
        make_leaf(&arena, GR_FIELD_NAMESPACE, NULL, make_glob("*o*")),
        make_leaf(&arena, GR_FIELD_POD_LABELS, "app", make_form(GR_FIELD_POD_LABELS, IN, "web")),
        make_leaf(&arena, GR_FIELD_ANNOTATIONS, "k", make_prefix("sc")),
        make_leaf(&arena, GR_FIELD_IMAGE, NULL, make_image(&arena, "ng*")),
    };
    struct gr_cond all = make_node(&arena, GR_COND_ALL, leaves, 4);
    struct gr_subject subject = known();
    uint64_t steps = PLENTY;
    uint64_t used;

    (void)state;
    assert_int_equal(gr_cond_eval(&all, &subject, &steps), GR_TRUE);
    used = PLENTY - steps;
    for (uint64_t budget = 0; budget <= used; budget++) {
        steps = budget;
        assert_int_equal(gr_cond_eval(&all, &subject, &steps), budget < used ? GR_ERROR : GR_TRUE);
        assert_int_equal(steps, 0);
    }
}

/* An error does not become a false under a not, nor a true in a list. */
static void no_budget(void **state)
{
    struct gr_cond leaf =
        make_leaf(&arena, GR_FIELD_NAMESPACE, NULL, make_form(GR_FIELD_NAMESPACE, NOT_IN, "dev"));
    struct gr_cond inverted = make_node(&arena, GR_COND_NOT, &leaf, 1);
    struct gr_subject subject = known();

    (void)state;
    for (uint64_t budget = 0; budget < 3; budget++) {
        uint64_t steps = budget;

        assert_int_equal(gr_cond_eval(&inverted, &subject, &steps), GR_ERROR);
    }
}

/* As deep as the reader lets a tree become. */
static void deep(void **state)
{
    struct gr_subject subject = known();
    struct gr_cond cond = make_always(true);

    (void)state;
    for (size_t i = 0; i < GR_YAML_DEPTH_MAX; i++)
        cond = make_node(&arena, GR_COND_NOT, &cond, 1);
    assert_int_equal(eval(cond, &subject), GR_TRUE);
}

int main(void)
{
    int failed;

    gr_arena_init(&arena, 65536, 0);
    TEST_ADD_ROWS(leaves, leaf_rows);
    test_add("no command", no_command);
    test_add("any of several tests", any_of_several_tests);
    test_add("unknown map of annotations", unknown_map_of_annotations);
    test_add("lists of nothing", lists_of_nothing);
    test_add("list without budget", list_without_budget);
    test_add("errors of elements", errors_of_elements);
    test_add("trees", trees);
    test_add("budget at the edge", budget_at_the_edge);
    test_add("no budget", no_budget);
    test_add("deep", deep);
    failed = test_run("cond");
    gr_arena_fini(&arena);
    return failed;
}
