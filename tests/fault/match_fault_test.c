/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule set is built, a container matched and decided while allocations fail: the result is
 * -ENOMEM, nothing leaks, and outputs stay as they were.
 */
#include "failing.h"
#include "testing.h"

#include <errno.h>

#include "rules/decide/decide.h"
#include "rules/read/fields.h"
#include "rules/limits.h"

#define SETS 120

/* Small blocks, so that about every step of the code asks for one. */
#define BLOCK_BYTES 256

static int add_leaf(struct gr_arena *arena, enum gr_field field, const char *key,
                    enum gr_test_kind kind, const char *text, struct gr_cond *out)
{
    struct gr_test *test = gr_arena_alloc(arena, sizeof(*test));

    if (!test)
        return -ENOMEM;
    *test = (struct gr_test){.kind = kind, .text = gr_str_from(text)};
    *out = (struct gr_cond){.kind = GR_COND_LEAF,
                            .field = field,
                            .key = gr_str_from(key),
                            .tests = {.items = test, .n = 1}};
    if (kind != GR_TEST_IMAGE)
        return 0;
    return gr_image_pattern_parse(arena, test->text, &test->image, NULL);
}

/* A leaf over elements: the first of their parts. */
static int add_pattern(struct gr_arena *arena, enum gr_field field, const char *text,
                       struct gr_cond *out)
{
    struct gr_pattern *pattern = gr_arena_alloc(arena, sizeof(*pattern));
    int r;

    if (!pattern)
        return -ENOMEM;
    r = add_leaf(arena, field, NULL, GR_TEST_GLOB, text, out);
    pattern->parts[0] = out->tests;
    out->patterns = pattern;
    out->patterns_n = 1;
    return r;
}

static int make_match(struct gr_arena *arena, size_t i, const struct gr_cond **out)
{
    struct gr_cond *conds = gr_arena_array(arena, 7, sizeof(*conds));
    int r;

    if (!conds)
        return -ENOMEM;
    conds[0] = (struct gr_cond){
        .kind = i % 2 ? GR_COND_ANY : GR_COND_ALL, .children = conds + 1, .children_n = 6};
    r = add_leaf(arena, GR_FIELD_IMAGE, NULL, GR_TEST_IMAGE, i % 3 ? "R.io/**/app-*" : "nginx:1.25",
                 &conds[1]);
    if (r == 0)
        r = add_leaf(arena, GR_FIELD_ANNOTATIONS, "key", GR_TEST_EXACT, "value", &conds[2]);
    if (r == 0)
        r = add_leaf(arena, GR_FIELD_POD_LABELS, "app", GR_TEST_GLOB, "w*b", &conds[3]);
    if (r == 0)
        r = add_leaf(arena, GR_FIELD_ARGS, NULL, GR_TEST_GLOB, "*-level*", &conds[4]);
    if (r == 0)
        r = add_pattern(arena, GR_FIELD_MOUNTS, "/srv/*", &conds[5]);
    if (r == 0)
        r = add_pattern(arena, GR_FIELD_ANY_ANNOTATION, i % 5 ? "*" : "*key*", &conds[6]);
    *out = conds;
    return r;
}

static int add_hook(struct gr_arena *arena, struct gr_hookset *set)
{
    static const char *const sources[] = {"plain", "{{\"{{\"}} {{.ID}}",
                                          "{{annotation \"none\" \"a\\\\b\"}}", "A={{.PodName}}"};
    struct gr_hook_text *texts = gr_arena_array(arena, GR_ARRAY_LEN(sources), sizeof(*texts));
    struct gr_hook *hook = gr_arena_alloc(arena, sizeof(*hook));
    int r = 0;

    if (!texts || !hook)
        return -ENOMEM;
    for (size_t i = 0; i < GR_ARRAY_LEN(sources) && r == 0; i++)
        r = gr_template_parse(arena, gr_str_from(sources[i]), gr_template_field_check, NULL,
                              &texts[i].text, NULL);
    *hook = (struct gr_hook){.path = GR_STR("/opt/h"),
                             .args = texts,
                             .args_n = 3,
                             .env = texts + 3,
                             .env_n = 1,
                             .timeout_s = 10};
    set->hooks[GR_STAGE_POSTSTOP] = (struct gr_hook_list){.items = hook, .n = 1};
    return r;
}

/* An environment for its hooks, and something that every such set adjusts. */
static int add_more(struct gr_arena *arena, struct gr_hookset *set)
{
    struct gr_hook_text *text = gr_arena_alloc(arena, sizeof(*text));
    struct gr_environment *environment = gr_arena_alloc(arena, sizeof(*environment));
    struct gr_adjust_entry *entries = gr_arena_array(arena, 2, sizeof(*entries));

    if (!text || !environment || !entries)
        return -ENOMEM;
    *environment = (struct gr_environment){.env = text, .env_n = 1};
    set->environment = environment;
    entries[0] =
        (struct gr_adjust_entry){.kind = GR_ADJUST_ENV, .key = GR_STR("A"), .text = set->name};
    entries[1] = (struct gr_adjust_entry){.kind = GR_ADJUST_CDI_DEVICE, .key = GR_STR("v.com/c=n")};
    set->adjust = entries;
    set->adjust_n = 2;
    return gr_template_parse(arena, GR_STR("B={{.Name}}"), gr_template_field_check, NULL,
                             &text->text, NULL);
}

static int make_sets(struct gr_arena *arena, struct gr_hookset **out)
{
    struct gr_hookset *sets = gr_arena_array(arena, SETS, sizeof(*sets));
    int r = 0;

    if (!sets)
        return -ENOMEM;
    for (size_t i = 0; i < SETS && r == 0; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "set-%zu", i);
        if (!gr_arena_str(arena, gr_str_from(name), &sets[i].name))
            return -ENOMEM;
        sets[i].file = GR_STR("f.yaml");
        sets[i].document = (uint32_t)i;
        r = make_match(arena, i, &sets[i].match);
        if (r == 0 && i % 10 == 1)
            r = add_hook(arena, &sets[i]);
        if (r == 0 && i % 10 == 1)
            r = add_more(arena, &sets[i]);
    }
    *out = sets;
    return r;
}

static int make_rules(struct gr_ruleset **out)
{
    struct gr_arena arena;
    struct gr_hookset *sets;
    int r;

    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = make_sets(&arena, &sets);
    if (r == 0)
        r = gr_ruleset_new(&arena, sets, SETS, NULL, out, NULL);
    gr_arena_fini(&arena);
    return r;
}

/* asks: the list in the pod's annotation; what is in it is denied here. */
static int decide(const struct gr_ruleset *rules, struct gr_str asks)
{
    struct gr_kv annotations[] = {{GR_STR("key"), GR_STR("value")},
                                  {GR_STR("key/pod"), GR_STR("value")},
                                  {GR_STR(GR_REQUEST_ANNOTATION), asks}};
    const struct gr_str required[] = {GR_STR("set-1"), GR_STR("absent")};
    struct gr_kv labels[] = {{GR_STR("app"), GR_STR("web")}};
    struct gr_str args[] = {GR_STR("/bin/x"), GR_STR("--level=1")};
    struct gr_mount mounts[] = {{.destination = GR_STR("/proc"), .source = GR_STR("proc")},
                                {.destination = GR_STR("/data"), .source = GR_STR("/srv/data")}};
    struct gr_str env[] = {GR_STR("GRAPNEL_HOOKSET=set-1@0")};
    struct gr_str foreign[] = {GR_STR("A=b"), GR_STR("GRAPNEL_STAGE=poststop")};
    struct gr_oci_hook hooks[] = {
        {.path = GR_STR("/opt/x"), .env = {env, 1}},
        {.path = GR_STR("/opt/y"), .env = {foreign, 2}, .has_timeout = true}};
    struct gr_subject subject = {.id = GR_STR("id"),
                                 .pod_name = GR_STR("pod"),
                                 .pod_annotations = {annotations, 3},
                                 .pod_labels = {labels, 1},
                                 .args = {args, 2},
                                 .mounts = mounts,
                                 .mounts_n = 2,
                                 .hooks = hooks,
                                 .hooks_n = GR_ARRAY_LEN(hooks)};
    struct gr_decide_options options = {.node_name = GR_STR("node"),
                                        .required_sets = {required, asks.n > 1 ? 2 : 1}};
    struct gr_decision decision = {.results_n = 77};
    struct gr_arena arena;
    int r;

    (void)gr_image_parse(GR_STR("R.IO/x/app-1"), &subject.image);
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_decide(rules, &subject, &options, &arena, &decision);
    if (r == 0 && asks.n > 1)
        assert_true(decision.refuse && decision.objections_n == 3);
    else if (r == 0)
        assert_true(decision.results_n > 0 && decision.hooks_n > 0 && decision.adjust_n == 2);
    else
        assert_int_equal(decision.results_n, 77);
    gr_arena_fini(&arena);
    return r;
}

static int build(void *user)
{
    struct gr_ruleset *rules = NULL;
    int r = make_rules(&rules);

    (void)user;
    if (r)
        assert_null(rules);
    gr_ruleset_unref(rules);
    return r;
}

static int decide_only(void *user)
{
    return decide(user, GR_STR(","));
}

static int decide_refused(void *user)
{
    return decide(user, GR_STR("none, nothing"));
}

static void build_fails(void **state)
{
    (void)state;
    failing_run(build, NULL);
}

static void decide_fails(void **state)
{
    struct gr_ruleset *rules = NULL;

    (void)state;
    assert_int_equal(make_rules(&rules), 0);
    failing_run(decide_only, rules);
    gr_ruleset_unref(rules);
}

static void refusal_fails(void **state)
{
    struct gr_ruleset *rules = NULL;

    (void)state;
    assert_int_equal(make_rules(&rules), 0);
    failing_run(decide_refused, rules);
    gr_ruleset_unref(rules);
}

/* The limit of the request's arena is as good as an end of memory. */
static void limits_fail(void **state)
{
    struct gr_decide_options options = {.node_name = GR_STR("node")};
    struct gr_ruleset *rules = NULL;
    bool done = false;

    (void)state;
    assert_int_equal(make_rules(&rules), 0);
    for (size_t limit = 16; !done; limit += 16) {
        struct gr_subject subject = {.id = GR_STR("id"), .pod_name = GR_STR("pod")};
        struct gr_decision decision;
        struct gr_arena arena;
        int r;

        gr_arena_init(&arena, 16, limit);
        r = gr_decide(rules, &subject, &options, &arena, &decision);
        assert_true(r == 0 || r == -ENOMEM);
        done = r == 0;
        gr_arena_fini(&arena);
    }
    gr_ruleset_unref(rules);
}

int main(void)
{
    test_add("building a rule set", build_fails);
    test_add("deciding", decide_fails);
    test_add("refusing", refusal_fails);
    test_add("limits of the request", limits_fail);
    return test_run("match fault");
}
