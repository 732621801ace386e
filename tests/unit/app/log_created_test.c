/* SPDX-License-Identifier: Apache-2.0 */
/* What is logged about an answered CreateContainer. */
#include "capturing.h"

#include "app/daemon/log_created.h"

static const struct gr_hookset early = {.name = {"early", 5}}, late = {.name = {"late", 4}};
static const struct gr_adjust_entry env = {.kind = GR_ADJUST_ENV, .key = {"A", 1}},
                                    shares = {.kind = GR_ADJUST_RESOURCE,
                                              .resource = GR_RESOURCE_CPU_SHARES};

/* All lines, each without its time. */
static void expect(enum gr_level level, const struct gr_decision *decision, bool refused,
                   const char *expected)
{
    const struct gr_log log = {.level = level, .format = GR_LOG_LOGFMT};
    const struct gr_subject subject = {.id = GR_STR("id-1"),
                                       .name = GR_STR("web"),
                                       .pod_name = GR_STR("web-0"),
                                       .pod_namespace = GR_STR("prod")};
    const struct gr_session_event event = {
        .subject = &subject, .decision = decision, .refused = refused};
    char found[sizeof(((struct captured *)NULL)->text)] = "";
    struct captured c;
    size_t n = 0;

    capture_begin(&c);
    gr_log_created(&log, &event);
    capture_end(&c);
    for (char *line = strtok(c.text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_memory_equal(line, "time=", 5);
        n += (size_t)snprintf(found + n, sizeof(found) - n, "%s\n", strchr(line, ' ') + 1);
    }
    assert_string_equal(found, expected);
}

/* Two sets that want one key: whoever wrote them should know. */
static void test_overridden(void **state)
{
    const struct gr_adjusted adjusted[] = {{.entry = &env, .set = &early},
                                           {.entry = &shares, .set = &late, .over = &early}};
    const struct gr_decision decision = {.adjust = adjusted, .adjust_n = 2};

    (void)state;
    expect(GR_LEVEL_INFO, &decision, false,
           "level=warning msg=\"two sets adjust one thing, the later one wins\" kind=resources "
           "key=cpu.shares set=late over=early id=id-1\n"
           "level=info msg=\"container adjusted\" namespace=prod pod=web-0 container=web id=id-1 "
           "hooks=0 adjusted=2\n");
}

static void test_objections(void **state)
{
    const struct gr_objection objections[] = {
        {GR_OBJECTION_REQUIRED, GR_VERDICT_REFUSED, GR_STR("need"), GR_STR("why")},
        {GR_OBJECTION_REQUEST, GR_VERDICT_IGNORED, GR_STR("a\nb"), GR_STR("because")},
    };
    const struct gr_decision decision = {
        .refuse = true, .refusal = GR_STR("text"), .objections = objections, .objections_n = 2};

    (void)state;
    expect(GR_LEVEL_WARNING, &decision, true,
           "level=warning msg=\"required set missing\" set=need verdict=refused reason=why "
           "namespace=prod pod=web-0 id=id-1\n"
           "level=warning msg=\"request denied\" set=\"a\\u000ab\" verdict=ignored reason=because "
           "namespace=prod pod=web-0 id=id-1\n"
           "level=warning msg=\"container refused\" namespace=prod pod=web-0 container=web id=id-1 "
           "hooks=0 adjusted=0 reason=text\n");
}

static const struct gr_suspension paused = {.set = {"late", 4}};

/* One line for all of them, with the container, whether it was given something or not. */
static void test_observed(void **state)
{
    const struct gr_set_result results[] = {
        {.set = &early, .truth = GR_TRUE, .verdict = GR_VERDICT_OBSERVED},
        {.set = &late, .truth = GR_TRUE, .verdict = GR_VERDICT_OBSERVED, .suspended = &paused},
        {.set = &late, .truth = GR_TRUE, .verdict = GR_VERDICT_INJECTED},
    };
    struct gr_decision decision = {.results = results, .results_n = 2};

    (void)state;
    expect(GR_LEVEL_INFO, &decision, false,
           "level=info msg=\"container left as it is\" namespace=prod pod=web-0 container=web "
           "id=id-1 observed=early paused=late hooks=0 adjusted=0\n");
    expect(GR_LEVEL_WARNING, &decision, false, "");
    decision.results_n = 3;
    decision.hooks_n = 1;
    expect(GR_LEVEL_INFO, &decision, false,
           "level=info msg=\"hooks added\" namespace=prod pod=web-0 container=web id=id-1 "
           "sets=late observed=early paused=late hooks=1 adjusted=0\n");
    decision.results_n = 1;
    decision.hooks_n = 0;
    expect(GR_LEVEL_DEBUG, &decision, false,
           "level=debug msg=\"hook set\" set=early verdict=observed match=true namespace=prod "
           "pod=web-0 container=web id=id-1\n"
           "level=info msg=\"container left as it is\" namespace=prod pod=web-0 container=web "
           "id=id-1 observed=early hooks=0 adjusted=0\n");
}

/* After pause --all: what fits, and no line more. */
static void test_many_paused(void **state)
{
    struct gr_set_result results[100];
    struct gr_hookset sets[GR_ARRAY_LEN(results)];
    const struct gr_decision decision = {.results = results, .results_n = GR_ARRAY_LEN(results)};
    char names[GR_ARRAY_LEN(results)][16], list[GR_ARRAY_LEN(results) * 16] = "", line[1024];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(results); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "paused-%03zu", i);
        sets[i] = (struct gr_hookset){.name = gr_str_from(names[i])};
        results[i] = (struct gr_set_result){
            .set = &sets[i], .verdict = GR_VERDICT_OBSERVED, .suspended = &paused};
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? "," : "", names[i]);
    }
    (void)snprintf(line, sizeof(line),
                   "level=info msg=\"container left as it is\" namespace=prod pod=web-0 "
                   "container=web id=id-1 paused=%.505s hooks=0 adjusted=0\n",
                   list);
    expect(GR_LEVEL_INFO, &decision, false, line);
}

static void test_exempt(void **state)
{
    const struct gr_decision decision = {.exempt = true};

    (void)state;
    expect(GR_LEVEL_INFO, &decision, false, "");
    expect(GR_LEVEL_DEBUG, &decision, false,
           "level=debug msg=\"container exempt by policy\" namespace=prod pod=web-0 container=web "
           "id=id-1 hooks=0 adjusted=0\n");
}

int main(void)
{
    test_add("two sets adjust one thing", test_overridden);
    test_add("objections", test_objections);
    test_add("observed and paused", test_observed);
    test_add("many that are paused", test_many_paused);
    test_add("exempt", test_exempt);
    return test_run("log_created");
}
