/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real operations, in a directory of its own below the system's one for temporary files. What
 * needs root (other owners, mounts) is skipped without it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load/walk.h"
#include "loading.h"

static char top[128];
static struct gr_fs fs;
static size_t fds_before;

static const char *at(const char *path)
{
    static char paths[8][512];
    static size_t next;
    char *out = paths[next++ % GR_ARRAY_LEN(paths)];

    (void)snprintf(out, sizeof(paths[0]), "%s%s", top, path);
    return out;
}

static void make(const char *path, const char *text, mode_t mode)
{
    int fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void dir(const char *path, mode_t mode)
{
    assert_int_equal(mkdir(at(path), 0700), 0);
    assert_int_equal(chmod(at(path), mode), 0);
}

static void link_to(const char *path, const char *target)
{
    assert_int_equal(symlink(target, at(path)), 0);
}

static size_t count_fds(void)
{
    DIR *stream = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(stream);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n;
}

static void begin(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)umask(022);
    (void)snprintf(top, sizeof(top), "%s/grapnel-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(top));
    gr_fs_posix(&fs);
    fds_before = count_fds();
}

static void remove_tree(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        char below[1024];
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(below);
        else
            (void)unlink(below);
    }
    if (stream)
        closedir(stream);
    (void)rmdir(path);
}

static void end(void)
{
    assert_int_equal(count_fds(), fds_before);
    remove_tree(top);
}

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

/* --- walking -----------------------------------------------------------------------------------
 */

struct walk_row {
    const char *name; /* the path below the root */
    int result;
    const char *reached; /* or where it failed */
};

static const struct walk_row walks[] = {
    {"/", 0, ""},
    {"", 0, ""},
    {"/usr/bin/tool", 0, "/usr/bin/tool"},
    {"//usr/./bin//tool", 0, "/usr/bin/tool"},
    {"/usr/../usr/bin/tool", 0, "/usr/bin/tool"},
    {"/../../usr/bin/tool", 0, "/usr/bin/tool"},
    {"/bin/tool", 0, "/usr/bin/tool"},
    {"/abs/tool", 0, "/usr/bin/tool"},
    {"/out", -ENOENT, "/grapnel-outside"},
    {"/up", 0, "/usr/bin/tool"},
    {"/loop1", -ELOOP, NULL},
    {"/self", -ELOOP, NULL},
    {"/usr/none", -ENOENT, "/usr/none"},
    {"/usr/none/x", -ENOENT, "/usr/none"},
    {"/usr/bin/tool/x", -ENOTDIR, "/usr/bin/tool"},
    {"/root", 0, ""},
    {"/abs", 0, "/usr/bin"},
};

static void walk_to(void **state)
{
    const struct walk_row *row = *state;
    struct gr_walk *walk = calloc(1, sizeof(*walk));
    int rc;

    assert_non_null(walk);
    begin();
    dir("/usr", 0755);
    dir("/usr/bin", 0755);
    make("/usr/bin/tool", "", 0755);
    link_to("/bin", "usr/bin");
    link_to("/abs", "/usr/bin");
    link_to("/out", "../../../grapnel-outside");
    link_to("/up", "../../../../../../usr/bin/tool");
    link_to("/loop1", "loop2");
    link_to("/loop2", "loop1");
    link_to("/self", "self");
    link_to("/root", "/");
    assert_int_equal(gr_walk_open(walk, &fs, top), 0);
    /* Twice: nothing is left over from the first. */
    for (int i = 0; i < 2; i++) {
        rc = gr_walk_to(walk, row->name, NULL, NULL);
        assert_int_equal(rc, row->result);
        if (row->reached)
            assert_string_equal(walk->path, row->reached);
    }
    gr_walk_close(walk);
    gr_walk_close(walk);
    free(walk);
    end();
}

/* --- loading -----------------------------------------------------------------------------------
 */

struct real {
    struct findings findings;
    struct gr_load_result result;
    struct gr_load_options options;
    const char *dirs[2];
    char paths[4][256];
};

static struct real *real_new(void)
{
    struct real *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    begin();
    dir("/low", 0755);
    dir("/high", 0755);
    dir("/host", 0755);
    dir("/host/opt", 0755);
    make("/host/opt/x", "#!/bin/sh\n", 0755);
    (void)snprintf(r->paths[0], sizeof(r->paths[0]), "%s/low", top);
    (void)snprintf(r->paths[1], sizeof(r->paths[1]), "%s/high", top);
    (void)snprintf(r->paths[2], sizeof(r->paths[2]), "%s/host", top);
    (void)snprintf(r->paths[3], sizeof(r->paths[3]), "%s/state/last-good", top);
    r->dirs[0] = r->paths[0];
    r->dirs[1] = r->paths[1];
    r->options = (struct gr_load_options){
        .fs = &fs,
        .dirs = r->dirs,
        .dirs_n = 2,
        .host_root = r->paths[2],
        .last_good_dir = r->paths[3],
        .node_name = GR_STR("n"),
        .check_host = true,
    };
    return r;
}

static void real_load(struct real *r)
{
    gr_ruleset_unref(r->result.ruleset);
    r->result = (struct gr_load_result){0};
    findings_init(&r->findings);
    assert_int_equal(gr_load(&r->options, &r->findings.reporter, &r->result), 0);
    assert_int_equal(count_fds(), fds_before);
}

static void real_free(struct real *r)
{
    gr_ruleset_unref(r->result.ruleset);
    free(r);
    end();
}

#define REAL_SET(name) SET_WITH(name, "", "/opt/x")

static void test_loads(void **state)
{
    struct real *r = real_new();

    (void)state;
    make("/low/a.yaml", REAL_SET("low"), 0644);
    make("/low/b.yaml", REAL_SET("b"), 0644);
    make("/high/a.yaml", REAL_SET("high"), 0644);
    link_to("/high/b.yaml", "/dev/null");
    make("/high/c.yaml", REAL_SET("c"), 0644);
    make("/high/c.yaml~", REAL_SET("backup"), 0644);
    real_load(r);
    assert_no_findings(&r->findings);
    assert_int_equal(r->result.sets, 2);
    assert_int_equal(r->result.files_n, 5);

    /* Bad, then a restart; the other file is not touched by it. */
    make("/high/a.yaml", SET_BAD, 0644);
    for (int i = 0; i < 2; i++) {
        gr_fs_posix(&fs);
        real_load(r);
        assert_int_equal(r->result.sets, 2);
        assert_int_equal(r->result.last_good, 1);
    }
    real_free(r);
}

static void test_config_map_on_disk(void **state)
{
    struct real *r = real_new();

    (void)state;
    dir("/low/..1", 0755);
    make("/low/..1/a.yaml", REAL_SET("a"), 0644);
    link_to("/low/..data", "..1");
    link_to("/low/a.yaml", "..data/a.yaml");
    real_load(r);
    assert_no_findings(&r->findings);
    assert_int_equal(r->result.sets, 1);
    /* Swapped as the kubelet does it. */
    dir("/low/..2", 0755);
    make("/low/..2/a.yaml", REAL_SET("b"), 0644);
    link_to("/low/..data_tmp", "..2");
    assert_int_equal(rename(at("/low/..data_tmp"), at("/low/..data")), 0);
    real_load(r);
    assert_no_findings(&r->findings);
    assert_str(gr_ruleset_at(r->result.ruleset, 0)->name, "b");
    real_free(r);
}

static void test_refuses_on_disk(void **state)
{
    struct real *r = real_new();

    (void)state;
    make("/low/a.yaml", REAL_SET("a"), 0666);
    link_to("/low/b.yaml", "none");
    link_to("/low/c.yaml", "c.yaml");
    assert_int_equal(mkfifo(at("/low/d.yaml"), 0600), 0);
    make("/low/e.yaml", REAL_SET("e"), 0644);
    real_load(r);
    assert_int_equal(r->result.sets, 1);
    assert_finding(&r->findings, "untrusted-mode", "0666");
    assert_finding(&r->findings, "dangling-link", "/low/none");
    assert_finding(&r->findings, "unreadable-file", "Too many levels");
    assert_finding(&r->findings, "untrusted-type", "socket or pipe");

    assert_int_equal(chmod(at("/low"), 0777), 0);
    real_load(r);
    assert_int_equal(r->result.sets, 1);
    assert_int_equal(r->result.last_good, 1);
    assert_finding(&r->findings, "untrusted-mode", "chmod go-w");
    real_free(r);
}

static void test_sticky_on_disk(void **state)
{
    struct real *r = real_new();

    (void)state;
    if (geteuid() != 0) {
        real_free(r);
        skip();
    }
    assert_int_equal(chmod(at("/low"), 01777), 0);
    make("/low/a.yaml", REAL_SET("a"), 0644);
    make("/low/b.yaml", REAL_SET("b"), 0644);
    assert_int_equal(chown(at("/low/b.yaml"), 1000, 1000), 0);
    make("/high/c.yaml", REAL_SET("c"), 0644);
    assert_int_equal(chown(at("/high/c.yaml"), 1000, 1000), 0);
    real_load(r);
    assert_int_equal(r->result.sets, 1);
    assert_int_equal(findings_count(&r->findings, "untrusted-owner"), 2);

    assert_int_equal(chmod(at("/host/opt"), 01777), 0);
    real_load(r);
    assert_int_equal(r->result.blocked, 0);
    assert_int_equal(chmod(at("/host/opt"), 0777), 0);
    real_load(r);
    assert_int_equal(r->result.blocked, 1);
    assert_int_equal(chmod(at("/host/opt"), 0755), 0);
    assert_int_equal(chown(at("/host/opt/x"), 1000, 1000), 0);
    real_load(r);
    assert_finding(&r->findings, "untrusted-owner", "/opt/x belongs to uid 1000");
    real_free(r);
}

static void test_links_below_the_host_root(void **state)
{
    struct real *r = real_new();

    (void)state;
    make("/low/a.yaml", SET_WITH("a", "", "/bin/x"), 0644);
    link_to("/host/bin", "/opt");
    real_load(r);
    assert_no_findings(&r->findings);
    /* The same name outside of the host root is not it. */
    assert_int_equal(unlink(at("/host/bin")), 0);
    link_to("/host/bin", "../../../../../bin");
    real_load(r);
    assert_finding(&r->findings, "hook-missing", "more than 40 links");
    real_free(r);
}

/* In a child with mounts of its own. Exit status 77: not possible here. */
static int in_own_mounts(void (*body)(struct real *r), struct real *r)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
            _exit(77);
        body(r);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* For the child, where cmocka cannot count a failure. */
static void need(bool ok, int line)
{
    if (!ok) {
        (void)fprintf(stderr, "%s:%d: failed\n", __FILE__, line);
        _exit(1);
    }
}
#define NEED(ok) need((ok), __LINE__)

static void bind(const char *from, const char *to, bool read_only)
{
    if (mount(from, to, NULL, MS_BIND, NULL) != 0)
        _exit(77);
    if (read_only && mount("none", to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) != 0)
        _exit(77);
}

static void load_in_child(struct real *r)
{
    gr_ruleset_unref(r->result.ruleset);
    r->result = (struct gr_load_result){0};
    findings_init(&r->findings);
    NEED(gr_load(&r->options, &r->findings.reporter, &r->result) == 0);
}

static void read_only_body(struct real *r)
{
    r->options.last_good_dir = NULL;
    load_in_child(r);
    NEED(r->result.sets == 0);
    bind(at("/low"), at("/low"), true);
    load_in_child(r);
    NEED(r->result.sets == 1 && r->result.errors == 0);
}

static void test_read_only_mount(void **state)
{
    struct real *r = real_new();
    int status;

    (void)state;
    make("/low/a.yaml", REAL_SET("a"), 0666);
    assert_int_equal(chmod(at("/low"), 0777), 0);
    status = in_own_mounts(read_only_body, r);
    real_free(r);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

/* As in a pod that has only the directory of the hook programs: below an own root, whose mount the
 * container's directories share. */
static void partial_body(struct real *r)
{
    if (mount("none", at("/pod"), "tmpfs", 0, NULL) != 0)
        _exit(77);
    dir("/pod/host", 0777);
    dir("/pod/host/opt", 0755);
    dir("/pod/low", 0755);
    make("/pod/low/a.yaml",
         REAL_SET("a") "---\n" SET_WITH("b", "", "/usr/y") "---\n" SET_WITH("c", "", "/opt/z"),
         0644);
    bind(at("/host/opt"), at("/pod/host/opt"), false);
    if (chroot(at("/pod")) != 0 || chdir("/") != 0)
        _exit(77);
    r->dirs[0] = "/low";
    r->options.dirs_n = 1;
    r->options.host_root = "/host";
    r->options.last_good_dir = NULL;
    load_in_child(r);
    NEED(r->result.sets == 3);
    NEED(r->result.blocked == 2);
    NEED(findings_count(&r->findings, "hook-unverified") == 1);
    NEED(findings_count(&r->findings, "hook-not-visible") == 1);
    NEED(findings_count(&r->findings, "hook-missing") == 1);
}

static void test_partial_view(void **state)
{
    struct real *r = real_new();
    int status;

    (void)state;
    dir("/pod", 0755);
    status = in_own_mounts(partial_body, r);
    real_free(r);
    if (status == 77)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    test_add("open_root", test_open_root);
    test_add("meta", test_meta);
    test_add("a path at its limit", test_path_limit);
    test_add("mounts differ", test_mounts_differ);
    test_add("list", test_lists);
    test_add("links are not followed", test_links_are_not_followed);
    test_add("pipes do not wait", test_pipes_do_not_wait);
    test_add("reads and writes", test_reads_and_writes);
    test_add("read_all at its limit", test_read_all_at_its_limit);
    test_add("cwd", test_cwd);
    test_add("two tables have two tokens", test_two_tables_have_two_tokens);
    TEST_ADD_ROWS(walk_to, walks);
    test_add("loads", test_loads);
    test_add("a ConfigMap on disk", test_config_map_on_disk);
    test_add("refuses on disk", test_refuses_on_disk);
    test_add("sticky directories on disk", test_sticky_on_disk);
    test_add("links below the host root", test_links_below_the_host_root);
    test_add("a read-only mount", test_read_only_mount);
    test_add("a partial view of the host", test_partial_view);
    return test_run("fs_posix");
}
