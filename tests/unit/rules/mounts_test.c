/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#include "rules/mounts.h"

struct row {
    const char *name; /* and the destination */
    bool is_standard;
};

static const struct row rows[] = {
    {"/proc", true},
    {"/proc/sys", true},
    {"/process", false},
    {"/sys", true},
    {"/sys/fs/cgroup", true},
    {"/dev", true},
    {"/dev/pts", true},
    {"/dev/shm", true},
    {"/dev/mqueue", true},
    {"/dev/termination-log", true},
    {"/dev/nvidia0", true},
    {"/device", false},
    {"/etc/hosts", true},
    {"/etc/hosts/a", false},
    {"/etc/hostname", true},
    {"/etc/resolv.conf", true},
    {"/etc/resolv.conf.d", false},
    {"/etc", false},
    {"/etc/ssl", false},
    {"/run/.containerenv", true},
    {"/run", false},
    {"/run/secrets", false},
    {"/var/run/secrets/kubernetes.io/serviceaccount", true},
    {"/var/run/secrets/kubernetes.io/serviceaccount/token", true},
    {"/run/secrets/kubernetes.io/serviceaccount", true},
    {"/var/run/secrets/kubernetes.io", false},
    {"/var/run/secrets/eks.amazonaws.com/serviceaccount", false},
    {"/data", false},
    {"/data/proc", false},
    {"/", false},
    {"", false},
    /* not normalised */
    {"/proc/", true},
    {"//proc", true},
    {"/./proc", true},
    {"/etc//./hosts/", true},
    {"/data/../etc/hosts", true},
    {"/../../proc", true},
    {"/proc/../data", false},
    {"/dev/..", false},
    {"/a/b/c/d/e/f/g/h/../../../../../../../../proc", true},
    {"/a/b/c/d/e/f/g/h/../../../../../../../proc", false},
    {"proc", true},
    {"data", false},
    {"..", false},
    {"/...", false},
};

static void standard(void **state)
{
    const struct row *row = *state;
    struct gr_mount mount = {.destination = gr_str_from(row->name), .source = GR_STR("/proc")};

    assert_int_equal(gr_mount_is_standard(&mount), row->is_standard);
}

/* Bytes behind its end do not count. */
static void not_terminated(void **state)
{
    uint8_t *text = test_exact("/etc/host", 9);
    struct gr_mount mount = {.destination = {(const char *)text, 9}};

    (void)state;
    assert_false(gr_mount_is_standard(&mount));
    free(text);
}

int main(void)
{
    TEST_ADD_ROWS(standard, rows);
    test_add("not terminated", not_terminated);
    return test_run("mounts");
}
