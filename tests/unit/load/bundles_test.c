/* SPDX-License-Identifier: Apache-2.0 */
/* load/bundles: what is seen of CRI-O's containers, and when nothing is. */
#include "realfs.h"

#include <errno.h>

#include "load/bundles.h"

#define CONTAINERS "/run/storage/overlay-containers"

/* What came: "id=text" each, in the order of their ids. */
static char seen[8][128];
static size_t seen_n;
static int answer;

static int see(void *user, const char *id, struct gr_str text)
{
    assert_null(user);
    assert_true(seen_n < GR_ARRAY_LEN(seen));
    (void)snprintf(seen[seen_n++], sizeof(seen[0]), "%s=%.*s", id,
                   GR_STR_FMT(gr_str_first(text, 100)));
    return answer;
}

static bool was_seen(const char *expected)
{
    for (size_t i = 0; i < seen_n; i++) {
        if (strcmp(seen[i], expected) == 0)
            return true;
    }
    return false;
}

static void put(const char *container, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof(path), CONTAINERS "/%s", container);
    dir(path, 0700);
    (void)snprintf(path, sizeof(path), CONTAINERS "/%s/userdata", container);
    dir(path, 0700);
    (void)snprintf(path, sizeof(path), CONTAINERS "/%s/userdata/config.json", container);
    if (text)
        make(path, text, 0600);
}

static void begin_crio(void)
{
    begin();
    dir("/run", 0755);
    dir("/run/storage", 0700);
    dir("/run/storage/overlay-layers", 0700);
    make("/run/storage/storage.lock", "", 0600);
    dir(CONTAINERS, 0700);
    make(CONTAINERS "/containers.lock", "", 0600);
    put("a", "{\"a\"}");
    put("b", "b");
}

static struct gr_err err;

static int read_bundles(const char *where, struct gr_strs running)
{
    const struct gr_bundles bundles = {
        .fs = &fs, .root = top, .dir = where, .running = running, .each = see};

    seen_n = 0;
    err = (struct gr_err){0};
    return gr_bundles_read(&bundles, &err);
}

/* What the runtime tells: one that is gone by now, and another one; NULL: nothing. */
static struct gr_strs runs(const char *id)
{
    static struct gr_str ids[2];

    ids[0] = GR_STR("gone");
    ids[1] = gr_str_from(id ? id : "");
    return (struct gr_strs){.items = ids, .n = id ? 2 : 0};
}

static void test_all(void **state)
{
    (void)state;
    begin_crio();
    dir("/run/storage/vfs-containers", 0700);
    assert_int_equal(read_bundles("/run/storage", runs("b")), 0);
    assert_null(err.code);
    assert_int_equal(seen_n, 2);
    assert_true(was_seen("a={\"a\"}") && was_seen("b=b"));
    /* /run/storage may be reached by a link, which means below the root what it means there. */
    link_to("/link", "/run/storage");
    assert_int_equal(read_bundles("/link", runs("b")), 0);
    assert_int_equal(seen_n, 2);
    end();
}

/* Go writes <, > and & so, and what is no text of its own; others also / and letters. */
static void test_escapes(void **state)
{
    (void)state;
    begin_crio();
    put("c", "\\u003cabc\\/d\\bef\\u0061\\\\u003c");
    assert_int_equal(read_bundles("/run/storage", runs("b")), 0);
    assert_true(was_seen("c=<abc/d\befa\\u003c"));
    end();
}

/* One that is being made, or removed. */
static void test_without_config(void **state)
{
    (void)state;
    begin_crio();
    put("c", NULL);
    dir(CONTAINERS "/d", 0700);
    make(CONTAINERS "/e", "", 0600);
    assert_int_equal(read_bundles("/run/storage", runs("b")), 0);
    assert_int_equal(seen_n, 2);
    end();
}

static void test_each_ends_it(void **state)
{
    (void)state;
    begin_crio();
    answer = -E2BIG;
    assert_int_equal(read_bundles("/run/storage", runs("b")), -E2BIG);
    assert_null(err.code);
    assert_int_equal(seen_n, 1);
    answer = -ENOENT;
    assert_int_equal(read_bundles("/run/storage", runs("b")), -ENOENT);
    assert_null(err.code);
    answer = 0;
    end();
}

static void refused(const char *where, struct gr_strs told, int rc, const char *code,
                    const char *text)
{
    assert_int_equal(read_bundles(where, told), rc);
    assert_string_equal(err.code, code);
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
}

static void test_somebody_elses(void **state)
{
    (void)state;
    begin_crio();
    refused("/none", runs("b"), -ENOENT, "crio-dir", "in /none the containers");
    refused("/run/storage/storage.lock", runs("b"), -ENOENT, "crio-dir", "no such directory here");
    refused("", runs("b"), -ENOENT, "crio-dir", "crioDir: none");
    refused("/run", runs("b"), -ENOENT, "crio-dir", "found no containers of anybody");
    refused("/run", runs(NULL), -ENOENT, "crio-dir", "found no containers of anybody");
    refused("/run/storage", runs("ab"), -ENOENT, "crio-dir", "found none of those that run");
    /* When none runs, none tells. */
    assert_int_equal(read_bundles("/run/storage", runs(NULL)), 0);
    end();
}

static void test_unreadable(void **state)
{
    (void)state;
    begin_crio();
    put("c", NULL);
    dir(CONTAINERS "/c/userdata/config.json", 0700);
    refused("/run/storage", runs("b"), -EINVAL, "crio-unreadable",
            "the config.json of the container c cannot be read: Invalid argument");
    assert_int_equal(rmdir(at(CONTAINERS "/c/userdata/config.json")), 0);
    link_to(CONTAINERS "/c/userdata/config.json", "/etc/passwd");
    refused("/run/storage", runs("b"), -ELOOP, "crio-unreadable", "container c ");
    assert_int_equal(unlink(at(CONTAINERS "/c/userdata/config.json")), 0);
    assert_int_equal(rename(at(CONTAINERS "/b"), at("/elsewhere")), 0);
    link_to(CONTAINERS "/b", "/elsewhere"); /* is no container */
    assert_int_equal(read_bundles("/run/storage", runs(NULL)), 0);
    assert_int_equal(seen_n, 1);
    link_to("/run/storage/vfs-containers", "overlay-containers");
    refused("/run/storage", runs(NULL), -ENOTDIR, "crio-unreadable", "that it cannot be");
    end();
}

static void test_limit(void **state)
{
    (void)state;
    begin_crio();
    assert_int_equal(truncate(at(CONTAINERS "/b/userdata/config.json"), GR_BUNDLE_MAX_BYTES), 0);
    assert_int_equal(read_bundles("/run/storage", runs("b")), 0);
    assert_int_equal(truncate(at(CONTAINERS "/b/userdata/config.json"), GR_BUNDLE_MAX_BYTES + 1),
                     0);
    refused("/run/storage", runs("b"), -EMSGSIZE, "crio-unreadable", "container b ");
    end();
}

/* Whatever operation fails, it is said, and nothing is left open. */
static int countdown;
static bool struck;
static struct gr_fs whole;

static bool strikes(void)
{
    struck = struck || countdown == 1;
    return countdown > 0 && --countdown == 0;
}

static int failing_open_at(void *user, int below, const char *name, int *out_node)
{
    return strikes() ? -EIO : whole.open_at(user, below, name, out_node);
}

static int failing_open_read(void *user, int below, const char *name, int *out_node)
{
    return strikes() ? -EIO : whole.open_read(user, below, name, out_node);
}

static int failing_meta(void *user, int node, struct gr_fs_meta *out_meta)
{
    return strikes() ? -EIO : whole.meta(user, node, out_meta);
}

static int failing_list(void *user, int below, gr_fs_entry_fn *each, void *each_user)
{
    return strikes() ? -EIO : whole.list(user, below, each, each_user);
}

static int64_t failing_read(void *user, int node, void *out, size_t bytes)
{
    return strikes() ? -EIO : whole.read(user, node, out, bytes);
}

static void test_faults(void **state)
{
    (void)state;
    begin_crio();
    whole = fs;
    fs.open_at = failing_open_at;
    fs.open_read = failing_open_read;
    fs.meta = failing_meta;
    fs.list = failing_list;
    fs.read = failing_read;
    for (int n = 1;; n++) {
        struck = false;
        countdown = n;
        if (read_bundles("/run/storage", runs("b")) == 0)
            break;
        assert_true(struck);
        assert_string_equal(err.code, "crio-unreadable");
        assert_true(n < 200);
    }
    assert_false(struck);
    end();
}

int main(void)
{
    test_add("all", test_all);
    test_add("escapes", test_escapes);
    test_add("without config.json", test_without_config);
    test_add("each ends it", test_each_ends_it);
    test_add("somebody else's", test_somebody_elses);
    test_add("unreadable", test_unreadable);
    test_add("limit", test_limit);
    test_add("faults", test_faults);
    return test_run("bundles");
}
