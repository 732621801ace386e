/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/programs/retirer: when packages are retired, by a clock of the test's. */
#include "load/realfs.h"

#include <errno.h>
#include <sys/file.h>

#include "app/daemon/programs/retirer.h"
#include "capturing.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define AFTER_S 10
#define STARTED_S 1700000000

static struct event_base *base;
static struct gr_retirer *retirer;
static struct gr_retirer_options options;
static struct gr_config config;
static struct gr_log log_;
static char store[512];

static void begin_rig(const char *owner)
{
    const struct timespec times[2] = {{.tv_sec = STARTED_S - 1}, {.tv_sec = STARTED_S - 1}};

    begin();
    dir("/p", 0755);
    dir("/p/net", 0755);
    link_to("/p/net/current", ONE);
    link_to("/p/net/.owner", "a/b");
    assert_int_equal(utimensat(AT_FDCWD, at("/p/net/.owner"), times, AT_SYMLINK_NOFOLLOW), 0);
    (void)snprintf(store, sizeof(store), "%s", at("/p"));
    config = (struct gr_config){.host_root = "/", .programs_dir = store};
    options = (struct gr_retirer_options){.owner = owner, .after_s = AFTER_S};
    gr_log_init(&log_, "grapnel");
    base = event_base_new();
    assert_non_null(base);
    assert_int_equal(gr_retirer_new(base, &options, STARTED_S, &log_, &retirer), 0);
}

static void end_rig(void)
{
    gr_retirer_free(retirer);
    event_base_free(base);
    end();
}

/* Looks, and lets the thread come to its end, if there is one. */
static void look(bool settled, uint64_t now_s)
{
    bool waited = gr_retirer_waits(retirer);

    gr_retirer_look(retirer, settled, &config, now_s * 1000);
    if (waited && !gr_retirer_waits(retirer))
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
}

static bool in_force(void)
{
    return faccessat(AT_FDCWD, at("/p/net/current"), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_after(void **state)
{
    struct captured c;

    (void)state;
    begin_rig("a/b");
    look(true, 100);
    look(true, 100 + AFTER_S - 1);
    assert_true(in_force());
    capture_begin(&c);
    look(true, 100 + AFTER_S);
    capture_end(&c);
    assert_false(in_force());
    assert_non_null(strstr(c.text, "hook programs that are not installed any more were retired"));
    assert_non_null(strstr(c.text, "package=net owner=a/b"));
    assert_false(gr_retirer_waits(retirer)); /* once */
    end_rig();
}

/* Whenever it is not ready, or not alone, the time begins anew. */
static void test_without_a_break(void **state)
{
    (void)state;
    begin_rig("a/b");
    look(false, 100);
    look(false, 100 + AFTER_S);
    look(true, 100 + AFTER_S + 1);
    look(false, 100 + AFTER_S + 2);
    look(true, 100 + AFTER_S + 3);
    look(true, 100 + 2 * AFTER_S + 2);
    assert_true(in_force());
    look(true, 100 + 2 * AFTER_S + 3);
    assert_false(in_force());
    end_rig();
}

static void test_not_asked_for(void **state)
{
    (void)state;
    begin_rig(NULL);
    assert_false(gr_retirer_waits(retirer));
    look(true, 100);
    look(true, 100 + AFTER_S);
    assert_true(in_force());
    end_rig();
}

static void test_no_store(void **state)
{
    (void)state;
    begin_rig("a/b");
    config.programs_dir = "";
    look(true, 100);
    look(true, 100 + AFTER_S);
    assert_true(in_force() && gr_retirer_waits(retirer));
    config.programs_dir = store; /* settings may change */
    look(true, 100 + AFTER_S);
    assert_false(in_force());
    end_rig();
}

static void test_kept(void **state)
{
    (void)state;
    begin_rig("a/b");
    options.keep[options.keep_n++] = "net";
    look(true, 100);
    look(true, 100 + AFTER_S);
    assert_true(in_force());
    assert_false(gr_retirer_waits(retirer));
    end_rig();
}

/* As one of an earlier revision that is rolled back to does, while its plugin has not begun. */
static void test_installed_since(void **state)
{
    const struct timespec times[2] = {{.tv_sec = STARTED_S}, {.tv_sec = STARTED_S}};

    (void)state;
    begin_rig("a/b");
    assert_int_equal(utimensat(AT_FDCWD, at("/p/net/.owner"), times, AT_SYMLINK_NOFOLLOW), 0);
    look(true, 100);
    look(true, 100 + AFTER_S);
    assert_true(in_force());
    end_rig();
}

static void test_again(void **state)
{
    struct captured c;
    int fd;

    (void)state;
    begin_rig("a/b");
    make("/p/net/.lock", "", 0600);
    fd = open(at("/p/net/.lock"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    look(true, 100);
    capture_begin(&c);
    look(true, 100 + AFTER_S);
    capture_end(&c);
    assert_non_null(strstr(c.text, "stay for now"));
    assert_non_null(strstr(c.text, "an installer is at work"));
    assert_int_equal(close(fd), 0);
    assert_true(in_force() && gr_retirer_waits(retirer));
    look(true, 100 + 2 * AFTER_S - 1);
    assert_true(in_force());
    look(true, 100 + 2 * AFTER_S);
    assert_false(in_force());
    end_rig();
}

static void test_no_such_store(void **state)
{
    struct captured c;

    (void)state;
    begin_rig("a/b");
    assert_int_equal(chmod(store, 0777), 0);
    look(true, 100);
    capture_begin(&c);
    look(true, 100 + AFTER_S);
    capture_end(&c);
    assert_non_null(strstr(c.text, "code=untrusted-mode"));
    assert_true(in_force() && gr_retirer_waits(retirer));
    end_rig();
}

/* The process ends while it is at work. */
static void test_freed_at_work(void **state)
{
    (void)state;
    begin_rig("a/b");
    gr_retirer_look(retirer, true, &config, 1000);
    gr_retirer_look(retirer, true, &config, 1000 + AFTER_S * 1000);
    end_rig();
    assert_int_equal(access(top, F_OK), -1);
}

int main(void)
{
    test_add("after", test_after);
    test_add("without a break", test_without_a_break);
    test_add("not asked for", test_not_asked_for);
    test_add("no store", test_no_store);
    test_add("kept", test_kept);
    test_add("installed since", test_installed_since);
    test_add("again", test_again);
    test_add("no such store", test_no_such_store);
    test_add("freed at work", test_freed_at_work);
    return test_run("retirer");
}
