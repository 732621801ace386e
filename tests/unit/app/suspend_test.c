/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/suspend/suspend: pauses, the breaker, and two instances with one file. */
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

static int64_t clock_of_test(void)
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
static struct gr_ruleset *make_rules(bool with_policy)
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
static struct gr_suspend *open_instance(const struct rig *rig)
{
    struct gr_suspend *suspend;

    assert_int_equal(gr_suspend_new(rig->base, &rig->log, clock_of_test, &suspend), 0);
    gr_suspend_follow(suspend, &rig->rules);
    return suspend;
}

static void init(struct rig *rig)
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

static void put_rules(struct rig *rig, struct gr_ruleset *rules)
{
    union {
        const struct gr_ruleset *in;
        struct gr_ruleset *out;
    } old = {.in = rig->rules.ruleset};

    gr_ruleset_unref(old.out);
    rig->rules.ruleset = rules;
}

static void fini(struct rig *rig)
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

static int pause_for(struct rig *rig, const char *set, uint32_t for_s)
{
    const struct gr_pause pause = {
        .set = gr_str_from(set), .for_s = for_s, .reason = GR_STR("why"), .by = GR_STR("uid 0")};

    return gr_suspend_pause(rig->suspend, &rig->rules, &pause, &rig->err);
}

static int resume(struct rig *rig, const char *set, size_t *n)
{
    return gr_suspend_resume(rig->suspend, &rig->rules, gr_str_from(set), GR_STR("uid 7"), n,
                             &rig->err);
}

/* What suspends a set now, in the eyes of an instance. */
static const struct gr_suspension *find(struct gr_suspend *suspend, const char *set)
{
    struct gr_decide_options options = {0};

    gr_suspend_fill(suspend, &options);
    assert_int_equal(options.now_s, now_s);
    return gr_suspension_find(options.suspended, options.suspended_n, gr_str_from(set),
                              options.now_s);
}

static struct gr_view look(struct rig *rig)
{
    struct gr_view view = {.rules = rig->rules};

    gr_suspend_view(rig->suspend, &view);
    return view;
}

static void fail_run(struct rig *rig, const char *set, uint64_t hash, uint64_t now_ms)
{
    const struct gr_report report = {.set = gr_str_from(set),
                                     .hash = hash,
                                     .id = GR_STR("c"),
                                     .result = GR_REPORT_EXIT,
                                     .code = 1};

    gr_suspend_report(rig->suspend, &rig->rules, &report, now_ms);
}

/* ---- pauses ---- */

static void pause_and_resume(void **state)
{
    const struct gr_suspension *found;
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    assert_null(find(rig.suspend, "tap"));
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    found = find(rig.suspend, "tap");
    assert_non_null(found);
    assert_str(found->by, "uid 0");
    assert_str(found->reason, "why");
    assert_int_equal(found->since_s, now_s);
    assert_int_equal(found->until_s, 0);
    assert_null(find(rig.suspend, "plain"));
    now_s += 100;
    assert_int_equal(pause_for(&rig, "tap", 60), 0); /* in its place */
    assert_int_equal(find(rig.suspend, "tap")->until_s, now_s + 60);
    assert_int_equal(look(&rig).suspended_n, 1);
    assert_int_equal(look(&rig).paused, 1);
    assert_null(look(&rig).suspended_problem);
    assert_int_equal(resume(&rig, "tap", &n), 0);
    assert_int_equal(n, 1);
    assert_null(find(rig.suspend, "tap"));
    assert_int_equal(resume(&rig, "tap", &n), 0); /* as often as you like */
    assert_int_equal(n, 0);
    fini(&rig);
}

static void pause_all(void **state)
{
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    assert_int_equal(pause_for(&rig, "", 0), 0);
    assert_non_null(find(rig.suspend, "tap"));
    assert_non_null(find(rig.suspend, "whatever"));
    assert_int_equal(look(&rig).paused, 3); /* less the protected one */
    assert_int_equal(resume(&rig, "tap", &n), -EINVAL);
    assert_string_equal(rig.err.code, "paused-with-all");
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_int_equal(resume(&rig, "tap", &n), 0);
    assert_int_equal(n, 1);
    assert_non_null(find(rig.suspend, "tap"));
    assert_int_equal(pause_for(&rig, "plain", 0), 0);
    assert_int_equal(resume(&rig, "", &n), 0);
    assert_int_equal(n, 2);
    assert_null(find(rig.suspend, "tap"));
    assert_null(find(rig.suspend, "plain"));
    fini(&rig);
}

static void ends_by_itself(void **state)
{
    struct gr_suspend *later;
    struct rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(pause_for(&rig, "tap", 60), 0);
    assert_int_equal(pause_for(&rig, "plain", 0), 0);
    now_s += 59;
    gr_suspend_tick(rig.suspend);
    assert_non_null(find(rig.suspend, "tap"));
    now_s += 1;
    assert_null(find(rig.suspend, "tap")); /* before any timer */
    gr_suspend_tick(rig.suspend);
    assert_int_equal(look(&rig).suspended_n, 1);
    later = open_instance(&rig);
    assert_null(find(later, "tap"));
    assert_non_null(find(later, "plain"));
    gr_suspend_free(later);
    fini(&rig);
}

struct refused_row {
    const char *name;
    const char *set;
    uint32_t for_s;
    const char *reason;
    int result;
    const char *code;
    const char *text; /* a part of it */
};

#define X16 "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16

static const struct refused_row refused_rows[] = {
    {"a slip", "tapp", 0, "", -ENOENT, "unknown-set", "did you mean \"tap\"?"},
    {"nothing like it", "elsewhere", 0, "", -ENOENT, "unknown-set", "no HookSet \"elsewhere\""},
    {"protected", "sec-net", 0, "", -EPERM, "protected-set", "/etc/grapnel/policy.yaml:7 protects"},
    {"too long", "tap", GR_PAUSE_MAX_S + 1, "", -EINVAL, "bad-seconds", "604800"},
    {"a reason of 257 bytes", "tap", 0, X256 "x", -EINVAL, "too-long", "256"},
    {"a reason of two lines", "tap", 0, "a\nb", -EINVAL, "control-character", "one line"},
    {"a reason that is no text", "tap", 0, "\xff", -EINVAL, "control-character", "UTF-8"},
    {"a reason that turns the line", "tap", 0, "\xe2\x80\xae", -EINVAL, "control-character", ""},
};

static void refused(void **state)
{
    const struct refused_row *row = *state;
    struct gr_pause pause = {.set = gr_str_from(row->set),
                             .for_s = row->for_s,
                             .reason = gr_str_from(row->reason),
                             .by = GR_STR("uid 0")};
    struct rig rig;

    init(&rig);
    assert_int_equal(gr_suspend_pause(rig.suspend, &rig.rules, &pause, &rig.err), row->result);
    assert_string_equal(rig.err.code, row->code);
    if (!strstr(rig.err.text, row->text))
        fail_msg("\"%s\" in \"%s\"", row->text, rig.err.text);
    assert_int_equal(look(&rig).suspended_n, 0);
    fini(&rig);
}

static void at_the_limits(void **state)
{
    struct rig rig;
    struct gr_pause pause = {.set = GR_STR("tap"),
                             .for_s = GR_PAUSE_MAX_S,
                             .reason = GR_STR(X256),
                             .by = GR_STR("uid 0")};

    (void)state;
    init(&rig);
    assert_int_equal(gr_suspend_pause(rig.suspend, &rig.rules, &pause, &rig.err), 0);
    assert_int_equal(find(rig.suspend, "tap")->until_s, now_s + 7 * 86400);
    /* A required set that is not there is what a pause is for. */
    assert_int_equal(pause_for(&rig, "absent", 0), 0);
    assert_non_null(find(rig.suspend, "absent"));
    fini(&rig);
}

static void before_the_rules(void **state)
{
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    put_rules(&rig, NULL);
    assert_int_equal(pause_for(&rig, "tap", 0), -EAGAIN);
    assert_string_equal(rig.err.code, "rules-not-loaded");
    assert_int_equal(pause_for(&rig, "", 0), 0);
    assert_int_equal(look(&rig).suspended_n, 1);
    assert_int_equal(resume(&rig, "", &n), 0);
    fini(&rig);
}

static void too_many(void **state)
{
    struct gr_suspension list[GR_PAUSES_MAX];
    static char names[GR_PAUSES_MAX][16];
    struct gr_err err = {0};
    struct rig rig;
    int dir;

    (void)state;
    init(&rig);
    for (int i = 0; i < GR_PAUSES_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "s-%04d", i);
        list[i] = (struct gr_suspension){.set = gr_str_from(names[i]), .by = GR_STR("x")};
    }
    dir = gr_rundir_open(rig.dir, &err);
    assert_int_equal(gr_pauses_write(dir, list, GR_PAUSES_MAX - 1, &err), 0);
    (void)close(dir);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_int_equal(pause_for(&rig, "tap", 0), 0); /* in its place */
    assert_int_equal(pause_for(&rig, "plain", 0), -ENOSPC);
    assert_string_equal(rig.err.code, "too-many-pauses");
    assert_int_equal(look(&rig).suspended_n, GR_PAUSES_MAX);
    assert_null(find(rig.suspend, "plain"));
    fini(&rig);
}

/* ---- the file ---- */

static void two_instances(void **state)
{
    struct gr_suspend *other;
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    other = open_instance(&rig);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_non_null(find(other, "tap"));
    /* The other one adds to what the first has written. */
    gr_suspend_free(rig.suspend);
    rig.suspend = other;
    other = open_instance(&rig);
    assert_int_equal(pause_for(&rig, "plain", 0), 0);
    assert_non_null(find(other, "tap"));
    assert_non_null(find(other, "plain"));
    assert_int_equal(resume(&rig, "tap", &n), 0);
    assert_null(find(other, "tap"));
    assert_non_null(find(other, "plain"));
    gr_suspend_free(other);
    fini(&rig);
}

static void another_holds_the_lock(void **state)
{
    struct gr_err err = {0};
    struct rig rig;
    size_t n;
    int dir, lock;

    (void)state;
    init(&rig);
    dir = gr_rundir_open(rig.dir, &err);
    assert_int_equal(pause_for(&rig, "plain", 0), 0);
    lock = gr_pauses_lock(dir);
    assert_true(lock >= 0);
    assert_int_equal(pause_for(&rig, "tap", 0), -EAGAIN);
    assert_string_equal(rig.err.code, "pauses-busy");
    assert_int_equal(resume(&rig, "plain", &n), -EAGAIN);
    fail_run(&rig, "tap", HASH, 0);
    fail_run(&rig, "tap", HASH, 1);
    assert_null(find(rig.suspend, "tap"));
    gr_pauses_unlock(lock);
    fail_run(&rig, "tap", HASH, 2); /* with the next failure */
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_TRIPPED);
    assert_non_null(find(rig.suspend, "plain"));
    (void)close(dir);
    fini(&rig);
}

static void damaged(void **state)
{
    struct gr_err err = {0};
    struct rig rig;
    int dir;

    (void)state;
    init(&rig);
    dir = gr_rundir_open(rig.dir, &err);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_int_equal(gr_rundir_write(dir, "pauses", GR_STR("{\"v\":1,\"suspended\":[{]}")), 0);
    assert_null(find(rig.suspend, "tap"));
    assert_non_null(strstr(look(&rig).suspended_problem, "is damaged"));
    assert_int_equal(pause_for(&rig, "plain", 0), 0); /* writes a good one */
    assert_null(look(&rig).suspended_problem);
    assert_non_null(find(rig.suspend, "plain"));
    assert_int_equal(unlinkat(dir, "pauses", 0), 0);
    assert_null(find(rig.suspend, "plain"));
    assert_null(look(&rig).suspended_problem);
    (void)close(dir);
    fini(&rig);
}

/* A directory that comes late gets what was paused before. */
static void without_a_directory(void **state)
{
    char path[96];
    struct gr_suspend *later;
    struct rig rig;

    (void)state;
    init(&rig);
    (void)snprintf(path, sizeof(path), "%s/none/run", rig.dir);
    rig.settings.config.run_dir = path;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_non_null(look(&rig).suspended_problem);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_non_null(find(rig.suspend, "tap"));
    rig.settings.config.run_dir = rig.dir;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_null(look(&rig).suspended_problem);
    later = open_instance(&rig);
    assert_non_null(find(later, "tap"));
    gr_suspend_free(later);
    rig.settings.config.run_dir = "";
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_null(look(&rig).suspended_problem);
    assert_non_null(find(rig.suspend, "tap"));
    fini(&rig);
}

/* One that was made before the directory came is added to what the file of the directory says. */
static void joins_a_file(void **state)
{
    char path[96];
    const struct gr_pause plain = {.set = GR_STR("plain"), .by = GR_STR("uid 0")};
    struct gr_suspend *first;
    struct rig rig;

    (void)state;
    init(&rig);
    (void)snprintf(path, sizeof(path), "%s/none/run", rig.dir);
    first = open_instance(&rig);
    rig.settings.config.run_dir = path;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_int_equal(gr_suspend_pause(first, &rig.rules, &plain, &rig.err), 0);
    rig.settings.config.run_dir = rig.dir;
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_non_null(find(rig.suspend, "plain"));
    assert_non_null(find(rig.suspend, "tap"));
    assert_non_null(find(first, "plain"));
    assert_non_null(find(first, "tap"));
    gr_suspend_free(first);
    fini(&rig);
}

static void remove_dir(const struct rig *rig)
{
    int dir = open(rig->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    assert_int_equal(unlinkat(dir, "pauses", 0), 0);
    assert_int_equal(unlinkat(dir, "pauses.lock", 0), 0);
    assert_int_equal(close(dir), 0);
    assert_int_equal(rmdir(rig->dir), 0);
}

/* What cannot be written counts all the same, and it is said; a directory that was removed is made
 * again. */
static void not_kept(void **state)
{
    struct gr_suspend *later;
    struct rig rig;

    (void)state;
    init(&rig);
    remove_dir(&rig);
    assert_int_equal(pause_for(&rig, "tap", 0), 0);
    assert_non_null(find(rig.suspend, "tap"));
    assert_non_null(strstr(look(&rig).suspended_problem, "cannot be written"));
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_null(look(&rig).suspended_problem);
    later = open_instance(&rig);
    assert_non_null(find(later, "tap"));
    gr_suspend_free(later);
    fini(&rig);
}

/* ---- the breaker ---- */

static void trips(void **state)
{
    struct gr_suspend *later;
    struct rig rig;
    size_t n;

    (void)state;
    init(&rig);
    fail_run(&rig, "tap", HASH, 0);
    fail_run(&rig, "tap", HASH + 1, 1); /* of an older text */
    fail_run(&rig, "unknown", HASH, 2);
    assert_null(find(rig.suspend, "tap"));
    fail_run(&rig, "tap", HASH, 60000);
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_TRIPPED);
    assert_str(find(rig.suspend, "tap")->by, "breaker");
    assert_str(find(rig.suspend, "tap")->reason, "2 failed runs within 60 s");
    assert_int_equal(look(&rig).tripped, 1);
    assert_int_equal(look(&rig).paused, 0);
    now_s += 50;
    fail_run(&rig, "tap", HASH, 60001); /* once */
    assert_int_equal(find(rig.suspend, "tap")->since_s, now_s - 50);
    later = open_instance(&rig);
    assert_int_equal(find(later, "tap")->kind, GR_TRIPPED);
    gr_suspend_free(later);
    assert_int_equal(resume(&rig, "tap", &n), 0);
    assert_int_equal(n, 1);
    assert_null(find(rig.suspend, "tap"));
    fail_run(&rig, "tap", HASH, 60002); /* it counts from nothing */
    assert_null(find(rig.suspend, "tap"));
    fail_run(&rig, "tap", HASH, 60003);
    assert_non_null(find(rig.suspend, "tap"));
    fini(&rig);
}

/* Behind a pause that ends the set is still tripped. */
static void paused_and_tripped(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    fail_run(&rig, "tap", HASH, 0);
    fail_run(&rig, "tap", HASH, 1);
    assert_int_equal(pause_for(&rig, "tap", 10), 0);
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_PAUSED);
    now_s += 10;
    assert_int_equal(find(rig.suspend, "tap")->kind, GR_TRIPPED);
    fini(&rig);
}

static void never_trips(void **state)
{
    static const char *const names[] = {"sec-net", "need"};
    struct rig rig;

    (void)state;
    init(&rig);
    for (size_t i = 0; i < 2; i++) {
        for (uint64_t k = 0; k < 10; k++)
            fail_run(&rig, names[i], HASH, k);
        assert_null(find(rig.suspend, names[i]));
    }
    assert_int_equal(look(&rig).suspended_n, 0);
    assert_int_equal(pause_for(&rig, "need", 0), 0);
    assert_int_equal(look(&rig).paused, 1);
    fini(&rig);
}

static void good_runs(void **state)
{
    const struct gr_report good = {.set = GR_STR("tap"), .hash = HASH, .result = GR_REPORT_OK};
    struct rig rig;

    (void)state;
    init(&rig);
    for (uint64_t i = 0; i < 5; i++)
        gr_suspend_report(rig.suspend, &rig.rules, &good, i);
    fail_run(&rig, "tap", HASH, 6);
    assert_null(find(rig.suspend, "tap"));
    fini(&rig);
}

/* A policy that comes later: the set counts as in force. rules/decide does the same. */
static void protected_later(void **state)
{
    struct rig rig;

    (void)state;
    init(&rig);
    put_rules(&rig, make_rules(false));
    assert_int_equal(pause_for(&rig, "sec-net", 0), 0);
    assert_int_equal(look(&rig).paused, 1);
    put_rules(&rig, make_rules(true));
    gr_suspend_follow(rig.suspend, &rig.rules);
    assert_int_equal(look(&rig).suspended_n, 1);
    assert_int_equal(look(&rig).paused, 0);
    fini(&rig);
}

int main(void)
{
    test_add("pause and resume", pause_and_resume);
    test_add("pause all", pause_all);
    test_add("ends by itself", ends_by_itself);
    TEST_ADD_ROWS(refused, refused_rows);
    test_add("at the limits", at_the_limits);
    test_add("before the rules", before_the_rules);
    test_add("too many", too_many);
    test_add("two instances", two_instances);
    test_add("another holds the lock", another_holds_the_lock);
    test_add("damaged", damaged);
    test_add("without a directory", without_a_directory);
    test_add("joins a file", joins_a_file);
    test_add("not kept", not_kept);
    test_add("trips", trips);
    test_add("paused and tripped", paused_and_tripped);
    test_add("never trips", never_trips);
    test_add("good runs", good_runs);
    test_add("protected later", protected_later);
    return test_run("suspend");
}
