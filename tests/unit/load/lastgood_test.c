/* SPDX-License-Identifier: Apache-2.0 */
/* Which text of a file is in force, and which texts are kept. */
#include "keeping.h"

static void test_makes_its_directory(void **state)
{
    struct loaded *l = begin();
    struct mem_node *n = NULL;

    (void)state;
    assert_int_equal(mem_at(&host, LAST_GOOD)->meta.mode, 0700);
    assert_int_equal(kept(&n), 2);
    assert_int_equal(n->meta.mode, 0600);
    assert_true(gr_str_has_prefix(gr_str_from(n->text), GR_STR("grapnel-last-good 1 ")));
    assert_non_null(strstr(n->text, B));
    assert_non_null(strstr(n->text, SET("b")));
    end(l);
}

static void test_bad_file_falls_back(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET_BAD);
    for (int i = 0; i < 3; i++) {
        load_again(l);
        assert_sets(l, "a b");
        assert_state(l, A, GR_FILE_LAST_GOOD);
        assert_state(l, B, GR_FILE_LOADED);
        assert_int_equal(l->result.last_good, 1);
        assert_int_equal(l->result.rejected, 1);
        assert_true(l->result.errors > 0);
        /* Said at every load. */
        assert_finding(&l->findings, "last-good", "accepted last is in force instead (sets: 1)");
        assert_str(set_of(l, "a")->file, A);
    }
    mem_file(&host, A, SET("a2"));
    load_again(l);
    assert_sets(l, "a2 b");
    assert_no_findings(&l->findings);
    end(l);
}

static void test_survives_restarts(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET_BAD);
    for (int i = 0; i < 3; i++) {
        l = restart(l);
        assert_sets(l, "a b");
        assert_state(l, A, GR_FILE_LAST_GOOD);
    }
    end(l);
}

/* One bad document of three: none of the new text is in force, all of the old is. */
static void test_partly_bad_file(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET("new") "---\n" SET_BAD "---\n" SET("newer"));
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    end(l);
}

static void test_untrusted_file_falls_back(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET("evil"))->meta.mode = 0666;
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_non_null(findings_get(&l->findings, "untrusted-mode"));
    assert_true(file_of(l, A)->detail.n > 0);
    end(l);
}

static void test_gone_and_disabled(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_remove(&host, A);
    load_again(l);
    assert_sets(l, "b");
    assert_int_equal(kept(NULL), 1);
    /* It does not come back through the back door. */
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "b");
    assert_state(l, A, GR_FILE_REJECTED);

    mem_file(&host, B, "");
    load_again(l);
    assert_sets(l, "");
    assert_int_equal(kept(NULL), 0);
    mem_file(&host, B, SET_BAD);
    load_again(l);
    assert_state(l, B, GR_FILE_REJECTED);
    end(l);
}

/* How it was asked. */
struct asked {
    int times;
    bool drops;
};

static bool says_torn(void *user, bool drops)
{
    struct asked *asked = user;

    asked->times++;
    asked->drops = drops;
    return true;
}

/* What was read while somebody wrote it decides nothing: a file that is empty for a moment keeps
 * its text, and one that is good for a moment gets none. */
static void test_torn(void **state)
{
    struct loaded *l = begin();
    struct asked asked = {0};

    (void)state;
    assert_false(l->result.torn);
    l->options.torn = says_torn;
    l->options.torn_user = &asked;
    mem_file(&host, A, "");
    mem_file(&host, B, SET("b2"));
    load_again(l);
    assert_true(l->result.torn);
    assert_int_equal(asked.times, 1);
    assert_true(asked.drops);
    assert_sets(l, "b2");
    mem_file(&host, A, SET("a2"));
    load_again(l);
    assert_int_equal(asked.times, 2);
    assert_false(asked.drops);
    l->options.torn = NULL;
    mem_file(&host, A, SET_BAD);
    mem_file(&host, B, SET_BAD);
    load_again(l);
    assert_false(l->result.torn);
    assert_sets(l, "a b");
    assert_int_equal(kept(NULL), 2);
    end(l);
}

static void test_masked_text_is_dropped(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_link(&host, HOOKS_HIGH "/a.yaml", "/dev/null");
    load_again(l);
    assert_sets(l, "b");
    assert_int_equal(kept(NULL), 1);
    mem_remove(&host, HOOKS_HIGH "/a.yaml");
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "b");
    end(l);
}

static void test_directory_gone(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_remove(&host, A);
    mem_remove(&host, B);
    mem_remove(&host, HOOKS);
    load_again(l);
    assert_sets(l, "");
    assert_int_equal(kept(NULL), 0);
    end(l);
}

static int fail_list(struct memfs *m, enum mem_op op, const char *name)
{
    return m->countdown && op == MEM_LIST && strcmp(name, "hooks.d") == 0 ? -EIO : 0;
}

/* A directory that cannot be read is not an empty one. */
static void test_unreadable_directory_is_frozen(void **state)
{
    struct loaded *l = begin();

    (void)state;
    host.inject = fail_list;
    host.countdown = 1;
    l = restart(l);
    assert_sets(l, "a b");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_state(l, B, GR_FILE_LAST_GOOD);
    assert_int_equal(l->result.last_good, 2);
    assert_int_equal(kept(NULL), 2);
    host.countdown = 0;
    load_again(l);
    assert_no_findings(&l->findings);
    assert_sets(l, "a b");
    end(l);
}

/* Neither what is put into an untrusted directory nor what is taken out of it has an effect. */
static void test_untrusted_directory_is_frozen(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS_LOW "/a.yaml", SET("low"));
    mem_file(&host, HOOKS_LOW "/c.yaml", SET("c"));
    load_again(l);
    assert_sets(l, "a b c");

    mem_at(&host, HOOKS)->meta.mode = 0777;
    mem_remove(&host, B);
    mem_file(&host, A, SET("evil"));
    mem_file(&host, HOOKS "/c.yaml", "");
    mem_file(&host, HOOKS "/d.yaml", SET("evil-too"));
    load_again(l);
    assert_sets(l, "a b c");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_state(l, B, GR_FILE_LAST_GOOD);
    assert_state(l, HOOKS "/c.yaml", GR_FILE_REJECTED);
    assert_state(l, HOOKS "/d.yaml", GR_FILE_REJECTED);
    assert_state(l, HOOKS_LOW "/a.yaml", GR_FILE_MASKED);
    assert_state(l, HOOKS_LOW "/c.yaml", GR_FILE_LOADED);
    assert_int_equal(findings_count(&l->findings, "untrusted-mode"), 1);
    l = restart(l);
    assert_sets(l, "a b c");
    end(l);
}

/* Nor has it one that the directory is taken away as a whole. */
static void test_directory_taken_away_by_others(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_at(&host, "/etc/grapnel")->meta.mode = 0777;
    mem_remove(&host, A);
    mem_remove(&host, B);
    mem_remove(&host, HOOKS);
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, A, GR_FILE_LAST_GOOD);
    assert_int_equal(findings_count(&l->findings, "untrusted-mode"), 1);
    l = restart(l);
    assert_sets(l, "a b");
    end(l);
}

static void test_duplicate_falls_back(void **state)
{
    struct loaded *l = begin();

    (void)state;
    /* b.yaml takes a name that is taken: its old text stays. */
    mem_file(&host, B, SET("a") "---\n" SET("new"));
    load_again(l);
    assert_sets(l, "a b");
    assert_state(l, B, GR_FILE_LAST_GOOD);
    assert_non_null(findings_get(&l->findings, "duplicate-name"));

    /* Both collide: what is left of the old one. */
    mem_file(&host, B, SET("b") "---\n" SET("b2"));
    load_again(l);
    assert_sets(l, "a b b2");
    mem_file(&host, HOOKS "/0.yaml", SET("b"));
    mem_file(&host, B, SET("a"));
    load_again(l);
    assert_sets(l, "a b b2");
    assert_str(set_of(l, "b")->file, HOOKS "/0.yaml");
    assert_finding(&l->findings, "last-good", "without 1 whose names are taken");
    end(l);
}

/* The accepted text itself collides with a new file: it is not served as its own stand-in. */
static void test_new_file_takes_the_name(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, HOOKS "/0.yaml", SET("b"));
    load_again(l);
    assert_sets(l, "a b");
    assert_str(set_of(l, "b")->file, HOOKS "/0.yaml");
    assert_state(l, B, GR_FILE_REJECTED);
    assert_int_equal(l->result.last_good, 0);
    mem_remove(&host, HOOKS "/0.yaml");
    load_again(l);
    assert_state(l, B, GR_FILE_LOADED);
    assert_no_findings(&l->findings);
    end(l);
}

/* The names of a refused text are free again. */
static void test_refused_names_are_free(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET("x") "---\n" SET_BAD);
    mem_file(&host, HOOKS "/c.yaml", SET("x"));
    load_again(l);
    assert_sets(l, "a b x");
    assert_str(set_of(l, "x")->file, HOOKS "/c.yaml");
    assert_state(l, HOOKS "/c.yaml", GR_FILE_LOADED);
    end(l);
}

static void test_blocked_text_is_accepted(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, A, SET_WITH("a2", "", "/opt/hooks/none"));
    load_again(l);
    assert_sets(l, "a2 b");
    assert_state(l, A, GR_FILE_LOADED);
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "a2 b");
    assert_int_equal(l->result.blocked, 1);
    end(l);
}

static void test_writes_only_what_changed(void **state)
{
    struct loaded *l = begin();
    size_t created = host.calls[MEM_CREATE];
    size_t synced = host.calls[MEM_SYNC];

    (void)state;
    load_again(l);
    l = restart(l);
    assert_int_equal(host.calls[MEM_CREATE], created);
    assert_int_equal(host.calls[MEM_SYNC], synced);
    mem_file(&host, A, SET("a2"));
    load_again(l);
    assert_int_equal(host.calls[MEM_CREATE], created + 1);
    /* The file and then its directory. */
    assert_int_equal(host.calls[MEM_SYNC], synced + 2);
    assert_int_equal(host.calls[MEM_RENAME], 3);
    end(l);
}

static void test_none_is_kept_without_a_directory(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, A, SET("a"));
    l = loaded_new(&host);
    l->options.last_good_dir = NULL;
    load_again(l);
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "");
    assert_state(l, A, GR_FILE_REJECTED);
    assert_int_equal(host.calls[MEM_CREATE] + host.calls[MEM_MAKE_DIR], 0);
    end(l);
}

#define HEX "0123456789abcdef"

static void test_names(void **state)
{
    static const char *const others[] = {"",
                                         HEX,
                                         HEX "0.good",
                                         HEX ".goods",
                                         "0123456789ABCDEF.good",
                                         HEX ".tmp",
                                         "x" HEX ".good",
                                         HEX ".good.0.tmp",
                                         HEX ".good." HEX,
                                         HEX ".good." HEX ".tmp2"};

    (void)state;
    assert_true(gr_is_lastgood_name(GR_STR(HEX ".good")));
    assert_true(gr_is_lastgood_name(GR_STR(HEX ".good." HEX ".tmp")));
    for (size_t i = 0; i < GR_ARRAY_LEN(others); i++)
        assert_false(gr_is_lastgood_name(gr_str_from(others[i])));
}

int main(void)
{
    test_add("makes its directory", test_makes_its_directory);
    test_add("a bad file falls back", test_bad_file_falls_back);
    test_add("survives restarts", test_survives_restarts);
    test_add("a partly bad file", test_partly_bad_file);
    test_add("an untrusted file falls back", test_untrusted_file_falls_back);
    test_add("gone and disabled files", test_gone_and_disabled);
    test_add("read while they were written", test_torn);
    test_add("a masked file's text is dropped", test_masked_text_is_dropped);
    test_add("the directory is gone", test_directory_gone);
    test_add("an unreadable directory is frozen", test_unreadable_directory_is_frozen);
    test_add("an untrusted directory is frozen", test_untrusted_directory_is_frozen);
    test_add("a directory taken away by others", test_directory_taken_away_by_others);
    test_add("a duplicate falls back", test_duplicate_falls_back);
    test_add("a new file takes the name", test_new_file_takes_the_name);
    test_add("the names of a refused text are free", test_refused_names_are_free);
    test_add("a blocked text is accepted", test_blocked_text_is_accepted);
    test_add("writes only what changed", test_writes_only_what_changed);
    test_add("none is kept without a directory", test_none_is_kept_without_a_directory);
    test_add("names", test_names);
    return test_run("lastgood");
}
