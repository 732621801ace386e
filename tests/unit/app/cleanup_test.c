/* SPDX-License-Identifier: Apache-2.0 */
/* app/setup/cleanup: what goes, what stays, and what is not ours; whichever operation fails. */
#include "app/cleaning.h"
#include "load/failing_removals.h"

#include <limits.h>
#include <sys/file.h>

static void test_store(void **state)
{
    (void)state;
    begin_store();
    hold(&hook_one);
    clean_store();
    assert_told("1 /p/net/" ONE " a container names it in its hooks: shop/pod/c (0123456789ab)");
    assert_told("0 /p/net/" TWO " \n");
    assert_int_equal(told.n[GR_CLEANUP_REMOVED], 1);
    assert_true(is_there("/p/net/" ONE "/bin/setup"));
    assert_false(is_there("/p/net/current") || is_there("/p/net/" TWO) ||
                 is_there("/p/net/.owner") || is_there("/p/net/.lock") ||
                 is_there("/p/net/.tmp-0123456789abcdef"));
    assert_false(place.failed);
    gr_holders_fini(&holders);
    clean_store();
    assert_told("0 /p/net/" ONE " \n0 /p/net \n0 /p \n");
    assert_false(is_there("/p"));
    end_store();
}

static void test_dry_run(void **state)
{
    (void)state;
    begin_store();
    cleanup.dry_run = true;
    clean_store();
    assert_int_equal(told.n[GR_CLEANUP_REMOVED], 4);
    assert_false(is_there("/p/net/.lock"));
    assert_true(is_there("/p/net/current") && is_there("/p/net/" ONE "/bin/setup") &&
                is_there("/p/net/" TWO "/setup") && is_there("/p/net/.tmp-0123456789abcdef") &&
                is_there("/p/net/.owner"));
    end_store();
}

/* Whatever fails: what a container needs is whole, what failed is told, and the next run does the
 * rest. */
static void test_store_faults(void **state)
{
    (void)state;
    for (int countdown = 1;; countdown++) {
        begin_store();
        hold(&hook_one);
        make_failing();
        if (enter("/p") != 0)
            fail_msg("%s", err.text);
        faults.struck = false;
        faults.countdown = countdown;
        assert_int_equal(gr_cleanup_store(&place, &holders), 0);
        gr_cleanup_leave(&place);
        faults.countdown = 0;
        assert_true(is_there("/p/net/" ONE "/bin/setup"));
        if (faults.struck) {
            assert_true(place.failed);
            assert_true(told.n[GR_CLEANUP_FAILED] > 0);
            clean_store();
        }
        assert_false(place.failed);
        assert_int_equal(told.n[GR_CLEANUP_KEPT], 1);
        assert_false(is_there("/p/net/" TWO) || is_there("/p/net/current"));
        assert_true(is_there("/p/net/" ONE "/bin/setup"));
        gr_holders_fini(&holders);
        clean_store();
        assert_false(is_there("/p"));
        end();
        if (!faults.struck)
            break;
        assert_true(countdown < 200);
    }
}

static void test_strangers(void **state)
{
    (void)state;
    begin_store();
    dir("/kept", 0755);
    make("/kept/f", "x", 0644);
    link_to("/p/link", "../kept");
    make("/p/file", "", 0644);
    dir("/p/Net", 0755);
    dir("/p/writable", 0777);
    assert_int_equal(rename(at("/p/net/" ONE), at("/p/net/" ONE "0")), 0);
    link_to("/p/net/" ONE, "../../kept");
    assert_int_equal(unlink(at("/p/net/current")), 0);
    link_to("/p/net/current", "../../kept");
    clean_store();
    assert_told("2 /p/link it is not Grapnel's");
    assert_told("2 /p/file it is not Grapnel's");
    assert_told("2 /p/Net it is not Grapnel's");
    assert_told("2 /p/writable others than root may write there");
    assert_told("2 /p/net/" ONE " it is not Grapnel's");
    assert_told("2 /p/net/" ONE "0 it is not Grapnel's");
    assert_told("2 /p/net/current it is not Grapnel's");
    assert_int_equal(told.n[GR_CLEANUP_REMOVED], 1); /* the other digest */
    assert_true(is_there("/kept/f"));
    assert_false(place.failed);
    end_store();
}

/* ---- small files ---- */

static void test_files(void **state)
{
    (void)state;
    begin();
    dir("/run", 0755);
    make("/run/our", "", 0600);
    assert_int_equal(mknod(at("/run/our-socket"), S_IFSOCK | 0600, 0), 0);
    make("/run/others", "", 0600);
    dir("/run/our-dir", 0755);
    link_to("/run/our-link", "others");
    assert_int_equal(mkfifo(at("/run/our-pipe"), 0600), 0);
    make("/run/our-writable", "", 0600);
    assert_int_equal(chmod(at("/run/our-writable"), 0666), 0);
    clean_files();
    assert_int_equal(told.n[GR_CLEANUP_LEFT], 5);
    assert_told("0 /run \n");
    assert_false(is_there("/run/our") || is_there("/run/our-socket"));
    assert_true(is_there("/run/others") && is_there("/run/our-link") &&
                is_there("/run/our-writable"));
    end();
}

static void test_files_faults(void **state)
{
    (void)state;
    for (int countdown = 1;; countdown++) {
        begin();
        dir("/run", 0755);
        make("/run/our", "", 0600);
        make("/run/our-other", "", 0600);
        make_failing();
        assert_int_equal(enter("/run"), 0);
        faults.struck = false;
        faults.countdown = countdown;
        assert_int_equal(gr_cleanup_files(&place, is_ours), 0);
        gr_cleanup_leave(&place);
        faults.countdown = 0;
        assert_int_equal(place.failed, faults.struck);
        assert_int_equal(is_there("/run"), faults.struck);
        assert_int_equal(told.n[GR_CLEANUP_FAILED] > 0, faults.struck);
        end();
        if (!faults.struck)
            break;
        assert_true(countdown < 100);
    }
}

static void test_said(void **state)
{
    char path[64];

    (void)state;
    begin();
    dir("/run", 0755);
    for (int i = 0; i < GR_CLEANUP_SAID_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/run/other-%d", i);
        make(path, "", 0600);
    }
    clean_files();
    assert_int_equal(told.n[GR_CLEANUP_LEFT], GR_CLEANUP_SAID_MAX);
    make("/run/another", "", 0600);
    clean_files();
    assert_int_equal(told.n[GR_CLEANUP_LEFT], GR_CLEANUP_SAID_MAX + 1);
    assert_told("2 /run 1 more things in it are not Grapnel's");
    end();
}

/* ---- metrics, in a directory of others ---- */

static void begin_textfile(void)
{
    begin();
    cleanup.dry_run = false;
    dir("/t", 0755);
    make("/t/other.prom", "", 0644);
    make("/t/.other.prom.lock", "", 0600);
    make("/t/g.prom", "x 1\n", 0644);
    make("/t/.g.prom.new", "x", 0600);
    make("/t/.g.prom.lock", "", 0600);
}

static void clean_textfile(void)
{
    assert_int_equal(enter("/t"), 0);
    assert_int_equal(gr_cleanup_textfile(&place, "g.prom"), 0);
    gr_cleanup_leave(&place);
}

static bool is_any_there(void)
{
    return is_there("/t/g.prom") || is_there("/t/.g.prom.new") || is_there("/t/.g.prom.lock");
}

static bool are_all_there(void)
{
    return is_there("/t/g.prom") && is_there("/t/.g.prom.new") && is_there("/t/.g.prom.lock");
}

static void test_textfile(void **state)
{
    (void)state;
    begin_textfile();
    clean_textfile();
    assert_string_equal(told.text, "0 /t/g.prom \n0 /t/.g.prom.new \n0 /t/.g.prom.lock \n");
    assert_false(is_any_there() || place.failed);
    assert_true(is_there("/t/other.prom") && is_there("/t/.other.prom.lock"));
    clean_textfile();
    assert_string_equal(told.text, ""); /* and nothing was made to lock it */
    make("/t/.g.prom.new", "x", 0600);
    clean_textfile();
    assert_string_equal(told.text, "0 /t/.g.prom.new \n0 /t/.g.prom.lock \n");
    assert_false(is_any_there());
    end();
}

static void test_textfile_dry_run(void **state)
{
    (void)state;
    begin_textfile();
    cleanup.dry_run = true;
    clean_textfile();
    assert_int_equal(told.n[GR_CLEANUP_REMOVED], 3);
    assert_true(are_all_there());
    assert_int_equal(unlink(at("/t/.g.prom.lock")), 0);
    clean_textfile();
    assert_int_equal(told.n[GR_CLEANUP_REMOVED], 2);
    assert_false(is_there("/t/.g.prom.lock"));
    cleanup.dry_run = false;
    end();
}

static void test_textfile_of_others(void **state)
{
    (void)state;
    begin_textfile();
    assert_int_equal(unlink(at("/t/g.prom")), 0);
    link_to("/t/g.prom", "other.prom");
    assert_int_equal(chmod(at("/t/.g.prom.new"), 0666), 0);
    clean_textfile();
    assert_told("2 /t/g.prom it is no file of Grapnel's\n");
    assert_told("2 /t/.g.prom.new it is no file of Grapnel's\n");
    assert_true(is_there("/t/g.prom") && is_there("/t/.g.prom.new") && is_there("/t/other.prom"));
    assert_false(is_there("/t/.g.prom.lock") || place.failed);
    make("/t/.g.prom.lock", "", 0644); /* anybody could hold it */
    clean_textfile();
    assert_int_equal(told.n[GR_CLEANUP_FAILED], 1);
    assert_told("3 /t/.g.prom.lock expected ");
    assert_true(place.failed && is_there("/t/.g.prom.lock"));
    end();
}

static void test_textfile_of_a_writer(void **state)
{
    int lock;

    (void)state;
    begin_textfile();
    lock = open(at("/t/.g.prom.lock"), O_RDWR | O_CLOEXEC);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
    clean_textfile();
    assert_string_equal(told.text, "2 /t/g.prom a plugin writes it\n");
    assert_true(are_all_there());
    assert_false(place.failed);
    (void)close(lock);
    clean_textfile();
    assert_false(is_any_there());
    end();
}

/* The lock's name is the longest that there is, and then too long: nobody can have had it. */
static void test_textfile_long_name(void **state)
{
    char name[NAME_MAX + 1], path[NAME_MAX + 16];
    size_t longest = NAME_MAX - (sizeof("..lock") - 1);

    (void)state;
    begin_textfile();
    memset(name, 'a', longest + 1);
    name[longest] = '\0';
    (void)snprintf(path, sizeof(path), "/t/.%s.lock", name);
    make(path, "", 0600);
    assert_int_equal(enter("/t"), 0);
    assert_int_equal(gr_cleanup_textfile(&place, name), 0);
    assert_int_equal(told.n[GR_CLEANUP_REMOVED], 1);
    assert_false(is_there(path));
    memset(&told, 0, sizeof(told));
    name[longest] = 'a';
    name[longest + 1] = '\0';
    assert_int_equal(gr_cleanup_textfile(&place, name), 0);
    gr_cleanup_leave(&place);
    assert_string_equal(told.text, "");
    assert_false(place.failed);
    end();
}

static void test_textfile_faults(void **state)
{
    (void)state;
    for (int countdown = 1;; countdown++) {
        begin_textfile();
        make_failing();
        assert_int_equal(enter("/t"), 0);
        faults.struck = false;
        faults.countdown = countdown;
        assert_int_equal(gr_cleanup_textfile(&place, "g.prom"), 0);
        gr_cleanup_leave(&place);
        faults.countdown = 0;
        assert_int_equal(place.failed, faults.struck);
        assert_int_equal(told.n[GR_CLEANUP_FAILED] > 0, faults.struck);
        assert_true(faults.struck || !is_any_there());
        clean_textfile();
        assert_false(is_any_there() || place.failed);
        end();
        if (!faults.struck)
            break;
        assert_true(countdown < 100);
    }
}

/* ---- who may write ---- */

static void test_enter(void **state)
{
    (void)state;
    begin();
    assert_int_equal(enter("/none"), -ENOENT);
    gr_cleanup_leave(&place);
    make("/file", "", 0600);
    assert_int_equal(enter("/file"), -ENOTDIR);
    assert_string_equal(err.code, "cleanup-failed");
    gr_cleanup_leave(&place);
    dir("/writable", 0777);
    assert_int_equal(enter("/writable"), -EPERM);
    assert_string_equal(err.code, "untrusted-mode");
    gr_cleanup_leave(&place);
    dir("/writable/run", 0755);
    assert_int_equal(enter("/writable/run"), -EPERM);
    gr_cleanup_leave(&place);
    assert_int_equal(enter(""), 0);
    gr_cleanup_leave(&place);
    end();
}

int main(void)
{
    test_add("store", test_store);
    test_add("dry run", test_dry_run);
    test_add("store faults", test_store_faults);
    test_add("strangers", test_strangers);
    test_add("files", test_files);
    test_add("files faults", test_files_faults);
    test_add("said", test_said);
    test_add("textfile", test_textfile);
    test_add("textfile dry run", test_textfile_dry_run);
    test_add("textfile of others", test_textfile_of_others);
    test_add("textfile of a writer", test_textfile_of_a_writer);
    test_add("textfile long name", test_textfile_long_name);
    test_add("textfile faults", test_textfile_faults);
    test_add("enter", test_enter);
    return test_run("cleanup");
}
