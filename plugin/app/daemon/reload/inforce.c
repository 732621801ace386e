/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/reload/inforce.h"

#include <errno.h>
#include <event2/event.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon/reload/reload.h"
#include "app/daemon/reload/store_paths.h"
#include "app/daemon/process/sandbox.h"
#include "app/daemon/suspend/suspend.h"
#include "base/hash.h"
#include "state/rundir.h"

#define NS_PER_US 1000

struct gr_inforce {
    const struct gr_flags *flags;
    struct gr_log *log;
    gr_inforce_changed_fn *changed;
    void *user;
    struct event *rescan;
    struct gr_reload *reload;
    struct gr_watch *watch;
    struct gr_suspend *suspend; /* NULL: nothing is suspended */
    struct gr_fs fs;
    struct gr_settings settings; /* in force */
    struct gr_settings coming;   /* read, and put in force with the rules that they name */
    bool has_settings, has_coming;
    uint64_t coming_number;                   /* of the first load with them */
    char *configure_text;                     /* of the last Configure; owned; NULL: none yet */
    struct gr_finding_list settings_findings; /* of the last reading */
    uint64_t settings_hash;                   /* of them, as last logged */
    struct gr_ruleset *ruleset;               /* NULL until the first load */
    struct gr_since *since;                   /* of its sets; NULL: not known */
    bool is_last;                             /* no other instance lives at the end */
    uint64_t rules_hash;             /* of what is in force, to tell a change from a rescan */
    uint64_t findings_hash;          /* of the findings about it, as last logged */
    uint64_t packages_hash;          /* of the packages of the program store that are watched */
    uint64_t ordered, loaded;        /* numbers of the last order and of what is in force */
    uint64_t needed;                 /* nothing is decided before this one is in force */
    unsigned torn;                   /* loads dropped in a row */
    bool waiting;                    /* launched, and Configure has not said yet where rules lie */
    bool ready;                      /* as last logged */
    struct gr_load_result load;      /* the last one, without its rule set */
    struct gr_finding_list findings; /* of the last load */
    uint64_t loads, failures;
    int64_t last_s, last_success_s;
    uint64_t last_took_ns;
    const char *last_cause;
};

/* ---- settings ---- */

/* As read last. */
static struct gr_settings *latest(struct gr_inforce *f)
{
    return f->has_coming ? &f->coming : &f->settings;
}

/* Level and format of the log count at once, everything else together with the rules: a set that is
 * required from now on is not missed before its file was read. Before the first load was ordered no
 * rules can be missed: where Configure names other directories, those of the file are not used. */
static void take_settings(struct gr_inforce *f, const struct gr_settings *settings)
{
    if (f->has_settings && f->ordered == 0)
        gr_settings_fini(&f->settings);
    if (f->has_settings && f->ordered > 0) {
        if (f->has_coming)
            gr_settings_fini(&f->coming);
        else
            f->coming_number = UINT64_MAX;
        f->coming = *settings;
        f->has_coming = true;
    } else {
        f->settings = *settings;
        f->has_settings = true;
    }
    f->log->level = settings->config.log_level;
    f->log->format = settings->config.log_format;
    f->log->audit = settings->config.audit_log;
}

/* The text that was accepted already keeps the time at which it was. */
static void keep_time(const struct gr_settings *before, struct gr_settings *settings)
{
    if (settings->file == GR_SETTINGS_PRESENT && before->file_text.n > 0 &&
        gr_str_eq(before->file_text, settings->file_text))
        settings->accepted_s = before->accepted_s;
}

/* Whether settings that were read count. A source that turned bad does not take away what was good
 * before: with another one, such as the first Configure, the file's last good text counts, where
 * there is one. */
static bool are_taken(const struct gr_inforce *f, const struct gr_settings *settings)
{
    return settings->sound || !f->has_settings || f->ordered == 0;
}

/* What was good before stays. */
static void stay_with(struct gr_settings *settings, const struct gr_settings *refused)
{
    settings->sound = false;
    if (refused->file < GR_SETTINGS_LAST_GOOD)
        return; /* it is another source that is refused */
    if (settings->file == GR_SETTINGS_PRESENT)
        settings->file = GR_SETTINGS_LAST_GOOD;
    else if (settings->file == GR_SETTINGS_NO_FILE)
        settings->file = GR_SETTINGS_NOTHING;
}

static void put_settings_in_force(struct gr_inforce *f)
{
    if (!f->has_coming || f->loaded < f->coming_number)
        return;
    gr_settings_fini(&f->settings);
    f->settings = f->coming;
    f->has_coming = false;
}

static int read_settings(struct gr_inforce *f)
{
    struct gr_finding_list findings;
    struct gr_reporter reporter;
    struct gr_settings settings;
    bool first = !f->has_settings || f->ordered == 0;
    int r;

    gr_finding_list_init(&findings);
    reporter = gr_finding_list_reporter(&findings);
    /* Later what counts is in memory. */
    r = gr_settings_read(f->flags, gr_str_from(f->configure_text),
                         first ? GR_SETTINGS_AS_IN_FORCE : GR_SETTINGS_AS_WRITTEN, &reporter,
                         &settings);
    if (r == 0 && are_taken(f, &settings)) {
        if (f->has_settings)
            keep_time(latest(f), &settings);
        take_settings(f, &settings);
    } else if (r == 0) {
        stay_with(&f->settings, &settings);
        if (f->has_coming)
            stay_with(&f->coming, &settings);
        gr_settings_report_file(latest(f), f->flags, &reporter);
        gr_settings_fini(&settings);
    }
    if (findings.hash != f->settings_hash)
        gr_finding_list_log(&findings, f->log);
    f->settings_hash = findings.hash;
    gr_finding_list_fini(&f->settings_findings);
    f->settings_findings = findings;
    return r;
}

/* Everything that a load reads, but for hook programs and what links lead to. */
static void watch_files(struct gr_inforce *f)
{
    const struct gr_config *config = &latest(f)->config;
    const char *paths[2 * GR_CONFIG_DIRS_MAX + 2 + GR_STORE_PATHS_MAX + 1];
    struct gr_arena arena;
    size_t n = 0;

    paths[n++] = gr_settings_path(f->flags);
    paths[n++] = f->flags->policy_path ? f->flags->policy_path : GR_POLICY_DEFAULT;
    for (size_t i = 0; i < config->hooks_dirs_n && i < GR_CONFIG_DIRS_MAX; i++)
        paths[n++] = config->hooks_dirs[i];
    for (size_t i = 0; i < config->oci_hooks_dirs_n && i < GR_CONFIG_DIRS_MAX; i++)
        paths[n++] = config->oci_hooks_dirs[i];
    gr_arena_init(&arena, 4096, 0);
    if (f->has_settings)
        n += gr_store_paths(config, f->ruleset, &arena, paths + n);
    gr_watch_set(f->watch, paths, n);
    gr_arena_fini(&arena);
}

/* On the loader's thread. */
static bool files_changed(void *user, bool drops)
{
    return gr_watch_is_stirred(user, drops ? GR_WATCH_TRUST_DROP_MS : GR_WATCH_TRUST_MS);
}

/* The settings file's last good text: kept where it is known, and where there is no file any more,
 * or it is not to be kept, removed. */
static void keep_settings(struct gr_inforce *f, const struct gr_settings *settings)
{
    struct gr_reload_settings keep = {.path = gr_settings_path(f->flags)};

    if (settings->file_text.n > 0 || settings->file < GR_SETTINGS_LAST_GOOD)
        keep.dir = gr_settings_kept_dir(f->flags);
    if (settings->config.last_good_dir[0])
        keep.text = settings->file_text;
    gr_reload_set_settings(f->reload, &keep);
}

static void order_load(struct gr_inforce *f, const char *cause)
{
    const struct gr_settings *settings = latest(f);
    struct gr_load_options options =
        gr_settings_load_options(settings, f->flags, gr_str_from(f->configure_text), &f->fs);
    const struct timeval wait = {.tv_sec = (time_t)settings->config.rescan_interval_s};
    uint64_t number;

    options.check_host = true;
    /* While containers wait for it, the load is taken as it is. */
    if (f->torn < GR_INFORCE_TORN_MAX && gr_inforce_is_usable(f)) {
        options.torn = files_changed;
        options.torn_user = f->watch;
    }
    gr_reload_set_run_dir(f->reload, settings->config.run_dir);
    keep_settings(f, settings);
    number = gr_reload_order(f->reload, &options, cause);
    if (number != 0) {
        f->ordered = number;
        f->coming_number = GR_MIN(f->coming_number, number);
    } else {
        GR_LOG(f->log, GR_LEVEL_ERROR, "no memory to load the rules",
               GR_LOG_INT("retry_s", settings->config.rescan_interval_s));
    }
    (void)event_add(f->rescan, &wait);
}

void gr_inforce_reload(struct gr_inforce *f, const char *cause)
{
    if (f->waiting)
        return;
    gr_watch_look(f->watch);
    (void)read_settings(f); /* without memory the old ones stand */
    watch_files(f);
    order_load(f, cause);
}

static void on_rescan(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    gr_inforce_reload(arg, "rescan");
}

static void on_files_changed(void *user)
{
    gr_inforce_reload(user, "watch");
}

void gr_inforce_configure(struct gr_inforce *f, struct gr_str text)
{
    char *copy = text.n > 0 ? strndup(text.p, text.n) : NULL;

    if (!copy && !f->configure_text && f->ordered > 0)
        return;
    free(f->configure_text);
    f->configure_text = copy;
    f->waiting = false;
    gr_inforce_reload(f, "Configure");
    f->needed = f->ordered;
}

/* ---- rules ---- */

static void log_load(struct gr_inforce *f, const struct gr_reloaded *reloaded, bool news)
{
    const struct gr_load_result *load = &reloaded->load;
    bool ready = load->errors == 0 && f->settings.sound;

    news = news || ready != f->ready;
    f->ready = ready;
    GR_LOG(f->log, news ? GR_LEVEL_INFO : GR_LEVEL_DEBUG, "rules loaded",
           GR_LOG_INT("sets", load->sets), GR_LOG_INT("files", load->files_n),
           GR_LOG_INT("rejected", load->rejected), GR_LOG_INT("blocked", load->blocked),
           GR_LOG_INT("policies", gr_ruleset_policies(f->ruleset)->n),
           GR_LOG_INT("last_good", load->last_good), GR_LOG_INT("warnings", load->warnings),
           GR_LOG_TEXT("ready", ready ? "yes" : "no"), GR_LOG_TEXT("cause", reloaded->cause),
           GR_LOG_INT("took_us", reloaded->took_ns / NS_PER_US));
}

/* The store's packages that the new rules name: what happened to them before they are watched is
 * found by one more load. */
static void watch_packages(struct gr_inforce *f)
{
    uint64_t hash = gr_store_packages_hash(f->ruleset);

    if (hash == f->packages_hash)
        return;
    f->packages_hash = hash;
    watch_files(f);
    gr_watch_stir(f->watch);
}

/* Puts new rules in force. */
static void swap(struct gr_inforce *f, struct gr_reloaded *reloaded)
{
    bool same_rules = f->ruleset && reloaded->hash == f->rules_hash;
    bool same_findings = reloaded->findings.hash == f->findings_hash;

    if (!same_findings)
        gr_finding_list_log(&reloaded->findings, f->log);
    /* The newer object even of the same rules: what the load tells of its files lives there. */
    gr_reload_dispose(f->reload, gr_take(f->ruleset));
    f->ruleset = gr_take(reloaded->load.ruleset);
    gr_since_unref(f->since);
    f->since = gr_take(reloaded->since);
    f->load = reloaded->load;
    f->rules_hash = reloaded->hash;
    f->findings_hash = reloaded->findings.hash;
    gr_finding_list_fini(&f->findings);
    f->findings = reloaded->findings;
    gr_finding_list_init(&reloaded->findings);
    f->loaded = reloaded->number;
    put_settings_in_force(f);
    watch_packages(f);
    log_load(f, reloaded, !same_rules || !same_findings);
}

static void count(struct gr_inforce *f, const struct gr_reloaded *reloaded)
{
    bool good = reloaded->result == 0 && reloaded->load.errors == 0;

    f->loads++;
    f->failures += !good;
    f->last_s = (int64_t)time(NULL);
    if (good)
        f->last_success_s = f->last_s;
    f->last_took_ns = reloaded->took_ns;
    f->last_cause = reloaded->cause;
}

/*
 * Files changed while they were read: some may be old and some new, or one be empty that is about
 * to be written. The load that follows sees them all. What nothing can do without is put in force
 * as it is.
 */
static bool drop_torn(struct gr_inforce *f, struct gr_reloaded *reloaded)
{
    if (!reloaded->load.torn || !gr_inforce_is_usable(f)) {
        f->torn = 0;
        return false;
    }
    f->torn++;
    gr_reload_dispose(f->reload, gr_take(reloaded->load.ruleset));
    gr_watch_stir(f->watch);
    GR_LOG(f->log, GR_LEVEL_DEBUG, "files changed while they were read, reading them again",
           GR_LOG_TEXT("cause", reloaded->cause));
    return true;
}

static void on_reloaded(void *user, struct gr_reloaded *reloaded)
{
    struct gr_inforce *f = user;

    /* The settings were read before the directories were found. */
    if (gr_watch_has_moved(f->watch))
        gr_watch_stir(f->watch);
    if (reloaded->result == 0 && drop_torn(f, reloaded))
        return;
    count(f, reloaded);
    if (reloaded->result == 0)
        swap(f, reloaded);
    else
        GR_LOG(f->log, GR_LEVEL_ERROR, "the rules could not be loaded, the old ones stay",
               GR_LOG_TEXT("error", strerror(-reloaded->result)));
    f->changed(f->user);
}

bool gr_inforce_is_usable(const struct gr_inforce *f)
{
    return f->ruleset && f->loaded >= f->needed;
}

struct gr_session_settings gr_inforce_session_settings(const struct gr_inforce *f)
{
    return (struct gr_session_settings){
        .ignore_request_errors = f->settings.config.on_request_error == GR_REQUEST_ERROR_IGNORE,
        .ambiguous_image_unknown = f->settings.config.ambiguous_image == GR_IMAGE_UNKNOWN,
        /* Before the rules are there, what Synchronize tells is kept for them whole. */
        .fields = f->ruleset ? gr_ruleset_fields(f->ruleset) : UINT32_MAX,
        .adjusts = !f->ruleset || gr_ruleset_adjusts(f->ruleset),
    };
}

void gr_inforce_set_suspend(struct gr_inforce *f, struct gr_suspend *suspend)
{
    f->suspend = suspend;
}

/* Borrowed until the loop's next turn. */
static struct gr_decide_options decide_options(struct gr_inforce *f)
{
    struct gr_decide_options options = gr_settings_decide_options(&f->settings);

    if (f->suspend)
        gr_suspend_fill(f->suspend, &options);
    return options;
}

static int not_loaded(struct gr_err *err)
{
    return gr_fail(err, -EAGAIN, "rules-not-loaded",
                   "Grapnel is still loading its rules; try again");
}

int gr_inforce_decide(struct gr_inforce *f, const struct gr_subject *subject,
                      struct gr_arena *arena, struct gr_decision *out_decision, struct gr_err *err)
{
    struct gr_decide_options options = decide_options(f);

    if (!gr_inforce_is_usable(f))
        return not_loaded(err);
    if (gr_decide(f->ruleset, subject, &options, arena, out_decision) != 0)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory to decide about the container");
    return 0;
}

int gr_inforce_take_copy(struct gr_inforce *f, struct gr_arena *arena,
                         struct gr_inforce_copy *out_copy, struct gr_err *err)
{
    struct gr_decide_options options = decide_options(f);

    if (!gr_inforce_is_usable(f))
        return not_loaded(err);
    if (gr_decide_options_copy(&options, arena, &options) != 0)
        return gr_fail(err, -ENOMEM, "no-memory", "no memory for a copy of the settings");
    *out_copy = (struct gr_inforce_copy){.ruleset = gr_ruleset_ref(f->ruleset), .options = options};
    return 0;
}

void gr_inforce_run(struct gr_inforce *f, struct gr_reload_task *task)
{
    gr_reload_run(f->reload, task);
}

void gr_inforce_status(const struct gr_inforce *f, struct gr_inforce_status *out_status)
{
    *out_status = (struct gr_inforce_status){
        .settings = &f->settings,
        .ruleset = f->ruleset,
        .since = f->since,
        .load = &f->load,
        .findings = &f->findings,
        .settings_findings = &f->settings_findings,
        .rules_hash = f->rules_hash,
        .sound = f->settings.sound,
        .ready = gr_inforce_is_usable(f) && f->ready,
        .loads = f->loads,
        .failures = f->failures,
        .last_s = f->last_s,
        .last_success_s = f->last_success_s,
        .last_took_ns = f->last_took_ns,
        .last_cause = f->last_cause,
    };
}

void gr_inforce_watch_status(struct gr_inforce *f, struct gr_watch_status *out_status)
{
    gr_watch_status(f->watch, out_status);
}

/* ---- life ---- */

/* Before the first thread. What cannot be given up is said; containers come first. */
static void enter_sandbox(const struct gr_inforce *f)
{
    struct gr_err err = {0};

    if (gr_sandbox_enter(f->settings.config.sandbox, &err) != 0)
        GR_LOG(f->log, GR_LEVEL_ERROR, err.text, GR_LOG_TEXT("code", err.code));
}

static int start(struct gr_inforce *f, struct event_base *base, bool launched)
{
    int r;

    f->rescan = evtimer_new(base, on_rescan, f);
    if (!f->rescan)
        return -ENOMEM;
    r = gr_watch_new(base, f->log, NULL, on_files_changed, f, &f->watch);
    if (r)
        return r;
    /* The settings file, before it is read. */
    gr_watch_look(f->watch);
    watch_files(f);
    gr_watch_search(f->watch);
    r = read_settings(f);
    if (r)
        return r;
    enter_sandbox(f);
    r = gr_reload_new(base, f->watch, on_reloaded, f, &f->reload);
    if (r)
        return r;
    f->waiting = launched;
    if (!launched) {
        watch_files(f);
        order_load(f, "start");
    }
    return 0;
}

int gr_inforce_new(struct event_base *base, const struct gr_flags *flags, bool launched,
                   struct gr_log *log, gr_inforce_changed_fn *changed, void *user,
                   struct gr_inforce **out_inforce)
{
    struct gr_inforce *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return -ENOMEM;
    f->flags = flags;
    f->log = log;
    f->changed = changed;
    f->user = user;
    f->settings_hash = GR_HASH_START;
    f->findings_hash = GR_HASH_START;
    f->packages_hash = GR_HASH_START;
    gr_finding_list_init(&f->findings);
    gr_finding_list_init(&f->settings_findings);
    gr_fs_posix(&f->fs);
    r = start(f, base, launched);
    if (r) {
        gr_inforce_free(f);
        return r;
    }
    *out_inforce = f;
    return 0;
}

void gr_inforce_is_last(struct gr_inforce *f)
{
    if (f)
        f->is_last = true;
}

static void keep_since(const struct gr_inforce *f)
{
    const char *run_dir = f->settings.config.run_dir;
    struct gr_err err = {0};
    int dir, r;

    if (!f->is_last || !f->ruleset || !f->since || !run_dir[0])
        return;
    dir = gr_rundir_open(run_dir, &err);
    if (dir < 0)
        return; /* that was said when it was read */
    r = gr_since_write(f->since, f->ruleset, dir);
    (void)close(dir);
    if (r)
        GR_LOG(f->log, GR_LEVEL_WARNING,
               "since when sets are in force cannot be written for the next start",
               GR_LOG_TEXT("error", strerror(-r)));
}

void gr_inforce_free(struct gr_inforce *f)
{
    if (!f)
        return;
    gr_reload_free(f->reload); /* its thread asks the watch, and writes the same file */
    keep_since(f);
    gr_watch_free(f->watch);
    if (f->rescan)
        event_free(f->rescan);
    gr_ruleset_unref(f->ruleset);
    gr_since_unref(f->since);
    gr_finding_list_fini(&f->findings);
    gr_finding_list_fini(&f->settings_findings);
    gr_settings_fini(&f->settings);
    if (f->has_coming)
        gr_settings_fini(&f->coming);
    free(f->configure_text);
    free(f);
}
