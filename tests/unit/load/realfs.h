/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of its own below the system's one for temporary files, for tests of the real
 * operations. What needs root (other owners, mounts) is skipped without it.
 */
#ifndef GR_TESTS_LOAD_REALFS_H
#define GR_TESTS_LOAD_REALFS_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load/walk.h"
#include "loading.h"

static char top[128];
static struct gr_fs fs;
static size_t fds_before;

static inline const char *at(const char *path)
{
    static char paths[8][512];
    static size_t next;
    char *out = paths[next++ % GR_ARRAY_LEN(paths)];

    (void)snprintf(out, sizeof(paths[0]), "%s%s", top, path);
    return out;
}

static inline void make(const char *path, const char *text, mode_t mode)
{
    int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void dir(const char *path, mode_t mode)
{
    assert_int_equal(mkdir(at(path), 0700), 0);
    assert_int_equal(chmod(at(path), mode), 0);
}

static inline void link_to(const char *path, const char *target)
{
    assert_int_equal(symlink(target, at(path)), 0);
}

static inline size_t count_fds(void)
{
    DIR *stream = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(stream);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n;
}

static inline void begin(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)umask(022);
    (void)snprintf(top, sizeof(top), "%s/grapnel-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(top));
    gr_fs_posix(&fs);
    fds_before = count_fds();
}

static inline void remove_tree(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        char below[1024];
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= (int)sizeof(below))
            continue;
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(below);
        else
            (void)unlink(below);
    }
    if (stream)
        closedir(stream);
    (void)rmdir(path);
}

static inline void end(void)
{
    assert_int_equal(count_fds(), fds_before);
    remove_tree(top);
}

#endif
