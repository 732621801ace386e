/* SPDX-License-Identifier: Apache-2.0 */
/* Last good texts in a directory or file that is not as it should be, and on a disk that fails. */
#include "keeping.h"

/* --- a directory or file that is not as it should be -------------------------------------------
 */

struct dir_row {
    const char *name;
    const char *path;
    uint32_t uid, mode;
    const char *code;
    const char *text;
};

static const struct dir_row dirs[] = {
    {"others may look", LAST_GOOD, 0, 0755, "last-good-directory", "chmod 0700 " LAST_GOOD},
    {"group may look", LAST_GOOD, 0, 0750, "last-good-directory", "0750"},
    {"somebody else's", LAST_GOOD, 1000, 0700, "untrusted-owner", "chown -h root:root " LAST_GOOD},
    {"others may write above", "/var/lib", 0, 0777, "untrusted-mode", "chmod go-w /var/lib"},
};

/* Texts that somebody else could have put there are not used; loading goes on. */
static void distrusts(void **state)
{
    const struct dir_row *row = *state;
    struct loaded *l = begin();
    uint32_t mode = mem_at(&host, row->path)->meta.mode;

    mem_at(&host, row->path)->meta.mode = row->mode;
    mem_at(&host, row->path)->meta.uid = row->uid;
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "b");
    assert_finding(&l->findings, row->code, row->text);
    assert_int_equal(l->result.warnings, 1);
    assert_int_equal(kept(NULL), 2);
    mem_at(&host, row->path)->meta.mode = mode;
    mem_at(&host, row->path)->meta.uid = 0;
    load_again(l);
    assert_sets(l, "a b");
    end(l);
}

/* Unlike rule files: what can be written here was not mounted read-only. */
static void test_read_only_is_no_excuse(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_mount(&host, "/var/lib", 9, true);
    mem_at(&host, "/var/lib")->meta.mode = 0777;
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "b");
    assert_finding(&l->findings, "untrusted-mode", "/var/lib");
    end(l);
}

static void test_file_instead_of_the_directory(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    mem_file(&host, LAST_GOOD, "");
    mem_file(&host, A, SET("a"));
    l = load(&host);
    assert_sets(l, "a");
    assert_finding(&l->findings, "last-good-directory", "Not a directory");
    end(l);
}

/* Only a.yaml, so that there is one kept file to damage. */
static struct loaded *begin_with_one(struct mem_node **out)
{
    struct loaded *l = begin();

    mem_remove(&host, B);
    load_again(l);
    assert_int_equal(kept(out), 1);
    mem_file(&host, A, SET_BAD);
    return l;
}

/* Cut at every byte: never half a text in force. */
static void test_cut_at_every_byte(void **state)
{
    struct mem_node *n = NULL;
    struct loaded *l = begin_with_one(&n);
    size_t size = n->text_n;
    char *whole = malloc(size);
    char name[MEM_NAME_BYTES];

    (void)state;
    assert_non_null(whole);
    memcpy(whole, n->text, size);
    memcpy(name, n->name, sizeof(name));
    for (size_t cut = 0; cut < size; cut++) {
        char path[MEM_NAME_BYTES + 64];

        (void)snprintf(path, sizeof(path), LAST_GOOD "/%s", name);
        mem_set(&host, mem_file(&host, path, ""), whole, cut);
        load_again(l);
        assert_sets(l, "");
        assert_finding(&l->findings, "last-good-damaged", "damaged");
        assert_state(l, A, GR_FILE_REJECTED);
        assert_int_equal(kept(NULL), 0);
    }
    free(whole);
    end(l);
}

/* A text that was cut is written again while the file is still good. */
static void test_cut_text_is_mended(void **state)
{
    struct loaded *l = begin();
    struct mem_node *n = NULL;

    (void)state;
    mem_remove(&host, B);
    load_again(l);
    assert_int_equal(kept(&n), 1);
    n->text_n -= 5;
    n->meta.size_bytes = n->text_n;
    load_again(l);
    assert_finding(&l->findings, "last-good-damaged", "damaged");
    load_again(l);
    assert_no_findings(&l->findings);
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "a");
    end(l);
}

/* Every byte changed in turn: what is served is the accepted text or nothing. */
static void test_every_byte_changed(void **state)
{
    struct mem_node *n = NULL;
    struct loaded *l = begin_with_one(&n);
    size_t size = n->text_n;
    char *whole = malloc(size);
    char path[MEM_NAME_BYTES + 64];

    (void)state;
    assert_non_null(whole);
    memcpy(whole, n->text, size);
    (void)snprintf(path, sizeof(path), LAST_GOOD "/%s", n->name);
    for (size_t at = 0; at < size; at++) {
        whole[at] ^= 1;
        mem_set(&host, mem_file(&host, path, ""), whole, size);
        whole[at] ^= 1;
        load_again(l);
        assert_sets(l, "");
        assert_non_null(findings_get(&l->findings, "last-good-damaged"));
    }
    mem_set(&host, mem_file(&host, path, ""), whole, size);
    load_again(l);
    assert_sets(l, "a");
    free(whole);
    end(l);
}

static void test_strange_files(void **state)
{
    struct loaded *l = begin();

    (void)state;
    mem_file(&host, LAST_GOOD "/README", "hello");
    mem_file(&host, LAST_GOOD "/0123456789abcdef.good.0000000000000001.tmp", "half");
    mem_file(&host, LAST_GOOD "/0123456789abcdef.good", "");
    mem_dir(&host, LAST_GOOD "/dir.good");
    /* A good file under the name of another. */
    mem_file(&host, LAST_GOOD "/ffffffffffffffff.good",
             "grapnel-last-good 1 20 0 cbf29ce484222325\n" A "\n");
    load_again(l);
    assert_sets(l, "a b");
    assert_non_null(mem_find(&host, LAST_GOOD "/README"));
    assert_non_null(mem_find(&host, LAST_GOOD "/dir.good"));
    assert_int_equal(kept(NULL), 4);
    assert_int_equal(findings_count(&l->findings, "last-good-damaged"), 2);
    load_again(l);
    assert_no_findings(&l->findings);
    end(l);
}

/* A newer or older version accepted what this one refuses. */
static void test_outdated_text(void **state)
{
    struct loaded *l;
    const struct gr_lastgood_place place = {.fs = &host.fs, .dir = LAST_GOOD, .makes_dir = true};
    struct gr_lastgood *lg = calloc(1, sizeof(*lg));
    struct gr_arena arena;

    (void)state;
    host_init(&host);
    assert_non_null(lg);
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_lastgood_open(lg, &place, &arena, NULL), 0);
    assert_int_equal(gr_lastgood_keep(lg, GR_STR(A), GR_STR(SET("old") "---\n" SET_BAD)), 0);
    gr_lastgood_finish(lg);
    gr_lastgood_close(lg);
    gr_arena_fini(&arena);
    free(lg);

    mem_file(&host, A, SET("new") "---\n" SET_BAD "---\n");
    l = load(&host);
    assert_sets(l, "new");
    assert_state(l, A, GR_FILE_REJECTED);
    assert_non_null(findings_get(&l->findings, "last-good-outdated"));
    /* It stays for the version that knows it. */
    assert_int_equal(kept(NULL), 1);
    end(l);
}

/* --- failures --------------------------------------------------------------------------------- */

static int no_space(struct memfs *m, enum mem_op op, const char *name)
{
    (void)name;
    return m->countdown && op == MEM_WRITE ? -ENOSPC : 0;
}

static void test_full_disk(void **state)
{
    struct loaded *l = begin();

    (void)state;
    host.inject = no_space;
    host.countdown = 1;
    mem_file(&host, A, SET("a2"));
    mem_file(&host, B, SET("b2"));
    load_again(l);
    /* In force all the same, and said once. */
    assert_sets(l, "a2 b2");
    assert_int_equal(l->result.warnings, 1);
    assert_int_equal(l->result.errors, 0);
    assert_finding(&l->findings, "last-good-write", "No space left");
    assert_int_equal(kept(NULL), 2);
    /* The older texts are what there is. */
    mem_file(&host, A, SET_BAD);
    load_again(l);
    assert_sets(l, "a b2");
    host.countdown = 0;
    load_again(l);
    assert_int_equal(findings_count(&l->findings, "last-good-write"), 0);
    end(l);
}

static int no_unlink(struct memfs *m, enum mem_op op, const char *name)
{
    (void)m;
    (void)name;
    return op == MEM_UNLINK ? -EROFS : 0;
}

static void test_removal_fails(void **state)
{
    struct loaded *l = begin();

    (void)state;
    host.inject = no_unlink;
    mem_remove(&host, A);
    load_again(l);
    assert_sets(l, "b");
    assert_finding(&l->findings, "last-good-write", "removing");
    end(l);
}

static void test_own_temporary_name_is_taken(void **state)
{
    struct loaded *l = begin();
    struct mem_node *n = NULL;
    char path[MEM_NAME_BYTES + 128];

    (void)state;
    mem_remove(&host, B);
    load_again(l);
    assert_int_equal(kept(&n), 1);
    (void)snprintf(path, sizeof(path), LAST_GOOD "/%s.%016x.tmp", n->name, 7U);
    mem_dir(&host, path)->meta.type = GR_FS_OTHER;
    mem_file(&host, A, SET("a2"));
    load_again(l);
    assert_no_findings(&l->findings);
    assert_int_equal(kept(NULL), 1);
    end(l);
}

/* Files beyond those that are synced one by one wait for one sync of the file system. */
static void make_files(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char path[128];
        char text[512];

        (void)snprintf(path, sizeof(path), HOOKS "/%03zu.yaml", i);
        (void)snprintf(text, sizeof(text), SET("s%zu"), i);
        mem_file(&host, path, text);
    }
}

static void test_most_single_syncs(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    make_files(GR_LASTGOOD_FSYNC_MAX);
    l = load(&host);
    assert_int_equal(host.calls[MEM_SYNC], GR_LASTGOOD_FSYNC_MAX + 1);
    assert_int_equal(host.calls[MEM_SYNC_ALL], 0);
    assert_int_equal(kept(NULL), GR_LASTGOOD_FSYNC_MAX);
    end(l);
}

static void test_more_wait_for_one_sync(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    make_files(GR_LASTGOOD_FSYNC_MAX + 20);
    l = load(&host);
    assert_no_findings(&l->findings);
    assert_int_equal(host.calls[MEM_SYNC], GR_LASTGOOD_FSYNC_MAX + 1);
    assert_int_equal(host.calls[MEM_SYNC_ALL], 1);
    assert_int_equal(kept(NULL), GR_LASTGOOD_FSYNC_MAX + 20);
    mem_file(&host, HOOKS "/050.yaml", SET_BAD);
    load_again(l);
    assert_state(l, HOOKS "/050.yaml", GR_FILE_LAST_GOOD);
    assert_non_null(set_of(l, "s50"));
    end(l);
}

static int no_sync_all(struct memfs *m, enum mem_op op, const char *name)
{
    (void)m;
    (void)name;
    return op == MEM_SYNC_ALL ? -EIO : 0;
}

static void test_waiting_files_fail(void **state)
{
    struct loaded *l;

    (void)state;
    host_init(&host);
    make_files(GR_LASTGOOD_FSYNC_MAX + 3);
    host.inject = no_sync_all;
    l = load(&host);
    assert_finding(&l->findings, "last-good-write", "putting it into place");
    assert_int_equal(l->result.warnings, 1);
    assert_int_equal(l->result.sets, GR_LASTGOOD_FSYNC_MAX + 3);
    assert_int_equal(kept(NULL), GR_LASTGOOD_FSYNC_MAX);
    end(l);
}

int main(void)
{
    TEST_ADD_ROWS(distrusts, dirs);
    test_add("a read-only mount is no excuse", test_read_only_is_no_excuse);
    test_add("a file instead of the directory", test_file_instead_of_the_directory);
    test_add("cut at every byte", test_cut_at_every_byte);
    test_add("a cut text is mended", test_cut_text_is_mended);
    test_add("every byte changed", test_every_byte_changed);
    test_add("strange files", test_strange_files);
    test_add("an outdated text", test_outdated_text);
    test_add("a full disk", test_full_disk);
    test_add("removal fails", test_removal_fails);
    test_add("its own temporary name is taken", test_own_temporary_name_is_taken);
    test_add("the most single syncs", test_most_single_syncs);
    test_add("more wait for one sync", test_more_wait_for_one_sync);
    test_add("waiting files fail", test_waiting_files_fail);
    return test_run("lastgood_faults");
}
