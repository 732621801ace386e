/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_rules: the rules as the plugin would load them here, the programs that they name
 * and the places where programs may lie, and what this runtime does with their adjustments.
 *
 * Layer: app. Findings of the load keep their codes (specs/errors.md).
 */
#include "app/doctor/doctor.h"
#include "app/exit.h"
#include "load/program.h"
#include "rules/adjust.h"

#define MOUNTS_BYTES_MAX (4U << 20)

static void on_finding(void *user, enum gr_level level, const struct gr_err *err)
{
    struct gr_doctor *d = user;
    const struct gr_doctor_finding finding = {
        .code = err->code,
        .level = level,
        .file = err->file[0] ? gr_doctor_text(d, "%s", err->file) : NULL,
        .line = err->line,
        .found = gr_doctor_text(d, "%s", err->text),
    };

    if (level <= GR_LEVEL_WARNING)
        gr_doctor_put(d, &finding);
}

/* ---- the mounts of the host ---- */

struct mount {
    struct gr_str point, options;
};

/* The n-th word, from 0. */
static struct gr_str word(struct gr_str line, int n)
{
    for (; n > 0; n--)
        line = gr_str_skip(line, gr_str_find(line, ' ') + 1);
    return gr_str_first(line, gr_str_find(line, ' '));
}

static bool is_below(struct gr_str path, struct gr_str dir)
{
    return gr_str_is(dir, "/") || gr_str_eq(path, dir) ||
           (gr_str_has_prefix(path, dir) && path.p[dir.n] == '/');
}

/* The mount of the host that a path without links lies on; of several at one place the last. */
static bool find_mount(struct gr_doctor *d, const char *path, struct mount *out_mount)
{
    struct gr_str text;
    bool found = false;

    if (gr_doctor_read(d->host, "/proc/1/mountinfo", MOUNTS_BYTES_MAX, &text) != 0)
        return false;
    while (text.n > 0) {
        struct gr_str line = gr_str_first(text, gr_str_find(text, '\n'));
        struct mount mount = {.point = word(line, 4), .options = word(line, 5)};

        if (is_below(gr_str_from(path), mount.point) &&
            (!found || mount.point.n >= out_mount->point.n)) {
            *out_mount = mount;
            found = true;
        }
        text = gr_str_skip(text, line.n + 1);
    }
    return found;
}

static bool has_option(struct gr_str options, const char *wanted)
{
    while (options.n > 0) {
        struct gr_str option = gr_str_first(options, gr_str_find(options, ','));

        if (gr_str_is(option, wanted))
            return true;
        options = gr_str_skip(options, option.n + 1);
    }
    return false;
}

/* ---- programs and their places ---- */

/* Where a path really is; path itself where it is not there. */
static const char *really(struct gr_doctor *d, const char *path)
{
    return gr_doctor_exists(d->host, path) ? gr_doctor_text(d, "%s", d->host->walk.path) : path;
}

static void check_noexec(struct gr_doctor *d, const char *path, struct gr_doctor_place at)
{
    struct mount mount;

    if (find_mount(d, really(d, path), &mount) && has_option(mount.options, "noexec"))
        gr_doctor_add(d, "hook-dir-noexec", at,
                      gr_doctor_text(d,
                                     "put hook programs elsewhere, such as /opt/grapnel/hooks, "
                                     "or: mount -o remount,exec %.*s",
                                     GR_STR_FMT(mount.point)),
                      "%s lies on %.*s, which is mounted noexec", path, GR_STR_FMT(mount.point));
}

static void check_hooks(struct gr_doctor *d, const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < set->hooks[stage].n && stage != GR_STAGE_START_CONTAINER; i++) {
            const struct gr_hook *hook = &set->hooks[stage].items[i];

            check_noexec(d, hook->path.p, (struct gr_doctor_place){set->file.p, hook->line});
        }
    }
}

static void check_dir(struct gr_doctor *d, const char *dir, struct gr_doctor_place at)
{
    struct mount mount;
    bool read_only = find_mount(d, really(d, dir), &mount) && has_option(mount.options, "ro");

    check_noexec(d, dir, at);
    if (!gr_doctor_exists(d->host, dir))
        gr_doctor_add(d, "hook-dir-missing", at,
                      read_only ? "its file system is mounted read-only: allow another directory, "
                                  "on one that is not"
                                : gr_doctor_text(d, "mkdir -p %s", dir),
                      "%s is not there", dir);
    else if (read_only)
        gr_doctor_add(d, "hook-dir-read-only", at,
                      "ship the programs with the system's image, or allow another directory",
                      "%s lies on %.*s, which is mounted read-only", dir, GR_STR_FMT(mount.point));
}

static void check_dirs(struct gr_doctor *d, const struct gr_policies *policies)
{
    for (size_t i = 0; i < policies->n; i++) {
        const struct gr_policy *policy = &policies->items[i];

        for (size_t k = 0; policy->has_hook_dirs && k < policy->hook_dirs.n; k++)
            check_dir(d, gr_doctor_text(d, "%.*s", GR_STR_FMT(policy->hook_dirs.items[k])),
                      (struct gr_doctor_place){policy->file.p, policy->hook_dirs_line});
    }
}

/* ---- what the runtime does with adjustments ---- */

static void check_adjust(struct gr_doctor *d, const struct gr_hookset *set)
{
    const struct gr_runtime *r = &d->runtime;

    for (size_t i = 0; i < set->adjust_n; i++) {
        const struct gr_adjust_entry *entry = &set->adjust[i];
        const char *name = entry->kind == GR_ADJUST_RESOURCE ? gr_resource_name(entry->resource)
                                                             : gr_adjust_kind_name(entry->kind);
        const struct gr_feature *feature = gr_feature_find(name);

        if (feature && gr_feature_missing(feature, r->kind, r->release))
            gr_doctor_add(d, "adjust-ignored", (struct gr_doctor_place){set->file.p, entry->line},
                          "upgrade the runtime (see doctor --table), or take the adjustment out",
                          "%s %s does nothing with adjust.%s", gr_runtime_name(r->kind),
                          r->version ? r->version : "of this version", name);
    }
}

static void check_loaded(struct gr_doctor *d, const struct gr_loaded *loaded)
{
    const struct gr_ruleset *rules = loaded->load.ruleset;
    size_t in_force = 0;

    for (size_t i = 0; i < gr_ruleset_count(rules); i++) {
        const struct gr_hookset *set = gr_ruleset_at(rules, i);

        if (set->blocked.n > 0 || set->other_node)
            continue;
        in_force++;
        check_hooks(d, set);
        check_adjust(d, set);
    }
    check_dirs(d, gr_ruleset_policies(rules));
    if (in_force == 0)
        gr_doctor_add(
            d, "no-rules", GR_DOCTOR_NOWHERE,
            "grapnel list shows what becomes of each file; grapnel schema HookSet and the "
            "examples show what a rule looks like",
            "of %zu %s in %zu %s none is in force on this node", gr_ruleset_count(rules),
            gr_ruleset_count(rules) == 1 ? "set" : "sets", loaded->load.files_n,
            loaded->load.files_n == 1 ? "file" : "files");
    gr_doctor_note(d, "%zu %s in force", in_force, in_force == 1 ? "set is" : "sets are");
}

void gr_check_rules(struct gr_doctor *d)
{
    const struct gr_reporter reporter = {.report = on_finding, .user = d};
    struct gr_loaded loaded;

    if (gr_common_load(d->common, d->configure, true, &reporter, &loaded) != GR_EXIT_OK) {
        d->no_memory = true;
        return;
    }
    check_loaded(d, &loaded);
    if (gr_programs_check(&d->host->fs, loaded.settings.config.host_root, loaded.load.ruleset,
                          &reporter) != 0)
        d->no_memory = true;
    gr_common_unload(&loaded);
}
