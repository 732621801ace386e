/* SPDX-License-Identifier: Apache-2.0 */
/* What Synchronize tells and nothing is known of, or cannot be read, and very many containers. */
#include "app/compared.h"

static uint64_t looks(const struct rig *rig)
{
    struct gr_running_status status;

    gr_running_status(rig->running, &status);
    return status.looks;
}

/* Not to be read at one time does not undo what was missed. */
static void test_missed_and_unreadable(void **state)
{
    const struct running first[] = {{.id = "new"}, {.id = "old"}, {0}};
    const struct running second[] = {{.id = "new", .unreadable = true}, {.id = "old"}, {0}};
    struct rig *rig = *state;

    live_twice(rig, true);
    assert_int_equal(synchronize(rig, first), 1);
    expect(rig, "2 running missed:new/web preexisting:old/web");
    assert_int_equal(synchronize(rig, second), 0);
    expect(rig, "2 running 1 unreadable unreadable:new/ preexisting:old/web");
    assert_int_equal(synchronize(rig, first), 0);
    expect(rig, "2 running missed:new/web preexisting:old/web");
}

static void test_unknown(void **state)
{
    const struct running running[] = {{.id = "a"}, {0}};
    struct rig *rig = *state;
    struct gr_nri_running *told;
    struct gr_running_status status;
    uint64_t before;

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    before = looks(rig);
    capture_begin(&rig->captured);
    gr_running_take(rig->running, NULL);
    assert_int_equal(looks(rig), before + 1); /* what was known is gone */
    for (int i = 0; i < 2; i++) {
        told = begin_telling();
        for (size_t n = 0; n <= GR_NRI_RUNNING_MAX_OBJECTS; n++)
            gr_nri_running_add(told, GR_STR("\x0a\x00"));
        gr_nri_running_finish(told);
        gr_running_take(rig->running, told);
    }
    capture_end(&rig->captured);
    assert_int_equal(count(rig->captured.text, "is not known"), 1); /* once */
    expect(rig, "unknown 0 running");
    gr_running_status(rig->running, &status);
    assert_string_equal(status.problem, "the runtime tells of more containers than are kept");
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("a")), GR_KNOWN_SEEN);
    before = looks(rig);
    assert_int_equal(synchronize(rig, running), 0);
    assert_int_equal(looks(rig), before + 1);
    expect(rig, "1 running preexisting:a/web");
    gr_running_status(rig->running, &status);
    assert_null(status.problem);
}

struct reader {
    struct rig *rig;
    struct event *event;
    int peer;
    size_t early; /* requests that were read before everything was looked at */
};

/* Somebody who asks again and again. */
static void on_request(evutil_socket_t fd, short what, void *arg)
{
    struct reader *reader = arg;
    struct gr_running_status status;
    char byte;

    (void)what;
    gr_running_status(reader->rig->running, &status);
    assert_int_equal(read((int)fd, &byte, 1), 1);
    if (status.known)
        return;
    reader->early++;
    assert_int_equal(write(reader->peer, "x", 1), 1);
}

/* Beyond the bounds containers are counted; and somebody who asks meanwhile need not wait. */
static void test_many(void **state)
{
    const size_t n = GR_RUNNING_MISSED_MAX + 1;
    struct rig *rig = *state;
    struct gr_nri_running *told = begin_telling();
    struct reader reader = {.rig = rig};
    struct gr_running_status s;
    char name[32];
    int pair[2];

    live_twice(rig, true);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof(name), "new-%zu", i);
        tell_one(rig, told, &(struct running){.id = name});
    }
    for (size_t i = 0; i <= GR_RUNNING_OTHERS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "marked-%zu", i);
        tell_one(rig, told, &(struct running){.id = name, .mark = "web@0123456789abcdef"});
    }
    gr_nri_running_finish(told);
    capture_begin(&rig->captured);
    /* The status of before is forgotten, so that an early answer can be told from a late one. */
    gr_running_take(rig->running, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    reader.peer = pair[1];
    reader.event = event_new(rig->base, pair[0], EV_READ | EV_PERSIST, on_request, &reader);
    assert_int_equal(event_add(reader.event, NULL), 0);
    gr_running_take(rig->running, told);
    assert_int_equal(write(pair[1], "x", 1), 1);
    look(rig);
    capture_end(&rig->captured);
    assert_true(reader.early >= n / 64);
    gr_running_status(rig->running, &s);
    assert_int_equal(s.running, n + GR_RUNNING_OTHERS_MAX + 1);
    assert_int_equal(s.missed, n);
    assert_int_equal(s.outdated, GR_RUNNING_OTHERS_MAX + 1);
    assert_int_equal(s.items_n, GR_RUNNING_MISSED_MAX + GR_RUNNING_OTHERS_MAX);
    assert_str(s.items[GR_RUNNING_MISSED_MAX - 1].id, "new-999");
    assert_int_equal(s.items[GR_RUNNING_MISSED_MAX].class, GR_RUNNING_OUTDATED);
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("new-1000")), GR_KNOWN_MISSED);
    event_free(reader.event);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_missed_and_unreadable),
        TEST(test_unknown),
        TEST(test_many),
    };

    return cmocka_run_group_tests_name("running_unknown", tests, NULL, NULL);
}
