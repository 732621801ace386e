/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that a path leads through. */
#include "testing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon/reload/watch_path.h"
#include "load/limits.h"

static char top[64];

struct row {
    const char *name;
    const char *path;     /* below the temporary directory */
    const char *expected; /* directory:name of each step below it, ":" alone for the end */
};

/* There are: dir/sub/, dir/file, and links. */
static const struct row rows[] = {
    {"a directory", "dir/sub", "/:dir /dir:sub /dir/sub:"},
    {"a file", "dir/file", "/:dir /dir:file"},
    {"missing at the end", "dir/none", "/:dir /dir:none"},
    {"missing in between", "none/more", "/:none /none:more"},
    {"below a file", "dir/file/more", "/:dir /dir:file /dir/file:more"},
    {"slashes and dots", "dir//./sub/", "/:dir /dir:sub /dir/sub:"},
    {"up again", "dir/sub/../file", "/:dir /dir:sub /dir:file"},
    {"a link", "to-sub", "/:to-sub /:dir /dir:sub /dir/sub:"},
    {"a link on the way", "to-dir/sub", "/:to-dir /:dir /dir:sub /dir/sub:"},
    {"up from a link's end", "to-sub/../file", "/:to-sub /:dir /dir:sub /dir:file"},
    {"a link to nowhere", "to-none/x", "/:to-none /:none /none:x"},
    {"a relative link below", "dir/sub/up", "/:dir /dir:sub /dir/sub:up /dir:file"},
};

struct steps {
    char text[8192];
    size_t n;
    size_t stop_at; /* 0: never */
};

static int note(void *user, const char *dir, struct gr_str name)
{
    struct steps *s = user;
    size_t at = strlen(s->text);
    size_t top_n = strlen(top);

    s->n++;
    if (strncmp(dir, top, top_n) != 0)
        return 0; /* above it, or an absolute link's way down */
    (void)snprintf(s->text + at, sizeof(s->text) - at, "%s%s:%.*s", at ? " " : "",
                   dir[top_n] ? dir + top_n : "/", GR_STR_FMT(name));
    return s->n == s->stop_at;
}

static void walks(void **state)
{
    const struct row *row = *state;
    struct steps s = {0};
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", top, row->path);
    gr_watch_walk(path, note, &s);
    assert_string_equal(s.text, row->expected);
}

static void test_root(void **state GR_UNUSED)
{
    struct steps s = {0};

    gr_watch_walk("/", note, &s);
    assert_int_equal(s.n, 1);
    s.n = 0;
    gr_watch_walk("/../..", note, &s);
    assert_int_equal(s.n, 1);
}

static void test_refused(void **state GR_UNUSED)
{
    static char path[GR_LOAD_PATH_BYTES + 1];
    struct steps s = {0};

    gr_watch_walk("relative", note, &s);
    gr_watch_walk("", note, &s);
    memset(path, 'x', GR_LOAD_PATH_BYTES);
    path[0] = '/';
    gr_watch_walk(path, note, &s);
    assert_int_equal(s.n, 0);
    path[GR_LOAD_PATH_BYTES - 1] = '\0';
    gr_watch_walk(path, note, &s);
    assert_int_equal(s.n, 1);
}

/* At the limit of links the way ends, one before it does not. */
static void test_links(void **state GR_UNUSED)
{
    char path[128];
    char target[32];
    struct steps s = {0};

    for (int i = 0; i <= GR_WALK_LINKS_MAX; i++) {
        (void)snprintf(path, sizeof(path), "%s/link%d", top, i);
        (void)snprintf(target, sizeof(target), i ? "link%d" : "dir", i - 1);
        assert_int_equal(symlink(target, path), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/link%d", top, GR_WALK_LINKS_MAX - 1);
    gr_watch_walk(path, note, &s);
    assert_true(gr_str_has_suffix(gr_str_from(s.text), GR_STR("/:link0 /:dir /dir:")));
    s = (struct steps){0};
    (void)snprintf(path, sizeof(path), "%s/link%d", top, GR_WALK_LINKS_MAX);
    gr_watch_walk(path, note, &s);
    assert_true(gr_str_has_suffix(gr_str_from(s.text), GR_STR("/:link0")));
    for (int i = 0; i <= GR_WALK_LINKS_MAX; i++) {
        (void)snprintf(path, sizeof(path), "%s/link%d", top, i);
        (void)unlink(path);
    }
}

static void test_stops_when_told(void **state GR_UNUSED)
{
    char path[128];
    struct steps s = {0};
    size_t all;

    (void)snprintf(path, sizeof(path), "%s/dir/sub", top);
    gr_watch_walk(path, note, &s);
    all = s.n;
    assert_true(all > 3);
    s = (struct steps){.stop_at = all - 1};
    gr_watch_walk(path, note, &s);
    assert_int_equal(s.n, all - 1);
}

static const struct {
    const char *name, *target; /* NULL: a directory */
} made[] = {
    {"dir", NULL},         {"dir/sub", NULL},         {"to-dir", "dir"},
    {"to-sub", "dir/sub"}, {"dir/sub/up", "../file"}, {"to-none", "none"},
};

static int make(void **state GR_UNUSED)
{
    char path[128];
    int fd;

    (void)snprintf(top, sizeof(top), "/tmp/grapnel-walk-test.XXXXXX");
    assert_non_null(mkdtemp(top));
    for (size_t i = 0; i < GR_ARRAY_LEN(made); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", top, made[i].name);
        assert_int_equal(made[i].target ? symlink(made[i].target, path) : mkdir(path, 0755), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/dir/file", top);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    (void)close(fd);
    return 0;
}

static int unmake(void **state GR_UNUSED)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/dir/file", top);
    (void)unlink(path);
    for (size_t i = GR_ARRAY_LEN(made); i-- > 0;) {
        (void)snprintf(path, sizeof(path), "%s/%s", top, made[i].name);
        (void)remove(path);
    }
    return rmdir(top);
}

int main(void)
{
    TEST_ADD_ROWS(walks, rows);
    test_add("the root", test_root);
    test_add("refused", test_refused);
    test_add("links", test_links);
    test_add("stops when told", test_stops_when_told);
    return _cmocka_run_group_tests("watch_path", test_list, test_count, make, unmake);
}
