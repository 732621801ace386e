/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/process/notify.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define NS_PER_US 1000

struct gr_notify {
    int fd;
    struct sockaddr_un address;
    socklen_t address_bytes;
    struct event *watchdog; /* NULL: nobody waits for it */
    bool ready;
    char status[GR_NOTIFY_MAX_BYTES]; /* as last sent */
};

static void send_text(const struct gr_notify *n, const char *text)
{
    /* A manager that does not read keeps nobody waiting. */
    (void)sendto(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&n->address, n->address_bytes);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_text(arg, "WATCHDOG=1");
}

/* A path, or with @ for its first byte a name of Linux's abstract sockets. */
static int take_address(struct gr_notify *n, const char *text)
{
    size_t bytes = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || bytes < 2 || bytes >= sizeof(n->address.sun_path))
        return -EINVAL;
    n->address.sun_family = AF_UNIX;
    memcpy(n->address.sun_path, text, bytes);
    n->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
    if (text[0] == '@')
        n->address.sun_path[0] = '\0';
    else
        n->address_bytes++;
    return 0;
}

/* Microseconds; 0: nobody waits, or for another process. */
static uint64_t watchdog_interval(void)
{
    const char *interval = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    uint64_t us, whose = (uint64_t)getpid();

    if (!interval || gr_str_to_u64(gr_str_from(interval), &us) != 0)
        return 0;
    if (pid && gr_str_to_u64(gr_str_from(pid), &whose) != 0)
        return 0;
    return whose == (uint64_t)getpid() ? us : 0;
}

static int start_watchdog(struct gr_notify *n, struct event_base *base, uint64_t us)
{
    const struct timeval half = {.tv_sec = (time_t)(us / 2 / 1000000),
                                 .tv_usec = (suseconds_t)(us / 2 % 1000000)};

    if (us == 0)
        return 0;
    n->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, n);
    return n->watchdog && event_add(n->watchdog, &half) == 0 ? 0 : -ENOMEM;
}

static void forget_environment(void)
{
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

int gr_notify_new(struct event_base *base, struct gr_notify **out_notify)
{
    const char *address = getenv("NOTIFY_SOCKET");
    struct gr_notify *n;
    int r;

    *out_notify = NULL;
    if (!address)
        return 0;
    n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    r = n->fd < 0 ? -errno : take_address(n, address);
    if (r == 0)
        r = start_watchdog(n, base, watchdog_interval());
    forget_environment();
    if (r) {
        gr_notify_free(n);
        return r;
    }
    *out_notify = n;
    return 0;
}

void gr_notify_free(struct gr_notify *n)
{
    if (!n)
        return;
    if (n->watchdog)
        event_free(n->watchdog);
    if (n->fd >= 0)
        (void)close(n->fd);
    free(n);
}

void gr_notify_status(struct gr_notify *n, const char *status)
{
    char text[GR_NOTIFY_MAX_BYTES];

    if (!n || strcmp(n->status, status) == 0)
        return;
    (void)snprintf(n->status, sizeof(n->status), "%s", status);
    (void)snprintf(text, sizeof(text), "STATUS=%s", status);
    send_text(n, text);
}

void gr_notify_ready(struct gr_notify *n, const char *status)
{
    if (!n)
        return;
    if (!n->ready)
        send_text(n, "READY=1");
    n->ready = true;
    gr_notify_status(n, status);
}

void gr_notify_reloading(struct gr_notify *n)
{
    char text[GR_NOTIFY_MAX_BYTES];

    /* Before it is ready there is nothing to come back to. */
    if (!n || !n->ready)
        return;
    (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)(gr_now_ns() / NS_PER_US));
    send_text(n, text);
    n->ready = false;
}

void gr_notify_stopping(struct gr_notify *n)
{
    if (n)
        send_text(n, "STOPPING=1");
}
