/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int gr_claim(const char *path)
{
    size_t slash = gr_str_rfind(gr_str_from(path), '/');
    char *name = NULL;
    int fd;

    if (asprintf(&name, "%.*s/.%s.lock", (int)slash, path, path + slash + 1) < 0)
        return -ENOMEM;
    fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    free(name);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int r = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;

        (void)close(fd);
        return r;
    }
    return fd;
}

static const struct listening {
    int level, name;
} reuse = {SOL_SOCKET, SO_REUSEADDR}, v6_only = {IPPROTO_IPV6, IPV6_V6ONLY};

static int set_option(int fd, struct listening option, int value)
{
    return setsockopt(fd, option.level, option.name, &value, sizeof(value)) != 0 ? -errno : 0;
}

static int start(int fd, const struct sockaddr *to, socklen_t bytes)
{
    return bind(fd, to, bytes) != 0 || listen(fd, GR_ENDPOINT_BACKLOG) != 0 ? -errno : 0;
}

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    return fd;
}

/* A port in use is told apart from one whose connections still time out. */
static int open_tcp(const struct gr_address *address)
{
    int family = address->to.ss_family;
    int fd = open_socket(family), r;

    if (fd < 0)
        return fd;
    r = set_option(fd, reuse, 1);
    if (r == 0 && family == AF_INET6)
        r = set_option(fd, v6_only, !address->any);
    if (r == 0)
        r = start(fd, (const struct sockaddr *)&address->to, address->bytes);
    if (r) {
        (void)close(fd);
        return r;
    }
    return fd;
}

static int open_any_v4(const struct gr_address *address)
{
    const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)&address->to;
    struct gr_address v4 = {.bytes = sizeof(struct sockaddr_in)};
    struct sockaddr_in *to = (struct sockaddr_in *)&v4.to;

    to->sin_family = AF_INET;
    to->sin_port = from->sin6_port;
    return open_tcp(&v4);
}

/* Under the claim. Whoever listens there without one is no Grapnel, and is left alone as well. */
static int remove_stale(const struct gr_address *address)
{
    const struct sockaddr_un *to = (const struct sockaddr_un *)&address->to;
    struct stat st;
    int fd, r;

    if (lstat(to->sun_path, &st) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = open_socket(AF_UNIX);
    if (fd < 0)
        return fd;
    r = connect(fd, (const struct sockaddr *)to, address->bytes) == 0 ? EADDRINUSE : errno;
    (void)close(fd);
    if (r == EAGAIN)
        return -EADDRINUSE; /* its backlog is full */
    if (r != ECONNREFUSED)
        return -r;
    return unlink(to->sun_path) != 0 ? -errno : 0;
}

static int open_unix(const struct gr_address *address, struct gr_endpoint *endpoint)
{
    const struct sockaddr_un *to = (const struct sockaddr_un *)&address->to;
    int r;

    endpoint->claim = gr_claim(to->sun_path);
    if (endpoint->claim < 0)
        return endpoint->claim;
    r = remove_stale(address);
    if (r)
        return r;
    endpoint->fd = open_socket(AF_UNIX);
    if (endpoint->fd < 0)
        return endpoint->fd;
    /* The file gets the socket's own mode when it is made: it is never open to others. */
    if (fchmod(endpoint->fd, 0600) != 0)
        return -errno;
    r = start(endpoint->fd, (const struct sockaddr *)to, address->bytes);
    if (r == 0)
        endpoint->path = strdup(to->sun_path);
    return r == 0 && !endpoint->path ? -ENOMEM : r;
}

int gr_endpoint_open(const struct gr_address *address, struct gr_endpoint *out_listener)
{
    struct gr_endpoint endpoint = {.fd = -1, .claim = -1};
    int r;

    if (address->to.ss_family == AF_UNIX) {
        r = open_unix(address, &endpoint);
    } else {
        endpoint.fd = open_tcp(address);
        if (endpoint.fd == -EAFNOSUPPORT && address->any)
            endpoint.fd = open_any_v4(address);
        r = GR_MIN(endpoint.fd, 0);
    }
    if (r)
        gr_endpoint_close(&endpoint);
    *out_listener = endpoint;
    return r;
}

void gr_endpoint_close(struct gr_endpoint *endpoint)
{
    if (endpoint->path)
        (void)unlink(endpoint->path);
    free(endpoint->path);
    if (endpoint->fd >= 0)
        (void)close(endpoint->fd);
    if (endpoint->claim >= 0)
        (void)close(endpoint->claim);
    *endpoint = (struct gr_endpoint){.fd = -1, .claim = -1};
}
