/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and containers made in C, for tests of what comes behind the reader. Everything lives in
 * the arena that is given; running out of memory ends the test.
 */
#ifndef GR_TESTS_RULES_MAKING_H
#define GR_TESTS_RULES_MAKING_H

#include "testing.h"

#include "rules/decide/decide.h"
#include "rules/read/fields.h"
#include "rules/limits.h"

/* GR_STR for static initialisers. */
#define TEXT(s)                      \
    {                                \
        .p = (s), .n = sizeof(s) - 1 \
    }

static inline void *make_room(struct gr_arena *arena, size_t count, size_t bytes)
{
    void *memory = gr_arena_array(arena, count, bytes);

    assert_non_null(memory);
    return memory;
}

static inline struct gr_str make_text(struct gr_arena *arena, const char *text)
{
    struct gr_str copy;

    assert_true(gr_arena_str(arena, gr_str_from(text), &copy));
    return copy;
}

static inline struct gr_test make_exact(const char *text)
{
    return (struct gr_test){.kind = GR_TEST_EXACT, .text = gr_str_from(text)};
}

static inline struct gr_test make_glob(const char *text)
{
    return (struct gr_test){.kind = GR_TEST_GLOB, .text = gr_str_from(text)};
}

static inline struct gr_test make_prefix(const char *text)
{
    return (struct gr_test){.kind = GR_TEST_PREFIX, .text = gr_str_from(text)};
}

static inline struct gr_test make_exists(bool exists)
{
    return (struct gr_test){.kind = GR_TEST_EXISTS, .exists = exists};
}

static inline struct gr_test make_image(struct gr_arena *arena, const char *pattern)
{
    struct gr_test test = {.kind = GR_TEST_IMAGE, .text = gr_str_from(pattern)};
    struct gr_err err = {0};

    if (gr_image_pattern_parse(arena, test.text, &test.image, &err) != 0)
        fail_msg("pattern \"%s\": %s", pattern, err.text);
    return test;
}

static inline struct gr_test make_regex(struct gr_arena *arena, const char *text, bool search)
{
    struct gr_test test = {.kind = GR_TEST_REGEX, .text = gr_str_from(text)};
    struct gr_err err = {0};

    if (gr_regex_compile(arena, test.text, search, &test.regex, &err) != 0)
        fail_msg("expression \"%s\": %s", text, err.text);
    return test;
}

static inline struct gr_test make_set(struct gr_arena *arena, bool in, const struct gr_test *items,
                                      size_t n)
{
    struct gr_test *copy = make_room(arena, n, sizeof(*copy));

    if (n)
        memcpy(copy, items, n * sizeof(*copy));
    return (struct gr_test){.kind = in ? GR_TEST_IN : GR_TEST_NOT_IN, .items = copy, .items_n = n};
}

static inline struct gr_cond make_leaf(struct gr_arena *arena, enum gr_field field, const char *key,
                                       struct gr_test test)
{
    struct gr_test *copy = make_room(arena, 1, sizeof(*copy));

    *copy = test;
    return (struct gr_cond){.kind = GR_COND_LEAF,
                            .field = field,
                            .key = gr_str_from(key),
                            .tests = {.items = copy, .n = 1},
                            .line = 7};
}

/* A leaf over elements with parts: a pattern with these tests, any of which may be NULL. */
static inline struct gr_cond make_pattern_leaf(struct gr_arena *arena, enum gr_field field,
                                               const struct gr_test *const parts[GR_PARTS_MAX])
{
    struct gr_pattern *pattern = make_room(arena, 1, sizeof(*pattern));

    for (size_t i = 0; i < GR_PARTS_MAX; i++) {
        struct gr_test *copy = make_room(arena, 1, sizeof(*copy));

        if (!parts[i])
            continue;
        *copy = *parts[i];
        pattern->parts[i] = (struct gr_tests){.items = copy, .n = 1};
    }
    return (struct gr_cond){
        .kind = GR_COND_LEAF, .field = field, .patterns = pattern, .patterns_n = 1, .line = 7};
}

static inline struct gr_cond make_any_annotation(struct gr_arena *arena, const struct gr_test *key,
                                                 const struct gr_test *value)
{
    const struct gr_test *const parts[GR_PARTS_MAX] = {
        [GR_ENTRY_KEY] = key, [GR_ENTRY_VALUE] = value};

    return make_pattern_leaf(arena, GR_FIELD_ANY_ANNOTATION, parts);
}

static inline struct gr_cond make_node(struct gr_arena *arena, enum gr_cond_kind kind,
                                       const struct gr_cond *children, size_t n)
{
    struct gr_cond *copy = make_room(arena, n, sizeof(*copy));

    if (n)
        memcpy(copy, children, n * sizeof(*copy));
    return (struct gr_cond){.kind = kind, .children = copy, .children_n = n};
}

static inline struct gr_cond make_always(bool value)
{
    return (struct gr_cond){.kind = GR_COND_ALWAYS, .always = value};
}

static inline const struct gr_cond *make_match(struct gr_arena *arena, struct gr_cond cond)
{
    struct gr_cond *copy = make_room(arena, 1, sizeof(*copy));

    *copy = cond;
    return copy;
}

/* A set of this name that asks for match; all else as the format has it by default. */
static inline struct gr_hookset make_hookset(struct gr_arena *arena, const char *name,
                                             struct gr_cond match)
{
    return (struct gr_hookset){.name = make_text(arena, name),
                               .file = GR_STR("/etc/grapnel/hooks.d/10-test.yaml"),
                               .file_name = GR_STR("10-test.yaml"),
                               .line = 3,
                               .hash = UINT64_C(0x0123456789abcdef),
                               .order = GR_ORDER_DEFAULT,
                               .match = make_match(arena, match)};
}

static inline struct gr_hook_text make_hook_text(struct gr_arena *arena, const char *text)
{
    struct gr_hook_text hook_text = {.line = 12, .column = 5};
    struct gr_err err = {0};

    if (gr_template_parse(arena, make_text(arena, text), gr_template_field_check, NULL,
                          &hook_text.text, &err) != 0)
        fail_msg("template \"%s\": %s", text, err.text);
    return hook_text;
}

/* Adds a hook; args and env end with NULL, either may be NULL. */
static inline void make_hook(struct gr_arena *arena, struct gr_hookset *set, enum gr_stage stage,
                             const char *path, const char *const *args, const char *const *env)
{
    struct gr_hook_list *list = &set->hooks[stage];
    struct gr_hook *hooks = make_room(arena, list->n + 1, sizeof(*hooks));
    struct gr_hook *hook = &hooks[list->n];
    struct gr_hook_text *texts = make_room(arena, 32, sizeof(*texts));
    size_t n = 0;

    if (list->n)
        memcpy(hooks, list->items, list->n * sizeof(*hooks));
    *hook = (struct gr_hook){
        .path = make_text(arena, path), .timeout_s = GR_HOOK_TIMEOUT_DEFAULT_S, .line = 11};
    hook->args = texts;
    for (size_t i = 0; args && args[i]; i++)
        texts[n++] = make_hook_text(arena, args[i]);
    hook->args_n = n;
    hook->env = texts + n;
    for (size_t i = 0; env && env[i]; i++)
        texts[n++] = make_hook_text(arena, env[i]);
    hook->env_n = n - hook->args_n;
    list->items = hooks;
    list->n++;
}

/* Takes the arena, as gr_ruleset_new does. */
static inline struct gr_ruleset *make_ruleset(struct gr_arena *arena, const struct gr_hookset *sets,
                                              size_t n)
{
    struct gr_hookset *copy = make_room(arena, n, sizeof(*copy));
    struct gr_ruleset *ruleset = NULL;
    struct gr_err err = {0};

    if (n)
        memcpy(copy, sets, n * sizeof(*copy));
    if (gr_ruleset_new(arena, copy, n, NULL, &ruleset, &err) != 0)
        fail_msg("rule set: %s", err.text);
    return ruleset;
}

#endif
