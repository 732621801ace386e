/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/process/syscalls.h"

#include <errno.h>

int gr_syscalls_filter(struct gr_err *err)
{
    return gr_fail(err, -ENOTSUP, "sandbox",
                   "this build of Grapnel has no system call filter; set sandbox: Capabilities, or "
                   "use one that was built with libseccomp");
}
