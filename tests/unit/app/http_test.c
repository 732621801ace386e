/* SPDX-License-Identifier: Apache-2.0 */
/* The server is freed whatever its connections are doing: for the sanitizers. What it answers
 * stands in tests/golden/test_metrics.py. */
#include "testing.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/daemon/metrics/http.h"

#define CLIENTS (GR_HTTP_CONNECTIONS_MAX + 4)
#define HEADER "Content-Length: 3\r\nConnection: close\r\n"

struct rig {
    struct event_base *base;
    struct gr_endpoint endpoint;
    struct gr_http *http;
    struct sockaddr_in to;
    int clients[CLIENTS];
    size_t asked;
};

static void answer(void *user, struct gr_str path, struct gr_http_answer *out_answer)
{
    struct rig *rig = user;

    rig->asked++;
    assert_true(gr_str_is(path, "/healthz"));
    *out_answer = (struct gr_http_answer){.status = 200, .type = "text/plain"};
    gr_buf_init(&out_answer->body, 16);
    assert_int_equal(gr_buf_text(&out_answer->body, "ok\n"), 0);
}

static void begin(struct rig *rig)
{
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(rig->to);

    *rig = (struct rig){.base = event_base_new()};
    assert_non_null(rig->base);
    assert_int_equal(event_base_priority_init(rig->base, GR_HTTP_PRIORITY + 1), 0);
    rig->endpoint.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(rig->endpoint.fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(rig->endpoint.fd, CLIENTS), 0);
    assert_int_equal(getsockname(rig->endpoint.fd, (struct sockaddr *)&rig->to, &bytes), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        rig->clients[i] = -1;
    assert_int_equal(gr_http_new(rig->base, &rig->endpoint, answer, rig, &rig->http), 0);
}

static void end(struct rig *rig)
{
    gr_http_free(rig->http);
    event_base_free(rig->base);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (rig->clients[i] >= 0)
            (void)close(rig->clients[i]);
    }
    (void)close(rig->endpoint.fd);
}

static void connect_all(struct rig *rig, const char *text)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (const struct sockaddr *)&rig->to, sizeof(rig->to)), 0);
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        rig->clients[i] = fd;
    }
}

static void turn(struct rig *rig, int turns)
{
    for (int i = 0; i < turns; i++)
        (void)event_base_loop(rig->base, EVLOOP_NONBLOCK);
}

/* Each turn waits for an event; the server's own timer is one. */
static void turn_until_asked(struct rig *rig, size_t times)
{
    while (rig->asked < times)
        (void)event_base_loop(rig->base, EVLOOP_ONCE);
}

struct row {
    const char *name;
    const char *text;
};

static const struct row rows[] = {
    {"nothing", ""},
    {"a part", "GET /healthz HTTP/1.1\r\nX: "},
    {"a request", "GET /healthz HTTP/1.1\r\n\r\n"},
    {"more than a request", "GET /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n"},
    {"no request", "nonsense\r\n\r\n"},
    {"a body", "POST /healthz HTTP/1.1\r\nContent-Length: 100\r\n\r\nxxx"},
    {"a chunk", "POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfff"},
};

/* After each number of turns: accepted, being read, being answered, lingering. */
static void freed_after(void **state)
{
    const struct row *row = *state;

    for (int turns = 0; turns < 8; turns++) {
        struct rig rig;

        begin(&rig);
        connect_all(&rig, row->text);
        turn(&rig, turns);
        assert_true(rig.asked <= GR_HTTP_CONNECTIONS_MAX);
        end(&rig);
    }
}

/* The clients leave, and those that waited have their turn. */
static void left_after(void **state)
{
    const struct row *row = *state;
    struct rig rig;

    begin(&rig);
    connect_all(&rig, row->text);
    turn(&rig, 8);
    for (size_t i = 0; i < GR_HTTP_CONNECTIONS_MAX; i++) {
        (void)close(rig.clients[i]);
        rig.clients[i] = -1;
    }
    if (strstr(row->text, "GET /healthz HTTP/1.1\r\n\r\n") == row->text)
        turn_until_asked(&rig, CLIENTS);
    else
        turn(&rig, 16);
    assert_true(rig.asked == CLIENTS || rig.asked == 0);
    end(&rig);
}

static void test_answer(void **state)
{
    char found[512] = "";
    struct rig rig;
    size_t got = 0;
    ssize_t n;

    (void)state;
    begin(&rig);
    connect_all(&rig, "GET /healthz?x HTTP/1.1\r\nConnection: keep-alive\r\n\r\n"
                      "GET /healthz HTTP/1.1\r\n\r\n");
    turn_until_asked(&rig, GR_HTTP_CONNECTIONS_MAX);
    while ((n = recv(rig.clients[0], found + got, sizeof(found) - 1 - got, MSG_DONTWAIT)) != 0) {
        got += n > 0 ? (size_t)n : 0;
        (void)event_base_loop(rig.base, EVLOOP_ONCE);
    }
    assert_non_null(strstr(found, HEADER));
    assert_string_equal(found + got - 4, "\nok\n");
    assert_null(strstr(found + 1, "HTTP/1.1"));
    end(&rig);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    TEST_ADD_ROWS(freed_after, rows);
    TEST_ADD_ROWS(left_after, rows);
    test_add("an answer, and one request for each connection", test_answer);
    return test_run("http");
}
