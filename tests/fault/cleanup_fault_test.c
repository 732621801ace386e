/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning up with each of its allocations failing: what a container names is whole, no leak, no
 * open descriptor. */
#include "app/setup/cleanup_parts.h"

#include "failing.h"
#include "load/realfs.h"

#include <errno.h>

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

static void on_item(void *user, const struct gr_cleanup_item *item)
{
    (void)user;
    assert_non_null(item->path);
}

static void on_waiting(void *user, const char *why)
{
    (void)user;
    fail_msg("it waits: %s", why);
}

static struct gr_config config = {.control_socket = "", .metrics_textfile = ""};
static struct gr_cleanup cleanup = {
    .fs = &fs, .config = &config, .say = on_item, .waiting = on_waiting};

static void make_dir(const char *path)
{
    if (mkdir(at(path), 0755) != 0)
        assert_int_equal(errno, EEXIST);
}

static void fill(void)
{
    make_dir("/p");
    make_dir("/p/net");
    make_dir("/p/net/" ONE);
    make_dir("/p/net/" TWO);
    make("/p/net/" ONE "/setup", "x", 0755);
    make("/p/net/" TWO "/setup", "x", 0755);
    (void)!symlink(TWO, at("/p/net/current"));
    make_dir("/run");
    make("/run/decisions", "x", 0600);
    make_dir("/t");
    make("/t/g.prom", "x", 0644);
}

static int clean_store(void *user)
{
    const struct gr_oci_hook hook = {.path = GR_STR("/p/net/" ONE "/setup")};
    const struct gr_subject subject = {.hooks = &hook, .hooks_n = 1};
    struct gr_cleanup_place *place = user;
    struct gr_holders holders = {0};
    struct gr_err err = {0};
    int rc;

    fill();
    *place = (struct gr_cleanup_place){.cleanup = &cleanup, .path = at("/p")};
    rc = gr_cleanup_enter(place, "/", &err);
    if (rc == 0)
        rc = gr_cleanup_store_know(place, &holders);
    if (rc == 0)
        rc = gr_holders_add(&holders, &subject, 1);
    if (rc == 0)
        rc = gr_cleanup_store(place, &holders);
    gr_cleanup_leave(place);
    gr_holders_fini(&holders);
    assert_int_equal(access(at("/p/net/" ONE "/setup"), X_OK), 0);
    if (rc == 0)
        assert_int_equal(access(at("/p/net/" TWO), F_OK), place->failed ? 0 : -1);
    return rc;
}

static void test_store(void **state)
{
    static struct gr_cleanup_place place;

    (void)state;
    begin();
    failing_run(clean_store, &place);
    end();
}

/* No runtime is there: no answer is what comes out when memory is. */
static int ask(void *user)
{
    struct gr_cleanup_told answer;
    struct gr_err err = {0};
    int rc = gr_cleanup_ask(&cleanup, &answer, &err);

    (void)user;
    assert_non_null(err.code);
    assert_null(answer.running);
    return rc == -ETIMEDOUT ? 0 : rc;
}

static void test_ask(void **state)
{
    static char path[512];

    (void)state;
    begin();
    (void)snprintf(path, sizeof(path), "%s", at("/nri.sock"));
    cleanup.socket = path;
    assert_int_equal(ask(NULL), 0); /* what libevent keeps for good */
    failing_run(ask, NULL);
    end();
}

static int clean_all(void *user)
{
    struct gr_err err = {0};
    int rc;

    (void)user;
    fill();
    rc = gr_cleanup(&cleanup, &err);
    assert_int_equal(rc == 0, err.code == NULL);
    /* A directory that could not be listed, or what the rest of it is. */
    return rc == -EIO ? -ENOMEM : rc;
}

static void test_all(void **state)
{
    static char run[512], metrics[512];

    (void)state;
    begin();
    (void)snprintf(run, sizeof(run), "%s", at("/run"));
    (void)snprintf(metrics, sizeof(metrics), "%s", at("/t/g.prom"));
    config.run_dir = run;
    config.metrics_textfile = metrics;
    config.host_root = top;
    config.last_good_dir = "";
    config.programs_dir = "/none";
    failing_run(clean_all, NULL);
    assert_int_equal(clean_all(NULL), 0);
    assert_int_equal(access(run, F_OK), -1);
    assert_int_equal(access(metrics, F_OK), -1);
    end();
}

int main(void)
{
    test_add("store", test_store);
    test_add("ask", test_ask);
    test_add("all", test_all);
    return test_run("cleanup_fault");
}
