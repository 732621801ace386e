/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a line holds, one line of JSON answers it. */
#include "testing.h"

#include "app/daemon/control/control_command.h"

#define LINES 50000

static size_t runs;

static int run(void *user, const struct gr_control_request *request, json_t *reply,
               struct gr_err *err)
{
    (void)user;
    runs++;
    if (request->values[1].truth)
        return gr_fail(err, -1, "not-now", "not \"now\"\n");
    (void)json_object_set_new(reply, "n", json_integer((json_int_t)request->values[0].text.n));
    return 0;
}

static const struct gr_control_field fields[] = {
    {.name = "text", .kind = GR_JSON_STRING, .required = true},
    {.name = "fail", .kind = GR_JSON_BOOLEAN},
    {.name = "number", .kind = GR_JSON_NUMBER},
    {.name = "list", .kind = GR_JSON_LIST},
};
static const struct gr_control_command command = {
    .name = "echo", .run = run, .fields = fields, .fields_n = GR_ARRAY_LEN(fields)};

static json_t *answered(struct gr_str line)
{
    char *exact = (char *)test_exact(line.p, line.n);
    struct gr_control_asked asked = {.line = {.p = exact, .n = line.n}, .pid = 1};
    struct gr_control_table table = {0};
    struct gr_buf out;
    json_t *reply;

    gr_control_table_add(&table, &command, NULL);
    gr_buf_init(&out, GR_CONTROL_REPLY_MAX_BYTES + 1);
    assert_int_equal(gr_control_answer(&table, &asked, &out), 0);
    assert_int_equal(gr_str_find(gr_buf_view(&out), '\n'), out.len - 1);
    reply = json_loadb((const char *)out.data, out.len, 0, NULL);
    assert_true(json_is_boolean(json_object_get(reply, "ok")));
    assert_int_equal(json_is_true(json_object_get(reply, "ok")),
                     json_object_get(reply, "code") == NULL);
    gr_buf_fini(&out);
    free(exact);
    return reply;
}

static const char *code_of(const json_t *reply)
{
    const char *code = json_string_value(json_object_get(reply, "code"));

    return code ? code : "";
}

static void test_values(void **state)
{
    json_t *reply = answered(GR_STR("{\"command\":\"echo\",\"text\":\"\\u00e4b\",\"number\":3}"));

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(reply, "n")), 3);
    json_decref(reply);
    reply = answered(GR_STR("{\"command\":\"echo\",\"number\":3}"));
    assert_string_equal(code_of(reply), "missing-key");
    json_decref(reply);
    reply = answered(GR_STR("{\"command\":\"echo\",\"text\":\"\",\"fail\":true}"));
    assert_string_equal(code_of(reply), "not-now");
    assert_string_equal(json_string_value(json_object_get(reply, "error")), "not \"now\"?");
    json_decref(reply);
}

/* A request with bytes of it changed, doubled and left out. */
static void test_any_line(void **state)
{
    static const char good[] = "{\"command\":\"echo\",\"text\":\"a\\n\\ud83d\\ude00b\",\"fail\":"
                               "false,\"number\":18446744073"
                               "709551615,\"list\":[1,{\"a\":[null]},\"x\"]}";
    static const char bytes[] = "{}[]\",:\\u0e-.tfn \xff\x01\xc3\x80";
    uint32_t seed = 1;

    (void)state;
    runs = 0;
    for (size_t i = 0; i < LINES; i++) {
        char line[sizeof(good) * 2];
        size_t n = 0;

        for (size_t k = 0; k < sizeof(good) - 1; k++) {
            seed = seed * 1664525 + 1013904223;
            if (seed >> 24 > 3) {
                line[n++] = good[k];
                continue;
            }
            if (seed >> 16 & 1)
                line[n++] = bytes[(seed >> 8 & 0xff) % (sizeof(bytes) - 1)];
            if (seed >> 17 & 1)
                line[n++] = good[k];
        }
        json_decref(answered((struct gr_str){.p = line, .n = n}));
    }
    assert_true(runs > LINES / 100 && runs < LINES);
}

int main(void)
{
    test_add("values", test_values);
    test_add("any line", test_any_line);
    return test_run("control_command");
}
