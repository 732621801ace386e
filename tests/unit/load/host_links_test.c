/* SPDX-License-Identifier: Apache-2.0 */
/* load/host: links to programs, other roots, and how long a way may be. */
#include "judging.h"

struct link_row {
    const char *name;
    const char *target; /* of /host/opt/hooks/x */
    const char *code;
    const char *text;
};

/* The host has /usr/lib/hook/x-1.0, /alternatives -> /usr/lib/hook; a trap is outside of it. */
static const struct link_row links[] = {
    {"relative", "../../usr/lib/hook/x-1.0", NULL, NULL},
    {"absolute begins again at the host root", "/usr/lib/hook/x-1.0", NULL, NULL},
    {"through an absolute link", "/alternatives/x-1.0", NULL, NULL},
    {".. stops at the host root", "../../../../../../usr/lib/hook/x-1.0", NULL, NULL},
    {"dots and slashes", "/./usr//lib/../lib/./hook/x-1.0", NULL, NULL},
    {"dangling", "/usr/lib/hook/x-2.0", "hook-missing", "found no /usr/lib/hook/x-2.0"},
    {"would leave the host root", "../../../outside/trap", "hook-missing", "found no /outside"},
    {"to itself", "/opt/hooks/x", "hook-missing", "more than 40 links"},
    {"in a circle", "/circle", "hook-missing", "more than 40 links"},
    {"to a directory", "/usr/lib", "hook-type", "a directory"},
    {"to the host root", "/", "hook-type", "a directory"},
    {"to the directory it is in", ".", "hook-type", "a directory"},
    {"to a directory above", "..", "hook-type", "a directory"},
    {"to a file as a directory", "/usr/lib/hook/x-1.0/y", "hook-missing", "no directory"},
};

static void other_root(void)
{
    host_init(&host);
    mem_remove(&host, "/opt/hooks/x");
    mem_program(&host, "/outside/trap");
    mem_program(&host, "/host/usr/lib/hook/x-1.0");
    mem_link(&host, "/host/alternatives", "/usr/lib/hook");
    mem_link(&host, "/host/circle", "/opt/hooks/x");
    mem_dir(&host, "/host/opt/hooks");
    mem_mount(&host, "/host", 2, false);
}

static void follows(void **state)
{
    const struct link_row *row = *state;
    struct loaded *l;

    other_root();
    mem_link(&host, "/host/opt/hooks/x", row->target);
    mem_at(&host, "/host/opt/hooks/x")->meta.mount = 2;
    l = loaded_new(&host);
    l->options.host_root = "/host";
    mem_file(&host, RULES, SET("a"));
    load_again(l);
    if (row->code)
        assert_blocked(l, row->code, row->text);
    else
        assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_checks_the_way_of_a_link(void **state)
{
    struct loaded *l;

    (void)state;
    other_root();
    mem_link(&host, "/host/opt/hooks/x", "/alternatives/x-1.0")->meta.mount = 2;
    l = loaded_new(&host);
    l->options.host_root = "/host";
    mem_file(&host, RULES, SET("a"));
    mem_at(&host, "/host/usr/lib")->meta.mode = 0777;
    load_again(l);
    assert_blocked(l, "untrusted-mode", "/usr/lib has mode 0777");
    mem_at(&host, "/host/usr/lib")->meta.mode = 0755;
    mem_at(&host, "/host")->meta.mode = 01777;
    load_again(l);
    assert_no_findings(&l->findings);
    mem_at(&host, "/host/alternatives")->meta.uid = 12;
    load_again(l);
    assert_blocked(l, "untrusted-owner", "a link that belongs to root");
    loaded_free(l);
    memfs_fini(&host);
}

static void chain(size_t links_n)
{
    char from[64];
    char to[64];

    host_init(&host);
    mem_remove(&host, "/opt/hooks/x");
    mem_program(&host, "/opt/end");
    for (size_t i = 0; i < links_n; i++) {
        (void)snprintf(from, sizeof(from), i ? "/opt/l%zu" : "/opt/hooks/x", i);
        (void)snprintf(to, sizeof(to), i + 1 < links_n ? "/opt/l%zu" : "/opt/end", i + 1);
        mem_link(&host, from, to);
    }
}

static void test_most_links(void **state)
{
    struct loaded *l;

    (void)state;
    chain(GR_WALK_LINKS_MAX);
    l = load_set(SET("a"));
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);

    chain(GR_WALK_LINKS_MAX + 1);
    l = load_set(SET("a"));
    assert_blocked(l, "hook-missing", "more than 40 links");
    loaded_free(l);
    memfs_fini(&host);
}

/* depth directories, the root counted, and the program in the last. */
static struct loaded *load_deep(size_t depth)
{
    char text[2048];
    char path[512] = "";
    struct loaded *l;

    host_init(&host);
    for (size_t i = 1; i < depth; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/x");
    mem_program(&host, path);
    (void)snprintf(text, sizeof(text), SET("a") "      - path: %s\n", path);
    l = load_set(text);
    return l;
}

static void test_deepest(void **state)
{
    struct loaded *l;

    (void)state;
    l = load_deep(GR_WALK_DEPTH_MAX);
    assert_no_findings(&l->findings);
    loaded_free(l);
    memfs_fini(&host);

    l = load_deep(GR_WALK_DEPTH_MAX + 1);
    assert_finding(&l->findings, "hook-missing", "File name too long");
    assert_int_equal(l->result.blocked, 1);
    loaded_free(l);
    memfs_fini(&host);
}

static void test_others_may_write_the_root(void **state)
{
    struct loaded *l;

    (void)state;
    other_root();
    mem_program(&host, "/host/opt/hooks/x")->meta.mount = 2;
    mem_at(&host, "/host")->meta.mode = 0777;
    mem_file(&host, RULES, SET("a"));
    l = loaded_new(&host);
    l->options.host_root = "/host";
    load_again(l);
    assert_blocked(l, "untrusted-mode", "run: chmod go-w /");
    loaded_free(l);
    memfs_fini(&host);
}

int main(void)
{
    TEST_ADD_ROWS(follows, links);
    test_add("checks the way of a link", test_checks_the_way_of_a_link);
    test_add("the most links and one more", test_most_links);
    test_add("the deepest path and one deeper", test_deepest);
    test_add("others may write the root", test_others_may_write_the_root);
    return test_run("host_links");
}
