/* SPDX-License-Identifier: Apache-2.0 */
/* A control socket with commands of the test, and clients of it. */
#ifndef GR_TESTS_APP_CONTROLLED_H
#define GR_TESTS_APP_CONTROLLED_H

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

static inline int fake_peer(int fd, uid_t *out_uid, pid_t *out_pid)
{
    (void)fd;
    *out_uid = peer_uid;
    *out_pid = 7;
    return 0;
}

/* ---- commands of the test ---- */

static inline int run_who(void *user, const struct gr_control_request *request, json_t *reply,
                          struct gr_err *err)
{
    (void)err;
    (void)json_object_set_new(reply, "who", json_string(user));
    (void)json_object_set_new(reply, "uid", json_integer(request->uid));
    (void)json_object_set_new(reply, "pid", json_integer(request->pid));
    return 0;
}

static inline int run_big(void *user, const struct gr_control_request *request, json_t *reply,
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

static inline struct gr_control *control_new(const char *name, uint32_t client_max_ms)
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

static inline struct gr_control *listening(void)
{
    struct gr_control *control = control_new("first", 60000);

    assert_string_equal(gr_control_path(control), path);
    return control;
}

/* ---- clients ---- */

static inline int client(void)
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
static inline void until_reached(struct gr_control *control)
{
    while (gr_control_path(control)[0] == '\0')
        assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
}

/* Everything that is to be done now. */
static inline void turn(void)
{
    for (int i = 0; i < 4; i++)
        assert_true(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static inline void say(int fd, const char *text)
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
static inline char *hear(int fd)
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

static inline void assert_hears(int fd, const char *expected)
{
    char *text = hear(fd);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* An error with this code, in a line of its own. */
static inline void assert_refused(int fd, const char *code)
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

static inline void assert_closed(int fd)
{
    assert_null(hear(fd));
}

#define WHO "{\"command\":\"who\"}\n"
#define FIRST "{\"ok\":true,\"who\":\"first\",\"uid\":0,\"pid\":7}\n"

static inline void assert_served(void)
{
    int fd = client();

    say(fd, WHO);
    assert_hears(fd, FIRST);
    (void)close(fd);
}

/* Runs the tests that were added, in a directory of their own. */
static inline int controlled_run(const char *group)
{
    int r;

    if (!mkdtemp(top) || chmod(top, 0755) != 0)
        return 1;
    (void)snprintf(path, sizeof(path), "%s/control.sock", top);
    base = event_base_new();
    gr_log_init(&log_to, "test");
    r = test_run(group);
    event_base_free(base);
    return rmdir(top) == 0 ? r : 1;
}

#endif
