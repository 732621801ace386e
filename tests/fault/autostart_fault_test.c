/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the program into the directory of plugins, and taking it away, with each allocation
 * failing: what is ours is known all the same, and nothing is left half done. */
#include "failing.h"
#include "load/realfs.h"

#include <errno.h>

#include "app/setup/autostart.h"

static struct gr_autostart autostart;

static int put(void *user)
{
    struct gr_autostarted done;
    struct gr_err err = {0};
    int rc = gr_autostart_put(user, &done, &err);

    if (rc != 0)
        assert_non_null(err.code);
    return rc;
}

static int undo(void *user)
{
    struct gr_autostart_list gone;
    struct gr_err err = {0};
    int rc = gr_autostart_undo(user, &gone, &err);

    if (rc != 0)
        assert_non_null(err.code);
    return rc;
}

static int put_and_undo(void *user)
{
    int rc = put(user);

    return rc ? rc : undo(user);
}

static void test_both(void **state)
{
    (void)state;
    begin();
    autostart = (struct gr_autostart){.fs = &fs, .host_root = top, .to = "/plugins"};
    failing_run(put_and_undo, &autostart);
    failing_run(put, &autostart);
    assert_int_equal(access(at("/plugins/10-grapnel"), X_OK), 0);
    failing_run(undo, &autostart);
    assert_int_equal(rmdir(at("/plugins")), 0);
    end();
}

int main(void)
{
    test_add("both", test_both);
    return test_run("autostart_fault");
}
