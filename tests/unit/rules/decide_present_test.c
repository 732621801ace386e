/* SPDX-License-Identifier: Apache-2.0 */
/* What gr_decide makes of hooks that the container has already. */
#include "deciding.h"

enum change {
    SAME,
    ADDED_ENV, /* with what is added to every env, apart from the mark */
    OTHER_STAGE,
    OTHER_PATH,
    OTHER_ARGS,
    FEWER_ARGS,
    NO_ARGS,
    OTHER_ENV,
    MORE_ENV,
    OTHER_TIMEOUT,
    NO_TIMEOUT,
    OTHER_MARK, /* the same hook, put there by another set of ours */
};

struct present_row {
    const char *name;
    enum change change;
    bool present;
};

static const struct present_row present_rows[] = {
    {"same", SAME, true},
    {"what is added does not count", ADDED_ENV, true},
    {"other stage", OTHER_STAGE, false},
    {"other path", OTHER_PATH, false},
    {"other args", OTHER_ARGS, false},
    {"fewer args", FEWER_ARGS, false},
    {"no args", NO_ARGS, false},
    {"other env", OTHER_ENV, false},
    {"more env", MORE_ENV, false},
    {"other timeout", OTHER_TIMEOUT, false},
    {"no timeout", NO_TIMEOUT, false},
    {"marked by another set", OTHER_MARK, false},
};

static void change_hook(struct gr_oci_hook *hook, enum change change, struct gr_str *args,
                        struct gr_str *env)
{
    switch (change) {
    case SAME:
        break;
    case ADDED_ENV:
        hook->env.n = 3;
        env[1] = GR_STR(GR_HOOK_PATH_ENV);
        env[2] = GR_STR("GRAPNEL_POD_NAME=another");
        break;
    case OTHER_STAGE:
        hook->stage = GR_STAGE_PRESTART;
        break;
    case OTHER_PATH:
        hook->path = GR_STR("/opt/x");
        break;
    case OTHER_ARGS:
        args[1] = GR_STR("--id=id-2");
        break;
    case FEWER_ARGS:
        hook->args.n = 1;
        break;
    case NO_ARGS:
        hook->args.n = 0;
        break;
    case OTHER_ENV:
        env[0] = GR_STR("A=c");
        break;
    case MORE_ENV:
        hook->env.n = 2;
        env[1] = GR_STR("B=c");
        break;
    case OTHER_TIMEOUT:
        hook->timeout_s = 11;
        break;
    case NO_TIMEOUT:
        hook->has_timeout = false;
        break;
    case OTHER_MARK:
        hook->env.n = 2;
        env[1] = GR_STR("GRAPNEL_HOOKSET=another@0");
        break;
    }
}

static void present(void **state)
{
    static const char *const rule_args[] = {"h", "--id={{.ID}}", NULL};
    static const char *const rule_env[] = {"A=b", NULL};
    const struct present_row *row = *state;
    struct gr_str args[] = {GR_STR("h"), GR_STR("--id=id-1")};
    struct gr_str env[] = {GR_STR("A=b"), GR_STR(""), GR_STR("")};
    struct gr_oci_hook existing = {.stage = GR_STAGE_POSTSTART,
                                   .path = GR_STR("/opt/h"),
                                   .args = {args, 2},
                                   .env = {env, 1},
                                   .has_timeout = true,
                                   .timeout_s = 10};
    const struct gr_decision *d;
    struct gr_hookset *set;
    struct rig rig;

    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTART, "/opt/h", rule_args, rule_env);
    make_hook(&rig.rules_arena, set, GR_STAGE_POSTSTOP, "/opt/h2", NULL, NULL);
    change_hook(&existing, row->change, args, env);
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    d = rig_decide(&rig);
    assert_int_equal(d->results[0].verdict, GR_VERDICT_INJECTED);
    assert_int_equal(d->hooks_n, row->present ? 1 : 2);
    assert_str(d->hooks[d->hooks_n - 1].path, "/opt/h2");
    if (row->present)
        assert_str(d->results[0].reason, "1 of its 2 hooks are on the container already");
    rig_fini(&rig);
}

static void present_without_args(void **state)
{
    struct gr_oci_hook existing[1];
    struct gr_str path = GR_STR("/opt/h");
    struct rig rig;

    (void)state;
    rig_init(&rig);
    make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTART,
              "/opt/h", NULL, NULL);
    existing[0] = rig_decide(&rig)->hooks[0];
    /* As it is it carries our mark. */
    rig.subject.hooks = existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->results[0].verdict, GR_VERDICT_ALREADY);
    expect_in(rig.decision.results[0].reason, "its mark");
    /* The rule has no args: one that is the path means the same, and so does none. */
    existing[0].args = (struct gr_strs){&path, 1};
    existing[0].env.n = 0;
    assert_int_equal(rig_decide(&rig)->results[0].verdict, GR_VERDICT_ALREADY);
    expect_in(rig.decision.results[0].reason, "all its hooks");
    path = GR_STR("h");
    assert_int_equal(rig_decide(&rig)->results[0].verdict, GR_VERDICT_INJECTED);
    rig_fini(&rig);
}

/* A rule that asks for the PATH that is added to every environment asks for nothing of its own. */
static void added_path(void **state)
{
    static const char *const rule_env[] = {"A=b", GR_HOOK_PATH_ENV, NULL};
    struct gr_str env[] = {GR_STR("A=b"), GR_STR("PATH=/bin")};
    struct gr_oci_hook existing = {.stage = GR_STAGE_POSTSTART,
                                   .path = GR_STR("/opt/h"),
                                   .env = {env, 1},
                                   .has_timeout = true,
                                   .timeout_s = 10};
    struct rig rig;

    (void)state;
    rig_init(&rig);
    make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTART,
              "/opt/h", NULL, rule_env);
    rig.subject.hooks = &existing;
    rig.subject.hooks_n = 1;
    assert_int_equal(rig_decide(&rig)->results[0].verdict, GR_VERDICT_ALREADY);
    existing.env.n = 2; /* another PATH is one */
    assert_int_equal(rig_decide(&rig)->results[0].verdict, GR_VERDICT_INJECTED);
    rig_fini(&rig);
}

/* Any hash of the same name counts; a longer name does not, nor does a text without a hash. */
static void marks(void **state)
{
    static const struct {
        const char *env;
        bool already;
    } rows[] = {
        {"GRAPNEL_HOOKSET=tap@0123456789abcdef", true},
        {"GRAPNEL_HOOKSET=tap@other", true},
        {"GRAPNEL_HOOKSET=tap@", true},
        {"GRAPNEL_HOOKSET=tap", false},
        {"GRAPNEL_HOOKSET=tap2@0", false},
        {"GRAPNEL_HOOKSET=ta@0", false},
        {"GRAPNEL_HOOKSETS=tap@0", false},
        {"X=GRAPNEL_HOOKSET=tap@0", false},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct gr_str env[] = {GR_STR("A=b"), gr_str_from(rows[i].env)};
        struct gr_oci_hook existing[] = {{.path = GR_STR("/x")},
                                         {.path = GR_STR("/y"), .env = {env, 2}}};
        struct rig rig;

        rig_init(&rig);
        make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTOP,
                  "/opt/h", NULL, NULL);
        rig.subject.hooks = existing;
        rig.subject.hooks_n = 2;
        assert_int_equal(rig_decide(&rig)->hooks_n, rows[i].already ? 0 : 1);
        rig_fini(&rig);
    }
}

/* What one instance injects makes the other one leave the container alone. */
static void two_instances(void **state)
{
    static const char *const args[] = {"h", "{{.Name}}", NULL};
    struct rig first;
    struct rig second;

    (void)state;
    rig_init(&first);
    rig_init(&second);
    make_hook(&first.rules_arena, rig_add(&first, "tap", make_always(true)), GR_STAGE_POSTSTOP,
              "/opt/old", args, NULL);
    make_hook(&second.rules_arena, rig_add(&second, "tap", make_always(true)), GR_STAGE_POSTSTOP,
              "/opt/new", args, NULL);
    second.sets[0].hash = 1;
    second.subject.hooks = rig_decide(&first)->hooks;
    second.subject.hooks_n = first.decision.hooks_n;
    assert_int_equal(rig_decide(&second)->hooks_n, 0);
    assert_int_equal(second.decision.results[0].verdict, GR_VERDICT_ALREADY);
    rig_fini(&first);
    rig_fini(&second);
}

/* Any number of marks of other sets, in any order: ours is found among them, in no time. */
static void many_marks(void **state)
{
    enum { N = 200000, BYTES = 40 };
    struct gr_oci_hook *existing = calloc(N, sizeof(*existing));
    struct gr_str *env = calloc(N, sizeof(*env));
    char *texts = calloc(N, BYTES);

    (void)state;
    assert_true(existing && env && texts);
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(texts + i * BYTES, BYTES, "GRAPNEL_HOOKSET=%06zu@0", (i * 7919) % N);
        env[i] = gr_str_from(texts + i * BYTES);
        existing[i] = (struct gr_oci_hook){.path = GR_STR("/x"), .env = {&env[i], 1}};
    }
    for (size_t with = 0; with < 2; with++) {
        struct rig rig;

        if (with)
            env[N / 3] = GR_STR("GRAPNEL_HOOKSET=tap@0");
        rig_init(&rig);
        make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTOP,
                  "/opt/h", NULL, NULL);
        rig.subject.hooks = existing;
        rig.subject.hooks_n = N;
        assert_int_equal(rig_decide(&rig)->hooks_n, with ? 0 : 1);
        rig_fini(&rig);
    }
    free(existing);
    free(env);
    free(texts);
}

/* ---- marks of a set, among others ---- */

struct mark_row {
    const char *name;
    const char *envs[5]; /* each of a hook */
    enum gr_marked marked;
};

/* The set is tap, its hash 0x10. */
static const struct mark_row mark_rows[] = {
    {"no hooks", {NULL}, GR_MARKED_NOT},
    {"no mark", {"A=b"}, GR_MARKED_NOT},
    {"its mark", {"GRAPNEL_HOOKSET=tap@0000000000000010"}, GR_MARKED_NOW},
    {"an earlier hash that sorts before",
     {"GRAPNEL_HOOKSET=tap@000000000000000f"},
     GR_MARKED_BEFORE},
    {"an earlier hash that sorts behind",
     {"GRAPNEL_HOOKSET=tap@ffffffffffffffff"},
     GR_MARKED_BEFORE},
    {"no hash", {"GRAPNEL_HOOKSET=tap@"}, GR_MARKED_BEFORE},
    {"a hash that is longer", {"GRAPNEL_HOOKSET=tap@00000000000000100"}, GR_MARKED_BEFORE},
    {"no mark without @", {"GRAPNEL_HOOKSET=tap"}, GR_MARKED_NOT},
    {"a name that goes on", {"GRAPNEL_HOOKSET=taps@0000000000000010"}, GR_MARKED_NOT},
    {"a name that ends before", {"GRAPNEL_HOOKSET=ta@0000000000000010"}, GR_MARKED_NOT},
    {"a name with an @", {"GRAPNEL_HOOKSET=tap@x@0000000000000010"}, GR_MARKED_NOT},
    {"among earlier ones",
     {"GRAPNEL_HOOKSET=tap@0000000000000011", "GRAPNEL_HOOKSET=tap@0000000000000010",
      "GRAPNEL_HOOKSET=tap@000000000000000f"},
     GR_MARKED_NOW},
    {"among others",
     {"GRAPNEL_HOOKSET=z@0", "GRAPNEL_HOOKSET=tap@0000000000000010", "A=b", "GRAPNEL_HOOKSET=a@0"},
     GR_MARKED_NOW},
    {"earlier ones among others",
     {"GRAPNEL_HOOKSET=z@0", "GRAPNEL_HOOKSET=tap@1", "GRAPNEL_HOOKSET=tap@0",
      "GRAPNEL_HOOKSET=a@0"},
     GR_MARKED_BEFORE},
};

static void marked(void **state)
{
    const struct mark_row *row = *state;
    struct gr_oci_hook existing[GR_ARRAY_LEN(row->envs)];
    struct gr_str env[GR_ARRAY_LEN(row->envs)];
    struct gr_hookset *set;
    struct rig rig;
    size_t n = 0;

    for (; row->envs[n]; n++) {
        env[n] = gr_str_from(row->envs[n]);
        existing[n] = (struct gr_oci_hook){.path = GR_STR("/x"), .env = {&env[n], 1}};
    }
    rig_init(&rig);
    set = rig_add(&rig, "tap", make_always(true));
    set->hash = 0x10;
    rig.subject.hooks = existing;
    rig.subject.hooks_n = n;
    assert_int_equal(gr_marks_find(&rig_decide(&rig)->marks, set), row->marked);
    rig_fini(&rig);
}

/* ---- any number of hooks of others ---- */

/* All of them sort before, behind or around the one that is asked for. */
static void many_foreign(void **state)
{
    enum { N = 65536, BYTES = 16 };
    struct gr_oci_hook *existing = calloc(N, sizeof(*existing));
    struct gr_str *args = calloc(N, sizeof(*args));
    char *texts = calloc(N, BYTES);

    (void)state;
    assert_true(existing && args && texts);
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(texts + i * BYTES, BYTES, "%06zu", (i * 7919) % N);
        args[i] = gr_str_from(texts + i * BYTES);
        existing[i] = (struct gr_oci_hook){.stage = GR_STAGE_POSTSTOP,
                                           .path = GR_STR("/opt/h"),
                                           .args = {&args[i], 1},
                                           .has_timeout = true,
                                           .timeout_s = 10};
    }
    for (size_t i = 0; i < N; i += N / 8) {
        const char *const rule_args[] = {texts + i * BYTES, NULL};
        const char *const others[] = {"065536", NULL};
        struct rig rig;

        rig_init(&rig);
        make_hook(&rig.rules_arena, rig_add(&rig, "tap", make_always(true)), GR_STAGE_POSTSTOP,
                  "/opt/h", rule_args, NULL);
        make_hook(&rig.rules_arena, rig_add(&rig, "other", make_always(true)), GR_STAGE_POSTSTOP,
                  "/opt/h", others, NULL);
        rig.subject.hooks = existing;
        rig.subject.hooks_n = N;
        assert_int_equal(rig_decide(&rig)->hooks_n, 1);
        assert_str(rig.decision.hooks[0].args.items[0], "065536");
        rig_fini(&rig);
    }
    free(existing);
    free(args);
    free(texts);
}
int main(void)
{
    TEST_ADD_ROWS(present, present_rows);
    test_add("present without args", present_without_args);
    test_add("the added PATH, asked for", added_path);
    test_add("marks", marks);
    test_add("many marks", many_marks);
    TEST_ADD_ROWS(marked, mark_rows);
    test_add("many hooks of others", many_foreign);
    test_add("two instances", two_instances);
    return test_run("decide_present");
}
