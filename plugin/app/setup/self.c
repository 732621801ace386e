/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/self.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "app/setup/target.h"
#include "load/tree.h"

#define SELF "/proc/self/exe"
#define PIECE_BYTES (64U << 10)
#define TEMPORARY_BYTES 40

#define ELSEWHERE "choose another directory with --to"

/* From one descriptor to another. */
static int copy(const struct gr_fs *fs, int from, int to, uint64_t *out_bytes)
{
    char *room = malloc(PIECE_BYTES);
    int64_t n = room ? 1 : -ENOMEM;
    int rc = 0;

    *out_bytes = 0;
    while (n > 0 && rc == 0) {
        n = fs->read(fs->user, from, room, PIECE_BYTES);
        if (n == -EINTR) {
            n = 1;
            continue;
        }
        if (n > 0) {
            rc = gr_fs_write_all(fs, to, room, (size_t)n);
            *out_bytes += (uint64_t)n;
        }
    }
    free(room);
    return n < 0 ? (int)n : rc;
}

int gr_self_open(struct gr_err *err)
{
    int fd = open(SELF, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return gr_fail_errno(err, -errno, "setup-target",
                             "expected to read this program at " SELF ", found an error");
    return fd;
}

int gr_self_write(const struct gr_fs *fs, int dir, const char *name, int from, uint64_t *out_bytes)
{
    int to;
    int rc = fs->create(fs->user, dir, name, GR_TREE_MODE_PROGRAM, &to);

    if (rc != 0)
        return rc;
    rc = copy(fs, from, to, out_bytes);
    if (rc == 0)
        rc = fs->sync(fs->user, to);
    gr_fs_close(fs, &to);
    return rc;
}

static int put(const struct gr_target *target, int from, uint64_t *out_bytes, struct gr_err *err)
{
    const struct gr_fs *fs = target->fs;
    int dir = gr_target_node(target);
    char temporary[TEMPORARY_BYTES];
    int rc;

    (void)snprintf(temporary, sizeof(temporary), "." GR_SELF_NAME "-%016" PRIx64, fs->token);
    rc = gr_self_write(fs, dir, temporary, from, out_bytes);
    if (rc == 0)
        rc = fs->rename(fs->user, dir, temporary, GR_SELF_NAME);
    if (rc == 0)
        return 0;
    (void)fs->unlink(fs->user, dir, temporary);
    return gr_target_failed(target, rc, "writing " GR_SELF_NAME, err);
}

int gr_self_copy(const struct gr_self *self, uint64_t *out_bytes, struct gr_err *err)
{
    struct gr_target *target = calloc(1, sizeof(*target));
    int from = gr_self_open(err);
    int rc = from < 0 ? from : 0;

    if (!target)
        rc = gr_fail(err, -ENOMEM, "no-memory", "there is no memory to copy the program");
    if (rc == 0) {
        target->path = self->to;
        target->advice = ELSEWHERE;
        target->volume = true;
        target->dry_run = self->dry_run;
        rc = gr_target_open(target, self->fs, self->host_root, err);
    }
    if (rc == 0 && !self->dry_run)
        rc = put(target, from, out_bytes, err);
    if (target)
        gr_target_close(target);
    free(target);
    if (from >= 0)
        (void)close(from);
    return rc;
}
