/* SPDX-License-Identifier: Apache-2.0 */
#include "load/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "load/config.h"

#define PORT_MAX 65535

static bool parse_unix(struct gr_str path, struct gr_address *out)
{
    struct sockaddr_un *to = (struct sockaddr_un *)&out->to;

    if (path.n < 2 || path.n > GR_CONFIG_SOCKET_MAX_BYTES || path.p[0] != '/' ||
        path.p[path.n - 1] == '/' || memchr(path.p, '\0', path.n))
        return false;
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path.p, path.n);
    out->bytes = sizeof(*to);
    return true;
}

static bool parse_port(struct gr_str text, in_port_t *out_port)
{
    uint64_t number;

    if (gr_str_to_u64(text, &number) != 0 || number < 1 || number > PORT_MAX)
        return false;
    *out_port = htons((uint16_t)number);
    return true;
}

/* inet_pton wants a terminated text. */
static bool parse_host(int family, struct gr_str text, void *out)
{
    char host[INET6_ADDRSTRLEN];

    if (text.n == 0 || text.n >= sizeof(host))
        return false;
    memcpy(host, text.p, text.n);
    host[text.n] = '\0';
    return strlen(host) == text.n && inet_pton(family, host, out) == 1;
}

static bool parse_v6(struct gr_str host, struct gr_str port, struct gr_address *out)
{
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&out->to;

    to->sin6_family = AF_INET6;
    out->bytes = sizeof(*to);
    out->any = host.n == 0; /* in6addr_any is all zeroes */
    if (!out->any) {
        if (host.n < 2 || host.p[host.n - 1] != ']')
            return false;
        host = gr_str_skip(gr_str_first(host, host.n - 1), 1);
    }
    return (out->any || parse_host(AF_INET6, host, &to->sin6_addr)) &&
           parse_port(port, &to->sin6_port);
}

static bool parse_v4(struct gr_str host, struct gr_str port, struct gr_address *out)
{
    struct sockaddr_in *to = (struct sockaddr_in *)&out->to;

    to->sin_family = AF_INET;
    out->bytes = sizeof(*to);
    return parse_host(AF_INET, host, &to->sin_addr) && parse_port(port, &to->sin_port);
}

bool gr_address_parse(struct gr_str text, struct gr_address *out_address)
{
    struct gr_str scheme = GR_STR("unix:"), host, port;
    size_t colon = gr_str_rfind(text, ':');
    struct gr_address address = {0};
    bool good;

    host = gr_str_first(text, colon);
    port = gr_str_skip(text, colon + 1);
    if (gr_str_has_prefix(text, scheme))
        good = parse_unix(gr_str_skip(text, scheme.n), &address);
    else if (host.n == 0 || host.p[0] == '[')
        good = colon < text.n && parse_v6(host, port, &address);
    else
        good = parse_v4(host, port, &address);
    if (good)
        *out_address = address;
    return good;
}
