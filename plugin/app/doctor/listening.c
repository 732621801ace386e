/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/listening.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/defs.h"

/* The kernel fills at most 32 KiB at once, some 600 sockets. */
#define REPLY_BYTES 32768
/* No node has so many sockets; somebody who makes them ends the search. */
#define REPLIES_MAX 1024
#define WAIT_S 2

/* How the kernel numbers devices inside. */
#define DEV_MINOR_BITS 20

struct request {
    struct nlmsghdr head;
    struct unix_diag_req diag;
};

enum reply {
    MORE,
    FOUND,
    END,
};

static bool ask(int fd)
{
    static const struct request request = {
        .head = {.nlmsg_len = sizeof(request),
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .diag = {.sdiag_family = AF_UNIX,
                 .udiag_states = 1U << TCP_LISTEN,
                 .udiag_show = UDIAG_SHOW_VFS},
    };
    const struct timeval wait = {.tv_sec = WAIT_S};

    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
           send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request);
}

/* Of an inode's number the kernel tells 32 bits; the device makes it one of few. */
static bool is_file(const struct unix_diag_vfs *vfs, const struct stat *st)
{
    return vfs->udiag_vfs_ino == (uint32_t)st->st_ino &&
           vfs->udiag_vfs_dev >> DEV_MINOR_BITS == major(st->st_dev) &&
           (vfs->udiag_vfs_dev & ((1U << DEV_MINOR_BITS) - 1)) == minor(st->st_dev);
}

static bool is_bound_to(const struct nlmsghdr *head, const struct stat *st)
{
    const size_t skip = NLMSG_SPACE(sizeof(struct unix_diag_msg));
    const char *at = (const char *)head + skip;
    size_t left = head->nlmsg_len > skip ? head->nlmsg_len - skip : 0;

    while (left >= sizeof(struct rtattr)) {
        struct unix_diag_vfs vfs;
        struct rtattr attr;
        size_t step;

        memcpy(&attr, at, sizeof(attr));
        if (attr.rta_len < sizeof(attr) || attr.rta_len > left)
            return false;
        if (attr.rta_type == UNIX_DIAG_VFS && attr.rta_len >= RTA_LENGTH(sizeof(vfs))) {
            memcpy(&vfs, at + RTA_LENGTH(0), sizeof(vfs));
            return is_file(&vfs, st);
        }
        step = GR_MIN(RTA_ALIGN((size_t)attr.rta_len), left);
        at += step;
        left -= step;
    }
    return false;
}

static enum reply read_reply(const char *bytes, size_t n, const struct stat *st)
{
    while (n >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        size_t step;

        memcpy(&head, bytes, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > n)
            return END;
        if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
            return END;
        if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
            is_bound_to((const struct nlmsghdr *)(const void *)bytes, st))
            return FOUND;
        step = GR_MIN(NLMSG_ALIGN((size_t)head.nlmsg_len), n);
        bytes += step;
        n -= step;
    }
    return MORE;
}

/* One datagram, which must be the kernel's. */
static enum reply next_reply(int fd, const struct stat *st)
{
    _Alignas(struct nlmsghdr) char bytes[REPLY_BYTES];
    struct sockaddr_nl from = {0};
    socklen_t from_bytes = sizeof(from);
    ssize_t n =
        recvfrom(fd, bytes, sizeof(bytes), MSG_TRUNC, (struct sockaddr *)&from, &from_bytes);

    if (n <= 0 || (size_t)n > sizeof(bytes))
        return END;
    return from.nl_pid == 0 ? read_reply(bytes, (size_t)n, st) : MORE;
}

bool gr_doctor_sees_listener(int file)
{
    enum reply reply = END;
    struct stat st;
    int fd;

    if (fstat(file, &st) != 0)
        return false;
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return false;
    if (ask(fd))
        reply = MORE;
    for (size_t i = 0; i < REPLIES_MAX && reply == MORE; i++)
        reply = next_reply(fd, &st);
    (void)close(fd);
    return reply == FOUND;
}
