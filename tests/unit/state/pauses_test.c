/* SPDX-License-Identifier: Apache-2.0 */
/* state/pauses: what is written is read again, and what is damaged counts as nothing. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "state/pauses.h"
#include "state/rundir.h"

static char top[] = "/tmp/grapnel-pauses-XXXXXX";
static int dir = -1;

static void remove_file(void)
{
    assert_true(unlinkat(dir, "pauses", 0) == 0 || errno == ENOENT);
}

static void expect_same(const struct gr_suspension *a, const struct gr_suspension *b)
{
    assert_true(gr_str_eq(a->set, b->set));
    assert_true(gr_str_eq(a->by, b->by));
    assert_true(gr_str_eq(a->reason, b->reason));
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->since_s, b->since_s);
    assert_int_equal(a->until_s, b->until_s);
}

static void round_trip(const struct gr_suspension *items, size_t n)
{
    struct gr_pauses pauses;
    struct gr_err err = {0};

    assert_int_equal(gr_pauses_write(dir, items, n, &err), 0);
    if (gr_pauses_read(dir, &pauses, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(pauses.n, n);
    for (size_t i = 0; i < n; i++)
        expect_same(&pauses.items[i], &items[i]);
    gr_pauses_fini(&pauses);
}

static void again(void **state)
{
    const struct gr_suspension list[] = {
        {.kind = GR_PAUSED, .by = GR_STR("uid 0"), .since_s = 5},
        {.set = GR_STR("a"),
         .kind = GR_PAUSED,
         .by = GR_STR("uid 0"),
         .since_s = INT64_MAX,
         .until_s = INT64_MAX,
         .reason = GR_STR("\"quotes\" \\ and \xc3\xa9")},
        {.set = GR_STR("a"), .kind = GR_TRIPPED, .by = GR_STR("breaker"), .since_s = 1},
        {.set = GR_STR("b.c-d"), .kind = GR_TRIPPED, .by = GR_STR("breaker"), .since_s = 0},
    };

    (void)state;
    round_trip(list, 0);
    for (size_t n = 1; n <= GR_ARRAY_LEN(list); n++)
        round_trip(list, n);
    remove_file();
}

static void without_a_file(void **state)
{
    struct gr_pauses pauses;
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(gr_pauses_read(dir, &pauses, &err), 0);
    assert_int_equal(pauses.n, 0);
    gr_pauses_fini(&pauses);
}

/* The greatest file there can be is read again; one entry more is damage. */
static void limits(void **state)
{
    struct gr_suspension *list = calloc(GR_PAUSES_MAX + 1, sizeof(*list));
    char(*names)[GR_PAUSE_REASON_MAX_BYTES + 1] = calloc(GR_PAUSES_MAX + 1, sizeof(*names));
    char reason[GR_PAUSE_REASON_MAX_BYTES + 1];
    struct gr_pauses pauses;
    struct gr_err err = {0};

    (void)state;
    assert_true(list && names);
    memset(reason, '"', sizeof(reason));
    for (int i = 0; i <= GR_PAUSES_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%0253d", i);
        list[i] = (struct gr_suspension){
            .set = gr_str_from(names[i]),
            .by = GR_STR("0123456789012345678901234567890123456789012345678901234567890123"),
            .since_s = INT64_MAX,
            .until_s = INT64_MAX,
            .reason = {.p = reason, .n = GR_PAUSE_REASON_MAX_BYTES}};
    }
    round_trip(list, GR_PAUSES_MAX);
    assert_int_equal(gr_pauses_write(dir, list, GR_PAUSES_MAX + 1, &err), 0);
    assert_int_equal(gr_pauses_read(dir, &pauses, &err), -EINVAL);
    gr_pauses_fini(&pauses);
    list[0].reason.n++;
    assert_int_equal(gr_pauses_write(dir, list, 1, &err), 0);
    assert_int_equal(gr_pauses_read(dir, &pauses, &err), -EINVAL);
    gr_pauses_fini(&pauses);
    free(list);
    free(names);
    remove_file();
}

struct row {
    const char *name;
    const char *text;
};

#define ONE "\"kind\":\"paused\",\"set\":\"a\",\"by\":\"uid 0\",\"since\":1"
#define FILE_OF(entries) "{\"v\":1,\"suspended\":[" entries "]}"

static const struct row damaged_rows[] = {
    {"empty", ""},
    {"no JSON", "paused: a\n"},
    {"cut off", "{\"v\":1,\"suspended\":[{" ONE "}"},
    {"a list", "[]"},
    {"no version", "{\"suspended\":[]}"},
    {"another version", "{\"v\":2,\"suspended\":[]}"},
    {"no list", "{\"v\":1}"},
    {"an object for the list", "{\"v\":1,\"suspended\":{}}"},
    {"an entry that is a text", FILE_OF("\"a\"")},
    {"no kind", FILE_OF("{\"set\":\"a\",\"by\":\"x\",\"since\":1}")},
    {"another kind", FILE_OF("{\"kind\":\"off\",\"set\":\"a\",\"by\":\"x\",\"since\":1}")},
    {"no set", FILE_OF("{\"kind\":\"paused\",\"by\":\"x\",\"since\":1}")},
    {"a set and all", FILE_OF("{" ONE ",\"all\":true}")},
    {"not all", FILE_OF("{\"kind\":\"paused\",\"all\":false,\"by\":\"x\",\"since\":1}")},
    {"a breaker of all", FILE_OF("{\"kind\":\"tripped\",\"all\":true,\"by\":\"x\",\"since\":1}")},
    {"an empty name", FILE_OF("{\"kind\":\"paused\",\"set\":\"\",\"by\":\"x\",\"since\":1}")},
    {"no name", FILE_OF("{\"kind\":\"paused\",\"set\":\"A_b\",\"by\":\"x\",\"since\":1}")},
    {"nobody", FILE_OF("{\"kind\":\"paused\",\"set\":\"a\",\"since\":1}")},
    {"no time", FILE_OF("{\"kind\":\"paused\",\"set\":\"a\",\"by\":\"x\"}")},
    {"a negative time", FILE_OF("{\"kind\":\"paused\",\"set\":\"a\",\"by\":\"x\",\"since\":-1}")},
    {"a time that is none", FILE_OF("{" ONE ",\"until\":\"tomorrow\"}")},
    {"a time beyond", FILE_OF("{" ONE ",\"until\":9223372036854775808}")},
    {"twice", FILE_OF("{" ONE "},{" ONE "}")},
    {"a key twice", FILE_OF("{" ONE ",\"since\":2}")},
    {"behind the end", FILE_OF("{" ONE "}") "{}"},
};

static void damaged(void **state)
{
    const struct row *row = *state;
    struct gr_pauses pauses;
    struct gr_err err = {0};

    assert_int_equal(gr_rundir_write(dir, "pauses", gr_str_from(row->text)), 0);
    assert_int_equal(gr_pauses_read(dir, &pauses, &err), -EINVAL);
    assert_string_equal(err.code, "pauses-damaged");
    assert_int_equal(pauses.n, 0);
    gr_pauses_fini(&pauses);
    remove_file();
}

/* A later version may write more of an entry. */
static void more(void **state)
{
    struct gr_pauses pauses;
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(
        gr_rundir_write(dir, "pauses",
                        GR_STR("{\"new\":[],\"v\":1,\"suspended\":[{\"x\":{\"set\":5}," ONE
                               "},{\"kind\":\"paused\",\"all\":true,\"by\":\"x\",\"since\":2}]}")),
        0);
    assert_int_equal(gr_pauses_read(dir, &pauses, &err), 0);
    assert_int_equal(pauses.n, 2);
    assert_int_equal(pauses.items[0].set.n, 0); /* sorted */
    assert_str(pauses.items[1].set, "a");
    gr_pauses_fini(&pauses);
    remove_file();
}

static void unreadable(void **state)
{
    struct gr_pauses pauses;
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(gr_rundir_write(dir, "pauses", GR_STR(FILE_OF(""))), 0);
    assert_int_equal(fchmodat(dir, "pauses", 0666, 0), 0);
    assert_int_equal(gr_pauses_read(dir, &pauses, &err), -EPERM);
    assert_string_equal(err.code, "pauses-unreadable");
    gr_pauses_fini(&pauses);
    remove_file();
    assert_int_equal(gr_pauses_write(-1, NULL, 0, &err), -EBADF);
    assert_string_equal(err.code, "pauses-unwritable");
}

static void stamps(void **state)
{
    struct gr_pauses_stamp none = gr_pauses_stamp(dir);
    struct gr_pauses_stamp first, second;
    struct gr_err err = {0};

    (void)state;
    assert_int_equal(none.inode, 0);
    assert_int_equal(gr_pauses_write(dir, NULL, 0, &err), 0);
    first = gr_pauses_stamp(dir);
    second = gr_pauses_stamp(dir);
    assert_false(gr_pauses_same_stamp(&none, &first));
    assert_true(gr_pauses_same_stamp(&first, &second));
    assert_int_equal(gr_pauses_write(dir, NULL, 0, &err), 0);
    second = gr_pauses_stamp(dir);
    assert_false(gr_pauses_same_stamp(&first, &second));
    remove_file();
    second = gr_pauses_stamp(dir);
    assert_true(gr_pauses_same_stamp(&none, &second));
}

/* Another instance has a descriptor of its own. */
static void locks(void **state)
{
    int other = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock = gr_pauses_lock(dir);

    (void)state;
    assert_true(other >= 0 && lock >= 0);
    assert_int_equal(gr_pauses_lock(other), -EAGAIN);
    gr_pauses_unlock(lock);
    lock = gr_pauses_lock(other);
    assert_true(lock >= 0);
    gr_pauses_unlock(lock);
    (void)close(other);
}

/* Whoever may read a file may lock it. */
static void locks_nothing_of_others(void **state)
{
    int other = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    int lock;

    (void)state;
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    lock = gr_pauses_lock(dir);
    assert_true(lock >= 0);
    assert_int_equal(fstat(lock, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    gr_pauses_unlock(lock);
    (void)close(other);
}

int main(void)
{
    struct gr_err err = {0};
    int r;

    if (!mkdtemp(top))
        return 1;
    dir = gr_rundir_open(top, &err);
    test_add("again", again);
    test_add("without a file", without_a_file);
    test_add("limits", limits);
    TEST_ADD_ROWS(damaged, damaged_rows);
    test_add("more", more);
    test_add("unreadable", unreadable);
    test_add("stamps", stamps);
    test_add("locks", locks);
    test_add("locks nothing of others", locks_nothing_of_others);
    r = test_run("pauses");
    (void)unlinkat(dir, "pauses.lock", 0);
    (void)close(dir);
    (void)rmdir(top);
    return r;
}
