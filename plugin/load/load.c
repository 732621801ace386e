/* SPDX-License-Identifier: Apache-2.0 */
#include "load/load.h"

#include <errno.h>
#include <stdio.h>

#include "load/dirs.h"
#include "load/host.h"
#include "load/lastgood.h"
#include "load/source.h"
#include "load/store.h"
#include "rules/read/decode.h"
#include "rules/limits.h"
#include "rules/read/ocihooks.h"

#define ARENA_BLOCK_BYTES (64U << 10)

/* What one file gives to the rule set. */
struct part {
    struct gr_hookset *items;
    size_t n;
};

struct loader {
    const struct gr_load_options *options;
    const struct gr_reporter *reporter; /* the caller's */
    struct gr_reporter counting;        /* ours: counts and passes on */
    struct gr_load_result result;
    struct gr_arena arena;   /* the rule set's */
    struct gr_arena scratch; /* gone with the loader */
    struct gr_dirs dirs;
    struct gr_source_reader reader;
    struct gr_lastgood lastgood;
    struct gr_policies policies;
    struct gr_host host;
    struct gr_table names; /* of sets in force so far, to struct gr_hookset */
    struct gr_buf text;
    struct gr_buf old_text;
    size_t text_bytes;
    struct gr_file_report *files;
    struct part *parts;
    size_t parts_n;
};

static void count(void *user, enum gr_level level, const struct gr_err *err)
{
    struct loader *l = user;

    if (level == GR_LEVEL_ERROR)
        l->result.errors++;
    if (level == GR_LEVEL_WARNING)
        l->result.warnings++;
    gr_report(l->reporter, level, err);
}

static int decode(struct loader *l, const struct gr_rule_file *file, struct gr_str text,
                  const struct gr_reporter *reporter, struct gr_hooksets *out_sets)
{
    struct gr_source source = {
        .text = text,
        .file = file->path.p,
        .stem = gr_rule_name_stem(file->name),
        .version = l->options->version,
    };

    if (file->format == GR_FORMAT_OCI_HOOKS)
        return gr_ocihooks_decode(&l->arena, &source, reporter, out_sets);
    return gr_hooksets_decode(&l->arena, &source, reporter, out_sets);
}

static void report_duplicate(struct loader *l, const struct gr_hookset *set,
                             const struct gr_hookset *first)
{
    struct gr_err err = {0};

    gr_fail(&err, 0, "duplicate-name",
            "expected a set name that is unique over all files, found \"%.*s\" already at "
            "%.*s:%u; rename one of them",
            GR_STR_FMT(set->name), GR_STR_FMT(first->file), first->line);
    gr_err_at(&err, set->file.p, set->line, 1);
    gr_report(&l->counting, GR_LEVEL_ERROR, &err);
}

/* Enters the names of a file's sets; sets whose name is taken are dropped. */
static int claim_names(struct loader *l, struct gr_hooksets *sets, bool loudly)
{
    size_t kept = 0;

    for (size_t i = 0; i < sets->n; i++) {
        const struct gr_hookset *first = gr_table_get(&l->names, sets->items[i].name);
        int rc;

        if (first) {
            sets->rejected++;
            if (loudly)
                report_duplicate(l, &sets->items[i], first);
            continue;
        }
        if (kept != i)
            sets->items[kept] = sets->items[i];
        rc = gr_table_put(&l->names, sets->items[kept].name, &sets->items[kept]);
        if (rc != 0)
            return rc;
        kept++;
    }
    sets->n = kept;
    return 0;
}

static int release_names(struct loader *l, const struct gr_hooksets *sets)
{
    for (size_t i = 0; i < sets->n; i++) {
        int rc = gr_table_put(&l->names, sets->items[i].name, NULL);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int set_detail(struct loader *l, struct gr_file_report *report, const char *text)
{
    return gr_arena_str(&l->arena, gr_str_from(text), &report->detail) ? 0 : -ENOMEM;
}

static void report_last_good(struct loader *l, const struct gr_rule_file *file,
                             const struct gr_hooksets *sets)
{
    struct gr_err err = {0};

    if (sets->rejected == 0)
        gr_fail(&err, 0, "last-good",
                "the text of this file that was accepted last is in force instead (sets: %zu)",
                sets->n);
    else
        gr_fail(&err, 0, "last-good",
                "the text of this file that was accepted last is in force instead (sets: %zu; "
                "without %zu whose names are taken by other files)",
                sets->n, sets->rejected);
    gr_err_at(&err, file->path.p, 0, 0);
    gr_report(&l->counting, GR_LEVEL_WARNING, &err);
}

/*
 * Something in the file was refused: puts its last good text into force, if there is one. sets:
 * what of the new text was accepted, stays if there is none. text: the new one, n == 0 if not
 * readable.
 */
static int fall_back(struct loader *l, const struct gr_rule_file *file, struct gr_str text,
                     struct gr_hooksets *sets, struct gr_file_report *report)
{
    struct gr_hooksets old = {0};
    struct gr_err err = {0};
    int rc;

    report->state = GR_FILE_REJECTED;
    l->result.rejected += sets->rejected;
    gr_lastgood_hold(&l->lastgood, file->path);
    gr_buf_reset(&l->old_text, l->old_text.max);
    rc = gr_lastgood_read(&l->lastgood, file->path, &l->old_text);
    if (rc == GR_LASTGOOD_NONE || (rc == 0 && gr_str_eq(text, gr_buf_view(&l->old_text))))
        return 0;
    if (rc == 0)
        rc = decode(l, file, gr_buf_view(&l->old_text), NULL, &old);
    if (rc != 0)
        return rc;
    if (old.rejected > 0) {
        gr_fail(&err, 0, "last-good-outdated",
                "expected the text that was accepted last to be acceptable still, found that this "
                "version refuses it; it is not used");
        gr_err_at(&err, file->path.p, 0, 0);
        gr_report(&l->counting, GR_LEVEL_WARNING, &err);
        return 0;
    }
    rc = release_names(l, sets);
    if (rc == 0)
        rc = claim_names(l, &old, false);
    if (rc != 0)
        return rc;
    *sets = old;
    report->state = GR_FILE_LAST_GOOD;
    l->result.last_good++;
    report_last_good(l, file, sets);
    return 0;
}

static bool fits(struct loader *l, struct gr_err *err)
{
    if (l->text_bytes + l->text.len > GR_LOAD_TEXT_MAX_BYTES) {
        gr_fail(err, 0, "too-much-text",
                "expected at most %u bytes of rule files together, found more; this file is one "
                "too many",
                GR_LOAD_TEXT_MAX_BYTES);
        return false;
    }
    l->text_bytes += l->text.len;
    return true;
}

/* Reads and decodes a file. Returns a GR_SOURCE_ condition, 0 or -ENOMEM. */
static int take_file(struct loader *l, const struct gr_rule_file *file, struct gr_hooksets *sets,
                     struct gr_file_report *report)
{
    struct gr_err err = {0};
    int rc;

    if (file->refused)
        rc = GR_SOURCE_REFUSED;
    else
        rc = gr_source_read(&l->reader, l->dirs.dirs[file->dir].walk, file, &l->text, &err);
    if (rc == 0 && !fits(l, &err))
        rc = GR_SOURCE_REFUSED;
    if (rc == GR_SOURCE_REFUSED) {
        sets->rejected = 1;
        if (!file->refused) {
            gr_err_at(&err, file->path.p, 0, 0);
            gr_report(&l->counting, GR_LEVEL_ERROR, &err);
        }
        return set_detail(l, report, file->refused ? file->refused : err.text) ? -ENOMEM : rc;
    }
    if (rc != 0)
        return rc;
    rc = decode(l, file, gr_buf_view(&l->text), &l->counting, sets);
    return rc ? rc : claim_names(l, sets, true);
}

static int load_file(struct loader *l, const struct gr_rule_file *file)
{
    struct gr_file_report report = {.format = file->format};
    size_t findings = l->result.errors + l->result.warnings;
    struct gr_hooksets sets = {0};
    int rc = 0;

    if (!gr_arena_str(&l->arena, file->path, &report.path))
        return -ENOMEM;
    if (file->masked_by) {
        report.state = GR_FILE_MASKED;
        if (!gr_arena_str(&l->arena, file->masked_by->path, &report.masked_by))
            rc = -ENOMEM;
    } else {
        rc = take_file(l, file, &sets, &report);
        if (rc == GR_SOURCE_GONE)
            return 0;
        if (rc == GR_SOURCE_DISABLED) {
            report.state = GR_FILE_DISABLED;
            rc = 0;
        } else if (rc == GR_SOURCE_REFUSED) {
            rc = fall_back(l, file, GR_STR_NONE, &sets, &report);
        } else if (rc == 0 && sets.rejected > 0) {
            rc = fall_back(l, file, gr_buf_view(&l->text), &sets, &report);
        } else if (rc == 0) {
            rc = gr_lastgood_keep(&l->lastgood, file->path, gr_buf_view(&l->text));
        }
    }
    if (rc != 0)
        return rc;
    report.sets = sets.n;
    report.findings = l->result.errors + l->result.warnings - findings;
    l->files[l->result.files_n++] = report;
    if (sets.n > 0)
        l->parts[l->parts_n++] = (struct part){.items = sets.items, .n = sets.n};
    l->result.sets += sets.n;
    return 0;
}

/* A broken directory freezes its files as they were accepted last, also those it does not show. */
static int add_frozen(struct loader *l)
{
    for (size_t i = 0; i < l->dirs.dirs_n; i++) {
        const struct gr_rule_dir *dir = &l->dirs.dirs[i];
        size_t dir_n = strlen(dir->path);

        for (size_t k = 0; dir->broken && k < l->lastgood.all_n; k++) {
            struct gr_str path = l->lastgood.all[k]->path;
            size_t slash = gr_str_rfind(path, '/');
            int rc;

            if (slash == path.n ||
                !gr_str_eq(gr_str_first(path, slash), (struct gr_str){.p = dir->path, .n = dir_n}))
                continue;
            rc = gr_dirs_add(&l->dirs, i, gr_str_skip(path, slash + 1));
            if (rc != 0)
                return rc;
        }
    }
    for (size_t i = 0; i < l->dirs.files_n; i++) {
        struct gr_rule_file *file = l->dirs.files[i];

        file->counts = file->counts || gr_lastgood_has(&l->lastgood, file->path);
    }
    return gr_dirs_mask(&l->dirs);
}

/* A directory that was named and is not there is probably mistyped; it may also come later.
 * oci-hooks(5) directories have no default, so each of them was named. */
static void report_missing(struct loader *l)
{
    for (size_t i = 0; i < l->dirs.dirs_n; i++) {
        struct gr_err err = {0};

        if (l->dirs.dirs[i].walk || l->dirs.dirs[i].broken)
            continue;
        if (l->dirs.dirs[i].format == GR_FORMAT_HOOKSET && !l->options->dirs_named)
            continue;
        gr_fail(&err, 0, "missing-directory",
                "expected a directory of rule files, found nothing there; it counts as empty");
        gr_err_at(&err, l->dirs.dirs[i].path, 0, 0);
        gr_report(&l->counting, GR_LEVEL_WARNING, &err);
    }
}

static int find_files(struct loader *l)
{
    const struct gr_load_options *o = l->options;
    const struct gr_lastgood_place place = {.fs = o->fs,
                                            .dir = o->last_good_dir,
                                            .kind = GR_LASTGOOD_RULES,
                                            .makes_dir = true,
                                            .held = o->held};
    const struct gr_dir_list lists[] = {
        {.paths = o->dirs, .n = o->dirs_n, .format = GR_FORMAT_HOOKSET},
        {.paths = o->oci_dirs, .n = o->oci_dirs_n, .format = GR_FORMAT_OCI_HOOKS},
    };
    int rc;

    rc = gr_lastgood_open(&l->lastgood, &place, &l->scratch, &l->counting);
    if (rc == 0)
        rc = gr_dirs_read(&l->dirs, o->fs, &l->scratch, lists, GR_ARRAY_LEN(lists), &l->counting);
    if (rc == 0)
        report_missing(l);
    if (rc == 0 && o->names)
        gr_dirs_keep(&l->dirs, o->names, o->dirs_n);
    if (rc == 0)
        rc = add_frozen(l);
    if (rc != 0)
        return rc;
    l->files = gr_arena_array(&l->arena, l->dirs.files_n, sizeof(*l->files));
    l->parts = gr_arena_array(&l->scratch, l->dirs.files_n, sizeof(*l->parts));
    return l->files && l->parts ? 0 : -ENOMEM;
}

static int load_files(struct loader *l)
{
    int rc = 0;

    if (l->dirs.files_n == 0)
        return 0;
    rc = gr_source_open(&l->reader, l->options->fs);
    for (size_t i = 0; rc == 0 && i < l->dirs.files_n; i++)
        rc = load_file(l, l->dirs.files[i]);
    return rc;
}

/* The sets of all files, where they are: a copy would stay as long as the rule set. */
static int gather(struct loader *l, struct gr_sets **out_sets)
{
    struct gr_sets *sets = gr_arena_array(&l->scratch, l->parts_n, sizeof(*sets));

    if (!sets)
        return -ENOMEM;
    for (size_t i = 0; i < l->parts_n; i++)
        sets[i] = (struct gr_sets){.items = l->parts[i].items, .n = l->parts[i].n};
    *out_sets = sets;
    return 0;
}

/* The entry of spec.environments that is in force on this node. */
static void choose_environment(struct loader *l, struct gr_hookset *set)
{
    for (size_t i = 0; i < set->environments_n && !set->environment; i++) {
        if (gr_str_eq(set->environments[i].name, l->options->environment))
            set->environment = &set->environments[i];
    }
}

static int judge_set(struct loader *l, struct gr_hookset *set)
{
    const struct gr_load_options *o = l->options;
    int rc = 0;

    set->other_node = !gr_hookset_selects_node(set, o->node_name);
    choose_environment(l, set);
    if (!set->other_node)
        rc = gr_policies_check_set(&l->policies, &l->arena, &l->counting, set);
    if (rc == 0 && o->check_host && !set->other_node)
        rc = gr_host_check(&l->host, set);
    else if (rc == 0)
        rc = gr_store_name_all(o->programs_dir, &l->arena, set);
    l->result.blocked += set->blocked.n > 0;
    return rc;
}

/* What policies and the host say about each set of this node. */
static int judge(struct loader *l)
{
    const struct gr_load_options *o = l->options;
    int rc = gr_policies_load(&o->policy, o->fs, &l->arena, &l->counting, &l->policies);

    if (rc == 0 && o->check_host)
        rc = gr_host_open(&l->host, o->fs, o->host_root, o->programs_dir, &l->policies, &l->arena,
                          &l->scratch, &l->counting);
    for (size_t i = 0; i < l->parts_n; i++) {
        for (size_t k = 0; rc == 0 && k < l->parts[i].n; k++)
            rc = judge_set(l, &l->parts[i].items[k]);
    }
    return rc;
}

/* Only now: what was half written when it was read must not take away what was good before. */
static void finish(struct loader *l)
{
    const struct gr_load_options *o = l->options;

    l->result.torn = o->torn && o->torn(o->torn_user, gr_lastgood_drops(&l->lastgood));
    if (!l->result.torn)
        gr_lastgood_finish(&l->lastgood);
    l->result.unkept = l->lastgood.unkept;
}

static int run(struct loader *l)
{
    struct gr_sets *sets = NULL;
    struct gr_err err = {0};
    int rc = find_files(l);

    if (rc == 0)
        rc = load_files(l);
    if (rc == 0)
        rc = gather(l, &sets);
    if (rc == 0)
        rc = judge(l);
    if (rc != 0)
        return rc;
    l->result.files = l->files;
    rc = gr_ruleset_new_of(&l->arena, sets, l->parts_n, &l->policies, &l->result.ruleset, &err);
    /* It is the rule set's now, whatever came of it. */
    gr_arena_init(&l->arena, ARENA_BLOCK_BYTES, 0);
    if (rc == 0)
        finish(l);
    return rc;
}

int gr_load(const struct gr_load_options *options, const struct gr_reporter *reporter,
            struct gr_load_result *out_result)
{
    struct loader *l = calloc(1, sizeof(*l));
    int rc;

    if (!l)
        return -ENOMEM;
    l->options = options;
    l->reporter = reporter;
    l->counting = (struct gr_reporter){.report = count, .user = l};
    gr_arena_init(&l->arena, ARENA_BLOCK_BYTES, 0);
    gr_arena_init(&l->scratch, ARENA_BLOCK_BYTES, 0);
    gr_buf_init(&l->text, GR_YAML_FILE_MAX_BYTES);
    gr_buf_init(&l->old_text, GR_YAML_FILE_MAX_BYTES);
    gr_table_init(&l->names, &l->scratch);
    rc = run(l);
    if (rc == 0)
        *out_result = l->result;
    gr_host_close(&l->host);
    gr_source_close(&l->reader);
    gr_dirs_close(&l->dirs);
    gr_lastgood_close(&l->lastgood);
    gr_buf_fini(&l->text);
    gr_buf_fini(&l->old_text);
    gr_arena_fini(&l->scratch);
    gr_arena_fini(&l->arena);
    free(l);
    return rc;
}
