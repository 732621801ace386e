/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/setup/cleanup: what goes, what stays for containers, and what is not ours; whichever
 * operation fails, and whoever changes something meanwhile.
 */
#include "app/setup/cleanup_parts.h"

#include "load/realfs.h"

#include <errno.h>

#include "load/store_limits.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

/* ---- what is told ---- */

static struct {
    size_t n[GR_CLEANUP_FAILED + 1];
    char text[8192]; /* of each: its path behind the top directory, and why */
} told;

static void on_item(void *user, const struct gr_cleanup_item *item)
{
    size_t used = strlen(told.text);
    size_t skip = strncmp(item->path, top, strlen(top)) == 0 ? strlen(top) : 0;

    (void)user;
    told.n[item->fate]++;
    (void)snprintf(told.text + used, sizeof(told.text) - used, "%d %s %s\n", (int)item->fate,
                   item->path + skip, item->why ? item->why : "");
}

static void on_waiting(void *user, const char *why)
{
    (void)user;
    (void)why;
}

static struct gr_cleanup cleanup = {.fs = &fs, .say = on_item, .waiting = on_waiting};
static struct gr_cleanup_place place;
static struct gr_holders holders;
static struct gr_err err;

static int enter(const char *path)
{
    static char full[512];

    (void)snprintf(full, sizeof(full), "%s", at(path));
    memset(&told, 0, sizeof(told));
    place = (struct gr_cleanup_place){.cleanup = &cleanup, .path = full};
    err = (struct gr_err){0};
    return gr_cleanup_enter(&place, "/", &err);
}

static void clean_store(void)
{
    assert_int_equal(enter("/p"), 0);
    assert_int_equal(gr_cleanup_store(&place, &holders), 0);
    gr_cleanup_leave(&place);
}

static bool is_ours(struct gr_str name)
{
    return gr_str_has_prefix(name, GR_STR("our"));
}

static void clean_files(void)
{
    assert_int_equal(enter("/run"), 0);
    assert_int_equal(gr_cleanup_files(&place, is_ours), 0);
    gr_cleanup_leave(&place);
}

static void assert_told(const char *line)
{
    if (!strstr(told.text, line))
        fail_msg("expected \"%s\", was told:\n%s", line, told.text);
}

static bool is_there(const char *path)
{
    return faccessat(AT_FDCWD, at(path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- operations that fail ---- */

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
}

/* ---- the store ---- */

#define SETUP_ONE "/p/net/" ONE "/bin/setup"
static const struct gr_oci_hook hook_one = {.path = {.p = SETUP_ONE, .n = sizeof(SETUP_ONE) - 1}};

static void hold(const struct gr_oci_hook *hook)
{
    const struct gr_subject subject = {.id = GR_STR("0123456789abcdef"),
                                       .name = GR_STR("c"),
                                       .pod_name = GR_STR("pod"),
                                       .pod_namespace = GR_STR("shop"),
                                       .hooks = hook,
                                       .hooks_n = 1};

    assert_int_equal(gr_holders_add(&holders, &subject, 1), 0);
}

static void fill_store(void)
{
    dir("/p", 0755);
    dir("/p/net", 0755);
    dir("/p/net/" ONE, 0755);
    dir("/p/net/" ONE "/bin", 0755);
    make("/p/net/" ONE "/bin/setup", "one", 0755);
    dir("/p/net/" TWO, 0755);
    make("/p/net/" TWO "/setup", "two", 0755);
    link_to("/p/net/current", TWO);
    link_to("/p/net/.owner", "a/b");
    dir("/p/net/.tmp-0123456789abcdef", 0755);
    make("/p/net/.tmp-0123456789abcdef/setup", "", 0755);
}

static void begin_store(void)
{
    begin();
    cleanup.dry_run = false;
    fill_store();
}

static void end_store(void)
{
    gr_holders_fini(&holders);
    end();
}

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

/* ---- others at work ---- */

static int (*real_rename)(void *user, int dir_, const char *from, const char *to);

static int swap_and_rename(void *user, int dir_, const char *from, const char *to)
{
    if (strcmp(from, TWO) == 0) {
        assert_int_equal(rename(at("/p/net/" TWO), at("/moved")), 0);
        link_to("/p/net/" TWO, "../../kept");
    }
    return real_rename(user, dir_, from, to);
}

/* What was looked at is not what is renamed: only the link goes. */
static void test_swapped_digest(void **state)
{
    (void)state;
    begin_store();
    dir("/kept", 0755);
    make("/kept/f", "x", 0644);
    real_rename = fs.rename;
    fs.rename = swap_and_rename;
    clean_store();
    assert_true(is_there("/kept/f") && is_there("/moved/setup"));
    assert_false(is_there("/p"));
    end_store();
}

static int (*real_remove_dir)(void *user, int dir_, const char *name);

static int install_and_remove_dir(void *user, int dir_, const char *name)
{
    if (strcmp(name, "net") == 0)
        make("/p/net/.lock", "", 0600);
    return real_remove_dir(user, dir_, name);
}

/* The lock's file was gone already: one that had waited for it was the next. */
static void test_installer_at_the_end(void **state)
{
    (void)state;
    begin_store();
    real_remove_dir = fs.remove_dir;
    fs.remove_dir = install_and_remove_dir;
    clean_store();
    assert_told("2 /p/net an installer is at work there");
    assert_true(!place.failed && is_there("/p/net/.lock"));
    assert_false(is_there("/p/net/" ONE) || is_there("/p/net/current"));
    end_store();
}

static void test_lock_of_others(void **state)
{
    (void)state;
    begin_store();
    make("/p/net/.lock", "", 0644);
    for (int i = 0; i < 2; i++) {
        cleanup.dry_run = i == 0;
        clean_store();
        assert_told("/p/net/.lock to be a regular file with mode 0600");
        assert_int_equal(told.n[GR_CLEANUP_FAILED], 1);
        assert_true(place.failed && is_there("/p/net/current"));
    }
    end_store();
}

static int (*real_unlink)(void *user, int dir_, const char *name);

static int swap_and_unlink(void *user, int dir_, const char *name)
{
    if (strcmp(name, "our-file") == 0) {
        assert_int_equal(unlink(at("/run/our-file")), 0);
        dir("/run/our-file", 0755);
        make("/run/our-file/f", "x", 0644);
    }
    return real_unlink(user, dir_, name);
}

static void test_swapped_file(void **state)
{
    (void)state;
    begin();
    dir("/run", 0755);
    make("/run/our-file", "", 0600);
    real_unlink = fs.unlink;
    fs.unlink = swap_and_unlink;
    clean_files();
    assert_told("3 /run/our-file Is a directory");
    assert_true(place.failed && is_there("/run/our-file/f"));
    end();
}

static int (*real_meta)(void *user, int node, struct gr_fs_meta *out);
static ino_t mounted;

static int mounted_meta(void *user, int node, struct gr_fs_meta *out)
{
    int rc = real_meta(user, node, out);

    out->mount += out->inode == mounted;
    return rc;
}

static void mount_at(const char *path)
{
    struct stat st;

    assert_int_equal(stat(at(path), &st), 0);
    mounted = st.st_ino;
    real_meta = fs.meta;
    fs.meta = mounted_meta;
}

static void test_mount_in_digest(void **state)
{
    (void)state;
    begin_store();
    dir("/p/net/" TWO "/mnt", 0755);
    make("/p/net/" TWO "/mnt/f", "x", 0644);
    mount_at("/p/net/" TWO "/mnt");
    clean_store();
    assert_told("3 /p/net/" TWO " something is mounted in it");
    assert_true(place.failed && is_there("/p/net"));
    assert_false(is_there("/p/net/" TWO)); /* it does not count any more */
    mounted = 0;
    clean_store();
    assert_false(is_there("/p"));
    end_store();
}

static void test_mounted_package(void **state)
{
    (void)state;
    begin_store();
    mount_at("/p/net");
    clean_store();
    assert_told("2 /p/net it is mounted there");
    assert_true(is_there("/p/net/" TWO "/setup"));
    end_store();
}

/* As in the pod of the chart. */
static void test_mounted_directory(void **state)
{
    (void)state;
    begin();
    dir("/run", 0755);
    make("/run/our", "", 0600);
    mount_at("/run");
    clean_files();
    assert_told("0 /run \n2 /run it is empty, and mounted here");
    assert_false(place.failed || is_there("/run/our"));
    end();
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

/* ---- what containers name ---- */

static void test_holders(void **state)
{
    const struct gr_str args[] = {GR_STR("sh"), GR_STR("/p/log/current"), GR_STR("/current/x")};
    const struct gr_oci_hook hooks[] = {hook_one,
                                        hook_one,
                                        {.path = GR_STR("/p/net/current/setup"), .args = {args, 3}},
                                        {.path = GR_STR("/p/net/currently/setup")}};
    struct gr_subject subject = {.hooks = hooks, .hooks_n = 4};
    const struct gr_holder *holder;

    (void)state;
    assert_null(gr_holders_find(&holders, GR_STR(ONE)));
    assert_int_equal(gr_holders_add(&holders, &subject, 1), 0);
    assert_int_equal(gr_holders_add(&holders, &subject, 2), 0);
    assert_int_equal(holders.n, 3);
    holder = gr_holders_find(&holders, GR_STR(ONE));
    assert_non_null(holder);
    assert_int_equal(holder->n, 2);
    assert_non_null(gr_holders_find(&holders, GR_STR("net/current")));
    assert_non_null(gr_holders_find(&holders, GR_STR("log/current")));
    gr_holders_fini(&holders);
    gr_holders_fini(&holders);
}

static void test_holders_limit(void **state)
{
    struct gr_oci_hook hook = {0};
    const struct gr_subject subject = {.hooks = &hook, .hooks_n = 1};
    char path[128];

    (void)state;
    for (unsigned i = 0; i <= GR_HOLDERS_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p/net/%064x/setup", i);
        hook.path = gr_str_from(path);
        assert_int_equal(gr_holders_add(&holders, &subject, i + 1),
                         i < GR_HOLDERS_MAX ? 0 : -E2BIG);
    }
    assert_int_equal(holders.n, GR_HOLDERS_MAX);
    gr_holders_fini(&holders);
}

/* Ids of containers and images look as digests do, and pods may hold any number of them: they take
 * no room from those of the store. */
static void test_holders_of_others(void **state)
{
    struct gr_buf text;
    char id[128];

    (void)state;
    begin_store();
    gr_buf_init(&text, 1U << 20);
    for (unsigned i = 0; i < 2 * GR_HOLDERS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "%064x,/other-%u/current,", i, i);
        assert_int_equal(gr_buf_str(&text, gr_str_from(id)), 0);
    }
    assert_int_equal(gr_buf_str(&text, GR_STR("/p/net/" ONE "/bin/setup,/p/net/current/setup")), 0);
    assert_int_equal(enter("/p"), 0);
    assert_int_equal(gr_cleanup_store_know(&place, &holders), 0);
    gr_cleanup_leave(&place);
    assert_int_equal(gr_holders_add_text(&holders, gr_buf_view(&text), "c"), 0);
    assert_int_equal(holders.n, 2);
    clean_store();
    assert_true(is_there("/p/net/" ONE "/bin/setup") && is_there("/p/net/current") &&
                is_there("/p/net/" TWO "/setup"));
    gr_buf_fini(&text);
    end_store();
}

/* As long as a config.json may be, and no slash before its end: it is walked through once, not once
 * for each byte, which would take hours. */
static void test_long_text(void **state)
{
    const size_t bytes = 16U << 20;
    char *text = malloc(bytes + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', bytes);
    (void)snprintf(text + bytes - 16, 17, "/p/net/current/x");
    assert_int_equal(gr_holders_add_text(&holders, (struct gr_str){.p = text, .n = bytes}, "c"), 0);
    assert_int_equal(holders.n, 1);
    assert_non_null(gr_holders_find(&holders, GR_STR("net/current")));
    gr_holders_fini(&holders);
    free(text);
}

int main(void)
{
    test_add("store", test_store);
    test_add("dry run", test_dry_run);
    test_add("store faults", test_store_faults);
    test_add("strangers", test_strangers);
    test_add("a swapped digest", test_swapped_digest);
    test_add("an installer at the end", test_installer_at_the_end);
    test_add("a lock of others", test_lock_of_others);
    test_add("a swapped file", test_swapped_file);
    test_add("a mount in a digest", test_mount_in_digest);
    test_add("a mounted package", test_mounted_package);
    test_add("a mounted directory", test_mounted_directory);
    test_add("files", test_files);
    test_add("files faults", test_files_faults);
    test_add("said", test_said);
    test_add("enter", test_enter);
    test_add("holders", test_holders);
    test_add("holders limit", test_holders_limit);
    test_add("holders of others", test_holders_of_others);
    test_add("long text", test_long_text);
    return test_run("cleanup");
}
