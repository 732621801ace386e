/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_plugin_dir: what the runtime would start as plugins, and their settings.
 *
 * Layer: app. As NRI's discovery sees the directory: folders and what is not executable are passed
 * over, a link always counts as executable, and one other name than NN-NAME ends the discovery.
 */
#include <errno.h>

#include "app/doctor/ways.h"
#include "app/way.h"
#include "base/utf8.h"

/* What a runtime may hand over in one message. */
#define CONFIG_BYTES_MAX (4U << 20)

static void check_entry(struct gr_doctor *d, const struct gr_doctor_entry *entry)
{
    const char *path = gr_doctor_text(d, "%s/%s", d->runtime.plugin_dir, entry->name);
    bool link = S_ISLNK(entry->st.st_mode);

    if (S_ISDIR(entry->st.st_mode))
        return;
    if (!link && !(entry->st.st_mode & 0111)) {
        if (gr_doctor_is_plugin_name(entry->name) &&
            strcmp(gr_doctor_plain_name(entry->name), "grapnel") == 0)
            gr_doctor_add(d, "plugin-not-executable", GR_DOCTOR_FILE(path),
                          gr_doctor_text(d, "chmod 0755 %s, then: %s", path, gr_doctor_restart(d)),
                          "this plugin is not executable");
        return;
    }
    if (!gr_doctor_is_plugin_name(entry->name)) {
        gr_doctor_add(d, "bad-plugin-name", GR_DOCTOR_FILE(path),
                      gr_doctor_text(d,
                                     "rm %s (or move it elsewhere, or call it NN-NAME with two "
                                     "digits if it is a plugin)",
                                     path),
                      "%s is no name of a plugin%s", entry->name,
                      link ? ", and a link counts as executable" : "");
        return;
    }
    if (link && !gr_doctor_exists(d->host, path))
        gr_doctor_add(d, "dangling-plugin", GR_DOCTOR_FILE(path), gr_doctor_text(d, "rm %s", path),
                      "this link leads nowhere");
    if (!gr_doctor_is_our_entry(d, entry))
        return;
    if (gr_doctor_is_backup(entry->name))
        gr_doctor_add(d, "backup-plugin", GR_DOCTOR_FILE(path),
                      gr_doctor_text(d, "rm %s, then: %s", path, gr_doctor_restart(d)),
                      "this copy of Grapnel is a plugin to the runtime");
    else if (strcmp(path, d->entry) != 0)
        gr_doctor_add(d, "several-entries", GR_DOCTOR_FILE(path),
                      gr_doctor_text(d, "rm %s, then: %s", path, gr_doctor_restart(d)),
                      "beside %s this is a second entry of Grapnel", d->entry);
}

/* ---- settings that the runtime hands over ---- */

struct refused {
    struct gr_doctor *d;
    const char *path;
};

static void on_finding(void *user, enum gr_level level, const struct gr_err *err)
{
    struct refused *refused = user;
    struct gr_doctor *d = refused->d;

    if (level == GR_LEVEL_ERROR)
        gr_doctor_add(
            d, "plugin-config-refused", (struct gr_doctor_place){refused->path, err->line},
            gr_doctor_text(d, "mend it, then: %s", gr_doctor_restart(d)), "%s", err->text);
}

static int check_text(struct gr_doctor *d, const char *path, struct gr_str text)
{
    struct refused refused = {d, path};
    const struct gr_reporter reporter = {.report = on_finding, .user = &refused};
    const struct gr_config_text source = {.text = text, .name = path, .source = GR_CONFIG_NRI};
    struct gr_config ignored = {0};
    int r;

    if (gr_utf8_is_clean(text)) {
        r = gr_config_decode(&d->arena, &source, &reporter, &ignored);
        return r < 0 ? r : 0;
    }
    gr_doctor_add(d, "plugin-config-refused", GR_DOCTOR_FILE(path), "save it as UTF-8",
                  "this text is no UTF-8, so the runtime cannot hand it over and drops the plugin");
    return 0;
}

/* The file of a plugin: NN-NAME.conf, then NAME.conf; the first one that is there counts. */
static void check_config(struct gr_doctor *d, const char *plugin, bool ours)
{
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? plugin : gr_doctor_plain_name(plugin);
        const char *path = gr_doctor_text(d, "%s/%s.conf", d->runtime.config_dir, name);
        struct gr_str text;
        int r = gr_doctor_read(d->host, path, CONFIG_BYTES_MAX, &text);

        if (r == -ENOENT)
            continue;
        if (r != 0)
            gr_doctor_add(d, "plugin-config-unreadable", GR_DOCTOR_FILE(path),
                          gr_doctor_text(d, "rm -r %s, or put a readable file there", path),
                          "the runtime cannot read this: %s", strerror(-r));
        else if (ours && check_text(d, path, text) != 0)
            d->no_memory = true;
        if (r == 0 && ours && d->configure.n == 0)
            d->configure = text;
        return;
    }
}

/* An entry of this directory that has our name and that suffix. */
static const char *find_ours(struct gr_doctor *d, const char *dir, const char *suffix)
{
    struct gr_doctor_entries entries;

    if (gr_doctor_list(d->host, dir, &entries) != 0)
        return NULL;
    for (size_t i = 0; i < entries.n; i++) {
        const char *name = entries.items[i].name;

        if (strncmp(gr_doctor_plain_name(name), "grapnel", 7) == 0 &&
            gr_str_has_suffix(gr_str_from(name), gr_str_from(suffix)))
            return gr_doctor_text(d, "%s/%s", dir, name);
    }
    return NULL;
}

/* Something of ours in the default directory while the runtime has another one. */
static void check_elsewhere(struct gr_doctor *d, const char *code, const char *usual,
                            const char *real, const char *suffix,
                            const struct gr_runtime_setting *setting)
{
    const char *path;

    if (gr_doctor_same(d->host, usual, real))
        return;
    path = find_ours(d, usual, suffix);
    if (path)
        gr_doctor_add(d, code, GR_DOCTOR_FILE(path),
                      gr_doctor_text(d, "mv %s %s/, then: %s", path, real, gr_doctor_restart(d)),
                      "the runtime reads %s, as %s:%u says", real, setting->file, setting->line);
}

/* ---- more than one ---- */

#define KEEP_ONE                                                                                  \
    "keep one of: the entry in the plugin directory, the unit, the DaemonSet; during an upgrade " \
    "wait until the old one has gone"

/* Those that processes are not seen of, in pods, tell of themselves. */
static void check_instances(struct gr_doctor *d)
{
    const struct gr_instance *one = &d->instances.items[0];
    const struct gr_instance *other = &d->instances.items[1];

    if (d->instances.n < 2)
        return;
    gr_doctor_add(d, "several-processes", GR_DOCTOR_NOWHERE, KEEP_ONE,
                  "%zu instances of Grapnel run: %s %s, and %s %s", d->instances.n, one->name,
                  gr_way_words(one->way, one->unit).text, other->name,
                  gr_way_words(other->way, other->unit).text);
}

static void check_processes(struct gr_doctor *d)
{
    const struct gr_doctor_proc *first = NULL;
    bool several = false;

    for (size_t i = 0; i < d->procs.n; i++) {
        const struct gr_doctor_proc *proc = &d->procs.items[i];

        if (proc->program != GR_PROGRAM_PLUGIN)
            continue;
        several = several || first;
        if (first)
            gr_doctor_add(d, "several-processes", GR_DOCTOR_NOWHERE, KEEP_ONE,
                          "Grapnel runs as process %u (%s), %s, and as process %u (%s), %s",
                          first->pid, first->args[0], gr_way_words(first->way, first->unit).text,
                          proc->pid, proc->args[0], gr_way_words(proc->way, proc->unit).text);
        else
            first = proc;
    }
    if (!several)
        check_instances(d);
}

static void check_ways(struct gr_doctor *d)
{
    struct gr_doctor_way ways[GR_WAY_COUNT];
    size_t n = gr_doctor_ways(d, ways);
    const char *found = "", *fix = "";

    for (size_t i = 0; i < n; i++) {
        found = gr_doctor_text(d, "%s%s%s", found, i > 0 ? "; " : "", ways[i].found);
        fix = gr_doctor_text(d, "%s\n  %s", fix, ways[i].fix);
    }
    if (n > 1)
        gr_doctor_add(d, "two-ways", GR_DOCTOR_FILE(d->entry),
                      gr_doctor_text(d, "keep one; what ends each of them, in this order:%s", fix),
                      "Grapnel comes to this node in %zu ways: %s", n, found);
}

/* Whether the runtime would start it. */
static bool is_started(const struct gr_doctor_entry *entry)
{
    return gr_doctor_is_plugin_name(entry->name) && !S_ISDIR(entry->st.st_mode) &&
           (S_ISLNK(entry->st.st_mode) || entry->st.st_mode & 0111);
}

void gr_check_plugin_dir(struct gr_doctor *d)
{
    const struct gr_runtime *r = &d->runtime;
    struct gr_doctor_entries entries = {0};
    int rc;

    check_elsewhere(d, "plugin-dir-elsewhere", GR_NRI_PLUGIN_DIR, r->plugin_dir, "",
                    &r->config.plugin_dir);
    check_elsewhere(d, "conf-dir-elsewhere", GR_NRI_CONFIG_DIR, r->config_dir, ".conf",
                    &r->config.config_dir);
    rc = gr_doctor_list(d->host, r->plugin_dir, &entries);
    for (size_t i = 0; i < entries.n && rc == 0; i++) {
        check_entry(d, &entries.items[i]);
        if (is_started(&entries.items[i]))
            check_config(d, entries.items[i].name, gr_doctor_is_our_entry(d, &entries.items[i]));
    }
    check_processes(d);
    check_ways(d);
    if (d->entry)
        gr_doctor_note(d, "the runtime launches %s", d->entry);
}
