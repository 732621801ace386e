/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/convert/toml: config.toml of the Container Hooks Toolkit.
 *
 * Layer: app.
 */
#include <errno.h>

#include "app/cli/convert/convert.h"
#include "app/exit.h"
#include "base/toml.h"
#include "rules/read/strict.h"

/* Where the toolkit looks when config.toml names nothing. */
#define DEFAULT_PATH "/etc/container-hooks/hooks.json"

#define COUNTERPART_CODE "no-counterpart"

struct toml {
    struct gr_convert *c;
    const struct gr_source *source;
    struct gr_str path; /* container-hooks.path; n == 0: not given */
};

static const struct counterpart {
    const char *table, *key, *text;
} counterparts[] = {
    {"container-hooks-ctk", "path", "grapnel is one program and needs no path of another one"},
    {"container-hooks-runtime", "debug",
     "Grapnel logs to stderr or the journal: see --log-format of grapnel plugin"},
    {"container-hooks-runtime", "log-level", "set logLevel in Grapnel's configuration"},
    {"container-hooks-runtime", "runtimes",
     "hooks are added through NRI, no wrapper stands before the runtime"},
};

static void say_counterpart(const struct toml *t, const struct gr_toml_node *table,
                            const struct gr_toml_node *entry)
{
    const char *text = "Grapnel does not know it either";
    struct gr_err err = {0};

    for (size_t i = 0; i < GR_ARRAY_LEN(counterparts); i++) {
        if (gr_str_is(table->key, counterparts[i].table) &&
            gr_str_is(entry->key, counterparts[i].key))
            text = counterparts[i].text;
    }
    gr_fail(&err, 0, COUNTERPART_CODE, "%.*s.%.*s has no counterpart in a HookSet: %s",
            GR_STR_FMT(gr_str_first(table->key, 64)), GR_STR_FMT(gr_str_first(entry->key, 64)),
            text);
    gr_err_at(&err, t->source->file, entry->line, entry->column);
    gr_report(&t->c->reporter, GR_LEVEL_WARNING, &err);
}

static int refuse_path(const struct toml *t, const struct gr_toml_node *entry)
{
    struct gr_err err = {0};

    gr_fail(&err, 0, "toml-syntax", "expected an absolute path in container-hooks.path, found %s",
            entry->kind == GR_TOML_TEXT ? "another text" : gr_toml_kind_name(entry->kind));
    gr_err_at(&err, t->source->file, entry->value_line, entry->value_column);
    gr_report(&t->c->reporter, GR_LEVEL_ERROR, &err);
    return GR_EXIT_FAILED;
}

/* Depth: see GR_TOML_DEPTH_MAX, which bounds each of the ways to nest tables. */
static int read_table(struct toml *t, const struct gr_toml_node *table)
{
    int r = GR_EXIT_OK;

    for (const struct gr_toml_node *entry = table->first; entry && r == GR_EXIT_OK;
         entry = entry->next) {
        if (entry->kind == GR_TOML_TABLE)
            r = read_table(t, entry);
        else if (!gr_str_is(table->key, "container-hooks") || !gr_str_is(entry->key, "path"))
            say_counterpart(t, table, entry);
        else if (entry->kind != GR_TOML_TEXT || entry->text.n == 0 || entry->text.p[0] != '/')
            r = refuse_path(t, entry);
        else
            t->path = entry->text;
    }
    return r;
}

int gr_convert_toml(struct gr_convert *c, const struct gr_source *source, const char **out_path)
{
    struct toml t = {.c = c, .source = source};
    const struct gr_toml_node *root;
    struct gr_err err = {0};
    int r = gr_toml_read(&c->arena, source->text, &root, &err);

    if (r == -ENOMEM)
        return gr_convert_no_memory();
    if (r) {
        gr_err_at(&err, source->file, err.line, err.column);
        gr_report(&c->reporter, GR_LEVEL_ERROR, &err);
        return GR_EXIT_OK; /* what was reported ends the run later, when all files were looked at */
    }
    if (read_table(&t, root) != GR_EXIT_OK)
        return GR_EXIT_OK;
    *out_path = t.path.n > 0 ? gr_arena_copy(&c->arena, t.path) : DEFAULT_PATH;
    return *out_path ? GR_EXIT_OK : gr_convert_no_memory();
}
