/* SPDX-License-Identifier: Apache-2.0 */
#include "load/host.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"

#define MODE_EXECUTE 0111U

enum answer_kind {
    ANSWER_FINE,
    ANSWER_UNVERIFIED,
    ANSWER_BLOCKED,
};

struct gr_host_answer {
    enum answer_kind kind;
    const char *code;
    struct gr_str text; /* why it is blocked or not verified */
};

int gr_host_open(struct gr_host *host, const struct gr_fs *fs, const char *root,
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
    return 0;
}

void gr_host_close(struct gr_host *host)
{
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
    gr_fail(err, 0, "hook-unverified",
            "hook program %s is unverified: the directories above it are not the host's own below "
            "%s; mount the host's / there to have them checked",
            host->shown, host->root);
    return ANSWER_UNVERIFIED;
}

/* Looks at one program; err says what is wrong. Returns 0; -ENOMEM. */
static int look(struct gr_host *host, const char *path, enum answer_kind *out_kind,
                struct gr_err *err)
{
    int rc;

    host->all = (struct gr_trust_way){.rules = host->rules};
    host->seen = host->all;
    host->stand_ins = false;
    rc = gr_walk_to(&host->walk, path, visit, host);
    if (rc == -ENOMEM)
        return rc;
    if (rc != 0) {
        *out_kind = unreachable(host, rc, err);
        return 0;
    }
    *out_kind = judge_file(host, err);
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

int gr_host_check(struct gr_host *host, struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        const struct gr_hook_list *hooks = &set->hooks[stage];

        for (size_t i = 0; stage != GR_STAGE_START_CONTAINER && i < hooks->n; i++) {
            struct gr_host_answer *answer;
            bool first;
            int rc = ask(host, hooks->items[i].path, &answer, &first);

            if (rc != 0)
                return rc;
            if (answer->kind == ANSWER_BLOCKED && set->blocked.n == 0)
                set->blocked = answer->text;
            if (answer->kind == ANSWER_BLOCKED || (answer->kind == ANSWER_UNVERIFIED && first))
                report(host, set, &hooks->items[i], answer);
        }
    }
    return 0;
}
