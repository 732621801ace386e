/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/process/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/daemon/process/syscalls.h"

/* The bounding set first: emptying it needs CAP_SETPCAP. A process that has not got that keeps it,
 * which matters little: with no_new_privs nothing can be gained from it. */
static void empty_bounding_set(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static bool has_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {{0}};
    uint32_t any = 0;

    if (syscall(SYS_capget, &head, now) != 0)
        return true;
    for (size_t i = 0; i < GR_ARRAY_LEN(now); i++)
        any |= now[i].effective | now[i].permitted | now[i].inheritable;
    return any != 0;
}

static int drop_capabilities(struct gr_err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return gr_fail(err, -errno, "sandbox", "no_new_privs cannot be set: %s", strerror(errno));
    empty_bounding_set();
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* A service manager that took them away may forbid the call as well. */
    if (has_capabilities() && syscall(SYS_capset, &head, none) != 0)
        return gr_fail(err, -errno, "sandbox", "the capabilities cannot be dropped: %s",
                       strerror(errno));
    return 0;
}

int gr_sandbox_enter(enum gr_sandbox sandbox, struct gr_err *err)
{
    int r = 0;

    if (sandbox != GR_SANDBOX_NONE)
        r = drop_capabilities(err);
    if (r == 0 && sandbox == GR_SANDBOX_FULL)
        r = gr_syscalls_filter(err);
    return r;
}
