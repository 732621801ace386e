/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "app/cli/shared/subject_flags.h"
#include "app/cli/test/parts.h"
#include "app/exit.h"
#include "base/utf8.h"

#define FAILURE_BYTES 2048

/* The name of a node of which a suite says nothing: that of this host would make results differ. */
#define NODE_DEFAULT "test-node"

/* Of every container that only the suite describes. */
#define CONTAINER_ID "container-id"
#define POD_UID "pod-uid"

int gr_test_fail(struct gr_arena *arena, struct gr_test_result *result, struct gr_place at,
                 const char *format, ...)
{
    struct gr_test_failure *failure = gr_arena_alloc(arena, sizeof(*failure));
    char text[FAILURE_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    gr_utf8_make_printable(text);
    if (!failure || !gr_arena_str(arena, gr_str_from(text), &failure->text))
        return -ENOMEM;
    failure->at = at;
    *result->failures_end = failure;
    result->failures_end = &failure->next;
    return 0;
}

/* name: of what is no case */
static struct gr_test_result *add_result(struct gr_test_run *run, struct gr_test_suite *suite,
                                         const struct gr_case *c, const char *name)
{
    struct gr_test_result *result = gr_arena_alloc(run->arena, sizeof(*result));

    if (!result)
        return NULL;
    result->c = c;
    result->name = c ? c->name : gr_str_from(name);
    result->failures_end = &result->failures;
    *suite->results_end = result;
    suite->results_end = &result->next;
    suite->n++;
    return result;
}

/* A path of a suite counts from the suite's file. NULL without memory. */
static char *beside(struct gr_arena *arena, const struct gr_suite *suite, struct gr_str path)
{
    size_t slash = gr_str_rfind(suite->file, '/');
    size_t n = slash < suite->file.n && path.n > 0 && path.p[0] != '/' ? slash + 1 : 0;
    char *joined = gr_arena_alloc(arena, n + path.n + 1);

    if (!joined)
        return NULL;
    memcpy(joined, suite->file.p, n);
    if (path.n > 0)
        memcpy(joined + n, path.p, path.n);
    return joined;
}

static int read_containers(struct gr_test_run *run, const struct gr_suite *suite,
                           const struct gr_case *c, struct gr_inputs *out_inputs)
{
    const char **from = gr_arena_array(run->arena, c->from.n, sizeof(*from));
    struct gr_subject_source source = {.verb = "test",
                                       .from = from,
                                       .from_n = c->from.n,
                                       .given = c->container,
                                       .fields = c->given};

    if (!from)
        return -ENOMEM;
    for (size_t i = 0; i < c->from.n; i++) {
        from[i] = beside(run->arena, suite, c->from.items[i]);
        if (!from[i])
            return -ENOMEM;
    }
    return gr_subjects_read(&source, run->arena, run->reporter, out_inputs);
}

/* What the case wants to be unknown, and what no document told. */
static void finish_container(const struct gr_case *c, struct gr_subject *subject)
{
    subject->unknown_fields |= c->unknown;
    if (c->unknown & 1U << GR_FIELD_IMAGE)
        subject->image = (struct gr_image){0};
    if (c->from.n > 0)
        return;
    subject->id = GR_STR(CONTAINER_ID);
    subject->pod_uid = GR_STR(POD_UID);
}

static int run_container(struct gr_test_run *run, struct gr_test_suite *suite,
                         const struct gr_loaded *loaded, struct gr_test_seen *seen,
                         const struct gr_subject *subject, struct gr_test_result *result)
{
    struct gr_decide_options options = gr_settings_decide_options(&loaded->settings);
    struct gr_explanation explanation;
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 64U << 10, 0);
    r = gr_explain(loaded->load.ruleset, subject, &options, &arena, &explanation);
    if (r == 0) {
        r = gr_test_check(run->arena, &explanation, &result->c->expect, result);
        gr_test_seen_add(seen, &explanation, &arena);
    }
    suite->failed += result->failures != NULL;
    gr_arena_fini(&arena);
    return r;
}

static int run_case(struct gr_test_run *run, struct gr_test_suite *suite,
                    const struct gr_loaded *loaded, struct gr_test_seen *seen,
                    const struct gr_case *c)
{
    struct gr_inputs inputs = {0};
    int r = read_containers(run, suite->suite, c, &inputs);

    if (r < 0)
        return r;
    if (r != GR_EXIT_OK) {
        struct gr_test_result *result = add_result(run, suite, c, NULL);

        suite->failed++;
        return result ? gr_test_fail(run->arena, result, c->at,
                                     "its containers could not be read, see the messages above")
                      : -ENOMEM;
    }
    for (size_t i = 0; i < inputs.n && r == 0; i++) {
        struct gr_test_result *result = add_result(run, suite, c, NULL);
        char title[1024];

        if (!result)
            return -ENOMEM;
        gr_subject_title(&inputs.subjects[i], title, sizeof(title));
        if (inputs.n > 1 && !gr_arena_str(run->arena, gr_str_from(title), &result->container))
            return -ENOMEM;
        finish_container(c, &inputs.subjects[i]);
        r = run_container(run, suite, loaded, seen, &inputs.subjects[i], result);
    }
    return r;
}

static int run_cases(struct gr_test_run *run, struct gr_test_suite *suite,
                     const struct gr_loaded *loaded)
{
    struct gr_test_seen *seen;
    int r = gr_test_seen_new(run->arena, loaded->load.ruleset, &seen);

    for (size_t i = 0; i < suite->suite->cases_n && r == 0; i++)
        r = run_case(run, suite, loaded, seen, &suite->suite->cases[i]);
    return r ? r : gr_test_seen_tell(seen, run->arena, &suite->coverage);
}

/* The settings of the command line with the rules and the node of the suite. An exit code; < 0. */
static int load_rules(struct gr_test_run *run, const struct gr_suite *suite,
                      struct gr_loaded *out_loaded)
{
    struct gr_common *common = gr_arena_alloc(run->arena, sizeof(*common));
    struct gr_config *config;
    int r = GR_EXIT_OK;

    if (!common)
        return -ENOMEM;
    *common = *run->common;
    config = &common->flags.config;
    for (size_t i = 0; i < suite->rules.n && r == GR_EXIT_OK; i++) {
        char *path = beside(run->arena, suite, suite->rules.items[i]);

        if (!path)
            return -ENOMEM;
        r = gr_common_path(common, path);
    }
    if (r != GR_EXIT_OK)
        return r;
    config->node_name = suite->node.n > 0 ? suite->node.p : NODE_DEFAULT;
    config->origins[GR_SETTING_NODE_NAME] =
        (struct gr_setting_origin){.has = true, .source = GR_CONFIG_FLAG};
    if (suite->environment.n > 0) {
        config->environment = suite->environment.p;
        config->origins[GR_SETTING_ENVIRONMENT] =
            (struct gr_setting_origin){.has = true, .source = GR_CONFIG_FLAG};
    }
    if (suite->policy.n > 0) {
        common->flags.policy_path = beside(run->arena, suite, suite->policy);
        if (!common->flags.policy_path)
            return -ENOMEM;
    }
    gr_common_seal(common);
    return gr_common_load(common, GR_STR_NONE, run->host, run->reporter, out_loaded);
}

/* One result that is no case, and that failed. */
static int refuse(struct gr_test_run *run, struct gr_test_suite *suite, const char *name,
                  const char *why)
{
    struct gr_test_result *result = add_result(run, suite, NULL, name);

    suite->failed++;
    return result ? gr_test_fail(run->arena, result, suite->suite->at, "%s", why) : -ENOMEM;
}

static int refuse_rules(struct gr_test_run *run, struct gr_test_suite *suite)
{
    return refuse(run, suite, "rules", "its rules cannot be used, see the messages above");
}

static struct gr_test_suite *add_suite(struct gr_test_run *run, const struct gr_suite *suite)
{
    struct gr_test_suite *ours = gr_arena_alloc(run->arena, sizeof(*ours));

    if (!ours)
        return NULL;
    ours->suite = suite;
    ours->results_end = &ours->results;
    *run->suites_end = ours;
    run->suites_end = &ours->next;
    return ours;
}

static void count(struct gr_test_run *run, const struct gr_test_suite *suite)
{
    run->n += suite->n;
    run->failed += suite->failed;
}

/* A name of a file as it may stand in every form of output. */
static int keep_printable(struct gr_arena *arena, struct gr_str name, struct gr_str *out)
{
    char *text = gr_arena_alloc(arena, name.n + 1);

    if (!text)
        return -ENOMEM;
    if (name.n > 0)
        memcpy(text, name.p, name.n);
    gr_utf8_make_printable(text);
    *out = gr_str_from(text);
    return 0;
}

int gr_test_refuse_file(struct gr_test_run *run, const char *path, const char *why)
{
    struct gr_str file = strcmp(path, "-") == 0 ? GR_STR("stdin") : gr_str_from(path);
    struct gr_suite *suite = gr_arena_alloc(run->arena, sizeof(*suite));
    struct gr_test_suite *ours = suite ? add_suite(run, suite) : NULL;
    int r;

    if (!ours)
        return -ENOMEM;
    suite->at = (struct gr_place){.line = 1, .column = 1};
    r = keep_printable(run->arena, file, &suite->file);
    if (r == 0)
        r = keep_printable(run->arena, gr_test_stem(suite->file.p), &suite->name);
    if (r == 0)
        r = refuse(run, ours, "suite", why);
    count(run, ours);
    return r;
}

int gr_test_run_suite(struct gr_test_run *run, const struct gr_suite *suite)
{
    struct gr_test_suite *ours = add_suite(run, suite);
    struct gr_loaded loaded;
    int r;

    if (!ours)
        return -ENOMEM;
    r = load_rules(run, suite, &loaded);
    if (r < 0)
        return r;
    if (r != GR_EXIT_OK) {
        r = refuse_rules(run, ours);
    } else {
        r = loaded.load.errors > 0 || !loaded.settings.sound ? refuse_rules(run, ours)
                                                             : run_cases(run, ours, &loaded);
        gr_common_unload(&loaded);
    }
    count(run, ours);
    return r;
}
