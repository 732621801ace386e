/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File operations that change something, of which one fails, or is the last before a process is
 * killed. For one test file each; include load/realfs.h before.
 */
#ifndef GR_TESTS_APP_FAILING_WRITES_H
#define GR_TESTS_APP_FAILING_WRITES_H

static struct {
    struct gr_fs real;
    int countdown; /* 0: none fails */
    int error;
    bool dead; /* and so does everything behind it: the process was killed */
    bool struck;
} faults;

static bool fails(void)
{
    if (faults.struck && faults.dead)
        return true;
    if (faults.countdown == 0 || --faults.countdown > 0)
        return false;
    faults.struck = true;
    return true;
}

static int bad_make_dir(void *user, int dir_, const char *name, uint32_t mode)
{
    return fails() ? faults.error : faults.real.make_dir(user, dir_, name, mode);
}

static int bad_create(void *user, int dir_, const char *name, uint32_t mode, int *out)
{
    return fails() ? faults.error : faults.real.create(user, dir_, name, mode, out);
}

static int64_t bad_write(void *user, int node, const void *data, size_t bytes)
{
    return fails() ? faults.error : faults.real.write(user, node, data, bytes);
}

static int bad_sync(void *user, int node)
{
    return fails() ? faults.error : faults.real.sync(user, node);
}

static int bad_rename(void *user, int dir_, const char *from, const char *to)
{
    return fails() ? faults.error : faults.real.rename(user, dir_, from, to);
}

static int bad_move(void *user, int from_dir, const char *from, int dir_, const char *to)
{
    return fails() ? faults.error : faults.real.move(user, from_dir, from, dir_, to);
}

static int bad_exchange(void *user, int dir_, const char *a, const char *b)
{
    return fails() ? faults.error : faults.real.exchange(user, dir_, a, b);
}

static int bad_make_link(void *user, int dir_, const char *name, const char *text)
{
    return fails() ? faults.error : faults.real.make_link(user, dir_, name, text);
}

static int bad_unlink(void *user, int dir_, const char *name)
{
    return fails() ? faults.error : faults.real.unlink(user, dir_, name);
}

static int bad_remove_dir(void *user, int dir_, const char *name)
{
    return fails() ? faults.error : faults.real.remove_dir(user, dir_, name);
}

static int bad_open_write(void *user, int dir_, const char *name, int *out)
{
    return fails() ? faults.error : faults.real.open_write(user, dir_, name, out);
}

static int bad_lock(void *user, int node)
{
    return fails() ? faults.error : faults.real.lock(user, node);
}

static void arm(int countdown, int error, bool dead)
{
    faults.countdown = countdown;
    faults.error = error;
    faults.dead = dead;
    faults.struck = false;
}

/* From now on table's operations go through those above; none fails until arm. */
static void count_writes(struct gr_fs *table)
{
    faults.real = *table;
    table->make_dir = bad_make_dir;
    table->create = bad_create;
    table->write = bad_write;
    table->sync = bad_sync;
    table->rename = bad_rename;
    table->move = bad_move;
    table->exchange = bad_exchange;
    table->make_link = bad_make_link;
    table->unlink = bad_unlink;
    table->remove_dir = bad_remove_dir;
    table->open_write = bad_open_write;
    table->lock = bad_lock;
    arm(0, 0, false);
}

/* How many names a directory has, those of what was left half-done with them. */
static size_t entries(const char *path)
{
    DIR *stream = opendir(at(path));
    size_t n = 0;

    assert_non_null(stream);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n - 2;
}

#endif
