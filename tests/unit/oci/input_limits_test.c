/* SPDX-License-Identifier: Apache-2.0 */
/* Documents at the edge of what is read, and one past it. */
#include "inputs.h"

#include "oci/limits.h"

static int read_text(struct gr_str text, struct reports *reports, size_t *out_n)
{
    struct gr_reporter reporter = {take_report, reports};
    struct gr_input_text input = {text, "file"};
    struct gr_inputs inputs = {0};
    struct gr_arena arena;
    int result;

    *reports = (struct reports){0};
    gr_arena_init(&arena, 1U << 16, 0);
    result = gr_inputs_read(&arena, &input, 1, GR_STR_NONE, &reporter, &inputs);
    *out_n = inputs.n;
    gr_arena_fini(&arena);
    return result;
}

static void size_has_a_limit(void **state)
{
    struct reports reports;
    struct gr_buf text;
    size_t n;

    (void)state;
    gr_buf_init(&text, SIZE_MAX / 2);
    (void)gr_buf_text(&text, "{\"status\":{\"id\":\"abcd\",\"metadata\":{\"name\":\"a\"}}}");
    n = GR_INPUT_MAX_BYTES - text.len;
    memset(gr_buf_grow(&text, n), ' ', n);
    assert_int_equal(read_text(gr_buf_view(&text), &reports, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(gr_buf_text(&text, " "), 0);
    assert_int_equal(read_text(gr_buf_view(&text), &reports, &n), GR_INPUT_REFUSED);
    assert_string_equal(reports.code, "file-too-big");
    gr_buf_fini(&text);
}

static void containers_have_a_limit(void **state)
{
    struct reports reports;
    struct gr_buf text;
    size_t n;

    (void)state;
    gr_buf_init(&text, 4U << 20);
    for (size_t i = 0; i < GR_INPUT_CONTAINERS_MAX; i++)
        (void)gr_buf_printf(&text, "{\"status\":{\"id\":\"%zu\"}}\n", i);
    assert_int_equal(read_text(gr_buf_view(&text), &reports, &n), 0);
    assert_int_equal(n, GR_INPUT_CONTAINERS_MAX);
    assert_int_equal(gr_buf_text(&text, "{\"status\":{\"id\":\"x\"}}"), 0);
    assert_int_equal(read_text(gr_buf_view(&text), &reports, &n), GR_INPUT_REFUSED);
    assert_string_equal(reports.code, "too-many");
    assert_int_equal(reports.line, GR_INPUT_CONTAINERS_MAX + 1);
    gr_buf_fini(&text);
}

/* Lines are counted once, however many documents stand in one text. */
static void many_documents(void **state)
{
    struct reports reports;
    struct gr_buf text;
    size_t n;

    (void)state;
    gr_buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < 20000; i++)
        (void)gr_buf_printf(&text,
                            "%*s{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{"
                            "\"containers\":[]}}\n",
                            400, "");
    assert_int_equal(read_text(gr_buf_view(&text), &reports, &n), 0);
    assert_int_equal(n, 0);
    gr_buf_fini(&text);
}

int main(void)
{
    test_add("size has a limit", size_has_a_limit);
    test_add("containers have a limit", containers_have_a_limit);
    test_add("many documents", many_documents);
    return test_run("input_limits");
}
