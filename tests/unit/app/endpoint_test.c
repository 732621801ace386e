/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets: who gets the address of two, and what is left behind. */
#include "testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/daemon/metrics/endpoint.h"

struct place {
    char dir[64], path[96];
    struct gr_address address;
};

static void begin(struct place *place)
{
    char text[128];

    (void)snprintf(place->dir, sizeof(place->dir), "/tmp/grapnel-listen-test.XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    (void)snprintf(place->path, sizeof(place->path), "%s/m.sock", place->dir);
    (void)snprintf(text, sizeof(text), "unix:%s", place->path);
    assert_true(gr_address_parse(gr_str_from(text), &place->address));
}

static void end(struct place *place)
{
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(rmdir(place->dir), 0);
}

static int open_at(const struct gr_address *address, struct gr_endpoint *out_endpoint)
{
    struct gr_err err = {0};
    int r;

    gr_endpoint_init(out_endpoint);
    r = gr_endpoint_open(out_endpoint, address, &err);
    assert_int_equal(r != 0, err.text[0] != '\0');
    assert_int_equal(r != 0, out_endpoint->fd < 0);
    return r;
}

static int connect_to(const struct gr_address *address)
{
    int fd = socket(address->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = connect(fd, (const struct sockaddr *)&address->to, address->bytes) ? -errno : 0;

    (void)close(fd);
    return r;
}

static void test_unix(void **state)
{
    struct gr_endpoint first, second;
    struct place place;
    struct stat st;

    (void)state;
    begin(&place);
    (void)umask(0);
    assert_int_equal(open_at(&place.address, &first), 0);
    (void)umask(022);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0600);
    /* The newer instance has it, whichever of them leaves. */
    assert_int_equal(open_at(&place.address, &second), 0);
    assert_false(gr_endpoint_lost(&first));
    gr_endpoint_close(&first);
    gr_endpoint_close(&first);
    assert_int_equal(connect_to(&place.address), 0);
    assert_int_equal(open_at(&place.address, &first), 0);
    gr_endpoint_close(&first);
    assert_int_equal(connect_to(&place.address), -ENOENT);
    assert_true(gr_endpoint_lost(&second));
    gr_endpoint_close(&second);
    assert_false(gr_endpoint_lost(&second));
    end(&place);
}

static int listen_there(const struct place *place)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&place->address.to, place->address.bytes),
                     0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* A process that was killed leaves its socket's file. */
static void test_stale(void **state)
{
    struct gr_endpoint endpoint;
    struct place place;

    (void)state;
    begin(&place);
    (void)close(listen_there(&place));
    assert_int_equal(connect_to(&place.address), -ECONNREFUSED);
    assert_int_equal(open_at(&place.address, &endpoint), 0);
    assert_int_equal(connect_to(&place.address), 0);
    gr_endpoint_close(&endpoint);
    end(&place);
}

/* An older instance, or another program: it keeps its connections and gets no more. */
static void test_live(void **state)
{
    struct gr_endpoint endpoint;
    struct place place;
    int other;

    (void)state;
    begin(&place);
    other = listen_there(&place);
    assert_int_equal(open_at(&place.address, &endpoint), 0);
    (void)close(other);
    assert_int_equal(connect_to(&place.address), 0);
    gr_endpoint_close(&endpoint);
    end(&place);
}

static void test_no_socket(void **state)
{
    struct gr_endpoint endpoint;
    struct place place;
    struct stat st;
    FILE *file;

    (void)state;
    begin(&place);
    file = fopen(place.path, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(open_at(&place.address, &endpoint), -EEXIST);
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(unlink(place.path), 0);
    /* Nor is a link to a socket followed. */
    assert_int_equal(symlink("/dev/null", place.path), 0);
    assert_int_equal(open_at(&place.address, &endpoint), -EEXIST);
    assert_int_equal(unlink(place.path), 0);
    end(&place);
}

static void test_missing_directory(void **state)
{
    struct gr_endpoint endpoint;
    struct gr_address address;

    (void)state;
    assert_true(gr_address_parse(GR_STR("unix:/nonexistent/no/m.sock"), &address));
    assert_int_equal(open_at(&address, &endpoint), -ENOENT);
}

/* A port that is free now: nobody else takes it in the meantime but by accident. */
static uint16_t free_port(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &bytes), 0);
    (void)close(fd);
    return ntohs(to.sin_port);
}

struct form {
    const char *format; /* of the address */
};

static const struct form forms[] = {{"127.0.0.1:%u"}, {":%u"}};

static void tcp(void **state)
{
    const struct form *row = *state;
    struct gr_endpoint first, second;
    struct gr_address address, loopback;
    unsigned int port = free_port();
    char text[32];

    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", port);
    assert_true(gr_address_parse(gr_str_from(text), &loopback));
    (void)snprintf(text, sizeof(text), row->format[0] == ':' ? ":%u" : "127.0.0.1:%u", port);
    assert_true(gr_address_parse(gr_str_from(text), &address));
    assert_int_equal(open_at(&address, &first), 0);
    assert_int_equal(connect_to(&loopback), 0);
    assert_int_equal(open_at(&address, &second), -EADDRINUSE);
    gr_endpoint_close(&first);
    assert_int_equal(connect_to(&loopback), -ECONNREFUSED);
    assert_int_equal(open_at(&address, &second), 0);
    gr_endpoint_close(&second);
}

int main(void)
{
    test_add("a unix socket, and a second instance", test_unix);
    test_add("a socket that nobody listens on", test_stale);
    test_add("a socket of another program", test_live);
    test_add("something that is no socket", test_no_socket);
    test_add("no directory", test_missing_directory);
    TEST_ADD_ROWS(tcp, forms);
    return test_run("listen");
}
