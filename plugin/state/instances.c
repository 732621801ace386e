/* SPDX-License-Identifier: Apache-2.0 */
#include "state/instances.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/rundir.h"

/* One place: a line of text, filled up with NUL bytes. It has room for the longest one. */
#define PLACE_BYTES 512
#define FORMAT "grapnel-instance-1"

static const char *const way_names[GR_WAY_COUNT] = {
    [GR_WAY_EXTERNAL] = "external",
    [GR_WAY_LAUNCHED] = "launched",
    [GR_WAY_UNIT] = "unit",
    [GR_WAY_POD] = "pod",
};

const char *gr_way_name(enum gr_way way)
{
    return way_names[way];
}

/* ---- a line ---- */

static void write_line(const struct gr_instance *self, char out[PLACE_BYTES])
{
    memset(out, 0, PLACE_BYTES);
    (void)snprintf(out, PLACE_BYTES, FORMAT " %s %llu %lld %s %s %s\n", gr_way_name(self->way),
                   (unsigned long long)self->pid, (long long)self->started_s, self->name,
                   self->version, self->unit[0] ? self->unit : "-");
}

/* The next word of a line, which loses it; empty when there is none. */
static struct gr_str next_word(struct gr_str *line)
{
    size_t n = gr_str_find(*line, ' ');
    struct gr_str word = gr_str_first(*line, n);

    *line = gr_str_skip(*line, n + 1);
    return word;
}

/* A word that people are shown; false: it is none of ours. */
static bool take_text(struct gr_str *line, char out[GR_INSTANCE_TEXT_BYTES])
{
    struct gr_str word = next_word(line);

    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] <= ' ' || word.p[i] > '~')
            return false;
    }
    if (word.n == 0 || word.n >= GR_INSTANCE_TEXT_BYTES)
        return false;
    memcpy(out, word.p, word.n);
    out[word.n] = '\0';
    return true;
}

static bool take_way(struct gr_str *line, enum gr_way *out_way)
{
    struct gr_str word = next_word(line);

    for (size_t i = 0; i < GR_WAY_COUNT; i++) {
        if (gr_str_is(word, way_names[i])) {
            *out_way = (enum gr_way)i;
            return true;
        }
    }
    return false;
}

static bool read_line(struct gr_str line, struct gr_instance *out)
{
    uint64_t started_s;

    if (!gr_str_is(next_word(&line), FORMAT) || !take_way(&line, &out->way) ||
        gr_str_to_u64(next_word(&line), &out->pid) != 0 ||
        gr_str_to_u64(next_word(&line), &started_s) != 0 || started_s > INT64_MAX ||
        !take_text(&line, out->name) || !take_text(&line, out->version) ||
        !take_text(&line, out->unit))
        return false;
    out->started_s = (int64_t)started_s;
    if (strcmp(out->unit, "-") == 0)
        out->unit[0] = '\0';
    return true;
}

/* ---- places ---- */

static struct flock lock_of(size_t place)
{
    return (struct flock){.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = (off_t)(place * PLACE_BYTES),
                          .l_len = PLACE_BYTES};
}

/* Whether somebody else has it: by a lock as we take it, for which the file must be open to be
 * written. One that only keeps writers out can be had by whoever may read it, such as a pod that
 * sees the directory read-only. */
static bool is_taken(int fd, size_t place)
{
    struct flock lock = lock_of(place);

    lock.l_type = F_RDLCK;
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static void list(int fd, struct gr_instance_list *out)
{
    char text[PLACE_BYTES];

    for (size_t i = 0; i < GR_INSTANCES_MAX; i++) {
        struct gr_instance *instance = &out->items[out->n];
        ssize_t n;

        if (!is_taken(fd, i))
            continue;
        n = pread(fd, text, sizeof(text), (off_t)(i * PLACE_BYTES));
        /* It may not have written yet; or it is of a later version. That it is there counts. */
        if (n <= 0 ||
            !read_line(gr_str_first((struct gr_str){.p = text, .n = (size_t)n},
                                    gr_str_find((struct gr_str){.p = text, .n = (size_t)n}, '\n')),
                       instance))
            *instance = (struct gr_instance){.name = "?", .version = "?"};
        out->n++;
    }
}

void gr_instances_init(struct gr_instances *out_instances)
{
    *out_instances = (struct gr_instances){.fd = -1};
}

void gr_instances_leave(struct gr_instances *instances)
{
    if (instances->fd >= 0)
        (void)close(instances->fd);
    instances->fd = -1;
}

/* Returns 0; -EAGAIN: there is none; another negative errno. */
static int take_place(int fd, const struct gr_instance *self)
{
    char text[PLACE_BYTES];

    write_line(self, text);
    for (size_t i = 0; i < GR_INSTANCES_MAX; i++) {
        struct flock lock = lock_of(i);

        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return pwrite(fd, text, sizeof(text), lock.l_start) == (ssize_t)sizeof(text) ? 0 : -EIO;
        if (errno != EAGAIN && errno != EACCES)
            return -errno;
    }
    return -EAGAIN;
}

/* Whether ours is the file that has the name now. */
static bool is_named(const struct gr_instances *instances, int dir)
{
    struct stat ours, named;

    return instances->fd >= 0 && fstat(instances->fd, &ours) == 0 &&
           fstatat(dir, GR_INSTANCES_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static int join(struct gr_instances *instances, int dir, const struct gr_instance *self)
{
    int fd = gr_rundir_file(dir, GR_INSTANCES_FILE, O_RDWR | O_CREAT);
    int r;

    if (fd < 0)
        return fd;
    r = take_place(fd, self);
    if (r == 0)
        instances->fd = fd;
    else
        (void)close(fd);
    return r;
}

int gr_instances_join(struct gr_instances *instances, const char *run_dir,
                      const struct gr_instance *self, struct gr_err *err)
{
    int dir = gr_rundir_open(run_dir, err);
    int r = 0;

    if (dir >= 0 && is_named(instances, dir)) {
        (void)close(dir);
        return 0;
    }
    gr_instances_leave(instances);
    if (dir < 0)
        return dir;
    r = join(instances, dir, self);
    (void)close(dir);
    return r == 0 ? 0
                  : gr_fail_errno(err, r, "run-dir",
                                  "other instances are not told of this one: %s/" GR_INSTANCES_FILE,
                                  run_dir);
}

void gr_instances_others(const struct gr_instances *instances, struct gr_instance_list *out_list)
{
    *out_list = (struct gr_instance_list){.known = instances->fd >= 0};
    if (instances->fd >= 0)
        list(instances->fd, out_list); /* our own lock is none to ourselves */
}

void gr_instances_read(int dir, struct gr_instance_list *out_list)
{
    int fd = gr_rundir_file(dir, GR_INSTANCES_FILE, O_RDONLY);

    *out_list = (struct gr_instance_list){.known = fd >= 0 || fd == -ENOENT};
    if (fd < 0)
        return;
    list(fd, out_list);
    (void)close(fd);
}
