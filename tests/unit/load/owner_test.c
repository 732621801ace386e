/* SPDX-License-Identifier: Apache-2.0 */
/* load/owner: what may be an owner, and what a package says of its own. */
#include "realfs.h"

#include <errno.h>

#include "load/owner.h"

struct text_row {
    const char *name;
    const char *text;
    bool fine;
};

static const struct text_row texts[] = {
    {"a release", "team-a/hooks", true},
    {"all that may be", "0.A_z-/b//", true},
    {"one letter", "x", true},
    {"nothing", "", false},
    {"a slash at the beginning", "/etc", false},
    {"dots at the beginning", "../x", false},
    {"a dash at the beginning", "-x", false},
    {"a blank", "a b", false},
    {"a line", "a\n", false},
    {"a colon", "a:b", false},
    {"UTF-8", "\xc3\xa4", false},
    {"an escape", "a\x1b[1m", false},
};

static void judges(void **state)
{
    const struct text_row *row = *state;

    assert_int_equal(gr_is_owner(gr_str_from(row->text)), row->fine);
}

static void test_edge(void **state)
{
    char text[GR_OWNER_MAX_BYTES + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_true(gr_is_owner((struct gr_str){.p = text, .n = GR_OWNER_MAX_BYTES}));
    assert_false(gr_is_owner((struct gr_str){.p = text, .n = GR_OWNER_MAX_BYTES + 1}));
    text[1] = '\0';
    assert_false(gr_is_owner((struct gr_str){.p = text, .n = 3}));
}

/* ---- of a package ---- */

static char longest[GR_OWNER_MAX_BYTES + 2];

static void a_link(void)
{
    link_to("/net/.owner", "team-a/hooks");
}

static void the_longest(void)
{
    memset(longest, 'a', GR_OWNER_MAX_BYTES);
    longest[GR_OWNER_MAX_BYTES] = '\0';
    link_to("/net/.owner", longest);
}

static void too_long(void)
{
    memset(longest, 'a', GR_OWNER_MAX_BYTES + 1);
    longest[GR_OWNER_MAX_BYTES + 1] = '\0';
    link_to("/net/.owner", longest);
}

static void no_owner(void)
{
}

static void another_text(void)
{
    link_to("/net/.owner", "../other");
}

static void a_file(void)
{
    make("/net/.owner", "team-a/hooks", 0644);
}

static void a_directory(void)
{
    dir("/net/.owner", 0755);
}

struct row {
    const char *name;
    void (*make)(void);
    const char *owner;
};

static const struct row rows[] = {
    {"a link", a_link, "team-a/hooks"}, {"the longest", the_longest, longest},
    {"too long", too_long, ""},         {"none", no_owner, ""},
    {"another text", another_text, ""}, {"a file", a_file, ""},
    {"a directory", a_directory, ""},
};

static void reads(void **state)
{
    const struct row *row = *state;
    struct gr_owner owner;
    struct stat st;
    int node;

    begin();
    dir("/net", 0755);
    row->make();
    assert_int_equal(fs.open_root(fs.user, at("/net"), &node), 0);
    assert_int_equal(gr_owner_read(&fs, node, &owner), 0);
    assert_string_equal(owner.name, row->owner);
    if (row->owner[0]) {
        assert_int_equal(lstat(at("/net/.owner"), &st), 0);
        assert_int_equal(owner.installed_s, st.st_mtim.tv_sec);
    }
    gr_fs_close(&fs, &node);
    end();
}

int main(void)
{
    TEST_ADD_ROWS(judges, texts);
    test_add("edge", test_edge);
    TEST_ADD_ROWS(reads, rows);
    return test_run("owner");
}
