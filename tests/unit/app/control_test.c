/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket beside clients that are good, slow, loud and strange. */
#include "testing.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/daemon/control/control.h"
#include "app/daemon/control/listener.h"
#include "capturing.h"

#define BIG_BYTES 900000

static char top[] = "/tmp/grapnel-control-XXXXXX";
static char path[64];
static struct event_base *base;
static struct gr_log log_to;
static uid_t peer_uid; /* who asks, to the server */
static uint32_t look_ms = 3600000;

static int fake_peer(int fd, uid_t *out_uid, pid_t *out_pid)
{
    (void)fd;
    *out_uid = peer_uid;
    *out_pid = 7;
    return 0;
}

/* ---- commands of the test ---- */

static int run_who(void *user, const struct gr_control_request *request, json_t *reply,
                   struct gr_err *err)
{
    (void)err;
    (void)json_object_set_new(reply, "who", json_string(user));
    (void)json_object_set_new(reply, "uid", json_integer(request->uid));
    (void)json_object_set_new(reply, "pid", json_integer(request->pid));
    return 0;
}

static int run_big(void *user, const struct gr_control_request *request, json_t *reply,
                   struct gr_err *err)
{
    size_t n = request->values[0].node ? (size_t)request->values[0].number : BIG_BYTES;
    char *text = malloc(n + 1);

    (void)user;
    (void)err;
    assert_non_null(text);
    memset(text, 'x', n);
    text[n] = '\0';
    (void)json_object_set_new(reply, "text", json_string(text));
    free(text);
    return 0;
}

static const struct gr_control_field big_fields[] = {{.name = "bytes", .kind = GR_JSON_NUMBER}};
static const struct gr_control_command commands[] = {
    {.name = "who", .run = run_who},
    {.name = "big", .run = run_big, .fields = big_fields, .fields_n = 1},
};

static struct gr_control *control_new(const char *name, uint32_t client_max_ms)
{
    const struct gr_control_world world = {
        .peer = fake_peer, .client_max_ms = client_max_ms, .look_ms = look_ms};
    struct gr_control *control = NULL;
    union {
        const char *in;
        void *out;
    } user = {.in = name};

    assert_int_equal(gr_control_new(base, &log_to, &world, &control), 0);
    gr_control_add(control, commands, GR_ARRAY_LEN(commands), user.out);
    gr_control_follow(control, path);
    return control;
}

static struct gr_control *listening(void)
{
    struct gr_control *control = control_new("first", 60000);

    assert_string_equal(gr_control_path(control), path);
    return control;
}

/* ---- clients ---- */

static int client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* The loop, until clients reach this one; a test that hangs is ended from outside. */
static void until_reached(struct gr_control *control)
{
    while (gr_control_path(control)[0] == '\0')
        assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
}

/* Everything that is to be done now. */
static void turn(void)
{
    for (int i = 0; i < 4; i++)
        assert_true(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static void say(int fd, const char *text)
{
    size_t n = strlen(text);

    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

        if (sent < 0) {
            assert_int_equal(errno, EAGAIN);
            turn();
            continue;
        }
        text += sent;
        n -= (size_t)sent;
    }
    turn();
}

/* What has come, up to its end; on the heap. NULL: the connection is closed. */
static char *hear(int fd)
{
    size_t n = 0, cap = 2U << 20;
    char *text = malloc(cap);

    assert_non_null(text);
    for (;;) {
        ssize_t got = recv(fd, text + n, cap - n - 1, 0);

        if (got > 0) {
            n += (size_t)got;
            turn();
            continue;
        }
        text[n] = '\0';
        if (n > 0 || (got < 0 && errno == EAGAIN))
            return text;
        free(text);
        return NULL;
    }
}

static void assert_hears(int fd, const char *expected)
{
    char *text = hear(fd);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* An error with this code, in a line of its own. */
static void assert_refused(int fd, const char *code)
{
    char expected[64];
    char *text = hear(fd);

    assert_non_null(text);
    (void)snprintf(expected, sizeof(expected), "{\"ok\":false,\"code\":\"%s\",", code);
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("expected %s…, found %s", expected, text);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    free(text);
}

static void assert_closed(int fd)
{
    assert_null(hear(fd));
}

#define WHO "{\"command\":\"who\"}\n"
#define FIRST "{\"ok\":true,\"who\":\"first\",\"uid\":0,\"pid\":7}\n"

static void assert_served(void)
{
    int fd = client();

    say(fd, WHO);
    assert_hears(fd, FIRST);
    (void)close(fd);
}

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

/* ---- the path ---- */

static void assert_asks(const char *who)
{
    char expected[96];
    int fd = client();

    (void)snprintf(expected, sizeof(expected), "{\"ok\":true,\"who\":\"%s\",\"uid\":0,\"pid\":7}\n",
                   who);
    say(fd, WHO);
    assert_hears(fd, expected);
    (void)close(fd);
}

static void test_mode(void **state)
{
    mode_t before = umask(0);
    struct gr_control *control = listening();
    struct stat st;

    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    (void)umask(before);
    gr_control_free(control);
    assert_int_equal(stat(path, &st), -1);
}

static void test_two_instances(void **state)
{
    struct gr_control *first = listening(), *second;
    int early = client();

    (void)state;
    say(early, "{\"command\":");
    second = control_new("second", 60000);
    assert_asks("second");
    assert_string_equal(gr_control_path(first), "");
    say(early, "\"who\"}\n");
    assert_hears(early, FIRST);
    (void)close(early);
    /* A reload of the first one leaves the second alone, while that lives. */
    gr_control_follow(first, path);
    assert_asks("second");
    gr_control_free(second);
    assert_int_equal(access(path, F_OK), -1);
    gr_control_follow(first, path);
    assert_asks("first");
    gr_control_free(first);
}

/* Nobody reloads anything: the first one sees for itself that it is alone again. */
static void test_the_later_ends(void **state)
{
    struct gr_control *first, *second;
    struct gr_listener left;
    struct gr_err err = {0};

    (void)state;
    look_ms = 1;
    first = listening();
    look_ms = 3600000;
    second = control_new("second", 60000);
    gr_control_free(second);
    until_reached(first);
    assert_asks("first");
    /* One that is killed leaves its socket. */
    gr_listener_init(&left);
    assert_int_equal(gr_listener_open(&left, path, &err), 0);
    assert_string_equal(gr_control_path(first), "");
    (void)close(left.fd);
    until_reached(first);
    assert_asks("first");
    gr_control_free(first);
}

/* The first one ends and does not take the second one's socket with it. */
static void test_the_older_ends(void **state)
{
    struct gr_control *first = listening(), *second = control_new("second", 60000);

    (void)state;
    gr_control_free(first);
    assert_asks("second");
    gr_control_free(second);
}

static void test_stale(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    gr_control_free(listening());
}

static void test_somebody_removes_it(void **state)
{
    struct gr_control *control = listening();

    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_string_equal(gr_control_path(control), "");
    gr_control_follow(control, path);
    assert_served();
    gr_control_free(control);
}

static void test_follows_settings(void **state)
{
    struct gr_control *control = listening();
    char other[80];

    (void)state;
    (void)snprintf(other, sizeof(other), "%s.2", path);
    gr_control_follow(control, other);
    assert_string_equal(gr_control_path(control), other);
    assert_int_equal(access(path, F_OK), -1);
    gr_control_follow(control, "");
    assert_string_equal(gr_control_path(control), "");
    assert_int_equal(access(other, F_OK), -1);
    gr_control_follow(control, path);
    assert_served();
    gr_control_free(control);
}

/* One line, and again when it would say something else; the next call tries again. */
static void test_cannot_be_made(void **state)
{
    FILE *file = fopen(path, "w");
    struct gr_control *control;
    struct captured c;

    (void)state;
    assert_non_null(file);
    (void)fclose(file);
    capture_begin(&c);
    control = control_new("first", 60000);
    gr_control_follow(control, path);
    capture_end(&c);
    assert_non_null(strstr(c.text, "code=socket"));
    assert_non_null(strstr(c.text, "expected a socket or nothing"));
    assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(top, 0777), 0);
    capture_begin(&c);
    gr_control_follow(control, path);
    capture_end(&c);
    assert_non_null(strstr(c.text, "others than root may change it"));
    assert_int_equal(chmod(top, 0755), 0);
    gr_control_follow(control, path);
    assert_served();
    gr_control_free(control);
}

static void test_no_descriptors(void **state)
{
    struct gr_control *control = listening();
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
    int fds[64], fd = client();
    size_t n = 0;

    (void)state;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0); /* the last test: for good */
    say(fd, "{");
    while (n < GR_ARRAY_LEN(fds) && (fds[n] = dup(fd)) >= 0)
        n++;
    assert_int_equal(errno, EMFILE);
    (void)close(fds[--n]);
    fds[n] = client(); /* the last one; the server has none for its end */
    turn();
    say(fd, "\"command\":\"who\"}\n");
    assert_hears(fd, FIRST);
    for (size_t i = 0; i < n; i++)
        (void)close(fds[i]);
    (void)send(fds[n], WHO, sizeof(WHO) - 1, 0);
    for (;;) {
        char *text = hear(fds[n]);
        bool done = text && text[0];

        assert_non_null(text);
        free(text);
        if (done)
            break;
        assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
    }
    (void)close(fds[n]);
    (void)close(fd);
    gr_control_free(control);
}

int main(void)
{
    int r;

    if (!mkdtemp(top) || chmod(top, 0755) != 0)
        return 1;
    (void)snprintf(path, sizeof(path), "%s/control.sock", top);
    base = event_base_new();
    gr_log_init(&log_to, "test");
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
    test_add("mode", test_mode);
    test_add("two instances", test_two_instances);
    test_add("the later ends", test_the_later_ends);
    test_add("the older ends", test_the_older_ends);
    test_add("stale", test_stale);
    test_add("somebody removes it", test_somebody_removes_it);
    test_add("follows settings", test_follows_settings);
    test_add("cannot be made", test_cannot_be_made);
    test_add("no descriptors", test_no_descriptors);
    r = test_run("control");
    event_base_free(base);
    return rmdir(top) == 0 ? r : 1;
}
