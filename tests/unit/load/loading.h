/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of gr_load share: a recorder of findings and one call to load a host in memory.
 */
#ifndef GR_TESTS_LOAD_LOADING_H
#define GR_TESTS_LOAD_LOADING_H

#include "load/load.h"
#include "memfs.h"

#define HOOKS_LOW "/usr/share/grapnel/hooks.d"
#define HOOKS "/etc/grapnel/hooks.d"
#define HOOKS_HIGH "/run/grapnel/hooks.d"
#define LAST_GOOD "/var/lib/grapnel/last-good"

/* One document. Programs: /opt/hooks/x, which hosts of these tests may have. */
#define SET_WITH(name, more, path)                                                       \
    "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: " name "}\nspec:\n"    \
    "  match: {always: true}\n" more "  hooks:\n    createRuntime:\n      - path: " path \
    "\n        args: [x]\n"
#define SET(name) SET_WITH(name, "", "/opt/hooks/x")
#define SET_BAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec: {mtach: {always: true}}\n"

#define FINDINGS_KEPT 300

struct findings {
    struct gr_reporter reporter;
    size_t n;
    size_t errors;
    size_t warnings;
    struct gr_err kept[FINDINGS_KEPT];
    enum gr_level levels[FINDINGS_KEPT];
};

static inline void findings_add(void *user, enum gr_level level, const struct gr_err *err)
{
    struct findings *f = user;

    f->errors += level == GR_LEVEL_ERROR;
    f->warnings += level == GR_LEVEL_WARNING;
    if (f->n < FINDINGS_KEPT) {
        f->kept[f->n] = *err;
        f->levels[f->n] = level;
    }
    f->n++;
}

static inline void findings_init(struct findings *f)
{
    memset(f, 0, sizeof(*f));
    f->reporter = (struct gr_reporter){.report = findings_add, .user = f};
}

/* The first finding of this code, NULL when there is none. */
static inline const struct gr_err *findings_get(const struct findings *f, const char *code)
{
    for (size_t i = 0; i < f->n && i < FINDINGS_KEPT; i++) {
        if (f->kept[i].code && strcmp(f->kept[i].code, code) == 0)
            return &f->kept[i];
    }
    return NULL;
}

/* The same, which must be there. */
static inline const struct gr_err *findings_need(const struct findings *f, const char *code)
{
    const struct gr_err *err = findings_get(f, code);

    if (!err) {
        fail_msg("expected a finding %s", code);
        abort();
    }
    return err;
}

static inline size_t findings_count(const struct findings *f, const char *code)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n && i < FINDINGS_KEPT; i++)
        n += f->kept[i].code && strcmp(f->kept[i].code, code) == 0;
    return n;
}

static inline void findings_print(const struct findings *f)
{
    for (size_t i = 0; i < f->n && i < FINDINGS_KEPT; i++) {
        char line[1200];

        gr_err_format(&f->kept[i], f->levels[i], line, sizeof(line));
        print_message("# [%s] %s\n", f->kept[i].code ? f->kept[i].code : "", line);
    }
}

/* One of this code whose text holds this. */
static inline void assert_finding(const struct findings *f, const char *code, const char *text)
{
    for (size_t i = 0; i < f->n && i < FINDINGS_KEPT; i++) {
        if (f->kept[i].code && strcmp(f->kept[i].code, code) == 0 && strstr(f->kept[i].text, text))
            return;
    }
    findings_print(f);
    fail_msg("expected a finding %s with \"%s\"", code, text);
}

static inline void assert_no_findings(const struct findings *f)
{
    if (f->n > 0) {
        findings_print(f);
        fail_msg("expected no findings, found %zu", f->n);
    }
}

struct loaded {
    struct memfs *m;
    struct findings findings;
    struct gr_load_result result;
    struct gr_load_options options;
};

static const char *const hook_dirs[] = {HOOKS_LOW, HOOKS, HOOKS_HIGH};

/* A host with the three directories and /opt/hooks/x. */
static inline void host_init(struct memfs *m)
{
    memfs_init(m);
    mem_dir(m, HOOKS_LOW);
    mem_dir(m, HOOKS);
    mem_dir(m, HOOKS_HIGH);
    mem_dir(m, "/var/lib");
    mem_program(m, "/opt/hooks/x");
}

static inline struct loaded *loaded_new(struct memfs *m)
{
    struct loaded *l = calloc(1, sizeof(*l));

    assert_non_null(l);
    l->m = m;
    findings_init(&l->findings);
    l->options = (struct gr_load_options){
        .fs = &m->fs,
        .dirs = hook_dirs,
        .dirs_n = GR_ARRAY_LEN(hook_dirs),
        .host_root = "/",
        .programs_dir = "/opt/grapnel/programs",
        .last_good_dir = LAST_GOOD,
        .node_name = GR_STR("node-1"),
        .check_host = true,
    };
    return l;
}

/* Loads (again): what was loaded before goes away. */
static inline void load_again(struct loaded *l)
{
    gr_ruleset_unref(l->result.ruleset);
    l->result = (struct gr_load_result){0};
    findings_init(&l->findings);
    assert_int_equal(gr_load(&l->options, &l->findings.reporter, &l->result), 0);
    assert_int_equal(l->result.errors, l->findings.errors);
    assert_int_equal(l->result.warnings, l->findings.warnings);
    assert_int_equal(l->m->open_n, 0);
    assert_int_equal(gr_ruleset_count(l->result.ruleset), l->result.sets);
}

static inline struct loaded *load(struct memfs *m)
{
    struct loaded *l = loaded_new(m);

    load_again(l);
    return l;
}

static inline void loaded_free(struct loaded *l)
{
    gr_ruleset_unref(l->result.ruleset);
    free(l);
}

/* NULL when there is none. */
static inline const struct gr_hookset *find_set(const struct loaded *l, const char *name)
{
    for (size_t i = 0; i < gr_ruleset_count(l->result.ruleset); i++) {
        const struct gr_hookset *set = gr_ruleset_at(l->result.ruleset, i);

        if (gr_str_is(set->name, name))
            return set;
    }
    return NULL;
}

/* The same, which must be there. */
static inline const struct gr_hookset *set_of(const struct loaded *l, const char *name)
{
    const struct gr_hookset *set = find_set(l, name);

    if (!set) {
        findings_print(&l->findings);
        fail_msg("expected the set %s in force", name);
        abort(); /* the compiler does not know that fail_msg stays away */
    }
    return set;
}

/* The names in force, in any order: "a b c" holds all and nothing else. */
static inline void assert_sets(const struct loaded *l, const char *names)
{
    size_t n = 0;

    while (*names) {
        char name[64];
        size_t len = strcspn(names, " ");

        (void)snprintf(name, sizeof(name), "%.*s", (int)len, names);
        (void)set_of(l, name);
        names += len + (names[len] == ' ');
        n++;
    }
    if (l->result.sets != n) {
        findings_print(&l->findings);
        fail_msg("expected %zu sets, found %zu", n, l->result.sets);
    }
}

static inline const struct gr_file_report *file_of(const struct loaded *l, const char *path)
{
    for (size_t i = 0; i < l->result.files_n; i++) {
        if (gr_str_is(l->result.files[i].path, path))
            return &l->result.files[i];
    }
    fail_msg("expected %s among the files", path);
    abort();
}

static inline void assert_state(const struct loaded *l, const char *path, enum gr_file_state state)
{
    enum gr_file_state found = file_of(l, path)->state;

    if (found != state) {
        findings_print(&l->findings);
        fail_msg("%s: expected state %d, found %d", path, (int)state, (int)found);
    }
}

#endif
