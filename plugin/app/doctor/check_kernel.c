/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_kernel: limits of inotify, by which changed rules are seen at once.
 *
 * Layer: app.
 */
#include "app/doctor/doctor.h"

/* What Linux itself sets at least. A kubelet, a runtime and journald have some dozens of them. */
#define INSTANCES_MIN 128
#define WATCHES_MIN 8192

#define SMALL_BYTES 64

static void check(struct gr_doctor *d, const char *name, uint64_t least)
{
    const char *path = gr_doctor_text(d, "/proc/sys/fs/inotify/%s", name);
    struct gr_str text;
    uint64_t value;

    if (gr_doctor_read(d->host, path, SMALL_BYTES, &text) != 0)
        return;
    if (gr_str_to_u64(gr_str_first(text, gr_str_find(text, '\n')), &value) == 0 && value < least)
        gr_doctor_add(d, "inotify-limits", GR_DOCTOR_FILE(path),
                      gr_doctor_text(d,
                                     "sysctl -w fs.inotify.%s=%u; to keep it, in "
                                     "/etc/sysctl.d/90-inotify.conf: fs.inotify.%s = %u",
                                     name, (unsigned)least, name, (unsigned)least),
                      "fs.inotify.%s is %u, less than %u", name, (unsigned)value, (unsigned)least);
}

void gr_check_kernel(struct gr_doctor *d)
{
    check(d, "max_user_instances", INSTANCES_MIN);
    check(d, "max_user_watches", WATCHES_MIN);
}
