/* SPDX-License-Identifier: Apache-2.0 */
/* state/report: good datagrams, and every way in which one is none. */
#include "testing.h"

#include <errno.h>

#include "base/buf.h"
#include "state/report.h"

#define SET "\"set\":\"tap\""
#define HASH "\"hash\":\"0123456789abcdef\""
#define ID "\"id\":\"c0ffee\""
#define STAGE "\"stage\":\"poststop\""
#define MS "\"durationMs\":7"
#define WITH(result) "{\"v\":1," SET "," HASH "," ID "," STAGE ",\"result\":\"" result "\"," MS "}"
#define MORE(more) "{\"v\":1," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "," more "}"

struct row {
    const char *name;
    const char *text;
};

static int read_text(struct gr_arena *arena, struct gr_str text, struct gr_report *report)
{
    uint8_t *exact = test_exact(text.p, text.n);
    const struct gr_str given = {.p = (const char *)exact, .n = text.n};
    struct gr_err err = {0};
    struct gr_str copy;
    int r;

    assert_true(gr_arena_str(arena, given, &copy));
    r = gr_report_read(arena, given, report, &err);
    free(exact);
    if (r == 0) /* what it borrows is still there */
        assert_int_equal(gr_report_read(arena, copy, report, &err), 0);
    else
        assert_true(err.code && err.text[0]);
    return r;
}

static void whole(void **state)
{
    struct gr_report report;
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(
        read_text(&arena,
                  GR_STR("{\"output\":\"no \\u0022net\\u0022\",\"code\":255," SET "," HASH "," ID
                         "," STAGE ",\"result\":\"exit\",\"durationMs\":86400000,\"v\":1}"),
                  &report),
        0);
    assert_str(report.set, "tap");
    assert_str(report.id, "c0ffee");
    assert_str(report.output, "no \"net\"");
    assert_int_equal(report.hash, UINT64_C(0x0123456789abcdef));
    assert_int_equal(report.stage, GR_STAGE_POSTSTOP);
    assert_int_equal(report.result, GR_REPORT_EXIT);
    assert_int_equal(report.code, 255);
    assert_int_equal(report.duration_ms, 86400000);
    gr_arena_fini(&arena);
}

static const struct row good_rows[] = {
    {"ok", WITH("ok")},
    {"timeout", WITH("timeout")},
    {"exec", WITH("exec")},
    {"verify", WITH("verify")},
    {"blanks", " \n" MORE("\"code\": 0") "\r\n"},
    {"members of a later version", MORE("\"attempts\":[1,{\"code\":-5}],\"x\":null,\"y\":1e9")},
    {"an empty output", MORE("\"output\":\"\"")},
    {"a line in it", MORE("\"output\":\"a\\nb\"")},
};

static void good(void **state)
{
    const struct row *row = *state;
    struct gr_report report;
    struct gr_arena arena;

    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(read_text(&arena, gr_str_from(row->text), &report), 0);
    gr_arena_fini(&arena);
}

static const struct row bad_rows[] = {
    {"nothing", ""},
    {"blanks only", "  "},
    {"no JSON", "tap failed"},
    {"cut off", "{\"v\":1," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS},
    {"two", WITH("ok") WITH("ok")},
    {"a list", "[" WITH("ok") "]"},
    {"a text", "\"ok\""},
    {"no version", "{" SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"no set", "{\"v\":1," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"no hash", "{\"v\":1," SET "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"no id", "{\"v\":1," SET "," HASH "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"no stage", "{\"v\":1," SET "," HASH "," ID ",\"result\":\"ok\"," MS "}"},
    {"no result", "{\"v\":1," SET "," HASH "," ID "," STAGE "," MS "}"},
    {"no duration", "{\"v\":1," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"}"},
    {"another version", "{\"v\":2," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a version in quotes",
     "{\"v\":\"1\"," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a set that is none",
     "{\"v\":1,\"set\":\"../tap\"," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"an empty set", "{\"v\":1,\"set\":\"\"," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a set with NUL",
     "{\"v\":1,\"set\":\"a\\u0000\"," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a hash of 15",
     "{\"v\":1," SET ",\"hash\":\"123456789abcdef\"," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a hash in capitals",
     "{\"v\":1," SET ",\"hash\":\"0123456789ABCDEF\"," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a hash of another sort",
     "{\"v\":1," SET ",\"hash\":16," ID "," STAGE ",\"result\":\"ok\"," MS "}"},
    {"a stage that is none",
     "{\"v\":1," SET "," HASH "," ID ",\"stage\":\"Poststop\",\"result\":\"ok\"," MS "}"},
    {"a result that is none", WITH("failed")},
    {"exit without a code", WITH("exit")},
    {"signal without a code", WITH("signal")},
    {"a code too high", MORE("\"code\":256")},
    {"a negative code", MORE("\"code\":-1")},
    {"a code with a fraction", MORE("\"code\":1.0")},
    {"a duration too long",
     "{\"v\":1," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\",\"durationMs\":86400001}"},
    {"an output that is a list", MORE("\"output\":[\"a\"]")},
    {"null", MORE("\"output\":null")},
    {"a key twice", MORE(SET)},
    {"no UTF-8", MORE("\"output\":\"\xff\"")},
    {"NUL in the output", MORE("\"output\":\"\\u0000\"")},
    {"deep", MORE("\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")},
};

static void bad(void **state)
{
    const struct row *row = *state;
    struct gr_report report = {.code = 77};
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 4096, 0);
    r = read_text(&arena, gr_str_from(row->text), &report);
    assert_true(r == -EINVAL || r == -E2BIG);
    assert_int_equal(report.code, 77);
    gr_arena_fini(&arena);
}

/* Texts at their limit and one past it; the datagram too. */
static void limits(void **state)
{
    static const struct {
        const char *before;
        size_t most;
    } rows[] = {
        {MORE("\"output\":\""), GR_REPORT_OUTPUT_MAX_BYTES},
        {"{\"v\":1," SET "," HASH "," STAGE ",\"result\":\"ok\"," MS ",\"id\":\"}",
         GR_REPORT_ID_MAX_BYTES},
        {"{\"v\":1," ID "," HASH "," STAGE ",\"result\":\"ok\"," MS ",\"set\":\"}", 253},
        {MORE("\"x\":\""), GR_REPORT_MAX_BYTES - sizeof(MORE("\"x\":\"\"")) + 1},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        for (size_t over = 0; over < 2; over++) {
            char text[2 * GR_REPORT_MAX_BYTES];
            size_t n = strlen(rows[i].before) - 1; /* less the closing brace */
            struct gr_report report;
            struct gr_arena arena;

            memcpy(text, rows[i].before, n);
            memset(text + n, 'x', rows[i].most + over);
            n += rows[i].most + over;
            memcpy(text + n, "\"}", 2);
            gr_arena_init(&arena, 4096, 0);
            assert_int_equal(read_text(&arena, (struct gr_str){.p = text, .n = n + 2}, &report),
                             over ? -EINVAL : 0);
            gr_arena_fini(&arena);
        }
    }
}

/* So many values, and one more. */
static void values(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct gr_report report;
        struct gr_arena arena;
        struct gr_buf text;

        gr_buf_init(&text, 1U << 16);
        /* The object, its 7 members and the list are values, too. */
        (void)gr_buf_text(&text, "{\"v\":1," SET "," HASH "," ID "," STAGE ",\"result\":\"ok\"," MS
                                 ",\"x\":[0");
        for (size_t i = 10; i < GR_REPORT_VALUES_MAX + over; i++)
            (void)gr_buf_text(&text, ",0");
        assert_int_equal(gr_buf_text(&text, "]}"), 0);
        gr_arena_init(&arena, 4096, 0);
        assert_int_equal(read_text(&arena, gr_buf_view(&text), &report), over ? -E2BIG : 0);
        gr_arena_fini(&arena);
        gr_buf_fini(&text);
    }
}

static void names(void **state)
{
    static const char *const all[] = {"ok", "exit", "signal", "timeout", "exec", "verify"};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(all); i++)
        assert_string_equal(gr_report_result_name((enum gr_report_result)i), all[i]);
}

int main(void)
{
    test_add("whole", whole);
    TEST_ADD_ROWS(good, good_rows);
    TEST_ADD_ROWS(bad, bad_rows);
    test_add("limits", limits);
    test_add("values", values);
    test_add("names", names);
    return test_run("report");
}
