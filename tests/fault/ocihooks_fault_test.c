/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading files of other formats, and writing sets, while memory runs out: -ENOMEM, nothing leaks,
 * the output stays as it was, and a success is a whole success.
 */
#include "failing.h"

#include "testing.h"

#include <errno.h>

#include "rules/read/decode.h"
#include "rules/read/ocihooks.h"
#include "rules/write/write.h"

/* Small, so that nearly every piece of the arena is an allocation of its own. */
#define BLOCK_BYTES 16

static const char hooks[] =
    "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/x\",\"args\":[\"a\",\"{{\",\"\\u00e9\"],"
    "\"env\":[\"A=b\"]},\"when\":{\"hasBindMounts\":true,\"always\":false},"
    "\"stages\":[\"prestart\"],\"stages\":[null,\"poststop\"]}";

static const char bad_hooks[] =
    "{\"hook\":\"x\",\"arguments\":[\"\"],\"stages\":[\"x\"],\"cmd\":[\"(\"],\"annotation\":[\"b\","
    "\"(\"],\"hasbindmounts\":true}";

static const char first[] = "{\"prestart\":[{\"path\":\"/bin/container-hooks\"},{\"path\":\"/a\"}],"
                            "\"poststop\":[{\"path\":\"/b\",\"timeout\":5}]}";
static const char second[] = "{\"hooks\":{\"poststop\":[{\"path\":\"/c\",\"args\":[\"c\"]}]}}";

static const char rules[] =
    "apiVersion: grapnel/v1beta1\n"
    "kind: HookSet\n"
    "metadata: {name: one}\n"
    "spec:\n"
    "  nodes: {names: [{glob: 'a*'}, b], percent: 5}\n"
    "  match:\n"
    "    image: ['nginx:1.*', {notIn: ['a/**']}]\n"
    "    podLabels: {k: [a, {in: [c, d]}], l: {exists: true}}\n"
    "    any: [{not: {namespace: ns}}, {all: [{always: true}]}]\n"
    "  hooks:\n"
    "    createRuntime:\n"
    "      - {path: /bin/sh, args: [sh, \"a\\nb\", '{{.ID}}'], timeout: 5}\n";

static void ignore(void *user, enum gr_level level, const struct gr_err *err)
{
    (void)user;
    (void)level;
    assert_non_null(err->code);
}

static const struct gr_reporter reporter = {.report = ignore};

static int decode_hooks(void *user)
{
    const struct gr_source source = {
        .text = GR_STR(hooks), .file = "d/Two.json", .stem = GR_STR("Two")};
    struct gr_hooksets sets = {.n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_ocihooks_decode(&arena, &source, &reporter, &sets);
    if (r == 0) {
        assert_int_equal(sets.n, 1);
        assert_int_equal(sets.rejected, 0);
        assert_str(sets.items[0].name, "two");
        assert_str(sets.items[0].file_name, "two.json");
        assert_int_equal(sets.items[0].match->children_n, 2);
        assert_int_equal(sets.items[0].hooks[GR_STAGE_CREATE_RUNTIME].n, 1);
        assert_int_equal(sets.items[0].hooks[GR_STAGE_POSTSTOP].items[0].args_n, 3);
    } else {
        assert_int_equal(sets.n, 77);
    }
    gr_arena_fini(&arena);
    return r;
}

static int decode_bad_hooks(void *user)
{
    const struct gr_source source = {
        .text = GR_STR(bad_hooks), .file = "d/a.json", .stem = GR_STR("a")};
    struct gr_hooksets sets = {.n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_ocihooks_decode(&arena, &source, &reporter, &sets);
    assert_int_equal(sets.n, r == 0 ? 0 : 77);
    if (r == 0)
        assert_int_equal(sets.rejected, 1);
    gr_arena_fini(&arena);
    return r;
}

static int decode_specs(void *user)
{
    const struct gr_source sources[] = {
        {.text = GR_STR(first), .file = "d/first.json", .stem = GR_STR("first")},
        {.text = GR_STR(second), .file = "d/second.json", .stem = GR_STR("second")},
    };
    struct gr_hooksets sets = {.n = 77};
    struct gr_arena arena;
    int r;

    (void)user;
    gr_arena_init(&arena, BLOCK_BYTES, 0);
    r = gr_hookspecs_decode(&arena, sources, 2, GR_STR("name"), true, &reporter, &sets);
    if (r == 0) {
        assert_int_equal(sets.n, 1);
        assert_int_equal(sets.items[0].hooks[GR_STAGE_PRESTART].n, 1);
        assert_int_equal(sets.items[0].hooks[GR_STAGE_POSTSTOP].n, 2);
        assert_str(sets.items[0].hooks[GR_STAGE_POSTSTOP].items[1].path, "/c");
    } else {
        assert_int_equal(sets.n, 77);
    }
    gr_arena_fini(&arena);
    return r;
}

static int detect(void *user)
{
    const struct gr_source source = {
        .text = GR_STR(first), .file = "d/first.json", .stem = GR_STR("first")};
    enum gr_foreign kind = GR_FOREIGN_UNKNOWN;
    int r;

    (void)user;
    r = gr_foreign_detect(&source, &reporter, &kind);
    assert_int_equal(kind, r == 0 ? GR_FOREIGN_HOOK_SPEC : GR_FOREIGN_UNKNOWN);
    return r;
}

/* user: the set. What failed may have left a part in the buffer, which says that it is broken. */
static int write_set(void *user)
{
    struct gr_buf text;
    int r;

    gr_buf_init(&text, 1U << 16);
    r = gr_hookset_write(user, &text);
    if (r == 0)
        assert_non_null(memmem(text.data, text.len, "createRuntime", 13));
    gr_buf_fini(&text);
    return r;
}

static void test_hooks(void **state)
{
    (void)state;
    failing_run(decode_hooks, NULL);
}

static void test_bad_hooks(void **state)
{
    (void)state;
    failing_run(decode_bad_hooks, NULL);
}

static void test_specs(void **state)
{
    (void)state;
    failing_run(decode_specs, NULL);
}

static void test_detect(void **state)
{
    (void)state;
    failing_run(detect, NULL);
}

static void test_write(void **state)
{
    const struct gr_source source = {
        .text = GR_STR(rules), .file = "d/a.yaml", .stem = GR_STR("a")};
    struct gr_hooksets sets = {0};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_hooksets_decode(&arena, &source, &reporter, &sets), 0);
    assert_int_equal(sets.n, 1);
    failing_run(write_set, &sets.items[0]);
    gr_arena_fini(&arena);
}

int main(void)
{
    test_add("oci-hooks", test_hooks);
    test_add("refused oci-hooks", test_bad_hooks);
    test_add("bare hooks", test_specs);
    test_add("what a file is", test_detect);
    test_add("writing", test_write);
    return test_run("ocihooks/fault");
}
