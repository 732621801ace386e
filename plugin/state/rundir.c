/* SPDX-License-Identifier: Apache-2.0 */
#include "state/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define READ_BYTES (16U << 10)
#define TEMPORARY_MAX 300

/* Of the modules of this folder, and of the sockets of app (app/daemon/control, suspend). */
static const char *const names[] = {
    "decisions",   "decisions.old", ".decisions.new", ".decisions.old.new", "pauses",
    "pauses.lock", "since",         "instances",      "control.sock",       "reports.sock"};

/* ".NAME.", of what is renamed when it is complete, and of sockets (app/daemon/control/listener).
 */
static const char *const prefixes[] = {".pauses.", ".since.", ".grapnel."};

static bool is_number(struct gr_str text)
{
    size_t n = 0;

    while (n < text.n &&
           ((text.p[n] >= '0' && text.p[n] <= '9') || (text.p[n] >= 'a' && text.p[n] <= 'f')))
        n++;
    return n > 0 && n == text.n;
}

bool gr_is_rundir_name(struct gr_str name)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        if (gr_str_is(name, names[i]))
            return true;
    }
    for (size_t i = 0; i < GR_ARRAY_LEN(prefixes); i++) {
        struct gr_str prefix = gr_str_from(prefixes[i]);

        if (gr_str_has_prefix(name, prefix) && is_number(gr_str_skip(name, prefix.n)))
            return true;
    }
    return false;
}

/* Only root, or whoever we run as, may have put there what we read. */
static bool is_ours(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int gr_rundir_open(const char *path, struct gr_err *err)
{
    struct stat st;
    int fd, r;

    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return gr_fail(err, -errno, "run-dir", "the directory %s cannot be made: %s", path,
                       strerror(errno));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return gr_fail(err, -errno, "run-dir", "the directory %s cannot be opened: %s", path,
                       strerror(errno));
    if (fstat(fd, &st) == 0 && is_ours(&st))
        return fd;
    r = gr_fail(err, -EPERM, "run-dir",
                "the directory %s is not used: others than root may change it; make it belong to "
                "root with mode 0755",
                path);
    (void)close(fd);
    return r;
}

bool gr_rundir_leads_to(const char *path, int dir)
{
    struct stat there, ours;

    return stat(path, &there) == 0 && fstat(dir, &ours) == 0 && there.st_dev == ours.st_dev &&
           there.st_ino == ours.st_ino;
}

int gr_rundir_write(int dir, const char *name, struct gr_str text)
{
    char temporary[TEMPORARY_MAX];
    int n = snprintf(temporary, sizeof(temporary), ".%s.%ld", name, (long)getpid());
    int fd, r;

    if (n < 0 || (size_t)n >= sizeof(temporary))
        return -ENAMETOOLONG;
    /* What a process of this number left when it was killed is nobody's. */
    (void)unlinkat(dir, temporary, 0);
    fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    r = gr_fd_write_all(fd, text);
    if (close(fd) != 0 && r == 0)
        r = -errno;
    if (r == 0 && renameat(dir, temporary, dir, name) != 0)
        r = -errno;
    if (r)
        (void)unlinkat(dir, temporary, 0);
    return r;
}

int gr_rundir_file(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;
    int r;

    if (fd < 0)
        return -errno;
    r = fstat(fd, &st) != 0 ? -errno : 0;
    if (r == 0 && S_ISREG(st.st_mode) && is_ours(&st))
        return fd;
    (void)close(fd);
    return r ? r : -EPERM;
}

static int read_all(int fd, size_t max, struct gr_buf *out)
{
    size_t before = out->len;
    char bytes[READ_BYTES];

    for (;;) {
        ssize_t n = read(fd, bytes, sizeof(bytes));
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        if (out->len - before + (size_t)n > max)
            return -EFBIG;
        r = gr_buf_add(out, bytes, (size_t)n);
        if (r)
            return r;
    }
}

int gr_rundir_read(int dir, const char *name, size_t max, struct gr_buf *out)
{
    int fd = gr_rundir_file(dir, name, O_RDONLY);
    size_t before = out->len;
    int r;

    if (fd < 0)
        return fd;
    r = read_all(fd, max, out);
    if (r)
        out->len = before;
    (void)close(fd);
    return r;
}

int gr_rundir_append(int dir, const char *name, bool fresh)
{
    return gr_rundir_file(dir, name, O_RDWR | O_APPEND | O_CREAT | (fresh ? O_EXCL : 0));
}
