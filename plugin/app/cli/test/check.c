/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was decided against what a case expects. Each difference is told on its own.
 */
#include <stdio.h>

#include "app/explain/out.h"
#include "app/cli/shared/hooks_json.h"
#include "app/cli/test/parts.h"
#include "rules/read/findings.h"

#define LIST_BYTES 700

/* Work of one expression over a refusal; the text is short. */
#define REGEX_STEPS (1U << 22)

struct checking {
    struct gr_arena *arena;
    struct gr_explanation *explanation;
    const struct gr_decision *decision;
    const struct gr_expect *expect;
    struct gr_test_result *result;
};

/* Appends what fits. */
static void append(char *text, size_t bytes, const char *before, struct gr_str more)
{
    size_t n = strlen(text);

    (void)snprintf(text + n, bytes - n, "%s%.*s", before, GR_STR_FMT(more));
}

static int check_refusal(const struct checking *c)
{
    const struct gr_expect *expect = c->expect;
    struct gr_str refusal = c->decision->refusal;
    bool wanted = expect->refusal >= GR_REFUSAL_YES;
    uint64_t steps = REGEX_STEPS;

    if (!wanted && c->decision->refuse)
        return gr_test_fail(c->arena, c->result, c->result->c->at,
                            "expected that the container is created, found that it is refused: "
                            "%.*s",
                            GR_STR_FMT(refusal));
    if (wanted && !c->decision->refuse)
        return gr_test_fail(c->arena, c->result, expect->refusal_at,
                            "expected that the container is refused, found that it is created");
    if (expect->refusal == GR_REFUSAL_TEXT &&
        (expect->refusal_text.n > refusal.n ||
         !memmem(refusal.p, refusal.n, expect->refusal_text.p, expect->refusal_text.n)))
        return gr_test_fail(c->arena, c->result, expect->refusal_at,
                            "expected a refusal with \"%.*s\" in it, found: %.*s",
                            GR_STR_FMT(expect->refusal_text), GR_STR_FMT(refusal));
    if (expect->refusal == GR_REFUSAL_REGEX &&
        gr_regex_match(expect->refusal_regex, refusal, &steps) != GR_TRUE)
        return gr_test_fail(c->arena, c->result, expect->refusal_at,
                            "expected a refusal that the expression \"%.*s\" finds, found: %.*s",
                            GR_STR_FMT(expect->refusal_text), GR_STR_FMT(refusal));
    return 0;
}

/* Whether a set is one of those that are injected; a refused container gets none. */
static bool is_injected(const struct gr_decision *decision, size_t i)
{
    return !decision->refuse && decision->results[i].verdict == GR_VERDICT_INJECTED;
}

/* Why a set that is expected is not there, as far as explain knows. */
static int tell_why(const struct checking *c, struct gr_str name)
{
    const struct gr_hookset *set = gr_ruleset_find(c->explanation->ruleset, name);
    const struct gr_explained *explained = NULL;
    struct gr_explain_leaves leaves;
    int r;

    if (!set)
        return gr_test_fail(c->arena, c->result, c->expect->sets_at,
                            "%.*s: there is no set of this name in the rules", GR_STR_FMT(name));
    for (size_t i = 0; i < c->explanation->n; i++) {
        if (c->explanation->sets[i].set == set)
            explained = &c->explanation->sets[i];
    }
    if (!explained)
        return 0;
    if (explained->result)
        return gr_test_fail(c->arena, c->result, c->expect->sets_at, "%s: %s%s%.*s", set->name.p,
                            gr_explain_word(explained), explained->result->reason.n ? ": " : "",
                            GR_STR_FMT(explained->result->reason));
    if (explained->state == GR_EXPLAIN_OTHER_NODE) {
        struct gr_str nodes;

        r = gr_explain_nodes(c->explanation, set, c->arena, &nodes);
        return r ? r
                 : gr_test_fail(c->arena, c->result, c->expect->sets_at, "%s: %.*s", set->name.p,
                                GR_STR_FMT(nodes));
    }
    r = gr_explain_leaves(c->explanation, explained, c->arena, &leaves);
    if (r || leaves.n == 0)
        return r;
    return gr_test_fail(c->arena, c->result, c->expect->sets_at, "%s: %s: %.*s%s%.*s (%s:%u:%u)",
                        set->name.p, gr_explain_word(explained),
                        GR_STR_FMT(leaves.items[0].expected),
                        leaves.items[0].seen.n ? "; seen: " : "", GR_STR_FMT(leaves.items[0].seen),
                        set->file.p, leaves.items[0].cond->line, leaves.items[0].cond->column);
}

static bool has_set(const struct gr_decision *decision, struct gr_str name)
{
    for (size_t i = 0; i < decision->results_n; i++) {
        if (is_injected(decision, i) && gr_str_eq(decision->results[i].set->name, name))
            return true;
    }
    return false;
}

static int check_sets(const struct checking *c)
{
    const struct gr_decision *decision = c->decision;
    struct gr_strs expected = c->expect->sets;
    char wanted[LIST_BYTES] = "", found[LIST_BYTES] = "";
    bool same = true;
    size_t n = 0;
    int r;

    for (size_t i = 0; i < decision->results_n; i++) {
        if (!is_injected(decision, i))
            continue;
        same =
            same && n < expected.n && gr_str_eq(expected.items[n], decision->results[i].set->name);
        append(found, sizeof(found), n ? ", " : "", decision->results[i].set->name);
        n++;
    }
    if (same && n == expected.n)
        return 0;
    for (size_t i = 0; i < expected.n; i++)
        append(wanted, sizeof(wanted), i ? ", " : "", expected.items[i]);
    r = gr_test_fail(c->arena, c->result, c->expect->sets_at, "expected the sets [%s], found [%s]",
                     wanted, found);
    for (size_t i = 0; i < expected.n && r == 0; i++) {
        if (!has_set(decision, expected.items[i]))
            r = tell_why(c, expected.items[i]);
    }
    return r;
}

static bool has_text(struct gr_strs texts, struct gr_str text)
{
    for (size_t i = 0; i < texts.n; i++) {
        if (gr_str_eq(texts.items[i], text))
            return true;
    }
    return false;
}

static void list_texts(struct gr_strs texts, char *out, size_t bytes)
{
    out[0] = '\0';
    for (size_t i = 0; i < texts.n; i++)
        append(out, bytes, i ? ", " : "", texts.items[i]);
}

/* One hook that is at its place; its path is right. */
static int check_hook(const struct checking *c, const struct gr_expected_hook *expected,
                      const struct gr_oci_hook *hook)
{
    char wanted[LIST_BYTES], found[LIST_BYTES];
    bool same = expected->args.n == hook->args.n;
    int r = 0;

    for (size_t i = 0; i < expected->args.n && same; i++)
        same = gr_str_eq(expected->args.items[i], hook->args.items[i]);
    if (expected->has_args && !same) {
        list_texts(expected->args, wanted, sizeof(wanted));
        list_texts(hook->args, found, sizeof(found));
        r = gr_test_fail(c->arena, c->result, expected->at,
                         "%.*s: expected the args [%s], found [%s]", GR_STR_FMT(hook->path), wanted,
                         found);
    }
    for (size_t i = 0; i < expected->env.n && r == 0; i++) {
        if (!has_text(hook->env, expected->env.items[i]))
            r = gr_test_fail(c->arena, c->result, expected->at,
                             "%.*s: expected %.*s in its env, which is not there",
                             GR_STR_FMT(hook->path), GR_STR_FMT(expected->env.items[i]));
    }
    if (r == 0 && expected->has_timeout && expected->timeout_s != hook->timeout_s)
        r = gr_test_fail(c->arena, c->result, expected->at,
                         "%.*s: expected a timeout of %u seconds, found %lld",
                         GR_STR_FMT(hook->path), expected->timeout_s, (long long)hook->timeout_s);
    return r;
}

/* Hooks are grouped by stage. */
static int check_stage(const struct checking *c, enum gr_stage stage)
{
    const struct gr_expected_hooks *expected = &c->expect->hooks[stage];
    const struct gr_oci_hook *hooks = c->decision->hooks;
    char wanted[LIST_BYTES] = "", found[LIST_BYTES] = "";
    size_t all = c->decision->hooks_n, first = 0, n = 0;
    bool same = true;
    int r = 0;

    while (first < all && hooks[first].stage != stage)
        first++;
    for (; first + n < all && hooks[first + n].stage == stage; n++) {
        struct gr_str path = hooks[first + n].path;

        same = same && n < expected->n && gr_str_eq(expected->items[n].path, path);
        append(found, sizeof(found), n ? ", " : "", path);
    }
    if (!same || n != expected->n) {
        for (size_t i = 0; i < expected->n; i++)
            append(wanted, sizeof(wanted), i ? ", " : "", expected->items[i].path);
        return gr_test_fail(
            c->arena, c->result, expected->at.line ? expected->at : c->expect->hooks_at,
            "expected the hooks of %s [%s], found [%s]", gr_stage_name(stage), wanted, found);
    }
    for (size_t i = 0; i < n && r == 0; i++)
        r = check_hook(c, &expected->items[i], &hooks[first + i]);
    return r;
}

static bool is_meant(const struct gr_expected_adjust *expected, const struct gr_adjust_entry *entry)
{
    char room[4 * LIST_BYTES];

    return expected->kind == entry->kind &&
           (gr_str_eq(expected->text, gr_adjust_describe(entry, false, room, sizeof(room))) ||
            gr_str_eq(expected->text, gr_adjust_describe(entry, true, room, sizeof(room))));
}

/* Everything that is expected is there, and nothing else. */
static int check_adjust(const struct checking *c)
{
    const struct gr_expect *expect = c->expect;
    const struct gr_decision *decision = c->decision;
    char room[4 * LIST_BYTES];
    int r = 0;

    for (size_t i = 0; i < expect->adjust_n && r == 0; i++) {
        bool found = false;

        for (size_t k = 0; k < decision->adjust_n; k++)
            found = found || is_meant(&expect->adjust[i], decision->adjust[k].entry);
        if (!found)
            r = gr_test_fail(c->arena, c->result, expect->adjust[i].at,
                             "expected the adjustment %s %.*s, which is not there",
                             gr_adjust_kind_name(expect->adjust[i].kind),
                             GR_STR_FMT(expect->adjust[i].text));
    }
    for (size_t k = 0; k < decision->adjust_n && r == 0; k++) {
        const struct gr_adjust_entry *entry = decision->adjust[k].entry;
        bool meant = false;

        for (size_t i = 0; i < expect->adjust_n; i++)
            meant = meant || is_meant(&expect->adjust[i], entry);
        if (!meant)
            r = gr_test_fail(c->arena, c->result, expect->adjust_at,
                             "found the adjustment %s %.*s, which is not expected",
                             gr_adjust_kind_name(entry->kind),
                             GR_STR_FMT(gr_adjust_describe(entry, true, room, sizeof(room))));
    }
    return r;
}

int gr_test_check(struct gr_arena *arena, struct gr_explanation *explanation,
                  const struct gr_expect *expect, struct gr_test_result *result)
{
    struct checking c = {.arena = arena,
                         .explanation = explanation,
                         .decision = &explanation->decision,
                         .expect = expect,
                         .result = result};
    int r = check_refusal(&c);

    if (r == 0 && expect->has_exempt && expect->exempt != c.decision->exempt)
        r = gr_test_fail(arena, result, expect->exempt_at,
                         "expected that the namespace is %sexempt, found that it is %s",
                         expect->exempt ? "" : "not ", c.decision->exempt ? "exempt" : "not");
    if (r == 0 && expect->has_sets)
        r = check_sets(&c);
    for (size_t stage = 0; stage < GR_STAGE_COUNT && expect->has_hooks && r == 0; stage++)
        r = check_stage(&c, (enum gr_stage)stage);
    if (r == 0 && expect->has_adjust)
        r = check_adjust(&c);
    return r;
}
