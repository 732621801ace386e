/* SPDX-License-Identifier: Apache-2.0 */
/* What is read at the moment of asking: connection, rules, files, the process itself. */
#include "app/counted.h"

struct ending {
    const char *name;
    int reason;
    bool shutdown;
    const char *told;
};

static const struct ending endings[] = {
    {"end of file", 0, false, "eof"},
    {"reset", -ECONNRESET, false, "eof"},
    {"time is up", -ETIMEDOUT, false, "timeout"},
    {"a frame that is too long", -EMSGSIZE, false, "protocol"},
    {"refused", -ECONNREFUSED, false, "refused"},
    {"no memory", -ENOMEM, false, "error"},
    {"after Shutdown", 0, true, "shutdown"},
};

static void ends(void **state)
{
    const struct ending *row = *state;
    struct all all;
    char line[128];

    begin(&all);
    if (row->shutdown)
        gr_metrics_shutdown(all.metrics);
    gr_metrics_disconnected(all.metrics, row->reason);
    (void)snprintf(line, sizeof(line), "grapnel_disconnections_total{reason=\"%s\"} 1", row->told);
    ASSERT_LINE(&all, line);
    assert_int_equal(count((const char *)all.text.data, "\ngrapnel_disconnections_total{"), 6);
    end(&all);
}

/* Connected is who is asked about containers: without Synchronize only a launched plugin. */
static void test_connected(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    ASSERT_LINE(&all, "grapnel_connected 0");
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_runtime_info{"));
    all.view.session.state = GR_SESSION_CONFIGURED;
    ASSERT_LINE(&all, "grapnel_connected 0");
    assert_non_null(strstr((const char *)all.text.data, "\ngrapnel_runtime_info{"));
    all.view.session.launched = true;
    ASSERT_LINE(&all, "grapnel_connected 1");
    all.view.session.launched = false;
    all.view.session.state = GR_SESSION_READY;
    all.view.session.sessions = 3;
    ASSERT_LINE(&all, "grapnel_connected 1");
    ASSERT_LINE(&all, "grapnel_connections_total 3");
    end(&all);
}

/* Not known is not 0. */
static void test_missed(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    assert_null(strstr(text_of(&all), "\ngrapnel_missed_containers"));
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_unreadable_containers"));
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_running_containers_known"));
    all.view.running = (struct gr_running_status){
        .known = true, .missed = 1, .outdated = 2, .preexisting = 3, .unreadable = 4};
    ASSERT_LINE(&all, "grapnel_missed_containers 1");
    ASSERT_LINE(&all, "grapnel_outdated_containers 2");
    ASSERT_LINE(&all, "grapnel_preexisting_containers 3");
    ASSERT_LINE(&all, "grapnel_unreadable_containers 4");
    ASSERT_LINE(&all, "grapnel_running_containers_known 1");
    all.view.running = (struct gr_running_status){.problem = "no memory"};
    ASSERT_LINE(&all, "grapnel_running_containers_known 0");
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_missed_containers"));
    end(&all);
}

static void test_loads(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    assert_null(strstr(text_of(&all), "\ngrapnel_config_last_reload_success"));
    all.view.rules.sound = true;
    all.view.rules.loads = 4;
    all.view.rules.failures = 1;
    all.view.rules.last_s = all.view.rules.last_success_s = 1700000000;
    ASSERT_LINE(&all, "grapnel_config_last_reload_successful 1");
    ASSERT_LINE(&all, "grapnel_config_last_reload_success_timestamp_seconds 1700000000");
    ASSERT_LINE(&all, "grapnel_config_reloads_total 4");
    ASSERT_LINE(&all, "grapnel_config_reload_failures_total 1");
    all.load.errors = 1; /* within the same second */
    all.load.rejected = 2;
    ASSERT_LINE(&all, "grapnel_config_last_reload_successful 0");
    ASSERT_LINE(&all, "grapnel_rules_rejected 2");
    all.load.errors = 0;
    all.view.rules.sound = false; /* the settings */
    ASSERT_LINE(&all, "grapnel_config_last_reload_successful 0");
    all.view.rules.sound = true;
    all.view.rules.last_s++; /* a load that had no memory */
    ASSERT_LINE(&all, "grapnel_config_last_reload_successful 0");
    end(&all);
}

static struct gr_ruleset *ruleset_of(const struct gr_hookset *from, size_t n)
{
    struct gr_arena arena;
    struct gr_hookset *sets;
    struct gr_ruleset *ruleset = NULL;
    struct gr_err err = {0};

    gr_arena_init(&arena, 1024, 0);
    sets = gr_arena_array(&arena, n, sizeof(*sets));
    assert_non_null(sets);
    memcpy(sets, from, n * sizeof(*sets));
    assert_int_equal(gr_ruleset_new(&arena, sets, n, NULL, &ruleset, &err), 0);
    return ruleset;
}

static const struct gr_cond always = {.kind = GR_COND_ALWAYS, .always = true};

static void test_rules(void **state)
{
    struct gr_hookset sets[] = {
        {.name = GR_STR("a"), .file = GR_STR("/etc/grapnel/hooks.d/a"), .hash = 1},
        {.name = GR_STR("b"), .file = GR_STR("/run/grapnel/hooks.d/b"), .no_program = true},
        {.name = GR_STR("c"), .file = GR_STR("/usr/share/c"), .other_node = true},
        {.name = GR_STR("d"), .file = GR_STR("/etc/o.json"), .format = GR_FORMAT_OCI_HOOKS},
        {.name = GR_STR("e"), .file = GR_STR("/srv/e")},
    };
    char first[128], *line;
    struct all all;

    (void)state;
    begin(&all);
    for (size_t i = 0; i < GR_ARRAY_LEN(sets); i++) {
        sets[i].match = &always;
        sets[i].file_name = sets[i].name;
    }
    all.view.rules.ruleset = ruleset_of(sets, GR_ARRAY_LEN(sets));
    ASSERT_LINE(&all, "grapnel_rules_loaded{source=\"etc\"} 1");
    ASSERT_LINE(&all, "grapnel_rules_loaded{source=\"run\"} 1");
    ASSERT_LINE(&all, "grapnel_rules_loaded{source=\"usr\"} 0");
    ASSERT_LINE(&all, "grapnel_rules_loaded{source=\"oci\"} 1");
    ASSERT_LINE(&all, "grapnel_rules_loaded{source=\"other\"} 1");
    ASSERT_LINE(&all, "grapnel_hook_binary_present{rule=\"a\"} 1");
    ASSERT_LINE(&all, "grapnel_hook_binary_present{rule=\"b\"} 0");
    assert_null(strstr((const char *)all.text.data, "present{rule=\"c\"}"));
    line = strstr((const char *)all.text.data, "\ngrapnel_config_hash_info{");
    assert_non_null(line);
    (void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
    gr_ruleset_unref((struct gr_ruleset *)(uintptr_t)all.view.rules.ruleset);
    /* Other places, other nodes and missing programs are no other text. */
    sets[0].file = GR_STR("/host/etc/grapnel/hooks.d/a");
    sets[1].no_program = false;
    sets[2].other_node = false;
    all.view.rules.ruleset = ruleset_of(sets, GR_ARRAY_LEN(sets));
    ASSERT_LINE(&all, first);
    gr_ruleset_unref((struct gr_ruleset *)(uintptr_t)all.view.rules.ruleset);
    sets[0].hash = 2;
    all.view.rules.ruleset = ruleset_of(sets, GR_ARRAY_LEN(sets));
    assert_false(has(&all, first));
    gr_ruleset_unref((struct gr_ruleset *)(uintptr_t)all.view.rules.ruleset);
    end(&all);
}

/* One line stands for all sets beyond the limit: whether none of them lacks a program. */
static void test_many_programs(void **state)
{
    static struct gr_hookset sets[GR_METRICS_SETS_MAX + 2];
    static char names[GR_METRICS_SETS_MAX + 2][16];
    struct all all;

    (void)state;
    begin(&all);
    for (size_t i = 0; i < GR_ARRAY_LEN(sets); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "set-%04zu", i);
        sets[i] = (struct gr_hookset){
            .match = &always, .name = gr_str_from(names[i]), .file_name = gr_str_from(names[i])};
    }
    for (int bad = 0; bad < 2; bad++) {
        sets[GR_METRICS_SETS_MAX + 1].no_program = bad;
        all.view.rules.ruleset = ruleset_of(sets, GR_ARRAY_LEN(sets));
        ASSERT_LINE(&all, "grapnel_hook_binary_present{rule=\"set-0999\"} 1");
        assert_null(strstr((const char *)all.text.data, "rule=\"set-1000\""));
        ASSERT_LINE(&all, bad ? "grapnel_hook_binary_present{rule=\"\"} 0"
                              : "grapnel_hook_binary_present{rule=\"\"} 1");
        gr_ruleset_unref((struct gr_ruleset *)(uintptr_t)all.view.rules.ruleset);
    }
    all.view.rules.ruleset = ruleset_of(sets, GR_METRICS_SETS_MAX);
    assert_false(has(&all, "grapnel_hook_binary_present{rule=\"\"} 1"));
    gr_ruleset_unref((struct gr_ruleset *)(uintptr_t)all.view.rules.ruleset);
    end(&all);
}

static void test_paused(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    all.view.paused = 2;
    all.view.tripped = 1;
    ASSERT_LINE(&all, "grapnel_rules_paused 2");
    ASSERT_LINE(&all, "grapnel_rules_tripped 1");
    end(&all);
}

static void test_files(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    ASSERT_LINE(&all, "grapnel_watch_working 0");
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_journal_working ")); /* unwanted */
    all.view.watch = (struct gr_watch_status){.working = true, .events = 5, .overflows = 1};
    all.view.journal = (struct gr_recorder_status){.run_dir = "/r", .records = 7, .lost = 2};
    all.view.reports = (struct gr_report_counts){.good = 4, .bad = 2, .foreign = 1};
    ASSERT_LINE(&all, "grapnel_watch_working 1");
    ASSERT_LINE(&all, "grapnel_watch_events_total 5");
    ASSERT_LINE(&all, "grapnel_watch_overflows_total 1");
    ASSERT_LINE(&all, "grapnel_journal_working 0");
    ASSERT_LINE(&all, "grapnel_journal_records_total 7");
    ASSERT_LINE(&all, "grapnel_journal_lost_records_total 2");
    ASSERT_LINE(&all, "grapnel_hook_reports_total 7");
    ASSERT_LINE(&all, "grapnel_hook_report_failures_total{reason=\"bad\"} 2");
    ASSERT_LINE(&all, "grapnel_hook_report_failures_total{reason=\"foreign\"} 1");
    end(&all);
}

static void test_process(void **state)
{
    char *cpu, *fds;
    unsigned int open_now, open_later;
    struct gr_buf text;
    int extra;

    (void)state;
    gr_buf_init(&text, 4096);
    assert_int_equal(gr_metrics_write_process(&text), 0);
    assert_int_equal(gr_buf_byte(&text, '\0'), 0);
    cpu = strstr((char *)text.data, "\nprocess_cpu_seconds_total ");
    fds = strstr((char *)text.data, "\nprocess_open_fds ");
    assert_non_null(cpu);
    assert_non_null(fds);
    assert_int_equal(sscanf(fds, "\nprocess_open_fds %u", &open_now), 1);
    assert_non_null(strstr((char *)text.data, "\nprocess_max_fds "));
    assert_non_null(strstr((char *)text.data, "\nprocess_resident_memory_bytes "));
    assert_non_null(strstr((char *)text.data, "\nprocess_virtual_memory_bytes "));
    assert_non_null(strstr((char *)text.data, "\nprocess_start_time_seconds "));
    extra = dup(STDOUT_FILENO);
    gr_buf_fini(&text);
    assert_int_equal(gr_metrics_write_process(&text), 0);
    assert_int_equal(gr_buf_byte(&text, '\0'), 0);
    fds = strstr((char *)text.data, "\nprocess_open_fds ");
    assert_int_equal(sscanf(fds, "\nprocess_open_fds %u", &open_later), 1);
    assert_int_equal(open_later, open_now + 1);
    (void)close(extra);
    gr_buf_fini(&text);
}

int main(void)
{
    TEST_ADD_ROWS(ends, endings);
    test_add("connected", test_connected);
    test_add("missed containers", test_missed);
    test_add("loads", test_loads);
    test_add("rules", test_rules);
    test_add("more sets than have series of their own", test_many_programs);
    test_add("paused", test_paused);
    test_add("files that are watched and written, and reports", test_files);
    test_add("process", test_process);
    return test_run("metrics_view");
}
