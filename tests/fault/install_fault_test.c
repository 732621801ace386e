/* SPDX-License-Identifier: Apache-2.0 */
/* Installing programs with each of its allocations failing: nothing half done, no leak, no open
 * descriptor. */
#include "failing.h"
#include "load/realfs.h"

#include <errno.h>

#include "app/setup/install.h"

static int scenario(void *user)
{
    const struct gr_install *install = user;
    struct gr_installed done;
    struct gr_err err = {0};
    int rc = gr_install(install, &done, &err);

    if (rc != 0)
        assert_non_null(err.code);
    return rc;
}

static void test_install(void **state)
{
    static char from[512], to[512];
    const struct gr_install install = {.fs = &fs, .host_root = "/", .from = from, .to = to};
    union {
        const void *in;
        void *out;
    } user = {.in = &install};

    (void)state;
    begin();
    (void)snprintf(from, sizeof(from), "%s", at("/source"));
    (void)snprintf(to, sizeof(to), "%s", at("/programs/net"));
    dir("/source", 0755);
    make("/source/setup", "x", 0755);
    failing_run(scenario, user.out);
    assert_int_equal(access(at("/programs/net/current/setup"), X_OK), 0);
    end();
}

int main(void)
{
    test_add("install", test_install);
    return test_run("install_fault");
}
