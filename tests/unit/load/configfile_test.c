/* SPDX-License-Identifier: Apache-2.0 */
/* The settings file on a host in memory: missing is fine, unless somebody else may have removed it.
 */
#include "load/configfile.h"

#include "loading.h"

#define FILE_PATH "/etc/grapnel/config.yaml"
#define GOOD "apiVersion: grapnel/v1beta1\nkind: Config\nspec: {logLevel: debug}\n"

static struct memfs host;
static struct gr_arena arena;
static struct findings found;
static struct gr_configfile file;

static int read_file(void)
{
    file = (struct gr_configfile){0};
    findings_init(&found);
    return gr_configfile_read(&host.fs, FILE_PATH, &arena, &found.reporter, &file);
}

static void begin(void)
{
    memfs_init(&host);
    gr_arena_init(&arena, 4096, 0);
    mem_dir(&host, "/etc/grapnel");
}

static void end(void)
{
    assert_int_equal(host.open_n, 0);
    gr_arena_fini(&arena);
    memfs_fini(&host);
}

static void test_reads(void **state)
{
    (void)state;
    begin();
    mem_file(&host, FILE_PATH, GOOD);
    assert_int_equal(read_file(), 0);
    assert_int_equal(file.config.log_level, GR_LEVEL_DEBUG);
    assert_true(gr_str_is(file.text, GOOD));
    assert_no_findings(&found);
    end();
}

static void test_missing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(read_file(), GR_CONFIGFILE_MISSING);
    mem_at(&host, "/etc/grapnel")->meta.mode = 01777;
    assert_int_equal(read_file(), GR_CONFIGFILE_MISSING);
    mem_remove(&host, "/etc/grapnel");
    assert_int_equal(read_file(), GR_CONFIGFILE_MISSING);
    assert_no_findings(&found);
    end();
}

static void test_missing_where_others_may_write(void **state)
{
    (void)state;
    begin();
    mem_at(&host, "/etc/grapnel")->meta.mode = 0777;
    assert_int_equal(read_file(), GR_CONFIG_REFUSED);
    assert_finding(&found, "untrusted-mode", "chmod go-w /etc/grapnel");
    mem_remove(&host, "/etc/grapnel");
    mem_at(&host, "/etc")->meta.mode = 0775;
    assert_int_equal(read_file(), GR_CONFIG_REFUSED);
    assert_finding(&found, "untrusted-mode", "chmod go-w /etc");
    end();
}

static void test_untrusted(void **state)
{
    (void)state;
    begin();
    mem_file(&host, FILE_PATH, GOOD)->meta.uid = 1000;
    assert_int_equal(read_file(), GR_CONFIG_REFUSED);
    assert_finding(&found, "untrusted-owner", FILE_PATH);
    mem_at(&host, "/etc/grapnel")->meta.uid = 1000;
    assert_int_equal(read_file(), GR_CONFIG_REFUSED);
    assert_finding(&found, "untrusted-owner", "/etc/grapnel belongs to uid 1000");
    end();
}

static int lose_root(struct memfs *m, enum mem_op op, const char *name)
{
    (void)m;
    (void)name;
    return op == MEM_OPEN_ROOT ? -ENOENT : 0;
}

static void test_no_root(void **state)
{
    (void)state;
    begin();
    host.inject = lose_root;
    assert_int_equal(read_file(), GR_CONFIGFILE_MISSING);
    end();
}

int main(void)
{
    test_add("reads", test_reads);
    test_add("missing", test_missing);
    test_add("missing where others may write", test_missing_where_others_may_write);
    test_add("untrusted", test_untrusted);
    test_add("no root", test_no_root);
    return test_run("configfile");
}
