/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, and the text that Prometheus reads. */
#include "testing.h"

#include <errno.h>
#include <unistd.h>

#include "app/daemon/metrics/metrics.h"

static const struct gr_hookset tap = {.name = {"tap", 3}}, audit = {.name = {"audit", 5}};

struct all {
    struct gr_metrics *metrics;
    struct gr_log_counts log;
    struct gr_load_result load;
    struct gr_view view;
    struct gr_buf text;
};

static void begin(struct all *all)
{
    *all = (struct all){0};
    all->view.rules.load = &all->load;
    all->view.session.state = GR_SESSION_CLOSED;
    all->view.session.index = "10";
    assert_int_equal(gr_metrics_new(&all->log, &all->metrics), 0);
    gr_buf_init(&all->text, GR_METRICS_TEXT_MAX_BYTES);
}

static void end(struct all *all)
{
    gr_buf_fini(&all->text);
    gr_metrics_free(all->metrics);
}

/* Writes anew; the text is terminated. */
static const char *text_of(struct all *all)
{
    gr_buf_fini(&all->text);
    assert_int_equal(gr_metrics_write(all->metrics, &all->view, &all->text), 0);
    assert_int_equal(gr_buf_byte(&all->text, '\0'), 0);
    return (const char *)all->text.data;
}

/* Whether the text has this line, once. */
static bool has(struct all *all, const char *line)
{
    const char *text = text_of(all), *at;
    char whole[512];

    (void)snprintf(whole, sizeof(whole), "\n%s\n", line);
    at = strstr(text, whole);
    if (!at)
        return false;
    assert_null(strstr(at + 1, whole));
    return true;
}

#define ASSERT_LINE(all, line)                                                     \
    do {                                                                           \
        if (!has((all), (line)))                                                   \
            fail_msg("no line %s in\n%s", (line), (const char *)(all)->text.data); \
    } while (0)

static void created(struct all *all, const struct gr_decision *decision, int64_t now_s)
{
    const struct gr_session_event event = {.decision = decision,
                                           .refused = !decision || decision->refuse};

    gr_metrics_created(all->metrics, &event, now_s);
}

static void result_of(struct all *all, const struct gr_hookset *set, enum gr_verdict verdict)
{
    const struct gr_set_result result = {.set = set, .verdict = verdict};
    const struct gr_decision decision = {.results = &result, .results_n = 1};

    created(all, &decision, 7);
}

/* ---- format ---- */

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* HELP, then TYPE, then the family's own lines; each family once; every line ends. */
static void test_format(void **state)
{
    char family[128] = "", type[16] = "";
    struct all all;
    const char *line;
    size_t families = 0;

    (void)state;
    begin(&all);
    result_of(&all, &tap, GR_VERDICT_OBSERVED);
    line = text_of(&all);
    assert_null(strchr(line, '\r'));
    while (*line) {
        const char *end_of_line = strchr(line, '\n');
        char name[160];

        assert_non_null(end_of_line);
        if (line[0] == '#') {
            assert_int_equal(sscanf(line, "# HELP %127s", family), 1);
            (void)snprintf(name, sizeof(name), "# TYPE %s ", family);
            assert_int_equal(count((const char *)all.text.data, name), 1);
            line = end_of_line + 1;
            assert_memory_equal(line, name, strlen(name));
            assert_int_equal(sscanf(line + strlen(name), "%15s", type), 1);
            families++;
            line = strchr(line, '\n') + 1;
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "{ "), line);
        if (strcmp(type, "histogram") == 0)
            *strrchr(name, '_') = '\0';
        assert_string_equal(name, family);
        if (strcmp(type, "counter") == 0)
            assert_string_equal(name + strlen(name) - 6, "_total");
        line = end_of_line + 1;
    }
    assert_true(families > 25);
    end(&all);
}

/* A version that a runtime made up, cut in the middle of a character. */
static void test_escaping(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    all.view.session.state = GR_SESSION_READY;
    (void)snprintf(all.view.session.runtime, sizeof(all.view.session.runtime), "a\"b\\c\nd\te");
    (void)snprintf(all.view.session.version, sizeof(all.view.session.version), "\xC3\xA4\xC3");
    ASSERT_LINE(&all, "grapnel_runtime_info{runtime=\"a\\\"b\\\\c\\nd\te\","
                      "runtime_version=\"\xC3\xA4\xEF\xBF\xBD\",plugin_index=\"10\"} 1");
    end(&all);
}

static void test_too_long(void **state)
{
    struct gr_buf small;
    struct all all;

    (void)state;
    begin(&all);
    gr_buf_init(&small, 100);
    assert_int_equal(gr_metrics_write(all.metrics, &all.view, &small), -EMSGSIZE);
    gr_buf_fini(&small);
    end(&all);
}

/* ---- requests ---- */

static void answered(struct all *all, enum gr_nri_method method, uint64_t took_ns,
                     const char *failure)
{
    const struct gr_session_answer answer = {
        .method = method, .took_ns = took_ns, .failure = failure};

    gr_metrics_answered(all->metrics, &answer);
}

static void test_histogram(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    answered(&all, GR_NRI_CREATE_CONTAINER, 1, NULL);
    answered(&all, GR_NRI_CREATE_CONTAINER, 500000, NULL);
    answered(&all, GR_NRI_CREATE_CONTAINER, 500001, NULL);
    answered(&all, GR_NRI_CREATE_CONTAINER, 2000000000, NULL);
    answered(&all, GR_NRI_CREATE_CONTAINER, 2000000001, NULL);
#define BUCKET(le, n)                                                                      \
    ASSERT_LINE(&all, "grapnel_request_duration_seconds_bucket{event=\"CreateContainer\"," \
                      "le=\"" le "\"} " n)
    BUCKET("0.0005", "2");
    BUCKET("0.001", "3");
    BUCKET("1", "3");
    BUCKET("2", "4");
    BUCKET("+Inf", "5");
    ASSERT_LINE(&all, "grapnel_request_duration_seconds_sum{event=\"CreateContainer\"} "
                      "4.001000003");
    ASSERT_LINE(&all, "grapnel_request_duration_seconds_count{event=\"CreateContainer\"} 5");
    ASSERT_LINE(&all, "grapnel_request_duration_seconds_count{event=\"Configure\"} 0");
    end(&all);
}

static void test_events(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    answered(&all, GR_NRI_CONFIGURE, 1, NULL);
    answered(&all, GR_NRI_SYNCHRONIZE, 1, "message-not-valid");
    answered(&all, GR_NRI_CREATE_CONTAINER, 1, "rules-not-loaded");
    answered(&all, GR_NRI_CREATE_CONTAINER, 1, "no-memory");
    answered(&all, GR_NRI_CREATE_CONTAINER, 1, "reply-too-large");
    answered(&all, GR_NRI_CREATE_CONTAINER, 1, "of-a-later-version");
    answered(&all, GR_NRI_OTHER, 1, NULL);
    ASSERT_LINE(&all, "grapnel_events_total{event=\"Configure\"} 1");
    ASSERT_LINE(&all, "grapnel_events_total{event=\"Synchronize\"} 1");
    ASSERT_LINE(&all, "grapnel_events_total{event=\"CreateContainer\"} 4");
    ASSERT_LINE(&all, "grapnel_events_total{event=\"Shutdown\"} 0");
    ASSERT_LINE(&all, "grapnel_events_total{event=\"other\"} 1");
#define FAILURES(event, reason, n)                                                              \
    ASSERT_LINE(&all, "grapnel_event_failures_total{event=\"" event "\",reason=\"" reason "\"}" \
                      " " n)
    FAILURES("Configure", "unreadable", "0");
    FAILURES("Synchronize", "unreadable", "1");
    FAILURES("CreateContainer", "unreadable", "0");
    FAILURES("CreateContainer", "not_loaded", "1");
    FAILURES("CreateContainer", "no_memory", "1");
    FAILURES("CreateContainer", "reply_too_large", "1");
    FAILURES("CreateContainer", "other", "1");
    assert_int_equal(count((const char *)all.text.data, "\ngrapnel_event_failures_total{"), 7);
    end(&all);
}

/* ---- containers and sets ---- */

static void test_containers(void **state)
{
    const struct gr_set_result result = {.set = &tap, .verdict = GR_VERDICT_ALREADY};
    const struct gr_adjusted adjusted = {0};
    const struct gr_decision none = {0}, exempt = {.exempt = true}, refused = {.refuse = true},
                             already = {.results = &result, .results_n = 1},
                             adjusts = {.adjust = &adjusted, .adjust_n = 1};
    const struct gr_session_event let_through = {.refused = false};
    struct all all;

    (void)state;
    begin(&all);
    created(&all, &none, 1);
    created(&all, &exempt, 1);
    created(&all, &already, 1);
    created(&all, &adjusts, 1);
    created(&all, &refused, 1);
    created(&all, NULL, 1);
    gr_metrics_created(all.metrics, &let_through, 1);
    ASSERT_LINE(&all, "grapnel_containers_total{decision=\"injected\"} 1");
    ASSERT_LINE(&all, "grapnel_containers_total{decision=\"unmatched\"} 1");
    ASSERT_LINE(&all, "grapnel_containers_total{decision=\"skipped\"} 3");
    ASSERT_LINE(&all, "grapnel_containers_total{decision=\"denied\"} 2");
    assert_null(strstr((const char *)all.text.data, "rule=\"tap\"")); /* already: no event */
    end(&all);
}

static void test_sets(void **state)
{
    const struct gr_set_result both[] = {{.set = &tap, .verdict = GR_VERDICT_INJECTED},
                                         {.set = &audit, .verdict = GR_VERDICT_REFUSED}};
    const struct gr_decision refused = {.refuse = true, .results = both, .results_n = 2};
    struct all all;

    (void)state;
    begin(&all);
    assert_null(gr_metrics_set(all.metrics, GR_STR("tap")));
    created(&all, &refused, 5);
    /* What another set's refusal undid is no injection. */
    assert_null(gr_metrics_set(all.metrics, GR_STR("tap")));
    assert_int_equal(gr_metrics_set(all.metrics, GR_STR("audit"))->refused, 1);
    assert_int_equal(gr_metrics_set(all.metrics, GR_STR("audit"))->last_s, 5);
    result_of(&all, &tap, GR_VERDICT_INJECTED);
    result_of(&all, &tap, GR_VERDICT_OBSERVED);
    result_of(&all, &tap, GR_VERDICT_OBSERVED);
    result_of(&all, &tap, GR_VERDICT_SKIPPED);
    result_of(&all, &tap, GR_VERDICT_IGNORED);
    assert_int_equal(gr_metrics_set(all.metrics, GR_STR("tap"))->last_s, 7);
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"audit\",result=\"refused\"} 1");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"audit\",result=\"injected\"} 0");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"tap\",result=\"injected\"} 1");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"tap\",result=\"observed\"} 2");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"tap\",result=\"skipped\"} 1");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"tap\",result=\"ignored\"} 1");
    end(&all);
}

/* Each hook is counted for the set in its mark, in whatever way it came to be there. */
static void test_hooks(void **state)
{
    static const struct gr_str tap_env[] = {{"A=b", 3},
                                            {"GRAPNEL_HOOKSET=tap@0123456789abcdef", 36}};
    static const struct gr_str at_env[] = {{"GRAPNEL_HOOKSET=a@b@0123456789abcdef", 36}};
    static const struct gr_str other_env[] = {{"A=b", 3}};
    const struct gr_oci_hook hooks[] = {
        {.stage = GR_STAGE_POSTSTOP, .env = {tap_env, 2}},
        {.stage = GR_STAGE_POSTSTOP, .env = {tap_env, 2}},
        {.stage = GR_STAGE_CREATE_RUNTIME, .env = {at_env, 1}},
        {.stage = GR_STAGE_CREATE_RUNTIME, .env = {other_env, 1}},
        {.stage = GR_STAGE_CREATE_RUNTIME},
    };
    const struct gr_decision decision = {.hooks = hooks, .hooks_n = GR_ARRAY_LEN(hooks)};
    struct all all;

    (void)state;
    begin(&all);
    created(&all, &decision, 1);
    ASSERT_LINE(&all, "grapnel_hooks_injected_total{rule=\"tap\",hook_point=\"poststop\"} 2");
    ASSERT_LINE(&all, "grapnel_hooks_injected_total{rule=\"a@b\",hook_point=\"createRuntime\"} 1");
    assert_int_equal(count((const char *)all.text.data, "\ngrapnel_hooks_injected_total{"), 2);
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_rule_results_total{"));
    end(&all);
}

/* What a pod asks for may be any name: it must not make series. */
static void test_objections(void **state)
{
    const struct gr_objection objection = {
        .kind = GR_OBJECTION_REQUEST, .verdict = GR_VERDICT_IGNORED, .set = GR_STR("made-up")};
    const struct gr_decision decision = {.objections = &objection, .objections_n = 1};
    struct all all;

    (void)state;
    begin(&all);
    created(&all, &decision, 1);
    assert_null(gr_metrics_set(all.metrics, GR_STR("made-up")));
    ASSERT_LINE(&all, "grapnel_containers_total{decision=\"skipped\"} 1");
    end(&all);
}

/* At the limit each has a series of its own; those beyond it stand together. */
static void test_limit(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    for (int i = 0; i < GR_METRICS_SETS_MAX + 3; i++) {
        char name[16];
        struct gr_hookset set = {0};

        (void)snprintf(name, sizeof(name), "set-%d", i);
        set.name = gr_str_from(name);
        result_of(&all, &set, GR_VERDICT_INJECTED);
        result_of(&all, &set, GR_VERDICT_INJECTED);
    }
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"set-0\",result=\"injected\"} 2");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"set-999\",result=\"injected\"} 2");
    ASSERT_LINE(&all, "grapnel_rule_results_total{rule=\"\",result=\"injected\"} 6");
    assert_null(strstr((const char *)all.text.data, "rule=\"set-1000\""));
    assert_int_equal(count((const char *)all.text.data, "result=\"injected\""),
                     GR_METRICS_SETS_MAX + 1);
    assert_int_equal(gr_metrics_set(all.metrics, GR_STR("set-999"))->injected, 2);
    assert_null(gr_metrics_set(all.metrics, GR_STR("set-1000")));
    assert_null(gr_metrics_set(all.metrics, GR_STR("")));
    end(&all);
}

/* ---- hooks that ran ---- */

static void ran(struct all *all, const char *set, enum gr_stage stage, enum gr_report_result result,
                uint64_t duration_ms)
{
    const struct gr_report report = {
        .set = gr_str_from(set), .stage = stage, .result = result, .duration_ms = duration_ms};

    gr_metrics_hook_run(all->metrics, &report);
}

static void test_runs(void **state)
{
    struct all all;

    (void)state;
    begin(&all);
    ran(&all, "tap", GR_STAGE_CREATE_RUNTIME, GR_REPORT_OK, 10);
    ran(&all, "tap", GR_STAGE_CREATE_RUNTIME, GR_REPORT_EXIT, 11);
    ran(&all, "tap", GR_STAGE_POSTSTOP, GR_REPORT_TIMEOUT, 120001);
    ran(&all, "tap", GR_STAGE_POSTSTART, GR_REPORT_EXEC, 0);
    ran(&all, "tap", GR_STAGE_POSTSTART, GR_REPORT_VERIFY, 0);
    ran(&all, "", GR_STAGE_POSTSTOP, GR_REPORT_SIGNAL, 0);
#define RUNS(point, n) \
    ASSERT_LINE(&all, "grapnel_hook_runs_total{rule=\"tap\",hook_point=\"" point "\"} " n)
#define FAILED(rule, point, reason, n)                                                        \
    ASSERT_LINE(&all, "grapnel_hook_run_failures_total{rule=\"" rule "\",hook_point=\"" point \
                      "\",reason=\"" reason "\"} " n)
    RUNS("createRuntime", "2");
    RUNS("poststop", "1");
    RUNS("poststart", "2");
    FAILED("tap", "createRuntime", "exit", "1");
    FAILED("tap", "createRuntime", "timeout", "0");
    FAILED("tap", "poststop", "timeout", "1");
    FAILED("tap", "poststart", "exec", "1");
    FAILED("tap", "poststart", "verify", "1");
    FAILED("", "poststop", "signal", "1");
    assert_null(strstr((const char *)all.text.data, "hook_point=\"prestart\""));
    assert_null(strstr((const char *)all.text.data, "reason=\"ok\""));
    ASSERT_LINE(&all, "grapnel_hook_run_duration_seconds_bucket{rule=\"tap\",le=\"0.01\"} 3");
    ASSERT_LINE(&all, "grapnel_hook_run_duration_seconds_bucket{rule=\"tap\",le=\"120\"} 4");
    ASSERT_LINE(&all, "grapnel_hook_run_duration_seconds_bucket{rule=\"tap\",le=\"+Inf\"} 5");
    ASSERT_LINE(&all, "grapnel_hook_run_duration_seconds_sum{rule=\"tap\"} 120.022");
    assert_null(strstr((const char *)all.text.data, "\ngrapnel_rule_results_total{"));
    end(&all);
}

/* ---- what is now so ---- */

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
    test_add("format", test_format);
    test_add("escaping", test_escaping);
    test_add("a text that is too long", test_too_long);
    test_add("histogram", test_histogram);
    test_add("events", test_events);
    test_add("containers", test_containers);
    test_add("sets", test_sets);
    test_add("hooks", test_hooks);
    test_add("objections", test_objections);
    test_add("as many sets as have series", test_limit);
    test_add("hooks that ran", test_runs);
    TEST_ADD_ROWS(ends, endings);
    test_add("connected", test_connected);
    test_add("missed containers", test_missed);
    test_add("loads", test_loads);
    test_add("rules", test_rules);
    test_add("more sets than have series of their own", test_many_programs);
    test_add("paused", test_paused);
    test_add("files that are watched and written, and reports", test_files);
    test_add("process", test_process);
    return test_run("metrics");
}
