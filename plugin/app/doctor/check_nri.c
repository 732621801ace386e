/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_nri: off, on without connections, or on.
 *
 * Layer: app.
 */
#include "app/doctor/doctor.h"

#define CONTAINERD_TABLE "[plugins.\"io.containerd.nri.v1.nri\"]"

static struct gr_doctor_place place_of(const struct gr_runtime_setting *setting)
{
    return (struct gr_doctor_place){setting->file, setting->line};
}

/* Where lines of one's own go, and what stands before them. */
static const char *write_to(struct gr_doctor *d)
{
    const struct gr_runtime_config *c = &d->runtime.config;
    int version = gr_release_before(d->runtime.release, 2, 0, 0) ? 2 : 3;

    if (d->runtime.kind == GR_RUNTIME_CRIO)
        return gr_doctor_text(
            d, "in %s/10-grapnel.conf:", c->drop_ins ? c->drop_ins : "/etc/crio/crio.conf.d");
    if (strstr(c->path, "/k3s/") || strstr(c->path, "/rke2/"))
        return gr_doctor_text(d,
                              "%s is written anew at each start; in the template beside it "
                              "(config.toml.tmpl, with containerd 2 config-v3.toml.tmpl):",
                              c->path);
    if (c->files_n == 0)
        return gr_doctor_text(d, "in a new file %s:\n  version = %d", c->path, version);
    return gr_doctor_text(d, "in %s:", c->path);
}

/* The lines that set a key, and the restart. */
static const char *setting_fix(struct gr_doctor *d, const char *containerd, const char *crio)
{
    bool is_crio = d->runtime.kind == GR_RUNTIME_CRIO;

    return gr_doctor_text(d, "%s\n  %s\n    %s\nthen: %s", write_to(d),
                          is_crio ? "[crio.nri]" : CONTAINERD_TABLE, is_crio ? crio : containerd,
                          gr_doctor_restart(d));
}

static const char *on_fix(struct gr_doctor *d)
{
    const struct gr_runtime_config *c = &d->runtime.config;

    if (c->nri_disabled.has)
        return gr_doctor_text(d, "take it out of disabled_plugins, then: %s", gr_doctor_restart(d));
    if (c->on.has && c->on.line == 0)
        return gr_doctor_text(d, "take --enable-nri=false from it, then: %s", gr_doctor_restart(d));
    if (c->on.has)
        return gr_doctor_text(d, "write there: %s, then: %s",
                              d->runtime.kind == GR_RUNTIME_CRIO ? "enable_nri = true"
                                                                 : "disable = false",
                              gr_doctor_restart(d));
    return setting_fix(d, "disable = false", "enable_nri = true");
}

static void check_on(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;
    const struct gr_runtime_config *c = &r->config;
    const char *name = gr_runtime_name(r->kind);

    if (c->nri_disabled.has)
        gr_doctor_add(d, "nri-off", place_of(&c->nri_disabled), on_fix(d),
                      "NRI is switched off in %s: it stands in disabled_plugins", name);
    else if (c->on.has && !c->on.is_true)
        gr_doctor_add(d, "nri-off", place_of(&c->on), on_fix(d), "NRI is switched off in %s", name);
    else if (!r->nri_on)
        gr_doctor_add(d, "nri-off", GR_DOCTOR_FILE(c->files_n > 0 ? c->files[0].path : NULL),
                      on_fix(d), "NRI is off in this release of %s unless it is switched on", name);
    else if (r->nri_unsure)
        gr_doctor_add(d, "nri-unsure", GR_DOCTOR_FILE(c->files_n > 0 ? c->files[0].path : NULL),
                      on_fix(d),
                      "nothing says whether NRI is on, and the default depends on the version of "
                      "%s, which is not known",
                      name);
    else
        gr_doctor_note(d, "NRI is on%s%s", c->on.has ? ", set in " : " by default",
                       c->on.has ? c->on.file : "");
}

void gr_check_nri(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;
    const struct gr_runtime_config *c = &r->config;

    if ((r->kind != GR_RUNTIME_CONTAINERD && r->kind != GR_RUNTIME_CRIO) || !r->installed ||
        gr_release_before(r->release, 1, r->kind == GR_RUNTIME_CRIO ? 26 : 7, 0))
        return;
    check_on(d);
    if (r->nri_on && c->no_connections.has && c->no_connections.is_true && !d->entry)
        gr_doctor_add(
            d, "nri-connections-off", place_of(&c->no_connections),
            gr_doctor_text(d,
                           "write there: %s = false, then: %s\nor have the runtime launch "
                           "the plugin: grapnel setup autostart",
                           r->kind == GR_RUNTIME_CRIO ? "nri_disable_connections"
                                                      : "disable_connections",
                           gr_doctor_restart(d)),
            "NRI is on, but plugins may not connect");
    if (c->cri_disabled.has)
        gr_doctor_add(d, "cri-off", place_of(&c->cri_disabled),
                      gr_doctor_text(d,
                                     "take \"cri\" out of disabled_plugins, then: %s; on a node of "
                                     "Docker only, see docker-ignores-hooks",
                                     gr_doctor_restart(d)),
                      "containerd's service for pods is switched off, as Docker's packages do it");
}
