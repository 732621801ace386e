/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/suspend: pauses, how they end, and what is refused. */
#include "app/suspending.h"

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

int main(void)
{
    test_add("pause and resume", pause_and_resume);
    test_add("pause all", pause_all);
    test_add("ends by itself", ends_by_itself);
    TEST_ADD_ROWS(refused, refused_rows);
    test_add("at the limits", at_the_limits);
    test_add("before the rules", before_the_rules);
    test_add("too many", too_many);
    return test_run("suspend");
}
