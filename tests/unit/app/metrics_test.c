/* SPDX-License-Identifier: Apache-2.0 */
/* The format, and what is counted as it happens: requests, containers, hooks that ran. */
#include "app/counted.h"

/* ---- format ---- */

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
    return test_run("metrics");
}
