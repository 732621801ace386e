/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/ways.h"

#include "app/way.h"

#define UNIT "grapnel.service"

/* Where systemd looks for units, and so for links that have others start them. */
static const char *const unit_dirs[] = {
    "/etc/systemd/system", "/run/systemd/system",     "/usr/local/lib/systemd/system",
    "/lib/systemd/system", "/usr/lib/systemd/system",
};

/* ---- the unit ---- */

static bool is_masked(struct gr_doctor *d)
{
    for (size_t i = 0; i < 2; i++) {
        const char *link = gr_doctor_link(d->host, gr_doctor_text(d, "%s/" UNIT, unit_dirs[i]));

        if (link && strcmp(link, "/dev/null") == 0)
            return true;
    }
    return false;
}

static bool starts_others(const char *dir)
{
    struct gr_str name = gr_str_from(dir);

    return gr_str_has_suffix(name, GR_STR(".wants")) ||
           gr_str_has_suffix(name, GR_STR(".requires")) ||
           gr_str_has_suffix(name, GR_STR(".upholds"));
}

/* The link by which systemd starts it in one of the directories; one that leads nowhere starts
 * nothing. */
static const char *find_link(struct gr_doctor *d, const char *dir)
{
    struct gr_doctor_entries entries;

    if (gr_doctor_list(d->host, dir, &entries) != 0)
        return NULL;
    for (size_t i = 0; i < entries.n; i++) {
        const char *link;

        if (!starts_others(entries.items[i].name))
            continue;
        link = gr_doctor_text(d, "%s/%s/" UNIT, dir, entries.items[i].name);
        if (gr_doctor_exists(d->host, link))
            return link;
    }
    return NULL;
}

static const char *find_enabled(struct gr_doctor *d)
{
    const char *link = NULL;

    if (is_masked(d))
        return NULL;
    for (size_t i = 0; i < GR_ARRAY_LEN(unit_dirs) && !link; i++)
        link = find_link(d, unit_dirs[i]);
    return link;
}

/* ---- what runs ---- */

static const struct gr_doctor_proc *find_proc(const struct gr_doctor *d, enum gr_way way)
{
    for (size_t i = 0; i < d->procs.n; i++) {
        const struct gr_doctor_proc *proc = &d->procs.items[i];

        if (proc->program == GR_PROGRAM_PLUGIN && proc->way == way)
            return proc;
    }
    return NULL;
}

static const struct gr_instance *find_instance(const struct gr_doctor *d, enum gr_way way)
{
    for (size_t i = 0; i < d->instances.n; i++) {
        if (d->instances.items[i].way == way)
            return &d->instances.items[i];
    }
    return NULL;
}

/* Whether the one that answered at the control socket came so. */
static bool answered(const struct gr_doctor *d, enum gr_way way)
{
    const json_t *process = json_object_get(d->plugin.status, "process");
    const char *mode = json_string_value(json_object_get(process, "mode"));

    return mode && strcmp(mode, gr_way_name(way)) == 0;
}

static bool runs(const struct gr_doctor *d, enum gr_way way)
{
    return find_proc(d, way) || find_instance(d, way) || answered(d, way);
}

/* ---- each way ---- */

static bool look_for_launched(struct gr_doctor *d, struct gr_doctor_way *out)
{
    if (d->entry) {
        out->found = gr_doctor_text(d, "the runtime launches %s", d->entry);
        out->fix = gr_doctor_text(d, "rm %s, then: %s", d->entry, gr_doctor_restart(d));
        return true;
    }
    if (!runs(d, GR_WAY_LAUNCHED))
        return false;
    out->found = "one runs that the runtime launched";
    out->fix = gr_doctor_restart(d);
    return true;
}

static bool look_for_unit(struct gr_doctor *d, struct gr_doctor_way *out)
{
    const struct gr_doctor_proc *proc = find_proc(d, GR_WAY_UNIT);
    const struct gr_instance *instance = find_instance(d, GR_WAY_UNIT);
    const char *link = find_enabled(d);
    const char *name = UNIT;

    if (proc)
        name = proc->unit;
    else if (instance && instance->unit[0])
        name = instance->unit;
    if (runs(d, GR_WAY_UNIT))
        out->found = gr_doctor_text(d, "the unit %s runs", name);
    else if (link)
        out->found = gr_doctor_text(d, "the unit " UNIT " is enabled (%s)", link);
    else
        return false;
    out->fix = gr_doctor_text(d, "systemctl disable --now %s", name);
    return true;
}

static bool look_for_pod(struct gr_doctor *d, struct gr_doctor_way *out)
{
    out->found = "a pod runs it, as from a DaemonSet";
    out->fix = "uninstall the chart, or keep its DaemonSet off this node (nodeSelector)";
    return runs(d, GR_WAY_POD);
}

static bool look_for_external(struct gr_doctor *d, struct gr_doctor_way *out)
{
    const struct gr_doctor_proc *proc = find_proc(d, GR_WAY_EXTERNAL);
    const struct gr_instance *instance = find_instance(d, GR_WAY_EXTERNAL);

    if (proc)
        out->found =
            gr_doctor_text(d, "process %u (%s) was started by hand", proc->pid, proc->args[0]);
    else if (instance)
        out->found = gr_doctor_text(d, "process %llu was started by hand",
                                    (unsigned long long)instance->pid);
    else
        out->found = "the process that answers was started by hand";
    out->fix = "end that process";
    return runs(d, GR_WAY_EXTERNAL);
}

size_t gr_doctor_ways(struct gr_doctor *d, struct gr_doctor_way out_ways[GR_WAY_COUNT])
{
    static const struct {
        enum gr_way way;
        bool (*look)(struct gr_doctor *d, struct gr_doctor_way *out);
    } ways[] = {{GR_WAY_LAUNCHED, look_for_launched},
                {GR_WAY_UNIT, look_for_unit},
                {GR_WAY_POD, look_for_pod},
                {GR_WAY_EXTERNAL, look_for_external}};
    size_t n = 0;

    for (size_t i = 0; i < GR_ARRAY_LEN(ways); i++) {
        out_ways[n].way = ways[i].way;
        n += ways[i].look(d, &out_ways[n]);
    }
    return n;
}
