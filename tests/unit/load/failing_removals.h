/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File operations by which something is looked at, locked and removed, of which one fails. For one
 * test file each; include load/realfs.h before.
 */
#ifndef GR_TESTS_LOAD_FAILING_REMOVALS_H
#define GR_TESTS_LOAD_FAILING_REMOVALS_H

static struct {
    struct gr_fs real;
    int countdown; /* 0: none fails */
    bool struck;
} faults;

static bool fails(void)
{
    if (faults.countdown == 0 || --faults.countdown > 0)
        return false;
    faults.struck = true;
    return true;
}

static int bad_open_at(void *user, int dir_, const char *name, int *out)
{
    return fails() ? -EIO : faults.real.open_at(user, dir_, name, out);
}

static int bad_meta(void *user, int node, struct gr_fs_meta *out)
{
    return fails() ? -EIO : faults.real.meta(user, node, out);
}

static int bad_list(void *user, int dir_, gr_fs_entry_fn *each, void *each_user)
{
    return fails() ? -EIO : faults.real.list(user, dir_, each, each_user);
}

static int64_t bad_read_link(void *user, int node, char *out, size_t bytes)
{
    return fails() ? -EIO : faults.real.read_link(user, node, out, bytes);
}

static int bad_rename(void *user, int dir_, const char *from, const char *to)
{
    return fails() ? -EIO : faults.real.rename(user, dir_, from, to);
}

static int bad_unlink(void *user, int dir_, const char *name)
{
    return fails() ? -EIO : faults.real.unlink(user, dir_, name);
}

static int bad_remove_dir(void *user, int dir_, const char *name)
{
    return fails() ? -EIO : faults.real.remove_dir(user, dir_, name);
}

static int bad_create(void *user, int dir_, const char *name, uint32_t mode, int *out)
{
    return fails() ? -EIO : faults.real.create(user, dir_, name, mode, out);
}

static int bad_open_write(void *user, int dir_, const char *name, int *out)
{
    return fails() ? -EIO : faults.real.open_write(user, dir_, name, out);
}

static int bad_lock(void *user, int node)
{
    return fails() ? -EIO : faults.real.lock(user, node);
}

static int bad_sync(void *user, int node)
{
    return fails() ? -EIO : faults.real.sync(user, node);
}

/* All of them go through here from now on; the one that is the countdown-th fails. */
static void make_failing(void)
{
    faults.real = fs;
    faults.countdown = 0;
    fs.open_at = bad_open_at;
    fs.meta = bad_meta;
    fs.list = bad_list;
    fs.read_link = bad_read_link;
    fs.rename = bad_rename;
    fs.unlink = bad_unlink;
    fs.remove_dir = bad_remove_dir;
    fs.create = bad_create;
    fs.open_write = bad_open_write;
    fs.lock = bad_lock;
    fs.sync = bad_sync;
}

#endif
