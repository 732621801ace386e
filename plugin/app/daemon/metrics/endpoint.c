/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/metrics/endpoint.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* From there on anybody may listen; what ip_unprivileged_port_start says where nobody changed it.
 */
#define PORTS_FOR_ALL 1024

static const struct listening {
    int level, name;
} reuse = {SOL_SOCKET, SO_REUSEADDR}, v6_only = {IPPROTO_IPV6, IPV6_V6ONLY};

static int set_option(int fd, struct listening option, int value)
{
    return setsockopt(fd, option.level, option.name, &value, sizeof(value)) != 0 ? -errno : 0;
}

static int start(int fd, const struct sockaddr *to, socklen_t bytes)
{
    return bind(fd, to, bytes) != 0 || listen(fd, GR_LISTENER_BACKLOG) != 0 ? -errno : 0;
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

static int open_unix(const struct gr_address *address, struct gr_endpoint *endpoint,
                     struct gr_err *err)
{
    const struct sockaddr_un *to = (const struct sockaddr_un *)&address->to;
    int r = gr_listener_open(&endpoint->listener, to->sun_path, err);

    endpoint->fd = endpoint->listener.fd;
    return r;
}

static int open_inet(const struct gr_address *address, struct gr_endpoint *endpoint,
                     struct gr_err *err)
{
    endpoint->fd = open_tcp(address);
    if (endpoint->fd == -EAFNOSUPPORT && address->any)
        endpoint->fd = open_any_v4(address);
    if (endpoint->fd >= 0)
        return 0;
    if (endpoint->fd == -EACCES)
        return gr_fail(err, endpoint->fd, "metrics-address",
                       "cannot listen at the port: %s; one below %d needs a capability, which only "
                       "sandbox: None leaves: name a port from %d on",
                       strerror(EACCES), PORTS_FOR_ALL, PORTS_FOR_ALL);
    return gr_fail_errno(err, endpoint->fd, "metrics-address", "cannot listen at the port");
}

void gr_endpoint_init(struct gr_endpoint *out_endpoint)
{
    out_endpoint->fd = -1;
    gr_listener_init(&out_endpoint->listener);
}

int gr_endpoint_open(struct gr_endpoint *endpoint, const struct gr_address *address,
                     struct gr_err *err)
{
    int r = address->to.ss_family == AF_UNIX ? open_unix(address, endpoint, err)
                                             : open_inet(address, endpoint, err);

    if (r)
        endpoint->fd = -1;
    return r;
}

bool gr_endpoint_lost(const struct gr_endpoint *endpoint)
{
    return endpoint->listener.fd >= 0 &&
           gr_listener_place(&endpoint->listener) == GR_LISTENER_NOBODY;
}

void gr_endpoint_close(struct gr_endpoint *endpoint)
{
    if (endpoint->listener.fd >= 0)
        gr_listener_close(&endpoint->listener);
    else if (endpoint->fd >= 0)
        (void)close(endpoint->fd);
    gr_endpoint_init(endpoint);
}
