/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/tell/lint.h"

#include <errno.h>

#include "rules/adjust.h"
#include "rules/tell/engine.h"
#include "rules/tell/handlers.h"
#include "rules/tell/lint_parts.h"

/* Work that looking for contradictions may take for one set, in steps of matching. */
#define NEVER_STEPS (1U << 20)

/* Findings about two sets that adjust one key: as many as for one file. */
#define SAME_KEY_MAX 100

void gr_lint_say(const struct lint *lint, enum gr_level level, uint32_t line, uint32_t column,
                 struct gr_err *err)
{
    gr_err_at(err, lint->set->file.p, line, column);
    gr_report(lint->reporter, level, err);
}

/* ---- the match ---- */

static const struct gr_cond *find_field(const struct gr_cond *cond, enum gr_field field)
{
    if (cond->kind == GR_COND_LEAF)
        return cond->field == field ? cond : NULL;
    for (size_t i = 0; i < cond->children_n; i++) {
        const struct gr_cond *leaf = find_field(&cond->children[i], field);

        if (leaf)
            return leaf;
    }
    return NULL;
}

/* Whether a tree holds for whatever is not named in it. */
static bool only_excepts(const struct gr_cond *cond)
{
    bool excepts = cond->kind == GR_COND_NOT;

    if (cond->kind == GR_COND_LEAF && cond->tests.n > 0) {
        excepts = true;
        for (size_t i = 0; i < cond->tests.n; i++)
            excepts = excepts && gr_lint_is_negative(&cond->tests.items[i]);
    }
    if (cond->kind == GR_COND_ALL && cond->children_n > 0) {
        excepts = true;
        for (size_t i = 0; i < cond->children_n; i++)
            excepts = excepts && only_excepts(&cond->children[i]);
    }
    return excepts;
}

static void lint_breadth(const struct lint *lint)
{
    const struct gr_cond *match = lint->set->match;
    uint64_t steps = NEVER_STEPS;
    struct gr_err err = {0};

    if (gr_lint_never_true(match, &steps)) {
        gr_fail(&err, 0, "lint-never-matches",
                "this set can never match: its conditions exclude each other; mend them, or write "
                "nodes: {percent: 0} to keep it out of force on purpose");
        gr_lint_say(lint, GR_LEVEL_WARNING, match->line, match->column, &err);
    } else if (gr_lint_matches_all(match, &steps)) {
        gr_fail(&err, 0, "lint-matches-all",
                "this matches every container without saying so; write match: {always: true} if "
                "that is meant, else name what is meant");
        gr_lint_say(lint, GR_LEVEL_WARNING, match->line, match->column, &err);
    } else if (only_excepts(match)) {
        gr_fail(&err, 0, "lint-only-exceptions",
                "this matches every container but the exceptions named, also those of the system; "
                "name what is meant where you can");
        gr_lint_say(lint, GR_LEVEL_INFO, match->line, match->column, &err);
    }
}

/* A text that no element of the environment can be, since each is NAME=value. */
static const struct gr_test *find_bare(struct gr_tests tests)
{
    const struct gr_test *bare = NULL;

    for (size_t i = 0; i < tests.n; i++) {
        const struct gr_test *test = &tests.items[i];
        const struct gr_tests items = {.items = test->items, .n = test->items_n};

        bare = test->kind == GR_TEST_EXACT && gr_str_find(test->text, '=') == test->text.n ? test
                                                                                           : NULL;
        if (test->kind == GR_TEST_IN || test->kind == GR_TEST_NOT_IN)
            bare = find_bare(items);
        if (!bare)
            return NULL;
    }
    return bare;
}

static void lint_env(const struct lint *lint, const struct gr_cond *cond)
{
    const struct gr_test *bare = cond->field == GR_FIELD_ENV ? find_bare(cond->tests) : NULL;
    struct gr_err err = {0};

    for (size_t i = 0; i < cond->children_n; i++)
        lint_env(lint, &cond->children[i]);
    if (cond->kind != GR_COND_LEAF || !bare)
        return;
    gr_fail(&err, 0, "lint-never-matches",
            "env is compared with whole elements, NAME=value, so that none is ever \"%.*s\"; write "
            "{prefix: \"%.*s=\"} to ask for the variable",
            GR_STR_FMT(bare->text), GR_STR_FMT(bare->text));
    gr_lint_say(lint, GR_LEVEL_WARNING, cond->line, cond->column, &err);
}

static void lint_closed(const struct lint *lint)
{
    const struct gr_hookset *set = lint->set;
    const struct gr_cond *image = find_field(set->match, GR_FIELD_IMAGE);
    struct gr_err err = {0};

    if (set->failure_policy_given && set->failure_policy == GR_FAIL &&
        gr_lint_all_authors(set->match)) {
        gr_fail(&err, 0, "lint-dodgeable-fail",
                "this set fails closed, and only conditions that the pod or the image chooses "
                "decide whether it matches: leaving them out, or another name, avoids it; add a "
                "condition such as namespace, or make sure that nothing relies on it");
        gr_lint_say(lint, GR_LEVEL_WARNING, set->match->line, set->match->column, &err);
    }
    if (!image || set->on_unknown != GR_UNKNOWN_SKIP)
        return;
    gr_fail(&err, 0, "lint-image-skip",
            "an image that is named by its id alone is unknown, and onUnknown: Skip then leaves "
            "this set out; write onUnknown: Fail where that must not happen");
    gr_lint_say(lint,
                set->failure_policy_given && set->failure_policy == GR_FAIL ? GR_LEVEL_WARNING
                                                                            : GR_LEVEL_INFO,
                image->line, image->column, &err);
}

/* ---- the hooks ---- */

/* A stage that the container's creation or start waits for. */
static bool is_create_stage(enum gr_stage stage)
{
    return stage <= GR_STAGE_START_CONTAINER;
}

static void lint_timeout(const struct lint *lint, enum gr_stage stage, const struct gr_hook *hook)
{
    struct gr_err err = {0};

    if (!is_create_stage(stage) || (hook->timeout_given && hook->timeout_s <= GR_LINT_TIMEOUT_S))
        return;
    if (hook->timeout_given)
        gr_fail(&err, 0, "lint-long-timeout",
                "creating the container may wait %u seconds for this hook; %d or less are kinder, "
                "and kubelet gives up after 120 for all of them together",
                hook->timeout_s, GR_LINT_TIMEOUT_S);
    else
        gr_fail(&err, 0, "lint-no-timeout",
                "no timeout is given, so it is %u seconds, and creating the container may wait so "
                "long; write what the hook needs, such as timeout: %d",
                hook->timeout_s, GR_LINT_TIMEOUT_S);
    gr_lint_say(lint, GR_LEVEL_INFO, hook->line, hook->column, &err);
}

/* What a script calls is seen on the host only (load/program). */
static void lint_engine(const struct lint *lint, const struct gr_hook *hook)
{
    const char *called = gr_engine_of_hook(hook);
    struct gr_err err = {0};

    if (!called)
        return;
    gr_fail(&err, 0, "program-calls-engine",
            "this hook seems to call %s; the engine waits for it while it creates the container, "
            "so asking it may wait for ever, or tell of a container that is not whole yet; take "
            "what is needed from the state on stdin and from the hook's environment",
            called);
    gr_lint_say(lint, GR_LEVEL_WARNING, hook->line, hook->column, &err);
}

/* File systems that begin without a program of anybody's: empty, or all the kernel's. */
static bool holds_no_program(struct gr_str type)
{
    static const char *const types[] = {"tmpfs",  "ramfs",  "proc",    "sysfs",
                                        "devpts", "mqueue", "cgroup2", "cgroup"};

    for (size_t i = 0; i < GR_ARRAY_LEN(types); i++) {
        if (gr_str_is(type, types[i]))
            return true;
    }
    return false;
}

/* Whether a mount of the set's own brings the program: the innermost one that lies over it. */
static bool is_mounted(const struct gr_hookset *set, struct gr_str path)
{
    const struct gr_adjust_entry *over = NULL;

    for (size_t i = 0; i < set->adjust_n; i++) {
        const struct gr_adjust_entry *entry = &set->adjust[i];
        struct gr_str at = entry->key;

        if (entry->kind != GR_ADJUST_MOUNT || !gr_str_has_prefix(path, at) ||
            (path.n != at.n && path.p[at.n] != '/'))
            continue;
        if (!over || at.n > over->key.n)
            over = entry;
    }
    return over && !holds_no_program(over->mount.type);
}

static void lint_start_path(const struct lint *lint, const struct gr_hook *hook)
{
    struct gr_err err = {0};

    if (is_mounted(lint->set, hook->path))
        return;
    gr_fail(&err, 0, "lint-image-program",
            "startContainer looks this program up inside the container, so the image decides what "
            "runs; mount it from the host with adjust.mounts, or use createContainer");
    gr_lint_say(lint, GR_LEVEL_WARNING, hook->line, hook->column, &err);
}

/* By one of the names that a test admits, or by how they begin. */
static const char *handler_ignores(const struct gr_test *test, enum gr_stage stage)
{
    const char *why = gr_handler_ignores(gr_lint_beginning(test), stage);

    for (size_t i = 0; i < test->items_n && test->kind == GR_TEST_IN && !why; i++)
        why = gr_handler_ignores(test->items[i].text, stage);
    if (test->kind == GR_TEST_REGEX && !why) {
        const struct gr_regex_literals *known = gr_regex_literals(test->regex);

        for (size_t i = 0; i < known->exacts_n && !why; i++)
            why = gr_handler_ignores(known->exacts[i], stage);
    }
    return why;
}

static const char *handlers_ignore(const struct gr_cond *leaf, enum gr_stage stage)
{
    const char *why = NULL;

    for (size_t i = 0; i < leaf->tests.n && !why; i++)
        why = handler_ignores(&leaf->tests.items[i], stage);
    return why;
}

/* Positive leaves on the handler: not below a not. */
static const char *match_ignores(const struct gr_cond *cond, enum gr_stage stage)
{
    const char *why = NULL;

    if (cond->kind == GR_COND_LEAF && cond->field == GR_FIELD_RUNTIME_HANDLER)
        return handlers_ignore(cond, stage);
    for (size_t i = 0; i < cond->children_n && cond->kind != GR_COND_NOT && !why; i++)
        why = match_ignores(&cond->children[i], stage);
    return why;
}

static void lint_stage(const struct lint *lint, enum gr_stage stage)
{
    const struct gr_hook_list *hooks = &lint->set->hooks[stage];
    const char *why = match_ignores(lint->set->match, stage);
    struct gr_err err = {0};

    for (size_t i = 0; i < hooks->n; i++) {
        lint_timeout(lint, stage, &hooks->items[i]);
        if (stage == GR_STAGE_START_CONTAINER)
            lint_start_path(lint, &hooks->items[i]);
        else
            lint_engine(lint, &hooks->items[i]);
    }
    if (why) {
        gr_fail(&err, 0, "lint-stage-not-run",
                "this set asks for a runtime handler that will not run its %s hooks: %s; use "
                "createRuntime, or leave the stage out",
                gr_stage_name(stage), why);
        gr_lint_say(lint, GR_LEVEL_WARNING, hooks->items[0].line, hooks->items[0].column, &err);
    }
    if (hooks->n > 1) {
        gr_fail(&err, 0, "lint-several-hooks",
                "%zu hooks in %s: their time adds up, and the first that fails ends the stage; one "
                "program that does it all is easier to follow",
                hooks->n, gr_stage_name(stage));
        gr_lint_say(lint, GR_LEVEL_INFO, hooks->items[1].line, hooks->items[1].column, &err);
    }
    if (stage == GR_STAGE_PRESTART) {
        gr_fail(&err, 0, "lint-prestart",
                "prestart is deprecated by the OCI specification; createRuntime runs at the same "
                "point");
        gr_lint_say(lint, GR_LEVEL_INFO, hooks->items[0].line, hooks->items[0].column, &err);
    }
}

/* ---- sets against each other ---- */

struct adjusting {
    const struct gr_adjust_entry *entry;
    const struct gr_hookset *set;
    size_t position; /* of the set, in the total order */
};

static int by_key(const void *a, const void *b)
{
    const struct adjusting *x = a;
    const struct adjusting *y = b;
    int order = (x->entry->kind > y->entry->kind) - (x->entry->kind < y->entry->kind);

    if (order == 0)
        order =
            (x->entry->resource > y->entry->resource) - (x->entry->resource < y->entry->resource);
    if (order == 0)
        order = gr_str_cmp(x->entry->key, y->entry->key);
    return order ? order : (x->position > y->position) - (x->position < y->position);
}

static void report_same_key(const struct gr_reporter *reporter, const struct adjusting *first,
                            const struct adjusting *second)
{
    const struct lint lint = {.reporter = reporter, .set = second->set};
    struct gr_err err = {0};

    gr_fail(&err, 0, "lint-same-adjust",
            "%s \"%.*s\" is set to another value by the set \"%.*s\" at %.*s:%u; where both match, "
            "this one wins, since it comes later in the order",
            gr_adjust_kind_name(second->entry->kind),
            GR_STR_FMT(second->entry->kind == GR_ADJUST_RESOURCE
                           ? gr_str_from(gr_resource_name(second->entry->resource))
                           : second->entry->key),
            GR_STR_FMT(first->set->name), GR_STR_FMT(first->set->file), first->entry->line);
    gr_lint_say(&lint, GR_LEVEL_WARNING, second->entry->line, second->entry->column, &err);
}

static int lint_adjusts(const struct gr_ruleset *ruleset, const struct gr_reporter *reporter)
{
    struct adjusting *all;
    size_t found = 0;
    size_t room = 0;
    size_t n = 0;

    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++)
        room += gr_ruleset_at(ruleset, i)->adjust_n;
    if (room == 0)
        return 0;
    all = calloc(room, sizeof(*all));
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);

        for (size_t k = 0; k < set->adjust_n && !set->other_node; k++)
            all[n++] = (struct adjusting){.entry = &set->adjust[k], .set = set, .position = i};
    }
    qsort(all, n, sizeof(*all), by_key);
    for (size_t i = 1; i < n && found < SAME_KEY_MAX; i++) {
        if (!gr_adjust_same_key(all[i - 1].entry, all[i].entry) ||
            gr_adjust_same_value(all[i - 1].entry, all[i].entry))
            continue;
        report_same_key(reporter, &all[i - 1], &all[i]);
        found++;
    }
    free(all);
    return 0;
}

/* ---- requests ---- */

static void lint_requested(const struct lint *lint)
{
    const struct gr_cond *leaf = find_field(lint->set->match, GR_FIELD_REQUESTED);
    struct gr_err err = {0};

    if (!leaf || lint->set->requestable)
        return;
    gr_fail(&err, 0, "lint-not-requestable",
            "no pod can ask for this set, so that requested is never true; write requestable: true "
            "beside match");
    gr_lint_say(lint, GR_LEVEL_WARNING, leaf->line, leaf->column, &err);
}

/* ---- the breaker ---- */

static void lint_breaker(const struct lint *lint)
{
    const struct gr_breaker_spec *breaker = &lint->set->breaker;
    struct gr_err err = {0};

    if (breaker->failures == 0)
        return;
    gr_fail(&err, 0, "breaker-needs-runner",
            "failed runs are reported by a hook runner, which this version of Grapnel does not "
            "have: this breaker trips only where another program sends reports");
    gr_lint_say(lint, GR_LEVEL_WARNING, breaker->line, breaker->column, &err);
}

static void lint_set(const struct lint *lint)
{
    lint_requested(lint);
    gr_lint_policies(lint);
    lint_breadth(lint);
    lint_env(lint, lint->set->match);
    gr_lint_dodge(lint);
    lint_closed(lint);
    lint_breaker(lint);
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (lint->set->hooks[stage].n > 0)
            lint_stage(lint, (enum gr_stage)stage);
    }
}

int gr_lint(const struct gr_ruleset *ruleset, const struct gr_reporter *reporter)
{
    struct lint lint = {.reporter = reporter, .policies = gr_ruleset_policies(ruleset)};

    for (size_t i = 0; i < gr_ruleset_count(ruleset); i++) {
        lint.set = gr_ruleset_at(ruleset, i);
        lint_set(&lint);
    }
    return lint_adjusts(ruleset, reporter);
}
