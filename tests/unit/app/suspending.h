/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of app/daemon/suspend share: an instance with sets, a policy and a directory. */
#ifndef GR_TESTS_APP_SUSPENDING_H
#define GR_TESTS_APP_SUSPENDING_H

#include "rules/making.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/suspend/suspend.h"
#include "state/rundir.h"

#define HASH UINT64_C(0x0123456789abcdef)

static int64_t now_s;

static inline int64_t clock_of_test(void)
{
    return now_s;
}

struct rig {
    struct event_base *base;
    struct gr_log log;
    char dir[64];
    struct gr_settings settings;
    struct gr_inforce_status rules;
    struct gr_suspend *suspend;
    struct gr_err err;
};

/* Sets "tap", with a breaker of 2 in 60 s, "sec-net", which the policy protects, "need", which is
 * required, and "plain"; the latter have breakers, too. */
static inline struct gr_ruleset *make_rules(bool with_policy)
{
    static const char *const names[] = {"tap", "sec-net", "need", "plain"};
    static struct gr_test test;
    struct gr_policies policies = {0};
    struct gr_ruleset *ruleset;
    struct gr_policy *policy;
    struct gr_hookset *sets;
    struct gr_arena arena;
    struct gr_err err = {0};

    gr_arena_init(&arena, 4096, 0);
    sets = make_room(&arena, 4, sizeof(*sets));
    for (size_t i = 0; i < 4; i++) {
        sets[i] = make_hookset(&arena, names[i], make_always(true));
        sets[i].document = (uint32_t)i;
        sets[i].breaker = (struct gr_breaker_spec){.failures = 2, .window_s = 60};
        make_hook(&arena, &sets[i], GR_STAGE_POSTSTOP, "/opt/h", NULL, NULL);
    }
    test = make_prefix("sec-");
    test.line = 7;
    policy = make_room(&arena, 1, sizeof(*policy));
    *policy = (struct gr_policy){.file = GR_STR("/etc/grapnel/policy.yaml"),
                                 .stages = GR_STAGES_ALL,
                                 .protected_sets = {.items = &test, .n = 1}};
    policies.items = policy;
    policies.n = with_policy;
    if (gr_ruleset_new(&arena, sets, 4, &policies, &ruleset, &err) != 0)
        fail_msg("rule set: %s", err.text);
    return ruleset;
}

/* Another instance beside the first. */
static inline struct gr_suspend *open_instance(const struct rig *rig)
{
    struct gr_suspend *suspend;

    assert_int_equal(gr_suspend_new(rig->base, &rig->log, clock_of_test, &suspend), 0);
    gr_suspend_follow(suspend, &rig->rules);
    return suspend;
}

static inline void init(struct rig *rig)
{
    static const struct gr_str required[] = {TEXT("need"), TEXT("absent")};

    *rig = (struct rig){.log = {.level = GR_LEVEL_ERROR}};
    now_s = 1000000;
    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/grapnel-suspend-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    rig->base = event_base_new();
    assert_non_null(rig->base);
    rig->settings.config.run_dir = rig->dir;
    rig->settings.config.required_sets = (struct gr_strs){required, 2};
    rig->rules.settings = &rig->settings;
    rig->rules.ruleset = make_rules(true);
    rig->suspend = open_instance(rig);
}

static inline void put_rules(struct rig *rig, struct gr_ruleset *rules)
{
    union {
        const struct gr_ruleset *in;
        struct gr_ruleset *out;
    } old = {.in = rig->rules.ruleset};

    gr_ruleset_unref(old.out);
    rig->rules.ruleset = rules;
}

static inline void fini(struct rig *rig)
{
    int dir = open(rig->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    gr_suspend_free(rig->suspend);
    put_rules(rig, NULL);
    event_base_free(rig->base);
    if (dir < 0)
        return;
    (void)unlinkat(dir, "pauses", 0);
    (void)unlinkat(dir, "pauses.lock", 0);
    (void)close(dir);
    assert_int_equal(rmdir(rig->dir), 0);
}

static inline int pause_for(struct rig *rig, const char *set, uint32_t for_s)
{
    const struct gr_pause pause = {
        .set = gr_str_from(set), .for_s = for_s, .reason = GR_STR("why"), .by = GR_STR("uid 0")};

    return gr_suspend_pause(rig->suspend, &rig->rules, &pause, &rig->err);
}

static inline int resume(struct rig *rig, const char *set, size_t *n)
{
    return gr_suspend_resume(rig->suspend, &rig->rules, gr_str_from(set), GR_STR("uid 7"), n,
                             &rig->err);
}

/* What suspends a set now, in the eyes of an instance. */
static inline const struct gr_suspension *find(struct gr_suspend *suspend, const char *set)
{
    struct gr_decide_options options = {0};

    gr_suspend_fill(suspend, &options);
    assert_int_equal(options.now_s, now_s);
    return gr_suspension_find(options.suspended, options.suspended_n, gr_str_from(set),
                              options.now_s);
}

static inline struct gr_view look(struct rig *rig)
{
    struct gr_view view = {.rules = rig->rules};

    gr_suspend_view(rig->suspend, &view);
    return view;
}

static inline void fail_run(struct rig *rig, const char *set, uint64_t hash, uint64_t now_ms)
{
    const struct gr_report report = {.set = gr_str_from(set),
                                     .hash = hash,
                                     .id = GR_STR("c"),
                                     .result = GR_REPORT_EXIT,
                                     .code = 1};

    gr_suspend_report(rig->suspend, &rig->rules, &report, now_ms);
}

#endif
