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
    test_add("a blocked text is accepted", test_blocked_text_is_accepted);
    test_add("writes only what changed", test_writes_only_what_changed);
    test_add("none is kept without a directory", test_none_is_kept_without_a_directory);
    return test_run("lastgood");
}
