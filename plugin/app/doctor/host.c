/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Entries of one directory; /proc of a large node has 20,000. No evidence. */
#define ENTRIES_MAX 65536

int gr_doctor_host_open(struct gr_doctor_host *host, const char *root, struct gr_arena *arena)
{
    host->root = root;
    host->arena = arena;
    host->denied = false;
    gr_fs_posix(&host->fs);
    return gr_walk_open(&host->walk, &host->fs, root);
}

void gr_doctor_host_close(struct gr_doctor_host *host)
{
    gr_walk_close(&host->walk);
}

static int walk_to(struct gr_doctor_host *host, const char *path)
{
    int r = gr_walk_to(&host->walk, path, NULL, NULL);

    if (r == -EACCES || r == -EPERM)
        host->denied = true;
    return r;
}

/* Of what the last walk reached; borrowed. */
static int reached(const struct gr_doctor_host *host)
{
    return host->walk.node != GR_FS_NO_NODE ? host->walk.node : gr_walk_top(&host->walk)->node;
}

int gr_doctor_open(struct gr_doctor_host *host, const char *path)
{
    int r = walk_to(host, path);

    if (r != 0)
        return r;
    r = fcntl(reached(host), F_DUPFD_CLOEXEC, 0);
    return r < 0 ? -errno : r;
}

int gr_doctor_stat(struct gr_doctor_host *host, const char *path, struct stat *out_st)
{
    int r = walk_to(host, path);

    if (r != 0)
        return r;
    return fstat(reached(host), out_st) != 0 ? -errno : 0;
}

int gr_doctor_open_read(struct gr_doctor_host *host, const char *path)
{
    int r = walk_to(host, path);
    struct stat st;
    int fd;

    if (r != 0)
        return r;
    if (host->walk.node == GR_FS_NO_NODE)
        return -EISDIR;
    r = gr_fs_open_read(&host->fs, gr_walk_top(&host->walk)->node, host->walk.name, &fd);
    if (r == -EACCES || r == -EPERM)
        host->denied = true;
    if (r != 0)
        return r;
    if (fstat(fd, &st) != 0)
        r = -errno;
    else if (!S_ISREG(st.st_mode))
        r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    if (r == 0)
        return fd;
    (void)close(fd);
    return r;
}

int gr_doctor_read(struct gr_doctor_host *host, const char *path, size_t max,
                   struct gr_str *out_text)
{
    int fd = gr_doctor_open_read(host, path);
    struct gr_buf buf;
    int r;

    if (fd < 0)
        return fd;
    gr_buf_init(&buf, max);
    r = gr_fs_read_all(&host->fs, fd, &buf);
    (void)close(fd);
    if (r == 0 && !gr_arena_str(host->arena, gr_buf_view(&buf), out_text))
        r = -ENOMEM;
    gr_buf_fini(&buf);
    return r;
}

struct listing {
    struct gr_doctor_host *host;
    struct gr_doctor_entries entries;
    size_t cap;
    int dir;
};

static int add(void *user, const char *name, enum gr_fs_type type GR_UNUSED)
{
    struct listing *l = user;
    struct gr_doctor_entry *entry;

    if (l->entries.n == ENTRIES_MAX)
        return -EMSGSIZE;
    if (l->entries.n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct gr_doctor_entry *items = gr_arena_array(l->host->arena, cap, sizeof(*items));

        if (!items)
            return -ENOMEM;
        if (l->entries.n > 0)
            memcpy(items, l->entries.items, l->entries.n * sizeof(*items));
        l->entries.items = items;
        l->cap = cap;
    }
    entry = &l->entries.items[l->entries.n];
    if (fstatat(l->dir, name, &entry->st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0; /* gone meanwhile */
    entry->name = gr_arena_copy(l->host->arena, gr_str_from(name));
    l->entries.n++;
    return entry->name ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct gr_doctor_entry *)a)->name,
                  ((const struct gr_doctor_entry *)b)->name);
}

int gr_doctor_list(struct gr_doctor_host *host, const char *path,
                   struct gr_doctor_entries *out_entries)
{
    struct listing l = {.host = host};
    int r = walk_to(host, path);

    if (r == 0)
        r = gr_walk_enter(&host->walk);
    if (r != 0)
        return r;
    l.dir = gr_walk_top(&host->walk)->node;
    r = host->fs.list(host->fs.user, l.dir, add, &l);
    if (r == -EACCES || r == -EPERM)
        host->denied = true;
    if (r != 0)
        return r;
    if (l.entries.n > 1)
        qsort(l.entries.items, l.entries.n, sizeof(*l.entries.items), by_name);
    *out_entries = l.entries;
    return 0;
}

const char *gr_doctor_link(struct gr_doctor_host *host, const char *path)
{
    char text[GR_LOAD_PATH_BYTES];
    char dir[GR_LOAD_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    ssize_t n;

    if (!slash || snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path) < 0 ||
        walk_to(host, slash == path ? "/" : dir) != 0 || gr_walk_enter(&host->walk) != 0)
        return NULL;
    n = readlinkat(gr_walk_top(&host->walk)->node, slash + 1, text, sizeof(text));
    if (n < 0 && (errno == EACCES || errno == EPERM))
        host->denied = true;
    return n > 0 ? gr_arena_copy(host->arena, (struct gr_str){.p = text, .n = (size_t)n}) : NULL;
}

bool gr_doctor_same(struct gr_doctor_host *host, const char *a, const char *b)
{
    struct stat one, other;

    if (strcmp(a, b) == 0)
        return true;
    return gr_doctor_stat(host, a, &one) == 0 && gr_doctor_stat(host, b, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}
