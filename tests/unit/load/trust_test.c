/* SPDX-License-Identifier: Apache-2.0 */
#include "load/trust.h"

#include "load/source.h"
#include "loading.h"

static struct memfs host;

/* One change to a host with the good file HOOKS/a.yaml. */
struct row {
    const char *name;
    const char *path; /* what is changed */
    uint32_t uid, gid, mode;
    uint32_t euid, egid; /* of the process */
    const char *code;    /* NULL: the file is loaded */
    const char *text;    /* in the finding */
};

#define FILE_PATH HOOKS "/a.yaml"

static const struct row rows[] = {
    {"as it should be", FILE_PATH, 0, 0, 0644, 0, 0, NULL, NULL},
    {"only for root's eyes", FILE_PATH, 0, 0, 0400, 0, 0, NULL, NULL},
    {"a group may read", FILE_PATH, 0, 50, 0640, 0, 0, NULL, NULL},
    {"executable", FILE_PATH, 0, 0, 0755, 0, 0, NULL, NULL},

    {"somebody else's file", FILE_PATH, 1000, 0, 0644, 0, 0, "untrusted-owner",
     "chown -h root:root " FILE_PATH},
    {"nobody's file", FILE_PATH, 65534, 0, 0600, 0, 0, "untrusted-owner", "uid 65534"},
    {"group may write", FILE_PATH, 0, 0, 0664, 0, 0, "untrusted-mode", "chmod go-w " FILE_PATH},
    {"others may write", FILE_PATH, 0, 0, 0646, 0, 0, "untrusted-mode",
     "found that " FILE_PATH " has mode 0646"},
    {"others may only write", FILE_PATH, 0, 0, 0602, 0, 0, "untrusted-mode", "0602"},

    {"directory is somebody else's", HOOKS, 1000, 0, 0755, 0, 0, "untrusted-owner",
     "expected a directory that belongs to root"},
    {"group may write the directory", HOOKS, 0, 7, 0775, 0, 0, "untrusted-mode",
     "chmod go-w " HOOKS},
    {"others may write the directory", HOOKS, 0, 0, 0757, 0, 0, "untrusted-mode", "0757"},
    {"sticky directory, root's entry", HOOKS, 0, 0, 01777, 0, 0, NULL, NULL},
    {"sticky directory of somebody else", HOOKS, 1000, 0, 01777, 0, 0, "untrusted-owner", HOOKS},
    {"the parent is somebody else's", "/etc", 1000, 0, 0755, 0, 0, "untrusted-owner",
     "chown -h root:root /etc"},
    {"others may write the parent", "/etc", 0, 0, 0777, 0, 0, "untrusted-mode", "chmod go-w /etc"},
    {"sticky parent", "/etc", 0, 0, 01777, 0, 0, NULL, NULL},
    {"the root is somebody else's", "/", 1000, 0, 0755, 0, 0, "untrusted-owner",
     "chown -h root:root /"},
    {"others may write the root", "/", 0, 0, 0777, 0, 0, "untrusted-mode", "chmod go-w /"},
    {"set-group-id does not matter", HOOKS, 0, 0, 02755, 0, 0, NULL, NULL},

    {"unprivileged: root's file", FILE_PATH, 0, 0, 0644, 1000, 1000, NULL, NULL},
    {"unprivileged: own file", FILE_PATH, 1000, 1000, 0644, 1000, 1000, NULL, NULL},
    {"unprivileged: own group may write", FILE_PATH, 1000, 1000, 0664, 1000, 1000, NULL, NULL},
    {"unprivileged: own directory", HOOKS, 1000, 1000, 0775, 1000, 1000, NULL, NULL},
    {"unprivileged: other group may write", FILE_PATH, 1000, 100, 0664, 1000, 1000,
     "untrusted-mode", "0664"},
    {"unprivileged: others may write", FILE_PATH, 1000, 1000, 0666, 1000, 1000, "untrusted-mode",
     "0666"},
    {"unprivileged: another user's file", FILE_PATH, 1001, 0, 0644, 1000, 1000, "untrusted-owner",
     "root or to you (uid 1000)"},
    {"root does not share its group", FILE_PATH, 0, 0, 0664, 0, 0, "untrusted-mode", "0664"},
};

static void judges(void **state)
{
    const struct row *row = *state;
    struct mem_node *n;
    struct loaded *l;

    host_init(&host);
    mem_file(&host, FILE_PATH, SET("a"));
    n = mem_at(&host, row->path);
    n->meta.uid = row->uid;
    n->meta.gid = row->gid;
    n->meta.mode = row->mode;
    host.fs.euid = row->euid;
    host.fs.egid = row->egid;
    l = loaded_new(&host);
    l->options.last_good_dir = NULL;
    l->options.check_host = false;
    load_again(l);
    if (!row->code) {
        assert_no_findings(&l->findings);
        assert_sets(l, "a");
    } else {
        assert_finding(&l->findings, row->code, row->text);
        assert_sets(l, "");
        assert_state(l, FILE_PATH, GR_FILE_REJECTED);
        assert_true(l->result.errors > 0);
        assert_true(l->result.rejected > 0);
    }
    loaded_free(l);
    memfs_fini(&host);
}

/* As kubelet mounts a ConfigMap: its directory is 0777 where it was made. */
static void test_read_only_mount(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/..1/a.yaml", SET("a"));
    mem_link(&host, HOOKS "/..data", "..1");
    mem_link(&host, FILE_PATH, "..data/a.yaml");
    mem_at(&host, HOOKS)->meta.mode = 02777;
    l = load(&host);
    assert_sets(l, "");
    mem_mount(&host, HOOKS, 5, true);
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");

    /* The directory above it is not on that mount. */
    mem_at(&host, "/etc/grapnel")->meta.mode = 0777;
    load_again(l);
    assert_finding(&l->findings, "untrusted-mode", "/etc/grapnel has mode 0777");
    loaded_free(l);
    memfs_fini(&host);
}

/* What is mounted read-only may be somebody's own directory, which they write elsewhere. */
struct read_only_row {
    const char *name;
    const char *path;
    uint32_t uid, mode;
    const char *code;
};

static const struct read_only_row read_only_rows[] = {
    {"as it should be", FILE_PATH, 0, 0644, NULL},
    {"others may write the directory", HOOKS, 0, 0777, NULL},
    {"somebody else's file", FILE_PATH, 1000, 0644, "untrusted-owner"},
    {"somebody else's directory", HOOKS, 1000, 0755, "untrusted-owner"},
    {"others may write the file", FILE_PATH, 0, 0666, "untrusted-mode"},
    {"group may write the file", FILE_PATH, 0, 0664, "untrusted-mode"},
};

static void judges_read_only(void **state)
{
    const struct read_only_row *row = *state;
    struct mem_node *n;
    struct loaded *l;

    host_init(&host);
    mem_file(&host, FILE_PATH, SET("a"));
    mem_link(&host, HOOKS "/..data", ".");
    n = mem_at(&host, row->path);
    n->meta.uid = row->uid;
    n->meta.mode = row->mode;
    mem_mount(&host, HOOKS, 5, true);
    l = load(&host);
    if (row->code)
        (void)findings_need(&l->findings, row->code);
    else
        assert_no_findings(&l->findings);
    assert_sets(l, row->code ? "" : "a");
    loaded_free(l);
    memfs_fini(&host);
}

/* All that a hardened unit sees is read-only, and so may be a hostPath that others write elsewhere:
 * without kubelet's link, or with one of somebody else's, the mode counts. */
static void test_read_only_is_no_volume(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, FILE_PATH, SET("a"));
    mem_at(&host, HOOKS)->meta.mode = 0777;
    mem_mount(&host, HOOKS, 5, true);
    l = load(&host);
    assert_finding(&l->findings, "untrusted-mode", HOOKS " has mode 0777");
    mem_link(&host, HOOKS "/..data", ".")->meta.uid = 1000;
    load_again(l);
    assert_finding(&l->findings, "untrusted-mode", HOOKS " has mode 0777");
    mem_at(&host, HOOKS "/..data")->meta.uid = 0;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");
    loaded_free(l);
    memfs_fini(&host);
}

/* Somebody else's link in a directory that they write elsewhere. */
static void test_read_only_link(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, "/srv/a.yaml", SET("a"));
    mem_link(&host, FILE_PATH, "/srv/a.yaml")->meta.uid = 1000;
    mem_link(&host, HOOKS "/..data", ".");
    mem_at(&host, HOOKS)->meta.mode = 0777;
    mem_mount(&host, HOOKS, 5, true);
    l = load(&host);
    assert_sets(l, "");
    (void)findings_need(&l->findings, "untrusted-owner");
    loaded_free(l);
    memfs_fini(&host);
}

static void test_follows_links_with_care(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, "/srv/rules/real.yaml", SET("a"));
    mem_link(&host, "/srv/hop", "rules");
    mem_link(&host, FILE_PATH, "/srv/hop/real.yaml");
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_sets(l, "a");

    mem_at(&host, "/srv/rules")->meta.mode = 0777;
    load_again(l);
    assert_finding(&l->findings, "untrusted-mode", "/srv/rules has mode 0777");
    assert_state(l, FILE_PATH, GR_FILE_LAST_GOOD);

    mem_at(&host, "/srv/rules")->meta.mode = 0755;
    mem_at(&host, "/srv/rules/real.yaml")->meta.mode = 0666;
    load_again(l);
    assert_finding(&l->findings, "untrusted-mode", "/srv/rules/real.yaml has mode 0666");

    /* A link in the way that somebody else could have put there. */
    mem_at(&host, "/srv/rules/real.yaml")->meta.mode = 0644;
    mem_at(&host, "/srv")->meta.mode = 01777;
    load_again(l);
    assert_no_findings(&l->findings);
    mem_at(&host, "/srv/hop")->meta.uid = 1000;
    load_again(l);
    assert_finding(&l->findings, "untrusted-owner", "/srv/hop belongs to uid 1000");

    /* A link's owner does not matter where only root can put it. */
    mem_at(&host, "/srv")->meta.mode = 0755;
    load_again(l);
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

struct link_row {
    const char *name;
    const char *target;
    const char *code;
    const char *text;
};

static const struct link_row links[] = {
    {"dangling", "nothing-there", "dangling-link", "there is no " HOOKS "/nothing-there"},
    {"to itself", "a.yaml", "unreadable-file", "cannot be followed"},
    {"to a directory", "/etc", "untrusted-type", "/etc is a directory"},
    {"to a file as a directory", "/opt/hooks/x/y", "unreadable-file", "cannot be followed"},
    {"to nothing", "", "dangling-link", ""},
};

static void refuses_link(void **state)
{
    const struct link_row *row = *state;
    struct loaded *l;

    host_init(&host);
    mem_link(&host, FILE_PATH, row->target);
    l = load(&host);
    assert_finding(&l->findings, row->code, row->text);
    assert_state(l, FILE_PATH, GR_FILE_REJECTED);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_not_regular(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_make(&host, FILE_PATH, GR_FS_OTHER);
    l = load(&host);
    assert_finding(&l->findings, "untrusted-type", "a device, socket or pipe");
    loaded_free(l);
    memfs_fini(&host);
}

/* An untrusted file is refused before it could count as empty: its owner cannot disable it. */
static void test_untrusted_empty_file(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, FILE_PATH, SET("a"));
    l = load(&host);
    mem_file(&host, FILE_PATH, "")->meta.uid = 1000;
    load_again(l);
    assert_state(l, FILE_PATH, GR_FILE_LAST_GOOD);
    assert_sets(l, "a");
    loaded_free(l);
    memfs_fini(&host);
}

/* A caller that did not look at the directory itself (dirs does). */
static void test_reader_looks_at_the_directory(void **state)
{
    struct gr_source_reader *reader = calloc(1, sizeof(*reader));
    struct gr_walk *dir = calloc(1, sizeof(*dir));
    struct gr_rule_file file = {.name = GR_STR("a.yaml"), .path = GR_STR(FILE_PATH)};
    struct gr_err err = {0};
    struct gr_buf text;

    (void)state;
    host_init(&host);
    mem_file(&host, FILE_PATH, SET("a"));
    mem_at(&host, HOOKS)->meta.mode = 0775;
    assert_non_null(reader);
    assert_non_null(dir);
    gr_buf_init(&text, 4096);
    assert_int_equal(gr_source_open(reader, &host.fs), 0);
    assert_int_equal(gr_walk_open(dir, &host.fs, "/"), 0);
    assert_int_equal(gr_walk_to(dir, HOOKS, NULL, NULL), 0);
    assert_int_equal(gr_walk_enter(dir), 0);
    assert_int_equal(gr_source_read(reader, dir, &file, &text, &err), GR_SOURCE_REFUSED);
    assert_string_equal(err.code, "untrusted-mode");
    assert_non_null(strstr(err.text, "chmod go-w " HOOKS));
    gr_walk_close(dir);
    gr_source_close(reader);
    gr_buf_fini(&text);
    free(dir);
    free(reader);
    memfs_fini(&host);
}

struct quote_row {
    const char *name;
    const char *quoted;
    size_t bytes;
};

static const struct quote_row quotes[] = {
    {"/etc/a.yaml", "/etc/a.yaml", 64},
    {"/etc/a b", "'/etc/a b'", 64},
    {"/etc/$(reboot)", "'/etc/$(reboot)'", 64},
    {"/etc/a'b", "'/etc/a'\\''b'", 64},
    {"/etc/;x", "'/etc/;x'", 64},
    {"/etc/456789abcde", "/etc/456789abcde", 17},
    {"/etc/456789abcdef", "PATH", 17},
    {"/etc/a 78", "'/etc/a 78'", 16},
    {"/etc/ 6789ab", "PATH", 16},
    {"''", "''\\'''\\'''", 16},
    {"''''''", "PATH", 16},
};

static void quotes_path(void **state)
{
    const struct quote_row *row = *state;
    char out[64];

    memset(out, 'x', sizeof(out));
    gr_trust_quote(out, row->bytes, row->name);
    assert_string_equal(out, row->quoted);
    assert_true(strlen(out) < row->bytes);
}

int main(void)
{
    TEST_ADD_ROWS(judges, rows);
    test_add("a read-only mount", test_read_only_mount);
    TEST_ADD_ROWS(judges_read_only, read_only_rows);
    test_add("a read-only mount that is no volume", test_read_only_is_no_volume);
    test_add("a link on a read-only mount", test_read_only_link);
    test_add("follows links with care", test_follows_links_with_care);
    TEST_ADD_ROWS(refuses_link, links);
    test_add("not a regular file", test_not_regular);
    test_add("an untrusted empty file", test_untrusted_empty_file);
    test_add("the reader looks at the directory", test_reader_looks_at_the_directory);
    TEST_ADD_ROWS(quotes_path, quotes);
    return test_run("trust");
}
