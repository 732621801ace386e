/* SPDX-License-Identifier: Apache-2.0 */
/* The settings' last good text on a host in memory: kept, found, trusted, and left alone. */
#include "load/lastsettings.h"

#include "keeping.h"

#define FILE_PATH "/etc/grapnel/config.yaml"
#define OTHER_PATH "/srv/config.yaml"
#define GOOD "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {logLevel: debug}\n"

static struct findings found;

static struct gr_lastsettings where_of(const char *path)
{
    return (struct gr_lastsettings){.fs = &host.fs, .dir = LAST_GOOD, .path = path};
}

static void start(void)
{
    memfs_init(&host);
    mem_dir(&host, "/var/lib");
    findings_init(&found);
}

static void stop(void)
{
    assert_int_equal(host.open_n, 0);
    memfs_fini(&host);
}

static void keep(const char *path, const char *text)
{
    const struct gr_lastsettings where = where_of(path);

    assert_int_equal(gr_lastsettings_keep(&where, gr_str_from(text), &found.reporter), 0);
}

/* NULL: there is none. */
static void assert_kept(const char *path, const char *text)
{
    const struct gr_lastsettings where = where_of(path);
    struct gr_buf buf;
    int64_t kept_s = -1;
    int rc;

    gr_buf_init(&buf, 1U << 20);
    rc = gr_lastsettings_read(&where, &found.reporter, &buf, &kept_s);
    assert_int_equal(rc, text ? 0 : GR_LASTGOOD_NONE);
    if (text) {
        assert_true(gr_str_is(gr_buf_view(&buf), text));
        assert_true(kept_s >= 0);
    }
    gr_buf_fini(&buf);
}

static void test_kept(void **state)
{
    struct mem_node *file = NULL;

    (void)state;
    start();
    assert_kept(FILE_PATH, NULL);
    assert_null(mem_find(&host, LAST_GOOD)); /* reading makes nothing */
    keep(FILE_PATH, GOOD);
    assert_int_equal(mem_at(&host, LAST_GOOD)->meta.mode, 0700);
    assert_int_equal(kept(&file), 1);
    assert_int_equal(file->meta.mode, 0600);
    assert_true(gr_is_lastgood_name(gr_str_from(file->name)));
    assert_kept(FILE_PATH, GOOD);
    keep(FILE_PATH, GOOD "# another\n");
    assert_int_equal(kept(NULL), 1);
    assert_kept(FILE_PATH, GOOD "# another\n");
    assert_no_findings(&found);
    stop();
}

static void test_unchanged_is_not_written(void **state)
{
    size_t writes;

    (void)state;
    start();
    keep(FILE_PATH, GOOD);
    writes = host.calls[MEM_WRITE];
    keep(FILE_PATH, GOOD);
    assert_int_equal(host.calls[MEM_WRITE], writes);
    stop();
}

/* The file is gone or empty: so is its text, and no other. */
static void test_goes(void **state)
{
    (void)state;
    start();
    keep(FILE_PATH, ""); /* where nothing is */
    assert_null(mem_find(&host, LAST_GOOD));
    keep(FILE_PATH, GOOD);
    keep(OTHER_PATH, GOOD "# other\n");
    keep(FILE_PATH, "");
    assert_kept(FILE_PATH, NULL);
    assert_kept(OTHER_PATH, GOOD "# other\n");
    assert_no_findings(&found);
    stop();
}

/* Each lets the texts of the other alone, also what it does not want any more. */
static void test_beside_rules(void **state)
{
    struct loaded *l = begin();

    (void)state;
    findings_init(&found);
    keep(FILE_PATH, GOOD);
    assert_int_equal(kept(NULL), 3);
    mem_remove(&host, A);
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(kept(NULL), 2);
    assert_kept(FILE_PATH, GOOD);
    keep(FILE_PATH, "");
    assert_int_equal(kept(NULL), 1);
    mem_file(&host, B, SET_BAD);
    l = restart(l);
    assert_sets(l, "b");
    assert_no_findings(&found);
    end(l);
}

/* As with texts of rules: whoever may write there decides what root does. */
static void test_not_trusted(void **state)
{
    struct mem_node *dir;

    (void)state;
    start();
    keep(FILE_PATH, GOOD);
    dir = mem_at(&host, LAST_GOOD);
    dir->meta.mode = 0755;
    assert_kept(FILE_PATH, NULL);
    assert_finding(&found, "last-good-directory", "chmod 0700");
    dir->meta.mode = 0700;
    dir->meta.uid = 1000;
    assert_kept(FILE_PATH, NULL);
    dir->meta.uid = 0;
    mem_at(&host, "/var")->meta.mode = 0777;
    assert_kept(FILE_PATH, NULL);
    assert_finding(&found, "untrusted-mode", "chmod go-w /var");
    mem_at(&host, "/var")->meta.mode = 0755;
    assert_kept(FILE_PATH, GOOD);
    stop();
}

static void test_damaged(void **state)
{
    struct mem_node *file = NULL;

    (void)state;
    start();
    keep(FILE_PATH, GOOD);
    assert_int_equal(kept(&file), 1);
    file->text[file->text_n - 2] = '#';
    assert_kept(FILE_PATH, NULL);
    assert_finding(&found, "last-good-damaged", "damaged");
    assert_int_equal(kept(NULL), 1); /* who only reads removes nothing */
    keep(FILE_PATH, GOOD "# new\n");
    assert_kept(FILE_PATH, GOOD "# new\n");
    stop();
}

static int forbid(struct memfs *m, enum mem_op op, const char *name)
{
    (void)m;
    return op == MEM_LIST || (op == MEM_CREATE && name) ? -EACCES : 0;
}

static int no_room(struct memfs *m, enum mem_op op, const char *name)
{
    (void)m;
    (void)name;
    return op == MEM_WRITE ? -ENOSPC : 0;
}

/* Who may not read it has nothing to tell; who cannot write says so, and the older text stays. */
static void test_failures(void **state)
{
    const struct gr_lastsettings where = where_of(FILE_PATH);

    (void)state;
    start();
    keep(FILE_PATH, GOOD);
    host.inject = forbid;
    assert_kept(FILE_PATH, NULL);
    assert_no_findings(&found);
    host.inject = no_room;
    assert_int_equal(gr_lastsettings_keep(&where, GR_STR(GOOD "# new\n"), &found.reporter),
                     GR_LASTSETTINGS_UNKEPT);
    assert_finding(&found, "last-good-write", FILE_PATH);
    host.inject = NULL;
    assert_kept(FILE_PATH, GOOD);
    assert_int_equal(kept(NULL), 1);
    stop();
}

/* A directory that cannot be used is said once, whoever says it. */
static void test_told_already(void **state)
{
    struct gr_lastsettings where = where_of(FILE_PATH);

    (void)state;
    start();
    mem_dir(&host, LAST_GOOD);
    assert_int_equal(gr_lastsettings_keep(&where, GR_STR(GOOD), &found.reporter),
                     GR_LASTSETTINGS_UNKEPT);
    assert_int_equal(found.n, 1);
    where.dir_is_told = true;
    assert_int_equal(gr_lastsettings_keep(&where, GR_STR(GOOD), &found.reporter),
                     GR_LASTSETTINGS_UNKEPT);
    assert_int_equal(found.n, 1);
    where.dir = NULL;
    assert_int_equal(gr_lastsettings_keep(&where, GR_STR(GOOD), &found.reporter), 0);
    assert_int_equal(found.n, 1);
    stop();
}

int main(void)
{
    test_add("kept", test_kept);
    test_add("unchanged is not written", test_unchanged_is_not_written);
    test_add("goes", test_goes);
    test_add("beside rules", test_beside_rules);
    test_add("not trusted", test_not_trusted);
    test_add("damaged", test_damaged);
    test_add("failures", test_failures);
    test_add("told already", test_told_already);
    return test_run("lastsettings");
}
