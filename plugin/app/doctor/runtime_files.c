/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>

#include "app/doctor/doctor.h"

/* One file of a runtime's configuration. Whole defaults have 15 KiB. */
#define FILE_BYTES_MAX (1U << 20)

/* What is no TOML is kept, too: it is a finding. */
static int parse(struct gr_doctor *d, struct gr_runtime_file *file)
{
    struct gr_err err = {0};
    struct gr_str text;
    int r = gr_doctor_read(d->host, file->path, FILE_BYTES_MAX, &text);

    if (r == -ENOMEM || r == -ENOENT)
        return r;
    if (r != 0) {
        file->broken = gr_doctor_text(d, "it cannot be read: %s", strerror(-r));
        return 0;
    }
    r = gr_toml_read(&d->arena, text, &file->root, &err);
    if (r == -ENOMEM)
        return r;
    if (r != 0) {
        file->broken = gr_doctor_text(d, "%s", err.text);
        file->broken_line = err.line;
    }
    return 0;
}

int gr_runtime_add_file(struct gr_doctor *d, const char *path)
{
    struct gr_runtime_config *config = &d->runtime.config;
    struct gr_runtime_file file = {.path = path};
    struct stat st;
    int r;

    if (config->files_n == GR_RUNTIME_FILES_MAX) {
        config->files_left_out = true;
        return 0;
    }
    r = gr_doctor_stat(d->host, path, &st);
    if (r == -ENOENT || r == -ENOTDIR)
        return -ENOENT;
    if (r == 0)
        file.modified_s = st.st_mtim.tv_sec;
    r = parse(d, &file);
    if (r == 0)
        config->files[config->files_n++] = file;
    return r;
}

struct found {
    struct gr_str *items;
    size_t n, cap;
};

static int keep(struct gr_doctor *d, struct found *found, const char *dir, const char *name)
{
    if (found->n == found->cap)
        return 0;
    found->items[found->n] =
        gr_str_from(gr_doctor_text(d, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name));
    found->n++;
    return d->no_memory ? -ENOMEM : 0;
}

/* The entries of dir that one component names. */
static int match(struct gr_doctor *d, const char *dir, const char *component, struct found *found)
{
    struct gr_doctor_entries entries;
    int r;

    if (!strpbrk(component, "*?["))
        return keep(d, found, dir, component);
    r = gr_doctor_list(d->host, dir[0] ? dir : "/", &entries);
    if (r != 0)
        return r == -ENOMEM ? r : 0;
    for (size_t i = 0; i < entries.n && r == 0; i++) {
        if (fnmatch(component, entries.items[i].name, FNM_NOESCAPE) == 0)
            r = keep(d, found, dir, entries.items[i].name);
    }
    return r;
}

int gr_runtime_glob(struct gr_doctor *d, const char *pattern, struct gr_strs *out_paths)
{
    struct gr_str rest = gr_str_from(pattern);
    struct gr_str start = GR_STR("");
    struct gr_strs now = {.items = &start, .n = 1};

    while (rest.n > 0) {
        struct found found = {.cap = GR_RUNTIME_FILES_MAX};
        const char *component;
        int r = 0;

        rest = gr_str_skip(rest, rest.p[0] == '/');
        component = gr_arena_copy(&d->arena, gr_str_first(rest, gr_str_find(rest, '/')));
        found.items = gr_arena_array(&d->arena, found.cap, sizeof(*found.items));
        if (!component || !found.items)
            return -ENOMEM;
        for (size_t i = 0; i < now.n && r == 0; i++)
            r = match(d, now.items[i].p, component, &found);
        if (r != 0)
            return r;
        now = (struct gr_strs){.items = found.items, .n = found.n};
        rest = gr_str_skip(rest, gr_str_find(rest, '/'));
    }
    if (now.items == &start)
        now.n = 0; /* an empty pattern */
    *out_paths = now;
    return 0;
}

void gr_runtime_set(struct gr_doctor *d, struct gr_runtime_setting *setting, enum gr_toml_kind kind,
                    const struct gr_toml_node *value, const struct gr_runtime_file *file)
{
    struct gr_runtime_config *config = &d->runtime.config;
    struct gr_runtime_setting now = {.has = true, .file = file->path};

    if (!value)
        return;
    now.line = value->line;
    if (value->kind != kind) {
        config->wrong_type = gr_doctor_text(d, "%.*s", GR_STR_FMT(value->key));
        config->wrong_place = now;
        config->wrong_place.text = gr_toml_kind_name(value->kind);
        return;
    }
    now.is_true = value->is_true;
    now.list = kind == GR_TOML_LIST ? value : NULL;
    if (kind == GR_TOML_TEXT)
        now.text = gr_doctor_text(d, "%.*s", GR_STR_FMT(value->text));
    *setting = now;
}
