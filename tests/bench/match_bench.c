/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What matching and deciding cost: nanoseconds per container for 1 to 10,000 sets of which up to
 * three match, with the image known and not; the same for rules that search in any annotation; the
 * memory of the rule set; and how long a container can keep the matcher busy that was made for it,
 * with globs, annotations and expressions. Printed, not asserted.
 */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "rules/tell/explain.h"
#include "rules/read/fields.h"
#include "rules/limits.h"
#include "rules/match/match.h"

#define SETS_MAX 10000
#define ANNOTATIONS 30
#define LABELS 20
#define ARENA_BYTES 65536
#define BEST_OF 7
#define HOSTILE_ENTRIES 65536
#define REGEX_RULES 1000

static struct gr_hookset sets[SETS_MAX];

static uint64_t now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void need(bool ok)
{
    if (!ok) {
        (void)fprintf(stderr, "out of memory, or a bad rule\n");
        exit(1);
    }
}

static struct gr_str text(struct gr_arena *arena, const char *format, unsigned int i)
{
    char buffer[128];
    struct gr_str copy;

/* Each of the few formats is a literal of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(buffer, sizeof(buffer), format, i);
#pragma GCC diagnostic pop
    need(gr_arena_str(arena, gr_str_from(buffer), &copy));
    return copy;
}

static struct gr_cond leaf(struct gr_arena *arena, enum gr_field field, struct gr_str key,
                           enum gr_test_kind kind, struct gr_str value)
{
    struct gr_test *test = gr_arena_alloc(arena, sizeof(*test));

    need(test != NULL);
    *test = (struct gr_test){.kind = kind, .text = value};
    if (kind == GR_TEST_IMAGE)
        need(gr_image_pattern_parse(arena, value, &test->image, NULL) == 0);
    return (struct gr_cond){
        .kind = GR_COND_LEAF, .field = field, .key = key, .tests = {.items = test, .n = 1}};
}

/* What administrators write: by image, by annotation, by label and namespace, by a glob. */
static const struct gr_cond *make_match(struct gr_arena *arena, unsigned int i)
{
    struct gr_cond *all = gr_arena_array(arena, 3, sizeof(*all));

    need(all != NULL);
    all[0] = (struct gr_cond){.kind = GR_COND_ALL, .children = all + 1, .children_n = 1};
    switch (i % 4) {
    case 0:
        all[1] = leaf(arena, GR_FIELD_IMAGE, GR_STR_NONE, GR_TEST_IMAGE,
                      text(arena, "registry.example.com/team-%u/app:1.*", i));
        break;
    case 1:
        all[1] = leaf(arena, GR_FIELD_ANNOTATIONS, text(arena, "hook-%u.example.com", i),
                      GR_TEST_EXACT, GR_STR("enabled"));
        break;
    case 2:
        all[0].children_n = 2;
        all[1] = leaf(arena, GR_FIELD_NAMESPACE, GR_STR_NONE, GR_TEST_EXACT, GR_STR("prod"));
        all[2] = leaf(arena, GR_FIELD_POD_LABELS, GR_STR("app.kubernetes.io/name"), GR_TEST_EXACT,
                      text(arena, "app-%u", i));
        break;
    default:
        all[1] = leaf(arena, GR_FIELD_IMAGE, GR_STR_NONE, GR_TEST_IMAGE,
                      text(arena, "registry.example.com/other-%u/**", i));
        break;
    }
    return all;
}

static void add_hook(struct gr_arena *arena, struct gr_hookset *set)
{
    struct gr_hook *hook = gr_arena_alloc(arena, sizeof(*hook));
    struct gr_hook_text *texts = gr_arena_array(arena, 4, sizeof(*texts));
    static const char *const sources[] = {"network-setup", "--container-id", "{{.ID}}",
                                          "NETWORK_MODE=bridge"};

    need(hook && texts);
    for (size_t i = 0; i < 4; i++)
        need(gr_template_parse(arena, gr_str_from(sources[i]), gr_template_field_check, NULL,
                               &texts[i].text, NULL) == 0);
    *hook = (struct gr_hook){.path = GR_STR("/opt/hooks/network-setup"),
                             .args = texts,
                             .args_n = 3,
                             .env = texts + 3,
                             .env_n = 1,
                             .timeout_s = 30};
    set->hooks[GR_STAGE_CREATE_RUNTIME] = (struct gr_hook_list){.items = hook, .n = 1};
}

static struct gr_ruleset *make_rules(size_t n, size_t *out_index_bytes, double *out_build_ms)
{
    struct gr_ruleset *rules = NULL;
    struct gr_arena arena;
    uint64_t start;
    size_t before;

    gr_arena_init(&arena, ARENA_BYTES, 0);
    for (unsigned int i = 0; i < n; i++) {
        sets[i] = (struct gr_hookset){.name = text(&arena, "set-%u", i),
                                      .file = GR_STR("/etc/grapnel/hooks.d/bench.yaml"),
                                      .file_name = GR_STR("bench.yaml"),
                                      .document = i,
                                      .order = GR_ORDER_DEFAULT,
                                      .match = make_match(&arena, i)};
        add_hook(&arena, &sets[i]);
    }
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    start = now_ns();
    need(gr_ruleset_new(&arena, sets, n, NULL, &rules, NULL) == 0);
    *out_build_ms = (double)(now_ns() - start) / 1e6;
    *out_index_bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    return rules;
}

/* A container as kubelet makes them; with three sets or more it is matched by three. */
static struct gr_subject make_subject(struct gr_arena *arena, bool image_known)
{
    struct gr_kv *annotations = gr_arena_array(arena, ANNOTATIONS, sizeof(*annotations));
    struct gr_kv *labels = gr_arena_array(arena, LABELS, sizeof(*labels));
    struct gr_subject subject = {
        .id = GR_STR("5a7d0ab0e1a94a0f9b1c5b4b3c2d1e0f5a7d0ab0e1a94a0f9b1c5b4b3c2d1e0f"),
        .name = GR_STR("web"),
        .pod_name = GR_STR("web-6d4b75cb6d-x2x9k"),
        .pod_namespace = GR_STR("prod"),
        .pod_uid = GR_STR("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
        .runtime = GR_STR("containerd"),
        .pod_annotations = {annotations, ANNOTATIONS},
        .pod_labels = {labels, LABELS},
    };

    need(annotations && labels);
    for (unsigned int i = 0; i < ANNOTATIONS; i++)
        annotations[i] = (struct gr_kv){text(arena, "io.example.annotations/key-%u", i),
                                        text(arena, "some value of usual length, number %u", i)};
    for (unsigned int i = 0; i < LABELS; i++)
        labels[i] = (struct gr_kv){text(arena, "example.com/label-%u", i), text(arena, "v%u", i)};
    annotations[7] = (struct gr_kv){GR_STR("hook-1.example.com"), GR_STR("enabled")};
    labels[7] = (struct gr_kv){GR_STR("app.kubernetes.io/name"), GR_STR("app-2")};
    if (image_known)
        need(gr_image_parse(GR_STR("registry.example.com/team-0/app:1.7"), &subject.image) == 0);
    return subject;
}

struct cost {
    double match_ns;
    double all_ns;
    size_t results;
    size_t hooks;
};

static void run(const struct gr_ruleset *rules, const struct gr_subject *subject, size_t rounds,
                bool decide, struct cost *cost)
{
    struct gr_decide_options options = {.node_name = GR_STR("node-1")};
    struct gr_arena arena;
    uint64_t start;
    double ns;

    gr_arena_init(&arena, ARENA_BYTES, 0);
    start = now_ns();
    for (size_t i = 0; i < rounds; i++) {
        struct gr_decision decision;
        const struct gr_match *matches;
        size_t n;

        gr_arena_reset(&arena);
        if (decide) {
            need(gr_decide(rules, subject, &options, &arena, &decision) == 0);
            cost->results = decision.results_n;
            cost->hooks = decision.hooks_n;
        } else {
            need(gr_ruleset_match(rules, subject, &arena, &matches, &n) == 0);
        }
    }
    ns = (double)(now_ns() - start) / (double)rounds;
    gr_arena_fini(&arena);
    if (decide)
        cost->all_ns = cost->all_ns > 0 ? GR_MIN(cost->all_ns, ns) : ns;
    else
        cost->match_ns = cost->match_ns > 0 ? GR_MIN(cost->match_ns, ns) : ns;
}

/* Every set is looked at, and the first of them put into words. */
static void bench_explain(const struct gr_ruleset *rules, const struct gr_subject *subject)
{
    const struct gr_decide_options options = {.node_name = GR_STR("node-1")};
    struct gr_explanation explanation;
    struct gr_explain_leaves leaves;
    double best_ms = 1e9, words_ms = 1e9;

    for (size_t k = 0; k < BEST_OF; k++) {
        struct gr_arena arena;
        uint64_t start = now_ns();
        double ms;

        gr_arena_init(&arena, ARENA_BYTES, 0);
        need(gr_explain(rules, subject, &options, &arena, &explanation) == 0);
        ms = (double)(now_ns() - start) / 1e6;
        best_ms = ms < best_ms ? ms : best_ms;
        for (size_t i = 0; i < explanation.n; i++)
            need(gr_explain_leaves(&explanation, &explanation.sets[i], &arena, &leaves) == 0);
        ms = (double)(now_ns() - start) / 1e6;
        words_ms = ms < words_ms ? ms : words_ms;
        gr_arena_fini(&arena);
    }
    printf("%6zu sets, image %-7s: explain %.2f ms, with all conditions in words %.2f ms\n",
           explanation.n, subject->image.known ? "known" : "unknown", best_ms, words_ms);
}

static void bench(size_t n, bool image_known)
{
    struct cost cost = {0};
    size_t bytes = 0;
    double build_ms = 0;
    struct gr_ruleset *rules = make_rules(n, &bytes, &build_ms);
    size_t rounds = image_known ? 20000 : GR_MAX((size_t)20, 2000000 / (n + 100));
    struct gr_subject subject;
    struct gr_arena arena;

    gr_arena_init(&arena, ARENA_BYTES, 0);
    subject = make_subject(&arena, image_known);
    for (size_t i = 0; i < BEST_OF; i++) {
        run(rules, &subject, rounds, false, &cost);
        run(rules, &subject, rounds, true, &cost);
    }
    printf("%6zu sets, image %-7s: match %9.0f ns, match and decide %9.0f ns; "
           "%zu not false, %zu hooks; index %zu bytes per set, built in %.1f ms\n",
           n, image_known ? "known" : "unknown", cost.match_ns, cost.all_ns, cost.results,
           cost.hooks, bytes / n, build_ms);
    if (n == SETS_MAX)
        bench_explain(rules, &subject);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

/* Globs and expressions that search in the keys of all annotations, as oci-hooks(5) files do. */
static void bench_searches(enum gr_test_kind kind, const char *format)
{
    struct gr_ruleset *rules = NULL;
    struct cost cost = {0};
    struct gr_subject subject;
    struct gr_arena arena;
    uint64_t start;
    size_t candidates;

    gr_arena_init(&arena, ARENA_BYTES, 0);
    for (unsigned int i = 0; i < SETS_MAX; i++) {
        struct gr_test *test = gr_arena_alloc(&arena, sizeof(*test));
        struct gr_pattern *pattern = gr_arena_alloc(&arena, sizeof(*pattern));
        struct gr_cond *match = gr_arena_alloc(&arena, sizeof(*match));

        need(test && pattern && match);
        *test = (struct gr_test){.kind = kind, .text = text(&arena, format, i)};
        if (kind == GR_TEST_REGEX)
            need(gr_regex_compile(&arena, test->text, true, &test->regex, NULL) == 0);
        pattern->parts[GR_ENTRY_KEY] = (struct gr_tests){.items = test, .n = 1};
        *match = (struct gr_cond){.kind = GR_COND_LEAF,
                                  .field = GR_FIELD_ANY_ANNOTATION,
                                  .patterns = pattern,
                                  .patterns_n = 1};
        sets[i] = (struct gr_hookset){.name = text(&arena, "set-%u", i),
                                      .file = GR_STR("bench.yaml"),
                                      .document = i,
                                      .match = match};
    }
    start = now_ns();
    need(gr_ruleset_new(&arena, sets, SETS_MAX, NULL, &rules, NULL) == 0);
    printf("%6d sets that search as %s: index built in %.1f ms, ", SETS_MAX, format,
           (double)(now_ns() - start) / 1e6);
    gr_arena_init(&arena, ARENA_BYTES, 0);
    subject = make_subject(&arena, true);
    need(gr_ruleset_candidates(rules, &subject, &arena, &candidates) == 0);
    for (size_t i = 0; i < BEST_OF; i++)
        run(rules, &subject, 20000, false, &cost);
    printf("%zu candidates, match %.0f ns\n", candidates, cost.match_ns);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

/* A value and a glob that together take the longest, and that the index cannot tell apart: the
 * whole budget of a request. */
static void bench_hostile(void)
{
    static char value[GR_ANNOTATIONS_MAX_BYTES];
    static char pattern[GR_PATTERN_MAX_BYTES];
    struct gr_kv annotation = {GR_STR("key"), {value, sizeof(value)}};
    struct gr_subject subject = {.pod_annotations = {&annotation, 1}};
    struct gr_ruleset *rules = NULL;
    const struct gr_match *matches;
    struct gr_cond match;
    struct gr_arena arena;
    uint64_t start;
    size_t n;

    memset(value, 'a', sizeof(value));
    memset(pattern, 'a', sizeof(pattern));
    pattern[0] = '*';
    pattern[sizeof(pattern) - 1] = '?';
    gr_arena_init(&arena, ARENA_BYTES, 0);
    match = leaf(&arena, GR_FIELD_POD_ANNOTATIONS, GR_STR("key"), GR_TEST_GLOB,
                 (struct gr_str){pattern, sizeof(pattern)});
    for (unsigned int i = 0; i < 100; i++)
        sets[i] = (struct gr_hookset){.name = text(&arena, "set-%u", i),
                                      .file = GR_STR("bench.yaml"),
                                      .document = i,
                                      .match = &match};
    need(gr_ruleset_new(&arena, sets, 100, NULL, &rules, NULL) == 0);
    gr_arena_init(&arena, ARENA_BYTES, 0);
    start = now_ns();
    need(gr_ruleset_match(rules, &subject, &arena, &matches, &n) == 0);
    printf("step budget used up by globs: %.1f ms (%zu errors)\n", (double)(now_ns() - start) / 1e6,
           n);
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
}

/* Annotations that no key of the rules tells apart, against rules that search in all of them. */
static void bench_hostile_annotations(void)
{
    struct gr_arena texts;
    struct gr_arena arena;
    struct gr_test test = {.kind = GR_TEST_GLOB, .text = GR_STR("*x*")};
    struct gr_pattern pattern = {.parts = {[GR_ENTRY_KEY] = {.items = &test, .n = 1}}};
    struct gr_cond match = {.kind = GR_COND_LEAF,
                            .field = GR_FIELD_ANY_ANNOTATION,
                            .patterns = &pattern,
                            .patterns_n = 1};
    struct gr_kv *entries = calloc(HOSTILE_ENTRIES, sizeof(*entries));
    struct gr_subject subject = {.pod_annotations = {entries, HOSTILE_ENTRIES}};
    struct gr_ruleset *rules = NULL;
    const struct gr_match *matches;
    uint64_t start;
    size_t n;

    need(entries != NULL);
    gr_arena_init(&texts, ARENA_BYTES, 0);
    gr_arena_init(&arena, ARENA_BYTES, 0);
    for (unsigned int i = 0; i < HOSTILE_ENTRIES; i++)
        entries[i] = (struct gr_kv){text(&texts, "key-%u", i), GR_STR("v")};
    for (unsigned int i = 0; i < 1000; i++)
        sets[i] = (struct gr_hookset){.name = text(&arena, "set-%u", i),
                                      .file = GR_STR("bench.yaml"),
                                      .document = i,
                                      .match = &match};
    need(gr_ruleset_new(&arena, sets, 1000, NULL, &rules, NULL) == 0);
    gr_arena_init(&arena, ARENA_BYTES, 0);
    start = now_ns();
    need(gr_ruleset_match(rules, &subject, &arena, &matches, &n) == 0);
    printf("step budget used up by %d annotations: %.1f ms (%zu errors)\n", HOSTILE_ENTRIES,
           (double)(now_ns() - start) / 1e6, n);
    gr_arena_fini(&arena);
    gr_arena_fini(&texts);
    gr_ruleset_unref(rules);
    free(entries);
}

/* A thousand rules with one expression against one value. */
static double regex_ms(const char *expression, bool search, struct gr_str value, size_t *out_errors)
{
    struct gr_kv annotation = {GR_STR("key"), value};
    struct gr_subject subject = {.pod_annotations = {&annotation, 1}};
    const struct gr_regex *regex = NULL;
    struct gr_ruleset *rules = NULL;
    const struct gr_match *matches;
    struct gr_test test;
    struct gr_cond match;
    struct gr_arena arena;
    uint64_t start;
    double ms;

    gr_arena_init(&arena, ARENA_BYTES, 0);
    need(gr_regex_compile(&arena, gr_str_from(expression), search, &regex, NULL) == 0);
    test = (struct gr_test){.kind = GR_TEST_REGEX, .text = gr_str_from(expression), .regex = regex};
    match = (struct gr_cond){.kind = GR_COND_LEAF,
                             .field = GR_FIELD_POD_ANNOTATIONS,
                             .key = GR_STR("key"),
                             .tests = {.items = &test, .n = 1}};
    for (unsigned int i = 0; i < REGEX_RULES; i++)
        sets[i] = (struct gr_hookset){.name = text(&arena, "set-%u", i),
                                      .file = GR_STR("bench.yaml"),
                                      .document = i,
                                      .match = &match};
    need(gr_ruleset_new(&arena, sets, REGEX_RULES, NULL, &rules, NULL) == 0);
    gr_arena_init(&arena, ARENA_BYTES, 0);
    start = now_ns();
    need(gr_ruleset_match(rules, &subject, &arena, &matches, out_errors) == 0);
    ms = (double)(now_ns() - start) / 1e6;
    gr_arena_fini(&arena);
    gr_ruleset_unref(rules);
    return ms;
}

/* The worst that is known of each kind of work that PCRE2 does, over letters of one byte and of
 * four: whatever an expression does, its rules together stay within the budget's time. */
static void bench_regex(void)
{
    static const char *const expressions[] = {
        "(a*)*b|a*c",
        "(a|a|a|a|a|a|a|a|a|a)*[xy]",
        "(a|aa)+[xy]",
        "(?i)(aa|ab|ac|ad)*[xy]",
        "(((((((a|b)*)*)*)*)*)*)*[xy]",
        "((a|a)(a|a)(a|a)(a|a))*[xy]",
        "((a{1,10}){1,10}){1,10}[xy]",
        "(.*a){20}[xy]",
        "(a+a+)+[xy]",
        ".*.*.*[=x].*",
        "(?:a|[a-f]|\\pL|.)*[xy]",
        "(?:.|\\b)*[xy]",
        "[\\pL\\pN\\pZ\\pS]*[12]",
        "\\pL{1000}[xy]",
        "(?i)\\x{3c3}{1000}[xy]",
        "(?:a*){1000}[xy]",
        "[^x]*[yz]",
        "[xy]",
        "\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b[xy]",
        "xyz",
    };
    static const char *const letters[] = {"a", "\xF0\x9F\x98\x80"};
    static char value[GR_ANNOTATIONS_MAX_BYTES];
    double worst = 0;

    for (size_t i = 0; i < 4 * GR_ARRAY_LEN(expressions); i++) {
        const char *expression = expressions[i / 4];
        const char *letter = letters[i / 2 % 2];
        size_t errors = 0;
        double ms;

        for (size_t at = 0; at < sizeof(value); at += strlen(letter))
            memcpy(value + at, letter, strlen(letter));
        ms = regex_ms(expression, i % 2, (struct gr_str){value, sizeof(value)}, &errors);
        printf("%d rules with %-30s %s of U+%s: %6.1f ms (%zu not false)\n", REGEX_RULES,
               expression, i % 2 ? "somewhere in 256 KiB" : "over 256 KiB",
               i / 2 % 2 ? "1F600" : "61", ms, errors);
        worst = GR_MAX(worst, ms);
    }
    printf("step budget used up by expressions: %.1f ms at worst\n", worst);
}

int main(void)
{
    static const size_t counts[] = {1, 100, 1000, 10000};

    for (size_t i = 0; i < GR_ARRAY_LEN(counts); i++)
        bench(counts[i], true);
    for (size_t i = 0; i < GR_ARRAY_LEN(counts); i++)
        bench(counts[i], false);
    bench_hostile();
    bench_hostile_annotations();
    bench_searches(GR_TEST_GLOB, "*hook-%u.example*");
    bench_searches(GR_TEST_REGEX, "hook-%u\\.example\\.com$");
    bench_regex();
    return 0;
}
