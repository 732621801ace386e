/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/running/running: Synchronize, rules, the journal and what comes out, on a loop. */
#include "app/compared.h"

#include <fcntl.h>

static void test_install(void **state)
{
    const struct running running[] = {{.id = "a"}, {.id = "b", .no_match = true}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    expect(rig, "unknown 0 running");
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "2 running preexisting:a/web");
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0); /* and not after a reconnect either */
    expect(rig, "2 running preexisting:a/web");
}

static void check_away(struct rig *rig, bool killed)
{
    const struct running running[] = {
        {.id = "old"}, {.id = "new"}, {.id = "other", .no_match = true}, {0}};

    live_twice(rig, killed);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "3 running missed:new/web preexisting:old/web");
    /* Once. */
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "3 running missed:new/web preexisting:old/web");
    /* Nor by the next process. */
    end_process(rig);
    start_process(rig);
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "3 running missed:new/web preexisting:old/web");
}

static void test_stopped(void **state)
{
    check_away(*state, false);
}

static void test_killed(void **state)
{
    check_away(*state, true);
}

/* A set that came while we were away has missed nothing, nor has one that was edited. */
static void test_edited(void **state)
{
    const struct running running[] = {{.id = "old"}, {.id = "new"}, {0}};
    struct rig *rig = *state;

    live_twice(rig, true);
    end_process(rig);
    put_set(rig, "web", ", order: 7");
    put_set(rig, "late", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "2 running preexisting:old/web preexisting:old/late preexisting:new/web "
                "preexisting:new/late");
}

/* What is missed stays so; a set that comes later is older for no container. */
static void test_missed_and_a_later_set(void **state)
{
    const struct running running[] = {{.id = "new"}, {0}};
    struct rig *rig = *state;

    live_twice(rig, true);
    assert_int_equal(synchronize(rig, running), 1);
    put_set(rig, "late", "");
    gr_inforce_reload(rig->inforce, "test");
    rig->loaded = false;
    load(rig);
    expect(rig, "1 running missed:new/web"); /* rules that change do not look again */
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "1 running missed:new/web preexisting:new/late");
}

static void test_marks(void **state)
{
    const struct running running[] = {{.id = "a", .mark = "web@"},
                                      {.id = "b", .mark = "web@0123456789abcdef"},
                                      {.id = "c", .mark = "webs@0123456789abcdef"},
                                      {.id = "d", .mark = "web@0123456789abcdef", .no_match = true},
                                      {.id = "e", .forged = "web@"},
                                      {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "5 running outdated:b/web preexisting:c/web preexisting:e/web");
}

static void test_age(void **state)
{
    struct rig *rig = *state;
    struct running running[] = {{.id = "later"}, {.id = "long-ago"}, {0}};

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    /* Without a journal, as where the run directory cannot be used. */
    gr_journal_free(gr_take(rig->journal));
    running[0].created_s = (int64_t)time(NULL) + 3600;
    running[1].created_s = LONG_AGO;
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "2 running missed:later/web preexisting:long-ago/web");
    assert_int_equal(synchronize(rig, running), 0); /* once, also without a journal */
    expect(rig, "2 running missed:later/web preexisting:long-ago/web");
}

/* The last answer of a session may have come too late. */
static void test_lost_answer(void **state)
{
    const struct running running[] = {
        {.id = "first", .mark = "web@0123456789abcdef"}, {.id = "last"}, {.id = "old"}, {0}};
    struct rig *rig = *state;
    struct gr_inforce_status rules;
    struct gr_set_result result = {.verdict = GR_VERDICT_INJECTED};
    const struct gr_decision decision = {.results = &result, .results_n = 1, .hooks_n = 1};
    struct gr_subject subject = {.id = GR_STR("first")};
    const struct gr_session_event event = {.subject = &subject, .decision = &decision};

    live_twice(rig, false);
    assert_int_equal(synchronize(rig, &running[2]), 0);
    gr_inforce_status(rig->inforce, &rules);
    result.set = gr_ruleset_at(rules.ruleset, 0);
    for (int i = 0; i < 2; i++) {
        (void)gr_journal_decided(rig->journal, &subject, &decision, NULL, false);
        gr_running_created(rig->running, &event);
        subject.id = GR_STR("last");
    }
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "3 running missed:last/web outdated:first/web preexisting:old/web");
}

/* A plugin that the runtime launched ends with its session: the next one has only the journal. */
static void test_lost_answer_of_another_process(void **state)
{
    const struct running running[] = {{.id = "last"}, {.id = "old"}, {0}};
    const struct gr_decision decision = {.hooks_n = 1};
    const struct gr_subject subject = {.id = GR_STR("last")};
    struct rig *rig = *state;

    live_twice(rig, false);
    assert_int_equal(synchronize(rig, &running[1]), 0);
    (void)gr_journal_decided(rig->journal, &subject, &decision, NULL, false);
    session(rig, false);
    end_process(rig);
    start_process(rig);
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "2 running missed:last/web preexisting:old/web");
}

/* What is created while others are looked at is not forgotten. */
static void test_created_meanwhile(void **state)
{
    const struct running running[] = {{.id = "old"}, {0}};
    const struct running later[] = {{.id = "old"}, {.id = "meanwhile"}, {0}};
    struct rig *rig = *state;
    struct gr_subject subject = {.id = GR_STR("meanwhile")};
    const struct gr_decision decision = {0};
    const struct gr_session_event event = {.subject = &subject, .decision = &decision};

    live_twice(rig, true);
    tell(rig, running);
    (void)gr_journal_decided(rig->journal, &subject, &decision, NULL, false);
    gr_running_created(rig->running, &event);
    look(rig);
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("meanwhile")), GR_KNOWN_SEEN);
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, later), 0);
    expect(rig, "2 running preexisting:old/web preexisting:meanwhile/web");
}

static void test_unreadable(void **state)
{
    const struct running running[] = {{.id = "a", .unreadable = true}, {.id = "b"}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "2 running 1 unreadable unreadable:a/ preexisting:b/web");
    assert_int_equal(synchronize(rig, running), 0); /* once */
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("a")), GR_KNOWN_SEEN);
}

/* Rules that come later than the runtime's list. */
static void test_waits_for_rules(void **state)
{
    const struct running running[] = {{.id = "a"}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    tell(rig, running);
    for (int i = 0; i < 10 && !rig->loaded; i++)
        (void)event_base_loop(rig->base, EVLOOP_NONBLOCK);
    if (!rig->loaded)
        expect(rig, "unknown 0 running");
    load(rig);
    look(rig);
    expect(rig, "1 running preexisting:a/web");
}

static void test_sets_that_do_not_count(void **state)
{
    const struct running running[] = {{.id = "new"}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", ", mode: Observe");
    put_set(rig, "away", ", nodes: {names: [elsewhere]}");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "1 running");
}

/* ---- the program store ---- */

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"

static void put_program(const struct rig *rig, const char *path)
{
    char name[128];
    FILE *file;

    (void)snprintf(name, sizeof(name), "%s/web.yaml", rig->hooks);
    file = fopen(name, "w");
    assert_non_null(file);
    (void)fprintf(file, HEAD "{match: {always: true}, hooks: {poststop: [{path: %s}]}}\n", "web",
                  path);
    (void)fclose(file);
}

/* With a digest that is old, and no current. */
static void put_store(struct rig *rig, char store[96], char digest[192])
{
    const struct timespec times[2] = {{.tv_sec = LONG_AGO}, {.tv_sec = LONG_AGO}};
    char package[128];

    (void)snprintf(store, 96, "%s/p", rig->dir);
    assert_int_equal(mkdir(store, 0755), 0);
    (void)snprintf(package, sizeof(package), "%s/net", store);
    assert_int_equal(mkdir(package, 0755), 0);
    (void)snprintf(digest, 192, "%s/net/" ONE, store);
    assert_int_equal(mkdir(digest, 0755), 0);
    assert_int_equal(utimensat(AT_FDCWD, digest, times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, package, times, 0), 0);
    rig->flags.config.programs_dir = store;
    rig->flags.config.log_level = GR_LEVEL_DEBUG;
    rig->flags.config.origins[GR_SETTING_PROGRAMS_DIR].has = true;
    rig->flags.config.origins[GR_SETTING_LOG_LEVEL].has = true;
}

/* Until it was looked through, or that was given up. */
static void wait_for_store(struct rig *rig)
{
    do {
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
        capture_end(&rig->captured);
        capture_begin(&rig->captured);
    } while (!strstr(rig->captured.text, "the program store was looked through") &&
             !strstr(rig->captured.text, "code=stopped"));
    capture_end(&rig->captured);
}

static void check_store(struct rig *rig, bool in_force_before)
{
    const struct running none[] = {{0}};
    char store[96], digest[192];

    put_store(rig, store, digest);
    put_program(rig, in_force_before ? digest : "/bin/true");
    start_process(rig);
    load(rig);
    session(rig, true);
    capture_begin(&rig->captured);
    put_program(rig, "/bin/true");
    /* Nothing is looked at before these are in force. */
    gr_inforce_configure(rig->inforce, GR_STR("apiVersion: grapnel/v1beta1\nkind: Config\n"
                                              "spec: {rescanInterval: 60}\n"));
    assert_false(gr_inforce_is_usable(rig->inforce));
    tell(rig, none);
    wait_for_store(rig);
    assert_int_equal(access(digest, F_OK), in_force_before ? 0 : -1);
}

static void test_programs_of_nobody(void **state)
{
    check_store(*state, false);
}

/* A container may have been created with them between Synchronize and their end. */
static void test_programs_of_rules_that_go(void **state)
{
    check_store(*state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_install),
        TEST(test_stopped),
        TEST(test_killed),
        TEST(test_edited),
        TEST(test_missed_and_a_later_set),
        TEST(test_marks),
        TEST(test_age),
        TEST(test_lost_answer),
        TEST(test_lost_answer_of_another_process),
        TEST(test_created_meanwhile),
        TEST(test_unreadable),
        TEST(test_waits_for_rules),
        TEST(test_sets_that_do_not_count),
        TEST(test_programs_of_nobody),
        TEST(test_programs_of_rules_that_go),
    };

    return cmocka_run_group_tests_name("running", tests, NULL, NULL);
}
