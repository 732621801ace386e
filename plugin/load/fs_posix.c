/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/fs_posix: the real operations of load/fs, on descriptors.
 *
 * Layer: load. Holds no state; a node is a descriptor with close-on-exec. Entries are opened with
 * O_PATH first, which touches neither devices nor pipes; directories are read and files opened
 * through the descriptor of the directory above them.
 */
#include "load/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h> /* ST_… */
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NULL_MAJOR 1
#define NULL_MINOR 3

static int give(int fd, int *out_node)
{
    if (fd < 0)
        return -errno;
    *out_node = fd;
    return 0;
}

static int posix_open_root(void *user GR_UNUSED, const char *path, int *out_node)
{
    return give(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), out_node);
}

static int posix_open_at(void *user GR_UNUSED, int dir, const char *name, int *out_node)
{
    return give(openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), out_node);
}

static int posix_open_read(void *user GR_UNUSED, int dir, const char *name, int *out_node)
{
    return give(openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
                out_node);
}

static enum gr_fs_type type_of(mode_t mode, unsigned major, unsigned minor)
{
    if (S_ISREG(mode))
        return GR_FS_REGULAR;
    if (S_ISDIR(mode))
        return GR_FS_DIRECTORY;
    if (S_ISLNK(mode))
        return GR_FS_LINK;
    if (S_ISCHR(mode) && major == NULL_MAJOR && minor == NULL_MINOR)
        return GR_FS_NULL;
    if (S_ISSOCK(mode))
        return GR_FS_SOCKET;
    return GR_FS_OTHER;
}

static uint64_t opaque_time(struct statx_timestamp t)
{
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* What kubelet makes of a ConfigMap or Secret. A link of somebody else's says nothing. */
static bool is_volume(int node, const struct gr_fs_meta *meta)
{
    struct stat st;

    return meta->read_only && meta->type == GR_FS_DIRECTORY &&
           fstatat(node, "..data", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
           st.st_uid == 0;
}

/* Of a rule file nobody asks how it is mounted, and it is looked at three times. */
static bool wants_mount(mode_t mode)
{
    return !S_ISREG(mode) || mode & (S_IXUSR | S_IXGRP | S_IXOTH);
}

static int posix_meta(void *user GR_UNUSED, int node, struct gr_fs_meta *out_meta)
{
    struct statfs mount = {0};
    struct statx st;

    if (statx(node, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) != 0)
        return -errno;
    if (wants_mount(st.stx_mode) && fstatfs(node, &mount) != 0)
        return -errno;
    *out_meta = (struct gr_fs_meta){
        .type = type_of(st.stx_mode, st.stx_rdev_major, st.stx_rdev_minor),
        .mode = st.stx_mode & 07777U,
        .uid = st.stx_uid,
        .gid = st.stx_gid,
        .size_bytes = st.stx_size,
        .modified = opaque_time(st.stx_mtime),
        .changed = opaque_time(st.stx_ctime),
        .device = makedev(st.stx_dev_major, st.stx_dev_minor),
        .inode = st.stx_ino,
        .read_only = mount.f_flags & ST_RDONLY,
        .no_exec = mount.f_flags & ST_NOEXEC,
        .proc = mount.f_type == PROC_SUPER_MAGIC,
    };
    /* Before Linux 5.8 the device is the best guess. */
    out_meta->mount = st.stx_mask & STATX_MNT_ID ? st.stx_mnt_id : out_meta->device;
    out_meta->volume = is_volume(node, out_meta);
    return 0;
}

/* The type of an entry, asking the file system where the directory does not tell. */
static enum gr_fs_type entry_type(int dir, const struct dirent *entry)
{
    struct stat st;

    switch (entry->d_type) {
    case DT_REG:
        return GR_FS_REGULAR;
    case DT_DIR:
        return GR_FS_DIRECTORY;
    case DT_LNK:
        return GR_FS_LINK;
    case DT_SOCK:
        return GR_FS_SOCKET;
    case DT_UNKNOWN:
        if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            return type_of(st.st_mode, major(st.st_rdev), minor(st.st_rdev));
        return GR_FS_OTHER;
    default:
        return GR_FS_OTHER;
    }
}

static int each_entry(DIR *stream, gr_fs_entry_fn *each, void *each_user)
{
    for (;;) {
        const struct dirent *entry;
        int rc;

        errno = 0;
        entry = readdir(stream);
        if (!entry)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        rc = each(each_user, entry->d_name, entry_type(dirfd(stream), entry));
        if (rc != 0)
            return rc;
    }
}

static int posix_list(void *user GR_UNUSED, int dir, gr_fs_entry_fn *each, void *each_user)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream;
    int rc;

    if (fd < 0)
        return -errno;
    stream = fdopendir(fd);
    if (!stream) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = each_entry(stream, each, each_user);
    closedir(stream);
    return rc;
}

static int64_t posix_read_link(void *user GR_UNUSED, int node, char *out, size_t bytes)
{
    ssize_t n = readlinkat(node, "", out, bytes);

    return n < 0 ? -errno : n;
}

static int64_t posix_read(void *user GR_UNUSED, int node, void *out, size_t bytes)
{
    ssize_t n = read(node, out, bytes);

    return n < 0 ? -errno : n;
}

static int posix_cwd(void *user GR_UNUSED, char *out, size_t bytes)
{
    if (!getcwd(out, bytes))
        return -errno;
    /* Linux gives "(unreachable)/…" for a directory outside the process's root. */
    return out[0] == '/' ? 0 : -ENOENT;
}

static void posix_close(void *user GR_UNUSED, int node)
{
    if (node >= 0)
        (void)close(node);
}

static int posix_make_dir(void *user GR_UNUSED, int dir, const char *name, uint32_t mode)
{
    return mkdirat(dir, name, mode) == 0 ? 0 : -errno;
}

static int posix_create(void *user GR_UNUSED, int dir, const char *name, uint32_t mode,
                        int *out_node)
{
    return give(openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode),
                out_node);
}

static int64_t posix_write(void *user GR_UNUSED, int node, const void *data, size_t bytes)
{
    ssize_t n = write(node, data, bytes);

    return n < 0 ? -errno : n;
}

/* A directory's node is O_PATH, which cannot be synced itself: it is opened once more. */
static int with_directory(int node, int (*call)(int fd))
{
    int fd = openat(node, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return errno == ENOTDIR ? (call(node) == 0 ? 0 : -errno) : -errno;
    rc = call(fd) == 0 ? 0 : -errno;
    (void)close(fd);
    return rc;
}

static int posix_sync(void *user GR_UNUSED, int node)
{
    return with_directory(node, fsync);
}

static int posix_sync_all(void *user GR_UNUSED, int node)
{
    return with_directory(node, syncfs);
}

static int posix_rename(void *user GR_UNUSED, int dir, const char *from, const char *to)
{
    return renameat(dir, from, dir, to) == 0 ? 0 : -errno;
}

static int posix_unlink(void *user GR_UNUSED, int dir, const char *name)
{
    return unlinkat(dir, name, 0) == 0 ? 0 : -errno;
}

static int posix_make_link(void *user GR_UNUSED, int dir, const char *name, const char *text)
{
    return symlinkat(text, dir, name) == 0 ? 0 : -errno;
}

static int posix_exchange(void *user GR_UNUSED, int dir, const char *a, const char *b)
{
    return renameat2(dir, a, dir, b, RENAME_EXCHANGE) == 0 ? 0 : -errno;
}

static int posix_remove_dir(void *user GR_UNUSED, int dir, const char *name)
{
    return unlinkat(dir, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

static int posix_move(void *user GR_UNUSED, int from_dir, const char *from, int dir, const char *to)
{
    return renameat(from_dir, from, dir, to) == 0 ? 0 : -errno;
}

static int posix_open_write(void *user GR_UNUSED, int dir, const char *name, int *out_node)
{
    return give(openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
                out_node);
}

static int posix_lock(void *user GR_UNUSED, int node)
{
    int rc;

    do {
        rc = flock(node, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
    } while (rc == -EINTR);
    return rc;
}

void gr_fs_posix(struct gr_fs *out_fs)
{
    *out_fs = (struct gr_fs){
        .euid = geteuid(),
        .egid = getegid(),
        .open_root = posix_open_root,
        .open_at = posix_open_at,
        .open_read = posix_open_read,
        .meta = posix_meta,
        .list = posix_list,
        .read_link = posix_read_link,
        .read = posix_read,
        .cwd = posix_cwd,
        .close = posix_close,
        .make_dir = posix_make_dir,
        .create = posix_create,
        .write = posix_write,
        .sync = posix_sync,
        .sync_all = posix_sync_all,
        .rename = posix_rename,
        .unlink = posix_unlink,
        .make_link = posix_make_link,
        .exchange = posix_exchange,
        .remove_dir = posix_remove_dir,
        .move = posix_move,
        .open_write = posix_open_write,
        .lock = posix_lock,
    };
    /* Two instances in two containers may have one process id; early in boot it must do. */
    if (getrandom(&out_fs->token, sizeof(out_fs->token), GRND_NONBLOCK) !=
        (ssize_t)sizeof(out_fs->token))
        out_fs->token = (uint64_t)getpid();
}
