/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/nri_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int gr_nri_socket_connect(const char *path)
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

int gr_nri_socket_adopt(struct gr_str text)
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
