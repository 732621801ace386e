/* SPDX-License-Identifier: Apache-2.0 */
/* A watch whose system calls fail, whose queue overflows, and whose limits are reached. */
#include "app/watching.h"

#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "app/capturing.h"

/* ---- calls that fail when the test says so ---- */

struct faults {
    int open_result; /* negative: fails so; 0: a real descriptor */
    int add_result;  /* the same, for directories from the one with this number on */
    int add_from;
    const char *fails; /* or: for this directory alone */
    int adds;
    uint32_t mask;     /* of the last one */
    uint32_t masks;    /* of all before it together */
    int pipe[2];       /* used instead of inotify when pipe[1] > 0 */
    const char *meets; /* when this directory has its watch, the loop takes what was found before */
    struct gr_watch *watch;
};

static int faulty_open(void *user)
{
    struct faults *f = user;

    if (f->open_result)
        return f->open_result;
    if (f->pipe[1] > 0)
        return f->pipe[0];
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static int faulty_add(void *user, int fd, const char *path, uint32_t mask)
{
    struct faults *f = user;
    int number;

    f->adds++;
    f->masks |= f->mask;
    f->mask = mask;
    if (f->fails ? strcmp(path, f->fails) == 0 : f->add_result && f->adds > f->add_from)
        return f->add_result;
    if (f->pipe[1] > 0)
        return f->adds;
    number = inotify_add_watch(fd, path, mask);
    if (f->meets && strcmp(path, f->meets) == 0)
        (void)gr_watch_has_moved(f->watch);
    return number < 0 ? -errno : number;
}

struct rig {
    struct watching w;
    struct faults f;
    struct gr_watch_sys sys;
    struct captured log;
};

static void begin(struct rig *rig)
{
    rig->sys = (struct gr_watch_sys){.user = &rig->f, .open = faulty_open, .add = faulty_add};
    capture_begin(&rig->log);
    watching_begin(&rig->w, &rig->sys);
    dir(&rig->w, "a");
}

static void end(struct rig *rig)
{
    watching_end(&rig->w);
    capture_end(&rig->log);
}

static size_t lines_with(const struct rig *rig, const char *text)
{
    size_t n = 0;

    for (const char *p = strstr(rig->log.text, text); p; p = strstr(p + 1, text))
        n++;
    return n;
}

/* ---- what does not work is said once, and everything works again later ---- */

struct row {
    const char *name;
    struct faults faults;
    const char *code, *fix;
    size_t watches; /* that there are all the same */
};

static const struct row rows[] = {
    {"no more instances", {.open_result = -EMFILE}, "no-inotify", "max_user_instances", 0},
    {"too many files", {.open_result = -ENFILE}, "no-inotify", "limits of open files", 0},
    {"no inotify", {.open_result = -ENOSYS}, "no-inotify", "rescan", 0},
    {"no watch at all", {.add_result = -ENOSPC}, "watch-limit", "max_user_watches", 0},
    {"two watches", {.add_result = -ENOSPC, .add_from = 2}, "watch-limit", "max_user_watches", 2},
    {"not allowed", {.add_result = -EACCES}, "not-watched", "let root read", 0},
};

static void says_once(void **state)
{
    const struct row *row = *state;
    struct rig rig = {.f = row->faults};
    struct gr_watch_status status;

    begin(&rig);
    watch_path(&rig.w, "a");
    status = status_of(&rig.w);
    assert_false(status.working);
    assert_int_equal(status.watches, row->watches);
    assert_non_null(strstr(status.problem, row->fix));
    assert_non_null(strstr(status.problem, "found by the rescan only"));
    rig.f.adds = 0;
    look(&rig.w);
    put(&rig.w, "a/x.yaml", "x");
    (void)seen(&rig.w);

    rig.f = (struct faults){0};
    look(&rig.w);
    status = status_of(&rig.w);
    assert_true(status.working && !status.problem);
    put(&rig.w, "a/x.yaml", "y");
    assert_true(seen(&rig.w));
    look(&rig.w);
    end(&rig);
    assert_int_equal(lines_with(&rig, row->code), 1);
    assert_int_equal(lines_with(&rig, "level=warning"), 1);
    assert_int_equal(lines_with(&rig, "files are watched again"), 1);
}

/* A directory on the way that we may not read is no reason not to watch the one that matters. */
static void test_above_is_closed(void **state GR_UNUSED)
{
    struct rig rig = {.f = {.add_result = -EACCES}};

    begin(&rig);
    rig.f.fails = rig.w.top;
    watch_path(&rig.w, "a");
    assert_false(status_of(&rig.w).working);
    put(&rig.w, "a/x.yaml", "x");
    assert_true(seen(&rig.w));
    end(&rig);
    assert_int_equal(lines_with(&rig, "not-watched"), 1);
}

/* Where somebody writes a log on the way to the rules, its lines do not even wake the loop. */
static void test_writes_on_the_way(void **state GR_UNUSED)
{
    struct rig rig = {0};

    begin(&rig);
    watch_path(&rig.w, "a");
    assert_true(rig.f.mask & IN_MODIFY);
    assert_false(rig.f.masks & IN_MODIFY);
    end(&rig);
}

/* ---- the loop's thread and the one that searches ---- */

/*
 * A search is given the watch that is there already, and at that moment the loop gives it up, since
 * the search before did not want it. The kernel tells of it, so the owner looks again.
 */
static void test_given_up_while_found(void **state GR_UNUSED)
{
    struct rig rig = {0};

    begin(&rig);
    watch_path(&rig.w, "a");
    (void)status_of(&rig.w); /* taken */
    watch_path(&rig.w, "b");
    rig.f.meets = below(&rig.w, "a");
    rig.f.watch = rig.w.watch;
    watch_path(&rig.w, "a");
    rig.f.meets = NULL;
    assert_true(seen_and_looked(&rig.w));
    assert_true(status_of(&rig.w).working);
    assert_false(seen(&rig.w));
    put(&rig.w, "a/x.yaml", "x");
    assert_true(seen(&rig.w));
    end(&rig);
}

/* ---- events of the test's own ---- */

static void begin_piped(struct rig *rig)
{
    assert_int_equal(pipe2(rig->f.pipe, O_NONBLOCK | O_CLOEXEC), 0);
    begin(rig);
    watch_path(&rig->w, "a");
}

static void send_event(const struct rig *rig, int number, uint32_t mask)
{
    const struct inotify_event event = {.wd = number, .mask = mask};

    assert_int_equal(write(rig->f.pipe[1], &event, sizeof(event)), sizeof(event));
}

struct event_row {
    const char *name;
    uint32_t mask;
    int number; /* of the watch; 1 is the first directory */
    bool seen;
};

static const struct event_row event_rows[] = {
    {"overflow", IN_Q_OVERFLOW, -1, true},
    {"unmounted", IN_UNMOUNT, 1, true},
    {"given up", IN_IGNORED, 1, true},
    {"deleted", IN_DELETE_SELF | IN_ISDIR, 1, true},
    {"moved", IN_MOVE_SELF | IN_ISDIR, 1, true},
    {"attributes", IN_ATTRIB | IN_ISDIR, 1, true},
    {"of a watch that is gone", IN_DELETE_SELF, 12345, false},
    {"nothing asked for", IN_OPEN, 1, false},
};

static void takes(void **state)
{
    const struct event_row *row = *state;
    struct rig rig = {0};

    begin_piped(&rig);
    send_event(&rig, row->number, row->mask);
    assert_int_equal(seen(&rig.w), row->seen);
    assert_int_equal(status_of(&rig.w).events, 1);
    assert_int_equal(status_of(&rig.w).overflows, row->mask == IN_Q_OVERFLOW);
    end(&rig);
    (void)close(rig.f.pipe[1]);
}

/* One turn of the loop reads no more than its share. */
static void test_bounded(void **state GR_UNUSED)
{
    const size_t share = GR_WATCH_READ_BYTES / sizeof(struct inotify_event);
    struct rig rig = {0};

    begin_piped(&rig);
    for (size_t i = 0; i < 2 * share + 1; i++)
        send_event(&rig, 12345, IN_DELETE);
    assert_true(event_base_loop(rig.w.base, EVLOOP_ONCE) >= 0);
    assert_int_equal(status_of(&rig.w).events, share);
    assert_true(event_base_loop(rig.w.base, EVLOOP_ONCE) >= 0);
    assert_int_equal(status_of(&rig.w).events, 2 * share);
    assert_false(seen(&rig.w));
    assert_int_equal(status_of(&rig.w).events, 2 * share + 1);
    end(&rig);
    (void)close(rig.f.pipe[1]);
}

/* A descriptor that broke is not read for ever: the rescan remains. */
static void test_broken(void **state GR_UNUSED)
{
    struct rig rig = {0};

    begin_piped(&rig);
    (void)close(rig.f.pipe[1]);
    assert_int_equal(event_base_loop(rig.w.base, EVLOOP_ONCE), 0);
    assert_false(status_of(&rig.w).working);
    assert_int_equal(event_base_loop(rig.w.base, 0), 1); /* nothing is left to wait for */
    look(&rig.w);
    assert_false(status_of(&rig.w).working);
    end(&rig);
    assert_int_equal(lines_with(&rig, "no-inotify"), 1);
    assert_int_equal(lines_with(&rig, "level="), 1);
}

/* ---- the real limits ---- */

static long read_number(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    (void)close(fd);
    return strtol(text, NULL, 10);
}

static void test_real_overflow(void **state GR_UNUSED)
{
    long queue = read_number("/proc/sys/fs/inotify/max_queued_events");
    struct watching w;

    watching_begin(&w, NULL);
    dir(&w, "a");
    dir(&w, "a/x");
    dir(&w, "b");
    watch_path(&w, "a");
    /* Two events each; the kernel joins equal ones only when they follow each other. */
    for (long i = 0; i <= queue / 2 + 1; i++) {
        move(&w, "a/x", "b/x");
        move(&w, "b/x", "a/x");
    }
    while (status_of(&w).overflows == 0)
        assert_true(seen_and_looked(&w));
    while (seen_and_looked(&w))
        ;
    put(&w, "a/y.yaml", "y");
    assert_true(seen(&w));
    watching_end(&w);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        _exit(2);
    (void)close(fd);
}

#define NO_NAMESPACES 3 /* exit code of the child */

/* Runs in a child with user and mount namespaces of its own, as root of these. Not every machine
 * gives them: none does to a process below chroot(2). */
static void in_namespaces(void (*body)(struct watching *w))
{
    struct watching w;
    int status = 0;
    char users[32];
    char groups[32];
    pid_t child;

    watching_begin(&w, NULL);
    dir(&w, "a");
    (void)snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
    (void)snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            _exit(NO_NAMESPACES);
        write_text("/proc/self/uid_map", users);
        write_text("/proc/self/setgroups", "deny");
        write_text("/proc/self/gid_map", groups);
        body(&w);
        _exit(4); /* body ends the process itself */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    watching_end(&w);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACES)
        test_skip("no user namespaces for the real limits of inotify");
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void few_watches(struct watching *w)
{
    struct gr_watch_status status;

    write_text("/proc/sys/user/max_inotify_watches", "2");
    w->log.level = GR_LEVEL_ERROR;
    watch_path(w, "a");
    status = status_of(w);
    if (status.working || status.watches != 2 || !strstr(status.problem, "max_user_watches"))
        _exit(5);
    write_text("/proc/sys/user/max_inotify_watches", "100");
    look(w);
    _exit(status_of(w).working ? 0 : 6);
}

static void no_instances(struct watching *w)
{
    struct gr_watch_status status;

    write_text("/proc/sys/user/max_inotify_instances", "0");
    w->log.level = GR_LEVEL_ERROR;
    watch_path(w, "a");
    status = status_of(w);
    if (status.working || !strstr(status.problem, "max_user_instances"))
        _exit(5);
    write_text("/proc/sys/user/max_inotify_instances", "10");
    look(w);
    _exit(status_of(w).working ? 0 : 6);
}

static void unmounted(struct watching *w)
{
    if (mount("none", below(w, "a"), "tmpfs", 0, NULL) != 0)
        _exit(5);
    watch_path(w, "a");
    put(w, "a/x.yaml", "x");
    if (!seen_and_looked(w) || umount(below(w, "a")) != 0)
        _exit(6);
    if (!seen_and_looked(w))
        _exit(7);
    put(w, "a/x.yaml", "x");
    _exit(seen(w) ? 0 : 8);
}

static void test_few_watches(void **state GR_UNUSED)
{
    in_namespaces(few_watches);
}

static void test_no_instances(void **state GR_UNUSED)
{
    in_namespaces(no_instances);
}

static void test_unmounted(void **state GR_UNUSED)
{
    in_namespaces(unmounted);
}

int main(void)
{
    TEST_ADD_ROWS(says_once, rows);
    test_add("a directory above is closed", test_above_is_closed);
    test_add("writes on the way", test_writes_on_the_way);
    test_add("given up while found", test_given_up_while_found);
    TEST_ADD_ROWS(takes, event_rows);
    test_add("bounded", test_bounded);
    test_add("broken", test_broken);
    test_add("a real overflow", test_real_overflow);
    test_add("few watches", test_few_watches);
    test_add("no instances", test_no_instances);
    test_add("unmounted", test_unmounted);
    return test_run("watch_faults");
}
