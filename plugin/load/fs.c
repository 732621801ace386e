/* SPDX-License-Identifier: Apache-2.0 */
#include "load/fs.h"

#include <errno.h>

/* Growth of the buffer while reading; most rule files fit in one step. */
#define READ_STEP_BYTES 8192

const char *gr_fs_type_name(enum gr_fs_type type)
{
    static const char *const names[] = {
        [GR_FS_REGULAR] = "a regular file",
        [GR_FS_DIRECTORY] = "a directory",
        [GR_FS_LINK] = "a symbolic link",
        [GR_FS_NULL] = "the null device",
        [GR_FS_SOCKET] = "a device, socket or pipe",
        [GR_FS_OTHER] = "a device, socket or pipe",
    };

    return names[type];
}

void gr_fs_close(const struct gr_fs *fs, int *node)
{
    fs->close(fs->user, *node);
    *node = GR_FS_NO_NODE;
}

int gr_fs_open_at(const struct gr_fs *fs, int dir, const char *name, int *out_node)
{
    int rc;

    do {
        rc = fs->open_at(fs->user, dir, name, out_node);
    } while (rc == -EINTR);
    return rc;
}

int gr_fs_open_read(const struct gr_fs *fs, int dir, const char *name, int *out_node)
{
    int rc;

    do {
        rc = fs->open_read(fs->user, dir, name, out_node);
    } while (rc == -EINTR);
    return rc;
}

static int64_t read_some(const struct gr_fs *fs, int node, void *out, size_t bytes)
{
    int64_t n;

    do {
        n = fs->read(fs->user, node, out, bytes);
    } while (n == -EINTR);
    return n;
}

int gr_fs_read_all(const struct gr_fs *fs, int node, struct gr_buf *buf)
{
    for (;;) {
        size_t room = GR_MIN((size_t)READ_STEP_BYTES, buf->max - buf->len);
        uint8_t past;
        uint8_t *to;
        int64_t n;

        if (room == 0) {
            /* Full: fine when the file ends exactly here. */
            n = read_some(fs, node, &past, 1);
            return n > 0 ? -EMSGSIZE : (int)n;
        }
        to = gr_buf_grow(buf, room);
        if (!to)
            return buf->broken;
        n = read_some(fs, node, to, room);
        buf->len -= room - (n > 0 ? (size_t)n : 0);
        if (n <= 0)
            return (int)n;
    }
}

int gr_fs_write_all(const struct gr_fs *fs, int node, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes > 0) {
        int64_t n = fs->write(fs->user, node, at, bytes);

        if (n == -EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        at += n;
        bytes -= (size_t)n;
    }
    return 0;
}
