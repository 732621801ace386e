/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a config.json into which a decision is laid: what comes out is JSON, everything of
 * the original stands in it where only hooks were asked for, and a refusal says where.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/json.h"
#include "oci/spec.h"

static const struct gr_str texts[] = {{"bind", 4}, {"a\"\\\n", 4}};

static const struct gr_oci_hook hooks[] = {
    {.stage = GR_STAGE_CREATE_RUNTIME,
     .path = {"/opt/h", 6},
     .args = {texts, 2},
     .env = {texts, 1},
     .has_timeout = true,
     .timeout_s = 10},
    {.stage = GR_STAGE_POSTSTOP, .path = {"/opt/h", 6}},
};

static const struct gr_adjust_entry entries[] = {
    {.kind = GR_ADJUST_ENV, .key = {"A", 1}, .text = {"1", 1}},
    {.kind = GR_ADJUST_MOUNT, .key = {"/data/in", 8}, .mount = {.options = {texts, 2}}},
    {.kind = GR_ADJUST_MOUNT, .key = {"/data", 5}, .mount = {.source = {"/s", 2}}},
    {.kind = GR_ADJUST_ANNOTATION, .key = {"k", 1}, .text = {"v", 1}},
    {.kind = GR_ADJUST_DEVICE, .key = {"/dev/x", 6}, .device = {.type = 'c'}},
    {.kind = GR_ADJUST_CDI_DEVICE, .key = {"v/c=n", 5}},
    {.kind = GR_ADJUST_RLIMIT, .key = {"RLIMIT_CORE", 11}, .rlimit = {.hard = UINT64_MAX}},
    {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_MEMORY_LIMIT, .number = -1},
    {.kind = GR_ADJUST_RESOURCE, .resource = GR_RESOURCE_RDT_CLASS, .text = {"c", 1}},
    {.kind = GR_ADJUST_HUGEPAGES, .key = {"2MB", 3}, .number = 1},
    {.kind = GR_ADJUST_UNIFIED, .key = {"memory.high", 11}, .text = {"max", 3}},
};

/* All bytes of part, in their order. */
static bool is_in(struct gr_str part, struct gr_str whole)
{
    size_t at = 0;

    for (size_t i = 0; i < whole.n && at < part.n; i++)
        at += whole.p[i] == part.p[at];
    return at == part.n;
}

/* A null in the place of hooks is replaced. */
static bool has_null(struct gr_str text)
{
    for (; text.n >= 4; text = gr_str_skip(text, 1)) {
        if (gr_str_has_prefix(text, GR_STR("null")))
            return true;
    }
    return false;
}

static void check(struct gr_str text, const struct gr_decision *decision)
{
    const struct gr_json_node *node;
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_buf out;
    size_t left_out = 0;
    int r;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&out, 64U << 20);
    r = gr_oci_spec_apply(&arena, text, decision, &out, &left_out, &err);
    if (r == 0) {
        FUZZ_CHECK(gr_json_read_all(&arena, gr_buf_view(&out), GR_JSON_NODES_MAX, &node, &err) ==
                   0);
        FUZZ_CHECK(node->kind == GR_JSON_OBJECT);
        FUZZ_CHECK(left_out == (decision->adjust_n > 0));
        if (decision->adjust_n == 0) {
            FUZZ_CHECK(out.len > text.n || decision->hooks_n == 0);
            FUZZ_CHECK(is_in(text, gr_buf_view(&out)) || has_null(text));
        }
        if (decision->adjust_n + decision->hooks_n == 0)
            FUZZ_CHECK(gr_str_eq(text, gr_buf_view(&out)));
    } else {
        FUZZ_CHECK((r == -EINVAL || r == -E2BIG) && err.code && err.line && err.column);
        FUZZ_CHECK(out.len == 0);
    }
    gr_buf_fini(&out);
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str text = {.p = (const char *)data, .n = size};
    struct gr_adjusted adjusted[GR_ARRAY_LEN(entries)] = {0};
    struct gr_decision nothing = {0};
    struct gr_decision only_hooks = {.hooks = hooks, .hooks_n = GR_ARRAY_LEN(hooks)};
    struct gr_decision all = only_hooks;

    for (size_t i = 0; i < GR_ARRAY_LEN(entries); i++)
        adjusted[i].entry = &entries[i];
    all.adjust = adjusted;
    all.adjust_n = GR_ARRAY_LEN(entries);
    text.p = fuzz_exact(text);
    check(text, &nothing);
    check(text, &only_hooks);
    check(text, &all);
    free((void *)(uintptr_t)text.p);
    return 0;
}
