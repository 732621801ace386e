/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_FIRST_MS 500
#define CONNECT_LAST_MS 5000
#define SESSION_FIRST_MS 5000
#define SESSION_LAST_MS 60000
#define SESSION_OLD_MS 60000

void gr_backoff_init(struct gr_backoff *backoff)
{
    *backoff = (struct gr_backoff){.connect_ms = CONNECT_FIRST_MS, .session_ms = SESSION_FIRST_MS};
}

static uint32_t with_jitter(uint32_t wait_ms, uint32_t random)
{
    return wait_ms - random % (wait_ms / 4 + 1);
}

uint32_t gr_backoff_connect_failed(struct gr_backoff *backoff, uint32_t random)
{
    uint32_t wait_ms = backoff->connect_ms;

    backoff->connect_ms = GR_MIN(wait_ms * 2, (uint32_t)CONNECT_LAST_MS);
    return with_jitter(wait_ms, random);
}

uint32_t gr_backoff_session_ended(struct gr_backoff *backoff, uint64_t age_ms, uint32_t random)
{
    uint32_t wait_ms = backoff->session_ms;

    backoff->connect_ms = CONNECT_FIRST_MS;
    if (age_ms >= SESSION_OLD_MS) {
        backoff->session_ms = SESSION_FIRST_MS;
        return with_jitter(CONNECT_FIRST_MS, random);
    }
    backoff->session_ms = GR_MIN(wait_ms * 2, (uint32_t)SESSION_LAST_MS);
    return with_jitter(wait_ms, random);
}

int gr_link_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    int fd;

    if (n >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, n + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int r = -errno;

        (void)close(fd);
        return r;
    }
    return fd;
}

int gr_link_adopt(struct gr_str text)
{
    uint64_t number;
    struct stat st;
    int fd;

    if (gr_str_to_u64(text, &number) != 0 || number > 1024)
        return -EINVAL;
    fd = (int)number;
    if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode))
        return -ENOTSOCK;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return -errno;
    (void)unsetenv("NRI_PLUGIN_SOCKET");
    (void)unsetenv("NRI_PLUGIN_NAME");
    (void)unsetenv("NRI_PLUGIN_IDX");
    return fd;
}
