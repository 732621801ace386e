/* SPDX-License-Identifier: Apache-2.0 */
/* load/store: what program: of a hook stands for, and everything that can be wrong on the way. */
#include "loading.h"

static struct memfs host;

#define STORE "/opt/grapnel/programs"
#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define NET STORE "/net"
#define SET_OF(program)                                                        \
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: a}\nspec:\n" \
    "  match: {always: true}\n  hooks:\n    poststop:\n      - program: " program "\n"

static void store_init(void)
{
    host_init(&host);
    mem_program(&host, NET "/" ONE "/bin/setup");
    mem_program(&host, NET "/" TWO "/bin/setup");
    mem_link(&host, NET "/current", ONE);
}

static struct loaded *load_program(const char *text)
{
    mem_file(&host, HOOKS "/a.yaml", text);
    return load(&host);
}

static const char *path_of(const struct loaded *l)
{
    return set_of(l, "a")->hooks[GR_STAGE_POSTSTOP].items[0].path.p;
}

static void end(struct loaded *l)
{
    loaded_free(l);
    memfs_fini(&host);
}

static void test_found(void **state)
{
    struct loaded *l;

    (void)state;
    store_init();
    l = load_program(SET_OF("net/bin/setup"));
    assert_no_findings(&l->findings);
    assert_string_equal(path_of(l), NET "/" ONE "/bin/setup");
    assert_int_equal(set_of(l, "a")->blocked.n, 0);
    mem_link(&host, NET "/current", TWO);
    load_again(l);
    assert_string_equal(path_of(l), NET "/" TWO "/bin/setup");
    end(l);
}

/* /opt is a link on some systems; the path stays as the settings have it. */
static void test_links_to_the_store(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_program(&host, "/srv/programs/net/" ONE "/bin/setup");
    mem_link(&host, "/srv/programs/net/current", ONE);
    mem_dir(&host, "/opt/grapnel");
    mem_link(&host, STORE, "../../srv/programs");
    l = load_program(SET_OF("net/bin/setup"));
    assert_no_findings(&l->findings);
    assert_string_equal(path_of(l), NET "/" ONE "/bin/setup");
    end(l);
}

static void test_comes_later(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    l = load_program(SET_OF("net/bin/setup"));
    assert_finding(&l->findings, "program-missing", "grapnel setup install --to " STORE "/net");
    assert_int_equal(l->result.blocked, 1);
    assert_int_equal(l->findings.n, 1);
    assert_true(set_of(l, "a")->no_program);
    assert_string_equal(path_of(l), NET "/current/bin/setup");
    mem_program(&host, NET "/" ONE "/bin/setup");
    mem_link(&host, NET "/current", ONE);
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(l->result.blocked, 0);
    end(l);
}

/* ---- what is wrong ---- */

static void no_package(void)
{
    mem_remove(&host, NET "/current");
    mem_at(&host, NET)->name[0] = 'N';
}

static void package_link(void)
{
    mem_at(&host, NET)->name[0] = 'N';
    mem_link(&host, NET, "Net");
}

static void package_file(void)
{
    mem_at(&host, NET)->name[0] = 'N';
    mem_file(&host, NET, "x");
}

static void package_open(void)
{
    mem_at(&host, NET)->meta.mode = 01777;
}

static void package_of_somebody(void)
{
    mem_at(&host, NET)->meta.uid = 1000;
}

static void no_current(void)
{
    mem_remove(&host, NET "/current");
}

static void current_dir(void)
{
    mem_remove(&host, NET "/current");
    mem_program(&host, NET "/current/bin/setup");
}

static void current_file(void)
{
    mem_remove(&host, NET "/current");
    mem_file(&host, NET "/current", ONE);
}

static void current_up(void)
{
    mem_link(&host, NET "/current", "../net/" ONE);
}

static void current_slash(void)
{
    mem_link(&host, NET "/current", ONE "/");
}

static void current_short(void)
{
    mem_link(&host, NET "/current", "1111");
}

static void current_upper(void)
{
    mem_link(&host, NET "/current",
             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static void current_absolute(void)
{
    mem_link(&host, NET "/current", "/etc");
}

static void no_digest(void)
{
    mem_link(&host, NET "/current",
             "3333333333333333333333333333333333333333333333333333333333333333");
}

static void digest_link(void)
{
    mem_at(&host, NET "/" ONE)->name[0] = 'x';
    mem_link(&host, NET "/" ONE, TWO);
}

static void digest_open(void)
{
    mem_at(&host, NET "/" ONE)->meta.mode = 0777;
}

static void no_file(void)
{
    mem_remove(&host, NET "/" ONE "/bin/setup");
}

static void dir_link(void)
{
    mem_at(&host, NET "/" ONE "/bin")->name[0] = 'x';
    mem_link(&host, NET "/" ONE "/bin", "xin");
}

static void file_link(void)
{
    mem_remove(&host, NET "/" ONE "/bin/setup");
    mem_link(&host, NET "/" ONE "/bin/setup", "/opt/hooks/x");
}

static void file_dir(void)
{
    mem_remove(&host, NET "/" ONE "/bin/setup");
    mem_dir(&host, NET "/" ONE "/bin/setup");
}

static void file_plain(void)
{
    mem_at(&host, NET "/" ONE "/bin/setup")->meta.mode = 0644;
}

static void file_of_somebody(void)
{
    mem_at(&host, NET "/" ONE "/bin/setup")->meta.uid = 1000;
}

static void store_open(void)
{
    mem_at(&host, STORE)->meta.mode = 0777;
}

struct wrong {
    const char *name;
    void (*change)(void);
    const char *code, *text;
};

static const struct wrong wrongs[] = {
    {"no package", no_package, "program-missing", "found no net there"},
    {"a package that is a link", package_link, "program-store", "a symbolic link"},
    {"a package that is a file", package_file, "program-store", "a regular file"},
    {"a package that others may write", package_open, "untrusted-mode", "chmod go-w"},
    {"a package of somebody", package_of_somebody, "untrusted-owner", "uid 1000"},
    {"no current", no_current, "program-missing", "found no current there"},
    {"current a directory", current_dir, "program-store", "a directory"},
    {"current a file", current_file, "program-store", "a regular file"},
    {"current leads up", current_up, "program-store", "another text"},
    {"current with a slash", current_slash, "program-store", "another text"},
    {"current too short", current_short, "program-store", "another text"},
    {"current in capitals", current_upper, "program-store", "another text"},
    {"current absolute", current_absolute, "program-store", "another text"},
    {"no digest", no_digest, "program-missing", "found no 3333"},
    {"a digest that is a link", digest_link, "program-store", "a symbolic link"},
    {"a digest that others may write", digest_open, "untrusted-mode", "0777"},
    {"no file", no_file, "program-missing", "found no bin/setup there"},
    {"a directory that is a link", dir_link, "program-missing", "bin/setup"},
    {"a file that is a link", file_link, "program-store", "a symbolic link"},
    {"a directory in place of the file", file_dir, "hook-type", "a directory"},
    {"not executable", file_plain, "hook-not-executable", "0644"},
    {"somebody's file", file_of_somebody, "untrusted-owner", "uid 1000"},
    {"a store that others may write", store_open, "untrusted-mode", "0777"},
};

static void blocks(void **state)
{
    const struct wrong *wrong = *state;
    struct loaded *l;

    store_init();
    wrong->change();
    l = load_program(SET_OF("net/bin/setup"));
    assert_finding(&l->findings, wrong->code, wrong->text);
    assert_int_equal(l->findings.n, 1);
    assert_int_equal(l->findings.kept[0].line, 8);
    assert_int_equal(l->result.blocked, 1);
    assert_true(set_of(l, "a")->no_program);
    end(l);
}

/* ---- without a store, without a host ---- */

static void test_none(void **state)
{
    struct loaded *l;

    (void)state;
    store_init();
    mem_file(&host, HOOKS "/a.yaml", SET_OF("net/bin/setup"));
    l = loaded_new(&host);
    l->options.programs_dir = NULL;
    load_again(l);
    assert_finding(&l->findings, "program-store", "programsDir: none");
    assert_int_equal(l->result.blocked, 1);
    end(l);
}

static void test_no_host(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, HOOKS "/a.yaml", SET_OF("net/bin/setup"));
    l = loaded_new(&host);
    l->options.check_host = false;
    l->options.programs_dir = "/srv/p";
    load_again(l);
    assert_no_findings(&l->findings);
    assert_string_equal(path_of(l), "/srv/p/net/current/bin/setup");
    end(l);
}

static void test_host_root(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_program(&host, "/host" NET "/" ONE "/bin/setup");
    mem_link(&host, "/host" NET "/current", ONE);
    mem_mount(&host, "/host", 7, true);
    mem_file(&host, HOOKS "/a.yaml", SET_OF("net/bin/setup"));
    l = loaded_new(&host);
    l->options.host_root = "/host";
    load_again(l);
    assert_no_findings(&l->findings);
    assert_string_equal(path_of(l), NET "/" ONE "/bin/setup");
    end(l);
}

/* One look for all hooks with it; each has its finding. */
static void test_several(void **state)
{
    struct loaded *l;

    (void)state;
    store_init();
    l = load_program(SET_OF("net/bin/setup") "      - path: /opt/hooks/x\n"
                                             "      - program: net/none\n"
                                             "      - program: net/none\n");
    assert_int_equal(l->findings.n, 2);
    assert_int_equal(l->findings.kept[0].line, 10);
    assert_int_equal(l->findings.kept[1].line, 11);
    assert_string_equal(path_of(l), NET "/" ONE "/bin/setup");
    assert_string_equal(set_of(l, "a")->hooks[GR_STAGE_POSTSTOP].items[1].path.p, "/opt/hooks/x");
    end(l);
}

int main(void)
{
    test_add("found", test_found);
    test_add("links to the store", test_links_to_the_store);
    test_add("comes later", test_comes_later);
    TEST_ADD_ROWS(blocks, wrongs);
    test_add("none", test_none);
    test_add("no host", test_no_host);
    test_add("host root", test_host_root);
    test_add("several", test_several);
    return test_run("store");
}
