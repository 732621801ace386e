/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a rule file, as a part of one, as settings, as policies or as a test suite: what is
 * accepted keeps the promises of rules/hookset.h, and what is refused is reported with its place.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "load/config.h"
#include "rules/adjust.h"
#include "rules/read/decode.h"
#include "rules/limits.h"
#include "rules/policy.h"
#include "rules/read/strict.h"
#include "rules/read/testsuite.h"

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: a}\nspec:\n"
#define HOOKS "\n  hooks: {poststop: [{path: /x}]}\n"

/* Where the bytes stand: alone, or where a match, a hook or a list of arguments is expected. */
static const struct frame {
    const char *before;
    const char *after;
} frames[] = {
    {"", ""},
    {HEAD "  match: ", HOOKS},
    {HEAD "  match: {always: true}\n  hooks:\n    poststop:\n      - path: /x\n        ", "\n"},
    {HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /bin/sh, args: [sh, ", "]}]}\n"},
    {HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /x, env: [\"", "\"]}]}\n"},
    {HEAD "  match: {podLabels: {a: ", "}}" HOOKS},
    {HEAD "  match: {always: true}\n  adjust: {", "}\n"},
    {HEAD "  match: {always: true}\n  adjust: {mounts: [{destination: /a, ", "}]}\n"},
    {HEAD "  match: {always: true}\n  adjust: {resources: {", "}}\n"},
    {HEAD "  match: {always: true}\n  environments: {a: {env: [", "]}}" HOOKS},
    {HEAD "  minVersion: \"9.9\"\n  match: ", HOOKS},
    {HEAD "  match: {always: true}\n  minVersion: ", HOOKS},
};

struct seen {
    struct gr_buf log; /* of everything that was reported */
    size_t findings, warnings;
    uint32_t lines; /* of the text */
};

static void report(void *user, enum gr_level level, const struct gr_err *err)
{
    struct seen *seen = user;

    FUZZ_CHECK(level == GR_LEVEL_ERROR || level == GR_LEVEL_WARNING);
    FUZZ_CHECK(err->code && err->text[0] && err->file[0]);
    FUZZ_CHECK(err->line >= 1 && err->line <= seen->lines && err->column >= 1);
    FUZZ_CHECK(gr_utf8_is_clean(gr_str_from(err->text)));
    FUZZ_CHECK(gr_utf8_is_clean(gr_str_from(err->field)));
    seen->findings += level == GR_LEVEL_ERROR;
    seen->warnings += level == GR_LEVEL_WARNING;
    FUZZ_CHECK(seen->findings <= GR_FINDINGS_MAX && seen->warnings <= GR_FINDINGS_MAX);
    fuzz_log_number(&seen->log, err->line);
    fuzz_log_number(&seen->log, err->column);
    fuzz_log_bytes(&seen->log, gr_str_from(err->text));
}

static void check_tests(const struct gr_test *tests, size_t n)
{
    FUZZ_CHECK(n >= 1 && n <= GR_VALUES_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct gr_test *test = &tests[i];

        FUZZ_CHECK(gr_utf8_is_clean(test->text));
        if (test->kind == GR_TEST_IMAGE)
            FUZZ_CHECK(test->image);
        if (test->kind == GR_TEST_GLOB || test->kind == GR_TEST_PREFIX)
            FUZZ_CHECK(test->text.n >= 1 && test->text.n <= GR_PATTERN_MAX_BYTES);
        if (test->kind == GR_TEST_IN || test->kind == GR_TEST_NOT_IN)
            check_tests(test->items, test->items_n);
    }
}

static void check_pattern(const struct gr_pattern *pattern)
{
    size_t asked = 0;

    FUZZ_CHECK(pattern->line >= 1 && pattern->column >= 1);
    for (size_t i = 0; i < GR_PARTS_MAX; i++) {
        if (pattern->parts[i].n > 0)
            check_tests(pattern->parts[i].items, pattern->parts[i].n);
        asked += pattern->parts[i].n > 0;
    }
    FUZZ_CHECK(asked >= 1);
}

static void check_cond(const struct gr_cond *cond)
{
    bool leaf = cond->kind == GR_COND_LEAF;

    if (cond->kind == GR_COND_UNREADABLE)
        return;
    FUZZ_CHECK(cond->line >= 1 && cond->column >= 1);
    if (leaf && gr_field_has_parts(cond->field)) {
        FUZZ_CHECK(cond->patterns_n >= 1 && cond->patterns_n <= GR_VALUES_MAX);
        for (size_t i = 0; i < cond->patterns_n; i++)
            check_pattern(&cond->patterns[i]);
    } else if (leaf) {
        check_tests(cond->tests.items, cond->tests.n);
        FUZZ_CHECK(gr_field_is_map(cond->field) == (cond->key.n > 0));
    } else if (cond->kind != GR_COND_ALWAYS) {
        FUZZ_CHECK(cond->children_n >= 1);
        FUZZ_CHECK(cond->kind != GR_COND_NOT || cond->children_n == 1);
        for (size_t i = 0; i < cond->children_n; i++)
            check_cond(&cond->children[i]);
    }
}

static void check_texts(const struct gr_hook_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(gr_utf8_is_clean(texts[i].text.source));
        FUZZ_CHECK(texts[i].text.source.p[texts[i].text.source.n] == '\0');
        FUZZ_CHECK(texts[i].line >= 1);
    }
}

static void check_hook(const struct gr_hook *hook)
{
    FUZZ_CHECK(hook->path.n >= 2 && hook->path.p[0] == '/');
    FUZZ_CHECK(hook->path.p[hook->path.n] == '\0' && strlen(hook->path.p) == hook->path.n);
    FUZZ_CHECK(hook->timeout_s >= 1 && hook->timeout_s <= 120);
    FUZZ_CHECK(hook->args_n <= GR_HOOK_ARGS_MAX && hook->env_n <= GR_HOOK_ENV_MAX);
    check_texts(hook->args, hook->args_n);
    check_texts(hook->env, hook->env_n);
}

/* What NRI and the kernel are given: no key that NRI takes for another order, no path that leaves
 * its place, no number that is not meant. */
static void check_entry(const struct gr_adjust_entry *e)
{
    FUZZ_CHECK(e->key.n > 0 && e->key.p[0] != '-' && e->line >= 1 && e->column >= 1);
    FUZZ_CHECK(gr_utf8_is_clean(e->key) && gr_utf8_is_clean(e->text));
    FUZZ_CHECK(e->text.n == 0 || !memmem(e->text.p, e->text.n, "{{", 2));
    FUZZ_CHECK(e->number >= -1);
    FUZZ_CHECK(e->rlimit.soft <= e->rlimit.hard);
    FUZZ_CHECK(e->device.mode <= 0777 && e->device.major >= 0 && e->device.minor >= 0);
    if (e->kind == GR_ADJUST_ENV)
        FUZZ_CHECK(gr_str_find(e->key, '=') == e->key.n &&
                   !gr_str_has_prefix(e->key, GR_STR("GRAPNEL_")));
    if (e->kind == GR_ADJUST_MOUNT || e->kind == GR_ADJUST_DEVICE)
        FUZZ_CHECK(e->key.n >= 2 && e->key.p[0] == '/' && !memmem(e->key.p, e->key.n, "//", 2));
    if (e->kind == GR_ADJUST_MOUNT) {
        FUZZ_CHECK(e->mount.type.n > 0 && gr_str_eq(e->key, e->mount.destination));
        FUZZ_CHECK(!gr_str_is(e->mount.type, "bind") ||
                   (e->mount.source.p[0] == '/' && e->mount.options.n > 0));
        for (size_t i = 0; i < e->mount.options.n; i++)
            FUZZ_CHECK(gr_str_find(e->mount.options.items[i], ',') == e->mount.options.items[i].n);
    }
    if (e->kind == GR_ADJUST_UNIFIED)
        FUZZ_CHECK(gr_str_find(e->key, '/') == e->key.n && e->text.n > 0);
}

static void check_adjust(const struct gr_hookset *set)
{
    for (size_t i = 0; i < set->adjust_n; i++) {
        check_entry(&set->adjust[i]);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(!gr_adjust_same_key(&set->adjust[i], &set->adjust[k]));
    }
    FUZZ_CHECK(set->environments_n <= GR_ENVIRONMENTS_MAX);
    for (size_t i = 0; i < set->environments_n; i++) {
        const struct gr_environment *environment = &set->environments[i];

        FUZZ_CHECK(gr_is_dns_subdomain(environment->name));
        FUZZ_CHECK(environment->env_n >= 1 && environment->env_n <= GR_HOOK_ENV_MAX);
        check_texts(environment->env, environment->env_n);
    }
}

static void check_set(const struct gr_hookset *set)
{
    size_t hooks = 0;

    FUZZ_CHECK(gr_is_dns_subdomain(set->name) && set->name.p[set->name.n] == '\0');
    FUZZ_CHECK(set->order <= GR_ORDER_MAX && set->line >= 1);
    FUZZ_CHECK(set->match);
    check_cond(set->match);
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        for (size_t k = 0; k < set->hooks[i].n; k++, hooks++)
            check_hook(&set->hooks[i].items[k]);
    }
    check_adjust(set);
    FUZZ_CHECK((set->blocked.n > 0) ? hooks + set->adjust_n == 0 : hooks + set->adjust_n >= 1);
}

static uint32_t count_lines(struct gr_str text)
{
    uint32_t lines = 2; /* the first, and the place behind the last */

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n' || text.p[i] == '\r';
    return lines;
}

static void decode_rules(struct gr_str text, struct seen *seen)
{
    const struct gr_source source = {
        .text = text, .file = "f.yaml", .stem = GR_STR("f"), .version = GR_STR("1.2.3")};
    const struct gr_reporter reporter = {.report = report, .user = seen};
    struct gr_hooksets sets = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 0);
    FUZZ_CHECK(gr_hooksets_decode(&arena, &source, &reporter, &sets) == 0);
    FUZZ_CHECK((sets.rejected == 0) == (seen->findings == 0));
    for (size_t i = 0; i < sets.n; i++) {
        check_set(&sets.items[i]);
        fuzz_log_number(&seen->log, sets.items[i].hash);
    }
    gr_arena_fini(&arena);
}

static void decode_settings(struct gr_str text, struct seen *seen)
{
    const struct gr_config_text source = {.text = text, .name = "f", .source = GR_CONFIG_FILE};
    const struct gr_reporter reporter = {.report = report, .user = seen};
    struct gr_config config = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 256, 0);
    r = gr_config_decode(&arena, &source, &reporter, &config);
    FUZZ_CHECK(r == 0 || r == GR_CONFIG_REFUSED);
    FUZZ_CHECK((r == 0) == (seen->findings == 0));
    gr_arena_fini(&arena);
}

static void decode_policies(struct gr_str text, struct seen *seen)
{
    const struct gr_source source = {.text = text, .file = "f.yaml", .stem = GR_STR("f")};
    const struct gr_reporter reporter = {.report = report, .user = seen};
    struct gr_policies policies = {0};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 256, 0);
    r = gr_policies_decode(&arena, &source, GR_POLICY_FILE, &reporter, &policies);
    FUZZ_CHECK(r == 0 || r == GR_POLICY_REFUSED);
    FUZZ_CHECK((r == 0) == (seen->findings == 0));
    FUZZ_CHECK(r == 0 || policies.n == 0);
    for (size_t i = 0; i < policies.n; i++) {
        const struct gr_policy *policy = &policies.items[i];

        FUZZ_CHECK(policy->line >= 1 && policy->stages < 1U << GR_STAGE_COUNT);
        for (size_t k = 0; k < policy->hook_dirs.n; k++)
            FUZZ_CHECK(policy->hook_dirs.items[k].n >= 2 && policy->hook_dirs.items[k].p[0] == '/');
    }
    gr_arena_fini(&arena);
}

static void decode_suites(struct gr_str text, struct seen *seen)
{
    const struct gr_source source = {.text = text, .file = "f.yaml", .stem = GR_STR("f")};
    const struct gr_reporter reporter = {.report = report, .user = seen};
    struct gr_suites suites = {0};
    struct gr_arena arena;

    gr_arena_init(&arena, 256, 0);
    FUZZ_CHECK(gr_suites_decode(&arena, &source, &reporter, &suites) == 0);
    FUZZ_CHECK((suites.rejected == 0) == (seen->findings == 0));
    for (size_t i = 0; i < suites.n; i++) {
        FUZZ_CHECK(suites.items[i].rules.n >= 1 && suites.items[i].cases_n >= 1);
        for (size_t k = 0; k < suites.items[i].cases_n; k++)
            FUZZ_CHECK(suites.items[i].cases[k].name.n > 0);
    }
    gr_arena_fini(&arena);
}

static void run(struct gr_str text, size_t mode, struct gr_buf *out_log)
{
    struct seen seen = {.lines = count_lines(text)};
    char *copy = fuzz_exact(text);

    text.p = copy;
    gr_buf_init(&seen.log, 1U << 20);
    if (mode < GR_ARRAY_LEN(frames))
        decode_rules(text, &seen);
    else if (mode == GR_ARRAY_LEN(frames))
        decode_settings(text, &seen);
    else if (mode == GR_ARRAY_LEN(frames) + 1)
        decode_policies(text, &seen);
    else
        decode_suites(text, &seen);
    free(copy);
    *out_log = seen.log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t mode = fuzz_take(&input, 1) % (GR_ARRAY_LEN(frames) + 3);
    const struct frame *frame = &frames[mode < GR_ARRAY_LEN(frames) ? mode : 0];
    struct gr_buf text, once, again;

    gr_buf_init(&text, 1U << 22);
    FUZZ_CHECK(gr_buf_text(&text, frame->before) == 0 && gr_buf_str(&text, input) == 0 &&
               gr_buf_text(&text, frame->after) == 0);
    run(gr_buf_view(&text), mode, &once);
    run(gr_buf_view(&text), mode, &again);
    FUZZ_CHECK(gr_str_eq(gr_buf_view(&once), gr_buf_view(&again)));
    gr_buf_fini(&once);
    gr_buf_fini(&again);
    gr_buf_fini(&text);
    return 0;
}
