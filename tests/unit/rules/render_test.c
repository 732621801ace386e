/* SPDX-License-Identifier: Apache-2.0 */
/* What a hook looks like when it is injected, and what its templates refuse. */
#include "deciding.h"

/* ---- env and args ---- */

static void hook_in_full(void **state)
{
    static const char *const args[] = {"tap", "--id={{.ID}}", "{{\"{{\"}}", "", NULL};
    static const char *const env[] = {"MODE=bridge", "WHO={{.PodNamespace}}/{{.PodName}}", NULL};
    static const char *const expected_args[] = {"tap", "--id=id-1", "{{", "", NULL};
    static const char *const expected_env[] = {"MODE=bridge",
                                               "WHO=prod/web-0",
                                               GR_HOOK_PATH_ENV,
                                               "GRAPNEL_CONTAINER_ID=id-1",
                                               "GRAPNEL_CONTAINER_NAME=web",
                                               "GRAPNEL_POD_NAME=web-0",
                                               "GRAPNEL_POD_NAMESPACE=prod",
                                               "GRAPNEL_POD_UID=uid-1",
                                               "GRAPNEL_STAGE=createRuntime",
                                               MARK,
                                               NULL};
    const struct gr_decision *d;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_CREATE_RUNTIME,
              "/opt/tap", args, env);
    d = rig_decide(&rig);
    assert_int_equal(d->hooks_n, 1);
    assert_int_equal(d->hooks[0].stage, GR_STAGE_CREATE_RUNTIME);
    assert_str(d->hooks[0].path, "/opt/tap");
    assert_true(d->hooks[0].has_timeout);
    assert_int_equal(d->hooks[0].timeout_s, GR_HOOK_TIMEOUT_DEFAULT_S);
    expect_texts(d->hooks[0].args, expected_args);
    expect_texts(d->hooks[0].env, expected_env);
    rig_fini(&rig);
}

static void path_of_its_own(void **state)
{
    static const char *const env[] = {"PATH=/opt/bin", NULL};
    static const char *const other[] = {"PATHS=/opt/bin", NULL};
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/opt/a", NULL, env);
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/opt/b", NULL, other);
    d = rig_decide(&rig);
    assert_int_equal(d->hooks_n, 2);
    assert_int_equal(d->hooks[0].args.n, 0);
    assert_int_equal(d->hooks[0].env.n, 8);
    assert_str(d->hooks[0].env.items[0], "PATH=/opt/bin");
    assert_str(d->hooks[0].env.items[1], "GRAPNEL_CONTAINER_ID=id-1");
    assert_int_equal(d->hooks[1].env.n, 9);
    assert_str(d->hooks[1].env.items[1], GR_HOOK_PATH_ENV);
    rig_fini(&rig);
}

/* ---- environments ---- */

/* Entries (up to a NULL) as the environment of a set. */
static void set_environment(struct rig *rig, struct gr_hookset *set, const char *const *entries)
{
    struct gr_hook_text *texts = make_room(&rig->rules_arena, 8, sizeof(*texts));
    struct gr_environment *environment = make_room(&rig->rules_arena, 1, sizeof(*environment));

    *environment = (struct gr_environment){.name = GR_STR("test"), .env = texts};
    for (; entries[environment->env_n]; environment->env_n++)
        texts[environment->env_n] = make_hook_text(&rig->rules_arena, entries[environment->env_n]);
    set->environment = environment;
}

/* In the place of an entry of the same name, else behind the hook's own; for each hook. */
static void environment(void **state)
{
    static const char *const first[] = {"A=1", "B={{.ID}}", "C=3", NULL};
    static const char *const second[] = {"BB=1", NULL};
    static const char *const entries[] = {"PATH=/opt/bin", "B=two", "D={{.Name}}", NULL};
    static const char *const first_expected[] = {
        "A=1", "B=two", "C=3", "PATH=/opt/bin", "D=web", "GRAPNEL_CONTAINER_ID=id-1", NULL};
    static const char *const second_expected[] = {
        "BB=1", "PATH=/opt/bin", "B=two", "D=web", "GRAPNEL_CONTAINER_ID=id-1", NULL};
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct gr_strs env;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_PRESTART, "/opt/a", NULL, first);
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/b", NULL, second);
    set_environment(&rig, set, entries);
    d = rig_decide(&rig);
    assert_int_equal(d->hooks_n, 2);
    env = d->hooks[0].env;
    assert_int_equal(env.n, 5 + 7);
    env.n = 6;
    expect_texts(env, first_expected);
    env = d->hooks[1].env;
    assert_int_equal(env.n, 4 + 7);
    env.n = 5;
    expect_texts(env, second_expected);
    rig_fini(&rig);
}

/* Its entries are the rule's own: a hook without them is another hook. */
static void environment_is_the_rules_own(void **state)
{
    static const char *const entries[] = {"A=1", NULL};
    struct gr_str env[] = {GR_STR("A=1")};
    struct gr_oci_hook existing = {.stage = GR_STAGE_POSTSTOP,
                                   .path = GR_STR("/opt/h"),
                                   .env = {env, 1},
                                   .has_timeout = true,
                                   .timeout_s = GR_HOOK_TIMEOUT_DEFAULT_S};
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    set_environment(&rig, set, entries);
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->hooks_n, 0);
    existing.env.n = 0;
    assert_int_equal(rig_decide(&rig)->hooks_n, 1);
    rig_fini(&rig);
}

static void environment_refused(void **state)
{
    static const char *const entries[] = {"A=1", "B={{annotation \"none\"}}", NULL};
    static const char *const env[] = {"B=1", NULL};
    struct gr_hookset *set;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h", NULL, env);
    set_environment(&rig, set, entries);
    assert_true(rig_decide(&rig)->refuse);
    expect_in(rig.decision.results[0].reason,
              "environment[1] of its poststop hook at line 12: annotation \"none\" is absent");
    rig_fini(&rig);
}

/* A runtime may know nothing of pods: the variables are there all the same. */
static void empty_identity(void **state)
{
    static const char *const expected[] = {GR_HOOK_PATH_ENV,
                                           "GRAPNEL_CONTAINER_ID=",
                                           "GRAPNEL_CONTAINER_NAME=",
                                           "GRAPNEL_POD_NAME=",
                                           "GRAPNEL_POD_NAMESPACE=",
                                           "GRAPNEL_POD_UID=",
                                           "GRAPNEL_STAGE=poststop",
                                           MARK,
                                           NULL};
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig.subject = (struct gr_subject){0};
    make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTOP,
              "/opt/tap", NULL, NULL);
    expect_texts(rig_decide(&rig)->hooks[0].env, expected);
    rig_fini(&rig);
}

/* ---- templates ---- */

static struct gr_kv hostile_annotations[] = {
    {TEXT("plain"), TEXT("value")},
    {TEXT("empty"), TEXT("")},
    {TEXT("braces"), TEXT("{{.ID}} {{\"x\"}}")},
    {TEXT("option"), TEXT("--privileged")},
    {TEXT("dash"), TEXT("-")},
    {TEXT("newline"), TEXT("a\nB=c")},
    {TEXT("nul"), TEXT("a\0b")},
    {TEXT("latin1"), TEXT("caf\xE9")},
    {TEXT("spaces"), TEXT("a b; rm -rf / $(x) `y` \"z\"")},
    {TEXT("scoped/container.web"), TEXT("mine")},
};

struct template_row {
    const char *name;
    const char *text;
    const char *expected; /* NULL: an error … */
    const char *problem;  /* … of this text */
};

static const struct template_row template_rows[] = {
    {"id", "{{.ID}}", "id-1", NULL},
    {"name", "{{.Name}}", "web", NULL},
    {"image", "{{.Image}}", "nginx:1.25", NULL},
    {"pod", "{{.PodNamespace}}/{{.PodName}}", "prod/web-0", NULL},
    {"uid", "{{.PodUID}}", "uid-1", NULL},
    {"handler", "{{.RuntimeHandler}}", "runc", NULL},
    {"node", "{{.NodeName}}", "node-1", NULL},
    {"stage", "{{.Stage}}", "poststart", NULL},
    {"set", "{{.HookSet}}", "tap", NULL},
    {"annotation", "{{annotation \"plain\"}}", "value", NULL},
    {"annotation, default not used", "{{annotation \"plain\" \"x\"}}", "value", NULL},
    {"annotation, default", "{{annotation \"none\" \"x\"}}", "x", NULL},
    {"annotation, empty default", "a{{annotation \"none\" \"\"}}b", "ab", NULL},
    {"annotation, empty", "{{annotation \"empty\" \"x\"}}", "", NULL},
    {"annotation, scoped", "{{annotation \"scoped\"}}", "mine", NULL},
    {"annotation, absent", "{{annotation \"none\"}}", NULL,
     "args[1] of its poststart hook at line 12: annotation \"none\" is absent"},
    {"label", "{{label \"app\"}}", "shop", NULL},
    {"label, default", "{{label \"none\" \"x\"}}", "x", NULL},
    {"label, absent", "{{label \"none\"}}", NULL, "label \"none\" is absent"},
    {"label of the container only", "{{label \"image-label\"}}", NULL,
     "label \"image-label\" is absent"},
    {"value is not searched", "{{annotation \"braces\"}}", "{{.ID}} {{\"x\"}}", NULL},
    {"one element", "{{annotation \"spaces\"}}", "a b; rm -rf / $(x) `y` \"z\"", NULL},
    {"option", "{{annotation \"option\"}}", NULL, "begins the element with \"-\""},
    {"dash alone", "{{annotation \"dash\"}}", NULL, "begins the element with \"-\""},
    {"option behind nothing", "{{annotation \"empty\"}}{{annotation \"option\"}}", NULL,
     "begins the element with \"-\""},
    {"option behind an empty default", "{{annotation \"none\" \"\"}}{{annotation \"option\"}}",
     NULL, "begins the element with \"-\""},
    {"option behind a text", "--mode={{annotation \"option\"}}", "--mode=--privileged", NULL},
    {"option of the rule", "{{annotation \"none\" \"--safe\"}}", "--safe", NULL},
    {"newline", "x{{annotation \"newline\"}}", NULL, "holds a newline"},
    {"NUL", "x{{annotation \"nul\"}}", NULL, "holds a NUL byte"},
    {"no UTF-8", "x{{annotation \"latin1\"}}", NULL, "is not valid UTF-8"},
};

static struct gr_kv pod_labels[] = {{TEXT("app"), TEXT("shop")}};
static struct gr_kv own_labels[] = {{TEXT("image-label"), TEXT("x")}};

static void add_templated(struct rig *rig, const char *text)
{
    const char *const args[] = {"h", text, NULL};

    rig_init(rig);
    rig->subject.pod_annotations =
        (struct gr_kvs){hostile_annotations, GR_ARRAY_LEN(hostile_annotations)};
    rig->subject.pod_labels = (struct gr_kvs){pod_labels, 1};
    rig->subject.container_labels = (struct gr_kvs){own_labels, 1};
    make_hook(&rig->rules_arena, rig_add(rig, "tap", make_always(true)), GR_STAGE_POSTSTART,
              "/opt/h", args, NULL);
}

static void templates(void **state)
{
    const struct template_row *row = *state;
    const struct gr_decision *d;
    struct rig rig;

    add_templated(&rig, row->text);
    d = rig_decide(&rig);
    assert_int_equal(d->refuse, row->expected == NULL);
    if (row->expected) {
        assert_int_equal(d->hooks[0].args.n, 2);
        assert_str(d->hooks[0].args.items[1], row->expected);
    } else {
        expect_in(d->results[0].reason, row->problem);
        expect_in(d->refusal, row->problem);
    }
    rig_fini(&rig);
}

struct unknown_row {
    const char *name;
    const char *text;
    uint32_t unknown;
    bool is_error;
};

static const struct unknown_row unknown_rows[] = {
    {"image", "{{.Image}}", 1U << GR_FIELD_IMAGE, true},
    {"name", "{{.Name}}", 1U << GR_FIELD_CONTAINER_NAME, true},
    {"pod", "{{.PodName}}", 1U << GR_FIELD_POD_NAME, true},
    {"namespace", "{{.PodNamespace}}", 1U << GR_FIELD_NAMESPACE, true},
    {"handler", "{{.RuntimeHandler}}", 1U << GR_FIELD_RUNTIME_HANDLER, true},
    {"annotation", "{{annotation \"plain\"}}", 1U << GR_FIELD_POD_ANNOTATIONS, true},
    {"annotation, default", "{{annotation \"none\" \"x\"}}", 1U << GR_FIELD_CONTAINER_ANNOTATIONS,
     true},
    {"annotation of the container", "{{annotation \"scoped\"}}", 1U << GR_FIELD_CONTAINER_NAME,
     true},
    {"plain annotation, no name", "{{annotation \"plain\"}}", 1U << GR_FIELD_CONTAINER_NAME, false},
    {"label", "{{label \"app\" \"x\"}}", 1U << GR_FIELD_POD_LABELS, true},
    {"container's labels do not matter", "{{label \"app\"}}", 1U << GR_FIELD_CONTAINER_LABELS,
     false},
    {"id", "{{.ID}}", UINT32_MAX, false},
};

static void unknown_values(void **state)
{
    const struct unknown_row *row = *state;
    struct rig rig;

    add_templated(&rig, row->text);
    rig.subject.unknown_fields = row->unknown;
    if (row->unknown == 1U << GR_FIELD_IMAGE)
        rig.subject.image.known = false;
    assert_int_equal(rig_decide(&rig)->refuse, row->is_error);
    if (row->is_error)
        expect_in(rig.decision.refusal, "cannot be told here");
    rig_fini(&rig);
}

/* The limit of one element, at its edge and one past it. */
static void longest_element(void **state)
{
    static char value[GR_HOOK_ELEMENT_MAX_BYTES];
    struct gr_kv annotation = {GR_STR("long"), {value, sizeof(value) - 2}};
    struct rig rig;

    (void)state;
    memset(value, 'x', sizeof(value));
    add_templated(&rig, "a={{annotation \"long\"}}");
    rig.subject.pod_annotations = (struct gr_kvs){&annotation, 1};
    assert_false(rig_decide(&rig)->refuse);
    assert_int_equal(rig.decision.hooks[0].args.items[1].n, GR_HOOK_ELEMENT_MAX_BYTES);
    annotation.value.n++;
    assert_true(rig_decide(&rig)->refuse);
    expect_in(rig.decision.refusal, "more than 131071 bytes");
    rig_fini(&rig);
}

static void foreign_identity(void **state)
{
    static const struct gr_str bad[] = {TEXT("a\nb"), TEXT("a\0b"), TEXT("a\xFF")};

    (void)state;
    for (size_t field = 0; field < 5; field++) {
        for (size_t i = 0; i < GR_ARRAY_LEN(bad); i++) {
            struct gr_str *fields[5];
            struct rig rig;

            add_templated(&rig, "plain");
            fields[0] = &rig.subject.id;
            fields[1] = &rig.subject.name;
            fields[2] = &rig.subject.pod_name;
            fields[3] = &rig.subject.pod_namespace;
            fields[4] = &rig.subject.pod_uid;
            *fields[field] = bad[i];
            assert_true(rig_decide(&rig)->refuse);
            expect_in(rig.decision.results[0].reason, "the value for GRAPNEL_");
            for (size_t k = 0; k < rig.decision.refusal.n; k++)
                assert_true((unsigned char)rig.decision.refusal.p[k] >= 0x20);
            rig_fini(&rig);
        }
    }
}

int main(void)
{
    test_add("hook in full", hook_in_full);
    test_add("PATH of its own", path_of_its_own);
    test_add("environment", environment);
    test_add("environment and hooks that are there", environment_is_the_rules_own);
    test_add("environment that cannot be filled in", environment_refused);
    test_add("empty identity", empty_identity);
    TEST_ADD_ROWS(templates, template_rows);
    TEST_ADD_ROWS(unknown_values, unknown_rows);
    test_add("longest element", longest_element);
    test_add("foreign identity", foreign_identity);
    return test_run("render");
}
