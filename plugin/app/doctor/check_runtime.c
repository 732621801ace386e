/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_runtime: whether there is a runtime that could ask a plugin, whether it runs,
 * what its release cannot do, and whether it has read the configuration that is there.
 *
 * Layer: app.
 */
#include "app/doctor/doctor.h"

/* The time of the host's start, to which the kernel counts, is told in whole seconds and moves. */
#define CLOCK_SLACK_S 5

static void check_there(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;

    if (!r->installed && r->told) {
        gr_doctor_add(d, "runtime-not-seen", GR_DOCTOR_NOWHERE,
                      "name the place where the host's / is seen: --host-root /host, in the chart "
                      "hostRootMount: true",
                      "the plugin is connected to %s, whose program and configuration are not seen "
                      "from here",
                      gr_runtime_name(r->kind));
        return;
    }
    if (gr_runtime_is_engine(r)) {
        gr_doctor_add(d, "no-runtime", GR_DOCTOR_NOWHERE,
                      "run what needs hooks in pods of containerd or CRI-O; a wrapper around the "
                      "low-level runtime, which Docker and Podman need, does not exist yet: until "
                      "then there is nothing to start or to restart",
                      "%s does not ask NRI plugins, and was %s", gr_runtime_name(r->kind),
                      d->wanted ? "asked for" : "all that was found");
        return;
    }
    if (!gr_runtime_has_nri(r)) {
        gr_doctor_add(d, "no-runtime", GR_DOCTOR_NOWHERE,
                      "install containerd 1.7 or later, or CRI-O 1.26 or later; where the host's / "
                      "is not this program's, name it: --host-root /host",
                      "neither containerd nor CRI-O was found%s%s",
                      d->settings.config.host_root[1] ? " below " : "",
                      d->settings.config.host_root[1] ? d->settings.config.host_root : "");
        return;
    }
    if (!r->proc && d->procs.visible)
        gr_doctor_add(d, "runtime-not-running", GR_DOCTOR_NOWHERE,
                      gr_doctor_text(d, "systemctl start %s; if it does not stay: journalctl -u %s",
                                     gr_runtime_unit(r->kind), gr_runtime_unit(r->kind)),
                      "%s is installed and does not run", gr_runtime_name(r->kind));
}

static void check_release(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;
    bool crio = r->kind == GR_RUNTIME_CRIO;

    if (!gr_runtime_has_nri(r) && !r->told)
        return;
    if (!r->release.known) {
        gr_doctor_add(d, "version-unknown", GR_DOCTOR_NOWHERE,
                      gr_doctor_text(d, "%s --version says it; compare with doctor --table",
                                     crio ? "crio" : "containerd"),
                      "neither the plugin nor the program's build record tells the version of %s",
                      gr_runtime_name(r->kind));
        return;
    }
    if (gr_release_before(r->release, 1, crio ? 26 : 7, 0)) {
        gr_doctor_add(d, "runtime-too-old", GR_DOCTOR_NOWHERE,
                      crio ? "upgrade to CRI-O 1.30 or later, where NRI is on by default"
                           : "upgrade to containerd 2.0 or later, where NRI is on by default",
                      "%s %s; NRI came with %s", gr_runtime_name(r->kind),
                      r->version ? r->version : "before 1.7",
                      crio ? "CRI-O 1.26" : "containerd 1.7");
        return;
    }
    if (gr_release_before(r->nri, 0, 7, 0))
        gr_doctor_add(
            d, "nri-old", GR_DOCTOR_NOWHERE,
            crio ? "upgrade to CRI-O 1.32 or later" : "upgrade to containerd 1.7.26 or later",
            "%s%s%s contains NRI %u.%u.%u", gr_runtime_name(r->kind), r->version ? " " : "",
            r->version ? r->version : "", r->nri.major, r->nri.minor, r->nri.patch);
    if (r->version)
        gr_doctor_note(d, "%s %s (from %s)", gr_runtime_name(r->kind), r->version, r->version_from);
}

static void check_read(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;

    for (size_t i = 0; i < r->config.files_n; i++) {
        const struct gr_runtime_file *file = &r->config.files[i];

        if (!r->proc || r->proc->started_s == 0 ||
            file->modified_s <= r->proc->started_s + CLOCK_SLACK_S)
            continue;
        gr_doctor_add(d, "restart-needed", GR_DOCTOR_FILE(file->path), gr_doctor_restart(d),
                      "this file was changed after %s had started (process %u)",
                      gr_runtime_name(r->kind), r->proc->pid);
    }
}

static void check_understood(struct gr_doctor *d)
{
    const struct gr_runtime_config *c = &d->runtime.config;

    for (size_t i = 0; i < c->files_n; i++) {
        const struct gr_runtime_file *file = &c->files[i];

        if (file->broken)
            gr_doctor_add(
                d, "config-not-understood", (struct gr_doctor_place){file->path, file->broken_line},
                file->broken_line ? "mend that line; the runtime's own log says what it makes of it"
                                  : "put a readable file there, or take it out of imports",
                "%s", file->broken);
    }
    if (c->wrong_type)
        gr_doctor_add(d, "config-not-understood",
                      (struct gr_doctor_place){c->wrong_place.file, c->wrong_place.line},
                      "write true and false without quotes, paths in quotes",
                      "%s is %s, which is not what the runtime takes there", c->wrong_type,
                      c->wrong_place.text);
    if (c->files_left_out)
        gr_doctor_add(d, "config-not-understood", GR_DOCTOR_FILE(c->path), "join some of them",
                      "the configuration has more than %d files", GR_RUNTIME_FILES_MAX);
}

void gr_check_runtime(struct gr_doctor *d)
{
    if (d->host->denied || d->host->fs.euid != 0)
        gr_doctor_add(d, "not-permitted", GR_DOCTOR_NOWHERE, "run it as root: sudo grapnel doctor",
                      "this is not root, and some of what is looked at only root may see");
    check_there(d);
    check_release(d);
    check_understood(d);
    check_read(d);
}
