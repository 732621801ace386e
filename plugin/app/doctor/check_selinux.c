/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_selinux: whether the domain of the plugin's process may connect at all.
 *
 * Layer: app. Domains of ordinary containers may not (container-selinux issue #470).
 */
#include "app/doctor/doctor.h"

#define SMALL_BYTES 4096

/* user:role:type:level */
static struct gr_str type_of(struct gr_str context)
{
    for (int i = 0; i < 2; i++)
        context = gr_str_skip(context, gr_str_find(context, ':') + 1);
    return gr_str_first(context, gr_str_find(context, ':'));
}

static bool is_confined(struct gr_str type)
{
    static const char *const confined[] = {"container_t", "container_init_t", "container_kvm_t",
                                           "container_user_t", "svirt_lxc_net_t"};

    for (size_t i = 0; i < GR_ARRAY_LEN(confined); i++) {
        if (gr_str_is(type, confined[i]))
            return true;
    }
    return false;
}

void gr_check_selinux(struct gr_doctor *d)
{
    const struct gr_doctor_proc *proc = gr_doctor_find_proc(d, GR_PROGRAM_PLUGIN);
    struct gr_str text;

    if (gr_doctor_read(d->host, "/sys/fs/selinux/enforce", SMALL_BYTES, &text) != 0 ||
        !gr_str_has_prefix(text, GR_STR("1"))) {
        gr_doctor_note(d, "SELinux does not enforce");
        return;
    }
    gr_doctor_note(d, "SELinux enforces, and the plugin does not run");
    /* Without one this process may be what is in the plugin's pod. */
    if (gr_doctor_read(d->host,
                       proc ? gr_doctor_text(d, "/proc/%u/attr/current", proc->pid)
                            : "/proc/self/attr/current",
                       SMALL_BYTES, &text) != 0)
        return;
    gr_doctor_note(d, "SELinux enforces, the domain is %.*s", GR_STR_FMT(type_of(text)));
    if (is_confined(type_of(text)))
        gr_doctor_add(d, "selinux-domain", GR_DOCTOR_NOWHERE,
                      "in the pod's specification:\n"
                      "  securityContext:\n"
                      "    seLinuxOptions: {type: spc_t}",
                      "SELinux enforces, and %s runs as %.*s",
                      proc ? gr_doctor_text(d, "process %u of the plugin", proc->pid)
                           : "this process, in whose pod the plugin would be,",
                      GR_STR_FMT(type_of(text)));
}
