/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/convert/read: the files that are to be converted, and what each is.
 *
 * Layer: app.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "app/cli/convert/convert.h"
#include "app/cli/shared/text_file.h"
#include "app/exit.h"
#include "rules/limits.h"

/* Whoever names a pipe in a directory of hooks would have this wait for ever. */
#define NO_FILE "expected a regular file or a directory"

static int cannot_read(const char *path, const char *why)
{
    (void)fprintf(stderr, "grapnel convert: %s cannot be read: %s\n", path, why);
    return GR_EXIT_HOST;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct gr_str stem_of(const char *name)
{
    struct gr_str whole = gr_str_from(name);
    size_t dot = gr_str_rfind(whole, '.');

    return dot > 0 ? gr_str_first(whole, dot) : whole;
}

/* A later file masks an earlier one of the same name, as in oci-hooks(5). */
static struct gr_convert_input *find_masked(struct gr_convert *c, const char *name)
{
    for (size_t i = 0; i < c->inputs_n; i++) {
        if (c->inputs[i].kind == GR_FOREIGN_OCI_HOOKS && strcmp(c->inputs[i].name, name) == 0)
            return &c->inputs[i];
    }
    return NULL;
}

static int keep(struct gr_convert *c, const struct gr_convert_input *input)
{
    struct gr_convert_input *masked =
        input->kind == GR_FOREIGN_OCI_HOOKS ? find_masked(c, input->name) : NULL;

    if (masked) {
        (void)fprintf(stderr, "grapnel convert: %s masks %s\n", input->source.file,
                      masked->source.file);
        *masked = *input;
        return GR_EXIT_OK;
    }
    if (c->inputs_n == GR_CONVERT_FILES_MAX)
        return gr_usage("convert", "at most 4096 files", input->source.file);
    if (!c->inputs)
        c->inputs = gr_arena_array(&c->arena, GR_CONVERT_FILES_MAX, sizeof(*c->inputs));
    if (!c->inputs)
        return gr_convert_no_memory();
    c->inputs[c->inputs_n++] = *input;
    return GR_EXIT_OK;
}

static int report_unknown(struct gr_convert *c, const struct gr_source *source)
{
    struct gr_err err = {0};

    gr_fail(&err, 0, "unknown-format",
            "expected oci-hooks(5) JSON (an object with \"hook\" and \"stages\"), bare OCI hooks "
            "(with \"prestart\", \"poststop\" and so on, or with \"hooks\") or the toolkit's "
            "config.toml, found another JSON text; say what it is with --kind");
    gr_err_at(&err, source->file, 1, 1);
    gr_report(&c->reporter, GR_LEVEL_ERROR, &err);
    return GR_EXIT_OK;
}

static int add_toolkit(struct gr_convert *c, const struct gr_source *source)
{
    struct gr_convert_input input = {.kind = GR_FOREIGN_HOOK_SPEC};
    const char *path = NULL;
    int r = gr_convert_toml(c, source, &path);

    if (r != GR_EXIT_OK || !path)
        return r;
    input.name = last_part(path);
    input.source = (struct gr_source){.file = path, .stem = stem_of(input.name)};
    r = gr_read_text("convert", path, GR_YAML_FILE_MAX_BYTES, &c->arena, &input.source.text);
    return r == GR_EXIT_OK ? keep(c, &input) : r;
}

static bool is_toolkit(const struct gr_convert *c, const char *name)
{
    if (c->kind != GR_CONVERT_ANY)
        return c->kind == GR_CONVERT_TOOLKIT;
    return gr_str_has_suffix(gr_str_from(name), GR_STR(".toml"));
}

/* kind is GR_FOREIGN_UNKNOWN where the content decides. */
static int add_file(struct gr_convert *c, const char *path, enum gr_foreign kind)
{
    struct gr_convert_input input = {.name = last_part(path), .kind = kind};
    int r;

    input.source = (struct gr_source){.file = path, .stem = stem_of(input.name)};
    r = gr_read_text("convert", path, GR_YAML_FILE_MAX_BYTES, &c->arena, &input.source.text);
    if (r != GR_EXIT_OK)
        return r;
    if (is_toolkit(c, input.name))
        return add_toolkit(c, &input.source);
    if (c->kind != GR_CONVERT_ANY)
        input.kind = c->kind == GR_CONVERT_OCI_HOOKS ? GR_FOREIGN_OCI_HOOKS : GR_FOREIGN_HOOK_SPEC;
    if (input.kind == GR_FOREIGN_UNKNOWN) {
        r = gr_foreign_detect(&input.source, &c->reporter, &input.kind);
        if (r != 0)
            return r < 0 ? gr_convert_no_memory() : GR_EXIT_OK; /* reported: no JSON */
        if (input.kind == GR_FOREIGN_UNKNOWN)
            return report_unknown(c, &input.source);
    }
    return keep(c, &input);
}

static int is_json(const struct dirent *entry)
{
    return gr_str_has_suffix(gr_str_from(entry->d_name), GR_STR(".json"));
}

static int add_entry(struct gr_convert *c, const char *dir, const char *name)
{
    char *path = gr_arena_alloc(&c->arena, strlen(dir) + strlen(name) + 2);
    struct stat st;

    if (!path)
        return gr_convert_no_memory();
    (void)stpcpy(stpcpy(stpcpy(path, dir), "/"), name);
    if (stat(path, &st) != 0)
        return cannot_read(path, strerror(errno));
    return S_ISREG(st.st_mode) ? add_file(c, path, GR_FOREIGN_OCI_HOOKS)
                               : cannot_read(path, NO_FILE);
}

static int add_dir(struct gr_convert *c, const char *path)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_json, alphasort);
    int r = GR_EXIT_OK;

    if (n < 0)
        return cannot_read(path, strerror(errno));
    if (n == 0)
        (void)fprintf(stderr, "grapnel convert: %s holds no *.json file\n", path);
    for (int i = 0; i < n; i++) {
        if (r == GR_EXIT_OK)
            r = add_entry(c, path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int gr_convert_add(struct gr_convert *c, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return cannot_read(path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return add_dir(c, path);
    return S_ISREG(st.st_mode) ? add_file(c, path, GR_FOREIGN_UNKNOWN) : cannot_read(path, NO_FILE);
}
