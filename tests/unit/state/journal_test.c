/* SPDX-License-Identifier: Apache-2.0 */
#include "journaling.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* The journal waits before it tries again; here the clock does what the test wants. */
static int64_t clock_s = 1000;

int clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = clock_s};
    return 0;
}

static void test_new(void **state)
{
    struct gr_journal *j = journal_opened();
    struct stat st;

    (void)state;
    ASSERT_KNOWN(j, "a", GR_KNOWN_NOT);
    assert_false(gr_journal_is_complete(j));
    assert_int_equal(gr_journal_session_ended_s(j), 0);
    gr_journal_free(j);
    assert_int_equal(stat(journal_path("decisions"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_decided(void **state)
{
    struct gr_journal *j = journal_opened();
    const struct gr_subject refused = journal_subject("refused"),
                            failed = journal_subject("failed");
    struct gr_decision decision = journal_decision(true);
    const struct gr_err err = {.text = "no memory"};

    (void)state;
    assert_int_equal(journal_decide(j, "with", true), 0);
    assert_int_equal(journal_decide(j, "without", false), 0);
    decision.refuse = true;
    assert_int_equal(gr_journal_decided(j, &refused, &decision, NULL, true), 0);
    assert_int_equal(gr_journal_decided(j, &failed, NULL, &err, false), 0);
    assert_int_equal(gr_journal_decided(j, NULL, NULL, &err, true), 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_KNOWN(j, "with", GR_KNOWN_INJECTED);
        ASSERT_KNOWN(j, "without", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "refused", GR_KNOWN_NOT);
        ASSERT_KNOWN(j, "failed", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "", GR_KNOWN_NOT);
        gr_journal_free(j);
        j = journal_opened();
    }
    gr_journal_free(j);
    assert_true(journal_has("decisions", "\"outcome\":\"refused\",\"refused\":true"));
    assert_true(journal_has("decisions", "\"outcome\":\"error\",\"error\":\"no memory\""));
    assert_true(journal_has("decisions", "{\"name\":\"tap\",\"hash\":\"0000000000001234\","
                                         "\"verdict\":\"injected\",\"match\":\"true\"}"));
}

/* A container that another instance has injected into has it all there already. */
static void test_not_undone(void **state)
{
    struct gr_journal *j = journal_opened();

    (void)state;
    assert_int_equal(journal_decide(j, "a", true), 0);
    assert_int_equal(journal_decide(j, "a", false), 0);
    ASSERT_KNOWN(j, "a", GR_KNOWN_INJECTED);
    gr_journal_free(j);
}

static void test_listed(void **state)
{
    const struct gr_str first[] = {GR_STR("a"), GR_STR("b")}, second[] = {GR_STR("b"), GR_STR("c")};
    struct gr_journal *j = journal_opened();

    (void)state;
    assert_int_equal(journal_decide(j, "a", true), 0);
    assert_int_equal(gr_journal_listed(j, first, 2), 0);
    assert_true(gr_journal_is_complete(j));
    ASSERT_KNOWN(j, "a", GR_KNOWN_INJECTED);
    ASSERT_KNOWN(j, "b", GR_KNOWN_SEEN);
    assert_int_equal(gr_journal_missed(j, GR_STR("b"), GR_STR("tap")), 0);
    assert_int_equal(journal_decide(j, "b", true), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(gr_journal_is_complete(j));
        ASSERT_KNOWN(j, "b", GR_KNOWN_MISSED);
        gr_journal_free(j);
        j = journal_opened();
    }
    assert_int_equal(gr_journal_listed(j, second, 2), 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_KNOWN(j, "a", GR_KNOWN_NOT);
        ASSERT_KNOWN(j, "b", GR_KNOWN_MISSED);
        ASSERT_KNOWN(j, "c", GR_KNOWN_SEEN);
        gr_journal_free(j);
        j = journal_opened();
    }
    assert_int_equal(gr_journal_listed(j, NULL, 0), 0);
    ASSERT_KNOWN(j, "b", GR_KNOWN_NOT);
    assert_true(gr_journal_is_complete(j));
    gr_journal_free(j);
}

/* More than one record of ids. */
static void list_many(struct gr_journal *j, size_t n)
{
    struct gr_str *ids = calloc(n, sizeof(*ids));
    char *names = calloc(n, 16);

    assert_true(ids && names);
    for (size_t i = 0; i < n; i++)
        ids[i] = (struct gr_str){.p = names + i * 16,
                                 .n = (size_t)snprintf(names + i * 16, 16, "id-%zu", i)};
    assert_int_equal(gr_journal_listed(j, ids, n), 0);
    free(ids);
    free(names);
}

static void test_many(void **state)
{
    struct gr_journal *j = journal_opened();

    (void)state;
    list_many(j, 2 * GR_JOURNAL_IDS_PER_RECORD + 1);
    gr_journal_free(j);
    j = journal_opened();
    assert_true(gr_journal_is_complete(j));
    ASSERT_KNOWN(j, "id-0", GR_KNOWN_SEEN);
    ASSERT_KNOWN(j, "id-1536", GR_KNOWN_SEEN);
    ASSERT_KNOWN(j, "id-1537", GR_KNOWN_NOT);
    gr_journal_free(j);
}

static void test_overflow(void **state)
{
    struct gr_journal *j = journal_opened();

    (void)state;
    list_many(j, GR_JOURNAL_KNOWN_MAX);
    assert_true(gr_journal_is_complete(j));
    ASSERT_KNOWN(j, "id-0", GR_KNOWN_SEEN);
    assert_int_equal(journal_decide(j, "one more", true), 0);
    for (int i = 0; i < 2; i++) {
        assert_false(gr_journal_is_complete(j));
        ASSERT_KNOWN(j, "id-0", GR_KNOWN_NOT);
        ASSERT_KNOWN(j, "id-16383", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "one more", GR_KNOWN_INJECTED);
        gr_journal_free(j);
        j = journal_opened();
    }
    list_many(j, GR_JOURNAL_KNOWN_MAX + 1);
    assert_false(gr_journal_is_complete(j));
    /* The last one of a runtime that tells of more than are kept. */
    assert_int_equal(gr_journal_missed(j, GR_STR("id-16400"), GR_STR("tap")), 0);
    list_many(j, GR_JOURNAL_KNOWN_MAX + 17);
    ASSERT_KNOWN(j, "id-16400", GR_KNOWN_MISSED);
    assert_false(gr_journal_is_complete(j));
    list_many(j, GR_JOURNAL_KNOWN_MAX);
    assert_true(gr_journal_is_complete(j));
    gr_journal_free(j);
}

static void test_sessions(void **state)
{
    struct gr_journal *j = journal_opened();
    int64_t ended;

    (void)state;
    assert_int_equal(gr_journal_session(j, true, GR_STR("registered")), 0);
    assert_int_equal(gr_journal_session_ended_s(j), 0);
    assert_int_equal(gr_journal_session(j, false, GR_STR("end of file")), 0);
    ended = gr_journal_session_ended_s(j);
    assert_true(ended > 0);
    gr_journal_free(j);
    j = journal_opened();
    assert_int_equal(gr_journal_session_ended_s(j), ended);
    assert_int_equal(gr_journal_session(j, true, GR_STR("registered")), 0);
    assert_int_equal(gr_journal_session_ended_s(j), ended);
    gr_journal_free(j); /* killed while it was connected */
    j = journal_opened();
    assert_int_equal(gr_journal_session(j, true, GR_STR("registered")), 0);
    assert_int_equal(gr_journal_session_ended_s(j), 0);
    gr_journal_free(j);
}

static void test_rules(void **state)
{
    struct gr_journal *j = journal_opened();

    (void)state;
    assert_int_equal(gr_journal_rules(j, 0xabc, 7), 0);
    gr_journal_free(j);
    assert_true(journal_has("decisions", "\"hash\":\"0000000000000abc\",\"sets\":7}\n"));
}

/* A damaged line is skipped; what stands around it counts. */
static void test_damaged(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct gr_journal_status status;
    struct gr_buf buf;

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    gr_journal_free(j);
    (void)journal_text("decisions", &buf);
    assert_int_equal(gr_buf_text(&buf, "\n{\"kind\":\"decision\",\n{\"kind\":\"later\"}\n"), 0);
    journal_write("decisions", gr_buf_view(&buf));
    gr_buf_fini(&buf);
    j = journal_opened();
    gr_journal_status(j, &status);
    assert_int_equal(status.damaged, 1);
    assert_false(gr_journal_is_complete(j));
    assert_int_equal(journal_decide(j, "b", false), 0);
    gr_journal_free(j);
    j = journal_opened();
    assert_false(gr_journal_is_complete(j));
    ASSERT_KNOWN(j, "a", GR_KNOWN_SEEN);
    ASSERT_KNOWN(j, "b", GR_KNOWN_SEEN);
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    gr_journal_free(j);
    j = journal_opened();
    assert_true(gr_journal_is_complete(j));
    gr_journal_free(j);
}

/* Written up to any byte: what stands whole is known, and what comes next is read. */
static void test_torn(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct gr_buf buf;
    struct gr_str all;
    size_t first;

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    assert_int_equal(journal_decide(j, "b", true), 0);
    gr_journal_free(j);
    all = journal_text("decisions", &buf);
    first = gr_str_find(all, '\n') + 1;
    for (size_t n = 0; n <= all.n; n++) {
        journal_write("decisions", gr_str_first(all, n));
        for (int again = 0; again < 2; again++) {
            j = journal_opened();
            /* A line whose line feed alone is missing is whole. */
            ASSERT_KNOWN(j, "a", n >= first - 1 ? GR_KNOWN_SEEN : GR_KNOWN_NOT);
            ASSERT_KNOWN(j, "b", n >= all.n - 1 ? GR_KNOWN_INJECTED : GR_KNOWN_NOT);
            assert_int_equal(gr_journal_is_complete(j),
                             n == first - 1 || n == first || n >= all.n - 1);
            ASSERT_KNOWN(j, "c", again ? GR_KNOWN_SEEN : GR_KNOWN_NOT);
            if (!again)
                assert_int_equal(journal_decide(j, "c", false), 0);
            gr_journal_free(j);
        }
    }
    gr_buf_fini(&buf);
}

/* A line that is too long is damaged, wherever its end is. */
static void test_too_long(void **state)
{
    static const size_t sizes[] = {GR_JOURNAL_RECORD_MAX_BYTES - 1, GR_JOURNAL_RECORD_MAX_BYTES,
                                   GR_JOURNAL_RECORD_MAX_BYTES + 1, 200000};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(sizes); i++) {
        size_t fill = sizes[i] - 20; /* with the line feed it has as many bytes */
        struct gr_journal_status status;
        struct gr_journal *j;
        struct gr_buf buf;

        gr_buf_init(&buf, 1U << 20);
        assert_int_equal(gr_buf_text(&buf, "{\"kind\":\"x\",\"y\":\""), 0);
        memset(gr_buf_grow(&buf, fill), 'a', fill);
        assert_int_equal(gr_buf_text(&buf, "\"}\n{\"kind\":\"x\"}\n"), 0);
        journal_write("decisions", gr_buf_view(&buf));
        gr_buf_fini(&buf);
        j = journal_opened();
        gr_journal_status(j, &status);
        assert_int_equal(status.damaged, sizes[i] > GR_JOURNAL_RECORD_MAX_BYTES);
        gr_journal_free(j);
    }
}

/* ---- no room ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = GR_MIN(bytes, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_no_room(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct gr_journal_status status;
    struct stat st;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    assert_int_equal(stat(journal_path("decisions"), &st), 0);
    limit_files((rlim_t)st.st_size + 100);
    assert_int_equal(journal_decide(j, "b", true), -ENOSPC); /* a part of it */
    assert_int_equal(journal_decide(j, "c", false), -ENOSPC);
    clock_s += GR_JOURNAL_RETRY_S;
    assert_int_equal(journal_decide(j, "d", false), -EFBIG);
    limit_files(RLIM_INFINITY);
    clock_s += GR_JOURNAL_RETRY_S - 1;
    assert_int_equal(journal_decide(j, "e", false), -EFBIG); /* not tried */
    clock_s++;
    assert_int_equal(journal_decide(j, "f", false), 0);
    gr_journal_status(j, &status);
    assert_int_equal(status.lost, 4);
    assert_int_equal(status.records, 2);
    assert_int_equal(status.failed, 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_KNOWN(j, "b", GR_KNOWN_INJECTED);
        ASSERT_KNOWN(j, "c", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "e", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "f", GR_KNOWN_SEEN);
        assert_true(gr_journal_is_complete(j));
        gr_journal_free(j);
        j = journal_opened();
    }
    gr_journal_free(j);
}

/* Somebody removes the file: the next one begins with all that is known. */
static void test_removed(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    assert_int_equal(unlink(journal_path("decisions")), 0);
    assert_int_equal(journal_decide(j, "b", true), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(gr_journal_is_complete(j));
        ASSERT_KNOWN(j, "a", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "b", GR_KNOWN_INJECTED);
        gr_journal_free(j);
        j = journal_opened();
    }
    gr_journal_free(j);
}

/* ---- the directory is removed, or another one ---- */

static void remove_dir(void)
{
    assert_int_equal(unlink(journal_path("decisions")), 0);
    assert_int_equal(rmdir(journal_dir), 0);
}

static void assert_knows_both(struct gr_journal *j)
{
    for (int i = 0; i < 2; i++) {
        assert_true(gr_journal_is_complete(j));
        ASSERT_KNOWN(j, "a", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "b", GR_KNOWN_INJECTED);
        gr_journal_free(j);
        j = journal_opened();
    }
    gr_journal_free(j);
}

static void test_dir_removed(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct gr_journal_status status;

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    remove_dir();
    assert_int_equal(journal_decide(j, "b", true), 0);
    gr_journal_status(j, &status);
    assert_int_equal(status.lost, 0);
    assert_true(journal_has("decisions", "\"id\":\"b\""));
    assert_knows_both(j);
}

/* Nobody finds what is written to the one that was moved. */
static void test_dir_moved(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    char moved[64], file[80];

    (void)state;
    (void)snprintf(moved, sizeof(moved), "%s.moved", journal_dir);
    (void)snprintf(file, sizeof(file), "%s/decisions", moved);
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    assert_int_equal(rename(journal_dir, moved), 0);
    assert_int_equal(mkdir(journal_dir, 0755), 0);
    clock_s++;
    assert_int_equal(journal_decide(j, "b", true), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(moved), 0);
    assert_true(journal_has("decisions", "\"id\":\"b\""));
    assert_knows_both(j);
}

/* What stands in its way is gone one day: tried again then, and not before its time. */
static void test_dir_not_made(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct gr_journal_status status;
    int fd;

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    remove_dir();
    fd = open(journal_dir, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(journal_decide(j, "b", true), -ENOTDIR);
    assert_int_equal(unlink(journal_dir), 0);
    clock_s += GR_JOURNAL_RETRY_S - 1;
    assert_int_equal(gr_journal_follow(j), -ENOTDIR);
    assert_int_equal(access(journal_dir, F_OK), -1);
    clock_s++;
    assert_int_equal(gr_journal_follow(j), 0);
    gr_journal_status(j, &status);
    assert_int_equal(status.lost, 1);
    assert_int_equal(status.failed, 0);
    assert_knows_both(j);
}

/* Without a record, and nothing is written where all is as it was. */
static void test_followed(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct stat before, after;

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    assert_int_equal(journal_decide(j, "b", true), 0);
    assert_int_equal(stat(journal_path("decisions"), &before), 0);
    assert_int_equal(gr_journal_follow(j), 0);
    assert_int_equal(stat(journal_path("decisions"), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    remove_dir();
    assert_int_equal(gr_journal_follow(j), 0);
    assert_true(journal_has("decisions", "\"kind\":\"known\""));
    assert_knows_both(j);
}

/* The first to write makes it, and the other one goes on with the same. */
static void test_dir_removed_under_two(void **state)
{
    struct gr_journal *one = journal_opened(), *two = journal_opened();

    (void)state;
    assert_int_equal(journal_decide(one, "a", true), 0);
    remove_dir();
    assert_int_equal(journal_decide(one, "b", true), 0);
    assert_int_equal(journal_decide(two, "c", true), 0);
    ASSERT_KNOWN(two, "a", GR_KNOWN_INJECTED);
    ASSERT_KNOWN(two, "b", GR_KNOWN_INJECTED);
    assert_true(journal_has("decisions", "\"id\":\"b\""));
    assert_true(journal_has("decisions", "\"id\":\"c\""));
    gr_journal_free(one);
    gr_journal_free(two);
}

static void test_refused_files(void **state)
{
    struct gr_journal *j = NULL;
    struct gr_err err = {0};

    (void)state;
    journal_write("decisions", GR_STR_NONE);
    assert_int_equal(chmod(journal_path("decisions"), 0620), 0);
    assert_int_equal(gr_journal_open(journal_dir, &j, &err), -EPERM);
    assert_string_equal(err.code, "run-dir");
    assert_int_equal(unlink(journal_path("decisions")), 0);
    assert_int_equal(symlink("elsewhere", journal_path("decisions")), 0);
    assert_int_equal(gr_journal_open(journal_dir, &j, &err), -ELOOP);
    assert_int_equal(gr_journal_open("/no/such/directory", &j, &err), -ENOENT);
    assert_null(j);
}

/* ---- a new file ---- */

/* Records of some 10 KiB, until the file was replaced. */
static void fill(struct gr_journal *j, const char *name)
{
    static char value[10000];
    const struct gr_kv label = {.key = GR_STR("k"), .value = {.p = value, .n = sizeof(value)}};
    const struct gr_decision decision = journal_decision(true);
    struct gr_journal_status status = {0};
    struct gr_subject subject;
    uint64_t before;
    char id[64];

    memset(value, 'v', sizeof(value));
    gr_journal_status(j, &status);
    before = status.rotations;
    for (int i = 0; i < 1000 && status.rotations == before; i++) {
        (void)snprintf(id, sizeof(id), "%s-%d", name, i);
        subject = journal_subject(id);
        subject.pod_labels = (struct gr_kvs){.items = &label, .n = 1};
        assert_int_equal(gr_journal_decided(j, &subject, &decision, NULL, false), 0);
        gr_journal_status(j, &status);
    }
    assert_int_equal(status.rotations, before + 1);
}

static void test_rotation(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *j = journal_opened();
    struct stat st;

    (void)state;
    assert_int_equal(gr_journal_listed(j, ids, 1), 0);
    assert_int_equal(gr_journal_session(j, false, GR_STR("gone")), 0);
    fill(j, "first");
    assert_int_equal(stat(journal_path("decisions.old"), &st), 0);
    assert_in_range(st.st_size, GR_JOURNAL_MAX_BYTES,
                    GR_JOURNAL_MAX_BYTES + GR_JOURNAL_RECORD_MAX_BYTES);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(journal_path("decisions"), &st), 0);
    assert_in_range(st.st_size, 1, 32 << 10);
    assert_int_equal(st.st_mode & 07777, 0600);
    fill(j, "second");
    for (int i = 0; i < 2; i++) {
        assert_true(gr_journal_is_complete(j));
        assert_true(gr_journal_session_ended_s(j) > 0);
        ASSERT_KNOWN(j, "a", GR_KNOWN_SEEN);
        ASSERT_KNOWN(j, "first-0", GR_KNOWN_INJECTED);
        ASSERT_KNOWN(j, "second-0", GR_KNOWN_INJECTED);
        gr_journal_free(j);
        j = journal_opened();
    }
    gr_journal_free(j);
}

/* A process that ended between the two names leaves one file under both. */
static void test_half_rotated(void **state)
{
    struct gr_journal *j = journal_opened();
    char old[128];

    (void)state;
    assert_int_equal(journal_decide(j, "a", true), 0);
    gr_journal_free(j);
    (void)snprintf(old, sizeof(old), "%s", journal_path("decisions.old"));
    assert_int_equal(link(journal_path("decisions"), old), 0);
    journal_write(".decisions.new", GR_STR("half of it"));
    journal_write(".decisions.old.new", GR_STR("the same"));
    j = journal_opened();
    fill(j, "b");
    ASSERT_KNOWN(j, "a", GR_KNOWN_INJECTED);
    gr_journal_free(j);
    assert_true(journal_has("decisions.old", "\"id\":\"a\""));
    assert_false(journal_has("decisions", "\"id\":\"a\""));
}

static void test_two(void **state)
{
    const struct gr_str ids[] = {GR_STR("a")};
    struct gr_journal *one = journal_opened(), *two = journal_opened();
    struct gr_journal_status status;

    (void)state;
    assert_int_equal(gr_journal_listed(one, ids, 1), 0);
    assert_int_equal(journal_decide(two, "b", true), 0);
    ASSERT_KNOWN(two, "a", GR_KNOWN_SEEN);
    assert_true(gr_journal_is_complete(two));
    fill(one, "filled");
    ASSERT_KNOWN(one, "b", GR_KNOWN_INJECTED);
    assert_int_equal(journal_decide(two, "c", true), 0); /* to the new file */
    ASSERT_KNOWN(two, "filled-0", GR_KNOWN_INJECTED);
    ASSERT_KNOWN(two, "c", GR_KNOWN_INJECTED);
    assert_int_equal(journal_decide(one, "d", false), 0);
    ASSERT_KNOWN(one, "c", GR_KNOWN_INJECTED);
    gr_journal_status(two, &status);
    assert_int_equal(status.rotations, 0);
    assert_true(journal_has("decisions", "\"id\":\"c\""));
    gr_journal_free(one);
    gr_journal_free(two);
    one = journal_opened();
    ASSERT_KNOWN(one, "a", GR_KNOWN_SEEN);
    ASSERT_KNOWN(one, "b", GR_KNOWN_INJECTED);
    ASSERT_KNOWN(one, "c", GR_KNOWN_INJECTED);
    ASSERT_KNOWN(one, "d", GR_KNOWN_SEEN);
    assert_true(gr_journal_is_complete(one));
    gr_journal_free(one);
}

#define PROCESSES 3
#define RECORDS 700

/* Several processes at once, through several new files: no line is damaged, and nothing is lost. */
static void run_one(int number)
{
    static char value[8000];
    const struct gr_kv label = {.key = GR_STR("k"), .value = {.p = value, .n = sizeof(value)}};
    const struct gr_decision decision = journal_decision(true);
    struct gr_journal *j = journal_opened();

    memset(value, 'v', sizeof(value));
    for (int i = 0; i < RECORDS; i++) {
        struct gr_subject subject;
        char id[64];
        int r;

        (void)snprintf(id, sizeof(id), "p%d-%d", number, i);
        subject = journal_subject(id);
        subject.pod_labels = (struct gr_kvs){.items = &label, .n = 1};
        /* Full, while another one is busy with the next file: tried again. */
        while ((r = gr_journal_decided(j, &subject, &decision, NULL, false)) == -EFBIG) {
            clock_s += GR_JOURNAL_RETRY_S;
            (void)sched_yield();
        }
        if (r)
            _exit(1);
    }
    gr_journal_free(j);
    _exit(0);
}

static void test_at_once(void **state)
{
    struct gr_journal_status status;
    struct gr_journal *j;
    pid_t children[PROCESSES];

    (void)state;
    j = journal_opened();
    assert_int_equal(gr_journal_listed(j, NULL, 0), 0);
    gr_journal_free(j);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            run_one(i);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int how = -1;

        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    j = journal_opened();
    gr_journal_status(j, &status);
    assert_int_equal(status.damaged, 0);
    assert_int_equal(status.known, PROCESSES * RECORDS);
    assert_true(gr_journal_is_complete(j));
    gr_journal_free(j);
}

/* ---- all of them, each in a directory of its own ---- */

struct row {
    const char *name;
    void (*run)(void **state);
};

static const struct row rows[] = {
    {"a new one", test_new},
    {"decided", test_decided},
    {"what another instance did is not undone", test_not_undone},
    {"listed and missed", test_listed},
    {"more ids than one record has", test_many},
    {"more containers than are kept", test_overflow},
    {"sessions", test_sessions},
    {"rules", test_rules},
    {"a damaged line", test_damaged},
    {"written up to any byte", test_torn},
    {"too long a line", test_too_long},
    {"no room", test_no_room},
    {"removed", test_removed},
    {"its directory removed", test_dir_removed},
    {"its directory moved and made anew", test_dir_moved},
    {"its directory removed, and not to be made", test_dir_not_made},
    {"looked at without a record", test_followed},
    {"its directory removed under two instances", test_dir_removed_under_two},
    {"files that are not used", test_refused_files},
    {"a new file", test_rotation},
    {"ended between two names", test_half_rotated},
    {"two instances", test_two},
    {"several processes at once", test_at_once},
};

static void journal(void **state)
{
    const struct row *row = *state;

    assert_int_equal(journal_begin(NULL), 0);
    row->run(NULL);
    assert_int_equal(journal_end(NULL), 0);
}

int main(void)
{
    TEST_ADD_ROWS(journal, rows);
    return test_run("journal");
}
