/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/setup/autostart: the runtime launches this program from now on, or no more.
 *
 * Layer: app. Where it goes, and what else brings Grapnel to this node, is found as doctor finds
 * it.
 */
#include "app/setup/autostart.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "app/cli/setup/parts.h"
#include "app/doctor/ways.h"
#include "app/exit.h"
#include "version.h"

#define VERB "setup"

struct verb {
    const struct gr_setup *setup;
    struct gr_common common;
    struct gr_doctor doctor;
    char config[GR_LOAD_PATH_BYTES];
    struct gr_autostart autostart;
};

/* The host's own settings say where its run directory is. No plugin is asked: that one may hang. */
static int gather(struct verb *v)
{
    const struct gr_setup *setup = v->setup;
    struct gr_doctor *d = &v->doctor;

    v->common.verb = VERB;
    v->common.flags.config.host_root = setup->host_root;
    v->common.flags.config.origins[GR_SETTING_HOST_ROOT] =
        (struct gr_setting_origin){.has = true, .source = GR_CONFIG_FLAG};
    (void)snprintf(v->config, sizeof(v->config), "%s%s", setup->host_root, GR_CONFIG_DEFAULT);
    if (setup->config_path)
        v->common.flags.config_path = setup->config_path;
    else if (setup->has_host_root)
        v->common.flags.config_path = v->config;
    d->common = &v->common;
    d->control = "";
    d->from_host = true;
    return gr_doctor_gather(d);
}

static int refuse_others(struct verb *v, struct gr_err *err)
{
    struct gr_doctor_way ways[GR_WAY_COUNT];
    size_t n = gr_doctor_ways(&v->doctor, ways);

    for (size_t i = 0; i < n; i++) {
        if (ways[i].way != GR_WAY_LAUNCHED)
            return gr_fail(err, -EEXIST, "setup-mode",
                           "expected that Grapnel comes to this node in no other way, found that "
                           "%s: two would both be asked about each container; keep that, or end "
                           "it first: %s",
                           ways[i].found, ways[i].fix);
    }
    return 0;
}

/* ---- what is said ---- */

static void say_elsewhere(struct verb *v)
{
    const struct gr_runtime *r = &v->doctor.runtime;

    if (!gr_doctor_same(v->doctor.host, v->autostart.to, r->plugin_dir))
        (void)printf("but %s launches what lies in %s%s%s\n", gr_runtime_name(r->kind),
                     r->plugin_dir, r->config.plugin_dir.has ? ", as is written in " : "",
                     r->config.plugin_dir.has ? r->config.plugin_dir.file : "");
}

/* Nothing is restarted here: that is for whoever knows what the node is doing. */
static void say_next(struct verb *v, bool gone)
{
    struct gr_doctor *d = &v->doctor;
    const struct gr_runtime *r = &d->runtime;
    bool there = gr_runtime_has_nri(r);
    const char *name = there ? gr_runtime_name(r->kind) : "the runtime";
    const char *restart = there ? gr_doctor_restart(d) : "restart it";

    if (gone)
        (void)printf("what %s launched before goes on until %s is restarted: %s\n", name, name,
                     restart);
    else
        (void)printf("%s launches it when it starts the next time, and not before: %s\n", name,
                     restart);
    if (!gone && there && !r->nri_on)
        (void)printf("NRI is off in %s: grapnel doctor says how to switch it on\n", name);
}

static void say_put(struct verb *v, const struct gr_autostarted *done)
{
    const char *to = v->autostart.to;
    const char *would = v->setup->dry_run ? "would be " : "";
    const struct gr_autostart_entry *before = &done->before;

    if (done->same)
        (void)printf("%s/%s is this program already, version " GR_VERSION "%s\n", to, done->name,
                     before->is_link ? ", by a link" : "");
    else if (before->name[0])
        (void)printf("%s/%s %sreplaced: %s of version %s by version " GR_VERSION "\n", to,
                     done->name, would, before->is_link ? "a link to one" : "one", before->version);
    else
        (void)printf("%s/%s %swritten: version " GR_VERSION "\n", to, done->name, would);
    say_elsewhere(v);
    if (!done->same)
        say_next(v, false);
}

static int put(struct verb *v)
{
    struct gr_err err = {0};
    struct gr_autostarted done;
    int rc = refuse_others(v, &err);
    int code;

    if (rc == 0)
        rc = gr_autostart_put(&v->autostart, &done, &err);
    if (rc == 0)
        say_put(v, &done);
    code = gr_setup_end(rc, &err);
    return rc == -EEXIST ? GR_EXIT_FAILED : code;
}

static int undo(struct verb *v)
{
    const char *to = v->autostart.to;
    struct gr_autostart_list gone;
    struct gr_err err = {0};
    int rc = gr_autostart_undo(&v->autostart, &gone, &err);

    for (size_t i = 0; i < gone.n; i++)
        (void)printf("%s/%s %sremoved: version %s%s\n", to, gone.items[i].name,
                     v->setup->dry_run ? "would be " : "", gone.items[i].version,
                     gone.items[i].is_link ? ", a link" : "");
    if (gone.n > 0)
        say_next(v, true);
    else if (rc == 0)
        (void)printf("there is no program of Grapnel's in %s\n", to);
    return gr_setup_end(rc, &err);
}

int gr_setup_autostart(const struct gr_setup *setup)
{
    struct verb *v;
    int code;

    if (setup->undo && setup->index)
        return gr_usage(VERB, "--undo without --index", setup->index);
    v = calloc(1, sizeof(*v));
    if (!v) {
        (void)fputs("grapnel " VERB ": there is no memory\n", stderr);
        return GR_EXIT_FAILED;
    }
    v->setup = setup;
    code = gather(v);
    if (code == GR_EXIT_OK) {
        v->autostart = (struct gr_autostart){
            .fs = &setup->fs,
            .host_root = setup->host_root,
            .to = setup->to ? setup->to : v->doctor.runtime.plugin_dir,
            .index = setup->index,
            .dry_run = setup->dry_run,
            .wait_s = setup->wait ? setup->wait_s : GR_TURN_WAIT_S,
            .waits = gr_setup_waits,
        };
        code = setup->undo ? undo(v) : put(v);
    }
    gr_doctor_fini(&v->doctor);
    free(v);
    return code;
}
