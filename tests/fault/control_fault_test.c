/* SPDX-License-Identifier: Apache-2.0 */
/* A request on the control socket when memory runs out: an answer in one line, or none. */
#include "testing.h"

#include <errno.h>

#include "app/daemon/control/control_command.h"
#include "failing.h"

static int run(void *user, const struct gr_control_request *request, json_t *reply,
               struct gr_err *err)
{
    (void)user;
    if (request->values[0].text.n == 0)
        return gr_fail(err, -EINVAL, "empty", "expected a text, found none");
    (void)json_object_set_new(reply, "text",
                              json_stringn(request->values[0].text.p, request->values[0].text.n));
    return 0;
}

static const struct gr_control_field fields[] = {{.name = "text", .kind = GR_JSON_STRING}};
static const struct gr_control_command command = {
    .name = "echo", .run = run, .fields = fields, .fields_n = GR_ARRAY_LEN(fields)};

static int answer(void *user)
{
    struct gr_control_asked asked = {.line = gr_str_from(user), .pid = 1};
    struct gr_control_table table = {0};
    struct gr_buf out;
    int r;

    gr_control_table_add(&table, &command, NULL);
    gr_buf_init(&out, GR_CONTROL_REPLY_MAX_BYTES + 1);
    r = gr_control_answer(&table, &asked, &out);
    if (r == 0) {
        assert_memory_equal(out.data, "{\"ok\":", 6);
        assert_int_equal(out.data[out.len - 1], '\n');
    } else {
        assert_int_equal(out.len, 0);
    }
    gr_buf_fini(&out);
    return r;
}

static void test_answers(void **state)
{
    static char good[] = "{\"command\":\"echo\",\"text\":\"a\\u0041\"}", bad[] = "{\"command\":1}",
                unknown[] = "{\"command\":\"echo\",\"no\":1}", refused[] = "{\"command\":\"echo\"}";

    (void)state;
    failing_run(answer, good);
    failing_run(answer, bad);
    failing_run(answer, unknown);
    failing_run(answer, refused);
}

int main(void)
{
    test_add("answers", test_answers);
    return test_run("control_fault");
}
