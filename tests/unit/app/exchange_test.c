/* SPDX-License-Identifier: Apache-2.0 */
/* A request and what follows it, in pieces of any size; replies at once and later. */
#include "testing.h"

#include <errno.h>

#include "app/daemon/control/exchange.h"

#define BODY_MAX 1000
#define ROUNDS 20000

static struct gr_control_later *kept; /* by the command that answers later */
static size_t runs, left, ready;

/* ---- commands ---- */

static int run_size(void *user, const struct gr_control_request *request, json_t *reply,
                    struct gr_err *err)
{
    (void)user;
    (void)err;
    runs++;
    assert_int_equal(request->body->len, request->values[0].number);
    for (size_t i = 0; i < request->body->len; i++)
        assert_int_equal(request->body->data[i], (uint8_t)(i * 7));
    (void)json_object_set_new(reply, "n", json_integer((json_int_t)request->body->len));
    return 0;
}

static void on_left(void *user)
{
    assert_ptr_equal(user, &left);
    left++;
}

static int run_later(void *user, const struct gr_control_request *request, json_t *reply,
                     struct gr_err *err)
{
    (void)user;
    (void)reply;
    (void)err;
    kept = request->later;
    kept->left = on_left;
    kept->user = &left;
    return GR_CONTROL_LATER;
}

static const struct gr_control_field fields[] = {
    {.name = "bytes", .kind = GR_JSON_NUMBER, .required = true}};
static const struct gr_control_command commands[] = {
    {.name = "size", .run = run_size, .fields = fields, .fields_n = 1, .body_max_bytes = BODY_MAX},
    {.name = "later", .run = run_later},
};

static void on_ready(void *user)
{
    assert_ptr_equal(user, &ready);
    ready++;
}

static struct gr_exchange *begin(struct gr_control_table *table)
{
    struct gr_exchange *x = malloc(sizeof(*x));

    assert_non_null(x);
    *table = (struct gr_control_table){0};
    for (size_t i = 0; i < GR_ARRAY_LEN(commands); i++)
        gr_control_table_add(table, &commands[i], NULL);
    runs = left = ready = 0;
    gr_exchange_init(x, table, 0, 1, on_ready, &ready);
    return x;
}

static void end(struct gr_exchange *x)
{
    gr_exchange_fini(x);
    free(x);
}

static void feed(struct gr_exchange *x, const char *text)
{
    assert_int_equal(gr_exchange_feed(x, gr_str_from(text)), 0);
}

/* All that is to be sent, taken in steps. */
static struct gr_buf sent(struct gr_exchange *x, size_t step)
{
    struct gr_str next;
    struct gr_buf all;

    gr_buf_init(&all, SIZE_MAX);
    while ((next = gr_exchange_pending(x)).n > 0) {
        size_t n = GR_MIN(next.n, step);

        assert_int_equal(gr_buf_add(&all, next.p, n), 0);
        gr_exchange_sent(x, n);
    }
    return all;
}

static void assert_sent(struct gr_exchange *x, const char *expected)
{
    struct gr_buf all = sent(x, 3);

    assert_int_equal(gr_buf_byte(&all, 0), 0);
    assert_string_equal((const char *)all.data, expected);
    gr_buf_fini(&all);
}

/* ---- what follows a request ---- */

/* A request for size and n bytes, in pieces of so many bytes. */
static void ask_size(struct gr_exchange *x, size_t n, size_t piece)
{
    struct gr_buf all;

    gr_buf_init(&all, 1U << 16);
    (void)gr_buf_printf(&all, "{\"command\":\"size\",\"bytes\":%zu}\n", n);
    for (size_t i = 0; i < n; i++)
        (void)gr_buf_byte(&all, (uint8_t)(i * 7));
    assert_int_equal(all.broken, 0);
    for (size_t at = 0; at < all.len; at += piece)
        assert_int_equal(
            gr_exchange_feed(x, gr_str_first(gr_str_skip(gr_buf_view(&all), at), piece)), 0);
    gr_buf_fini(&all);
}

static void test_body(void **state)
{
    static const size_t sizes[] = {0, 1, 500, BODY_MAX};
    static const size_t pieces[] = {1, 7, 40, 1U << 16};
    struct gr_control_table table;
    char expected[64];

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(sizes); i++) {
        for (size_t k = 0; k < GR_ARRAY_LEN(pieces); k++) {
            struct gr_exchange *x = begin(&table);

            ask_size(x, sizes[i], pieces[k]);
            assert_int_equal(runs, 1);
            feed(x, "what follows is not looked at\n");
            (void)snprintf(expected, sizeof(expected), "{\"ok\":true,\"n\":%zu}\n", sizes[i]);
            assert_sent(x, expected);
            end(x);
        }
    }
}

static void test_body_too_long(void **state)
{
    struct gr_control_table table;
    struct gr_exchange *x = begin(&table);

    (void)state;
    ask_size(x, BODY_MAX + 1, 100);
    assert_int_equal(runs, 0);
    assert_sent(
        x, "{\"ok\":false,\"code\":\"too-long\",\"error\":\"expected at most 1000 bytes behind "
           "a request for size, found 1001\"}\n");
    end(x);
}

static void test_no_answer_before_the_body(void **state)
{
    struct gr_control_table table;
    struct gr_exchange *x = begin(&table);

    (void)state;
    feed(x, "{\"command\":\"size\",\"bytes\":2}\n");
    assert_int_equal(gr_exchange_pending(x).n, 0);
    assert_int_equal(gr_exchange_feed(x, (struct gr_str){.p = "\0", .n = 1}), 0);
    assert_int_equal(gr_exchange_pending(x).n, 0);
    end(x); /* a client that went away in between */
    assert_int_equal(runs, 0);
}

/* ---- lines ---- */

static void test_line_limit(void **state)
{
    static char line[GR_CONTROL_REQUEST_MAX_BYTES + 2];
    struct gr_control_table table;

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct gr_exchange *x = begin(&table);
        struct gr_buf all;

        memset(line, ' ', sizeof(line));
        memcpy(line, "{}", 2);
        line[GR_CONTROL_REQUEST_MAX_BYTES + over] = '\n';
        assert_int_equal(gr_exchange_feed(x, (struct gr_str){.p = line, .n = sizeof(line)}), 0);
        all = sent(x, 1000);
        assert_true(gr_str_find(gr_buf_view(&all), '\n') == all.len - 1);
        assert_int_equal(gr_buf_byte(&all, 0), 0);
        assert_true((strstr((const char *)all.data, "\"too-long\"") != NULL) == (over == 1));
        gr_buf_fini(&all);
        end(x);
    }
}

/* ---- later ---- */

static json_t *good(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static void test_later(void **state)
{
    struct gr_control_table table;
    struct gr_exchange *x = begin(&table);
    struct gr_buf body;

    (void)state;
    feed(x, "{\"command\":\"later\"}\nmore");
    assert_int_equal(gr_exchange_pending(x).n, 0);
    gr_buf_init(&body, 100);
    assert_int_equal(gr_buf_text(&body, "some\nbytes"), 0);
    gr_control_later_answer(kept, good(), &body, NULL);
    assert_int_equal(ready, 1);
    assert_int_equal(body.len, 0); /* taken */
    assert_sent(x, "{\"ok\":true,\"bytes\":10}\nsome\nbytes");
    assert_int_equal(left, 0);
    end(x);
    assert_int_equal(left, 1);
}

static void test_later_refused(void **state)
{
    struct gr_control_table table;
    struct gr_exchange *x = begin(&table);
    struct gr_err err = {0};

    (void)state;
    feed(x, "{\"command\":\"later\"}\n");
    (void)gr_fail(&err, -EINVAL, "no", "not today");
    gr_control_later_answer(kept, NULL, NULL, &err);
    assert_sent(x, "{\"ok\":false,\"code\":\"no\",\"error\":\"not today\"}\n");
    end(x);
    assert_int_equal(left, 1);
}

static void test_left_before(void **state)
{
    struct gr_control_table table;
    struct gr_exchange *x = begin(&table);

    (void)state;
    feed(x, "{\"command\":\"later\"}\n");
    end(x);
    assert_int_equal(left, 1);
    assert_int_equal(ready, 0);
}

/* A line that is too large, or no memory: nothing is answered, and nothing half. */
static void test_later_too_large(void **state)
{
    struct gr_control_table table;
    struct gr_exchange *x = begin(&table);
    char *text = malloc(GR_CONTROL_REPLY_MAX_BYTES);
    json_t *reply = good();

    (void)state;
    assert_non_null(text);
    memset(text, 'x', GR_CONTROL_REPLY_MAX_BYTES);
    text[GR_CONTROL_REPLY_MAX_BYTES - 1] = '\0';
    (void)json_object_set_new(reply, "text", json_string(text));
    free(text);
    feed(x, "{\"command\":\"later\"}\n");
    gr_control_later_answer(kept, reply, NULL, NULL);
    assert_int_equal(gr_exchange_pending(x).n, 0);
    end(x);
    x = begin(&table);
    feed(x, "{\"command\":\"later\"}\n");
    gr_control_later_answer(kept, NULL, NULL, NULL);
    assert_int_equal(gr_exchange_pending(x).n, 0);
    assert_int_equal(ready, 0);
    end(x);
}

/* ---- anything ---- */

/* A request with bytes of it changed, in pieces: never more than one line of an answer, and the
 * body is all that a command sees. */
static void test_any_bytes(void **state)
{
    static const char line[] = "{\"command\":\"size\",\"bytes\":12}\n";
    struct gr_control_table table;
    uint32_t seed = 1;
    size_t answered = 0, ran = 0;

    (void)state;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct gr_exchange *x = begin(&table);
        char bytes[sizeof(line) - 1 + 100];
        struct gr_buf all;
        size_t piece;

        memcpy(bytes, line, sizeof(line) - 1);
        for (size_t k = 0; k < 100; k++)
            bytes[sizeof(line) - 1 + k] = (char)(k * 7);
        for (size_t k = 0; k < sizeof(line) - 1; k++) {
            seed = seed * 1664525 + 1013904223;
            if (seed >> 24 < 3)
                bytes[k] = (char)(seed >> 8);
        }
        piece = 1 + (seed >> 16) % 20;
        for (size_t at = 0; at < sizeof(bytes); at += piece)
            assert_int_equal(
                gr_exchange_feed(
                    x, (struct gr_str){.p = bytes + at, .n = GR_MIN(piece, sizeof(bytes) - at)}),
                0);
        all = sent(x, 1000);
        assert_true(all.len == 0 || gr_str_find(gr_buf_view(&all), '\n') == all.len - 1);
        answered += all.len > 0;
        ran += runs;
        gr_buf_fini(&all);
        end(x);
    }
    assert_true(answered > ROUNDS / 2 && ran > ROUNDS / 4 && ran < answered);
}

int main(void)
{
    test_add("body", test_body);
    test_add("body too long", test_body_too_long);
    test_add("no answer before the body", test_no_answer_before_the_body);
    test_add("line limit", test_line_limit);
    test_add("later", test_later);
    test_add("later refused", test_later_refused);
    test_add("left before", test_left_before);
    test_add("later too large", test_later_too_large);
    test_add("any bytes", test_any_bytes);
    return test_run("exchange");
}
