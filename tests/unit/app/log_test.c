/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one line each whatever a pod writes, in both formats. */
#include "capturing.h"

#include <fcntl.h>
#include <jansson.h>

#include "app/log.h"

static const struct gr_log logfmt = {.level = GR_LEVEL_INFO, .format = GR_LOG_LOGFMT};
static const struct gr_log json = {.level = GR_LEVEL_INFO, .format = GR_LOG_JSON};

#define HOSTILE "a\nb\"c\\d\x01\xff\xe2\x80\xa8 e=f"

/* Time is the only part that differs from run to run. */
static const char *behind_time(const char *line)
{
    const char *at = strchr(line, ' ');

    assert_memory_equal(line, "time=", 5);
    assert_non_null(at);
    return at + 1;
}

static void test_logfmt(void **state)
{
    struct captured c;

    (void)state;
    capture_begin(&c);
    GR_LOG(&logfmt, GR_LEVEL_WARNING, "two words", GR_LOG_TEXT("plain", "abc"),
           GR_LOG_TEXT("empty", ""), GR_LOG_INT("n", -5), GR_LOG_STR("hostile", GR_STR(HOSTILE)));
    capture_end(&c);
    assert_string_equal(behind_time(c.text),
                        "level=warning msg=\"two words\" plain=abc n=-5 "
                        "hostile=\"a\\u000ab\\\"c\\\\d\\u0001\\xff\\u2028 e=f\"\n");
}

static void test_json(void **state)
{
    struct captured c;
    json_t *line;

    (void)state;
    capture_begin(&c);
    GR_LOG(&json, GR_LEVEL_ERROR, "m", GR_LOG_STR("hostile", GR_STR("x\n\"y")),
           GR_LOG_STR("broken", GR_STR("\xff")), GR_LOG_INT("n", 7));
    capture_end(&c);
    assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
    line = json_loads(c.text, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "hostile")), "x\n\"y");
    assert_string_equal(json_string_value(json_object_get(line, "broken")), "\\xff");
    assert_int_equal(json_integer_value(json_object_get(line, "n")), 7);
    json_decref(line);
}

static void test_journal(void **state)
{
    const struct gr_log journal = {.level = GR_LEVEL_DEBUG, .journal = true};
    struct captured c;

    (void)state;
    capture_begin(&c);
    GR_LOG(&journal, GR_LEVEL_ERROR, "one", GR_LOG_INT("n", 1));
    GR_LOG(&journal, GR_LEVEL_DEBUG, "two", GR_LOG_INT("n", 2));
    capture_end(&c);
    assert_string_equal(c.text, "<3>level=error msg=one n=1\n<7>level=debug msg=two n=2\n");
}

static void test_level(void **state)
{
    struct captured c;

    (void)state;
    capture_begin(&c);
    GR_LOG(&logfmt, GR_LEVEL_DEBUG, "not wanted", GR_LOG_INT("n", 1));
    capture_end(&c);
    assert_string_equal(c.text, "");
}

static void test_long_lines_are_cut_and_end(void **state)
{
    static char huge[10000];
    struct captured c;

    (void)state;
    memset(huge, 'x', sizeof(huge));
    capture_begin(&c);
    GR_LOG(&logfmt, GR_LEVEL_INFO, "m", GR_LOG_STR("huge", ((struct gr_str){huge, sizeof(huge)})),
           GR_LOG_INT("after", 1));
    capture_end(&c);
    assert_true(strlen(c.text) <= 4097);
    /* What comes behind is not pushed out. */
    assert_non_null(strstr(c.text, "xxx after=1\n"));
}

/* Half an object is none: the longest values are cut until the line fits. */
static void test_long_json_is_cut_and_stays_valid(void **state)
{
    static char huge[3000];
    const struct gr_str hostile = {huge, sizeof(huge)};
    struct captured c;
    json_t *line;

    (void)state;
    memset(huge, '"', sizeof(huge));
    capture_begin(&c);
    GR_LOG(&json, GR_LEVEL_WARNING, "container refused", GR_LOG_STR("pod", hostile),
           GR_LOG_STR("image", hostile), GR_LOG_TEXT("after", "all"), GR_LOG_INT("n", 1));
    capture_end(&c);
    assert_in_range(strlen(c.text), 1024, 4097);
    assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
    line = json_loads(c.text, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "msg")), "container refused");
    assert_string_equal(json_string_value(json_object_get(line, "after")), "all");
    assert_int_equal(json_integer_value(json_object_get(line, "n")), 1);
    assert_true(json_string_length(json_object_get(line, "image")) > 256);
    json_decref(line);
}

/* A value is cut at the edge of a character. */
static void test_long_json_of_wide_characters(void **state)
{
    static char huge[6002];
    struct captured c;
    json_t *line;

    (void)state;
    huge[0] = 'x';
    for (size_t i = 1; i + 1 < sizeof(huge); i += 2)
        memcpy(huge + i, "\xc3\xa9", 2);
    huge[sizeof(huge) - 1] = '\0';
    capture_begin(&c);
    GR_LOG(&json, GR_LEVEL_INFO, "m", GR_LOG_TEXT("huge", huge));
    capture_end(&c);
    line = json_loads(c.text, 0, NULL);
    assert_non_null(line);
    assert_memory_equal(json_string_value(json_object_get(line, "huge")), huge, 257);
    json_decref(line);
}

/* What turns the direction of writing, and what a terminal takes for the start of a command. */
static void test_no_line_is_turned_round(void **state)
{
    static const char text[] = "a\xe2\x80\xaegnp.\xe2\x81\xa6\xc2\x9b\xd8\x9c";
    struct captured c;

    (void)state;
    capture_begin(&c);
    GR_LOG(&logfmt, GR_LEVEL_INFO, "m", GR_LOG_TEXT("t", text));
    capture_end(&c);
    assert_string_equal(behind_time(c.text),
                        "level=info msg=m t=\"a\\u202egnp.\\u2066\\u009b\\u061c\"\n");
    capture_begin(&c);
    GR_LOG(&json, GR_LEVEL_INFO, "m", GR_LOG_TEXT("t", text));
    capture_end(&c);
    assert_non_null(strstr(c.text, "\"t\":\"a\\u202Egnp.\\u2066\\u009B\\u061C\""));
}

int main(void)
{
    test_add("logfmt: quoted, escaped, empty ones left out", test_logfmt);
    test_add("json: one valid object a line", test_json);
    test_add("a line of the journal", test_journal);
    test_add("lines below the level are not written", test_level);
    test_add("a long line is cut and ends", test_long_lines_are_cut_and_end);
    test_add("long json is cut and stays valid", test_long_json_is_cut_and_stays_valid);
    test_add("long json of wide characters", test_long_json_of_wide_characters);
    test_add("no line is turned round", test_no_line_is_turned_round);
    return test_run("log");
}
