/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/control/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "state/rundir.h"

/* ".grapnel." and a random number: instances may have the same process id, each in its container.
 */
#define TEMPORARY_BYTES 32

void gr_listener_init(struct gr_listener *out_listener)
{
    *out_listener = (struct gr_listener){.fd = -1};
}

void gr_listener_init_datagrams(struct gr_listener *out_listener)
{
    *out_listener = (struct gr_listener){.fd = -1, .datagrams = true};
}

static int open_socket(bool datagrams)
{
    return socket(AF_UNIX, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
                  0);
}

/* The last component. */
static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int open_dir(const char *path, struct gr_err *err)
{
    char dir[GR_CONFIG_SOCKET_MAX_BYTES + 1];
    const char *name = name_of(path);
    size_t n = (size_t)(name - path);

    if (path[0] != '/' || name[0] == '\0' || strlen(path) > GR_CONFIG_SOCKET_MAX_BYTES)
        return gr_fail(err, -EINVAL, "socket",
                       "expected an absolute path of at most %d bytes for a socket, found %s",
                       GR_CONFIG_SOCKET_MAX_BYTES, path);
    n = n > 1 ? n - 1 : n;
    memcpy(dir, path, n);
    dir[n] = '\0';
    return gr_rundir_open(dir, err);
}

/* By the directory's descriptor: whatever length and links its path has. */
static struct sockaddr_un address_in(int dir, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir, name);
    return address;
}

static void make_temporary(char out_name[TEMPORARY_BYTES])
{
    uint64_t number = 0;

    /* Without entropy the name is one that another instance may have; then bind says so. */
    (void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
    (void)snprintf(out_name, TEMPORARY_BYTES, ".grapnel.%016llx", (unsigned long long)number);
}

/* Binds, closes it to others, listens. The file has the temporary name afterwards, also on failure
 * behind bind. */
static int bind_and_listen(int fd, bool datagrams, int dir, const char *temporary,
                           struct stat *out_st)
{
    const struct sockaddr_un address = address_in(dir, temporary);

    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return -errno;
    if (fchmodat(dir, temporary, 0600, 0) != 0 ||
        (!datagrams && listen(fd, GR_LISTENER_BACKLOG) != 0) ||
        fstatat(dir, temporary, out_st, AT_SYMLINK_NOFOLLOW) != 0) {
        int r = -errno;

        (void)unlinkat(dir, temporary, 0);
        return r;
    }
    return 0;
}

/* A path that was mistyped must not cost somebody a file. */
static int refuse_other_files(int dir, const char *path, struct gr_err *err)
{
    struct stat st;

    if (fstatat(dir, name_of(path), &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(st.st_mode))
        return gr_fail(err, -EEXIST, "socket",
                       "expected a socket or nothing at %s, found something else; remove it or set "
                       "another path",
                       path);
    return 0;
}

static int open_in(struct gr_listener *listener, int dir, const char *path, struct gr_err *err)
{
    char temporary[TEMPORARY_BYTES];
    struct stat st;
    int r = refuse_other_files(dir, path, err);
    int fd;

    if (r)
        return r;
    fd = open_socket(listener->datagrams);
    if (fd < 0)
        return gr_fail_errno(err, -errno, "socket", "cannot make the socket %s", path);
    make_temporary(temporary);
    r = bind_and_listen(fd, listener->datagrams, dir, temporary, &st);
    if (r == 0 && renameat(dir, temporary, dir, name_of(path)) != 0) {
        r = -errno;
        (void)unlinkat(dir, temporary, 0);
    }
    if (r) {
        (void)close(fd);
        return gr_fail_errno(err, r, "socket", "cannot make the socket %s", path);
    }
    listener->fd = fd;
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
    (void)snprintf(listener->path, sizeof(listener->path), "%s", path);
    return 0;
}

int gr_listener_open(struct gr_listener *listener, const char *path, struct gr_err *err)
{
    int dir = open_dir(path, err);
    int r;

    if (dir < 0)
        return dir;
    r = open_in(listener, dir, path, err);
    (void)close(dir);
    return r;
}

static bool find_somebody(const char *path, bool datagrams, pid_t *out_pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer = {0};
    socklen_t n = sizeof(peer);
    bool lives;
    int fd;

    *out_pid = 0;
    if (strlen(path) >= sizeof(address.sun_path))
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = open_socket(datagrams);
    if (fd < 0)
        return false;
    lives = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    if (lives && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
        *out_pid = peer.pid;
    /* EAGAIN: so many wait there already that no more do. */
    lives = lives || errno == EAGAIN;
    (void)close(fd);
    return lives;
}

bool gr_listener_somebody(const char *path, pid_t *out_pid)
{
    return find_somebody(path, false, out_pid);
}

static bool is_ours(const struct gr_listener *listener, const struct stat *st)
{
    return st->st_dev == listener->device && st->st_ino == listener->inode;
}

enum gr_listener_place gr_listener_place(const struct gr_listener *listener)
{
    struct stat st;
    pid_t pid;

    if (lstat(listener->path, &st) == 0 && is_ours(listener, &st))
        return GR_LISTENER_OURS;
    return find_somebody(listener->path, listener->datagrams, &pid) ? GR_LISTENER_OTHERS
                                                                    : GR_LISTENER_NOBODY;
}

/* Another instance may put its socket there between the look and the removal; it finds out at its
 * next reload and makes it again. */
static void remove_file(const struct gr_listener *listener)
{
    struct stat st;

    if (lstat(listener->path, &st) == 0 && is_ours(listener, &st))
        (void)unlink(listener->path);
}

void gr_listener_close(struct gr_listener *listener)
{
    if (listener->fd < 0)
        return;
    remove_file(listener);
    (void)close(listener->fd);
    *listener = (struct gr_listener){.fd = -1, .datagrams = listener->datagrams};
}
