/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/cli/test/parts.h"
#include "app/exit.h"

/* What a result is called: the case, and the container where there are several. */
static void put_name(const struct gr_test_result *result, void (*put)(struct gr_str text))
{
    put(result->name);
    if (result->container.n > 0) {
        put(GR_STR(": "));
        put(result->container);
    }
}

static uint32_t line_of(const struct gr_test_suite *suite, const struct gr_test_result *result)
{
    return result->c ? result->c->at.line : suite->suite->at.line;
}

static void put_plain(struct gr_str text)
{
    (void)fwrite(text.p, 1, text.n, stdout);
}

static const char *never(const struct gr_test_gap *gap)
{
    if (gap->never_true && gap->never_false)
        return "neither true nor false";
    return gap->never_true ? "never true" : "never false";
}

static void text_coverage(const struct gr_test_suite *suite)
{
    const struct gr_test_coverage *c = &suite->coverage;

    (void)printf("\n%s: %zu of %zu sets matched in some case, %zu of %zu conditions were both true "
                 "and false\n",
                 suite->suite->name.p, c->sets_matched, c->sets, c->conditions_covered,
                 c->conditions);
    for (const struct gr_test_gap *gap = c->gaps; gap; gap = gap->next) {
        (void)printf("  %s:%u:%u: %s: ", gap->file.p, gap->at.line, gap->at.column, gap->set.p);
        if (gap->condition.n > 0)
            (void)printf("%s: %s\n", gap->condition.p, never(gap));
        else
            (void)puts("matched in no case");
    }
}

static void print_text(const struct gr_test_run *run, bool coverage)
{
    for (const struct gr_test_suite *suite = run->suites; suite; suite = suite->next) {
        for (const struct gr_test_result *result = suite->results; result; result = result->next) {
            (void)printf("%-4s  %s: ", result->failures ? "FAIL" : "ok", suite->suite->name.p);
            put_name(result, put_plain);
            (void)fputc('\n', stdout);
            for (const struct gr_test_failure *f = result->failures; f; f = f->next)
                (void)printf("      %s:%u:%u: %s\n", suite->suite->file.p, f->at.line, f->at.column,
                             f->text.p);
        }
    }
    for (const struct gr_test_suite *suite = run->suites; suite && coverage; suite = suite->next)
        text_coverage(suite);
    (void)printf("\n%zu passed, %zu failed\n", run->n - run->failed, run->failed);
}

/* TAP ends a description at "#". */
static void put_tap(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '#' || text.p[i] == '\\')
            (void)fputc('\\', stdout);
        (void)fputc(text.p[i], stdout);
    }
}

static void print_tap(const struct gr_test_run *run)
{
    size_t number = 0;

    (void)printf("TAP version 13\n1..%zu\n", run->n);
    for (const struct gr_test_suite *suite = run->suites; suite; suite = suite->next) {
        for (const struct gr_test_result *result = suite->results; result; result = result->next) {
            (void)printf("%sok %zu - ", result->failures ? "not " : "", ++number);
            put_tap(suite->suite->name);
            (void)fputs(": ", stdout);
            put_name(result, put_tap);
            (void)fputc('\n', stdout);
            for (const struct gr_test_failure *f = result->failures; f; f = f->next)
                (void)printf("# %s:%u:%u: %s\n", suite->suite->file.p, f->at.line, f->at.column,
                             f->text.p);
        }
    }
}

/* Texts are printable, so that no character is one that XML cannot hold. */
static void put_xml(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '&')
            (void)fputs("&amp;", stdout);
        else if (text.p[i] == '<')
            (void)fputs("&lt;", stdout);
        else if (text.p[i] == '>')
            (void)fputs("&gt;", stdout);
        else if (text.p[i] == '"')
            (void)fputs("&quot;", stdout);
        else
            (void)fputc(text.p[i], stdout);
    }
}

static void junit_result(const struct gr_test_suite *suite, const struct gr_test_result *result)
{
    (void)fputs("    <testcase classname=\"", stdout);
    put_xml(suite->suite->name);
    (void)fputs("\" name=\"", stdout);
    put_name(result, put_xml);
    (void)fputs("\" file=\"", stdout);
    put_xml(suite->suite->file);
    (void)printf("\" line=\"%u\"", line_of(suite, result));
    if (!result->failures) {
        (void)fputs("/>\n", stdout);
        return;
    }
    (void)fputs(">\n      <failure message=\"", stdout);
    put_xml(result->failures->text);
    (void)fputs("\">", stdout);
    for (const struct gr_test_failure *f = result->failures; f; f = f->next) {
        put_xml(suite->suite->file);
        (void)printf(":%u:%u: ", f->at.line, f->at.column);
        put_xml(f->text);
        (void)fputs(f->next ? "\n" : "", stdout);
    }
    (void)fputs("</failure>\n    </testcase>\n", stdout);
}

static void print_junit(const struct gr_test_run *run)
{
    (void)printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<testsuites tests=\"%zu\" failures=\"%zu\">\n",
                 run->n, run->failed);
    for (const struct gr_test_suite *suite = run->suites; suite; suite = suite->next) {
        (void)fputs("  <testsuite name=\"", stdout);
        put_xml(suite->suite->name);
        (void)printf("\" tests=\"%zu\" failures=\"%zu\">\n", suite->n, suite->failed);
        for (const struct gr_test_result *result = suite->results; result; result = result->next)
            junit_result(suite, result);
        (void)fputs("  </testsuite>\n", stdout);
    }
    (void)fputs("</testsuites>\n", stdout);
}

static void set_place(json_t *object, struct gr_place at)
{
    (void)json_object_set_new(object, "line", json_integer(at.line));
    (void)json_object_set_new(object, "column", json_integer(at.column));
}

static json_t *result_json(const struct gr_test_suite *suite, const struct gr_test_result *result)
{
    json_t *object = json_object(), *failures = json_array();

    for (const struct gr_test_failure *f = result->failures; f; f = f->next) {
        json_t *failure = json_object();

        gr_json_set_str(failure, "text", f->text);
        set_place(failure, f->at);
        (void)json_array_append_new(failures, failure);
    }
    gr_json_set_str(object, "name", result->name);
    gr_json_set_str(object, "container", result->container);
    (void)json_object_set_new(object, "line", json_integer(line_of(suite, result)));
    (void)json_object_set_new(object, "passed", json_boolean(!result->failures));
    (void)json_object_set_new(object, "failures", failures);
    return object;
}

static json_t *coverage_json(const struct gr_test_coverage *coverage)
{
    json_t *gaps = json_array();

    for (const struct gr_test_gap *gap = coverage->gaps; gap; gap = gap->next) {
        json_t *object = json_object();

        gr_json_set_str(object, "set", gap->set);
        gr_json_set_str(object, "condition", gap->condition);
        gr_json_set_str(object, "file", gap->file);
        set_place(object, gap->at);
        if (gap->condition.n > 0) {
            (void)json_object_set_new(object, "neverTrue", json_boolean(gap->never_true));
            (void)json_object_set_new(object, "neverFalse", json_boolean(gap->never_false));
        }
        (void)json_array_append_new(gaps, object);
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "sets", (json_int_t)coverage->sets, "setsMatched",
                     (json_int_t)coverage->sets_matched, "conditions",
                     (json_int_t)coverage->conditions, "conditionsCovered",
                     (json_int_t)coverage->conditions_covered, "uncovered", gaps);
}

static json_t *suite_json(const struct gr_test_suite *suite, bool coverage)
{
    json_t *object = json_object(), *results = json_array();

    for (const struct gr_test_result *result = suite->results; result; result = result->next)
        (void)json_array_append_new(results, result_json(suite, result));
    gr_json_set_str(object, "name", suite->suite->name);
    gr_json_set_str(object, "file", suite->suite->file);
    (void)json_object_set_new(object, "cases", results);
    if (coverage)
        (void)json_object_set_new(object, "coverage", coverage_json(&suite->coverage));
    return object;
}

static int print_json(const struct gr_test_run *run, bool coverage)
{
    json_t *suites = json_array();

    for (const struct gr_test_suite *suite = run->suites; suite; suite = suite->next)
        (void)json_array_append_new(suites, suite_json(suite, coverage));
    return gr_document_print("test",
                             json_pack("{s:I, s:I, s:o}", "passed",
                                       (json_int_t)(run->n - run->failed), "failed",
                                       (json_int_t)run->failed, "suites", suites),
                             GR_OUTPUT_JSON);
}

int gr_test_print(const struct gr_test_run *run, enum gr_output output, bool coverage)
{
    if (output == GR_OUTPUT_JSON)
        return print_json(run, coverage);
    if (output == GR_OUTPUT_JUNIT)
        print_junit(run);
    else if (output == GR_OUTPUT_TAP)
        print_tap(run);
    else
        print_text(run, coverage);
    return GR_EXIT_OK;
}
