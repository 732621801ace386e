/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/suspend/reports: what senders can do to the socket, and what they cannot. */
#include "testing.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/daemon/suspend/reports.h"
#include "load/config.h"

#define GOOD                                                                         \
    "{\"v\":1,\"set\":\"tap\",\"hash\":\"0123456789abcdef\",\"id\":\"c\",\"stage\":" \
    "\"poststop\",\"result\":\"exit\",\"code\":1,\"durationMs\":3}"

/* The user that is nobody else's. */
#define NOBODY 65534

struct rig {
    struct event_base *base;
    struct gr_log log;
    char dir[64];
    char path[96];
    struct gr_reports *reports;
    struct gr_report_counts counts;
    size_t runs;
    int sender;
};

static void on_run(void *user, const struct gr_report *report)
{
    struct rig *rig = user;

    assert_str(report->set, "tap");
    assert_int_equal(report->code, 1);
    rig->runs++;
}

static void init(struct rig *rig)
{
    *rig = (struct rig){.log = {.level = GR_LEVEL_ERROR}};
    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/grapnel-reports-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    (void)snprintf(rig->path, sizeof(rig->path), "%s/" GR_REPORTS_SOCKET, rig->dir);
    rig->base = event_base_new();
    assert_non_null(rig->base);
    assert_int_equal(gr_reports_new(rig->base, &rig->log, on_run, rig, &rig->reports), 0);
    gr_reports_follow(rig->reports, rig->dir);
    rig->sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(rig->sender >= 0);
}

static void fini(struct rig *rig)
{
    gr_reports_free(rig->reports);
    event_base_free(rig->base);
    (void)close(rig->sender);
    assert_int_equal(access(rig->path, F_OK), -1); /* it takes its socket along */
    assert_int_equal(rmdir(rig->dir), 0);
}

static ssize_t send_bytes(const struct rig *rig, const void *bytes, size_t n)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->path);
    return sendto(rig->sender, bytes, n, 0, (const struct sockaddr *)&address, sizeof(address));
}

static ssize_t send_text(const struct rig *rig, const char *text)
{
    return send_bytes(rig, text, strlen(text));
}

/* What waits is read, and no more is waited for. */
static void turn(struct rig *rig)
{
    assert_true(event_base_loop(rig->base, EVLOOP_NONBLOCK) >= 0);
    gr_reports_counts(rig->reports, &rig->counts);
}

static void good_and_bad(void **state)
{
    char large[GR_REPORT_MAX_BYTES + 2];
    struct stat st;
    struct rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(stat(rig.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(send_text(&rig, GOOD) > 0);
    assert_true(send_text(&rig, "hello") > 0);
    assert_int_equal(send_text(&rig, ""), 0);
    turn(&rig);
    assert_int_equal(rig.runs, 1);
    assert_int_equal(rig.counts.good, 1);
    assert_int_equal(rig.counts.bad, 2);
    /* The longest one, and one that is longer: cut off it would be a good one. */
    memset(large, ' ', sizeof(large));
    memcpy(large, GOOD, sizeof(GOOD) - 1);
    assert_true(send_bytes(&rig, large, GR_REPORT_MAX_BYTES) > 0);
    assert_true(send_bytes(&rig, large, GR_REPORT_MAX_BYTES + 1) > 0);
    assert_true(send_bytes(&rig, large, GR_REPORT_MAX_BYTES + 2) > 0);
    turn(&rig);
    assert_int_equal(rig.counts.good, 2);
    assert_int_equal(rig.counts.bad, 4);
    assert_int_equal(rig.counts.foreign, 0);
    fini(&rig);
}

/* Descriptors that are sent along are not kept. */
static void descriptors(void **state)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = (char[]){GOOD}, .iov_len = sizeof(GOOD) - 1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct msghdr message = {.msg_name = &address,
                             .msg_namelen = sizeof(address),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int before, after;
    struct rig rig;

    (void)state;
    init(&rig);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig.path);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(8 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    for (size_t i = 0; i < 8; i++)
        memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &rig.sender, sizeof(int));
    before = dup(rig.sender);
    assert_int_equal(close(before), 0);
    for (int i = 0; i < 20; i++) {
        assert_true(sendmsg(rig.sender, &message, 0) > 0);
        turn(&rig);
    }
    after = dup(rig.sender);
    assert_int_equal(close(after), 0);
    assert_int_equal(after, before);
    assert_int_equal(rig.counts.good + rig.counts.foreign, 20);
    fini(&rig);
}

/* The kernel's queue is all that a flood fills; a sender that does not wait is told so. */
static void flood(void **state)
{
    struct rig rig;
    uint64_t sent = 0;
    size_t turns = 0;

    (void)state;
    init(&rig);
    for (int i = 0; i < 100000; i++) {
        if (send_text(&rig, i % 2 ? GOOD : "noise") >= 0) {
            sent++;
            continue;
        }
        assert_int_equal(errno, EAGAIN);
        turn(&rig);
        turns++;
    }
    turn(&rig);
    assert_true(turns > 0);
    assert_int_equal(rig.counts.good + rig.counts.bad, sent);
    assert_int_equal(rig.runs, rig.counts.good);
    fini(&rig);
}

/* Somebody else may get at the socket only where its mode was changed, and then is not believed. */
static void another_user(void **state)
{
    struct rig rig;
    int status = 0;
    pid_t child;

    (void)state;
    init(&rig);
    assert_int_equal(chmod(rig.path, 0666), 0);
    assert_int_equal(chmod(rig.dir, 0755), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool other = geteuid() == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;

        _exit(send_text(&rig, GOOD) < 0 ? 2 : other ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    turn(&rig);
    assert_int_equal(rig.counts.foreign, WEXITSTATUS(status) == 0);
    assert_int_equal(rig.counts.good, WEXITSTATUS(status) == 1);
    assert_int_equal(rig.counts.bad, 0);
    fini(&rig);
}

/* The later instance has the path, the earlier one gets it back. */
static void two_instances(void **state)
{
    struct gr_reports *later;
    struct gr_report_counts counts;
    struct rig rig;

    (void)state;
    init(&rig);
    assert_int_equal(gr_reports_new(rig.base, &rig.log, on_run, &rig, &later), 0);
    gr_reports_follow(later, rig.dir);
    gr_reports_follow(rig.reports, rig.dir); /* somebody has it: no quarrel */
    assert_true(send_text(&rig, GOOD) > 0);
    turn(&rig);
    gr_reports_counts(later, &counts);
    assert_int_equal(counts.good, 1);
    assert_int_equal(rig.counts.good, 0);
    gr_reports_free(later);
    assert_true(send_text(&rig, GOOD) < 0);
    gr_reports_follow(rig.reports, rig.dir);
    assert_true(send_text(&rig, GOOD) > 0);
    turn(&rig);
    assert_int_equal(rig.counts.good, 1);
    fini(&rig);
}

/* No directory, one that is too long for a socket's address, and back. */
static void paths(void **state)
{
    char longest[GR_CONFIG_SOCKET_MAX_BYTES + 1];
    struct rig rig;

    (void)state;
    init(&rig);
    gr_reports_follow(rig.reports, "");
    assert_int_equal(access(rig.path, F_OK), -1);
    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    gr_reports_follow(rig.reports, longest);
    assert_true(send_text(&rig, GOOD) < 0);
    gr_reports_follow(rig.reports, rig.dir);
    assert_true(send_text(&rig, GOOD) > 0);
    turn(&rig);
    assert_int_equal(rig.counts.good, 1);
    fini(&rig);
}

int main(void)
{
    test_add("good and bad", good_and_bad);
    test_add("descriptors", descriptors);
    test_add("flood", flood);
    test_add("another user", another_user);
    test_add("two instances", two_instances);
    test_add("paths", paths);
    return test_run("reports");
}
