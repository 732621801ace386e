/* SPDX-License-Identifier: Apache-2.0 */
/* The real operations. */
#include <sys/wait.h>

#include "realfs.h"

static int open_top(void)
{
    int node = -1;

    assert_int_equal(fs.open_root(NULL, top, &node), 0);
    return node;
}

static void assert_closes_on_exec(int fd)
{
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void test_open_root(void **state)
{
    int node = 77;

    (void)state;
    begin();
    make("/file", "", 0644);
    assert_int_equal(fs.open_root(NULL, at("/none"), &node), -ENOENT);
    assert_int_equal(fs.open_root(NULL, at("/file"), &node), -ENOTDIR);
    assert_int_equal(node, 77);
    link_to("/link", ".");
    assert_int_equal(fs.open_root(NULL, at("/link"), &node), 0);
    assert_closes_on_exec(node);
    fs.close(NULL, node);
    fs.close(NULL, GR_FS_NO_NODE);
    end();
}

static struct gr_fs_meta meta_of(const char *name)
{
    struct gr_fs_meta meta = {0};
    int root = open_top();
    int node = -1;

    assert_int_equal(fs.open_at(NULL, root, name, &node), 0);
    assert_closes_on_exec(node);
    assert_int_equal(fs.meta(NULL, node, &meta), 0);
    fs.close(NULL, node);
    fs.close(NULL, root);
    return meta;
}

static void test_meta(void **state)
{
    struct gr_fs_meta a;
    struct gr_fs_meta b;

    (void)state;
    begin();
    make("/file", "hello", 0640);
    dir("/dir", 01755);
    link_to("/link", "file");
    assert_int_equal(mkfifo(at("/fifo"), 0600), 0);
    a = meta_of("file");
    assert_int_equal(a.type, GR_FS_REGULAR);
    assert_int_equal(a.mode, 0640);
    assert_int_equal(a.size_bytes, 5);
    assert_int_equal(a.uid, geteuid());
    assert_int_equal(a.gid, getegid());
    assert_false(a.read_only);
    assert_int_equal(meta_of("dir").type, GR_FS_DIRECTORY);
    assert_int_equal(meta_of("dir").mode, 01755);
    assert_int_equal(meta_of("link").type, GR_FS_LINK);
    assert_int_equal(meta_of("fifo").type, GR_FS_OTHER);
    assert_int_equal(mknod(at("/socket"), S_IFSOCK | 0600, 0), 0);
    assert_int_equal(meta_of("socket").type, GR_FS_SOCKET);

    b = meta_of("file");
    assert_true(gr_fs_same_file(&a, &b));
    assert_true(gr_fs_unchanged(&a, &b));
    make("/file", "hellO", 0640);
    b = meta_of("file");
    assert_true(gr_fs_same_file(&a, &b));
    assert_int_equal(rename(at("/file"), at("/old")), 0);
    make("/file", "hello", 0640);
    b = meta_of("file");
    assert_false(gr_fs_same_file(&a, &b));
    end();
}

/* A path as long as the limit is looked up; one byte more is refused. */
static void test_path_limit(void **state)
{
    static char path[GR_LOAD_PATH_BYTES + 1];
    struct gr_walk *walk = calloc(1, sizeof(*walk));

    (void)state;
    begin();
    assert_non_null(walk);
    assert_int_equal(gr_walk_open(walk, &fs, "/"), 0);
    for (size_t n = GR_LOAD_PATH_BYTES - 1; n <= GR_LOAD_PATH_BYTES; n++) {
        memset(path, '/', n);
        path[n] = '\0';
        assert_int_equal(gr_walk_to(walk, path, NULL, NULL),
                         n < GR_LOAD_PATH_BYTES ? 0 : -ENAMETOOLONG);
    }
    gr_walk_close(walk);
    free(walk);
}

static void test_mounts_differ(void **state)
{
    struct gr_fs_meta root;
    struct gr_fs_meta proc;
    struct gr_fs_meta null;
    int node = -1;
    int dev = -1;

    (void)state;
    begin();
    assert_int_equal(fs.open_root(NULL, "/", &node), 0);
    assert_int_equal(fs.meta(NULL, node, &root), 0);
    fs.close(NULL, node);
    assert_int_equal(fs.open_root(NULL, "/proc", &node), 0);
    assert_int_equal(fs.meta(NULL, node, &proc), 0);
    fs.close(NULL, node);
    assert_int_not_equal(root.mount, proc.mount);
    assert_int_equal(fs.open_root(NULL, "/dev", &dev), 0);
    assert_int_equal(fs.open_at(NULL, dev, "null", &node), 0);
    assert_int_equal(fs.meta(NULL, node, &null), 0);
    assert_int_equal(null.type, GR_FS_NULL);
    fs.close(NULL, node);
    assert_int_equal(fs.open_at(NULL, dev, "zero", &node), 0);
    assert_int_equal(fs.meta(NULL, node, &null), 0);
    assert_int_equal(null.type, GR_FS_OTHER);
    fs.close(NULL, node);
    fs.close(NULL, dev);
    end();
}

static bool is_in_proc(const char *dir, const char *name)
{
    struct gr_fs_meta meta;
    int parent, node;

    assert_int_equal(fs.open_root(NULL, dir, &parent), 0);
    assert_int_equal(fs.open_at(NULL, parent, name, &node), 0);
    assert_int_equal(fs.meta(NULL, node, &meta), 0);
    fs.close(NULL, node);
    fs.close(NULL, parent);
    return meta.proc;
}

/* How it is mounted is told of directories and links, and of files only where they can be
 * programs. */
static void test_mount_flags(void **state)
{
    (void)state;
    begin();
    assert_true(is_in_proc("/proc", "self"));
    assert_true(is_in_proc("/proc", "sys"));
    assert_false(is_in_proc("/proc", "version")); /* 0444 */
    assert_false(is_in_proc("/", "usr"));
    end();
}

struct seen {
    char names[256];
    int stop;
};

static int see(void *user, const char *name, enum gr_fs_type type)
{
    struct seen *seen = user;
    size_t n = strlen(seen->names);

    (void)snprintf(seen->names + n, sizeof(seen->names) - n, "%s=%d ", name, (int)type);
    return seen->stop;
}

static void test_lists(void **state)
{
    struct seen seen = {.stop = 0};
    int root;
    int file = -1;

    (void)state;
    begin();
    dir("/d", 0755);
    make("/f", "", 0644);
    link_to("/l", "nowhere");
    assert_int_equal(mkfifo(at("/p"), 0600), 0);
    root = open_top();
    assert_int_equal(fs.list(NULL, root, see, &seen), 0);
    assert_non_null(strstr(seen.names, "d=1 "));
    assert_non_null(strstr(seen.names, "f=0 "));
    assert_non_null(strstr(seen.names, "l=2 "));
    assert_non_null(strstr(seen.names, "p=4 "));
    assert_int_equal(strlen(seen.names), 16);
    seen = (struct seen){.stop = -E2BIG};
    assert_int_equal(fs.list(NULL, root, see, &seen), -E2BIG);
    assert_int_equal(strlen(seen.names), 4);
    assert_int_equal(fs.open_at(NULL, root, "f", &file), 0);
    assert_int_equal(fs.list(NULL, file, see, &seen), -ENOTDIR);
    fs.close(NULL, file);
    fs.close(NULL, root);
    end();
}

static void test_links_are_not_followed(void **state)
{
    char text[8] = "xxxxxxx";
    int node = -1;
    int root;

    (void)state;
    begin();
    make("/file", "", 0644);
    link_to("/link", "file");
    root = open_top();
    assert_int_equal(fs.open_read(NULL, root, "link", &node), -ELOOP);
    assert_int_equal(fs.open_read(NULL, root, "none", &node), -ENOENT);
    assert_int_equal(fs.open_at(NULL, root, "none", &node), -ENOENT);
    assert_int_equal(fs.open_at(NULL, root, "link", &node), 0);
    assert_int_equal(fs.read_link(NULL, node, text, sizeof(text)), 4);
    assert_memory_equal(text, "filexxx", 7);
    assert_int_equal(fs.read_link(NULL, node, text, 2), 2);
    fs.close(NULL, node);
    assert_int_equal(fs.open_at(NULL, root, "file", &node), 0);
    assert_true(fs.read_link(NULL, node, text, sizeof(text)) < 0);
    fs.close(NULL, node);
    fs.close(NULL, root);
    end();
}

/* Neither looking nor opening waits for the other end of a pipe. */
static void test_pipes_do_not_wait(void **state)
{
    int node = -1;
    int root;

    (void)state;
    begin();
    assert_int_equal(mkfifo(at("/fifo"), 0600), 0);
    root = open_top();
    assert_int_equal(fs.open_at(NULL, root, "fifo", &node), 0);
    fs.close(NULL, node);
    assert_int_equal(fs.open_read(NULL, root, "fifo", &node), 0);
    assert_closes_on_exec(node);
    fs.close(NULL, node);
    fs.close(NULL, root);
    end();
}

static void test_reads_and_writes(void **state)
{
    char text[16] = "";
    int node = -1;
    int root;

    (void)state;
    begin();
    root = open_top();
    assert_int_equal(fs.make_dir(NULL, root, "d", 0700), 0);
    assert_int_equal(fs.make_dir(NULL, root, "d", 0700), -EEXIST);
    assert_int_equal(meta_of("d").mode, 0700);
    link_to("/trap", "elsewhere");
    assert_int_equal(fs.create(NULL, root, "trap", 0600, &node), -EEXIST);
    assert_int_equal(access(at("/elsewhere"), F_OK), -1);
    assert_int_equal(fs.create(NULL, root, "a", 0600, &node), 0);
    assert_closes_on_exec(node);
    assert_int_equal(gr_fs_write_all(&fs, node, "hello world", 11), 0);
    assert_int_equal(fs.sync(NULL, node), 0);
    fs.close(NULL, node);
    assert_int_equal(meta_of("a").mode, 0600);
    assert_int_equal(fs.rename(NULL, root, "a", "b"), 0);
    assert_int_equal(fs.rename(NULL, root, "a", "b"), -ENOENT);
    assert_int_equal(fs.sync(NULL, root), 0);
    assert_int_equal(fs.sync_all(NULL, root), 0);
    assert_int_equal(fs.open_read(NULL, root, "b", &node), 0);
    assert_int_equal(fs.read(NULL, node, text, 5), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(fs.read(NULL, node, text, 15), 6);
    assert_int_equal(fs.read(NULL, node, text, 15), 0);
    assert_int_equal(fs.write(NULL, node, "x", 1), -EBADF);
    fs.close(NULL, node);
    assert_int_equal(fs.unlink(NULL, root, "b"), 0);
    assert_int_equal(fs.unlink(NULL, root, "b"), -ENOENT);
    fs.close(NULL, root);
    end();
}

static void test_read_all_at_its_limit(void **state)
{
    static char text[20000];
    struct gr_buf buf;
    int root;

    (void)state;
    begin();
    memset(text, 'x', sizeof(text) - 1);
    make("/file", text, 0644);
    root = open_top();
    for (size_t max = sizeof(text) - 2; max <= sizeof(text); max++) {
        int node = -1;

        gr_buf_init(&buf, max);
        assert_int_equal(gr_fs_open_read(&fs, root, "file", &node), 0);
        assert_int_equal(gr_fs_read_all(&fs, node, &buf), max < sizeof(text) - 1 ? -EMSGSIZE : 0);
        if (max >= sizeof(text) - 1)
            assert_int_equal(buf.len, sizeof(text) - 1);
        fs.close(NULL, node);
        gr_buf_fini(&buf);
    }
    fs.close(NULL, root);
    end();
}

static void test_cwd(void **state)
{
    char before[512];
    char found[512] = "";

    (void)state;
    begin();
    assert_non_null(getcwd(before, sizeof(before)));
    dir("/here", 0755);
    assert_int_equal(chdir(at("/here")), 0);
    assert_int_equal(fs.cwd(NULL, found, sizeof(found)), 0);
    assert_string_equal(found, at("/here"));
    assert_int_equal(fs.cwd(NULL, found, 3), -ERANGE);
    assert_int_equal(rmdir(at("/here")), 0);
    assert_int_equal(fs.cwd(NULL, found, sizeof(found)), -ENOENT);
    assert_int_equal(chdir(before), 0);
    end();
}

static void test_two_tables_have_two_tokens(void **state)
{
    struct gr_fs other;

    (void)state;
    begin();
    gr_fs_posix(&other);
    assert_true(fs.token != other.token);
    assert_int_equal(fs.euid, geteuid());
    end();
}

int main(void)
{
    test_add("open_root", test_open_root);
    test_add("meta", test_meta);
    test_add("a path at its limit", test_path_limit);
    test_add("mounts differ", test_mounts_differ);
    test_add("mount flags", test_mount_flags);
    test_add("list", test_lists);
    test_add("links are not followed", test_links_are_not_followed);
    test_add("pipes do not wait", test_pipes_do_not_wait);
    test_add("reads and writes", test_reads_and_writes);
    test_add("read_all at its limit", test_read_all_at_its_limit);
    test_add("cwd", test_cwd);
    test_add("two tables have two tokens", test_two_tables_have_two_tokens);
    return test_run("fs_posix");
}
