/* SPDX-License-Identifier: Apache-2.0 */
/* load/tree: what is listed and refused, the digest, what changes while it is read, removing. */
#include "realfs.h"

#include <errno.h>

#include "load/tree.h"
#include "rules/limits.h"

static struct gr_arena arena;
static struct gr_tree tree;
static struct gr_err err;

static int open_dir(const char *path)
{
    int node;

    assert_int_equal(fs.open_root(fs.user, at(path), &node), 0);
    return node;
}

static int list_as(const char *path, enum gr_tree_kind kind)
{
    int node = open_dir(path);
    int rc;

    gr_arena_init(&arena, 4096, 0);
    err = (struct gr_err){0};
    tree = (struct gr_tree){0};
    rc = gr_tree_list(&fs, node, path, kind, &arena, &tree, &err);
    gr_fs_close(&fs, &node);
    return rc;
}

static int read_all(const char *path)
{
    int node = open_dir(path);
    int rc = gr_tree_read(&fs, node, path, &tree, &err);

    gr_fs_close(&fs, &node);
    return rc;
}

static void refused(const char *path, const char *code, const char *text)
{
    assert_int_equal(list_as(path, GR_TREE_SOURCE), -EINVAL);
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.text, text));
    gr_arena_fini(&arena);
}

static void digest(const char *path, char out[GR_SHA256_HEX + 1])
{
    assert_int_equal(list_as(path, GR_TREE_SOURCE), 0);
    assert_int_equal(read_all(path), 0);
    memcpy(out, tree.digest, sizeof(tree.digest));
    gr_arena_fini(&arena);
}

/* As specs/programs.md has it; the number is that of its shell commands. */
static void test_digest(void **state)
{
    char one[GR_SHA256_HEX + 1], other[GR_SHA256_HEX + 1];

    (void)state;
    begin();
    dir("/s", 0700);
    dir("/s/bin", 0700);
    dir("/s/empty", 0700);
    make("/s/bin/setup", "#!/bin/sh\nexit 0\n", 0711);
    make("/s/conf", "data\n", 0600);
    digest("/s", one);
    assert_string_equal(one, "333057ac93cdcea6baee390e038f75a9c9582037fc9a8eaac0b4fab269326949");
    make("/s/conf", "Data\n", 0600);
    digest("/s", other);
    assert_string_not_equal(one, other);
    make("/s/conf", "data\n", 0700);
    digest("/s", other);
    assert_string_not_equal(one, other);
    assert_int_equal(chmod(at("/s/conf"), 0644), 0);
    digest("/s", other);
    assert_string_equal(one, other);
    assert_int_equal(rename(at("/s/conf"), at("/s/bin/conf")), 0);
    digest("/s", other);
    assert_string_not_equal(one, other);
    end();
}

static void test_order(void **state)
{
    (void)state;
    begin();
    dir("/s", 0755);
    dir("/s/a", 0755);
    make("/s/a/z", "", 0644);
    make("/s/a-b", "", 0644);
    make("/s/b", "", 0644);
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    assert_int_equal(tree.n, 3);
    assert_string_equal(tree.files[0].path.p, "a-b");
    assert_string_equal(tree.files[1].path.p, "a/z");
    assert_string_equal(tree.files[2].path.p, "b");
    gr_arena_fini(&arena);
    end();
}

static void test_refuses(void **state)
{
    (void)state;
    begin();
    dir("/s", 0755);
    refused("/s", "program-source", "found none");
    make("/s/good", "x", 0755);
    link_to("/s/l", "good");
    refused("/s", "program-source", "is a symbolic link");
    assert_int_equal(unlink(at("/s/l")), 0);
    link_to("/s/l", "/");
    refused("/s", "program-source", "is a symbolic link");
    assert_int_equal(unlink(at("/s/l")), 0);
    assert_int_equal(mkfifo(at("/s/pipe"), 0644), 0);
    refused("/s", "program-source", "a device, socket or pipe");
    assert_int_equal(unlink(at("/s/pipe")), 0);
    make("/s/suid", "x", 04755);
    refused("/s", "program-source", "setuid");
    assert_int_equal(chmod(at("/s/suid"), 02755), 0);
    refused("/s", "program-source", "setuid or setgid");
    assert_int_equal(unlink(at("/s/suid")), 0);
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    gr_arena_fini(&arena);
    end();
}

static const struct {
    const char *name;
} names[] = {{".hidden"}, {"..."}, {"-x"}, {"a b"}, {"a\tb"}, {"a;b"}, {"\xc3\xa4"}, {"+a"}};

static void refuses_name(void **state)
{
    const char *const *name = *state;
    char path[64];

    begin();
    dir("/s", 0755);
    (void)snprintf(path, sizeof(path), "/s/%s", *name);
    make(path, "x", 0644);
    refused("/s", "program-source", "named otherwise");
    end();
}

/* ---- limits ---- */

static void test_depth(void **state)
{
    char path[128] = "/s";

    (void)state;
    begin();
    dir("/s", 0755);
    for (int i = 1; i < GR_PROGRAM_DEPTH_MAX; i++) {
        (void)strcat(path, "/d");
        dir(path, 0755);
    }
    (void)strcat(path, "/f");
    make(path, "x", 0644);
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    gr_arena_fini(&arena);
    assert_int_equal(unlink(at(path)), 0);
    dir(path, 0755);
    refused("/s", "program-limit", "too deep");
    end();
}

static void test_entries(void **state)
{
    char path[32];

    (void)state;
    begin();
    dir("/s", 0755);
    dir("/s/d", 0755);
    for (int i = 1; i < GR_STORE_ENTRIES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/s/d/%d", i);
        make(path, "", 0644);
    }
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    assert_int_equal(tree.n, GR_STORE_ENTRIES_MAX - 1);
    gr_arena_fini(&arena);
    make("/s/more", "", 0644);
    refused("/s", "program-limit", "at most 1024 files and directories");
    end();
}

/* A file without blocks: nothing is read that is too large. */
static void test_bytes(void **state)
{
    (void)state;
    begin();
    dir("/s", 0755);
    make("/s/a", "", 0644);
    make("/s/b", "x", 0644);
    assert_int_equal(truncate(at("/s/a"), GR_STORE_TREE_MAX_BYTES - 1), 0);
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    assert_int_equal(tree.bytes, GR_STORE_TREE_MAX_BYTES);
    gr_arena_fini(&arena);
    assert_int_equal(truncate(at("/s/a"), GR_STORE_TREE_MAX_BYTES), 0);
    refused("/s", "program-limit", "at most 536870912 bytes");
    assert_int_equal(truncate(at("/s/a"), INT64_C(1) << 42), 0);
    refused("/s", "program-limit", "at most 536870912 bytes");
    end();
}

/* ---- what changes between listing and reading ---- */

static void make_longer(void)
{
    make("/s/d/f", "longer", 0644);
}

static void put_link(void)
{
    assert_int_equal(unlink(at("/s/d/f")), 0);
    link_to("/s/d/f", "/etc/passwd");
}

static void put_link_above(void)
{
    assert_int_equal(rename(at("/s/d"), at("/s/e")), 0);
    link_to("/s/d", "e");
}

static void put_pipe(void)
{
    assert_int_equal(unlink(at("/s/d/f")), 0);
    assert_int_equal(mkfifo(at("/s/d/f"), 0644), 0);
}

static void put_dir(void)
{
    assert_int_equal(unlink(at("/s/d/f")), 0);
    dir("/s/d/f", 0755);
}

static void put_other(void)
{
    make("/s/other", "text", 0644);
    assert_int_equal(rename(at("/s/other"), at("/s/d/f")), 0);
}

static void take_away(void)
{
    assert_int_equal(unlink(at("/s/d/f")), 0);
}

struct race {
    const char *name;
    void (*change)(void);
};

static const struct race races[] = {
    {"longer", make_longer}, {"a link", put_link},     {"a link above", put_link_above},
    {"a pipe", put_pipe},    {"a directory", put_dir}, {"another file", put_other},
    {"nothing", take_away},
};

static void notices(void **state)
{
    const struct race *race = *state;

    begin();
    dir("/s", 0755);
    dir("/s/d", 0755);
    make("/s/d/f", "text", 0644);
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    race->change();
    assert_int_equal(read_all("/s"), -ESTALE);
    assert_string_equal(err.code, "program-changed");
    gr_arena_fini(&arena);
    end();
}

static int64_t (*real_read)(void *user, int node, void *out, size_t bytes);

static int64_t read_and_write(void *user, int node, void *out, size_t bytes)
{
    int64_t n = real_read(user, node, out, bytes);

    if (n == 0)
        make("/s/f", "TEXT", 0644);
    return n;
}

static void test_written_while_read(void **state)
{
    (void)state;
    begin();
    real_read = fs.read;
    dir("/s", 0755);
    make("/s/f", "text", 0644);
    assert_int_equal(list_as("/s", GR_TREE_SOURCE), 0);
    fs.read = read_and_write;
    assert_int_equal(read_all("/s"), -ESTALE);
    gr_arena_fini(&arena);
    end();
}

/* ---- as it was installed ---- */

static void test_installed(void **state)
{
    (void)state;
    begin();
    dir("/s", 0755);
    dir("/s/d", 0755);
    make("/s/d/f", "x", 0644);
    make("/s/d/p", "x", 0755);
    assert_int_equal(list_as("/s", GR_TREE_INSTALLED), 0);
    gr_arena_fini(&arena);
    assert_int_equal(chmod(at("/s/d/f"), 0664), 0);
    assert_int_equal(list_as("/s", GR_TREE_INSTALLED), -EINVAL);
    assert_string_equal(err.code, "program-damaged");
    gr_arena_fini(&arena);
    assert_int_equal(chmod(at("/s/d/f"), 0644), 0);
    assert_int_equal(chmod(at("/s/d"), 0775), 0);
    assert_int_equal(list_as("/s", GR_TREE_INSTALLED), -EINVAL);
    gr_arena_fini(&arena);
    end();
}

/* ---- removing ---- */

static void test_remove(void **state)
{
    int node;

    (void)state;
    begin();
    dir("/s", 0755);
    dir("/s/d", 0755);
    dir("/s/d/e", 0755);
    make("/s/d/e/f", "x", 0644);
    dir("/kept", 0755);
    make("/kept/f", "x", 0644);
    link_to("/s/d/out", "../../kept");
    link_to("/s/link", "../kept");
    node = open_dir("/s");
    assert_int_equal(gr_tree_remove(&fs, node, "d"), 0);
    assert_int_equal(gr_tree_remove(&fs, node, "d"), 0);
    assert_int_equal(gr_tree_remove(&fs, node, "link"), 0);
    gr_fs_close(&fs, &node);
    assert_int_equal(rmdir(at("/s")), 0);
    assert_int_equal(access(at("/kept/f"), F_OK), 0);
    end();
}

static void test_remove_depth(void **state)
{
    char path[256] = "/s";
    int node;

    (void)state;
    begin();
    dir("/s", 0755);
    for (int i = 0; i < GR_STORE_REMOVE_DEPTH_MAX; i++) {
        (void)strcat(path, "/d");
        dir(path, 0755);
    }
    node = open_dir("/s");
    assert_int_equal(gr_tree_remove(&fs, node, "d"), 0);
    (void)snprintf(path, sizeof(path), "/s");
    for (int i = 0; i <= GR_STORE_REMOVE_DEPTH_MAX; i++) {
        (void)strcat(path, "/d");
        dir(path, 0755);
    }
    assert_int_equal(gr_tree_remove(&fs, node, "d"), -ELOOP);
    gr_fs_close(&fs, &node);
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

/* What is mounted in it is somebody else's. */
static void test_remove_mount(void **state)
{
    struct stat st;
    int node;

    (void)state;
    begin();
    dir("/s", 0755);
    dir("/s/d", 0755);
    dir("/s/d/mnt", 0755);
    make("/s/d/mnt/f", "x", 0644);
    assert_int_equal(stat(at("/s/d/mnt"), &st), 0);
    mounted = st.st_ino;
    real_meta = fs.meta;
    fs.meta = mounted_meta;
    node = open_dir("/s");
    assert_int_equal(gr_tree_remove(&fs, node, "d"), -EXDEV);
    assert_int_equal(access(at("/s/d/mnt/f"), F_OK), 0);
    mounted = 0;
    assert_int_equal(gr_tree_remove(&fs, node, "d"), 0);
    gr_fs_close(&fs, &node);
    end();
}

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdef2222"

static void test_digest_next(void **state)
{
    struct gr_str text = GR_STR("--lib=/p/" ONE ":" TWO "," ONE "0 " ONE "A abc");
    struct gr_str digest;

    (void)state;
    assert_true(gr_tree_digest_next(&text, &digest));
    assert_true(gr_str_is(digest, ONE));
    assert_true(gr_tree_digest_next(&text, &digest));
    assert_true(gr_str_is(digest, TWO));
    assert_true(gr_tree_digest_next(&text, &digest));
    assert_true(gr_str_is(digest, ONE));
    assert_false(gr_tree_digest_next(&text, &digest));
    assert_int_equal(text.n, 0);
    text = GR_STR(ONE);
    assert_true(gr_tree_digest_next(&text, &digest));
    assert_false(gr_tree_digest_next(&text, &digest));
    text = gr_str_first(GR_STR(ONE), GR_SHA256_HEX - 1);
    assert_false(gr_tree_digest_next(&text, &digest));
    assert_int_equal(text.n, 0);
}

int main(void)
{
    test_add("digest", test_digest);
    test_add("the next digest", test_digest_next);
    test_add("order", test_order);
    test_add("refuses", test_refuses);
    TEST_ADD_ROWS(refuses_name, names);
    test_add("depth", test_depth);
    test_add("entries", test_entries);
    test_add("bytes", test_bytes);
    TEST_ADD_ROWS(notices, races);
    test_add("written while read", test_written_while_read);
    test_add("installed", test_installed);
    test_add("remove", test_remove);
    test_add("remove depth", test_remove_depth);
    test_add("remove mount", test_remove_mount);
    return test_run("tree");
}
