/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket beside clients that are good, slow, loud and strange. */
#include "app/controlled.h"

/* ---- requests ---- */

struct request {
    const char *name;
    const char *line;
    const char *code; /* NULL: reply is the whole reply */
    const char *reply;
};

static const struct request requests[] = {
    {"good", "{\"command\": \"who\"}\n", NULL, FIRST},
    {"blanks around it", " \t{\"command\" : \"who\" } \r\n", NULL, FIRST},
    {"a name with escapes", "{\"command\":\"w\\u0068o\"}\n", NULL, FIRST},
    {"more behind the line", WHO WHO, NULL, FIRST},
    {"a field", "{\"bytes\":2,\"command\":\"big\"}\n", NULL, "{\"ok\":true,\"text\":\"xx\"}\n"},
    {"nothing", "\n", "json-syntax", NULL},
    {"garbage", "\x01\xff\x02\n", "json-syntax", NULL},
    {"no UTF-8", "{\"command\":\"\xff\"}\n", "bad-utf8", NULL},
    {"half an object", "{\"command\":\n", "json-syntax", NULL},
    {"a list", "[\"who\"]\n", "missing-key", NULL},
    {"no command", "{}\n", "missing-key", NULL},
    {"a number as command", "{\"command\":1}\n", "missing-key", NULL},
    {"another case", "{\"Command\":\"who\"}\n", "missing-key", NULL},
    {"unknown command", "{\"command\":\"whom\"}\n", "unknown-command", NULL},
    {"unknown field", "{\"command\":\"who\",\"x\":1}\n", "unknown-key", NULL},
    {"wrong type", "{\"command\":\"big\",\"bytes\":\"2\"}\n", "wrong-type", NULL},
    {"a fraction", "{\"command\":\"big\",\"bytes\":2.5}\n", "bad-number", NULL},
    {"below zero", "{\"command\":\"big\",\"bytes\":-1}\n", "bad-number", NULL},
    {"twice", "{\"command\":\"big\",\"bytes\":1,\"bytes\":1}\n", "duplicate-key", NULL},
    {"too large a reply", "{\"command\":\"big\",\"bytes\":1048560}\n", "reply-too-large", NULL},
};

static void answers(void **state)
{
    const struct request *row = *state;
    struct gr_control *control = listening();
    int fd = client();

    say(fd, row->line);
    if (row->code)
        assert_refused(fd, row->code);
    else
        assert_hears(fd, row->reply);
    (void)close(fd);
    assert_served();
    gr_control_free(control);
}

static void test_names_what_is_known(void **state)
{
    struct gr_control *control = listening();
    int fd = client();
    char *text;

    (void)state;
    say(fd, "{\"command\":\"x\"}\n");
    text = hear(fd);
    assert_non_null(text);
    assert_non_null(strstr(text, "it has ping, who, big\""));
    free(text);
    (void)close(fd);
    fd = client();
    say(fd, "{\"command\":\"big\",\"x\":1}\n");
    text = hear(fd);
    assert_non_null(text);
    assert_non_null(strstr(text, "it has bytes\""));
    free(text);
    (void)close(fd);
    gr_control_free(control);
}

/* A reply of exactly the limit: 21 bytes around the text. */
static void test_largest_reply(void **state)
{
    struct gr_control *control = listening();
    int fd = client();
    char *text;

    (void)state;
    say(fd, "{\"command\":\"big\",\"bytes\":1048555}\n");
    text = hear(fd);
    assert_non_null(text);
    assert_int_equal(strlen(text), GR_CONTROL_REPLY_MAX_BYTES + 1);
    free(text);
    (void)close(fd);
    fd = client();
    say(fd, "{\"command\":\"big\",\"bytes\":1048556}\n");
    assert_refused(fd, "reply-too-large");
    (void)close(fd);
    gr_control_free(control);
}

/* The longest request, filled up with blanks, and one byte more. */
static void test_longest_request(void **state)
{
    struct gr_control *control = listening();
    char *line = malloc(GR_CONTROL_REQUEST_MAX_BYTES + 3);
    size_t n = sizeof(WHO) - 2;

    (void)state;
    assert_non_null(line);
    memcpy(line, WHO, n);
    memset(line + n, ' ', GR_CONTROL_REQUEST_MAX_BYTES + 1 - n);
    for (size_t extra = 0; extra < 2; extra++) {
        int fd = client();

        (void)strcpy(line + GR_CONTROL_REQUEST_MAX_BYTES + extra, "\n");
        say(fd, line);
        if (extra)
            assert_refused(fd, "too-long");
        else
            assert_hears(fd, FIRST);
        (void)close(fd);
        line[GR_CONTROL_REQUEST_MAX_BYTES] = ' ';
    }
    free(line);
    gr_control_free(control);
}

static void test_too_many_values(void **state)
{
    struct gr_control *control = listening();
    char line[3 * GR_CONTROL_REQUEST_VALUES_MAX + 64] = "{\"command\":\"who\",\"x\":[";
    int fd = client();

    (void)state;
    for (size_t i = 0; i < GR_CONTROL_REQUEST_VALUES_MAX; i++)
        (void)strcat(line, "0,");
    (void)strcat(line, "0]}\n");
    say(fd, line);
    assert_refused(fd, "too-many-nodes");
    (void)close(fd);
    gr_control_free(control);
}

/* ---- clients that are no good ---- */

static void test_byte_by_byte(void **state)
{
    struct gr_control *control = listening();
    int fd = client();

    (void)state;
    for (const char *at = WHO; *at; at++) {
        const char byte[] = {*at, '\0'};

        assert_hears(fd, "");
        say(fd, byte);
    }
    assert_hears(fd, FIRST);
    (void)close(fd);
    gr_control_free(control);
}

static void test_goes_away(void **state)
{
    struct gr_control *control = listening();

    (void)state;
    for (int i = 0; i < 3 * GR_CONTROL_CLIENTS_MAX; i++) {
        int fd = client();

        if (i % 3 == 1)
            say(fd, "{\"comm");
        if (i % 3 == 2)
            say(fd, "{\"command\":\"big\"}\n"); /* and does not take it */
        (void)close(fd);
        turn();
    }
    assert_served();
    gr_control_free(control);
}

static void test_one_too_many(void **state)
{
    struct gr_control *control = listening();
    int clients[GR_CONTROL_CLIENTS_MAX];
    int fd;

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(clients); i++) {
        clients[i] = client();
        say(clients[i], "{");
    }
    fd = client();
    turn();
    assert_refused(fd, "busy");
    assert_closed(fd);
    (void)close(fd);
    (void)close(clients[3]);
    turn();
    assert_served();
    say(clients[4], "\"command\":\"who\"}\n");
    assert_hears(clients[4], FIRST);
    gr_control_free(control);
    assert_closed(clients[5]);
    for (size_t i = 0; i < GR_ARRAY_LEN(clients); i++) {
        if (i != 3)
            (void)close(clients[i]);
    }
}

/* Bytes that come until the connection is closed. */
static size_t heard_to_end(int fd)
{
    char bytes[4096];
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

        if (got == 0)
            return n;
        if (got > 0)
            n += (size_t)got;
        else
            assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
    }
}

/* One that says nothing and one that does not read: both are closed, others are served. */
static void test_slow(void **state)
{
    struct gr_control *control = control_new("first", 50);
    int silent = client(), unread = client();

    (void)state;
    (void)send(silent, "{", 1, 0);
    (void)send(unread, "{\"command\":\"big\"}\n", 18, 0);
    assert_served();
    assert_int_equal(heard_to_end(silent), 0);
    assert_true(heard_to_end(unread) > 0); /* what the socket held */
    (void)close(silent);
    (void)close(unread);
    assert_served();
    gr_control_free(control);
}

static void test_another_user(void **state)
{
    struct gr_control *control = listening();
    struct captured c;
    int fd;

    (void)state;
    peer_uid = geteuid() + 1000;
    fd = client();
    (void)send(fd, WHO, sizeof(WHO) - 1, MSG_NOSIGNAL);
    capture_begin(&c);
    turn();
    capture_end(&c);
    assert_non_null(strstr(c.text, "without permission"));
    assert_refused(fd, "not-permitted");
    (void)close(fd);
    peer_uid = 0;
    assert_served();
    gr_control_free(control);
}

int main(void)
{
    TEST_ADD_ROWS(answers, requests);
    test_add("names what is known", test_names_what_is_known);
    test_add("largest reply", test_largest_reply);
    test_add("longest request", test_longest_request);
    test_add("too many values", test_too_many_values);
    test_add("byte by byte", test_byte_by_byte);
    test_add("goes away", test_goes_away);
    test_add("one too many", test_one_too_many);
    test_add("slow", test_slow);
    test_add("another user", test_another_user);
    return controlled_run("control");
}
