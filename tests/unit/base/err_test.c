/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include <errno.h>

#include "base/err.h"
#include "base/utf8.h"

static void test_fail(void **state GR_UNUSED)
{
    struct gr_err err = {.line = 7, .column = 3, .file = "a.yaml", .sys_errno = 9};

    assert_int_equal(gr_fail(&err, -EINVAL, "bad-thing", "expected %s, found %d", "x", 5), -EINVAL);
    assert_string_equal(err.code, "bad-thing");
    assert_string_equal(err.text, "expected x, found 5");
    assert_int_equal(err.sys_errno, 0);
    /* The position that was set before is kept. */
    assert_string_equal(err.file, "a.yaml");
    assert_int_equal(err.line, 7);
    assert_int_equal(gr_fail(&err, 2, "other", "t"), 2);
    assert_string_equal(err.text, "t");
}

static void test_nobody_listens(void **state GR_UNUSED)
{
    struct gr_reporter none = {0};
    struct gr_err err = {0};

    assert_int_equal(gr_fail(NULL, -EINVAL, "c", "%d", 1), -EINVAL);
    assert_int_equal(gr_fail_errno(NULL, -ENOENT, "c", "%d", 1), -ENOENT);
    gr_err_at(NULL, "f", 1, 1);
    gr_report(NULL, GR_LEVEL_ERROR, &err);
    gr_report(&none, GR_LEVEL_ERROR, &err);
}

static void test_fail_errno(void **state GR_UNUSED)
{
    struct gr_err err = {0};

    assert_int_equal(gr_fail_errno(&err, -ENOENT, "open", "opening %s", "/x"), -ENOENT);
    assert_string_equal(err.text, "opening /x: No such file or directory");
    assert_int_equal(err.sys_errno, ENOENT);
}

static const struct text_row {
    const char *name;
    size_t bytes; /* that many 'x', then the end */
    const char *end;
    size_t length;
} text_rows[] = {
    {"short", 3, "", 3},
    {"just fits", GR_ERR_TEXT_BYTES - 1, "", GR_ERR_TEXT_BYTES - 1},
    {"one too long", GR_ERR_TEXT_BYTES, "", GR_ERR_TEXT_BYTES - 1},
    {"cut before a character", GR_ERR_TEXT_BYTES - 2, "\xc3\xa9", GR_ERR_TEXT_BYTES - 2},
    {"a character just fits", GR_ERR_TEXT_BYTES - 3, "\xc3\xa9", GR_ERR_TEXT_BYTES - 1},
    {"controls are replaced", 1, "\n\x1b[0m", 6},
};

static void text(void **state)
{
    static char in[2 * GR_ERR_TEXT_BYTES];
    const struct text_row *row = *state;
    struct gr_err err = {0};

    memset(in, 'x', row->bytes);
    (void)snprintf(in + row->bytes, sizeof(in) - row->bytes, "%s", row->end);
    assert_int_equal(gr_fail(&err, -1, "c", "%s", in), -1);
    assert_int_equal(strlen(err.text), row->length);
    assert_true(gr_utf8_is_valid(gr_str_from(err.text)));
    for (size_t i = 0; err.text[i]; i++)
        assert_false((unsigned char)err.text[i] < 0x20);
    /* The system's words are added as far as there is room. */
    assert_int_equal(gr_fail_errno(&err, -EACCES, "c", "%s", in), -EACCES);
    assert_true(strlen(err.text) < GR_ERR_TEXT_BYTES);
}

static const struct format_row {
    const char *name;
    const char *file;
    uint32_t line, column;
    enum gr_level level;
    const char *expected;
} format_rows[] = {
    {"all", "/etc/a.yaml", 12, 5, GR_LEVEL_ERROR, "/etc/a.yaml:12:5: error: text"},
    {"no line", "/etc/a.yaml", 0, 0, GR_LEVEL_WARNING, "/etc/a.yaml: warning: text"},
    {"no file", NULL, 3, 4, GR_LEVEL_INFO, "3:4: info: text"},
    {"neither", NULL, 0, 0, GR_LEVEL_DEBUG, "debug: text"},
    {"control character in the name", "a\nb", 1, 1, GR_LEVEL_ERROR, "a?b:1:1: error: text"},
};

static void format(void **state)
{
    const struct format_row *row = *state;
    struct gr_err err = {0};
    char out[1024], small[8];

    gr_err_at(&err, row->file, row->line, row->column);
    assert_int_equal(gr_fail(&err, -1, "c", "text"), -1);
    gr_err_format(&err, row->level, out, sizeof(out));
    assert_string_equal(out, row->expected);
    gr_err_format(&err, row->level, small, sizeof(small));
    assert_int_equal(strlen(small), sizeof(small) - 1);
    assert_memory_equal(small, row->expected, sizeof(small) - 1);
}

static void test_position(void **state GR_UNUSED)
{
    static char name[2 * GR_ERR_FILE_BYTES];
    struct gr_err err = {0};

    gr_err_at(&err, "a", 1, 2);
    gr_err_at(&err, NULL, 3, 4);
    assert_string_equal(err.file, "a");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 4);
    memset(name, 'n', sizeof(name) - 1);
    gr_err_at(&err, name, 1, 1);
    assert_int_equal(strlen(err.file), GR_ERR_FILE_BYTES - 1);
}

static void take_report(void *user, enum gr_level level, const struct gr_err *err)
{
    assert_int_equal(level, GR_LEVEL_WARNING);
    assert_string_equal(err->code, "c");
    ++*(int *)user;
}

static void test_report(void **state GR_UNUSED)
{
    int reports = 0;
    struct gr_reporter to = {.report = take_report, .user = &reports};
    struct gr_err err = {.code = "c"};

    gr_report(&to, GR_LEVEL_WARNING, &err);
    assert_int_equal(reports, 1);
}

int main(void)
{
    TEST_ADD_ROWS(text, text_rows);
    TEST_ADD_ROWS(format, format_rows);
    test_add("fail", test_fail);
    test_add("nobody listens", test_nobody_listens);
    test_add("fail errno", test_fail_errno);
    test_add("position", test_position);
    test_add("report", test_report);
    return test_run("base/err");
}
