/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/autostart: what a runtime would launch afterwards, whatever lay there before, and
 * whichever operation fails on the way.
 */
#include "load/realfs.h"

#include <errno.h>

#include "app/doctor/procs.h"
#include "app/setup/autostart.h"
#include "failing_writes.h"
#include "noted.h"

#define PLUGINS "/plugins"
#define OURS PLUGINS "/10-grapnel"
#define OLD "9.8.7"

static void begin_faults(void)
{
    begin();
    count_writes(&fs);
}

/* ---- what is done ---- */

static struct gr_autostarted done;
static struct gr_autostart_list gone;
static struct gr_err err;
static struct gr_autostart options;

static struct gr_autostart *with(const char *index, bool dry_run)
{
    options = (struct gr_autostart){
        .fs = &fs, .host_root = top, .to = PLUGINS, .index = index, .dry_run = dry_run};
    err = (struct gr_err){0};
    return &options;
}

static int put(void)
{
    return gr_autostart_put(with(NULL, false), &done, &err);
}

static int undo(void)
{
    return gr_autostart_undo(with(NULL, false), &gone, &err);
}

static void make_old(const char *path, mode_t mode)
{
    const struct image image = make_image();
    int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, &image, sizeof(image)), sizeof(image));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static bool is_self(const char *path)
{
    char command[512];

    (void)snprintf(command, sizeof(command), "cmp -s '%s' /proc/%d/exe", at(path), getpid());
    return system(command) == 0;
}

static bool exists(const char *path)
{
    struct stat st;

    return lstat(at(path), &st) == 0;
}

static void assert_whole(const char *path)
{
    struct stat st;

    assert_true(is_self(path));
    assert_int_equal(lstat(at(path), &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0755);
    assert_int_equal(st.st_uid, geteuid());
}

/* As NRI's discovery: folders and what is not executable are passed over. Ends the test where it
 * would end. Returns how many it finds. */
static size_t launches(char out_name[256])
{
    DIR *stream = opendir(at(PLUGINS));
    const struct dirent *entry;
    size_t n = 0;

    while (stream && (entry = readdir(stream))) {
        char path[300];
        struct stat st;

        (void)snprintf(path, sizeof(path), PLUGINS "/%s", entry->d_name);
        assert_int_equal(lstat(at(path), &st), 0);
        if (S_ISDIR(st.st_mode) || !(S_ISLNK(st.st_mode) || st.st_mode & 0111))
            continue;
        assert_true(gr_doctor_is_plugin_name(entry->d_name));
        (void)snprintf(out_name, 256, "%s", entry->d_name);
        n++;
    }
    if (stream)
        closedir(stream);
    return n;
}

static void test_put(void **state)
{
    (void)state;
    begin();
    assert_int_equal(gr_autostart_put(with(NULL, true), &done, &err), 0);
    assert_false(exists(PLUGINS));
    assert_int_equal(put(), 0);
    assert_string_equal(done.name, "10-grapnel");
    assert_true(!done.same && !done.before.name[0] && done.bytes > 0);
    assert_whole(OURS);
    assert_int_equal(entries(PLUGINS), 1);
    assert_int_equal(put(), 0);
    assert_true(done.same);
    assert_int_equal(gr_autostart_undo(with(NULL, true), &gone, &err), 0);
    assert_int_equal(gone.n, 1);
    assert_whole(OURS);
    assert_int_equal(undo(), 0);
    assert_int_equal(gone.n, 1);
    assert_string_equal(gone.items[0].name, "10-grapnel");
    assert_int_equal(entries(PLUGINS), 0);
    assert_int_equal(undo(), 0);
    assert_int_equal(gone.n, 0);
    assert_int_equal(rmdir(at(PLUGINS)), 0);
    assert_int_equal(undo(), 0);
    assert_false(exists(PLUGINS));
    end();
}

static void test_upgrade(void **state)
{
    (void)state;
    begin();
    dir(PLUGINS, 0755);
    make_old(PLUGINS "/42-grapnel", 0755);
    assert_int_equal(gr_autostart_put(with(NULL, true), &done, &err), 0);
    assert_false(is_self(PLUGINS "/42-grapnel"));
    assert_int_equal(put(), 0);
    assert_string_equal(done.name, "42-grapnel"); /* it stays where it is */
    assert_string_equal(done.before.version, OLD);
    assert_whole(PLUGINS "/42-grapnel");
    assert_int_equal(entries(PLUGINS), 1);
    end();
}

/* ---- what is put right ---- */

struct wrong {
    const char *name;
    void (*make)(void);
};

static void half(void)
{
    char command[512];

    (void)snprintf(command, sizeof(command), "head -c 20000 /proc/%d/exe > '%s'", getpid(),
                   at(OURS));
    assert_int_equal(system(command), 0);
    assert_int_equal(chmod(at(OURS), 0755), 0);
}

static void not_executable(void)
{
    make_old(OURS, 0644);
}

static void open_to_all(void)
{
    assert_int_equal(put(), 0);
    assert_int_equal(chmod(at(OURS), 0777), 0);
}

static void with_setuid(void)
{
    assert_int_equal(put(), 0);
    assert_int_equal(chmod(at(OURS), 04755), 0);
}

static void old_link(void)
{
    dir("/bin", 0755);
    make_old("/bin/grapnel", 0755);
    link_to(OURS, "../bin/grapnel");
}

static void link_to_what_others_may_write(void)
{
    assert_int_equal(put(), 0);
    dir("/bin", 0755);
    assert_int_equal(rename(at(OURS), at("/bin/grapnel")), 0);
    assert_int_equal(chmod(at("/bin"), 0777), 0);
    link_to(OURS, "/bin/grapnel");
}

static void beside_others(void)
{
    make(PLUGINS "/10-other", "#!/bin/sh\n", 0755);
    make(PLUGINS "/README", "of the directory", 0644);
    dir(PLUGINS "/bin", 0755);
    make_old(PLUGINS "/10-grapnel.bak", 0644);
    make_old(OURS, 0755);
}

static const struct wrong wrongs[] = {
    {"half of it", half},
    {"not executable", not_executable},
    {"a mode", open_to_all},
    {"setuid", with_setuid},
    {"a link to an old one", old_link},
    {"a link to what others may write", link_to_what_others_may_write},
    {"beside others", beside_others},
};

static void puts_right(void **state)
{
    const struct wrong *wrong = *state;

    begin();
    dir(PLUGINS, 0755);
    wrong->make();
    assert_int_equal(put(), 0);
    assert_true(!done.same && done.before.name[0]);
    assert_whole(OURS);
    end();
}

/* An administrator's link, that a package keeps up to date. */
static void test_good_link(void **state)
{
    struct stat st;

    (void)state;
    begin();
    assert_int_equal(put(), 0);
    dir("/bin", 0755);
    assert_int_equal(rename(at(OURS), at("/bin/grapnel")), 0);
    link_to(OURS, "/bin/grapnel");
    assert_int_equal(put(), 0);
    assert_true(done.same && done.before.is_link);
    assert_int_equal(lstat(at(OURS), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(undo(), 0);
    assert_true(gone.n == 1 && gone.items[0].is_link);
    assert_false(exists(OURS));
    assert_whole("/bin/grapnel");
    end();
}

/* ---- what is refused ---- */

struct refused {
    const char *name;
    void (*make)(void);
    const char *text;
    const char *index;
};

static void somebody_elses(void)
{
    make(OURS, "#!/bin/sh\n# grapnel: GRAPNEL Grapnel\n", 0755);
}

static void empty(void)
{
    make(OURS, "", 0644);
}

static void a_directory(void)
{
    dir(OURS, 0755);
}

static void a_pipe(void)
{
    assert_int_equal(mkfifo(at(OURS), 0755), 0);
}

static void dangling(void)
{
    link_to(OURS, "../bin/gone");
}

static void loop(void)
{
    link_to(OURS, "10-grapnel");
}

static void link_out(void)
{
    link_to(OURS, "/bin/sh"); /* below the root of the host there is none */
}

static void other_index(void)
{
    make_old(PLUGINS "/20-grapnel", 0755);
}

static void backup(void)
{
    make_old(PLUGINS "/10-grapnel.bak", 0755);
}

static void other_name(void)
{
    make_old(PLUGINS "/20-hooks", 0755);
}

static void two(void)
{
    make_old(PLUGINS "/20-grapnel", 0755);
    make_old(PLUGINS "/30-grapnel", 0755);
}

static void bad_name(void)
{
    make(PLUGINS "/notes.sh", "#!/bin/sh\n", 0755);
}

static void bad_name_of_ours(void)
{
    make_old(PLUGINS "/grapnel.dpkg-new", 0755);
}

static void bad_link(void)
{
    link_to(PLUGINS "/latest", "nowhere");
}

static const struct refused refusals[] = {
    {"somebody else's", somebody_elses, "found a regular file that is none", NULL},
    {"an empty file", empty, "found a regular file that is none", NULL},
    {"a directory", a_directory, "found a directory that is none", NULL},
    {"a pipe", a_pipe, "that is none", NULL},
    {"a link that leads nowhere", dangling, "found a symbolic link that is none", NULL},
    {"a link to itself", loop, "found a symbolic link that is none", NULL},
    {"a link out of the host", link_out, "found a symbolic link that is none", NULL},
    {"another index", other_index, "found 20-grapnel: the runtime would launch both", "10"},
    {"a backup", backup, "found 10-grapnel.bak", NULL},
    {"another name", other_name, "found 20-hooks", NULL},
    {"two", two, "found 30-grapnel", NULL},
    {"a bad name", bad_name, "found notes.sh: with that the runtime does not start", NULL},
    {"a bad name of ours", bad_name_of_ours, "found grapnel.dpkg-new", NULL},
    {"a bad link", bad_link, "found latest", NULL},
};

static void refuses(void **state)
{
    const struct refused *row = *state;
    size_t before;

    begin();
    dir(PLUGINS, 0755);
    row->make();
    before = entries(PLUGINS);
    assert_int_equal(gr_autostart_put(with(row->index, true), &done, &err), -EEXIST);
    assert_int_equal(gr_autostart_put(with(row->index, false), &done, &err), -EEXIST);
    assert_string_equal(err.code, "setup-entry");
    if (!strstr(err.text, row->text))
        fail_msg("%s", err.text);
    assert_int_equal(entries(PLUGINS), before);
    end();
}

/* What is ours goes, however it is called; nothing else does. */
static void test_undo(void **state)
{
    (void)state;
    begin();
    dir(PLUGINS, 0755);
    make_old(OURS, 0755);
    make_old(PLUGINS "/10-grapnel.bak", 0644);
    make_old(PLUGINS "/grapnel.dpkg-new", 0755);
    make_old(PLUGINS "/20-hooks", 0755);
    make(PLUGINS "/30-grapnel", "#!/bin/sh\n", 0755);
    make(PLUGINS "/40-other", "#!/bin/sh\n", 0755);
    link_to(PLUGINS "/50-grapnel", "gone");
    dir(PLUGINS "/.grapnel-0123", 0755);
    make_old(PLUGINS "/.grapnel-0123/grapnel", 0755);
    assert_int_equal(undo(), 0);
    assert_int_equal(gone.n, 4);
    assert_string_equal(gone.items[0].name, "10-grapnel");
    assert_string_equal(gone.items[1].name, "10-grapnel.bak");
    assert_string_equal(gone.items[2].name, "20-hooks");
    assert_string_equal(gone.items[3].name, "grapnel.dpkg-new");
    assert_string_equal(gone.items[3].version, OLD);
    assert_int_equal(entries(PLUGINS), 3);
    end();
}

static void test_edge(void **state)
{
    char path[64];

    (void)state;
    begin();
    dir(PLUGINS, 0755);
    for (int i = 0; i < GR_AUTOSTART_FOUND_MAX; i++) {
        (void)snprintf(path, sizeof(path), PLUGINS "/%02d-x", i);
        make_old(path, 0755);
    }
    make_old(PLUGINS "/99-x", 0755);
    assert_int_equal(undo(), -E2BIG);
    assert_string_equal(err.code, "setup-entry");
    assert_int_equal(unlink(at(PLUGINS "/99-x")), 0);
    assert_int_equal(undo(), 0);
    assert_int_equal(gone.n, GR_AUTOSTART_FOUND_MAX);
    assert_int_equal(entries(PLUGINS), 0);
    end();
}

/* ---- the directory ---- */

static void test_directory(void **state)
{
    (void)state;
    begin();
    dir(PLUGINS, 0777);
    assert_int_equal(put(), -EPERM);
    assert_string_equal(err.code, "untrusted-mode");
    assert_int_equal(rmdir(at(PLUGINS)), 0);
    make(PLUGINS, "x", 0644);
    assert_int_equal(put(), -ENOTDIR);
    assert_int_equal(unlink(at(PLUGINS)), 0);
    dir("/var", 0755);
    dir("/var/plugins", 0755);
    link_to(PLUGINS, "var/plugins"); /* as /opt is on some hosts */
    assert_int_equal(put(), 0);
    assert_whole("/var/plugins/10-grapnel");
    end();
}

/* ---- every operation that changes something ---- */

struct fault {
    const char *name;
    int error;
    bool dead;
    bool upgrade;
};

static const struct fault rows[] = {
    {"no space", -ENOSPC, false, false},
    {"killed", -EIO, true, false},
    {"no space for an upgrade", -ENOSPC, false, true},
    {"killed in an upgrade", -EIO, true, true},
};

static void survives(void **state)
{
    const struct fault *row = *state;
    bool struck = true;
    int n = 0;

    begin_faults();
    while (struck) {
        char name[256] = "";
        size_t launched;
        int rc;

        remove_tree(at(PLUGINS));
        if (row->upgrade) {
            dir(PLUGINS, 0755);
            make_old(OURS, 0755);
        }
        arm(++n, row->error, row->dead);
        rc = put();
        struck = faults.struck;
        arm(0, 0, false);
        launched = launches(name);
        /* What was there, or all of it: and without a fault all of it. */
        if (launched > 0)
            assert_string_equal(name, "10-grapnel");
        if (rc != 0)
            assert_string_equal(err.code, "setup-target");
        if (row->upgrade)
            assert_int_equal(launched, 1);
        if (launched > 0 && !is_self(OURS)) {
            assert_true(row->upgrade && rc != 0);
            assert_int_equal(entries(PLUGINS) > 3, 0); /* what was written, the lock */
        }
        assert_int_equal(put(), 0);
        assert_whole(OURS);
        assert_int_equal(entries(PLUGINS), 1);
        assert_in_range(n, 1, 500);
    }
    assert_true(n > 8);
    end();
}

static void undo_survives(void **state)
{
    bool struck = true;
    int n = 0;

    (void)state;
    begin_faults();
    while (struck) {
        size_t left;

        remove_tree(at(PLUGINS));
        dir(PLUGINS, 0755);
        make_old(OURS, 0755);
        make_old(PLUGINS "/20-hooks", 0755);
        arm(++n, -EIO, false);
        (void)undo();
        struck = faults.struck;
        left = entries(PLUGINS) - (exists(PLUGINS "/.grapnel.lock") ? 1 : 0);
        arm(0, 0, false);
        assert_int_equal(gone.n, 2 - left); /* those that are gone are told */
        assert_int_equal(undo(), 0);
        assert_int_equal(entries(PLUGINS), 0);
    }
    assert_true(n > 3);
    end();
}

int main(void)
{
    test_add("put", test_put);
    test_add("upgrade", test_upgrade);
    test_add("a good link", test_good_link);
    test_add("undo", test_undo);
    test_add("edge", test_edge);
    test_add("the directory", test_directory);
    test_add("undo survives", undo_survives);
    TEST_ADD_ROWS(puts_right, wrongs);
    TEST_ADD_ROWS(refuses, refusals);
    TEST_ADD_ROWS(survives, rows);
    return test_run("autostart");
}
