/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule sets and containers made of chance: of a random number, or of bytes that a fuzzer varies.
 * They are made of few words, so that rules and containers meet. Whoever includes this defines
 * GENERATING_CHECK(condition), which ends the test. Everything lives in the generator's arena; some
 * texts are of static memory.
 */
#ifndef GR_TESTS_RULES_GENERATING_H
#define GR_TESTS_RULES_GENERATING_H

#include <stdio.h>

#include "base/utf8.h"
#include "rules/match/ruleset.h"

#define GENERATED_SETS_MAX 24

struct generator {
    struct gr_arena *arena;
    uint64_t state; /* of a random number, not 0; not looked at with bytes */
    bool has_bytes; /* take chance from bytes; behind their end everything is 0 */
    struct gr_str bytes;
    bool has_regexes;
};

static inline uint32_t below(struct generator *g, uint32_t n)
{
    uint32_t value = 0;

    if (!g->has_bytes) {
        g->state ^= g->state << 13;
        g->state ^= g->state >> 7;
        g->state ^= g->state << 17;
        return (uint32_t)((g->state >> 11) % n);
    }
    if (g->bytes.p && g->bytes.n > 0)
        value = (unsigned char)g->bytes.p[0];
    g->bytes = gr_str_skip(g->bytes, 1);
    return value % n;
}

static inline bool one_in(struct generator *g, uint32_t n)
{
    return below(g, n) == n - 1;
}

#define PICK(g, list) ((list)[below((g), (uint32_t)GR_ARRAY_LEN(list))])

static inline void *generate_room(struct generator *g, size_t count, size_t bytes)
{
    void *memory = gr_arena_array(g->arena, count, bytes);

    GENERATING_CHECK(memory != NULL);
    return memory;
}

/* ---- words ---- */

#define LONG "this-text-is-longer-than-what-the-index-keeps-of-a-prefix-or-suffix"

static const char *const generated_values[] = {
    "",        "a",       "ab",     "abc",    "b",         "ba",         "prod",
    "pro",     "é",       LONG "a", LONG "b", "a needle.", "needle",     "/opt/needle",
    "PATH=/x", "A=a",     "bind",   "kata-a", "/data/a/b", "/data",      "set-1",
    "set-2",   "hay/hay", "\377a",  "a\nb",   "aaaa",      "needleless", "ABC",
};
static const char *const generated_globs[] = {
    "*",     "a*",       "*a",        "a*c",        "?",          "?b*",     "pr*",
    "*od",   "é*",       LONG "*",    "*" LONG "a", "*" LONG "*", "abc",     "*needle*",
    "*eed*", "a*eedl*.", "*hay*hay*", "*a?",        "*/needle",   "/data/*", "*longer*prefix*",
    "?aaa*", "*needle",
};
static const char *const generated_prefixes[] = {"a",    "ab",     "pro", "prod",
                                                 "\xC3", "/data/", LONG,  "PATH="};
static const char *const generated_keys[] = {"a",     "b",  "x.io/a", "a/pod", "a/container.c",
                                             "b/pod", "bb", "needle"};
static const char *const generated_names[] = {"c", "d", ""};
static const char *const generated_images[] = {
    "nginx",
    "nginx:1.25",
    "nginx:1.26@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx@sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "team/nginx",
    "r.io/team/nginx:1.25",
    "R.IO/team/app-1",
    "r.io/team/app-2/agent",
    "r.io/team",
    "localhost/nginx",
    "localhost:5000/" LONG "/agent",
};
static const char *const generated_patterns[] = {
    "nginx",
    "nginx:1.25",
    "nginx:1.26",
    "nginx:1.*",
    "docker.io/library/nginx:latest",
    "nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx:1.26@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx@sha256:0*",
    "r.io/team/**",
    "r.io/**/agent",
    "r.io/team/*",
    "R.io/team/app-*",
    "r.io/team/app-?/agent",
    "**",
    "**/nginx",
    "**/nginx:1.25",
    "**/app-*",
    "**/*-1",
    "*.io/team/nginx",
    "r.io/*/*",
    "*/nginx",
    "ng*",
    "docker.io/**",
    "localhost:5000/" LONG "/*",
    "localhost:5000/" LONG "*/agent",
    "**/" LONG "/agent",
};
static const char *const generated_regexes[] = {
    "",
    "a",
    "abc",
    "a.*",
    ".*a",
    "needle",
    ".*needle.*",
    "(prod|pro)",
    "a|b|ba",
    "^a",
    "a$",
    "^pro(d|)$",
    "[ab]+c?",
    "a{2,4}",
    "(?i)abc",
    ".",
    "/data/[a-z]+/b",
    "PATH=.*",
    "hay.hay",
    "(?s)a.b",
    "needle(less)?",
    "é",
    "x.*needle.*y",
    "set-[0-9]",
    "(needle|/opt/needle|a needle\\.)",
    "\\Aab",
    "eedl",
    "(?:a|ab)c",
    "[^a]*",
};
static const char *const generated_destinations[] = {
    "/data",
    "/data/a/b",
    "/etc/hosts",
    "/dev/shm",
    "/proc",
    "/etc/../etc/hosts",
    "/opt/needle",
    "data",
    "",
    "/",
    "/var/run/secrets/kubernetes.io/serviceaccount",
};

/* A word of the list, or a few letters of no list. */
static inline const char *generate_word(struct generator *g, const char *const *words, size_t n,
                                        const char *const *letters, size_t letters_n)
{
    size_t room = 32;
    size_t length;
    char *text;

    if (!one_in(g, 6))
        return words[below(g, (uint32_t)n)];
    length = below(g, 6);
    text = generate_room(g, room, 1);
    for (size_t i = 0, at = 0; i < length; i++)
        at += (size_t)snprintf(text + at, room - at, "%s", letters[below(g, (uint32_t)letters_n)]);
    return text;
}

static const char *const generated_letters[] = {"a", "b", "c", "/", "pro", "é", "\xFF"};
static const char *const generated_wild[] = {"a", "b", "c", "*", "?", "é", "needle"};

static inline const char *generate_value(struct generator *g)
{
    return generate_word(g, generated_values, GR_ARRAY_LEN(generated_values), generated_letters,
                         GR_ARRAY_LEN(generated_letters));
}

static inline const char *generate_glob(struct generator *g)
{
    return generate_word(g, generated_globs, GR_ARRAY_LEN(generated_globs), generated_wild,
                         GR_ARRAY_LEN(generated_wild));
}

/* ---- rules ---- */

static inline struct gr_test generate_image_test(struct generator *g)
{
    struct gr_test test = {.kind = GR_TEST_IMAGE, .text = gr_str_from(PICK(g, generated_patterns))};

    GENERATING_CHECK(gr_image_pattern_parse(g->arena, test.text, &test.image, NULL) == 0);
    return test;
}

static inline struct gr_test generate_regex_test(struct generator *g)
{
    struct gr_test test = {.kind = GR_TEST_REGEX, .text = gr_str_from(PICK(g, generated_regexes))};

    /* Each of them is good: one that is refused is an error of rules/regex, never left out. */
    GENERATING_CHECK(gr_regex_compile(g->arena, test.text, one_in(g, 2), &test.regex, NULL) == 0);
    return test;
}

static inline struct gr_test generate_single(struct generator *g, enum gr_field field, bool in_list)
{
    struct gr_test test = {.kind = GR_TEST_EXACT};

    if (field == GR_FIELD_IMAGE)
        return generate_image_test(g);
    if (in_list || one_in(g, 3)) {
        test.text = gr_str_from(generate_value(g));
    } else if (g->has_regexes && one_in(g, 2)) {
        return generate_regex_test(g);
    } else if (one_in(g, 2)) {
        test.kind = GR_TEST_GLOB;
        test.text = gr_str_from(generate_glob(g));
        if (!gr_utf8_is_valid(test.text))
            test.text = GR_STR("*needle*");
    } else {
        test.kind = GR_TEST_PREFIX;
        test.text = gr_str_from(PICK(g, generated_prefixes));
    }
    return test;
}

static inline struct gr_test generate_test(struct generator *g, enum gr_field field)
{
    struct gr_test *items;
    size_t n;

    if (!one_in(g, 3))
        return generate_single(g, field, false);
    if (field != GR_FIELD_IMAGE && one_in(g, 3))
        return (struct gr_test){.kind = GR_TEST_EXISTS, .exists = one_in(g, 2)};
    n = below(g, 4);
    items = generate_room(g, n, sizeof(*items));
    for (size_t i = 0; i < n; i++)
        items[i] = generate_single(g, field, true);
    return (struct gr_test){
        .kind = one_in(g, 2) ? GR_TEST_IN : GR_TEST_NOT_IN, .items = items, .items_n = n};
}

static inline struct gr_tests generate_tests(struct generator *g, enum gr_field field)
{
    size_t n = one_in(g, 4) ? below(g, 4) : 1;
    struct gr_test *tests = generate_room(g, n, sizeof(*tests));

    for (size_t i = 0; i < n; i++)
        tests[i] = generate_test(g, field);
    return (struct gr_tests){.items = tests, .n = n};
}

/* Keys that are asked for plainly are the usual case. */
static inline struct gr_tests generate_key_tests(struct generator *g)
{
    struct gr_test *test;

    if (one_in(g, 2))
        return generate_tests(g, GR_FIELD_ANY_ANNOTATION);
    test = generate_room(g, 1, sizeof(*test));
    test->text = gr_str_from(PICK(g, generated_keys));
    return (struct gr_tests){.items = test, .n = 1};
}

static inline struct gr_pattern generate_pattern(struct generator *g, enum gr_field field)
{
    struct gr_pattern pattern = {0};

    if (field == GR_FIELD_ANY_ANNOTATION) {
        if (!one_in(g, 4))
            pattern.parts[GR_ENTRY_KEY] = generate_key_tests(g);
        if (one_in(g, 2) || pattern.parts[GR_ENTRY_KEY].n == 0)
            pattern.parts[GR_ENTRY_VALUE] = generate_tests(g, field);
        return pattern;
    }
    for (size_t part = 0; part < GR_PARTS_MAX; part++) {
        if (one_in(g, 2))
            pattern.parts[part] = generate_tests(g, field);
    }
    return pattern;
}

static inline struct gr_cond generate_leaf(struct generator *g)
{
    struct gr_cond leaf = {.kind = GR_COND_LEAF, .field = (enum gr_field)below(g, GR_FIELD_COUNT)};
    struct gr_pattern *patterns;

    if (one_in(g, 4))
        leaf.field = GR_FIELD_ANNOTATIONS;
    if (gr_field_is_map(leaf.field))
        leaf.key = gr_str_from(PICK(g, generated_keys));
    if (!gr_field_has_parts(leaf.field)) {
        leaf.tests = generate_tests(g, leaf.field);
        return leaf;
    }
    leaf.patterns_n = one_in(g, 4) ? below(g, 4) : 1;
    patterns = generate_room(g, leaf.patterns_n, sizeof(*patterns));
    for (size_t i = 0; i < leaf.patterns_n; i++)
        patterns[i] = generate_pattern(g, leaf.field);
    leaf.patterns = patterns;
    return leaf;
}

static inline struct gr_cond generate_cond(struct generator *g, unsigned int depth)
{
    struct gr_cond cond = {.kind = GR_COND_ALWAYS};
    struct gr_cond *children;
    size_t n;

    if (depth == 0 || one_in(g, 3)) {
        if (!one_in(g, 25))
            return generate_leaf(g);
        cond.always = one_in(g, 2);
        if (one_in(g, 2))
            cond.kind = GR_COND_UNREADABLE;
        return cond;
    }
    n = below(g, 4);
    children = generate_room(g, n, sizeof(*children));
    for (size_t i = 0; i < n; i++)
        children[i] = generate_cond(g, depth - 1);
    cond.kind = one_in(g, 3) ? GR_COND_ANY : GR_COND_ALL;
    if (one_in(g, 6) && n > 0) {
        cond.kind = GR_COND_NOT;
        n = 1;
    }
    cond.children = children;
    cond.children_n = n;
    return cond;
}

/* In the generator's arena, which gr_ruleset_new may then take. */
static inline struct gr_hookset *generate_sets(struct generator *g, size_t *out_n)
{
    size_t n = below(g, GENERATED_SETS_MAX + 1);
    struct gr_hookset *sets = generate_room(g, n, sizeof(*sets));

    for (size_t i = 0; i < n; i++) {
        struct gr_cond *match = generate_room(g, 1, sizeof(*match));
        char *name = generate_room(g, 16, 1);

        (void)snprintf(name, 16, "set-%zu", i);
        *match = generate_cond(g, 3);
        sets[i] = (struct gr_hookset){.name = gr_str_from(name),
                                      .match = match,
                                      .order = below(g, 3),
                                      .document = (uint32_t)i,
                                      .other_node = one_in(g, 20)};
    }
    *out_n = n;
    return sets;
}

/* ---- containers ---- */

static inline struct gr_kvs generate_map(struct generator *g)
{
    size_t n = below(g, 7);
    struct gr_kv *items = generate_room(g, n, sizeof(*items));

    for (size_t i = 0; i < n; i++) {
        items[i].key = gr_str_from(PICK(g, generated_keys));
        if (one_in(g, 6))
            items[i].key = GR_STR("unrelated.io/x");
        if (one_in(g, 6))
            items[i].key = gr_str_from(generate_value(g));
        items[i].value = gr_str_from(generate_value(g));
    }
    return (struct gr_kvs){.items = items, .n = n};
}

static inline struct gr_strs generate_list(struct generator *g)
{
    size_t n = below(g, 4);
    struct gr_str *items = generate_room(g, n, sizeof(*items));

    for (size_t i = 0; i < n; i++)
        items[i] = gr_str_from(generate_value(g));
    return (struct gr_strs){.items = items, .n = n};
}

static inline void generate_mounts(struct generator *g, struct gr_subject *subject)
{
    size_t n = below(g, 4);
    struct gr_mount *mounts = generate_room(g, n, sizeof(*mounts));

    for (size_t i = 0; i < n; i++) {
        mounts[i].destination = gr_str_from(PICK(g, generated_destinations));
        mounts[i].source = gr_str_from(generate_value(g));
        mounts[i].type = gr_str_from(one_in(g, 2) ? "bind" : generate_value(g));
    }
    subject->mounts = mounts;
    subject->mounts_n = n;
}

static inline struct gr_subject generate_subject(struct generator *g)
{
    struct gr_subject subject = {
        .name = gr_str_from(PICK(g, generated_names)),
        .pod_name = gr_str_from(generate_value(g)),
        .pod_namespace = gr_str_from(generate_value(g)),
        .runtime_handler = gr_str_from(generate_value(g)),
        .runtime = gr_str_from(generate_value(g)),
        .pod_labels = generate_map(g),
        .container_labels = generate_map(g),
        .pod_annotations = generate_map(g),
        .container_annotations = generate_map(g),
        .args = generate_list(g),
        .env = generate_list(g),
        .requests = generate_list(g),
    };

    generate_mounts(g, &subject);
    if (one_in(g, 8))
        subject.name = GR_STR("a-name-of-more-than-fifty-three-characters-has-no-scope");
    if (!one_in(g, 5))
        GENERATING_CHECK(gr_image_parse(gr_str_from(PICK(g, generated_images)), &subject.image) ==
                         0);
    for (uint32_t field = 0; field < GR_FIELD_COUNT; field++) {
        if (one_in(g, 12))
            subject.unknown_fields |= 1U << field;
    }
    return subject;
}

#endif
