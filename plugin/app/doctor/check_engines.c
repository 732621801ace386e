/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_engines: engines beside the runtime that take no hooks from NRI.
 *
 * Layer: app.
 */
#include "app/doctor/doctor.h"

void gr_check_engines(struct gr_doctor *d)
{
    const struct gr_doctor_proc *docker = gr_doctor_find_proc(d, GR_PROGRAM_DOCKERD);

    if (docker || gr_doctor_exists(d->host, "/usr/bin/dockerd"))
        gr_doctor_add(d, "docker-ignores-hooks", GR_DOCTOR_NOWHERE,
                      "run what needs hooks in pods of containerd or CRI-O; a wrapper around the "
                      "low-level runtime, which Docker needs, does not exist yet",
                      "Docker %s here", docker ? "runs" : "is installed");
    if (gr_doctor_exists(d->host, "/usr/bin/podman"))
        gr_doctor_add(d, "podman-reads-oci-hooks", GR_DOCTOR_NOWHERE,
                      "for its containers keep such files in /etc/containers/oci/hooks.d",
                      "Podman is installed here");
}
