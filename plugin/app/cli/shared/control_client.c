/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/shared/control_client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/cli/shared/common.h"
#include "app/exit.h"
#include "app/control_limits.h"
#include "base/clock.h"

#define READ_BYTES (16U << 10)

/* ---- a socket with a deadline ---- */

/* For the next connect, send or receive. Returns 0; -ETIMEDOUT there is no time left. */
static int set_time_left(int fd, int option, uint64_t deadline_ms)
{
    uint64_t now = gr_now_ms();
    uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
    const struct timeval time = {.tv_sec = (time_t)(left / 1000),
                                 .tv_usec = (suseconds_t)(left % 1000 * 1000)};

    if (left == 0)
        return -ETIMEDOUT;
    return setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time)) == 0 ? 0 : -errno;
}

/* What a call that had a time limit says when it is over. */
static int said(int error)
{
    return error == EAGAIN || error == EINPROGRESS ? -ETIMEDOUT : -error;
}

/* The kernel refuses alike where nobody listens and where there is no socket. */
static bool is_other_file(const char *path)
{
    struct stat st;
    bool is_other = stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);

    errno = ECONNREFUSED;
    return is_other;
}

static int connect_to(int fd, const char *path, uint64_t deadline_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    int r =
        n < sizeof(address.sun_path) ? set_time_left(fd, SO_SNDTIMEO, deadline_ms) : -ENAMETOOLONG;

    if (r)
        return r;
    memcpy(address.sun_path, path, n + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    return errno == ECONNREFUSED && is_other_file(path) ? -ENOTSOCK : said(errno);
}

/* Whoever can put a socket there could otherwise tell us what he likes. */
static int check_peer(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
        return -errno;
    return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
}

static int send_all(int fd, struct gr_str bytes, uint64_t deadline_ms)
{
    while (bytes.n > 0) {
        int r = set_time_left(fd, SO_SNDTIMEO, deadline_ms);
        ssize_t n = r ? 0 : send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (r == 0 && n < 0 && errno == EPIPE)
            return 0; /* turned away; why is there to be read */
        if (r == 0 && n < 0 && errno != EINTR)
            r = said(errno);
        if (r)
            return r;
        bytes = gr_str_skip(bytes, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

/* What has come until now, at least a byte of it. -EPROTO: nothing comes any more. */
static int receive(int fd, struct gr_buf *out, uint64_t deadline_ms)
{
    char bytes[READ_BYTES];

    for (;;) {
        int r = set_time_left(fd, SO_RCVTIMEO, deadline_ms);
        ssize_t n = r ? 0 : recv(fd, bytes, sizeof(bytes), 0);

        if (r == 0 && n < 0 && errno == EINTR)
            continue;
        if (r == 0 && n <= 0)
            r = n < 0 && errno != ECONNRESET ? said(errno) : -EPROTO;
        if (r == 0)
            r = gr_buf_add(out, bytes, (size_t)n);
        return r == -EMSGSIZE ? -EPROTO : r;
    }
}

/* -EPROTO: no object with a member ok. */
static int parse(struct gr_str line, json_t **out_reply)
{
    json_t *reply = json_loadb(line.p ? line.p : "", line.n, 0, NULL);

    if (!json_is_boolean(json_object_get(reply, "ok"))) {
        json_decref(reply);
        return -EPROTO;
    }
    *out_reply = reply;
    return 0;
}

/* The line, and as many bytes behind it as it says. in: what has come; it keeps what is no line. */
static int receive_reply(int fd, uint64_t deadline_ms, struct gr_buf *in, json_t **out_reply,
                         struct gr_buf *out_body)
{
    struct gr_str all = GR_STR_NONE;
    size_t end = 0;
    json_int_t n;
    int r = 0;

    while (r == 0 && end == all.n) {
        r = receive(fd, in, deadline_ms);
        all = gr_buf_view(in);
        end += gr_str_find(gr_str_skip(all, end), '\n');
    }
    if (r == 0)
        r = parse(gr_str_first(all, end), out_reply);
    n = json_integer_value(json_object_get(*out_reply, "bytes"));
    if (r || !out_body)
        return r;
    r = gr_buf_str(out_body, gr_str_skip(all, end + 1));
    while (r == 0 && (json_int_t)out_body->len < n)
        r = receive(fd, out_body, deadline_ms);
    return r == -EMSGSIZE || (r == 0 && (json_int_t)out_body->len != n) ? -EPROTO : r;
}

/* What is sent: a line, and what follows it. */
struct sent {
    struct gr_str line, body;
};

static int exchange(const char *path, uint64_t deadline_ms, const struct sent *sent,
                    json_t **out_reply, struct gr_buf *out_body)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct gr_buf in;
    int r;

    if (fd < 0)
        return -errno;
    gr_buf_init(&in, GR_CONTROL_REPLY_MAX_BYTES + READ_BYTES);
    r = connect_to(fd, path, deadline_ms);
    if (r == 0)
        r = check_peer(fd);
    if (r == 0)
        r = send_all(fd, sent->line, deadline_ms);
    if (r == 0)
        r = send_all(fd, sent->body, deadline_ms);
    if (r == 0)
        r = receive_reply(fd, deadline_ms, &in, out_reply, out_body);
    gr_buf_fini(&in);
    (void)close(fd);
    return r;
}

/* ---- requests and replies ---- */

static int explain(int r, const char *path, uint32_t timeout_ms, struct gr_err *err)
{
    switch (r) {
    case -ENOENT:
    case -ENOTDIR:
        return gr_fail(err, -ENOENT, "not-running",
                       "Grapnel is not running here, or has its control socket elsewhere: there is "
                       "no %s; see the setting controlSocket and --control",
                       path);
    case -ENOTSOCK:
        return gr_fail(
            err, -ENOENT, "not-running",
            "Grapnel cannot be asked: what lies at %s is no socket, and the plugin leaves "
            "it alone; remove it, then let the plugin reload, or see the setting "
            "controlSocket and --control",
            path);
    case -ECONNREFUSED:
        return gr_fail(err, r, "not-running",
                       "Grapnel is not running: the process that had the socket %s is gone", path);
    case -EACCES:
        return gr_fail(err, r, "not-permitted",
                       "no permission to use the socket %s; only root may ask", path);
    case -EPERM:
        return gr_fail(err, -EACCES, "not-permitted",
                       "the process at the socket %s runs as another user than root: it is not "
                       "asked",
                       path);
    case -ETIMEDOUT:
        return gr_fail(err, r, "no-answer",
                       "no answer at the socket %s within %u ms: the process there is stopped, or "
                       "does not come to it",
                       path, timeout_ms);
    case -EPROTO:
        return gr_fail(err, r, "no-answer",
                       "what came from the socket %s is no answer of Grapnel's; is it something "
                       "else's, or of another version?",
                       path);
    case -ENOMEM:
        return gr_fail(err, r, "no-memory", "no memory for the answer");
    default:
        return gr_fail_errno(err, r, "no-answer", "the socket %s cannot be used", path);
    }
}

static int dump_to_buf(const char *bytes, size_t n, void *out)
{
    return gr_buf_add(out, bytes, n) == 0 ? 0 : -1;
}

static int judge(const json_t *reply, struct gr_err *err)
{
    const char *text = json_string_value(json_object_get(reply, "error"));

    if (json_is_true(json_object_get(reply, "ok")))
        return 0;
    return gr_fail(err, GR_CONTROL_REFUSED, "refused", "%s", text ? text : "without a reason");
}

int gr_control_ask_with(const char *path, uint32_t timeout_ms, json_t *request, struct gr_str body,
                        json_t **out_reply, struct gr_buf *out_body, struct gr_err *err)
{
    uint64_t deadline_ms = gr_now_ms() + timeout_ms;
    struct gr_buf line;
    int r = 0;

    *out_reply = NULL;
    gr_buf_init(&line, GR_CONTROL_REQUEST_MAX_BYTES + 1);
    if (json_dump_callback(request, dump_to_buf, &line, JSON_COMPACT) != 0 ||
        gr_buf_byte(&line, '\n') != 0)
        r = line.broken ? line.broken : -ENOMEM;
    if (r == 0) {
        const struct sent sent = {.line = gr_buf_view(&line), .body = body};

        r = exchange(path, deadline_ms, &sent, out_reply, out_body);
    }
    gr_buf_fini(&line);
    if (r)
        json_decref(gr_take(*out_reply));
    return r ? explain(r, path, timeout_ms, err) : judge(*out_reply, err);
}

int gr_control_ask(const char *path, uint32_t timeout_ms, json_t *request, json_t **out_reply,
                   struct gr_err *err)
{
    return gr_control_ask_with(path, timeout_ms, request, GR_STR_NONE, out_reply, NULL, err);
}

/* ---- for verbs ---- */

int gr_control_option(const char *verb, struct gr_control_target *target, int option,
                      const char *value)
{
    if (option == GR_OPT_CONTROL && value[0] != '/')
        return gr_usage(verb, "--control with an absolute path", value);
    if (option == GR_OPT_CONTROL)
        target->path = value;
    else if (option == GR_OPT_CONTROL_CONFIG)
        target->config_path = value;
    else { /* getopt_long has said what is wrong */
        (void)fprintf(stderr, "See grapnel %s --help.\n", verb);
        return GR_EXIT_USAGE;
    }
    return GR_EXIT_OK;
}

void gr_control_say_guessed(const struct gr_settings *settings, int r, struct gr_err *err)
{
    const struct gr_err before = *err;

    if (settings->file == GR_SETTINGS_NOTHING && (r == -ENOENT || r == -ECONNREFUSED))
        (void)gr_fail(err, r, before.code,
                      "%s. The settings cannot be read, and no earlier text of them is kept, so "
                      "the default socket was tried: mend them, or name the socket with --control",
                      before.text);
}

int gr_control_ask_target(const struct gr_control_target *target, json_t *request,
                          json_t **out_reply, struct gr_err *err)
{
    const struct gr_flags flags = {.config_path = target->config_path};
    struct gr_printed printed = {0};
    const struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_settings settings;
    int r;

    *out_reply = NULL;
    if (target->path)
        return gr_control_ask(target->path, GR_CONTROL_TIMEOUT_DEFAULT_MS, request, out_reply, err);
    if (gr_settings_read(&flags, GR_STR_NONE, GR_SETTINGS_AS_IN_FORCE, &reporter, &settings) != 0)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory for the settings");
    if (settings.config.control_socket[0])
        r = gr_control_ask(settings.config.control_socket, GR_CONTROL_TIMEOUT_DEFAULT_MS, request,
                           out_reply, err);
    else
        r = gr_fail(err, -ENOTSUP, "not-running",
                    "the settings say controlSocket: none; nothing can be asked");
    gr_control_say_guessed(&settings, r, err);
    gr_settings_fini(&settings);
    return r;
}

int gr_control_call(const char *verb, const struct gr_control_target *target, json_t *request,
                    json_t **out_reply)
{
    struct gr_err err = {0};
    int r = gr_control_ask_target(target, request, out_reply, &err);

    json_decref(request);
    if (r == 0)
        return GR_EXIT_OK;
    json_decref(gr_take(*out_reply));
    (void)fprintf(stderr, "grapnel %s: %s\n", verb, err.text);
    return r == GR_CONTROL_REFUSED ? GR_EXIT_FAILED : GR_EXIT_HOST;
}
