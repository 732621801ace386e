/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is printed of an explanation while allocations fail: all of it, or -ENOMEM; the same for how
 * the container and the settings reach the thread that explains.
 */
#include "failing.h"
#include "ruled.h"

#include <errno.h>

#include "app/explain/answer.h"
#include "oci/packed.h"

static const char rules_text[] =
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: one}\nspec:\n"
    "  match: {any: [{namespace: {in: [a, b]}}, {not: {podName: pod}}, {image: 'r.io/**:1'}]}\n"
    "  hooks: {poststop: [{path: /x}]}\n---\n"
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: two}\nspec:\n"
    "  match: {always: true}\n  hooks: {poststop: [{path: /x, args: [x, \"{{.PodName}}\"]}]}\n"
    "  adjust: {env: {A: b}}\n";

struct scenario {
    struct gr_ruleset *rules;
    bool json;
    struct gr_buf whole; /* of the text, when nothing fails */
};

static struct gr_subject container(void)
{
    struct gr_subject s = {.pod_namespace = GR_STR("prod"), .pod_name = GR_STR("pod")};

    assert_int_equal(gr_image_parse(GR_STR("nginx:1"), &s.image), 0);
    return s;
}

static int explain_in(const struct scenario *s, struct gr_arena *arena, struct gr_buf *out)
{
    static const struct gr_decide_options options = {0};
    const struct gr_subject subject = container();
    const struct gr_explain_ask ask = {.subject = &subject, .json = s->json};
    bool refused = true;
    int r = gr_explain_answer(s->rules, &options, &ask, arena, out, &refused);

    if (r == 0)
        assert_false(refused);
    if (r == 0 && s->whole.len > 0)
        assert_true(gr_str_eq(gr_buf_view(out), gr_buf_view(&s->whole)));
    return r;
}

static int explain(void *user)
{
    struct gr_arena arena;
    struct gr_buf out;
    int r;

    gr_arena_init(&arena, BLOCK_BYTES, 0);
    gr_buf_init(&out, 1U << 20);
    r = explain_in(user, &arena, &out);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
    return r;
}

static void test_text(void **state)
{
    struct scenario s = {.rules = make_rules(rules_text, 2)};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    gr_buf_init(&s.whole, 1U << 20);
    assert_int_equal(explain_in(&(struct scenario){.rules = s.rules}, &arena, &s.whole), 0);
    assert_true(s.whole.len > 100);
    gr_arena_fini(&arena);
    failing_run(explain, &s);
    gr_buf_fini(&s.whole);
    gr_ruleset_unref(s.rules);
}

/* Members of an object for which there is no memory are left out. */
static void test_json(void **state)
{
    struct scenario s = {.rules = make_rules(rules_text, 2), .json = true};

    (void)state;
    failing_run(explain, &s);
    gr_ruleset_unref(s.rules);
}

static int pack(void *user)
{
    const struct gr_str args[] = {GR_STR("a"), GR_STR("b")};
    const struct gr_mount mount = {.destination = GR_STR("/d"), .options = {args, 2}};
    struct gr_subject s = container(), back = {.mounts_n = 77};
    struct gr_arena arena;
    struct gr_buf out;
    int r;

    (void)user;
    s.args = (struct gr_strs){args, 2};
    s.mounts = &mount;
    s.mounts_n = 1;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    gr_buf_init(&out, 1U << 20);
    r = gr_packed_write(&s, &out);
    if (r == 0)
        r = gr_packed_read(&arena, gr_buf_view(&out), &back);
    assert_int_equal(back.mounts_n, r == 0 ? 1 : 77);
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
    return r;
}

static void test_packed(void **state)
{
    (void)state;
    failing_run(pack, NULL);
}

static int copy(void *user)
{
    struct gr_str names[] = {GR_STR("a"), GR_STR("b")};
    const struct gr_suspension suspended = {.set = GR_STR("s"), .reason = GR_STR("because")};
    const struct gr_decide_options options = {.node_name = GR_STR("node"),
                                              .required_sets = {names, 2},
                                              .suspended = &suspended,
                                              .suspended_n = 1};
    struct gr_decide_options out = {.suspended_n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, 32, 0);
    r = gr_decide_options_copy(&options, &arena, &out);
    assert_int_equal(out.suspended_n, r == 0 ? 1 : 77);
    gr_arena_fini(&arena);
    return r;
}

static void test_options(void **state)
{
    (void)state;
    failing_run(copy, NULL);
}

int main(void)
{
    test_add("text", test_text);
    test_add("json", test_json);
    test_add("packed", test_packed);
    test_add("options", test_options);
    return test_run("answer fault");
}
