/* SPDX-License-Identifier: Apache-2.0 */
#include "load/host.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"

#define MODE_EXECUTE 0111U

/* Ends a walk: it got to a proc file system. Stays inside this file. */
#define THROUGH_PROC 5

enum answer_kind {
    ANSWER_FINE,
    ANSWER_UNVERIFIED,
    ANSWER_BLOCKED,
};

struct gr_host_answer {
    enum answer_kind kind;
    const char *code;
    struct gr_str text; /* why it is blocked or not verified */
    struct gr_str path; /* of a program of the store, also NUL-terminated */
};

/*
 * Where a directory of a policy really is. What is missing, or what somebody else could point
 * elsewhere, stays as it is written: no program that passes the other checks lies there.
 */
static int resolve_dir(struct gr_host *host, struct gr_arena *scratch, struct gr_trust_way *way,
                       struct gr_str *dir)
{
    int rc;

    *way = (struct gr_trust_way){.rules = host->rules};
    rc = gr_walk_to(&host->walk, dir->p, gr_trust_visit, way);
    if (rc == -ENOMEM)
        return rc;
    if (rc != 0 || host->walk.path[0] == '\0')
        return 0;
    return gr_arena_str(scratch, gr_str_from(host->walk.path), dir) ? 0 : -ENOMEM;
}

static int resolve_policies(struct gr_host *host, const struct gr_policies *policies,
                            struct gr_arena *scratch)
{
    struct gr_policy *items = gr_arena_array(scratch, policies->n, sizeof(*items));
    struct gr_trust_way *way = gr_arena_alloc(scratch, sizeof(*way));

    if (!items || !way)
        return -ENOMEM;
    for (size_t i = 0; i < policies->n; i++) {
        const struct gr_strs written = policies->items[i].hook_dirs;
        struct gr_str *dirs = gr_arena_array(scratch, written.n, sizeof(*dirs));

        if (!dirs)
            return -ENOMEM;
        items[i] = policies->items[i];
        for (size_t k = 0; k < written.n; k++) {
            int rc;

            dirs[k] = written.items[k];
            rc = resolve_dir(host, scratch, way, &dirs[k]);
            if (rc != 0)
                return rc;
        }
        items[i].hook_dirs.items = dirs;
    }
    host->policies = *policies;
    host->policies.items = items;
    return 0;
}

int gr_host_open(struct gr_host *host, const struct gr_fs *fs, const char *root,
                 const char *programs_dir, const struct gr_policies *policies,
                 struct gr_arena *arena, struct gr_arena *scratch,
                 const struct gr_reporter *reporter)
{
    struct gr_fs_meta own;
    int rc;

    host->fs = fs;
    host->root = root;
    host->reporter = reporter;
    host->arena = arena;
    host->rules = gr_trust_rules(fs, false);
    gr_table_init(&host->answers, scratch);
    rc = gr_walk_open(&host->walk, fs, "/");
    if (rc == 0) {
        own = host->walk.dirs[0].meta;
        host->own_mount = own.mount;
        gr_walk_close(&host->walk);
        rc = gr_walk_open(&host->walk, fs, root);
    }
    if (rc == -ENOMEM)
        return rc;
    host->broken = rc;
    host->partial_possible = rc == 0 && !gr_fs_same_file(&own, &host->walk.dirs[0].meta);
    if (rc == 0 && policies)
        rc = resolve_policies(host, policies, scratch);
    return rc == -ENOMEM ? rc : gr_store_open(&host->store, fs, root, programs_dir);
}

void gr_host_close(struct gr_host *host)
{
    gr_store_close(&host->store);
    gr_walk_close(&host->walk);
}

/* Whether a directory may be only our container's stand-in for one of the host. */
static bool may_be_stand_in(const struct gr_host *host, const struct gr_fs_meta *meta)
{
    return host->partial_possible && meta->mount == host->own_mount;
}

/* Sees every entry of a walk. Which directories are stand-ins is known only at its end, when the
 * program's own mount is, so both answers are kept. */
static int visit(void *user, const struct gr_walk_visit *visit)
{
    struct gr_host *host = user;
    struct gr_walk_visit alone = *visit;

    /* The links in there mean something else for each process that follows them. */
    if (visit->meta->proc || strcmp(visit->path, "/proc") == 0) {
        host->through_proc = true;
        return THROUGH_PROC;
    }
    if (host->all.fault == GR_TRUST_FINE)
        (void)gr_trust_visit(&host->all, visit);
    if (may_be_stand_in(host, visit->parent ? visit->parent : visit->meta)) {
        host->stand_ins = true;
        alone.parent = NULL;
    }
    if (host->seen.fault == GR_TRUST_FINE && !may_be_stand_in(host, visit->meta))
        (void)gr_trust_visit(&host->seen, &alone);
    return 0;
}

/* Why the program could not be reached. Returns the kind of answer, err says the rest. */
static enum answer_kind unreachable(const struct gr_host *host, int rc, struct gr_err *err)
{
    char at[GR_TRUST_QUOTED_BYTES];

    gr_trust_shorten(at, sizeof(at), host->walk.path);
    if (host->through_proc) {
        gr_fail(err, 0, "hook-in-proc",
                "expected the hook program %s to be the same file for every process, found that "
                "the way to it leads through %s; name the program itself",
                host->shown, at);
        return ANSWER_BLOCKED;
    }
    if ((rc == -EACCES || rc == -EPERM) && host->rules.euid != 0) {
        gr_fail(err, 0, "hook-unverified",
                "hook program %s is unverified: only root may look at %s", host->shown, at);
        return ANSWER_UNVERIFIED;
    }
    if (rc == -ENOENT && may_be_stand_in(host, &gr_walk_top(&host->walk)->meta))
        gr_fail(err, 0, "hook-not-visible",
                "expected the hook program %s, found no %s below %s, where the host's directory "
                "is not mounted; install the program, or mount the directory that holds it",
                host->shown, at, host->root);
    else if (rc == -ENOENT)
        gr_fail(err, 0, "hook-missing",
                "expected the hook program %s, found no %s on the host; install it or correct the "
                "path",
                host->shown, at);
    else if (rc == -ENOTDIR)
        gr_fail(err, 0, "hook-missing",
                "expected the hook program %s, found that %s is no directory; correct the path",
                host->shown, at);
    else if (rc == -ELOOP)
        gr_fail(err, 0, "hook-missing",
                "expected the hook program %s, found more than %d links on the way; name the "
                "program itself",
                host->shown, GR_WALK_LINKS_MAX);
    else
        gr_fail_errno(err, rc, "hook-missing", "expected the hook program %s, found an error at %s",
                      host->shown, at);
    return ANSWER_BLOCKED;
}

static enum answer_kind judge_file(const struct gr_host *host, struct gr_err *err)
{
    const struct gr_fs_meta *meta = &host->walk.meta;
    enum gr_trust_fault fault = gr_trust_file(&host->rules, meta);
    char quoted[GR_TRUST_QUOTED_BYTES];

    gr_trust_quote(quoted, sizeof(quoted), host->walk.path);
    if (meta->type != GR_FS_REGULAR)
        gr_fail(err, 0, "hook-type",
                "expected the hook program %s to be a regular file, found that it is %s; correct "
                "the path",
                host->shown, gr_fs_type_name(meta->type));
    else if (!(meta->mode & MODE_EXECUTE))
        gr_fail(err, 0, "hook-not-executable",
                "expected the hook program %s to be executable, found mode %04o; run: chmod 0755 "
                "%s",
                host->shown, meta->mode, quoted);
    else if (meta->no_exec && !host->partial_possible)
        gr_fail(err, 0, "hook-not-executable",
                "expected the hook program %s to be executable, found that its file system is "
                "mounted noexec; move it elsewhere, such as /opt",
                host->shown);
    else if (fault != GR_TRUST_FINE)
        gr_trust_explain(err, &host->rules, fault, host->walk.path, meta);
    else
        return ANSWER_FINE;
    return ANSWER_BLOCKED;
}

/* Whether the policies allow a program of that place. */
static enum answer_kind judge_place(const struct gr_host *host, struct gr_err *err)
{
    struct gr_str path = gr_str_from(host->walk.path);
    const struct gr_policy *by;
    char at[GR_TRUST_QUOTED_BYTES];
    char dir[GR_TRUST_QUOTED_BYTES];

    if (gr_policies_allow_program(&host->policies, path, &by))
        return ANSWER_FINE;
    gr_trust_shorten(at, sizeof(at), path.p);
    gr_trust_shorten(dir, sizeof(dir), by->hook_dirs.items[0].p);
    gr_fail(err, 0, "policy-violation",
            "policy %s:%u allows programs in %s%s only, found the hook program %s at %s; move it, "
            "or have the policy allow it",
            by->file.p, by->hook_dirs_line, dir,
            by->hook_dirs.n > 1 ? " and the other directories there" : "", host->shown, at);
    return ANSWER_BLOCKED;
}

/* What cannot be seen from here: a warning, unless a policy asks for more. */
static enum answer_kind unverified(const struct gr_host *host, struct gr_err *err)
{
    const struct gr_policy *by = gr_policies_blocks_unverified(&host->policies);

    if (!by) {
        gr_fail(err, 0, "hook-unverified",
                "hook program %s is unverified: the directories above it are not the host's own "
                "below %s; mount the host's / there to have them checked",
                host->shown, host->root);
        return ANSWER_UNVERIFIED;
    }
    gr_fail(err, 0, "hook-unverified",
            "hook program %s is unverified: the directories above it are not the host's own below "
            "%s, and policy %s:%u blocks such programs; mount the host's / there to have them "
            "checked",
            host->shown, host->root, by->file.p, by->unverified_line);
    return ANSWER_BLOCKED;
}

/* The directories above a program that is in order itself. */
static enum answer_kind judge_way(const struct gr_host *host, struct gr_err *err)
{
    bool partial = !may_be_stand_in(host, &host->walk.meta);
    const struct gr_trust_way *way = partial ? &host->seen : &host->all;

    if (way->fault != GR_TRUST_FINE) {
        gr_trust_explain(err, &host->rules, way->fault, way->path, &way->meta);
        return ANSWER_BLOCKED;
    }
    if (!partial || !host->stand_ins)
        return ANSWER_FINE;
    return unverified(host, err);
}

/* Looks at one program; err says what is wrong. Returns 0; -ENOMEM. */
static int look(struct gr_host *host, const char *path, enum answer_kind *out_kind,
                struct gr_err *err)
{
    int rc;

    host->all = (struct gr_trust_way){.rules = host->rules};
    host->seen = host->all;
    host->stand_ins = false;
    host->through_proc = false;
    rc = gr_walk_to(&host->walk, path, visit, host);
    if (rc == -ENOMEM)
        return rc;
    if (rc != 0) {
        *out_kind = unreachable(host, rc, err);
        return 0;
    }
    *out_kind = judge_file(host, err);
    if (*out_kind == ANSWER_FINE)
        *out_kind = judge_place(host, err);
    if (*out_kind == ANSWER_FINE)
        *out_kind = judge_way(host, err);
    return 0;
}

static int keep_text(struct gr_host *host, const struct gr_err *err, struct gr_str *out_text)
{
    char text[GR_ERR_TEXT_BYTES + GR_TRUST_QUOTED_BYTES + 32];

    /* Some texts name a directory only. */
    if (strstr(err->text, host->shown))
        (void)snprintf(text, sizeof(text), "%s", err->text);
    else
        (void)snprintf(text, sizeof(text), "hook program %s: %s", host->shown, err->text);
    gr_utf8_make_printable(text);
    return gr_arena_str(host->arena, gr_str_from(text), out_text) ? 0 : -ENOMEM;
}

static int ask(struct gr_host *host, struct gr_str path, struct gr_host_answer **out_answer,
               bool *out_first)
{
    struct gr_host_answer *answer = gr_table_get(&host->answers, path);
    struct gr_err err = {0};
    int rc = 0;

    *out_first = !answer;
    *out_answer = answer;
    if (answer)
        return 0;
    answer = gr_arena_alloc(host->answers.arena, sizeof(*answer));
    if (!answer)
        return -ENOMEM;
    gr_trust_shorten(host->shown, sizeof(host->shown), path.p);
    if (host->broken) {
        answer->kind = ANSWER_BLOCKED;
        gr_fail_errno(&err, host->broken, "host-root",
                      "expected the host's / at %s, where hook programs are looked up, found an "
                      "error",
                      host->root);
    } else {
        rc = look(host, path.p, &answer->kind, &err);
    }
    answer->code = err.code;
    if (rc == 0 && answer->kind != ANSWER_FINE)
        rc = keep_text(host, &err, &answer->text);
    if (rc == 0)
        rc = gr_table_put(&host->answers, path, answer);
    *out_answer = answer;
    return rc;
}

/* The path of a program of the store; an answer that blocks where there is none. */
static int find_in_store(struct gr_host *host, struct gr_str program,
                         struct gr_host_answer **out_answer)
{
    struct gr_host_answer *answer = gr_table_get(&host->answers, program);
    char path[GR_LOAD_PATH_BYTES];
    struct gr_err err = {0};
    int rc;

    *out_answer = answer;
    if (answer)
        return 0;
    answer = gr_arena_alloc(host->answers.arena, sizeof(*answer));
    if (!answer)
        return -ENOMEM;
    rc = gr_store_find(&host->store, program, path, &err);
    if (rc < 0)
        return rc;
    if (rc == GR_STORE_NONE) {
        answer->kind = ANSWER_BLOCKED;
        answer->code = err.code;
        gr_trust_shorten(host->shown, sizeof(host->shown), program.p);
        gr_store_name(host->store.dir, program, path);
        if (keep_text(host, &err, &answer->text) != 0)
            return -ENOMEM;
    }
    if (!gr_arena_str(host->arena, gr_str_from(path), &answer->path))
        return -ENOMEM;
    *out_answer = answer;
    return gr_table_put(&host->answers, program, answer);
}

static void report(struct gr_host *host, const struct gr_hookset *set, const struct gr_hook *hook,
                   const struct gr_host_answer *answer)
{
    enum gr_level level = answer->kind == ANSWER_BLOCKED ? GR_LEVEL_ERROR : GR_LEVEL_WARNING;
    struct gr_err err = {0};

    if (host->findings > GR_HOST_FINDINGS_MAX)
        return;
    if (host->findings++ == GR_HOST_FINDINGS_MAX) {
        gr_fail(&err, 0, "too-many-findings",
                "more hook programs failed their checks; only the first %d are shown",
                GR_HOST_FINDINGS_MAX);
        gr_report(host->reporter, level, &err);
        return;
    }
    gr_fail(&err, 0, answer->code, "%.*s", GR_STR_FMT(answer->text));
    gr_err_at(&err, set->file.p, hook->line, hook->column);
    gr_report(host->reporter, level, &err);
}

static void apply(struct gr_host *host, struct gr_hookset *set, const struct gr_hook *hook,
                  const struct gr_host_answer *answer, bool first)
{
    set->no_program = set->no_program || answer->kind == ANSWER_BLOCKED;
    if (answer->kind == ANSWER_BLOCKED && set->blocked.n == 0)
        set->blocked = answer->text;
    if (answer->kind == ANSWER_BLOCKED || (answer->kind == ANSWER_UNVERIFIED && first))
        report(host, set, hook, answer);
}

/* Hooks are never written to: those with a program of the store get new ones. */
static int fill_paths(struct gr_host *host, struct gr_hookset *set, struct gr_hook_list *hooks)
{
    struct gr_hook *own = gr_store_own_hooks(host->arena, hooks);

    if (!own)
        return -ENOMEM;
    for (size_t i = 0; i < hooks->n; i++) {
        struct gr_host_answer *answer;
        int rc;

        if (own[i].program.n == 0)
            continue;
        rc = find_in_store(host, own[i].program, &answer);
        if (rc != 0)
            return rc;
        own[i].path = answer->path;
        own[i].unresolved = answer->kind == ANSWER_BLOCKED;
        if (own[i].unresolved)
            apply(host, set, &own[i], answer, true);
    }
    return 0;
}

static int check_stage(struct gr_host *host, struct gr_hookset *set, struct gr_hook_list *hooks)
{
    int rc = gr_store_is_asked(hooks) ? fill_paths(host, set, hooks) : 0;

    for (size_t i = 0; rc == 0 && i < hooks->n; i++) {
        struct gr_host_answer *answer;
        bool first;

        if (hooks->items[i].unresolved)
            continue;
        rc = ask(host, hooks->items[i].path, &answer, &first);
        if (rc == 0)
            apply(host, set, &hooks->items[i], answer, first);
    }
    return rc;
}

int gr_host_check(struct gr_host *host, struct gr_hookset *set)
{
    int rc = 0;

    for (size_t stage = 0; rc == 0 && stage < GR_STAGE_COUNT; stage++) {
        if (stage != GR_STAGE_START_CONTAINER)
            rc = check_stage(host, set, &set->hooks[stage]);
    }
    return rc;
}
