/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_oci_hooks: files of oci-hooks(5) that nobody reads, or that two read.
 *
 * Layer: app. CRI-O and Podman read them themselves, containerd does not.
 */
#include "app/doctor/doctor.h"
#include "load/dirs.h"

static const char *const usual[] = {"/usr/share/containers/oci/hooks.d",
                                    "/etc/containers/oci/hooks.d"};

static size_t count_files(struct gr_doctor *d, const char *dir)
{
    struct gr_doctor_entries entries;
    size_t n = 0;

    if (gr_doctor_list(d->host, dir, &entries) != 0)
        return 0;
    for (size_t i = 0; i < entries.n; i++)
        n += gr_oci_name_fits(gr_str_from(entries.items[i].name));
    return n;
}

/* A directory of the settings is seen from here, one of the runtime below the host root. */
static bool same_dir(struct gr_doctor *d, const char *ours, const char *of_host)
{
    struct stat one, other;

    if (strcmp(ours, of_host) == 0)
        return true;
    return stat(ours, &one) == 0 && gr_doctor_stat(d->host, of_host, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static bool read_by_us(struct gr_doctor *d, const struct gr_config *config, const char *of_host)
{
    for (size_t i = 0; i < config->oci_hooks_dirs_n; i++) {
        if (same_dir(d, config->oci_hooks_dirs[i], of_host))
            return true;
    }
    return false;
}

static void check_unread(struct gr_doctor *d, const struct gr_config *config)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(usual); i++) {
        size_t n = count_files(d, usual[i]);

        if (n > 0 && !read_by_us(d, config, usual[i]))
            gr_doctor_add(d, "oci-hooks-unread", GR_DOCTOR_FILE(usual[i]),
                          gr_doctor_text(d,
                                         "in " GR_CONFIG_DEFAULT ", below spec:\n"
                                         "  ociHooksDirs: [%s]\n"
                                         "or write them as HookSets: grapnel convert %s",
                                         usual[i], usual[i]),
                          "%zu oci-hooks(5) %s here, and nobody on this node reads %s", n,
                          n == 1 ? "file lies" : "files lie", n == 1 ? "it" : "them");
    }
}

static void check_twice(struct gr_doctor *d, const struct gr_config *config)
{
    const struct gr_runtime_setting *setting = &d->runtime.config.hooks_dirs;
    const struct gr_toml_node *item = setting->list ? setting->list->first : NULL;
    const char *dir = setting->has ? NULL : usual[0]; /* what CRI-O reads by itself */
    uint32_t line = 0;

    while (item || dir) {
        if (item) {
            dir = gr_doctor_text(d, "%.*s", GR_STR_FMT(item->text));
            line = item->line;
            item = item->next;
        }
        if (count_files(d, dir) > 0 && read_by_us(d, config, dir))
            gr_doctor_add(
                d, "oci-hooks-twice", (struct gr_doctor_place){setting->file, line},
                gr_doctor_text(d, "take %s out of ociHooksDirs (or --oci-hooks-dir)", dir),
                "%s is read by CRI-O and by Grapnel", dir);
        dir = NULL;
    }
}

void gr_check_oci_hooks(struct gr_doctor *d)
{
    const struct gr_config *config = &d->settings.config;

    if (d->runtime.kind == GR_RUNTIME_CONTAINERD)
        check_unread(d, config);
    else if (d->runtime.kind == GR_RUNTIME_CRIO)
        check_twice(d, config);
}
