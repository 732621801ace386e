/* SPDX-License-Identifier: Apache-2.0 */
#include "load/dirs.h"

#include "loading.h"

static struct memfs host;
static struct gr_arena arena;
static struct findings found;
static struct gr_dirs dirs;

static void begin(void)
{
    host_init(&host);
    gr_arena_init(&arena, 4096, 0);
    findings_init(&found);
}

static int read_list(const char *const *paths, size_t n)
{
    const struct gr_dir_list list = {.paths = paths, .n = n};

    return gr_dirs_read(&dirs, &host.fs, &arena, &list, 1, &found.reporter);
}

static void read_all(void)
{
    assert_int_equal(read_list(hook_dirs, GR_ARRAY_LEN(hook_dirs)), 0);
}

static void end(void)
{
    gr_dirs_close(&dirs);
    gr_arena_fini(&arena);
    memfs_fini(&host);
}

/* "hooks.d/a.yaml" for each file in order, the masked ones with "<" and the mask's directory. */
static void assert_files(const char *expected)
{
    char text[2048] = "";
    size_t n = 0;

    for (size_t i = 0; i < dirs.files_n; i++) {
        const struct gr_rule_file *f = dirs.files[i];

        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%zu/%s%s", i ? " " : "", f->dir,
                              f->name.p, f->refused ? "!" : "");
        if (f->masked_by)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "<%zu", f->masked_by->dir);
        assert_true(gr_str_has_suffix(f->path, f->name));
    }
    assert_string_equal(text, expected);
}

struct name_row {
    const char *name;
    bool fits;
    const char *stem;
};

static const struct name_row names[] = {
    {"a.yaml", true, "a"},
    {"a.yml", true, "a"},
    {"a.json", true, "a"},
    {"10-a.b.yaml", true, "10-a.b"},
    {"a.yaml.yaml", true, "a.yaml"},
    {"\xc3\xa9 x.yaml", true, "\xc3\xa9 x"},
    {"-.yaml", true, "-"},
    {".yaml", false, NULL},
    {".a.yaml", false, NULL},
    {"..data", false, NULL},
    {".#a.yaml", false, NULL},
    {"a.yaml~", false, NULL},
    {"#a.yaml#", false, NULL},
    {"a.yaml.swp", false, NULL},
    {".a.yaml.swp", false, NULL},
    {"a.yaml.bak", false, NULL},
    {"a.yaml.rpmsave", false, NULL},
    {"a.yaml.dpkg-new", false, NULL},
    {"4913", false, NULL},
    {"a.YAML", false, NULL},
    {"a.yaml ", false, NULL},
    {"yaml", false, NULL},
    {"a.yam", false, NULL},
    {"README", false, NULL},
    {"", false, NULL},
};

static void fits(void **state)
{
    const struct name_row *row = *state;
    struct gr_str name = gr_str_from(row->name);

    assert_int_equal(gr_rule_name_fits(name), row->fits);
    if (row->stem)
        assert_str(gr_rule_name_stem(name), row->stem);
}

static void test_sorts_bytewise(void **state)
{
    (void)state;
    begin();
    mem_file(&host, HOOKS "/b.yaml", "");
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_file(&host, HOOKS "/B.yaml", "");
    mem_file(&host, HOOKS "/10-x.yaml", "");
    mem_file(&host, HOOKS "/9-x.yaml", "");
    mem_file(&host, HOOKS "/a.yml", "");
    mem_file(&host, HOOKS "/a-b.yaml", "");
    mem_file(&host, HOOKS "/\xc3\xa9.yaml", "");
    mem_file(&host, HOOKS_LOW "/z.json", "");
    mem_dir(&host, HOOKS "/c.yaml");
    mem_file(&host, HOOKS "/a.yaml~", "");
    read_all();
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("0/z.json 1/10-x.yaml 1/9-x.yaml 1/B.yaml 1/a-b.yaml 1/a.yaml 1/a.yml 1/b.yaml "
                 "1/\xc3\xa9.yaml");
    assert_no_findings(&found);
    end();
}

static void test_masks(void **state)
{
    (void)state;
    begin();
    mem_file(&host, HOOKS_LOW "/a.yaml", "");
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_file(&host, HOOKS_HIGH "/a.yaml", "");
    mem_file(&host, HOOKS_LOW "/b.yaml", "");
    mem_link(&host, HOOKS "/b.yaml", "/dev/null");
    mem_file(&host, HOOKS_LOW "/c.yaml", "");
    mem_file(&host, HOOKS_HIGH "/c.yml", "");
    read_all();
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("0/a.yaml<2 0/b.yaml<1 0/c.yaml 1/a.yaml<2 1/b.yaml 2/a.yaml 2/c.yml");
    end();
}

static void test_missing_directories(void **state)
{
    (void)state;
    begin();
    mem_remove(&host, HOOKS_HIGH);
    mem_remove(&host, HOOKS_LOW);
    mem_remove(&host, "/usr/share/grapnel");
    mem_file(&host, HOOKS "/a.yaml", "");
    read_all();
    assert_files("1/a.yaml");
    assert_no_findings(&found);
    assert_false(dirs.dirs[0].broken);
    end();
}

static void test_directory_through_links(void **state)
{
    (void)state;
    begin();
    mem_remove(&host, HOOKS_HIGH);
    mem_link(&host, HOOKS_HIGH, "../../srv/rules");
    mem_file(&host, "/srv/rules/a.yaml", "");
    mem_file(&host, HOOKS "/a.yaml", "");
    read_all();
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("1/a.yaml<2 2/a.yaml");
    /* Known by the name that the user gave. */
    assert_str(dirs.files[1]->path, HOOKS_HIGH "/a.yaml");
    end();
}

static void test_slash_at_the_end(void **state)
{
    static const char *const slashes[] = {HOOKS "/", "/"};

    (void)state;
    begin();
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_file(&host, "/b.yaml", "");
    assert_int_equal(read_list(slashes, 2), 0);
    assert_files("0/a.yaml 1/b.yaml");
    assert_str(dirs.files[0]->path, HOOKS "/a.yaml");
    assert_str(dirs.files[1]->path, "/b.yaml");
    end();
}

static void test_same_directory_twice(void **state)
{
    static const char *const twice[] = {HOOKS, HOOKS};

    (void)state;
    begin();
    mem_file(&host, HOOKS "/a.yaml", "");
    assert_int_equal(read_list(twice, 2), 0);
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("1/a.yaml");
    end();
}

/* It counts where it has the higher precedence, and there it masks; however its name is written. */
static void test_same_directory_around_another(void **state)
{
    static const char *const around[] = {HOOKS "/./", HOOKS_LOW, "/" HOOKS "//"};

    (void)state;
    begin();
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_file(&host, HOOKS_LOW "/a.yaml", "");
    assert_int_equal(read_list(around, 3), 0);
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("1/a.yaml<2 2/a.yaml");
    assert_str(dirs.files[1]->path, HOOKS "/a.yaml");
    end();
}

static void test_file_instead_of_a_directory(void **state)
{
    (void)state;
    begin();
    mem_remove(&host, HOOKS);
    mem_file(&host, HOOKS, "");
    mem_file(&host, HOOKS_LOW "/a.yaml", "");
    read_all();
    assert_files("0/a.yaml");
    assert_finding(&found, "unreadable-directory", "directory");
    assert_true(dirs.dirs[1].broken);
    end();
}

/* What somebody else put there must not take away what root wrote. */
static void test_untrusted_directory_masks_nothing(void **state)
{
    (void)state;
    begin();
    mem_file(&host, HOOKS_LOW "/a.yaml", "");
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_at(&host, HOOKS)->meta.mode = 0777;
    read_all();
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("0/a.yaml 1/a.yaml!");
    assert_int_equal(found.n, 1);
    assert_finding(&found, "untrusted-mode", "chmod go-w " HOOKS);
    assert_true(dirs.dirs[1].broken);

    /* With a last good text it counts. */
    dirs.files[1]->counts = true;
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("0/a.yaml<1 1/a.yaml!");
    end();
}

static void test_sticky_directory(void **state)
{
    (void)state;
    begin();
    mem_at(&host, HOOKS)->meta.mode = 01777;
    mem_file(&host, HOOKS_LOW "/a.yaml", "");
    mem_file(&host, HOOKS_LOW "/b.yaml", "");
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_file(&host, HOOKS "/b.yaml", "")->meta.uid = 1000;
    mem_link(&host, HOOKS "/c.yaml", "/dev/null")->meta.uid = 1000;
    read_all();
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("0/a.yaml<1 0/b.yaml 1/a.yaml 1/b.yaml! 1/c.yaml!");
    assert_int_equal(findings_count(&found, "untrusted-owner"), 2);
    end();
}

/* What somebody else may have taken away does not count as empty. */
static void test_missing_where_others_may_write(void **state)
{
    static const struct {
        uint32_t mode;
        bool broken;
    } rows[] = {{0755, false}, {01777, false}, {0777, true}, {0775, true}};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        begin();
        mem_remove(&host, HOOKS);
        mem_at(&host, "/etc/grapnel")->meta.mode = rows[i].mode;
        read_all();
        assert_int_equal(dirs.dirs[1].broken, rows[i].broken);
        assert_null(dirs.dirs[1].walk);
        if (rows[i].broken)
            assert_finding(&found, "untrusted-mode", "chmod go-w /etc/grapnel");
        else
            assert_no_findings(&found);
        end();
    }
}

/* The same where a link leads. */
static void test_link_to_what_is_missing(void **state)
{
    (void)state;
    begin();
    mem_remove(&host, HOOKS_HIGH);
    mem_link(&host, HOOKS_HIGH, "/srv/rules");
    mem_dir(&host, "/srv")->meta.mode = 0777;
    read_all();
    assert_true(dirs.dirs[2].broken);
    assert_finding(&found, "untrusted-mode", "chmod go-w /srv");
    end();
}

static void test_adds_to_a_broken_directory(void **state)
{
    (void)state;
    begin();
    mem_file(&host, HOOKS "/b.yaml", "");
    mem_at(&host, HOOKS)->meta.mode = 0777;
    read_all();
    assert_int_equal(gr_dirs_add(&dirs, 1, GR_STR("b.yaml")), 0);
    assert_int_equal(gr_dirs_add(&dirs, 1, GR_STR("a.yaml")), 0);
    assert_int_equal(gr_dirs_add(&dirs, 1, GR_STR("a.yaml")), 0);
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_files("1/a.yaml! 1/b.yaml!");
    end();
}

static void fake(const char *dir, const char *suffix, size_t n)
{
    host.fakes_of = (int)(mem_at(&host, dir) - host.nodes);
    host.fake_node = (int)(mem_file(&host, "/fake", "") - host.nodes);
    host.fakes_suffix = suffix;
    host.fakes_n = n;
}

static void test_most_files(void **state)
{
    (void)state;
    begin();
    fake(HOOKS, ".yaml", GR_DIR_FILES_MAX);
    read_all();
    assert_int_equal(dirs.files_n, GR_DIR_FILES_MAX);
    assert_no_findings(&found);
    assert_null(dirs.files[GR_DIR_FILES_MAX - 1]->refused);
    end();
}

static void test_one_file_too_many(void **state)
{
    (void)state;
    begin();
    fake(HOOKS, ".yaml", GR_DIR_FILES_MAX);
    mem_file(&host, HOOKS "/000.yaml", "");
    mem_file(&host, HOOKS_LOW "/19999.yaml", "");
    read_all();
    assert_int_equal(gr_dirs_mask(&dirs), 0);
    assert_int_equal(dirs.files_n, GR_DIR_FILES_MAX + 2);
    assert_int_equal(found.n, 1);
    assert_finding(&found, "too-many-files", "at most 20000 rule files");
    assert_finding(&found, "too-many-files", "from 19999.yaml on");
    assert_null(dirs.files[GR_DIR_FILES_MAX]->refused);
    assert_non_null(dirs.files[GR_DIR_FILES_MAX + 1]->refused);
    /* Refused, but put there by root: it masks. */
    assert_ptr_equal(dirs.files[0]->masked_by, dirs.files[GR_DIR_FILES_MAX + 1]);
    end();
}

static void test_most_entries(void **state)
{
    (void)state;
    begin();
    mem_file(&host, HOOKS "/a.yaml", "");
    fake(HOOKS, ".txt", GR_DIR_ENTRIES_MAX - 1);
    read_all();
    assert_files("1/a.yaml");
    assert_no_findings(&found);
    end();
}

static void test_one_entry_too_many(void **state)
{
    (void)state;
    begin();
    mem_file(&host, HOOKS "/a.yaml", "");
    fake(HOOKS, ".txt", GR_DIR_ENTRIES_MAX);
    read_all();
    assert_files("");
    assert_finding(&found, "too-many-files", "at most 65536 entries");
    assert_true(dirs.dirs[1].broken);
    end();
}

static int fail_cwd(void *user, char *out, size_t bytes)
{
    (void)user;
    (void)out;
    (void)bytes;
    return -ENOENT;
}

static void test_no_working_directory(void **state)
{
    static const char *const relative[] = {"rules", HOOKS};

    (void)state;
    begin();
    mem_file(&host, HOOKS "/a.yaml", "");
    host.fs.cwd = fail_cwd;
    assert_int_equal(read_list(relative, 2), 0);
    assert_files("1/a.yaml");
    assert_finding(&found, "unreadable-directory", "absolute path");
    end();
}

/* Vanishing or failing between the list and the look at the owner is left to the reading. */
static int fail_entry(struct memfs *m, enum mem_op op, const char *name)
{
    if (strcmp(name, "a.yaml") == 0 && op == MEM_OPEN_AT)
        return m->countdown;
    return strcmp(name, "b.yaml") == 0 && op == MEM_META ? m->countdown : 0;
}

static void test_sticky_entries_that_fail(void **state)
{
    (void)state;
    begin();
    mem_at(&host, HOOKS)->meta.mode = 01777;
    mem_file(&host, HOOKS "/a.yaml", "");
    mem_file(&host, HOOKS "/b.yaml", "");
    host.inject = fail_entry;
    host.countdown = -EIO;
    read_all();
    assert_files("1/a.yaml 1/b.yaml");
    assert_no_findings(&found);
    gr_dirs_close(&dirs);
    host.countdown = -ENOMEM;
    assert_int_equal(read_list(hook_dirs, GR_ARRAY_LEN(hook_dirs)), -ENOMEM);
    end();
}

int main(void)
{
    TEST_ADD_ROWS(fits, names);
    test_add("sorts bytewise", test_sorts_bytewise);
    test_add("masks", test_masks);
    test_add("missing directories", test_missing_directories);
    test_add("a directory through links", test_directory_through_links);
    test_add("a slash at the end", test_slash_at_the_end);
    test_add("the same directory twice", test_same_directory_twice);
    test_add("the same directory around another", test_same_directory_around_another);
    test_add("a file instead of a directory", test_file_instead_of_a_directory);
    test_add("an untrusted directory masks nothing", test_untrusted_directory_masks_nothing);
    test_add("a sticky directory", test_sticky_directory);
    test_add("missing where others may write", test_missing_where_others_may_write);
    test_add("a link to what is missing", test_link_to_what_is_missing);
    test_add("adds to a broken directory", test_adds_to_a_broken_directory);
    test_add("the most files", test_most_files);
    test_add("one file too many", test_one_file_too_many);
    test_add("the most entries", test_most_entries);
    test_add("one entry too many", test_one_entry_too_many);
    test_add("no working directory", test_no_working_directory);
    test_add("sticky entries that fail", test_sticky_entries_that_fail);
    return test_run("dirs");
}
